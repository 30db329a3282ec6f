//! The records.

use atoll_kernel::{Metadata, entity};

entity! {
    /// A place where the catalogue is sold: a web shop, an app, a till, a marketplace.
    pub struct SalesChannel = "sales_channel" / "sales_channels", "sc" {
        /// What admins call it.
        pub name: String,
        /// What it is for.
        pub description: Option<String>,
        /// A channel that is disabled shows nothing and sells nothing.
        pub is_disabled: bool,
        /// Free data.
        pub metadata: Metadata,
    }
    search [name, description]
    patch SalesChannelPatch
}
