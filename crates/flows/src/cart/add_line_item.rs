//! Adds line items to a cart.

use atoll_availability::Seller;
use atoll_cart::{Cart, LineItem};
use atoll_kernel::{Decimal, Fault, Metadata, Read, flow, flow::Local};
use serde::Deserialize;

use crate::cart::{
    Scoped,
    line::{cart_in, check_stock, shown_variant, snapshot},
    prices::{contribute, joins},
    settle::settle,
};
use crate::points::{CART_UPDATED, OfCart, PRICE_LINE, PRICE_SHIPPING, VALIDATE_CART};

/// A line item to add.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AddLine {
    /// The variant.
    pub variant_id: String,
    /// Quantity, more than zero.
    pub quantity: Decimal,
    /// Free data. Lines of one variant with different metadata stay apart.
    pub metadata: Metadata,
}

/// Line items to add to a cart.
#[derive(Clone, Debug, Default)]
pub struct AddToCart {
    /// The cart.
    pub cart_id: String,
    /// Line items to add.
    pub items: Vec<AddLine>,
}

flow! {
    /// Adds line items, or increases the quantity of existing ones. The channel of the cart must sell the
    /// variants, they must have a price, and their stock must suffice after the other lines. Event:
    /// `cart.updated`.
    pub static ADD_TO_CART: Flow<Scoped<AddToCart>, Cart> = "add-to-cart" (add), hooks: &[&VALIDATE_CART, &PRICE_LINE, &PRICE_SHIPPING, &CART_UPDATED];
}

fn add(flow: &mut Local<'_>, Scoped { scope, input }: Scoped<AddToCart>) -> Result<Cart, Fault> {
    flow.hook(&VALIDATE_CART, || OfCart::of(&input.cart_id))?;
    let before = cart_in(flow.tx, &scope, &input.cart_id)?;
    before.check_open()?;
    let mut cart = before.clone();
    let seller = Seller::of(flow.ctx(), cart.sales_channel_id.as_deref(), flow.at.now());
    for line in input.items {
        add_line_item(flow, &seller, &mut cart, line)?;
    }
    settle(flow, Some(&before), cart)
}

/// Adds one line item.
pub(crate) fn add_line_item(
    flow: &mut Local<'_>,
    seller: &Seller,
    cart: &mut Cart,
    input: AddLine,
) -> Result<(), Fault> {
    let (mut line, fits) = flow.step("confirm-inventory", |tx, _| line_and_stock(tx, seller, cart, input))?;
    contribute(flow, cart, &mut line)?;
    // Errors of the cart come first: a full cart is reported as full, whatever the stock is.
    cart.add_line(flow.at, line)?;
    fits
}

/// The line without its price, and whether its stock suffices.
fn line_and_stock(
    tx: &dyn Read,
    seller: &Seller,
    cart: &Cart,
    input: AddLine,
) -> Result<(LineItem, Result<(), Fault>), Fault> {
    let mut shelf = seller.shelf(tx)?;
    let (variant, product) = shown_variant(tx, &shelf, &input.variant_id)?;
    let line = snapshot(tx, &variant, &product, input.quantity, input.metadata)?;
    let there: Decimal = cart.items.iter().filter(|it| joins(&line, it)).map(|it| it.quantity).sum();
    let others = cart.items.iter().filter(|it| !joins(&line, it));
    let fits = check_stock(tx, &mut shelf, seller, others, (&variant, there + line.quantity));
    Ok((line, fits))
}
