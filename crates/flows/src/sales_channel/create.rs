//! Makes a sales channel.

use atoll_kernel::{Fault, Moment, Write, emit, serde_json::json};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};

/// Makes a sales channel. Event: `sales-channel.created`.
pub fn create_sales_channel(
    tx: &mut dyn Write,
    at: &Moment,
    channel: SalesChannel,
) -> Result<SalesChannel, Fault> {
    let channel = SALES_CHANNELS.create(tx, at, channel)?;
    emit(tx, at, "sales-channel.created", json!({ "id": channel.id }))?;
    Ok(channel)
}
