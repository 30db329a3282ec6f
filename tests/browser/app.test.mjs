// `/app`: the pages for merchants and operators.

import assert from "node:assert/strict"
import { ADMIN, adminOf, channelOf, story } from "./harness.mjs"

story("one logs in to see a page, and is led to it", async (visitor) => {
  const page = await visitor.visit("/app/channels")
  await visitor.look("login")
  await page.getByLabel("E-mail").fill(ADMIN.email)
  await page.getByLabel("Password").fill("wrong")
  const refused = page.waitForResponse((it) => it.request().method() === "POST")
  await page.getByRole("button", { name: "Log in" }).click()
  assert.equal((await refused).status(), 401)
  await page.getByRole("alert").waitFor()
  // The browser says of each refused form that it was refused.
  visitor.faults = visitor.faults.filter((it) => !it.includes("401"))
  await page.getByLabel("Password").fill(ADMIN.password)
  await page.getByRole("button", { name: "Log in" }).click()
  await page.getByRole("heading", { level: 1, name: "Sales channels" }).waitFor()
})

story("every page of the menu is readable in light, dark and on a phone", async (visitor) => {
  const page = await visitor.logIn()
  await visitor.look("overview")
  const links = await page.locator("nav.side a").evaluateAll((all) => all.map((it) => it.getAttribute("href") ?? ""))
  assert.ok(links.length >= 10, `the menu has ${links.length} pages`)
  for (const link of links) {
    await visitor.visit(link)
    await visitor.look(link.replace("/app/", "app-").replaceAll("/", "-"))
  }
})

story("the pages below those of the menu are readable", async (visitor) => {
  const admin = await adminOf(visitor.baseUrl)
  /** @param {string} route @param {string} many */
  const first = async (route, many) => (await admin("GET", `/admin/${route}?limit=1&fields=id`))[many][0].id
  const option = await first("shipping-options", "shipping_options")
  const { shipping_option } = await admin("GET", `/admin/shipping-options/${option}?fields=service_zone.id,service_zone.fulfillment_set_id`)
  const { id: zone, fulfillment_set_id: set } = shipping_option.service_zone
  await visitor.logIn()
  for (const [name, path] of [
    ["shipping-new", "shipping/new"],
    ["shipping-zone", `shipping/sets/${set}/zones/${zone}`],
    ["shipping-option", `shipping/options/${option}`],
    ["shipping-profiles", "shipping/profiles"],
    ["shipping-types", "shipping/types"],
    ["price-list-new", "price-lists/new"],
    ["price-list", `price-lists/${await first("price-lists", "price_lists")}?q=coffee`],
    ["promotion-new", "promotions/new"],
    ["promotion-buy-get", "promotions/new?kind=buyget"],
    ["promotion", `promotions/${await first("promotions", "promotions")}`],
    ["campaigns", "campaigns"],
    ["tax", `tax/${await first("tax-regions", "tax_regions")}`],
    ["region", `regions/${await first("regions", "regions")}`],
  ]) {
    await visitor.visit(`/app/${path}`)
    await visitor.look(`app-${name}`)
  }
})

story("a variant that is not sold is put on sale from the reason", async (visitor) => {
  const channel = await channelOf(visitor.baseUrl, "Web Shop")
  const admin = await adminOf(visitor.baseUrl)
  const { products } = await admin("GET", `/admin/products?sales_channel_id=${channel}&limit=1&order=title&fields=id,variants.id`)
  const variant = products[0].variants[0].id
  await admin("POST", `/admin/sales-channels/${channel}/variants/${variant}`, { is_enabled: false })

  const page = await visitor.logIn()
  const why = `/app/why?channel=${channel}&variant=${variant}`
  await visitor.visit(why)
  await page.getByText("The sales channel leaves the variant out").waitFor()
  await visitor.look("why-not-sold")
  await page.getByRole("link", { name: "Put it right" }).first().click()
  await page.locator(`input[value="${variant}"][type=checkbox]`).check()
  await page.locator("#form-variants").getByRole("button", { name: "Save" }).click()
  await page.getByRole("status").waitFor()
  await visitor.look("product-in-channel")
  await visitor.visit(why)
  await page.getByText("On sale", { exact: true }).waitFor()
})

story("an assortment is changed in bulk, shown first, and taken back", async (visitor) => {
  const channel = await channelOf(visitor.baseUrl, "Mobile App")
  const page = await visitor.logIn()
  const list = `/app/channels/${channel}/products`
  await visitor.visit(list)
  const before = await page.locator("tbody tr").count()
  await page.getByLabel("Choose all on this page").check()
  await page.getByRole("button", { name: "Take out of the channel" }).click()
  await page.getByRole("heading", { level: 1, name: "What would change" }).waitFor()
  await visitor.look("assortment-change")
  await page.getByRole("button", { name: "Change" }).click()
  await page.getByRole("heading", { level: 1, name: "Changed" }).waitFor()
  await visitor.look("assortment-changed")
  await page.getByRole("button", { name: "Undo" }).click()
  await page.getByRole("heading", { level: 1, name: "Products of the channel" }).waitFor()
  await visitor.look("assortment")
  assert.equal(await page.locator("tbody tr").count(), before)
})

story("a period is typed in the zone of the person, and kept in UTC", async (visitor) => {
  const channel = await channelOf(visitor.baseUrl, "Web Shop")
  const admin = await adminOf(visitor.baseUrl)
  const { products } = await admin("GET", `/admin/products?sales_channel_id=${channel}&limit=1&order=-title&fields=id`)
  const page = await visitor.logIn()
  const terms = `/app/channels/${channel}/products/${products[0].id}`
  await visitor.visit(terms)
  await page.getByLabel("Sell until").fill("2040-05-01T12:00")
  await page.locator("#form-window").getByRole("button", { name: "Save" }).click()
  await page.getByRole("status").waitFor()
  const kept = await admin("GET", `/admin/sales-channels/${channel}/products/${products[0].id}`)
  const typed = await page.evaluate(() => new Date("2040-05-01T12:00").toISOString())
  assert.equal(kept.product.available_until, typed)
  assert.equal(await page.getByLabel("Sell until").inputValue(), "2040-05-01T12:00")
})
