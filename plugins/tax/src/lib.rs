//! Taxes: regions (countries and provinces), rates, the rules that say what a rate is for, and the providers
//! that answer the tax lines of a cart.

mod error;
mod lines;
mod provider;
mod service;
mod types;
mod upkeep;

use atoll_kernel::{
    data::{Index, Module, Service},
    module,
    query::{Relation, Resolve},
};

pub use error::Error;
pub use provider::{SYSTEM, Taxes, checked_lines, taxes};
pub use service::{
    NewTaxRate, NewTaxRegion, NewTaxRule, TaxRateChanges, add_rule, create_rate, create_region, delete_rate,
    delete_region, remove_rule, update_rate, update_region,
};
pub use types::{ProviderRecord, Reference, TaxRate, TaxRatePatch, TaxRateRule, TaxRegion, TaxRegionPatch};

/// Entity name of regions.
pub const TAX_REGION: &str = "tax_region";
/// Entity name of rates.
pub const TAX_RATE: &str = "tax_rate";
const TAX_RATE_RULE: &str = "tax_rate_rule";
const TAX_PROVIDER: &str = "tax_provider";

/// Unique: per country one region, and one per province. The province of a country is empty.
const BY_PLACE: Index<TaxRegion> =
    Index::unique("tax_region.by_place", &["country_code", "province_code"], |it, keys| {
        keys.add(&[&it.country_code, it.province_code.as_deref().unwrap_or_default()]);
    });
const BY_PARENT: Index<TaxRegion> = Index::counted("tax_region.by_parent", &["parent_id"], |it, keys| {
    keys.add_some(it.parent_id.as_deref());
});
const BY_REGION: Index<TaxRate> =
    Index::counted("tax_rate.by_region", &["tax_region_id"], |it, keys| keys.add(&[&it.tax_region_id]));
/// Unique: at most one default rate per region.
const DEFAULT_RATE: Index<TaxRate> =
    Index::unique("tax_rate.default", &["tax_region_id", "is_default"], |it, keys| {
        if it.is_default {
            keys.add(&[&it.tax_region_id]);
        }
    });
const BY_RATE: Index<TaxRateRule> =
    Index::counted("tax_rate_rule.by_rate", &["tax_rate_id"], |it, keys| keys.add(&[&it.tax_rate_id]));
/// Unique: a rate names an id once.
const BY_NAMED: Index<TaxRateRule> =
    Index::unique("tax_rate_rule.by_named", &["tax_rate_id", "reference_id"], |it, keys| {
        keys.add(&[&it.tax_rate_id, &it.reference_id]);
    });
/// By what is taxed where: one look-up per product, whatever the number of rates.
const BY_TARGET: Index<TaxRateRule> =
    Index::on("tax_rate_rule.by_target", &["tax_region_id", "reference", "reference_id"], |it, keys| {
        keys.add(&[&it.tax_region_id, it.reference.as_str(), &it.reference_id]);
    });

/// Records of the linked providers, written at every start.
pub static TAX_PROVIDERS: Service<ProviderRecord> = Service::new(&[]);
/// Write through [`create_region`], [`update_region`] and [`delete_region`].
pub static TAX_REGIONS: Service<TaxRegion> = Service::new(&[BY_PLACE, BY_PARENT]);
/// Write through [`create_rate`], [`update_rate`] and [`delete_rate`].
pub static TAX_RATES: Service<TaxRate> = Service::new(&[BY_REGION, DEFAULT_RATE]);
/// Write through [`add_rule`], [`update_rate`] and [`remove_rule`].
pub static TAX_RATE_RULES: Service<TaxRateRule> = Service::new(&[BY_RATE, BY_NAMED, BY_TARGET]);

module! { Module {
    name: "tax",
    summary: "Tax regions, rates, their rules, and tax providers",
    services: &[&TAX_PROVIDERS, &TAX_REGIONS, &TAX_RATES, &TAX_RATE_RULES],
    relations: &[
        Relation::one(TAX_REGION, "provider", TAX_PROVIDER, Resolve::Field("provider_id")),
        Relation::one(TAX_REGION, "parent", TAX_REGION, Resolve::Field("parent_id")),
        Relation::many(TAX_REGION, "children", TAX_REGION, Resolve::Back("parent_id")),
        Relation::many(TAX_REGION, "tax_rates", TAX_RATE, Resolve::Back("tax_region_id")),
        Relation::one(TAX_RATE, "tax_region", TAX_REGION, Resolve::Field("tax_region_id")),
        Relation::many(TAX_RATE, "rules", TAX_RATE_RULE, Resolve::Back("tax_rate_id")),
        Relation::one(TAX_RATE_RULE, "tax_rate", TAX_RATE, Resolve::Field("tax_rate_id")),
    ],
    seed: Some(provider::seed),
    is_optional: true,
    ..Module::EMPTY
} }
