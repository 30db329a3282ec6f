//! The lines of an order, with their quantities and totals.

use atoll_checkout::{
    ADJUSTMENT_COMPUTED, CHARGE_PARTS, CHARGE_SUMS, Charged, ORDER_TAX_LINE_COMPUTED, QUOTIENT_DIGITS,
    TAX_LINE_SUMS, adjustment, adjustment_field, charge_field, charged, compute_adjustment, compute_charge,
    compute_tax_line, line, show_sum, tax_line, tax_line_field,
};
use atoll_kernel::{
    Decimal, Metadata,
    data::{ComputedFields, Exact, FieldKind, FieldValue, flattened, joined},
    entity,
    serde::{Deserialize, Serialize},
    stored,
};

line! {
    /// A line of an order: a variant, with a copy of its details at the time when it was bought.
    pub struct OrderLineItem = "order_line_item" / "order_line_items", "ordli" {
        /// Taxes.
        pub tax_lines: Vec<OrderLineItemTaxLine>,
        /// Discounts.
        pub adjustments: Vec<OrderLineItemAdjustment>,
        /// Quantities by inventory item that were reserved for the whole line when the order was placed, even
        /// if the variant has changed since. Empty if its stock is not managed, and in rows from before there
        /// was this field: such a line takes what is reserved for it manually.
        pub takes: Vec<LineTake>,
        /// Fulfilled and returned quantities.
        pub detail: Option<OrderItem>,
    }
    hidden [takes]
    embeds [
        many tax_lines: OrderLineItemTaxLine,
        many adjustments: OrderLineItemAdjustment,
        one detail: OrderItem,
    ]
    computed LINE_COMPUTED by compute_line as line_field
    on_request ON_REQUEST
}

charged! { OrderLineItem, |it| it.unit_price * it.quantity }

tax_line! {
    /// A tax on a line of an order.
    pub struct OrderLineItemTaxLine = "order_line_item_tax_line" / "order_line_item_tax_lines", "ordlitxl" {
        pub item_id: String
    }
    computed ORDER_TAX_LINE_COMPUTED
}

adjustment! {
    /// A discount on a line of an order.
    pub struct OrderLineItemAdjustment =
        "order_line_item_adjustment" / "order_line_item_adjustments", "ordliadj" {
        pub item_id: String,
        /// The version of the order.
        pub version: u32 = 1
    }
    hidden [metadata]
}

stored! {
    /// The quantity of an inventory item that the whole line takes.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(crate = "::atoll_kernel::serde")]
    pub struct LineTake {
        /// Id of the inventory item.
        pub inventory_item_id: String,
        /// Quantity for the whole line.
        pub quantity: Decimal,
    }
}

impl OrderLineItem {
    /// The fulfilled quantity.
    pub fn fulfilled(&self) -> Decimal {
        self.detail.as_ref().map_or(Decimal::ZERO, |it| it.fulfilled_quantity)
    }

    /// The quantity that was handed to a carrier.
    pub fn shipped(&self) -> Decimal {
        self.detail.as_ref().map_or(Decimal::ZERO, |it| it.shipped_quantity)
    }

    /// The quantity that was delivered.
    pub fn delivered(&self) -> Decimal {
        self.detail.as_ref().map_or(Decimal::ZERO, |it| it.delivered_quantity)
    }

    /// The quantity that is not fulfilled yet.
    pub fn open(&self) -> Decimal {
        self.quantity - self.fulfilled()
    }
}

/// The name of a sum, that of its exact twin, and how it is calculated from the total of the line.
type Sum = (&'static str, &'static str, fn(&OrderLineItem, Decimal) -> Decimal);

/// Sums by state of a line. No module handles returns yet: their sums are zero.
const SUMS: [Sum; 8] = [
    ("refundable_total_per_unit", "raw_refundable_total_per_unit", |it, total| {
        share(it, total, Decimal::ONE)
    }),
    ("refundable_total", "raw_refundable_total", |_, total| total),
    ("fulfilled_total", "raw_fulfilled_total", |it, total| share(it, total, it.fulfilled())),
    ("shipped_total", "raw_shipped_total", |it, total| share(it, total, it.shipped())),
    ("return_requested_total", "raw_return_requested_total", nothing),
    ("return_received_total", "raw_return_received_total", nothing),
    ("return_dismissed_total", "raw_return_dismissed_total", nothing),
    ("write_off_total", "raw_write_off_total", nothing),
];

/// The names of all sums of a line, each with that of its exact twin.
const LINE_SUMS: [&str; 2 * (CHARGE_SUMS.len() + SUMS.len())] = {
    let mut pairs = [("", ""); CHARGE_SUMS.len() + SUMS.len()];
    let mut n = 0;
    while n < pairs.len() {
        pairs[n] = match n.checked_sub(CHARGE_SUMS.len()) {
            None => CHARGE_SUMS[n],
            Some(sum) => (SUMS[sum].0, SUMS[sum].1),
        };
        n += 1;
    }
    flattened(&pairs)
};

