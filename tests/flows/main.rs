//! Flows and sagas. The hooks and sagas of these tests are linked into this program alone.

mod additional_data;
mod bank;
mod carrier;
mod contributing;
mod edges;
mod extending;
mod hooks;
mod injection;
mod low_disk;
mod payments;
mod repeats;
mod sagas;
mod scenarios;
mod taxes;
mod undoing;
mod webhooks;
mod world;
