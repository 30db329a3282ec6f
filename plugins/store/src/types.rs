//! The records of the store and its currencies.

use atoll_kernel::{Id, Metadata, entity};

entity! {
    /// Settings that all channels share.
    pub struct Store = "store" / "stores", "store" {
        /// Display name.
        pub name: String = "Medusa Store".to_owned(),
        /// The currencies that it sells in.
        pub supported_currencies: Vec<StoreCurrency>,
        /// Id of the default sales channel, which cannot be deleted.
        pub default_sales_channel_id: Option<String>,
        /// Id of the default region.
        pub default_region_id: Option<String>,
        /// Id of the default stock location.
        pub default_location_id: Option<String>,
        /// Does completing a cart demand shipping methods for the goods that are shipped? If it is not said,
        /// in the channels that ship: those with a shipping option at one of their stock locations.
        pub require_shipping: Option<bool>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [name]
    embeds [many supported_currencies: StoreCurrency]
    patch StorePatch
}

entity! {
    /// A currency that the store sells in.
    pub struct StoreCurrency = "store_currency" / "store_currencies", "stocur" {
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// Is it the default currency? Exactly one is.
        pub is_default: bool,
        /// The store.
        pub store_id: Id<Store>,
    }
}
