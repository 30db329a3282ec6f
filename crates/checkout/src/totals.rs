//! Totals of carts and orders, and their names on the wire.

use atoll_kernel::{
    Decimal,
    data::{Exact, FieldKind, FieldValue},
};

/// The names of all totals of a cart or an order.
pub const TOTALS: &[&str] = &[
    "total", "subtotal", "tax_total", "discount_total", "discount_subtotal", "discount_tax_total",
    "original_total", "original_subtotal", "original_tax_total", "item_total", "item_subtotal",
    "item_tax_total", "item_discount_total", "original_item_total", "original_item_subtotal",
    "original_item_tax_total", "shipping_total", "shipping_subtotal", "shipping_tax_total",
    "shipping_discount_total", "original_shipping_tax_total", "original_shipping_subtotal",
    "original_shipping_total", "credit_line_subtotal", "credit_line_tax_total", "credit_line_total",
];

/// The names of the totals of a line, each with that of its exact `raw_` twin.
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

/// The total `name` of a line or a cart whose items cost `total`. There is no module for taxes, shipping or
/// discounts yet: their totals are zero, and all others are the price of the items.
pub fn part_of_total(name: &str, total: Decimal) -> Decimal {
    let is_of_others = ["tax", "discount", "shipping", "credit"].iter().any(|other| name.contains(other));
    if is_of_others { Decimal::ZERO } else { total }
}

/// What a total holds, and its description, for OpenAPI: of a cart, an order or a line.
pub fn total_field(name: &str) -> (FieldKind, &'static str) {
    let text = match name {
        _ if name.starts_with("raw_") => return (Exact::KIND, ""),
        _ if name.contains("discount") => "Discounts. Zero: there is no module for them yet.",
        _ if name.contains("credit") => "Credit. Zero: there is no module for it yet.",
        _ if name.contains("shipping") => "Shipping. Zero: there is no module for it yet.",
        _ if name.contains("tax") => "Taxes. Zero: there is no module for them yet.",
        _ if name.contains("original") => {
            "The price of the items without discounts: unit price times quantity."
        }
        _ => "The price of the items: unit price times quantity.",
    };
    (FieldKind::Decimal, text)
}

/// What is always an empty list, which clients expect, and its description, for OpenAPI.
pub const EMPTY_FIELD: (FieldKind, &str) =
    (FieldKind::List(&FieldKind::Record), "Always empty: there is no module for it yet.");

/// The totals of a cart or an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The sum of unit price × quantity, not rounded.
    pub items: Decimal,
}

impl Totals {
    /// Sums up lines, each a unit price and a quantity.
    pub fn of(lines: impl Iterator<Item = (Decimal, Decimal)>) -> Totals {
        Totals { items: lines.map(|(unit_price, quantity)| unit_price * quantity).sum() }
    }

    /// Calls `visit` with each of [`TOTALS`] and its value.
    pub fn visit(&self, visit: &mut dyn FnMut(&'static str, Decimal)) {
        for name in TOTALS {
            visit(name, part_of_total(name, self.items));
        }
    }
}
