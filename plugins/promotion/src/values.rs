//! The values of a rule: stored as texts, shown as records with a `value`.

use std::fmt;

use atoll_kernel::{
    data::{FieldKind, FieldValue},
    serde::{
        Deserialize, Deserializer, Serialize,
        de::{SeqAccess, Visitor, value::SeqAccessDeserializer},
    },
};

use crate::PromotionRuleValue;

/// The values of a rule. A single text is read as a list of one, as the wire does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(crate = "::atoll_kernel::serde", transparent)]
pub struct RuleValues(pub Vec<String>);

impl RuleValues {
    /// The values as records.
    pub fn iter(&self) -> impl Iterator<Item = PromotionRuleValue> {
        self.0.iter().map(|it| PromotionRuleValue {
            id: it.as_str().into(),
            value: it.clone(),
            ..PromotionRuleValue::default()
        })
    }
}

impl FieldValue for RuleValues {
    const KIND: FieldKind = <Vec<String> as FieldValue>::KIND;
}

impl<'de> Deserialize<'de> for RuleValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;

        impl<'de> Visitor<'de> for Texts {
            type Value = RuleValues;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a list of texts")
            }

            fn visit_str<E>(self, text: &str) -> Result<RuleValues, E> {
                Ok(RuleValues(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<RuleValues, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(list)).map(RuleValues)
            }
        }

        deserializer.deserialize_any(Texts)
    }
}
