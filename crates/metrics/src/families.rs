//! Families of metrics, as they are written: a name, what it means, and its series with their labels.

use std::{fmt, ops::RangeInclusive};

use atoll_storage::Buckets;
use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder, NoLabelSet},
    metrics::{MetricType, exemplar::Exemplar},
};

/// Writes families. Names have their unit at the end; the encoder adds `_total` to those of counters.
pub(crate) struct Families<'a>(DescriptorEncoder<'a>);

/// A histogram as it is written: how many values are in each bucket, with its upper bound.
pub(crate) struct Histogram {
    pub(crate) buckets: Vec<(f64, u64)>,
    pub(crate) sum: f64,
}

impl<'a> Families<'a> {
    pub(crate) fn new(encoder: DescriptorEncoder<'a>) -> Families<'a> {
        Families(encoder)
    }

    /// A gauge without labels.
    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
    }

    /// A gauge without labels, of which there may be nothing to say.
    pub(crate) fn gauge_if(&mut self, name: &str, help: &str, value: Option<f64>) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        value.map_or(Ok(()), |it| family.encode_gauge(&it))
    }

    /// A gauge with these series.
    pub(crate) fn gauges<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (L, f64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        series.into_iter().try_for_each(|(labels, value)| family.encode_family(&labels)?.encode_gauge(&value))
    }

    /// A counter without labels.
    pub(crate) fn counter(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        count(&mut self.0.encode_descriptor(name, help, None, MetricType::Counter)?, value)
    }

    /// A counter with these series.
    pub(crate) fn counters<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (L, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        series
            .into_iter()
            .try_for_each(|(labels, value)| count(&mut family.encode_family(&labels)?, value as f64))
    }

    /// A histogram without labels.
    pub(crate) fn histogram(&mut self, name: &str, help: &str, it: &Histogram) -> fmt::Result {
        it.write(&mut self.0.encode_descriptor(name, help, None, MetricType::Histogram)?)
    }

    /// A histogram with these series.
    pub(crate) fn histograms<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (L, Histogram)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        series.into_iter().try_for_each(|(labels, it)| it.write(&mut family.encode_family(&labels)?))
    }
}

fn count(encoder: &mut MetricEncoder<'_>, value: f64) -> fmt::Result {
    encoder.encode_counter(&value, None::<&Exemplar<NoLabelSet, f64>>)
}

impl Histogram {
    /// Seconds, of what was counted in nanoseconds, in buckets from `2^14` ns (16 µs) to `2^34` ns (17 s).
    pub(crate) fn of_seconds(it: &Buckets) -> Histogram {
        Histogram::of(it, 14..=34, |bucket| (1_u64 << bucket) as f64 / 1e9, 1e9)
    }

    /// Numbers of something, up to a million.
    pub(crate) fn of_numbers(it: &Buckets) -> Histogram {
        Histogram::of(it, 1..=20, |bucket| ((1_u64 << bucket) - 1) as f64, 1.0)
    }

    /// The n-th bucket that was counted holds what is below `2^n`; those before the first that is shown count
    /// for it, and those behind the last for one without a bound.
    fn of(it: &Buckets, shown: RangeInclusive<usize>, bound: impl Fn(usize) -> f64, unit: f64) -> Histogram {
        let counts = |range: RangeInclusive<usize>| -> u64 {
            it.counts.iter().enumerate().filter(|(n, _)| range.contains(n)).map(|(_, count)| count).sum()
        };
        let (first, last) = (*shown.start(), *shown.end());
        let mut buckets = vec![(bound(first), counts(0..=first))];
        buckets.extend((first + 1..=last).map(|n| (bound(n), counts(n..=n))));
        buckets.push((f64::INFINITY, counts(last + 1..=usize::MAX)));
        Histogram { buckets, sum: it.sum as f64 / unit }
    }

    fn write(&self, encoder: &mut MetricEncoder<'_>) -> fmt::Result {
        // The encoder writes the largest number as `+Inf`.
        let buckets: Vec<(f64, u64)> =
            self.buckets.iter().map(|(bound, n)| (bound.min(f64::MAX), *n)).collect();
        let count = buckets.iter().map(|(_, n)| n).sum();
        encoder.encode_histogram::<NoLabelSet>(self.sum, count, &buckets, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_outside_of_the_buckets_that_are_shown_count_for_the_outermost() {
        let mut counts = vec![1_u64; 41];
        counts[20] = 5;
        let all = Histogram::of_seconds(&Buckets { counts: counts.clone(), sum: 3_000_000_000 });
        assert_eq!((all.buckets.len(), all.sum), (22, 3.0));
        assert_eq!(all.buckets[0], (0.000_016_384, 15));
        assert_eq!(all.buckets[6], (0.001_048_576, 5));
        assert_eq!(all.buckets[21], (f64::INFINITY, 6));
        assert_eq!(all.buckets.iter().map(|it| it.1).sum::<u64>(), 45);
        let few = Histogram::of_numbers(&Buckets { counts: vec![0, 1, 2], sum: 7 });
        assert_eq!(few.buckets[..3], [(1.0, 1), (3.0, 2), (7.0, 0)]);
    }
}
