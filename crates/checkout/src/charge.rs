//! Records that are charged for, lines and shipping methods: what is charged, and setting their taxes and
//! discounts.

use atoll_kernel::{
    Decimal, Moment,
    data::{ComputedFields, Entity},
};

use crate::{
    Adjustment, Charged, Tax, TaxLine,
    sums::{shares, show_sum},
};

/// The relations of which the sums of a line or a shipping method are made.
pub const CHARGE_PARTS: [&str; 2] = ["tax_lines", "adjustments"];

/// Says of a record with the fields `is_tax_inclusive`, `tax_lines` and `adjustments` what is charged for it.
#[macro_export]
macro_rules! charged {
    ($Name:ident, |$it:ident| $amount:expr) => {
        impl $crate::Charged for $Name {
            fn amount(&self) -> $crate::kernel::Decimal {
                let $it = self;
                $amount
            }

            fn is_tax_inclusive(&self) -> bool {
                self.is_tax_inclusive
            }

            fn rates(&self) -> impl Iterator<Item = $crate::kernel::Decimal> {
                self.tax_lines.iter().map(|it| it.rate)
            }

            fn discounts(&self) -> impl Iterator<Item = $crate::Discount> {
                self.adjustments.iter().map($crate::AdjustmentRecord::discount)
            }
        }
    };
}

/// A record that is charged for, whose taxes and discounts can be set: a line or a shipping method of a cart.
pub trait ChargeRecord: Charged + Entity {
    /// Its taxes.
    fn taxes(&self) -> Vec<TaxLine>;

    /// Sets its taxes and its discounts, with their sums. What stays as it is keeps its id.
    fn set_parts(&mut self, at: &Moment, taxes: Vec<TaxLine>, discounts: Vec<Adjustment>);
}

/// Makes a record a [`ChargeRecord`] with taxes and discounts of these types; [`charged!`] says what is
/// charged.
#[macro_export]
macro_rules! charge_parts {
    ($Name:ident, $TaxLine:ident, $Adjustment:ident) => {
        impl $crate::ChargeRecord for $Name {
            fn taxes(&self) -> Vec<$crate::TaxLine> {
                self.tax_lines.iter().map(|it| it.plain()).collect()
            }

            fn set_parts(
                &mut self,
                at: &$crate::kernel::Moment,
                mut taxes: Vec<$crate::TaxLine>,
                mut discounts: Vec<$crate::Adjustment>,
            ) {
                use $crate::Charged as _;
                $crate::sum_parts(self.amount(), self.is_tax_inclusive(), &mut taxes, &mut discounts);
                let id = self.id.to_string();
                let taxes = taxes.into_iter().map(|it| $TaxLine::of(&id, it)).collect();
                $crate::set_records(at, &mut self.tax_lines, taxes, |a, b| a.plain() == b.plain());
                let discounts = discounts.into_iter().map(|it| $Adjustment::of(&id, it)).collect();
                $crate::set_records(at, &mut self.adjustments, discounts, |a, b| a.plain() == b.plain());
            }
        }
    };
}

/// Sets the sums of taxes and discounts of a charge.
#[doc(hidden)]
pub fn sum_parts(
    amount: Decimal,
    is_tax_inclusive: bool,
    taxes: &mut [TaxLine],
    discounts: &mut [Adjustment],
) {
    let rates: Vec<Decimal> = taxes.iter().map(|it| it.rate).collect();
    let tax = Tax::of(rates.iter().copied());
    let original = tax.split(amount, is_tax_inclusive).tax;
    let mut discounted = Decimal::ZERO;
    for it in discounts {
        let split = tax.split(it.discount.amount, it.discount.is_tax_inclusive);
        (it.subtotal, it.total) = (split.net, split.gross());
        discounted += split.tax;
    }
    let (subtotals, totals) = (shares(original, &rates), shares(original - discounted, &rates));
    for (it, (subtotal, total)) in taxes.iter_mut().zip(subtotals.into_iter().zip(totals)) {
        (it.subtotal, it.total) = (subtotal, total);
    }
}

/// Replaces records within another one. One that is the same as that at its place stays.
#[doc(hidden)]
pub fn set_records<E: Entity>(
    at: &Moment,
    there: &mut Vec<E>,
    new: Vec<E>,
    is_same: impl Fn(&E, &E) -> bool,
) {
    let mut old = std::mem::take(there).into_iter();
    there.extend(new.into_iter().map(|mut new| match old.next() {
        Some(old) if is_same(&old, &new) => old,
        _ => {
            new.init(at.id(), at.now());
            new
        }
    }));
}

/// Computes the sums of a line or a shipping method.
pub fn compute_charge(charged: &impl Charged, shown: &mut ComputedFields<'_>) {
    charged.sums().visit(&mut |names, sum| show_sum(names, sum, shown));
}
