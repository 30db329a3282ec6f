// Every admin method of the resources that Atoll serves, through the unmodified SDK.

import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { client, refused, serve } from "./server.mjs"

/** @type {Awaited<ReturnType<typeof serve>>} */
let server
before(async () => {
  server = await serve()
})
after(async () => {
  console.log(`${server.called.size} admin methods were called`)
  await server.stop()
})

test("auth: login, refresh, me", async () => {
  const { admin, baseUrl } = server
  const { user } = await admin.admin.user.me()
  assert.equal(user.email, "admin@test.dev")
  assert.match((await admin.auth.refresh()).token, /^ey/)
  assert.equal((await admin.admin.user.list()).count, 1)
  assert.equal((await admin.admin.user.retrieve(user.id)).user.id, user.id)
  assert.equal(await refused(client(baseUrl).admin.user.me()), 401)
})

test("sales channels", async () => {
  const api = server.admin.admin.salesChannel
  const { sales_channel: web } = await api.create({ name: "Web", description: "A shop" })
  assert.equal(web.is_disabled, false)
  const { sales_channel: renamed } = await api.update(web.id, { name: "Shop", is_disabled: true })
  assert.deepEqual([renamed.name, renamed.description, renamed.is_disabled], ["Shop", "A shop", true])
  assert.equal((await api.retrieve(web.id, { fields: "id,name" })).sales_channel.name, "Shop")
  const { sales_channels, count } = await api.list({ name: "Shop" })
  assert.deepEqual([sales_channels[0].id, count], [web.id, 1])
  const product = await newProduct("Channelled")
  await api.updateProducts(web.id, { add: [product.id] })
  await api.batchProducts(web.id, { add: [], remove: [product.id] })
  const { deleted } = await api.delete(web.id)
  assert.equal(deleted, true)
  assert.equal(await refused(api.retrieve(web.id)), 404)
})

test("price lists", async () => {
  const { admin } = server
  const api = admin.admin.priceList
  const product = await newProduct("Reduced")
  const variant_id = /** @type {string} */ (product.variants?.[0].id)
  const { price_list: sale } = await api.create({
    title: "Sale",
    description: "All of it",
    status: "active",
    prices: [{ amount: 7, currency_code: "eur", variant_id, rules: {} }],
  })
  assert.deepEqual([sale.type, sale.status, sale.rules], ["sale", "active", {}])
  const { price_list: later } = await api.update(sale.id, { starts_at: "2098-01-01T00:00:00.000Z" })
  assert.equal(later.starts_at, "2098-01-01T00:00:00.000Z")
  const { prices } = await api.prices(sale.id)
  assert.deepEqual([prices[0].amount, prices[0].currency_code], [7, "eur"])
  const { created, updated, deleted } = await api.batchPrices(sale.id, {
    create: [{ amount: 5, currency_code: "eur", variant_id, min_quantity: 10, rules: {} }],
    update: [{ id: prices[0].id, amount: 6, currency_code: "eur", variant_id, rules: {} }],
    delete: [],
  })
  assert.deepEqual([created[0].amount, updated[0].amount, deleted.ids], [5, 6, []])
  await api.linkProducts(sale.id, { remove: [product.id] })
  assert.equal((await api.prices(sale.id)).count, 0)
  const { price_lists } = await api.list({ q: "sal", status: ["active"] })
  assert.equal(price_lists[0].id, sale.id)
  assert.equal((await api.delete(sale.id)).deleted, true)
  assert.equal(await refused(api.retrieve(sale.id)), 404)
})

test("price preferences", async () => {
  const api = server.admin.admin.pricePreference
  const { price_preferences } = await api.list({ attribute: "currency_code", value: "eur" })
  assert.equal(price_preferences[0].is_tax_inclusive, false)
  const { price_preference: pounds } = await api.create({ attribute: "currency_code", value: "gbp" })
  const { price_preference: inclusive } = await api.update(pounds.id, { is_tax_inclusive: true })
  assert.deepEqual([inclusive.value, inclusive.is_tax_inclusive], ["gbp", true])
  assert.equal((await api.retrieve(pounds.id)).price_preference.id, pounds.id)
  assert.equal((await api.delete(pounds.id)).deleted, true)
  assert.equal(await refused(api.retrieve(pounds.id)), 404)
})

