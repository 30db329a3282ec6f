//! API keys: publishable keys identify a storefront, secret keys authenticate a server.

mod error;
mod service;
mod types;

use atoll_kernel::{
    data::{Index, Module, Service},
    module,
};

pub use error::Error;
pub use service::{NewToken, create_key, delete_key, find_active, find_key, revoke_key};
pub use types::{ApiKey, ApiKeyKind, ApiKeyPatch};

/// Entity name in links.
pub const API_KEY: &str = "api_key";

/// Unique. For secret keys the index holds a digest of the token.
pub const BY_TOKEN: Index<ApiKey> = Index::unique("api_key.by_token", &["stored_token"], |it, keys| {
    keys.add(&[&it.stored_token]);
});

/// Write through [`create_key`], [`revoke_key`] and [`delete_key`], which enforce the rules of the module.
pub static API_KEYS: Service<ApiKey> = Service::new(&[BY_TOKEN]);

module! { Module {
    name: "api-key",
    summary: "Publishable keys identify a storefront, secret keys authenticate a server",
    services: &[&API_KEYS],
    ..Module::EMPTY
} }
