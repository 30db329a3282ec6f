//! The records.

use atoll_kernel::{Metadata, entity};

entity! {
    /// Somebody who runs the shop.
    pub struct User = "user" / "users", "user" {
        /// A first name.
        pub first_name: Option<String>,
        /// A last name.
        pub last_name: Option<String>,
        /// An e-mail address, in lower case; no two live users share one.
        pub email: String,
        /// The URL of a picture.
        pub avatar_url: Option<String>,
        /// Free data.
        pub metadata: Metadata,
    }
    search [email, first_name, last_name]
    patch UserPatch
}
