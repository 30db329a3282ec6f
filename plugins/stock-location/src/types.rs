//! The records.

use atoll_kernel::{FieldValue, Metadata, entity};

entity! {
    /// A warehouse, a shop floor, a supplier: a place that stock is counted at.
    pub struct StockLocation = "stock_location" / "stock_locations", "sloc" {
        /// What admins call it.
        pub name: String,
        /// Where it is.
        pub address: Option<StockLocationAddress>,
        /// Free data.
        pub metadata: Metadata,
    }
    search [name]
    embeds [one address: StockLocationAddress]
    patch StockLocationPatch
}

entity! {
    /// The address of a stock location.
    pub struct StockLocationAddress = "stock_location_address" / "stock_location_addresses", "laddr" {
        /// Street and number.
        pub address_1: String,
        /// More of the same.
        pub address_2: Option<String>,
        /// The company at the door.
        pub company: Option<String>,
        /// The city.
        pub city: Option<String>,
        /// ISO 3166-1 alpha-2, in lower case.
        pub country_code: String,
        /// A phone number.
        pub phone: Option<String>,
        /// The state or province.
        pub province: Option<String>,
        /// The postal code.
        pub postal_code: Option<String>,
        /// Free data.
        pub metadata: Metadata,
    }
}

impl FieldValue for StockLocationAddress {}
