//! Changes a sales channel.

use atoll_kernel::{Fault, Moment, Write, emit, serde_json::json};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel, SalesChannelPatch};

/// Changes a sales channel. Event: `sales-channel.updated`.
pub fn update_sales_channel(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    patch: SalesChannelPatch,
) -> Result<SalesChannel, Fault> {
    if !SALES_CHANNELS.table.exists(tx, id)? {
        return Err(Fault::not_found(format!("Sales channel with id \"{id}\" not found")));
    }
    let channel = SALES_CHANNELS.update(tx, at, id, patch)?;
    emit(tx, at, "sales-channel.updated", json!({ "id": channel.id }))?;
    Ok(channel)
}
