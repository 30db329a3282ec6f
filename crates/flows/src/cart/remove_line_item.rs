//! Removes line items from a cart.

use atoll_cart::Cart;
use atoll_kernel::{Fault, flow, flow::Local};

use crate::cart::{Scoped, line::cart_in, settle::settle};
use crate::points::{CART_UPDATED, OfLines, PRICE_LINE, PRICE_SHIPPING, VALIDATE_LINES};

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
        "delete-line-items" (delete), hooks: &[&VALIDATE_LINES, &PRICE_LINE, &PRICE_SHIPPING, &CART_UPDATED];
}

fn delete(flow: &mut Local<'_>, Scoped { scope, input }: Scoped<DeleteLineItems>) -> Result<Cart, Fault> {
    flow.hook(&VALIDATE_LINES, || OfLines { cart_id: input.cart_id.clone(), ids: input.ids.clone() })?;
    let before = cart_in(flow.tx, &scope, &input.cart_id)?;
    before.check_open()?;
    let mut cart = before.clone();
    input.ids.iter().for_each(|id| cart.remove_line(id));
    settle(flow, Some(&before), cart)
}
