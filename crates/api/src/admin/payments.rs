//! Admin routes of payments, capture and refund: `/admin/payments`.

use std::sync::Arc;

use atoll_flows::payment::{CAPTURE_PAYMENT, MoveMoney, REFUND_PAYMENT};
use atoll_kernel::{
    Fault, FaultKind,
    http::{Body, Call, Params, Reply, Resource, Type, optional},
    routes,
    saga::{Outcome, Saga},
};
use atoll_payment::PAYMENTS;

use crate::{
    reply::{find, page, show_written},
    tables::{ONE, any, date, list, text},
};

routes! {
    of PAYMENT;
    /// Lists the payments.
    Get "/admin/payments" (Admin, LIST) => index;
    /// Shows a payment, with its captures and refunds.
    Get "/admin/payments/:id" (Admin, ONE) => retrieve;
    /// Captures a payment, whole or in part. Captures and refunds of one payment run one after the other; a
    /// concurrent one is refused (409).
    Post "/admin/payments/:id/capture" (Admin, ONE, CAPTURE) => capture;
    /// Refunds a payment, whole or in part. No more than what was captured can be refunded. What is not owed
    /// to the customer becomes a credit line of the order.
    Post "/admin/payments/:id/refund" (Admin, ONE, REFUND) => refund;
}

static PAYMENT: Resource = Resource {
    entity: "payment",
    one: "payment",
    many: "payments",
    fields: &[
        "id", "currency_code", "amount", "captured_at", "payment_collection_id", "payment_session_id",
        "captures.id", "captures.amount", "refunds.id", "refunds.amount", "refunds.note",
        "refunds.payment_id", "refunds.refund_reason.label", "refunds.refund_reason.code",
    ],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(
    &[
        any("id"),
        any("payment_session_id"),
        any("payment_collection_id"),
        date("created_at"),
        date("updated_at"),
        date("captured_at"),
    ],
    20,
);
const CAPTURE: Body = &[&[optional("amount", Type::Positive).or_null()]];
const REFUND: Body = &[&[
    optional("amount", Type::Positive).or_null(),
    text("refund_reason_id").about("Why, by the id of a reason of refunds."),
    text("note").about("A note for admins."),
]];

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&PAYMENT, &call, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&PAYMENT, &call, |id| format!("Payment with id: {id} was not found"))
}

async fn capture(call: Call) -> Result<Reply, Fault> {
    move_money(call, &CAPTURE_PAYMENT).await
}

async fn refund(call: Call) -> Result<Reply, Fault> {
    move_money(call, &REFUND_PAYMENT).await
}

async fn move_money(mut call: Call, saga: &'static Saga<MoveMoney, String>) -> Result<Reply, Fault> {
    let plan = PAYMENT.plan(&call);
    plan.check(&call.view)?;
    let input = MoveMoney { payment_id: call.path("id").to_owned(), told: None, ..call.read()? };
    let id = input.payment_id.clone();
    drop(call.view);
    let Outcome::Done(_, view) = call.app.start(saga, call.pass.actor, Some(&id), input).await? else {
        return Err(Fault::new(FaultKind::Conflict, format!("Payment {id} is being changed")));
    };
    show_written(&call.app, &view, &plan, Arc::new(PAYMENTS.retrieve(&view, &id)?)).await
}
