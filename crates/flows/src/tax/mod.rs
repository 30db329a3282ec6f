//! Flows on tax regions, tax rates and their rules. Deleting what is not there is 404.

use atoll_kernel::{Fault, flow, flow::Local, part_of};
use atoll_tax::{
    NewTaxRate, NewTaxRegion, NewTaxRule, TaxRate, TaxRateChanges, TaxRegion, TaxRegionPatch, add_rule,
    create_rate, create_region, delete_rate, delete_region, remove_rule, update_rate, update_region,
};

use crate::points::{
    Ids, OfId, Records, VALIDATE_ID, VALIDATE_IDS, VALIDATE_TAX_RATES, VALIDATE_TAX_REGIONS,
};

part_of! { "tax" }

flow! {
    /// Creates tax regions, with their default rates.
    pub static CREATE_TAX_REGIONS: Flow<Vec<NewTaxRegion>, Vec<TaxRegion>> =
        "create-tax-regions" (create_regions), hooks: &[&VALIDATE_TAX_REGIONS];
}

fn create_regions(flow: &mut Local<'_>, regions: Vec<NewTaxRegion>) -> Result<Vec<TaxRegion>, Fault> {
    let records = || regions.iter().map(|it| it.region.clone()).collect::<Vec<_>>();
    flow.hook(&VALIDATE_TAX_REGIONS, || Records::of(&records()))?;
    flow.step("create-tax-regions", |tx, at| {
        regions.into_iter().map(|it| Ok(create_region(tx, at, it)?)).collect()
    })
}

flow! {
    /// Updates the tax region with this id.
    pub static UPDATE_TAX_REGIONS: Flow<(String, TaxRegionPatch), TaxRegion> =
        "update-tax-regions" (change_region), hooks: &[&VALIDATE_ID];
}

fn change_region(flow: &mut Local<'_>, (id, patch): (String, TaxRegionPatch)) -> Result<TaxRegion, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    flow.step("update-tax-regions", |tx, at| Ok(update_region(tx, at, &id, patch)?))
}

flow! {
    /// Soft-deletes tax regions, with their rates and provinces.
    pub static DELETE_TAX_REGIONS: Flow<Vec<String>, ()> =
        "delete-tax-regions" (drop_regions), hooks: &[&VALIDATE_IDS];
}

fn drop_regions(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    flow.step("delete-tax-regions", |tx, at| {
        ids.iter().try_for_each(|id| delete_region(tx, at, id).map(drop)).map_err(Into::into)
    })
}

flow! {
    /// Creates tax rates, with their rules.
    pub static CREATE_TAX_RATES: Flow<Vec<NewTaxRate>, Vec<TaxRate>> = "create-tax-rates" (create_rates), hooks: &[&VALIDATE_TAX_RATES];
}

fn create_rates(flow: &mut Local<'_>, rates: Vec<NewTaxRate>) -> Result<Vec<TaxRate>, Fault> {
    let records = || rates.iter().map(|it| it.rate.clone()).collect::<Vec<_>>();
    flow.hook(&VALIDATE_TAX_RATES, || Records::of(&records()))?;
    flow.step("create-tax-rates", |tx, at| rates.into_iter().map(|it| Ok(create_rate(tx, at, it)?)).collect())
}

flow! {
    /// Updates the tax rate with this id.
    pub static UPDATE_TAX_RATES: Flow<(String, TaxRateChanges), TaxRate> =
        "update-tax-rates" (change_rate), hooks: &[&VALIDATE_ID];
}

fn change_rate(flow: &mut Local<'_>, (id, changes): (String, TaxRateChanges)) -> Result<TaxRate, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    flow.step("update-tax-rates", |tx, at| Ok(update_rate(tx, at, &id, changes)?))
}

flow! {
    /// Soft-deletes tax rates; their rules are deleted for good.
    pub static DELETE_TAX_RATES: Flow<Vec<String>, ()> =
        "delete-tax-rates" (drop_rates), hooks: &[&VALIDATE_IDS];
}

fn drop_rates(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    flow.step("delete-tax-rates", |tx, at| {
        ids.iter().try_for_each(|id| delete_rate(tx, at, id).map(drop)).map_err(Into::into)
    })
}

flow! {
    /// Adds a rule to the tax rate with this id; returns the rate.
    pub static CREATE_TAX_RATE_RULES: Flow<(String, NewTaxRule), TaxRate> =
        "create-tax-rate-rules" (create_rule), hooks: &[&VALIDATE_ID];
}

fn create_rule(flow: &mut Local<'_>, (rate, rule): (String, NewTaxRule)) -> Result<TaxRate, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&rate))?;
    flow.step("create-tax-rate-rules", |tx, at| Ok(add_rule(tx, at, &rate, rule)?))
}

flow! {
    /// Removes a rule, the second id, from the tax rate with the first one; returns the rate.
    pub static DELETE_TAX_RATE_RULES: Flow<(String, String), TaxRate> =
        "delete-tax-rate-rules" (drop_rule), hooks: &[&VALIDATE_ID];
}

fn drop_rule(flow: &mut Local<'_>, (rate, rule): (String, String)) -> Result<TaxRate, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&rate))?;
    flow.step("delete-tax-rate-rules", |tx, at| Ok(remove_rule(tx, at, &rate, &rule)?))
}
