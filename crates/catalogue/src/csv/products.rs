//! From the rows of a CSV file to the products of a catalogue, one product after the other: the rows of a
//! product stand together.

use std::io::Read;

use atoll_kernel::{
    Decimal,
    limits::{CSV_PRODUCT_ROWS_MAX, CSV_TAGS_MAX, PRODUCT_OPTIONS_MAX, VARIANTS_MAX},
};
use atoll_product::ProductStatus;

use serde::{Deserialize, Serialize};

use super::{
    columns::{Field, Heading, Vocabulary},
    read::{CsvFile, Row},
};
use crate::{
    CatalogueListing, CataloguePrice, CatalogueProduct, CatalogueStock, CatalogueVariant, NotACatalogue,
    Place, ProblemKind,
    detail::{neither, quoted, truth},
    model::WantedStatus,
    read::{Entry, VisitEntry},
};

/// What a file does not say of its products.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CsvSettings {
    /// The currency of prices whose column names none, ISO 4217; by default that of the store.
    pub currency: Option<String>,
    /// The location of quantities without one: its handle, id or name; by default that of the store.
    pub location: Option<String>,
    /// Channels in which products are put: their handles, ids or names.
    pub channels: Vec<String>,
}

/// Title of the only variant of a product without options, and value of its option `Title`.
const ONLY_VARIANT: &str = "Default Title";

/// Visits the products of a file. Of rows that are about a channel or a location each is visited by itself,
/// as a product that has nothing else.
pub(crate) fn products<R: Read>(
    mut file: CsvFile<R>,
    settings: &CsvSettings,
    visit: &mut VisitEntry<'_>,
) -> Result<(), NotACatalogue> {
    let mut open: Option<Rows> = None;
    while let Some(row) = file.next()? {
        let handle = match row.header.vocabulary {
            Vocabulary::Listings | Vocabulary::Stock => {
                visit(Entry::Product(Box::new(single(&row)))).map_err(NotACatalogue::Gone)?;
                continue;
            }
            _ => row.text(Field::Handle).trim().to_owned(),
        };
        if let Some(rows) = open.as_mut().filter(|it| it.product.handle == handle && !handle.is_empty()) {
            rows.add(&row, settings);
            continue;
        }
        let rows = Rows::begin(&row, handle, settings);
        if let Some(before) = open.replace(rows) {
            visit(Entry::Product(Box::new(before.finish()))).map_err(NotACatalogue::Gone)?;
        }
    }
    match open {
        Some(last) => Ok(visit(Entry::Product(Box::new(last.finish()))).map_err(NotACatalogue::Gone)?),
        None => Ok(()),
    }
}

impl Row<'_> {
    /// The cells of known columns.
    fn known(&self) -> impl Iterator<Item = (u16, &Heading, Field, &str)> {
        self.cells().filter_map(|(n, text)| {
            let heading = self.header.headings.get(usize::from(n))?;
            Some((n, heading, heading.field?, text))
        })
    }

    /// The first cell of a field; empty if there is none.
    fn text(&self, field: Field) -> &str {
        self.known().find(|it| it.2 == field).map_or("", |it| it.3)
    }

    fn place(&self, column: u16) -> Place {
        Place { row: self.n, column: Some(column) }
    }

    fn own_place(&self) -> Place {
        Place { row: self.n, column: None }
    }
}

/// The rows of a product.
struct Rows {
    product: CatalogueProduct,
    n_rows: usize,
    /// The names of its options: the first row has them.
    options: Vec<String>,
    /// URLs of its images by position.
    images: Vec<(u32, String)>,
}

