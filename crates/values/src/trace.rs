//! Where a span is in a trace: the ids of W3C Trace Context, and their form in the header `traceparent`.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// Where a span is: its trace, and its own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The id of the trace; never 0.
    pub trace_id: u128,
    /// The id of the span; never 0.
    pub span_id: u64,
    /// Is the trace recorded? Whoever began it decides.
    pub is_sampled: bool,
}

impl Trace {
    /// The first span of a new trace, which is recorded.
    pub fn root() -> Trace {
        Trace { trace_id: Uuid::now_v7().as_u128(), span_id: 0, is_sampled: true }.child()
    }

    /// A new span in the same trace.
    #[must_use]
    pub fn child(self) -> Trace {
        // The lower half of such an id is random, but for the two bits of its variant, which are not 0.
        Trace { span_id: Uuid::now_v7().as_u128() as u64, ..self }
    }
}

/// As in the header `traceparent`.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Trace { trace_id, span_id, is_sampled } = self;
        write!(f, "00-{trace_id:032x}-{span_id:016x}-{:02x}", u8::from(*is_sampled))
    }
}

/// It is no `traceparent`.
#[derive(Debug, PartialEq, Eq)]
pub struct NoTrace;

impl FromStr for Trace {
    type Err = NoTrace;

    /// Reads a header `traceparent`, also one of a later version.
    fn from_str(header: &str) -> Result<Trace, NoTrace> {
        let mut parts = header.split('-');
        let mut part = |n_digits: usize| {
            let is_hex = |it: &u8| matches!(it, b'0'..=b'9' | b'a'..=b'f');
            parts.next().filter(|it| it.len() == n_digits && it.bytes().all(|it| is_hex(&it))).ok_or(NoTrace)
        };
        let [version, trace, span, flags] = [part(2)?, part(32)?, part(16)?, part(2)?];
        let is_whole = version != "00" || parts.next().is_none();
        let trace_id = u128::from_str_radix(trace, 16).map_err(|_| NoTrace)?;
        let span_id = u64::from_str_radix(span, 16).map_err(|_| NoTrace)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| NoTrace)?;
        let is_valid = version != "ff" && is_whole && trace_id != 0 && span_id != 0;
        is_valid.then_some(Trace { trace_id, span_id, is_sampled: flags & 1 == 1 }).ok_or(NoTrace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_headers_are_read_and_written() {
        let check = |header: &str, expected: Option<&str>| {
            let read = header.parse::<Trace>().ok().map(|it| it.to_string());
            assert_eq!(read.as_deref(), expected, "{header}");
        };
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        check(header, Some(header));
        let unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        check(unsampled, Some(unsampled));
        let later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like";
        check(later, Some(header));
        check("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", None);
        check("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None);
        check("00-00000000000000000000000000000000-00f067aa0ba902b7-01", None);
        check("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", None);
        check("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", None);
        check("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", None);
        check("status=200 forged", None);
    }

    #[test]
    fn spans_of_one_trace_have_different_ids() {
        let root = Trace::root();
        let child = root.child();
        assert_eq!((root.trace_id, root.is_sampled), (child.trace_id, true));
        assert!(
            root.span_id != child.span_id && root.span_id != 0 && Trace::root().trace_id != root.trace_id
        );
    }
}
