//! Flows on the service zones of a fulfilment set.

use atoll_fulfillment::{
    FULFILLMENT_SETS, FulfillmentSet, GeoZoneInput, ServiceZone, create_zone, delete_zone, update_zone,
};
use atoll_kernel::{Fault, Metadata, Read, flow, flow::Local};
use atoll_region::COUNTRIES;
use serde::Deserialize;

use crate::points::{
    Ids, OfId, Records, SERVICE_ZONES_CREATED, SERVICE_ZONES_DELETED, SERVICE_ZONES_UPDATED, VALIDATE_ID,
    VALIDATE_IDS, VALIDATE_SERVICE_ZONES,
};

/// A new service zone.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewServiceZone {
    /// Id of its fulfilment set.
    pub fulfillment_set_id: String,
    /// Display name, unique.
    pub name: String,
    /// Free data.
    pub metadata: Metadata,
    /// What lies in it.
    pub geo_zones: Vec<GeoZoneInput>,
}

/// A zone of a fulfilment set, and what is to be done with it.
#[derive(Clone, Debug, Default)]
pub struct OfSet<T> {
    /// Id of the fulfilment set.
    pub set_id: String,
    /// Id of the zone.
    pub zone_id: String,
    /// The change.
    pub change: T,
}

/// An update of a service zone. Absent fields stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServiceZoneChanges {
    /// Display name, unique.
    pub name: Option<String>,
    /// Replace its own, but for those that they name by their ids.
    pub geo_zones: Option<Vec<GeoZoneInput>>,
}

flow! {
    /// Creates a service zone of a fulfilment set, and returns the set.
    pub static CREATE_SERVICE_ZONES: Flow<NewServiceZone, FulfillmentSet> =
        "create-service-zones-workflow" (create), hooks: &[&VALIDATE_SERVICE_ZONES, &SERVICE_ZONES_CREATED];
}

fn create(flow: &mut Local<'_>, new: NewServiceZone) -> Result<FulfillmentSet, Fault> {
    let NewServiceZone { fulfillment_set_id, name, metadata, geo_zones } = new;
    let zone = ServiceZone {
        fulfillment_set_id: fulfillment_set_id.as_str().into(),
        name,
        metadata,
        ..ServiceZone::default()
    };
    flow.hook(&VALIDATE_SERVICE_ZONES, || Records::one(&zone))?;
    check_countries(flow.tx, &geo_zones)?;
    let zone = flow.step("create-service-zones", |tx, at| Ok(create_zone(tx, at, zone, geo_zones)?))?;
    flow.hook(&SERVICE_ZONES_CREATED, || Records::one(&zone))?;
    Ok(FULFILLMENT_SETS.retrieve(flow.tx, &fulfillment_set_id)?)
}

flow! {
    /// Updates a service zone of a fulfilment set, and returns the set.
    pub static UPDATE_SERVICE_ZONES: Flow<OfSet<ServiceZoneChanges>, FulfillmentSet> =
        "update-service-zones-workflow" (update), hooks: &[&VALIDATE_ID, &SERVICE_ZONES_UPDATED];
}

fn update(flow: &mut Local<'_>, of: OfSet<ServiceZoneChanges>) -> Result<FulfillmentSet, Fault> {
    let OfSet { set_id, zone_id, change: ServiceZoneChanges { name, geo_zones } } = of;
    flow.hook(&VALIDATE_ID, || OfId::of(&zone_id))?;
    check_countries(flow.tx, geo_zones.as_deref().unwrap_or_default())?;
    let zone = flow.step("update-service-zones", |tx, at| {
        Ok(update_zone(tx, at, (&set_id, &zone_id), name, geo_zones)?)
    })?;
    flow.hook(&SERVICE_ZONES_UPDATED, || Records::one(&zone))?;
    Ok(FULFILLMENT_SETS.retrieve(flow.tx, &set_id)?)
}

/// Checks that the countries of geo zones exist: a zone of another one would serve nobody.
fn check_countries(tx: &dyn Read, geo_zones: &[GeoZoneInput]) -> Result<(), Fault> {
    for code in geo_zones.iter().map(|it| &it.country_code) {
        if !COUNTRIES.table.exists(tx, &code.to_lowercase())? {
            return Err(Fault::invalid(format!("Country with code {code} does not exist")));
        }
    }
    Ok(())
}

flow! {
    /// Soft-deletes a service zone of a fulfilment set, with its shipping options, and returns the set.
    pub static DELETE_SERVICE_ZONES: Flow<OfSet<()>, FulfillmentSet> =
        "delete-service-zones-workflow" (delete), hooks: &[&VALIDATE_IDS, &SERVICE_ZONES_DELETED];
}

fn delete(flow: &mut Local<'_>, of: OfSet<()>) -> Result<FulfillmentSet, Fault> {
    let OfSet { set_id, zone_id, change: () } = of;
    let ids = [zone_id.as_str()];
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    flow.step("delete-service-zones", |tx, at| Ok(delete_zone(tx, at, &set_id, &zone_id)?))?;
    flow.hook(&SERVICE_ZONES_DELETED, || Ids::of(&ids))?;
    Ok(FULFILLMENT_SETS.retrieve(flow.tx, &set_id)?)
}
