//! The shipping methods of a cart: the flow by which a buyer chooses shipping options, and their prices.

use atoll_availability::{
    ChannelScope, Prices, Seller, Shipment, ShippingOffer, offer, option_context, option_price,
};
use atoll_cart::{Cart, ShippingMethod};
use atoll_checkout::{FulfillmentProvider, ShippingPrice};
use atoll_fulfillment::{SHIPPING_OPTIONS, ShippingPriceType};
use atoll_kernel::{
    Ctx, Decimal, Fault, Metadata, Now, Read, StoreError,
    data::Entity,
    flow,
    flow::Local,
    limits::{CART_SHIPPING_METHODS_MAX, SHIPPING_DATA_BYTES_MAX},
    part_of,
    storefront::Scope as _,
};
use serde::Deserialize;

use crate::{
    cart::{
        Scoped,
        asked::{ProviderAnswers, all_in_time, fingerprint, in_time, shipping_price},
        line::cart_in,
        prices::checked_price,
        settle::settle,
    },
    points::{CART_UPDATED, MethodToPrice, OfCart, PRICE_LINE, PRICE_SHIPPING, VALIDATE_CART},
};

/// Shipping options that a buyer chooses for a cart.
#[derive(Clone, Debug, Default)]
pub struct ChooseShipping {
    /// The cart.
    pub cart_id: String,
    /// The options.
    pub options: Vec<ChosenOption>,
}

/// A shipping option that a buyer chooses.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ChosenOption {
    /// Its id.
    pub option_id: String,
    /// What its provider needs to know, such as the id of a parcel shop.
    #[serde(default)]
    pub data: Metadata,
    /// Its price, if the provider calculates it, after a fingerprint of what the provider was asked.
    #[serde(skip)]
    pub price: Option<(String, ShippingPrice)>,
}

impl ChooseShipping {
    /// The choice, with the data of each option as its provider wants it stored. Providers that are not part
    /// of this process are asked, outside of any transaction. Errors: the option is not one that the cart may
    /// have; the provider refuses the data, or does not answer. A price that the provider calculates is asked
    /// for, too.
    pub async fn checked(self, ctx: &Ctx, scope: &ChannelScope) -> Result<ChooseShipping, Fault> {
        all_in_time(ctx, self.check(ctx, scope)).await
    }

    async fn check(mut self, ctx: &Ctx, scope: &ChannelScope) -> Result<ChooseShipping, Fault> {
        if self.options.len() > CART_SHIPPING_METHODS_MAX {
            return Err(Fault::invalid(format!(
                "At most {CART_SHIPPING_METHODS_MAX} shipping options can be chosen at once"
            )));
        }
        for chosen in &mut self.options {
            check_data(&chosen.data)?;
            let (cart, shipment, offered) = {
                let view = ctx.view();
                let cart = cart_in(&view, scope, &self.cart_id)?;
                cart.check_open()?;
                let shipment = shipment_of(ctx, &view, &cart, scope.at())?;
                let offered = offer(&view, &shipment, &chosen.option_id)?;
                (cart, shipment, offered.and_then(Result::ok).ok_or_else(refused)?)
            };
            let id = &offered.option.provider_id;
            let provider = ctx.provider::<dyn FulfillmentProvider>(id)?;
            let request = shipment.request(&cart, &offered, std::mem::take(&mut chosen.data));
            let answer = provider.validate(ctx.clone(), request);
            let checked = in_time(ctx, id, provider.timeout(), answer).await?;
            chosen.data = checked.or_empty();
            if offered.option.price_type == ShippingPriceType::Calculated {
                let request = shipment.request(&cart, &offered, chosen.data.clone());
                let asked = fingerprint(&request)?;
                chosen.price = Some((asked, shipping_price(ctx, id, request).await?));
            }
        }
        Ok(self)
    }
}

/// Error if what a storefront sends for the provider of a shipping option is too long.
pub fn check_data(data: &Metadata) -> Result<(), Fault> {
    if data.n_bytes() <= SHIPPING_DATA_BYTES_MAX {
        return Ok(());
    }
    Err(Fault::invalid(format!(
        "The data for a shipping option have at most {SHIPPING_DATA_BYTES_MAX} bytes"
    )))
}

flow! {
    /// Sets shipping methods of a cart. A method replaces that of the same shipping profile. Event:
    /// `cart.updated`. Error: an option is not one that the cart may have, or has no price for it.
    pub static ADD_SHIPPING_METHODS: Flow<Scoped<ChooseShipping>, Cart> =
        "add-shipping-method-to-cart" (choose), hooks: &[&VALIDATE_CART, &PRICE_LINE, &PRICE_SHIPPING, &CART_UPDATED];
}

part_of! { "fulfillment" }

