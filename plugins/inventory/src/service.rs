//! Stock levels and reservations. Invariant: the reserved quantity of a level is the sum of its live
//! reservations, and does not exceed the stock unless a backorder was taken, so that nothing is oversold.

use atoll_kernel::{
    Decimal, Moment, Read, StoreError, Write,
    data::{Patch, RowError},
};

use crate::{
    BY_ITEM_AND_LOCATION, BY_LINE, BY_LOCATION, Error, INVENTORY_ITEMS, INVENTORY_LEVELS, InventoryItem,
    InventoryItemPatch, InventoryLevel, RESERVATIONS, ReservationItem, ReservationItemPatch,
};

/// The level of an item at a location, if it is stocked there. Reads two keys.
pub fn level_at(tx: &dyn Read, item: &str, location: &str) -> Result<Option<InventoryLevel>, StoreError> {
    INVENTORY_LEVELS.table.get_by(tx, &BY_ITEM_AND_LOCATION, &[item, location])
}

/// The level of an item at a location. Errors: it is not stocked there.
pub fn level_or_not_stocked(tx: &dyn Read, item: &str, location: &str) -> Result<InventoryLevel, Error> {
    let not_stocked = || Error::NotStocked { item: item.to_owned(), location: location.to_owned() };
    level_at(tx, item, location)?.ok_or_else(not_stocked)
}

/// Creates an item.
pub fn create_item(
    tx: &mut dyn Write,
    at: &Moment,
    mut item: InventoryItem,
) -> Result<InventoryItem, RowError> {
    without_empty_sku(&mut item);
    INVENTORY_ITEMS.create(tx, at, item)
}

/// Changes an item.
pub fn update_item(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    patch: InventoryItemPatch,
) -> Result<InventoryItem, RowError> {
    INVENTORY_ITEMS.update(tx, at, id, |it: &mut InventoryItem| {
        patch.apply(it);
        without_empty_sku(it);
    })
}

/// Stores an empty SKU as none, because SKUs are unique.
fn without_empty_sku(item: &mut InventoryItem) {
    item.sku.take_if(|it| it.trim().is_empty());
}

/// Creates the level of an item at a location, without reservations.
pub fn create_level(tx: &mut dyn Write, at: &Moment, level: InventoryLevel) -> Result<InventoryLevel, Error> {
    INVENTORY_ITEMS.retrieve(tx, &level.inventory_item_id)?;
    Ok(INVENTORY_LEVELS.create(tx, at, InventoryLevel { reserved_quantity: Decimal::ZERO, ..level })?)
}

/// Sets the stocked and the incoming quantity at a location; `None` leaves one unchanged.
pub fn set_level(
    tx: &mut dyn Write,
    at: &Moment,
    item: &str,
    location: &str,
    stocked: Option<Decimal>,
    incoming: Option<Decimal>,
) -> Result<InventoryLevel, Error> {
    let level = level_or_not_stocked(tx, item, location)?;
    if let Some(stocked) = stocked
        && stocked < level.stocked_quantity
        && stocked < level.reserved_quantity
    {
        return Err(Error::BelowReserved { level: Box::new(level), stocked });
    }
    Ok(INVENTORY_LEVELS.update(tx, at, &level.id, |it: &mut InventoryLevel| {
        it.stocked_quantity = stocked.unwrap_or(it.stocked_quantity);
        it.incoming_quantity = incoming.unwrap_or(it.incoming_quantity);
    })?)
}

/// Adds `by` to the stocked quantity at a location; it may be negative.
pub fn adjust(
    tx: &mut dyn Write,
    at: &Moment,
    item: &str,
    location: &str,
    by: Decimal,
) -> Result<InventoryLevel, Error> {
    let level = level_or_not_stocked(tx, item, location)?;
    set_level(tx, at, item, location, Some(level.stocked_quantity + by), None)
}

/// Deletes the level of an item at a location. Errors: it has reservations.
pub fn delete_level(
    tx: &mut dyn Write,
    at: &Moment,
    item: &str,
    location: &str,
) -> Result<InventoryLevel, Error> {
    let level = level_or_not_stocked(tx, item, location)?;
    if level.reserved_quantity > Decimal::ZERO {
        return Err(Error::LevelReserved { item: item.to_owned(), location: location.to_owned() });
    }
    INVENTORY_LEVELS.delete(tx, at, &level.id)?;
    Ok(level)
}

