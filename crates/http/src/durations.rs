//! Durations of requests by route, method and status, for metrics, in the buckets that OpenTelemetry
//! recommends.
//!
//! The number of series is bounded: a route is a template of the program or [`UNMATCHED`], a method one of
//! ten, and a status one that the program answers with.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The route of a request whose path no route matches.
pub(crate) const UNMATCHED: &str = "unmatched";

/// Any other method.
const OTHER_METHOD: &str = "_OTHER";

/// The methods that have names of their own.
const METHODS: [&str; 9] = ["GET", "POST", "DELETE", "OPTIONS", "HEAD", "PUT", "PATCH", "CONNECT", "TRACE"];

/// The upper bounds of the buckets, in microseconds; what takes longer is in one more.
const BOUNDS_US: [u64; 14] = [
    5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000,
    5_000_000, 7_500_000, 10_000_000,
];

/// The name of a method, which a client may have invented.
pub(crate) fn known_method(method: &str) -> &'static str {
    METHODS.into_iter().find(|it| *it == method).unwrap_or(OTHER_METHOD)
}

/// The requests of an application by route, method and status.
#[derive(Debug, Default)]
pub struct RequestDurations(RwLock<HashMap<Box<str>, Arc<RouteDurations>>>);

/// Those of a route by method and status, which are few.
#[derive(Debug, Default)]
struct RouteDurations(RwLock<BTreeMap<(&'static str, u16), Arc<Durations>>>);

#[derive(Debug, Default)]
struct Durations {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

/// The durations of the requests to one route, with one method and one status.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestDuration {
    /// The path of the route, with parameters as `:name`.
    pub route: String,
    /// The method.
    pub method: &'static str,
    /// The status.
    pub status: u16,
    /// How many requests took at most so many seconds, and longer than the bound before; the last bound is
    /// infinite.
    pub buckets: Vec<(f64, u64)>,
    /// The seconds of all together.
    pub sum_s: f64,
}

impl RequestDurations {
    /// Counts a request; `template` is the path of its route as axum writes it.
    pub(crate) fn count(&self, template: &str, method: &str, status: u16, took: Duration) {
        let method = known_method(method);
        let route = find(
            &self.0,
            |all| all.get(template).cloned(),
            |all| all.entry(template.into()).or_default().clone(),
        );
        let key = (method, status);
        let durations =
            find(&route.0, |all| all.get(&key).cloned(), |all| all.entry(key).or_default().clone());
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.iter().position(|bound| took_us <= *bound).unwrap_or(BOUNDS_US.len());
        durations.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        durations.sum_us.fetch_add(took_us, Ordering::Relaxed);
    }

    /// What was counted, by route.
    pub fn all(&self) -> Vec<RequestDuration> {
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = Vec::new();
        for (template, route) in routes.iter() {
            let route = route.0.read().unwrap_or_else(PoisonError::into_inner);
            let route = route.iter().map(|(&(method, status), it)| it.shown(template, method, status));
            all.extend(route);
        }
        all.sort_by(|a, b| (&a.route, a.method, a.status).cmp(&(&b.route, b.method, b.status)));
        all
    }
}

impl Durations {
    fn shown(&self, template: &str, method: &'static str, status: u16) -> RequestDuration {
        let bounds = BOUNDS_US.iter().map(|it| *it as f64 / 1e6).chain([f64::INFINITY]);
        RequestDuration {
            route: path_of(template),
            method,
            status,
            buckets: bounds.zip(self.buckets.iter().map(|it| it.load(Ordering::Relaxed))).collect(),
            sum_s: self.sum_us.load(Ordering::Relaxed) as f64 / 1e6,
        }
    }
}

/// What is there, or what is then added.
fn find<M, T>(all: &RwLock<M>, get: impl FnOnce(&M) -> Option<T>, add: impl FnOnce(&mut M) -> T) -> T {
    let found = get(&all.read().unwrap_or_else(PoisonError::into_inner));
    found.unwrap_or_else(|| add(&mut all.write().unwrap_or_else(PoisonError::into_inner)))
}

/// The path of a route as our tables write it, with parameters as `:name`, from axum's `{name}`.
pub(crate) fn path_of(template: &str) -> String {
    template.replace('{', ":").replace('}', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route_method_and_status() {
        let durations = RequestDurations::default();
        let ms = Duration::from_millis;
        durations.count("/store/carts/{id}", "POST", 200, ms(5));
        durations.count("/store/carts/{id}", "POST", 200, ms(6));
        durations.count("/store/carts/{id}", "POST", 404, ms(20_000));
        durations.count(UNMATCHED, "BREW", 404, ms(1));
        let all = durations.all();
        let of = |it: &RequestDuration| {
            let buckets: Vec<String> =
                it.buckets.iter().filter(|it| it.1 > 0).map(|it| format!("{it:?}")).collect();
            format!("{} {} {} {} {}", it.method, it.route, it.status, buckets.join(" "), it.sum_s)
        };
        assert_eq!(
            all.iter().map(of).collect::<Vec<_>>(),
            [
                "POST /store/carts/:id 200 (0.005, 1) (0.01, 1) 0.011",
                "POST /store/carts/:id 404 (inf, 1) 20",
                "_OTHER unmatched 404 (0.005, 1) 0.001",
            ]
        );
    }
}
