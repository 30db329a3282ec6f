//! The vocabulary of a checkout: totals and their names, and the contracts of the providers that it asks.
//! Types and arithmetic for modules; no records.

mod payment;
mod totals;

pub use payment::{
    Paying, PaymentAction, PaymentAnswer, PaymentNotice, PaymentOutcome, PaymentProvider, PaymentRequest,
    PaymentTold, WebhookRequest,
};
pub use totals::{EMPTY_FIELD, LINE_TOTALS, TOTALS, Totals, part_of_total, total_field};
