//! The records of price sets and prices.

use std::collections::BTreeMap;

use atoll_kernel::{Decimal, entity};

entity! {
    /// All prices of one variant.
    pub struct PriceSet = "price_set" / "price_sets", "pset" {
        /// The prices.
        pub prices: Vec<Price>,
    }
    embeds [many prices: Price]
}

entity! {
    /// A price, and the conditions under which it applies.
    pub struct Price = "price" / "prices", "price" {
        /// Display name.
        pub title: Option<String>,
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// Price of one, in units of the currency (19.99 is nineteen euros and ninety-nine cents).
        pub amount: Decimal,
        /// Minimum quantity, inclusive.
        pub min_quantity: Option<Decimal>,
        /// Maximum quantity, inclusive.
        pub max_quantity: Option<Decimal>,
        /// Attributes that the context must have: `region_id` → `reg_…`.
        pub rules: BTreeMap<String, String>,
    }
}