fn choose(flow: &mut Local<'_>, Scoped { scope, input }: Scoped<ChooseShipping>) -> Result<Cart, Fault> {
    flow.hook(&VALIDATE_CART, || OfCart::of(&input.cart_id))?;
    let before = cart_in(flow.tx, &scope, &input.cart_id)?;
    before.check_open()?;
    let mut cart = before.clone();
    let shipment = shipment_of(flow.ctx(), flow.tx, &cart, flow.at.now())?;
    let mut chosen = Vec::with_capacity(input.options.len());
    for ChosenOption { option_id, data, price } in input.options {
        let offered = offer(flow.tx, &shipment, &option_id)?.and_then(Result::ok).ok_or_else(refused)?;
        let mut method = method_of(&cart, offered, data);
        method.init(flow.at.id(), flow.at.now());
        if let Some((asked, price)) = price {
            ProviderAnswers::set_price(&mut method, asked, price);
        }
        chosen.push(method.id.clone());
        cart.shipping_methods.retain(|it| it.shipping_profile_id != method.shipping_profile_id);
        cart.shipping_methods.push(method);
    }
    if cart.shipping_methods.len() > CART_SHIPPING_METHODS_MAX {
        return Err(Fault::invalid(format!(
            "A cart has at most {CART_SHIPPING_METHODS_MAX} shipping methods"
        )));
    }
    // Of two options of one profile the last counts.
    chosen.retain(|id| cart.shipping_methods.iter().any(|it| it.id == *id));
    let cart = settle(flow, Some(&before), cart)?;
    // A method without a price is dropped; a buyer who has just chosen it is told so.
    match chosen.iter().all(|id| cart.shipping_methods.iter().any(|it| it.id == *id)) {
        true => Ok(cart),
        false => Err(refused()),
    }
}

fn refused() -> Fault {
    Fault::invalid("Shipping Options are invalid for cart.")
}

/// The shipment of a cart to its buyer, at this time.
pub(super) fn shipment_of(
    ctx: &Ctx,
    tx: &dyn Read,
    cart: &Cart,
    at: impl Into<Now>,
) -> Result<Shipment, StoreError> {
    let seller = Seller::of(ctx, cart.sales_channel_id.as_deref(), at);
    Shipment::of_cart(tx, seller, cart, false)
}

fn method_of(cart: &Cart, offered: ShippingOffer, data: Metadata) -> ShippingMethod {
    let ShippingOffer { option, .. } = offered;
    ShippingMethod {
        shipping_option_id: Some(option.id.to_string()),
        shipping_profile_id: Some(option.shipping_profile_id.to_string()),
        name: option.name,
        data: data.or_empty(),
        cart_id: cart.id.to_string(),
        ..ShippingMethod::default()
    }
}

/// Sets the prices of the shipping methods, which may depend on what the items come to. A method that the
/// cart may not have any more, for its address, its goods or its channel, or that has no price, is dropped.
/// Returns an error if a provider must be asked for a price.
pub(super) fn price_methods(flow: &mut Local<'_>, cart: &mut Cart) -> Result<Option<Fault>, Fault> {
    let methods = std::mem::take(&mut cart.shipping_methods);
    if methods.is_empty() || !SHIPPING_OPTIONS.is_on() {
        return Ok(None);
    }
    let shipment = shipment_of(flow.ctx(), flow.tx, cart, flow.at.now())?;
    let context = option_context(cart, &shipment);
    let (mut priced, mut waits) = (Vec::with_capacity(methods.len()), None);
    for method in &methods {
        let id = method.shipping_option_id.as_deref().unwrap_or_default();
        let Some(Ok(offered)) = offer(flow.tx, &shipment, id)? else { continue };
        let mut now = method.clone();
        if offered.option.price_type == ShippingPriceType::Calculated {
            let asked = fingerprint(&shipment.request(cart, &offered, method.data.clone()))?;
            // Hooks start from what the provider says, and not from what they have made of it before.
            now.amount = now.calculated_amount.unwrap_or(now.amount);
            if now.priced_as.as_ref() != Some(&asked) {
                now.priced_as = None;
                waits.get_or_insert_with(|| not_priced(method, &offered));
            }
        } else {
            let mut prices = Prices::new(flow.tx);
            let Some(price) = option_price(&mut prices, flow.tx, &offered.option, &context)? else {
                continue;
            };
            (now.amount, now.is_tax_inclusive) = (price.calculated.amount, price.calculated.is_tax_inclusive);
        }
        now.amount = ask_hooks(flow, cart, &now)?;
        if now != *method {
            now.updated_at = flow.at.now();
        }
        priced.push(now);
    }
    cart.shipping_methods = priced;
    Ok(waits)
}

/// The price of a method, by the hooks at [`PRICE_SHIPPING`].
fn ask_hooks(flow: &mut Local<'_>, cart: &Cart, method: &ShippingMethod) -> Result<Decimal, Fault> {
    let mut amount = method.amount;
    for said in flow.hook(&PRICE_SHIPPING, || MethodToPrice { cart: cart.clone(), method: method.clone() })? {
        if let Some(price) = said.amount {
            amount = checked_price("a hook at `priceShippingMethod`", price)?;
        }
    }
    Ok(amount)
}

/// The cart cannot be completed before its provider was asked for the price.
fn not_priced(method: &ShippingMethod, offered: &ShippingOffer) -> Fault {
    let provider = &offered.option.provider_id;
    Fault::invalid(format!(
        "The price of shipping method {} is not known: {provider} was not asked",
        method.id
    ))
}
