//! Counters of requests, for metrics: time and keys read per route.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use atoll_storage::{Histogram, Meter, Summary};
use serde::{Serialize, Serializer};

use crate::Method;

/// The counters of each route of an application.
#[derive(Debug, Default)]
pub struct RequestCounters(Mutex<BTreeMap<(&'static str, Method), Arc<RouteCounters>>>);

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
    /// The counters of this route.
    pub(crate) fn of(&self, path: &'static str, method: Method) -> Arc<RouteCounters> {
        let mut routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        routes.entry((path, method)).or_default().clone()
    }

    /// A snapshot of the routes that have been requested, by path.
    pub fn summary(&self) -> Vec<RouteSummary> {
        let routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

impl Timed<'_> {
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        self.counters.time_ns.record_ns(self.elapsed());
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
