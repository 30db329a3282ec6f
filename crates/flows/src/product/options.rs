//! Adds options to a product, removes others, and changes which of their values it offers.

use std::collections::HashSet;

use atoll_kernel::{Fault, Moment, Write, flow, flow::Local, serde::Deserialize, serde_json::json};
use atoll_product::{
    OPTIONS, OptionInput, PRODUCTS, Product, ProductOption, attach_option, create_option,
    delete_option_value, detach_option, offer_all, values_of,
};

use crate::points::{OPTIONS_LINKED, OfId, Records, VALIDATE_ID};
use crate::product::IdRef;

/// An option to add to a product.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OptionLink {
    /// An existing one, by id.
    Id(String),
    /// An existing one, by id.
    Ref(IdRef),
    /// A new one.
    New(OptionInput),
}

/// A value to add to an option of the product.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum ValueLink {
    /// One that is there already, by its id.
    Id(String),
    /// An existing or new one, by value.
    New {
        /// The value.
        value: String,
    },
}

/// Changes to the values of an option that the product offers.
#[derive(Clone, Debug, Deserialize)]
pub struct ValueLinks {
    /// The option.
    pub product_option_id: String,
    /// Values to add.
    #[serde(default)]
    pub add: Vec<ValueLink>,
    /// Ids of values to remove.
    #[serde(default)]
    pub remove: Vec<String>,
}

/// Changes to the options of a product.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct OptionLinks {
    /// Options to add.
    pub add: Vec<OptionLink>,
    /// Ids of options to remove.
    pub remove: Vec<String>,
    /// Changes to its options.
    pub update: Vec<ValueLinks>,
}

flow! {
    /// Changes the options of the product with this id. Event: `product.updated`.
    pub static LINK_PRODUCT_OPTIONS: Flow<(String, OptionLinks), Product> =
        "link-product-options-to-product" (link), hooks: &[&VALIDATE_ID, &OPTIONS_LINKED];
}

fn link(flow: &mut Local<'_>, (id, links): (String, OptionLinks)) -> Result<Product, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let product = flow.step("link-product-options", |tx, at| {
        if !PRODUCTS.table.exists(tx, &id)? {
            return Err(Fault::not_found(format!("Product with id \"{id}\" not found")));
        }
        for option in links.add {
            let option = match option {
                OptionLink::Id(id) | OptionLink::Ref(IdRef { id }) => id,
                OptionLink::New(input) => create_option(tx, at, input)?.id.to_string(),
            };
            attach_option(tx, at, &id, &option)?;
        }
        for option in &links.remove {
            detach_option(tx, at, &id, option)?;
        }
        for values in links.update {
            let option = own_option(tx, &id, &values.product_option_id)?;
            link_values(tx, at, &option, values)?;
        }
        Ok(PRODUCTS.retrieve(tx, &id)?)
    })?;
    flow.emit("product.updated", json!({ "id": id }))?;
    flow.hook(&OPTIONS_LINKED, || Records::one(&product))?;
    Ok(product)
}

/// The option, which must belong to the product.
fn own_option(tx: &mut dyn Write, product: &str, option: &str) -> Result<ProductOption, Fault> {
    let product = PRODUCTS.retrieve(tx, product)?;
    match OPTIONS.get(tx, option)? {
        Some(it) if product.option_ids.contains(&it.id) => Ok(it),
        _ => Err(Fault::not_found(format!("Product option with id: {option} was not found"))),
    }
}

fn link_values(
    tx: &mut dyn Write,
    at: &Moment,
    option: &ProductOption,
    links: ValueLinks,
) -> Result<(), Fault> {
    let offered = values_of(tx, &option.id)?;
    let offered: HashSet<&str> = offered.iter().map(|it| &*it.id).collect();
    let known = |id: &str| match offered.contains(id) {
        true => Ok(()),
        false => Err(Fault::not_found(format!("Product option value with id: {id} was not found"))),
    };
    // A product offers all values of its options: others have the shared ones, too.
    if !option.is_exclusive && !links.remove.is_empty() {
        let title = &option.title;
        return Err(Fault::invalid(format!(
            "Values of the shared product option {title} cannot be removed here"
        )));
    }
    let mut new = Vec::new();
    for value in links.add {
        match value {
            ValueLink::Id(id) => known(&id)?,
            ValueLink::New { value } => new.push(value),
        }
    }
    offer_all(tx, at, &option.id, &new)?;
    for id in &links.remove {
        known(id)?;
        delete_option_value(tx, at, id)?;
    }
    Ok(())
}
