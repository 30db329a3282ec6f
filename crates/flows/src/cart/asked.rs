//! What providers outside of this process say of a cart: its taxes, and prices of shipping. They are asked
//! outside of transactions, and what they say is kept with a fingerprint of the question: it counts for as
//! long as the cart would ask the same. A cart that asks something else is *stale* ([`Cart::is_stale`]); it
//! cannot be completed before [`ask_providers`].

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use atoll_availability::offer;
use atoll_cart::{CARTS, Cart, ShippingMethod};
use atoll_checkout::{
    ChargeRecord, FulfillmentProvider, ShippingPrice, ShippingRequest, TaxLine, TaxLines, TaxProvider,
    TaxRequest,
};
use atoll_fulfillment::{SHIPPING_OPTIONS, ShippingPriceType};
use atoll_kernel::{
    Actor, Ctx, Fault, flow,
    flow::Local,
    http::digest,
    limits::{PROVIDER_CALLS_MAX, PROVIDER_ROUNDS_MAX, PROVIDERS_TIMEOUT},
    serde_json,
};
use atoll_tax::{Taxes, checked_lines, taxes};
use serde::Serialize;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::cart::{
    prices::checked_price,
    promotions::Discounts,
    settle::{set_parts, settle},
    shipping::shipment_of,
    taxes::tax_request,
};
use crate::points::{CART_UPDATED, OfCart, PRICE_LINE, PRICE_SHIPPING, VALIDATE_CART};

/// When a client may ask again for what a provider did not answer, in seconds.
const RETRY_AFTER_S: u64 = 10;

/// Who may call a provider, by its id.
#[derive(Default)]
struct Callers(Mutex<HashMap<String, Arc<Semaphore>>>);

/// The permission to call a provider, until it is dropped. Errors: 503 if too many calls wait for it, so that
/// one that is slow does not hold up all requests of the shop.
pub(crate) fn call_of(ctx: &Ctx, provider: &str) -> Result<OwnedSemaphorePermit, Fault> {
    let callers = ctx.memory::<Callers>();
    let mut callers = callers.0.lock().unwrap_or_else(PoisonError::into_inner);
    let calls = callers.entry(provider.to_owned());
    let calls = calls.or_insert_with(|| Arc::new(Semaphore::new(PROVIDER_CALLS_MAX)));
    let slow = |_| Fault::busy(format!("The provider {provider} has too much to answer"), RETRY_AFTER_S);
    calls.clone().try_acquire_owned().map_err(slow)
}

/// The answer of a provider. Errors: 503 if it does not answer in time, or too many calls wait for it.
pub async fn in_time<T>(
    ctx: &Ctx,
    provider: &str,
    limit: Duration,
    answer: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let _call = call_of(ctx, provider)?;
    let late = |_| Fault::busy(format!("The provider {provider} does not answer"), RETRY_AFTER_S);
    timeout(limit, answer).await.map_err(late)?
}

/// What several providers answer, one after the other. Errors: 503 if all together take too long.
pub(super) async fn all_in_time<T>(
    ctx: &Ctx,
    asking: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let since = ctx.now();
    tokio::select! {
        biased;
        answer = asking => answer,
        () = ctx.sleep_until(since, since.plus(PROVIDERS_TIMEOUT)) => {
            Err(Fault::busy("The providers of the cart do not answer in time", RETRY_AFTER_S))
        }
    }
}

/// What a cart pays for a shipping option, by its fulfilment provider. Errors: it refuses, or does not
/// answer.
pub async fn shipping_price(
    ctx: &Ctx,
    provider_id: &str,
    request: ShippingRequest,
) -> Result<ShippingPrice, Fault> {
    let provider = ctx.provider::<dyn FulfillmentProvider>(provider_id)?;
    let price = in_time(ctx, provider_id, provider.timeout(), provider.price(ctx.clone(), request)).await?;
    checked_price(provider_id, price.amount)?;
    Ok(price)
}

/// The tax lines of a cart, by the provider of its region. Errors: it refuses, or does not answer.
async fn tax_lines(ctx: &Ctx, provider_id: &str, request: TaxRequest) -> Result<TaxLines, Fault> {
    let provider = ctx.provider::<dyn TaxProvider>(provider_id)?;
    let lines = in_time(ctx, provider_id, provider.timeout(), provider.ask(ctx.clone(), request)).await?;
    checked_lines(provider_id, lines)
}

/// A fingerprint of what a provider is asked.
pub(super) fn fingerprint(request: &impl Serialize) -> Result<String, Fault> {
    let text = serde_json::to_string(request);
    let text = text.map_err(|it| Fault::unexpected(format!("a request to a provider is no JSON: {it}")))?;
    Ok(digest(&text))
}

/// The tax lines of a cart as the provider has said them before.
pub(super) fn told_taxes(cart: &Cart) -> TaxLines {
    if cart.taxed_as.is_none() {
        return TaxLines::new();
    }
    taxes_in(&cart.items).chain(taxes_in(&cart.shipping_methods)).collect()
}

fn taxes_in<C: ChargeRecord>(charges: &[C]) -> impl Iterator<Item = (String, Vec<TaxLine>)> {
    charges.iter().map(|it| (it.id().to_string(), it.taxes()))
}

/// Are the tax lines of the cart the answer to what its provider would be asked now?
pub(super) fn is_taxed_as_asked(flow: &Local<'_>, cart: &Cart) -> Result<bool, Fault> {
    match (&cart.taxed_as, tax_request(flow.tx, cart)?) {
        (Some(asked), Some(request)) => Ok(*asked == fingerprint(&request)?),
        _ => Ok(false),
    }
}

