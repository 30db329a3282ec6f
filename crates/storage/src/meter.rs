//! Budgets of reading: how many keys a request may read, counted where keys are read, and how its reading is
//! stopped.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::StoreError;

/// Why a request reads no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// It reads more keys than it may.
    #[error("it reads more than {0} keys")]
    Keys(u64),
    /// It holds more records in memory than it may.
    #[error("it holds more than {0} records at a time")]
    Records(u64),
    /// Its answer is longer than it may be.
    #[error("its answer has more than {0} bytes")]
    Bytes(u64),
    /// Its client is gone.
    #[error("its client has disconnected")]
    Disconnected,
    /// Its time is up.
    #[error("it timed out")]
    TimedOut,
}

const DISCONNECTED: u8 = 1;
const TIMED_OUT: u8 = 2;

/// Counts the keys that one request reads, and ends its reading: at a number of keys, or when somebody stops
/// it.
#[derive(Debug, Default)]
pub struct Meter {
    n_read: AtomicU64,
    /// 0 when it was stopped, so that there is one comparison per key.
    n_max: AtomicU64,
    stopped: AtomicU8,
}

impl Meter {
    /// Lets so many keys be read.
    pub fn new(n_max: u64) -> Meter {
        let meter = Meter::default();
        meter.restart(n_max);
        meter
    }

    /// Counts anew, up to so many keys. What was stopped stays so.
    pub fn restart(&self, n_max: u64) {
        self.n_read.store(0, Ordering::SeqCst);
        self.n_max.store(n_max, Ordering::SeqCst);
        if self.stopped.load(Ordering::SeqCst) != 0 {
            self.n_max.store(0, Ordering::SeqCst);
        }
    }

    /// Ends the reading at the next key: the client is gone.
    pub fn disconnect(&self) {
        self.stop(DISCONNECTED);
    }

    /// Ends the reading at the next key: it took too long.
    pub fn time_out(&self) {
        self.stop(TIMED_OUT);
    }

    fn stop(&self, why: u8) {
        self.stopped.store(why, Ordering::SeqCst);
        self.n_max.store(0, Ordering::SeqCst);
    }

    /// The keys that were read since it began to count.
    pub fn n_read(&self) -> u64 {
        self.n_read.load(Ordering::Relaxed)
    }

    /// Why it lets nothing be read any more, if it does not.
    pub fn halted(&self) -> Option<Halt> {
        let n_max = self.n_max.load(Ordering::SeqCst);
        match self.stopped.load(Ordering::SeqCst) {
            DISCONNECTED => Some(Halt::Disconnected),
            TIMED_OUT => Some(Halt::TimedOut),
            _ => (self.n_read() > n_max).then_some(Halt::Keys(n_max)),
        }
    }

    /// Counts a key that is about to be read.
    pub(crate) fn count(&self) -> Result<(), StoreError> {
        // One request reads one key after the other: the order of the two does not matter.
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
