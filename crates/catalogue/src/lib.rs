//! The catalogue file: its format, its import into the store, and the report of an import.

mod import;
mod model;
mod outline;
mod read;
mod report;
mod run;

pub use import::{by_handle, import};
pub use model::{
    Catalogue, CatalogueCategory, CatalogueChannel, CatalogueCollection, CatalogueListing, CatalogueLocation,
    CataloguePart, CataloguePrice, CatalogueProduct, CatalogueStock, CatalogueVariant,
};
pub use outline::Outline;
pub use read::NotACatalogue;
pub use report::{Problem, ProblemKind, Report};
pub use run::{ATOMIC_PRODUCTS_MAX, ImportFailed, import_file};
