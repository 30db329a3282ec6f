//! The vocabularies of CSV files: which columns each has, and what they mean. The same tables read and write.

use std::fmt;

use atoll_kernel::{limits::CSV_COLUMNS_MAX, registry::nearest};

use crate::Detail;

/// What the columns of a file are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vocabulary {
    /// Shopify's: `URL handle`, `SKU`, `Price`.
    Shopify,
    /// Shopify's, as it was before: `Handle`, `Variant SKU`, `Variant Price`.
    ShopifyLegacy,
    /// Medusa's: `Product Handle`, `Variant SKU`, `Variant Price EUR`.
    Medusa,
    /// Which channel sells what, and when: a row per product or variant in a channel.
    Listings,
    /// What is in stock: a row per SKU and location.
    Stock,
}

/// What a column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Field {
    ProductId,
    Handle,
    Title,
    Description,
    Status,
    /// Is it in the channels of the import?
    Published,
    Type,
    /// All tags, between commas.
    Tags,
    Tag,
    Collection,
    Category,
    Image,
    ImagePosition,
    /// A channel that sells the product.
    Channel,
    GiftCard,
    OfProduct(Detail),
    VariantId,
    VariantTitle,
    Sku,
    /// Is the stock counted? `TRUE` or `FALSE`.
    Managed,
    /// Who counts the stock: `shopify`, or nobody.
    Tracker,
    /// `TRUE` or `FALSE`.
    Backorder,
    /// `deny` or `continue`.
    Policy,
    Price,
    Quantity,
    OptionName,
    OptionValue,
    OfVariant(Detail),
    Variant,
    From,
    Until,
    Enabled,
    Location,
    /// Known, and nothing here has a place for it.
    Nothing,
}

impl Field {
    /// Does a spreadsheet read its values as numbers? They are not escaped.
    pub(crate) fn is_number(self) -> bool {
        match self {
            Field::Price | Field::Quantity | Field::ImagePosition => true,
            Field::OfProduct(it) | Field::OfVariant(it) => it.is_number(),
            _ => false,
        }
    }

    /// Does it belong to a variant rather than to its product?
    pub(crate) fn is_of_variant(self) -> bool {
        matches!(
            self,
            Field::VariantId
                | Field::VariantTitle
                | Field::Sku
                | Field::Price
                | Field::Quantity
                | Field::OptionValue
                | Field::OfVariant(Detail::Barcode | Detail::Ean | Detail::Upc)
        )
    }
}

/// A column of a vocabulary. In its name `#` stands for a number from 1, `$` for a currency.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) field: Field,
    /// Is it written? Others are another spelling of one that is.
    pub(crate) is_written: bool,
}

const fn column(name: &'static str, field: Field) -> Column {
    Column { name, field, is_written: true }
}

/// Another spelling of a column.
const fn also(name: &'static str, field: Field) -> Column {
    Column { name, field, is_written: false }
}

const SHOPIFY: &[Column] = &[
    column("Title", Field::Title),
    column("URL handle", Field::Handle),
    column("Description", Field::Description),
    column("Vendor", Field::OfProduct(Detail::Vendor)),
    also("Product category", Field::Nothing),
    column("Type", Field::Type),
    column("Tags", Field::Tags),
    also("Collection", Field::Collection),
    column("Published on online store", Field::Published),
    column("Status", Field::Status),
    column("SKU", Field::Sku),
    column("Barcode", Field::OfVariant(Detail::Barcode)),
    column("Option# name", Field::OptionName),
    column("Option# value", Field::OptionValue),
    also("Option# linked to", Field::Nothing),
    column("Price", Field::Price),
    column("Compare-at price", Field::OfVariant(Detail::CompareAt)),
    also("Cost per item", Field::Nothing),
    also("Charge tax", Field::Nothing),
    also("Tax code", Field::Nothing),
    also("Unit price total measure", Field::Nothing),
    also("Unit price total measure unit", Field::Nothing),
    also("Unit price base measure", Field::Nothing),
    also("Unit price base measure unit", Field::Nothing),
    column("Inventory tracker", Field::Tracker),
    column("Inventory quantity", Field::Quantity),
    column("Continue selling when out of stock", Field::Policy),
    column("Weight value (grams)", Field::OfVariant(Detail::Weight)),
    also("Weight unit for display", Field::Nothing),
    also("Requires shipping", Field::Nothing),
    also("Fulfillment service", Field::Nothing),
    column("Product image URL", Field::Image),
    column("Image position", Field::ImagePosition),
    also("Image alt text", Field::Nothing),
    also("Variant image URL", Field::Nothing),
    also("Gift card", Field::GiftCard),
    also("SEO title", Field::Nothing),
    also("SEO description", Field::Nothing),
];