test("uploads", async () => {
  const { admin, baseUrl } = server
  const api = admin.admin.upload
  const png = new File([Buffer.from("89504e470d0a1a0a", "hex")], "shirt.png", { type: "image/png" })
  const { files } = await api.create({ files: [png, { name: "note.txt", content: "text" }] })
  assert.equal(files.length, 2)
  assert.ok(files[0].url.startsWith(`${baseUrl}/static/`))
  const [shown, downloaded] = await Promise.all(files.map((file) => fetch(file.url)))
  assert.equal(shown.headers.get("content-type"), "image/png")
  assert.match(downloaded.headers.get("content-disposition") ?? "", /^attachment/)
  assert.equal(await downloaded.text(), "text")
  assert.deepEqual((await api.retrieve(files[0].id)).file, files[0])
  assert.equal((await api.delete(files[0].id)).deleted, true)
  assert.equal(await refused(api.retrieve(files[0].id)), 404)
  assert.equal((await fetch(files[0].url)).status, 404)
  const { url, extension, size } = await api.presignedUrl({
    originalname: "products.csv", mime_type: "text/csv", size: 12,
  })
  assert.deepEqual([url, extension, size], ["/admin/uploads", "csv", 12])
})

test("stores and currencies", async () => {
  const { store: stores, currency } = server.admin.admin
  const { stores: [store] } = await stores.list()
  const { store: renamed } = await stores.update(store.id, { name: "Isle" })
  assert.equal(renamed.name, "Isle")
  assert.equal((await stores.retrieve(store.id)).store.name, "Isle")
  assert.ok((await currency.list({ limit: 5 })).count > 100)
  assert.equal((await currency.retrieve("eur")).currency.decimal_digits, 2)
})

test("api keys", async () => {
  const { apiKey: api, salesChannel } = server.admin.admin
  const { api_key: key } = await api.create({ title: "Key", type: "publishable" })
  assert.match(key.token, /^pk_/)
  const { sales_channel: channel } = await salesChannel.create({ name: "Keyed" })
  const { api_key: linked } = await api.batchSalesChannels(key.id, { add: [channel.id] })
  assert.equal(linked.id, key.id)
  assert.equal((await api.update(key.id, { title: "Renamed" })).api_key.title, "Renamed")
  const { products } = await client(server.baseUrl, key.token).store.product.list()
  assert.deepEqual(products, [])
  assert.equal((await api.list({ type: "publishable" })).count, 2)
  assert.ok((await api.revoke(key.id, {})).api_key.revoked_at)
  assert.equal((await api.retrieve(key.id)).api_key.title, "Renamed")
  assert.equal(await refused(client(server.baseUrl, key.token).store.product.list()), 400)
  assert.equal((await api.delete(key.id)).deleted, true)
})

test("regions", async () => {
  const api = server.admin.admin.region
  const { region } = await api.create({
    name: "Europe", currency_code: "eur", countries: ["de", "fr"], payment_providers: ["pp_system_default"],
  })
  assert.deepEqual(region.countries?.map((it) => it.iso_2).sort(), ["de", "fr"])
  assert.equal((await api.update(region.id, { name: "EU" })).region.name, "EU")
  assert.equal((await api.retrieve(region.id)).region.currency_code, "eur")
  assert.equal((await api.list()).count, 1)
  assert.equal((await server.admin.admin.payment.listPaymentProviders()).payment_providers[0].id, "pp_system_default")
  assert.equal((await api.delete(region.id)).deleted, true)
})

