//! Gives back what a buyer has paid for a cart that cannot be completed, or by a payment session that was
//! replaced: nothing of the shop knows of the money but the webhook that tells of it.

use atoll_checkout::{PaymentAction, PaymentProvider, PaymentRequest, PaymentTold};
use atoll_kernel::{
    Ctx, Decimal, Fault, Metadata, flow,
    flow::Local,
    jobs::Event,
    serde_json::{self, json},
    subscriber,
};
use atoll_payment::{PaymentSession, close_session, note_returned};
use serde::{Deserialize, Serialize};

use crate::points::{OfId, VALIDATE_ID};

/// Event by which the provider is asked to give back what it has captured.
const CAPTURED_IN_VAIN: &str = "payment.captured_in_vain";

/// Event by which the provider is asked to release what was authorised.
const AUTHORIZED_IN_VAIN: &str = "payment.authorized_in_vain";

/// What was paid of a payment session that pays nothing.
#[derive(Clone, Debug, Default)]
pub struct PaidInVain {
    /// The session.
    pub session: PaymentSession,
    /// Was it captured? Otherwise it was authorised.
    pub is_captured: bool,
    /// What the provider says of it: how much, in all.
    pub told: PaymentTold,
}

flow! {
    /// Closes a payment session, and lets its provider be asked to give back what the buyer has paid, as far
    /// as that was not done before: the buyer chooses again how to pay. Error: the session was settled
    /// meanwhile (a conflict).
    pub static RETURN_PAYMENT: Flow<PaidInVain, ()> = "return-payment" (give_back), hooks: &[&VALIDATE_ID];
}

fn give_back(flow: &mut Local<'_>, input: PaidInVain) -> Result<(), Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&input.session.id))?;
    let PaidInVain { session, is_captured, told } = input;
    // What was authorised is captured of nothing, and thus returned by nothing.
    let amount = if is_captured { told.amount } else { Decimal::ZERO };
    let back = flow.step("close-session", |tx, at| {
        close_session(tx, at, &session)?;
        Ok(note_returned(tx, at, &session, amount)?)
    })?;
    match back {
        Some((amount, n_before)) => {
            let told = PaymentTold { amount, ..told };
            Ok(flow.emit(CAPTURED_IN_VAIN, json!(InVain { session, told, n_before }))?)
        }
        None if is_captured => Ok(()),
        None => let_go_session(flow, session, told),
    }
}

/// Lets the provider be asked to release what a buyer may have authorised of a session.
pub(crate) fn let_go_session(
    flow: &mut Local<'_>,
    session: PaymentSession,
    told: PaymentTold,
) -> Result<(), Fault> {
    Ok(flow.emit(AUTHORIZED_IN_VAIN, json!(InVain { session, told, n_before: 0 }))?)
}

/// What a provider is asked to give back.
#[derive(Serialize, Deserialize)]
struct InVain {
    session: PaymentSession,
    told: PaymentTold,
    /// Number of earlier refunds of the session.
    #[serde(default)]
    n_before: u32,
}

impl InVain {
    fn of(event: Event) -> Result<InVain, Fault> {
        serde_json::from_value(event.data).map_err(Fault::unexpected)
    }

    async fn ask(self, ctx: Ctx, action: PaymentAction, key: String) -> Result<(), Fault> {
        let InVain { session, told, .. } = self;
        let request = PaymentRequest {
            action,
            key,
            session_id: session.id.to_string(),
            amount: told.amount,
            currency_code: session.currency_code,
            data: if told.data == Metadata::default() { session.data } else { told.data },
        };
        ctx.provider::<dyn PaymentProvider>(&session.provider_id)?
            .ask(ctx, request)
            .await?
            .settled()
            .map(drop)
    }
}

subscriber! { "payment.return-captured" on ["payment.captured_in_vain"] => ask_to_refund }

/// Asks the provider after the commit, until it has done it.
async fn ask_to_refund(ctx: Ctx, event: Event) -> Result<(), Fault> {
    let paid = InVain::of(event)?;
    let key = match paid.n_before {
        0 => format!("{}:refund", paid.session.id),
        n => format!("{}:refund:{n}", paid.session.id),
    };
    paid.ask(ctx, PaymentAction::Refund, key).await
}

subscriber! { "payment.release-authorized" on ["payment.authorized_in_vain"] => ask_to_cancel }

/// Asks the provider after the commit, until it has done it.
async fn ask_to_cancel(ctx: Ctx, event: Event) -> Result<(), Fault> {
    let paid = InVain::of(event)?;
    let key = format!("{}:cancel", paid.session.id);
    // The buyer has authorised it on the pages of the provider: no request of ours did.
    paid.ask(ctx, PaymentAction::Cancel { authorized_by: String::new() }, key).await
}
