//! Traces: spans go to a collector of OpenTelemetry, in batches, by OTLP over HTTP as JSON.
//!
//! OTLP is one request with a body of a few fields, so it is written here: the crates of OpenTelemetry are
//! two dozen, and their exporter runs on a thread of its own, where the client that it needs panics.

mod endpoint;
mod export;
mod metrics;
mod otlp;
mod queue;

pub use endpoint::{Endpoint, NoEndpoint};
pub use export::Traces;
