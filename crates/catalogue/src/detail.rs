//! The plain fields of products and variants that files of rows have in columns of their own, each read and
//! written as text.

use std::borrow::Cow;

use atoll_kernel::{
    Decimal, Metadata,
    serde_json::{Map, Value, json},
};
use atoll_product::{Product, ProductVariant};

/// A field of a product, of a variant or of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detail {
    /// Second title of a product.
    Subtitle,
    /// Id in an external system.
    ExternalId,
    /// URL of a thumbnail image.
    Thumbnail,
    /// May it be discounted? `TRUE` or `FALSE`.
    Discountable,
    /// Who makes it. Kept in the metadata of the product, as `vendor`.
    Vendor,
    /// Barcode of a variant.
    Barcode,
    /// European article number of a variant.
    Ean,
    /// Universal product code of a variant.
    Upc,
    /// What it cost before. Kept in the metadata of the variant, as `compare_at_price`: nothing is sold by
    /// it.
    CompareAt,
    /// In grams.
    Weight,
    /// In millimetres.
    Length,
    /// In millimetres.
    Width,
    /// In millimetres.
    Height,
    /// Harmonised System code, for customs.
    HsCode,
    /// ISO 3166-1 alpha-2.
    OriginCountry,
    /// Manufacturer's code.
    MidCode,
    /// Material.
    Material,
}

