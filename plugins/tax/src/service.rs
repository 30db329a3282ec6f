//! Creating, changing and deleting tax regions, rates and rules.

use std::collections::BTreeSet;

use atoll_checkout::is_rate;
use atoll_kernel::{
    Moment, Read, Write,
    data::Patch,
    limits::{TAX_CODE_CHARS_MAX, TAX_PROVINCES_MAX, TAX_RATES_MAX, TAX_RULES_MAX},
    serde::Deserialize,
};

use crate::{
    BY_PARENT, BY_PLACE, BY_RATE, BY_REGION, DEFAULT_RATE, Error, Reference, TAX_PROVIDERS, TAX_RATE_RULES,
    TAX_RATES, TAX_REGIONS, TaxRate, TaxRatePatch, TaxRateRule, TaxRegion, TaxRegionPatch,
};

/// A new tax region.
#[derive(Clone, Debug, Default)]
pub struct NewTaxRegion {
    /// The record.
    pub region: TaxRegion,
    /// Its default rate, without the region.
    pub default_rate: Option<TaxRate>,
}

/// A new tax rate.
#[derive(Clone, Debug, Default)]
pub struct NewTaxRate {
    /// The record.
    pub rate: TaxRate,
    /// What it is for.
    pub rules: Vec<NewTaxRule>,
}

/// A new rule of a tax rate.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(crate = "::atoll_kernel::serde")]
pub struct NewTaxRule {
    /// What the id is of.
    pub reference: Reference,
    /// The product, the product type or the shipping option.
    pub reference_id: String,
}

/// An update of a tax rate. It stays in its region.
#[derive(Clone, Debug, Default)]
pub struct TaxRateChanges {
    /// Changed fields of the record.
    pub patch: TaxRatePatch,
    /// Replaces its rules.
    pub rules: Option<Vec<NewTaxRule>>,
}

/// Creates the region of a country, or of a province below that of its country.
pub fn create_region(tx: &mut dyn Write, at: &Moment, new: NewTaxRegion) -> Result<TaxRegion, Error> {
    let NewTaxRegion { mut region, default_rate } = new;
    region.country_code = region.country_code.trim().to_lowercase();
    let letters = |code: &str| code.len() == 2 && code.bytes().all(|it| it.is_ascii_lowercase());
    if !letters(&region.country_code) {
        return Err(Error::NoCountry);
    }
    region.province_code = region.province_code.as_deref().map(province_code).transpose()?;
    region.created_by = Some(at.actor().id().to_owned());
    check_parent(tx, &region)?;
    check_provider(tx, region.provider_id.as_deref())?;
    let is_country = region.province_code.is_none();
    if is_country && TAX_REGIONS.table.id_by(tx, &BY_PLACE, &[&region.country_code, ""])?.is_some() {
        return Err(Error::Taken(region.country_code));
    }
    let region = TAX_REGIONS.create(tx, at, region)?;
    if let Some(rate) = default_rate {
        let rate = TaxRate { tax_region_id: region.id.to_string(), is_default: true, ..rate };
        create_rate(tx, at, NewTaxRate { rate, rules: Vec::new() })?;
    }
    Ok(region)
}

fn province_code(code: &str) -> Result<String, Error> {
    let code = code.trim().to_lowercase();
    if is_short(&code) { Ok(code) } else { Err(Error::Length("province_code")) }
}

fn is_short(code: &str) -> bool {
    !code.is_empty() && code.chars().count() <= TAX_CODE_CHARS_MAX
}

