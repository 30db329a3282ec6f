//! Captures and refunds payments.

use atoll_checkout::{PaymentAction, PaymentProvider, PaymentRequest, PaymentTold};
use atoll_kernel::{
    Ctx, Decimal, Fault, FaultKind, Metadata, flow,
    flow::{Local, StepCall},
    saga::{External, Run},
};
use atoll_order::{Order, OrderCreditLine, add_credit};
use atoll_payment::{
    Asked, Error, PAYMENTS, Payment, Refund, capturable, capture, check_captured, check_note, check_reason,
    forget_asked, note_asked, open_payment, refund, refundable, set_free,
};
use serde::{Deserialize, Serialize};

use crate::payment::{due::check_moved, event_of, release, tell_orders};
use crate::points::{MoneyToMove, VALIDATE_MOVE};

/// A capture or a refund.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MoveMoney {
    /// The payment.
    pub payment_id: String,
    /// Amount; by default all that can be captured or refunded.
    pub amount: Option<Decimal>,
    /// Why money is given back, by the id of a reason.
    pub refund_reason_id: Option<String>,
    /// Why, in words.
    pub note: Option<String>,
    /// What the provider said that it has captured in all, by a webhook: it is recorded, and the provider not
    /// asked.
    pub told: Option<PaymentTold>,
}

flow! {
    /// Captures a payment; returns the payment's id. A payment that was captured in full is left unchanged.
    /// Event: `payment.captured`.
    pub static CAPTURE_PAYMENT: Saga<MoveMoney, String> = "capture-payment-workflow" (capture_payment),
        hooks: &[&VALIDATE_MOVE];
}

flow! {
    /// Refunds a captured payment; returns the payment's id. What is not owed to the customer becomes a
    /// credit line of the order, which thus does not owe again what was given back. Event:
    /// `payment.refunded`.
    pub static REFUND_PAYMENT: Saga<MoveMoney, String> = "refund-payment-workflow" (refund_payment),
        hooks: &[&VALIDATE_MOVE];
}

async fn capture_payment(run: &mut Run, input: MoveMoney) -> Result<String, Fault> {
    if let Some(told) = input.told {
        let id = input.payment_id;
        return run.finish("move-money", move |flow| record_capture(flow, &id, told)).await;
    }
    ask_and_write(run, PaymentAction::Capture, input).await
}

async fn refund_payment(run: &mut Run, input: MoveMoney) -> Result<String, Fault> {
    ask_and_write(run, PaymentAction::Refund, input).await
}

/// The capture or refund to make now.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Move {
    payment: Payment,
    amount: Decimal,
}

/// Asks the provider, and writes the result. During an external call the payment is locked: a capture and a
/// refund do not overlap. After a call without an answer it is not known whether the money was moved: nothing
/// but the same request is admitted then, which has the same key.
async fn ask_and_write(run: &mut Run, action: PaymentAction, input: MoveMoney) -> Result<String, Fault> {
    let id = input.payment_id.clone();
    let payment = PAYMENTS.get(&run.ctx().view(), &id)?.ok_or_else(|| Error::NotFound(id.clone()))?;
    // The provider of a payment never changes, so a replay takes the same path.
    let provider = run.ctx().provider::<dyn PaymentProvider>(&payment.provider_id)?;
    if provider.is_manual() {
        return run
            .finish("move-money", move |flow| match begin(flow, &action, &input)? {
                Some(Move { payment, amount }) => end(flow, &action, &input, amount, payment.data),
                None => Ok(input.payment_id.clone()),
            })
            .await;
    }
    let (asked, wanted) = (action.clone(), input.clone());
    let begun = run.local_undone_by(
        "begin",
        move |flow| {
            let begun = begin(flow, &asked, &wanted)?;
            if let Some(Move { payment, amount }) = &begun {
                let is_refund = asked == PaymentAction::Refund;
                note_asked(flow.tx, flow.at, &payment.id, Asked { is_refund, amount: *amount })?;
            }
            Ok(begun)
        },
        |flow, begun| begun.map_or(Ok(()), |it: Move| Ok(set_free(flow.tx, flow.at, &it.payment.id)?)),
    );
    let Some(Move { payment, amount }) = begun.await? else { return Ok(id) };
    let n_before = match action {
        PaymentAction::Refund => payment.refunds.len(),
        _ => payment.captures.len(),
    };
    let request = PaymentRequest {
        // Not the step's own key: a retry after an unknown outcome is about the same money.
        key: key(&id, &action, n_before),
        action: action.clone(),
        session_id: payment.payment_session_id,
        amount,
        currency_code: payment.currency_code,
        data: payment.data,
    };
    let ask = move |ctx: Ctx, _: StepCall| {
        let answer = provider.ask(ctx, request.clone());
        async move { answer.await?.settled() }
    };
    let answer = run.external(External::new("ask-provider", ask).timeout(provider.timeout())).await;
    if answer.as_ref().is_err_and(is_answer) {
        let forget = move |flow: &mut Local<'_>| Ok(forget_asked(flow.tx, flow.at, &id)?);
        run.local_undone_by("forget-asked", forget, |_, ()| Ok(())).await?;
    }
    let data: Metadata = answer?;
    run.finish("move-money", move |flow| end(flow, &action, &input, amount, data)).await
}

