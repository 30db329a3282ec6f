//! Creates a payment session: the buyer's choice of a payment provider.

use atoll_availability::ChannelScope;
use atoll_cart::CARTS;
use atoll_checkout::{PaymentAction, PaymentProvider, PaymentRequest};
use atoll_kernel::{
    Ctx, Decimal, Fault, Id, Metadata, Moment, Read, flow,
    flow::StepCall,
    saga::{External, Run},
};
use atoll_links::{CART_PAYMENT_COLLECTION, REGION_PAYMENT_PROVIDER};
use atoll_payment::{
    Error, PAYMENT_COLLECTIONS, PaymentCollection, PaymentSession, check_data, check_new_session, is_enabled,
    open_session,
};
use serde::{Deserialize, Serialize};

use crate::cart::call_of;
use crate::points::{SessionToMake, VALIDATE_SESSION};

/// The buyer's choice of a payment provider.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SessionInput {
    /// Id of the payment provider.
    pub provider_id: String,
    /// Data for the provider.
    pub data: Metadata,
    /// Data about the buyer, for the provider.
    pub context: Metadata,
}

/// A session to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewSession {
    collection_id: String,
    amount: Decimal,
    currency_code: String,
    provider_id: String,
    data: Metadata,
    context: Metadata,
    /// Id of the session, made before the provider is asked, which stores it with the payment.
    #[serde(default)]
    session_id: Id<PaymentSession>,
}

impl NewSession {
    /// A session of this collection, if the collection's cart is in the scope.
    pub fn of(
        scope: &ChannelScope,
        view: &dyn Read,
        at: &Moment,
        collection_id: &str,
        input: SessionInput,
    ) -> Result<Option<NewSession>, Fault> {
        let Some(cart_id) = CART_PAYMENT_COLLECTION.lefts(view, collection_id)?.pop() else {
            return Ok(None);
        };
        if scope.cart(view, &cart_id)?.is_none() {
            return Ok(None);
        }
        let SessionInput { provider_id, data, context } = input;
        let PaymentCollection { amount, currency_code, .. } =
            PAYMENT_COLLECTIONS.retrieve(view, collection_id)?;
        let session = NewSession {
            collection_id: collection_id.to_owned(),
            amount,
            currency_code,
            provider_id,
            data,
            context,
            session_id: at.id(),
        };
        session.check(view)?;
        Ok(Some(session))
    }

    /// Transaction id of the saga: concurrent sessions of one collection are created one after the other.
    pub fn transaction_id(&self) -> &str {
        &self.collection_id
    }

    /// The collection, if what the storefront gives is not too long, its amount is unchanged, it is unpaid
    /// and takes another session, and the provider is allowed.
    fn check(&self, tx: &dyn Read) -> Result<PaymentCollection, Fault> {
        [&self.data, &self.context].into_iter().try_for_each(check_data)?;
        let collection = PAYMENT_COLLECTIONS.retrieve(tx, &self.collection_id)?;
        check_new_session(tx, &collection)?;
        if (collection.amount, &collection.currency_code) != (self.amount, &self.currency_code) {
            return Err(Error::Changed(self.collection_id.clone()).into());
        }
        let cart = CART_PAYMENT_COLLECTION.lefts(tx, &self.collection_id)?.pop().unwrap_or_default();
        check_provider(tx, CARTS.retrieve(tx, &cart)?.region_id.as_deref(), &self.provider_id)?;
        Ok(collection)
    }
}

flow! {
    /// Creates a payment session, in place of an existing one; returns the id of the collection. The provider
    /// must be one of the cart's region.
    pub static CREATE_PAYMENT_SESSIONS: Saga<NewSession, String> = "create-payment-sessions" (create),
        hooks: &[&VALIDATE_SESSION];
}

async fn create(run: &mut Run, input: NewSession) -> Result<String, Fault> {
    let provider = run.ctx().provider::<dyn PaymentProvider>(&input.provider_id)?;
    let mut data = input.data.clone();
    let is_manual = provider.is_manual();
    if !is_manual {
        let request = PaymentRequest {
            action: PaymentAction::Initiate,
            key: String::new(),
            session_id: input.session_id.to_string(),
            amount: input.amount,
            currency_code: input.currency_code.clone(),
            data,
        };
        let id = input.provider_id.clone();
        let ask = move |ctx: Ctx, call: StepCall| {
            let may_call = call_of(&ctx, &id);
            let answer = provider.ask(ctx, PaymentRequest { key: call.key, ..request.clone() });
            async move {
                let _call = may_call?;
                answer.await?.settled()
            }
        };
        data = run.external(External::new("initiate-payment", ask).timeout(provider.timeout())).await?;
    }
    run.finish("create-payment-session", move |flow| {
        let asked = || SessionToMake {
            payment_collection_id: input.collection_id.clone(),
            provider_id: input.provider_id.clone(),
            amount: input.amount,
        };
        flow.hook(&VALIDATE_SESSION, asked)?;
        let collection = input.check(flow.tx)?;
        let session = PaymentSession {
            id: input.session_id.clone(),
            provider_id: input.provider_id.clone(),
            data: data.clone().or_empty(),
            context: input.context.clone().or_empty(),
            metadata: Metadata::default().or_empty(),
            is_manual,
            ..PaymentSession::default()
        };
        open_session(flow.tx, flow.at, &collection, session)?;
        Ok(collection.id.to_string())
    })
    .await
}

/// Checks that a provider is allowed in the region of a cart.
pub(crate) fn check_provider(tx: &dyn Read, region: Option<&str>, provider: &str) -> Result<(), Fault> {
    let region = region.unwrap_or_default();
    if is_enabled(tx, provider)?
        && REGION_PAYMENT_PROVIDER.rights(tx, region)?.iter().any(|it| it == provider)
    {
        return Ok(());
    }
    let text = format!("Payment provider {provider} is not enabled in the cart's region {region}.");
    Err(Fault::invalid(text))
}
