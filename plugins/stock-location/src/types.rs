//! The records of stock locations and their addresses.

use atoll_kernel::{Metadata, entity};

entity! {
    /// A place where stock is counted: a warehouse, a shop floor, a supplier.
    pub struct StockLocation = "stock_location" / "stock_locations", "sloc" {
        /// Display name, for admins.
        pub name: String,
        /// Postal address.
        pub address: Option<StockLocationAddress>,
        /// A JSON object of the client's, stored as it is.
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
        /// Second line of the street address.
        pub address_2: Option<String>,
        /// Company name.
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
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
}
