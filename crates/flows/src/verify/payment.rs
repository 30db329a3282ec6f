//! `verify` checks: orders against carts and payments, and payment collections against their payments.

use atoll_cart::{CART, CARTS};
use atoll_kernel::{Decimal, StoreError, check, data::last_number, verify::Verify};
use atoll_links::ORDER_CART;
use atoll_order::{ORDER, ORDERS, Order, OrderCreditLine};
use atoll_payment::{
    PAYMENT_COLLECTION, PAYMENT_COLLECTIONS, PAYMENTS, PAYMENTS_BY_COLLECTION, Payment, REFUND_REASONS,
};

use crate::payment::{PaymentProgress, collections_of};

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
        let (collections, due) = (collections_of(view, &order.id)?, order.due(&order.totals()));
        let is_bought = !ORDER_CART.rights(view, &order.id)?.is_empty();
        if collections.is_empty() && is_bought && !due.is_zero() {
            let found = format!("no payment for {due} {}", order.currency_code);
            it.wrong("order.unpaid", ORDER, &order.id, found, "a payment collection");
        }
        let (found, expected) = (stored(&order), PaymentProgress::of(&collections, order.paid_elsewhere));
        // A module may place an order that was paid elsewhere.
        if found != expected && !collections.is_empty() {
            it.wrong("order.payment", ORDER, &order.id, text(&found), text(&expected));
        }
        for collection in collections.iter().filter(|it| it.currency_code != order.currency_code) {
            let found = format!("{} in {}", collection.id, collection.currency_code);
            it.wrong("order.currency", ORDER, &order.id, found, order.currency_code.as_str());
        }
        let is_odd = |it: &&OrderCreditLine| it.version > order.version || *it.order_id != *order.id;
        for line in order.credit_lines.iter().filter(is_odd) {
            let found = format!("credit of version {} of `{}`", line.version, line.order_id);
            let expected = format!("version {} at most", order.version);
            it.wrong("order.credit", ORDER, &order.id, found, expected);
        }
        Ok(())
    })
}

/// What an order says of its payments.
fn stored(order: &Order) -> PaymentProgress {
    PaymentProgress { status: order.payment_status, paid: order.paid_total, refunded: order.refunded_total }
}

fn text(PaymentProgress { status, paid, refunded }: &PaymentProgress) -> String {
    format!("{}, {paid} paid, {refunded} refunded", status.as_str())
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
        let live: Vec<&Payment> = payments.iter().filter(|it| it.canceled_at.is_none()).collect();
        let authorized: Decimal = live.iter().map(|it| it.amount).sum();
        if authorized > collection.amount {
            let (found, expected) = (authorized.to_string(), format!("{} at most", collection.amount));
            it.wrong("payment.asked", PAYMENT_COLLECTION, &collection.id, found, expected);
        }
        if live.len() > 1 {
            let found: Vec<&str> = live.iter().map(|it| &*it.id).collect();
            it.wrong("payment.twice", PAYMENT_COLLECTION, &collection.id, found.join(", "), "one payment");
        }
        Ok(())
    })?;
    it.rows(&PAYMENTS.table, |it, payment| {
        if payment.captured() > payment.amount || payment.refunded() > payment.captured() {
            let (amount, captured, refunded) = (payment.amount, payment.captured(), payment.refunded());
            let found = format!("{captured} captured and {refunded} refunded of {amount}");
            let expected = "no more captured than authorised, and no more refunded than captured";
            it.wrong("payment.beyond", "payment", &payment.id, found, expected);
        }
        if PAYMENT_COLLECTIONS.get(view, &payment.payment_collection_id)?.is_none() {
            let found = format!("a payment for `{}`", payment.payment_collection_id);
            it.wrong("payment.orphaned", "payment", &payment.id, found, "a collection that is there");
        }
        for reason in payment.refunds.iter().filter_map(|it| it.refund_reason_id.as_deref()) {
            let reasons = &REFUND_REASONS.table;
            if !reasons.exists(view, reason)? && reasons.get_deleted(view, reason)?.is_none() {
                let (found, expected) = (format!("a refund for `{reason}`"), "a reason, perhaps deleted");
                it.wrong("payment.reason", "payment", &payment.id, found, expected);
            }
        }
        Ok(())
    })
}