/// The levels at a location with stock or reservations, which prevent its deletion.
pub fn stocked_anywhere(tx: &dyn Read, location: &str) -> Result<Vec<InventoryLevel>, Error> {
    let levels = INVENTORY_LEVELS.table.list_by(tx, &BY_LOCATION, &[location])?;
    Ok(levels
        .into_iter()
        .filter(|it| !it.stocked_quantity.is_zero() || !it.reserved_quantity.is_zero())
        .collect())
}

/// Reserves a quantity of an item at a location. More than the available quantity is refused, unless
/// backorders are allowed. Each call sees the reservations of earlier calls in the transaction, so that
/// together they cannot oversell.
pub fn reserve(
    tx: &mut dyn Write,
    at: &Moment,
    reservation: ReservationItem,
) -> Result<ReservationItem, Error> {
    reserve_quantity(tx, at, &reservation)?;
    Ok(RESERVATIONS.create(tx, at, reservation)?)
}

fn reserve_quantity(tx: &mut dyn Write, at: &Moment, reservation: &ReservationItem) -> Result<(), Error> {
    if reservation.quantity <= Decimal::ZERO {
        return Err(Error::NothingToReserve { quantity: reservation.quantity });
    }
    let level = level_or_not_stocked(tx, &reservation.inventory_item_id, &reservation.location_id)?;
    if level.available() < reservation.quantity && !reservation.allow_backorder {
        let (item, location) = (reservation.inventory_item_id.to_string(), reservation.location_id.clone());
        return Err(Error::NotEnough { item, location });
    }
    let quantity = reservation.quantity;
    INVENTORY_LEVELS.update(tx, at, &level.id, |it: &mut InventoryLevel| it.reserved_quantity += quantity)?;
    Ok(())
}

/// The reservations of a line.
pub fn reservations_of(tx: &dyn Read, line_item_id: &str) -> Result<Vec<ReservationItem>, StoreError> {
    RESERVATIONS.table.list_by(tx, &BY_LINE, &[line_item_id])
}

/// Releases the reservations of a line. Returns their number.
pub fn release(tx: &mut dyn Write, at: &Moment, line_item_id: &str) -> Result<usize, Error> {
    let reservations = reservations_of(tx, line_item_id)?;
    reservations.iter().try_for_each(|it| release_one(tx, at, it))?;
    Ok(reservations.len())
}

/// Releases one reservation. An unknown id is ignored.
pub fn release_reservation(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), Error> {
    RESERVATIONS.get(tx, id)?.map_or(Ok(()), |it| release_one(tx, at, &it))
}

fn release_one(tx: &mut dyn Write, at: &Moment, reservation: &ReservationItem) -> Result<(), Error> {
    release_quantity(tx, at, reservation)?;
    RESERVATIONS.soft_delete(tx, at, &reservation.id)?;
    Ok(())
}

/// Compensates [`reserve`]: releases the reservation and deletes the row. A reservation that was released
/// meanwhile is left unchanged.
pub fn undo_reserve(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), Error> {
    if let Some(reservation) = RESERVATIONS.get(tx, id)? {
        release_quantity(tx, at, &reservation)?;
        RESERVATIONS.delete(tx, at, id)?;
    }
    Ok(())
}

/// Changes quantity and location of a reservation: it is released and reserved again, under the rules of
/// [`reserve`].
pub fn update_reservation(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    patch: ReservationItemPatch,
) -> Result<ReservationItem, Error> {
    let before = RESERVATIONS.retrieve(tx, id)?;
    release_quantity(tx, at, &before)?;
    let after = RESERVATIONS.update(tx, at, id, patch)?;
    reserve_quantity(tx, at, &after)?;
    Ok(after)
}

fn release_quantity(tx: &mut dyn Write, at: &Moment, reservation: &ReservationItem) -> Result<(), Error> {
    let level = level_or_not_stocked(tx, &reservation.inventory_item_id, &reservation.location_id)?;
    assert!(level.reserved_quantity >= reservation.quantity, "a level has lost count of its reservations");
    INVENTORY_LEVELS
        .update(tx, at, &level.id, |it: &mut InventoryLevel| it.reserved_quantity -= reservation.quantity)?;
    Ok(())
}
