//! How often a password may be guessed.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use atoll_kernel::{Ctx, Fault, Head, Timestamp, peer};

/// Attempts for one address that logs in; getting in sets them back.
const N_PER_NAME: u32 = 10;
/// Attempts from one place, whoever they are for.
const N_PER_PLACE: u32 = 100;
/// For how long they are counted, in milliseconds.
const COUNTED_MS: i64 = 15 * 60 * 1000;
/// Names and places that are remembered. Where there are more, somebody makes them up.
const N_REMEMBERED_MAX: usize = 100_000;

/// What was tried of late. It is kept in memory: a restart forgets it.
#[derive(Default)]
struct Attempts(Mutex<HashMap<String, Count>>);

struct Count {
    n: u32,
    /// When the count begins anew.
    until: Timestamp,
}

impl Attempts {
    /// Counts an attempt. Errors: in how many seconds there may be another one.
    fn begin(&self, key: &str, n_max: u32, now: Timestamp) -> Result<(), u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= N_REMEMBERED_MAX {
            counts.retain(|_, it| now < it.until);
        }
        if counts.len() >= N_REMEMBERED_MAX {
            counts.clear();
        }
        let begun = || Count { n: 0, until: now.plus_millis(COUNTED_MS) };
        let count = counts.entry(key.to_owned()).or_insert_with(begun);
        if count.until <= now {
            *count = begun();
        }
        if count.n >= n_max {
            let left_ms = count.until.millis() - now.millis();
            return Err(left_ms.max(0).unsigned_abs().div_ceil(1000));
        }
        count.n += 1;
        Ok(())
    }

    fn forget(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

/// Places that many share, such as a proxy in front, are not counted.
fn is_counted(place: IpAddr) -> bool {
    match place {
        IpAddr::V4(it) => !it.is_loopback() && !it.is_private() && !it.is_link_local(),
        IpAddr::V6(it) => !it.is_loopback() && !it.is_unique_local() && !it.is_unicast_link_local(),
    }
}

fn key(what: &str, name: &str) -> String {
    // Somebody may send a very long one.
    format!("{what} {}", name.trim().to_lowercase().chars().take(320).collect::<String>())
}

/// May `what` be tried for this name, from where the request comes? Errors: 429, with when it may be tried again.
pub(crate) fn attempt(ctx: &Ctx, head: &Head, what: &str, name: &str) -> Result<(), Fault> {
    let (attempts, now) = (ctx.memory::<Attempts>(), ctx.now());
    let of_place = match peer(head).filter(|it| is_counted(*it)) {
        Some(place) => attempts.begin(&format!("place {place}"), N_PER_PLACE, now),
        None => Ok(()),
    };
    of_place
        .and_then(|()| attempts.begin(&key(what, name), N_PER_NAME, now))
        .map_err(|seconds| Fault::too_many("Too many attempts. Please try again later.", seconds))
}

/// It worked: what was tried before for this name counts no longer.
pub(crate) fn worked(ctx: &Ctx, what: &str, name: &str) {
    ctx.memory::<Attempts>().forget(&key(what, name));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_counted_for_a_while() {
        let attempts = Attempts::default();
        let at = Timestamp::from_millis;
        for _ in 0..3 {
            assert_eq!(attempts.begin("ann", 3, at(0)), Ok(()));
        }
        assert_eq!(attempts.begin("ann", 3, at(COUNTED_MS - 1001)), Err(2));
        assert_eq!(attempts.begin("bob", 3, at(1)), Ok(()));
        assert_eq!(attempts.begin("ann", 3, at(COUNTED_MS)), Ok(()));
        attempts.forget("ann");
        for _ in 0..3 {
            assert_eq!(attempts.begin("ann", 3, at(COUNTED_MS)), Ok(()));
        }
    }

    #[test]
    fn places_that_many_share_are_not_counted() {
        for (place, expected) in [
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("192.168.0.1", false),
            ("::1", false),
            ("fd00::1", false),
            ("203.0.113.7", true),
            ("2001:db8::1", true),
        ] {
            assert_eq!(is_counted(place.parse().expect("an address")), expected, "{place}");
        }
    }
}
