//! Catalogues as CSV, in the vocabularies of Shopify and Medusa, and in our own for what these lack.

mod columns;
mod formula;
mod products;
mod read;
mod write;

pub use columns::{Header, HeaderError, Vocabulary};
pub use products::CsvSettings;
pub use read::NotCsv;

pub(crate) use columns::Field;
pub(crate) use products::products;
pub(crate) use read::CsvFile;
pub(crate) use write::{CsvCell, CsvWriter, RowWriter, Width};
