//! Addresses of people, as pages show and ask for them.

use atoll_pages::{Blank, Field, Form, Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A field of an address: name and label.
type Part = (&'static str, &'static str);

/// An address, of an order, a customer or a stock location.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Postal {
    pub(super) company: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) address_1: Option<String>,
    pub(super) address_2: Option<String>,
    pub(super) postal_code: Option<String>,
    pub(super) city: Option<String>,
    pub(super) province: Option<String>,
    pub(super) country_code: Option<String>,
    pub(super) phone: Option<String>,
}

/// What is between two parts of a line.
fn line(parts: &[&Option<String>]) -> String {
    let parts = parts.iter().filter_map(|it| it.as_deref()).filter(|it| !it.is_empty());
    parts.collect::<Vec<_>>().join(" ")
}

impl Postal {
    /// The fields, in the order of a form.
    pub(super) const FIELDS: &'static [Part] = &[
        ("first_name", "First name"),
        ("last_name", "Last name"),
        ("company", "Company"),
        ("address_1", "Street and number"),
        ("address_2", "Further line"),
        ("postal_code", "Postal code"),
        ("city", "City"),
        ("province", "Province"),
        ("country_code", "Country"),
        ("phone", "Phone"),
    ];

    /// Those of a place where nobody in particular lives.
    pub(super) const OF_PLACE: &'static [Part] = Postal::FIELDS.split_at(3).1;

    /// The lines of the address, as on a parcel.
    pub(super) fn shown(&self) -> Markup {
        let country = self.country_code.as_deref().unwrap_or_default().to_uppercase();
        let lines = [
            line(&[&self.first_name, &self.last_name]),
            line(&[&self.company]),
            line(&[&self.address_1]),
            line(&[&self.address_2]),
            line(&[&self.postal_code, &self.city]),
            [line(&[&self.province]), country].join(" "),
            line(&[&self.phone]),
        ];
        html! {
            address { @for line in lines.iter().filter(|it| !it.trim().is_empty()) { (line.trim()) br; } }
        }
    }

    fn text(&self, name: &str) -> &str {
        let value = match name {
            "first_name" => &self.first_name,
            "last_name" => &self.last_name,
            "company" => &self.company,
            "address_1" => &self.address_1,
            "address_2" => &self.address_2,
            "postal_code" => &self.postal_code,
            "city" => &self.city,
            "province" => &self.province,
            "country_code" => &self.country_code,
            _ => &self.phone,
        };
        value.as_deref().unwrap_or_default()
    }

    /// These fields of it, in a form.
    pub(super) fn fields(&self, form: &Blank<'_>, parts: &[Part]) -> Markup {
        let field = |(name, label): Part| {
            let hint = if name == "country_code" { "Its code of two letters: DE." } else { "" };
            Field::text(name, label).value(self.text(name)).hint(hint)
        };
        html! { div class="pairs" { @for it in parts { (form.field(&field(*it))) } } }
    }

    /// What was typed in these, as the API takes it.
    pub(super) fn typed(form: &Form, parts: &[Part]) -> Map<String, Value> {
        let value = |name: &str| match name {
            "country_code" => Some(form.text(name).to_lowercase()).filter(|it| !it.is_empty()).into(),
            _ => form.or_null(name),
        };
        parts.iter().map(|(name, _)| ((*name).to_owned(), value(name))).collect()
    }
}