const SHOPIFY_LEGACY: &[Column] = &[
    column("Handle", Field::Handle),
    column("Title", Field::Title),
    column("Body (HTML)", Field::Description),
    column("Vendor", Field::OfProduct(Detail::Vendor)),
    also("Product Category", Field::Nothing),
    also("Standard Product Type", Field::Nothing),
    column("Type", Field::Type),
    also("Custom Product Type", Field::Type),
    column("Tags", Field::Tags),
    also("Collection", Field::Collection),
    column("Published", Field::Published),
    column("Option# Name", Field::OptionName),
    column("Option# Value", Field::OptionValue),
    also("Option# Linked To", Field::Nothing),
    column("Variant SKU", Field::Sku),
    column("Variant Grams", Field::OfVariant(Detail::Weight)),
    column("Variant Inventory Tracker", Field::Tracker),
    column("Variant Inventory Qty", Field::Quantity),
    column("Variant Inventory Policy", Field::Policy),
    also("Variant Fulfillment Service", Field::Nothing),
    column("Variant Price", Field::Price),
    column("Variant Compare At Price", Field::OfVariant(Detail::CompareAt)),
    also("Variant Requires Shipping", Field::Nothing),
    also("Variant Taxable", Field::Nothing),
    also("Unit Price Total Measure", Field::Nothing),
    also("Unit Price Total Measure Unit", Field::Nothing),
    also("Unit Price Base Measure", Field::Nothing),
    also("Unit Price Base Measure Unit", Field::Nothing),
    column("Variant Barcode", Field::OfVariant(Detail::Barcode)),
    column("Image Src", Field::Image),
    column("Image Position", Field::ImagePosition),
    also("Image Alt Text", Field::Nothing),
    also("Gift Card", Field::GiftCard),
    also("SEO Title", Field::Nothing),
    also("SEO Description", Field::Nothing),
    also("Variant Image", Field::Nothing),
    also("Variant Weight Unit", Field::Nothing),
    also("Variant Tax Code", Field::Nothing),
    also("Cost per item", Field::Nothing),
    column("Status", Field::Status),
];

const MEDUSA: &[Column] = &[
    column("Product Id", Field::ProductId),
    column("Product Handle", Field::Handle),
    column("Product Title", Field::Title),
    column("Product Subtitle", Field::OfProduct(Detail::Subtitle)),
    column("Product Description", Field::Description),
    column("Product Status", Field::Status),
    column("Product Thumbnail", Field::OfProduct(Detail::Thumbnail)),
    column("Product Weight", Field::OfProduct(Detail::Weight)),
    column("Product Length", Field::OfProduct(Detail::Length)),
    column("Product Width", Field::OfProduct(Detail::Width)),
    column("Product Height", Field::OfProduct(Detail::Height)),
    column("Product HS Code", Field::OfProduct(Detail::HsCode)),
    column("Product Origin Country", Field::OfProduct(Detail::OriginCountry)),
    column("Product MID Code", Field::OfProduct(Detail::MidCode)),
    column("Product Material", Field::OfProduct(Detail::Material)),
    column("Product External Id", Field::OfProduct(Detail::ExternalId)),
    column("Product Discountable", Field::OfProduct(Detail::Discountable)),
    column("Product Collection Handle", Field::Collection),
    also("Product Collection Id", Field::Collection),
    also("Product Collection Title", Field::Collection),
    column("Product Type", Field::Type),
    also("Product Type Id", Field::Type),
    also("Product Tags", Field::Tags),
    column("Product Tag #", Field::Tag),
    also("Product Tag # Id", Field::Tag),
    column("Product Category # Handle", Field::Category),
    also("Product Category #", Field::Category),
    also("Product Category # Id", Field::Category),
    also("Product Category # Name", Field::Nothing),
    also("Product Category # Description", Field::Nothing),
    also("Product Profile Name", Field::Nothing),
    also("Product Profile Type", Field::Nothing),
    also("Shipping Profile Id", Field::Nothing),
    also("Product Is Giftcard", Field::GiftCard),
    also("Product Created At", Field::Nothing),
    also("Product Updated At", Field::Nothing),
    also("Product Deleted At", Field::Nothing),
    also("Product Metadata", Field::Nothing),
    column("Variant Id", Field::VariantId),
    column("Variant Title", Field::VariantTitle),
    column("Variant SKU", Field::Sku),
    column("Variant Barcode", Field::OfVariant(Detail::Barcode)),
    column("Variant EAN", Field::OfVariant(Detail::Ean)),
    column("Variant UPC", Field::OfVariant(Detail::Upc)),
    column("Variant Allow Backorder", Field::Backorder),
    column("Variant Manage Inventory", Field::Managed),
    column("Variant Weight", Field::OfVariant(Detail::Weight)),
    column("Variant Length", Field::OfVariant(Detail::Length)),
    column("Variant Width", Field::OfVariant(Detail::Width)),
    column("Variant Height", Field::OfVariant(Detail::Height)),
    column("Variant HS Code", Field::OfVariant(Detail::HsCode)),
    column("Variant Origin Country", Field::OfVariant(Detail::OriginCountry)),
    column("Variant MID Code", Field::OfVariant(Detail::MidCode)),
    column("Variant Material", Field::OfVariant(Detail::Material)),
    also("Variant Inventory Quantity", Field::Quantity),
    also("Variant Rank", Field::Nothing),
    also("Variant Metadata", Field::Nothing),
    also("Variant Thumbnail", Field::Nothing),
    also("Variant Created At", Field::Nothing),
    also("Variant Updated At", Field::Nothing),
    also("Variant Deleted At", Field::Nothing),
    also("Variant Product Id", Field::Nothing),
    column("Variant Price $", Field::Price),
    also("Price $", Field::Price),
    column("Variant Option # Name", Field::OptionName),
    also("Option # Name", Field::OptionName),
    column("Variant Option # Value", Field::OptionValue),
    also("Option # Value", Field::OptionValue),
    column("Product Image # Url", Field::Image),
    also("Product Image #", Field::Image),
    also("Image # Url", Field::Image),
    column("Product Sales Channel # Name", Field::Channel),
    also("Product Sales Channel # Id", Field::Channel),
    also("Product Sales Channel #", Field::Channel),
    also("Sales Channel # Name", Field::Channel),
    also("Sales Channel # Id", Field::Channel),
    also("Product Sales Channel # Description", Field::Nothing),
    also("Sales Channel # Description", Field::Nothing),
];

