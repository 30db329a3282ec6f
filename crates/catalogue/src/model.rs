//! The shape of a catalogue file. Records refer to each other by handle; unknown fields are ignored.

use atoll_kernel::{
    Decimal,
    serde_json::{self, Value, value::RawValue},
};
use serde::{Deserialize, Deserializer, de::Error};

/// The bytes by which some editors say that a file is UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lists of a catalogue and of its records.
const LISTS: [&str; 10] = [
    "sales_channels", "stock_locations", "categories", "collections", "products", "listings", "variants",
    "prices", "stock", "parts",
];

/// Why a file is not a catalogue.
#[derive(Debug, thiserror::Error)]
pub enum NotACatalogue {
    /// It is no JSON, or a field has another type.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Something else stands where a record must.
    #[error("{0} is not an object")]
    NoObject(String),
}

impl Catalogue {
    /// Reads a file. A byte order mark is skipped.
    pub fn from_json(bytes: &[u8]) -> Result<Catalogue, NotACatalogue> {
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        // Records are read from lists of values, too, unless somebody looks.
        check_objects("the file", &serde_json::from_slice(bytes)?)?;
        Ok(serde_json::from_slice(bytes)?)
    }
}

fn check_objects(place: &str, value: &Value) -> Result<(), NotACatalogue> {
    let Value::Object(fields) = value else { return Err(NotACatalogue::NoObject(place.to_owned())) };
    for name in LISTS {
        let records = fields.get(name).and_then(Value::as_array);
        // The list of channels of a location holds handles.
        for (n, record) in records.into_iter().flatten().enumerate().filter(|(_, it)| !it.is_string()) {
            check_objects(&format!("{name}[{n}]"), record)?;
        }
    }
    Ok(())
}

/// A number as the file has it: read as a float it would be rounded before anybody can say that it is too
/// long.
fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let value = Box::<RawValue>::deserialize(deserializer)?;
    let text = value.get();
    if text.starts_with(|it: char| it == '-' || it.is_ascii_digit()) {
        return text.parse().map_err(|error| D::Error::custom(format!("`{text}` is {error}")));
    }
    serde_json::from_str(text).map_err(D::Error::custom)
}

/// A catalogue.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Catalogue {
    /// Where it comes from.
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
    /// What others refer to it by.
    pub handle: String,
    /// What admins call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Does it sell nothing?
    pub is_disabled: bool,
    /// The currency that it sells in; with the country it makes a region.
    pub currency_code: Option<String>,
    /// The country that it sells to.
    pub country_code: Option<String>,
}

/// A stock location.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueLocation {
    /// What others refer to it by.
    pub handle: String,
    /// What admins call it.
    pub name: String,
    /// The handles of the channels that sell from it.
    pub sales_channels: Vec<String>,
}

/// A category.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueCategory {
    /// Its name in URLs.
    pub handle: String,
    /// What it is called.
    pub name: String,
    /// The handle of the category that it is in.
    pub parent: Option<String>,
}

/// A collection.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueCollection {
    /// Its name in URLs.
    pub handle: String,
    /// What it is called.
    pub title: String,
}

/// A product.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueProduct {
    /// Its name in URLs.
    pub handle: String,
    /// What it is called.
    pub title: String,
    /// What it is; HTML entities are read as what they stand for.
    pub description: Option<String>,
    /// What kind of thing it is.
    pub r#type: Option<String>,
    /// The handle of its category.
    pub category: Option<String>,
    /// The handles of its collections. A product is in one; the first counts.
    pub collections: Vec<String>,
    /// The URLs of its pictures.
    pub images: Vec<String>,
    /// The channels that it is sold in.
    pub listings: Vec<CatalogueListing>,
    /// Its variants.
    pub variants: Vec<CatalogueVariant>,
}

/// A product in a channel.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueListing {
    /// The handle of the channel.
    pub channel: String,
    /// From when on it is sold there.
    pub available_from: Option<String>,
    /// Until when it is sold there.
    pub available_until: Option<String>,
    /// Is it sold there at all?
    pub published: bool,
    /// Is it shown in lists, too?
    pub visible_in_listings: Option<bool>,
}

/// A variant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueVariant {
    /// The stock keeping unit. Without one, or with an empty one, the variant is known by its title.
    pub sku: Option<String>,
    /// What it is called.
    pub title: String,
    /// Is it counted?
    pub manage_inventory: bool,
    /// May more be sold than there is?
    pub allow_backorder: bool,
    /// What it costs.
    pub prices: Vec<CataloguePrice>,
    /// What lies of it where.
    pub stock: Vec<CatalogueStock>,
    /// For a kit: what it is made of. It has no stock of its own then.
    pub parts: Vec<CataloguePart>,
}

/// A price.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CataloguePrice {
    /// ISO 4217.
    pub currency_code: String,
    /// In units of the currency, as text.
    pub amount: String,
}

/// Some of a variant at a location.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueStock {
    /// The handle of the location.
    pub location: String,
    /// How many.
    #[serde(deserialize_with = "exact")]
    pub stocked_quantity: Decimal,
}

/// Part of a kit: so many of the item of another variant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CataloguePart {
    /// The SKU of the other variant, which must come before the kit.
    pub sku: String,
    /// How many of it.
    #[serde(deserialize_with = "exact")]
    pub quantity: Decimal,
}
