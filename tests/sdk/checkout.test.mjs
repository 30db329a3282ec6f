// Every method of shipping, taxes, promotions, campaigns, customers and their groups, through the unmodified SDK: an
// admin sets a shop up, and a buyer with a code is charged for it.

import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { client, count, refused, serve } from "./server.mjs"

/** @type {Awaited<ReturnType<typeof serve>>} */
let server
/** @type {Awaited<ReturnType<typeof furnish>>} */
let ids
before(async () => {
  server = await serve()
  ids = await furnish()
})
after(async () => {
  console.log(`${server.called.size} admin methods were called`)
  await server.stop()
})

/** A region, a channel with a location, and a product of 10 euros with a stock of 9. */
async function furnish() {
  const { apiKey, inventoryItem, product, region, salesChannel, shippingProfile, stockLocation } = server.admin.admin
  const { region: isle } = await region.create({
    name: "Isle", currency_code: "eur", countries: ["gb"], payment_providers: ["pp_system_default"],
  })
  const { sales_channel: web } = await salesChannel.create({ name: "Web" })
  const { stock_location: house } = await stockLocation.create({ name: "House" })
  await stockLocation.updateSalesChannels(house.id, { add: [web.id] })
  const { shipping_profiles: [profile] } = await shippingProfile.list({ type: "default" })
  const { product: tee } = await product.create({
    title: "Tee", status: "published", options: [{ title: "Size", values: ["S"] }],
    sales_channels: [{ id: web.id }], shipping_profile_id: profile.id,
    variants: [{ title: "S", sku: "TEE", options: { Size: "S" }, prices: [{ currency_code: "eur", amount: 10 }] }],
  })
  const { inventory_items: [item] } = await inventoryItem.list({ sku: "TEE" })
  await inventoryItem.batchUpdateLevels(item.id, { create: [{ location_id: house.id, stocked_quantity: 9 }] })
  const { api_key: key } = await apiKey.create({ title: "Web", type: "publishable" })
  await apiKey.batchSalesChannels(key.id, { add: [web.id] })
  const variant = tee.variants?.[0].id ?? ""
  return { region: isle.id, location: house.id, profile: profile.id, product: tee.id, variant, key: key.token }
}

test("shipping profiles and types of options", async () => {
  const { shippingOptionType, shippingProfile } = server.admin.admin
  const { shipping_profile: heavy } = await shippingProfile.create({ name: "Heavy", type: "heavy" })
  assert.equal((await shippingProfile.update(heavy.id, { name: "Bulky" })).shipping_profile.name, "Bulky")
  assert.equal((await shippingProfile.retrieve(heavy.id)).shipping_profile.type, "heavy")
  assert.equal((await shippingProfile.list()).count, 2)
  assert.equal((await shippingProfile.delete(heavy.id)).deleted, true)
  const { shipping_option_type: fast } = await shippingOptionType.create({ label: "Fast", code: "fast" })
  assert.equal((await shippingOptionType.update(fast.id, { label: "Faster" })).shipping_option_type.label, "Faster")
  assert.equal((await shippingOptionType.retrieve(fast.id)).shipping_option_type.code, "fast")
  assert.equal((await shippingOptionType.list({ code: "fast" })).count, 1)
  assert.equal((await shippingOptionType.delete(fast.id)).deleted, true)
})

let nSets = 0

/** A fulfilment set of the location, with a zone that is the whole region. */
async function zone() {
  const { fulfillmentSet, stockLocation } = server.admin.admin
  await stockLocation.updateFulfillmentProviders(ids.location, { add: ["manual_manual"] })
  await stockLocation.createFulfillmentSet(ids.location, { name: `Post ${nSets++}`, type: "shipping" })
  const { stock_location: house } = await stockLocation.retrieve(ids.location, { fields: "id,*fulfillment_sets" })
  const set = house.fulfillment_sets?.[0].id ?? ""
  const { fulfillment_set } = await fulfillmentSet.createServiceZone(set, {
    name: "Isle", geo_zones: [{ type: "country", country_code: "gb" }],
  })
  return { set, zone: fulfillment_set.service_zones[0].id }
}

/**
 * A shipping option of the zone for 4 euros.
 * @param {string} service_zone_id
 */
async function post(service_zone_id) {
  const { shipping_option } = await server.admin.admin.shippingOption.create({
    name: "Post", price_type: "flat", service_zone_id, shipping_profile_id: ids.profile, provider_id: "manual_manual",
    type: { label: "Post", description: "By post", code: "post" }, prices: [{ currency_code: "eur", amount: 4 }],
  })
  return shipping_option
}

