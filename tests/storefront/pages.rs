//! The pages of the published storefront, and the calls that each makes, in their order: with the `fields`
//! and parameters that it sends, and what it reads from the answers.

use crate::call::{Call, Page, delete, get, post};

/// Before every page.
pub(crate) const LAYOUT: Page = Page {
    name: "layout",
    calls: &[
        get("/store/regions")
            .reads(&["regions/0/currency_code", "regions/0/countries/0/iso_2"])
            .keeps(&[("region", "regions/[countries.0.iso_2=de]/id")]),
        get("/store/locales").caught(LOCALES),
        get("/store/customers/me").fields("*orders").caught_for_guests(401).reads(&["customer/email"]),
    ],
};

/// Languages are not served: the storefront goes on without.
const LOCALES: u16 = 404;

/// Before every page of a visitor with a cart. An error of these breaks the page.
pub(crate) const LAYOUT_WITH_CART: Page = Page {
    name: "layout with a cart",
    calls: &[
        get("/store/carts/$cart").reads(&["cart/id", "cart/region/id", "cart/currency_code"]),
        get("/store/shipping-options?cart_id=$cart").reads(OPTIONS),
    ],
};

const OPTIONS: &[&str] = &[
    "shipping_options/0/id", "shipping_options/0/name", "shipping_options/0/price_type",
    "shipping_options/0/amount", "shipping_options/0/service_zone_id",
];

const CARD: &str = "*variants.calculated_price";

const CARD_READS: &[&str] = &[
    "products/0/title",
    "products/0/handle",
    "products/0/variants/0/calculated_price/calculated_amount",
    "products/0/variants/0/calculated_price/original_amount",
    "products/0/variants/0/calculated_price/currency_code",
];

pub(crate) const HOME: Page = Page {
    name: "home and footer",
    calls: &[
        get("/store/collections?limit=100&offset=0")
            .fields("id, handle, title")
            .reads(&["collections/0/id", "collections/0/handle", "collections/0/title", "count"])
            .keeps(&[("collection", "collections/[handle=first-light]/id")]),
        get("/store/collections?limit=100&offset=0").fields("*products").reads(&["collections/0/title"]),
        get("/store/product-categories?limit=100")
            .fields("*category_children, *products, *parent_category, *parent_category.parent_category")
            .reads(&[
                "product_categories/0/name",
                "product_categories/0/handle",
                "product_categories/[handle=coffee]/category_children/0/handle",
                "product_categories/[handle=beans]/parent_category/handle",
                "product_categories/[handle=beans]/products/0/id",
            ])
            .keeps(&[("category", "product_categories/[handle=beans]/id")]),
        get("/store/products?collection_id=$collection&region_id=$region&limit=12")
            .fields(CARD)
            .reads(CARD_READS),
    ],
};

const LISTED: &str = "*variants.calculated_price,+variants.inventory_quantity,*variants.images,\
                      *variants.options,+metadata,+tags,";

const LISTED_READS: &[&str] = &[
    "count",
    "products/0/id",
    "products/0/title",
    "products/0/handle",
    "products/0/options/0/title",
    "products/0/variants/0/options/0/value",
    "products/0/variants/0/inventory_quantity",
    "products/0/variants/0/calculated_price/calculated_amount",
];

pub(crate) const STORE: Page = Page {
    name: "store",
    calls: &[
        get("/store/products?limit=100&region_id=$region")
            .fields(LISTED)
            .reads(LISTED_READS)
            .keeps(&[("value", "products/[handle=enamel-mug]/variants/0/options/0/id")]),
        get("/store/product-options?is_exclusive=false").fields("*values").reads(&["count"]),
        get("/store/products?option_value_id[]=$value&limit=100&region_id=$region")
            .fields(LISTED)
            .reads(&["products/[handle=enamel-mug]/id"]),
        get("/store/products?order=created_at&limit=12&region_id=$region").fields(LISTED).reads(LISTED_READS),
    ],
};

pub(crate) const CATEGORY: Page = Page {
    name: "category",
    calls: &[
        get("/store/product-categories?handle=beans")
            .fields("*category_children, *products")
            .reads(&["product_categories/0/name", "product_categories/0/products/0/id"]),
        get("/store/products?category_id[]=$category&limit=12&region_id=$region")
            .fields(LISTED)
            .reads(LISTED_READS),
    ],
};

pub(crate) const COLLECTION: Page = Page {
    name: "collection",
    calls: &[
        get("/store/collections?handle=first-light").fields("*products").reads(&["collections/0/title"]),
        get("/store/products?collection_id[]=$collection&limit=12&region_id=$region")
            .fields(LISTED)
            .reads(LISTED_READS),
    ],
};