impl ProviderAnswers {
    /// Sets the price that a provider has calculated for a shipping method.
    pub(super) fn set_price(method: &mut ShippingMethod, asked: String, price: ShippingPrice) {
        (method.amount, method.is_tax_inclusive) = (price.amount, price.is_tax_inclusive);
        (method.priced_as, method.calculated_amount) = (Some(asked), Some(price.amount));
    }
}

/// What providers have answered to the questions of a cart.
#[derive(Clone, Debug, Default)]
pub struct ProviderAnswers {
    /// The cart.
    pub cart_id: String,
    /// Its tax lines, after the fingerprint of the question.
    pub taxes: Option<(String, TaxLines)>,
    /// Prices of shipping methods: id of the method, fingerprint of the question, price.
    pub prices: Vec<(String, String, ShippingPrice)>,
}

flow! {
    /// Takes over what providers have answered, if the cart is still open; each answer counts if the cart
    /// still asks the same. Event: `cart.updated`.
    pub static RECORD_PROVIDER_ANSWERS: Flow<ProviderAnswers, Cart> =
        "record-provider-answers" (record), hooks: &[&VALIDATE_CART, &PRICE_LINE, &PRICE_SHIPPING, &CART_UPDATED];
}

fn record(flow: &mut Local<'_>, answers: ProviderAnswers) -> Result<Cart, Fault> {
    flow.hook(&VALIDATE_CART, || OfCart::of(&answers.cart_id))?;
    let before = CARTS.retrieve(flow.tx, &answers.cart_id)?;
    if before.completed_at.is_some() {
        return Ok(before);
    }
    let mut cart = before.clone();
    for (id, asked, price) in answers.prices {
        if let Some(method) = cart.shipping_methods.iter_mut().find(|it| *it.id == *id) {
            ProviderAnswers::set_price(method, asked, price);
        }
    }
    if let Some((asked, taxes)) = answers.taxes {
        let mut none = Discounts::default();
        set_parts(flow.at, &mut cart.items, &taxes, &mut none);
        set_parts(flow.at, &mut cart.shipping_methods, &taxes, &mut none);
        cart.taxed_as = Some(asked);
    }
    settle(flow, Some(&before), cart)
}

/// Asks the providers that a stale cart waits for, and takes their answers over. It does nothing for any
/// other cart. Errors: one refuses, or does not answer; the cart stays as it is.
pub async fn ask_providers(ctx: &Ctx, cart_id: &str) -> Result<(), Fault> {
    all_in_time(ctx, ask_all(ctx, cart_id)).await
}

async fn ask_all(ctx: &Ctx, cart_id: &str) -> Result<(), Fault> {
    // The prices of shipping come before the taxes on them; another buyer's tab may change the cart
    // meanwhile.
    for _ in 0..PROVIDER_ROUNDS_MAX {
        let questions = questions_of(ctx, cart_id)?;
        if questions.is_empty() {
            break;
        }
        let mut answers = ProviderAnswers { cart_id: cart_id.to_owned(), ..ProviderAnswers::default() };
        for question in questions {
            let Question { provider, fingerprint, of } = question;
            match of {
                Asked::Price(method, request) => {
                    let price = shipping_price(ctx, &provider, *request).await?;
                    answers.prices.push((method, fingerprint, price));
                }
                Asked::Taxes(request) => {
                    answers.taxes = Some((fingerprint, tax_lines(ctx, &provider, request).await?));
                }
            }
        }
        ctx.beside().run(&RECORD_PROVIDER_ANSWERS, Actor::System, answers).await?;
    }
    Ok(())
}

/// A question to a provider.
struct Question {
    provider: String,
    fingerprint: String,
    of: Asked,
}

/// What is asked.
enum Asked {
    /// The price of the shipping method with this id.
    Price(String, Box<ShippingRequest>),
    /// The taxes of all.
    Taxes(TaxRequest),
}

/// What the cart waits for: prices of shipping, and if there is none, its taxes.
fn questions_of(ctx: &Ctx, cart_id: &str) -> Result<Vec<Question>, Fault> {
    let view = ctx.beside().view();
    let cart = CARTS.retrieve(&view, cart_id)?;
    let mut questions = Vec::new();
    if !cart.is_stale || cart.completed_at.is_some() {
        return Ok(questions);
    }
    if !cart.shipping_methods.is_empty() && SHIPPING_OPTIONS.is_on() {
        let shipment = shipment_of(ctx, &view, &cart, ctx.time())?;
        for method in &cart.shipping_methods {
            let id = method.shipping_option_id.as_deref().unwrap_or_default();
            let Some(Ok(offered)) = offer(&view, &shipment, id)? else { continue };
            if offered.option.price_type != ShippingPriceType::Calculated {
                continue;
            }
            let request = shipment.request(&cart, &offered, method.data.clone());
            let fingerprint = fingerprint(&request)?;
            if method.priced_as.as_ref() != Some(&fingerprint) {
                let of = Asked::Price(method.id.to_string(), Box::new(request));
                questions.push(Question { provider: offered.option.provider_id, fingerprint, of });
            }
        }
    }
    if questions.is_empty()
        && let Some(request) = tax_request(&view, &cart)?
        && let Taxes::Ask(provider) = taxes(&view, ctx.registry(), &request)?
    {
        let fingerprint = fingerprint(&request)?;
        questions.push(Question { provider, fingerprint, of: Asked::Taxes(request) });
    }
    Ok(questions)
}
