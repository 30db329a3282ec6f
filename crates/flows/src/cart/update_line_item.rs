//! Changes how many of a line a cart holds.

use atoll_availability::{ChannelScope, Shelf};
use atoll_cart::{Cart, set_quantity};
use atoll_kernel::{Decimal, Fault, Metadata, Moment, Write, emit, serde_json::json};

use crate::cart::line::{cart_in, check_stock, shown_variant, unit_price};

/// Sets the quantity of a line; none at all removes it. Metadata, where it is given, is merged. Event: `cart.updated`.
pub fn update_line_item(
    tx: &mut dyn Write,
    at: &Moment,
    scope: &ChannelScope,
    cart_id: &str,
    line_id: &str,
    quantity: Decimal,
    metadata: Option<Metadata>,
) -> Result<Cart, Fault> {
    let cart = cart_in(tx, scope, cart_id)?;
    if cart.completed_at.is_some() {
        return Err(atoll_cart::Error::Completed(cart.id.to_string()).into());
    }
    let Some(line) = cart.items.iter().find(|it| *it.id == *line_id) else {
        return Err(atoll_cart::Error::NoLine(line_id.to_owned()).into());
    };
    let mut price = line.unit_price;
    if !quantity.is_zero() {
        let channel = cart.sales_channel_id.as_deref().unwrap_or_default();
        let variant_id = line.variant_id.as_deref().unwrap_or_default();
        let (variant, _) = shown_variant(tx, &Shelf::open(tx, channel)?, variant_id)?;
        price = unit_price(tx, &cart, &variant.id, quantity)?;
    }
    let cart = set_quantity(tx, at, &cart, line_id, quantity, price, metadata)?;
    check_stock(tx, &cart, line_id)?;
    emit(tx, at, "cart.updated", json!({ "id": cart.id }))?;
    Ok(cart)
}
