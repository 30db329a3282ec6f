//! The lines of an order.

use atoll_kernel::{
    Decimal, FieldValue, LINE_TOTALS, Metadata, entity, part_of_total,
    serde::{Deserialize, Serialize},
    serde_json::{Value, json},
};

entity! {
    /// Some of a variant, as it was when it was bought.
    pub struct OrderLineItem = "order_line_item" / "order_line_items", "ordli" {
        /// The title of the product.
        pub title: String,
        /// The title of the variant.
        pub subtitle: Option<String>,
        /// The URL of a small picture.
        pub thumbnail: Option<String>,
        /// How many.
        pub quantity: Decimal,
        /// The variant, by its id.
        pub variant_id: Option<String>,
        /// The product, by its id.
        pub product_id: Option<String>,
        /// The title of the product.
        pub product_title: Option<String>,
        /// The description of the product.
        pub product_description: Option<String>,
        /// The subtitle of the product.
        pub product_subtitle: Option<String>,
        /// The type of the product.
        pub product_type: Option<String>,
        /// The type of the product, by its id.
        pub product_type_id: Option<String>,
        /// The title of the product's collection.
        pub product_collection: Option<String>,
        /// The handle of the product.
        pub product_handle: Option<String>,
        /// The SKU of the variant.
        pub variant_sku: Option<String>,
        /// The barcode of the variant.
        pub variant_barcode: Option<String>,
        /// The title of the variant.
        pub variant_title: Option<String>,
        /// Is it a voucher?
        pub is_giftcard: bool,
        /// Must it be sent?
        pub requires_shipping: bool = true,
        /// May it be discounted?
        pub is_discountable: bool = true,
        /// Does the price contain the taxes?
        pub is_tax_inclusive: bool,
        /// Was the price set by hand?
        pub is_custom_price: bool,
        /// What one cost, in units of the order's currency.
        pub unit_price: Decimal,
        /// What one cost before.
        pub compare_at_unit_price: Option<Decimal>,
        /// Free data.
        pub metadata: Metadata,
        /// What was promised to it when it was placed: all of the line takes so much of each item, whatever its variant
        /// takes today. Empty where nothing of it was counted, and in rows that were written before this was kept: such a
        /// line takes what was promised to it by hand.
        pub takes: Vec<LineTake>,
        /// What has become of it.
        pub detail: Option<OrderItem>,
    }
    hidden [takes]
    embeds [one detail: OrderItem]
    computed LINE_COMPUTED by compute_line
    on_request ON_REQUEST
}

/// How much of an inventory item all of a line takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "::atoll_kernel::serde")]
pub struct LineTake {
    /// The item, by its id: it belongs to another module.
    pub inventory_item_id: String,
    /// How much of it.
    pub quantity: Decimal,
}

impl OrderLineItem {
    /// What it comes to.
    pub fn total(&self) -> Decimal {
        self.unit_price * self.quantity
    }

    /// How many of it were sent.
    pub fn fulfilled(&self) -> Decimal {
        self.detail.as_ref().map_or(Decimal::ZERO, |it| it.fulfilled_quantity)
    }

    /// How many of it are still to be sent.
    pub fn open(&self) -> Decimal {
        self.quantity - self.fulfilled()
    }
}

/// The name of a sum, that of its exact twin, and how it is reckoned.
type Sum = (&'static str, &'static str, fn(&OrderLineItem) -> Decimal);

/// What becomes of it, in money. No module takes goods back yet: that is zero.
const SUMS: [Sum; 8] = [
    ("refundable_total_per_unit", "raw_refundable_total_per_unit", |it| it.unit_price),
    ("refundable_total", "raw_refundable_total", OrderLineItem::total),
    ("fulfilled_total", "raw_fulfilled_total", |it| it.unit_price * it.fulfilled()),
    ("shipped_total", "raw_shipped_total", nothing),
    ("return_requested_total", "raw_return_requested_total", nothing),
    ("return_received_total", "raw_return_received_total", nothing),
    ("return_dismissed_total", "raw_return_dismissed_total", nothing),
    ("write_off_total", "raw_write_off_total", nothing),
];

/// The exact twins of its own fields, lists of modules that are not there, and what the wire shows twice.
const MORE: [&str; 7] = [
    "tax_lines", "adjustments", "raw_unit_price", "raw_compare_at_unit_price", "raw_quantity",
    "variant_option_values", "line_item_metadata",
];

