//! Low disk: while little free space is left, what is new is not written (507), and what has begun is
//! finished in the rest. So the disk is never full, and nothing is lost: no commit fails half-way, no call to
//! the outside is left without its answer.

use tokio::sync::watch;

use crate::{Ctx, Fault};

/// The `Retry-After` of a write that is refused, in seconds. The disk is measured each second, and it takes
/// somebody some time to make room.
const RETRY_AFTER_S: u64 = 30;

/// The share of the least free space that must be left beyond it until writes are taken again, so that they
/// are not refused and taken in turns: a sixteenth.
const MARGIN_SHARE: u64 = 16;

/// Upper bound of that margin, in bytes.
const MARGIN_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What is left of a disk that is nearly full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LowDisk {
    /// Bytes that are free.
    pub free_bytes: u64,
    /// Bytes that must stay free: the setting `disk_free_min_bytes`.
    pub min_bytes: u64,
}

/// Whether the disk has room for what is new. Somebody else measures it, and says so.
#[derive(Debug, Default)]
pub struct Room {
    low: watch::Sender<Option<LowDisk>>,
}

impl Room {
    /// Notes that this many bytes are free, where this many must stay free. Returns whether that changes
    /// anything: writes are refused from now on, or taken again.
    pub fn measured(&self, free_bytes: u64, min_bytes: u64) -> bool {
        let was_low = self.low.borrow().is_some();
        let margin = if was_low { (min_bytes / MARGIN_SHARE).min(MARGIN_BYTES_MAX) } else { 0 };
        let is_low = free_bytes < min_bytes.saturating_add(margin);
        if was_low || is_low {
            self.low.send_replace(is_low.then_some(LowDisk { free_bytes, min_bytes }));
        }
        was_low != is_low
    }

    /// What is left, if there is no room.
    pub fn low(&self) -> Option<LowDisk> {
        *self.low.borrow()
    }

    /// Is there room?
    pub fn is_there(&self) -> bool {
        self.low.borrow().is_none()
    }

    /// Errors: 507 if there is no room. For what writes to the disk and not to the store, and for what calls
    /// the outside and writes the outcome.
    pub fn check(&self) -> Result<(), Fault> {
        if self.is_there() {
            return Ok(());
        }
        let text = "The disk of the server is nearly full: nothing new is written until there is room again";
        let fault = Fault::of(507, "insufficient_storage", text).with_retry_after(RETRY_AFTER_S);
        Err(fault.at_limit("disk_free_min_bytes"))
    }

    /// Waits until there is room.
    pub async fn until_there(&self) {
        // The sender is this one.
        let _ = self.low.subscribe().wait_for(Option::is_none).await;
    }
}

impl Ctx {
    /// The same application, whose commits are not refused while the disk has no room: for what finishes
    /// something that has begun, and is small. The reserve of the disk is for this.
    #[must_use]
    pub fn finishing(&self) -> Ctx {
        let mut finishing = self.clone();
        finishing.is_finishing = true;
        finishing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_taken_again_when_more_than_the_least_is_free() {
        let room = Room::default();
        let min = 1 << 30;
        let check = |free: u64, changes: bool, is_there: bool| {
            assert_eq!((room.measured(free, min), room.is_there()), (changes, is_there), "{free} bytes");
        };
        check(min, false, true);
        check(min - 1, true, false);
        assert_eq!(room.low(), Some(LowDisk { free_bytes: min - 1, min_bytes: min }));
        check(min, false, false);
        check(min + MARGIN_BYTES_MAX - 1, false, false);
        check(min + MARGIN_BYTES_MAX, true, true);
        check(min, false, true);
    }

    #[test]
    fn without_a_least_there_is_always_room() {
        let room = Room::default();
        assert!(!room.measured(0, 0) && room.is_there());
        // The setting was lowered to nothing, or the disk was replaced by another.
        room.measured(0, 1);
        assert!(room.measured(0, 0) && room.is_there());
    }
}
