//! Cart expiry: a job deletes carts that were not changed for `cart_days` days, with their payment
//! collections.
//!
//! A cart expires at the end of a day (UTC), so that the index by day holds exactly the expired ones, and
//! nothing else is read. It is no soft delete: the purpose is to free space, and an abandoned cart need not
//! be restored.

use std::time::Duration;

use atoll_cart::{CARTS, OPEN_BY_DAY, day_of};
use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Read, StoreError, Write,
    data::Scan,
    flow,
    flow::Local,
    job,
    jobs::{Tick, in_batches},
    limits::CARTS_EXPIRED_AT_ONCE_MAX,
    saga::{ExecutionState, WorkflowExecution},
    serde_json::json,
};
use atoll_links::CART_PAYMENT_COLLECTION;
use atoll_payment::{PAYMENT_COLLECTIONS, PAYMENTS_BY_COLLECTION};

use crate::points::{CARTS_DELETED, Ids};
use crate::{cart::COMPLETE_CART, payment::CREATE_PAYMENT_SESSIONS};

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
    let mut after: Option<Position> = None;
    loop {
        let carts = expired_carts(&ctx.view(), &first_kept, after.as_ref())?;
        let Some(last) = carts.last().cloned() else { return Ok(()) };
        in_batches("cart", &carts, CARTS_EXPIRED_AT_ONCE_MAX, delete).await?;
        after = Some(last);
    }
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
    let after = after.map(|(day, id)| (&**day, &**id));
    let mut carts = Vec::new();
    OPEN_BY_DAY.scan_all(tx, after, &mut |day, id| {
        if *day >= *first_kept || carts.len() >= CARTS_EXPIRED_AT_ONCE_MAX {
            return Ok(Scan::Break(()));
        }
        carts.push((day.to_owned(), id.to_owned()));
        Ok(Scan::Continue(()))
    })?;
    Ok(carts)
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
    let mut deleted = Vec::new();
    flow.step("delete-expired-carts", |tx, at| {
        for (day, id) in &input.carts {
            let is_expired = OPEN_BY_DAY.contains(tx, &[day], id)?;
            if is_expired && delete_unpaid(tx, at, id, &input.first_kept)? {
                deleted.push(id.clone());
            }
        }
        Ok(())
    })?;
    for id in &deleted {
        flow.emit("cart.deleted", json!({ "id": id }))?;
    }
    if !deleted.is_empty() {
        flow.hook(&CARTS_DELETED, || Ids::of(&deleted))?;
    }
    Ok(())
}

/// Deletes a cart with its payment collection, unless there is a payment or the buyer may still be paying.
fn delete_unpaid(tx: &mut dyn Write, at: &Moment, id: &str, first_kept: &str) -> Result<bool, Fault> {
    if is_going_on(tx, COMPLETE_CART.name, id)? {
        return Ok(false);
    }
    let collections = CART_PAYMENT_COLLECTION.rights(tx, id)?;
    for collection in &collections {
        let is_touched =
            PAYMENT_COLLECTIONS.get(tx, collection)?.is_some_and(|it| *day_of(it.updated_at) >= *first_kept);
        // A cancelled payment counts as well: it is the record of where the money went.
        let is_paid = PAYMENTS_BY_COLLECTION.has_any(tx, &[collection])?;
        if is_touched || is_paid || is_going_on(tx, CREATE_PAYMENT_SESSIONS.name, collection)? {
            return Ok(false);
        }
    }
    for collection in &collections {
        PAYMENT_COLLECTIONS.delete(tx, at, collection)?;
    }
    CARTS.delete(tx, at, id)?;
    Ok(true)
}

/// Is there a run of this saga that has not ended, or that failed and waits for an operator?
fn is_going_on(tx: &dyn Read, saga: &str, transaction: &str) -> Result<bool, StoreError> {
    let has_ended = |state| matches!(state, ExecutionState::Done | ExecutionState::Reverted);
    Ok(WorkflowExecution::find(tx, saga, transaction)?.is_some_and(|it| !has_ended(it.state)))
}
