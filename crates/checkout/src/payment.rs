//! The contract of payment providers: initiate, authorise, capture, refund, cancel.

use std::{future::Future, pin::Pin, time::Duration};

use atoll_kernel::{Ctx, Decimal, Fault, Metadata, provider_kind};

/// A payment provider: a bank, a card company, or the shop itself. It is registered with
/// [`provider!`](atoll_kernel::provider) under an id such as `pp_bank`, by which regions and storefronts
/// refer to it.
pub trait PaymentProvider: Send + Sync {
    /// True if money changes hands outside of the system, so that every request is granted at once. Such a
    /// provider is asked within a transaction, without an external call.
    fn is_manual(&self) -> bool {
        false
    }

    /// Time-out of one request.
    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// Carries out a request; returns the data that is stored with the payment and passed to the next
    /// request. Called at least once, always with the same key, and idempotent by key: a repeated request is
    /// answered as the first one was, and refused if its amount differs. A refused request has no effect, and
    /// may be made again.
    ///
    /// A refusal is [`FaultKind::PaymentRefused`](atoll_kernel::FaultKind::PaymentRefused), or
    /// `PaymentRequiresMore` if the buyer must do something first. Other errors are failures.
    fn ask(&self, ctx: Ctx, request: PaymentRequest) -> Paying;
}

provider_kind! { dyn PaymentProvider as "payment" }

/// A request to a payment provider.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentRequest {
    /// What is to be done.
    pub action: PaymentAction,
    /// Idempotency key: the same when the request is retried, after an error or a crash.
    pub key: String,
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
    /// Release what was authorised under this key and not captured. The authorisation may never have
    /// happened.
    Cancel {
        /// Key of the authorisation.
        authorized_by: String,
    },
}

/// The future of a request.
pub type Paying = Pin<Box<dyn Future<Output = Result<Metadata, Fault>> + Send>>;
