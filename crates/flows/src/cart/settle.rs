//! `settle`: the one way for a flow on a cart to end. It calculates what the cart costs, stores it, updates
//! its payment collection, and tells subscribers and hooks.
//!
//! What a cart costs is a function of the cart and the shop, and not of the history of the cart: each flow
//! calculates all of it, and completing a cart compares it with what the buyer was shown.

use atoll_cart::{Cart, open_cart, save_cart};
use atoll_kernel::{Fault, FaultKind, flow::Local, serde_json::json};

use crate::{
    cart::prices::price_lines,
    payment::refresh,
    points::{CART_CREATED, CART_UPDATED, CartNow},
};

/// Ends a flow that changed a cart; `before` is the cart as it was stored, none if it is new.
pub(crate) fn settle(flow: &mut Local<'_>, before: Option<&Cart>, mut cart: Cart) -> Result<Cart, Fault> {
    calculate(flow, before, &mut cart)?;
    if before.is_none() {
        let cart = flow.step("create-carts", |tx, at| Ok(open_cart(tx, at, cart)?))?;
        flow.emit("cart.created", json!({ "id": cart.id }))?;
        flow.hook(&CART_CREATED, || CartNow { cart: cart.clone() })?;
        return Ok(cart);
    }
    let cart = flow.step("update-carts", |tx, at| Ok(save_cart(tx, at, cart)?))?;
    refresh(flow.tx, flow.at, &cart)?;
    flow.emit("cart.updated", json!({ "id": cart.id }))?;
    flow.hook(&CART_UPDATED, || CartNow { cart: cart.clone() })?;
    Ok(cart)
}

/// Calculates what a cart costs. What it returns forbids to complete it.
fn calculate(flow: &mut Local<'_>, before: Option<&Cart>, cart: &mut Cart) -> Result<Option<Fault>, Fault> {
    price_lines(flow, before, cart)
}

/// Checks that a cart costs what its buyer was shown: nobody pays an amount that they have not seen.
pub(crate) fn check_settled(flow: &mut Local<'_>, cart: &Cart) -> Result<(), Fault> {
    let mut now = cart.clone();
    let problem = calculate(flow, Some(cart), &mut now)?;
    if now == *cart {
        return problem.map_or(Ok(()), Err);
    }
    let text = format!(
        "Prices in cart {} have changed since they were shown. Show the cart again, and pay what it comes to.",
        cart.id
    );
    Err(Fault::new(FaultKind::PricesChanged, text))
}
