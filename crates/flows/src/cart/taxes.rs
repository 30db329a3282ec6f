//! The taxes of a cart: the rates of its lines and shipping methods at its address. And the flow by which a
//! buyer asks for them, in a region that does not calculate them by itself.

use atoll_cart::{Cart, LineItem, ShippingMethod};
use atoll_checkout::{Charged, TaxAddress, TaxItem, TaxLines, TaxRequest, TaxShipping};
use atoll_kernel::{Fault, Read, Registry, StoreError, flow, flow::Local};
use atoll_region::REGIONS;
use atoll_tax::Taxes;

use crate::cart::{Scoped, line::cart_in, settle::settle};
use crate::points::{CART_UPDATED, OfCart, PRICE_LINE, PRICE_SHIPPING, VALIDATE_CART};

flow! {
    /// Calculates the taxes of the cart with this id, and from then on with each change of it, also where the
    /// region does not calculate them by itself. Event: `cart.updated`. Error: the cart has no country.
    pub static UPDATE_TAX_LINES: Flow<Scoped<String>, Cart> =
        "update-tax-lines" (ask), hooks: &[&VALIDATE_CART, &PRICE_LINE, &PRICE_SHIPPING, &CART_UPDATED];
}

fn ask(flow: &mut Local<'_>, Scoped { scope, input: id }: Scoped<String>) -> Result<Cart, Fault> {
    flow.hook(&VALIDATE_CART, || OfCart::of(&id))?;
    let before = cart_in(flow.tx, &scope, &id)?;
    before.check_open()?;
    if address_of(&before).is_none() {
        return Err(Fault::invalid("country code is required to calculate taxes"));
    }
    let cart = Cart { taxes_asked: true, ..before.clone() };
    settle(flow, Some(&before), cart)
}

/// The rates of each line and each shipping method. None without an address, and in a region that does not
/// calculate them until the buyer asks.
pub(super) fn taxes_of(tx: &dyn Read, registry: &Registry, cart: &Cart) -> Result<Taxes, Fault> {
    match tax_request(tx, cart)? {
        Some(request) => atoll_tax::taxes(tx, registry, &request),
        None => Ok(Taxes::Known(TaxLines::new())),
    }
}

/// What the tax provider of the region is asked, if the cart is taxed.
pub(super) fn tax_request(tx: &dyn Read, cart: &Cart) -> Result<Option<TaxRequest>, StoreError> {
    let Some(address) = address_of(cart) else { return Ok(None) };
    if !cart.taxes_asked && !has_automatic_taxes(tx, cart)? {
        return Ok(None);
    }
    Ok(Some(TaxRequest {
        address,
        currency_code: cart.currency_code.clone(),
        customer_id: cart.customer_id.clone(),
        items: cart.items.iter().map(item).collect(),
        shipping: cart.shipping_methods.iter().map(shipping).collect(),
        is_return: false,
    }))
}

fn has_automatic_taxes(tx: &dyn Read, cart: &Cart) -> Result<bool, StoreError> {
    let region = cart.region_id.as_deref().map(|id| REGIONS.get(tx, id)).transpose()?.flatten();
    Ok(region.is_none_or(|it| it.automatic_taxes))
}

/// Where the goods go, if the country is known.
fn address_of(cart: &Cart) -> Option<TaxAddress> {
    let address = cart.shipping_address.as_ref()?;
    Some(TaxAddress {
        country_code: address.country_code.clone().filter(|it| !it.is_empty())?,
        province: address.province.clone(),
        city: address.city.clone(),
        postal_code: address.postal_code.clone(),
    })
}

fn item(line: &LineItem) -> TaxItem {
    TaxItem {
        id: line.id.to_string(),
        product_id: line.product_id.clone(),
        product_type_id: line.product_type_id.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        is_giftcard: line.is_giftcard,
    }
}

fn shipping(method: &ShippingMethod) -> TaxShipping {
    TaxShipping {
        id: method.id.to_string(),
        shipping_option_id: method.shipping_option_id.clone(),
        amount: method.amount(),
    }
}
