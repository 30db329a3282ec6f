//! The records in an order beside its lines: shipping methods with their taxes and discounts, credit,
//! addresses.

use atoll_checkout::{
    ADJUSTMENT_COMPUTED, CHARGE_PARTS, CHARGE_SUMS, ORDER_TAX_LINE_COMPUTED, TAX_LINE_SUMS, address,
    adjustment, adjustment_field, charge_field, charged, compute_adjustment, compute_charge,
    compute_tax_line, tax_line, tax_line_field,
};
use atoll_kernel::{
    Decimal, Metadata,
    data::{ComputedFields, Exact, flattened, joined},
    entity,
};

entity! {
    /// How lines of an order are sent, and what that costs.
    pub struct OrderShippingMethod = "order_shipping_method" / "order_shipping_methods", "ordsm" {
        /// The name of the shipping option.
        pub name: String,
        /// Text for the buyer.
        pub description: Option<String>,
        /// Price, in units of the order's currency.
        pub amount: Decimal,
        /// Does the price include tax?
        pub is_tax_inclusive: bool,
        /// Was the price set manually?
        pub is_custom_amount: bool,
        /// The shipping option, by its id.
        pub shipping_option_id: Option<String>,
        /// What the fulfilment provider needs.
        pub data: Metadata,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// The order.
        pub order_id: String,
        /// Taxes.
        pub tax_lines: Vec<OrderShippingMethodTaxLine>,
        /// Discounts.
        pub adjustments: Vec<OrderShippingMethodAdjustment>,
        /// Since which version the order has it.
        pub detail: Option<OrderShipping>,
    }
    embeds [
        many tax_lines: OrderShippingMethodTaxLine,
        many adjustments: OrderShippingMethodAdjustment,
        one detail: OrderShipping,
    ]
    computed METHOD_COMPUTED by compute_method as charge_field
    on_request ON_REQUEST
}

charged! { OrderShippingMethod, |it| it.amount }

/// The sums, each with its exact twin. A star shows them, and what they are made of, only with the totals of
/// the order.
const SUMS: &[&str] = &flattened::<{ 2 * CHARGE_SUMS.len() }>(&CHARGE_SUMS);
const ON_REQUEST: &[&str] = joined![SUMS, CHARGE_PARTS];
const METHOD_COMPUTED: &[&str] = joined![SUMS, ["raw_amount"]];

fn compute_method(method: &OrderShippingMethod, shown: &mut ComputedFields<'_>) {
    compute_charge(method, shown);
    shown.field("raw_amount", method.amount.raw());
}

entity! {
    /// That an order has a shipping method, as of a version of it.
    pub struct OrderShipping = "order_shipping" / "order_shippings", "ordspmv" {
        /// The version of the order.
        pub version: u32 = 1,
        /// The order.
        pub order_id: String,
        /// The return that it is for.
        pub return_id: Option<String>,
        /// The exchange that it is for.
        pub exchange_id: Option<String>,
        /// The claim that it is for.
        pub claim_id: Option<String>,
        /// The shipping method.
        pub shipping_method_id: String,
    }
}

tax_line! {
    /// A tax on a shipping method of an order.
    pub struct OrderShippingMethodTaxLine =
        "order_shipping_method_tax_line" / "order_shipping_method_tax_lines", "ordsmtxl" {
        pub shipping_method_id: String
    }
    computed ORDER_TAX_LINE_COMPUTED
}

adjustment! {
    /// A discount on a shipping method of an order.
    pub struct OrderShippingMethodAdjustment =
        "order_shipping_method_adjustment" / "order_shipping_method_adjustments", "ordsmadj" {
        pub shipping_method_id: String,
        /// The version of the order.
        pub version: u32 = 1
    }
    hidden [is_tax_inclusive, metadata]
}

entity! {
    /// A part of an order's total that is paid by credit.
    pub struct OrderCreditLine = "order_credit_line" / "order_credit_lines", "ordcl" {
        /// What gives the credit.
        pub reference: Option<String>,
        /// Its id.
        pub reference_id: Option<String>,
        /// How much.
        pub amount: Decimal,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// The order.
        pub order_id: String,
        /// The version of the order.
        pub version: u32 = 1,
    }
    computed [raw_amount: Exact] by compute_credit
}

fn compute_credit(line: &OrderCreditLine, shown: &mut ComputedFields<'_>) {
    shown.field("raw_amount", line.amount.raw());
}

address! {
    /// An address of an order.
    pub struct OrderAddress = "order_address" / "order_addresses", "ordaddr" {}
}