test("fulfilment sets, zones, providers and shipping options", async () => {
  const { fulfillmentProvider, fulfillmentSet, shippingOption } = server.admin.admin
  assert.equal((await fulfillmentProvider.list()).fulfillment_providers[0].id, "manual_manual")
  const { fulfillment_options: services } = await fulfillmentProvider.listFulfillmentOptions("manual_manual")
  assert.ok(services.length > 0)
  const { set, zone: isle } = await zone()
  const { fulfillment_set: renamed } = await fulfillmentSet.updateServiceZone(set, isle, { name: "Islands" })
  assert.equal(renamed.service_zones[0].name, "Islands")
  assert.equal((await fulfillmentSet.retrieveServiceZone(set, isle)).service_zone.name, "Islands")
  const option = await post(isle)
  const { shipping_option: dearer } = await shippingOption.update(option.id, { name: "Parcel" })
  assert.equal(dearer.name, "Parcel")
  const { created } = await shippingOption.updateRules(option.id, {
    create: [{ attribute: "item_total", operator: "gte", value: "5" }],
  })
  assert.equal(created.length, 1)
  assert.equal((await shippingOption.retrieve(option.id)).shipping_option.prices[0].amount, 4)
  assert.equal((await shippingOption.list({ service_zone_id: isle })).count, 1)
  assert.equal((await shippingOption.delete(option.id)).deleted, true)
  assert.equal((await fulfillmentSet.deleteServiceZone(set, isle)).deleted, true)
  assert.equal((await fulfillmentSet.delete(set)).deleted, true)
  assert.equal(await refused(shippingOption.retrieve(option.id)), 404)
})

test("tax regions and rates", async () => {
  const { taxProvider, taxRate, taxRegion } = server.admin.admin
  assert.ok((await taxProvider.list()).tax_providers.some((it) => it.id === "tp_system"))
  const { tax_region: region } = await taxRegion.create({
    country_code: "ie", provider_id: "tp_system", default_tax_rate: { name: "VAT", code: "vat", rate: 23 },
  })
  assert.deepEqual((await taxRegion.update(region.id, { metadata: { a: 1 } })).tax_region.metadata, { a: 1 })
  assert.equal((await taxRegion.retrieve(region.id)).tax_region.country_code, "ie")
  assert.equal((await taxRegion.list({ country_code: "ie" })).count, 1)
  const { tax_rate: books } = await taxRate.create({
    tax_region_id: region.id, name: "Books", code: "books", rate: 0,
    rules: [{ reference: "product", reference_id: ids.product }],
  })
  assert.equal((await taxRate.update(books.id, { rate: 9 })).tax_rate.rate, 9)
  assert.equal((await taxRate.retrieve(books.id)).tax_rate.code, "books")
  assert.equal((await taxRate.list({ tax_region_id: region.id })).count, 2)
  assert.equal((await taxRate.delete(books.id)).deleted, true)
  assert.equal((await taxRegion.delete(region.id)).deleted, true)
  assert.equal(await refused(taxRegion.retrieve(region.id)), 404)
})

test("promotions and campaigns", async () => {
  const { campaign: campaigns, promotion: promotions } = server.admin.admin
  const { promotion: ten } = await promotions.create({
    code: "TEN", type: "standard", status: "active",
    application_method: { type: "percentage", target_type: "items", allocation: "each", value: 10, max_quantity: 5 },
  })
  assert.equal((await promotions.update(ten.id, { is_automatic: true })).promotion.is_automatic, true)
  assert.equal((await promotions.retrieve(ten.id)).promotion.code, "TEN")
  assert.equal((await promotions.list({ code: "TEN" })).count, 1)
  const rule = { attribute: "region.id", operator: /** @type {const} */ ("in"), values: [ids.region] }
  await promotions.addRules(ten.id, "rules", { rules: [rule] })
  const [{ id }] = (await promotions.listRules(ten.id, "rules")).rules
  await promotions.updateRules(ten.id, "rules", { rules: [{ ...rule, id: id ?? "", operator: "eq" }] })
  await promotions.removeRules(ten.id, "rules", { rule_ids: [id ?? ""] })
  assert.equal((await promotions.listRules(ten.id, "rules")).rules.filter((it) => it.id).length, 0)
  assert.ok((await promotions.listRuleAttributes("rules", "standard")).attributes.length > 0)
  const { values } = await promotions.listRuleValues("rules", "region")
  assert.deepEqual(values, [{ value: ids.region, label: "Isle" }])

  const { campaign: spring } = await campaigns.create({
    name: "Spring", campaign_identifier: "spring", budget: { type: "usage", limit: 100 },
  })
  assert.equal((await campaigns.update(spring.id, { name: "Summer" })).campaign.name, "Summer")
  await campaigns.batchPromotions(spring.id, { add: [ten.id] })
  assert.equal((await promotions.retrieve(ten.id)).promotion.campaign_id, spring.id)
  assert.equal((await campaigns.retrieve(spring.id)).campaign.campaign_identifier, "spring")
  assert.equal((await campaigns.list()).count, 1)
  assert.equal((await campaigns.delete(spring.id)).deleted, true)
  assert.equal((await promotions.delete(ten.id)).deleted, true)
  assert.equal(await refused(promotions.retrieve(ten.id)), 404)
})

