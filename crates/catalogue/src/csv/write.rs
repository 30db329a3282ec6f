//! From the products of a catalogue to the rows of a CSV file.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    io::Write,
};

use atoll_kernel::Decimal;
use atoll_product::ProductStatus;

use super::{
    columns::{Column, Field, Vocabulary},
    formula::{escaped, escaped_within},
};
use crate::{CatalogueProduct, CatalogueVariant, detail::told, model::WantedStatus};

/// Options that files of Shopify's have columns for, also of products with fewer.
const OPTIONS_OF_SHOPIFY: usize = 3;

/// How many columns a file needs of each kind that there may be several of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Width {
    several: BTreeMap<Several, usize>,
    currencies: BTreeSet<String>,
}

/// What a product may have several of, in columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Several {
    Options,
    Tags,
    Categories,
    Images,
    Channels,
}

impl Several {
    fn of(field: Field) -> Option<Several> {
        Some(match field {
            Field::OptionName | Field::OptionValue => Several::Options,
            Field::Tag => Several::Tags,
            Field::Category => Several::Categories,
            Field::Image => Several::Images,
            Field::Channel => Several::Channels,
            _ => return None,
        })
    }
}

impl Width {
    /// Widens it for a product.
    pub(crate) fn take(&mut self, product: &CatalogueProduct) {
        let rows = &product.rows;
        let n_options = product.variants.iter().map(|it| it.rows.options.len()).max();
        for (several, n) in [
            (Several::Options, n_options.unwrap_or_default()),
            (Several::Tags, rows.tags.as_ref().map_or(0, Vec::len)),
            (Several::Categories, rows.categories.as_ref().map_or(0, Vec::len)),
            (Several::Images, product.images.len()),
            (Several::Channels, product.listings.len()),
        ] {
            let most = self.several.entry(several).or_default();
            *most = n.max(*most);
        }
        for price in product.variants.iter().flat_map(|it| &it.prices) {
            if !self.currencies.contains(&price.currency_code) {
                self.currencies.insert(price.currency_code.clone());
            }
        }
    }

    /// Is it wide enough for a product?
    pub(crate) fn holds(&self, product: &CatalogueProduct) -> bool {
        let mut wider = self.clone();
        wider.take(product);
        wider == *self
    }
}

/// A column that is written: the number or the currency in its name are filled in.
struct Written {
    field: Field,
    /// From 0, of several like it.
    n: usize,
    currency: String,
}

/// Writes a CSV file of products.
pub(crate) struct CsvWriter<W: Write> {
    to: csv::Writer<W>,
    vocabulary: Vocabulary,
    columns: Vec<Written>,
    currency: String,
    location: String,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header. `currency` and `location` are those of vocabularies that have one price and one
    /// quantity per variant.
    pub(crate) fn new(
        to: W,
        vocabulary: Vocabulary,
        width: &Width,
        currency: &str,
        location: &str,
    ) -> csv::Result<CsvWriter<W>> {
        let (mut names, mut columns) = (Vec::new(), Vec::new());
        let mut push = |column: &Column, name, n, currency: &str| {
            names.push(name);
            columns.push(Written { field: column.field, n, currency: currency.to_owned() });
        };
        let mut rest: &[Column] = vocabulary.columns();
        while let Some((column, after)) = rest.split_first() {
            rest = after;
            if !column.is_written {
                continue;
            }
            if column.name.contains('$') {
                for code in &width.currencies {
                    push(column, column.name.replace('$', &code.to_uppercase()), 0, code);
                }
            } else if column.name.contains('#') {
                // The name and the value of an option stand beside each other.
                let twin = match column.field {
                    Field::OptionName => {
                        rest.iter().find(|it| it.field == Field::OptionValue && it.is_written)
                    }
                    Field::OptionValue => continue,
                    _ => None,
                };
                for n in 0..n_of(vocabulary, width, column.field) {
                    for it in [Some(column), twin].into_iter().flatten() {
                        push(it, it.name.replace('#', &(n + 1).to_string()), n, "");
                    }
                }
            } else {
                push(column, column.name.to_owned(), 0, "");
            }
        }
        let mut to = csv::Writer::from_writer(to);
        to.write_record(&names)?;
        let (currency, location) = (currency.to_owned(), location.to_owned());
        Ok(CsvWriter { to, vocabulary, columns, currency, location })
    }

    /// Writes the rows of a product: one per variant, and with Shopify one per image.
    pub(crate) fn product(&mut self, product: &CatalogueProduct) -> csv::Result<()> {
        let n_images = if self.vocabulary.is_shopify() { product.images.len() } else { 0 };
        for n in 0..product.variants.len().max(n_images).max(1) {
            for column in &self.columns {
                let text = self.cell(column, product, n);
                // By the text, too: a field of metadata that holds numbers may hold anything.
                if column.field.is_number() && text.parse::<Decimal>().is_ok() {
                    self.to.write_field(&*text)?;
                } else {
                    self.to.write_field(&*escaped(&text))?;
                }
            }
            self.to.write_record(None::<&[u8]>)?;
        }
        Ok(())
    }

    /// Writes what is left, and gives back what it was written to.
    pub(crate) fn finish(mut self) -> std::io::Result<W> {
        self.to.flush()?;
        self.to.into_inner().map_err(|it| it.into_error())
    }

