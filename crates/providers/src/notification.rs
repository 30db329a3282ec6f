//! The contract of notification providers: send, over a channel such as e-mail.

use std::time::Duration;

use atoll_kernel::{Ctx, provider_kind, serde_json::Value};

use crate::Working;

/// A provider that sends notifications: a mail server, a text message service. It is registered with
/// [`provider!`](atoll_kernel::provider) under an id, by which the settings name it for a channel
/// (`email_provider`).
pub trait NotificationProvider: Send + Sync {
    /// Time-out of sending one notification.
    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// Sends a notification. It is called at least once, always with the same key, after errors and after a
    /// crash, so that a provider that knows the key sends once.
    fn send(&self, ctx: Ctx, notification: Notification) -> Working<()>;
}

provider_kind! { dyn NotificationProvider as "notification" }

/// A notification to send. Not `Debug`, and not to be stored or logged: its data may hold a token.
#[derive(Clone)]
pub struct Notification {
    /// The address, of the form that the channel has.
    pub to: String,
    /// The channel: [`EMAIL`].
    pub channel: &'static str,
    /// What is to be said: the name of the event that it is about, such as `order.placed`.
    pub template: String,
    /// What the template is filled with, an object.
    pub data: Value,
    /// Idempotency key: the same when the notification is sent again, after an error or a crash.
    pub key: String,
}

/// The channel of e-mail.
pub const EMAIL: &str = "email";
