//! Sort keys: the order of values in lists, and the collation of names (the root collation of ICU).
//!
//! Collation keys are not stored. They are comparable only within one version of the collation data, so an
//! index of them would need that version in its fingerprint.

use std::sync::LazyLock;

use atoll_storage::{EntityDef, FieldKind, Scalar};
use atoll_values::{Decimal, Timestamp};
use icu_collator::{Collator, CollatorBorrowed};
use serde_json::Value;

/// An alphabetical order that suits most languages: `Äpfel` beside `Apfel`, Latin before Cyrillic before Han.
static COLLATION: LazyLock<CollatorBorrowed<'static>> = LazyLock::new(|| {
    Collator::try_new(Default::default(), Default::default()).expect("the root collation is compiled in")
});

/// The value to sort by, computed once per record. Records without a value come last, as in PostgreSQL.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SortKey {
    Bool(bool),
    Number(Decimal),
    Time(Timestamp),
    /// An id or an enum value: compared by its bytes.
    Word(String),
    /// The collation key of a text for people.
    Name(Vec<u8>),
    Null,
}

impl SortKey {
    pub(crate) fn of(entity: &EntityDef, field: &str, value: &Scalar<'_>) -> SortKey {
        match value {
            Scalar::Bool(it) => SortKey::Bool(*it),
            Scalar::Number(it) => SortKey::Number(*it),
            Scalar::Time(it) => SortKey::Time(*it),
            Scalar::Text(it) if is_name(entity, field) => SortKey::name(it),
            Scalar::Text(it) => SortKey::Word((*it).to_owned()),
            Scalar::Null | Scalar::List(_) => SortKey::Null,
        }
    }

    /// The key of a computed field: numbers sort, everything else counts as null.
    pub(crate) fn of_json(value: Option<&Value>) -> SortKey {
        match value {
            Some(Value::Number(number)) => Decimal::from_json(number).map_or(SortKey::Null, SortKey::Number),
            _ => SortKey::Null,
        }
    }

    fn name(text: &str) -> SortKey {
        let mut key = Vec::with_capacity(2 * text.len() + 8);
        let Ok(()) = COLLATION.write_sort_key_to(text, &mut key);
        SortKey::Name(key)
    }
}

/// Is the field a text for people, and not an id? Ids sort by their bytes, which is by creation time.
fn is_name(entity: &EntityDef, field: &str) -> bool {
    let kind = entity.fields.iter().zip(entity.kinds).find(|(it, _)| **it == field);
    let is_text = matches!(kind, Some((_, FieldKind::Text | FieldKind::OrNull(FieldKind::Text))));
    is_text && field != "id" && !field.ends_with("_id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_collated_alphabetically() {
        let names = [
            "äpfel", "Apfel", "apfel", "Birne", "zebra", "Żaba", "Zebra", "Łyżka", "lampa", "Ножи", "Вода",
            "日本", "élan", "eland", "10", "9", "é", "e",
        ];
        let mut sorted = names;
        sorted.sort_by_cached_key(|it| SortKey::name(it));
        assert_eq!(
            sorted,
            [
                "10", "9", "apfel", "Apfel", "äpfel", "Birne", "e", "é", "élan", "eland", "lampa", "Łyżka",
                "Żaba", "zebra", "Zebra", "Вода", "Ножи", "日本",
            ]
        );
    }
}
