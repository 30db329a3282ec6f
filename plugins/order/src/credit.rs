//! Credit lines of placed orders: parts of the total that need not be paid, or were given back.

use atoll_kernel::{Decimal, Moment, Write, data::Entity};

use crate::{Error, ORDERS, Order, OrderCreditLine, service::note_change};

/// Credit lines that admins may give an order: all of them are read with it.
pub const CREDIT_LINES_MAX: usize = 1_000;

/// Checks that an order may be given this credit: up to what it owes, or if it is negative, up to what is
/// owed to the customer.
pub fn check_credit(order: &Order, amount: Decimal) -> Result<(), Error> {
    let owed = order.owed();
    let (sign, is_owed, is_too_much) = match amount.is_negative() {
        true => ("negative", owed < Decimal::ZERO, amount < owed),
        false => ("positive", owed > Decimal::ZERO, amount > owed),
    };
    match () {
        () if amount.is_zero() => Err(Error::NoCredit),
        () if order.credit_lines.len() >= CREDIT_LINES_MAX => {
            Err(Error::TooManyCredits(order.id.to_string()))
        }
        () if !is_owed => Err(Error::NothingToCredit(sign)),
        () if is_too_much => Err(Error::CreditTooMuch(sign)),
        () => Ok(()),
    }
}

/// Gives an order a credit line, as a new version of it.
pub fn add_credit(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    mut line: OrderCreditLine,
) -> Result<Order, Error> {
    line.init(at.id(), at.now());
    Ok(ORDERS.update(tx, at, id, |it: &mut Order| {
        note_change(at, it);
        line.order_id = it.id.to_string();
        line.version = it.version;
        it.credit_lines.push(line);
    })?)
}
