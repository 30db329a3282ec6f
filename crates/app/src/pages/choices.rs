//! Lists of records that have a name, as choices of forms: channels, collections, tags and the like.

use atoll_kernel::Fault;
use atoll_pages::{Address, PageCall};

use super::named::Named;

/// How many records of a list a form offers: a page shows several such lists, and has 60 kB.
pub(super) const CHOICES_MAX: usize = 50;

/// A list of the API whose records have a name.
#[derive(Clone, Copy)]
pub(super) struct NamedList {
    /// The route.
    pub at: &'static str,
    /// What an answer calls its records.
    pub many: &'static str,
    /// The field that is the name.
    pub name: &'static str,
}

pub(super) const CHANNELS: NamedList =
    NamedList { at: "/admin/sales-channels", many: "sales_channels", name: "name" };
pub(super) const LOCATIONS: NamedList =
    NamedList { at: "/admin/stock-locations", many: "stock_locations", name: "name" };
pub(super) const COLLECTIONS: NamedList =
    NamedList { at: "/admin/collections", many: "collections", name: "title" };
pub(super) const CATEGORIES: NamedList =
    NamedList { at: "/admin/product-categories", many: "product_categories", name: "name" };
pub(super) const TAGS: NamedList =
    NamedList { at: "/admin/product-tags", many: "product_tags", name: "value" };
pub(super) const TYPES: NamedList =
    NamedList { at: "/admin/product-types", many: "product_types", name: "value" };

/// The first records of a list by their names, and those of `also` that are not among them.
pub(super) async fn choices(call: &PageCall, list: NamedList, also: &[Named]) -> Result<Vec<Named>, Fault> {
    let address = Address::of(list.at)
        .with("fields", format!("id,{}", list.name))
        .with("order", list.name)
        .with("limit", CHOICES_MAX);
    let mut records: Vec<Named> = call.api().list(address, list.many).await?.records;
    for more in also {
        if !records.iter().any(|it| it.id == more.id) {
            records.push(more.clone());
        }
    }
    Ok(records)
}

/// As values and labels of a field.
pub(super) fn options(records: &[Named]) -> Vec<(String, String)> {
    records.iter().map(|it| (it.id.clone(), it.name.clone())).collect()
}

/// As `options`, after one that stands for none of them.
pub(super) fn options_or(none: &str, records: &[Named]) -> Vec<(String, String)> {
    let mut all = vec![(String::new(), none.to_owned())];
    all.extend(options(records));
    all
}

/// References as bodies have them: `[{ "id": … }]`.
pub(super) fn refs<'a>(ids: impl IntoIterator<Item = &'a str>) -> serde_json::Value {
    ids.into_iter().map(|id| serde_json::json!({ "id": id })).collect()
}
