//! Limits on requests and answers: every maximum that a client can meet, each with its reason.
//!
//! Those that an operator may want to change are defaults of settings of the host, and say so.

/// Bytes of a request body, but for routes that state another limit. A product with a hundred variants has
/// about 200 kB.
pub const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Records on one page of a store list. A larger `limit` is cut to this.
pub const STORE_PAGE_MAX: usize = 1000;
