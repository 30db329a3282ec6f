//! The payment session of a cart: which one pays it, its authorisation, and waiting for a provider that
//! decides later.

use atoll_cart::{CARTS, Cart};
use atoll_checkout::{PaymentAction, PaymentAnswer, PaymentRequest};
use atoll_kernel::{
    Actor, Ctx, Decimal, Fault, FaultKind, Metadata, Moment, Read, StoreError, Write,
    flow::{Local, StepCall},
    saga::{External, Run, WorkflowExecution},
};
use atoll_links::CART_PAYMENT_COLLECTION;
use atoll_payment::{
    FORMER_SESSIONS, PAYMENT_COLLECTIONS, PaymentSession, SessionStatus, close_session, note_returned,
};
use serde::{Deserialize, Serialize};

use super::{COMPLETE_CART, Pending};
use crate::payment::{check_provider, due};

/// The provider's data, and the idempotency key of the authorisation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Authorized {
    pub(super) key: String,
    pub(super) data: Metadata,
    /// Does the provider decide later?
    #[serde(default)]
    pub(super) is_pending: bool,
    /// What was captured with it.
    #[serde(default)]
    pub(super) captured: Option<Decimal>,
}

/// Asks the provider of the session to authorise the payment. The compensation cancels the authorisation.
pub(super) async fn authorize_payment(run: &mut Run, pending: &Pending) -> Result<Authorized, Fault> {
    let (Some(session), Some(provider)) = (&pending.session, pending.provider(run.ctx())?) else {
        return Ok(Authorized::default());
    };
    let request = request(session, PaymentAction::Authorize);
    let again = request.clone();
    let authorize = move |ctx: Ctx, call: StepCall| {
        let request = PaymentRequest { key: call.key.clone(), ..request.clone() };
        async move {
            let PaymentAnswer { data, is_pending } = provider.ask(ctx, request).await?;
            Ok(Authorized { key: call.key, data, is_pending, captured: None })
        }
    };
    let cancel = move |ctx: Ctx, call: StepCall, answer: Option<Authorized>| {
        let action = PaymentAction::Cancel { authorized_by: call.invoke_key };
        let data = answer.map_or_else(|| again.data.clone(), |it| it.data);
        let request = PaymentRequest { action, key: call.key, data, ..again.clone() };
        async move { provider.ask(ctx, request).await?.settled().map(drop) }
    };
    run.external(External::new("authorize-payment", authorize).timeout(provider.timeout()).undo(cancel)).await
}

/// A request about a payment session, whose key is that of the step that makes it.
fn request(session: &PaymentSession, action: PaymentAction) -> PaymentRequest {
    PaymentRequest {
        action,
        key: String::new(),
        session_id: session.id.to_string(),
        amount: session.amount,
        currency_code: session.currency_code.clone(),
        data: session.data.clone(),
    }
}

/// The step in which a run waits for a webhook of the provider ([`receive_notice`]); its answer is a
/// [`PaymentDecision`].
///
/// [`receive_notice`]: crate::payment::receive_notice
pub(crate) const AWAIT_PAYMENT: &str = "await-payment";

/// The step before it, whose output is the payment session.
const OPEN_PAYMENT: &str = "open-payment";

/// The decision of a provider over an authorisation that was pending.
#[derive(Serialize, Deserialize)]
pub(crate) struct PaymentDecision {
    /// Data of the provider; null leaves that of its answer.
    pub(crate) data: Metadata,
    /// What was captured at once.
    pub(crate) captured: Option<Decimal>,
}

/// Id of the payment session whose authorisation a run waits for.
pub(crate) fn awaited_session(run: &WorkflowExecution) -> Option<&str> {
    run.steps.iter().find(|it| it.name == OPEN_PAYMENT)?.output["id"].as_str()
}

/// Gives up a run that waits for the decision over a payment session which the buyer has replaced since: its
/// authorisation is cancelled, and the cart can be completed with the other session. Returns whether it did.
pub async fn give_up_replaced(ctx: &Ctx, run: &WorkflowExecution) -> Result<bool, Fault> {
    let (view, id) = (ctx.view(), &run.transaction_id);
    let session = session_of(&view, &CARTS.retrieve(&view, id)?)?;
    if awaited_session(run) == session.as_ref().map(|it| &*it.id) {
        return Ok(false);
    }
    drop(view);
    let why = "The payment session was replaced".to_owned();
    match ctx.beside().finish_step(COMPLETE_CART.name, id, AWAIT_PAYMENT, Err(why)).await {
        // Another request was faster.
        Err(error) if error.kind() == FaultKind::NotAllowed => Ok(true),
        answered => answered.map(|()| true),
    }
}

