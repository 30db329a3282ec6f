//! Flow: subscribes a shopper to a variant that the channel shows, and cannot sell now. Shows how a flow asks
//! the scope of a storefront in its own transaction.

use std::sync::Arc;

use atoll_customer::CUSTOMERS;
use atoll_kernel::{
    Ctx, Decimal, Fault, FaultKind, Read, StoreError, flow, flow::Local, serde_json::json, storefront::Scope,
};

use crate::{
    BY_CUSTOMER, BY_EMAIL, ONE_PER_SHOPPER, RESTOCK_SUBSCRIPTIONS, RestockSubscription, WAITING_BY_VARIANT,
    decide::decide,
    events::SUBSCRIBED,
    points::{self, SubscriptionNow, ToSubscribe},
    settings::{LOCALE_MAX, RestockSettings, WAITING_PER_VARIANT_MAX, expiry},
};

/// The input of [`SUBSCRIBE_TO_RESTOCK`].
#[derive(Clone, Debug)]
pub struct Subscribe {
    /// The scope of the storefront, in one channel.
    pub scope: Arc<dyn Scope>,
    /// The variant, by its id.
    pub variant_id: String,
    /// Where to; by default the address of the customer who is logged in.
    pub email: Option<String>,
    /// How many are wanted.
    pub quantity: Decimal,
    /// The language in which to tell the shopper, if the storefront names it.
    pub locale: Option<String>,
}

flow! {
    /// Subscribes a shopper to a variant that is sold out in a channel. Event: `restock.subscribed`.
    ///
    /// Errors: 404 for a variant that the channel does not show; 400 if it can be bought now, without an
    /// e-mail address, with several channels, or beyond the setting
    /// `per_shopper_max` or [`WAITING_PER_VARIANT_MAX`]; 422 if the shopper waits already.
    pub static SUBSCRIBE_TO_RESTOCK: Flow<Subscribe, RestockSubscription> =
        "subscribe-to-restock" (subscribe), hooks: &[&points::VALIDATE, &points::SUBSCRIBED];
}

fn subscribe(flow: &mut Local<'_>, input: Subscribe) -> Result<RestockSubscription, Fault> {
    flow.hook(&points::VALIDATE, || ToSubscribe {
        variant_id: input.variant_id.clone(),
        email: input.email.clone(),
    })?;
    let ctx = flow.ctx();
    let made = flow.step("create-restock-subscription", |tx, at| {
        let mut subscription = RestockSubscription {
            sales_channel_id: channel_of(&*input.scope)?,
            customer_id: input.scope.customer().map(str::to_owned),
            email: email_of(tx, &input)?,
            variant_id: input.variant_id,
            quantity: input.quantity,
            locale: locale_of(input.locale)?,
            expires_at: expiry(ctx, at.now()),
            ..RestockSubscription::default()
        };
        input.scope.must_show(tx, &subscription.variant_id)?;
        let decision = decide(ctx, tx, at.now(), &[subscription.clone()])?.remove(0);
        if decision.sellable {
            let RestockSubscription { quantity, variant_id, .. } = subscription;
            return Err(Fault::not_allowed(format!("{quantity} of {variant_id} can be bought now")));
        }
        subscription.check_at = decision.check_at;
        check_is_new(ctx, tx, &subscription)?;
        Ok(RESTOCK_SUBSCRIPTIONS.create(tx, at, subscription)?)
    })?;
    flow.emit(SUBSCRIBED, json!({ "id": made.id }))?;
    flow.hook(&points::SUBSCRIBED, || SubscriptionNow { restock_subscription: made.clone() })?;
    Ok(made)
}

/// The channel of the scope; `None` for the shop as a whole.
fn channel_of(scope: &dyn Scope) -> Result<Option<String>, Fault> {
    match scope.channel_ids().as_deref() {
        None => Ok(None),
        Some([channel]) => Ok(Some((*channel).to_owned())),
        Some([]) => Err(Fault::invalid("The publishable key has no sales channel")),
        Some(_) => {
            Err(Fault::invalid("The publishable key has several sales channels: say sales_channel_id"))
        }
    }
}

/// The address that was given, or else that of the customer; in lower case, as customers have it.
fn email_of(tx: &dyn Read, input: &Subscribe) -> Result<String, Fault> {
    let email = match (&input.email, input.scope.customer()) {
        (Some(email), _) => Some(email.clone()),
        (None, Some(customer)) => CUSTOMERS.get(tx, customer)?.map(|it| it.email),
        (None, None) => None,
    };
    let email = email.ok_or_else(|| Fault::invalid("Say an email, or log in as a customer"))?;
    Ok(email.trim().to_lowercase())
}

/// The language, if it is as long as one can be.
fn locale_of(locale: Option<String>) -> Result<Option<String>, Fault> {
    match locale {
        Some(long) if long.len() > LOCALE_MAX => {
            Err(Fault::invalid(format!("A locale has at most {LOCALE_MAX} characters")))
        }
        locale => Ok(locale),
    }
}

/// Refuses a second subscription to the same, and too many of one shopper or for one variant.
fn check_is_new(ctx: &Ctx, tx: &dyn Read, it: &RestockSubscription) -> Result<(), Fault> {
    if ONE_PER_SHOPPER.has_any(tx, &[&it.variant_id, it.channel(), &it.email])? {
        let text = format!("{} waits for {} already", it.email, it.variant_id);
        return Err(Fault::new(FaultKind::Duplicate, text));
    }
    let max = ctx.settings::<RestockSettings>().per_shopper_max;
    let of_customer = |id: &String| -> Result<u64, StoreError> { BY_CUSTOMER.count(tx, &[id]) };
    for (who, n) in [
        ("An address", BY_EMAIL.count(tx, &[&it.email])?),
        ("A customer", it.customer_id.as_ref().map_or(Ok(0), of_customer)?),
    ] {
        if n >= max {
            return Err(Fault::not_allowed(format!("{who} has at most {max} subscriptions")));
        }
    }
    if WAITING_BY_VARIANT.count(tx, &[&it.variant_id])? >= WAITING_PER_VARIANT_MAX {
        return Err(Fault::not_allowed(format!("Too many wait for {} already", it.variant_id)));
    }
    Ok(())
}