impl Rows {
    fn begin(row: &Row<'_>, handle: String, settings: &CsvSettings) -> Rows {
        let mut product = CatalogueProduct { handle, ..CatalogueProduct::default() };
        product.rows.place = Some(row.own_place());
        let mut rows = Rows { product, n_rows: 0, options: Vec::new(), images: Vec::new() };
        let mut is_published = true;
        for (n, heading, field, text) in row.known() {
            match field {
                Field::Published => match truth(text) {
                    Some(it) => is_published = it,
                    None if text.is_empty() => {}
                    None => rows.note(row.place(n), || neither(text)),
                },
                Field::OptionName if !text.trim().is_empty() => {
                    rows.options.resize(rows.options.len().max(usize::from(heading.n)), String::new());
                    rows.options[usize::from(heading.n) - 1] = text.trim().to_owned();
                }
                _ => rows.own(row, n, field, text),
            }
        }
        if rows.options.iter().filter(|it| !it.is_empty()).count() > PRODUCT_OPTIONS_MAX {
            let message = format!("a product has at most {PRODUCT_OPTIONS_MAX} options; it was left out");
            rows.product.rows.refused = Some(message);
        }
        if !row.header.tells(Field::Status) && row.header.tells(Field::Published) {
            let published = WantedStatus::Is(ProductStatus::Published);
            rows.product.rows.status = Some(if is_published { published } else { WantedStatus::Unpublished });
        }
        rows.product.listings.extend(settings.channels.iter().map(|it| CatalogueListing {
            channel: it.clone(),
            published: is_published,
            keeps_window: true,
            place: Some(row.own_place()),
            ..CatalogueListing::default()
        }));
        rows.add(row, settings);
        rows
    }

    /// A cell of the first row, about the product itself.
    fn own(&mut self, row: &Row<'_>, n: u16, field: Field, text: &str) {
        let place = row.place(n);
        let product = &mut self.product;
        match field {
            Field::ProductId => product.rows.id = text.trim().to_owned(),
            Field::Title => product.title = text.to_owned(),
            Field::Description => product.description = some(text),
            Field::Type => product.r#type = some(text),
            Field::Collection => product.collections.extend(some(text.trim())),
            Field::Category => product.rows.categories.get_or_insert_default().extend(some(text.trim())),
            Field::Tags => {
                let mut tags = text.split(',').map(str::trim).filter(|it| !it.is_empty());
                let kept = tags.by_ref().take(CSV_TAGS_MAX).map(str::to_owned);
                product.rows.tags.get_or_insert_default().extend(kept);
                if tags.next().is_some() {
                    let message =
                        || format!("a product has at most {CSV_TAGS_MAX} tags; the others were left out");
                    product.rows.notes.add(place, ProblemKind::Limit, message);
                }
            }
            Field::Tag => product.rows.tags.get_or_insert_default().extend(some(text.trim())),
            Field::OfProduct(detail) => match detail.check(text) {
                Ok(()) => drop(product.rows.details.insert(detail, text.to_owned())),
                Err(message) => self.note(place, || message),
            },
            Field::Channel if !text.trim().is_empty() => product.listings.push(CatalogueListing {
                channel: text.trim().to_owned(),
                published: true,
                keeps_window: true,
                place: Some(place),
                ..CatalogueListing::default()
            }),
            Field::Status if !text.trim().is_empty() => match status(row.header.vocabulary, text.trim()) {
                Some(status) => product.rows.status = Some(status),
                None => self.note(place, || format!("`{}` is no status", quoted(text))),
            },
            Field::GiftCard if truth(text) == Some(true) => {
                let message = "gift cards are not sold here; it was left out";
                self.product.rows.refused = Some(message.to_owned());
            }
            _ => {}
        }
    }

    /// Adds what a row says of a variant and an image.
    fn add(&mut self, row: &Row<'_>, settings: &CsvSettings) {
        self.n_rows += 1;
        if self.n_rows > CSV_PRODUCT_ROWS_MAX {
            if self.n_rows == CSV_PRODUCT_ROWS_MAX + 1 {
                self.limit(row, || {
                    format!("a product has at most {CSV_PRODUCT_ROWS_MAX} rows; the others were left out")
                });
            }
            return;
        }
        self.add_images(row);
        let says_variant =
            |(_, _, field, text): (_, _, Field, &str)| field.is_of_variant() && !text.trim().is_empty();
        // Rows of Shopify's may have an image alone.
        if self.n_rows == 1 || row.known().any(says_variant) {
            if self.product.variants.len() >= VARIANTS_MAX {
                self.limit(row, || format!("a product has at most {VARIANTS_MAX} variants; it was left out"));
                return;
            }
            let variant = self.variant(row, settings);
            self.product.variants.push(variant);
        }
    }

