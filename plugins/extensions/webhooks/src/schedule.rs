//! When a delivery is sent again: pauses with jitter, and the wishes of the receiver.

use std::time::Duration;

use atoll_kernel::Timestamp;

use crate::settings::{JITTER_PART, RETRY_AFTER_MAX, RETRY_PAUSES};

/// The longest that a pending delivery waits. What is to be sent later than that was written while the clock
/// was ahead, and is sent at once.
pub(crate) fn longest_pause() -> Duration {
    let pause = RETRY_PAUSES[RETRY_PAUSES.len() - 1];
    (pause + pause / JITTER_PART).max(RETRY_AFTER_MAX)
}

/// When to attempt again after so many failed attempts, the last of them at `now`; none: it is given up. The
/// jitter depends on the delivery and the attempt alone, since a transaction draws no random numbers.
pub(crate) fn next_attempt(
    id: &str,
    n_attempts: u32,
    retry_after: Option<Duration>,
    now: Timestamp,
) -> Option<Timestamp> {
    let pause = *RETRY_PAUSES.get(n_attempts.checked_sub(1)? as usize)?;
    let jitter = pause / JITTER_PART * (hash(id, n_attempts) % PARTS) / PARTS;
    let asked = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
    Some(now.plus((pause + jitter).max(asked)))
}

/// Steps of the jitter.
const PARTS: u32 = 1_000;

/// FNV-1a.
fn hash(id: &str, n_attempts: u32) -> u32 {
    let bytes = id.bytes().chain(n_attempts.to_be_bytes());
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_those_of_the_standard_with_jitter() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let mut jitters = Vec::new();
        for (n, pause) in RETRY_PAUSES.iter().enumerate() {
            let next = next_attempt("msg_1", n as u32 + 1, None, now).expect("a time");
            let (ms, least) = ((next.millis() - now.millis()) as u128, pause.as_millis());
            assert!((least..=least + least / u128::from(JITTER_PART)).contains(&ms), "{n}: {ms}");
            jitters.push((ms - least) * 1000 / least);
        }
        jitters.dedup();
        assert!(jitters.len() > 5, "{jitters:?}");
        assert_eq!(next_attempt("msg_1", RETRY_PAUSES.len() as u32 + 1, None, now), None);
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_pause_up_to_a_day() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let pause = |asked_s: u64| {
            let next = next_attempt("msg_1", 2, Some(Duration::from_secs(asked_s)), now).expect("a time");
            (next.millis() - now.millis()) / 1000
        };
        assert!((300..=330).contains(&pause(1)));
        assert_eq!(pause(3_600), 3_600);
        assert_eq!(pause(1_000_000_000), 24 * 3_600);
    }
}
