//! Stock of fulfilments: taking reserved stock for a line, and returning it when the fulfilment is cancelled.

use atoll_kernel::{Decimal, Moment, Write};

use crate::{
    Error, INVENTORY_LEVELS, InventoryLevel, RESERVATIONS, ReservationItem, reservations_of,
    service::level_or_not_stocked,
};

/// A quantity of an item that was taken from a location for a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The item.
    pub item: String,
    /// The location.
    pub location: String,
    /// Quantity.
    pub quantity: Decimal,
}

/// Takes a quantity of an item that is reserved for a line from stock, and reduces the reservations by it. It
/// is taken at the location of the reservation, or at the given one, where it must not be reserved for
/// others.
pub fn send(
    tx: &mut dyn Write,
    at: &Moment,
    line_item_id: &str,
    item: &str,
    quantity: Decimal,
    location: Option<&str>,
) -> Result<Vec<Sent>, Error> {
    let (sent, left) = send_up_to(tx, at, line_item_id, item, quantity, location)?;
    if left > Decimal::ZERO { Err(Error::NotReserved(line_item_id.to_owned())) } else { Ok(sent) }
}

/// As [`send`], but at most the reserved quantity. Also returns the rest.
pub fn send_up_to(
    tx: &mut dyn Write,
    at: &Moment,
    line_item_id: &str,
    item: &str,
    quantity: Decimal,
    location: Option<&str>,
) -> Result<(Vec<Sent>, Decimal), Error> {
    let mut reservations = reservations_of(tx, line_item_id)?;
    reservations.retain(|it| *it.inventory_item_id == *item);
    reservations.sort_by_key(|it| location.is_some_and(|location| *location != *it.location_id));
    let (mut left, mut sent) = (quantity, Vec::new());
    for reservation in reservations {
        let part = left.min(reservation.quantity);
        if part > Decimal::ZERO {
            let from = location.unwrap_or(&reservation.location_id);
            sent.push(send_reserved(tx, at, &reservation, part, from)?);
            left -= part;
        }
    }
    Ok((sent, left))
}

fn send_reserved(
    tx: &mut dyn Write,
    at: &Moment,
    reservation: &ReservationItem,
    part: Decimal,
    from: &str,
) -> Result<Sent, Error> {
    let item = &*reservation.inventory_item_id;
    let reserved_at = level_or_not_stocked(tx, item, &reservation.location_id)?;
    assert!(reserved_at.reserved_quantity >= part, "a level has lost count of its reservations");
    INVENTORY_LEVELS
        .update(tx, at, &reserved_at.id, |it: &mut InventoryLevel| it.reserved_quantity -= part)?;
    if part == reservation.quantity {
        RESERVATIONS.soft_delete(tx, at, &reservation.id)?;
    } else {
        RESERVATIONS.update(tx, at, &reservation.id, |it: &mut ReservationItem| it.quantity -= part)?;
    }
    let level = level_or_not_stocked(tx, item, from)?;
    // At the location of the reservation it is in stock, unless a backorder was taken.
    let there = if *from == *reservation.location_id { level.stocked_quantity } else { level.available() };
    if there < part {
        return Err(Error::NotEnough { item: item.to_owned(), location: from.to_owned() });
    }
    INVENTORY_LEVELS.update(tx, at, &level.id, |it: &mut InventoryLevel| it.stocked_quantity -= part)?;
    Ok(Sent { item: item.to_owned(), location: from.to_owned(), quantity: part })
}

/// Returns what was sent for a line to stock, and reserves it for the line again.
pub fn restock(tx: &mut dyn Write, at: &Moment, line_item_id: &str, sent: Sent) -> Result<(), Error> {
    let level = level_or_not_stocked(tx, &sent.item, &sent.location)?;
    INVENTORY_LEVELS.update(tx, at, &level.id, |it: &mut InventoryLevel| {
        it.stocked_quantity += sent.quantity;
        it.reserved_quantity += sent.quantity;
    })?;
    let reservation = ReservationItem {
        inventory_item_id: sent.item.into(),
        location_id: sent.location,
        quantity: sent.quantity,
        line_item_id: Some(line_item_id.to_owned()),
        ..ReservationItem::default()
    };
    RESERVATIONS.create(tx, at, reservation)?;
    Ok(())
}
