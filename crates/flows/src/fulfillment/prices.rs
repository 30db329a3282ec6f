//! The prices of shipping options: by currency, and by region, whose currency they are in; some of them only
//! for certain totals of the items.

use atoll_fulfillment::ShippingOption;
use atoll_kernel::{
    Decimal, Fault, Moment, Read, Write, data::Entity, limits::SHIPPING_PRICES_MAX, serde_json::Map,
};
use atoll_links::SHIPPING_OPTION_PRICE_SET;
use atoll_pricing::{ITEM_TOTAL, PRICE_SETS, Price, PriceSet, REGION_ID, RuleOperator, RuleValue, Rules};
use atoll_region::REGIONS;
use serde::Deserialize;

use crate::pricing::KnownTerms;

/// A price of a shipping option, of a currency or of a region.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct OptionPrice {
    /// Id of the option's own price that is meant; none for a new one.
    pub id: Option<String>,
    /// ISO 4217; none for a price of a region.
    pub currency_code: Option<String>,
    /// Id of the region in which it applies.
    pub region_id: Option<String>,
    /// In units of the currency.
    pub amount: Option<Decimal>,
    /// What must hold of the total of the items, all of it.
    pub rules: Option<Vec<TotalRule>>,
}

/// A condition on the total of the items of a cart.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TotalRule {
    /// How it is compared.
    pub operator: RuleOperator,
    /// In units of the currency of the price.
    pub value: Decimal,
}

/// Creates the price set of a new option.
pub(super) fn create_prices(
    tx: &mut dyn Write,
    at: &Moment,
    option: &ShippingOption,
    inputs: Vec<OptionPrice>,
) -> Result<(), Fault> {
    let prices = prices_of(tx, at, &[], inputs)?;
    let set = PRICE_SETS.create(tx, at, PriceSet { prices, ..PriceSet::default() })?;
    SHIPPING_OPTION_PRICE_SET.attach(tx, at, &option.id, &set.id, Map::new())?;
    Ok(())
}

/// Replaces the prices of an option, but for those that are named by their ids: these are changed.
pub(super) fn set_prices(
    tx: &mut dyn Write,
    at: &Moment,
    option: &ShippingOption,
    inputs: Vec<OptionPrice>,
) -> Result<(), Fault> {
    let set = SHIPPING_OPTION_PRICE_SET.rights(tx, &option.id)?.into_iter().next();
    let Some(set) = set else { return create_prices(tx, at, option, inputs) };
    let before = PRICE_SETS.retrieve(tx, &set)?;
    let prices = prices_of(tx, at, &before.prices, inputs)?;
    PRICE_SETS.update(tx, at, &set, |it: &mut PriceSet| it.prices = prices)?;
    Ok(())
}

/// The prices that a request describes; those with an id are among `before`.
fn prices_of(
    tx: &dyn Read,
    at: &Moment,
    before: &[Price],
    inputs: Vec<OptionPrice>,
) -> Result<Vec<Price>, Fault> {
    if inputs.len() > SHIPPING_PRICES_MAX {
        return Err(Fault::invalid(format!(
            "A shipping option can have at most {SHIPPING_PRICES_MAX} prices"
        )));
    }
    let mut prices: Vec<Price> = Vec::with_capacity(inputs.len());
    let (mut known, mut unknown) = (KnownTerms::new(tx), Vec::new());
    for (index, input) in inputs.into_iter().enumerate() {
        let named = match &input.id {
            None => None,
            Some(id) => {
                let own = before.iter().find(|it| *it.id == **id);
                let own = own.filter(|own| prices.iter().all(|it| it.id != own.id));
                Some(own.ok_or_else(|| Fault::invalid(format!("Price with id: {id} does not exist")))?)
            }
        };
        let missing = |field: &str| {
            Fault::invalid(format!("Invalid request: Field 'prices, {index}, {field}' is required"))
        };
        let mut price = named.cloned().unwrap_or_default();
        let own_region = price.rules.text(REGION_ID).map(str::to_owned);
        let region = match (input.currency_code, input.region_id) {
            (Some(_), Some(_)) => {
                return Err(Fault::invalid(format!(
                    "Invalid request: Field 'prices, {index}' takes one of 'currency_code' and 'region_id'"
                )));
            }
            (Some(code), None) => {
                price.currency_code = code.to_lowercase();
                None
            }
            (None, Some(id)) => {
                match REGIONS.get(tx, &id)? {
                    Some(region) => price.currency_code = region.currency_code,
                    None => unknown.push(id.clone()),
                }
                Some(id)
            }
            (None, None) if named.is_none() => return Err(missing("currency_code")),
            (None, None) => own_region,
        };
        price.amount = match (input.amount, named) {
            (None, None) => return Err(missing("amount")),
            (amount, _) => amount.unwrap_or(price.amount),
        };
        price.rules = rules_of(region.as_deref(), &price.rules, input.rules);
        if unknown.is_empty() {
            known.check(&price.currency_code, &price.rules)?;
        }
        match named {
            None => price.init(at.id(), at.now()),
            Some(named) if *named != price => price.touch(at.now()),
            Some(_) => {}
        }
        prices.push(price);
    }
    if unknown.is_empty() {
        return Ok(prices);
    }
    Err(Fault::invalid(format!(
        "Cannot create prices for non-existent regions. Region with ids [{}] were not found.",
        unknown.join(", ")
    )))
}

/// The rules of a price: of this region, and on the total of the items; those stay if the request has none.
fn rules_of(region: Option<&str>, own: &Rules, on_total: Option<Vec<TotalRule>>) -> Rules {
    let mut rules = region.map_or_else(Rules::default, |it| Rules::default().with(REGION_ID, it));
    match on_total {
        Some(all) => {
            all.into_iter().for_each(|it| rules.add(ITEM_TOTAL, it.operator, RuleValue::Number(it.value)))
        }
        None => own
            .iter()
            .filter(|(attribute, _)| *attribute == ITEM_TOTAL)
            .for_each(|(attribute, it)| rules.add(attribute, it.operator, it.value.clone())),
    }
    rules
}
