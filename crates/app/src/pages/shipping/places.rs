//! Where a service zone is: countries and provinces, as merchants write them (`DE FR US-CA`), cities, and
//! postal codes of these (`101*, 10243`).

use atoll_kernel::Fault;
use atoll_pages::Form;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A geo zone, as the API has it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    country_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    province_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_expression: Option<Value>,
}

/// How many places a name has, and a list shows.
const SHOWN_MAX: usize = 30;

impl Place {
    /// A country or a province, by its code: `DE`, `US-CA`.
    fn of(code: &str) -> Result<Place, Fault> {
        let code = code.to_lowercase();
        let (country, province) = match code.split_once('-') {
            Some((country, province)) => (country, Some(province)),
            None => (&*code, None),
        };
        let is_country = country.len() == 2 && country.bytes().all(|it| it.is_ascii_lowercase());
        if !is_country || province.is_some_and(str::is_empty) {
            let text = format!("`{code}` is no code of a country (DE) or of a province (US-CA)");
            return Err(Fault::invalid(text));
        }
        Ok(Place {
            id: None,
            kind: if province.is_some() { "province" } else { "country" }.to_owned(),
            country_code: country.to_owned(),
            province_code: province.map(|_| code.clone()),
            city: None,
            postal_expression: None,
        })
    }

    /// In which country it is.
    pub(super) fn country_code(&self) -> &str {
        &self.country_code
    }

    /// Its code, if it is a country or a province.
    pub(super) fn code(&self) -> Option<String> {
        match (&*self.kind, &self.province_code) {
            ("country", _) => Some(self.country_code.to_uppercase()),
            ("province", Some(province)) => Some(province.to_uppercase()),
            _ => None,
        }
    }

    /// A city, or postal codes of one, as a form describes it.
    pub(super) fn typed(form: &Form) -> Result<Place, Fault> {
        let codes = postal_pattern(form.text("codes"))?;
        let kind = if codes.is_some() { "zip" } else { "city" };
        let filled = |name: &str| Some(form.text(name).to_owned()).filter(|it| !it.is_empty());
        Ok(Place {
            kind: kind.to_owned(),
            province_code: filled("province"),
            city: filled("city"),
            postal_expression: codes.map(|exp| json!({ "type": "regex", "exp": exp })),
            ..Place::of(form.text("country"))?
        })
    }

    /// Its id, if it is no country and no province.
    pub(super) fn other_id(&self) -> Option<&str> {
        self.id.as_deref().filter(|_| self.code().is_none())
    }

    /// As people read it.
    pub(super) fn shown(&self) -> String {
        let city = self.city.as_deref().unwrap_or_default();
        let pattern = self.postal_expression.as_ref().and_then(|it| it["exp"].as_str());
        let codes = pattern.map_or_else(String::new, |it| format!(", {}", in_words(it)));
        self.code().unwrap_or_else(|| format!("{city}{codes} ({})", self.country_code.to_uppercase()))
    }
}

/// The pattern of postal codes that are written as `101*, 10243`; none if there are none. Error: a character
/// that codes have not.
fn postal_pattern(text: &str) -> Result<Option<String>, Fault> {
    let is_code = |it: char| it.is_alphanumeric() || matches!(it, ' ' | '-' | '*');
    let codes: Vec<&str> = text.split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
    if let Some(code) = codes.iter().find(|it| !it.chars().all(is_code)) {
        return Err(Fault::invalid(format!(
            "`{code}` is no postal code: write 10115, or 101* for all that begin so"
        )));
    }
    Ok((!codes.is_empty()).then(|| codes.join("|").replace('*', ".*")))
}

/// A pattern as a form would have it; others stay as they are.
fn in_words(pattern: &str) -> String {
    let codes = pattern.replace(".*", "*").replace('|', ", ");
    match postal_pattern(&codes) {
        Ok(Some(same)) if same == pattern => codes,
        _ => pattern.to_owned(),
    }
}

/// The places that codes name. Error: what is no code, and none at all.
pub(super) fn read(text: &str) -> Result<Vec<Place>, Fault> {
    let codes = text.split(|it: char| !it.is_alphanumeric() && it != '-').filter(|it| !it.is_empty());
    let places = codes.map(Place::of).collect::<Result<Vec<_>, _>>()?;
    if places.is_empty() {
        return Err(Fault::invalid("Say where to, as DE FR"));
    }
    Ok(places)
}

