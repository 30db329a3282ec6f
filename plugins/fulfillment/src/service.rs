//! Creating, changing and deleting zones and shipping options, with all that depends on them.

use atoll_kernel::{
    Moment, Read, StoreError, Write,
    data::{Entity, RowError, Service},
    limits::{GEO_ZONES_MAX, SERVICE_ZONES_MAX, SHIPPING_OPTIONS_MAX, SHIPPING_RULES_MAX},
    registry::Providers,
};

use crate::{
    BY_PROFILE, BY_TYPE, BY_ZONE, Error, FULFILLMENT_SETS, GeoZoneInput, SERVICE_ZONES,
    SHIPPING_OPTION_TYPES, SHIPPING_OPTIONS, SHIPPING_PROFILES, ServiceZone, ShippingOption,
    ShippingOptionRule, ShippingOptionType, ShippingProfile, ZONES_BY_SET, manual,
};

/// Creates a zone of the set that it names, with these geo zones.
pub fn create_zone(
    tx: &mut dyn Write,
    at: &Moment,
    mut zone: ServiceZone,
    geo_zones: Vec<GeoZoneInput>,
) -> Result<ServiceZone, Error> {
    must_exist(tx, &FULFILLMENT_SETS, "fulfillment_set_id", &zone.fulfillment_set_id)?;
    let n_zones = SERVICE_ZONES.table.ids_by(tx, &ZONES_BY_SET, &[&zone.fulfillment_set_id])?.len();
    at_most(SERVICE_ZONES_MAX, n_zones + 1, "service zones", "fulfillment set")?;
    zone.id = at.id();
    put_geo_zones(at, &mut zone, geo_zones)?;
    Ok(SERVICE_ZONES.create(tx, at, zone)?)
}

/// Changes a zone of this set; `geo_zones` replace its own, but for those that they name by their ids.
pub fn update_zone(
    tx: &mut dyn Write,
    at: &Moment,
    (set, id): (&str, &str),
    name: Option<String>,
    geo_zones: Option<Vec<GeoZoneInput>>,
) -> Result<ServiceZone, Error> {
    let mut zone = zone_of(tx, set, id)?;
    zone.name = name.unwrap_or(zone.name);
    if let Some(geo_zones) = geo_zones {
        put_geo_zones(at, &mut zone, geo_zones)?;
    }
    Ok(SERVICE_ZONES.update(tx, at, id, |it: &mut ServiceZone| it.assign(zone))?)
}

/// The zone with this id of this set. Errors: the set has none.
pub fn zone_of(tx: &dyn Read, set: &str, id: &str) -> Result<ServiceZone, Error> {
    let zone = SERVICE_ZONES.get(tx, id)?.filter(|it| *it.fulfillment_set_id == *set);
    zone.ok_or_else(|| Error::NotFound(format!("Service zone with id: {id} not found on fulfillment set")))
}

/// Gives a zone these geo zones. One that names one of the zone's own by its id is an update of it.
fn put_geo_zones(at: &Moment, zone: &mut ServiceZone, inputs: Vec<GeoZoneInput>) -> Result<(), Error> {
    at_most(GEO_ZONES_MAX, inputs.len(), "geo zones", "service zone")?;
    let mut geo_zones = Vec::with_capacity(inputs.len());
    for (index, input) in inputs.into_iter().enumerate() {
        let id = input.id.clone();
        let mut geo_zone = input.read(index)?;
        geo_zone.service_zone_id = zone.id.clone();
        match id {
            None => geo_zone.init(at.id(), at.now()),
            Some(id) => {
                let index = zone.geo_zones.iter().position(|it| *it.id == *id).ok_or_else(|| {
                    Error::NotFound(format!("GeoZone with id \"{id}\" not found on service zone"))
                })?;
                let mut own = zone.geo_zones.swap_remove(index);
                own.assign(geo_zone);
                own.touch(at.now());
                geo_zone = own;
            }
        }
        geo_zones.push(geo_zone);
    }
    zone.geo_zones = geo_zones;
    Ok(())
}

/// Soft-deletes a zone of this set, with its options.
pub fn delete_zone(tx: &mut dyn Write, at: &Moment, set: &str, id: &str) -> Result<(), Error> {
    zone_of(tx, set, id)?;
    delete_with_options(tx, at, id)
}

/// Soft-deletes a set, with its zones and their options. Errors: there is none.
pub fn delete_set(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), Error> {
    FULFILLMENT_SETS.retrieve(tx, id)?;
    for zone in SERVICE_ZONES.table.list_by(tx, &ZONES_BY_SET, &[id])? {
        delete_with_options(tx, at, &zone.id)?;
    }
    FULFILLMENT_SETS.soft_delete(tx, at, id)?;
    Ok(())
}

fn delete_with_options(tx: &mut dyn Write, at: &Moment, zone: &str) -> Result<(), Error> {
    for option in SHIPPING_OPTIONS.table.list_by(tx, &BY_ZONE, &[zone])? {
        SHIPPING_OPTIONS.soft_delete(tx, at, &option.id)?;
    }
    SERVICE_ZONES.soft_delete(tx, at, zone)?;
    Ok(())
}

