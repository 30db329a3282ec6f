//! The format of the catalogue file (JSON). Records refer to each other by handle; unknown fields are
//! ignored.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use atoll_kernel::{
    Decimal,
    serde_json::{self, value::RawValue},
};
use atoll_product::ProductStatus;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{Detail, ProblemKind, report::LISTED_MAX};

/// A record of a list: an object. Serde would also read one from an array.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

fn records<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Vec::<Object<T>>::deserialize(deserializer)?.into_iter().map(|it| it.0).collect())
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

/// Where a value stands in a file of rows. A JSON file has none: its problems have a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The row, as a spreadsheet counts it: the header is row 1.
    pub row: u64,
    /// The column, from 0, if it is about one.
    pub column: Option<u16>,
}

/// A problem that was found while a row was read, for the report.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) place: Place,
    pub(crate) kind: ProblemKind,
    pub(crate) message: String,
}

/// The problems that were found while the rows of a product were read: of each kind as many as a report
/// lists, and how many there are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    listed: Vec<Note>,
    n_notes: BTreeMap<ProblemKind, usize>,
}

impl Notes {
    pub(crate) fn add(&mut self, place: Place, kind: ProblemKind, message: impl FnOnce() -> String) {
        let n_notes = self.n_notes.entry(kind).or_default();
        *n_notes += 1;
        if *n_notes <= LISTED_MAX {
            self.listed.push(Note { place, kind, message: message() });
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    pub(crate) fn listed(&self) -> &[Note] {
        &self.listed
    }

    /// How many there are of each kind beyond those that are listed.
    pub(crate) fn n_more(&self) -> impl Iterator<Item = (ProblemKind, usize)> {
        self.n_notes.iter().map(|(kind, n)| (*kind, n.saturating_sub(LISTED_MAX)))
    }

    /// About how many bytes they take in memory.
    pub(crate) fn n_bytes(&self) -> usize {
        self.listed.iter().map(|it| size_of_val(it) + it.message.len()).sum()
    }
}

/// A catalogue file.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
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
    #[serde(deserialize_with = "records")]
    pub listings: Vec<CatalogueListing>,
    /// Its variants.
    #[serde(deserialize_with = "records")]
    pub variants: Vec<CatalogueVariant>,
    /// What only files of rows say.
    #[serde(skip)]
    pub(crate) rows: ProductRows,
}

/// What a file of rows says of a product beyond a JSON file.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProductRows {
    pub(crate) place: Option<Place>,
    /// By which an existing product is found before its handle is tried.
    pub(crate) id: String,
    pub(crate) status: Option<WantedStatus>,
    /// Values of its tags, if the file says them.
    pub(crate) tags: Option<Vec<String>>,
    /// Handles or ids of its categories, if the file says them.
    pub(crate) categories: Option<Vec<String>>,
    /// Further fields, as text; an empty one is none.
    pub(crate) details: BTreeMap<Detail, String>,
    /// Why it is left out, if the rows alone say that.
    pub(crate) refused: Option<String>,
    pub(crate) notes: Notes,
}

/// The status that a file wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WantedStatus {
    Is(ProductStatus),
    /// Any but published: a draft, unless it is not published already.
    Unpublished,
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
    /// Does the file say nothing of the window? It stays as it is then.
    #[serde(skip)]
    pub(crate) keeps_window: bool,
    #[serde(skip)]
    pub(crate) place: Option<Place>,
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
    #[serde(deserialize_with = "records")]
    pub prices: Vec<CataloguePrice>,
    /// Stock by location.
    #[serde(deserialize_with = "records")]
    pub stock: Vec<CatalogueStock>,
    /// Parts of a kit. A kit has no stock of its own.
    #[serde(deserialize_with = "records")]
    pub parts: Vec<CataloguePart>,
    /// What only files of rows say.
    #[serde(skip)]
    pub(crate) rows: VariantRows,
}

/// What a file of rows says of a variant beyond a JSON file.
#[derive(Clone, Debug, Default)]
pub(crate) struct VariantRows {
    pub(crate) place: Option<Place>,
    /// By which an existing variant is found before its SKU is tried.
    pub(crate) id: String,
    /// Values by option, in the order of the options. None: the title is the value of the only option.
    pub(crate) options: Vec<(String, String)>,
    /// Further fields, as text; an empty one is none.
    pub(crate) details: BTreeMap<Detail, String>,
}

/// A price.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CataloguePrice {
    /// ISO 4217. In a file of rows it may be empty: the default currency of the import.
    pub currency_code: String,
    /// In units of the currency, as a decimal string: `"19.90"`.
    pub amount: String,
    #[serde(skip)]
    pub(crate) place: Option<Place>,
}

/// Stock of a variant at a location.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueStock {
    /// Handle of the location. In a file of rows it may be empty: the default location of the import.
    pub location: String,
    /// Stocked quantity.
    #[serde(deserialize_with = "exact")]
    pub stocked_quantity: Decimal,
    #[serde(skip)]
    pub(crate) place: Option<Place>,
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