/// Waits for the decision of the provider. If the payment fails, or the order cannot be placed, the
/// authorisation is cancelled, what was captured is given back, and the session is closed: a webhook that
/// comes late completes nothing.
pub(super) async fn decided(
    run: &mut Run,
    pending: &Pending,
    authorized: Authorized,
) -> Result<Authorized, Fault> {
    let (Some(session), Some(provider)) = (pending.session.clone(), pending.provider(run.ctx())?) else {
        return Ok(authorized);
    };
    if run.is_part() {
        // Webhooks find the run of the cart, and not the run that it would be a part of.
        return Err(Fault::new(FaultKind::PaymentRequiresMore, "Payment authorization is pending"));
    }
    let close =
        |flow: &mut Local<'_>, session: PaymentSession| Ok(close_session(flow.tx, flow.at, &session)?);
    run.local_undone_by(OPEN_PAYMENT, move |_| Ok(session), close).await?;
    let PaymentDecision { data, captured } =
        run.wait(AWAIT_PAYMENT, Some(provider.pending_timeout())).await?;
    let data = if data == Metadata::default() { authorized.data } else { data };
    let authorized = Authorized { data, captured, is_pending: false, ..authorized };
    keep_captured(run, pending, &authorized).await?;
    Ok(authorized)
}

/// Keeps what the provider has captured with its decision. The compensation gives it back: cancelling an
/// authorisation does not.
async fn keep_captured(run: &mut Run, pending: &Pending, authorized: &Authorized) -> Result<(), Fault> {
    let (Some(session), Some(provider), Some(amount)) =
        (&pending.session, pending.provider(run.ctx())?, authorized.captured)
    else {
        return Ok(());
    };
    let request = request(session, PaymentAction::Refund);
    let request = PaymentRequest { amount, data: authorized.data.clone(), ..request };
    let session = session.clone();
    let keep = |_: Ctx, _: StepCall| async { Ok(()) };
    let give_back = move |ctx: Ctx, call: StepCall, _: Option<()>| {
        let request = PaymentRequest { key: call.key, ..request.clone() };
        let session = session.clone();
        async move {
            provider.ask(ctx.clone(), request).await?.settled()?;
            // The webhook that told of it may come again.
            let note = move |tx: &mut dyn Write, at: &Moment| note_given_back(tx, at, &session, amount);
            ctx.write(Actor::System, note).await.map(drop)
        }
    };
    run.external(External::new("keep-captured", keep).timeout(provider.timeout()).undo(give_back)).await
}

fn note_given_back(
    tx: &mut dyn Write,
    at: &Moment,
    session: &PaymentSession,
    amount: Decimal,
) -> Result<(), Fault> {
    close_session(tx, at, session)?;
    if FORMER_SESSIONS.table.exists(tx, &session.id)? {
        note_returned(tx, at, session, amount)?;
    }
    Ok(())
}

/// The payment session of a cart; none is needed if it is free.
pub(super) fn session_for(tx: &dyn Read, cart: &Cart) -> Result<Option<PaymentSession>, Fault> {
    let due = due(tx, cart)?;
    if due.is_zero() {
        return Ok(None);
    }
    let Some(collection) = CART_PAYMENT_COLLECTION.rights(tx, &cart.id)?.pop() else {
        return Err(Fault::invalid("Payment collection has not been initiated for cart"));
    };
    let session =
        session_in(tx, &collection)?.filter(|it| it.status == SessionStatus::Pending && it.amount == due);
    let Some(session) = session else {
        return Err(Fault::invalid("Payment sessions are required to complete cart"));
    };
    check_provider(tx, cart.region_id.as_deref(), &session.provider_id)?;
    Ok(Some(session))
}

/// The payment session that the buyer has chosen, if there is one.
pub(super) fn session_of(tx: &dyn Read, cart: &Cart) -> Result<Option<PaymentSession>, StoreError> {
    let Some(id) = CART_PAYMENT_COLLECTION.rights(tx, &cart.id)?.pop() else { return Ok(None) };
    session_in(tx, &id)
}

fn session_in(tx: &dyn Read, collection_id: &str) -> Result<Option<PaymentSession>, StoreError> {
    Ok(PAYMENT_COLLECTIONS.get(tx, collection_id)?.and_then(|mut it| it.payment_sessions.pop()))
}