/// Creates an option, with its rules.
pub fn create_option(
    tx: &mut dyn Write,
    at: &Moment,
    mut option: ShippingOption,
) -> Result<ShippingOption, Error> {
    check_targets(tx, &option)?;
    let n_options = SHIPPING_OPTIONS.table.ids_by(tx, &BY_ZONE, &[&option.service_zone_id])?.len();
    at_most(SHIPPING_OPTIONS_MAX, n_options + 1, "shipping options", "service zone")?;
    option.id = at.id();
    let rules = std::mem::take(&mut option.rules);
    put_rules(at, &mut option, rules)?;
    Ok(SHIPPING_OPTIONS.create(tx, at, option)?)
}

/// Changes an option by a function; rules that it leaves without an id are new.
pub fn update_option(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    change: impl FnOnce(&mut ShippingOption),
) -> Result<ShippingOption, Error> {
    let before = option(tx, id)?;
    let mut after = before.clone();
    change(&mut after);
    check_targets(tx, &after)?;
    let rules = std::mem::replace(&mut after.rules, before.rules);
    put_rules(at, &mut after, rules)?;
    Ok(SHIPPING_OPTIONS.update(tx, at, id, |it: &mut ShippingOption| it.assign(after))?)
}

/// The option with this id. Errors: there is none.
pub fn option(tx: &dyn Read, id: &str) -> Result<ShippingOption, Error> {
    let found = SHIPPING_OPTIONS.get(tx, id)?;
    found.ok_or_else(|| Error::NotFound(format!("Shipping Option with id: {id} not found")))
}

/// Gives an option these rules: those with an id are its own and keep it, the others are new.
fn put_rules(
    at: &Moment,
    option: &mut ShippingOption,
    mut rules: Vec<ShippingOptionRule>,
) -> Result<(), Error> {
    at_most(SHIPPING_RULES_MAX, rules.len(), "rules", "shipping option")?;
    for rule in &mut rules {
        rule.check()?;
        rule.shipping_option_id = option.id.clone();
        if rule.id.is_empty() {
            rule.init(at.id(), at.now());
            continue;
        }
        let own = option.rules.iter().find(|it| it.id == rule.id);
        let own = own.ok_or_else(|| {
            Error::NotFound(format!("ShippingOptionRule with id \"{}\" not found", rule.id))
        })?;
        if (&own.attribute, own.operator, &own.value) == (&rule.attribute, rule.operator, &rule.value) {
            *rule = own.clone();
        } else {
            rule.init(own.id.clone(), own.created_at);
            rule.touch(at.now());
        }
    }
    option.rules = rules;
    Ok(())
}

fn check_targets(tx: &dyn Read, option: &ShippingOption) -> Result<(), Error> {
    must_exist(tx, &SERVICE_ZONES, "service_zone_id", &option.service_zone_id)?;
    must_exist(tx, &SHIPPING_PROFILES, "shipping_profile_id", &option.shipping_profile_id)?;
    must_exist(tx, &SHIPPING_OPTION_TYPES, "shipping_option_type_id", &option.shipping_option_type_id)
}

/// Soft-deletes a profile. Errors: there is none; shipping options have it.
pub fn delete_profile(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<ShippingProfile>, Error> {
    SHIPPING_PROFILES.retrieve(tx, id)?;
    unused("shipping profiles", SHIPPING_OPTIONS.table.ids_by(tx, &BY_PROFILE, &[id])?)?;
    Ok(SHIPPING_PROFILES.soft_delete(tx, at, id)?)
}

/// Soft-deletes a type of options. Errors: there is none; shipping options have it.
pub fn delete_type(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<ShippingOptionType>, Error> {
    SHIPPING_OPTION_TYPES.retrieve(tx, id)?;
    unused("shipping option types", SHIPPING_OPTIONS.table.ids_by(tx, &BY_TYPE, &[id])?)?;
    Ok(SHIPPING_OPTION_TYPES.soft_delete(tx, at, id)?)
}

/// Ids that an error names; the others are left out.
const N_NAMED_MAX: usize = 10;

fn unused(what: &'static str, mut options: Vec<String>) -> Result<(), Error> {
    if options.is_empty() {
        return Ok(());
    }
    options.truncate(N_NAMED_MAX);
    Err(Error::InUse { what, by: "shipping options", ids: options })
}

fn must_exist<T: Entity>(
    tx: &dyn Read,
    service: &Service<T>,
    field: &'static str,
    id: &str,
) -> Result<(), Error> {
    match service.table.exists(tx, id)? {
        true => Ok(()),
        false => Err(Error::no_target(field, id)),
    }
}

fn at_most(n_max: usize, n: usize, what: &str, of: &str) -> Result<(), Error> {
    if n <= n_max {
        return Ok(());
    }
    Err(Error::Invalid(format!("A {of} can have at most {n_max} {what}")))
}

/// Does this fulfilment provider serve?
pub fn is_enabled(tx: &dyn Read, provider: &str) -> Result<bool, StoreError> {
    Ok(crate::FULFILLMENT_PROVIDERS.get(tx, provider)?.is_some_and(|it| it.is_enabled))
}

/// Writes the records of the providers, and the profile that a shop begins with.
pub(crate) fn seed(tx: &mut dyn Write, at: &Moment, providers: &Providers) -> Result<(), RowError> {
    manual::seed(tx, at, providers)?;
    if SHIPPING_PROFILES.table.count(tx)? == 0 {
        let profile = ShippingProfile {
            name: "Default Shipping Profile".to_owned(),
            r#type: "default".to_owned(),
            ..ShippingProfile::default()
        };
        SHIPPING_PROFILES.create(tx, at, profile)?;
    }
    Ok(())
}
