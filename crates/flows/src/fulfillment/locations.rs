//! Flows on what a stock location ships: its fulfilment sets, and the providers that ship from it.

use atoll_fulfillment::{FULFILLMENT_SETS, FulfillmentSet, delete_set};
use atoll_kernel::{
    Fault, Read, data::Side, flow, flow::Local, limits::FULFILLMENT_SETS_MAX, serde_json::Map,
};
use atoll_links::{STOCK_LOCATION_FULFILLMENT_PROVIDER, STOCK_LOCATION_FULFILLMENT_SET};
use atoll_stock_location::STOCK_LOCATIONS;

use crate::points::{
    FULFILLMENT_PROVIDERS_LINKED, FULFILLMENT_SET_CREATED, FULFILLMENT_SETS_DELETED, Ids, Records,
    VALIDATE_FULFILLMENT_SET, VALIDATE_IDS, VALIDATE_LINKS,
};
use crate::sales_channel::{LinkIds, associate, hooked};

/// A new fulfilment set.
#[derive(Clone, Debug, Default)]
pub struct NewFulfillmentSet {
    /// Id of the stock location.
    pub location_id: String,
    /// The record.
    pub set: FulfillmentSet,
}

flow! {
    /// Creates a fulfilment set of a stock location.
    pub static CREATE_LOCATION_FULFILLMENT_SET: Flow<NewFulfillmentSet, FulfillmentSet> =
        "create-location-fulfillment-set" (create), hooks: &[&VALIDATE_FULFILLMENT_SET, &FULFILLMENT_SET_CREATED];
}

fn create(flow: &mut Local<'_>, new: NewFulfillmentSet) -> Result<FulfillmentSet, Fault> {
    let NewFulfillmentSet { location_id, set } = new;
    flow.hook(&VALIDATE_FULFILLMENT_SET, || Records::one(&set))?;
    location_exists(flow.tx, &location_id)?;
    let set = flow.step("create-fulfillment-set", |tx, at| Ok(FULFILLMENT_SETS.create(tx, at, set)?))?;
    flow.step("associate-fulfillment-set-with-location", |tx, at| {
        STOCK_LOCATION_FULFILLMENT_SET.attach(tx, at, &location_id, &set.id, Map::new())?;
        let n_sets = STOCK_LOCATION_FULFILLMENT_SET.rights(tx, &location_id)?.len();
        if n_sets > FULFILLMENT_SETS_MAX {
            return Err(Fault::invalid(format!(
                "A stock location can have at most {FULFILLMENT_SETS_MAX} fulfillment sets"
            )));
        }
        Ok(())
    })?;
    flow.hook(&FULFILLMENT_SET_CREATED, || Records::one(&set))?;
    Ok(set)
}

fn location_exists(tx: &dyn Read, id: &str) -> Result<(), Fault> {
    match STOCK_LOCATIONS.table.exists(tx, id)? {
        true => Ok(()),
        false => Err(Fault::not_found(format!("Stock location with id: {id} was not found"))),
    }
}

flow! {
    /// Soft-deletes fulfilment sets, with their zones and the shipping options of these. Errors: an unknown
    /// id.
    pub static DELETE_FULFILLMENT_SETS: Flow<Vec<String>, ()> =
        "delete-fulfillment-sets-workflow" (delete), hooks: &[&VALIDATE_IDS, &FULFILLMENT_SETS_DELETED];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    flow.step("delete-fulfillment-sets", |tx, at| ids.iter().try_for_each(|id| Ok(delete_set(tx, at, id)?)))?;
    flow.hook(&FULFILLMENT_SETS_DELETED, || Ids::of(&ids))?;
    Ok(())
}

flow! {
    /// Lets providers ship from a stock location, and others no more. All that are added must exist.
    pub static LINK_PROVIDERS_TO_STOCK_LOCATION: Flow<LinkIds, ()> =
        "link-fulfillment-providers-to-stock-location" (link), hooks: &[&VALIDATE_LINKS, &FULFILLMENT_PROVIDERS_LINKED];
}

fn link(flow: &mut Local<'_>, ids: LinkIds) -> Result<(), Fault> {
    hooked(flow, &ids, &FULFILLMENT_PROVIDERS_LINKED, |flow| {
        flow.step("validate-stock-location-exists", |tx, _| location_exists(tx, &ids.id))?;
        associate(flow, &STOCK_LOCATION_FULFILLMENT_PROVIDER, Side::Left, &ids)
    })
}
