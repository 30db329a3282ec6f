//! __Title__.

mod routes;
mod types;

use atoll_kernel::{
    data::{Module, Service},
    module,
};

pub use types::{__Name__, __Name__Patch};

/// The service of __titles__: its operations keep indexes, links and projections right.
pub static __NAMES__: Service<__Name__> = Service::new(&[]);

module! { Module {
    name: "__name__",
    summary: "__Title__",
    services: &[&__NAMES__],
    ..Module::EMPTY
} }
