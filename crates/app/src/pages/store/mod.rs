//! What the store says of itself, as forms need it: the currencies, and the channel that sells by default.
//! `settings.rs` is its page.

mod settings;

use atoll_kernel::Fault;
use atoll_pages::{Address, PageCall, Records, Seen};
use serde::{Deserialize, de::DeserializeOwned};

/// How many currencies a form asks a price in.
pub(super) const CURRENCIES_MAX: usize = 20;

/// Regions of which the currencies are read.
const REGIONS_MAX: usize = 100;

/// The store.
#[derive(Deserialize)]
pub(super) struct Store {
    name: String,
    pub(super) default_sales_channel_id: Option<String>,
    default_region_id: Option<String>,
    default_location_id: Option<String>,
    require_shipping: Option<bool>,
    pub(super) supported_currencies: Vec<Supported>,
}

/// A currency of the store.
#[derive(Deserialize)]
pub(super) struct Supported {
    pub(super) currency_code: String,
    pub(super) is_default: bool,
    pub(super) currency: Currency,
}

#[derive(Deserialize)]
pub(super) struct Currency {
    pub(super) code: String,
    name: String,
}

impl Currency {
    /// `EUR · Euro`.
    pub(super) fn label(&self) -> String {
        format!("{} · {}", self.code.to_uppercase(), self.name)
    }
}

const FIELDS: &str = "id,name,default_sales_channel_id,default_region_id,default_location_id,\
     require_shipping,supported_currencies.currency_code,supported_currencies.is_default,\
     supported_currencies.currency.code,supported_currencies.currency.name";

pub(super) async fn store(call: &PageCall) -> Result<Store, Fault> {
    with_fields(call, FIELDS).await
}

/// These fields of the store.
async fn with_fields<T: DeserializeOwned>(call: &PageCall, fields: &str) -> Result<T, Fault> {
    let address = Address::of("/admin/stores").with("fields", fields).with("limit", 1);
    let mut stores = call.api().list::<T>(address, "stores").await?.records;
    stores.pop().ok_or_else(|| Fault::not_found("There is no store"))
}

/// The store as a form shows it.
async fn seen(call: &PageCall) -> Result<(Store, Seen), Fault> {
    #[derive(Deserialize)]
    struct Known {
        id: String,
    }
    let Known { id } = with_fields(call, "id").await?;
    call.api().seen(Address::of("/admin/stores").then(&id).with("fields", FIELDS), "store").await
}

/// The codes of the currencies in which something is sold: those of the store, the default one first, and
/// those of the regions. As many as a form asks for.
pub(super) async fn currencies(call: &PageCall) -> Result<Vec<String>, Fault> {
    #[derive(Deserialize)]
    struct Region {
        currency_code: String,
    }
    let (default, others): (Vec<_>, Vec<_>) =
        store(call).await?.supported_currencies.into_iter().partition(|it| it.is_default);
    let address = Address::of("/admin/regions").with("fields", "id,currency_code").with("limit", REGIONS_MAX);
    let regions: Records<Region> = call.api().list(address, "regions").await?;
    let of_store = default.into_iter().chain(others).map(|it| it.currency_code);
    let mut codes: Vec<String> = Vec::new();
    for code in of_store.chain(regions.records.into_iter().map(|it| it.currency_code)) {
        if codes.len() < CURRENCIES_MAX && !codes.contains(&code) {
            codes.push(code);
        }
    }
    Ok(codes)
}

/// The names and labels of the fields of prices, one per currency.
pub(super) fn price_names(currencies: &[String]) -> Vec<(String, String)> {
    let names = |code: &String| (format!("prices[{code}]"), format!("Price in {}", code.to_uppercase()));
    currencies.iter().map(names).collect()
}

/// Currencies, as values and labels of a field.
pub(super) fn currency_options(currencies: &[String]) -> impl Iterator<Item = (String, String)> {
    currencies.iter().map(|it| (it.clone(), it.to_uppercase()))
}
