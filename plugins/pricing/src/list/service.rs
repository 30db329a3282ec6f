//! Creates, updates and deletes price lists and their prices.

use std::collections::BTreeMap;

use atoll_kernel::{
    Decimal, Moment, Timestamp, Write,
    data::{RowError, Scan},
    limits::{
        LIST_PRICES_PER_VARIANT_MAX, PRICE_LIST_RULE_VALUES_MAX, PRICE_LISTS_ACTIVE_MAX, RULE_CHARS_MAX,
    },
};

use crate::{
    Error, Rules, check_terms,
    list::{
        ACTIVE, BY_LIST, BY_SET, LIST_PRICES, ListPrice, PRICE_LISTS, PriceList, PriceListPatch,
        PriceListStatus, end_key, scopes,
    },
};

/// A new price of a list, or what a price is to become.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewListPrice {
    /// The price set.
    pub price_set_id: String,
    /// ISO 4217.
    pub currency_code: String,
    /// Price of one.
    pub amount: Decimal,
    /// Minimum quantity, inclusive.
    pub min_quantity: Option<Decimal>,
    /// Maximum quantity, inclusive.
    pub max_quantity: Option<Decimal>,
    /// Its rules.
    pub rules: Rules,
}

/// Prices that were created, and those that were there already and were updated.
#[derive(Clone, Debug, Default)]
pub struct WrittenPrices {
    /// New ones.
    pub created: Vec<ListPrice>,
    /// Those with the same set, currency, quantities and rules.
    pub updated: Vec<ListPrice>,
}

/// Creates a price list.
pub fn create_list(tx: &mut dyn Write, at: &Moment, mut list: PriceList) -> Result<PriceList, Error> {
    list.rules.retain(|_, values| !values.is_empty());
    let list = PRICE_LISTS.create(tx, at, list)?;
    check_list(tx, at.now(), &list)?;
    Ok(list)
}

/// Updates a price list; its rules are replaced as a whole.
pub fn update_list(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    mut patch: PriceListPatch,
) -> Result<PriceList, Error> {
    if let Some(rules) = &mut patch.rules {
        rules.retain(|_, values| !values.is_empty());
    }
    let list = PRICE_LISTS.update(tx, at, id, patch)?;
    check_list(tx, at.now(), &list)?;
    Ok(list)
}

