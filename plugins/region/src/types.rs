//! The records.

use atoll_kernel::{Decimal, Id, Metadata, entity, serde_json::Value};

entity! {
    /// Countries that pay in one currency.
    pub struct Region = "region" / "regions", "reg" {
        /// What it is called.
        pub name: String,
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// Are taxes reckoned without being asked for?
        pub automatic_taxes: bool = true,
        /// Free data.
        pub metadata: Metadata,
    }
    search [name, currency_code]
    patch RegionPatch
}

entity! {
    /// A country.
    pub struct Country = "country" / "countries", "" {
        /// ISO 3166-1 alpha-2, in lower case.
        pub iso_2: String,
        /// ISO 3166-1 alpha-3, in lower case.
        pub iso_3: String,
        /// ISO 3166-1 numeric.
        pub num_code: String,
        /// In capitals.
        pub name: String,
        /// As people write it.
        pub display_name: String,
        /// The region that it is in, if it is in one.
        pub region_id: Option<Id<Region>>,
        /// Free data.
        pub metadata: Metadata,
    }
    key iso_2
    search [name, display_name]
    hidden [id]
}

entity! {
    /// A currency.
    pub struct Currency = "currency" / "currencies", "" {
        /// ISO 4217, in lower case.
        pub code: String,
        /// Its sign, abroad.
        pub symbol: String,
        /// Its sign, at home.
        pub symbol_native: String,
        /// Its name.
        pub name: String,
        /// Digits behind the point.
        pub decimal_digits: u32,
        /// What cash is rounded to.
        pub rounding: Decimal,
    }
    key code
    search [name, code]
    hidden [id]
    computed [raw_rounding] by compute_currency
}

fn compute_currency(currency: &Currency, visit: &mut dyn FnMut(&'static str, Value)) {
    visit("raw_rounding", currency.rounding.raw());
}
