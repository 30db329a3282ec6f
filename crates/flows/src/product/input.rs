//! Input of the flows on products and variants: what new ones come with, and what changes of one that is
//! there.

use std::collections::BTreeMap;

use atoll_inventory::InventoryItem;
use atoll_kernel::{Decimal, present, serde::Deserialize};
use atoll_product::{OptionInput, Product, ProductPatch, ProductVariant};

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
