//! Price lists: sales and overrides with a window, rules and prices of their own. An optional module.
//!
//! A price of a list is a record, not a part of its price set: a list over all variants rewrites none of
//! their sets, and a set in many lists does not grow.

mod offers;
mod service;
mod types;

use atoll_kernel::{
    StoreError, Timestamp, check,
    data::{Index, Module, Service},
    module,
    query::{Relation, Resolve},
    verify::Verify,
};

pub use offers::ListOffers;
pub use service::{
    NewListPrice, WrittenPrices, create_list, create_prices, delete_list, delete_prices, delete_prices_of,
    update_list, update_price,
};
pub use types::{ListPrice, PriceList, PriceListPatch, PriceListStatus, PriceListType};

use crate::PRICE_SET;

/// Entity name in links.
pub const PRICE_LIST: &str = "price_list";
/// Entity name of the prices of price lists in links.
pub const LIST_PRICE: &str = "list_price";

/// The prices of a price set, by list and currency.
const BY_SET: Index<ListPrice> =
    Index::on("list_price.by_set", &["price_set_id", "price_list_id", "currency_code"], |it, keys| {
        keys.add(&[&it.price_set_id, &it.price_list_id, &it.currency_code])
    });

/// The prices of a price list.
const BY_LIST: Index<ListPrice> =
    Index::counted("list_price.by_list", &["price_list_id"], |it, keys| keys.add(&[&it.price_list_id]));

/// Active lists by a value of their first rule, and by their end: those that a sale may be in are found
/// without those of other customers, and without those that have ended.
const ACTIVE: Index<PriceList> = Index::on("price_list.active", &["rules", "ends_at"], |it, keys| {
    if it.status == PriceListStatus::Active {
        let end = end_key(it.ends_at);
        scopes(it).iter().for_each(|scope| keys.add(&[scope, &end]));
    }
});

/// Written by [`create_list`], [`update_list`] and [`delete_list`].
pub static PRICE_LISTS: Service<PriceList> = Service::new(&[ACTIVE]);
/// Written by [`create_prices`], [`update_price`] and [`delete_prices`].
pub static LIST_PRICES: Service<ListPrice> = Service::new(&[BY_SET, BY_LIST]);

module! { Module {
    name: "price-list",
    summary: "Sales and overrides: prices for a time, for some customers, regions or channels",
    services: &[&PRICE_LISTS, &LIST_PRICES],
    relations: &[
        Relation::many(PRICE_LIST, "prices", LIST_PRICE, Resolve::Back("price_list_id")),
        Relation::one(LIST_PRICE, "price_list", PRICE_LIST, Resolve::Field("price_list_id")),
        // The prices of a variant that is deleted stay: they apply again when it is restored.
        Relation::one(LIST_PRICE, "price_set", PRICE_SET, Resolve::Field("price_set_id")),
    ],
    is_optional: true,
    ..Module::EMPTY
} }

check! { "price-list.price": "The price list of a price exists" => prices_have_lists }

fn prices_have_lists(it: &mut Verify<'_>) -> Result<(), StoreError> {
    it.rows(&LIST_PRICES.table, |it, price| {
        let list = &price.price_list_id;
        if !PRICE_LISTS.table.exists(it.view, list)? {
            it.wrong("price-list.price", LIST_PRICE, &price.id, format!("list {list}"), "a price list");
        }
        Ok(())
    })
}

/// The end of a list as a part of a key: lists without one come last.
fn end_key(ends_at: Option<Timestamp>) -> String {
    ends_at.map_or_else(|| "~".to_owned(), |it| it.to_string())
}

/// Under what a list is found: the values of its first rule, or that it has none.
fn scopes(list: &PriceList) -> Vec<String> {
    match list.rules.iter().next() {
        None => vec![String::new()],
        Some((attribute, values)) => values.iter().map(|it| scope(attribute, it)).collect(),
    }
}

fn scope(attribute: &str, value: &str) -> String {
    format!("{attribute}={value}")
}
