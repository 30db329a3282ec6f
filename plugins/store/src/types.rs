//! The records.

use atoll_kernel::{FieldValue, Id, Metadata, entity};

entity! {
    /// What all channels have in common.
    pub struct Store = "store" / "stores", "store" {
        /// What it is called.
        pub name: String = "Medusa Store".to_owned(),
        /// The currencies that it sells in.
        pub supported_currencies: Vec<StoreCurrency>,
        /// The channel that every store has, by its id: it belongs to another module. It cannot be deleted.
        pub default_sales_channel_id: Option<String>,
        /// The region that is shown first, by its id.
        pub default_region_id: Option<String>,
        /// The location that is shown first, by its id.
        pub default_location_id: Option<String>,
        /// Free data.
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
        /// Is it the one that is shown first?
        pub is_default: bool,
        /// The store.
        pub store_id: Id<Store>,
    }
}

impl FieldValue for StoreCurrency {}
