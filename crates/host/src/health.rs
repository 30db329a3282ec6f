//! Health checks: `/health/live` for supervisors, `/health/ready` for load balancers, with the reasons why it
//! is not.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use atoll_kernel::{
    Ctx,
    http::{HeaderValue, StatusCode, header_names as header},
    serde_json::json,
};
use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};

use crate::Cluster;

/// Whether the process can take requests. Clones share it.
#[derive(Clone)]
pub struct Health(Arc<State>);

struct State {
    ctx: Ctx,
    cluster: Cluster,
    has_recovered: AtomicBool,
    is_draining: AtomicBool,
}

impl Health {
    /// The health of a process that has opened its data, and is recovering.
    pub fn of(ctx: &Ctx, cluster: &Cluster) -> Health {
        Health(Arc::new(State {
            ctx: ctx.clone(),
            cluster: cluster.clone(),
            has_recovered: AtomicBool::new(false),
            is_draining: AtomicBool::new(false),
        }))
    }

    /// What the last process left open is done.
    pub fn recovered(&self) {
        self.0.has_recovered.store(true, Ordering::Relaxed);
    }

    /// The process is about to stop: it still answers, and is to be sent no more requests.
    pub fn drain(&self) {
        self.0.is_draining.store(true, Ordering::Relaxed);
    }

    /// Why it is not ready; nothing if it is.
    pub fn reasons(&self) -> Vec<String> {
        let State { ctx, cluster, has_recovered, is_draining } = &*self.0;
        let mut reasons = Vec::new();
        if !has_recovered.load(Ordering::Relaxed) {
            reasons.push("the saga runs that the last process left open are being resumed".into());
        }
        if cluster.is_shared() {
            reasons.extend(cluster.unready(ctx));
        }
        if ctx.store().has_stopped() {
            reasons.push("the store takes no more writes".into());
        }
        if let Some(low) = ctx.room().low() {
            let (free, min) = (low.free_bytes, low.min_bytes);
            reasons.push(format!("the disk is nearly full: {free} bytes are free, and {min} must be"));
        }
        if is_draining.load(Ordering::Relaxed) {
            reasons.push("the process is shutting down".into());
        }
        reasons
    }

    /// The routes `/health/live` and `/health/ready`.
    pub fn router(&self) -> Router {
        let health = self.clone();
        Router::new()
            .route("/health/live", get(async || "OK"))
            .route("/health/ready", get(async move || health.readiness()))
    }

    fn readiness(&self) -> Response {
        let (reasons, degraded) = (self.reasons(), self.0.cluster.degraded(&self.0.ctx));
        let (status, body) = match (reasons.is_empty(), degraded.is_empty()) {
            (true, true) => (StatusCode::OK, json!({ "status": "ready" })),
            // A load balancer that took all hosts away would take the reads, too.
            (true, false) => (StatusCode::OK, json!({ "status": "degraded", "reasons": degraded })),
            (false, _) => {
                let reasons = [reasons, degraded].concat();
                (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "unready", "reasons": reasons }))
            }
        };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (status, headers, body.to_string()).into_response()
    }
}