    fn add_images(&mut self, row: &Row<'_>) {
        if row.header.vocabulary.is_shopify() {
            let url = row.text(Field::Image).trim();
            if !url.is_empty() {
                let n = row.text(Field::ImagePosition).trim().parse();
                self.images.push((n.unwrap_or(u32::MAX), url.to_owned()));
            }
        } else if self.n_rows == 1 {
            let images = row.known().filter(|it| it.2 == Field::Image && !it.3.trim().is_empty());
            self.images.extend(images.map(|it| (it.1.n.into(), it.3.trim().to_owned())));
        }
    }

    fn variant(&mut self, row: &Row<'_>, settings: &CsvSettings) -> CatalogueVariant {
        let mut variant = CatalogueVariant {
            // As a new variant has it, where the file does not say.
            manage_inventory: !row.header.tells(Field::Tracker),
            ..CatalogueVariant::default()
        };
        variant.rows.place = Some(row.own_place());
        for (n, heading, field, text) in row.known() {
            let place = row.place(n);
            match field {
                Field::VariantId => variant.rows.id = text.trim().to_owned(),
                Field::VariantTitle => variant.title = text.to_owned(),
                Field::Sku => variant.sku = some(text.trim()),
                Field::Managed if !text.trim().is_empty() => match truth(text) {
                    Some(it) => variant.manage_inventory = it,
                    None => self.note(place, || neither(text)),
                },
                Field::Tracker => variant.manage_inventory = !text.trim().is_empty(),
                Field::Backorder | Field::Policy if !text.trim().is_empty() => match backorder(text) {
                    Some(it) => variant.allow_backorder = it,
                    None => {
                        self.note(place, || format!("`{}` is neither `deny` nor `continue`", quoted(text)));
                    }
                },
                Field::Price if !text.trim().is_empty() => variant.prices.push(CataloguePrice {
                    currency_code: match &heading.currency[..] {
                        "" => settings.currency.clone().unwrap_or_default(),
                        code => code.to_owned(),
                    },
                    amount: text.trim().to_owned(),
                    place: Some(place),
                }),
                Field::Quantity if !text.trim().is_empty() => match text.trim().parse() {
                    Ok(quantity) => variant.stock.push(CatalogueStock {
                        location: settings.location.clone().unwrap_or_default(),
                        stocked_quantity: quantity,
                        place: Some(place),
                    }),
                    Err(_) => self.note(place, || no_number(text)),
                },
                Field::OfVariant(detail) => match detail.check(text.trim()) {
                    Ok(()) => drop(variant.rows.details.insert(detail, text.trim().to_owned())),
                    Err(message) => self.note(place, || message),
                },
                Field::OptionValue if !text.trim().is_empty() && self.product.rows.refused.is_none() => {
                    let name = self.options.get(usize::from(heading.n) - 1).filter(|it| !it.is_empty());
                    match name {
                        Some(name) => variant.rows.options.push((name.clone(), text.to_owned())),
                        None => self
                            .note(place, || "the first row of the product names no such option".to_owned()),
                    }
                }
                _ => {}
            }
        }
        if variant.rows.options.is_empty() && row.header.vocabulary.is_shopify() {
            variant.rows.options.push(("Title".to_owned(), ONLY_VARIANT.to_owned()));
        }
        if variant.title.trim().is_empty() {
            let values: Vec<&str> = variant.rows.options.iter().map(|(_, it)| it.as_str()).collect();
            variant.title = values.join(" / ");
        }
        // What is not counted has no stock: files say zero there.
        if !variant.manage_inventory {
            variant.stock.clear();
        }
        variant
    }

