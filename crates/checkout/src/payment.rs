//! The contract of payment providers: initiate, authorise, capture, refund, cancel; and their webhooks.

use std::{future::Future, pin::Pin, time::Duration};

use atoll_kernel::{
    Ctx, Decimal, Fault, Metadata,
    http::{Bytes, HeaderMap},
    provider_kind,
    serde::{Deserialize, Serialize},
};

/// A payment provider: a bank, a card company, or the shop itself. It is registered with
/// [`provider!`](atoll_kernel::provider) under an id such as `pp_bank`, by which regions and storefronts
/// refer to it.
pub trait PaymentProvider: Send + Sync {
    /// True if money changes hands outside of the system, so that every request is granted at once. Such a
    /// provider is asked within a transaction, without an external call.
    fn is_manual(&self) -> bool {
        false
    }

    /// Time-out of one request, and of reading one webhook.
    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// How long the stock of a cart is reserved while its authorisation is pending. Then the authorisation is
    /// cancelled, and the stock released.
    fn pending_timeout(&self) -> Duration {
        Duration::from_secs(24 * 60 * 60)
    }

    /// Carries out a request; returns the data that is stored with the payment and passed to the next
    /// request. Called at least once, always with the same key, and idempotent by key: a repeated request is
    /// answered as the first one was, and refused if its amount differs. A refused request has no effect, and
    /// may be made again.
    ///
    /// A refusal is [`FaultKind::PaymentRefused`](atoll_kernel::FaultKind::PaymentRefused), or
    /// `PaymentRequiresMore` if the buyer must do something first. `Unexpected` and `Busy` are failures: what
    /// was asked for may have been done. Any other error says that it was not.
    fn ask(&self, ctx: Ctx, request: PaymentRequest) -> Paying;

    /// Reads a webhook that was sent to `POST /hooks/payment/:provider_id`: checks its signature, and returns
    /// what it says of a payment session; none if it says nothing of one. Anyone can send one, so nothing of
    /// it may be believed before its signature is checked
    /// ([`check_timed_signature`](atoll_kernel::http::check_timed_signature)). The same webhook may come
    /// several times.
    ///
    /// Errors: 401 if the signature is missing or wrong; 404 by default, for a provider without webhooks.
    fn webhook(&self, ctx: Ctx, request: WebhookRequest) -> Paying<Option<PaymentNotice>> {
        let _ = (ctx, request);
        Box::pin(async { Err(Fault::not_found("The payment provider takes no webhooks")) })
    }
}

provider_kind! { dyn PaymentProvider as "payment" }

/// A request to a payment provider.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentRequest {
    /// What is to be done.
    pub action: PaymentAction,
    /// Idempotency key: the same when the request is retried, after an error or a crash.
    pub key: String,
    /// Id of the payment session. Webhooks name it, so the provider stores it with the payment.
    pub session_id: String,
    /// How much.
    pub amount: Decimal,
    /// ISO 4217, in lower case.
    pub currency_code: String,
    /// Data of the previous answer; in the first request, that of the storefront.
    pub data: Metadata,
}

/// The action that a payment provider is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentAction {
    /// Prepare a payment: the storefront is given the answer.
    Initiate,
    /// Reserve the money, so that it can be captured.
    Authorize,
    /// Take what was authorised, in full or in part.
    Capture,
    /// Give back what was captured, in full or in part.
    Refund,
    /// Release what was authorised and not captured. The authorisation may never have happened.
    Cancel {
        /// Key of the authorisation; empty for what the buyer has authorised of the session with the provider
        /// itself.
        authorized_by: String,
    },
}

/// The answer of a payment provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PaymentAnswer {
    /// Stored with the payment, and passed to the next request.
    pub data: Metadata,
    /// True if the provider decides later, and says so by a webhook. Of an authorisation only.
    pub is_pending: bool,
}

impl PaymentAnswer {
    /// Done.
    pub fn done(data: Metadata) -> PaymentAnswer {
        PaymentAnswer { data, is_pending: false }
    }

    /// The provider decides later.
    pub fn pending(data: Metadata) -> PaymentAnswer {
        PaymentAnswer { data, is_pending: true }
    }

    /// The data of an answer that cannot be pending. Error if it is.
    pub fn settled(self) -> Result<Metadata, Fault> {
        match self.is_pending {
            true => Err(Fault::unexpected("only an authorisation can be pending")),
            false => Ok(self.data),
        }
    }
}

/// A request that a payment provider has sent.
#[derive(Clone, Debug)]
pub struct WebhookRequest {
    /// All headers.
    pub headers: HeaderMap,
    /// The body, as it was sent.
    pub body: Bytes,
}

impl WebhookRequest {
    /// A header that must be there. Error: 401.
    pub fn header(&self, name: &str) -> Result<&str, Fault> {
        let value = self.headers.get(name).and_then(|it| it.to_str().ok());
        value.ok_or_else(|| Fault::unauthorized_because(&format!("The header {name} is missing")))
    }
}

/// What a webhook says of a payment session.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentNotice {
    /// Id of the payment session.
    pub session_id: String,
    /// What became of it.
    pub outcome: PaymentOutcome,
}

/// What became of a payment session.
#[derive(Clone, Debug, PartialEq)]
pub enum PaymentOutcome {
    /// The money is reserved. The cart is completed, if it is not.
    Authorized(PaymentTold),
    /// The money was taken. The cart is completed, if it is not. The amount is that of all captures so far,
    /// so that a repeated or overtaken webhook adds nothing.
    Captured(PaymentTold),
    /// The provider has decided against an authorisation that was pending: the cart stays open.
    Failed {
        /// Why.
        reason: String,
    },
}

/// An amount, and the data that goes with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "::atoll_kernel::serde")]
pub struct PaymentTold {
    /// How much is authorised, or was captured in all.
    pub amount: Decimal,
    /// Stored with the payment, and passed to the next request; null leaves the data as it is.
    pub data: Metadata,
}

/// The future of a request.
pub type Paying<T = PaymentAnswer> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>;
