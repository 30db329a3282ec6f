//! Histograms of durations and sizes, for metrics: atomic counters in buckets of powers of two.

use std::{
    array,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde::Serialize;

/// The n-th bucket counts values below 2ⁿ, the last one all larger ones: in nanoseconds 18 minutes.
const N_BUCKETS: usize = 41;

/// Counts values. Recording one is three atomic additions, without a lock.
#[derive(Debug)]
pub struct Histogram {
    sum: AtomicU64,
    max: AtomicU64,
    buckets: [AtomicU64; N_BUCKETS],
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            sum: AtomicU64::new(0),
            max: AtomicU64::new(0),
            buckets: array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl Histogram {
    /// Counts this value.
    pub fn record(&self, value: u64) {
        let bucket = (u64::BITS - value.leading_zeros()) as usize;
        self.buckets[bucket.min(N_BUCKETS - 1)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
        self.max.fetch_max(value, Ordering::Relaxed);
    }

    /// Counts this duration, in nanoseconds.
    pub fn record_ns(&self, duration: Duration) {
        self.record(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    /// How many values each bucket holds that is not empty, or is before one that is not, and the sum of all.
    pub fn buckets(&self) -> Buckets {
        let mut counts: Vec<u64> = self.buckets.iter().map(|it| it.load(Ordering::Relaxed)).collect();
        let n_used = counts.iter().rposition(|it| *it > 0).map_or(0, |last| last + 1);
        counts.truncate(n_used);
        Buckets { counts, sum: self.sum.load(Ordering::Relaxed) }
    }

    /// What has been counted. Values that are recorded meanwhile may be in some of its numbers only.
    pub fn summary(&self) -> Summary {
        let buckets = array::from_fn(|n| self.buckets[n].load(Ordering::Relaxed));
        let max = self.max.load(Ordering::Relaxed);
        Summary {
            count: buckets.iter().sum(),
            sum: self.sum.load(Ordering::Relaxed),
            p50: quantile(&buckets, 0.5, max),
            p99: quantile(&buckets, 0.99, max),
            max,
        }
    }
}

/// The buckets of a histogram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets {
    /// How many values are below 2ⁿ and in none of the buckets before; the last of 41 holds all larger ones,
    /// too.
    pub counts: Vec<u64>,
    /// The sum of all values.
    pub sum: u64,
}

/// What a histogram has counted since the start of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How many values.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
    /// The upper bound of the bucket that holds the median: up to twice the median.
    pub p50: u64,
    /// The upper bound of the bucket that holds the 99th percentile.
    pub p99: u64,
    /// The largest value.
    pub max: u64,
}

fn quantile(buckets: &[u64; N_BUCKETS], share: f64, max: u64) -> u64 {
    let rank = (buckets.iter().sum::<u64>() as f64 * share).ceil() as u64;
    let mut n_below = 0;
    for (bucket, n) in buckets[..N_BUCKETS - 1].iter().enumerate() {
        n_below += n;
        if n_below >= rank {
            return max.min((1 << bucket) - 1);
        }
    }
    max
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_has_exact_sums_and_percentiles_up_to_twice_too_high() {
        let histogram = Histogram::default();
        let nothing = Summary { count: 0, sum: 0, p50: 0, p99: 0, max: 0 };
        assert_eq!(histogram.summary(), nothing);
        (1..=100).for_each(|n| histogram.record(n));
        let summary = Summary { count: 100, sum: 5050, p50: 63, p99: 100, max: 100 };
        assert_eq!(histogram.summary(), summary);
        histogram.record(0);
        histogram.record_ns(Duration::MAX);
        let Summary { count, p50, max, .. } = histogram.summary();
        assert_eq!((count, p50, max), (102, 63, u64::MAX));
    }

    #[test]
    fn buckets_end_with_the_largest_value() {
        let histogram = Histogram::default();
        assert_eq!(histogram.buckets(), Buckets::default());
        [0, 1, 4, 5].into_iter().for_each(|n| histogram.record(n));
        assert_eq!(histogram.buckets(), Buckets { counts: vec![1, 1, 0, 2], sum: 10 });
    }
}
