//! Creates sales channels.

use atoll_kernel::{Fault, flow, flow::Local, serde_json::json};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};

use crate::points::{CHANNELS_CREATED, Records, VALIDATE_CHANNELS};

flow! {
    /// Creates sales channels. Event: `sales-channel.created`, for each.
    pub static CREATE_SALES_CHANNELS: Flow<Vec<SalesChannel>, Vec<SalesChannel>> =
        "create-sales-channels" (create), hooks: &[&VALIDATE_CHANNELS, &CHANNELS_CREATED];
}

fn create(flow: &mut Local<'_>, channels: Vec<SalesChannel>) -> Result<Vec<SalesChannel>, Fault> {
    flow.hook(&VALIDATE_CHANNELS, || Records::of(&channels))?;
    let created = flow.step("create-sales-channels", |tx, at| {
        let created = channels.into_iter().map(|it| SALES_CHANNELS.create(tx, at, it));
        Ok(created.collect::<Result<Vec<_>, _>>()?)
    })?;
    for channel in &created {
        flow.emit("sales-channel.created", json!({ "id": channel.id }))?;
    }
    flow.hook(&CHANNELS_CREATED, || Records::of(&created))?;
    Ok(created)
}
