//! The model of a checkout, which carts and orders share: the records of lines, addresses, taxes and
//! discounts, the arithmetic of totals, and the contracts of the providers that a checkout asks. Types,
//! macros and arithmetic for modules; no records of its own.

mod charge;
mod fulfillment;
mod payment;
mod promotion;
mod records;
mod sums;
mod tax;

/// For the macros of this crate.
#[doc(hidden)]
pub use atoll_kernel as kernel;
pub use charge::{CHARGE_PARTS, ChargeRecord, compute_charge, set_records, sum_parts};
pub use fulfillment::{
    Fulfilling, FulfillmentProvider, ItemToShip, Parcel, ParcelLabel, ParcelRequest, ShippingPrice,
    ShippingRequest,
};
pub use payment::{
    Paying, PaymentAction, PaymentAnswer, PaymentNotice, PaymentOutcome, PaymentProvider, PaymentRequest,
    PaymentTold, WebhookRequest,
};
pub use promotion::{
    Attributes, CART_ATTRIBUTES, ITEM_ATTRIBUTES, ITEM_SUBTOTAL, ITEM_TOTAL, NotApplied, Priced, PricedCart,
    Promoted, PromotionDiscount, PromotionOutcome, PromotionUse, SHIPPING_ATTRIBUTES,
};
pub use records::{
    ADJUSTMENT_COMPUTED, Address, Adjustment, AdjustmentRecord, Line, ORDER_TAX_LINE_COMPUTED, PART_SUMS,
    TAX_LINE_COMPUTED, TAX_LINE_SUMS, TaxLine, TaxLineRecord, adjustment_field, compute_adjustment,
    compute_tax_line, tax_line_field,
};
pub use sums::{
    CHARGE_SUMS, ChargeSums, Charged, Discount, QUOTIENT_DIGITS, RAW_TOTALS, Split, TOTALS, Tax, Totals,
    charge_field, is_rate, shares, show_sum, total_field,
};
pub use tax::{TaxAddress, TaxItem, TaxLines, TaxProvider, TaxRequest, TaxShipping, Taxing};
