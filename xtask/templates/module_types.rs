//! The records of __titles__.

use atoll_kernel::{Metadata, entity};

entity! {
    /// A __title__.
    pub struct __Name__ = "__snake__" / "__snakes__", "__prefix__" {
        /// Display name.
        pub title: String,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [title]
    patch __Name__Patch
}
