//! Catalogues: a file of channels, locations and products, read into the store.

pub mod demo;
mod import;
mod model;
mod report;

pub use import::{import, stage};
pub use model::{
    Catalogue, CatalogueCategory, CatalogueChannel, CatalogueCollection, CatalogueListing, CatalogueLocation,
    CataloguePart, CataloguePrice, CatalogueProduct, CatalogueStock, CatalogueVariant, NotACatalogue,
};
pub use report::{Problem, Report};
