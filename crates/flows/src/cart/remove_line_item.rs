//! Takes a line out of a cart.

use atoll_availability::ChannelScope;
use atoll_cart::{Cart, remove_line};
use atoll_kernel::{Fault, Moment, Write, emit, serde_json::json};

use crate::cart::line::cart_in;

/// Removes a line. One that is not there is ignored, as on the wire. Event: `cart.updated`.
pub fn remove_line_item(
    tx: &mut dyn Write,
    at: &Moment,
    scope: &ChannelScope,
    cart_id: &str,
    line_id: &str,
) -> Result<Cart, Fault> {
    let cart = cart_in(tx, scope, cart_id)?;
    let cart = remove_line(tx, at, &cart, line_id)?;
    emit(tx, at, "cart.updated", json!({ "id": cart.id }))?;
    Ok(cart)
}
