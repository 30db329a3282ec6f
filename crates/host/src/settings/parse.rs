//! Parsers of settings, with their ranges: counts, times, addresses, sizes.

use std::{net::SocketAddr, ops::RangeInclusive, time::Duration};

use atoll_kernel::limits::{CACHE_BYTES_FLOOR, FILE_BYTES_CEILING};

/// Largest count: the most permits of a semaphore that can be acquired at once.
const COUNT_MAX: usize = u32::MAX as usize;

/// Most threads of the pool for reading.
const THREADS_MAX: usize = 256;

/// Largest cache of the database: half of what a process can address.
const CACHE_BYTES_MAX: usize = isize::MAX as usize;

/// Largest size of a disk: the largest of a file.
const DISK_BYTES_MAX: u64 = i64::MAX as u64;

/// Longest time-out: a day.
const SECONDS_MAX: u64 = 24 * 60 * 60;

/// A shorter lease would end by any pause, and a longer one is no failover.
const LEASES: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);

/// Longest expiry of carts: a hundred years.
const DAYS_MAX: u32 = 36_500;

/// Most attempts at an event: with two minutes between them, more than a day.
const ATTEMPTS_MAX: u32 = 1_000;

/// Parses an address to listen on.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "it is not an address and port".into())
}

/// Parses a count of at least one.
pub(super) fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=COUNT_MAX) => Ok(n),
        _ => Err(format!("it must be a number from 1 to {COUNT_MAX}")),
    }
}

/// Parses a number of threads.
pub(super) fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=THREADS_MAX) => Ok(n),
        _ => Err(format!("it must be a number from 1 to {THREADS_MAX}")),
    }
}

/// Parses a time in seconds: `30` or `30 s`.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    match text.trim_end_matches('s').trim().parse() {
        Ok(n @ 1..=SECONDS_MAX) => Ok(Duration::from_secs(n)),
        _ => Err(format!("it must be a number of seconds from 1 to {SECONDS_MAX}")),
    }
}

/// A lease in seconds: `5`, or `0.3` where all hosts are near.
pub(super) fn lease(text: &str) -> Result<Duration, String> {
    let seconds = text.trim_end_matches('s').trim().parse().ok();
    let lease = seconds.and_then(|it| Duration::try_from_secs_f64(it).ok());
    let error = || format!("it must be a number of seconds from 0.1 to {}", LEASES.end().as_secs());
    lease.filter(|it| LEASES.contains(it)).ok_or_else(error)
}

/// A size in bytes, or 0 for nothing.
pub(super) fn bytes_or_none(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 0..=COUNT_MAX) => Ok(n),
        _ => Err(format!("it must be a number of bytes from 1 to {COUNT_MAX}, or 0 for none")),
    }
}

/// A size of a disk in bytes, or 0 for nothing.
pub(super) fn disk_bytes(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(n @ 0..=DISK_BYTES_MAX) => Ok(n),
        _ => Err(format!("it must be a number of bytes from 1 to {DISK_BYTES_MAX}, or 0 for none")),
    }
}

/// A time in seconds, or 0 for none.
pub(super) fn seconds_or_none(text: &str) -> Result<Duration, String> {
    match text.trim_end_matches('s').trim() {
        "0" => Ok(Duration::ZERO),
        _ => seconds(text).map_err(|error| format!("{error}, or 0 for none")),
    }
}

/// A number of days, or 0.
pub(super) fn days(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(n @ 0..=DAYS_MAX) => Ok(n),
        _ => Err(format!("it must be a number of days from 1 to {DAYS_MAX}, or 0 for never")),
    }
}

/// Whether something is switched on.
pub(super) fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("it must be `on` or `off`".into()),
    }
}

/// A number of attempts.
pub(super) fn attempts(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(n @ 1..=ATTEMPTS_MAX) => Ok(n),
        _ => Err(format!("it must be a number from 1 to {ATTEMPTS_MAX}")),
    }
}

/// An address that names are appended to, without a slash at the end.
pub(super) fn base_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fits =
        |it: &str| !it.is_empty() && !it.contains(['?', '#']) && it.bytes().all(|it| it.is_ascii_graphic());
    match rest {
        Some(rest) if fits(rest) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("it must be an address such as `https://shop.example.com/static`".into()),
    }
}

/// Where a server is reached: an address without a path, and without a slash at the end.
pub(super) fn origin(text: &str) -> Result<String, String> {
    match base_url(text) {
        Ok(url) if url.matches('/').count() == 2 => Ok(url),
        _ => Err("it must be an address without a path, such as `https://shop.example.com`".into()),
    }
}

/// Parses the size limit of a file.
pub(super) fn file_bytes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=FILE_BYTES_CEILING) => Ok(n),
        _ => Err(format!("it must be a number of bytes from 1 to {FILE_BYTES_CEILING}")),
    }
}

/// Parses the size of the database's cache.
pub(super) fn cache_bytes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ CACHE_BYTES_FLOOR..=CACHE_BYTES_MAX) => Ok(n),
        _ => Err(format!("it must be a number of bytes from {CACHE_BYTES_FLOOR} on")),
    }
}

pub(super) fn check_log(text: &str) -> Result<(), String> {
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) => Ok(()),
        Err(_) => Err("it is not a filter of `tracing`".into()),
    }
}
