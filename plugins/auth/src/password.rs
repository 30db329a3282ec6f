//! What is kept of passwords: Argon2id, with the parameters that OWASP asks for and a salt each.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc},
};

use crate::Error;

/// What is kept of a password. Making it takes tens of milliseconds, so not on an async worker.
#[derive(Clone)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Hashes a password.
    pub fn new(password: &str) -> Result<PasswordHash, Error> {
        let hash = Argon2::default().hash_password(password.as_bytes());
        hash.map(|it| PasswordHash(it.to_string())).map_err(|error| Error::Hash(error.to_string()))
    }

    /// The hash, in the PHC format.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Is this the password? Without a hash it takes as long and says no, so that nobody learns which users exist.
pub fn verify_password(hash: Option<&str>, password: &str) -> bool {
    /// Of a password that nobody has.
    const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$\
                           LQ2lcJRlJs8E3kYpqUqGz4WJpP0qYc1RfPf3UtXXk5o";
    let Ok(parsed) = phc::PasswordHash::new(hash.unwrap_or(NOBODYS)) else { return false };
    let fits = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    fits && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_fits() {
        let hash = PasswordHash::new("supersecret").expect("a hash");
        assert!(hash.as_str().starts_with("$argon2id$"));
        assert!(verify_password(Some(hash.as_str()), "supersecret"));
        assert!(!verify_password(Some(hash.as_str()), "supersecret "));
        assert!(!verify_password(None, "supersecret"));
        assert!(!verify_password(Some("rubbish"), "supersecret"));
    }
}