/// The codes of places, as a form has them.
pub(super) fn written(places: &[Place]) -> String {
    places.iter().filter_map(Place::code).collect::<Vec<_>>().join(" ")
}

/// Places as people read them.
pub(super) fn shown(places: &[Place]) -> String {
    let named = places.iter().take(SHOWN_MAX).map(Place::shown).collect::<Vec<_>>().join(", ");
    match places.len().saturating_sub(SHOWN_MAX) {
        0 => named,
        n => format!("{named} and {n} more"),
    }
}

/// The places that have no code, such as cities: the form of a zone does not ask for them.
pub(super) fn others(places: &[Place]) -> Vec<&Place> {
    places.iter().filter(|it| it.code().is_none()).collect()
}

/// Are these the same places?
pub(super) fn are_same(one: &[Place], other: &[Place]) -> bool {
    let codes = |places: &[Place]| {
        let mut codes: Vec<_> = places.iter().map(Place::code).collect();
        codes.sort();
        codes.dedup();
        codes
    };
    codes(one) == codes(other)
}

/// The places of a zone with another one, as a body has them.
pub(super) fn with(before: &[Place], place: Place) -> Value {
    before.iter().cloned().chain([place]).map(|it| json!(it)).collect()
}

/// The same without the one with this id.
pub(super) fn without(before: &[Place], id: &str) -> Value {
    before.iter().filter(|it| it.id.as_deref() != Some(id)).map(|it| json!(it)).collect()
}

/// The places of a zone after its form was filled in, as a body has them: those that were there before are
/// meant by their ids, and what the form does not ask for stays.
pub(super) fn changed(before: &[Place], typed: Vec<Place>) -> Value {
    let of_before = |it: Place| before.iter().find(|was| was.code() == it.code()).cloned().unwrap_or(it);
    let mut all: Vec<Place> = Vec::new();
    for place in typed.into_iter().map(of_before).chain(others(before).into_iter().cloned()) {
        if place.code().is_none() || all.iter().all(|it| it.code() != place.code()) {
            all.push(place);
        }
    }
    json!(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_they_are_read() {
        let places = read("de, fr\nUS-CA").expect("places");
        assert_eq!(written(&places), "DE FR US-CA");
        assert_eq!(
            json!(places[2]),
            json!({ "type": "province", "country_code": "us", "province_code": "us-ca" })
        );
        for wrong in ["Germany", "DE FR-", "", "  ", "ДЕ", "D1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn postal_codes_are_written_as_they_are_read() {
        for (written, pattern) in [("101*, 10243", "101.*|10243"), ("SW1A 1AA", "SW1A 1AA"), ("9-1", "9-1")] {
            assert_eq!(postal_pattern(written).expect("codes").as_deref(), Some(pattern));
            assert_eq!(in_words(pattern), written);
        }
        assert_eq!(postal_pattern(" , ").expect("none"), None);
        assert!(postal_pattern("10\\d{3}").is_err());
        assert_eq!(in_words("90\\d{3}"), "90\\d{3}");
    }

    #[test]
    fn what_the_form_does_not_ask_for_stays() {
        let before: Vec<Place> = serde_json::from_value(json!([
            { "id": "fgz_1", "type": "country", "country_code": "de", "province_code": null },
            { "id": "fgz_2", "type": "country", "country_code": "fr" },
            { "id": "fgz_3", "type": "city", "country_code": "it", "province_code": "it-rm", "city": "Rome" },
        ]))
        .expect("places");
        assert_eq!(shown(&before), "DE, FR, Rome (IT)");
        let after = changed(&before, read("AT DE AT").expect("places"));
        let ids: Vec<_> = after.as_array().expect("a list").iter().map(|it| it["id"].as_str()).collect();
        assert_eq!(ids, [None, Some("fgz_1"), Some("fgz_3")]);
        assert!(are_same(&before[..2], &read("FR DE").expect("places")));
        assert!(!are_same(&before, &read("FR DE").expect("places")));
    }
}
