//! Adds products to a sales channel and removes them, by id or by filter.

use std::collections::BTreeSet;

use atoll_kernel::{
    Fault, Read, Registry, StoreError,
    data::Side,
    flow,
    flow::Local,
    limits::{BULK_PRODUCTS_MAX, CONDITION_VALUES_MAX},
    serde::{Deserialize, Serialize},
};
use atoll_links::PRODUCT_SALES_CHANNEL;
use atoll_product::{PRODUCT, PRODUCTS};
use atoll_sales_channel::{SALES_CHANNEL, SALES_CHANNELS};

use super::{
    LinkIds,
    link::{associate, hooked},
};

use crate::points::{PRODUCTS_LINKED, VALIDATE_LINKS};

/// Number of unknown ids that an error names.
const N_NAMED_MAX: usize = 20;

/// Products to add to a channel, and to remove. A product in both lists is removed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, crate = "atoll_kernel::serde")]
pub struct ChannelProducts {
    /// Id of the channel.
    pub channel: String,
    /// Ids of products to add. All of them must exist.
    pub add: Vec<String>,
    /// Filter of products to add.
    pub add_where: Option<ProductsWhere>,
    /// Ids of products to remove.
    pub remove: Vec<String>,
    /// Filter of products to remove.
    pub remove_where: Option<ProductsWhere>,
}

/// A filter of products: those with one of the values of every field that is given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, crate = "atoll_kernel::serde")]
pub struct ProductsWhere {
    /// Ids of collections.
    pub collection_id: Option<Vec<String>>,
    /// Ids of categories; categories below them are not included.
    pub category_id: Option<Vec<String>>,
    /// Ids of tags.
    pub tag_id: Option<Vec<String>>,
    /// Ids of product types.
    pub type_id: Option<Vec<String>>,
    /// Ids of sales channels that sell the product.
    pub sales_channel_id: Option<Vec<String>>,
}

/// Effect of a [`ChannelProducts`] on each product. Ids are in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(crate = "atoll_kernel::serde")]
pub struct ProductsPlan {
    /// Products that are added.
    pub added: Vec<String>,
    /// Products to add that are in the channel already.
    pub already_there: Vec<String>,
    /// Products that are removed.
    pub removed: Vec<String>,
    /// Products to remove that are not in the channel.
    pub not_there: Vec<String>,
    /// Ids to add without a product. If there are any, the flow changes nothing.
    pub unknown: Vec<String>,
}

flow! {
    /// Adds products to a channel, and removes others, in one transaction.
    pub static LINK_PRODUCTS_TO_SALES_CHANNEL: Flow<ChannelProducts, ()> =
        "link-products-to-sales-channel" (link_products), hooks: &[&VALIDATE_LINKS, &PRODUCTS_LINKED];
}

fn link_products(flow: &mut Local<'_>, products: ChannelProducts) -> Result<(), Fault> {
    let ids = flow.step("find-products", |tx, _| named(tx, &products))?;
    hooked(flow, &ids, &PRODUCTS_LINKED, |flow| {
        let changes = flow.step("validate-products-exist", |tx, _| {
            let plan = plan(tx, &ids)?;
            all_known(&plan.unknown)?;
            Ok(LinkIds { id: ids.id.clone(), add: plan.added, remove: plan.removed })
        })?;
        associate(flow, &PRODUCT_SALES_CHANNEL, Side::Right, &changes)
    })
}

/// The changes that the flow would make now (dry run).
pub fn plan_channel_products(view: &dyn Read, products: &ChannelProducts) -> Result<ProductsPlan, Fault> {
    Ok(plan(view, &named(view, products)?)?)
}

/// The ids to add and to remove, without duplicates.
fn named(tx: &dyn Read, products: &ChannelProducts) -> Result<LinkIds, Fault> {
    if !SALES_CHANNELS.table.exists(tx, &products.channel)? {
        return Err(Fault::not_found(format!("Sales channel with id: {} not found", products.channel)));
    }
    let all = |ids: &[String], found: &Option<ProductsWhere>| {
        let mut all: BTreeSet<String> = ids.iter().cloned().collect();
        if let Some(found) = found {
            all.extend(found.ids(tx)?);
        }
        Ok::<_, Fault>(all)
    };
    let remove = all(&products.remove, &products.remove_where)?;
    let mut add = all(&products.add, &products.add_where)?;
    add.retain(|id| !remove.contains(id));
    let n_products = add.len() + remove.len();
    if n_products > BULK_PRODUCTS_MAX {
        return Err(Fault::invalid(format!(
            "Invalid request: at most {BULK_PRODUCTS_MAX} products can be put in and taken out at once, got: \
             '{n_products}'"
        )));
    }
    Ok(LinkIds {
        id: products.channel.clone(),
        add: add.into_iter().collect(),
        remove: remove.into_iter().collect(),
    })
}

