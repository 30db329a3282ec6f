//! Flows on payments: collections, sessions, capture, refund, cancellation.

mod create_collection;
mod create_session;
mod due;
mod move_money;
mod release;
mod webhook;

use atoll_kernel::{Fault, Moment, Write};
use atoll_links::ORDER_PAYMENT_COLLECTION;
use atoll_order::{ORDERS, Order, PaymentStatus};
use atoll_payment::{CollectionStatus, PAYMENT_COLLECTIONS, PaymentCollection};

pub use create_collection::CREATE_PAYMENT_COLLECTION;
pub(crate) use create_collection::refresh;
pub(crate) use create_session::check_provider;
pub use create_session::{CREATE_PAYMENT_SESSIONS, NewSession, SessionInput};
pub(crate) use due::due;
pub(crate) use move_money::record_capture;
pub use move_money::{CAPTURE_PAYMENT, MoveMoney, REFUND_PAYMENT};
pub(crate) use release::release;
pub use webhook::receive_notice;

/// Payment status of an order, from its collection.
pub(crate) fn payment_status(collection: &PaymentCollection) -> PaymentStatus {
    let refunded = collection.refunded_amount.filter(|it| !it.is_zero());
    match collection.status {
        _ if refunded.is_some() && refunded == collection.captured_amount => PaymentStatus::Refunded,
        _ if refunded.is_some() => PaymentStatus::PartiallyRefunded,
        CollectionStatus::NotPaid => PaymentStatus::NotPaid,
        CollectionStatus::Awaiting => PaymentStatus::Awaiting,
        CollectionStatus::Authorized => PaymentStatus::Authorized,
        CollectionStatus::PartiallyCaptured => PaymentStatus::PartiallyCaptured,
        CollectionStatus::Completed => PaymentStatus::Captured,
        CollectionStatus::Canceled => PaymentStatus::Canceled,
    }
}

/// Updates the payment status of the order of a collection.
pub(crate) fn tell_order(tx: &mut dyn Write, at: &Moment, collection_id: &str) -> Result<(), Fault> {
    let collection = PAYMENT_COLLECTIONS.retrieve(tx, collection_id)?;
    for order in ORDER_PAYMENT_COLLECTION.lefts(tx, collection_id)? {
        ORDERS.update(tx, at, &order, |it: &mut Order| {
            it.payment_status = payment_status(&collection);
            it.paid_total = collection.captured_amount.unwrap_or_default();
            it.refunded_total = collection.refunded_amount.unwrap_or_default();
        })?;
    }
    Ok(())
}
