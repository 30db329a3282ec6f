// The addresses of the dashboard, with the ids of records of the demo in the place of their parameters, and
// those of areas that are not there.

/**
 * Areas of which COMPAT.md says that they are not there, by the beginning of their addresses: these may show an
 * error page.
 */
export const NOT_THERE = [
  "/orders/:id/claims",
  "/orders/:id/edits",
  "/orders/:id/exchanges",
  "/orders/:id/returns",
  "/products/:id/images/:image_id/variants",
  "/settings/policies",
  "/settings/property-labels",
  "/settings/return-reasons",
  "/settings/roles",
  "/settings/store/locales",
  "/settings/translations",
]

/** @typedef {(method: string, path: string, body?: object) => Promise<any>} Call */

/**
 * Reads the addresses out of the router of a dashboard that is shown. It runs in the browser.
 * @returns {string[]}
 */
export function addressesOfPage() {
  const root = /** @type {any} */ (document.getElementById("dashboard"))
  const start = Object.keys(root).find((it) => it.startsWith("__reactContainer"))
  const fibers = [root[start ?? ""]]
  /** @type {Set<string>} */
  const found = new Set()
  const walk = (/** @type {any[]} */ routes, /** @type {string} */ parent) => {
    for (const { path, children } of routes) {
      const here = path?.startsWith("/") ? path : [parent, path].filter(Boolean).join("/")
      if (path) found.add(here.replace(/(.)\/$/, "$1"))
      walk(children ?? [], here)
    }
  }
  while (fibers.length > 0) {
    const fiber = fibers.pop()
    if (fiber?.memoizedProps?.router?.routes) walk(fiber.memoizedProps.router.routes, "")
    else if (fiber) fibers.push(fiber.sibling, fiber.child)
  }
  return [...found].filter((it) => !it.includes("*"))
}

/**
 * Sees to it that there is a record for every parameter. Returns their ids, by the beginning of the addresses;
 * of several that fit the longest one counts.
 * @param {Call} admin
 * @param {Call} store
 * @returns {Promise<Record<string, Record<string, string>>>}
 */
export async function records(admin, store) {
  const first = async (/** @type {string} */ name, query = "") =>
    (await admin("GET", `/admin/${name}?limit=1${query}`))[name.replaceAll("-", "_")][0]
  const made = async (/** @type {string} */ name, /** @type {string} */ one, /** @type {object} */ body) =>
    (await admin("POST", `/admin/${name}`, body))[one]
  const order = await placedOrder(admin, store)
  const { fulfillments } = (
    await admin("POST", `/admin/orders/${order.id}/fulfillments?fields=*fulfillments`, {
      items: order.items.map((/** @type {any} */ it) => ({ id: it.id, quantity: 1 })),
    })
  ).order
  const { products } = await admin("GET", "/admin/products?limit=50&fields=id,*images,*variants,*options.values")
  const product = products.find((/** @type {any} */ it) => it.variants.length > 0)
  await admin("POST", `/admin/products/${product.id}`, { images: [{ url: "data:image/gif;base64,R0lGODlhAQABAAAAACw=" }] })
  const { images } = (await admin("GET", `/admin/products/${product.id}?fields=*images`)).product
  const option = await first("product-options", "&fields=id,*values")
  const item = await first("inventory-items", "&fields=id,*location_levels")
  const { location_id } = item.location_levels[0]
  const campaign = await made("campaigns", "campaign", { name: "Summer", campaign_identifier: "summer" })
  const promotion = await made("promotions", "promotion", {
    code: "SUMMER",
    type: "standard",
    status: "draft",
    application_method: { type: "percentage", target_type: "order", value: 10, currency_code: "eur" },
  })
  const list = await made("price-lists", "price_list", { title: "Sale", description: "Sale", prices: [] })
  const group = await made("customer-groups", "customer_group", { name: "Regulars" })
  const reservation = await made("reservations", "reservation", { inventory_item_id: item.id, location_id, quantity: 1 })
  const country = await made("tax-regions", "tax_region", { country_code: "ca", provider_id: "tp_system", default_tax_rate: { name: "Canada", code: "ca", rate: 1 } })
  const province = await made("tax-regions", "tax_region", {
    country_code: "ca",
    parent_id: country.id,
    province_code: "ca-qc",
    default_tax_rate: { name: "Quebec", code: "qc", rate: 2 },
  })
  const rate = async (/** @type {string} */ region) => (await first("tax-rates", `&tax_region_id=${region}`)).id
  const location = await placeThatShips(admin)
  const { workflow_executions } = await admin("GET", "/admin/workflows-executions?limit=1")
  const { user } = await admin("GET", "/admin/users/me")
  const secret = await made("api-keys", "api_key", { title: "Robot", type: "secret" })
  return {
    "/products": { id: product.id, variant_id: product.variants[0].id, image_id: images[0].id },
    "/product-options": { id: option.id, value_id: option.values[0].id },
    "/categories": { id: (await made("product-categories", "product_category", { name: "New" })).id },
    "/collections": { id: (await made("collections", "collection", { title: "New" })).id },
    "/orders": { id: order.id, f_id: fulfillments[0].id, return_id: "return_1" },
    "/promotions": { id: promotion.id, ruleType: "rules" },
    "/campaigns": { id: campaign.id },
    "/price-lists": { id: list.id },
    "/customers": { id: (await first("customers")).id, order_id: order.id },
    "/customer-groups": { id: group.id },
    "/reservations": { id: reservation.id },
    "/inventory": { id: item.id, location_id },
    "/settings/regions": { id: (await first("regions")).id },
    "/settings/property-labels": { entity: "product" },
    "/settings/users": { id: user.id },
    "/settings/roles": { id: "role_1" },
    "/settings/policies": { id: "policy_1" },
    "/settings/sales-channels": { id: (await first("sales-channels")).id },
    "/settings/locations": location,
    "/settings/locations/shipping-profiles": { shipping_profile_id: (await first("shipping-profiles")).id },
    "/settings/locations/shipping-option-types": { id: (await first("shipping-option-types")).id },
    "/settings/product-tags": { id: (await made("product-tags", "product_tag", { value: "new" })).id },
    "/settings/product-types": { id: (await made("product-types", "product_type", { value: "new" })).id },
    // Runs that are done may be forgotten: then this is the address of their list.
    "/settings/workflows": { id: workflow_executions[0]?.id ?? "" },
    "/settings/publishable-api-keys": { id: (await first("api-keys", "&type=publishable")).id },
    "/settings/secret-api-keys": { id: secret.id },
    "/settings/tax-regions": { id: country.id, province_id: province.id, tax_rate_id: await rate(country.id) },
    "/settings/tax-regions/:id/provinces": {
      id: country.id,
      province_id: province.id,
      tax_rate_id: await rate(province.id),
    },
    "/settings/return-reasons": { id: "rr_1" },
    "/settings/refund-reasons": { id: (await made("refund-reasons", "refund_reason", { label: "Late", code: "late" })).id },
  }
}

