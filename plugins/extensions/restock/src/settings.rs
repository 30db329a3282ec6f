//! Settings: what an operator sets below `[restock]` in `atoll.toml`, with defaults and limits; and the
//! constants that nobody needs to set.

use std::time::Duration;

use atoll_kernel::{Ctx, Timestamp, settings};

settings! {
    /// Settings of restock.
    pub struct RestockSettings = "restock" {
        /// Days after which a subscription is deleted, whether or not the shopper was told: it holds an
        /// e-mail address, which is not kept for longer than it is of use. A change is for new subscriptions.
        pub days: u32 = 90, 1..=730;
        /// Most subscriptions of one e-mail address, and of one customer, in all states: anybody with a
        /// publishable key can make them.
        pub per_shopper_max: u64 = 100, 1..=10_000;
    }
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// When a subscription that is made at this time is deleted.
pub(crate) fn expiry(ctx: &Ctx, made: Timestamp) -> Timestamp {
    made.plus_millis(i64::from(ctx.settings::<RestockSettings>().days) * DAY_MS)
}

/// Most characters of the language of a shopper, as BCP 47 recommends: anybody with a publishable key can say
/// one.
pub(crate) const LOCALE_MAX: usize = 35;

/// Most shoppers who wait for one variant, in all channels: anybody with a publishable key can subscribe, any
/// number of addresses, and whenever the stock of the variant changes it is decided on all of them.
pub const WAITING_PER_VARIANT_MAX: u64 = 10_000;

/// Most subscriptions that one transaction tells, checks or deletes: a long transaction holds up all others.
pub const BATCH: usize = 100;

/// The decision is asked again after so long at the latest, even if no event says that its answer may have
/// changed: an event may have been put aside as a dead letter, or have come while the extension was switched
/// off.
pub const RECHECK_AFTER: Duration = Duration::from_secs(60 * 60);

/// The pause between two looks at the subscriptions whose time to be checked has come, such as the start of
/// an availability window.
pub(crate) const CHECK_EVERY: Duration = Duration::from_secs(60);
