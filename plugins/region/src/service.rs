//! Creating, changing and deleting regions; assigning countries; seed data of countries and currencies.

use atoll_kernel::{Id, Moment, Read, StoreError, Write, data::RowError, registry::Providers};

use crate::{
    COUNTRIES, COUNTRIES_BY_REGION, CURRENCIES, Country, Currency, Error, REGIONS, Region, RegionPatch,
    countries, currencies,
};

/// Creates a region with these countries (alpha-2 codes).
pub fn create_region(
    tx: &mut dyn Write,
    at: &Moment,
    region: Region,
    codes: &[String],
) -> Result<Region, Error> {
    let currency_code = region.currency_code.to_lowercase();
    check_currency(tx, &currency_code)?;
    let region = REGIONS.create(tx, at, Region { currency_code, ..region })?;
    assign(tx, at, &region.id, codes)?;
    Ok(region)
}

/// Changes a region; `codes` replace its countries.
pub fn update_region(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    mut patch: RegionPatch,
    codes: Option<&[String]>,
) -> Result<Region, Error> {
    if let Some(code) = &mut patch.currency_code {
        *code = code.to_lowercase();
        check_currency(tx, code)?;
    }
    let region = REGIONS.update(tx, at, id, patch)?;
    if let Some(codes) = codes {
        let gone = |country: &Country| !codes.iter().any(|code| code.eq_ignore_ascii_case(&country.iso_2));
        release(tx, at, id, gone)?;
        assign(tx, at, &region.id, codes)?;
    }
    Ok(region)
}

/// Soft-deletes a region. Its countries can then be assigned to others.
pub fn delete_region(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<Region>, Error> {
    release(tx, at, id, |_| true)?;
    Ok(REGIONS.soft_delete(tx, at, id)?)
}

/// Decimal places of amounts in this currency; `None` for an unknown one.
pub fn decimal_digits(tx: &dyn Read, currency_code: &str) -> Result<Option<u32>, StoreError> {
    Ok(CURRENCIES.get(tx, currency_code)?.map(|it| it.decimal_digits))
}

fn check_currency(tx: &dyn Read, code: &str) -> Result<(), Error> {
    if CURRENCIES.table.exists(tx, code)? { Ok(()) } else { Err(Error::NoCurrency(code.to_owned())) }
}

fn assign(tx: &mut dyn Write, at: &Moment, region: &Id<Region>, codes: &[String]) -> Result<(), Error> {
    let (mut unknown, mut taken) = (Vec::new(), Vec::new());
    for code in codes.iter().map(|code| code.to_lowercase()) {
        match COUNTRIES.get(tx, &code)? {
            None => unknown.push(code),
            Some(country) if country.region_id.as_ref().is_some_and(|it| it != region) => taken.push(code),
            Some(_) => {
                COUNTRIES.update(tx, at, &code, |it: &mut Country| it.region_id = Some(region.clone()))?;
            }
        }
    }
    if !unknown.is_empty() {
        return Err(Error::NoCountry(unknown));
    }
    if taken.is_empty() { Ok(()) } else { Err(Error::Assigned(taken)) }
}

fn release(
    tx: &mut dyn Write,
    at: &Moment,
    region: &str,
    gone: impl Fn(&Country) -> bool,
) -> Result<(), Error> {
    for country in COUNTRIES.table.list_by(tx, &COUNTRIES_BY_REGION, &[region])?.iter().filter(|it| gone(it))
    {
        COUNTRIES.update(tx, at, &country.iso_2, |it: &mut Country| it.region_id = None)?;
    }
    Ok(())
}

/// Writes missing countries and currencies.
pub(crate) fn seed(tx: &mut dyn Write, at: &Moment, _: &Providers) -> Result<(), RowError> {
    for (iso_2, iso_3, num_code, name) in countries::COUNTRIES {
        if !COUNTRIES.table.exists(tx, iso_2)? {
            let country = Country {
                id: (*iso_2).into(),
                iso_2: (*iso_2).into(),
                iso_3: (*iso_3).into(),
                num_code: (*num_code).into(),
                name: name.to_uppercase(),
                display_name: (*name).into(),
                ..Country::default()
            };
            COUNTRIES.create(tx, at, country)?;
        }
    }
    for (code, name, symbol, symbol_native, decimal_digits, rounding) in currencies::CURRENCIES {
        if !CURRENCIES.table.exists(tx, code)? {
            let currency = Currency {
                id: (*code).into(),
                code: (*code).into(),
                symbol: (*symbol).into(),
                symbol_native: (*symbol_native).into(),
                name: (*name).into(),
                decimal_digits: *decimal_digits,
                rounding: rounding.parse().unwrap_or_default(),
                ..Currency::default()
            };
            CURRENCIES.create(tx, at, currency)?;
        }
    }
    Ok(())
}
