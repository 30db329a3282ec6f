//! Settings of the extension: limits and times, in one place.

use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A subscription is deleted so long after it was made, whether or not the shopper was told: it holds an
/// e-mail address, which is not kept for longer than it is of use.
pub const EXPIRES_AFTER: Duration = Duration::from_secs(90 * DAY.as_secs());

/// Most subscriptions of one e-mail address, in all states: anybody with a publishable key can make them.
pub const PER_EMAIL_MAX: u64 = 100;

/// Most subscriptions that one transaction tells, checks or deletes: a long transaction holds up all others.
pub const BATCH: usize = 100;

/// The decision is asked again after so long at the latest, even if no event says that its answer may have
/// changed: an event may have been put aside as a dead letter, or have come while the extension was switched
/// off.
pub const RECHECK_AFTER: Duration = Duration::from_secs(60 * 60);

/// The pause between two looks at the subscriptions whose time to be checked has come, such as the start of
/// an availability window.
pub(crate) const CHECK_EVERY: Duration = Duration::from_secs(60);
