//! Counters of the writer, for metrics: queue length, batch size, body time, commit time, keys read and
//! written.

use std::time::Instant;

use serde::Serialize;

use crate::{Changes, Histogram, Summary};

/// What the writer has done since the store was opened. Durations are in nanoseconds.
#[derive(Debug, Default)]
pub struct WriterCounters {
    queue: Histogram,
    batch: Histogram,
    body_ns: Histogram,
    commit_ns: Histogram,
    keys_read: Histogram,
    keys_written: Histogram,
    bytes_written: Histogram,
}

/// A snapshot of the counters of the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WriterSummary {
    /// Transactions that waited when a batch began, those of the batch included.
    pub queue: Summary,
    /// Transactions of a batch.
    pub batch: Summary,
    /// Time of a body, with the reading and changing that it does.
    pub body_ns: Summary,
    /// Time of a commit, with its flush to disk; batches that change nothing have none.
    pub commit_ns: Summary,
    /// Keys that a body reads from the database, and not from the changes before it in its batch.
    pub keys_read: Summary,
    /// Keys that a commit writes.
    pub keys_written: Summary,
    /// Bytes of these keys and of their values.
    pub bytes_written: Summary,
}

impl WriterCounters {
    /// A snapshot.
    pub fn summary(&self) -> WriterSummary {
        WriterSummary {
            queue: self.queue.summary(),
            batch: self.batch.summary(),
            body_ns: self.body_ns.summary(),
            commit_ns: self.commit_ns.summary(),
            keys_read: self.keys_read.summary(),
            keys_written: self.keys_written.summary(),
            bytes_written: self.bytes_written.summary(),
        }
    }

    pub(crate) fn count_batch(&self, n_queued: usize, n_taken: usize) {
        self.queue.record(n_queued as u64);
        self.batch.record(n_taken as u64);
    }

    pub(crate) fn count_body(&self, begun: Instant, n_keys: u64) {
        self.body_ns.record_ns(begun.elapsed());
        self.keys_read.record(n_keys);
    }

    pub(crate) fn count_commit(&self, begun: Instant, changes: &Changes) {
        self.commit_ns.record_ns(begun.elapsed());
        let bytes =
            |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| key.len() + value.as_ref().map_or(0, Vec::len);
        self.keys_written.record(changes.len() as u64);
        self.bytes_written.record(changes.iter().map(bytes).sum::<usize>() as u64);
    }
}
