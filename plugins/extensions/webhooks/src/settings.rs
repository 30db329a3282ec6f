//! Settings: what an operator sets below `[webhooks]` in `atoll.toml`; and the limits.

use std::{net::IpAddr, time::Duration};

use atoll_kernel::{Ctx, http::IpNet, registry::SettingType, settings};
use atoll_providers::Reach;

settings! {
    /// Settings of webhooks.
    pub(crate) struct WebhookSettings = "webhooks" {
        /// Networks that webhooks may be sent to although they are not public: `10.0.0.0/8, 127.0.0.1`. None
        /// by default, so that nobody who may name an address reaches what only this machine does. Every
        /// admin can then send requests there, and read the beginning of each answer.
        pub(crate) allow_private: Networks = "";
        /// May webhooks be sent without TLS, to addresses that begin with `http://`?
        pub(crate) allow_http: bool = false;
    }
}

/// Networks and addresses, separated by commas.
#[derive(Clone, Debug)]
pub(crate) struct Networks(Vec<IpNet>);

impl SettingType for Networks {
    fn parse(text: &str) -> Result<Self, String> {
        let network =
            |it: &String| it.parse::<IpNet>().ok().or_else(|| it.parse::<IpAddr>().ok().map(IpNet::from));
        let networks = Vec::<String>::parse(text)?.iter().map(network).collect::<Option<_>>();
        networks
            .map(Networks)
            .ok_or_else(|| "it must be networks, such as `10.0.0.0/8, 127.0.0.1`".to_owned())
    }
}

/// What webhooks may reach.
pub(crate) fn reach(ctx: &Ctx) -> Reach {
    let WebhookSettings { allow_private: Networks(private), allow_http } = ctx.settings::<WebhookSettings>();
    Reach { private: private.clone(), plain_http: *allow_http }
}

const SECOND: u64 = 1;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// Most webhooks. With [`IN_FLIGHT_PER_WEBHOOK_MAX`] it bounds the requests that are under way: 200.
pub const WEBHOOKS_MAX: u64 = 50;

/// Requests to one webhook at a time. One that is slow holds up no other, since each has its own.
pub const IN_FLIGHT_PER_WEBHOOK_MAX: usize = 4;

/// Tests that admins have under way: each holds a request for up to [`TIMEOUT`].
pub const TESTS_MAX: usize = 4;

/// Most events or patterns of one webhook, and most sales channels.
pub(crate) const NAMES_MAX: usize = 100;

/// Bytes of an address.
pub(crate) const URL_BYTES_MAX: usize = 2_048;

/// Secrets that sign at a time: the newest, and those that it replaces.
pub const SECRETS_MAX: usize = 3;

/// Hours for which a replaced secret signs beside the new one, by default and at most.
pub(crate) const KEEP_HOURS: f64 = 24.0;
pub(crate) const KEEP_HOURS_MAX: f64 = 7.0 * 24.0;

/// Bytes of the data of an event. A larger one is given up at once.
pub const PAYLOAD_BYTES_MAX: usize = 64 * 1024;

/// Time-out of one attempt.
pub const TIMEOUT: Duration = Duration::from_secs(20 * SECOND);

/// Bytes of an answer that are read.
pub(crate) const ANSWER_BYTES_MAX: usize = 4 * 1024;

/// Characters of an answer that are kept.
pub const ANSWER_CHARS_MAX: usize = 500;

/// The pauses after the first failed attempt, the second, and so on; after the last a delivery is given up.
/// It is the schedule that Standard Webhooks recommends: ten attempts within three days.
pub const RETRY_PAUSES: [Duration; 9] = [
    Duration::from_secs(5 * SECOND),
    Duration::from_secs(5 * MINUTE),
    Duration::from_secs(30 * MINUTE),
    Duration::from_secs(2 * HOUR),
    Duration::from_secs(5 * HOUR),
    Duration::from_secs(10 * HOUR),
    Duration::from_secs(14 * HOUR),
    Duration::from_secs(20 * HOUR),
    Duration::from_secs(24 * HOUR),
];

/// A pause is longer by up to this part of it (jitter), so that what failed together is not sent together.
pub(crate) const JITTER_PART: u32 = 10;

/// The longest pause that a receiver can ask for (`Retry-After` of 429 and 503).
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * HOUR);

/// A webhook of which every attempt failed for so long is switched off.
pub const FAILING_MAX: Duration = Duration::from_secs(5 * 24 * HOUR);

/// How exactly a webhook notes when an attempt has failed: else each would write it.
pub(crate) const FAILED_AT_STEP: Duration = Duration::from_secs(HOUR);

/// Attempts that a delivery shows.
pub const ATTEMPTS_KEPT_MAX: usize = 12;

/// Pending deliveries of one webhook. While there are as many, its cursor stays where it is: what comes
/// later waits in the outbox, for as long as that keeps events, a week.
pub const PENDING_PER_WEBHOOK_MAX: u64 = 1_000;

/// Deliveries that one transaction writes, and bytes of their data, but for those of its last event: a long
/// transaction holds up all others.
pub(crate) const DELIVERIES_PER_COMMIT: usize = 500;
pub(crate) const BYTES_PER_COMMIT: usize = 4 * 1024 * 1024;

/// Deliveries that are kept for a webhook, pending ones included.
pub const DELIVERIES_PER_WEBHOOK_MAX: u64 = 5_000;

/// Days after which a delivery is deleted.
pub const DELIVERY_DAYS: i64 = 30;

/// Deliveries that one request sends again, and that one transaction deletes.
pub(crate) const BATCH: usize = 500;