/// How many totals and sums a line has, each with its twin.
const N_SUMS: usize = 2 * (LINE_TOTALS.len() + SUMS.len());

const LINE_COMPUTED: &[&str] = &{
    let mut names = [""; N_SUMS + MORE.len()];
    let mut place = 0;
    while place < LINE_TOTALS.len() {
        (names[2 * place], names[2 * place + 1]) = LINE_TOTALS[place];
        place += 1;
    }
    while 2 * place < N_SUMS {
        let (name, raw, _) = SUMS[place - LINE_TOTALS.len()];
        (names[2 * place], names[2 * place + 1]) = (name, raw);
        place += 1;
    }
    place = 0;
    while place < MORE.len() {
        names[N_SUMS + place] = MORE[place];
        place += 1;
    }
    names
};

/// What a star shows only with the totals of the order: sums, and what they are made of.
const ON_REQUEST: &[&str] = LINE_COMPUTED.split_at(N_SUMS + 2).0;

fn nothing(_: &OrderLineItem) -> Decimal {
    Decimal::ZERO
}

fn compute_line(line: &OrderLineItem, visit: &mut dyn FnMut(&'static str, Value)) {
    let totals = LINE_TOTALS.map(|(name, raw)| (name, raw, part_of_total(name, line.total())));
    let sums = SUMS.map(|(name, raw, sum)| (name, raw, sum(line)));
    for (name, raw, sum) in totals.into_iter().chain(sums) {
        visit(name, json!(sum));
        visit(raw, sum.raw());
    }
    visit("raw_unit_price", line.unit_price.raw());
    visit("raw_compare_at_unit_price", json!(line.compare_at_unit_price.map(|it| it.raw())));
    visit("raw_quantity", line.quantity.raw());
    visit("tax_lines", json!([]));
    visit("adjustments", json!([]));
    visit("variant_option_values", Value::Null);
    visit("line_item_metadata", json!(line.metadata));
}

entity! {
    /// What has become of a line, as of a version of its order.
    pub struct OrderItem = "order_item" / "order_items", "orditem" {
        /// The version of the order in which it became so.
        pub version: u32 = 1,
        /// Free data.
        pub metadata: Metadata,
        /// The order.
        pub order_id: String,
        /// The line.
        pub item_id: String,
        /// What one costs since that version; null in the first.
        pub unit_price: Option<Decimal>,
        /// What one cost before.
        pub compare_at_unit_price: Option<Decimal>,
        /// How many.
        pub quantity: Decimal,
        /// How many of them were sent.
        pub fulfilled_quantity: Decimal,
    }
    computed ITEM_COMPUTED by compute_item
}

/// What nobody counts yet: deliveries and returns.
const UNCOUNTED: [(&str, &str); 6] = [
    ("delivered_quantity", "raw_delivered_quantity"),
    ("shipped_quantity", "raw_shipped_quantity"),
    ("return_requested_quantity", "raw_return_requested_quantity"),
    ("return_received_quantity", "raw_return_received_quantity"),
    ("return_dismissed_quantity", "raw_return_dismissed_quantity"),
    ("written_off_quantity", "raw_written_off_quantity"),
];

/// The exact twins of its own fields.
const TWINS: [&str; 4] =
    ["raw_unit_price", "raw_compare_at_unit_price", "raw_quantity", "raw_fulfilled_quantity"];

const ITEM_COMPUTED: &[&str] = &{
    let mut names = [""; 2 * UNCOUNTED.len() + TWINS.len()];
    let mut place = 0;
    while place < UNCOUNTED.len() {
        (names[2 * place], names[2 * place + 1]) = UNCOUNTED[place];
        place += 1;
    }
    place = 0;
    while place < TWINS.len() {
        names[2 * UNCOUNTED.len() + place] = TWINS[place];
        place += 1;
    }
    names
};

fn compute_item(item: &OrderItem, visit: &mut dyn FnMut(&'static str, Value)) {
    for (name, raw) in UNCOUNTED {
        visit(name, json!(Decimal::ZERO));
        visit(raw, Decimal::ZERO.raw());
    }
    visit("raw_unit_price", json!(item.unit_price.map(|it| it.raw())));
    visit("raw_compare_at_unit_price", json!(item.compare_at_unit_price.map(|it| it.raw())));
    visit("raw_quantity", item.quantity.raw());
    visit("raw_fulfilled_quantity", item.fulfilled_quantity.raw());
}

impl FieldValue for OrderLineItem {}

impl FieldValue for OrderItem {}

impl FieldValue for LineTake {}
