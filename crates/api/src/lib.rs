//! The HTTP face of the core: thin handlers that check, call a flow or a service, and show. Each file is one
//! resource, with its route table on top.

mod admin;
mod auth;
mod body;
mod category_tree;
mod crud;
mod gate;
mod reference;
mod reply;
mod store;
mod tables;

pub use auth::token_for;
pub use gate::gate;
