//! The format of the catalogue file (JSON). Records refer to each other by handle; unknown fields are
//! ignored.

use atoll_kernel::{
    Decimal,
    serde_json::{self, Value, value::RawValue},
};
use serde::{Deserialize, Deserializer, de::Error};

/// UTF-8 byte order mark, which some editors write.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lists of a catalogue and of its records.
const LISTS: [&str; 10] = [
    "sales_channels", "stock_locations", "categories", "collections", "products", "listings", "variants",
    "prices", "stock", "parts",
];

/// Why a file is not a catalogue.
#[derive(Debug, thiserror::Error)]
pub enum NotACatalogue {
    /// Invalid JSON, or a field of the wrong type.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A list contains something else than records.
    #[error("{0} is not an object")]
    NoObject(String),
}

impl Catalogue {
    /// Parses a file. A byte order mark is skipped.
    pub fn from_json(bytes: &[u8]) -> Result<Catalogue, NotACatalogue> {
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        // Serde also reads records from arrays; that is refused here.
        check_objects("the file", &serde_json::from_slice(bytes)?)?;
        Ok(serde_json::from_slice(bytes)?)
    }
}

fn check_objects(path: &str, value: &Value) -> Result<(), NotACatalogue> {
    let Value::Object(fields) = value else { return Err(NotACatalogue::NoObject(path.to_owned())) };
    for name in LISTS {
        let records = fields.get(name).and_then(Value::as_array);
        // The channels of a location are handles, not records.
        for (n, record) in records.into_iter().flatten().enumerate().filter(|(_, it)| !it.is_string()) {
            check_objects(&format!("{name}[{n}]"), record)?;
        }
    }
    Ok(())
}

/// Reads a number exactly: as a float it would be rounded before its length is checked.
fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let value = Box::<RawValue>::deserialize(deserializer)?;
    let text = value.get();
    if text.starts_with(|it: char| it == '-' || it.is_ascii_digit()) {
        return text.parse().map_err(|error| D::Error::custom(format!("`{text}` is {error}")));
    }
    serde_json::from_str(text).map_err(D::Error::custom)
}

/// A catalogue file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Catalogue {
    /// Origin of the data, for people.
    pub source: Option<String>,
    /// The channels.
    pub sales_channels: Vec<CatalogueChannel>,
    /// The stock locations.
    pub stock_locations: Vec<CatalogueLocation>,
    /// The categories, parents first.
    pub categories: Vec<CatalogueCategory>,
    /// The collections.
    pub collections: Vec<CatalogueCollection>,
    /// The products.
    pub products: Vec<CatalogueProduct>,
}

/// A channel.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueChannel {
    /// By which other records of the file refer to it.
    pub handle: String,
    /// Shown to admins.
    pub name: String,
    /// Shown to admins.
    pub description: Option<String>,
    /// A disabled channel sells nothing.
    pub is_disabled: bool,
    /// ISO 4217. With `country_code` it makes a region.
    pub currency_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country_code: Option<String>,
}

/// A stock location.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueLocation {
    /// By which other records of the file refer to it.
    pub handle: String,
    /// Shown to admins.
    pub name: String,
    /// Handles of the channels that sell from it.
    pub sales_channels: Vec<String>,
}

/// A category.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueCategory {
    /// Name in URLs, and in references within the file.
    pub handle: String,
    /// Shown to shoppers.
    pub name: String,
    /// Handle of the parent category.
    pub parent: Option<String>,
}

/// A collection.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueCollection {
    /// Name in URLs, and in references within the file.
    pub handle: String,
    /// Shown to shoppers.
    pub title: String,
}

/// A product.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueProduct {
    /// Name in URLs. An existing product with it is updated.
    pub handle: String,
    /// Shown to shoppers.
    pub title: String,
    /// Plain text; HTML entities are decoded.
    pub description: Option<String>,
    /// Name of its product type.
    pub r#type: Option<String>,
    /// Handle of its category.
    pub category: Option<String>,
    /// Handles of its collections. A product has one collection: the first one counts.
    pub collections: Vec<String>,
    /// URLs of its images.
    pub images: Vec<String>,
    /// Its listings in channels.
    pub listings: Vec<CatalogueListing>,
    /// Its variants.
    pub variants: Vec<CatalogueVariant>,
}

/// A product in a channel, with the window in which it is sold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueListing {
    /// Handle of the channel.
    pub channel: String,
    /// Start of the window, RFC 3339; always by default.
    pub available_from: Option<String>,
    /// End of the window, RFC 3339; never by default.
    pub available_until: Option<String>,
    /// False takes the product out of the channel.
    pub published: bool,
    /// False hides the product from lists of the channel.
    pub visible_in_listings: Option<bool>,
}

/// A variant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueVariant {
    /// Stock keeping unit, unique. Without one (or with an empty one) the variant is matched by its title.
    pub sku: Option<String>,
    /// Title, and value of the product's option.
    pub title: String,
    /// Is its stock counted?
    pub manage_inventory: bool,
    /// May it be sold beyond its stock?
    pub allow_backorder: bool,
    /// Prices, one per currency.
    pub prices: Vec<CataloguePrice>,
    /// Stock by location.
    pub stock: Vec<CatalogueStock>,
    /// Parts of a kit. A kit has no stock of its own.
    pub parts: Vec<CataloguePart>,
}

/// A price.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CataloguePrice {
    /// ISO 4217.
    pub currency_code: String,
    /// In units of the currency, as a decimal string: `"19.90"`.
    pub amount: String,
}

/// Stock of a variant at a location.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueStock {
    /// Handle of the location.
    pub location: String,
    /// Stocked quantity.
    #[serde(deserialize_with = "exact")]
    pub stocked_quantity: Decimal,
}

/// Part of a kit: a quantity of another variant's item.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CataloguePart {
    /// SKU of the other variant, which must come before the kit in the file.
    pub sku: String,
    /// Quantity per kit.
    #[serde(deserialize_with = "exact")]
    pub quantity: Decimal,
}