fn plan(tx: &dyn Read, ids: &LinkIds) -> Result<ProductsPlan, StoreError> {
    let mut plan = ProductsPlan::default();
    let [add, remove] = [&ids.add, &ids.remove].map(|it| it.iter().map(String::as_str).collect::<Vec<_>>());
    let are_in = |ids_of: &[&str]| PRODUCT_SALES_CHANNEL.are_linked(tx, Side::Right, &ids.id, ids_of);
    let exist = PRODUCTS.table.exist(tx, &add)?;
    for ((id, is_in), exists) in ids.add.iter().zip(are_in(&add)?).zip(exist) {
        let list = match (is_in, exists) {
            (true, _) => &mut plan.already_there,
            (false, true) => &mut plan.added,
            (false, false) => &mut plan.unknown,
        };
        list.push(id.clone());
    }
    for (id, is_in) in ids.remove.iter().zip(are_in(&remove)?) {
        if is_in { &mut plan.removed } else { &mut plan.not_there }.push(id.clone());
    }
    Ok(plan)
}

fn all_known(unknown: &[String]) -> Result<(), Fault> {
    match unknown {
        [] => Ok(()),
        [id] => Err(Fault::not_found(format!("Product with id: {id} was not found"))),
        ids => {
            let (named, more) = ids.split_at(ids.len().min(N_NAMED_MAX));
            let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
            Err(Fault::not_found(format!("Products with ids: {}{more} were not found", named.join(", "))))
        }
    }
}

impl ProductsWhere {
    fn ids(&self, tx: &dyn Read) -> Result<BTreeSet<String>, Fault> {
        let fields = [
            ("collection_id", "product_collection", once_each(&self.collection_id)),
            ("category_ids", "product_category", once_each(&self.category_id)),
            ("tag_ids", "product_tag", once_each(&self.tag_id)),
            ("type_id", "product_type", once_each(&self.type_id)),
        ];
        let channels = once_each(&self.sales_channel_id);
        let n_values =
            fields.iter().map(|(.., values)| values).chain([&channels]).flatten().flatten().count();
        if n_values > CONDITION_VALUES_MAX {
            return Err(Fault::invalid(format!(
                "Invalid request: a filter of products has {CONDITION_VALUES_MAX} values at most, got: '{n_values}'"
            )));
        }
        let mut sets = Vec::new();
        for (field, entity, values) in &fields {
            if let Some(values) = values {
                check_exist(tx, entity, values)?;
                sets.push(with_values(tx, field, values)?);
            }
        }
        if let Some(channels) = &channels {
            check_exist(tx, SALES_CHANNEL, channels)?;
            let sold = channels.iter().map(|id| PRODUCT_SALES_CHANNEL.lefts(tx, id));
            sets.push(sold.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect());
        }
        let common = sets.into_iter().reduce(|a, b| a.intersection(&b).cloned().collect());
        common.ok_or_else(|| Fault::invalid(NOTHING_TO_FIND_BY))
    }
}

/// Values without duplicates, so that the transaction looks up each one once.
fn once_each(values: &Option<Vec<String>>) -> Option<BTreeSet<&str>> {
    values.as_ref().map(|it| it.iter().map(String::as_str).collect())
}

/// An empty filter is refused: it would match the whole catalogue.
const NOTHING_TO_FIND_BY: &str = "Invalid request: a filter of products names one at least of 'collection_id', \
    'category_id', 'tag_id', 'type_id', 'sales_channel_id'";

fn check_exist(tx: &dyn Read, entity: &str, ids: &BTreeSet<&str>) -> Result<(), Fault> {
    let table = Registry::graph().table(entity);
    for id in ids {
        if !table.has(tx, id)? {
            return Err(Fault::not_found(format!("{} with id: {id} was not found", table.def().words())));
        }
    }
    Ok(())
}

/// Products with one of these values in an indexed field.
fn with_values(tx: &dyn Read, field: &str, values: &BTreeSet<&str>) -> Result<BTreeSet<String>, StoreError> {
    let table = Registry::graph().table(PRODUCT);
    let ids = values.iter().map(|value| table.all_where(tx, field, value));
    Ok(ids.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}
