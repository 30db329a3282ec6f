//! Links sales channels to stock locations and to publishable keys.

use std::collections::HashSet;

use atoll_api_key::{API_KEYS, ApiKeyKind};
use atoll_kernel::{
    Fault,
    data::{Link, Side},
    flow,
    flow::{HookPoint, Local},
};
use atoll_links::{PUBLISHABLE_API_KEY_SALES_CHANNEL, SALES_CHANNEL_STOCK_LOCATION};
use atoll_sales_channel::SALES_CHANNELS;
use atoll_stock_location::STOCK_LOCATIONS;

use crate::points::{CHANNELS_LINKED, Links, VALIDATE_LINKS};

/// Ids to link to a record, and to unlink from it. An id in both lists is unlinked.
#[derive(Clone, Debug, Default)]
pub struct LinkIds {
    /// Id of the record.
    pub id: String,
    /// Ids to link.
    pub add: Vec<String>,
    /// Ids to unlink.
    pub remove: Vec<String>,
}

impl LinkIds {
    /// What hooks get.
    pub(crate) fn as_input(&self) -> Links {
        Links { id: self.id.clone(), add: self.add.clone(), remove: self.remove.clone() }
    }
}

flow! {
    /// Links channels to a stock location, and unlinks others. All that are added must exist.
    pub static LINK_SALES_CHANNELS_TO_STOCK_LOCATION: Flow<LinkIds, ()> =
        "link-sales-channels-to-stock-location" (link_to_location), hooks: &[&VALIDATE_LINKS, &CHANNELS_LINKED];
}

fn link_to_location(flow: &mut Local<'_>, ids: LinkIds) -> Result<(), Fault> {
    hooked(flow, &ids, &CHANNELS_LINKED, |flow| {
        flow.step("validate-stock-location-exists", |tx, _| {
            Ok(STOCK_LOCATIONS.retrieve(tx, &ids.id).map(drop)?)
        })?;
        associate(flow, &SALES_CHANNEL_STOCK_LOCATION, Side::Right, &ids)
    })
}

flow! {
    /// Links channels to a publishable key, and unlinks others. All that are added must exist.
    pub static LINK_SALES_CHANNELS_TO_API_KEY: Flow<LinkIds, ()> =
        "link-sales-channels-to-api-key" (link_to_key), hooks: &[&VALIDATE_LINKS, &CHANNELS_LINKED];
}

fn link_to_key(flow: &mut Local<'_>, ids: LinkIds) -> Result<(), Fault> {
    hooked(flow, &ids, &CHANNELS_LINKED, |flow| {
        flow.step("validate-sales-channels-exist", |tx, _| {
            let key = API_KEYS.retrieve(tx, &ids.id)?;
            if key.r#type == ApiKeyKind::Secret {
                return Err(Fault::invalid(
                    "Sales channels can only be associated with publishable API keys",
                ));
            }
            let mut unknown = Vec::new();
            for channel in &ids.add {
                if !SALES_CHANNELS.table.exists(tx, channel)? {
                    unknown.push(channel.as_str());
                }
            }
            if unknown.is_empty() {
                return Ok(());
            }
            Err(Fault::invalid(format!("Sales channels with IDs {} do not exist", unknown.join(", "))))
        })?;
        associate(flow, &PUBLISHABLE_API_KEY_SALES_CHANNEL, Side::Left, &ids)
    })
}

/// Calls the hooks before and after the change.
pub(crate) fn hooked(
    flow: &mut Local<'_>,
    ids: &LinkIds,
    after: &'static HookPoint<Links>,
    body: impl FnOnce(&mut Local<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let input = || ids.as_input();
    flow.hook(&VALIDATE_LINKS, input)?;
    body(flow)?;
    flow.hook(after, input)?;
    Ok(())
}

/// Links the record, which is at this side, and unlinks it.
pub(crate) fn associate(
    flow: &mut Local<'_>,
    link: &'static Link,
    side: Side,
    ids: &LinkIds,
) -> Result<(), Fault> {
    let gone: HashSet<&String> = ids.remove.iter().collect();
    let add: Vec<String> = ids.add.iter().filter(|id| !gone.contains(id)).cloned().collect();
    flow.step("associate", |tx, at| Ok(link.attach_all(tx, at, side, &ids.id, &add)?))?;
    flow.step("detach", |tx, at| Ok(link.detach_all(tx, at, side, &ids.id, &ids.remove)?))
}