test("stock locations, items, levels, reservations", async () => {
  const { stockLocation, inventoryItem: items, reservation, salesChannel } = server.admin.admin
  const { stock_location: here } = await stockLocation.create({
    name: "Here", address: { address_1: "Street 1", country_code: "de" },
  })
  const { stock_location: there } = await stockLocation.create({ name: "There" })
  assert.equal((await stockLocation.update(here.id, { name: "Home" })).stock_location.name, "Home")
  assert.equal((await stockLocation.retrieve(here.id)).stock_location.address?.address_1, "Street 1")
  assert.equal((await stockLocation.list({ name: "Home" })).count, 1)
  const { sales_channel: channel } = await salesChannel.create({ name: "Stocked" })
  await stockLocation.updateSalesChannels(here.id, { add: [channel.id] })

  const { inventory_item: bolt } = await items.create({ sku: "BOLT" })
  await items.batchUpdateLevels(bolt.id, { create: [{ location_id: here.id, stocked_quantity: 5 }] })
  await items.batchInventoryItemLocationLevels(bolt.id, { create: [{ location_id: there.id, stocked_quantity: 1 }] })
  await items.batchInventoryItemsLocationLevels({
    update: [{ inventory_item_id: bolt.id, location_id: here.id, stocked_quantity: 7 }],
  })
  assert.equal((await items.listLevels(bolt.id)).inventory_levels.length, 2)
  const { inventory_item: leveled } = await items.updateLevel(bolt.id, here.id, { stocked_quantity: 6 })
  assert.equal(leveled.stocked_quantity, 7)
  assert.equal((await items.update(bolt.id, { title: "Bolt" })).inventory_item.title, "Bolt")
  assert.equal((await items.retrieve(bolt.id)).inventory_item.sku, "BOLT")
  assert.equal((await items.list({ sku: "BOLT" })).count, 1)

  const { reservation: promise } = await reservation.create({
    inventory_item_id: bolt.id, location_id: here.id, quantity: 4,
  })
  assert.equal(await refused(reservation.create({
    inventory_item_id: bolt.id, location_id: here.id, quantity: 3,
  })), 400)
  assert.equal((await reservation.update(promise.id, { quantity: 2 })).reservation.quantity, 2)
  assert.equal((await reservation.retrieve(promise.id)).reservation.location_id, here.id)
  assert.equal((await reservation.list({ inventory_item_id: [bolt.id] })).count, 1)
  assert.equal(await refused(items.delete(bolt.id)), 400)
  assert.equal((await reservation.delete(promise.id)).deleted, true)
  await items.updateLevel(bolt.id, there.id, { stocked_quantity: 0 })
  assert.equal((await items.deleteLevel(bolt.id, there.id)).deleted, true)
  assert.equal((await items.delete(bolt.id)).deleted, true)
  assert.equal((await stockLocation.delete(there.id)).deleted, true)
})

/** @param {string} title */
async function newProduct(title) {
  const { product } = await server.admin.admin.product.create({
    title, status: "published", options: [{ title: "Size", values: ["S", "M"] }],
    variants: [{ title: "S", sku: `${title}-S`, options: { Size: "S" }, prices: [{ currency_code: "eur", amount: 10 }] }],
  })
  return product
}