test("customers and their groups", async () => {
  const { customer: customers, customerGroup: groups } = server.admin.admin
  const { customer: ann } = await customers.create({ email: "ann@test.dev", first_name: "Ann" })
  assert.equal((await customers.update(ann.id, { last_name: "Other" })).customer.last_name, "Other")
  assert.equal((await customers.list({ q: "ann" })).count, 1)
  await customers.createAddress(ann.id, { city: "Bath", country_code: "gb" })
  const { addresses: [{ id: address }] } = await customers.listAddresses(ann.id)
  await customers.updateAddress(ann.id, address, { city: "York" })
  const { addresses: [moved] } = await customers.listAddresses(ann.id)
  assert.equal(moved.city, "York")
  // The SDK types these answers as those with a customer.
  const shown = /** @type {any} */ (await customers.retrieveAddress(ann.id, address))
  assert.deepEqual(shown.address, moved)
  const gone = /** @type {any} */ (await customers.deleteAddress(ann.id, address))
  assert.equal(gone.deleted, true)
  const { customer_group: trade } = await groups.create({ name: "Trade" })
  assert.equal((await groups.update(trade.id, { name: "Dealers" })).customer_group.name, "Dealers")
  await groups.batchCustomers(trade.id, { add: [ann.id], remove: [] })
  const { customer: member } = await customers.retrieve(ann.id, { fields: "id,*groups" })
  assert.equal(member.groups?.[0].id, trade.id)
  await customers.batchCustomerGroups(ann.id, { add: [], remove: [trade.id] })
  assert.equal((await groups.retrieve(trade.id, { fields: "id,*customers" })).customer_group.customers.length, 0)
  assert.equal((await groups.list({ name: "Dealers" })).count, 1)
  assert.equal((await groups.delete(trade.id)).deleted, true)
  assert.equal((await customers.delete(ann.id)).deleted, true)
  assert.equal(await refused(customers.retrieve(ann.id)), 404)
})

test("a buyer chooses shipping, gives a code, and pays taxes", async () => {
  const { promotion, taxRegion } = server.admin.admin
  const option = await post((await zone()).zone)
  const vat = { name: "VAT", code: "vat", rate: 20 }
  await taxRegion.create({ country_code: "gb", provider_id: "tp_system", default_tax_rate: vat })
  await promotion.create({
    code: "HALF", type: "standard", status: "active",
    application_method: { type: "percentage", target_type: "items", allocation: "across", value: 50 },
  })
  const shop = client(server.baseUrl, ids.key)
  const called = count(shop.store)
  const { cart: carts, fulfillment, payment } = shop.store
  const { cart: { id } } = await carts.create({
    region_id: ids.region, email: "bob@test.dev", items: [{ variant_id: ids.variant, quantity: 2 }],
    shipping_address: { first_name: "Bob", address_1: "Lane 1", city: "Bath", postal_code: "BA1", country_code: "gb" },
  })
  const { shipping_options: [offered] } = await fulfillment.listCartOptions({ cart_id: id })
  assert.deepEqual([offered.id, offered.amount], [option.id, 4])
  assert.equal(await refused(fulfillment.calculate(option.id, { cart_id: id })), 400)
  const { cart: sent } = await carts.addShippingMethod(id, { option_id: option.id })
  assert.deepEqual([sent.shipping_subtotal, sent.tax_total, sent.total], [4, 4.8, 28.8])
  const { cart: halved } = await carts.addPromotions(id, { promo_codes: ["HALF"] })
  assert.deepEqual([halved.item_subtotal, halved.discount_total, halved.total], [20, 12, 16.8])
  assert.equal((await carts.removePromotions(id, { promo_codes: ["HALF"] })).cart.total, 28.8)
  const { cart } = await carts.addPromotions(id, { promo_codes: ["HALF"] })
  await payment.initiatePaymentSession(cart, { provider_id: "pp_system_default" })
  const completed = await carts.complete(id)
  assert.ok(completed.type === "order")
  const { total, tax_total, shipping_total } = completed.order
  assert.deepEqual([total, tax_total, shipping_total], [16.8, 2.8, 4.8])
  console.log(`${called.size} store methods were called`)
})
