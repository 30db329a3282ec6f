//! What a new product comes with.

use std::collections::BTreeMap;

use atoll_inventory::InventoryItem;
use atoll_kernel::{
    Decimal, Fault, present,
    serde::{Deserialize, de::DeserializeOwned},
    serde_json::{Value, from_value},
};
use atoll_product::{OptionInput, Product, ProductPatch, ProductVariant};

use crate::product::{OptionLink, VariantChanges};

/// A reference by id.
#[derive(Clone, Debug, Deserialize)]
pub struct IdRef {
    /// The id.
    pub id: String,
}

/// A price of a variant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PriceInput {
    /// ISO 4217.
    pub currency_code: String,
    /// In units of the currency.
    pub amount: Decimal,
    /// From how many on it applies.
    pub min_quantity: Option<Decimal>,
    /// Up to how many it applies.
    pub max_quantity: Option<Decimal>,
    /// What must be true of the context.
    pub rules: BTreeMap<String, String>,
}

/// A price of a variant from now on. What is absent of one that is there already stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PriceChange {
    /// The price that it was, if it is not new.
    pub id: Option<String>,
    /// ISO 4217.
    pub currency_code: Option<String>,
    /// In units of the currency.
    pub amount: Option<Decimal>,
    /// From how many on it applies.
    #[serde(deserialize_with = "present")]
    pub min_quantity: Option<Option<Decimal>>,
    /// Up to how many it applies.
    #[serde(deserialize_with = "present")]
    pub max_quantity: Option<Option<Decimal>>,
    /// What must be true of the context.
    pub rules: Option<BTreeMap<String, String>>,
}

/// What a variant takes from the shelf.
#[derive(Clone, Debug, Deserialize)]
pub struct InventoryPart {
    /// The item.
    pub inventory_item_id: String,
    /// How many of it.
    pub required_quantity: Decimal,
}

impl InventoryPart {
    /// One of an item.
    pub fn one_of(item: &InventoryItem) -> InventoryPart {
        InventoryPart { inventory_item_id: item.id.to_string(), required_quantity: Decimal::ONE }
    }
}

/// A new variant.
#[derive(Clone, Debug, Default)]
pub struct NewVariant {
    /// The record.
    pub variant: ProductVariant,
    /// Title of an option → value.
    pub options: BTreeMap<String, String>,
    /// What it costs.
    pub prices: Vec<PriceInput>,
    /// What it takes from the shelf; a counted variant without any gets an item of its own.
    pub inventory_items: Vec<InventoryPart>,
}

/// A new product.
#[derive(Clone, Debug, Default)]
pub struct NewProduct {
    /// The record.
    pub product: Product,
    /// What it leaves open, beside the options that it names.
    pub options: Vec<OptionInput>,
    /// Its variants.
    pub variants: Vec<NewVariant>,
    /// The channels that it is sold in.
    pub sales_channels: Vec<String>,
}

/// An update of a product. What is absent stays.
#[derive(Clone, Debug, Default)]
pub struct ProductChanges {
    /// The record.
    pub patch: ProductPatch,
    /// All channels that it is sold in from now on.
    pub sales_channels: Option<Vec<String>>,
}

/// The fields of a body that are no fields of the record.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ProductExtras {
    options: Vec<OptionLink>,
    variants: Vec<Value>,
    tags: Option<Vec<IdRef>>,
    categories: Option<Vec<IdRef>>,
    sales_channels: Option<Vec<IdRef>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct VariantExtras {
    options: BTreeMap<String, String>,
    prices: Vec<PriceInput>,
    inventory_items: Vec<InventoryPart>,
}

fn read<T: DeserializeOwned>(body: Value) -> Result<T, Fault> {
    from_value(body).map_err(|error| Fault::invalid(format!("Invalid request: {error}")))
}

/// Null where a field has a default means the default.
fn without_nulls(mut body: Value) -> Value {
    if let Value::Object(object) = &mut body {
        object.retain(|_, value| !value.is_null());
    }
    body
}

fn ids<T: From<String>>(refs: Vec<IdRef>) -> Vec<T> {
    refs.into_iter().map(|it| T::from(it.id)).collect()
}

/// Takes the fields that both the record and the extras have, which mean different things in each, away.
fn without(mut body: Value, fields: &[&str]) -> Value {
    if let Value::Object(object) = &mut body {
        fields.iter().for_each(|field| {
            object.remove(*field);
        });
    }
    body
}

impl NewProduct {
    /// Reads the body of a request, as its schema described it.
    pub fn from_body(body: Value) -> Result<Self, Fault> {
        let body = without_nulls(body);
        let extras: ProductExtras = read(body.clone())?;
        let mut product: Product = read(body)?;
        product.tag_ids = ids(extras.tags.unwrap_or_default());
        product.category_ids = ids(extras.categories.unwrap_or_default());
        let variants: Result<_, Fault> = extras.variants.into_iter().map(NewVariant::from_body).collect();
        let variants: Vec<NewVariant> = variants?;
        let sales_channels = ids(extras.sales_channels.unwrap_or_default());
        let mut options = Vec::new();
        for option in extras.options {
            match option {
                OptionLink::Id(id) | OptionLink::Ref(IdRef { id }) => product.option_ids.push(id.into()),
                OptionLink::New(option) => options.push(option),
            }
        }
        Ok(NewProduct { product, options, variants, sales_channels })
    }
}

/// The fields of an update of a variant that are no fields of the record.
#[derive(Default, Deserialize)]
#[serde(default)]
struct VariantExtraChanges {
    options: BTreeMap<String, String>,
    prices: Option<Vec<PriceChange>>,
}

impl VariantChanges {
    /// Reads the body of a request, as its schema described it.
    pub fn from_body(id: String, body: Value) -> Result<Self, Fault> {
        let VariantExtraChanges { options, prices } = read(body.clone())?;
        Ok(VariantChanges { id, patch: read(without(body, &["options", "prices"]))?, options, prices })
    }
}

impl NewVariant {
    /// Reads the body of a request, as its schema described it.
    pub fn from_body(body: Value) -> Result<Self, Fault> {
        let body = without_nulls(body);
        let extras: VariantExtras = read(body.clone())?;
        let variant = read(without(body, &["options", "prices", "inventory_items"]))?;
        let VariantExtras { options, prices, inventory_items } = extras;
        Ok(NewVariant { variant, options, prices, inventory_items })
    }
}

impl ProductChanges {
    /// Reads the body of a request, as its schema described it.
    pub fn from_body(body: Value) -> Result<Self, Fault> {
        // A handle of null is none: the product keeps its own.
        let body = match body.get("handle") {
            Some(Value::Null) => without(body, &["handle"]),
            _ => body,
        };
        let extras: ProductExtras = read(body.clone())?;
        let mut patch: ProductPatch = read(body)?;
        patch.tag_ids = extras.tags.map(ids);
        patch.category_ids = extras.categories.map(ids);
        Ok(ProductChanges { patch, sales_channels: extras.sales_channels.map(ids) })
    }
}
