//! Admin users, invites, and the link of the first admin.

mod error;
mod first_admin;
mod invite;
mod types;

use atoll_kernel::{
    Moment, Write,
    data::{Index, Module, Service},
    module,
};

pub use error::Error;
pub use first_admin::FirstAdminLink;
pub use invite::{INVITE_LIFETIME_S, create_invite, find_invite, renew_invite};
pub use types::{Invite, User, UserPatch};

/// Entity name in links, and actor type.
pub const USER: &str = "user";

/// Unique: the e-mail address of live users.
pub const BY_EMAIL: Index<User> =
    Index::unique("user.by_email", &["email"], |it, keys| keys.add(&[&it.email]));

const BY_INVITED: Index<Invite> =
    Index::unique("invite.by_email", &["email"], |it, keys| keys.add(&[&it.email]));
pub(crate) const BY_TOKEN: Index<Invite> =
    Index::unique("invite.by_token", &["token_digest"], |it, keys| keys.add(&[&it.token_digest]));

/// Write through [`create_invite`] and [`renew_invite`].
pub static INVITES: Service<Invite> = Service::new(&[BY_INVITED, BY_TOKEN]);
/// Created by [`create_user`].
pub static USERS: Service<User> = Service::new(&[BY_EMAIL]);

module! { Module {
    name: "user",
    summary: "Admin users, and invites",
    services: &[&USERS, &INVITES],
    spaces: &[first_admin::LINK.def()],
    ..Module::EMPTY
} }

/// Creates a user. Errors: the e-mail address is invalid.
pub fn create_user(tx: &mut dyn Write, at: &Moment, user: User) -> Result<User, Error> {
    let email = user.email.trim().to_lowercase();
    if !email.contains('@') {
        return Err(Error::Email(email));
    }
    Ok(USERS.create(tx, at, User { email, ..user })?)
}
