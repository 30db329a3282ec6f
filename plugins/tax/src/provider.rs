//! The tax lines of a cart: which provider serves its address, and the built-in provider `tp_system`, which
//! applies the rates of the shop's tax regions.

use std::collections::BTreeMap;

use atoll_checkout::{TaxAddress, TaxLines, TaxProvider, TaxRequest, Taxing, is_rate};
use atoll_kernel::{
    Ctx, Fault, Moment, Read, Registry, StoreError, Write,
    data::{Direction, RowError, Scan},
    limits::TAX_RATE_MAX,
    provider,
    registry::Providers,
};

use crate::{
    BY_PLACE, BY_TARGET, DEFAULT_RATE, Reference, TAX_PROVIDERS, TAX_RATE_RULES, TAX_RATES, TAX_REGIONS,
    TaxRate,
    lines::{Rates, Regions, tax_lines},
};

/// Id of the built-in provider.
pub const SYSTEM: &str = "tp_system";

/// The taxes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Taxes {
    /// The tax lines.
    Known(TaxLines),
    /// The provider with this id must be asked, outside of the transaction.
    Ask(String),
}

/// The taxes at an address: none where no tax region has it, or where the module is switched off; otherwise
/// those that the provider of the region says, which is one of this registry.
///
/// Errors: the provider is not linked in; or it refuses.
pub fn taxes(tx: &dyn Read, registry: &Registry, request: &TaxRequest) -> Result<Taxes, Fault> {
    let Some(id) = provider_at(tx, &request.address)? else { return Ok(Taxes::Known(TaxLines::new())) };
    let Some(provider) = registry.provider::<dyn TaxProvider>(&id) else {
        return Err(Fault::invalid(format!("Unable to retrieve the tax provider with id: {id}")));
    };
    match provider.local(tx, request)? {
        Some(lines) => Ok(Taxes::Known(checked_lines(&id, lines)?)),
        None => Ok(Taxes::Ask(id)),
    }
}

/// The lines that a provider has answered. Error: a rate with which a total would be negative, or have more
/// digits than there is room for.
pub fn checked_lines(provider: &str, lines: TaxLines) -> Result<TaxLines, Fault> {
    if lines.values().flatten().all(|it| is_rate(it.rate)) {
        return Ok(lines);
    }
    let text =
        format!("`{provider}` has answered a rate that is not from 0 to {TAX_RATE_MAX} %, or too long");
    Err(Fault::unexpected(text))
}

/// The provider of the tax region of an address: that of the province, or of the country.
fn provider_at(tx: &dyn Read, address: &TaxAddress) -> Result<Option<String>, StoreError> {
    if !TAX_REGIONS.is_on() {
        return Ok(None);
    }
    let Regions { province, country } = regions_of(tx, address)?;
    for id in [province, country].into_iter().flatten() {
        if let Some(provider) = TAX_REGIONS.get(tx, &id)?.and_then(|it| it.provider_id) {
            return Ok(Some(provider));
        }
    }
    Ok(None)
}

/// The tax regions of an address. Reads one key for each.
fn regions_of(tx: &dyn Read, address: &TaxAddress) -> Result<Regions, StoreError> {
    let (country, province) = (lower(&address.country_code), address.province.as_deref().map(lower));
    let at = |province: &str| TAX_REGIONS.table.id_by(tx, &BY_PLACE, &[&country, province]);
    let province = province.filter(|it| !it.is_empty()).map(|it| at(&it)).transpose()?.flatten();
    Ok(Regions { province, country: at("")? })
}

fn lower(code: &str) -> String {
    code.trim().to_lowercase()
}

struct System;

impl TaxProvider for System {
    fn local(&self, tx: &dyn Read, request: &TaxRequest) -> Result<Option<TaxLines>, Fault> {
        let regions = regions_of(tx, &request.address)?;
        Ok(Some(tax_lines(
            &mut Stored { tx, named: BTreeMap::new(), default: BTreeMap::new() },
            &regions,
            request,
        )?))
    }

    fn ask(&self, ctx: Ctx, request: TaxRequest) -> Taxing {
        Box::pin(async move { Ok(System.local(&ctx.view(), &request)?.unwrap_or_default()) })
    }
}

provider! { dyn TaxProvider: SYSTEM => System }

/// The stored rates, each read once per request.
struct Stored<'a> {
    tx: &'a dyn Read,
    /// By region, reference and id.
    named: BTreeMap<[String; 3], Option<TaxRate>>,
    /// By region.
    default: BTreeMap<String, Option<TaxRate>>,
}

impl Rates for Stored<'_> {
    type Error = StoreError;

    fn named(&mut self, region: &str, reference: Reference, id: &str) -> Result<Option<TaxRate>, StoreError> {
        let key = [region, reference.as_str(), id].map(str::to_owned);
        if let Some(known) = self.named.get(&key) {
            return Ok(known.clone());
        }
        let mut rule = None;
        BY_TARGET.scan(
            self.tx,
            &[region, reference.as_str(), id],
            None,
            Direction::Ascending,
            &mut |it| {
                rule = Some(it.to_owned());
                Ok(Scan::Break(()))
            },
        )?;
        let rule = rule.map(|it| TAX_RATE_RULES.get(self.tx, &it)).transpose()?.flatten();
        let rate = rule.map(|it| TAX_RATES.get(self.tx, &it.tax_rate_id)).transpose()?.flatten();
        self.named.insert(key, rate.clone());
        Ok(rate)
    }

    fn default(&mut self, region: &str) -> Result<Option<TaxRate>, StoreError> {
        if let Some(known) = self.default.get(region) {
            return Ok(known.clone());
        }
        let rate = TAX_RATES.table.get_by(self.tx, &DEFAULT_RATE, &[region])?;
        self.default.insert(region.to_owned(), rate.clone());
        Ok(rate)
    }
}

/// Writes the records of the providers.
pub(crate) fn seed(tx: &mut dyn Write, at: &Moment, providers: &Providers) -> Result<(), RowError> {
    providers.record::<dyn TaxProvider, _>(tx, at, &TAX_PROVIDERS, |it| &mut it.is_enabled)
}
