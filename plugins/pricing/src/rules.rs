//! Rules of a price: conditions on the attributes of a sale (region, customer groups, total of the items),
//! with operators.

use std::collections::BTreeMap;

use atoll_kernel::{
    Decimal, Timestamp,
    data::{FieldKind, FieldValue},
    serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error},
    serde_json::{Map, Value, json},
    words,
};

use crate::PriceContext;

words! {
    /// How the value of an attribute is compared with that of a rule.
    #[derive(PartialOrd, Ord)]
    pub enum RuleOperator {
        /// Equal.
        #[default]
        Eq = "eq",
        /// Greater.
        Gt = "gt",
        /// Greater or equal.
        Gte = "gte",
        /// Less.
        Lt = "lt",
        /// Less or equal.
        Lte = "lte",
    }
}

/// What a rule compares with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleValue {
    /// A text, such as an id.
    Text(String),
    /// A number, which compares as such: `100` equals `100.00`.
    Number(Decimal),
}

/// A condition on an attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PriceRule {
    /// How it compares. An order needs a number.
    pub operator: RuleOperator,
    /// With what.
    pub value: RuleValue,
}

/// The rules of a price by attribute, all of which must hold. In JSON an attribute has the value that it must
/// equal, or a list of operators and values: `{"region_id": "reg_…", "item_total": [{"operator": "gte",
/// "value": 100}]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rules(BTreeMap<String, Vec<PriceRule>>);

impl Rules {
    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of rules.
    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Adds a rule.
    pub fn add(&mut self, attribute: &str, operator: RuleOperator, value: RuleValue) {
        self.0.entry(attribute.to_owned()).or_default().push(PriceRule { operator, value });
    }

    /// The same rules, and that this attribute must equal a text.
    pub fn with(mut self, attribute: &str, value: &str) -> Rules {
        self.add(attribute, RuleOperator::Eq, RuleValue::Text(value.to_owned()));
        self
    }

    /// The attributes, each with its rules.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PriceRule)> {
        self.0.iter().flat_map(|(name, rules)| rules.iter().map(|rule| (name.as_str(), rule)))
    }

    /// The text that this attribute must equal, if a rule says so.
    pub fn text(&self, attribute: &str) -> Option<&str> {
        self.0.get(attribute)?.iter().find_map(|it| match (it.operator, &it.value) {
            (RuleOperator::Eq, RuleValue::Text(text)) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Do all of them hold in this context? One on an attribute that the context lacks does not.
    pub fn hold(&self, context: &PriceContext) -> bool {
        self.iter().all(|(attribute, rule)| context.values(attribute).iter().any(|it| rule.holds(it)))
    }

    /// The rules as the wire shows them, as rows of the price with this id. Their ids are made from that of
    /// the price: no request asks for them.
    pub fn rows(&self, price: &str, created_at: Timestamp, updated_at: Timestamp) -> Value {
        let tail = price.rsplit('_').next().unwrap_or_default();
        let row = |(n, (attribute, rule)): (usize, (&str, &PriceRule))| {
            let kept = tail.char_indices().rev().nth(1).map_or("", |(at, _)| &tail[..at]);
            let id = if n == 0 { format!("prule_{tail}") } else { format!("prule_{kept}{n:02}") };
            json!({
                "id": id, "attribute": attribute, "value": rule.value.as_text(),
                "operator": rule.operator, "priority": 0, "price_id": price,
                "created_at": created_at, "updated_at": updated_at, "deleted_at": null,
            })
        };
        self.iter().enumerate().map(row).collect()
    }
}

impl PriceRule {
    fn holds(&self, actual: &str) -> bool {
        if let (RuleOperator::Eq, RuleValue::Text(text)) = (self.operator, &self.value) {
            return text == actual;
        }
        let wanted = match &self.value {
            RuleValue::Number(number) => Some(*number),
            RuleValue::Text(text) => text.parse().ok(),
        };
        let (Some(wanted), Ok(actual)) = (wanted, actual.parse::<Decimal>()) else { return false };
        match self.operator {
            RuleOperator::Eq => actual == wanted,
            RuleOperator::Gt => actual > wanted,
            RuleOperator::Gte => actual >= wanted,
            RuleOperator::Lt => actual < wanted,
            RuleOperator::Lte => actual <= wanted,
        }
    }
}

impl RuleValue {
    /// As text, which the wire shows.
    pub fn as_text(&self) -> String {
        match self {
            RuleValue::Text(text) => text.clone(),
            RuleValue::Number(number) => number.to_string(),
        }
    }

    fn of(json: &Value) -> Option<RuleValue> {
        match json {
            Value::String(text) => Some(RuleValue::Text(text.clone())),
            Value::Number(number) => Decimal::from_json(number).map(RuleValue::Number),
            _ => None,
        }
    }

    fn json(&self) -> Value {
        match self {
            RuleValue::Text(text) => json!(text),
            RuleValue::Number(number) => json!(number),
        }
    }
}

/// An object of any fields, in the store as in JSON: rows of releases without operators, which hold texts,
/// are read as they are.
impl FieldValue for Rules {
    const KIND: FieldKind = FieldKind::Record;
}

impl Serialize for Rules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rules = |rules: &Vec<PriceRule>| match rules.as_slice() {
            [PriceRule { operator: RuleOperator::Eq, value }] => value.json(),
            all => {
                all.iter().map(|it| json!({ "operator": it.operator, "value": it.value.json() })).collect()
            }
        };
        serializer.collect_map(self.0.iter().map(|(attribute, all)| (attribute, rules(all))))
    }
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut rules = Rules::default();
        for (attribute, value) in Map::<String, Value>::deserialize(deserializer)? {
            let wrong = || {
                D::Error::custom(format!(
                    "Expected a text, a number, or a list of `operator` and `value`, for field 'rules, {attribute}'"
                ))
            };
            let Value::Array(all) = &value else {
                rules.add(&attribute, RuleOperator::Eq, RuleValue::of(&value).ok_or_else(wrong)?);
                continue;
            };
            for one in all {
                let operator = RuleOperator::deserialize(&one["operator"]).map_err(|_| wrong())?;
                rules.add(&attribute, operator, RuleValue::of(&one["value"]).ok_or_else(wrong)?);
            }
        }
        Ok(rules)
    }
}

