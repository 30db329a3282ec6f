//! The records.

use std::collections::BTreeMap;

use atoll_kernel::{Decimal, FieldValue, entity};

entity! {
    /// All prices of one thing.
    pub struct PriceSet = "price_set" / "price_sets", "pset" {
        /// The prices.
        pub prices: Vec<Price>,
    }
    embeds [many prices: Price]
}

entity! {
    /// A price, and when it applies.
    pub struct Price = "price" / "prices", "price" {
        /// What it is called.
        pub title: Option<String>,
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// What one costs, in units of the currency (19.99 is nineteen euros and ninety-nine cents).
        pub amount: Decimal,
        /// From how many on it applies.
        pub min_quantity: Option<Decimal>,
        /// Up to how many it applies.
        pub max_quantity: Option<Decimal>,
        /// What must be true of the context: `region_id` → `reg_…`.
        pub rules: BTreeMap<String, String>,
    }
}

impl FieldValue for Price {}
