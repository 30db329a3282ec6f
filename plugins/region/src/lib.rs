//! Regions, currencies and countries.

mod countries;
mod currencies;
mod error;
mod service;
mod types;

use atoll_kernel::{
    data::{Index, Module, Service},
    module,
    query::{Relation, Resolve, Visibility},
};

pub use currencies::digits_of;
pub use error::Error;
pub use service::{create_region, decimal_digits, delete_region, update_region};
pub use types::{Country, Currency, Region, RegionPatch};

/// Entity name in links.
pub const REGION: &str = "region";
/// Entity name of currencies in links.
pub const CURRENCY: &str = "currency";

/// The countries of a region.
pub const COUNTRIES_BY_REGION: Index<Country> =
    Index::on("country.by_region", &["region_id"], |it, keys| keys.add_some(it.region_id.as_deref()));

/// Write through [`create_region`], [`update_region`] and [`delete_region`], which assign countries.
pub static REGIONS: Service<Region> = Service::new(&[]).visible(Visibility::Everyone);
/// Countries; their ids are their alpha-2 codes.
pub static COUNTRIES: Service<Country> = Service::new(&[COUNTRIES_BY_REGION]).visible(Visibility::Everyone);
/// Currencies; their ids are their codes.
pub static CURRENCIES: Service<Currency> = Service::new(&[]).visible(Visibility::Everyone);

module! { Module {
    name: "region",
    summary: "Regions, currencies and countries",
    services: &[&REGIONS, &COUNTRIES, &CURRENCIES],
    relations: &[Relation::many(REGION, "countries", "country", Resolve::Back("region_id"))],
    seed: Some(service::seed),
    ..Module::EMPTY
} }