    /// A cell of the row of a product with this number.
    fn cell<'a>(&self, column: &Written, product: &'a CatalogueProduct, n: usize) -> Cow<'a, str> {
        let is_shopify = self.vocabulary.is_shopify();
        let variant = product.variants.get(n);
        match column.field {
            Field::Handle => return (&product.handle).into(),
            Field::Image if is_shopify => return product.images.get(n).map_or("".into(), Into::into),
            Field::ImagePosition => {
                return product.images.get(n).map_or(String::new(), |_| (n + 1).to_string()).into();
            }
            _ => {}
        }
        if let Some(text) = variant.and_then(|it| self.of_variant(column, it)) {
            return text;
        }
        // Shopify's further rows leave out what the first one says, Medusa's repeat it.
        if n > 0 && is_shopify { "".into() } else { of_product(column, product, is_shopify) }
    }

    /// A cell about a variant; `None`: the column is about its product.
    fn of_variant<'a>(&self, column: &Written, variant: &'a CatalogueVariant) -> Option<Cow<'a, str>> {
        let option = variant.rows.options.get(column.n);
        Some(match column.field {
            Field::VariantId => (&variant.rows.id).into(),
            Field::VariantTitle => (&variant.title).into(),
            Field::Sku => variant.sku.as_deref().unwrap_or_default().into(),
            Field::Managed => told(variant.manage_inventory).into(),
            Field::Tracker => (if variant.manage_inventory { "shopify" } else { "" }).into(),
            Field::Backorder => told(variant.allow_backorder).into(),
            Field::Policy => (if variant.allow_backorder { "continue" } else { "deny" }).into(),
            Field::Price => {
                let code = if column.currency.is_empty() { &self.currency } else { &column.currency };
                let price = variant.prices.iter().find(|it| it.currency_code == *code);
                price.map_or("".into(), |it| (&it.amount).into())
            }
            Field::Quantity => {
                let level = variant.stock.iter().find(|it| it.location == self.location);
                level.map_or(String::new(), |it| it.stocked_quantity.to_string()).into()
            }
            Field::OptionName if !self.vocabulary.is_shopify() => option.map_or("", |it| &it.0).into(),
            Field::OptionValue => option.map_or("", |it| &it.1).into(),
            Field::OfVariant(detail) => variant.rows.details.get(&detail).map_or("", |it| it).into(),
            _ => return None,
        })
    }
}

fn n_of(vocabulary: Vocabulary, width: &Width, field: Field) -> usize {
    let n = Several::of(field).and_then(|it| width.several.get(&it)).copied().unwrap_or_default();
    if vocabulary.is_shopify() { n.max(OPTIONS_OF_SHOPIFY) } else { n }
}

fn of_product<'a>(column: &Written, product: &'a CatalogueProduct, is_shopify: bool) -> Cow<'a, str> {
    let rows = &product.rows;
    let nth = |list: Option<&'a Vec<String>>| list.and_then(|it| it.get(column.n)).map_or("", |it| it).into();
    let is_published = rows.status == Some(WantedStatus::Is(ProductStatus::Published));
    match column.field {
        Field::ProductId => (&rows.id).into(),
        Field::Title => (&product.title).into(),
        Field::Description => product.description.as_deref().unwrap_or_default().into(),
        Field::Status if is_shopify => (if is_published { "active" } else { "draft" }).into(),
        Field::Status => match rows.status {
            Some(WantedStatus::Is(status)) => status.as_str().into(),
            _ => "".into(),
        },
        Field::Published => told(is_published).into(),
        Field::Type => product.r#type.as_deref().unwrap_or_default().into(),
        Field::Tags => rows.tags.as_deref().unwrap_or_default().join(", ").into(),
        Field::Tag => nth(rows.tags.as_ref()),
        Field::Collection => product.collections.first().map_or("", |it| it).into(),
        Field::Category => nth(rows.categories.as_ref()),
        Field::Image => nth(Some(&product.images)),
        Field::Channel => product.listings.get(column.n).map_or("", |it| &it.channel).into(),
        Field::OptionName => {
            let options = product.variants.first().map(|it| &it.rows.options);
            options.and_then(|it| it.get(column.n)).map_or("", |it| &it.0).into()
        }
        Field::OfProduct(detail) => rows.details.get(&detail).map_or("", |it| it).into(),
        _ => "".into(),
    }
}

/// A file whose rows are not those of products: of listings, of stock, of orders.
pub(crate) struct RowWriter<W: Write>(csv::Writer<W>);

impl<W: Write> RowWriter<W> {
    /// Writes the header.
    pub(crate) fn new(to: W, names: &[&str]) -> csv::Result<RowWriter<W>> {
        let mut to = csv::Writer::from_writer(to);
        to.write_record(names)?;
        Ok(RowWriter(to))
    }

    /// Writes a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [CsvCell<'_>; N]) -> csv::Result<()> {
        for cell in cells {
            match cell {
                CsvCell::Text(text) => self.0.write_field(&*escaped(text))?,
                CsvCell::Foreign(text) => self.0.write_field(escaped_within(text))?,
                CsvCell::Number(number) => self.0.write_field(number.to_string())?,
            }
        }
        self.0.write_record(None::<&[u8]>)
    }

    pub(crate) fn finish(mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// A cell: a text, which is kept from being a formula, or a number.
pub(crate) enum CsvCell<'a> {
    Text(&'a str),
    /// A text of a file that is not read back, and that anybody may have written.
    Foreign(&'a str),
    Number(Decimal),
}
