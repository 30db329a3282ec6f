//! Deletes a sales channel, with its links.

use atoll_kernel::{Fault, Moment, Write, emit, serde_json::json};
use atoll_sales_channel::SALES_CHANNELS;
use atoll_store::the_store;

/// Soft-deletes a sales channel, unless a store has it as its default. Carts in it can no longer be completed,
/// orders keep it. Unknown ids are ignored, as on the wire. Event: `sales-channel.deleted`.
pub fn delete_sales_channel(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), Fault> {
    if the_store(tx)?.is_some_and(|store| store.default_sales_channel_id.as_deref() == Some(id)) {
        return Err(Fault::invalid(format!("Cannot delete default sales channels: {id}")));
    }
    if SALES_CHANNELS.soft_delete(tx, at, id)?.is_some() {
        emit(tx, at, "sales-channel.deleted", json!({ "id": id }))?;
    }
    Ok(())
}
