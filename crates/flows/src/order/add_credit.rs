//! Gives a placed order a credit line.

use atoll_kernel::{Decimal, Fault, Metadata, flow, flow::Local};
use atoll_order::{Order, OrderCreditLine, add_credit, check_credit, open_order};
use serde::Deserialize;

use crate::payment::check_digits;
use crate::points::{ORDER_UPDATED, OfOrder, OrderNow, VALIDATE_ORDER};

/// A credit line for an order.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewCredit {
    /// The order.
    pub order_id: String,
    /// How much less is to be paid; if it is negative, how much more.
    pub amount: Decimal,
    /// What gives the credit.
    pub reference: String,
    /// Its id.
    pub reference_id: String,
    /// Free data.
    pub metadata: Metadata,
}

flow! {
    /// Gives an order a credit line, as a new version of it. Errors: it is more than what is owed, by the
    /// customer or, if it is negative, to them.
    pub static CREATE_ORDER_CREDIT_LINES: Flow<NewCredit, Order> = "create-order-credit-lines" (create),
        hooks: &[&VALIDATE_ORDER, &ORDER_UPDATED];
}

fn create(flow: &mut Local<'_>, input: NewCredit) -> Result<Order, Fault> {
    let NewCredit { order_id, amount, reference, reference_id, metadata } = input;
    flow.hook(&VALIDATE_ORDER, || OfOrder::of(&order_id))?;
    let order = flow.step("create-credit-lines", |tx, at| {
        let order = open_order(tx, &order_id)?;
        check_digits(tx, &order.currency_code, amount)?;
        check_credit(&order, amount)?;
        let (reference, reference_id) = (Some(reference), Some(reference_id));
        let line =
            OrderCreditLine { reference, reference_id, amount, metadata, ..OrderCreditLine::default() };
        Ok(add_credit(tx, at, &order_id, line)?)
    })?;
    flow.hook(&ORDER_UPDATED, || OrderNow { order: order.clone() })?;
    Ok(order)
}
