//! Records by id and name, as forms offer them: channels, regions, locations, collections, tags and the like.

use std::collections::HashMap;

use atoll_kernel::{Fault, FaultKind};
use atoll_pages::{Address, Markup, PageCall, html, link};
use serde::{Deserialize, de::DeserializeOwned};

/// How many records a form offers that has one such list.
const OFFERED_MAX: usize = 200;

/// How many records of a list a form offers that has several: its page has 60 kB.
pub(super) const CHOICES_MAX: usize = 50;

/// A record with its name.
#[derive(Clone, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
    #[serde(alias = "title", alias = "value", alias = "label")]
    pub(super) name: String,
}

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

impl NamedList {
    pub(super) const fn new(at: &'static str, many: &'static str, name: &'static str) -> NamedList {
        NamedList { at, many, name }
    }

    /// So many of its records, with their names.
    fn address(&self, n_max: usize) -> Address {
        Address::of(self.at).with("fields", format!("id,{}", self.name)).with("limit", n_max)
    }
}

pub(super) const CHANNELS: NamedList = NamedList::new("/admin/sales-channels", "sales_channels", "name");
pub(super) const REGIONS: NamedList = NamedList::new("/admin/regions", "regions", "name");
pub(super) const LOCATIONS: NamedList = NamedList::new("/admin/stock-locations", "stock_locations", "name");
pub(super) const ITEMS: NamedList = NamedList::new("/admin/inventory-items", "inventory_items", "title");
pub(super) const CUSTOMER_GROUPS: NamedList =
    NamedList::new("/admin/customer-groups", "customer_groups", "name");
pub(super) const COLLECTIONS: NamedList = NamedList::new("/admin/collections", "collections", "title");
pub(super) const CATEGORIES: NamedList =
    NamedList::new("/admin/product-categories", "product_categories", "name");
pub(super) const TAGS: NamedList = NamedList::new("/admin/product-tags", "product_tags", "value");
pub(super) const TYPES: NamedList = NamedList::new("/admin/product-types", "product_types", "value");

pub(super) const PRODUCTS: NamedList = NamedList::new("/admin/products", "products", "title");
pub(super) const SHIPPING_OPTIONS: NamedList =
    NamedList::new("/admin/shipping-options", "shipping_options", "name");
pub(super) const REFUND_REASONS: NamedList =
    NamedList::new("/admin/refund-reasons", "refund_reasons", "label");
pub(super) const SHIPPING_PROFILES: NamedList =
    NamedList::new("/admin/shipping-profiles", "shipping_profiles", "name");
pub(super) const SHIPPING_TYPES: NamedList =
    NamedList::new("/admin/shipping-option-types", "shipping_option_types", "label");

/// The first records of a list, by name. A list that is switched off has none.
pub(super) async fn first(call: &PageCall, list: NamedList, n_max: usize) -> Result<Vec<Named>, Fault> {
    listed(call, list, list.address(n_max).with("order", list.name)).await
}

async fn listed<T: DeserializeOwned>(
    call: &PageCall,
    list: NamedList,
    address: Address,
) -> Result<Vec<T>, Fault> {
    match call.api().list(address, list.many).await {
        Ok(page) => Ok(page.records),
        Err(fault) if fault.kind() == FaultKind::NotFound => Ok(Vec::new()),
        Err(fault) => Err(fault),
    }
}

/// The records of a list, by name.
pub(super) async fn named(call: &PageCall, list: NamedList) -> Result<Vec<Named>, Fault> {
    first(call, list, OFFERED_MAX).await
}

/// The first records of a list by their names, and those of these ids that are not among them.
pub(super) async fn choices_with(
    call: &PageCall,
    list: NamedList,
    ids: &[String],
) -> Result<Vec<Named>, Fault> {
    let mut records = first(call, list, CHOICES_MAX).await?;
    let is_missing = |id: &&String| records.iter().all(|it| it.id != **id);
    let missing: Vec<&String> = ids.iter().filter(is_missing).take(CHOICES_MAX).collect();
    if !missing.is_empty() {
        let address = missing.into_iter().fold(list.address(CHOICES_MAX), |it, id| it.with("id[]", id));
        records.extend(listed::<Named>(call, list, address).await?);
    }
    Ok(records)
}