pub(crate) const PRODUCT: Page = Page {
    name: "product",
    calls: &[
        get("/store/products?limit=100").fields("handle").reads(&["products/0/handle"]),
        get("/store/products?handle=enamel-mug&region_id=$region")
            .fields(LISTED)
            .reads(LISTED_READS)
            .keeps(&[("product", "products/0/id"), ("variant", "products/0/variants/0/id")]),
        get("/store/products?id[]=$product&region_id=$region")
            .fields(LISTED)
            .reads(&["products/0/description", "products/0/collection_id"]),
        get("/store/product-variants/$variant").fields("*images").reads(&["variant/id", "variant/title"]),
        get("/store/products?region_id=$region&collection_id[]=$collection&is_giftcard=false")
            .fields(LISTED)
            .reads(LISTED_READS),
    ],
};

pub(crate) const ADD_TO_CART: Page = Page {
    name: "add to cart",
    calls: &[
        post("/store/carts", r#"{"region_id":"$region","locale":"de-DE"}"#)
            .reads(&["cart/currency_code"])
            .keeps(&[("cart", "cart/id")]),
        post("/store/carts/$cart/line-items", r#"{"variant_id":"$variant","quantity":2}"#)
            .reads(&["cart/items/0/quantity"]),
    ],
};

const CART_FIELDS: &str = "*items, *region, *items.product, *items.variant, *items.thumbnail, \
                           *items.metadata, +items.total, *promotions, +shipping_methods.name";

/// What the cart, and the summary beside the checkout form, show.
const CART_READS: &[&str] = &[
    "cart/region/currency_code", "cart/items/0/title", "cart/items/0/quantity", "cart/items/0/total",
    "cart/items/0/original_total", "cart/items/0/variant/title", "cart/items/0/product/handle",
    "cart/subtotal", "cart/item_subtotal", "cart/shipping_subtotal", "cart/discount_subtotal",
    "cart/tax_total", "cart/total",
];

const READ_CART: Call = get("/store/carts/$cart").fields(CART_FIELDS).reads(CART_READS);

pub(crate) const CART: Page = Page {
    name: "cart",
    calls: &[
        READ_CART.keeps(&[("line", "cart/items/0/id")]),
        post("/store/carts/$cart/line-items/$line", r#"{"quantity":3}"#).reads(&["cart/items/0/quantity"]),
        post("/store/carts/$cart/line-items", r#"{"variant_id":"$variant","quantity":1}"#)
            .keeps(&[("other", "cart/items/0/id")]),
        delete("/store/carts/$cart/line-items/$other").reads(&["id", "deleted"]),
        post("/store/carts/$cart/line-items", r#"{"variant_id":"$variant","quantity":2}"#),
        post("/store/carts/$cart", r#"{"locale":"de-DE"}"#).reads(&["cart/id"]),
        post("/store/carts/$cart", r#"{"region_id":"$region"}"#).reads(&["cart/region/id"]),
        post("/store/carts/$cart", r#"{"promo_codes":["APP10"]}"#).reads(&["cart/id"]),
        READ_CART,
    ],
};

/// The discount of the code is in the cart.
pub(crate) const DISCOUNT: Page = Page {
    name: "cart with a promotion",
    calls: &[READ_CART.keeps(&[("discount", "cart/discount_subtotal"), ("code", "cart/promotions/0/code")])],
};

const ADDRESSES: &str = r#"{"shipping_address":{"first_name":"Ada","last_name":"Byron",
    "address_1":"Hafenstrasse 1","address_2":"","company":"","postal_code":"20457","city":"Hamburg",
    "country_code":"de","province":"","phone":""},
    "billing_address":{"first_name":"Ada","last_name":"Byron","address_1":"Hafenstrasse 1","address_2":"",
    "company":"","postal_code":"20457","city":"Hamburg","country_code":"de","province":"","phone":""},
    "email":"ada@example.com"}"#;

pub(crate) const CHECKOUT: Page = Page {
    name: "checkout",
    calls: &[
        READ_CART,
        post("/store/carts/$cart", ADDRESSES).reads(&["cart/shipping_address/city", "cart/email"]),
        get("/store/shipping-options?cart_id=$cart").reads(OPTIONS).keeps(&[
            ("option", "shipping_options/[name=Standard]/id"),
            ("option_price", "shipping_options/[name=Standard]/amount"),
        ]),
        // Only options whose price a provider calculates are asked for it; these have a flat one.
        post("/store/shipping-options/$option/calculate", r#"{"cart_id":"$cart"}"#).caught(400),
        post("/store/carts/$cart/shipping-methods", r#"{"option_id":"$option"}"#)
            .reads(&["cart/shipping_methods/0/id"]),
        READ_CART.reads(&["cart/shipping_methods/0/name"]).keeps(&[("total", "cart/total")]),
        get("/store/payment-providers?region_id=$region")
            .reads(&["payment_providers/0/id"])
            .keeps(&[("provider", "payment_providers/0/id")]),
        post("/store/payment-collections", r#"{"cart_id":"$cart"}"#)
            .reads(&["payment_collection/amount"])
            .keeps(&[("collection_of_payments", "payment_collection/id")]),
        post(
            "/store/payment-collections/$collection_of_payments/payment-sessions",
            r#"{"provider_id":"$provider"}"#,
        )
        .reads(&["payment_collection/payment_sessions/0/status"]),
        get("/store/carts/$cart")
            .fields(
                "*items, *region, *items.product, *items.variant, *items.thumbnail, *items.metadata, \
                 +items.total, *promotions, +shipping_methods.name, *payment_collection.payment_sessions",
            )
            .reads(&[
                "cart/payment_collection/payment_sessions/0/provider_id",
                "cart/payment_collection/payment_sessions/0/amount",
            ]),
    ],
};

const ORDER_FIELDS: &str =
    "*payment_collections.payments,*items,*items.metadata,*items.variant,*items.product";

pub(crate) const ORDER: Page = Page {
    name: "order confirmation",
    calls: &[
        post("/store/carts/$cart/complete", "{}")
            .reads(&["type", "order/id"])
            .keeps(&[("order", "order/id"), ("ordered_total", "order/total")]),
        get("/store/orders/$order")
            .fields(ORDER_FIELDS)
            .reads(&[
                "order/display_id",
                "order/email",
                "order/created_at",
                "order/currency_code",
                "order/fulfillment_status",
                "order/payment_status",
                "order/items/0/title",
                "order/items/0/quantity",
                "order/items/0/total",
                "order/items/0/variant/title",
                "order/items/0/product/handle",
                "order/shipping_address/city",
                "order/shipping_methods/0/name",
                "order/shipping_methods/0/total",
                "order/payment_collections/0/payments/0/provider_id",
                "order/payment_collections/0/payments/0/amount",
                "order/payment_collections/0/payments/0/created_at",
                "order/subtotal",
                "order/shipping_subtotal",
                "order/discount_subtotal",
                "order/tax_total",
                "order/total",
            ])
            .keeps(&[
                ("paid", "order/payment_collections/0/payments/0/amount"),
                ("shipping", "order/shipping_methods/0/total"),
                ("confirmed_total", "order/total"),
            ]),
    ],
};

const PERSON: &str = r#"{"email":"ada@example.com","password":"a long password"}"#;

pub(crate) const REGISTER: Page = Page {
    name: "account: register and log in",
    calls: &[
        post("/auth/customer/emailpass/register", PERSON).keeps(&[("token", "token")]),
        post(
            "/store/customers",
            r#"{"email":"ada@example.com","first_name":"Ada","last_name":"Byron","phone":"1"}"#,
        )
        .reads(&["customer/id"]),
        post("/auth/customer/emailpass", PERSON).keeps(&[("token", "token")]),
    ],
};

pub(crate) const TAKE_CART: Page = Page {
    name: "account: the cart of the visit becomes the customer's",
    calls: &[post("/store/carts/$cart/customer", "{}").reads(&["cart/customer_id"])],
};

pub(crate) const PROFILE: Page = Page {
    name: "account: profile and addresses",
    calls: &[
        post(
            "/store/customers/me/addresses",
            r#"{"first_name":"Ada","last_name":"Byron","company":"","address_1":"Hafenstrasse 1","address_2":"",
                "city":"Hamburg","postal_code":"20457","province":"","country_code":"de","phone":"",
                "is_default_shipping":true,"is_default_billing":false}"#,
        )
        .reads(&["customer/addresses/0/id"])
        .keeps(&[("address", "customer/addresses/0/id")]),
        post("/store/customers/me/addresses/$address", r#"{"city":"Bremen"}"#),
        post("/store/customers/me", r#"{"phone":"2"}"#).reads(&["customer/phone"]),
        get("/store/customers/me")
            .fields("*orders")
            .reads(&["customer/first_name", "customer/addresses/0/city"]),
    ],
};

pub(crate) const ORDERS: Page = Page {
    name: "account: orders",
    calls: &[
        get("/store/orders?limit=10&offset=0&order=-created_at")
            .fields("*items,+items.metadata,*items.variant,*items.product")
            .reads(&[
                "orders/0/id", "orders/0/display_id", "orders/0/total", "orders/0/created_at",
                "orders/0/items/0/title", "orders/0/items/0/quantity", "orders/0/items/0/variant/title",
            ])
            .keeps(&[("newest_order", "orders/0/id")]),
        get("/store/customers/me").fields("*orders").reads(&["customer/orders/0/id"]),
        get("/store/orders/$newest_order").fields(ORDER_FIELDS).reads(&["order/items/0/product/handle"]),
    ],
};
