//! Flows and sagas. The hooks and sagas of these tests are linked into this program alone.

mod sagas;
mod world;
