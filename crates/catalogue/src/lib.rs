//! The catalogue file: its format, its import into the store, and the report of an import; catalogues as CSV.

mod chunk;
mod csv;
mod detail;
mod export;
mod import;
mod model;
mod names;
mod outline;
mod read;
mod report;
mod run;
mod shown;
mod source;
mod transfer;

pub use csv::{CsvSettings, Header, HeaderError, NotCsv, Vocabulary};
pub use detail::Detail;
pub use export::{Export, ExportFailed, OrderFilter, Reading};
pub use import::{by_handle, import};
pub use model::{
    Catalogue, CatalogueCategory, CatalogueChannel, CatalogueCollection, CatalogueListing, CatalogueLocation,
    CataloguePart, CataloguePrice, CatalogueProduct, CatalogueStock, CatalogueVariant, Place,
};
pub use outline::Outline;
pub use read::{Gone, NotACatalogue};
pub use report::{Problem, ProblemKind, Report};
pub use run::{ATOMIC_PRODUCTS_MAX, ATOMIC_VARIANTS_MAX, ImportFailed, ImportMode, import_file};
pub use transfer::{
    Summary, Transfer, TransferKind, TransferProblem, TransferState, arriving_file, begin_export,
    begin_import, confirm_import, exported_file, transfer, transfers,
};
