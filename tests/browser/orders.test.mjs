// Orders on the pages: from payment to delivery.

import assert from "node:assert/strict"
import { adminOf, story, storefrontOf } from "./harness.mjs"

/**
 * Places an order as a shopper of the web shop. Returns its id.
 * @param {string} baseUrl
 * @returns {Promise<string>}
 */
async function order(baseUrl) {
  const store = await storefrontOf(baseUrl, "Web Shop")
  const { regions } = await store("GET", "/store/regions?fields=id,*countries")
  const inGermany = (/** @type {any} */ it) => it.countries.some((/** @type {any} */ it) => it.iso_2 === "de")
  const region = regions.find(inGermany).id
  const fields = "id,variants.id,%2Bvariants.inventory_quantity"
  const { products } = await store("GET", `/store/products?limit=20&region_id=${region}&fields=${fields}`)
  const variants = products.flatMap((/** @type {any} */ it) => it.variants)
  const variant = variants.find((/** @type {any} */ it) => it.inventory_quantity > 2).id
  const address = { first_name: "Ada", address_1: "Weg 1", city: "Berlin", postal_code: "10115", country_code: "de" }
  const { cart } = await store("POST", "/store/carts", {
    region_id: region, email: "ada@example.com", items: [{ variant_id: variant, quantity: 1 }],
    shipping_address: address, billing_address: address,
  })
  const { shipping_options } = await store("GET", `/store/shipping-options?cart_id=${cart.id}`)
  await store("POST", `/store/carts/${cart.id}/shipping-methods`, { option_id: shipping_options[0].id })
  const { payment_collection } = await store("POST", "/store/payment-collections", { cart_id: cart.id })
  const sessions = `/store/payment-collections/${payment_collection.id}/payment-sessions`
  await store("POST", sessions, { provider_id: "pp_system_default" })
  const completed = await store("POST", `/store/carts/${cart.id}/complete`)
  return completed.order.id
}

story("an order is captured, packed, shipped and delivered", async (visitor) => {
  const id = await order(visitor.baseUrl)
  const page = await visitor.logIn()
  await visitor.visit("/app/orders")
  await page.getByRole("row").filter({ hasText: "ada@example.com" }).getByRole("link").click()
  await page.getByRole("heading", { level: 2, name: "Payments" }).waitFor()
  assert.equal(new URL(page.url()).pathname, `/app/orders/${id}`)
  await visitor.press("Capture")
  await visitor.press("Pack")
  await page.locator("summary", { hasText: "Mark as shipped" }).click()
  await page.getByLabel("Tracking number").fill("JD0001")
  await page.getByLabel("Address at which the buyer follows it").fill("https://parcels.example/JD0001")
  await visitor.press("Mark as shipped")
  await page.getByRole("link", { name: "JD0001" }).waitFor()
  await visitor.look("order-shipped")
  await visitor.press("Mark as delivered: Parcel 1")
  await page.getByText("Delivered", { exact: true }).first().waitFor()
  const admin = await adminOf(visitor.baseUrl)
  const { order: sent } = await admin("GET", `/admin/orders/${id}?fields=payment_status,fulfillment_status`)
  assert.deepEqual([sent.payment_status, sent.fulfillment_status], ["captured", "delivered"])
})
