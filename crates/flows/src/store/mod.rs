//! Updating the store: its name, its currencies and its defaults, which are records of other modules.

use std::collections::BTreeMap;

use atoll_kernel::{Fault, Read, flow, flow::Local};
use atoll_pricing::{CURRENCY_CODE, prefer};
use atoll_sales_channel::SALES_CHANNELS;
use atoll_store::{STORES, Store, StoreCurrency, StorePatch};

use crate::points::{OfId, Records, STORES_UPDATED, VALIDATE_ID};

/// An update of the store. Absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct StoreChanges {
    /// The store.
    pub id: String,
    /// Changed fields of the record.
    pub patch: StorePatch,
    /// Whether the prices of a currency include tax, by its code.
    pub tax_inclusive: BTreeMap<String, bool>,
}

flow! {
    /// Updates the store. Each of its currencies has a price preference from then on.
    pub static UPDATE_STORES: Flow<StoreChanges, Store> =
        "update-stores" (update), hooks: &[&VALIDATE_ID, &STORES_UPDATED];
}

fn update(flow: &mut Local<'_>, changes: StoreChanges) -> Result<Store, Fault> {
    let StoreChanges { id, patch, tax_inclusive } = changes;
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
    flow.step("set-price-preferences", |tx, at| {
        let preferred = |code: &str| tax_inclusive.iter().find(|(it, _)| it.eq_ignore_ascii_case(code));
        for StoreCurrency { currency_code, .. } in &store.supported_currencies {
            prefer(tx, at, CURRENCY_CODE, currency_code, preferred(currency_code).map(|(_, it)| *it))?;
        }
        Ok(())
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
