//! Creates sales channels.

use atoll_kernel::{Fault, flow, flow::Local, serde_json::json};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};

flow! {
    /// Creates sales channels. Event: `sales-channel.created`, for each.
    pub static CREATE_SALES_CHANNELS: Flow<Vec<SalesChannel>, Vec<SalesChannel>> =
        "create-sales-channels" (create), hooks: &["validate", "salesChannelsCreated"];
}

fn create(flow: &mut Local<'_>, channels: Vec<SalesChannel>) -> Result<Vec<SalesChannel>, Fault> {
    flow.hook("validate", || json!({ "sales_channels": channels }))?;
    let created = flow.step("create-sales-channels", |tx, at| {
        let created = channels.into_iter().map(|it| SALES_CHANNELS.create(tx, at, it));
        Ok(created.collect::<Result<Vec<_>, _>>()?)
    })?;
    for channel in &created {
        flow.emit("sales-channel.created", json!({ "id": channel.id }))?;
    }
    flow.hook("salesChannelsCreated", || json!({ "sales_channels": created }))?;
    Ok(created)
}
