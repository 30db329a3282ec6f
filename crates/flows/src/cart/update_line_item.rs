//! Updates a line item of a cart: quantity and metadata.

use atoll_availability::Seller;
use atoll_cart::{Cart, LineItem, set_quantity};
use atoll_kernel::{Decimal, Fault, Metadata, Read, flow, flow::Local};

use crate::cart::{
    Scoped, changed,
    line::{cart_in, check_stock, shown_variant},
    prices::unit_price,
};
use crate::points::{CART_UPDATED, OfLine, PRICE_LINE, VALIDATE_LINE};

/// An update of a line item.
#[derive(Clone, Debug, Default)]
pub struct UpdateLineItem {
    /// The cart.
    pub cart_id: String,
    /// The line.
    pub line_id: String,
    /// New quantity; zero removes the line.
    pub quantity: Decimal,
    /// Free data, merged with what is there.
    pub metadata: Option<Metadata>,
}

flow! {
    /// Updates a line item. Event: `cart.updated`.
    pub static UPDATE_LINE_ITEM: Flow<Scoped<UpdateLineItem>, Cart> =
        "update-line-item-in-cart" (update), hooks: &[&VALIDATE_LINE, &PRICE_LINE, &CART_UPDATED];
}

fn update(flow: &mut Local<'_>, Scoped { scope, input }: Scoped<UpdateLineItem>) -> Result<Cart, Fault> {
    let UpdateLineItem { cart_id, line_id, quantity, metadata } = input;
    flow.hook(&VALIDATE_LINE, || OfLine { cart_id: cart_id.clone(), line_id: line_id.clone(), quantity })?;
    let cart = cart_in(flow.tx, &scope, &cart_id)?;
    let seller = Seller::of(flow.ctx(), cart.sales_channel_id.as_deref(), flow.at.now());
    let (line, fits) =
        flow.step("confirm-inventory", |tx, _| line_and_stock(tx, &seller, &cart, &line_id, quantity))?;
    let price = if quantity.is_zero() { line.unit_price } else { unit_price(flow, &cart, line, quantity)? };
    let cart = flow.step("update-line-item", |tx, at| {
        let cart = set_quantity(tx, at, &cart, &line_id, quantity, price, metadata)?;
        // Errors of the cart come first: a full cart is reported as full, whatever the stock is.
        fits?;
        Ok(cart)
    })?;
    changed(flow, &cart)?;
    Ok(cart)
}

/// A line of the cart, and whether its stock suffices at this quantity. The channel must still sell it.
fn line_and_stock<'a>(
    tx: &dyn Read,
    seller: &Seller,
    cart: &'a Cart,
    line_id: &str,
    quantity: Decimal,
) -> Result<(&'a LineItem, Result<(), Fault>), Fault> {
    if cart.completed_at.is_some() {
        return Err(atoll_cart::Error::Completed(cart.id.to_string()).into());
    }
    let Some(line) = cart.items.iter().find(|it| *it.id == *line_id) else {
        return Err(atoll_cart::Error::NoLine(line_id.to_owned()).into());
    };
    if quantity.is_zero() {
        return Ok((line, Ok(())));
    }
    let variant_id = line.variant_id.as_deref().unwrap_or_default();
    let mut shelf = seller.shelf(tx)?;
    let (variant, _) = shown_variant(tx, &shelf, variant_id)?;
    let others = cart.items.iter().filter(|it| *it.id != *line_id);
    let fits = check_stock(tx, &mut shelf, seller, others, (&variant, quantity));
    Ok((line, fits))
}
