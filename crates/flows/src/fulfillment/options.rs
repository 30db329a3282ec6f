//! Flows on shipping options: their prices, types and rules.

use atoll_checkout::FulfillmentProvider;
use atoll_fulfillment::{
    RuleOperator, SERVICE_ZONES, SHIPPING_OPTION_TYPES, SHIPPING_OPTIONS, ShippingOption, ShippingOptionRule,
    ShippingOptionType, ShippingPriceType, create_option, is_enabled, option, update_option,
};
use atoll_kernel::{
    Ctx, Fault, Id, Metadata, Read, StoreError,
    data::{FieldValue, present},
    flow,
    flow::Local,
    serde_json::{Value, json},
};
use atoll_links::{STOCK_LOCATION_FULFILLMENT_PROVIDER, STOCK_LOCATION_FULFILLMENT_SET};
use serde::{Deserialize, Serialize};

use super::prices::{OptionPrice, create_prices, set_prices};
use crate::points::{
    Ids, OfId, Records, SHIPPING_OPTION_RULES_CHANGED, SHIPPING_OPTIONS_CREATED, SHIPPING_OPTIONS_DELETED,
    SHIPPING_OPTIONS_UPDATED, VALIDATE_ID, VALIDATE_IDS, VALIDATE_SHIPPING_OPTIONS,
};

/// A new shipping option.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewShippingOption {
    /// Display name.
    pub name: String,
    /// Id of the zone that it serves.
    pub service_zone_id: String,
    /// Id of the profile of the goods that it ships.
    pub shipping_profile_id: String,
    /// Id of the fulfilment provider.
    pub provider_id: String,
    /// Where its price comes from.
    pub price_type: ShippingPriceType,
    /// The service of the provider.
    pub data: Metadata,
    /// Free data.
    pub metadata: Metadata,
    /// A new type.
    pub r#type: Option<NewOptionType>,
    /// Id of the type, if that is not new.
    pub type_id: Option<String>,
    /// Its prices.
    pub prices: Vec<OptionPrice>,
    /// What must hold for a cart.
    pub rules: Vec<RuleInput>,
}

/// A new type of options.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewOptionType {
    /// Display name.
    pub label: String,
    /// Explanation for buyers.
    pub description: Option<String>,
    /// A word for programs.
    pub code: String,
}

/// A rule of an option.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RuleInput {
    /// Id of the option's own rule that is meant; none for a new one.
    pub id: Option<String>,
    /// What is looked at.
    pub attribute: String,
    /// How it is compared.
    pub operator: RuleOperator,
    /// What it is compared with.
    pub value: Value,
}

impl RuleInput {
    fn rule(self) -> ShippingOptionRule {
        ShippingOptionRule {
            id: Id::from(self.id.unwrap_or_default()),
            attribute: self.attribute,
            operator: self.operator,
            value: self.value,
            ..ShippingOptionRule::default()
        }
    }
}

/// An update of a shipping option. Absent fields stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ShippingOptionChanges {
    /// Display name.
    pub name: Option<String>,
    /// Id of the profile of the goods that it ships.
    pub shipping_profile_id: Option<String>,
    /// Id of the fulfilment provider.
    pub provider_id: Option<String>,
    /// Where its price comes from.
    pub price_type: Option<ShippingPriceType>,
    /// The service of the provider; replaced as a whole.
    #[serde(deserialize_with = "present")]
    pub data: Option<Metadata>,
    /// Merged into the metadata of the record.
    #[serde(deserialize_with = "present")]
    pub metadata: Option<Metadata>,
    /// A new type, which becomes its own.
    pub r#type: Option<NewOptionType>,
    /// Id of its type.
    pub type_id: Option<String>,
    /// Replace its prices.
    pub prices: Option<Vec<OptionPrice>>,
    /// Replace its rules.
    pub rules: Option<Vec<RuleInput>>,
}

flow! {
    /// Creates a shipping option, with its prices. Event: `shipping-option.created`.
    pub static CREATE_SHIPPING_OPTIONS: Flow<NewShippingOption, ShippingOption> =
        "create-shipping-options-workflow" (create),
        hooks: &[&VALIDATE_SHIPPING_OPTIONS, &SHIPPING_OPTIONS_CREATED];
}

