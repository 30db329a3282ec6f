//! Admin routes of fulfilments: `/admin/orders/:id/fulfillments`.

use atoll_flows::order::{
    CANCEL_ORDER_FULFILLMENT, CREATE_ORDER_FULFILLMENT, CancelFulfillment, CreateFulfillment,
};
use atoll_kernel::{
    Fault,
    http::{Body, Call, Field, Reply, Type, optional, required},
    part_of, routes,
};

use crate::{
    admin::orders::ORDER,
    reply::perform,
    tables::{METADATA, ONE, text},
};

part_of! { "fulfillment" }

routes! {
    of ORDER;
    /// Fulfils lines of an order, from the locations where they are reserved. Goods that are not in stock are
    /// refused, and an order has at most 500 fulfilments.
    Post "/admin/orders/:id/fulfillments" (Admin, ONE, FULFILL) => fulfill;
    /// Cancels a fulfilment. Its goods go back to their location, and are reserved for the order again.
    Post "/admin/orders/:id/fulfillments/:fulfillment_id/cancel" (Admin, ONE, CALL_BACK) => call_back;
}

const NO_NOTIFICATION: Field =
    optional("no_notification", Type::Bool).or_null().about("Whether the buyer gets no notification.");
const FULFILL: Body = &[&[
    required(
        "items",
        Type::List(&Type::Object(&[required("id", Type::Text), required("quantity", Type::Positive)])),
    ),
    text("location_id"),
    optional("requires_shipping", Type::Bool),
    NO_NOTIFICATION,
    METADATA,
]];
const CALL_BACK: Body = &[&[NO_NOTIFICATION]];

async fn fulfill(mut call: Call) -> Result<Reply, Fault> {
    let input = CreateFulfillment { order_id: call.path("id").to_owned(), ..call.read()? };
    perform(&ORDER, call, move |flow| flow.run(&CREATE_ORDER_FULFILLMENT, input)).await
}

async fn call_back(call: Call) -> Result<Reply, Fault> {
    let (order_id, fulfillment_id) = (call.path("id").to_owned(), call.path("fulfillment_id").to_owned());
    let input = CancelFulfillment { order_id, fulfillment_id };
    perform(&ORDER, call, move |flow| flow.run(&CANCEL_ORDER_FULFILLMENT, input)).await
}