/// A country has a provider and no parent, a province has its country as parent.
fn check_parent(tx: &dyn Read, region: &TaxRegion) -> Result<(), Error> {
    let (country, province) = (region.country_code.clone(), region.province_code.clone());
    let Some(parent_id) = &region.parent_id else {
        return match (province, &region.provider_id) {
            (_, None) => Err(Error::NoProvider),
            (None, Some(_)) => Ok(()),
            (Some(province), Some(_)) => Err(Error::NoParent { country, province }),
        };
    };
    let province = province.ok_or(Error::NoProvince)?;
    let Some(parent) = TAX_REGIONS.get(tx, parent_id)? else {
        return Err(Error::NoParent { country, province });
    };
    if parent.country_code != country {
        return Err(Error::OtherParent { country, province, expected: parent.country_code });
    }
    if parent.parent_id.is_some() {
        return Err(Error::NotACountry(parent.id.to_string()));
    }
    let n_provinces = BY_PARENT.count(tx, &[parent_id])?;
    if n_provinces < TAX_PROVINCES_MAX { Ok(()) } else { Err(Error::Provinces) }
}

fn check_provider(tx: &dyn Read, id: Option<&str>) -> Result<(), Error> {
    let Some(id) = id else { return Ok(()) };
    if TAX_PROVIDERS.get(tx, id)?.is_some_and(|it| it.is_enabled) {
        return Ok(());
    }
    Err(Error::Unknown { field: "provider_id", id: id.to_owned() })
}

/// Changes the code of a province, the provider, or the metadata. A country stays one.
pub fn update_region(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    patch: TaxRegionPatch,
) -> Result<TaxRegion, Error> {
    let TaxRegionPatch { province_code: code, provider_id, metadata, .. } = patch;
    let before = TAX_REGIONS.get(tx, id)?.ok_or_else(|| Error::NoRegion(id.to_owned()))?;
    let code = match code {
        Some(Some(_)) if before.province_code.is_none() => return Err(Error::IsACountry),
        Some(None) if before.province_code.is_some() => return Err(Error::NoProvince),
        Some(Some(code)) => Some(Some(province_code(&code)?)),
        _ => None,
    };
    check_provider(tx, provider_id.as_ref().and_then(|it| it.as_deref()))?;
    let patch = TaxRegionPatch { province_code: code, provider_id, metadata, ..TaxRegionPatch::default() };
    Ok(TAX_REGIONS.update(tx, at, id, patch)?)
}