test("products and variants", async () => {
  const api = server.admin.admin.product
  const product = await newProduct("Tee")
  assert.equal((await api.update(product.id, { title: "T-shirt" })).product.title, "T-shirt")
  assert.equal((await api.retrieve(product.id)).product.handle, "tee")
  assert.equal((await api.list({ q: "shirt" })).count, 1)
  const { product: grown } = await api.createVariant(product.id, {
    title: "M", sku: "TEE-M", options: { Size: "M" }, prices: [{ currency_code: "eur", amount: 12 }],
  })
  const medium = grown.variants?.find((it) => it.title === "M")
  assert.ok(medium)
  await api.updateVariant(product.id, medium.id, { title: "Medium" })
  const { variant } = await api.retrieveVariant(product.id, medium.id)
  assert.deepEqual([variant.title, variant.prices?.[0].amount], ["Medium", 12])
  assert.equal((await api.listVariants(product.id)).count, 2)
  assert.equal((await server.admin.admin.productVariant.list({ sku: "TEE-M" })).count, 1)
  const { updated } = await api.batchVariants(product.id, { update: [{ id: medium.id, metadata: { a: 1 } }] })
  assert.deepEqual(updated[0].metadata, { a: 1 })
  assert.equal((await api.deleteVariant(product.id, medium.id)).deleted, true)
  const { created } = await api.batch({ create: [{ title: "Batch", options: [{ title: "Size", values: ["S"] }] }] })
  assert.equal((await api.batch({ delete: [created[0].id] })).deleted.ids[0], created[0].id)
  assert.equal((await api.delete(product.id)).deleted, true)
})

test("options", async () => {
  const { productOption: api, product: products } = server.admin.admin
  const { product_option: shade } = await api.create({ title: "Shade", values: ["dark", "light"], ranks: { dark: 1 } })
  assert.equal(shade.is_exclusive, false)
  assert.equal((await api.update(shade.id, { title: "Shades" })).product_option.title, "Shades")
  assert.equal((await api.retrieve(shade.id)).product_option.values?.length, 2)
  assert.equal((await api.list({ title: "Shades" })).count, 1)
  const { product_option_values: [dark, light] } = await api.listValues(shade.id)
  assert.deepEqual([dark.value, dark.rank], ["dark", 1])
  assert.equal((await api.retrieveValue(shade.id, dark.id)).product_option_value.value, "dark")
  const { product_option_value: darker } = await api.updateValue(shade.id, dark.id, { value: "darker" })
  assert.equal(darker.value, "darker")
  assert.equal((await api.deleteValue(shade.id, light.id)).parent?.values?.length, 1)

  const product = await newProduct("Optional")
  await products.createOption(product.id, { title: "Cut", values: ["slim"] })
  const { product: linked } = await products.linkOptions(product.id, { add: [shade.id] })
  assert.deepEqual(linked.options?.map((it) => it.title), ["Size", "Cut", "Shades"])
  assert.equal((await products.listOptions(product.id)).count, 3)
  assert.equal(await refused(api.delete(shade.id)), 400)
  await products.linkOptions(product.id, { remove: [shade.id] })
  assert.equal((await api.delete(shade.id)).deleted, true)
})

test("collections, categories, tags, types", async () => {
  const { productCollection, productCategory, productTag, productType } = server.admin.admin
  const product = await newProduct("Sorted")

  const { collection } = await productCollection.create({ title: "Summer" })
  await productCollection.updateProducts(collection.id, { add: [product.id] })
  assert.equal((await productCollection.update(collection.id, { title: "Winter" })).collection.title, "Winter")
  assert.equal((await productCollection.retrieve(collection.id)).collection.handle, "summer")
  assert.equal((await productCollection.list()).count, 1)

  const { product_category: shirts } = await productCategory.create({ name: "Shirts" })
  const { product_category: polo } = await productCategory.create({ name: "Polo", parent_category_id: shirts.id })
  await productCategory.updateProducts(shirts.id, { add: [product.id] })
  assert.equal((await productCategory.update(polo.id, { name: "Polos" })).product_category.name, "Polos")
  assert.equal((await productCategory.retrieve(shirts.id)).product_category.category_children.length, 1)
  assert.equal((await productCategory.list()).count, 2)
  assert.equal(await refused(productCategory.delete(shirts.id)), 400)
  assert.equal((await productCategory.delete(polo.id)).deleted, true)

  const { product_tag: tag } = await productTag.create({ value: "new" })
  assert.equal((await productTag.update(tag.id, { value: "old" })).product_tag.value, "old")
  assert.equal((await productTag.retrieve(tag.id)).product_tag.value, "old")
  assert.equal((await productTag.list()).count, 1)
  assert.equal((await productTag.delete(tag.id)).deleted, true)

  const { product_type: type } = await productType.create({ value: "shirt" })
  assert.equal((await productType.update(type.id, { value: "top" })).product_type.value, "top")
  assert.equal((await productType.retrieve(type.id)).product_type.value, "top")
  assert.equal((await productType.list()).count, 1)
  assert.equal((await productType.delete(type.id)).deleted, true)
  assert.equal((await productCollection.delete(collection.id)).deleted, true)
})

