//! The contract of what sends webhooks: one request to an address that an admin named, which must not lead
//! into the networks of the shop (SSRF).

use std::time::Duration;

use atoll_kernel::{Ctx, Fault, provider_kind};

use crate::{Reach, Working};

/// Sends webhooks. It is registered with [`provider!`](atoll_kernel::provider); the first that serves sends
/// all of them.
pub trait WebhookSender: Send + Sync {
    /// Checks an address when it is saved, as far as that can be done without resolving its name. Error: 400,
    /// why nothing is sent there.
    fn check(&self, url: &str, reach: &Reach) -> Result<(), Fault>;

    /// Sends a request, once, and follows no redirect. Error: there was no answer, and why.
    fn send(&self, ctx: Ctx, request: OutgoingWebhook) -> Working<WebhookAnswer>;
}

provider_kind! { dyn WebhookSender as "webhook" }

/// A webhook to send by `POST`.
#[derive(Clone, Debug)]
pub struct OutgoingWebhook {
    /// Where to.
    pub url: String,
    /// Its headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// What it may reach: the name of the address is resolved once, each address of it is checked, and the
    /// connection is made to one of these (DNS rebinding).
    pub reach: Reach,
    /// After so long it is given up.
    pub timeout: Duration,
    /// Bytes of the answer that are read; the rest is dropped.
    pub answer_bytes_max: usize,
}

/// The answer of a receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookAnswer {
    /// Its status.
    pub status: u16,
    /// How long the receiver asks to wait (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// The beginning of its body.
    pub body: Vec<u8>,
}
