//! The built-in payment provider for manual payment (cash, bank transfer): every request succeeds.

use atoll_checkout::{Paying, PaymentAnswer, PaymentProvider, PaymentRequest};
use atoll_kernel::{Ctx, provider};

/// Id of the provider.
pub const SYSTEM_DEFAULT: &str = "pp_system_default";

struct Manual;

impl PaymentProvider for Manual {
    fn is_manual(&self) -> bool {
        true
    }

    fn ask(&self, _: Ctx, request: PaymentRequest) -> Paying {
        Box::pin(async { Ok(PaymentAnswer::done(request.data)) })
    }
}

provider! { dyn PaymentProvider: SYSTEM_DEFAULT => Manual }
