//! `/store/orders`

use std::sync::Arc;

use atoll_kernel::{Call, Fault, Offer, Reply, Resource, routes};

use crate::{gate::scope, reply::context, tables::ONE};

routes! {
    Get "/store/orders/:id" (Store, ONE) => retrieve;
}

pub(crate) static ORDER: Resource = Resource {
    entity: "order",
    one: "order",
    many: "orders",
    fields: &[
        "id", "status", "summary", "currency_code", "display_id", "custom_display_id", "region_id", "email",
        "locale", "total", "subtotal", "tax_total", "discount_total", "discount_subtotal",
        "discount_tax_total", "original_total", "original_tax_total", "item_total", "item_subtotal",
        "item_tax_total", "original_item_total", "original_item_subtotal", "original_item_tax_total",
        "shipping_total", "shipping_subtotal", "shipping_tax_total", "created_at", "updated_at", "metadata",
        "sales_channel_id", "*items", "*shipping_address", "*billing_address", "shipping_methods",
        "*payment_collections", "fulfillments", "payment_status", "fulfillment_status",
    ],
    offer: Some(Offer {
        whole: &["items", "shipping_address", "billing_address", "payment_collections"],
        parts: &[],
    }),
    renamed: &[],
};

/// An order is found by its id, which cannot be guessed, with a key of the channel that it was placed in.
async fn retrieve(call: Call) -> Result<Reply, Fault> {
    let (view, id) = (call.app.view(), call.path("id"));
    match scope(&call).order(&view, id)? {
        Some(order) => ORDER.show(&view, &context(&call), Arc::new(order), call.params.fields.as_deref()),
        None => Err(Fault::not_found(format!("Order id not found: {id}"))),
    }
}
