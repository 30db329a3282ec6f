//! Price preferences: whether the prices of a currency, or for a region, include tax.

use atoll_kernel::{
    Fault, Moment, Read, Write,
    data::{Direction, Scan},
    flow,
    flow::Local,
};
use atoll_pricing::{
    CURRENCY_CODE, PRICE_PREFERENCES, PricePreference, PricePreferencePatch, REGION_ID, create_preference,
    prefer, update_preference,
};
use atoll_region::REGIONS;
use atoll_store::Store;

use super::KnownTerms;
use crate::points::{
    Ids, OfId, PRICE_PREFERENCES_CREATED, PRICE_PREFERENCES_DELETED, PRICE_PREFERENCES_UPDATED, Records,
    VALIDATE_ID, VALIDATE_IDS, VALIDATE_PRICE_PREFERENCES,
};

flow! {
    /// Creates price preferences. There is one per currency and region.
    pub static CREATE_PRICE_PREFERENCES: Flow<Vec<PricePreference>, Vec<PricePreference>> =
        "create-price-preferences" (create),
        hooks: &[&VALIDATE_PRICE_PREFERENCES, &PRICE_PREFERENCES_CREATED];
}

fn create(flow: &mut Local<'_>, new: Vec<PricePreference>) -> Result<Vec<PricePreference>, Fault> {
    flow.hook(&VALIDATE_PRICE_PREFERENCES, || Records::of(&new))?;
    let created = flow.step("create-price-preferences", |tx, at| {
        let create = |it| {
            let preference = create_preference(tx, at, it)?;
            check_value(tx, &preference)?;
            Ok(preference)
        };
        new.into_iter().map(create).collect::<Result<Vec<_>, Fault>>()
    })?;
    flow.hook(&PRICE_PREFERENCES_CREATED, || Records::of(&created))?;
    Ok(created)
}

flow! {
    /// Updates the price preference with this id.
    pub static UPDATE_PRICE_PREFERENCES: Flow<(String, PricePreferencePatch), PricePreference> =
        "update-price-preferences" (update), hooks: &[&VALIDATE_ID, &PRICE_PREFERENCES_UPDATED];
}

fn update(
    flow: &mut Local<'_>,
    (id, patch): (String, PricePreferencePatch),
) -> Result<PricePreference, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let updated = flow.step("update-price-preferences", |tx, at| {
        check_exists(tx, &id)?;
        let preference = update_preference(tx, at, &id, patch)?;
        check_value(tx, &preference)?;
        Ok(preference)
    })?;
    flow.hook(&PRICE_PREFERENCES_UPDATED, || Records::one(&updated))?;
    Ok(updated)
}

flow! {
    /// Deletes price preferences: their prices do not include tax. Unknown ids are 404.
    pub static DELETE_PRICE_PREFERENCES: Flow<Vec<String>, ()> =
        "delete-price-preferences" (delete), hooks: &[&VALIDATE_IDS, &PRICE_PREFERENCES_DELETED];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    flow.step("delete-price-preferences", |tx, at| {
        for id in &ids {
            check_exists(tx, id)?;
            PRICE_PREFERENCES.delete(tx, at, id)?;
        }
        Ok(())
    })?;
    flow.hook(&PRICE_PREFERENCES_DELETED, || Ids::of(&ids))?;
    Ok(())
}

fn check_exists(tx: &dyn Read, id: &str) -> Result<(), Fault> {
    match PRICE_PREFERENCES.table.exists(tx, id)? {
        true => Ok(()),
        false => Err(Fault::not_found(format!("Price preference with id: {id} was not found"))),
    }
}

/// Checks that there is the currency or the region of a preference.
fn check_value(tx: &dyn Read, preference: &PricePreference) -> Result<(), Fault> {
    let value = preference.value.as_deref().unwrap_or_default();
    match preference.attribute.as_str() {
        CURRENCY_CODE => KnownTerms::new(tx).check_currency(value),
        attribute => KnownTerms::new(tx).check_value(attribute, value),
    }
}

/// Creates the preferences of the currencies of the store and of the regions that have none, such as those of
/// releases without preferences.
pub fn add_missing_preferences(tx: &mut dyn Write, at: &Moment, store: &Store) -> Result<(), Fault> {
    for currency in &store.supported_currencies {
        prefer(tx, at, CURRENCY_CODE, &currency.currency_code, None)?;
    }
    let mut regions = Vec::new();
    REGIONS.table.scan(tx, None, Direction::Ascending, &mut |region| {
        regions.push(region.id);
        Ok(Scan::Continue(()))
    })?;
    for region in &regions {
        prefer(tx, at, REGION_ID, region, None)?;
    }
    Ok(())
}