/// Has the provider answered that it moves nothing? It may have moved the money, and failed then.
fn is_answer(error: &Fault) -> bool {
    !error.is_of_log() && !matches!(error.kind(), FaultKind::Unexpected | FaultKind::Busy)
}

/// Records what the provider has captured in all, as far as it is more than what is recorded. If the payment
/// was cancelled meanwhile, it is given back.
pub(crate) fn record_capture(flow: &mut Local<'_>, id: &str, told: PaymentTold) -> Result<String, Fault> {
    let payment = open_payment(flow.tx, id)?;
    let more = told.amount - payment.captured();
    if more <= Decimal::ZERO {
        return Ok(id.to_owned());
    }
    check_captured(&payment, more)?;
    check_moved(flow.tx, &payment, more)?;
    let data = if told.data == Metadata::default() { payment.data } else { told.data };
    let input = MoveMoney { payment_id: id.to_owned(), ..MoveMoney::default() };
    let done = end(flow, &PaymentAction::Capture, &input, more, data)?;
    if payment.canceled_at.is_some() {
        release(flow, &payment.payment_collection_id)?;
    }
    Ok(done)
}

/// Idempotency key of the next capture or refund of a payment, after `n_before` earlier ones.
pub(crate) fn key(payment_id: &str, action: &PaymentAction, n_before: usize) -> String {
    let what = if *action == PaymentAction::Refund { "refund" } else { "capture" };
    format!("{payment_id}:{what}:{n_before}")
}

/// The amount to move now; none if it was captured already.
fn begin(flow: &mut Local<'_>, action: &PaymentAction, input: &MoveMoney) -> Result<Option<Move>, Fault> {
    let asked = || MoneyToMove { payment_id: input.payment_id.clone(), amount: input.amount };
    flow.hook(&VALIDATE_MOVE, asked)?;
    let payment = open_payment(flow.tx, &input.payment_id)?;
    input.refund_reason_id.as_deref().map_or(Ok(()), |it| check_reason(flow.tx, it))?;
    input.note.as_deref().map_or(Ok(()), check_note)?;
    let amount = match action {
        PaymentAction::Refund => refundable(&payment, input.amount)?,
        _ if payment.captured_at.is_some() => return Ok(None),
        _ => capturable(&payment, input.amount)?,
    };
    check_moved(flow.tx, &payment, amount)?;
    Ok(Some(Move { payment, amount }))
}

fn end(
    flow: &mut Local<'_>,
    action: &PaymentAction,
    input: &MoveMoney,
    amount: Decimal,
    data: Metadata,
) -> Result<String, Fault> {
    let id = &input.payment_id;
    let (payment, event) = match action {
        PaymentAction::Refund => (give_back(flow, input, amount, data)?, "payment.refunded"),
        _ => {
            let payment = capture(flow.tx, flow.at, id, amount, data)?;
            tell_orders(flow.tx, flow.at, &payment.payment_collection_id)?;
            (payment, "payment.captured")
        }
    };
    flow.emit(event, event_of(flow.tx, &payment)?)?;
    Ok(payment.id.to_string())
}

/// Records a refund, and credits its order with what was not owed to the customer.
fn give_back(
    flow: &mut Local<'_>,
    input: &MoveMoney,
    amount: Decimal,
    data: Metadata,
) -> Result<Payment, Fault> {
    let MoveMoney { refund_reason_id, note, .. } = input.clone();
    let back = Refund { id: flow.at.id(), amount, refund_reason_id, note, ..Refund::default() };
    let back_id = back.id.to_string();
    let payment = refund(flow.tx, flow.at, &input.payment_id, back, data)?;
    for order in tell_orders(flow.tx, flow.at, &payment.payment_collection_id)? {
        let Some(amount) = surplus(&order, amount) else { continue };
        let (reference, reference_id) = (Some("refund".to_owned()), Some(back_id.clone()));
        let line = OrderCreditLine { reference, reference_id, amount, ..OrderCreditLine::default() };
        add_credit(flow.tx, flow.at, &order.id, line)?;
    }
    Ok(payment)
}

/// What an order owes because this amount was given back: nothing of it was owed to the customer.
fn surplus(order: &Order, amount: Decimal) -> Option<Decimal> {
    Some(order.owed().min(amount)).filter(|it| *it > Decimal::ZERO)
}
