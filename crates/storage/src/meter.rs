//! Read budgets: a limit on the keys that a request reads, its time-out, and cancellation when the client
//! disconnects.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::StoreError;

/// Why the reads of a request were stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// The limit on keys was exceeded.
    #[error("it reads more than {0} keys")]
    Keys(u64),
    /// The limit on records in memory was exceeded.
    #[error("it holds more than {0} records at a time")]
    Records(u64),
    /// The limit on the size of the answer was exceeded.
    #[error("its answer has more than {0} bytes")]
    Bytes(u64),
    /// The limit on the bytes that are sorted was exceeded.
    #[error("it sorts more than {0} bytes")]
    Sorted(u64),
    /// The limit on what one transaction may write, where several hosts share a store, was exceeded.
    #[error("it writes more than {0} bytes at once")]
    Written(u64),
    /// The client disconnected.
    #[error("its client has disconnected")]
    Disconnected,
    /// The request timed out.
    #[error("it timed out")]
    TimedOut,
    /// It was cancelled by whoever has begun it, or by a shutdown.
    #[error("it was cancelled")]
    Cancelled,
}

const DISCONNECTED: u8 = 1;
const TIMED_OUT: u8 = 2;

/// Counts the keys that one request reads, and stops it at a limit, at a time-out or on a disconnect.
#[derive(Debug, Default)]
pub struct Meter {
    n_read: AtomicU64,
    /// Those before the last reset, and those of other meters.
    n_earlier: AtomicU64,
    /// Set to 0 on a stop, so that one comparison per key covers both.
    n_max: AtomicU64,
    stopped: AtomicU8,
}

impl Meter {
    /// A meter that allows `n_max` keys.
    pub fn new(n_max: u64) -> Meter {
        let meter = Meter::default();
        meter.restart(n_max);
        meter
    }

    /// Resets the count and the limit. A stopped meter stays stopped.
    pub fn restart(&self, n_max: u64) {
        self.n_earlier.fetch_add(self.n_read.swap(0, Ordering::SeqCst), Ordering::SeqCst);
        self.n_max.store(n_max, Ordering::SeqCst);
        if self.stopped.load(Ordering::SeqCst) != 0 {
            self.n_max.store(0, Ordering::SeqCst);
        }
    }

    /// Stops the request at its next read, because the client disconnected.
    pub fn disconnect(&self) {
        self.stop(DISCONNECTED);
    }

    /// Stops the request at its next read, because it timed out.
    pub fn time_out(&self) {
        self.stop(TIMED_OUT);
    }

    fn stop(&self, why: u8) {
        self.stopped.store(why, Ordering::SeqCst);
        self.n_max.store(0, Ordering::SeqCst);
    }

    /// The keys that were read since the last reset.
    pub fn n_read(&self) -> u64 {
        self.n_read.load(Ordering::Relaxed)
    }

    /// All keys that were read: those before a reset, and those of added meters, included.
    pub fn n_total(&self) -> u64 {
        self.n_earlier.load(Ordering::Relaxed) + self.n_read()
    }

    /// Counts what another meter has counted, beyond the limit of this one.
    pub fn add(&self, other: &Meter) {
        self.n_earlier.fetch_add(other.n_total(), Ordering::Relaxed);
    }

    /// Why further reads are refused; `None` if they are not.
    pub fn halted(&self) -> Option<Halt> {
        let n_max = self.n_max.load(Ordering::SeqCst);
        match self.stopped.load(Ordering::SeqCst) {
            DISCONNECTED => Some(Halt::Disconnected),
            TIMED_OUT => Some(Halt::TimedOut),
            _ => (self.n_read() > n_max).then_some(Halt::Keys(n_max)),
        }
    }

    /// Counts a read. Errors once the limit is exceeded or the meter was stopped.
    pub(crate) fn count(&self) -> Result<(), StoreError> {
        // A request reads sequentially, so no ordering between the two atomics is needed.
        let n_before = self.n_read.fetch_add(1, Ordering::Relaxed);
        if n_before < self.n_max.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(StoreError::Halted(self.halted().unwrap_or(Halt::Disconnected)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(meter: &Meter, n: u64) -> Option<Halt> {
        let read = (0..n).try_for_each(|_| meter.count());
        assert_eq!(read.is_err(), meter.halted().is_some());
        meter.halted()
    }

    #[test]
    fn meter_stops_after_the_allowed_keys() {
        let meter = Meter::new(3);
        assert_eq!(read(&meter, 3), None);
        assert_eq!(read(&meter, 1), Some(Halt::Keys(3)));
        meter.restart(5);
        assert_eq!(read(&meter, 5), None);
        assert_eq!(read(&meter, 1), Some(Halt::Keys(5)));
        meter.add(&Meter::new(0));
        assert_eq!((meter.n_read(), meter.n_total()), (6, 10));
        let other = Meter::new(5);
        assert_eq!(read(&other, 5), None);
        meter.add(&other);
        assert_eq!((meter.n_read(), meter.n_total()), (6, 15));
    }

    #[test]
    fn meter_stays_stopped() {
        let meter = Meter::new(100);
        assert_eq!(read(&meter, 1), None);
        meter.disconnect();
        assert_eq!(read(&meter, 1), Some(Halt::Disconnected));
        meter.restart(100);
        assert_eq!(read(&meter, 1), Some(Halt::Disconnected));
        meter.time_out();
        assert_eq!(read(&meter, 1), Some(Halt::TimedOut));
    }
}
