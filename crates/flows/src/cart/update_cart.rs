//! Updates a cart: region, channel, e-mail, addresses.

use atoll_availability::ChannelScope;
use atoll_cart::{Cart, CartAddress, CartPatch};
use atoll_kernel::{
    Fault, Metadata, Moment, Read, Write,
    data::{Entity, Patch, present},
    flow,
    flow::Local,
    serde_json::json,
};
use atoll_region::{COUNTRIES, COUNTRIES_BY_REGION, REGIONS, Region};
use serde::Deserialize;

use crate::cart::{
    Scoped,
    buyer::guest_of,
    create_cart::check_channel,
    line::cart_in,
    promotions::{CodeChange, change_codes},
    settle::settle,
};
use crate::points::{CART_UPDATED, OfCart, PRICE_LINE, PRICE_SHIPPING, VALIDATE_CART};

/// An update of a cart. Absent fields stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct UpdateCart {
    /// The cart.
    pub cart_id: String,
    /// The region. The cart gets its currency, and its lines are priced again, as they are with another
    /// customer.
    pub region_id: Option<String>,
    /// The channel. The key must have it, and it must sell the lines when the cart is completed.
    pub sales_channel_id: Option<String>,
    /// E-mail address.
    #[serde(deserialize_with = "present")]
    pub email: Option<Option<String>>,
    /// Locale: `en-GB`.
    pub locale: Option<String>,
    /// Shipping address.
    #[serde(deserialize_with = "present")]
    pub shipping_address: Option<Option<CartAddress>>,
    /// Billing address.
    #[serde(deserialize_with = "present")]
    pub billing_address: Option<Option<CartAddress>>,
    /// Free data, merged with what is there.
    pub metadata: Option<Metadata>,
    /// Codes of promotions, which replace those of the cart.
    pub promo_codes: Option<Vec<String>>,
}

flow! {
    /// Updates a cart. Event: `cart.updated`, and `cart.region_updated` if the region changes.
    pub static UPDATE_CART: Flow<Scoped<UpdateCart>, Cart> = "update-cart" (update), hooks: &[&VALIDATE_CART, &PRICE_LINE, &PRICE_SHIPPING, &CART_UPDATED];
}

fn update(flow: &mut Local<'_>, Scoped { scope, input }: Scoped<UpdateCart>) -> Result<Cart, Fault> {
    flow.hook(&VALIDATE_CART, || OfCart::of(&input.cart_id))?;
    let before = cart_in(flow.tx, &scope, &input.cart_id)?;
    before.check_open()?;
    let codes = input.promo_codes.clone();
    let mut cart = flow.step("change-cart", |tx, at| change(tx, at, &scope, &before, input))?;
    if let Some(codes) = codes {
        change_codes(flow.tx, &mut cart, &codes, CodeChange::Replace)?;
    }
    if cart.region_id != before.region_id {
        flow.emit("cart.region_updated", json!({ "id": cart.id }))?;
    }
    settle(flow, Some(&before), cart)
}

/// The changed cart, which is not stored yet.
fn change(
    tx: &mut dyn Write,
    at: &Moment,
    scope: &ChannelScope,
    cart: &Cart,
    input: UpdateCart,
) -> Result<Cart, Fault> {
    let channel = input.sales_channel_id.filter(|it| !it.is_empty() && !scope.is_whole());
    if let Some(id) = channel.as_ref().filter(|id| !scope.has(id)) {
        return Err(Fault::errors(vec![format!(
            "Sales channel ID in payload {id} is not associated with the Publishable API Key in the header."
        )]));
    }
    let channel = channel.or_else(|| cart.sales_channel_id.clone());
    if !scope.is_whole() {
        check_channel(tx, channel.as_deref().unwrap_or_default())?;
    }
    let region = match &input.region_id {
        Some(id) => Some(region_of(tx, id)?),
        // The cart's region may be deleted: its currency stays until another region is chosen.
        None => cart.region_id.as_deref().map(|id| REGIONS.get(tx, id)).transpose()?.flatten(),
    };
    let moved = region.as_ref().is_some_and(|it| cart.region_id.as_deref() != Some(&*it.id));
    let mut shipping = address(at, input.shipping_address);
    match (&shipping, &region) {
        (Some(Some(address)), Some(region)) => check_country(tx, address, region)?,
        // After a change of region the old address does not apply.
        (None, Some(region)) if moved => shipping = address(at, Some(only_country(tx, region)?)),
        _ => {}
    }
    let customer_id = match &input.email {
        Some(email) => guest_of(tx, at, cart, email.as_deref())?,
        None => None,
    };
    let patch = CartPatch {
        customer_id,
        region_id: Some(region.as_ref().map(|it| it.id.to_string())),
        currency_code: region.map(|it| it.currency_code),
        sales_channel_id: Some(channel),
        email: input.email,
        locale: input.locale.map(Some),
        shipping_address: shipping,
        billing_address: address(at, input.billing_address),
        metadata: input.metadata,
        ..CartPatch::default()
    };
    let mut cart = cart.clone();
    patch.apply(&mut cart);
    Ok(cart)
}

fn region_of(tx: &dyn Read, id: &str) -> Result<Region, Fault> {
    REGIONS.get(tx, id)?.ok_or_else(|| Fault::not_found(format!("Region id not found: {id}")))
}

fn address(at: &Moment, input: Option<Option<CartAddress>>) -> Option<Option<CartAddress>> {
    input.map(|address| {
        address.map(|mut it| {
            it.init(at.id(), at.now());
            it
        })
    })
}

fn check_country(tx: &dyn Read, address: &CartAddress, region: &Region) -> Result<(), Fault> {
    let Some(code) = &address.country_code else { return Ok(()) };
    let country = COUNTRIES.get(tx, &code.to_lowercase())?;
    if country.and_then(|it| it.region_id).is_some_and(|it| it == region.id) {
        return Ok(());
    }
    Err(Fault::invalid(format!("Country with code {code} is not within region {}", region.name)))
}

/// The address that a region of one country leaves no choice about.
pub(crate) fn only_country(tx: &dyn Read, region: &Region) -> Result<Option<CartAddress>, Fault> {
    let countries = COUNTRIES.table.list_by(tx, &COUNTRIES_BY_REGION, &[&region.id])?;
    let [country] = &*countries else { return Ok(None) };
    Ok(Some(CartAddress { country_code: Some(country.iso_2.clone()), ..CartAddress::default() }))
}
