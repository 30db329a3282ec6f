//! By what files name channels and locations: by id, handle or name. One resolver for both directions, so
//! that an import finds the record that an export has named.

use std::collections::HashMap;

use atoll_kernel::{
    Metadata, Read, StoreError,
    data::{Direction, Entity, Scan, Service},
};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_stock_location::{STOCK_LOCATIONS, StockLocation};
use atoll_store::the_store;

/// What rows refer to, and what holds where they say nothing.
#[derive(Default)]
pub(crate) struct Shop {
    pub(crate) channels: Names,
    pub(crate) locations: Names,
    /// The currency of prices without one.
    pub(crate) currency: String,
    /// Id of the location of quantities without one: that of the store, or the only one that there is.
    pub(crate) location: Option<String>,
}

impl Shop {
    /// As it is now.
    pub(crate) fn of(tx: &dyn Read) -> Result<Shop, StoreError> {
        let store = the_store(tx)?.unwrap_or_default();
        let currency = store.supported_currencies.into_iter().find(|it| it.is_default);
        let locations = Names::of(tx, &STOCK_LOCATIONS, |it: &StockLocation| (&it.name, &it.metadata))?;
        Ok(Shop {
            channels: Names::of(tx, &SALES_CHANNELS, |it: &SalesChannel| (&it.name, &it.metadata))?,
            currency: currency.map(|it| it.currency_code).unwrap_or_default(),
            location: store.default_location_id.or_else(|| locations.only().map(str::to_owned)),
            locations,
        })
    }
}

/// The records of a kind by what files name them.
#[derive(Default)]
pub(crate) struct Names {
    /// Ids by name; `None` for the name of several.
    ids: HashMap<String, Option<String>>,
    /// The names that exports write, by id.
    written: HashMap<String, String>,
}

/// Why a name leads to no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotFound {
    /// Nothing is called so.
    Unknown,
    /// Several are.
    Ambiguous,
}

impl Names {
    /// Those of all records. An id comes before a handle, and a handle before a name; of what two records
    /// have alike, neither is found by it.
    fn of<T: Entity>(
        tx: &dyn Read,
        service: &Service<T>,
        called: impl Fn(&T) -> (&str, &Metadata),
    ) -> Result<Names, StoreError> {
        let mut records = Vec::new();
        service.table.scan(tx, None, Direction::Ascending, &mut |it: T| {
            let (name, metadata) = called(&it);
            let handle = handle_in(metadata).unwrap_or_default();
            records.push((it.id().to_string(), handle.trim().to_owned(), name.trim().to_owned()));
            Ok(Scan::Continue(()))
        })?;
        let mut names = Names::default();
        names.add(records.iter().map(|(id, ..)| (id, id)));
        names.add(records.iter().map(|(id, handle, _)| (handle, id)));
        names.add(records.iter().map(|(id, _, name)| (name, id)));
        for (id, handle, name) in records {
            let leads_back = |it: &String| names.find(it) == Ok(&id);
            let written = [name, handle].into_iter().find(leads_back).unwrap_or_else(|| id.clone());
            names.written.insert(id, written);
        }
        Ok(names)
    }

    /// Adds names that are all of one kind. What a name of an earlier kind leads to stays.
    fn add<'a>(&mut self, names: impl Iterator<Item = (&'a String, &'a String)>) {
        let mut added = HashMap::new();
        for (name, id) in names.filter(|(name, _)| !name.is_empty()) {
            added.entry(name).and_modify(|it| *it = None).or_insert(Some(id));
        }
        for (name, id) in added {
            self.ids.entry(name.clone()).or_insert_with(|| id.cloned());
        }
    }

    /// A record of a file, by its handle there.
    pub(crate) fn insert(&mut self, handle: &str, id: &str) {
        self.ids.insert(handle.to_owned(), Some(id.to_owned()));
    }

    /// The id of what a file calls so.
    pub(crate) fn find(&self, name: &str) -> Result<&str, NotFound> {
        match self.ids.get(name).or_else(|| self.ids.get(name.trim())) {
            Some(Some(id)) => Ok(id),
            Some(None) => Err(NotFound::Ambiguous),
            None => Err(NotFound::Unknown),
        }
    }

    /// What a file calls the record with this id, so that it is found again.
    pub(crate) fn of_id(&self, id: &str) -> Option<&str> {
        self.written.get(id).map(String::as_str)
    }

    /// The id of the only record.
    fn only(&self) -> Option<&str> {
        self.written.keys().next().filter(|_| self.written.len() == 1).map(String::as_str)
    }
}

/// The handle that imports keep in the metadata of a record.
pub(crate) fn handle_in(metadata: &Metadata) -> Option<&str> {
    metadata.0.as_ref()?.get("handle")?.as_str()
}