    fn note(&mut self, place: Place, message: impl FnOnce() -> String) {
        self.product.rows.notes.add(place, ProblemKind::Cell, message);
    }

    /// There is more of something than a product has.
    fn limit(&mut self, row: &Row<'_>, message: impl FnOnce() -> String) {
        self.product.rows.notes.add(row.own_place(), ProblemKind::Limit, message);
    }

    fn finish(mut self) -> CatalogueProduct {
        self.images.sort_by_key(|(position, _)| *position);
        self.product.images = self.images.into_iter().map(|(_, url)| url).collect();
        self.product
    }
}

fn no_number(text: &str) -> String {
    format!("`{}` is not a number; left out", quoted(text))
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|it| !it.is_empty())
}

fn status(vocabulary: Vocabulary, text: &str) -> Option<WantedStatus> {
    let text = text.to_ascii_lowercase();
    if vocabulary.is_shopify() {
        return match &text[..] {
            "active" => Some(WantedStatus::Is(ProductStatus::Published)),
            "draft" | "archived" | "unlisted" => Some(WantedStatus::Unpublished),
            _ => None,
        };
    }
    let all =
        [ProductStatus::Draft, ProductStatus::Proposed, ProductStatus::Published, ProductStatus::Rejected];
    all.into_iter().find(|it| it.as_str() == text).map(WantedStatus::Is)
}

/// May it be sold beyond its stock?
fn backorder(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "continue" => Some(true),
        "deny" => Some(false),
        text => truth(text),
    }
}

/// A row about a product or a variant in a channel, or about the stock of a SKU.
fn single(row: &Row<'_>) -> CatalogueProduct {
    let mut product = CatalogueProduct::default();
    let mut listing = CatalogueListing { published: true, ..CatalogueListing::default() };
    let mut variant = CatalogueVariant::default();
    let (mut location, mut stocked) = (String::new(), None);
    let place = Some(row.own_place());
    let mut note = |n, message| product.rows.notes.add(row.place(n), ProblemKind::Cell, || message);
    for (n, _, field, text) in row.known() {
        let text = text.trim();
        match field {
            Field::Channel => listing.channel = text.to_owned(),
            Field::Handle => product.handle = text.to_owned(),
            Field::Variant => variant.sku = some(text),
            Field::From => listing.available_from = some(text),
            Field::Until => listing.available_until = some(text),
            Field::Enabled => match truth(text) {
                Some(it) => listing.published = it,
                None => note(n, neither(text)),
            },
            Field::Location | Field::Sku if text.is_empty() => note(n, "it is empty; left out".to_owned()),
            Field::Location => location = text.to_owned(),
            Field::Sku => variant.sku = some(text),
            Field::Quantity => match text.parse::<Decimal>() {
                Ok(it) => stocked = Some((it, row.place(n))),
                Err(_) => note(n, no_number(text)),
            },
            _ => {}
        }
    }
    let (n_cells, n_columns) = (row.cells().count(), row.header.headings.len());
    if n_cells < n_columns {
        let message = || format!("it has {n_cells} cells, and the header {n_columns}; left out");
        product.rows.notes.add(row.own_place(), ProblemKind::Cell, message);
    }
    product.rows.place = place;
    listing.place = place;
    variant.rows.place = place;
    if !product.rows.notes.is_empty() {
        // Of a row that is not understood nothing is done.
    } else if row.header.vocabulary == Vocabulary::Stock {
        variant.stock.extend(stocked.map(|(stocked_quantity, place)| CatalogueStock {
            location,
            stocked_quantity,
            place: Some(place),
        }));
        product.variants.push(variant);
    } else {
        product.listings.push(listing);
        product.variants.extend(variant.sku.is_some().then_some(variant));
    }
    product
}
