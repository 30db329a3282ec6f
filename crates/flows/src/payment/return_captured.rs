//! Gives back what a provider has captured for a cart that cannot be completed: nothing of the shop knows of
//! the money but the webhook that tells of it.

use atoll_checkout::{PaymentAction, PaymentProvider, PaymentRequest, PaymentTold};
use atoll_kernel::{
    Ctx, Fault, Metadata, flow,
    flow::Local,
    jobs::Event,
    serde_json::{self, json},
    subscriber,
};
use atoll_payment::{PaymentSession, close_session};
use serde::{Deserialize, Serialize};

use crate::points::{OfId, VALIDATE_ID};

/// Event by which the provider is asked to give the money back.
const IN_VAIN: &str = "payment.captured_in_vain";

/// What was captured of a payment session whose cart cannot be completed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CapturedInVain {
    /// The session.
    pub session: PaymentSession,
    /// What was captured of it.
    pub told: PaymentTold,
}

flow! {
    /// Removes a payment session, of which the provider is asked to give back what it has captured: the buyer
    /// chooses again how to pay. A session that was authorised or replaced meanwhile is left alone.
    pub static RETURN_CAPTURED_PAYMENT: Flow<CapturedInVain, ()> = "return-captured-payment" (give_back),
        hooks: &[&VALIDATE_ID];
}

fn give_back(flow: &mut Local<'_>, input: CapturedInVain) -> Result<(), Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&input.session.id))?;
    let is_closed = flow.step("close-session", |tx, at| Ok(close_session(tx, at, &input.session)?))?;
    if is_closed {
        flow.emit(IN_VAIN, json!(input))?;
    }
    Ok(())
}

subscriber! { "payment.return-captured" on ["payment.captured_in_vain"] => ask_to_refund }

/// Asks the provider after the commit, until it has done it.
async fn ask_to_refund(ctx: Ctx, event: Event) -> Result<(), Fault> {
    let CapturedInVain { session, told } = serde_json::from_value(event.data).map_err(Fault::unexpected)?;
    let request = PaymentRequest {
        action: PaymentAction::Refund,
        key: format!("{}:refund", session.id),
        session_id: session.id.to_string(),
        amount: told.amount,
        currency_code: session.currency_code,
        data: if told.data == Metadata::default() { session.data } else { told.data },
    };
    ctx.provider::<dyn PaymentProvider>(&session.provider_id)?.ask(ctx, request).await?.settled()?;
    Ok(())
}
