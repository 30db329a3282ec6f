//! Deletes stock locations without stock.

use atoll_fulfillment::{FULFILLMENT_SETS, delete_set};
use atoll_inventory::{BY_LOCATION, INVENTORY_LEVELS, stocked_anywhere};
use atoll_kernel::{Fault, flow, flow::Local};
use atoll_links::STOCK_LOCATION_FULFILLMENT_SET;
use atoll_stock_location::STOCK_LOCATIONS;
use atoll_store::clear_default;

use crate::points::{Ids, LOCATIONS_DELETED, VALIDATE_IDS};

flow! {
    /// Soft-deletes stock locations, with their links, empty levels and fulfilment sets, and clears the
    /// store's default location if it is one of them. Refused for a location with stock or reservations,
    /// which would be lost. Unknown ids are ignored, as on the wire.
    pub static DELETE_STOCK_LOCATIONS: Flow<Vec<String>, ()> =
        "delete-stock-locations-workflow" (delete), hooks: &[&VALIDATE_IDS, &LOCATIONS_DELETED];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    flow.step("validate-nothing-is-stocked", |tx, _| {
        for id in &ids {
            let stocked = stocked_anywhere(tx, id)?;
            if !stocked.is_empty() {
                return Err(Fault::not_allowed(format!(
                    "Cannot delete stock location {id}: {} inventory levels there hold stock or reservations",
                    stocked.len()
                )));
            }
        }
        Ok(())
    })?;
    flow.step("delete-stock-locations", |tx, at| {
        for id in &ids {
            for level in INVENTORY_LEVELS.table.list_by(tx, &BY_LOCATION, &[id])? {
                INVENTORY_LEVELS.soft_delete(tx, at, &level.id)?;
            }
            if FULFILLMENT_SETS.is_on() {
                for set in STOCK_LOCATION_FULFILLMENT_SET.rights(tx, id)? {
                    delete_set(tx, at, &set)?;
                }
            }
            STOCK_LOCATIONS.soft_delete(tx, at, id)?;
            clear_default(tx, at, id, |it| &mut it.default_location_id)?;
        }
        Ok(())
    })?;
    flow.hook(&LOCATIONS_DELETED, || Ids::of(&ids))?;
    Ok(())
}
