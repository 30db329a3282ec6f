//! Changes of orders that somebody must agree to: an order has one open change at most. A transfer to another
//! customer is such a change.

use atoll_kernel::{
    Decimal, Metadata, Moment, Read, Timestamp, Write,
    data::{ComputedFields, Entity, Exact},
    entity, words,
};

use crate::{Error, ORDER_CHANGES, ORDERS, Order, open_order, service::note_change};

words! {
    /// State of a change.
    pub enum ChangeStatus {
        /// Being made.
        #[default]
        Pending = "pending",
        /// It waits for an answer.
        Requested = "requested",
        /// Agreed to, and done.
        Confirmed = "confirmed",
        /// Refused.
        Declined = "declined",
        /// Withdrawn.
        Canceled = "canceled",
    }
}

entity! {
    /// A change of an order.
    pub struct OrderChange = "order_change" / "order_changes", "ordch" {
        /// The order.
        pub order_id: String,
        /// The version that the order has with the change.
        pub version: u32 = 1,
        /// What is changed: `transfer`.
        pub change_type: Option<String>,
        /// Text of the one who asked for it.
        pub description: Option<String>,
        /// State of the change.
        pub status: ChangeStatus,
        /// Text for admins.
        pub internal_note: Option<String>,
        /// Id of the actor.
        pub created_by: Option<String>,
        /// Id of the actor who asked for it.
        pub requested_by: Option<String>,
        /// When it was asked for.
        pub requested_at: Option<Timestamp>,
        /// Id of the actor who agreed, if known: whoever has the token of a transfer may.
        pub confirmed_by: Option<String>,
        /// When it was agreed to.
        pub confirmed_at: Option<Timestamp>,
        /// Id of the actor who refused, if known.
        pub declined_by: Option<String>,
        /// Why it was refused.
        pub declined_reason: Option<String>,
        /// When it was refused.
        pub declined_at: Option<Timestamp>,
        /// Id of the actor who withdrew it.
        pub canceled_by: Option<String>,
        /// When it was withdrawn.
        pub canceled_at: Option<Timestamp>,
        /// Should the buyer get no notification?
        pub no_notification: Option<bool>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// Digest of the token by which it is agreed to or refused.
        pub token_digest: String,
        /// What is done.
        pub actions: Vec<OrderChangeAction>,
    }
    hidden [token_digest]
    embeds [many actions: OrderChangeAction]
    computed [
        /// Always null: there are no returns yet.
        return_id: Option<String>,
        /// Always null: there are no claims yet.
        claim_id: Option<String>,
        /// Always null: there are no exchanges yet.
        exchange_id: Option<String>,
        /// Always null: there are no order edits yet.
        carry_over_promotions: Option<bool>,
    ] by compute_change
}

fn compute_change(_: &OrderChange, shown: &mut ComputedFields<'_>) {
    for name in ["return_id", "claim_id", "exchange_id", "carry_over_promotions"] {
        shown.field(name, ());
    }
}

entity! {
    /// A part of a change.
    pub struct OrderChangeAction = "order_change_action" / "order_change_actions", "ordchact" {
        /// The order.
        pub order_id: String,
        /// Its place among the actions of the change, from 1.
        pub ordering: u32 = 1,
        /// The version that the order has with it.
        pub version: u32 = 1,
        /// What kind of record it is about: `customer`.
        pub reference: Option<String>,
        /// The id of that.
        pub reference_id: Option<String>,
        /// What is done: `TRANSFER_CUSTOMER`.
        pub action: String,
        /// What else must be known.
        pub details: Metadata,
        /// Text for admins.
        pub internal_note: Option<String>,
        /// Is it done?
        pub applied: bool,
        /// What it costs, if anything.
        pub amount: Option<Decimal>,
        /// The change.
        pub order_change_id: String,
    }
    computed [
        raw_amount: Option<Exact>,
        /// Always null: there are no returns yet.
        return_id: Option<String>,
        /// Always null: there are no claims yet.
        claim_id: Option<String>,
        /// Always null: there are no exchanges yet.
        exchange_id: Option<String>,
    ] by compute_action
}

fn compute_action(action: &OrderChangeAction, shown: &mut ComputedFields<'_>) {
    shown.field("raw_amount", action.amount.map(|it| it.raw()));
    for name in ["return_id", "claim_id", "exchange_id"] {
        shown.field(name, ());
    }
}

/// Begins a change that waits for an answer. Errors: the order is cancelled, or has an open change.
pub fn request_change(
    tx: &mut dyn Write,
    at: &Moment,
    mut change: OrderChange,
) -> Result<OrderChange, Error> {
    let order = open_order(tx, &change.order_id)?;
    if order.change_id.is_some() {
        return Err(Error::HasChange(change.order_id));
    }
    change.id = at.id();
    change.version = order.version + 1;
    change.status = ChangeStatus::Requested;
    let by = Some(at.actor().id().to_owned());
    (change.created_by, change.requested_by, change.requested_at) = (by.clone(), by, Some(at.now()));
    for (action, ordering) in change.actions.iter_mut().zip(1..) {
        action.init(at.id(), at.now());
        action.order_id = change.order_id.clone();
        action.order_change_id = change.id.to_string();
        (action.ordering, action.version) = (ordering, change.version);
    }
    let id = change.id.to_string();
    ORDERS.update(tx, at, &order.id, |it: &mut Order| it.change_id = Some(id))?;
    Ok(ORDER_CHANGES.create(tx, at, change)?)
}

/// The open change of an order. Errors: it has none.
pub fn open_change(tx: &dyn Read, order_id: &str) -> Result<OrderChange, Error> {
    let order = open_order(tx, order_id)?;
    let change = match &order.change_id {
        Some(id) => ORDER_CHANGES.get(tx, id)?,
        None => None,
    };
    change.ok_or(Error::NoChange)
}

/// Ends the open change of an order: confirmed, declined or cancelled, by this actor if known. A confirmed
/// one is a new version of the order, to which `apply` is done.
pub fn end_change(
    tx: &mut dyn Write,
    at: &Moment,
    change: &OrderChange,
    status: ChangeStatus,
    by: Option<String>,
    apply: impl FnOnce(&mut Order),
) -> Result<Order, Error> {
    ORDER_CHANGES.update(tx, at, &change.id, |it: &mut OrderChange| {
        it.status = status;
        let now = Some(at.now());
        match status {
            ChangeStatus::Confirmed => {
                (it.confirmed_by, it.confirmed_at) = (by, now);
                it.actions.iter_mut().for_each(|action| action.applied = true);
            }
            ChangeStatus::Declined => (it.declined_by, it.declined_at) = (by, now),
            _ => (it.canceled_by, it.canceled_at) = (by, now),
        }
    })?;
    Ok(ORDERS.update(tx, at, &change.order_id, |it: &mut Order| {
        it.change_id = None;
        if status == ChangeStatus::Confirmed {
            note_change(at, it);
            apply(it);
        }
    })?)
}
