//! Payment collections that admins make for orders: what an order owes, and was paid outside of the shop.

use atoll_checkout::PaymentProvider;
use atoll_kernel::{Decimal, Fault, flow, flow::Local, serde_json::Map};
use atoll_links::ORDER_PAYMENT_COLLECTION;
use atoll_order::{ORDERS, Order, open_order};
use atoll_payment::{
    Error, PAYMENT_COLLECTIONS, PaymentCollection, SYSTEM_DEFAULT, check_payable, delete_collection,
    is_enabled, pay_by_hand,
};
use serde::Deserialize;

use crate::payment::{check_digits, collections_of, event_of, tell_order};
use crate::points::{OfId, OfOrder, VALIDATE_ID, VALIDATE_ORDER};

/// Payment collections that an order may have: all of them are read with it, and with each of its payments.
const COLLECTIONS_MAX: usize = 20;

/// A payment collection to make for an order.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NewCollection {
    /// The order.
    pub order_id: String,
    /// What is to be paid.
    pub amount: Decimal,
}

flow! {
    /// Makes a payment collection for an order. Errors: the amount is more than what the order owes and no
    /// other collection of it asks for.
    pub static CREATE_ORDER_PAYMENT_COLLECTION: Flow<NewCollection, PaymentCollection> =
        "create-order-payment-collection" (create), hooks: &[&VALIDATE_ORDER];
}

fn create(flow: &mut Local<'_>, input: NewCollection) -> Result<PaymentCollection, Fault> {
    let NewCollection { order_id, amount } = input;
    flow.hook(&VALIDATE_ORDER, || OfOrder::of(&order_id))?;
    let collection = flow.step("create-payment-collection", |tx, at| {
        let order = open_order(tx, &order_id)?;
        let others = collections_of(tx, &order_id)?;
        if others.len() >= COLLECTIONS_MAX {
            let text =
                format!("Order {order_id} has {COLLECTIONS_MAX} payment collections, which is the limit");
            return Err(Fault::invalid(text));
        }
        check_digits(tx, &order.currency_code, amount)?;
        check_owed(&order, &others, amount)?;
        if others.is_empty() {
            // From now on it says what its collections say, and must not forget this.
            ORDERS.update(tx, at, &order_id, |it: &mut Order| it.paid_elsewhere = it.kept())?;
        }
        let currency_code = order.currency_code.clone();
        let collection = PaymentCollection { currency_code, amount, ..PaymentCollection::default() };
        let collection = PAYMENT_COLLECTIONS.create(tx, at, collection)?;
        ORDER_PAYMENT_COLLECTION.attach(tx, at, &order_id, &collection.id, Map::new())?;
        Ok(collection)
    })?;
    tell_order(flow.tx, flow.at, &order_id)?;
    Ok(collection)
}

/// Checks that an order owes this amount beside what these collections ask for.
fn check_owed(order: &Order, others: &[PaymentCollection], amount: Decimal) -> Result<(), Fault> {
    let asked: Decimal = others.iter().map(PaymentCollection::open).sum();
    let left = (order.owed() - asked).max(Decimal::ZERO);
    if amount > Decimal::ZERO && amount <= left {
        return Ok(());
    }
    let text = format!("Cannot ask for {amount}: the order owes {left} that no payment collection asks for");
    Err(Fault::invalid(text))
}

flow! {
    /// Deletes a payment collection. Errors: it has a session or a payment.
    pub static DELETE_ORDER_PAYMENT_COLLECTION: Flow<String, ()> =
        "delete-order-payment-collections" (delete), hooks: &[&VALIDATE_ID];
}

fn delete(flow: &mut Local<'_>, id: String) -> Result<(), Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let orders = ORDER_PAYMENT_COLLECTION.lefts(flow.tx, &id)?;
    flow.step("delete-payment-collection", |tx, at| Ok(delete_collection(tx, at, &id)?))?;
    orders.iter().try_for_each(|order| tell_order(flow.tx, flow.at, order).map(drop))
}

/// A payment collection that was paid outside of the shop.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MarkPaid {
    /// The collection.
    pub payment_collection_id: String,
    /// Its order.
    pub order_id: String,
    /// The provider of manual payments; by default the built-in one.
    pub provider_id: Option<String>,
}

flow! {
    /// Records that a payment collection of an order was paid outside of the shop. Event: `payment.captured`.
    /// Errors: it has a session or a payment, or asks for more than what the order owes by now.
    pub static MARK_PAYMENT_COLLECTION_AS_PAID: Flow<MarkPaid, PaymentCollection> =
        "mark-payment-collection-as-paid" (mark_paid), hooks: &[&VALIDATE_ORDER];
}

fn mark_paid(flow: &mut Local<'_>, input: MarkPaid) -> Result<PaymentCollection, Fault> {
    let MarkPaid { payment_collection_id: id, order_id, provider_id } = input;
    flow.hook(&VALIDATE_ORDER, || OfOrder::of(&order_id))?;
    let provider = provider_id.unwrap_or_else(|| SYSTEM_DEFAULT.to_owned());
    let is_manual = flow.ctx().provider::<dyn PaymentProvider>(&provider)?.is_manual();
    if !is_manual || !is_enabled(flow.tx, &provider)? {
        return Err(Error::NotManual(provider).into());
    }
    let payment = flow.step("pay-by-hand", |tx, at| {
        let order = open_order(tx, &order_id)?;
        let (mine, others): (Vec<_>, Vec<_>) =
            collections_of(tx, &order_id)?.into_iter().partition(|it| *it.id == *id);
        let collection = mine.first().ok_or_else(|| Error::NoCollection(id.clone()))?;
        check_payable(collection)?;
        check_owed(&order, &others, collection.amount)?;
        Ok(pay_by_hand(tx, at, collection, &provider)?)
    })?;
    tell_order(flow.tx, flow.at, &order_id)?;
    flow.emit("payment.captured", event_of(flow.tx, &payment)?)?;
    Ok(PAYMENT_COLLECTIONS.retrieve(flow.tx, &id)?)
}
