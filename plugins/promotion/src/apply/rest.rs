//! What is left of the price of a line or a shipping method after discounts, with and without taxes.
//! Quotients are rounded down, so that no discount is larger than what it is taken from.

use atoll_checkout::{Priced, QUOTIENT_DIGITS};
use atoll_kernel::Decimal;

/// What is left of a price. The two amounts are kept side by side, so that discounts of one kind add up
/// without a quotient; after a discount the other amount is that in proportion, rounded down.
pub(super) struct Rest<'a> {
    pub(super) priced: &'a Priced,
    net: Decimal,
    gross: Decimal,
}

impl<'a> Rest<'a> {
    pub(super) fn of(priced: &'a Priced) -> Rest<'a> {
        let at_least_zero = |it: Decimal| Decimal::ZERO.max(it);
        Rest { priced, net: at_least_zero(priced.subtotal), gross: at_least_zero(priced.total) }
    }

    /// What is left, with or without taxes.
    pub(super) fn amount(&self, is_tax_inclusive: bool) -> Decimal {
        if is_tax_inclusive { self.gross } else { self.net }
    }

    /// What is left of this number of units, each of which has the same share.
    pub(super) fn of_units(&self, n_units: Decimal, is_tax_inclusive: bool) -> Decimal {
        let amount = self.amount(is_tax_inclusive);
        match n_units >= self.priced.quantity {
            true => amount,
            false => share(amount, n_units, self.priced.quantity).min(amount),
        }
    }

    /// Takes a discount, which is not larger than what is left.
    pub(super) fn take(&mut self, amount: Decimal, is_tax_inclusive: bool) {
        let Priced { subtotal, total, .. } = self.priced;
        let (this, other) = match is_tax_inclusive {
            true => ((&mut self.gross, *total), (&mut self.net, *subtotal)),
            false => ((&mut self.net, *subtotal), (&mut self.gross, *total)),
        };
        *this.0 -= amount;
        *other.0 = if this.1 == other.1 { *this.0 } else { share(*this.0, other.1, this.1).min(*other.0) };
    }
}

/// `whole × part ÷ of`, rounded down; zero if `of` is zero.
pub(super) fn share(whole: Decimal, part: Decimal, of: Decimal) -> Decimal {
    let exact = whole.checked_mul(part).and_then(|it| it.checked_div(of, QUOTIENT_DIGITS));
    // Beyond the digits that a decimal has, the quotient comes first, which rounds down further.
    let coarse = || {
        whole.checked_div(of, QUOTIENT_DIGITS)?.checked_mul(part)?.checked_div(Decimal::ONE, QUOTIENT_DIGITS)
    };
    exact.or_else(coarse).unwrap_or_default()
}

/// This percentage of an amount, rounded down.
pub(super) fn percent(amount: Decimal, percentage: Decimal) -> Decimal {
    share(amount, percentage, Decimal::from(100_u64))
}