/// Soft-deletes a price list and its prices.
pub fn delete_list(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<PriceList, Error> {
    for price in LIST_PRICES.table.ids_by(tx, &BY_LIST, &[id])? {
        LIST_PRICES.soft_delete(tx, at, &price)?;
    }
    let deleted = PRICE_LISTS.soft_delete(tx, at, id)?;
    deleted.ok_or_else(|| Error::NoList(id.to_owned()))
}

/// Checks the window and the rules of a list that was written.
fn check_list(tx: &dyn Write, now: Timestamp, list: &PriceList) -> Result<(), Error> {
    if list.starts_at.zip(list.ends_at).is_some_and(|(from, until)| from >= until) {
        return Err(Error::Window);
    }
    let n_values = list.rules.values().map(Vec::len).sum::<usize>();
    if n_values > PRICE_LIST_RULE_VALUES_MAX {
        return Err(Error::TooManyValues(n_values));
    }
    let texts = list.rules.iter().flat_map(|(name, values)| values.iter().chain([name]));
    if let Some(long) = texts.into_iter().find(|it| it.chars().count() > RULE_CHARS_MAX) {
        return Err(Error::LongRule(long.chars().take(20).collect()));
    }
    if list.status == PriceListStatus::Draft {
        return Ok(());
    }
    for scope in scopes(list) {
        let mut n_active = 0;
        ACTIVE.scan_below(tx, &[&scope], Some(&end_key(Some(now))), &mut |_, _| {
            n_active += 1;
            Ok(if n_active > PRICE_LISTS_ACTIVE_MAX { Scan::Break(()) } else { Scan::Continue(()) })
        })?;
        if n_active > PRICE_LISTS_ACTIVE_MAX {
            return Err(Error::TooManyLists(scope));
        }
    }
    Ok(())
}

/// What tells one price of a list from another.
type PriceKey = (String, String, Option<Decimal>, Option<Decimal>, Rules);

fn key_of(price: &ListPrice) -> PriceKey {
    let ListPrice { price_set_id, currency_code, min_quantity, max_quantity, rules, .. } = price.clone();
    (price_set_id, currency_code, min_quantity, max_quantity, rules)
}

/// Creates prices of a list. A price whose set, currency, quantities and rules are those of another one, in
/// the list or earlier in the call, replaces its amount.
pub fn create_prices(
    tx: &mut dyn Write,
    at: &Moment,
    list: &PriceList,
    new: Vec<NewListPrice>,
) -> Result<WrittenPrices, Error> {
    let mut numbers: BTreeMap<PriceKey, usize> = BTreeMap::new();
    let mut prices: Vec<ListPrice> = Vec::with_capacity(new.len());
    for new in new {
        let price = price_of(list, new)?;
        match numbers.get(&key_of(&price)) {
            Some(number) => prices[*number].amount = price.amount,
            None => {
                numbers.insert(key_of(&price), prices.len());
                prices.push(price);
            }
        }
    }
    drop(numbers);
    let mut written = WrittenPrices::default();
    for price in prices {
        match equal_to(tx, &price)? {
            Some(there) => {
                let amount = price.amount;
                let there = LIST_PRICES.update(tx, at, &there.id, |it: &mut ListPrice| it.amount = amount)?;
                written.updated.push(there);
            }
            None => written.created.push(LIST_PRICES.create(tx, at, price)?),
        }
    }
    Ok(written)
}

fn price_of(list: &PriceList, new: NewListPrice) -> Result<ListPrice, Error> {
    let NewListPrice { price_set_id, currency_code, amount, min_quantity, max_quantity, rules } = new;
    check_terms(amount, min_quantity, max_quantity, &rules)?;
    Ok(ListPrice {
        price_set_id,
        currency_code: currency_code.to_lowercase(),
        amount,
        min_quantity,
        max_quantity,
        rules,
        price_list_id: list.id.clone(),
        ..ListPrice::default()
    })
}

/// The price of the list that has the same set, currency, quantities and rules.
fn equal_to(tx: &dyn Write, price: &ListPrice) -> Result<Option<ListPrice>, Error> {
    let parts = [&*price.price_set_id, &*price.price_list_id, &*price.currency_code];
    let there = LIST_PRICES.table.list_by(tx, &BY_SET, &parts)?;
    let n_others = there.iter().filter(|it| it.id != price.id).count();
    let key = key_of(price);
    let equal = there.into_iter().find(|it| it.id != price.id && key_of(it) == key);
    if equal.is_none() && n_others >= LIST_PRICES_PER_VARIANT_MAX {
        return Err(Error::TooManyPrices);
    }
    Ok(equal)
}

/// Updates a price of a list. Errors: it is of another list; another price of the list has its set, currency,
/// quantities and rules.
pub fn update_price(
    tx: &mut dyn Write,
    at: &Moment,
    list: &PriceList,
    id: &str,
    change: impl FnOnce(&mut NewListPrice),
) -> Result<ListPrice, Error> {
    let before = price_in(tx, list, id)?;
    let ListPrice { price_set_id, currency_code, amount, min_quantity, max_quantity, rules, .. } = before;
    let mut terms = NewListPrice { price_set_id, currency_code, amount, min_quantity, max_quantity, rules };
    change(&mut terms);
    let after = ListPrice { id: id.into(), ..price_of(list, terms)? };
    if let Some(other) = equal_to(tx, &after)? {
        return Err(Error::SamePrice(other.id.to_string()));
    }
    Ok(LIST_PRICES.update(tx, at, id, |it: &mut ListPrice| {
        let title = it.title.take();
        *it = ListPrice {
            id: it.id.clone(),
            title,
            created_at: it.created_at,
            updated_at: it.updated_at,
            ..after
        };
    })?)
}

fn price_in(tx: &dyn Write, list: &PriceList, id: &str) -> Result<ListPrice, Error> {
    let price = LIST_PRICES.get(tx, id)?.filter(|it| it.price_list_id == list.id);
    price.ok_or_else(|| Error::NoPrice { id: id.to_owned(), list: list.id.to_string() })
}

/// Deletes prices of a list. Errors: one of them is not in the list.
pub fn delete_prices(tx: &mut dyn Write, at: &Moment, list: &PriceList, ids: &[String]) -> Result<(), Error> {
    for id in ids {
        price_in(tx, list, id)?;
        LIST_PRICES.delete(tx, at, id)?;
    }
    Ok(())
}

/// Deletes the prices that a list has for a price set.
pub fn delete_prices_of(
    tx: &mut dyn Write,
    at: &Moment,
    list: &PriceList,
    set: &str,
) -> Result<(), RowError> {
    let mut ids = Vec::new();
    BY_SET.scan_below(tx, &[set, &list.id], None, &mut |_, id| {
        ids.push(id.to_owned());
        Ok(Scan::Continue(()))
    })?;
    for id in ids {
        LIST_PRICES.delete(tx, at, &id)?;
    }
    Ok(())
}
