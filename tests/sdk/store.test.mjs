// Every store method of the resources that Atoll serves, through the unmodified SDK, as a customer.

import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { client, count, serve } from "./server.mjs"

/** @type {Awaited<ReturnType<typeof serve>>} */
let server
/** @type {ReturnType<typeof client>} */
let shop
/** @type {Set<string>} */
let called
/** @type {{ region: string, product: string, variant: string, collection: string, category: string }} */
let ids

before(async () => {
  server = await serve()
  const { apiKey, inventoryItem, product, productCategory, productCollection, region, salesChannel, stockLocation } =
    server.admin.admin
  const { region: isle } = await region.create({
    name: "Isle", currency_code: "eur", countries: ["gb"], payment_providers: ["pp_system_default"],
  })
  const { sales_channel: web } = await salesChannel.create({ name: "Web" })
  const { stock_location: house } = await stockLocation.create({ name: "House" })
  await stockLocation.updateSalesChannels(house.id, { add: [web.id] })
  const { collection } = await productCollection.create({ title: "Summer" })
  const { product_category: category } = await productCategory.create({ name: "Shirts", is_active: true })
  const { product: tee } = await product.create({
    title: "Tee", status: "published", options: [{ title: "Size", values: ["S"] }],
    collection_id: collection.id, categories: [{ id: category.id }], sales_channels: [{ id: web.id }],
    variants: [{ title: "S", sku: "TEE", options: { Size: "S" }, prices: [{ currency_code: "eur", amount: 10 }] }],
  })
  const { inventory_items: [item] } = await inventoryItem.list({ sku: "TEE" })
  await inventoryItem.batchUpdateLevels(item.id, { create: [{ location_id: house.id, stocked_quantity: 9 }] })
  const { api_key: key } = await apiKey.create({ title: "Web", type: "publishable" })
  await apiKey.batchSalesChannels(key.id, { add: [web.id] })
  shop = client(server.baseUrl, key.token)
  called = count(shop.store)
  const variant = tee.variants?.[0].id ?? ""
  ids = { region: isle.id, product: tee.id, variant, collection: collection.id, category: category.id }
})
after(async () => {
  console.log(`${called.size} store methods were called`)
  await server.stop()
})

test("what the channel shows", async () => {
  const { product, collection, category, region } = shop.store
  const { products, count: n } = await product.list({ region_id: ids.region, fields: "id,*variants.calculated_price" })
  assert.deepEqual([n, products[0].variants?.[0].calculated_price?.calculated_amount], [1, 10])
  assert.equal((await product.retrieve(ids.product)).product.handle, "tee")
  assert.equal((await product.list({ q: "nothing of the kind" })).count, 0)
  assert.equal((await collection.list()).count, 1)
  assert.equal((await collection.retrieve(ids.collection)).collection.title, "Summer")
  assert.equal((await category.list()).count, 1)
  assert.equal((await category.retrieve(ids.category)).product_category.name, "Shirts")
  assert.equal((await region.list()).count, 1)
  assert.equal((await region.retrieve(ids.region)).region.currency_code, "eur")
})

test("a customer registers, keeps addresses, and buys", async () => {
  const { cart: carts, customer, order, payment } = shop.store
  const { cart: guest } = await carts.create({ region_id: ids.region })
  const credentials = { email: "ann@test.dev", password: "supersecret" }
  await shop.auth.register("customer", "emailpass", credentials)
  await customer.create({ email: credentials.email, first_name: "Ann" })
  await shop.auth.login("customer", "emailpass", credentials)
  assert.equal((await customer.retrieve()).customer.first_name, "Ann")
  assert.equal((await customer.update({ last_name: "Other" })).customer.last_name, "Other")
  const home = { city: "London", country_code: "gb", is_default_shipping: true }
  const { customer: housed } = await customer.createAddress(home)
  const address = housed.addresses[0].id
  assert.equal((await customer.updateAddress(address, { city: "Leeds" })).customer.addresses[0].city, "Leeds")
  assert.equal((await customer.retrieveAddress(address)).address.country_code, "gb")
  assert.equal((await customer.listAddress()).count, 1)
  assert.equal((await customer.deleteAddress(address)).parent?.addresses.length, 0)

  const { cart: taken } = await carts.transferCart(guest.id)
  assert.equal(taken.email, credentials.email)
  const { cart: one } = await carts.createLineItem(guest.id, { variant_id: ids.variant, quantity: 1 })
  const line = one.items?.[0].id ?? ""
  assert.equal((await carts.updateLineItem(guest.id, line, { quantity: 3 })).cart.total, 30)
  assert.equal((await carts.deleteLineItem(guest.id, line)).deleted, true)
  await carts.createLineItem(guest.id, { variant_id: ids.variant, quantity: 2 })
  await carts.update(guest.id, { metadata: { gift: true } })
  const { cart } = await carts.retrieve(guest.id)
  assert.deepEqual([cart.total, cart.metadata], [20, { gift: true }])
  assert.equal((await payment.listPaymentProviders({ region_id: ids.region })).count, 1)
  await payment.initiatePaymentSession(cart, { provider_id: "pp_system_default" })
  const completed = await carts.complete(cart.id)
  assert.ok(completed.type === "order")
  assert.equal((await order.list()).orders[0].id, completed.order.id)
  assert.equal((await order.retrieve(completed.order.id)).order.total, 20)
})

test("somebody who forgot the password, and somebody who is invited", async () => {
  await client(server.baseUrl).auth.resetPassword("user", "emailpass", { identifier: "nobody@test.dev" })
  const { invite: invites, user: users } = server.admin.admin
  const { invite } = await invites.create({ email: "eve@test.dev" })
  assert.equal((await invites.retrieve(invite.id)).invite.email, "eve@test.dev")
  assert.equal((await invites.list()).count, 1)
  const { invite: again } = await invites.resend(invite.id)
  const eve = client(server.baseUrl)
  const credentials = { email: "eve@test.dev", password: "supersecret" }
  const registered = await eve.auth.register("user", "emailpass", credentials)
  const accepted = { invite_token: again.token, email: "eve@test.dev", first_name: "Eve", last_name: "Other" }
  const { user } = /** @type {{ user: { id: string } }} */ (
    await eve.admin.invite.accept(accepted, {}, { authorization: `Bearer ${registered}` })
  )
  await eve.auth.login("user", "emailpass", credentials)
  assert.equal((await eve.admin.user.me()).user.first_name, "Eve")
  assert.equal((await users.update(user.id, { first_name: "Eva" })).user.first_name, "Eva")
  await assert.rejects(eve.admin.user.delete(user.id), /A user cannot delete itself/)
  assert.equal((await users.delete(user.id)).deleted, true)
  const { invite: other } = await invites.create({ email: "bob@test.dev" })
  assert.equal((await invites.delete(other.id)).deleted, true)
})
