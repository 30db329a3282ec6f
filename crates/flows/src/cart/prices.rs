//! What the lines of a cart cost now, and whether that is what they say.

use atoll_availability::{price_context, price_of};
use atoll_cart::{CARTS, Cart, LineItem, set_prices};
use atoll_kernel::{Decimal, Fault, FaultKind, Local, Moment, Read, Write, flow, serde_json::json};

use crate::cart::changed;

flow! {
    /// Gives all lines of the cart with this id the prices of today, if it is still open. Event:
    /// `cart.updated`.
    pub static REFRESH_CART_ITEMS: Flow<String, Cart> =
        "refresh-cart-items" (refresh), hooks: &["validate", "cartUpdated"];
}

fn refresh(flow: &mut Local<'_>, id: String) -> Result<Cart, Fault> {
    flow.hook("validate", || json!({ "cart_id": id }))?;
    let before = CARTS.retrieve(flow.tx, &id)?;
    if before.completed_at.is_some() {
        return Ok(before);
    }
    let cart = flow.step("refresh-cart-items", |tx, at| price_anew(tx, at, &before, Unpriced::Stays))?;
    if cart != before {
        changed(flow, &cart)?;
    }
    Ok(cart)
}

/// What one of a variant costs in the cart when so many are bought.
pub(crate) fn unit_price(
    tx: &dyn Read,
    cart: &Cart,
    variant: &str,
    quantity: Decimal,
) -> Result<Decimal, Fault> {
    let context = price_context(&cart.currency_code, cart.region_id.as_deref(), Some(quantity));
    price_of(tx, variant, &context)?.ok_or_else(|| no_price(variant))
}

fn no_price(variant: &str) -> Fault {
    Fault::invalid(format!("Variants with IDs {variant} do not have a price"))
}

/// What becomes of a line that has no price any more when a cart is priced anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unpriced {
    /// It keeps the price that it has: who logs in or says an address is not held up by it. The cart is not
    /// completed with it.
    Stays,
    /// The cart is not changed: a price in another currency says nothing.
    Refused,
}

/// Gives all lines the prices of today, in the cart's region.
pub(crate) fn price_anew(
    tx: &mut dyn Write,
    at: &Moment,
    cart: &Cart,
    unpriced: Unpriced,
) -> Result<Cart, Fault> {
    let mut prices = Vec::with_capacity(cart.items.len());
    for line in &cart.items {
        prices.push(match price_now(tx, cart, line)? {
            Some(price) => price,
            None if unpriced == Unpriced::Stays => line.unit_price,
            None => return Err(no_price(variant_of(line))),
        });
    }
    Ok(set_prices(tx, at, cart, prices)?)
}

/// Do all lines say what they cost now? A shopper pays nothing that was not shown to them.
pub(crate) fn check_prices(tx: &dyn Read, cart: &Cart) -> Result<(), Fault> {
    for line in &cart.items {
        let price = price_now(tx, cart, line)?.ok_or_else(|| no_price(variant_of(line)))?;
        if price != line.unit_price {
            let text = format!(
                "Prices in cart {} have changed since they were shown. Show the cart again, and pay what it comes to.",
                cart.id
            );
            return Err(Fault::new(FaultKind::PricesChanged, text));
        }
    }
    Ok(())
}

fn price_now(tx: &dyn Read, cart: &Cart, line: &LineItem) -> Result<Option<Decimal>, Fault> {
    if line.is_custom_price {
        return Ok(Some(line.unit_price));
    }
    let context = price_context(&cart.currency_code, cart.region_id.as_deref(), Some(line.quantity));
    Ok(price_of(tx, variant_of(line), &context)?)
}

fn variant_of(line: &LineItem) -> &str {
    line.variant_id.as_deref().unwrap_or_default()
}