const LISTINGS: &[Column] = &[
    column("channel", Field::Channel),
    column("product", Field::Handle),
    column("variant", Field::Variant),
    column("from", Field::From),
    column("until", Field::Until),
    column("enabled", Field::Enabled),
];

const STOCK: &[Column] =
    &[column("location", Field::Location), column("sku", Field::Sku), column("stocked", Field::Quantity)];

impl Vocabulary {
    /// All of them.
    pub const ALL: [Vocabulary; 5] = [
        Vocabulary::Shopify,
        Vocabulary::ShopifyLegacy,
        Vocabulary::Medusa,
        Vocabulary::Listings,
        Vocabulary::Stock,
    ];

    /// Its name in commands and requests.
    pub const fn name(self) -> &'static str {
        match self {
            Vocabulary::Shopify => "shopify",
            Vocabulary::ShopifyLegacy => "shopify-legacy",
            Vocabulary::Medusa => "medusa",
            Vocabulary::Listings => "listings",
            Vocabulary::Stock => "stock",
        }
    }

    /// The vocabulary of this name.
    pub fn named(name: &str) -> Option<Vocabulary> {
        Vocabulary::ALL.into_iter().find(|it| it.name() == name)
    }

    pub(crate) fn columns(self) -> &'static [Column] {
        match self {
            Vocabulary::Shopify => SHOPIFY,
            Vocabulary::ShopifyLegacy => SHOPIFY_LEGACY,
            Vocabulary::Medusa => MEDUSA,
            Vocabulary::Listings => LISTINGS,
            Vocabulary::Stock => STOCK,
        }
    }

    /// The columns that a file must have.
    fn required(self) -> &'static [&'static str] {
        match self {
            Vocabulary::Shopify => &["Title", "URL handle"],
            Vocabulary::ShopifyLegacy => &["Handle", "Title"],
            Vocabulary::Medusa => &["Product Handle", "Product Title"],
            Vocabulary::Listings => &["channel", "product", "enabled"],
            Vocabulary::Stock => &["location", "sku", "stocked"],
        }
    }

    pub(crate) fn is_shopify(self) -> bool {
        matches!(self, Vocabulary::Shopify | Vocabulary::ShopifyLegacy)
    }
}

/// A column of a file.
#[derive(Clone, Debug)]
pub(crate) struct Heading {
    pub(crate) name: String,
    /// `None`: it is unknown.
    pub(crate) field: Option<Field>,
    /// Its number, from 1, of several like it.
    pub(crate) n: u16,
    /// The currency in its name, in lower case.
    pub(crate) currency: String,
}

/// The header of a file, recognised.
#[derive(Clone, Debug)]
pub struct Header {
    pub(crate) vocabulary: Vocabulary,
    pub(crate) headings: Vec<Heading>,
}