/// Where a record holds a field.
enum Slot<'a> {
    Text(&'a mut Option<String>),
    Number(&'a mut Option<Decimal>),
    Truth(&'a mut bool),
    /// A key of its metadata.
    Key(&'a mut Metadata, &'static str),
}

impl Slot<'_> {
    /// Takes over what a cell says. One that says what an export writes leaves the field as it is: several
    /// values are written alike, and the spaces around a cell say nothing.
    fn set(self, text: &str) {
        if self.text().trim() == text.trim() {
            return;
        }
        match self {
            Slot::Text(it) => set_text(it, text),
            Slot::Number(it) => *it = text.parse().ok(),
            Slot::Truth(it) => *it = truth(text).unwrap_or(true),
            Slot::Key(it, key) => {
                // An empty value removes the key.
                let patch = Map::from_iter([(key.to_owned(), json!(text))]);
                *it = std::mem::take(it).patched(Metadata(Some(patch)));
            }
        }
    }

    /// The text of a cell. Metadata that is a list or an object has none.
    fn text(&self) -> String {
        match self {
            Slot::Text(it) => it.as_deref().unwrap_or_default().to_owned(),
            Slot::Number(it) => it.map(|it| it.to_string()).unwrap_or_default(),
            Slot::Truth(it) => told(**it).to_owned(),
            Slot::Key(it, key) => match it.0.as_ref().and_then(|it| it.get(*key)) {
                Some(Value::String(text)) => text.clone(),
                Some(it @ (Value::Number(_) | Value::Bool(_))) => it.to_string(),
                _ => String::new(),
            },
        }
    }
}

/// Sets a text, an empty one as none; what is an empty text already stays one, since a cell cannot tell the
/// two apart.
pub(crate) fn set_text(there: &mut Option<String>, text: &str) {
    if there.as_deref().unwrap_or_default() != text {
        *there = Some(text.to_owned()).filter(|it| !it.is_empty());
    }
}

impl Detail {
    pub(crate) const ALL: [Detail; 17] = {
        use Detail::*;
        [
            Subtitle, ExternalId, Thumbnail, Discountable, Vendor, Barcode, Ean, Upc, CompareAt, Weight,
            Length, Width, Height, HsCode, OriginCountry, MidCode, Material,
        ]
    };

    /// Is this text a value of the field? An empty one is none, which every field can have.
    pub(crate) fn check(self, text: &str) -> Result<(), String> {
        let is_number = || text.parse::<Decimal>().is_ok_and(|it| !it.is_negative() && it.is_short());
        match self {
            _ if text.is_empty() => Ok(()),
            it if it.is_number() && !is_number() => {
                Err(format!("`{}` is not a number of zero or more", quoted(text)))
            }
            Detail::Discountable if truth(text).is_none() => Err(neither(text)),
            _ => Ok(()),
        }
    }

    /// Is its value a number?
    pub(crate) fn is_number(self) -> bool {
        use Detail::{CompareAt, Height, Length, Weight, Width};
        matches!(self, Weight | Length | Width | Height | CompareAt)
    }

    pub(crate) fn set_of_product(self, product: &mut Product, text: &str) {
        self.in_product(product).into_iter().for_each(|it| it.set(text));
    }

    pub(crate) fn set_of_variant(self, variant: &mut ProductVariant, text: &str) {
        self.in_variant(variant).into_iter().for_each(|it| it.set(text));
    }

    /// Its text, empty for none. The record stays as it is.
    pub(crate) fn of_product(self, product: &mut Product) -> String {
        self.in_product(product).map(|it| it.text()).unwrap_or_default()
    }

    /// As [`Detail::of_product`].
    pub(crate) fn of_variant(self, variant: &mut ProductVariant) -> String {
        self.in_variant(variant).map(|it| it.text()).unwrap_or_default()
    }

    fn in_product(self, it: &mut Product) -> Option<Slot<'_>> {
        Some(match self {
            Detail::Subtitle => Slot::Text(&mut it.subtitle),
            Detail::ExternalId => Slot::Text(&mut it.external_id),
            Detail::Thumbnail => Slot::Text(&mut it.thumbnail),
            Detail::Discountable => Slot::Truth(&mut it.discountable),
            Detail::Vendor => Slot::Key(&mut it.metadata, "vendor"),
            Detail::Weight => Slot::Number(&mut it.weight),
            Detail::Length => Slot::Number(&mut it.length),
            Detail::Width => Slot::Number(&mut it.width),
            Detail::Height => Slot::Number(&mut it.height),
            Detail::HsCode => Slot::Text(&mut it.hs_code),
            Detail::OriginCountry => Slot::Text(&mut it.origin_country),
            Detail::MidCode => Slot::Text(&mut it.mid_code),
            Detail::Material => Slot::Text(&mut it.material),
            Detail::Barcode | Detail::Ean | Detail::Upc | Detail::CompareAt => return None,
        })
    }

    fn in_variant(self, it: &mut ProductVariant) -> Option<Slot<'_>> {
        Some(match self {
            Detail::Barcode => Slot::Text(&mut it.barcode),
            Detail::Ean => Slot::Text(&mut it.ean),
            Detail::Upc => Slot::Text(&mut it.upc),
            Detail::CompareAt => Slot::Key(&mut it.metadata, "compare_at_price"),
            Detail::Weight => Slot::Number(&mut it.weight),
            Detail::Length => Slot::Number(&mut it.length),
            Detail::Width => Slot::Number(&mut it.width),
            Detail::Height => Slot::Number(&mut it.height),
            Detail::HsCode => Slot::Text(&mut it.hs_code),
            Detail::OriginCountry => Slot::Text(&mut it.origin_country),
            Detail::MidCode => Slot::Text(&mut it.mid_code),
            Detail::Material => Slot::Text(&mut it.material),
            Detail::Subtitle
            | Detail::ExternalId
            | Detail::Thumbnail
            | Detail::Discountable
            | Detail::Vendor => return None,
        })
    }
}

/// What a cell says that is true or false.
pub(crate) fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

pub(crate) fn neither(text: &str) -> String {
    format!("`{}` is neither TRUE nor FALSE", quoted(text))
}

/// Characters of a cell that a message repeats.
const QUOTED_CHARS_MAX: usize = 80;

/// The text of a cell, as messages repeat it.
pub(crate) fn quoted(text: &str) -> Cow<'_, str> {
    shortened(text, QUOTED_CHARS_MAX)
}

/// A text, or its first characters.
pub(crate) fn shortened(text: &str, n_chars: usize) -> Cow<'_, str> {
    match text.char_indices().nth(n_chars) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// A truth as cells say it.
pub(crate) fn told(is: bool) -> &'static str {
    if is { "TRUE" } else { "FALSE" }
}
