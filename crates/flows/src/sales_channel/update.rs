//! Updates a sales channel.

use atoll_kernel::{Fault, flow, flow::Local, serde_json::json};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel, SalesChannelPatch};

use crate::points::{CHANNELS_UPDATED, OfId, Records, VALIDATE_ID};

flow! {
    /// Updates the sales channel with this id. Event: `sales-channel.updated`.
    pub static UPDATE_SALES_CHANNELS: Flow<(String, SalesChannelPatch), SalesChannel> =
        "update-sales-channels" (update), hooks: &[&VALIDATE_ID, &CHANNELS_UPDATED];
}

fn update(flow: &mut Local<'_>, (id, patch): (String, SalesChannelPatch)) -> Result<SalesChannel, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let channel = flow.step("update-sales-channels", |tx, at| {
        if !SALES_CHANNELS.table.exists(tx, &id)? {
            return Err(Fault::not_found(format!("Sales channel with id \"{id}\" not found")));
        }
        Ok(SALES_CHANNELS.update(tx, at, &id, patch)?)
    })?;
    flow.emit("sales-channel.updated", json!({ "id": channel.id }))?;
    flow.hook(&CHANNELS_UPDATED, || Records::one(&channel))?;
    Ok(channel)
}
