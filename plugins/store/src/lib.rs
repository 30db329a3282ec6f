//! The store's settings: name, currencies, defaults.

mod error;
mod types;

use atoll_kernel::{
    Moment, Read, StoreError, Write,
    data::{Module, RowError, Service},
    module,
};

pub use error::Error;
pub use types::{Store, StoreCurrency, StorePatch};

/// Entity name in links.
pub const STORE: &str = "store";

/// The store; there is exactly one record.
pub static STORES: Service<Store> = Service::new(&[]);

module! { Module {
    name: "store",
    summary: "Settings of the shop: name, currencies, defaults",
    services: &[&STORES],
    ..Module::EMPTY
} }

/// The store; `None` before the first start has created it.
pub fn the_store(tx: &dyn Read) -> Result<Option<Store>, StoreError> {
    let mut store = None;
    STORES.table.scan(tx, None, Default::default(), &mut |it| {
        store = Some(it);
        Ok(std::ops::ControlFlow::Break(()))
    })?;
    Ok(store)
}

/// Changes the store. Currencies are replaced as a whole: no duplicates, one of them the default.
pub fn update(tx: &mut dyn Write, at: &Moment, id: &str, mut patch: StorePatch) -> Result<Store, Error> {
    if let Some(currencies) = &mut patch.supported_currencies {
        for currency in &mut *currencies {
            currency.currency_code = currency.currency_code.to_lowercase();
            currency.store_id = id.into();
            currency.id = at.id();
            currency.created_at = at.now();
            currency.updated_at = at.now();
        }
        Error::check(currencies)?;
    }
    if let Some(name) = &mut patch.name {
        *name = name.trim().to_owned();
    }
    Ok(STORES.update(tx, at, id, patch)?)
}

/// Clears a default of the store that refers to a deleted record.
pub fn clear_default(
    tx: &mut dyn Write,
    at: &Moment,
    gone: &str,
    default: impl Fn(&mut Store) -> &mut Option<String>,
) -> Result<(), RowError> {
    if let Some(store) = the_store(tx)? {
        STORES.update(tx, at, &store.id, |it: &mut Store| drop(default(it).take_if(|it| it == gone)))?;
    }
    Ok(())
}
