//! Metrics for Prometheus, in the OpenMetrics text format: what the application counts, read when it is asked
//! for.
//!
//! Nothing is counted here, so that a request costs what it costs without metrics, but for the few counters
//! that [`Metrics::of`] switches on. Labels are names of the program (routes, methods, flows, subscribers,
//! jobs, limits) and statuses; none is an id, a channel or a text of a client, so the number of series is
//! bounded by the program.

mod background;
mod families;
mod hosts;
mod modules;
mod process;
mod requests;
mod store;

use std::fmt;

use atoll_kernel::{
    Ctx, Fault,
    http::{HeaderValue, StatusCode, header_names as header},
};
use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{
    collector::Collector, encoding::DescriptorEncoder, encoding::text, registry::Registry,
};
use tokio::task::spawn_blocking;

use families::Families;

const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// The metrics of an application.
#[derive(Clone)]
pub struct Metrics(Ctx);

impl Metrics {
    /// The metrics of this application, which counts from now on what only they show.
    pub fn of(ctx: &Ctx) -> Metrics {
        ctx.count_for_metrics();
        Metrics(ctx.beside())
    }

    /// All metrics, as they are now. Reads some hundred keys and a few files, so it is to be called where
    /// that may take its time.
    pub fn text(&self) -> Result<String, Fault> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.clone()));
        let mut text = String::new();
        text::encode(&mut text, &registry).map_err(Fault::unexpected)?;
        Ok(text)
    }

    /// The route `/metrics`.
    pub fn router(&self) -> Router {
        let metrics = self.clone();
        Router::new().route("/metrics", get(async move || metrics.answer().await))
    }

    async fn answer(self) -> Response {
        match spawn_blocking(move || self.text()).await.map_err(Fault::unexpected).flatten() {
            Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
            Err(fault) => {
                tracing::error!("the metrics cannot be read: {fault} {}", fault.causes());
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Collector for Metrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families::new(encoder);
        requests::write(&self.0, &mut families)?;
        store::write(&self.0, &mut families)?;
        hosts::write(&self.0, &mut families)?;
        background::write(&self.0, &mut families)?;
        modules::write(&self.0, &mut families)?;
        process::write(&mut families)
    }
}
