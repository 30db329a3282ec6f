//! Updates a line item of a cart: quantity and metadata.

use atoll_availability::Seller;
use atoll_cart::Cart;
use atoll_kernel::{Decimal, Fault, Metadata, Read, flow, flow::Local};

use crate::cart::{
    Scoped,
    line::{cart_in, check_stock, shown_variant},
    settle::settle,
};
use crate::points::{CART_UPDATED, OfLine, PRICE_LINE, PRICE_SHIPPING, VALIDATE_LINE};

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
        "update-line-item-in-cart" (update), hooks: &[&VALIDATE_LINE, &PRICE_LINE, &PRICE_SHIPPING, &CART_UPDATED];
}

fn update(flow: &mut Local<'_>, Scoped { scope, input }: Scoped<UpdateLineItem>) -> Result<Cart, Fault> {
    let UpdateLineItem { cart_id, line_id, quantity, metadata } = input;
    flow.hook(&VALIDATE_LINE, || OfLine { cart_id: cart_id.clone(), line_id: line_id.clone(), quantity })?;
    let before = cart_in(flow.tx, &scope, &cart_id)?;
    before.check_open()?;
    let mut cart = before.clone();
    let seller = Seller::of(flow.ctx(), cart.sales_channel_id.as_deref(), flow.at.now());
    let fits = flow.step("confirm-inventory", |tx, _| stock_of(tx, &seller, &before, &line_id, quantity))?;
    // Errors of the cart come first: a full cart is reported as full, whatever the stock is.
    cart.set_quantity(flow.at, &line_id, quantity, metadata)?;
    fits?;
    settle(flow, Some(&before), cart)
}

/// Whether the stock of a line suffices at this quantity. The channel must still sell it.
fn stock_of(
    tx: &dyn Read,
    seller: &Seller,
    cart: &Cart,
    line_id: &str,
    quantity: Decimal,
) -> Result<Result<(), Fault>, Fault> {
    let line = cart.items.iter().find(|it| *it.id == *line_id);
    let line = line.ok_or_else(|| atoll_cart::Error::NoLine(line_id.to_owned()))?;
    if quantity.is_zero() {
        return Ok(Ok(()));
    }
    let variant_id = line.variant_id.as_deref().unwrap_or_default();
    let mut shelf = seller.shelf(tx)?;
    let (variant, _) = shown_variant(tx, &shelf, variant_id)?;
    let others = cart.items.iter().filter(|it| *it.id != *line_id);
    Ok(check_stock(tx, &mut shelf, seller, others, (&variant, quantity)))
}