fn create(flow: &mut Local<'_>, new: NewShippingOption) -> Result<ShippingOption, Fault> {
    let mut option = ShippingOption {
        name: new.name,
        price_type: new.price_type,
        service_zone_id: new.service_zone_id.into(),
        shipping_profile_id: new.shipping_profile_id.into(),
        provider_id: new.provider_id,
        shipping_option_type_id: new.type_id.unwrap_or_default().into(),
        data: new.data,
        metadata: new.metadata,
        rules: new.rules.into_iter().map(RuleInput::rule).collect(),
        ..ShippingOption::default()
    };
    flow.hook(&VALIDATE_SHIPPING_OPTIONS, || Records::one(&option))?;
    let ctx = flow.ctx();
    flow.step("validate-fulfillment-providers", |tx, _| check_provider(ctx, tx, &option))?;
    if let Some(new) = new.r#type {
        option.shipping_option_type_id = create_type(flow, new)?.id;
    }
    let option = flow.step("create-shipping-options", |tx, at| Ok(create_option(tx, at, option)?))?;
    flow.step("create-price-sets", |tx, at| create_prices(tx, at, &option, new.prices))?;
    flow.emit("shipping-option.created", json!({ "id": option.id }))?;
    flow.hook(&SHIPPING_OPTIONS_CREATED, || Records::one(&option))?;
    Ok(option)
}

flow! {
    /// Updates the shipping option with this id. Event: `shipping-option.updated`.
    pub static UPDATE_SHIPPING_OPTIONS: Flow<(String, ShippingOptionChanges), ShippingOption> =
        "update-shipping-options-workflow" (update), hooks: &[&VALIDATE_ID, &SHIPPING_OPTIONS_UPDATED];
}

fn update(
    flow: &mut Local<'_>,
    (id, changes): (String, ShippingOptionChanges),
) -> Result<ShippingOption, Fault> {
    let ShippingOptionChanges { r#type, type_id, prices, .. } = changes.clone();
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    // Whoever names an unknown option makes no type.
    option(flow.tx, &id)?;
    let type_id = match r#type {
        Some(new) => Some(create_type(flow, new)?.id),
        None => type_id.map(Id::from),
    };
    let ctx = flow.ctx();
    let option = flow.step("update-shipping-options", |tx, at| {
        let names_provider = changes.provider_id.is_some() || changes.price_type.is_some();
        let option = update_option(tx, at, &id, |it| apply(changes, type_id, it))?;
        if names_provider {
            check_provider(ctx, tx, &option)?;
        }
        if let Some(prices) = prices {
            set_prices(tx, at, &option, prices)?;
        }
        Ok(option)
    })?;
    flow.emit("shipping-option.updated", json!({ "id": id }))?;
    flow.hook(&SHIPPING_OPTIONS_UPDATED, || Records::one(&option))?;
    Ok(option)
}

fn apply(changes: ShippingOptionChanges, type_id: Option<Id<ShippingOptionType>>, it: &mut ShippingOption) {
    if let Some(metadata) = changes.metadata {
        it.metadata.update(metadata);
    }
    it.name = changes.name.unwrap_or_else(|| it.name.clone());
    it.price_type = changes.price_type.unwrap_or(it.price_type);
    it.provider_id = changes.provider_id.unwrap_or_else(|| it.provider_id.clone());
    it.data = changes.data.unwrap_or_else(|| it.data.clone());
    if let Some(profile) = changes.shipping_profile_id {
        it.shipping_profile_id = profile.into();
    }
    if let Some(type_id) = type_id {
        it.shipping_option_type_id = type_id;
    }
    if let Some(rules) = changes.rules {
        it.rules = rules.into_iter().map(RuleInput::rule).collect();
    }
}

fn create_type(flow: &mut Local<'_>, new: NewOptionType) -> Result<ShippingOptionType, Fault> {
    let NewOptionType { label, description, code } = new;
    let new = ShippingOptionType { label, description, code, ..ShippingOptionType::default() };
    flow.step("create-shipping-option-types", |tx, at| Ok(SHIPPING_OPTION_TYPES.create(tx, at, new)?))
}

