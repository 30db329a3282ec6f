//! The records of where is shipped to: fulfilment sets of stock locations, their service zones, and the geo
//! zones (country, province, city, postal code) of these; and whether an address lies in one.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use atoll_checkout::Address;
use atoll_kernel::{
    Id, Metadata, entity,
    limits::{POSTAL_CODE_CHARS_MAX, POSTAL_PATTERNS_KEPT_MAX},
    serde::Deserialize,
    serde_json::{Map, Value},
    words,
};
use regex_lite::{Regex, RegexBuilder};

use crate::Error;

entity! {
    /// A way in which a stock location hands over goods, such as by shipping or for pickup: the zones that it
    /// serves.
    pub struct FulfillmentSet = "fulfillment_set" / "fulfillment_sets", "fuset" {
        /// Display name, unique.
        pub name: String,
        /// The kind of handover, a word of the shop's own: `shipping` and `pickup` by custom.
        pub r#type: String,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [name]
}

entity! {
    /// An area to which a stock location ships by the same options.
    pub struct ServiceZone = "service_zone" / "service_zones", "serzo" {
        /// Display name, unique.
        pub name: String,
        /// The fulfilment set.
        pub fulfillment_set_id: Id<FulfillmentSet>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// What lies in it: an address in one of these.
        pub geo_zones: Vec<GeoZone>,
    }
    search [name]
    embeds [many geo_zones: GeoZone]
}

words! {
    /// What a geo zone is.
    pub enum GeoZoneType {
        /// A whole country.
        #[default]
        Country = "country",
        /// A province of a country.
        Province = "province",
        /// A city in a province.
        City = "city",
        /// Postal codes of a city.
        Zip = "zip",
    }
}

entity! {
    /// A part of the world, as addresses name it.
    pub struct GeoZone = "geo_zone" / "geo_zones", "fgz" {
        /// What it is: all that it names must be that of the address.
        pub r#type: GeoZoneType,
        /// ISO 3166-1 alpha-2, in lower case.
        pub country_code: String,
        /// The province, as the addresses of the shop write it (`us-ny`). Upper and lower case are the same.
        pub province_code: Option<String>,
        /// The city. Upper and lower case are the same.
        pub city: Option<String>,
        /// The postal codes: `{"type": "regex", "exp": "90\\d{3}"}`, which the whole code must match.
        pub postal_expression: Metadata,
        /// The service zone.
        pub service_zone_id: Id<ServiceZone>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
}

/// A geo zone, as a request describes it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, crate = "::atoll_kernel::serde")]
pub struct GeoZoneInput {
    /// The id of the zone's own that is meant; none for a new one.
    pub id: Option<String>,
    /// What it is.
    pub r#type: GeoZoneType,
    /// ISO 3166-1 alpha-2, in any case.
    pub country_code: String,
    /// The province, for every type but a country.
    pub province_code: Option<String>,
    /// The city, for a city and for postal codes.
    pub city: Option<String>,
    /// The postal codes, for postal codes.
    pub postal_expression: Option<Map<String, Value>>,
    /// Free data.
    pub metadata: Metadata,
}

impl ServiceZone {
    /// Does it serve this address? One that is not known yet may be anywhere.
    pub fn serves(&self, to: Option<&Address>) -> bool {
        to.is_none_or(|to| self.geo_zones.iter().any(|it| it.holds(to)))
    }
}

impl GeoZone {
    /// Does this address lie in it?
    pub fn holds(&self, to: &Address) -> bool {
        is_same(Some(&self.country_code), to.country_code.as_deref())
            && (self.r#type == GeoZoneType::Country
                || is_same(self.province_code.as_deref(), to.province.as_deref()))
            && (!matches!(self.r#type, GeoZoneType::City | GeoZoneType::Zip)
                || is_same(self.city.as_deref(), to.city.as_deref()))
            && (self.r#type != GeoZoneType::Zip || self.has_code(to.postal_code.as_deref()))
    }

    fn has_code(&self, code: Option<&str>) -> bool {
        let is_code = |it: &&str| it.chars().count() <= POSTAL_CODE_CHARS_MAX;
        let Some(code) = code.map(str::trim).filter(is_code) else { return false };
        self.postal_expression.0.as_ref().and_then(kept_pattern).is_some_and(|it| it.is_match(code))
    }
}

/// Are both there, and the same but for blanks around them and the case of their letters?
fn is_same(one: Option<&str>, other: Option<&str>) -> bool {
    let plain = |it: &str| it.trim().to_lowercase();
    one.zip(other).is_some_and(|(one, other)| plain(one) == plain(other))
}

/// The size of a compiled pattern, in bytes. Postal codes have a dozen characters; one pattern for a
/// hundred of them is far smaller.
const PATTERN_BYTES_MAX: usize = 64 * 1024;

/// Compiled patterns by their text: a cart is looked at with each change, and compiling takes far longer than
/// matching.
static PATTERNS: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);

/// The pattern of an expression that is stored.
fn kept_pattern(expression: &Map<String, Value>) -> Option<Regex> {
    let text = expression.get("exp").and_then(Value::as_str)?;
    let mut patterns = PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pattern) = patterns.get(text) {
        return Some(pattern.clone());
    }
    let pattern = pattern_of(expression).ok()?;
    if patterns.len() >= POSTAL_PATTERNS_KEPT_MAX {
        patterns.clear();
    }
    patterns.insert(text.to_owned(), pattern.clone());
    Some(pattern)
}

/// The pattern of an expression of postal codes, for whole codes.
fn pattern_of(expression: &Map<String, Value>) -> Result<Regex, String> {
    let text = |name: &str| expression.get(name).and_then(Value::as_str);
    let ("regex", Some(pattern)) = (text("type").unwrap_or_default(), text("exp")) else {
        return Err("must be {\"type\": \"regex\", \"exp\": \"…\"}".to_owned());
    };
    built(&format!("^(?:{pattern})$"))
}

fn built(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern).case_insensitive(true).size_limit(PATTERN_BYTES_MAX).build();
    built.map_err(|error| format!("is no pattern: {error}"))
}

/// Checks an expression that is to be stored. It must be a pattern by itself: `90)|(?:10` is one only between
/// the brackets around it, and would match parts of codes.
fn check_pattern(expression: &Map<String, Value>) -> Result<(), String> {
    pattern_of(expression)?;
    let pattern = expression.get("exp").and_then(Value::as_str).unwrap_or_default();
    built(pattern).map(drop)
}

impl GeoZoneInput {
    /// The record that it describes, at this position of a request. Errors: a part of the address that its
    /// type lacks, or that its type does not have.
    pub(crate) fn read(self, index: usize) -> Result<GeoZone, Error> {
        let kind = self.r#type;
        let is_below_country = kind != GeoZoneType::Country;
        let is_in_city = matches!(kind, GeoZoneType::City | GeoZoneType::Zip);
        let parts = [
            ("province_code", self.province_code.is_some(), is_below_country),
            ("city", self.city.is_some(), is_in_city),
            ("postal_expression", self.postal_expression.is_some(), kind == GeoZoneType::Zip),
        ];
        for (name, is_there, is_needed) in parts {
            match (is_there, is_needed) {
                (false, true) => {
                    return Err(Error::Invalid(format!(
                        "Invalid request: Field 'geo_zones, {index}, {name}' is required"
                    )));
                }
                (true, false) => {
                    return Err(Error::Invalid(format!(
                        "Invalid request: Unrecognized fields: 'geo_zones, {index}, {name}'"
                    )));
                }
                _ => {}
            }
        }
        if let Some(expression) = &self.postal_expression {
            check_pattern(expression).map_err(|reason| {
                Error::Invalid(format!(
                    "Invalid request: Field 'geo_zones, {index}, postal_expression' {reason}"
                ))
            })?;
        }
        Ok(GeoZone {
            r#type: kind,
            country_code: self.country_code.to_lowercase(),
            province_code: self.province_code,
            city: self.city,
            postal_expression: Metadata(self.postal_expression),
            metadata: self.metadata,
            ..GeoZone::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use atoll_kernel::serde_json::{from_value, json};

    use super::*;

    fn zone(zone: Value) -> Result<GeoZone, String> {
        let input: GeoZoneInput = from_value(zone).expect("a geo zone");
        input.read(0).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn check(described: Value, to: [&str; 4], expect: bool) {
        let part = |it: &str| Some(it.to_owned()).filter(|it| !it.is_empty());
        let [country, province, city, code] = to.map(part);
        let to = Address { country_code: country, province, city, postal_code: code, ..Address::default() };
        assert_eq!(zone(described).expect("a geo zone").holds(&to), expect, "{to:?}");
    }

    #[test]
    fn an_address_lies_in_a_zone_if_all_that_the_zone_names_is_its_own() {
        let country = || json!({ "type": "country", "country_code": "US" });
        check(country(), ["us", "", "", ""], true);
        check(country(), ["US", "us-ny", "New York", "10001"], true);
        check(country(), ["de", "", "", ""], false);
        check(country(), ["", "us-ny", "", ""], false);
        let province = || json!({ "type": "province", "country_code": "us", "province_code": "us-ny" });
        check(province(), ["us", "US-NY", "", ""], true);
        check(province(), ["us", "us-tx", "", ""], false);
        check(province(), ["us", "", "", ""], false);
        check(province(), ["ca", "us-ny", "", ""], false);
        let city =
            || json!({ "type": "city", "country_code": "de", "province_code": "de-be", "city": "Berlin" });
        check(city(), ["de", "de-be", " berlin ", ""], true);
        check(city(), ["de", "de-bb", "Berlin", ""], false);
        check(city(), ["de", "de-be", "Potsdam", ""], false);
        let codes = || {
            json!({
                "type": "zip", "country_code": "us", "province_code": "us-ca", "city": "Los Angeles",
                "postal_expression": { "type": "regex", "exp": "90\\d{3}" },
            })
        };
        check(codes(), ["us", "us-ca", "Los Angeles", "90001"], true);
        // The whole code, and not a part of it.
        check(codes(), ["us", "us-ca", "Los Angeles", "900011"], false);
        check(codes(), ["us", "us-ca", "Los Angeles", "10001"], false);
        check(codes(), ["us", "us-ca", "Los Angeles", ""], false);
        let any = || {
            json!({
                "type": "zip", "country_code": "us", "province_code": "us-ca", "city": "Los Angeles",
                "postal_expression": { "type": "regex", "exp": ".*" },
            })
        };
        check(any(), ["us", "us-ca", "Los Angeles", "any code"], true);
        // What is far longer than any code is not matched: it takes the time of its length.
        check(any(), ["us", "us-ca", "Los Angeles", &"9".repeat(100_000)], false);
    }

    #[test]
    fn what_a_type_lacks_or_does_not_have_is_named() {
        let error = |described: Value| zone(described).expect_err("an error");
        assert_eq!(
            error(json!({ "type": "province", "country_code": "de" })),
            "Invalid request: Field 'geo_zones, 0, province_code' is required"
        );
        assert_eq!(
            error(json!({ "country_code": "de", "city": "Berlin" })),
            "Invalid request: Unrecognized fields: 'geo_zones, 0, city'"
        );
        let codes = |expression: Value| {
            json!({
                "type": "zip", "country_code": "us", "province_code": "us-ca", "city": "Los Angeles",
                "postal_expression": expression,
            })
        };
        let named = "Invalid request: Field 'geo_zones, 0, postal_expression' ";
        assert!(error(codes(json!({ "type": "glob", "exp": "90*" }))).starts_with(named));
        for pattern in ["90(", "90)|(?:10"] {
            assert!(error(codes(json!({ "type": "regex", "exp": pattern }))).starts_with(named), "{pattern}");
        }
        // A pattern that would take megabytes is refused when it is written.
        assert!(error(codes(json!({ "type": "regex", "exp": "(\\d{500}){500}" }))).starts_with(named));
    }
}
