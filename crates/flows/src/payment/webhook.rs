//! Webhooks of payment providers: what one says of a payment session finishes the completion of its cart that
//! waits for it, completes the cart, or records a capture. Each is done once, however often the webhook
//! comes.

use atoll_cart::CARTS;
use atoll_checkout::{PaymentNotice, PaymentOutcome, PaymentTold};
use atoll_kernel::{
    Actor, Ctx, Decimal, Fault, FaultKind, Read,
    saga::{ExecutionState, Outcome, WorkflowExecution},
    serde_json::{self, Value},
};
use atoll_links::CART_PAYMENT_COLLECTION;
use atoll_payment::{
    COLLECTIONS_BY_SESSION, FORMER_SESSIONS, PAYMENT_COLLECTIONS, PAYMENTS, PAYMENTS_BY_SESSION, Payment,
    PaymentSession,
};

use crate::{
    cart::{
        AWAIT_PAYMENT, COMPLETE_CART, CompleteCart, PaymentDecision, ask_providers, awaited_session,
        give_up_replaced,
    },
    payment::{CAPTURE_PAYMENT, MoveMoney, PaidInVain, RETURN_PAYMENT, check_digits},
};

/// Acts on a notice of a provider, whose signature was checked. It has one effect, if it comes several times,
/// or while the provider answers a request about the same payment: that is waited for.
///
/// Errors: 404 if the provider has had no such session, 400 if the amount does not fit, and those of
/// [`COMPLETE_CART`] and [`CAPTURE_PAYMENT`]. The provider then sends the webhook again. What was authorised
/// or captured for a cart that cannot be completed, or by a session that was replaced, is given back instead.
pub async fn receive_notice(ctx: &Ctx, provider_id: &str, notice: PaymentNotice) -> Result<(), Fault> {
    let about = About::find(&ctx.view(), provider_id, &notice.session_id)?;
    if about.is_former {
        return about.paid_by_former(ctx, notice.outcome).await;
    }
    match notice.outcome {
        PaymentOutcome::Authorized(told) => {
            let due = about.session.amount;
            if told.amount < due {
                let text = format!("{} was authorized, and {due} is due", told.amount);
                return Err(Fault::invalid(text));
            }
            if about.payment.is_some() {
                return Ok(());
            }
            let decision = PaymentDecision { data: told.data.clone(), captured: None };
            match about.complete(ctx, decision).await {
                Ok(()) => Ok(()),
                Err(error) => about.give_back(ctx, false, told, error).await,
            }
        }
        PaymentOutcome::Captured(told) => about.captured(ctx, told).await,
        PaymentOutcome::Failed { reason } => {
            let run = about.open_run(&ctx.view())?;
            match run {
                Some(run) if run.state == ExecutionState::Waiting => {
                    about.answer(ctx, &run, Err(reason)).await
                }
                // It does not wait yet: the webhook has overtaken the answer of the provider.
                Some(_) => Err(about.is_being_completed("")),
                None => Ok(()),
            }
        }
    }
}

/// What a notice is about.
struct About {
    session: PaymentSession,
    /// Has its collection lost it?
    is_former: bool,
    /// The cart of the session; of a former one, empty if there is none any more.
    cart_id: String,
    /// The payment, once it is authorised.
    payment: Option<Payment>,
}

impl About {
    fn find(tx: &dyn Read, provider_id: &str, session_id: &str) -> Result<About, Fault> {
        let unknown = || Fault::not_found(format!("Payment session with id: {session_id} was not found"));
        let collections = PAYMENT_COLLECTIONS.table.list_by(tx, &COLLECTIONS_BY_SESSION, &[session_id])?;
        let mut sessions = collections.into_iter().flat_map(|it| it.payment_sessions);
        let current = sessions.find(|it| *it.id == *session_id);
        let is_former = current.is_none();
        let session = match current {
            None => FORMER_SESSIONS.get(tx, session_id)?.map(|it| it.session),
            current => current,
        };
        let session = session.filter(|it| it.provider_id == provider_id).ok_or_else(unknown)?;
        let cart = CART_PAYMENT_COLLECTION.lefts(tx, &session.payment_collection_id)?.pop();
        let cart_id = if is_former { cart.unwrap_or_default() } else { cart.ok_or_else(unknown)? };
        let payment = PAYMENTS.table.list_by(tx, &PAYMENTS_BY_SESSION, &[session_id])?.pop();
        Ok(About { session, is_former, cart_id, payment })
    }

