//! Prices of line items: the current one of each, by the price lists of the shop and by hooks.

use atoll_availability::{CHANNEL, CalculatedPrice, GROUPS, Prices, price_context};
use atoll_cart::{CARTS, Cart, LineItem};
use atoll_customer::groups_of;
use atoll_kernel::{Decimal, Fault, Metadata, Moment, Read, StoreError, flow, flow::Local};

use crate::cart::settle::settle;
use crate::points::{CART_UPDATED, LineToPrice, OfCart, PRICE_LINE, PRICE_SHIPPING, VALIDATE_CART};

flow! {
    /// Calculates anew what the cart with this id costs, if it is still open. Event: `cart.updated`, if it
    /// changes.
    pub static REFRESH_CART_ITEMS: Flow<String, Cart> =
        "refresh-cart-items" (refresh), hooks: &[&VALIDATE_CART, &PRICE_LINE, &PRICE_SHIPPING, &CART_UPDATED];
}

fn refresh(flow: &mut Local<'_>, id: String) -> Result<Cart, Fault> {
    flow.hook(&VALIDATE_CART, || OfCart::of(&id))?;
    let before = CARTS.retrieve(flow.tx, &id)?;
    match before.completed_at {
        Some(_) => Ok(before),
        None => settle(flow, Some(&before), before.clone()),
    }
}

/// Sets the current price of each line, for a buyer in these groups. A line that has none any more, and is
/// otherwise as it was, keeps that of the cart before: a login or an address is not refused for it. The cart
/// cannot be completed with it: the error is returned. Any other line without a price is refused.
pub(crate) fn price_lines(
    flow: &mut Local<'_>,
    before: Option<&Cart>,
    cart: &mut Cart,
    groups: &[String],
) -> Result<Option<Fault>, Fault> {
    let (listed, mut unpriced) = (listed_prices(flow.tx, flow.at, cart, groups, &cart.items)?, None);
    for (n, listed) in listed.iter().enumerate() {
        let line = &cart.items[n];
        if line.is_custom_price {
            continue;
        }
        let amount = listed.as_ref().map(|it| it.calculated.amount);
        let price = match ask_hooks(flow, cart, line, amount)?.price {
            Some(price) => price,
            None if before.is_some_and(|it| is_as_before(it, cart, line)) => {
                unpriced.get_or_insert_with(|| no_price(line));
                continue;
            }
            None => return Err(no_price(line)),
        };
        let mut priced = LineItem { unit_price: price, ..line.clone() };
        // A price by a hook has no former price.
        let listed = listed.as_ref();
        priced.compare_at_unit_price =
            listed.filter(|it| it.calculated.amount == price).and_then(CalculatedPrice::compare_at);
        priced.is_tax_inclusive = listed.is_some_and(|it| it.calculated.is_tax_inclusive);
        if priced != *line {
            priced.updated_at = flow.at.now();
            cart.items[n] = priced;
        }
    }
    Ok(unpriced)
}

/// Is the line priced as it was in the cart before?
fn is_as_before(before: &Cart, cart: &Cart, line: &LineItem) -> bool {
    let is_same = |it: &LineItem| it.id == line.id && it.quantity == line.quantity;
    before.region_id == cart.region_id
        && before.currency_code == cart.currency_code
        && before.items.iter().any(is_same)
}

/// The prices of lines by the price lists of the shop; none of a line whose price was set manually.
fn listed_prices(
    tx: &dyn Read,
    at: &Moment,
    cart: &Cart,
    groups: &[String],
    lines: &[LineItem],
) -> Result<Vec<Option<CalculatedPrice>>, StoreError> {
    let mut prices = Prices::new(tx);
    let mut context = price_context(&cart.currency_code, cart.region_id.as_deref(), None, at.now())
        .with(CHANNEL, cart.sales_channel_id.as_deref())
        .with_all(GROUPS, groups.to_vec());
    let listed = lines.iter().map(|line| {
        context.quantity = Some(line.quantity);
        if line.is_custom_price { Ok(None) } else { prices.of_variant(variant_of(line), &context) }
    });
    listed.collect()
}

/// The unit price of a line, and the metadata that hooks add to it.
struct Priced {
    price: Option<Decimal>,
    metadata: Option<Metadata>,
}

/// Asks the hooks at [`PRICE_LINE`].
fn ask_hooks(
    flow: &mut Local<'_>,
    cart: &Cart,
    line: &LineItem,
    listed: Option<Decimal>,
) -> Result<Priced, Fault> {
    let mut priced = Priced { price: listed, metadata: None };
    let input = || LineToPrice {
        cart: cart.clone(),
        line: LineItem { unit_price: listed.unwrap_or(line.unit_price), ..line.clone() },
    };
    for said in flow.hook(&PRICE_LINE, input)? {
        if let Some(price) = said.unit_price {
            priced.price = Some(checked_price("a hook at `priceLine`", price)?);
        }
        if said.metadata.0.is_some() {
            priced.metadata = Some(priced.metadata.unwrap_or_default().or_empty().patched(said.metadata));
        }
    }
    Ok(priced)
}

/// A price that somebody else has made. Error: it is below zero, or longer than a number of a request.
pub(super) fn checked_price(by: &str, price: Decimal) -> Result<Decimal, Fault> {
    match !price.is_negative() && price.is_short() {
        true => Ok(price),
        false => Err(Fault::unexpected(format!("{by} has made a price below zero, or too long"))),
    }
}

/// Adds the metadata that hooks contribute to a line that is about to be added, which decides which line it
/// joins. The hooks are shown the line with the quantity of the one that it would join without them.
pub(crate) fn contribute(flow: &mut Local<'_>, cart: &Cart, line: &mut LineItem) -> Result<(), Fault> {
    if !flow.has_hook(&PRICE_LINE) {
        return Ok(());
    }
    let there: Decimal = cart.items.iter().filter(|it| joins(line, it)).map(|it| it.quantity).sum();
    let all = LineItem { quantity: line.quantity + there, ..line.clone() };
    let groups = groups_of(flow.tx, cart.customer_id.as_deref())?;
    let listed = listed_prices(flow.tx, flow.at, cart, &groups, std::slice::from_ref(&all))?;
    let amount = listed.first().and_then(|it| it.as_ref()).map(|it| it.calculated.amount);
    if let Some(metadata) = ask_hooks(flow, cart, &all, amount)?.metadata {
        line.metadata = std::mem::take(&mut line.metadata).or_empty().patched(metadata);
    }
    Ok(())
}

/// Is the new line added to this one?
pub(crate) fn joins(new: &LineItem, there: &LineItem) -> bool {
    there.variant_id == new.variant_id && there.metadata.same_as(&new.metadata)
}

fn no_price(line: &LineItem) -> Fault {
    Fault::invalid(format!("Variants with IDs {} do not have a price", variant_of(line)))
}

fn variant_of(line: &LineItem) -> &str {
    line.variant_id.as_deref().unwrap_or_default()
}
