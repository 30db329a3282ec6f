//! The records of regions, countries and currencies.

use atoll_kernel::{
    Decimal, Id, Metadata,
    data::{ComputedFields, Exact},
    entity,
};

entity! {
    /// A region: countries that pay in one currency.
    pub struct Region = "region" / "regions", "reg" {
        /// Display name.
        pub name: String,
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// Are taxes calculated automatically?
        pub automatic_taxes: bool = true,
        /// A JSON object of the client's, stored as it is.
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
        /// English name, in upper case.
        pub name: String,
        /// English name.
        pub display_name: String,
        /// Region that it is assigned to.
        pub region_id: Option<Id<Region>>,
        /// A JSON object of the client's, stored as it is.
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
        /// Symbol for readers of English (CLDR).
        pub symbol: String,
        /// Symbol in the currency's own country.
        pub symbol_native: String,
        /// English name.
        pub name: String,
        /// Decimal places.
        pub decimal_digits: u32,
        /// Increment to which cash is rounded; zero if none.
        pub rounding: Decimal,
    }
    key code
    search [name, code]
    hidden [id]
    computed [raw_rounding: Exact] by compute_currency
}

fn compute_currency(currency: &Currency, shown: &mut ComputedFields<'_>) {
    shown.field("raw_rounding", currency.rounding.raw());
}
