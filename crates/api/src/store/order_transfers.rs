//! Store routes by which an order becomes another customer's: `/store/orders/:id/transfer`.

use atoll_flows::order::{
    ACCEPT_ORDER_TRANSFER, AnswerTransfer, CANCEL_ORDER_TRANSFER, DECLINE_ORDER_TRANSFER,
    REQUEST_ORDER_TRANSFER, RequestTransfer, transfer_token,
};
use atoll_kernel::{
    Fault,
    flow::Flow,
    http::{Body, Call, Reply, Type, optional, required},
    part_of, routes,
};
use atoll_order::Order;
use serde::Deserialize;

use crate::{
    gate::scope,
    reply::perform,
    store::orders::ORDER,
    tables::{NOTHING, ONE, ORDER_ALWAYS, show_always, text},
};

part_of! { "customer" }

routes! {
    of ORDER;
    /// Asks for an order for the customer who is logged in: one that they bought as a guest, or that somebody
    /// gives them. Who has the e-mail address of the order gets a token, by which they accept or decline.
    Post "/store/orders/:id/transfer/request" (Customer, ONE, REQUEST) => request;
    /// Accepts the transfer of an order, by its token.
    Post "/store/orders/:id/transfer/accept" (Store, ONE, ANSWER) => accept;
    /// Declines the transfer of an order, by its token.
    Post "/store/orders/:id/transfer/decline" (Store, ONE, ANSWER) => decline;
    /// Withdraws the transfer that the customer has asked for.
    Post "/store/orders/:id/transfer/cancel" (Customer, ONE, NOTHING) => cancel;
}

const REQUEST: Body = &[&[
    text("description").about("A text for whoever decides."),
    optional("update_order_email", Type::Bool).about("Whether the order gets the customer's e-mail address."),
]];
const ANSWER: Body = &[&[required("token", Type::Text).about("The token that was mailed.")]];

#[derive(Deserialize)]
struct Answer {
    token: String,
}

async fn request(mut call: Call) -> Result<Reply, Fault> {
    let order_id = order_in_scope(&call)?;
    let customer_id = call.pass.actor.id().to_owned();
    let input = RequestTransfer { order_id, customer_id, ..call.read()? };
    let token = transfer_token(&call.app, &input.order_id)?;
    show_always(&mut call.params.fields, ORDER_ALWAYS);
    perform(&ORDER, call, move |flow| flow.run(&REQUEST_ORDER_TRANSFER, (input, token))).await
}

async fn accept(call: Call) -> Result<Reply, Fault> {
    answer(call, &ACCEPT_ORDER_TRANSFER).await
}

async fn decline(call: Call) -> Result<Reply, Fault> {
    answer(call, &DECLINE_ORDER_TRANSFER).await
}

async fn answer(mut call: Call, flow: &'static Flow<AnswerTransfer, Order>) -> Result<Reply, Fault> {
    let order_id = order_in_scope(&call)?;
    let Answer { token } = call.read()?;
    show_always(&mut call.params.fields, ORDER_ALWAYS);
    perform(&ORDER, call, move |it| it.run(flow, AnswerTransfer { order_id, token })).await
}

async fn cancel(mut call: Call) -> Result<Reply, Fault> {
    let order_id = order_in_scope(&call)?;
    show_always(&mut call.params.fields, ORDER_ALWAYS);
    perform(&ORDER, call, move |flow| flow.run(&CANCEL_ORDER_TRANSFER, order_id)).await
}

/// The id of the order, if it was placed in a channel of the key; that never changes.
fn order_in_scope(call: &Call) -> Result<String, Fault> {
    let id = call.path("id");
    match scope(call).order(&call.view, id)? {
        Some(order) => Ok(order.id.to_string()),
        None => Err(Fault::not_found(format!("Order id not found: {id}"))),
    }
}