/// Checks that the provider of an option ships from the location of its zone, and calculates prices if the
/// option needs that. Without its zone, the service says what is wrong.
fn check_provider(ctx: &Ctx, tx: &dyn Read, option: &ShippingOption) -> Result<(), Fault> {
    let Some(zone) = SERVICE_ZONES.get(tx, &option.service_zone_id)? else { return Ok(()) };
    let provider = &option.provider_id;
    if !is_enabled(tx, provider)? || !ships_from(tx, provider, &zone.fulfillment_set_id)? {
        return Err(Fault::not_allowed(format!(
            "Providers ({provider}) are not enabled for the service location"
        )));
    }
    if option.price_type == ShippingPriceType::Calculated
        && !ctx.provider::<dyn FulfillmentProvider>(provider)?.can_calculate(&option.data)
    {
        let name = &option.name;
        return Err(Fault::invalid(format!("Cannot calculate pricing for: [{name}] shipping option(s).")));
    }
    Ok(())
}

/// Does this provider ship from the location of this fulfilment set?
fn ships_from(tx: &dyn Read, provider: &str, set: &str) -> Result<bool, StoreError> {
    match STOCK_LOCATION_FULFILLMENT_SET.lefts(tx, set)?.first() {
        Some(location) => STOCK_LOCATION_FULFILLMENT_PROVIDER.has(tx, location, provider),
        None => Ok(false),
    }
}

flow! {
    /// Soft-deletes shipping options, with their prices. Errors: an unknown id. Event:
    /// `shipping-option.deleted`, for each.
    pub static DELETE_SHIPPING_OPTIONS: Flow<Vec<String>, ()> =
        "delete-shipping-options-workflow" (delete), hooks: &[&VALIDATE_IDS, &SHIPPING_OPTIONS_DELETED];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    flow.step("delete-shipping-options", |tx, at| {
        for id in &ids {
            option(tx, id)?;
            SHIPPING_OPTIONS.soft_delete(tx, at, id)?;
        }
        Ok(())
    })?;
    for id in &ids {
        flow.emit("shipping-option.deleted", json!({ "id": id }))?;
    }
    flow.hook(&SHIPPING_OPTIONS_DELETED, || Ids::of(&ids))?;
    Ok(())
}

/// Rules of an option to create, to change and to delete.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RuleBatch {
    /// Id of the option.
    #[serde(skip)]
    pub option_id: String,
    /// Rules to create.
    pub create: Vec<RuleInput>,
    /// Rules to change, by their ids.
    pub update: Vec<RuleInput>,
    /// Ids of rules to delete.
    pub delete: Vec<String>,
}

/// The ids of the rules of a batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RulesDone {
    /// Those that were created.
    pub created: Vec<String>,
    /// Those that were changed.
    pub updated: Vec<String>,
}

flow! {
    /// Creates, changes and deletes rules of a shipping option, all or none. Errors: an unknown id. Event:
    /// `shipping-option.updated`.
    pub static BATCH_SHIPPING_OPTION_RULES: Flow<RuleBatch, RulesDone> =
        "batch-shipping-option-rules-workflow" (batch), hooks: &[&VALIDATE_ID, &SHIPPING_OPTION_RULES_CHANGED];
}

fn batch(flow: &mut Local<'_>, batch: RuleBatch) -> Result<RulesDone, Fault> {
    let RuleBatch { option_id: id, create, update, delete } = batch;
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let n_created = create.len();
    let updated: Vec<String> = update.iter().map(|it| it.id.clone().unwrap_or_default()).collect();
    let option = flow.step("batch-shipping-option-rules", |tx, at| {
        let mut rules = option(tx, &id)?.rules;
        for gone in &delete {
            take_rule(&mut rules, gone)?;
        }
        for change in update {
            let own = take_rule(&mut rules, change.id.as_deref().unwrap_or_default())?;
            rules.insert(own, change.rule());
        }
        rules.extend(create.into_iter().map(|it| RuleInput { id: None, ..it }.rule()));
        Ok(update_option(tx, at, &id, |it| it.rules = rules)?)
    })?;
    let n_others = option.rules.len() - n_created;
    let created = option.rules[n_others..].iter().map(|it| it.id.to_string()).collect();
    flow.emit("shipping-option.updated", json!({ "id": id }))?;
    flow.hook(&SHIPPING_OPTION_RULES_CHANGED, || Records::one(&option))?;
    Ok(RulesDone { created, updated })
}

/// Removes the rule with this id; returns where it was.
fn take_rule(rules: &mut Vec<ShippingOptionRule>, id: &str) -> Result<usize, Fault> {
    let at = rules.iter().position(|it| *it.id == *id);
    let at = at.ok_or_else(|| Fault::not_found(format!("ShippingOptionRule with id \"{id}\" not found")))?;
    rules.remove(at);
    Ok(at)
}
