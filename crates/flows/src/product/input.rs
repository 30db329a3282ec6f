//! Input types of the flows on products and variants, for new and for changed ones.

use std::collections::BTreeMap;

use atoll_inventory::InventoryItem;
use atoll_kernel::{Decimal, data::present, serde::Deserialize};
use atoll_pricing::Rules;
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
    /// Lowest quantity at which it applies.
    pub min_quantity: Option<Decimal>,
    /// Highest quantity at which it applies.
    pub max_quantity: Option<Decimal>,
    /// Values that the price context must have.
    pub rules: Rules,
}

/// A price in a complete list of a variant's prices. Absent fields of an existing price stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PriceChange {
    /// Id of the existing price; none for a new one.
    pub id: Option<String>,
    /// ISO 4217.
    pub currency_code: Option<String>,
    /// In units of the currency.
    pub amount: Option<Decimal>,
    /// Lowest quantity at which it applies.
    #[serde(deserialize_with = "present")]
    pub min_quantity: Option<Option<Decimal>>,
    /// Highest quantity at which it applies.
    #[serde(deserialize_with = "present")]
    pub max_quantity: Option<Option<Decimal>>,
    /// Values that the price context must have.
    pub rules: Option<Rules>,
}

/// An inventory item that a variant takes.
#[derive(Clone, Debug, Deserialize)]
pub struct InventoryPart {
    /// The item.
    pub inventory_item_id: String,
    /// Quantity per unit of the variant.
    pub required_quantity: Decimal,
}

impl InventoryPart {
    /// One unit of an item.
    pub fn one_of(item: &InventoryItem) -> InventoryPart {
        InventoryPart { inventory_item_id: item.id.to_string(), required_quantity: Decimal::ONE }
    }
}

/// A new variant.
#[derive(Clone, Debug, Default)]
pub struct NewVariant {
    /// The record.
    pub variant: ProductVariant,
    /// Option values by the title of the option.
    pub options: BTreeMap<String, String>,
    /// Its prices.
    pub prices: Vec<PriceInput>,
    /// The items that it takes. A variant with managed inventory and none gets an item of its own.
    pub inventory_items: Vec<InventoryPart>,
}

/// A new product.
#[derive(Clone, Debug, Default)]
pub struct NewProduct {
    /// The record.
    pub product: Product,
    /// Its options.
    pub options: Vec<OptionInput>,
    /// Its variants.
    pub variants: Vec<NewVariant>,
    /// Ids of the channels that sell it.
    pub sales_channels: Vec<String>,
}

/// An update of a product. Absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct ProductChanges {
    /// Changed fields of the record.
    pub patch: ProductPatch,
    /// Replaces the channels that sell it.
    pub sales_channels: Option<Vec<String>>,
}
