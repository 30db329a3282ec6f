//! The time of a read request, and until when its answer holds (validity).

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use crate::{Timestamp, timestamp::CLOCK_SKEW_MS};

/// From when until when an answer is the same, as far as the clock is concerned. Starts unlimited, and is
/// only ever narrowed.
#[derive(Debug)]
pub struct Validity {
    from: AtomicI64,
    until: AtomicI64,
}

impl Default for Validity {
    fn default() -> Self {
        Validity { from: AtomicI64::new(i64::MIN), until: AtomicI64::new(i64::MAX) }
    }
}

impl Validity {
    /// The first millisecond, and the one after the last.
    pub fn range(&self) -> (i64, i64) {
        (self.from.load(Ordering::Relaxed), self.until.load(Ordering::Relaxed))
    }

    fn narrow(&self, from: i64, until: i64) {
        self.from.fetch_max(from, Ordering::Relaxed);
        self.until.fetch_min(until, Ordering::Relaxed);
    }
}

/// The current time, as what answers a request may look at it. It is compared rather than read: each
/// comparison notes at which time it would turn out otherwise, so that a remembered answer is not served
/// beyond it. Clones note in the same place.
#[derive(Clone, Debug)]
pub struct Now {
    at: Timestamp,
    noted: Option<Arc<Validity>>,
}

/// A time that stands still, such as that of a preview or of a transaction: nothing is noted.
impl From<Timestamp> for Now {
    fn from(at: Timestamp) -> Now {
        Now { at, noted: None }
    }
}

impl From<&Now> for Now {
    fn from(now: &Now) -> Now {
        now.clone()
    }
}

impl PartialEq for Now {
    fn eq(&self, other: &Now) -> bool {
        self.at == other.at
    }
}

impl Eq for Now {}

impl Now {
    /// This time of the clock; comparisons are noted in `validity`.
    pub fn noting(at: Timestamp, validity: &Arc<Validity>) -> Now {
        Now { at, noted: Some(validity.clone()) }
    }

    /// What `look` answers at this time, and the first moment after it at which one of its comparisons turns
    /// out otherwise; `None` if none ever does.
    pub fn lasting<T, E>(
        at: Timestamp,
        look: impl FnOnce(&Now) -> Result<T, E>,
    ) -> Result<(T, Option<Timestamp>), E> {
        let validity = Arc::default();
        let answer = look(&Now::noting(at, &validity))?;
        let (_, until) = validity.range();
        Ok((answer, Some(until).filter(|it| *it != i64::MAX).map(Timestamp::from_millis)))
    }

    /// Is it `time` or later?
    pub fn has_reached(&self, time: Timestamp) -> bool {
        let has_reached = time <= self.at;
        if let Some(noted) = &self.noted {
            match has_reached {
                true => noted.narrow(time.millis(), i64::MAX),
                false => noted.narrow(i64::MIN, time.millis()),
            }
        }
        has_reached
    }

    /// Is `time` further ahead than clock skew explains? See [`Timestamp::is_ahead_of`].
    pub fn is_behind(&self, time: Timestamp) -> bool {
        !self.has_reached(time.plus_millis(-CLOCK_SKEW_MS))
    }

    /// The result of `body`, which gets the time and also returns until when its result is the same; `None`
    /// for ever. Not before now, either: `body` need not know since when.
    pub fn until<T, E>(
        &self,
        body: impl FnOnce(Timestamp) -> Result<(T, Option<Timestamp>), E>,
    ) -> Result<T, E> {
        let (result, until) = body(self.at)?;
        if let Some(noted) = &self.noted {
            noted.narrow(self.at.millis(), until.map_or(i64::MAX, Timestamp::millis));
        }
        Ok(result)
    }

    /// The time itself. An answer that shows it is not remembered.
    pub fn exactly(&self) -> Timestamp {
        if let Some(noted) = &self.noted {
            noted.narrow(i64::MAX, i64::MIN);
        }
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// The validity after looking at the time 1,000 in this way.
    fn noted(look: impl FnOnce(&Now)) -> (i64, i64) {
        let validity = Arc::default();
        look(&Now::noting(at(1_000), &validity).clone());
        validity.range()
    }

    #[test]
    fn comparisons_note_when_they_would_turn_out_otherwise() {
        assert_eq!(noted(|_| ()), (i64::MIN, i64::MAX));
        assert_eq!(noted(|now| assert!(!now.has_reached(at(1_001)))), (i64::MIN, 1_001));
        assert_eq!(noted(|now| assert!(now.has_reached(at(1_000)))), (1_000, i64::MAX));
        let all = noted(|now| {
            assert_eq!(
                [900, 990, 1_020, 2_000].map(|it| now.has_reached(at(it))),
                [true, true, false, false]
            );
        });
        assert_eq!(all, (990, 1_020));
        let skew = noted(|now| assert!(now.is_behind(at(1_001 + CLOCK_SKEW_MS))));
        assert_eq!(skew, (i64::MIN, 1_001));
    }

    #[test]
    fn answer_lasts_until_a_comparison_turns_out_otherwise() {
        let lasting = |times: &[i64]| {
            let look = |now: &Now| Ok::<_, ()>(times.iter().filter(|it| now.has_reached(at(**it))).count());
            Now::lasting(at(1_000), look).expect("a result")
        };
        assert_eq!(lasting(&[]), (0, None));
        assert_eq!(lasting(&[900, 1_000]), (2, None));
        assert_eq!(lasting(&[900, 1_020, 2_000]), (1, Some(at(1_020))));
    }

    #[test]
    fn is_behind_is_the_other_side_of_is_ahead_of() {
        for time in [i64::MIN, -1, 0, 1_000 + CLOCK_SKEW_MS, 1_001 + CLOCK_SKEW_MS, i64::MAX] {
            assert_eq!(Now::from(at(1_000)).is_behind(at(time)), at(time).is_ahead_of(at(1_000)), "{time}");
        }
    }

    #[test]
    fn result_holds_from_now_until_the_time_that_is_said() {
        let of = |until: Option<i64>| {
            noted(|now| now.until(|it| Ok::<_, ()>((it, until.map(at)))).map(drop).expect("a result"))
        };
        assert_eq!(of(Some(1_500)), (1_000, 1_500));
        assert_eq!(of(None), (1_000, i64::MAX));
    }

    #[test]
    fn time_itself_holds_at_no_other_time() {
        let (from, until) = noted(|now| assert_eq!(now.exactly(), at(1_000)));
        assert!(until < from);
        let preview = Now::from(at(1_000));
        assert!(preview.has_reached(preview.exactly()));
    }
}
