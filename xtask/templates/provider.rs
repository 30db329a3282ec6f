//! The payment provider `pp___snake__`.

use atoll_checkout::{Paying, PaymentAction, PaymentAnswer, PaymentProvider, PaymentRequest};
use atoll_kernel::{Ctx, Fault, FaultKind, provider};

struct __Name__;

impl PaymentProvider for __Name__ {
    fn ask(&self, _ctx: Ctx, request: PaymentRequest) -> Paying {
        Box::pin(async move {
            // Call the provider here, with `request.key` as its idempotency key.
            match request.action {
                PaymentAction::Authorize if request.amount.is_zero() => {
                    Err(Fault::new(FaultKind::PaymentRefused, "there is nothing to pay"))
                }
                _ => Ok(PaymentAnswer::done(request.data)),
            }
        })
    }
}

provider! { dyn PaymentProvider: "pp___snake__" => __Name__ }
