//! The records of admin users and invites.

use atoll_kernel::{Metadata, Timestamp, entity};

entity! {
    /// An admin user.
    pub struct User = "user" / "users", "user" {
        /// A first name.
        pub first_name: Option<String>,
        /// A last name.
        pub last_name: Option<String>,
        /// E-mail address, in lower case; unique among live users.
        pub email: String,
        /// URL of an image.
        pub avatar_url: Option<String>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [email, first_name, last_name]
    patch UserPatch
}

entity! {
    /// An invite of a new user.
    pub struct Invite = "invite" / "invites", "invite" {
        /// E-mail address, in lower case; unique among live invites.
        pub email: String,
        /// Was it accepted? Accepted invites are deleted, so it is always false.
        pub accepted: bool,
        /// Digest of the token.
        pub token_digest: String,
        /// When it expires.
        pub expires_at: Timestamp,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    hidden [token_digest]
}
