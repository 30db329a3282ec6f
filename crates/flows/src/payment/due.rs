//! The amount to be paid, and its rounding to the digits of its currency. Amounts are rounded nowhere else.

use atoll_cart::Cart;
use atoll_kernel::{Decimal, Fault, Read, StoreError};
use atoll_payment::Payment;
use atoll_region::decimal_digits;

/// Amount to be paid for a cart. Totals are exact; money is rounded to the digits of its currency.
pub(crate) fn due(tx: &dyn Read, cart: &Cart) -> Result<Decimal, StoreError> {
    rounded(tx, &cart.currency_code, cart.total())
}

/// Checks that an amount to capture or refund has no more digits than its currency. Payments made before
/// amounts were rounded may have digits of their own.
pub(crate) fn check_digits(tx: &dyn Read, payment: &Payment, amount: Decimal) -> Result<(), Fault> {
    let currency = &payment.currency_code;
    let is_odd = |amount| Ok::<_, StoreError>(rounded(tx, currency, amount)? != amount);
    if !is_odd(amount)? || is_odd(payment.amount)? {
        return Ok(());
    }
    let n_digits = decimal_digits(tx, currency)?.unwrap_or_default();
    Err(Fault::invalid(format!("An amount in {currency} has at most {n_digits} digits behind the point")))
}

fn rounded(tx: &dyn Read, currency_code: &str, amount: Decimal) -> Result<Decimal, StoreError> {
    Ok(decimal_digits(tx, currency_code)?.map_or(amount, |n_digits| amount.round(n_digits)))
}
