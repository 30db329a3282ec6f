//! Updating the store: its name, its currencies and its defaults, which are records of other modules.

use atoll_kernel::{Fault, Read, flow, flow::Local};
use atoll_sales_channel::SALES_CHANNELS;
use atoll_store::{STORES, Store, StorePatch};

use crate::points::{OfId, Records, STORES_UPDATED, VALIDATE_ID};

flow! {
    /// Updates the store with this id.
    pub static UPDATE_STORES: Flow<(String, StorePatch), Store> =
        "update-stores" (update), hooks: &[&VALIDATE_ID, &STORES_UPDATED];
}

fn update(flow: &mut Local<'_>, (id, patch): (String, StorePatch)) -> Result<Store, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let store = flow.step("update-stores", |tx, at| {
        if !STORES.table.exists(tx, &id)? {
            return Err(Fault::not_found(format!("Store with id \"{id}\" not found")));
        }
        if let Some(Some(channel)) = &patch.default_sales_channel_id {
            check_default(tx, channel)?;
        }
        Ok(atoll_store::update(tx, at, &id, patch)?)
    })?;
    flow.hook(&STORES_UPDATED, || Records::one(&store))?;
    Ok(store)
}

/// Refuses a disabled channel as the default: carts would be opened in a channel that sells nothing.
fn check_default(tx: &dyn Read, channel: &str) -> Result<(), Fault> {
    match SALES_CHANNELS.get(tx, channel)? {
        None => Err(Fault::not_found(format!("Sales channel with id: {channel} not found"))),
        Some(channel) if channel.is_disabled => {
            Err(Fault::not_allowed(format!("Sales channel {} is disabled", channel.name)))
        }
        Some(_) => Ok(()),
    }
}