/// Why a header is none.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// Its columns are of no vocabulary.
    #[error(
        "the first row is no header that is known: it has neither `Handle`, `URL handle` nor `Product Handle`"
    )]
    Unknown,
    /// A column that is needed is not there.
    #[error("column `{name}` is missing{nearest}")]
    Missing {
        /// The column.
        name: &'static str,
        /// The nearest one that is there, as a hint.
        nearest: String,
    },
    /// A column is unknown, of a file whose rows say something else without it.
    #[error("column `{name}` is unknown{nearest}")]
    UnknownColumn {
        /// The column.
        name: String,
        /// The nearest one that is known, as a hint.
        nearest: String,
    },
    /// A column is there twice.
    #[error("column `{0}` is there twice")]
    Twice(String),
}

impl Header {
    /// Recognises the vocabulary that knows the most of these columns.
    pub(crate) fn of(names: &[String]) -> Result<Header, HeaderError> {
        let read = |vocabulary| Header {
            vocabulary,
            headings: names.iter().map(|it| heading(vocabulary, it)).collect(),
        };
        let mut known: Vec<(usize, Header)> =
            Vocabulary::ALL.map(read).into_iter().map(|it| (it.n_known(), it)).collect();
        // Of two that know as many, the first: the sort is stable.
        known.sort_by_key(|(n_known, _)| std::cmp::Reverse(*n_known));
        let (n_known, header) = known.swap_remove(0);
        if n_known == 0 {
            return Err(HeaderError::Unknown);
        }
        for name in header.vocabulary.required() {
            if !names.iter().any(|it| it.eq_ignore_ascii_case(name)) {
                let near = header.headings.iter().filter(|it| it.field.is_none());
                let nearest = nearest(name, near.map(|it| it.name.as_str()));
                return Err(HeaderError::Missing { name, nearest });
            }
        }
        if matches!(header.vocabulary, Vocabulary::Listings | Vocabulary::Stock)
            && let Some(it) = header.headings.iter().find(|it| it.field.is_none() && !it.name.is_empty())
        {
            let nearest = nearest(&it.name, header.vocabulary.columns().iter().map(|it| it.name));
            return Err(HeaderError::UnknownColumn { name: it.name.clone(), nearest });
        }
        match names.iter().enumerate().find(|(n, it)| !it.is_empty() && names[..*n].contains(it)) {
            Some((_, twice)) => Err(HeaderError::Twice(twice.clone())),
            None => Ok(header),
        }
    }

    fn n_known(&self) -> usize {
        self.headings.iter().filter(|it| it.field.is_some()).count()
    }

    /// Has the file a column of this field?
    pub(crate) fn tells(&self, field: Field) -> bool {
        self.headings.iter().any(|it| it.field == Some(field))
    }

    /// The first column of this field.
    pub(crate) fn column_of(&self, field: Field) -> Option<u16> {
        self.headings.iter().position(|it| it.field == Some(field)).map(|it| it as u16)
    }

    /// What is to be said of its columns: those that are unknown, and those that nothing here has a place
    /// for.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = (u16, String)> {
        self.headings.iter().enumerate().filter_map(|(n, it)| {
            let known = self.vocabulary.columns().iter().map(|it| it.name);
            let message = match it.field {
                None if it.name.is_empty() => return None,
                None => format!("it is unknown{}; it was left out", nearest(&it.name, known)),
                Some(Field::Nothing) => "nothing here has a place for it; it was left out".to_owned(),
                Some(_) => return None,
            };
            Some((n as u16, message))
        })
    }
}

fn heading(vocabulary: Vocabulary, name: &str) -> Heading {
    let mut heading = Heading { name: name.to_owned(), field: None, n: 0, currency: String::new() };
    for column in vocabulary.columns() {
        if let Some((n, currency)) = fits(column.name, name) {
            (heading.field, heading.n, heading.currency) = (Some(column.field), n, currency);
            break;
        }
    }
    heading
}

/// The number and the currency in a name, if it is one of this column. Case does not matter.
fn fits(pattern: &str, name: &str) -> Option<(u16, String)> {
    let between = |mark: char| {
        let (before, after) = pattern.split_once(mark)?;
        let end = name.len().checked_sub(after.len()).filter(|end| *end >= before.len())?;
        let (start, tail) = (name.get(..before.len())?, name.get(end..)?);
        (start.eq_ignore_ascii_case(before) && tail.eq_ignore_ascii_case(after))
            .then(|| &name[before.len()..end])
    };
    if pattern.contains('#') {
        let most = CSV_COLUMNS_MAX as u16;
        let n = between('#')?.parse().ok().filter(|n| (1..=most).contains(n))?;
        return Some((n, String::new()));
    }
    if pattern.contains('$') {
        let code =
            between('$').filter(|it| it.len() == 3 && it.bytes().all(|it| it.is_ascii_alphabetic()))?;
        return Some((0, code.to_ascii_lowercase()));
    }
    pattern.eq_ignore_ascii_case(name).then(|| (0, String::new()))
}

impl fmt::Display for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
