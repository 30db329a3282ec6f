//! Points in time, in milliseconds, printed as the wire prints them: `2026-11-22T06:25:05.118Z`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time, in milliseconds since 1970 (UTC).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The clock of the machine. Only the edge reads it; everything below gets a `Moment`.
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

    /// This point and `millis` later.
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

/// The text is not a date: RFC 3339, or a date alone (midnight, UTC).
#[derive(Debug, PartialEq, Eq)]
pub struct NotADate;

impl fmt::Display for NotADate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a date")
    }
}

impl std::error::Error for NotADate {}

impl FromStr for Timestamp {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        if let Ok(it) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(it.as_millisecond()));
        }
        let date: jiff::civil::Date = text.parse().map_err(|_| NotADate)?;
        let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| NotADate)?;
        Ok(Self(midnight.timestamp().as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(it) = jiff::Timestamp::from_millisecond(self.0) else { return f.write_str("invalid date") };
        write!(f, "{it:.3}")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text where people read it (JSON), a number where they do not (the store).
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
        struct Time;

        impl de::Visitor<'_> for Time {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date")
            }

            fn visit_i64<E: de::Error>(self, millis: i64) -> Result<Timestamp, E> {
                Ok(Timestamp(millis))
            }

            fn visit_u64<E: de::Error>(self, millis: u64) -> Result<Timestamp, E> {
                Ok(Timestamp(millis as i64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Time)
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
        check("yesterday", Err(NotADate));
    }
}
