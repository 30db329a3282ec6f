//! The HTTP API of the core: thin handlers that validate, call a flow or a service, and serialise. One file
//! per resource, with its route table on top.

mod admin;
mod auth;
mod body;
mod category_tree;
mod crud;
mod docs;
mod expected;
mod gate;
mod hooks;
mod reference;
mod reply;
mod store;
mod tables;

pub use auth::token_for;
pub use gate::gate;
pub use reference::openapi_document;
