//! Webhooks: events of the shop are sent to addresses that admins name, by Standard Webhooks 1.0, at least
//! once, with signatures and retries.
//!
//! A worker reads the outbox, once for all webhooks at a position, and writes a delivery for each event that
//! a webhook wants; the cursors of the webhooks move in the same transaction. Each delivery is then sent on
//! its own: one that fails is retried later, and delays neither those after it nor other webhooks.

mod checks;
mod deliveries;
mod events;
mod metrics;
mod pages;
mod prune;
mod queue;
mod relay;
mod routes;
mod schedule;
mod secret;
mod send;
mod settings;
mod settle;
mod types;
mod worker;
mod write;

use atoll_kernel::{
    data::{Index, Module, Service, Slots},
    module,
};

pub use relay::position_of;
pub use secret::{WebhookSecret, sign};
pub use settings::{
    ANSWER_CHARS_MAX, ATTEMPTS_KEPT_MAX, DELIVERIES_PER_WEBHOOK_MAX, DELIVERY_DAYS, FAILING_MAX,
    IN_FLIGHT_PER_WEBHOOK_MAX, PAYLOAD_BYTES_MAX, PENDING_PER_WEBHOOK_MAX, RETRY_AFTER_MAX, RETRY_PAUSES,
    SECRETS_MAX, TESTS_MAX, TIMEOUT, WEBHOOKS_MAX,
};
pub use types::{Attempt, DeliveryState, SecretMark, SwitchedOff, Webhook, WebhookDelivery, WebhookPatch};

/// Entity name of webhooks in queries.
pub(crate) const WEBHOOK: &str = "webhook";

/// The webhooks. There are few, so that all are read at once.
pub static WEBHOOKS: Service<Webhook> = Service::new(&[]);

/// The deliveries of a webhook, the oldest first.
pub(crate) const BY_WEBHOOK: Index<WebhookDelivery> =
    Index::counted("webhook_delivery.by_webhook", &["webhook_id"], |it, keys| keys.add(&[&it.webhook_id]));

/// How many deliveries of a webhook are in which state.
pub(crate) const BY_STATE: Index<WebhookDelivery> =
    Index::counted("webhook_delivery.by_state", &["webhook_id", "state"], |it, keys| {
        keys.add(&[&it.webhook_id, it.state.as_str()]);
    });

/// The pending deliveries of a webhook by the time of their next attempt.
pub(crate) const BY_TIME: Index<WebhookDelivery> =
    Index::on("webhook_delivery.by_time", &["webhook_id", "next_attempt_at"], |it, keys| {
        keys.add_at(&it.webhook_id, it.next_attempt_at);
    });

/// The deliveries: events on their way to a webhook, and those that were sent or given up.
pub static WEBHOOK_DELIVERIES: Service<WebhookDelivery> = Service::new(&[BY_WEBHOOK, BY_STATE, BY_TIME]);

/// The position in the outbox up to which a webhook has its deliveries, by its id.
pub(crate) const CURSORS: Slots<u64> = Slots::new("webhook.cursor");

module! { Module {
    name: "webhooks",
    summary: "Events that are sent to addresses of others",
    services: &[&WEBHOOKS, &WEBHOOK_DELIVERIES],
    spaces: &[CURSORS.def()],
    is_log: true,
    is_optional: true,
    ..Module::EMPTY
} }
