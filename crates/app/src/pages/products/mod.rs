//! Products: the list, a new one, the page of one, and the page of a variant.

mod list;
mod new;
mod one;
mod parts;
mod variant;
mod variants;

use atoll_kernel::{Decimal, Fault};
use atoll_pages::{Field, Form, Markup, badge};
use serde::Deserialize;
use serde_json::{Map, Value, json};

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

/// A price of a variant.
#[derive(Deserialize)]
pub(super) struct Price {
    id: String,
    pub(super) currency_code: String,
    pub(super) amount: Decimal,
    min_quantity: Option<Decimal>,
    max_quantity: Option<Decimal>,
    rules: Map<String, Value>,
}

impl Price {
    /// Does it hold for whoever pays in its currency? Others hold in a region or from a quantity on.
    pub(super) fn is_plain(&self) -> bool {
        self.rules.is_empty() && self.min_quantity.is_none() && self.max_quantity.is_none()
    }
}

/// The prices that a form names, as bodies have them.
fn typed_prices(form: &Form) -> Result<Vec<Value>, Fault> {
    let price = |(code, amount): (&str, Value)| json!({ "currency_code": code, "amount": amount });
    Ok(form.numbers("prices")?.into_iter().map(price).collect())
}
