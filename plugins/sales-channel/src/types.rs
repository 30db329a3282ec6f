//! The record of a sales channel.

use atoll_kernel::{Metadata, entity};

entity! {
    /// A place where the catalogue is sold: a web shop, an app, a till, a marketplace.
    pub struct SalesChannel = "sales_channel" / "sales_channels", "sc" {
        /// Display name, for admins.
        pub name: String,
        /// Purpose, for admins.
        pub description: Option<String>,
        /// A channel that is disabled shows nothing and sells nothing.
        pub is_disabled: bool,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [name, description]
    patch SalesChannelPatch
}