/// Soft-deletes a region, with its rates and its provinces.
pub fn delete_region(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<TaxRegion, Error> {
    let region = TAX_REGIONS.soft_delete(tx, at, id)?.ok_or_else(|| Error::NoRegion(id.to_owned()))?;
    for rate in TAX_RATES.table.ids_by(tx, &BY_REGION, &[id])? {
        delete_rate(tx, at, &rate)?;
    }
    for province in TAX_REGIONS.table.ids_by(tx, &BY_PARENT, &[id])? {
        delete_region(tx, at, &province)?;
    }
    Ok(region)
}

/// Creates a rate of a region.
pub fn create_rate(tx: &mut dyn Write, at: &Moment, new: NewTaxRate) -> Result<TaxRate, Error> {
    let NewTaxRate { mut rate, rules } = new;
    if !TAX_REGIONS.table.exists(tx, &rate.tax_region_id)? {
        return Err(Error::Unknown { field: "tax_region_id", id: rate.tax_region_id });
    }
    if BY_REGION.count(tx, &[&rate.tax_region_id])? >= TAX_RATES_MAX {
        return Err(Error::Rates);
    }
    check_rate(tx, &rate)?;
    rate.created_by = Some(at.actor().id().to_owned());
    let rate = TAX_RATES.create(tx, at, rate)?;
    for rule in rules {
        rule_of(tx, at, &rate, rule)?;
    }
    Ok(rate)
}

/// The rate is a percentage, and no other one is the default.
fn check_rate(tx: &dyn Read, rate: &TaxRate) -> Result<(), Error> {
    if let Some(percent) = rate.rate.filter(|it| !is_rate(*it)) {
        return Err(Error::Rate(percent));
    }
    let default = TAX_RATES.table.id_by(tx, &DEFAULT_RATE, &[&rate.tax_region_id])?;
    if rate.is_default && default.is_some_and(|it| it != *rate.id) {
        return Err(Error::Default(rate.tax_region_id.clone()));
    }
    Ok(())
}

/// Changes a rate. Rules that stay keep their ids.
pub fn update_rate(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    changes: TaxRateChanges,
) -> Result<TaxRate, Error> {
    let TaxRateChanges { patch, rules } = changes;
    let patch = TaxRatePatch { tax_region_id: None, created_by: None, ..patch };
    let mut after = TAX_RATES.get(tx, id)?.ok_or_else(|| Error::NoRate(id.to_owned()))?;
    patch.clone().apply(&mut after);
    check_rate(tx, &after)?;
    let rate = TAX_RATES.update(tx, at, id, patch)?;
    if let Some(rules) = rules {
        replace_rules(tx, at, &rate, rules)?;
    }
    Ok(rate)
}

fn replace_rules(
    tx: &mut dyn Write,
    at: &Moment,
    rate: &TaxRate,
    rules: Vec<NewTaxRule>,
) -> Result<(), Error> {
    let wanted: BTreeSet<_> = rules.iter().map(|it| (it.reference.as_str(), &*it.reference_id)).collect();
    let mut kept = BTreeSet::new();
    for rule in TAX_RATE_RULES.table.list_by(tx, &BY_RATE, &[&rate.id])? {
        if wanted.contains(&(rule.reference.as_str(), &*rule.reference_id)) {
            kept.insert((rule.reference.as_str(), rule.reference_id));
        } else {
            TAX_RATE_RULES.delete(tx, at, &rule.id)?;
        }
    }
    for rule in rules {
        if !kept.remove(&(rule.reference.as_str(), rule.reference_id.clone())) {
            rule_of(tx, at, rate, rule)?;
        }
    }
    Ok(())
}

/// Soft-deletes a rate; its rules are deleted for good.
pub fn delete_rate(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<TaxRate, Error> {
    let rate = TAX_RATES.soft_delete(tx, at, id)?.ok_or_else(|| Error::NoRate(id.to_owned()))?;
    for rule in TAX_RATE_RULES.table.ids_by(tx, &BY_RATE, &[id])? {
        TAX_RATE_RULES.delete(tx, at, &rule)?;
    }
    Ok(rate)
}

/// Adds a rule to a rate; returns the rate.
pub fn add_rule(tx: &mut dyn Write, at: &Moment, rate_id: &str, rule: NewTaxRule) -> Result<TaxRate, Error> {
    let unknown = || Error::Unknown { field: "tax_rate_id", id: rate_id.to_owned() };
    let rate = TAX_RATES.get(tx, rate_id)?.ok_or_else(unknown)?;
    rule_of(tx, at, &rate, rule)?;
    Ok(rate)
}

fn rule_of(tx: &mut dyn Write, at: &Moment, rate: &TaxRate, rule: NewTaxRule) -> Result<TaxRateRule, Error> {
    let NewTaxRule { reference, reference_id } = rule;
    if !is_short(&reference_id) {
        return Err(Error::Length("reference_id"));
    }
    if BY_RATE.count(tx, &[&rate.id])? >= TAX_RULES_MAX {
        return Err(Error::Rules);
    }
    let rule = TaxRateRule {
        tax_rate_id: rate.id.to_string(),
        tax_region_id: rate.tax_region_id.clone(),
        reference,
        reference_id,
        created_by: Some(at.actor().id().to_owned()),
        ..TaxRateRule::default()
    };
    Ok(TAX_RATE_RULES.create(tx, at, rule)?)
}

/// Removes a rule from a rate, for good; returns the rate.
pub fn remove_rule(tx: &mut dyn Write, at: &Moment, rate_id: &str, id: &str) -> Result<TaxRate, Error> {
    let rate = TAX_RATES.get(tx, rate_id)?.ok_or_else(|| Error::NoRate(rate_id.to_owned()))?;
    if TAX_RATE_RULES.get(tx, id)?.is_none_or(|it| it.tax_rate_id != rate_id) {
        return Err(Error::NoRule(id.to_owned()));
    }
    TAX_RATE_RULES.delete(tx, at, id)?;
    Ok(rate)
}
