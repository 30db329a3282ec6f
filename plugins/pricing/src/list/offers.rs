//! Finds the prices of lists that may apply to a price set, in few keys, however many lists there are.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use atoll_kernel::{Now, Read, StoreError, data::Scan};

use crate::{
    PriceContext,
    list::{ACTIVE, BY_SET, LIST_PRICES, ListPrice, PRICE_LISTS, PriceList, end_key, scope},
};

/// Prices of a set that are looked at one by one; of a set with more, only those of lists that may apply are.
const N_LOOKED_AT_MAX: usize = 16;

/// The prices of lists in one snapshot. Each list is read once.
pub struct ListOffers<'a> {
    view: &'a dyn Read,
    has_lists: Option<bool>,
    lists: HashMap<String, Option<Arc<PriceList>>>,
    /// The lists that [`ListOffers::active_lists`] found last, and for what.
    active: Option<(Now, Attributes, BTreeSet<String>)>,
}

type Attributes = BTreeMap<String, Vec<String>>;

impl<'a> ListOffers<'a> {
    /// Those in this snapshot.
    pub fn new(view: &'a dyn Read) -> Self {
        ListOffers { view, has_lists: None, lists: HashMap::new(), active: None }
    }

    /// The prices of this set whose lists apply in this context, with these lists. None of them are in
    /// another currency.
    pub fn of_set(
        &mut self,
        set: &str,
        context: &PriceContext,
    ) -> Result<Vec<(ListPrice, Arc<PriceList>)>, StoreError> {
        let mut offers = Vec::new();
        if !self.has_lists()? {
            return Ok(offers);
        }
        for (list, price) in self.candidates(set, context)? {
            if let Some(list) = self.list(&list)?.filter(|it| it.applies(context))
                && let Some(price) = LIST_PRICES.get(self.view, &price)?
            {
                offers.push((price, list));
            }
        }
        Ok(offers)
    }

    fn has_lists(&mut self) -> Result<bool, StoreError> {
        if self.has_lists.is_none() {
            self.has_lists = Some(PRICE_LISTS.is_on() && PRICE_LISTS.table.count(self.view)? > 0);
        }
        Ok(self.has_lists == Some(true))
    }

    /// The ids of lists and of their prices for this set.
    fn candidates(&mut self, set: &str, context: &PriceContext) -> Result<Vec<(String, String)>, StoreError> {
        let (mut found, mut n_looked_at) = (Vec::new(), 0);
        BY_SET.scan_below(self.view, &[set], None, &mut |others, id| {
            n_looked_at += 1;
            if let [list, currency] = others
                && *currency == context.currency_code
            {
                found.push((list.clone(), id.to_owned()));
            }
            Ok(if n_looked_at > N_LOOKED_AT_MAX { Scan::Break(()) } else { Scan::Continue(()) })
        })?;
        if n_looked_at <= N_LOOKED_AT_MAX {
            return Ok(found);
        }
        found.clear();
        let view = self.view;
        for list in self.active_lists(context)? {
            let prices = LIST_PRICES.table.ids_by(view, &BY_SET, &[set, list, &context.currency_code])?;
            found.extend(prices.into_iter().map(|price| (list.clone(), price)));
        }
        Ok(found)
    }

    /// The active lists, not yet ended, whose first rule holds in this context.
    fn active_lists(&mut self, context: &PriceContext) -> Result<&BTreeSet<String>, StoreError> {
        let is_of =
            |it: &(Now, Attributes, BTreeSet<String>)| it.0 == context.at && it.1 == context.attributes;
        let lists = match self.active.take_if(|it| is_of(it)) {
            Some((.., lists)) => lists,
            None => self.find_active_lists(context)?,
        };
        Ok(&self.active.insert((context.at.clone(), context.attributes.clone(), lists)).2)
    }

    fn find_active_lists(&self, context: &PriceContext) -> Result<BTreeSet<String>, StoreError> {
        context.at.until(|now| {
            let (mut lists, now) = (BTreeSet::new(), end_key(Some(now)));
            let mut add = |scope: &str| {
                ACTIVE.scan_below(self.view, &[scope], Some(&now), &mut |_, id| {
                    lists.insert(id.to_owned());
                    Ok(Scan::Continue(()))
                })
            };
            add("")?;
            for (attribute, values) in &context.attributes {
                values.iter().try_for_each(|it| add(&scope(attribute, it)))?;
            }
            // Lists that end later are asked themselves.
            Ok((lists, None))
        })
    }

    fn list(&mut self, id: &str) -> Result<Option<Arc<PriceList>>, StoreError> {
        if let Some(list) = self.lists.get(id) {
            return Ok(list.clone());
        }
        let list = PRICE_LISTS.get(self.view, id)?.map(Arc::new);
        self.lists.insert(id.to_owned(), list.clone());
        Ok(list)
    }
}