/**
 * Puts ids into the place of the parameters of an address.
 * @param {string} address
 * @param {Record<string, Record<string, string>>} ids
 */
export function filled(address, ids) {
  // This one takes the variant as a parameter of the query.
  if (address.endsWith("/edit-variant")) return filled(`${address}?variant_id=:variant_id`, ids)
  const fits = Object.keys(ids).filter((it) => address === it || address.startsWith(`${it}/`))
  const longest = fits.sort((a, b) => b.length - a.length)[0] ?? ""
  return address.replaceAll(/:(\w+)/g, (parameter, name) => ids[longest]?.[name] ?? parameter)
}

/**
 * An order of one unit, placed in the first channel of the demo.
 * @param {Call} admin
 * @param {Call} store
 */
async function placedOrder(admin, store) {
  const { regions } = await store("GET", "/store/regions?fields=id,*countries")
  const { products } = await store("GET", `/store/products?region_id=${regions[0].id}&fields=id,variants.id,variants.inventory_quantity`)
  const variants = products.flatMap((/** @type {any} */ it) => it.variants)
  const variant = variants.find((/** @type {any} */ it) => it.inventory_quantity > 1)
  const address = {
    first_name: "Ada", last_name: "Lovelace", address_1: "Main Street 1", city: "Anywhere", postal_code: "10000",
    country_code: regions[0].countries[0].iso_2,
  }
  const { cart } = await store("POST", "/store/carts", {
    region_id: regions[0].id, email: "ada@shopper.test", shipping_address: address, billing_address: address,
    items: [{ variant_id: variant.id, quantity: 1 }],
  })
  const { shipping_options } = await store("GET", `/store/shipping-options?cart_id=${cart.id}`)
  await store("POST", `/store/carts/${cart.id}/shipping-methods`, { option_id: shipping_options[0].id })
  const { payment_collection } = await store("POST", "/store/payment-collections", { cart_id: cart.id })
  await store("POST", `/store/payment-collections/${payment_collection.id}/payment-sessions`, { provider_id: "pp_system_default" })
  const { order } = await store("POST", `/store/carts/${cart.id}/complete`)
  return (await admin("GET", `/admin/orders/${order.id}?fields=id,*items`)).order
}

/**
 * A location with a shipping option, and what leads to it.
 * @param {Call} admin
 */
async function placeThatShips(admin) {
  const fields = "id,fulfillment_sets.id,fulfillment_sets.service_zones.id,fulfillment_sets.service_zones.shipping_options.id"
  const { stock_locations } = await admin("GET", `/admin/stock-locations?fields=${fields}`)
  for (const location of stock_locations) {
    for (const set of location.fulfillment_sets ?? []) {
      for (const zone of set.service_zones) {
        const [option] = zone.shipping_options
        if (option) return { location_id: location.id, fset_id: set.id, zone_id: zone.id, so_id: option.id }
      }
    }
  }
  throw new Error("no location of the demo ships")
}
