//! Manual reservations by admins: without a purpose, or for a line of an order, up to its outstanding
//! quantity.

use atoll_inventory::{
    RESERVATIONS, ReservationItem, ReservationItemPatch, release_reservation, reserve, update_reservation,
};
use atoll_kernel::{Decimal, Fault, Read, data::Patch, flow, flow::Local, serde_json::json};
use atoll_links::ORDER_FULFILLMENT;
use atoll_order::{Error as OrderError, order_of_line};

use crate::order::Out;
use crate::points::{
    Ids, OfId, RESERVATIONS_CREATED, RESERVATIONS_DELETED, RESERVATIONS_UPDATED, Records, VALIDATE_ID,
    VALIDATE_IDS, VALIDATE_RESERVATIONS,
};

flow! {
    /// Reserves a quantity of an item at a location. For a line of an order at most what it takes and was not
    /// sent; a line without managed inventory takes what is reserved for it here. Event:
    /// `reservation-item.created`.
    pub static CREATE_RESERVATIONS: Flow<Vec<ReservationItem>, Vec<ReservationItem>> =
        "create-reservations-workflow" (create), hooks: &[&VALIDATE_RESERVATIONS, &RESERVATIONS_CREATED];
}

fn create(flow: &mut Local<'_>, reservations: Vec<ReservationItem>) -> Result<Vec<ReservationItem>, Fault> {
    flow.hook(&VALIDATE_RESERVATIONS, || Records::of(&reservations))?;
    let made = flow.step("create-reservations-step", |tx, at| {
        let mut made = Vec::with_capacity(reservations.len());
        for reservation in reservations {
            check_line(tx, &reservation, reservation.quantity)?;
            made.push(reserve(tx, at, reservation)?);
        }
        Ok(made)
    })?;
    for it in &made {
        flow.emit("reservation-item.created", json!({ "id": it.id }))?;
    }
    flow.hook(&RESERVATIONS_CREATED, || Records::of(&made))?;
    Ok(made)
}

flow! {
    /// Updates the reservation with this id, up to the outstanding quantity of its line. Event:
    /// `reservation-item.updated`.
    pub static UPDATE_RESERVATIONS: Flow<(String, ReservationItemPatch), ReservationItem> =
        "update-reservations-workflow" (update), hooks: &[&VALIDATE_ID, &RESERVATIONS_UPDATED];
}

fn update(
    flow: &mut Local<'_>,
    (id, patch): (String, ReservationItemPatch),
) -> Result<ReservationItem, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let changed = flow.step("update-reservations", |tx, at| {
        let not_found = || Fault::invalid(format!("Reservation item with id {id} not found"));
        let before = RESERVATIONS.get(tx, &id)?.ok_or_else(not_found)?;
        let mut after = before.clone();
        patch.clone().apply(&mut after);
        let of = |it: &ReservationItem| (it.line_item_id.clone(), it.inventory_item_id.clone());
        let more = if of(&after) == of(&before) { after.quantity - before.quantity } else { after.quantity };
        // A reservation may always be reduced.
        if more > Decimal::ZERO || after.location_id != before.location_id {
            check_line(tx, &after, more)?;
        }
        Ok(update_reservation(tx, at, &id, patch)?)
    })?;
    flow.emit("reservation-item.updated", json!({ "id": changed.id }))?;
    flow.hook(&RESERVATIONS_UPDATED, || Records::one(&changed))?;
    Ok(changed)
}

flow! {
    /// Deletes reservations. Unknown ids are ignored, as on the wire. Event: `reservation-item.deleted`, for
    /// each.
    pub static DELETE_RESERVATIONS: Flow<Vec<String>, ()> =
        "delete-reservations" (delete), hooks: &[&VALIDATE_IDS, &RESERVATIONS_DELETED];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    let deleted = flow.step("delete-reservations", |tx, at| {
        let mut deleted = Vec::new();
        for id in ids {
            if RESERVATIONS.table.exists(tx, &id)? {
                release_reservation(tx, at, &id)?;
                deleted.push(id);
            }
        }
        Ok(deleted)
    })?;
    for id in &deleted {
        flow.emit("reservation-item.deleted", json!({ "id": id }))?;
    }
    flow.hook(&RESERVATIONS_DELETED, || Ids::of(&deleted))?;
    Ok(())
}

/// Checks that `more` may be reserved for the line of a reservation. Lines of anything but orders are not
/// checked.
fn check_line(tx: &dyn Read, reservation: &ReservationItem, more: Decimal) -> Result<(), Fault> {
    let Some(line_id) = reservation.line_item_id.as_deref() else { return Ok(()) };
    let Some(order) = order_of_line(tx, line_id)? else { return Ok(()) };
    if order.is_canceled() {
        return Err(OrderError::Canceled(order.id.to_string()).into());
    }
    let (out, item) = (Out::of(tx, &order.id)?, &*reservation.inventory_item_id);
    let Some(line) = order.items.iter().find(|it| *it.id == *line_id) else { return Ok(()) };
    // What is reserved may be moved, even if the variant takes less today. What is out of a line is known by
    // the fulfilments.
    let is_known = ORDER_FULFILLMENT.is_on() || !order.is_anything_out();
    let left = if is_known { out.reservable(tx, line, item)?.max(Decimal::ZERO) } else { Decimal::ZERO };
    if more <= left {
        return Ok(());
    }
    let text =
        format!("Cannot reserve {more} more of item {item} for line item {line_id}: {left} is outstanding");
    Err(Fault::invalid(text))
}
