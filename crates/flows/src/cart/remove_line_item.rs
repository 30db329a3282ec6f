//! Removes line items from a cart.

use atoll_cart::{Cart, remove_line};
use atoll_kernel::{Fault, flow, flow::Local};

use crate::cart::{Scoped, changed, line::cart_in};
use crate::points::{CART_UPDATED, OfLines, VALIDATE_LINES};

/// Line items to remove from a cart.
#[derive(Clone, Debug, Default)]
pub struct DeleteLineItems {
    /// The cart.
    pub cart_id: String,
    /// The lines.
    pub ids: Vec<String>,
}

flow! {
    /// Removes line items. Unknown ids are ignored, as on the wire. Event: `cart.updated`.
    pub static DELETE_LINE_ITEMS: Flow<Scoped<DeleteLineItems>, Cart> =
        "delete-line-items" (delete), hooks: &[&VALIDATE_LINES, &CART_UPDATED];
}

fn delete(flow: &mut Local<'_>, Scoped { scope, input }: Scoped<DeleteLineItems>) -> Result<Cart, Fault> {
    flow.hook(&VALIDATE_LINES, || OfLines { cart_id: input.cart_id.clone(), ids: input.ids.clone() })?;
    let mut cart = cart_in(flow.tx, &scope, &input.cart_id)?;
    for id in &input.ids {
        cart = flow.step("delete-line-item", |tx, at| Ok(remove_line(tx, at, &cart, id)?))?;
    }
    changed(flow, &cart)?;
    Ok(cart)
}
