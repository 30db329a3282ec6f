//! The shipping methods of a cart: the flow by which a buyer chooses shipping options, their prices, and what
//! completing a cart demands of them.

use atoll_availability::{
    ChannelScope, Goods, Prices, Seller, Shipment, ShippingOffer, offer, option_context, option_price, ships,
};
use atoll_cart::{Cart, ShippingMethod};
use atoll_checkout::FulfillmentProvider;
use atoll_fulfillment::{SHIPPING_OPTIONS, ShippingPriceType};
use atoll_kernel::{
    Ctx, Fault, Metadata, Read, StoreError, data::Entity, flow, flow::Local,
    limits::CART_SHIPPING_METHODS_MAX, part_of, storefront::Scope as _,
};
use atoll_store::the_store;
use serde::Deserialize;

use crate::{
    cart::{Scoped, line::cart_in, settle::settle},
    fulfillment::in_time,
    points::{CART_UPDATED, OfCart, PRICE_LINE, VALIDATE_CART},
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
}

impl ChooseShipping {
    /// The choice, with the data of each option as its provider wants it stored. Providers that are not part
    /// of this process are asked, outside of any transaction. Errors: the option is not one that the cart may
    /// have; the provider refuses the data, or does not answer.
    pub async fn checked(mut self, ctx: &Ctx, scope: &ChannelScope) -> Result<ChooseShipping, Fault> {
        if self.options.len() > CART_SHIPPING_METHODS_MAX {
            return Err(Fault::invalid(format!(
                "At most {CART_SHIPPING_METHODS_MAX} shipping options can be chosen at once"
            )));
        }
        for chosen in &mut self.options {
            let (provider_id, request) = {
                let view = ctx.view();
                let cart = cart_in(&view, scope, &self.cart_id)?;
                cart.check_open()?;
                let seller = Seller::of(ctx, cart.sales_channel_id.as_deref(), scope.at());
                let shipment = Shipment::of_cart(&view, seller, &cart, false)?;
                let offered = offer(&view, &shipment, &chosen.option_id)?;
                let offered = offered.and_then(Result::ok).ok_or_else(refused)?;
                let request = shipment.request(&cart, &offered, std::mem::take(&mut chosen.data));
                (offered.option.provider_id, request)
            };
            let provider = ctx.provider::<dyn FulfillmentProvider>(&provider_id)?;
            let data = provider.validate(ctx.clone(), request);
            chosen.data = in_time(&provider_id, provider.timeout(), data).await?;
        }
        Ok(self)
    }
}

flow! {
    /// Sets shipping methods of a cart. A method replaces that of the same shipping profile. Event:
    /// `cart.updated`. Error: an option is not one that the cart may have, or has no price for it.
    pub static ADD_SHIPPING_METHODS: Flow<Scoped<ChooseShipping>, Cart> =
        "add-shipping-method-to-cart" (choose), hooks: &[&VALIDATE_CART, &PRICE_LINE, &CART_UPDATED];
}

part_of! { "fulfillment" }

fn choose(flow: &mut Local<'_>, Scoped { scope, input }: Scoped<ChooseShipping>) -> Result<Cart, Fault> {
    flow.hook(&VALIDATE_CART, || OfCart::of(&input.cart_id))?;
    let before = cart_in(flow.tx, &scope, &input.cart_id)?;
    before.check_open()?;
    let mut cart = before.clone();
    let shipment = shipment_of(flow, &cart)?;
    let mut chosen = Vec::with_capacity(input.options.len());
    for ChosenOption { option_id, data } in input.options {
        let offered = offer(flow.tx, &shipment, &option_id)?.and_then(Result::ok).ok_or_else(refused)?;
        let mut method = method_of(&cart, offered, data);
        method.init(flow.at.id(), flow.at.now());
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

fn shipment_of(flow: &Local<'_>, cart: &Cart) -> Result<Shipment, StoreError> {
    let seller = Seller::of(flow.ctx(), cart.sales_channel_id.as_deref(), flow.at.now());
    Shipment::of_cart(flow.tx, seller, cart, false)
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
pub(super) fn price_methods(flow: &Local<'_>, cart: &mut Cart) -> Result<(), StoreError> {
    if cart.shipping_methods.is_empty() {
        return Ok(());
    }
    if !SHIPPING_OPTIONS.is_on() {
        cart.shipping_methods.clear();
        return Ok(());
    }
    let (shipment, mut prices) = (shipment_of(flow, cart)?, Prices::new(flow.tx));
    let context = option_context(cart, &shipment);
    let mut priced = Vec::with_capacity(cart.shipping_methods.len());
    for method in &cart.shipping_methods {
        let id = method.shipping_option_id.as_deref().unwrap_or_default();
        let Some(Ok(offered)) = offer(flow.tx, &shipment, id)? else { continue };
        if offered.option.price_type != ShippingPriceType::Flat {
            continue;
        }
        let Some(price) = option_price(&mut prices, flow.tx, &offered.option, &context)? else { continue };
        let mut now = method.clone();
        (now.amount, now.is_tax_inclusive) = (price.calculated.amount, price.calculated.is_tax_inclusive);
        if now != *method {
            now.updated_at = flow.at.now();
        }
        priced.push(now);
    }
    cart.shipping_methods = priced;
    Ok(())
}

/// Checks that a cart whose goods are shipped has a method for each of their shipping profiles, where the
/// shop demands that ([`Store::require_shipping`]): a channel that ships nothing sells without methods.
///
/// [`Store::require_shipping`]: atoll_store::Store::require_shipping
pub(super) fn check_methods(tx: &dyn Read, seller: &Seller, cart: &Cart) -> Result<(), Fault> {
    if !SHIPPING_OPTIONS.is_on() {
        return Ok(());
    }
    let goods = Goods::of(tx, &cart.items)?;
    let missing = if cart.shipping_methods.is_empty() {
        if !goods.need_shipping {
            return Ok(());
        }
        "No shipping method selected but the cart contains items that require shipping."
    } else {
        let is_sent = |profile: &String| {
            cart.shipping_methods.iter().any(|it| it.shipping_profile_id.as_ref() == Some(profile))
        };
        if goods.profiles.iter().all(is_sent) {
            return Ok(());
        }
        "The cart items require shipping profiles that are not satisfied by the current shipping methods"
    };
    let is_demanded = match the_store(tx)?.and_then(|it| it.require_shipping) {
        Some(is_demanded) => is_demanded,
        None => ships(tx, seller)?,
    };
    if is_demanded { Err(Fault::invalid(missing)) } else { Ok(()) }
}
