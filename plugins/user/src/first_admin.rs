//! The link by which the first admin is made (bootstrap token).

use atoll_kernel::{Read, StoreError, Timestamp, Write, data::Slots, stored};
use serde::{Deserialize, Serialize};

use crate::USERS;

stored! {
    /// The link, of which the digest of its token is stored.
    #[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    pub struct FirstAdminLink {
        /// Digest of the token.
        pub token_digest: String,
        /// When it expires.
        pub expires_at: Timestamp,
    }
}

/// The link that was made last.
pub(crate) const LINK: Slots<FirstAdminLink> = Slots::new("user.first_admin_link");

impl FirstAdminLink {
    /// The only key of the space.
    const KEY: &[u8] = b"";

    /// Stores the link; an earlier one is good for nothing from then on.
    pub fn put(&self, tx: &mut dyn Write) {
        LINK.write(tx, Self::KEY, self);
    }

    /// Is this the digest of the token of the link, and does that still make an admin? Not once there is one.
    pub fn opens(tx: &dyn Read, token_digest: &str, now: Timestamp) -> Result<bool, StoreError> {
        let link = LINK.read(tx, Self::KEY)?;
        let is_it = link.is_some_and(|it| it.token_digest == token_digest && now < it.expires_at);
        Ok(is_it && USERS.table.count(tx)? == 0)
    }
}
