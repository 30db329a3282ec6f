//! Limits on requests and answers: every maximum that a client can meet, each with its reason.
//!
//! Those that an operator may want to change are defaults of settings of the host, and say so.

/// Bytes of a request body, but for routes that state another limit. A product with a hundred variants has
/// about 200 kB.
pub const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Records on one page of a store list. A larger `limit` is cut to this.
pub const STORE_PAGE_MAX: usize = 1000;

/// Characters of a password that is set, at least: what is shorter is found by trying. Logging in takes whatever was
/// set before.
pub const PASSWORD_CHARS_MIN: usize = 8;

/// Characters of a password that is set, at most: a sentence has fewer, and hashing reads all of them.
pub const PASSWORD_CHARS_MAX: usize = 1024;

/// Characters of an e-mail address: 64 before the `@` and 255 behind it, as mail servers take them. It stands in keys.
pub const EMAIL_CHARS_MAX: usize = 320;