/// The type of rules as rows, for OpenAPI.
#[derive(Debug)]
pub struct RuleRows;

impl FieldValue for RuleRows {
    const KIND: FieldKind = FieldKind::List(&FieldKind::Fields {
        names: &[
            "id", "attribute", "value", "operator", "priority", "price_id", "created_at", "updated_at",
            "deleted_at",
        ],
        kinds: &[
            FieldKind::Text,
            FieldKind::Text,
            FieldKind::Text,
            RuleOperator::KIND,
            FieldKind::Whole(8),
            FieldKind::Text,
            FieldKind::Time,
            FieldKind::Time,
            FieldKind::OrNull(&FieldKind::Time),
        ],
    });
}

#[cfg(test)]
mod tests {
    use atoll_kernel::serde_json::from_str;

    use super::*;

    #[track_caller]
    fn check(rules: &str, attributes: &[(&str, &[&str])], expect: bool) {
        let rules: Rules = from_str(rules).expect("rules");
        let mut context = PriceContext::new("eur", Timestamp::default());
        for (name, values) in attributes {
            context = context.with_all(name, values.iter().map(|it| (*it).to_owned()));
        }
        assert_eq!(rules.hold(&context), expect, "{rules:?} in {attributes:?}");
    }

    #[test]
    fn every_rule_must_hold_for_one_value_of_its_attribute() {
        check("{}", &[], true);
        let region = r#"{"region_id":"reg_de"}"#;
        check(region, &[], false);
        check(region, &[("region_id", &["reg_us"])], false);
        check(region, &[("region_id", &["reg_de"])], true);
        let group = r#"{"customer.groups.id":"vip","region_id":"reg_de"}"#;
        check(group, &[("region_id", &["reg_de"]), ("customer.groups.id", &["all", "vip"])], true);
        check(group, &[("region_id", &["reg_de"]), ("customer.groups.id", &["all"])], false);
    }

    #[test]
    fn operators_compare_numbers() {
        for (operator, below, at, above) in [
            ("eq", false, true, false),
            ("gt", false, false, true),
            ("gte", false, true, true),
            ("lt", true, false, false),
            ("lte", true, true, false),
        ] {
            let rules = format!(r#"{{"item_total":[{{"operator":"{operator}","value":100}}]}}"#);
            check(&rules, &[("item_total", &["99.99"])], below);
            check(&rules, &[("item_total", &["100.00"])], at);
            check(&rules, &[("item_total", &["100.01"])], above);
        }
        let between = r#"{"item_total":[{"operator":"gt","value":30},{"operator":"lt","value":"60"}]}"#;
        check(between, &[("item_total", &["32.97"])], true);
        check(between, &[("item_total", &["60"])], false);
        check(between, &[("item_total", &["much"])], false);
        // Texts are equal as texts.
        check(r#"{"postal_code":"01"}"#, &[("postal_code", &["1"])], false);
    }

    #[test]
    fn rules_are_written_as_they_are_read() {
        for text in [
            "{}",
            r#"{"region_id":"reg_de"}"#,
            r#"{"item_total":[{"operator":"gte","value":100.5},{"operator":"lt","value":200}]}"#,
        ] {
            let rules: Rules = from_str(text).expect("rules");
            assert_eq!(json!(rules), from_str::<Value>(text).expect("JSON"));
        }
        for text in [r#"{"a":true}"#, r#"{"a":[{"operator":"is","value":1}]}"#, r#"{"a":["b"]}"#, "[]"] {
            assert!(from_str::<Rules>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rows_have_ids_of_their_own() {
        let rules: Rules =
            from_str(r#"{"item_total":[{"operator":"gt","value":30},{"operator":"lt","value":60}]}"#)
                .expect("rules");
        let rows = rules.rows("price_01M8BY643AGVGM6SE8J04WHD3J", Timestamp::default(), Timestamp::default());
        let ids: Vec<&str> = (0..2).map(|n| rows[n]["id"].as_str().expect("an id")).collect();
        assert_eq!(ids, ["prule_01M8BY643AGVGM6SE8J04WHD3J", "prule_01M8BY643AGVGM6SE8J04WHD01"]);
        assert_eq!(rows[1]["value"], "60");
    }
}
