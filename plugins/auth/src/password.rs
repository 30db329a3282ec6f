//! Password hashing: Argon2id with the parameters that OWASP recommends, and a salt per password.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc},
};

use atoll_kernel::limits::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};

use crate::Error;

/// Validates the length of a new password. [`PasswordHash::new`] does the same; this allows an earlier error.
pub fn check_password(password: &str) -> Result<(), Error> {
    match password.chars().count() {
        PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX => Ok(()),
        _ => Err(Error::PasswordLength),
    }
}

/// The stored hash of a password. Hashing takes tens of milliseconds: not on an async worker.
#[derive(Clone)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Hashes a new password. Errors: it is too short or too long.
    pub fn new(password: &str) -> Result<PasswordHash, Error> {
        check_password(password)?;
        let hash = Argon2::default().hash_password(password.as_bytes());
        hash.map(|it| PasswordHash(it.to_string())).map_err(|error| Error::Hash(error.to_string()))
    }

    /// A hash that was made elsewhere, in the PHC format, of any parameters: `$argon2id$v=19$m=…`.
    ///
    /// # Errors
    /// It is not a hash of Argon2.
    pub fn of_phc(text: &str) -> Result<PasswordHash, Error> {
        let parsed = phc::PasswordHash::new(text).map_err(|error| Error::Hash(error.to_string()))?;
        match parsed.algorithm.as_str().starts_with("argon2") && parsed.hash.is_some() {
            true => Ok(PasswordHash(text.to_owned())),
            false => Err(Error::Hash("it is not of Argon2".into())),
        }
    }

    /// The hash, in the PHC format.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A dummy hash, which no password matches: verifying against it takes as long as against a real one.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$\
                       LQ2lcJRlJs8E3kYpqUqGz4WJpP0qYc1RfPf3UtXXk5o";

/// Does the password match? Without a hash it takes the same time and returns false, so that the timing does
/// not reveal which users exist.
pub fn verify_password(hash: Option<&str>, password: &str) -> bool {
    let Ok(parsed) = phc::PasswordHash::new(hash.unwrap_or(NOBODYS)) else { return false };
    let fits = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    fits && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_hash_verifies_its_password_only() {
        let hash = PasswordHash::new("supersecret").expect("a hash");
        assert!(hash.as_str().starts_with("$argon2id$"));
        assert!(verify_password(Some(hash.as_str()), "supersecret"));
        assert!(!verify_password(Some(hash.as_str()), "supersecret "));
        assert!(!verify_password(None, "supersecret"));
        assert!(!verify_password(Some("rubbish"), "supersecret"));
    }

    #[test]
    fn hash_made_elsewhere_verifies_whatever_its_parameters() {
        let cheap =
            "$argon2id$v=19$m=8,t=1,p=1$KyOSuhDkjVLkhEcsaOQ9+g$mFiLy3/93oXvaOWu6EFmTjn2NxcYzPefTcGrqkUJYho";
        let hash = PasswordHash::of_phc(cheap).expect("a hash");
        assert!(verify_password(Some(hash.as_str()), "supersecret"));
        assert!(!verify_password(Some(hash.as_str()), "supersecret "));
        for wrong in
            ["", "supersecret", "$argon2id$v=19$m=8,t=1,p=1", "$scrypt$ln=1$KyOSuhDkjVLk$mFiLy3/93oXv"]
        {
            assert!(PasswordHash::of_phc(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn password_length_is_limited() {
        for (n, is_good) in [(0, false), (7, false), (8, true), (1024, true), (1025, false)] {
            assert_eq!(PasswordHash::new(&"ü".repeat(n)).is_ok(), is_good, "{n}");
        }
    }

    #[test]
    fn unknown_account_costs_the_same_hashing() {
        let hash = PasswordHash::new("supersecret").expect("a hash");
        let costs = |text: &str| {
            let hash = phc::PasswordHash::new(text).expect("a hash");
            let output = hash.hash.map(|it| it.len());
            (hash.algorithm.to_string(), hash.version, hash.params.to_string(), output)
        };
        assert_eq!(costs(NOBODYS), costs(hash.as_str()));
    }
}
