//! The records.

use atoll_kernel::{Metadata, entity};

entity! {
    /// What a buyer says of a product.
    pub struct Review = "review" / "reviews", "rev" {
        /// Who says it.
        pub author: String,
        /// From 1 to 5.
        pub rating: u32,
        /// What they say.
        pub text: Option<String>,
        /// Free data.
        pub metadata: Metadata,
    }
    search [author, text]
    patch ReviewPatch
}
