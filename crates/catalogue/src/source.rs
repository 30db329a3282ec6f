//! What an import reads: a catalogue file of JSON, or CSV; and how problems name a place in it.

use std::{
    io::{self, Read, Seek},
    sync::Arc,
};

use crate::{
    CatalogueProduct, CsvSettings, NotACatalogue, Place, ProblemKind,
    csv::{CsvFile, Field, Header, Vocabulary, products},
    read::{BYTE_ORDER_MARK, Entry, VisitEntry, read},
};

/// A file of an import, recognised.
#[derive(Clone, Debug, Default)]
pub(crate) enum Source {
    /// The catalogue file, which is complete.
    #[default]
    Json,
    /// A file of rows.
    Csv(Arc<CsvSource>),
}

/// A file of rows, which says what its columns are about, and refers to what is in the shop.
#[derive(Debug)]
pub(crate) struct CsvSource {
    name: String,
    pub(crate) header: Header,
    pub(crate) settings: CsvSettings,
}

impl Source {
    /// Recognises a file by its first bytes: a catalogue file is an object. `name` is that of the file in
    /// reports.
    pub(crate) fn of(
        file: &mut (impl Read + Seek),
        name: &str,
        settings: CsvSettings,
    ) -> Result<Source, NotACatalogue> {
        let mut start = Vec::new();
        file.take(START_BYTES).read_to_end(&mut start)?;
        file.rewind()?;
        let text = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&start);
        if text.trim_ascii_start().starts_with(b"{") {
            return Ok(Source::Json);
        }
        Source::of_csv(file, name, settings)
    }

    /// Recognises the vocabulary of a file of rows.
    pub(crate) fn of_csv(
        file: &mut (impl Read + Seek),
        name: &str,
        settings: CsvSettings,
    ) -> Result<Source, NotACatalogue> {
        let header = CsvFile::open(&mut *file)?.header;
        file.rewind()?;
        Ok(Source::Csv(Arc::new(CsvSource { name: name.to_owned(), header, settings })))
    }

    /// Reads the products of the file. `visit` is called with each.
    pub(crate) fn read_products(
        &self,
        file: impl Read,
        visit: &mut VisitEntry<'_>,
    ) -> Result<(), NotACatalogue> {
        match self {
            Source::Json => read(file, true, visit),
            Source::Csv(csv) => products(CsvFile::open(file)?, &csv.settings, visit),
        }
    }

    /// As [`Source::read_products`], of all entries.
    pub(crate) fn read(&self, file: impl Read, visit: &mut VisitEntry<'_>) -> Result<(), NotACatalogue> {
        match self {
            Source::Json => read(file, false, visit),
            Source::Csv(_) => self.read_products(file, visit),
        }
    }

    pub(crate) fn csv(&self) -> Option<&CsvSource> {
        match self {
            Source::Json => None,
            Source::Csv(csv) => Some(csv),
        }
    }

    pub(crate) fn vocabulary(&self) -> Option<Vocabulary> {
        self.csv().map(|it| it.header.vocabulary)
    }

    /// Does the file say this of its products? What it does not say stays as it is.
    pub(crate) fn tells(&self, field: Field) -> bool {
        self.csv().is_none_or(|it| it.header.tells(field))
    }

    /// The column of a place; of one without, the column that the problem is about.
    pub(crate) fn column(&self, place: Place, kind: ProblemKind) -> Option<&str> {
        let header = &self.csv()?.header;
        let fields: &[Field] = match kind {
            ProblemKind::Sku => &[Field::Sku, Field::Variant],
            ProblemKind::Title => &[Field::VariantTitle, Field::OptionValue],
            ProblemKind::Price => &[Field::Price],
            ProblemKind::Stock => &[Field::Quantity],
            ProblemKind::Listing => &[Field::From],
            _ => &[],
        };
        let column = place.column.or_else(|| fields.iter().find_map(|it| header.column_of(*it)))?;
        Some(&header.headings.get(usize::from(column))?.name)
    }

    /// The path of a place: `products.csv:17, column "Price"`.
    pub(crate) fn path(&self, place: Place, column: Option<&str>) -> String {
        let name = self.csv().map_or("", |it| &it.name);
        match column {
            Some(column) => format!("{name}:{}, column \"{column}\"", place.row),
            None => format!("{name}:{}", place.row),
        }
    }

    /// Where something is not that a record refers to.
    pub(crate) fn is_not_there(&self) -> &'static str {
        match self {
            Source::Json => "is not in the file",
            Source::Csv(_) => "does not exist",
        }
    }
}

/// Bytes in which a catalogue file shows that it is one.
const START_BYTES: u64 = 1024;

/// The products of a file in memory.
pub(crate) fn all_products(source: &Source, file: impl Read) -> Result<Vec<CatalogueProduct>, NotACatalogue> {
    let mut products = Vec::new();
    source.read_products(file, &mut |entry| {
        if let Entry::Product(product) = entry {
            products.push(*product);
        }
        Ok(())
    })?;
    Ok(products)
}

impl From<io::Error> for NotACatalogue {
    fn from(error: io::Error) -> Self {
        NotACatalogue::Json(atoll_kernel::serde_json::Error::io(error))
    }
}
