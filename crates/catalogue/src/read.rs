//! Reading a catalogue file as a stream, record by record (serde's `DeserializeSeed`), its lists in any
//! order.

use std::{
    fmt,
    io::{self, BufRead, BufReader},
    marker::PhantomData,
};

use atoll_kernel::{limits::IMPORT_LIST_MAX, serde_json};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{
    Catalogue, CatalogueCategory, CatalogueChannel, CatalogueCollection, CatalogueLocation, CatalogueProduct,
    NotCsv, model::Object,
};

/// UTF-8 byte order mark, which some editors write.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes that are read from the file at once.
pub(crate) const BUFFER_BYTES: usize = 256 * 1024;

/// Why a file is not a catalogue: a value of the wrong type, a header that is none, or an error while it was
/// read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum NotACatalogue {
    /// It is no JSON, or not of the format.
    Json(#[from] serde_json::Error),
    /// It is no CSV, or of no known vocabulary.
    Csv(#[from] NotCsv),
    /// It was not read to its end.
    Gone(#[from] Gone),
}

/// A record of one of the lists of a file.
pub(crate) enum Entry {
    Channel(CatalogueChannel),
    Location(CatalogueLocation),
    Category(CatalogueCategory),
    Collection(CatalogueCollection),
    Product(Box<CatalogueProduct>),
}

/// Called with each record. Its error ends the reading.
pub(crate) type VisitEntry<'a> = dyn FnMut(Entry) -> Result<(), Gone> + 'a;

/// Nobody takes further records.
#[derive(Debug, thiserror::Error)]
#[error("the import has ended")]
pub struct Gone;

impl Catalogue {
    /// Reads a whole file into memory. A byte order mark is skipped.
    pub fn read(source: impl io::Read) -> Result<Catalogue, NotACatalogue> {
        let mut catalogue = Catalogue::default();
        read(source, false, &mut |entry| {
            catalogue.add(entry);
            Ok(())
        })?;
        Ok(catalogue)
    }

    pub(crate) fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Channel(it) => self.sales_channels.push(it),
            Entry::Location(it) => self.stock_locations.push(it),
            Entry::Category(it) => self.categories.push(it),
            Entry::Collection(it) => self.collections.push(it),
            Entry::Product(it) => self.products.push(*it),
        }
    }
}

/// Reads a file, and calls `visit` with each record, or with each product only.
pub(crate) fn read(
    source: impl io::Read,
    only_products: bool,
    visit: &mut VisitEntry<'_>,
) -> Result<(), NotACatalogue> {
    let mut source = BufReader::with_capacity(BUFFER_BYTES, source);
    if source.fill_buf().map_err(serde_json::Error::io)?.starts_with(BYTE_ORDER_MARK) {
        source.consume(BYTE_ORDER_MARK.len());
    }
    let mut json = serde_json::Deserializer::from_reader(source);
    json.deserialize_map(FileVisitor { only_products, visit })?;
    Ok(json.end()?)
}

struct FileVisitor<'a, 'v> {
    only_products: bool,
    visit: &'a mut VisitEntry<'v>,
}

impl<'de> Visitor<'de> for FileVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a catalogue, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let visit = self.visit;
        let mut seen = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            const LISTS: [&str; 5] =
                ["sales_channels", "stock_locations", "categories", "collections", "products"];
            let Some(list) = LISTS.iter().find(|it| **it == name) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if seen.contains(list) {
                return Err(A::Error::duplicate_field(list));
            }
            seen.push(list);
            match *list {
                "products" => map.next_value_seed(List::of(&mut |it| visit(Entry::Product(Box::new(it)))))?,
                _ if self.only_products => map.next_value::<IgnoredAny>().map(drop)?,
                "sales_channels" => map.next_value_seed(kept(list, |it| visit(Entry::Channel(it))))?,
                "stock_locations" => map.next_value_seed(kept(list, |it| visit(Entry::Location(it))))?,
                "categories" => map.next_value_seed(kept(list, |it| visit(Entry::Category(it))))?,
                _ => map.next_value_seed(kept(list, |it| visit(Entry::Collection(it))))?,
            }
        }
        Ok(())
    }
}

/// A list of records, each of which is visited and dropped.
struct List<T, F> {
    visit: F,
    /// Its name and limit, if its records are kept.
    limit: Option<(&'static str, usize)>,
    of: PhantomData<T>,
}

impl<T, F: FnMut(T) -> Result<(), Gone>> List<T, F> {
    fn of(visit: F) -> Self {
        List { visit, limit: None, of: PhantomData }
    }
}

/// The list of this name, whose records are kept until the import has ended.
fn kept<T, F: FnMut(T) -> Result<(), Gone>>(name: &'static str, visit: F) -> List<T, F> {
    List { limit: Some((name, IMPORT_LIST_MAX)), ..List::of(visit) }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T) -> Result<(), Gone>> DeserializeSeed<'de> for List<T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T) -> Result<(), Gone>> Visitor<'de> for List<T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let mut n_records = 0;
        while let Some(Object(record)) = list.next_element()? {
            n_records += 1;
            if let Some((name, max)) = self.limit.filter(|(_, max)| n_records > *max) {
                return Err(A::Error::custom(format_args!("`{name}` has more than {max} records")));
            }
            (self.visit)(record).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}