/// The exact twins of its own fields, and what the wire shows twice.
const MORE: [&str; 5] = [
    "raw_unit_price", "raw_compare_at_unit_price", "raw_quantity", "variant_option_values",
    "line_item_metadata",
];

const LINE_COMPUTED: &[&str] = joined![LINE_SUMS, MORE];

/// What a star shows only with the totals of the order: the sums, and what they are made of.
const ON_REQUEST: &[&str] = joined![LINE_SUMS, CHARGE_PARTS];

fn nothing(_: &OrderLineItem, _: Decimal) -> Decimal {
    Decimal::ZERO
}

/// What a quantity of the line comes to.
fn share(line: &OrderLineItem, total: Decimal, quantity: Decimal) -> Decimal {
    match quantity == line.quantity {
        true => total,
        false => (total * quantity).quotient(line.quantity, QUOTIENT_DIGITS).unwrap_or_default(),
    }
}

/// What the computed fields of a line hold.
fn line_field(name: &str) -> (FieldKind, &'static str) {
    let text = match name {
        "raw_compare_at_unit_price" => return (<Option<Exact>>::KIND, ""),
        "variant_option_values" => return (FieldKind::OrNull(&FieldKind::Record), "Always null."),
        "line_item_metadata" => return (Metadata::KIND, "The metadata again."),
        "refundable_total_per_unit" => "What a unit costs.",
        "refundable_total" => "What the line costs.",
        "fulfilled_total" => "What the fulfilled quantity costs.",
        "shipped_total" => "What the shipped quantity costs.",
        _ if SUMS.iter().any(|it| it.0 == name) => "Zero: no module takes goods back yet.",
        _ => return charge_field(name),
    };
    (FieldKind::Decimal, text)
}

fn compute_line(line: &OrderLineItem, shown: &mut ComputedFields<'_>) {
    compute_charge(line, shown);
    let total = line.sums().total;
    SUMS.iter().for_each(|(name, raw, sum)| show_sum((name, raw), sum(line, total), shown));
    shown.field("raw_unit_price", line.unit_price.raw());
    shown.field("raw_compare_at_unit_price", line.compare_at_unit_price.map(|it| it.raw()));
    shown.field("raw_quantity", line.quantity.raw());
    shown.field("variant_option_values", ());
    shown.field("line_item_metadata", &line.metadata);
}

entity! {
    /// Quantities of a line, as of a version of its order.
    pub struct OrderItem = "order_item" / "order_items", "orditem" {
        /// The version of the order.
        pub version: u32 = 1,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// The order.
        pub order_id: String,
        /// The line.
        pub item_id: String,
        /// Price of one since that version; null in the first.
        pub unit_price: Option<Decimal>,
        /// The former price of one, shown as crossed out; null in the first version.
        pub compare_at_unit_price: Option<Decimal>,
        /// Number of units.
        pub quantity: Decimal,
        /// The fulfilled quantity.
        pub fulfilled_quantity: Decimal,
        /// The quantity that was handed to a carrier.
        pub shipped_quantity: Decimal,
        /// The quantity that was delivered.
        pub delivered_quantity: Decimal,
    }
    computed ITEM_COMPUTED by compute_item as item_field
}

/// Quantities that are always zero: there are no returns yet.
const UNCOUNTED: [(&str, &str); 4] = [
    ("return_requested_quantity", "raw_return_requested_quantity"),
    ("return_received_quantity", "raw_return_received_quantity"),
    ("return_dismissed_quantity", "raw_return_dismissed_quantity"),
    ("written_off_quantity", "raw_written_off_quantity"),
];

/// The exact twins of its own fields.
const TWINS: [&str; 6] = [
    "raw_unit_price", "raw_compare_at_unit_price", "raw_quantity", "raw_fulfilled_quantity",
    "raw_shipped_quantity", "raw_delivered_quantity",
];

const ITEM_COMPUTED: &[&str] = joined![flattened::<{ 2 * UNCOUNTED.len() }>(&UNCOUNTED), TWINS];

/// What the computed fields of the quantities hold.
fn item_field(name: &str) -> (FieldKind, &'static str) {
    match name {
        "raw_unit_price" | "raw_compare_at_unit_price" => (<Option<Exact>>::KIND, ""),
        _ if name.starts_with("raw_") => (Exact::KIND, ""),
        _ => (FieldKind::Decimal, "Zero: there are no returns yet."),
    }
}

fn compute_item(item: &OrderItem, shown: &mut ComputedFields<'_>) {
    for (name, raw) in UNCOUNTED {
        shown.field(name, Decimal::ZERO);
        shown.field(raw, Decimal::ZERO.raw());
    }
    shown.field("raw_unit_price", item.unit_price.map(|it| it.raw()));
    shown.field("raw_compare_at_unit_price", item.compare_at_unit_price.map(|it| it.raw()));
    shown.field("raw_quantity", item.quantity.raw());
    shown.field("raw_fulfilled_quantity", item.fulfilled_quantity.raw());
    shown.field("raw_shipped_quantity", item.shipped_quantity.raw());
    shown.field("raw_delivered_quantity", item.delivered_quantity.raw());
}