/// The names of these records of a list, by id. What has none, or is not there any more, is left out.
pub(super) async fn names_of<'a>(
    call: &PageCall,
    list: NamedList,
    ids: impl IntoIterator<Item = &'a str>,
) -> Result<HashMap<String, String>, Fault> {
    #[derive(Deserialize)]
    struct Maybe {
        id: String,
        #[serde(alias = "title", alias = "value")]
        name: Option<String>,
    }

    let ids: Vec<&str> = ids.into_iter().take(OFFERED_MAX).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let address = ids.iter().fold(list.address(ids.len()), |it, id| it.with("id[]", id));
    let records: Vec<Maybe> = listed(call, list, address).await?;
    Ok(records.into_iter().filter_map(|it| Some((it.id, it.name?))).collect())
}

/// The first records of a list by their names, and those of `also` that are not among them.
pub(super) async fn choices(call: &PageCall, list: NamedList, also: &[Named]) -> Result<Vec<Named>, Fault> {
    let mut records = first(call, list, CHOICES_MAX).await?;
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

/// A variant, which is called by its product and itself.
#[derive(Deserialize)]
pub(super) struct NamedVariant {
    pub(super) id: String,
    title: Option<String>,
    pub(super) sku: Option<String>,
    pub(super) product_id: Option<String>,
    product: Option<Titled>,
}

#[derive(Deserialize)]
struct Titled {
    title: String,
}

/// What a search reads of variants.
pub(super) const VARIANT_FIELDS: &str = "id,title,sku,product_id,product.title";

/// The variants with this SKU; if there is none, those whose SKU or title, or that of whose product, holds
/// the text. At most so many.
pub(super) async fn find_variants(
    call: &PageCall,
    text: &str,
    n_max: usize,
) -> Result<Vec<NamedVariant>, Fault> {
    let list = Address::of("/admin/product-variants").with("fields", VARIANT_FIELDS).with("limit", n_max);
    let found = async |address| call.api().list(address, "variants").await.map(|it| it.records);
    let by_sku: Vec<NamedVariant> = found(list.clone().with("sku", text)).await?;
    if !by_sku.is_empty() {
        return Ok(by_sku);
    }
    let mut all: Vec<NamedVariant> = found(list.clone().with("q", text)).await?;
    let products = Address::of("/admin/products")
        .with("fields", "id,title")
        .with("q", text)
        .with("limit", n_max.min(CHOICES_MAX));
    let products = call.api().list::<Named>(products, "products").await?.records;
    if !products.is_empty() {
        let list = products.iter().fold(list, |it, product| it.with("product_id[]", &product.id));
        for variant in found(list).await? {
            if all.len() < n_max && all.iter().all(|it| it.id != variant.id) {
                all.push(variant);
            }
        }
    }
    Ok(all)
}

impl NamedVariant {
    /// `Mug · Blue`.
    pub(super) fn name(&self) -> String {
        let product = self.product.as_ref().map(|it| it.title.as_str());
        product.into_iter().chain(self.title.as_deref()).collect::<Vec<_>>().join(" · ")
    }

    /// The link to its page.
    pub(super) fn link(&self, call: &PageCall) -> Markup {
        match &self.product_id {
            Some(product) => {
                let page = Address::of("/products").then(product).then("variants").then(&self.id);
                link(call, page, self.name())
            }
            None => html! { (self.name()) },
        }
    }
}

/// The name of a person; empty if none is known.
pub(super) fn full_name(first: Option<&str>, last: Option<&str>) -> String {
    first.into_iter().chain(last).collect::<Vec<_>>().join(" ")
}

/// A provider as people read it: of `pp_stripe_main`, `stripe main`. The one that is built in asks nobody.
pub(super) fn provider_name(id: &str) -> String {
    match id {
        "pp_system_default" => "Manual payment".to_owned(),
        "manual_manual" => "Manual fulfilment".to_owned(),
        id => id.strip_prefix("pp_").unwrap_or(id).replace('_', " "),
    }
}
