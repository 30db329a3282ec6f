//! Counters of the writer, for metrics: queue length, batch size, body time, commit time, keys read and
//! written.

use std::time::Instant;

use serde::Serialize;

use crate::{Buckets, Changes, HeldSummary, Histogram, Summary, held_views::HeldViews};

/// What the writer has done since the store was opened.
#[derive(Debug, Default)]
pub struct WriterCounters {
    figures: WriterFigures<Histogram>,
    pub(crate) held: HeldViews,
}

/// A snapshot of the counters of the writer.
pub type WriterSummary = WriterFigures<Summary>;

/// The figures of the writer. Durations are in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WriterFigures<T> {
    /// Transactions that waited when a batch began, those of the batch included.
    pub queue: T,
    /// Transactions of a batch.
    pub batch: T,
    /// Time of a body, with the reading and changing that it does.
    pub body_ns: T,
    /// Time of a commit, with its flush to disk; batches that change nothing have none.
    pub commit_ns: T,
    /// Keys that a body reads from the database, and not from the changes before it in its batch.
    pub keys_read: T,
    /// Keys that a commit writes.
    pub keys_written: T,
    /// Bytes of these keys and of their values.
    pub bytes_written: T,
}

impl WriterCounters {
    /// A snapshot.
    pub fn summary(&self) -> WriterSummary {
        self.each(Histogram::summary)
    }

    /// The buckets of all of them.
    pub fn buckets(&self) -> WriterFigures<Buckets> {
        self.each(Histogram::buckets)
    }

    /// The views of earlier commits that are held.
    pub fn held(&self) -> HeldSummary {
        self.held.summary()
    }

    fn each<T>(&self, of: impl Fn(&Histogram) -> T) -> WriterFigures<T> {
        let it = &self.figures;
        WriterFigures {
            queue: of(&it.queue),
            batch: of(&it.batch),
            body_ns: of(&it.body_ns),
            commit_ns: of(&it.commit_ns),
            keys_read: of(&it.keys_read),
            keys_written: of(&it.keys_written),
            bytes_written: of(&it.bytes_written),
        }
    }

    pub(crate) fn count_batch(&self, n_queued: usize, n_taken: usize) {
        self.figures.queue.record(n_queued as u64);
        self.figures.batch.record(n_taken as u64);
    }

    pub(crate) fn count_body(&self, begun: Instant, n_keys: u64) {
        self.figures.body_ns.record_ns(begun.elapsed());
        self.figures.keys_read.record(n_keys);
    }

    pub(crate) fn count_commit(&self, begun: Instant, changes: &Changes) {
        self.figures.commit_ns.record_ns(begun.elapsed());
        let bytes =
            |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| key.len() + value.as_ref().map_or(0, Vec::len);
        self.figures.keys_written.record(changes.len() as u64);
        self.figures.bytes_written.record(changes.iter().map(bytes).sum::<usize>() as u64);
    }
}
