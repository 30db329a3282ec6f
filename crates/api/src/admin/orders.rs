//! Admin routes of orders: `/admin/orders`. Those of fulfilments are in `fulfillments.rs`.

use atoll_flows::order::{
    ARCHIVE_ORDER, CANCEL_ORDER, COMPLETE_ORDER, CREATE_ORDER_CREDIT_LINES, NewCredit, UPDATE_ORDER,
    UpdateOrder,
};
use atoll_kernel::{
    Decimal, Fault,
    data::joined,
    flow::Flow,
    http::{Body, Call, Param, ParamKind, Params, Reply, Resource, Type, optional, required},
    resources, routes,
};
use atoll_order::{FulfillmentStatus, ORDERS, Order, OrderStatus, PaymentStatus};

use crate::{
    reply::{find, page, perform},
    tables::{
        ADDITIONAL_DATA, ADDRESS, METADATA, NOTHING, ONE, ORDER_ALWAYS, ORDERS_ALWAYS, any, date,
        lenient_list, nested, show_always, text,
    },
};

routes! {
    of ORDER;
    /// Lists the orders.
    Get "/admin/orders" (Admin, LIST) => index;
    /// Shows an order. Only its current version is kept.
    Get "/admin/orders/:id" (Admin, VERSION) => retrieve;
    /// Shows an order with its open change. A transfer changes nothing of what is shown else, so it is the
    /// order itself.
    Get "/admin/orders/:id/preview" (Admin, ONE) => preview;
    /// Updates the address, the e-mail address or the metadata of an order.
    Post "/admin/orders/:id" (Admin, ONE, UPDATE) => update;
    /// Cancels an order. Its reservations are released and its payments are cancelled or refunded. An order
    /// with fulfilments that are not cancelled is refused.
    Post "/admin/orders/:id/cancel" (Admin, ONE, NOTHING) => cancel;
    /// Completes an order. What is still reserved for it is fulfilled; if the module `fulfillment` is
    /// switched off, it stays reserved.
    Post "/admin/orders/:id/complete" (Admin, ONE, COMPLETE) => complete;
    /// Archives an order.
    Post "/admin/orders/:id/archive" (Admin, ONE, NOTHING) => archive;
    /// Gives an order a credit line: it owes that much less, or more if the amount is negative. It is at most
    /// what is owed.
    Post "/admin/orders/:id/credit-lines" (Admin, ONE, CREDIT) => credit;
}

resources! { LISTED, PREVIEW }

const LISTED_FIELDS: [&str; 11] = [
    "id", "display_id", "custom_display_id", "status", "version", "summary", "total", "metadata", "locale",
    "created_at", "updated_at",
];

static LISTED: Resource = Resource {
    entity: "order",
    one: "order",
    many: "orders",
    fields: &LISTED_FIELDS,
    store_fields: None,
    renamed: &[],
};

const MORE_FIELDS: [&str; 38] = [
    "region_id", "subtotal", "tax_total", "discount_total", "discount_tax_total", "original_total",
    "original_subtotal", "original_tax_total", "item_total", "item_subtotal", "item_tax_total",
    "original_item_total", "original_item_subtotal", "original_item_tax_total", "shipping_total",
    "shipping_subtotal", "shipping_tax_total", "original_shipping_tax_total", "original_shipping_subtotal",
    "original_shipping_total", "credit_line_total", "credit_line_subtotal", "credit_line_tax_total",
    "*credit_lines", "*items", "*items.detail", "*items.variant", "*items.variant.product",
    "items.variant.product.collection.id", "items.variant.product.type.id", "*shipping_address",
    "*billing_address", "*shipping_methods", "*shipping_methods.detail", "*payment_collections",
    "*payment_collections.payments", "*payment_collections.payments.captures",
    "*payment_collections.payments.refunds",
];

const ALL_FIELDS: &[&str] = joined![LISTED_FIELDS, MORE_FIELDS];

pub(super) static ORDER: Resource = Resource { fields: ALL_FIELDS, ..LISTED };

/// The preview of an order, with its open change.
static PREVIEW: Resource =
    Resource { fields: joined![ALL_FIELDS, ["*order_change", "*order_change.actions"]], ..LISTED };

const VERSION: Params = Params {
    own: &[Param::new("version", ParamKind::Number)
        .about("The version to show: 404 unless it is the current one.")],
    limit: None,
    strict: true,
};

pub(super) const LIST: Params = lenient_list(
    &[
        any("id"),
        Param::new("status", ParamKind::Words(OrderStatus::WORDS)),
        Param::new("sales_channel_id", ParamKind::Many),
        any("region_id"),
        any("customer_id"),
        Param::new("payment_status", ParamKind::Words(PaymentStatus::WORDS)),
        Param::new("fulfillment_status", ParamKind::Words(FulfillmentStatus::WORDS)),
        any("display_id"),
        any("email"),
        any("currency_code"),
        nested("items", &[any("id")]),
        date("created_at"),
        date("updated_at"),
    ],
    15,
);

const UPDATE: Body = &[&[
    optional("email", Type::Email),
    text("locale"),
    optional("shipping_address", ADDRESS),
    optional("billing_address", ADDRESS),
    METADATA,
]];
const COMPLETE: Body = &[&[ADDITIONAL_DATA]];
const CREDIT: Body = &[&[
    required("amount", Type::Number).about("What need not be paid; if it is negative, what is added."),
    required("reference", Type::Text).about("What gives the credit."),
    required("reference_id", Type::Text).about("Its id."),
    METADATA,
]];

async fn index(mut call: Call) -> Result<Reply, Fault> {
    show_always(&mut call.params.fields, ORDERS_ALWAYS);
    page(&LISTED, &call, Vec::new())
}

/// Shows an order in its current version; earlier versions are not stored.
async fn retrieve(mut call: Call) -> Result<Reply, Fault> {
    if let Some(version) = call.params.take_one("version")? {
        let (id, version) = (call.path("id"), version.parse::<Decimal>().ok());
        let order = ORDERS.get(&call.view, id)?;
        if order.is_some_and(|it| Some(Decimal::from(u64::from(it.version))) != version) {
            return Err(Fault::not_found(format!("Order id not found in this version: {id}")));
        }
    }
    show_always(&mut call.params.fields, ORDER_ALWAYS);
    find(&ORDER, &call, not_found)
}

async fn preview(mut call: Call) -> Result<Reply, Fault> {
    show_always(&mut call.params.fields, ORDER_ALWAYS);
    find(&PREVIEW, &call, not_found)
}

fn not_found(id: &str) -> String {
    format!("Order id not found: {id}")
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let input = (call.path("id").to_owned(), call.read::<UpdateOrder>()?);
    perform(&ORDER, call, move |flow| flow.run(&UPDATE_ORDER, input)).await
}

async fn cancel(call: Call) -> Result<Reply, Fault> {
    change(call, &CANCEL_ORDER).await
}

async fn complete(call: Call) -> Result<Reply, Fault> {
    change(call, &COMPLETE_ORDER).await
}

async fn credit(mut call: Call) -> Result<Reply, Fault> {
    let input = NewCredit { order_id: call.path("id").to_owned(), ..call.read()? };
    perform(&ORDER, call, move |it| it.run(&CREATE_ORDER_CREDIT_LINES, input)).await
}

async fn archive(call: Call) -> Result<Reply, Fault> {
    change(call, &ARCHIVE_ORDER).await
}

async fn change(call: Call, flow: &'static Flow<String, Order>) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    perform(&ORDER, call, move |it| it.run(flow, id)).await
}
