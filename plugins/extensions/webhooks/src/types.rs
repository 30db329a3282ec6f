//! The records: webhooks, and the deliveries of events to them.

use atoll_kernel::{Metadata, Timestamp, entity, serde_json::Value, stored, words};
use serde::{Deserialize, Serialize};

words! {
    /// Why a webhook was switched off by itself.
    pub enum SwitchedOff {
        /// Its receiver answered 410: it is not there any more.
        #[default]
        Gone = "gone",
        /// All attempts failed for days.
        Failing = "failing",
    }
}

stored! {
    /// A secret of a webhook. It is derived from the key of the shop, so that it is in no copy of the data.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default)]
    pub struct SecretMark {
        /// Which one: each rotation counts on.
        pub number: u32,
        /// Until when it signs; null for the newest one.
        pub expires_at: Option<Timestamp>,
    }
}

entity! {
    /// An address to which events are sent.
    pub struct Webhook = "webhook" / "webhooks", "whook" {
        /// Where to: `https://erp.example.com/atoll`.
        pub url: String,
        /// What it is for.
        pub description: Option<String>,
        /// The events: names, or how names begin, with a `*` behind: `order.*`; `*` is all of them.
        pub events: Vec<String>,
        /// Only events of these sales channels; empty: of all, and those of none.
        pub sales_channel_ids: Vec<String>,
        /// Are events sent to it?
        pub is_enabled: bool = true,
        /// Why it was switched off by itself; null if it was not.
        pub switched_off: Option<SwitchedOff>,
        /// Since when all attempts fail; null if the last one did not.
        pub failing_since: Option<Timestamp>,
        /// When an attempt has failed lately, to the hour; null if the last one did not.
        pub failed_at: Option<Timestamp>,
        /// Which secrets sign, the newest first.
        pub secrets: Vec<SecretMark>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [url, description]
    patch WebhookPatch
}

words! {
    /// State of a delivery.
    pub enum DeliveryState {
        /// It is to be sent, for the first time or again.
        #[default]
        Pending = "pending",
        /// The receiver has answered 2xx.
        Delivered = "delivered",
        /// It was given up.
        Failed = "failed",
    }
}

stored! {
    /// An attempt to send an event.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default)]
    pub struct Attempt {
        /// When it began.
        pub at: Timestamp,
        /// Milliseconds until the answer, or until it was given up.
        pub duration_ms: u64,
        /// Status of the answer; null if there was none.
        pub status: Option<u16>,
        /// The beginning of the answer.
        pub answer: Option<String>,
        /// Why there was no answer.
        pub error: Option<String>,
    }
}

impl Attempt {
    /// Has the receiver taken the event?
    pub fn has_succeeded(&self) -> bool {
        self.status.is_some_and(|it| (200..300).contains(&it))
    }
}

entity! {
    /// An event on its way to a webhook. Its id is the `webhook-id` of all attempts.
    pub struct WebhookDelivery = "webhook_delivery" / "webhook_deliveries", "msg" {
        /// The webhook, by its id.
        pub webhook_id: String,
        /// The name of the event.
        pub event: String,
        /// What is sent of its data: all but tokens.
        pub data: Value,
        /// Time of the event.
        pub happened_at: Timestamp,
        /// State of the delivery.
        pub state: DeliveryState,
        /// Number of attempts since the event was written, or since it was asked for again.
        pub n_attempts: u32,
        /// The last attempts, the oldest first.
        pub attempts: Vec<Attempt>,
        /// When it is sent next; null if it is not.
        pub next_attempt_at: Option<Timestamp>,
    }
    search [event]
}
