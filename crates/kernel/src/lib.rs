//! The API for plugins: what a module, an entity, a link, a route and a projection are, and the registry of
//! everything that is linked into the program.
//!
//! A module names this crate, and of Atoll's others only `atoll-checkout`, `atoll-pages` and
//! `atoll-providers`. What nearly every file needs stands here, together with the macros; the rest is in
//! namespaces:
//!
//! | namespace | what for |
//! |---|---|
//! | [`data`] | modules, entities, tables, indexes, services, links between modules, projections |
//! | [`query`] | the graph over all modules: fields, filters, computed fields, the wall |
//! | [`flow`](mod@flow) | flows (one transaction), their steps and hooks |
//! | [`saga`] | workflows of several transactions and calls to the outside, with compensation |
//! | [`jobs`] | scheduled jobs, subscribers, workers, the outbox of events, metrics |
//! | [`http`] | routes, requests and answers, parameters and bodies, resources, idempotency |
//! | [`storefront`] | store routes of a module: the channels of the key, what they show and sell, prices |
//! | [`registry`] | what is linked in, with the problems that are found at start; feature flags; providers |
//! | [`migration`], [`verify`], [`export`] | stored data: its format, migrations, checks and exports |
//! | [`clock`] | the clock of the program, and one for tests |

// The macros below name this crate by its name, here too.
extern crate self as atoll_kernel;

pub mod clock;
pub mod data;
pub mod export;
pub mod flow;
pub mod http;
pub mod jobs;
pub mod migration;
pub mod query;
pub mod registry;
pub mod saga;
pub mod storefront;
pub mod verify;

mod batches;
mod change_event;
mod config;
mod ctx;
mod describe;
mod entity;
mod event;
mod extend;
mod flag;
mod job;
mod jwt;
mod led;
mod link;
mod linked;
mod mailed;
mod manifest;
mod metric;
mod middleware;
mod module;
mod once;
mod optional;
mod problem;
mod projection;
mod provider;
mod read_plan;
mod reading;
mod reference;
mod resource;
mod room;
mod routes;
mod schedule;
mod service;
mod settings;
mod shop_secret;
mod signature;
mod subscriber;
mod subtask;
mod token;
mod worker;
mod workflow;

pub use atoll_http::{Fault, FaultKind};
pub use atoll_storage::{Read, StoreError, Write, stored};
pub use atoll_values::{Actor, Decimal, Id, Kind, Metadata, Moment, Now, Timestamp, limits};
pub use ctx::Ctx;
pub use registry::Registry;

#[doc(hidden)]
pub use {
    change_event::Followed, entity::CREATED_AT_TEXT, entity::DELETED_AT_TEXT, entity::UPDATED_AT_TEXT,
    inventory, linked::CHECKS, linked::COMPUTED, linked::FIELD_LINKS, linked::LINKS, linked::MODULES,
    linked::PROJECTIONS, linkme, serde, serde_json,
};
