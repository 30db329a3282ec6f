//! Cart expiry: a job deletes carts that were not changed for `cart_days` days, with their payment
//! collections. What a buyer may have authorised of one is released.
//!
//! A cart expires at the end of a day (UTC), so that the index by day holds exactly the expired ones, and
//! nothing else is read. It is no soft delete: the purpose is to free space, and an abandoned cart need not
//! be restored.

use std::time::Duration;

use atoll_cart::{CARTS, OPEN_BY_DAY, day_of};
use atoll_checkout::PaymentTold;
use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Read, StoreError, Write, flow,
    flow::Local,
    job,
    jobs::{Tick, in_batches_before},
    limits::CARTS_EXPIRED_AT_ONCE_MAX,
    saga::{ExecutionState, WorkflowExecution},
    serde_json::json,
};
use atoll_links::CART_PAYMENT_COLLECTION;
use atoll_payment::{PAYMENT_COLLECTIONS, PAYMENTS_BY_COLLECTION, PaymentSession, delete_with_sessions};

use crate::points::{CARTS_DELETED, Ids};
use crate::{
    cart::COMPLETE_CART,
    payment::{CREATE_PAYMENT_SESSIONS, let_go_session},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

job! { "cart.delete-expired" every Duration::from_secs(3600) => delete_all_expired }

async fn delete_all_expired(ctx: Ctx, _: Tick) -> Result<(), Fault> {
    let days = i64::from(ctx.config().cart_days);
    if days == 0 {
        return Ok(());
    }
    let first_kept = day_of(ctx.now().plus_millis(-days * DAY_MS));
    let delete = |carts: Vec<Position>| {
        let (ctx, input) = (ctx.clone(), DeleteExpired { first_kept: first_kept.clone(), carts });
        async move { ctx.run(&DELETE_EXPIRED_CARTS, Actor::System, input).await.map(drop) }
    };
    in_batches_before("cart", &ctx, &OPEN_BY_DAY, &first_kept, CARTS_EXPIRED_AT_ONCE_MAX, delete).await
}

/// A position in the index of open carts: the day and the id of a cart.
pub type Position = (String, String);

/// The next [`CARTS_EXPIRED_AT_ONCE_MAX`] carts that were last changed before the day `first_kept`
/// ([`day_of`]), the oldest first.
pub fn expired_carts(
    tx: &dyn Read,
    first_kept: &str,
    after: Option<&Position>,
) -> Result<Vec<Position>, StoreError> {
    OPEN_BY_DAY.next_before(tx, first_kept, after, CARTS_EXPIRED_AT_ONCE_MAX)
}

/// The input of [`DELETE_EXPIRED_CARTS`].
#[derive(Clone, Debug)]
pub struct DeleteExpired {
    /// Carts that were last changed before this day have expired ([`day_of`]).
    pub first_kept: String,
    /// Expired carts; those that were changed since are kept.
    pub carts: Vec<Position>,
}

flow! {
    /// Deletes expired carts. A cart is kept if it is an order, is being completed or getting a payment
    /// session, or if its payment collection has a payment or was changed since. Event: `cart.deleted`, for
    /// each.
    pub static DELETE_EXPIRED_CARTS: Flow<DeleteExpired, ()> =
        "delete-expired-carts" (delete), hooks: &[&CARTS_DELETED];
}

fn delete(flow: &mut Local<'_>, input: DeleteExpired) -> Result<(), Fault> {
    let (mut deleted, mut sessions) = (Vec::new(), Vec::new());
    flow.step("delete-expired-carts", |tx, at| {
        for (day, id) in &input.carts {
            let is_expired = OPEN_BY_DAY.contains(tx, &[day], id)?;
            if is_expired && is_unpaid(tx, id, &input.first_kept)? {
                sessions.extend(delete_cart(tx, at, id)?);
                deleted.push(id.clone());
            }
        }
        Ok(())
    })?;
    for session in sessions {
        let told = PaymentTold { amount: session.amount, ..PaymentTold::default() };
        let_go_session(flow, session, told)?;
    }
    for id in &deleted {
        flow.emit("cart.deleted", json!({ "id": id }))?;
    }
    if !deleted.is_empty() {
        flow.hook(&CARTS_DELETED, || Ids::of(&deleted))?;
    }
    Ok(())
}

/// Is there no payment of a cart, and is its buyer paying no more?
fn is_unpaid(tx: &dyn Read, id: &str, first_kept: &str) -> Result<bool, StoreError> {
    if is_going_on(tx, COMPLETE_CART.name, id)? {
        return Ok(false);
    }
    for collection in &CART_PAYMENT_COLLECTION.rights(tx, id)? {
        let is_touched =
            PAYMENT_COLLECTIONS.get(tx, collection)?.is_some_and(|it| *day_of(it.updated_at) >= *first_kept);
        // A cancelled payment counts as well: it is the record of where the money went.
        let is_paid = PAYMENTS_BY_COLLECTION.has_any(tx, &[collection])?;
        if is_touched || is_paid || is_going_on(tx, CREATE_PAYMENT_SESSIONS.name, collection)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Deletes a cart with its payment collection. Returns the payment session that its provider knows of.
fn delete_cart(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<PaymentSession>, Fault> {
    let mut session = None;
    for collection in CART_PAYMENT_COLLECTION.rights(tx, id)? {
        session = delete_with_sessions(tx, at, &collection)?;
    }
    CARTS.delete(tx, at, id)?;
    Ok(session)
}

/// Is there a run of this saga that has not ended, or that failed and waits for an operator?
fn is_going_on(tx: &dyn Read, saga: &str, transaction: &str) -> Result<bool, StoreError> {
    let has_ended = |state| matches!(state, ExecutionState::Done | ExecutionState::Reverted);
    Ok(WorkflowExecution::find(tx, saga, transaction)?.is_some_and(|it| !has_ended(it.state)))
}
