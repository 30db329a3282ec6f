//! The catalogue file: its format, its import into the store, and the report of an import.

mod import;
mod model;
mod report;

pub use import::{import, stage};
pub use model::{
    Catalogue, CatalogueCategory, CatalogueChannel, CatalogueCollection, CatalogueListing, CatalogueLocation,
    CataloguePart, CataloguePrice, CatalogueProduct, CatalogueStock, CatalogueVariant, NotACatalogue,
};
pub use report::{Problem, Report};