test("an order is paid outside of the shop, refunded for a reason, and credited", async () => {
  const { admin } = server
  const { order: orders, payment, paymentCollection, refundReason } = admin.admin
  const line = { title: "Tea", quantity: 2, unit_price: 10 }
  await admin.client.fetch("/admin/workflows-executions/create-orders/run", {
    method: "POST", body: { input: { currency_code: "eur", items: [line] } },
  })
  const { orders: [{ id: order_id }] } = await orders.list()
  const asked = await paymentCollection.create({ order_id, amount: 12 })
  assert.equal(asked.payment_collection.status, "not_paid")
  assert.equal((await paymentCollection.delete(asked.payment_collection.id)).deleted, true)
  const { payment_collection: rest } = await paymentCollection.create({ order_id, amount: 15 })
  const paid = await paymentCollection.markAsPaid(rest.id, { order_id })
  assert.deepEqual([paid.payment_collection.status, paid.payment_collection.captured_amount], ["completed", 15])
  const { order: credited } = await orders.createCreditLine(order_id, {
    amount: 5, reference: "voucher", reference_id: "v_1",
  })
  assert.equal(credited.summary.pending_difference, 0)

  const { refund_reason: lost } = await refundReason.create({ label: "Lost", code: "lost" })
  assert.equal((await refundReason.update(lost.id, { label: "Lost on its way", code: "lost" })).refund_reason.code, "lost")
  assert.equal((await refundReason.retrieve(lost.id)).refund_reason.label, "Lost on its way")
  assert.equal((await refundReason.list({ q: "way" })).count, 1)
  const [money] = paid.payment_collection.payments ?? []
  const { payment: refunded } = await payment.refund(money.id, { amount: 4, refund_reason_id: lost.id, note: "sorry" })
  assert.equal(refunded.refunds?.[0].refund_reason?.code, "lost")
  const { order } = await orders.retrieve(order_id)
  assert.deepEqual([order.payment_status, order.total, order.summary.pending_difference], ["partially_refunded", 11, 0])
  assert.equal((await refundReason.delete(lost.id)).deleted, true)
  assert.equal(await refused(refundReason.retrieve(lost.id)), 404)
})

