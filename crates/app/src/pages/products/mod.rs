//! Products: the list, a new one, the page of one, and the page of a variant.

mod list;
mod new;
mod one;
mod parts;
mod variant;
mod variants;

use atoll_kernel::{Decimal, Fault};
use atoll_pages::{Field, Form, Markup, PageCall, badge};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// How many currencies a form asks a price in.
const CURRENCIES_MAX: usize = 20;

/// The states of a product: word, label, and the kind of its badge.
const STATES: [(&str, &str, &str); 4] = [
    ("published", "Published", "good"),
    ("draft", "Draft", "warn"),
    ("proposed", "Proposed", "warn"),
    ("rejected", "Rejected", "bad"),
];

fn state(status: &str) -> Markup {
    let known = STATES.iter().find(|it| it.0 == status);
    known.map_or_else(|| badge("", status), |(_, label, kind)| badge(kind, label))
}

fn state_field<'a>(status: &str) -> Field<'a> {
    let options = STATES.map(|(word, label, _)| (word, label));
    Field::choice("status", "Status", options)
        .value(status)
        .hint("Storefronts show published products alone.")
}

/// What the store says of itself, as far as products need it.
#[derive(Deserialize)]
struct Store {
    default_sales_channel_id: Option<String>,
    supported_currencies: Vec<Currency>,
}

#[derive(Deserialize)]
struct Currency {
    currency_code: String,
}

async fn store(call: &PageCall) -> Result<Store, Fault> {
    let address =
        "/admin/stores?limit=1&fields=id,default_sales_channel_id,supported_currencies.currency_code";
    let address = atoll_pages::Address::of(address);
    let mut stores = call.api().list::<Store>(address, "stores").await?.records;
    let mut store = stores.pop().ok_or_else(|| Fault::not_found("There is no store"))?;
    store.supported_currencies.truncate(CURRENCIES_MAX);
    Ok(store)
}

/// A price of a variant.
#[derive(Deserialize)]
struct Price {
    id: String,
    currency_code: String,
    amount: Decimal,
    min_quantity: Option<Decimal>,
    max_quantity: Option<Decimal>,
    rules: Map<String, Value>,
}

impl Price {
    /// Does it hold for whoever pays in its currency? Others hold in a region or from a quantity on.
    fn is_plain(&self) -> bool {
        self.rules.is_empty() && self.min_quantity.is_none() && self.max_quantity.is_none()
    }
}

/// The names and labels of the fields of prices, one per currency.
fn price_names(currencies: &[String]) -> Vec<(String, String)> {
    let names = |code: &String| (format!("prices[{code}]"), format!("Price in {}", code.to_uppercase()));
    currencies.iter().map(names).collect()
}

/// The prices that a form names, as bodies have them.
fn typed_prices(form: &Form) -> Result<Vec<Value>, Fault> {
    let price = |(code, amount): (&str, Value)| json!({ "currency_code": code, "amount": amount });
    Ok(form.numbers("prices")?.into_iter().map(price).collect())
}
