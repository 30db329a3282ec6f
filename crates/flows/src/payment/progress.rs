//! How far the payment of an order has come, over all of its payment collections.

use atoll_kernel::{
    Decimal, Fault, Moment, Read, StoreError, Write,
    serde_json::{Value, json},
};
use atoll_links::ORDER_PAYMENT_COLLECTION;
use atoll_order::{ORDERS, Order, PaymentStatus};
use atoll_payment::{CollectionStatus, PAYMENT_COLLECTIONS, Payment, PaymentCollection};

/// What was paid for an order: through its payment collections, and elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct PaymentProgress {
    pub(crate) status: PaymentStatus,
    /// Captured, or paid elsewhere.
    pub(crate) paid: Decimal,
    /// Given back.
    pub(crate) refunded: Decimal,
}

impl PaymentProgress {
    /// Of these collections, and of what was paid elsewhere.
    pub(crate) fn of(collections: &[PaymentCollection], elsewhere: Decimal) -> PaymentProgress {
        let sum = |of: fn(&PaymentCollection) -> Option<Decimal>| -> Decimal {
            collections.iter().filter_map(of).sum()
        };
        let (paid, refunded) = (elsewhere + sum(|it| it.captured_amount), sum(|it| it.refunded_amount));
        PaymentProgress { status: status(collections, paid, refunded), paid, refunded }
    }
}

/// The first that is true: something was given back; something was captured; something of what is asked for
/// was authorised, or has a session; all was cancelled.
fn status(collections: &[PaymentCollection], paid: Decimal, refunded: Decimal) -> PaymentStatus {
    let n_in = |status| collections.iter().filter(|it| it.status == status).count();
    let n_authorized = n_in(CollectionStatus::Authorized);
    let n_live = collections.len() - n_in(CollectionStatus::Canceled);
    match () {
        () if refunded > Decimal::ZERO && refunded == paid => PaymentStatus::Refunded,
        () if refunded > Decimal::ZERO => PaymentStatus::PartiallyRefunded,
        () if paid > Decimal::ZERO && n_in(CollectionStatus::Completed) == n_live => PaymentStatus::Captured,
        () if paid > Decimal::ZERO => PaymentStatus::PartiallyCaptured,
        () if n_authorized > 0 && n_authorized == n_live => PaymentStatus::Authorized,
        () if n_authorized > 0 => PaymentStatus::PartiallyAuthorized,
        () if n_in(CollectionStatus::Awaiting) > 0 => PaymentStatus::Awaiting,
        () if n_live == 0 && !collections.is_empty() => PaymentStatus::Canceled,
        () => PaymentStatus::NotPaid,
    }
}

/// The payment collections of an order.
pub(crate) fn collections_of(tx: &dyn Read, order_id: &str) -> Result<Vec<PaymentCollection>, StoreError> {
    let mut collections = Vec::new();
    for id in ORDER_PAYMENT_COLLECTION.rights(tx, order_id)? {
        collections.extend(PAYMENT_COLLECTIONS.get(tx, &id)?);
    }
    Ok(collections)
}

/// Writes how far the payment of an order has come into it.
pub(crate) fn tell_order(tx: &mut dyn Write, at: &Moment, order_id: &str) -> Result<Order, Fault> {
    let collections = collections_of(tx, order_id)?;
    Ok(ORDERS.update(tx, at, order_id, |it: &mut Order| {
        let PaymentProgress { status, paid, refunded } = PaymentProgress::of(&collections, it.paid_elsewhere);
        it.payment_status = status;
        it.paid_total = paid;
        it.refunded_total = refunded;
    })?)
}

/// The same, of the orders that a collection pays for.
pub(crate) fn tell_orders(tx: &mut dyn Write, at: &Moment, collection_id: &str) -> Result<Vec<Order>, Fault> {
    let orders = ORDER_PAYMENT_COLLECTION.lefts(tx, collection_id)?;
    orders.iter().map(|order| tell_order(tx, at, order)).collect()
}

/// The data of an event of a payment: `order_id` is null if it pays for no order yet.
pub(crate) fn event_of(tx: &dyn Read, payment: &Payment) -> Result<Value, StoreError> {
    let orders = ORDER_PAYMENT_COLLECTION.lefts(tx, &payment.payment_collection_id)?;
    Ok(json!({ "id": payment.id, "order_id": orders.first() }))
}

#[cfg(test)]
mod tests {
    use atoll_kernel::serde_json;

    use super::*;

    /// A collection of 20: state, captured and refunded.
    fn collection(text: &str) -> PaymentCollection {
        let mut words = text.split(' ');
        let status = serde_json::from_value(json!(words.next())).expect("a state");
        let mut amount = || words.next().map(|it| it.parse().expect("a number"));
        PaymentCollection {
            status,
            amount: 20_i64.into(),
            captured_amount: amount(),
            refunded_amount: amount(),
            ..PaymentCollection::default()
        }
    }

    #[test]
    fn payment_status_is_that_of_all_collections() {
        let cases: &[(&[&str], &str)] = &[
            (&[], "not_paid"),
            (&["not_paid"], "not_paid"),
            (&["awaiting"], "awaiting"),
            (&["awaiting", "not_paid"], "awaiting"),
            (&["authorized"], "authorized"),
            (&["authorized", "canceled"], "authorized"),
            (&["authorized", "not_paid"], "partially_authorized"),
            (&["partially_captured 5"], "partially_captured"),
            (&["completed 20"], "captured"),
            (&["completed 20", "canceled"], "captured"),
            (&["completed 20", "completed 20"], "captured"),
            (&["completed 20", "not_paid"], "partially_captured"),
            (&["completed 20", "authorized 0"], "partially_captured"),
            (&["completed 20 5"], "partially_refunded"),
            (&["completed 20 20"], "refunded"),
            (&["completed 20 20", "completed 20"], "partially_refunded"),
            (&["completed 20 20", "not_paid"], "refunded"),
            (&["canceled 15 15"], "refunded"),
            (&["canceled"], "canceled"),
            (&["canceled", "not_paid"], "not_paid"),
        ];
        for (collections, expect) in cases {
            let collections: Vec<_> = collections.iter().map(|it| collection(it)).collect();
            let progress = PaymentProgress::of(&collections, Decimal::ZERO);
            assert_eq!(progress.status.as_str(), *expect, "{collections:?}");
        }
    }
}
