//! The records in a cart: lines, shipping methods, their taxes and discounts, credit, addresses.

use atoll_checkout::{
    ADJUSTMENT_COMPUTED, CHARGE_PARTS, CHARGE_SUMS, TAX_LINE_COMPUTED, TAX_LINE_SUMS, address, adjustment,
    adjustment_field, charge_field, charge_parts, charged, compute_adjustment, compute_charge,
    compute_tax_line, line, tax_line, tax_line_field,
};
use atoll_kernel::{
    Decimal, Metadata,
    data::{ComputedFields, Exact, FieldKind, FieldValue, flattened, joined},
    entity,
};

line! {
    /// A line of a cart: a variant, with a copy of its details at the time when it was added.
    pub struct LineItem = "cart_line_item" / "cart_line_items", "cali" {
        /// The cart.
        pub cart_id: String,
        /// Taxes.
        pub tax_lines: Vec<LineItemTaxLine>,
        /// Discounts.
        pub adjustments: Vec<LineItemAdjustment>,
    }
    embeds [many tax_lines: LineItemTaxLine, many adjustments: LineItemAdjustment]
    computed LINE_COMPUTED by compute_line as line_field
    on_request ON_REQUEST
}

charged! { LineItem, |it| it.unit_price * it.quantity }
charge_parts! { LineItem, LineItemTaxLine, LineItemAdjustment }

/// The sums, each with its `raw_…` field. A star selects them, and what they are made of, only together with
/// the totals of the cart.
const SUMS: [&str; 2 * CHARGE_SUMS.len()] = flattened(&CHARGE_SUMS);
const ON_REQUEST: &[&str] = joined![SUMS, CHARGE_PARTS];

/// The `raw_…` fields of its own amounts, and what storefronts expect.
const LINE_MORE: [&str; 3] = ["raw_unit_price", "raw_compare_at_unit_price", "variant_option_values"];

const LINE_COMPUTED: &[&str] = joined![SUMS, LINE_MORE];

/// What the computed fields of a line hold.
fn line_field(name: &str) -> (FieldKind, &'static str) {
    match name {
        "raw_compare_at_unit_price" => (<Option<Exact>>::KIND, ""),
        "variant_option_values" => (FieldKind::OrNull(&FieldKind::Record), "Always null."),
        _ => charge_field(name),
    }
}

fn compute_line(line: &LineItem, shown: &mut ComputedFields<'_>) {
    compute_charge(line, shown);
    shown.field("raw_unit_price", line.unit_price.raw());
    shown.field("raw_compare_at_unit_price", line.compare_at_unit_price.map(|it| it.raw()));
    shown.field("variant_option_values", ());
}

tax_line! {
    /// A tax on a line of a cart.
    pub struct LineItemTaxLine = "cart_line_item_tax_line" / "cart_line_item_tax_lines", "calitxl" {
        pub item_id: String
    }
    computed TAX_LINE_COMPUTED
}

adjustment! {
    /// A discount on a line of a cart.
    pub struct LineItemAdjustment = "cart_line_item_adjustment" / "cart_line_item_adjustments", "caliadj" {
        pub item_id: String
    }
    hidden []
}

entity! {
    /// How lines of a cart are sent, and what that costs.
    pub struct ShippingMethod = "cart_shipping_method" / "cart_shipping_methods", "casm" {
        /// The name of the shipping option.
        pub name: String,
        /// Text for the buyer.
        pub description: Option<String>,
        /// Price, in units of the cart's currency.
        pub amount: Decimal,
        /// Does the price include tax?
        pub is_tax_inclusive: bool,
        /// The shipping option, by its id.
        pub shipping_option_id: Option<String>,
        /// The shipping profile of the lines that it sends, by its id.
        pub shipping_profile_id: Option<String>,
        /// What the fulfilment provider needs.
        pub data: Metadata,
        /// Fingerprint of what the provider was asked for the price.
        pub priced_as: Option<String>,
        /// What the provider has calculated, from which hooks may have made another price.
        pub calculated_amount: Option<Decimal>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// The cart.
        pub cart_id: String,
        /// Taxes.
        pub tax_lines: Vec<ShippingMethodTaxLine>,
        /// Discounts.
        pub adjustments: Vec<ShippingMethodAdjustment>,
    }
    hidden [shipping_profile_id, priced_as, calculated_amount]
    embeds [many tax_lines: ShippingMethodTaxLine, many adjustments: ShippingMethodAdjustment]
    computed METHOD_COMPUTED by compute_method as charge_field
    on_request ON_REQUEST
}

charged! { ShippingMethod, |it| it.amount }
charge_parts! { ShippingMethod, ShippingMethodTaxLine, ShippingMethodAdjustment }

const METHOD_COMPUTED: &[&str] = joined![SUMS, ["raw_amount"]];

fn compute_method(method: &ShippingMethod, shown: &mut ComputedFields<'_>) {
    compute_charge(method, shown);
    shown.field("raw_amount", method.amount.raw());
}

tax_line! {
    /// A tax on a shipping method of a cart.
    pub struct ShippingMethodTaxLine =
        "cart_shipping_method_tax_line" / "cart_shipping_method_tax_lines", "casmtxl" {
        pub shipping_method_id: String
    }
    computed TAX_LINE_COMPUTED
}

adjustment! {
    /// A discount on a shipping method of a cart.
    pub struct ShippingMethodAdjustment =
        "cart_shipping_method_adjustment" / "cart_shipping_method_adjustments", "casmadj" {
        pub shipping_method_id: String
    }
    hidden [is_tax_inclusive]
}

entity! {
    /// A part of a cart's total that is paid by credit.
    pub struct CreditLine = "cart_credit_line" / "cart_credit_lines", "cacl" {
        /// What gives the credit.
        pub reference: Option<String>,
        /// Its id.
        pub reference_id: Option<String>,
        /// How much.
        pub amount: Decimal,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// The cart.
        pub cart_id: String,
    }
    computed [raw_amount: Exact] by compute_credit
}

fn compute_credit(line: &CreditLine, shown: &mut ComputedFields<'_>) {
    shown.field("raw_amount", line.amount.raw());
}

address! {
    /// An address of a cart.
    pub struct CartAddress = "cart_address" / "cart_addresses", "caaddr" {}
}
