//! Admin users and their passwords.

mod error;
mod password;
mod types;

use atoll_kernel::{Index, Module, Moment, Read, Service, StoreError, Write, module};

pub use error::Error;
pub use password::{PasswordHash, verify_password};
pub use types::{User, UserPatch};

/// The name of the entity in links.
pub const USER: &str = "user";

/// No two live users share an address.
pub const BY_EMAIL: Index<User> =
    Index::unique("user.by_email", &["email"], |it, keys| keys.add(&[&it.email]));

/// The service of users. [`create_user`] makes them.
pub static USERS: Service<User> = Service::new(&[BY_EMAIL]);

module! { Module {
    name: "user",
    summary: "Admin users and their passwords",
    services: &[&USERS],
    ..Module::EMPTY
} }

/// Makes a user who logs in with this address and password. The hash is made before the transaction: it is
/// slow on purpose.
pub fn create_user(
    tx: &mut dyn Write,
    at: &Moment,
    email: &str,
    password: &PasswordHash,
) -> Result<User, Error> {
    let email = email.trim().to_lowercase();
    if !email.contains('@') {
        return Err(Error::Email(email));
    }
    let password_hash = Some(password.as_str().to_owned());
    Ok(USERS.create(tx, at, User { email, password_hash, ..User::default() })?)
}

/// The user with this address.
pub fn find_by_email(tx: &dyn Read, email: &str) -> Result<Option<User>, StoreError> {
    USERS.table.get_by(tx, &BY_EMAIL, &[&email.trim().to_lowercase()])
}
