//! What completing a cart demands of its shipping methods, and the channels in which nobody could meet that.

use std::ops::ControlFlow;

use atoll_availability::{Goods, Seller, Shelf, can_ship, ships};
use atoll_cart::Cart;
use atoll_fulfillment::SHIPPING_OPTIONS;
use atoll_kernel::{Fault, Now, Read, StoreError, data::Direction, limits::UNABLE_TO_SHIP_MAX};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_store::{Store, the_store};

/// Why a cart with these goods may not be ordered, if it may not: where the shop demands it
/// ([`Store::require_shipping`]), a cart whose goods are shipped has a method for each of their shipping
/// profiles. A channel that ships nothing sells without methods.
pub(super) fn missing_methods(
    tx: &dyn Read,
    shelf: &Shelf<'_>,
    cart: &Cart,
    goods: &Goods,
) -> Result<Option<Fault>, StoreError> {
    if !SHIPPING_OPTIONS.is_on() {
        return Ok(None);
    }
    let missing = if cart.shipping_methods.is_empty() {
        if !goods.need_shipping {
            return Ok(None);
        }
        "No shipping method selected but the cart contains items that require shipping."
    } else {
        let is_sent = |profile: &String| {
            cart.shipping_methods.iter().any(|it| it.shipping_profile_id.as_ref() == Some(profile))
        };
        if goods.profiles.iter().all(is_sent) {
            return Ok(None);
        }
        "The cart items require shipping profiles that are not satisfied by the current shipping methods"
    };
    Ok(is_demanded(tx, the_store(tx)?.as_ref(), shelf)?.then(|| Fault::invalid(missing)))
}

/// Does completing a cart of the seller of this shelf demand shipping methods?
fn is_demanded(tx: &dyn Read, store: Option<&Store>, shelf: &Shelf<'_>) -> Result<bool, StoreError> {
    store.and_then(|it| it.require_shipping).map_or_else(|| ships(tx, shelf), Ok)
}

/// The enabled channels that demand shipping methods, and have no shipping option that a storefront could
/// choose: what is shipped cannot be bought there. At most [`UNABLE_TO_SHIP_MAX`] are named.
pub fn unable_to_ship(tx: &dyn Read, now: impl Into<Now>) -> Result<Vec<SalesChannel>, StoreError> {
    let (now, store, mut unable) = (now.into(), the_store(tx)?, Vec::new());
    if !SHIPPING_OPTIONS.is_on() {
        return Ok(unable);
    }
    SALES_CHANNELS.table.scan(tx, None, Direction::Ascending, &mut |channel| {
        if !channel.is_disabled {
            let shelf = Seller::in_channel(&channel.id, &now).shelf(tx)?;
            if is_demanded(tx, store.as_ref(), &shelf)? && !can_ship(tx, &shelf)? {
                unable.push(channel);
            }
        }
        Ok(if unable.len() < UNABLE_TO_SHIP_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(unable)
}
