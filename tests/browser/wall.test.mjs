// The wall, seen by people: an admin on the pages, and storefronts with their keys.

import assert from "node:assert/strict"
import { adminOf, channelOf, story, storefrontOf, until } from "./harness.mjs"

/**
 * A published product of a channel.
 * @param {string} baseUrl
 * @param {string} channel
 * @param {string} order
 */
async function productOf(baseUrl, channel, order) {
  const admin = await adminOf(baseUrl)
  const query = `sales_channel_id=${channel}&status=published&limit=1&order=${order}&fields=id,title`
  const { products } = await admin("GET", `/admin/products?${query}`)
  return products[0]
}

/**
 * Does a storefront show this product?
 * @param {Awaited<ReturnType<typeof storefrontOf>>} storefront
 * @param {string} product
 * @returns {Promise<boolean>}
 */
async function shows(storefront, product) {
  const { count } = await storefront("GET", `/store/products?id=${product}&fields=id`)
  return count === 1
}

story("two storefronts see a product appear and vanish as it is moved between their channels", async (visitor) => {
  const { baseUrl } = visitor
  const [web, app] = [await storefrontOf(baseUrl, "Web Shop"), await storefrontOf(baseUrl, "Mobile App")]
  const product = await productOf(baseUrl, await channelOf(baseUrl, "Web Shop"), "title")
  const page = await visitor.logIn()
  const sellIn = async (/** @type {string} */ channel) => {
    await visitor.visit(`/app/products/${product.id}`)
    const boxes = page.getByRole("group", { name: "Sold in" })
    for (const box of await boxes.getByRole("checkbox").all()) await box.uncheck()
    await boxes.getByRole("checkbox", { name: channel, exact: true }).check()
    await visitor.press("Save channels")
    await page.getByRole("status").waitFor()
  }

  await sellIn("Web Shop")
  assert.deepEqual([await shows(web, product.id), await shows(app, product.id)], [true, false])
  await sellIn("Mobile App")
  assert.deepEqual([await shows(web, product.id), await shows(app, product.id)], [false, true])
  await visitor.visit(`/app/matrix?product=${product.id}`)
  await page.getByRole("row").filter({ hasText: product.title }).first().waitFor()
  await visitor.look("matrix-of-a-product")
})

story("a preview comes true", async (visitor) => {
  const { baseUrl } = visitor
  const channel = await channelOf(baseUrl, "Web Shop")
  const [admin, web] = [await adminOf(baseUrl), await storefrontOf(baseUrl, "Web Shop")]
  const product = await productOf(baseUrl, channel, "-title")
  const page = await visitor.logIn()
  const changes = page.locator("section").filter({ hasText: "What changes between" })
  const card = changes.getByRole("listitem").filter({ hasText: product.title }).filter({ hasText: "Appears" })
  const preview = (/** @type {Date} */ at) => visitor.visit(`/app/preview?channel=${channel}&at=${at.toISOString()}`)

  const at = new Date(Date.now() + 5_000)
  await admin("POST", `/admin/sales-channels/${channel}/products/${product.id}`, { available_from: at.toISOString() })
  assert.equal(await shows(web, product.id), false)
  await preview(at)
  await card.waitFor()
  await visitor.look("preview")
  await until(() => shows(web, product.id))
  assert.ok(Date.now() >= at.getTime(), "it was shown too early")
  await preview(new Date(Date.now() + 3_600_000))
  await changes.waitFor()
  assert.equal(await card.count(), 0)
})
