//! What sends webhooks, over `reqwest`: one `POST` to an address that an admin named, which reaches nothing
//! but what it may (SSRF).

mod address;
mod resolve;
mod send;
