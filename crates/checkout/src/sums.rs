//! The arithmetic of a checkout: what lines and shipping methods come to with discounts and taxes, and the
//! totals of carts and orders. Exact but for quotients; nothing is rounded to the digits of a currency.

use std::{iter::Sum, ops::Add};

use atoll_kernel::{
    Decimal,
    data::{ComputedFields, Exact, FieldKind, FieldValue},
    limits::TAX_RATE_MAX,
};

/// Digits behind the point of a quotient: of the net amount of a price that includes taxes, and of a share of
/// a discount. What remains of the whole goes to the last part, so that the parts always add up to it.
pub const QUOTIENT_DIGITS: u32 = 20;

/// What is charged for: a line, or a shipping method.
pub trait Charged {
    /// The price: unit price times quantity of a line, the amount of a shipping method.
    fn amount(&self) -> Decimal;

    /// Does the price include taxes?
    fn is_tax_inclusive(&self) -> bool;

    /// The rates of its taxes, in percent. Several add up, they do not compound.
    fn rates(&self) -> impl Iterator<Item = Decimal>;

    /// Its discounts.
    fn discounts(&self) -> impl Iterator<Item = Discount>;

    /// What it comes to.
    fn sums(&self) -> ChargeSums {
        let tax = Tax::of(self.rates());
        let original = tax.split(self.amount(), self.is_tax_inclusive());
        let discount: Split = self.discounts().map(|it| tax.split(it.amount, it.is_tax_inclusive)).sum();
        ChargeSums {
            subtotal: original.net,
            total: original.gross() - discount.gross(),
            original_subtotal: original.net,
            original_total: original.gross(),
            discount_subtotal: discount.net,
            discount_tax_total: discount.tax,
            discount_total: discount.gross(),
            tax_total: original.tax - discount.tax,
            original_tax_total: original.tax,
        }
    }
}

/// A discount on a line or a shipping method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Discount {
    /// How much less is charged.
    pub amount: Decimal,
    /// Does the amount include taxes?
    pub is_tax_inclusive: bool,
}

/// The taxes of a charge: all rates together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tax {
    rate: Decimal,
}

impl Tax {
    /// Taxes of these rates, in percent.
    pub fn of(rates: impl Iterator<Item = Decimal>) -> Tax {
        Tax { rate: rates.sum::<Decimal>().percent() }
    }

    /// Splits an amount into what is due without taxes, and the taxes.
    ///
    /// Panics on overflow, as every operator on decimals: amounts and rates were checked where they came from
    /// (requests, providers, hooks, modules that place orders).
    pub fn split(self, amount: Decimal, is_tax_inclusive: bool) -> Split {
        if !is_tax_inclusive {
            return Split { net: amount, tax: amount * self.rate };
        }
        if self.rate.is_zero() {
            return Split { net: amount, tax: Decimal::ZERO };
        }
        let net = amount.quotient(Decimal::ONE + self.rate, QUOTIENT_DIGITS);
        let net = net.expect("overflow of an amount without its taxes");
        Split { net, tax: amount - net }
    }
}

/// Is this a rate of a tax, in percent? It is between 0 and [`TAX_RATE_MAX`], so that no total is negative,
/// and no longer than a number of a request, so that totals have room for their digits.
pub fn is_rate(rate: Decimal) -> bool {
    !rate.is_negative() && rate <= Decimal::from(TAX_RATE_MAX) && rate.is_short()
}

/// An amount without its taxes, and these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Without taxes.
    pub net: Decimal,
    /// The taxes.
    pub tax: Decimal,
}

impl Split {
    /// With taxes.
    pub fn gross(self) -> Decimal {
        self.net + self.tax
    }
}

impl Sum for Split {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Split::default(), |sum, it| Split { net: sum.net + it.net, tax: sum.tax + it.tax })
    }
}

