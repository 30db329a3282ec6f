//! Updating the store: its name, its currencies and its defaults, which are records of other modules.

use std::{collections::BTreeMap, ops::ControlFlow};

use atoll_kernel::{Fault, Read, data::Direction, flow, flow::Local};
use atoll_pricing::{CURRENCY_CODE, prefer};
use atoll_region::{REGIONS, Region};
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
        let Some(before) = STORES.get(tx, &id)? else {
            return Err(Fault::not_found(format!("Store with id \"{id}\" not found")));
        };
        if let Some(after) = &patch.supported_currencies {
            check_currencies(tx, &before.supported_currencies, after)?;
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

/// Refuses to let a currency go in which buyers of a region pay: no form would ask for their prices any more.
fn check_currencies(tx: &dyn Read, before: &[StoreCurrency], after: &[StoreCurrency]) -> Result<(), Fault> {
    let has =
        |all: &[StoreCurrency], code: &str| all.iter().any(|it| it.currency_code.eq_ignore_ascii_case(code));
    let mut used = None;
    REGIONS.table.scan(tx, None, Direction::Ascending, &mut |region| {
        if has(before, &region.currency_code) && !has(after, &region.currency_code) {
            used = Some(region);
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    match used {
        None => Ok(()),
        Some(Region { name, currency_code, .. }) => {
            let code = currency_code.to_uppercase();
            Err(Fault::not_allowed(format!(
                "{code} cannot be removed: buyers of the region {name} pay in it"
            )))
        }
    }
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
