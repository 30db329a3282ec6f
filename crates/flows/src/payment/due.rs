//! The amount to be paid for a cart, and its rounding to the digits of its currency, which is done by
//! [`Totals::due`](atoll_checkout::Totals::due) and nowhere else; the digits that other amounts may have.

use atoll_cart::Cart;
use atoll_kernel::{Decimal, Fault, Read, StoreError};
use atoll_payment::Payment;
use atoll_region::decimal_digits;

/// Amount to be paid for a cart. Totals are exact; money is rounded to the digits of its currency.
pub(crate) fn due(tx: &dyn Read, cart: &Cart) -> Result<Decimal, StoreError> {
    Ok(cart.totals().due(decimal_digits(tx, &cart.currency_code)?))
}

/// Checks that an amount has no more digits than its currency.
pub(crate) fn check_digits(tx: &dyn Read, currency: &str, amount: Decimal) -> Result<(), Fault> {
    match decimal_digits(tx, currency)? {
        Some(n_digits) if amount.round(n_digits) != amount => Err(Fault::invalid(format!(
            "An amount in {currency} has at most {n_digits} digits behind the point"
        ))),
        _ => Ok(()),
    }
}

/// Checks that an amount to capture or refund has no more digits than its currency. Payments made before
/// amounts were rounded may have digits of their own.
pub(crate) fn check_moved(tx: &dyn Read, payment: &Payment, amount: Decimal) -> Result<(), Fault> {
    let currency = &payment.currency_code;
    match check_digits(tx, currency, payment.amount) {
        Ok(()) => check_digits(tx, currency, amount),
        Err(_) => Ok(()),
    }
}
