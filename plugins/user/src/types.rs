//! The records.

use atoll_kernel::{Metadata, Timestamp, entity};

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

entity! {
    /// Somebody who is to become a user.
    pub struct Invite = "invite" / "invites", "invite" {
        /// Their e-mail address, in lower case; no two live invites share one.
        pub email: String,
        /// Was it taken? Those that were are gone.
        pub accepted: bool,
        /// What is stored of its token.
        pub token_digest: String,
        /// Until when it is good.
        pub expires_at: Timestamp,
        /// Free data.
        pub metadata: Metadata,
    }
    hidden [token_digest]
}
