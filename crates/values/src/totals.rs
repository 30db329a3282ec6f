//! What lines of goods come to, under the names of the wire.

use crate::Decimal;

/// The names of all totals, as carts and orders show them.
pub const TOTALS: &[&str] = &[
    "total", "subtotal", "tax_total", "discount_total", "discount_subtotal", "discount_tax_total",
    "original_total", "original_subtotal", "original_tax_total", "item_total", "item_subtotal",
    "item_tax_total", "item_discount_total", "original_item_total", "original_item_subtotal",
    "original_item_tax_total", "shipping_total", "shipping_subtotal", "shipping_tax_total",
    "shipping_discount_total", "original_shipping_tax_total", "original_shipping_subtotal",
    "original_shipping_total", "credit_line_subtotal", "credit_line_tax_total", "credit_line_total",
];

/// The names of what a line of a cart or an order comes to, each with that of its exact twin.
pub const LINE_TOTALS: [(&str, &str); 9] = [
    ("subtotal", "raw_subtotal"),
    ("total", "raw_total"),
    ("original_subtotal", "raw_original_subtotal"),
    ("original_total", "raw_original_total"),
    ("discount_subtotal", "raw_discount_subtotal"),
    ("discount_tax_total", "raw_discount_tax_total"),
    ("discount_total", "raw_discount_total"),
    ("tax_total", "raw_tax_total"),
    ("original_tax_total", "raw_original_tax_total"),
];

/// The part of the total of a line, or of a cart, that goes by this name: no module takes taxes, shipping or discounts yet,
/// so what the goods come to is the total, and theirs are zero.
pub fn part_of_total(name: &str, total: Decimal) -> Decimal {
    let is_of_others = ["tax", "discount", "shipping", "credit"].iter().any(|other| name.contains(other));
    if is_of_others { Decimal::ZERO } else { total }
}

/// What the goods of a cart or an order come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The sum of unit price × quantity. Nothing is rounded.
    pub items: Decimal,
}

impl Totals {
    /// The totals of lines of unit price and quantity.
    pub fn of(lines: impl Iterator<Item = (Decimal, Decimal)>) -> Totals {
        Totals { items: lines.map(|(unit_price, quantity)| unit_price * quantity).sum() }
    }

    /// Shows each of [`TOTALS`] with its value.
    pub fn visit(&self, visit: &mut dyn FnMut(&'static str, Decimal)) {
        for name in TOTALS {
            visit(name, part_of_total(name, self.items));
        }
    }
}
