//! Flows and sagas. The hooks and sagas of these tests are linked into this program alone.

mod bank;
mod injection;
mod sagas;
mod world;
