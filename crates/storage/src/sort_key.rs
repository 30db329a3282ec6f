//! Sort keys: the order of values in lists, and the collation of names (the root collation of ICU).
//!
//! Collation keys are comparable only within one version of the collation data: [`COLLATION_VERSION`] is part
//! of the version of every index that stores them.

use std::sync::LazyLock;

use atoll_values::{Decimal, Timestamp};
use icu_collator::{Collator, CollatorBorrowed};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{EntityDef, FieldKind, Scalar};

/// The version of the collation keys. Increase it when the data of the crate `icu_collator` changes: a test
/// compares the keys of some names.
pub const COLLATION_VERSION: u16 = 1;

/// Bytes of a collation key that count. Names that are the same up to there are ordered by their ids.
const NAME_BYTES_MAX: usize = 512;

/// An alphabetical order that suits most languages: `Äpfel` beside `Apfel`, Latin before Cyrillic before Han.
static COLLATION: LazyLock<CollatorBorrowed<'static>> = LazyLock::new(|| {
    Collator::try_new(Default::default(), Default::default()).expect("the root collation is compiled in")
});

/// The value to sort by, computed once per record. Records without a value come last, as in PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SortKey {
    /// False, then true.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// A point in time.
    Time(Timestamp),
    /// An id or an enum value: compared by its bytes.
    Word(String),
    /// The collation key of a text for people.
    Name(Vec<u8>),
    /// No value.
    Null,
}

impl SortKey {
    /// The key of a field of a record.
    pub fn of(entity: &EntityDef, field: &str, value: &Scalar<'_>) -> SortKey {
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
    pub fn of_json(value: Option<&Value>) -> SortKey {
        match value {
            Some(Value::Number(number)) => Decimal::from_json(number).map_or(SortKey::Null, SortKey::Number),
            _ => SortKey::Null,
        }
    }

    fn name(text: &str) -> SortKey {
        let mut key = Vec::with_capacity(2 * text.len() + 8);
        let Ok(()) = COLLATION.write_sort_key_to(text, &mut key);
        // Lists hold many of them: no room is kept for what is cut off.
        key.truncate(NAME_BYTES_MAX);
        key.shrink_to_fit();
        SortKey::Name(key)
    }

    /// Bytes in the same order, for the keys of an index. All values of a field must be of one type, and
    /// numbers whole.
    pub(crate) fn ordered(&self) -> Vec<u8> {
        let tagged = |tag: u8, bytes: &[u8]| [&[tag], bytes].concat();
        let number = |it: i64| (it.cast_unsigned() ^ (1 << 63)).to_be_bytes();
        match self {
            SortKey::Bool(it) => tagged(1, &[u8::from(*it)]),
            SortKey::Number(it) => {
                let bound = if it.is_negative() { i64::MIN } else { i64::MAX };
                tagged(1, &number(it.to_i64().unwrap_or(bound)))
            }
            SortKey::Time(it) => tagged(1, &number(it.millis())),
            SortKey::Word(it) => tagged(1, it.as_bytes()),
            SortKey::Name(it) => tagged(1, it),
            SortKey::Null => tagged(2, &[]),
        }
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

    #[test]
    fn long_texts_have_short_keys() {
        let SortKey::Name(key) = SortKey::name(&"x".repeat(100_000)) else { panic!("a name") };
        assert_eq!((key.len(), key.capacity()), (NAME_BYTES_MAX, NAME_BYTES_MAX));
    }

    #[test]
    fn collation_keys_match_their_version() {
        let keys: String = ["Äpfel", "a-B 9", "日"]
            .iter()
            .flat_map(|it| SortKey::name(it).ordered())
            .map(|it| format!("{it:02x}"))
            .collect();
        assert_eq!(
            (COLLATION_VERSION, keys.as_str()),
            (1, "012b493533410145960801dc09012b050e2d0424010901c4dc0601fa322c01050105")
        );
    }

    #[test]
    fn ordered_bytes_sort_as_the_values() {
        let time = |it| SortKey::Time(Timestamp::from_millis(it));
        let number = |it: i64| SortKey::Number(Decimal::from(it));
        let all = [
            vec![time(i64::MIN), time(-1), time(0), time(1), SortKey::Null],
            vec![number(-5), number(0), number(300), SortKey::Null],
            vec![SortKey::Bool(false), SortKey::Bool(true), SortKey::Null],
            vec![SortKey::name("a"), SortKey::name("ab"), SortKey::name("b"), SortKey::Null],
        ];
        for keys in all {
            assert!(keys.is_sorted() && keys.iter().map(SortKey::ordered).is_sorted(), "{keys:?}");
        }
    }
}
