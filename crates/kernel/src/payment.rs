//! What a payment provider is: somebody who takes money.

use std::{future::Future, pin::Pin, time::Duration};

use crate::{Ctx, Decimal, Fault, Metadata};

/// Somebody who takes money: a bank, a card company, or the shop itself.
pub trait PaymentProvider: Sync {
    /// `pp_bank`. Unique, and what regions and storefronts know it by.
    fn id(&self) -> &'static str;

    /// Is the money handed over by hand, so that every request is granted at once? Then nobody is called
    /// where a transaction can go on instead.
    fn is_manual(&self) -> bool {
        false
    }

    /// How long an answer may take.
    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// Does what is asked, and answers what is kept about the payment and given back with the next request.
    /// Asked at least once, always with the same key, and does nothing twice for one key: where a request
    /// under it was done, it answers the same, and refuses another amount. What was refused was not done, and
    /// may be asked for again.
    ///
    /// Who refuses money says [`FaultKind::PaymentRefused`](crate::FaultKind::PaymentRefused), or
    /// `PaymentRequiresMore` where the buyer must do something first; other errors are mistakes.
    fn ask(&self, ctx: Ctx, request: PaymentRequest) -> Paying;
}

/// What a provider is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentRequest {
    /// What is to be done.
    pub action: PaymentAction,
    /// Names this request: it is the same when the request is made again, after an error or a crash.
    pub key: String,
    /// How much.
    pub amount: Decimal,
    /// ISO 4217, in lower case.
    pub currency_code: String,
    /// What it answered before; at first, what the storefront says.
    pub data: Metadata,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentAction {
    /// Get ready: the answer is given to the storefront.
    Initiate,
    /// Set the money aside, so that it can be taken.
    Authorize,
    /// Take what was set aside, or some of it.
    Capture,
    /// Give back what was taken, or some of it.
    Refund,
    /// Let go of what was set aside under this key and not taken; it may be that it never was.
    Cancel {
        /// The key of the request that set it aside.
        authorized_by: String,
    },
}

/// What becomes of a request.
pub type Paying = Pin<Box<dyn Future<Output = Result<Metadata, Fault>> + Send>>;

/// A payment provider, as `payment_provider!` submits it.
pub struct PaymentProviderEntry(pub &'static dyn PaymentProvider);

inventory::collect!(PaymentProviderEntry);

/// Registers a payment provider.
///
/// ```ignore
/// struct Bank;
///
/// impl PaymentProvider for Bank {
///     fn id(&self) -> &'static str {
///         "pp_bank"
///     }
///
///     fn ask(&self, ctx: Ctx, request: PaymentRequest) -> Paying {
///         Box::pin(call_the_bank(ctx, request))
///     }
/// }
///
/// payment_provider! { Bank }
/// ```
#[macro_export]
macro_rules! payment_provider {
    ($Provider:expr) => {
        $crate::inventory::submit! { $crate::PaymentProviderEntry(&$Provider) }
    };
}
