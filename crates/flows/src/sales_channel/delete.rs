//! Deletes sales channels, with their links.

use atoll_kernel::{Fault, flow, flow::Local, serde_json::json};
use atoll_sales_channel::SALES_CHANNELS;
use atoll_store::the_store;

use crate::points::{CHANNELS_DELETED, Ids, VALIDATE_IDS};

flow! {
    /// Soft-deletes sales channels, unless one is the default of a store. Carts in them can no longer be
    /// completed; orders keep them. Unknown ids are ignored, as on the wire. Event: `sales-channel.deleted`,
    /// for each.
    pub static DELETE_SALES_CHANNELS: Flow<Vec<String>, ()> =
        "delete-sales-channels" (delete), hooks: &[&VALIDATE_IDS, &CHANNELS_DELETED];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    flow.step("can-delete-sales-channels", |tx, _| {
        let default = the_store(tx)?.and_then(|store| store.default_sales_channel_id);
        match default.filter(|it| ids.contains(it)) {
            Some(id) => Err(Fault::invalid(format!("Cannot delete default sales channels: {id}"))),
            None => Ok(()),
        }
    })?;
    let mut deleted = Vec::new();
    flow.step("delete-sales-channels", |tx, at| {
        for id in &ids {
            deleted.extend(SALES_CHANNELS.soft_delete(tx, at, id)?.map(|it| it.id));
        }
        Ok(())
    })?;
    for id in &deleted {
        flow.emit("sales-channel.deleted", json!({ "id": id }))?;
    }
    flow.hook(&CHANNELS_DELETED, || Ids::of(&deleted))?;
    Ok(())
}
