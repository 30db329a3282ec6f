//! Counters of requests, for metrics: time and keys read per route, durations by status, and limits that were
//! hit.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use atoll_storage::{Histogram, Meter, Summary};
use serde::{Serialize, Serializer};

use crate::{Method, RequestDurations};

/// The counters of the requests to an application.
#[derive(Debug, Default)]
pub struct RequestCounters {
    routes: Mutex<BTreeMap<(&'static str, Method), Arc<RouteCounters>>>,
    durations: OnceLock<RequestDurations>,
    limits_hit: Arc<LimitsHit>,
}

/// How often each limit was hit: a request was refused for it, or a connection closed. By the name of the
/// setting, of the constant in `values/limits.rs`, or of what is limited.
#[derive(Debug, Default)]
pub struct LimitsHit(Mutex<BTreeMap<&'static str, u64>>);

impl LimitsHit {
    /// Counts that this limit was hit.
    pub fn hit(&self, limit: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(limit).or_default() += 1;
    }

    /// The limits that were hit, and how often, by name.
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(name, n)| (*name, *n)).collect()
    }
}

/// What the requests to one route have cost, refused ones included.
#[derive(Debug, Default)]
pub(crate) struct RouteCounters {
    time_ns: Histogram,
    keys_read: Histogram,
}

/// A snapshot of the counters of a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteSummary {
    /// The HTTP method.
    #[serde(serialize_with = "as_text")]
    pub method: Method,
    /// The path, with parameters as `:name`.
    pub path: &'static str,
    /// Nanoseconds from the head of a request to its answer, with waiting for its body and for the writer.
    pub time_ns: Summary,
    /// Keys that the handler reads; not those that authentication and the bodies of transactions read.
    pub keys_read: Summary,
}

fn as_text<S: Serializer>(method: &Method, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(method)
}

impl RequestCounters {
    /// Counts durations by status from now on: for an application whose metrics are asked for.
    pub fn count_durations(&self) {
        self.durations.get_or_init(RequestDurations::default);
    }

    /// The durations by status, if they are counted.
    pub fn durations(&self) -> Option<&RequestDurations> {
        self.durations.get()
    }

    /// The limits that were hit.
    pub fn limits_hit(&self) -> &Arc<LimitsHit> {
        &self.limits_hit
    }

    /// The counters of this route.
    pub(crate) fn of(&self, path: &'static str, method: Method) -> Arc<RouteCounters> {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.entry((path, method)).or_default().clone()
    }

    /// A snapshot of the routes that have been requested, by path.
    pub fn summary(&self) -> Vec<RouteSummary> {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let summary = |(&(path, method), it): (&(&'static str, Method), &Arc<RouteCounters>)| RouteSummary {
            method,
            path,
            time_ns: it.time_ns.summary(),
            keys_read: it.keys_read.summary(),
        };
        routes.iter().map(summary).filter(|it| it.time_ns.count > 0).collect()
    }
}

impl RouteCounters {
    /// Counts the time until the guard is dropped: with the answer, or with a handler that panics.
    pub(crate) fn start(&self) -> Timed<'_> {
        Timed { counters: self, begun: Instant::now() }
    }
}

pub(crate) struct Timed<'a> {
    counters: &'a RouteCounters,
    begun: Instant,
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        self.counters.time_ns.record_ns(self.begun.elapsed());
    }
}

/// Counts the keys of a request when it is dropped: [`Call::count_keys`](crate::Call::count_keys).
pub struct CountedKeys {
    pub(crate) counters: Arc<RouteCounters>,
    pub(crate) meter: Arc<Meter>,
}

impl Drop for CountedKeys {
    fn drop(&mut self) {
        self.counters.keys_read.record(self.meter.n_total());
    }
}
