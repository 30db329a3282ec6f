//! Timestamps in milliseconds, in UTC. Parses and prints RFC 3339 as the wire does:
//! `2026-11-22T06:25:05.118Z`.

use std::{fmt, str::FromStr, time::Duration};

use jiff::{
    SignedDuration,
    civil::{DateTime, Time},
    fmt::temporal::Pieces,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time, in milliseconds since 1970 (UTC).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The start of the year 0, the earliest that RFC 3339 can express.
    pub const MIN: Timestamp = Timestamp(-62_167_219_200_000);

    /// The end of the year 9999, the latest that RFC 3339 can express.
    pub const MAX: Timestamp = Timestamp(253_402_300_799_999);

    /// The wall-clock time. Only the edge calls it; everything below gets a `Moment`.
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_millisecond())
    }

    /// Milliseconds since 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Adds `millis`, saturating.
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Adds `duration`, saturating.
    pub fn plus(self, duration: Duration) -> Self {
        self.plus_millis(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
    }

    /// The timestamp, if RFC 3339 can express it.
    pub fn written(self) -> Option<Self> {
        (Self::MIN..=Self::MAX).contains(&self).then_some(self)
    }

    /// Is it further ahead of `now` than clock skew explains? Then the clock was set back since it was
    /// recorded, and waiting for it could take as long as the clock was ahead.
    pub const fn is_ahead_of(self, now: Timestamp) -> bool {
        self.0 > now.plus_millis(CLOCK_SKEW_MS).0
    }
}

/// Tolerated clock skew between hosts, or of a clock that is corrected, in milliseconds.
pub(crate) const CLOCK_SKEW_MS: i64 = 60_000;

/// The text is not a date of the years 0 to 9999: a date (midnight), or a date and a time as in RFC 3339,
/// with an offset or without one (UTC).
#[derive(Debug, PartialEq, Eq)]
pub struct NotADate;

impl fmt::Display for NotADate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a date")
    }
}

impl std::error::Error for NotADate {}

/// The Unix epoch. Jiff's own timestamps end a day before the year 9999 does.
const EPOCH: DateTime = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);

impl FromStr for Timestamp {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let pieces = Pieces::parse(text).map_err(|_| NotADate)?;
        let offset_s = match (pieces.offset(), pieces.time_zone_annotation()) {
            (Some(offset), _) => offset.to_numeric_offset().seconds(),
            (None, None) => 0,
            // No time-zone database is linked in.
            (None, Some(_)) => return Err(NotADate),
        };
        let here = pieces.date().to_datetime(pieces.time().unwrap_or(Time::midnight()));
        let since = here.duration_since(EPOCH) - SignedDuration::from_secs(offset_s.into());
        // Fractions of a millisecond are cut off, towards the past.
        let millis = i64::try_from(since.as_nanos().div_euclid(1_000_000)).map_err(|_| NotADate)?;
        Self(millis).written().ok_or(NotADate)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match EPOCH.checked_add(SignedDuration::from_millis(self.0)) {
            Ok(it) => write!(f, "{it:.3}Z"),
            Err(_) => f.write_str("invalid date"),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// RFC 3339 in human-readable formats (JSON), an integer in the store.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Date {
            is_from_people: bool,
        }

        impl de::Visitor<'_> for Date {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date")
            }

            fn visit_i64<E: de::Error>(self, millis: i64) -> Result<Timestamp, E> {
                let at = Timestamp(millis);
                let good = if self.is_from_people { at.written() } else { Some(at) };
                good.ok_or_else(|| E::custom(NotADate))
            }

            fn visit_u64<E: de::Error>(self, millis: u64) -> Result<Timestamp, E> {
                self.visit_i64(i64::try_from(millis).map_err(|_| E::custom(NotADate))?)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }

        let is_from_people = deserializer.is_human_readable();
        deserializer.deserialize_any(Date { is_from_people })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&str, NotADate>) {
        assert_eq!(text.parse::<Timestamp>().map(|it| it.to_string()).as_deref(), expect.as_ref().copied());
    }

    #[test]
    fn dates_are_read_and_printed_in_milliseconds() {
        check("2026-11-22T06:25:05.118Z", Ok("2026-11-22T06:25:05.118Z"));
        check("2026-11-22T06:25:05+02:00", Ok("2026-11-22T04:25:05.000Z"));
        check("2020-01-01", Ok("2020-01-01T00:00:00.000Z"));
        check("1969-12-31T23:59:59.9999Z", Ok("1969-12-31T23:59:59.999Z"));
        for text in [
            "yesterday", "", "18:00", "2026-11-26T25:00", "2026-13-01", "2026-02-30",
            "2026-11-26T18:00[Europe/Berlin]", "1e9", "99999999999999999999",
        ] {
            check(text, Err(NotADate));
        }
    }

    #[test]
    fn a_time_without_a_zone_is_in_utc() {
        for text in
            ["2026-11-26T18:00", "2026-11-26 18:00:00", "2026-11-26t18:00:00.000", "2026-11-26T18:00Z"]
        {
            check(text, Ok("2026-11-26T18:00:00.000Z"));
        }
    }

    #[test]
    fn dates_reach_from_the_year_0_to_9999() {
        check("0000-01-01", Ok("0000-01-01T00:00:00.000Z"));
        check("9999-12-31", Ok("9999-12-31T00:00:00.000Z"));
        check("9999-12-31T23:59:59.999Z", Ok("9999-12-31T23:59:59.999Z"));
        for text in [
            "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01", "-000001-12-31", "10000-01-01",
            "+010000-01-01", "+275760-09-13T00:00:00.000Z",
        ] {
            check(text, Err(NotADate));
        }
        assert_eq!(Timestamp::MIN.to_string(), "0000-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::MAX.plus_millis(1).written(), None);
        assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), "invalid date");
    }
}
