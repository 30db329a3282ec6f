//! `settle`: the one way for a flow on a cart to end. It calculates what the cart costs, stores it, updates
//! its payment collection, and tells subscribers and hooks.
//!
//! What a cart costs is a function of the cart and the shop, and not of the history of the cart: each flow
//! calculates all of it, and completing a cart compares it with what the buyer was shown.

use atoll_cart::{Cart, LineItem, open_cart, save_cart};
use atoll_checkout::{ChargeRecord, TaxLines};
use atoll_customer::groups_of;
use atoll_kernel::{Fault, FaultKind, Moment, flow::Local, serde_json::json};
use atoll_tax::Taxes;

use crate::{
    cart::{
        asked::{is_taxed_as_asked, told_taxes},
        prices::price_lines,
        promotions::{Discounts, Promotions},
        shipping::price_methods,
        taxes::taxes_of,
    },
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
    let groups = groups_of(flow.tx, cart.customer_id.as_deref())?;
    let unpriced = price_lines(flow, before, cart, &groups)?;
    let waits = match taxes_of(flow.tx, flow.ctx().registry(), cart)? {
        Taxes::Known(taxes) => {
            cart.taxed_as = None;
            charge(flow, cart, &groups, &taxes)?
        }
        Taxes::Ask(provider) => {
            // What the provider has said before counts, unless it turns out to be said of another cart.
            let waits = charge(flow, cart, &groups, &told_taxes(cart))?;
            if is_taxed_as_asked(flow, cart)? {
                waits
            } else {
                cart.taxed_as = None;
                charge(flow, cart, &groups, &TaxLines::new())?.or_else(|| Some(not_taxed(cart, &provider)))
            }
        }
    };
    cart.is_stale = waits.is_some();
    Ok(unpriced.or(waits))
}

/// Sets what is charged for lines and shipping. Discounts on lines do not depend on shipping, whose prices
/// depend on what the lines come to. Returns an error if a provider must be asked for a price.
fn charge(
    flow: &mut Local<'_>,
    cart: &mut Cart,
    groups: &[String],
    taxes: &TaxLines,
) -> Result<Option<Fault>, Fault> {
    let mut promotions = Promotions::of(flow.tx, cart, groups, taxes)?;
    let mut discounts = promotions.apply(flow.tx, flow.at, &[], taxes)?;
    set_parts(flow.at, &mut cart.items, taxes, &mut discounts);
    let waits = price_methods(flow, cart)?;
    if !cart.shipping_methods.is_empty() {
        discounts = promotions.apply(flow.tx, flow.at, &cart.shipping_methods, taxes)?;
        set_parts(flow.at, &mut cart.shipping_methods, taxes, &mut discounts);
    }
    cart.promotion_ids = discounts.promotion_ids;
    Ok(waits)
}

/// Sets the taxes and discounts of lines or of shipping methods.
pub(super) fn set_parts<C: ChargeRecord>(
    at: &Moment,
    charges: &mut [C],
    taxes: &TaxLines,
    discounts: &mut Discounts,
) {
    for charge in charges {
        let taxes = taxes.get(&**charge.id()).cloned().unwrap_or_default();
        let discounts = discounts.take(charge.id());
        charge.set_parts(at, taxes, discounts);
    }
}

/// The cart cannot be completed before its provider was asked for the taxes.
fn not_taxed(cart: &Cart, provider: &str) -> Fault {
    Fault::invalid(format!("The taxes of cart {} are not known: {provider} was not asked", cart.id))
}

/// Checks that a cart costs what its buyer was shown: nobody pays an amount that they have not seen.
pub(crate) fn check_settled(flow: &mut Local<'_>, cart: &Cart) -> Result<(), Fault> {
    let mut now = cart.clone();
    let problem = calculate(flow, Some(cart), &mut now)?;
    for (line, shown) in now.items.iter_mut().zip(&cart.items) {
        // A former price that is crossed out is not paid, and stays as it was shown.
        let (compare_at_unit_price, updated_at) = (shown.compare_at_unit_price, shown.updated_at);
        if *shown == (LineItem { compare_at_unit_price, updated_at, ..line.clone() }) {
            line.clone_from(shown);
        }
    }
    if now == *cart {
        return problem.map_or(Ok(()), Err);
    }
    let text = format!(
        "Prices in cart {} have changed since they were shown. Show the cart again, and pay what it comes to.",
        cart.id
    );
    Err(Fault::new(FaultKind::PricesChanged, text))
}
