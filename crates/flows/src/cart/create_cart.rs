//! Creates a cart in one channel.

use atoll_availability::{ChannelScope, Seller};
use atoll_cart::{Cart, CartAddress, N_LINES_MAX};
use atoll_kernel::{
    Fault, Metadata, Moment, Read, Write,
    data::{Direction, Scan},
    flow,
    flow::Local,
};
use atoll_region::{REGIONS, Region};
use atoll_sales_channel::SALES_CHANNELS;
use atoll_store::the_store;
use serde::Deserialize;

use crate::cart::{
    AddLine, Scoped,
    add_line_item::add_lines,
    buyer::buyer_of,
    promotions::{CodeChange, change_codes},
    settle::settle,
    update_cart::only_country,
};
use crate::points::{CART_CREATED, NewCart, PRICE_LINE, PRICE_SHIPPING, VALIDATE_NEW_CART};

/// A new cart.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CreateCart {
    /// The region; by default that of the store, or else the first one.
    pub region_id: Option<String>,
    /// The channel. Optional if the key has one channel, or has the store's default among several.
    pub sales_channel_id: Option<String>,
    /// ISO 4217; must be the currency of the region.
    pub currency_code: Option<String>,
    /// Id of the customer who is logged in; never taken from the request's body.
    #[serde(skip)]
    pub customer_id: Option<String>,
    /// E-mail address; by default that of the customer.
    pub email: Option<String>,
    /// Locale: `en-GB`.
    pub locale: Option<String>,
    /// Shipping address.
    pub shipping_address: Option<CartAddress>,
    /// Billing address.
    pub billing_address: Option<CartAddress>,
    /// Free data.
    pub metadata: Metadata,
    /// Initial line items.
    pub items: Vec<AddLine>,
    /// Codes of promotions.
    pub promo_codes: Vec<String>,
}

flow! {
    /// Creates a cart. Event: `cart.created`.
    pub static CREATE_CART: Flow<Scoped<CreateCart>, Cart> =
        "create-cart" (create), hooks: &[&VALIDATE_NEW_CART, &PRICE_LINE, &PRICE_SHIPPING, &CART_CREATED];
}

fn create(flow: &mut Local<'_>, Scoped { scope, mut input }: Scoped<CreateCart>) -> Result<Cart, Fault> {
    flow.hook(&VALIDATE_NEW_CART, || NewCart {
        sales_channel_id: input.sales_channel_id.clone(),
        email: input.email.clone(),
    })?;
    let (items, codes) = (std::mem::take(&mut input.items), std::mem::take(&mut input.promo_codes));
    if items.len() > N_LINES_MAX {
        return Err(atoll_cart::Error::Full.into());
    }
    let mut cart = flow.step("prepare-cart", |tx, at| prepare(tx, at, &scope, input))?;
    let seller = Seller::of(flow.ctx(), cart.sales_channel_id.as_deref(), flow.at.now());
    add_lines(flow, &seller, &mut cart, items)?;
    change_codes(flow.tx, &mut cart, &codes, CodeChange::Add)?;
    settle(flow, None, cart)
}

/// An empty cart, which is not stored yet. Creates its guest, if there is none with the e-mail address.
fn prepare(tx: &mut dyn Write, at: &Moment, scope: &ChannelScope, input: CreateCart) -> Result<Cart, Fault> {
    let channel = choose_channel(tx, scope, input.sales_channel_id)?;
    if let Some(channel) = &channel {
        check_channel(tx, channel)?;
    }
    let region = choose_region(tx, input.region_id.as_deref())?;
    let currency_code = input.currency_code.map_or(region.currency_code.clone(), |it| it.to_lowercase());
    if currency_code != region.currency_code {
        return Err(Fault::invalid(format!(
            "Currency code {currency_code} does not match the region's currency code {}",
            region.currency_code
        )));
    }
    let shipping_address = match input.shipping_address {
        Some(given) => Some(given),
        None => only_country(tx, &region)?,
    };
    let (customer_id, email) = buyer_of(tx, at, input.customer_id.as_deref(), input.email)?;
    Ok(Cart {
        id: at.id(),
        currency_code,
        customer_id,
        email,
        locale: input.locale,
        region_id: Some(region.id.to_string()),
        sales_channel_id: channel,
        metadata: input.metadata,
        shipping_address,
        billing_address: input.billing_address,
        ..Cart::default()
    })
}

/// Checks that carts may be in this channel.
pub(crate) fn check_channel(tx: &dyn Read, channel: &str) -> Result<(), Fault> {
    match SALES_CHANNELS.get(tx, channel)? {
        None => Err(Fault::not_found(format!("SalesChannel with id: {channel} was not found"))),
        Some(channel) if channel.is_disabled => {
            let name = channel.name;
            Err(Fault::invalid(format!("Unable to assign cart to disabled Sales Channel: {name}")))
        }
        Some(_) => Ok(()),
    }
}

/// The channel of the request; or the key's only one; or the store's default, if the key has it among
/// several. None if sales channels are switched off. The error texts are those of the wire.
fn choose_channel(
    tx: &dyn Read,
    scope: &ChannelScope,
    requested: Option<String>,
) -> Result<Option<String>, Fault> {
    if scope.is_whole() {
        return Ok(None);
    }
    if let Some(id) = requested.filter(|it| !it.is_empty()) {
        if scope.has(&id) {
            return Ok(Some(id));
        }
        return Err(Fault::errors(vec![format!(
            "Sales channel ID in payload {id} is not associated with the Publishable API Key in the header."
        )]));
    }
    match scope.channels() {
        [] => Err(Fault::invalid("Publishable key needs to have a sales channel configured")),
        [one] => Ok(Some(one.id.to_string())),
        _ => {
            let default = the_store(tx)?.and_then(|store| store.default_sales_channel_id);
            let several = || {
                Fault::errors(vec![
                    "Cannot assign sales channel to cart. The Publishable API Key in the header has multiple \
                     associated sales channels. Please provide a sales channel ID in the request body."
                        .into(),
                ])
            };
            default.filter(|it| scope.has(it)).map(Some).ok_or_else(several)
        }
    }
}

fn choose_region(tx: &dyn Read, requested: Option<&str>) -> Result<Region, Fault> {
    let default = the_store(tx)?.and_then(|store| store.default_region_id);
    let region = match requested.or(default.as_deref()) {
        Some(id) => REGIONS.get(tx, id)?,
        None => {
            let mut first = None;
            REGIONS.table.scan(tx, None, Direction::Ascending, &mut |region| {
                first = Some(region);
                Ok(Scan::Break(()))
            })?;
            first
        }
    };
    region.ok_or_else(|| Fault::not_found("No regions found"))
}
