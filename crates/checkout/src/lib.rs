//! The vocabulary of a checkout: totals and their names. Types and arithmetic for modules; no records.

mod totals;

pub use totals::{LINE_TOTALS, TOTALS, Totals, part_of_total};
