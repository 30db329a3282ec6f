//! `verify` checks: orders against carts and payments, and payment collections against their payments.

use atoll_cart::{CART, CARTS};
use atoll_kernel::{Decimal, StoreError, check, data::last_number, verify::Verify};
use atoll_links::{ORDER_CART, ORDER_PAYMENT_COLLECTION};
use atoll_order::{ORDER, ORDERS, Order};
use atoll_payment::{
    PAYMENT_COLLECTION, PAYMENT_COLLECTIONS, PAYMENTS, PAYMENTS_BY_COLLECTION, Payment, PaymentCollection,
};

use crate::payment::payment_status;

// Orders and their payments.
check! {
    "order.payments": "An order from a cart has its payment, unless it is free, and says what its payments say" => order_payments
}

// Carts and the orders that they became.
check! { "order.carts": "A completed cart is one order, and an open one is none" => order_carts }

// Payment collections and their payments.
check! {
    "payment.sums": "A payment collection sums its payments up, and none is charged twice or refunded beyond what was captured" => payment_sums
}

fn order_payments(it: &mut Verify<'_>) -> Result<(), StoreError> {
    let (view, last) = (it.view, last_number(it.view, "order.display_id")?);
    it.rows(&ORDERS.table, |it, order| {
        if order.display_id > last {
            let expected = format!("{last} at most");
            it.wrong("order.number", ORDER, &order.id, order.display_id.to_string(), expected);
        }
        let collections = ORDER_PAYMENT_COLLECTION.rights(view, &order.id)?;
        let total = order.totals().total;
        let due = order.due(total);
        let is_bought = !ORDER_CART.rights(view, &order.id)?.is_empty();
        if collections.is_empty() && is_bought && !due.is_zero() {
            let found = format!("no payment for {due} {}", order.currency_code);
            it.wrong("order.unpaid", ORDER, &order.id, found, "a payment collection");
        }
        // The payment status of an order with several collections is not stored.
        if let [collection] = &collections[..]
            && let Some(collection) = PAYMENT_COLLECTIONS.get(view, collection)?
        {
            let (found, expected) = (stored_status(&order), expected_status(&collection));
            if found != expected {
                it.wrong("order.payment", ORDER, &order.id, found, expected);
            }
        }
        Ok(())
    })
}

/// Payment status that an order has, as text.
fn stored_status(order: &Order) -> String {
    let (status, paid, refunded) = (order.payment_status, order.paid_total, order.refunded_total);
    format!("{}, {paid} paid, {refunded} refunded", status.as_str())
}

/// Payment status that a collection implies, as text.
fn expected_status(collection: &PaymentCollection) -> String {
    let sum = |it: Option<Decimal>| it.unwrap_or_default();
    let (paid, refunded) = (sum(collection.captured_amount), sum(collection.refunded_amount));
    format!("{}, {paid} paid, {refunded} refunded", payment_status(collection).as_str())
}

fn order_carts(it: &mut Verify<'_>) -> Result<(), StoreError> {
    let view = it.view;
    it.rows(&CARTS.table, |it, cart| {
        let orders = ORDER_CART.lefts(view, &cart.id)?;
        match (cart.completed_at, &orders[..]) {
            (Some(_), [_]) | (None, []) => {}
            (Some(_), []) => {
                it.wrong("cart.lost", CART, &cart.id, "a completed cart without an order", "its order")
            }
            (_, orders) => {
                let is = if cart.completed_at.is_some() { "a completed" } else { "an open" };
                let (found, expected) =
                    (format!("{is} cart, orders {}", orders.join(", ")), "at most one order");
                it.wrong("cart.ordered", CART, &cart.id, found, expected);
            }
        }
        Ok(())
    })
}

fn payment_sums(it: &mut Verify<'_>) -> Result<(), StoreError> {
    let view = it.view;
    it.rows(&PAYMENT_COLLECTIONS.table, |it, collection| {
        let payments = PAYMENTS.table.list_by(view, &PAYMENTS_BY_COLLECTION, &[&collection.id])?;
        let sum = |of: fn(&Payment) -> Decimal| payments.iter().map(of).sum::<Decimal>();
        let sums = [
            ("authorized", collection.authorized_amount, sum(|it| it.amount)),
            ("captured", collection.captured_amount, sum(Payment::captured)),
            ("refunded", collection.refunded_amount, sum(Payment::refunded)),
        ];
        for (what, found, expected) in sums {
            if found.unwrap_or_default() != expected {
                let found = format!("{} {what}", found.unwrap_or_default());
                it.wrong("payment.sum", PAYMENT_COLLECTION, &collection.id, found, expected.to_string());
            }
        }
        let open: Vec<&str> =
            payments.iter().filter(|it| it.canceled_at.is_none()).map(|it| &*it.id).collect();
        if open.len() > 1 {
            it.wrong("payment.twice", PAYMENT_COLLECTION, &collection.id, open.join(", "), "one payment");
        }
        Ok(())
    })?;
    it.rows(&PAYMENTS.table, |it, payment| {
        if payment.captured() > payment.amount || payment.refunded() > payment.captured() {
            let (amount, captured, refunded) = (payment.amount, payment.captured(), payment.refunded());
            let found = format!("{captured} captured and {refunded} refunded of {amount}");
            it.wrong("payment.beyond", "payment", &payment.id, found, "no more captured than authorised");
        }
        if PAYMENT_COLLECTIONS.get(view, &payment.payment_collection_id)?.is_none() {
            let found = format!("a payment for `{}`", payment.payment_collection_id);
            it.wrong("payment.orphaned", "payment", &payment.id, found, "a collection that is there");
        }
        Ok(())
    })
}
