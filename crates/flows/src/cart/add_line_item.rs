//! Adds line items to a cart.

use atoll_availability::Seller;
use atoll_cart::{Cart, LineItem};
use atoll_kernel::{Decimal, Fault, Metadata, Read, flow, flow::Local};
use atoll_product::VARIANTS;
use serde::Deserialize;

use crate::cart::{
    Scoped,
    line::{cart_in, refused, shown_variant, snapshot},
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
    add_lines(flow, &seller, &mut cart, input.items)?;
    settle(flow, Some(&before), cart)
}

/// Adds line items to a cart.
pub(crate) fn add_lines(
    flow: &mut Local<'_>,
    seller: &Seller,
    cart: &mut Cart,
    inputs: Vec<AddLine>,
) -> Result<(), Fault> {
    if inputs.is_empty() {
        return Ok(());
    }
    for line in flow.step("confirm-inventory", |tx, _| lines_and_stock(tx, seller, cart, inputs))? {
        let (mut line, fits) = line?;
        contribute(flow, cart, &mut line)?;
        // Errors of the cart come first: a full cart is reported as full, whatever the stock is.
        cart.add_line(flow.at, line)?;
        fits?;
    }
    Ok(())
}

/// A line without its price, and whether its stock suffices.
type Stocked = (LineItem, Result<(), Fault>);

/// The lines, up to the first that cannot be. All take from one shelf, after what is in the cart.
fn lines_and_stock(
    tx: &dyn Read,
    seller: &Seller,
    cart: &Cart,
    inputs: Vec<AddLine>,
) -> Result<Vec<Result<Stocked, Fault>>, Fault> {
    let mut shelf = seller.shelf(tx)?;
    // Lines whose stock does not suffice take nothing; they are reported when they are changed.
    let mut short = Vec::new();
    for line in &cart.items {
        let variant = VARIANTS.get(tx, line.variant_id.as_deref().unwrap_or_default())?;
        if let Some(variant) = variant
            && shelf.allocate(&variant, line.quantity)?.is_err()
        {
            short.push(line);
        }
    }
    let mut stocked = |input: AddLine| {
        let (variant, product) = shown_variant(tx, &shelf, &input.variant_id)?;
        let line = snapshot(tx, &variant, &product, input.quantity, input.metadata)?;
        let joined: Decimal = short.iter().filter(|it| joins(&line, it)).map(|it| it.quantity).sum();
        let fits = shelf.allocate(&variant, joined + line.quantity)?;
        Ok((line, fits.map(drop).map_err(|reason| refused(&reason, seller, &variant.id))))
    };
    let mut lines: Vec<Result<Stocked, Fault>> = Vec::with_capacity(inputs.len());
    for input in inputs {
        let line = stocked(input);
        let is_good = matches!(line, Ok((_, Ok(()))));
        lines.push(line);
        if !is_good {
            break;
        }
    }
    Ok(lines)
}
