//! The numbers of an order, which a module may place with any: those of which totals can be computed.

use atoll_checkout::{Charged, Discount, is_rate};
use atoll_kernel::{Decimal, limits::NUMBER_DIGITS_MAX};

use crate::{Error, Order};

/// Error if a number of an order is longer than those of requests, or a rate is none.
pub(crate) fn check_numbers(order: &Order) -> Result<(), Error> {
    let lines = order.items.iter();
    let of_lines = lines.flat_map(|it| [it.unit_price, it.quantity]);
    let methods = order.shipping_methods.iter().map(|it| it.amount);
    let credit = order.credit_lines.iter().map(|it| it.amount);
    let sums = [order.paid_total, order.refunded_total];
    let is_sound = of_lines.chain(methods).chain(credit).chain(sums).all(Decimal::is_short)
        && order.items.iter().all(is_charge)
        && order.shipping_methods.iter().all(is_charge);
    if is_sound { Ok(()) } else { Err(Error::TooLarge) }
}

/// Can its discounts and its taxes be computed?
fn is_charge(charged: &impl Charged) -> bool {
    charged.rates().all(is_rate) && charged.discounts().all(is_discount)
}

/// A discount is a product or a quotient: it has more digits behind the point than a number of a request.
fn is_discount(discount: Discount) -> bool {
    let amount = discount.amount;
    amount.round(2 * NUMBER_DIGITS_MAX) == amount && amount.round(0).is_short()
}
