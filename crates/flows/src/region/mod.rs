//! Flows on regions: their countries, currency and payment providers.

use atoll_kernel::{Fault, Moment, Write, flow, flow::Local, serde_json::json};
use atoll_links::REGION_PAYMENT_PROVIDER;
use atoll_payment::PAYMENT_PROVIDERS;
use atoll_pricing::{REGION_ID, forget_preference, prefer};
use atoll_region::{REGIONS, Region, RegionPatch, create_region, delete_region, update_region};
use atoll_store::clear_default;

use crate::points::{
    Ids, OfId, REGIONS_CREATED, REGIONS_DELETED, REGIONS_UPDATED, Records, VALIDATE_ID, VALIDATE_IDS,
    VALIDATE_REGIONS,
};

/// A new region, with its countries and payment providers.
#[derive(Clone, Debug, Default)]
pub struct NewRegion {
    /// The record.
    pub region: Region,
    /// Countries, ISO 3166-1 alpha-2.
    pub countries: Vec<String>,
    /// Ids of its payment providers.
    pub payment_providers: Vec<String>,
    /// Do prices for this region include tax? By default they do not.
    pub is_tax_inclusive: Option<bool>,
}

/// An update of a region. Absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct RegionChanges {
    /// The region.
    pub id: String,
    /// Changed fields of the record.
    pub patch: RegionPatch,
    /// Replaces its countries.
    pub countries: Option<Vec<String>>,
    /// Replaces its payment providers.
    pub payment_providers: Option<Vec<String>>,
    /// Do prices for this region include tax?
    pub is_tax_inclusive: Option<bool>,
}

flow! {
    /// Creates regions. Event: `region.created`, for each.
    pub static CREATE_REGIONS: Flow<Vec<NewRegion>, Vec<Region>> =
        "create-regions" (create), hooks: &[&VALIDATE_REGIONS, &REGIONS_CREATED];
}

fn create(flow: &mut Local<'_>, inputs: Vec<NewRegion>) -> Result<Vec<Region>, Fault> {
    let records = || inputs.iter().map(|it| it.region.clone()).collect::<Vec<_>>();
    flow.hook(&VALIDATE_REGIONS, || Records::of(&records()))?;
    let mut created = Vec::with_capacity(inputs.len());
    for input in inputs {
        let region =
            flow.step("create-regions", |tx, at| Ok(create_region(tx, at, input.region, &input.countries)?))?;
        flow.step("set-payment-providers", |tx, at| {
            set_providers(tx, at, &region.id, &input.payment_providers)
        })?;
        flow.step("set-price-preference", |tx, at| {
            Ok(prefer(tx, at, REGION_ID, &region.id, input.is_tax_inclusive)?)
        })?;
        flow.emit("region.created", json!({ "id": region.id }))?;
        created.push(region);
    }
    flow.hook(&REGIONS_CREATED, || Records::of(&created))?;
    Ok(created)
}

flow! {
    /// Updates a region. Event: `region.updated`.
    pub static UPDATE_REGIONS: Flow<RegionChanges, Region> =
        "update-regions" (update), hooks: &[&VALIDATE_ID, &REGIONS_UPDATED];
}

fn update(flow: &mut Local<'_>, changes: RegionChanges) -> Result<Region, Fault> {
    let RegionChanges { id, patch, countries, payment_providers, is_tax_inclusive } = changes;
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let region = flow.step("update-regions", |tx, at| {
        if !REGIONS.table.exists(tx, &id)? {
            return Err(Fault::not_found(format!("Region with id \"{id}\" not found")));
        }
        Ok(update_region(tx, at, &id, patch, countries.as_deref())?)
    })?;
    if let Some(providers) = payment_providers {
        flow.step("set-payment-providers", |tx, at| set_providers(tx, at, &id, &providers))?;
    }
    if is_tax_inclusive.is_some() {
        flow.step("set-price-preference", |tx, at| Ok(prefer(tx, at, REGION_ID, &id, is_tax_inclusive)?))?;
    }
    flow.emit("region.updated", json!({ "id": id }))?;
    flow.hook(&REGIONS_UPDATED, || Records::one(&region))?;
    Ok(region)
}

flow! {
    /// Deletes regions. Their countries become free for other regions, and a default region of the store is
    /// cleared. Unknown ids are ignored, as on the wire. Event: `region.deleted`, for each.
    pub static DELETE_REGIONS: Flow<Vec<String>, ()> =
        "delete-regions" (delete), hooks: &[&VALIDATE_IDS, &REGIONS_DELETED];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    let mut deleted = Vec::new();
    flow.step("delete-regions", |tx, at| {
        for id in &ids {
            deleted.extend(delete_region(tx, at, id)?.map(|it| it.id));
            clear_default(tx, at, id, |it| &mut it.default_region_id)?;
            forget_preference(tx, at, REGION_ID, id)?;
        }
        Ok(())
    })?;
    for id in &deleted {
        flow.emit("region.deleted", json!({ "id": id }))?;
    }
    flow.hook(&REGIONS_DELETED, || Ids::of(&deleted))?;
    Ok(())
}

fn set_providers(tx: &mut dyn Write, at: &Moment, region: &str, ids: &[String]) -> Result<(), Fault> {
    let mut unknown = Vec::new();
    for id in ids {
        if !PAYMENT_PROVIDERS.get(tx, id)?.is_some_and(|it| it.is_enabled) {
            unknown.push(id.as_str());
        }
    }
    if !unknown.is_empty() {
        let text = unknown.join(", ");
        return Err(Fault::not_found(format!("Payment providers with ids {text} not found or not enabled")));
    }
    Ok(REGION_PAYMENT_PROVIDER.replace(tx, at, region, ids)?)
}
