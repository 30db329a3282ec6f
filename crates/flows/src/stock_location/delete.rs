//! Deletes a stock location where nothing lies any more.

use atoll_inventory::{BY_LOCATION, INVENTORY_LEVELS, stocked_anywhere};
use atoll_kernel::{Fault, Moment, Write};
use atoll_stock_location::STOCK_LOCATIONS;

/// Soft-deletes a stock location, with its links and its empty levels. One that holds stock or promises is
/// refused: what lies there would be lost. Unknown ids are ignored, as on the wire.
pub fn delete_stock_location(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), Fault> {
    let stocked = stocked_anywhere(tx, id)?;
    if !stocked.is_empty() {
        return Err(Fault::not_allowed(format!(
            "Cannot delete stock location {id}: {} inventory levels there hold stock or reservations",
            stocked.len()
        )));
    }
    for level in INVENTORY_LEVELS.table.list_by(tx, &BY_LOCATION, &[id])? {
        INVENTORY_LEVELS.soft_delete(tx, at, &level.id)?;
    }
    STOCK_LOCATIONS.soft_delete(tx, at, id)?;
    Ok(())
}
