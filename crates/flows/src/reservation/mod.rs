//! Reservations that admins make by hand.

use atoll_inventory::{
    RESERVATIONS, ReservationItem, ReservationItemPatch, delete_reservation, reserve, update_reservation,
};
use atoll_kernel::{Fault, Local, flow, serde_json::json};

flow! {
    /// Promises some of an item at a location. Event: `reservation-item.created`.
    pub static CREATE_RESERVATIONS: Flow<Vec<ReservationItem>, Vec<ReservationItem>> =
        "create-reservations-workflow" (create), hooks: &["validate", "reservationsCreated"];
}

fn create(flow: &mut Local<'_>, promises: Vec<ReservationItem>) -> Result<Vec<ReservationItem>, Fault> {
    flow.hook("validate", || json!({ "reservations": promises }))?;
    let made = flow.step("create-reservations-step", |tx, at| {
        let made = promises.into_iter().map(|it| reserve(tx, at, it));
        Ok(made.collect::<Result<Vec<_>, _>>()?)
    })?;
    for it in &made {
        flow.emit("reservation-item.created", json!({ "id": it.id }))?;
    }
    flow.hook("reservationsCreated", || json!({ "reservations": made }))?;
    Ok(made)
}

flow! {
    /// Changes the reservation with this id. Event: `reservation-item.updated`.
    pub static UPDATE_RESERVATIONS: Flow<(String, ReservationItemPatch), ReservationItem> =
        "update-reservations-workflow" (update), hooks: &["validate", "reservationsUpdated"];
}

fn update(
    flow: &mut Local<'_>,
    (id, patch): (String, ReservationItemPatch),
) -> Result<ReservationItem, Fault> {
    flow.hook("validate", || json!({ "id": id }))?;
    let changed = flow.step("update-reservations", |tx, at| {
        if !RESERVATIONS.table.exists(tx, &id)? {
            return Err(Fault::invalid(format!("Reservation item with id {id} not found")));
        }
        Ok(update_reservation(tx, at, &id, patch)?)
    })?;
    flow.emit("reservation-item.updated", json!({ "id": changed.id }))?;
    flow.hook("reservationsUpdated", || json!({ "reservations": [changed] }))?;
    Ok(changed)
}

flow! {
    /// Takes reservations back. Unknown ids are ignored, as on the wire. Event: `reservation-item.deleted`, for each.
    pub static DELETE_RESERVATIONS: Flow<Vec<String>, ()> =
        "delete-reservations" (delete), hooks: &["validate", "reservationsDeleted"];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook("validate", || json!({ "ids": ids }))?;
    let deleted = flow.step("delete-reservations", |tx, at| {
        let mut deleted = Vec::new();
        for id in ids {
            if RESERVATIONS.table.exists(tx, &id)? {
                delete_reservation(tx, at, &id)?;
                deleted.push(id);
            }
        }
        Ok(deleted)
    })?;
    for id in &deleted {
        flow.emit("reservation-item.deleted", json!({ "id": id }))?;
    }
    flow.hook("reservationsDeleted", || json!({ "ids": deleted }))
}