test("a cart is paid for and becomes an order, which is sent, done or called off", async () => {
  const { region, apiKey, salesChannel, stockLocation, order: orders, payment, workflowExecution } = server.admin.admin
  await region.create({
    name: "Isle", currency_code: "eur", countries: ["gb"], payment_providers: ["pp_system_default"],
  })
  const { sales_channel: channel } = await salesChannel.create({ name: "Selling" })
  const { stock_location: location } = await stockLocation.create({ name: "Selling from" })
  await stockLocation.updateSalesChannels(location.id, { add: [channel.id] })
  const { api_key: key } = await apiKey.create({ title: "Selling", type: "publishable" })
  await apiKey.batchSalesChannels(key.id, { add: [channel.id] })
  const product = await newProduct("Sold")
  await salesChannel.batchProducts(channel.id, { add: [product.id], remove: [] })
  const variant = product.variants?.[0]
  assert.ok(variant)
  const { products: [stocked] } = await server.admin.admin.product.list({
    id: [product.id], fields: "id,*variants.inventory_items",
  })
  const item = stocked.variants?.[0].inventory_items?.[0]
  assert.ok(item)
  await server.admin.admin.inventoryItem.batchUpdateLevels(item.inventory_item_id, {
    create: [{ location_id: location.id, stocked_quantity: 6 }],
  })

  const shop = client(server.baseUrl, key.token)
  const { productCollection, productCategory } = server.admin.admin
  const { collection: summer } = await productCollection.create({ title: "Sold in summer" })
  const { product_category: things } = await productCategory.create({ name: "Things", is_active: true })
  await productCollection.updateProducts(summer.id, { add: [product.id] })
  await productCategory.updateProducts(things.id, { add: [product.id] })
  assert.equal((await shop.store.collection.list({ title: "Sold in summer" })).count, 1)
  const { collection } = await shop.store.collection.retrieve(summer.id, { fields: "title,*products" })
  assert.deepEqual(collection.products?.map((it) => it.id), [product.id])
  assert.ok((await shop.store.category.list({ name: "Things" })).product_categories[0])
  const { product_category: category } = await shop.store.category.retrieve(things.id, { fields: "*products" })
  assert.equal(category.products?.length, 1)
  assert.equal((await shop.store.product.list({ category_id: [things.id] })).count, 1)
  assert.equal((await shop.store.product.retrieve(product.id)).product.title, "Sold")
  const buy = async () => {
    const { cart } = await shop.store.cart.create({ email: "me@example.com" })
    const { cart: filled } = await shop.store.cart.createLineItem(cart.id, { variant_id: variant.id, quantity: 3 })
    assert.equal(filled.total, 30)
    const { cart: changed } = await shop.store.cart.update(cart.id, { metadata: { gift: true } })
    assert.equal(await refused(shop.store.cart.complete(cart.id)), 400)
    const { payment_collection: collection } = await shop.store.payment.initiatePaymentSession(changed, {
      provider_id: "pp_system_default",
    })
    assert.deepEqual([collection.amount, collection.payment_sessions?.length], [30, 1])
    const completed = await shop.store.cart.complete(cart.id)
    assert.ok(completed.type === "order")
    return completed.order.id
  }
  const id = await buy()
  assert.equal((await shop.store.order.retrieve(id)).order.total, 30)
  assert.equal(await refused(shop.store.order.list()), 401)
  assert.equal((await orders.list({ sales_channel_id: [channel.id] })).count, 1)
  assert.equal((await orders.retrieve(id, { fields: "id,email" })).order.email, "me@example.com")
  const { order } = await orders.update(id, { email: "you@example.com" })

  const money = order.payment_collections?.[0].payments?.[0].id ?? ""
  assert.equal((await payment.list({ id: money })).count, 1)
  assert.equal((await payment.retrieve(money)).payment.amount, 30)
  assert.equal((await payment.capture(money, { amount: 20 })).payment.captures?.length, 1)
  assert.equal((await payment.refund(money, { amount: 5 })).payment.refunds?.[0].amount, 5)
  assert.equal((await orders.retrieve(id)).order.payment_status, "partially_refunded")

  await orders.createFulfillment(id, { items: [{ id: order.items[0].id, quantity: 2 }], location_id: location.id })
  const { order: sent } = await orders.retrieve(id)
  assert.deepEqual([sent.fulfillment_status, sent.items[0].detail.fulfilled_quantity], ["partially_fulfilled", 2])
  assert.equal(await refused(orders.cancel(id)), 400)
  await orders.cancelFulfillment(id, sent.fulfillments?.[0].id ?? "", {})
  assert.equal((await orders.complete(id, {})).order.status, "completed")
  assert.equal((await orders.archive(id)).order.status, "archived")

  assert.equal((await orders.cancel(await buy())).order.status, "canceled")
  const level = await server.admin.admin.inventoryItem.retrieve(item.inventory_item_id)
  assert.deepEqual([level.inventory_item.stocked_quantity, level.inventory_item.reserved_quantity], [3, 0])
  assert.equal((await workflowExecution.list()).count, 0)
})
