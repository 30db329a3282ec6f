//! Current prices of line items: refresh them, and compare them with those that the cart shows.

use atoll_availability::{price_context, price_of};
use atoll_cart::{CARTS, Cart, LineItem, set_prices};
use atoll_kernel::{Decimal, Fault, FaultKind, Moment, Read, Write, flow, flow::Local, serde_json::json};

use crate::cart::changed;

flow! {
    /// Sets the current prices on all lines of the cart with this id, if it is still open. Event:
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

/// Unit price of a variant in the cart, at this quantity.
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

/// What to do with a line that has no price any more when a cart is priced again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unpriced {
    /// Keep the old price: a login or an address change is not refused for it. The cart cannot be completed
    /// with it.
    Stays,
    /// Refuse the change: the old price is in another currency.
    Refused,
}

/// Sets the current prices of the cart's region on all lines.
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

/// Checks that all lines have their current price: a buyer pays no price that was not shown.
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
