//! Changing carts: lines, quantities, prices, completion. A completed cart is never changed.

use atoll_kernel::{
    Decimal, Metadata, Moment, Timestamp, Write,
    data::{Entity, FieldValue},
};

use crate::{CARTS, Cart, Error, LineItem, METADATA_BYTES_MAX, N_LINES_MAX};

/// Creates a cart.
pub fn open_cart(tx: &mut dyn Write, at: &Moment, mut cart: Cart) -> Result<Cart, Error> {
    for address in [&mut cart.shipping_address, &mut cart.billing_address].into_iter().flatten() {
        address.init(at.id(), at.now());
    }
    Ok(CARTS.create(tx, at, cart)?)
}

/// Error if the cart was completed.
fn open(cart: &Cart) -> Result<(), Error> {
    if cart.completed_at.is_some() { Err(Error::Completed(cart.id.to_string())) } else { Ok(()) }
}

/// Adds a line, or increases the quantity of an equal one (same variant, price and metadata).
pub fn add_line(tx: &mut dyn Write, at: &Moment, cart: &Cart, mut line: LineItem) -> Result<Cart, Error> {
    open(cart)?;
    line.init(at.id(), at.now());
    line.cart_id = cart.id.to_string();
    let merges = cart.items.iter().any(|it| same(it, &line));
    if line.metadata.n_bytes() > METADATA_BYTES_MAX || (!merges && cart.items.len() >= N_LINES_MAX) {
        return Err(Error::Full);
    }
    within_limits(CARTS.update(tx, at, &cart.id, |cart: &mut Cart| {
        match cart.items.iter_mut().find(|it| same(it, &line)) {
            Some(there) => {
                there.quantity += line.quantity;
                there.unit_price = line.unit_price;
                there.touch(at.now());
            }
            None => cart.items.push(line),
        }
    })?)
}

/// Limits the digits of quantities and totals to those that any JSON reader holds exactly.
fn within_limits(cart: Cart) -> Result<Cart, Error> {
    let is_short = cart.listed_total().is_short() && cart.items.iter().all(|it| it.quantity.is_short());
    if is_short { Ok(cart) } else { Err(Error::TooLarge) }
}

fn same(a: &LineItem, b: &LineItem) -> bool {
    a.variant_id == b.variant_id
        && a.metadata.same_as(&b.metadata)
        && a.is_custom_price == b.is_custom_price
        && (!a.is_custom_price || a.unit_price == b.unit_price)
}

/// Sets the quantity of a line; zero removes it.
pub fn set_quantity(
    tx: &mut dyn Write,
    at: &Moment,
    cart: &Cart,
    line: &str,
    quantity: Decimal,
    unit_price: Decimal,
    metadata: Option<Metadata>,
) -> Result<Cart, Error> {
    open(cart)?;
    if !cart.items.iter().any(|it| *it.id == *line) {
        return Err(Error::NoLine(line.to_owned()));
    }
    if quantity.is_zero() {
        return remove_line(tx, at, cart, line);
    }
    let cart = CARTS.update(tx, at, &cart.id, |cart: &mut Cart| {
        for it in cart.items.iter_mut().filter(|it| *it.id == *line) {
            it.quantity = quantity;
            it.unit_price = unit_price;
            if let Some(metadata) = &metadata {
                FieldValue::update(&mut it.metadata, metadata.clone());
            }
            it.touch(at.now());
        }
    })?;
    let too_much = cart.items.iter().any(|it| it.metadata.n_bytes() > METADATA_BYTES_MAX);
    if too_much { Err(Error::Full) } else { within_limits(cart) }
}

/// Sets the unit prices of all lines, in the order of the lines.
pub fn set_prices(tx: &mut dyn Write, at: &Moment, cart: &Cart, prices: Vec<Decimal>) -> Result<Cart, Error> {
    open(cart)?;
    if cart.items.iter().map(|it| it.unit_price).eq(prices.iter().copied()) {
        return Ok(cart.clone());
    }
    within_limits(CARTS.update(tx, at, &cart.id, |cart: &mut Cart| {
        for (line, price) in cart.items.iter_mut().zip(prices) {
            if line.unit_price != price {
                line.unit_price = price;
                line.touch(at.now());
            }
        }
    })?)
}

/// Removes a line. An unknown id is ignored.
pub fn remove_line(tx: &mut dyn Write, at: &Moment, cart: &Cart, line: &str) -> Result<Cart, Error> {
    open(cart)?;
    Ok(CARTS.update(tx, at, &cart.id, |cart: &mut Cart| cart.items.retain(|it| *it.id != *line))?)
}

/// Marks a cart as completed: it has become an order.
pub fn complete(tx: &mut dyn Write, at: &Moment, cart: &Cart) -> Result<Cart, Error> {
    open(cart)?;
    if cart.items.is_empty() {
        return Err(Error::Empty);
    }
    Ok(CARTS.update(tx, at, &cart.id, |cart: &mut Cart| cart.completed_at = Some(at.now()))?)
}

/// The day (UTC) of a moment as a key of the index of open carts: the days since 1970, as text in the same
/// order.
pub fn day_of(at: Timestamp) -> String {
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    format!("{:07}", at.millis().max(0) / DAY_MS)
}