/// Shares a tax out to its rates, in proportion; the last takes the rest.
pub fn shares(whole: Decimal, rates: &[Decimal]) -> Vec<Decimal> {
    let sum: Decimal = rates.iter().copied().sum();
    let mut rest = whole;
    let share = |(n, rate): (usize, &Decimal)| {
        let is_last = n + 1 == rates.len();
        let exact = || (whole * *rate).quotient(sum, QUOTIENT_DIGITS);
        // Beyond the digits that a decimal has, the quotient comes first.
        let coarse = || Some((whole.quotient(sum, QUOTIENT_DIGITS)? * *rate).round(QUOTIENT_DIGITS));
        let share = if is_last { rest } else { exact().or_else(coarse).unwrap_or_default() };
        rest -= share;
        share
    };
    rates.iter().enumerate().map(share).collect()
}

/// Defines sums by the names of the wire, with a `raw_…` twin of each name.
macro_rules! sums {
    (
        $(#[$meta:meta])* pub struct $Sums:ident, $(#[$names_meta:meta])* pub const $NAMES:ident {
            $( $(#[doc = $text:literal])+ $name:ident, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $Sums {
            $( $(#[doc = $text])+ pub $name: Decimal, )*
        }

        $(#[$names_meta])*
        pub const $NAMES: [(&str, &str); [$( stringify!($name) ),*].len()] =
            [$( (stringify!($name), concat!("raw_", stringify!($name))) ),*];

        impl $Sums {
            /// Calls `visit` with the names of each sum and its value.
            pub fn visit(&self, visit: &mut dyn FnMut((&'static str, &'static str), Decimal)) {
                $( visit((stringify!($name), concat!("raw_", stringify!($name))), self.$name); )*
            }

            /// What a sum is, for OpenAPI; none of another name.
            pub fn text(name: &str) -> Option<&'static str> {
                match name {
                    $( stringify!($name) => Some(concat!($($text),+).trim_ascii_start()), )*
                    _ => None,
                }
            }
        }
    };
}

sums! {
    /// What a line or a shipping method comes to.
    pub struct ChargeSums,
    /// The names of its sums on the wire, each with that of its exact twin.
    pub const CHARGE_SUMS {
        /// Without discounts and taxes.
        subtotal,
        /// With discounts and taxes.
        total,
        /// Without discounts and taxes.
        original_subtotal,
        /// With taxes, without discounts.
        original_total,
        /// The discounts, without taxes.
        discount_subtotal,
        /// The taxes on the discounts.
        discount_tax_total,
        /// The discounts, with taxes.
        discount_total,
        /// The taxes, after discounts.
        tax_total,
        /// The taxes without discounts.
        original_tax_total,
    }
}

impl Add for ChargeSums {
    type Output = ChargeSums;

    fn add(self, other: ChargeSums) -> ChargeSums {
        ChargeSums {
            subtotal: self.subtotal + other.subtotal,
            total: self.total + other.total,
            original_subtotal: self.original_subtotal + other.original_subtotal,
            original_total: self.original_total + other.original_total,
            discount_subtotal: self.discount_subtotal + other.discount_subtotal,
            discount_tax_total: self.discount_tax_total + other.discount_tax_total,
            discount_total: self.discount_total + other.discount_total,
            tax_total: self.tax_total + other.tax_total,
            original_tax_total: self.original_tax_total + other.original_tax_total,
        }
    }
}

impl Sum for ChargeSums {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(ChargeSums::default(), Add::add)
    }
}

sums! {
    /// The totals of a cart or an order.
    pub struct Totals,
    /// The names of all totals of a cart or an order on the wire, each with that of its exact twin.
    pub const TOTALS {
        /// What is to be paid: items and shipping with discounts and taxes, without credit.
        total,
        /// Items and shipping, without discounts and taxes.
        subtotal,
        /// The taxes, after discounts.
        tax_total,
        /// The discounts, with taxes.
        discount_total,
        /// The discounts, without taxes.
        discount_subtotal,
        /// The taxes on the discounts.
        discount_tax_total,
        /// Items and shipping with taxes, without discounts.
        original_total,
        /// Items and shipping, without discounts and taxes.
        original_subtotal,
        /// The taxes without discounts.
        original_tax_total,
        /// The items with discounts and taxes.
        item_total,
        /// The items without discounts and taxes.
        item_subtotal,
        /// The taxes of the items, after discounts.
        item_tax_total,
        /// The discounts on items, with taxes.
        item_discount_total,
        /// The items with taxes, without discounts.
        original_item_total,
        /// The items without discounts and taxes.
        original_item_subtotal,
        /// The taxes of the items without discounts.
        original_item_tax_total,
        /// Shipping with discounts and taxes.
        shipping_total,
        /// Shipping without discounts and taxes.
        shipping_subtotal,
        /// The taxes of shipping, after discounts.
        shipping_tax_total,
        /// The discounts on shipping, with taxes.
        shipping_discount_total,
        /// The taxes of shipping without discounts.
        original_shipping_tax_total,
        /// Shipping without discounts and taxes.
        original_shipping_subtotal,
        /// Shipping with taxes, without discounts.
        original_shipping_total,
        /// What is paid by credit.
        credit_line_subtotal,
        /// Taxes of credit: always zero.
        credit_line_tax_total,
        /// What is paid by credit.
        credit_line_total,
    }
}

/// The names of the exact twins of [`TOTALS`].
pub const RAW_TOTALS: [&str; TOTALS.len()] = {
    let mut names = [""; TOTALS.len()];
    let mut n = 0;
    while n < names.len() {
        names[n] = TOTALS[n].1;
        n += 1;
    }
    names
};

impl Totals {
    /// Shows each total and its exact twin.
    pub fn show(&self, shown: &mut ComputedFields<'_>) {
        self.visit(&mut |names, sum| show_sum(names, sum, shown));
    }

    /// What is to be paid, rounded to the digits of the currency, where these are known. Credit is money: it
    /// is taken off what is rounded, so that giving back what was paid leaves nothing.
    pub fn due(&self, n_digits: Option<u32>) -> Decimal {
        let credit = self.credit_line_total;
        n_digits.map_or(self.total, |n_digits| (self.total + credit).round(n_digits) - credit.round(n_digits))
    }

    /// The totals of lines, shipping methods and credit.
    pub fn of<'a, L: Charged + 'a, S: Charged + 'a>(
        lines: impl IntoIterator<Item = &'a L>,
        shipping: impl IntoIterator<Item = &'a S>,
        credit: Decimal,
    ) -> Totals {
        let items: ChargeSums = lines.into_iter().map(Charged::sums).sum();
        let shipping: ChargeSums = shipping.into_iter().map(Charged::sums).sum();
        let all = items + shipping;
        Totals {
            total: all.total - credit,
            subtotal: all.subtotal,
            tax_total: all.tax_total,
            discount_total: all.discount_total,
            discount_subtotal: all.discount_subtotal,
            discount_tax_total: all.discount_tax_total,
            original_total: all.original_total,
            original_subtotal: all.original_subtotal,
            original_tax_total: all.original_tax_total,
            item_total: items.total,
            item_subtotal: items.subtotal,
            item_tax_total: items.tax_total,
            item_discount_total: items.discount_total,
            original_item_total: items.original_total,
            original_item_subtotal: items.original_subtotal,
            original_item_tax_total: items.original_tax_total,
            shipping_total: shipping.total,
            shipping_subtotal: shipping.subtotal,
            shipping_tax_total: shipping.tax_total,
            shipping_discount_total: shipping.discount_total,
            original_shipping_tax_total: shipping.original_tax_total,
            original_shipping_subtotal: shipping.original_subtotal,
            original_shipping_total: shipping.original_total,
            credit_line_subtotal: credit,
            credit_line_tax_total: Decimal::ZERO,
            credit_line_total: credit,
        }
    }
}

/// Shows a sum by its name, and exactly by that of its twin.
pub fn show_sum((name, raw): (&'static str, &'static str), sum: Decimal, shown: &mut ComputedFields<'_>) {
    shown.field(name, sum.nearest());
    shown.field(raw, sum.raw());
}

/// What a sum of a charge, or its exact twin, holds, and its description, for OpenAPI.
pub fn charge_field(name: &str) -> (FieldKind, &'static str) {
    ChargeSums::text(name).map_or((Exact::KIND, ""), |text| (FieldKind::Decimal, text))
}

/// What a total of a cart or an order, or its exact twin, holds, and its description, for OpenAPI.
pub fn total_field(name: &str) -> (FieldKind, &'static str) {
    Totals::text(name).map_or((Exact::KIND, ""), |text| (FieldKind::Decimal, text))
}

#[cfg(test)]
mod tests;
