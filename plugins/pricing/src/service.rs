//! What a price may be, and whether prices include tax (price preferences).

use std::collections::HashMap;

use atoll_kernel::{
    Decimal, Moment, Read, StoreError, Write,
    data::RowError,
    limits::{PRICE_RULES_MAX, RULE_CHARS_MAX},
};

use crate::{
    BY_ATTRIBUTE, CURRENCY_CODE, Error, PRICE_PREFERENCES, PricePreference, PricePreferencePatch, REGION_ID,
    RuleValue, Rules,
};

/// Checks the amount, the quantities and the rules of a price.
pub fn check_terms(
    amount: Decimal,
    min_quantity: Option<Decimal>,
    max_quantity: Option<Decimal>,
    rules: &Rules,
) -> Result<(), Error> {
    if amount.is_negative() {
        return Err(Error::Amount(amount.to_string()));
    }
    let is_negative = |it: Option<Decimal>| it.is_some_and(Decimal::is_negative);
    let is_empty = min_quantity.zip(max_quantity).is_some_and(|(min, max)| min > max);
    if is_negative(min_quantity) || is_negative(max_quantity) || is_empty {
        return Err(Error::Quantities);
    }
    if rules.len() > PRICE_RULES_MAX {
        return Err(Error::TooManyRules(rules.len()));
    }
    for (attribute, rule) in rules.iter() {
        let value = match &rule.value {
            RuleValue::Text(text) => text,
            RuleValue::Number(_) => "",
        };
        if let Some(long) = [attribute, value].into_iter().find(|it| it.chars().count() > RULE_CHARS_MAX) {
            return Err(Error::LongRule(long.chars().take(20).collect()));
        }
    }
    Ok(())
}

/// Creates a preference. There is one per currency and region.
pub fn create_preference(
    tx: &mut dyn Write,
    at: &Moment,
    preference: PricePreference,
) -> Result<PricePreference, Error> {
    Ok(PRICE_PREFERENCES.create(tx, at, checked(preference)?)?)
}

/// Updates a preference.
pub fn update_preference(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    patch: PricePreferencePatch,
) -> Result<PricePreference, Error> {
    let preference = PRICE_PREFERENCES.update(tx, at, id, patch)?;
    // A currency is written in lower case.
    let PricePreference { value, .. } = checked(preference)?;
    Ok(PRICE_PREFERENCES.update(tx, at, id, |it: &mut PricePreference| it.value = value)?)
}

fn checked(mut preference: PricePreference) -> Result<PricePreference, Error> {
    match preference.attribute.as_str() {
        CURRENCY_CODE => preference.value = preference.value.map(|it| it.to_lowercase()),
        REGION_ID => {}
        other => return Err(Error::Attribute(other.to_owned())),
    }
    Ok(preference)
}

/// Sets whether the prices of a currency or for a region include tax; without `is_tax_inclusive` the
/// preference is only created where it is missing.
pub fn prefer(
    tx: &mut dyn Write,
    at: &Moment,
    attribute: &str,
    value: &str,
    is_tax_inclusive: Option<bool>,
) -> Result<(), RowError> {
    let there = PRICE_PREFERENCES.table.get_by(tx, &BY_ATTRIBUTE, &[attribute, value])?;
    match (there, is_tax_inclusive) {
        (None, _) => {
            let preference = PricePreference {
                attribute: attribute.to_owned(),
                value: Some(value.to_owned()),
                is_tax_inclusive: is_tax_inclusive.unwrap_or_default(),
                ..PricePreference::default()
            };
            PRICE_PREFERENCES.create(tx, at, preference)?;
        }
        (Some(there), Some(is_tax_inclusive)) => {
            PRICE_PREFERENCES.update(tx, at, &there.id, |it: &mut PricePreference| {
                it.is_tax_inclusive = is_tax_inclusive;
            })?;
        }
        (Some(_), None) => {}
    }
    Ok(())
}

/// Deletes the preference of a currency or region, if there is one.
pub fn forget_preference(
    tx: &mut dyn Write,
    at: &Moment,
    attribute: &str,
    value: &str,
) -> Result<(), RowError> {
    if let Some(id) = PRICE_PREFERENCES.table.id_by(tx, &BY_ATTRIBUTE, &[attribute, value])? {
        PRICE_PREFERENCES.delete(tx, at, &id)?;
    }
    Ok(())
}

/// Whether prices include tax, in one snapshot. Each preference is read once.
pub struct TaxInclusion<'a> {
    view: &'a dyn Read,
    known: HashMap<(&'static str, String), bool>,
}

impl<'a> TaxInclusion<'a> {
    /// In this snapshot.
    pub fn new(view: &'a dyn Read) -> Self {
        TaxInclusion { view, known: HashMap::new() }
    }

    /// Does a price with these rules include tax? One with a rule on the region is as the region's preference
    /// says, any other as that of its currency; without a preference it does not.
    pub fn of(&mut self, currency_code: &str, rules: &Rules) -> Result<bool, StoreError> {
        let (attribute, value) =
            rules.text(REGION_ID).map_or((CURRENCY_CODE, currency_code), |region| (REGION_ID, region));
        if let Some(known) = self.known.get(&(attribute, value.to_owned())) {
            return Ok(*known);
        }
        let there = PRICE_PREFERENCES.table.get_by(self.view, &BY_ATTRIBUTE, &[attribute, value])?;
        let is_tax_inclusive = there.is_some_and(|it| it.is_tax_inclusive);
        self.known.insert((attribute, value.to_owned()), is_tax_inclusive);
        Ok(is_tax_inclusive)
    }
}