    /// Gives back what was paid by a session that was replaced or closed. Error: a run that knows of it has
    /// not ended, and may give it back itself.
    async fn paid_by_former(self, ctx: &Ctx, outcome: PaymentOutcome) -> Result<(), Fault> {
        let (is_captured, told) = match outcome {
            PaymentOutcome::Failed { .. } => return Ok(()),
            PaymentOutcome::Authorized(told) => (false, told),
            PaymentOutcome::Captured(told) => (true, told),
        };
        if is_captured && told.amount <= Decimal::ZERO {
            return Err(Fault::invalid(format!("{} was captured", told.amount)));
        }
        let run = self.open_run(&ctx.view())?;
        if let Some(run) = run.filter(|it| awaited_session(it) == Some(&*self.session.id)) {
            if run.state == ExecutionState::Waiting {
                give_up_replaced(ctx, &run).await?;
            }
            return Err(self.is_being_completed(" with another payment session"));
        }
        self.return_it(ctx, is_captured, told).await
    }

    /// Completes the cart, or answers the run that waits for the decision of the provider.
    async fn complete(&self, ctx: &Ctx, decision: PaymentDecision) -> Result<(), Fault> {
        let (id, view) = (&self.cart_id, ctx.view());
        let input = CompleteCart::with(ctx, &view, &CARTS.retrieve(&view, id)?)?;
        drop(view);
        if input.is_stale() {
            ask_providers(ctx, id).await?;
        }
        // A run that is going on is waited for: it ends, or comes to wait for this.
        match ctx.start(&COMPLETE_CART, Actor::System, Some(id), input).await? {
            Outcome::Done(..) => Ok(()),
            Outcome::Waiting(run) => {
                let decision = serde_json::to_value(decision).map_err(Fault::unexpected)?;
                self.answer(ctx, &run, Ok(decision)).await
            }
        }
    }

    async fn captured(mut self, ctx: &Ctx, told: PaymentTold) -> Result<(), Fault> {
        if told.amount <= Decimal::ZERO || told.amount > self.session.amount {
            let text = format!("{} was captured, of {}", told.amount, self.session.amount);
            return Err(Fault::invalid(text));
        }
        if self.payment.is_none() {
            // An order that cannot be placed because of it would leave the money with the provider.
            check_digits(&ctx.view(), &self.session.currency_code, told.amount)?;
            let decision = PaymentDecision { data: told.data.clone(), captured: Some(told.amount) };
            if let Err(error) = self.complete(ctx, decision).await {
                return self.give_back(ctx, true, told, error).await;
            }
            let session = &*self.session.id;
            self.payment = PAYMENTS.table.list_by(&ctx.view(), &PAYMENTS_BY_SESSION, &[session])?.pop();
        }
        // A run that was answered places the order with this capture.
        let Some(payment) = self.payment else { return Ok(()) };
        let id = payment.id.to_string();
        let input = MoveMoney { payment_id: id.clone(), told: Some(told), ..MoveMoney::default() };
        // A capture that is going on is waited for.
        ctx.start(&CAPTURE_PAYMENT, Actor::System, Some(&id), input).await.map(drop)
    }

    /// Gives back what was paid for a cart that cannot be completed. An error that may pass is returned: the
    /// provider sends the webhook again.
    async fn give_back(
        self,
        ctx: &Ctx,
        is_captured: bool,
        told: PaymentTold,
        error: Fault,
    ) -> Result<(), Fault> {
        match error.kind() {
            FaultKind::NotFound
            | FaultKind::InvalidData
            | FaultKind::NotAllowed
            | FaultKind::PricesChanged => self.return_it(ctx, is_captured, told).await,
            _ => Err(error),
        }
    }

    async fn return_it(self, ctx: &Ctx, is_captured: bool, told: PaymentTold) -> Result<(), Fault> {
        let input = PaidInVain { session: self.session, is_captured, told };
        ctx.run(&RETURN_PAYMENT, Actor::System, input).await.map(drop)
    }

    /// The run that completes the cart, if it has not ended.
    fn open_run(&self, tx: &dyn Read) -> Result<Option<WorkflowExecution>, Fault> {
        let run = WorkflowExecution::find(tx, COMPLETE_CART.name, &self.cart_id)?;
        Ok(run.filter(|it| !it.has_ended()))
    }

    fn is_being_completed(&self, how: &str) -> Fault {
        Fault::new(FaultKind::Conflict, format!("Cart {} is being completed{how}", self.cart_id))
    }

    /// Answers a run that waits.
    async fn answer(
        &self,
        ctx: &Ctx,
        run: &WorkflowExecution,
        answer: Result<Value, String>,
    ) -> Result<(), Fault> {
        if awaited_session(run) != Some(&*self.session.id) {
            give_up_replaced(ctx, run).await?;
            return Err(self.is_being_completed(" with another payment session"));
        }
        let answered = ctx.finish_step(COMPLETE_CART.name, &self.cart_id, AWAIT_PAYMENT, answer).await;
        match answered {
            // The same notice came twice at once, and the other one was faster.
            Err(_) if !self.open_run(&ctx.view())?.is_some_and(|it| it.state == ExecutionState::Waiting) => {
                Ok(())
            }
            answered => answered,
        }
    }
}
