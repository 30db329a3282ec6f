//! Puts some of a variant into a cart.

use atoll_availability::{ChannelScope, Shelf};
use atoll_cart::{Cart, add_line};
use atoll_kernel::{Decimal, Fault, Metadata, Moment, Write, emit, serde_json::json};
use serde::Deserialize;

use crate::cart::line::{cart_in, check_stock, shown_variant, snapshot, unit_price};

/// What to add.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AddLine {
    /// The variant.
    pub variant_id: String,
    /// How many.
    pub quantity: Decimal,
    /// Free data; lines of one variant with different data stay apart.
    pub metadata: Metadata,
}

/// Adds a line, or some more to the one that is there. The channel of the cart must sell the variant, it must
/// have a price, and there must be enough of it after what the other lines take. Event: `cart.updated`.
pub fn add_line_item(
    tx: &mut dyn Write,
    at: &Moment,
    scope: &ChannelScope,
    cart_id: &str,
    input: AddLine,
) -> Result<Cart, Fault> {
    let cart = cart_in(tx, scope, cart_id)?;
    if cart.completed_at.is_some() {
        return Err(atoll_cart::Error::Completed(cart.id.to_string()).into());
    }
    let channel = cart.sales_channel_id.as_deref().unwrap_or_default();
    let (variant, product) = shown_variant(tx, &Shelf::open(tx, channel)?, &input.variant_id)?;
    let mut line = snapshot(tx, &variant, &product, input.quantity, input.metadata)?;
    let there: Decimal = cart
        .items
        .iter()
        .filter(|it| it.variant_id == line.variant_id && it.metadata.same_as(&line.metadata))
        .map(|it| it.quantity)
        .sum();
    line.unit_price = unit_price(tx, &cart, &variant.id, there + line.quantity)?;
    let (variant_id, metadata) = (line.variant_id.clone(), line.metadata.clone());
    let cart = add_line(tx, at, &cart, line)?;
    let added = cart.items.iter().find(|it| it.variant_id == variant_id && it.metadata.same_as(&metadata));
    if let Some(added) = added {
        check_stock(tx, &cart, &added.id)?;
    }
    emit(tx, at, "cart.updated", json!({ "id": cart.id }))?;
    Ok(cart)
}
