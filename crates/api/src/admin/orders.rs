//! `/admin/orders`

use atoll_flows::order::CANCEL_ORDER;
use atoll_kernel::{Call, Fault, Param, ParamKind, Params, Reply, Resource, routes};
use atoll_order::OrderStatus;

use crate::{
    reply::{find, page, perform},
    tables::{NOTHING, ONE, any, date, lenient_list},
};

routes! {
    Get "/admin/orders" (Admin, LIST) => index;
    Get "/admin/orders/:id" (Admin, ONE) => retrieve;
    Post "/admin/orders/:id/cancel" (Admin, ONE, NOTHING) => cancel;
}

static LISTED: Resource = Resource {
    entity: "order",
    one: "order",
    many: "orders",
    fields: &[
        "id", "display_id", "custom_display_id", "status", "version", "summary", "metadata", "created_at",
        "updated_at", "payment_status", "fulfillment_status", "*items",
    ],
    offer: None,
    renamed: &[],
};

static ORDER: Resource = Resource {
    fields: &[
        "id", "display_id", "custom_display_id", "status", "version", "summary", "metadata", "created_at",
        "updated_at", "region_id", "total", "subtotal", "tax_total", "discount_total", "discount_subtotal",
        "discount_tax_total", "original_total", "original_tax_total", "item_total", "item_subtotal",
        "item_tax_total", "original_item_total", "original_item_subtotal", "original_item_tax_total",
        "shipping_total", "shipping_subtotal", "shipping_tax_total", "*items", "*items.variant",
        "*items.variant.product", "*shipping_address", "*billing_address", "shipping_methods",
        "*payment_collections", "*payment_collections.payments", "*payment_collections.payments.captures",
        "*payment_collections.payments.refunds", "fulfillments", "payment_status", "fulfillment_status",
    ],
    ..LISTED
};

const LIST: Params = lenient_list(
    &[
        any("id"),
        Param::new("status", ParamKind::Words(OrderStatus::WORDS)),
        Param::new("sales_channel_id", ParamKind::Many),
        any("region_id"),
        any("customer_id"),
        any("display_id"),
        any("email"),
        any("currency_code"),
        date("created_at"),
        date("updated_at"),
    ],
    15,
);

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&LISTED, call, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&ORDER, &call, |id| format!("Order id not found: {id}"))
}

async fn cancel(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    perform(&ORDER, call, move |flow| flow.run(&CANCEL_ORDER, id.clone())).await
}
