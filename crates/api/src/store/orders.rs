//! Store routes of orders: `/store/orders`.

use std::sync::Arc;

use atoll_kernel::{
    Fault,
    http::{Call, Param, ParamKind, Params, Reply, Resource},
    query::StoreFields,
    resources, routes,
};
use atoll_order::OrderStatus;

use crate::{
    gate::scope,
    reply::page,
    tables::{ONE, ORDER_ALWAYS, ORDERS_ALWAYS, any, list, show_always},
};

routes! {
    of ORDER;
    /// Shows an order that was placed in a channel of the key. Its id cannot be guessed, and is all that a
    /// guest needs.
    Get "/store/orders/:id" (Store, ONE) => retrieve;
}

resources! { LISTED }

/// The route that leaves with the module of customers.
mod of_customers {
    use atoll_kernel::{part_of, routes};

    use super::{LIST, ORDER, index};

    part_of! { "customer" }

    routes! {
        of ORDER;
        /// Lists the orders of the customer who asks, as far as they were placed in the channels of the key.
        Get "/store/orders" (Customer, LIST) => index;
    }
}

const FIELDS: [&str; 46] = [
    "id", "status", "summary", "currency_code", "display_id", "custom_display_id", "region_id", "email",
    "total", "subtotal", "tax_total", "discount_total", "discount_subtotal", "discount_tax_total",
    "original_total", "original_subtotal", "original_tax_total", "item_total", "item_subtotal",
    "item_tax_total", "original_item_total", "original_item_subtotal", "original_item_tax_total",
    "shipping_total", "shipping_subtotal", "shipping_tax_total", "original_shipping_tax_total",
    "original_shipping_subtotal", "original_shipping_total", "credit_line_total", "credit_line_subtotal",
    "credit_line_tax_total", "created_at", "updated_at", "*credit_lines", "*items", "*items.detail",
    "*items.variant", "*items.variant.product", "items.variant.product.collection.id",
    "items.variant.product.type.id", "*shipping_address", "*billing_address", "*shipping_methods",
    "*shipping_methods.detail", "*payment_collections",
];

const STORE_FIELDS: StoreFields = StoreFields {
    whole: &[
        "items", "items.detail", "items.tax_lines", "items.adjustments", "items.product", "items.variant",
        "items.variant.product", "items.variant.product.collection", "items.variant.product.type",
        "shipping_methods", "shipping_methods.detail", "shipping_methods.tax_lines",
        "shipping_methods.adjustments", "credit_lines", "shipping_address", "billing_address",
        "payment_collections", "payment_collections.payments", "fulfillments", "fulfillments.labels",
    ],
    parts: &[],
};

pub(crate) static ORDER: Resource = Resource {
    entity: "order",
    one: "order",
    many: "orders",
    fields: &FIELDS,
    store_fields: Some(STORE_FIELDS),
    renamed: &[],
};

const LISTED_FIELDS: [&str; 10] = [
    "id", "status", "summary", "display_id", "custom_display_id", "total", "currency_code", "metadata",
    "created_at", "updated_at",
];

static LISTED: Resource = Resource { fields: &LISTED_FIELDS, store_fields: Some(STORE_FIELDS), ..ORDER };

const LIST: Params = list(&[any("id"), Param::new("status", ParamKind::Words(OrderStatus::WORDS))], 50);

/// Lists the orders. The wall leaves those of the customer in the channels of the key.
async fn index(mut call: Call) -> Result<Reply, Fault> {
    show_always(&mut call.params.fields, ORDERS_ALWAYS);
    page(&LISTED, &call, Vec::new())
}

/// Shows the order with this id, which is not guessable, to a key of its channel.
async fn retrieve(mut call: Call) -> Result<Reply, Fault> {
    show_always(&mut call.params.fields, ORDER_ALWAYS);
    let id = call.path("id");
    match scope(&call).order(&call.view, id)? {
        Some(order) => ORDER.plan(&call).show(&call.view, Arc::new(order)),
        None => Err(Fault::not_found(format!("Order id not found: {id}"))),
    }
}
