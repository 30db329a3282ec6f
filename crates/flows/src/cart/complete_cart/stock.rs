//! Checks that a cart can be ordered, and reserves the stock of its lines.

use atoll_availability::{Allocation, Goods, Seller, Shelf};
use atoll_cart::Cart;
use atoll_inventory::{
    INVENTORY_LEVELS, InventoryLevel, ReservationItem, create_level, level_at, reserve, undo_reserve,
};
use atoll_kernel::{Decimal, Fault, Moment, Read, Write, flow::Local};
use atoll_order::LineTake;
use atoll_product::{Product, ProductVariant};

use super::{CompleteCart, Held, Pending, Placed, payment::session_for, place::order_of, placed};
use crate::cart::{
    line::{refused, shown_variant},
    require_shipping::missing_methods,
    settle::check_settled,
};

/// Checks the cart, and reserves the stock of each line.
pub(super) fn reserve_stock(flow: &mut Local<'_>, input: &CompleteCart) -> Result<Held, Fault> {
    let cart = match placed(flow.tx, input)? {
        Placed::Already(order) => return Ok(Held::Already(order)),
        Placed::Open(cart) => *cart,
    };
    let seller = Seller::of(flow.ctx(), cart.sales_channel_id.as_deref(), flow.at.now());
    // Prices are checked before the payment session: one for outdated prices is of no use. Stock is counted
    // on the shelf that is open here, and a shortage is reported after the session is found.
    let (takes, missing) = flow.step("validate-line-items", |tx, _| {
        let mut shelf = seller.shelf(tx)?;
        let sold = sold(tx, &shelf, &cart)?;
        let mut goods = Goods::default();
        cart.items.iter().zip(&sold).for_each(|(line, (_, product))| goods.add(line, Some(product)));
        let missing = missing_methods(tx, &shelf, &cart, &goods)?;
        Ok((take_all(&mut shelf, &seller, &cart, &sold), missing))
    })?;
    check_settled(flow, &cart)?;
    let session = flow.step("validate-cart-payments", |tx, _| session_for(tx, &cart))?;
    flow.step("validate-shipping", |_, _| missing.map_or(Ok(()), Err))?;
    let order = order_of(flow.at, &cart);
    let mut pending = Pending { cart, order, session, reservations: Vec::new(), levels: Vec::new() };
    flow.step("reserve-inventory", |tx, at| {
        for (n, takes) in takes?.into_iter().enumerate() {
            let line = pending.order.items[n].id.to_string();
            pending.order.items[n].takes = line_takes(&takes);
            takes.into_iter().try_for_each(|take| reserve_line(tx, at, &mut pending, &line, take))?;
        }
        Ok(())
    })?;
    Ok(Held::New(Box::new(pending)))
}

/// Releases the reservations.
pub(super) fn release_stock(flow: &mut Local<'_>, pending: &Pending) -> Result<(), Fault> {
    flow.step("release-inventory", |tx, at| {
        for id in &pending.reservations {
            undo_reserve(tx, at, id)?;
        }
        for id in &pending.levels {
            let is_unused = |it: &InventoryLevel| {
                let quantities = [it.stocked_quantity, it.reserved_quantity, it.incoming_quantity];
                quantities.into_iter().all(Decimal::is_zero)
            };
            if INVENTORY_LEVELS.get(tx, id)?.as_ref().is_some_and(is_unused) {
                INVENTORY_LEVELS.delete(tx, at, id)?;
            }
        }
        Ok(())
    })
}

/// The variants of all lines, with their products, which the channel of the cart must (still) show.
fn sold(tx: &dyn Read, shelf: &Shelf<'_>, cart: &Cart) -> Result<Vec<(ProductVariant, Product)>, Fault> {
    let ids = cart.items.iter().map(|line| line.variant_id.as_deref().unwrap_or_default());
    ids.map(|id| shown_variant(tx, shelf, id)).collect()
}

/// The stock that each line takes, from the shelf of the cart's channel. Lines that share an item share its
/// stock.
fn take_all(
    shelf: &mut Shelf<'_>,
    seller: &Seller,
    cart: &Cart,
    sold: &[(ProductVariant, Product)],
) -> Result<Vec<Vec<Allocation>>, Fault> {
    let mut takes = Vec::with_capacity(cart.items.len());
    for (line, (variant, _)) in cart.items.iter().zip(sold) {
        match shelf.allocate(variant, line.quantity)? {
            Ok(take) => takes.push(take),
            Err(reason) => return Err(refused(&reason, seller, &variant.id)),
        }
    }
    Ok(takes)
}

/// Quantities that a line takes of each item, over all locations.
fn line_takes(takes: &[Allocation]) -> Vec<LineTake> {
    let mut sums: Vec<LineTake> = Vec::new();
    for take in takes {
        match sums.iter_mut().find(|it| it.inventory_item_id == take.item) {
            Some(sum) => sum.quantity += take.quantity,
            None => sums.push(LineTake { inventory_item_id: take.item.clone(), quantity: take.quantity }),
        }
    }
    sums
}

fn reserve_line(
    tx: &mut dyn Write,
    at: &Moment,
    pending: &mut Pending,
    line: &str,
    take: Allocation,
) -> Result<(), Fault> {
    if level_at(tx, &take.item, &take.location)?.is_none() {
        // A backorder is reserved, too, at a location that may have no level of the item yet.
        let (inventory_item_id, location_id) = (take.item.as_str().into(), take.location.clone());
        let level = InventoryLevel { inventory_item_id, location_id, ..InventoryLevel::default() };
        pending.levels.push(create_level(tx, at, level)?.id.to_string());
    }
    let reservation = ReservationItem {
        inventory_item_id: take.item.into(),
        location_id: take.location,
        quantity: take.quantity,
        line_item_id: Some(line.to_owned()),
        allow_backorder: take.backordered,
        ..ReservationItem::default()
    };
    pending.reservations.push(reserve(tx, at, reservation)?.id.to_string());
    Ok(())
}
