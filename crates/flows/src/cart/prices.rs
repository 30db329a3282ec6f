//! Current prices of line items: refresh them, and compare them with those that the cart shows.

use atoll_availability::{CHANNEL, price_context, price_of};
use atoll_cart::{CARTS, Cart, LineItem, set_prices};
use atoll_kernel::{Decimal, Fault, FaultKind, Metadata, Read, Timestamp, flow, flow::Local};

use crate::cart::changed;
use crate::points::{CART_UPDATED, LineToPrice, OfCart, PRICE_LINE, VALIDATE_CART};

flow! {
    /// Sets the current prices on all lines of the cart with this id, if it is still open. Event:
    /// `cart.updated`.
    pub static REFRESH_CART_ITEMS: Flow<String, Cart> =
        "refresh-cart-items" (refresh), hooks: &[&VALIDATE_CART, &PRICE_LINE, &CART_UPDATED];
}

fn refresh(flow: &mut Local<'_>, id: String) -> Result<Cart, Fault> {
    flow.hook(&VALIDATE_CART, || OfCart::of(&id))?;
    let before = CARTS.retrieve(flow.tx, &id)?;
    if before.completed_at.is_some() {
        return Ok(before);
    }
    let cart = price_anew(flow, &before, Unpriced::Stays)?;
    if cart != before {
        changed(flow, &cart)?;
    }
    Ok(cart)
}

/// The unit price of a line at this quantity by the price lists of the shop, if it has one.
pub(crate) fn listed_price(
    tx: &dyn Read,
    now: Timestamp,
    cart: &Cart,
    line: &LineItem,
    quantity: Decimal,
) -> Result<Option<Decimal>, Fault> {
    if line.is_custom_price {
        return Ok(Some(line.unit_price));
    }
    let context = price_context(&cart.currency_code, cart.region_id.as_deref(), Some(quantity), now)
        .with(CHANNEL, cart.sales_channel_id.as_deref());
    Ok(price_of(tx, variant_of(line), &context)?)
}

/// The unit price of a line at this quantity, and the metadata that hooks add to it.
struct Priced {
    price: Option<Decimal>,
    metadata: Option<Metadata>,
}

/// Asks the hooks at [`PRICE_LINE`].
fn ask_hooks(
    flow: &mut Local<'_>,
    cart: &Cart,
    line: &LineItem,
    quantity: Decimal,
    listed: Option<Decimal>,
) -> Result<Priced, Fault> {
    let mut priced = Priced { price: listed, metadata: None };
    if line.is_custom_price {
        return Ok(priced);
    }
    let input = || LineToPrice {
        cart: cart.clone(),
        line: LineItem { quantity, unit_price: listed.unwrap_or(line.unit_price), ..line.clone() },
    };
    for said in flow.hook(&PRICE_LINE, input)? {
        if said.unit_price.is_some_and(|it| it.is_negative() || !it.is_short()) {
            return Err(Fault::unexpected(
                "a hook at `priceLine` contributed a price below zero, or too long",
            ));
        }
        priced.price = said.unit_price.or(priced.price);
        if said.metadata.0.is_some() {
            priced.metadata = Some(priced.metadata.unwrap_or_default().or_empty().patched(said.metadata));
        }
    }
    Ok(priced)
}

/// The unit price of a line of the cart at this quantity.
pub(crate) fn unit_price(
    flow: &mut Local<'_>,
    cart: &Cart,
    line: &LineItem,
    quantity: Decimal,
) -> Result<Decimal, Fault> {
    let listed = listed_price(flow.tx, flow.at.now(), cart, line, quantity)?;
    ask_hooks(flow, cart, line, quantity, listed)?.price.ok_or_else(|| no_price(variant_of(line)))
}

/// Prices a line that is about to be added, together with the line that it joins. Hooks may add to its
/// metadata, and so decide which line that is.
pub(crate) fn price_new(flow: &mut Local<'_>, cart: &Cart, line: &mut LineItem) -> Result<(), Fault> {
    let quantity = line.quantity + quantity_there(cart, line);
    let listed = listed_price(flow.tx, flow.at.now(), cart, line, quantity)?;
    let Priced { price, metadata } = ask_hooks(flow, cart, line, quantity, listed)?;
    line.unit_price = price.ok_or_else(|| no_price(variant_of(line)))?;
    if let Some(metadata) = metadata {
        line.metadata = std::mem::take(&mut line.metadata).or_empty().patched(metadata);
        let all = line.quantity + quantity_there(cart, line);
        if all != quantity {
            line.unit_price = unit_price(flow, cart, line, all)?;
        }
    }
    Ok(())
}

/// The quantity of the line that a new one joins.
fn quantity_there(cart: &Cart, line: &LineItem) -> Decimal {
    cart.items.iter().filter(|it| joins(line, it)).map(|it| it.quantity).sum()
}

/// Is the new line added to this one?
pub(crate) fn joins(new: &LineItem, there: &LineItem) -> bool {
    there.variant_id == new.variant_id && there.metadata.same_as(&new.metadata)
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
pub(crate) fn price_anew(flow: &mut Local<'_>, cart: &Cart, unpriced: Unpriced) -> Result<Cart, Fault> {
    let mut prices = Vec::with_capacity(cart.items.len());
    for line in &cart.items {
        let listed = listed_price(flow.tx, flow.at.now(), cart, line, line.quantity)?;
        prices.push(match ask_hooks(flow, cart, line, line.quantity, listed)?.price {
            Some(price) => price,
            None if unpriced == Unpriced::Stays => line.unit_price,
            None => return Err(no_price(variant_of(line))),
        });
    }
    flow.step("refresh-cart-items", |tx, at| Ok(set_prices(tx, at, cart, prices)?))
}

/// Checks that all lines have their current price, of which `listed` are those by the price lists: a buyer
/// pays no price that was not shown.
pub(crate) fn check_prices(
    flow: &mut Local<'_>,
    cart: &Cart,
    listed: Vec<Option<Decimal>>,
) -> Result<(), Fault> {
    for (line, listed) in cart.items.iter().zip(listed) {
        let price = ask_hooks(flow, cart, line, line.quantity, listed)?.price;
        if price.ok_or_else(|| no_price(variant_of(line)))? != line.unit_price {
            let text = format!(
                "Prices in cart {} have changed since they were shown. Show the cart again, and pay what it comes to.",
                cart.id
            );
            return Err(Fault::new(FaultKind::PricesChanged, text));
        }
    }
    Ok(())
}

fn variant_of(line: &LineItem) -> &str {
    line.variant_id.as_deref().unwrap_or_default()
}
