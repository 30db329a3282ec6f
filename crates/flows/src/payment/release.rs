//! Cancels payments, within the transaction that cancels the order. The provider is asked after the commit,
//! by a subscriber with retries: it cannot refuse.

use atoll_checkout::{PaymentAction, PaymentProvider, PaymentRequest};
use atoll_kernel::{
    Ctx, Decimal, Fault,
    flow::Local,
    jobs::Event,
    serde_json::{self, json},
    subscriber,
};
use atoll_payment::{PAYMENTS, Reversal, cancel_collection};

use serde::{Deserialize, Serialize};

use crate::payment::{event_of, move_money::key, tell_orders};

/// Event by which the provider is asked to cancel or refund a payment.
const LET_GO: &str = "payment.let_go";

/// A refund to make.
#[derive(Serialize, Deserialize)]
struct Back {
    /// Number of earlier refunds.
    n_before: usize,
    amount: Decimal,
}

/// Cancels a collection: refunds what was captured, and cancels the rest. Events: `payment.refunded`, and one
/// by which the provider is asked.
pub(crate) fn release(flow: &mut Local<'_>, collection_id: &str) -> Result<(), Fault> {
    for Reversal { payment, refund } in cancel_collection(flow.tx, flow.at, collection_id)? {
        if refund.is_some() {
            flow.emit("payment.refunded", event_of(flow.tx, &payment)?)?;
        }
        if !flow.ctx().provider::<dyn PaymentProvider>(&payment.provider_id)?.is_manual() {
            let n_before = payment.refunds.len().saturating_sub(1);
            let back = refund.map(|it| Back { n_before, amount: it.amount });
            flow.emit(LET_GO, json!({ "id": payment.id, "refund": back }))?;
        }
    }
    tell_orders(flow.tx, flow.at, collection_id).map(drop)
}

subscriber! { "payment.tell-provider" on ["payment.let_go"] => tell_provider }

/// Asks the provider after the commit. The key is that of the payment or refund, so a retry has no further
/// effect.
async fn tell_provider(ctx: Ctx, event: Event) -> Result<(), Fault> {
    let id = event.data["id"].as_str().unwrap_or_default();
    let payment = PAYMENTS.retrieve(&ctx.view(), id)?;
    let (action, key, amount) = match serde_json::from_value(event.data["refund"].clone()) {
        Ok(Some(Back { n_before, amount })) => {
            (PaymentAction::Refund, key(id, &PaymentAction::Refund, n_before), amount)
        }
        Ok(None) => {
            let authorized_by = payment.authorized_by.clone();
            (PaymentAction::Cancel { authorized_by }, format!("{id}:cancel"), payment.amount)
        }
        Err(error) => return Err(Fault::unexpected(error)),
    };
    let request = PaymentRequest {
        action,
        key,
        session_id: payment.payment_session_id,
        amount,
        currency_code: payment.currency_code,
        data: payment.data,
    };
    ctx.provider::<dyn PaymentProvider>(&payment.provider_id)?.ask(ctx, request).await?.settled()?;
    Ok(())
}
