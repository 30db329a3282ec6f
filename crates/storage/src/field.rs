//! Types of stored fields: comparison, updates, foreign keys, and the schema (`FieldKind`) that fingerprints
//! are made of.

use std::collections::BTreeMap;

use atoll_values::{Decimal, Id, Metadata, Timestamp};
use serde_json::{Map, Number, Value};

/// The value of a field, for filters and sorting.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// Null, or a value that has no order.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// Text.
    Text(&'a str),
    /// A point in time.
    Time(Timestamp),
    /// Several texts; a filter matches when one of them does.
    List(Vec<&'a str>),
}

/// The type of a field, for OpenAPI and for the fingerprint of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Any JSON.
    Any,
    /// Text.
    Text,
    /// One of these words (an enumeration).
    Words(&'static [&'static str]),
    /// True or false.
    Bool,
    /// An unsigned whole number of at most this many bits.
    Whole(u8),
    /// A decimal.
    Decimal,
    /// A point in time.
    Time,
    /// An object with any fields.
    Record,
    /// An object with these fields.
    Fields {
        /// Names of the fields.
        names: &'static [&'static str],
        /// Types of the fields, in the same order.
        kinds: &'static [FieldKind],
    },
    /// An object with exactly one of these fields: an enumeration whose variants hold values.
    Variants {
        /// Names of the variants.
        names: &'static [&'static str],
        /// Types of their values, in the same order.
        kinds: &'static [FieldKind],
    },
    /// A list of this type.
    List(&'static FieldKind),
    /// This type, or null.
    OrNull(&'static FieldKind),
}

impl FieldKind {
    /// The name of the type in fingerprints: `optional text`, `one of draft|published`. Nested fields have
    /// entries of their own there ([`FieldKind::paths`]).
    pub fn name(&self) -> String {
        match self {
            FieldKind::Any => "anything".to_owned(),
            FieldKind::Text => "text".to_owned(),
            FieldKind::Words(words) => format!("one of {}", words.join("|")),
            FieldKind::Bool => "bool".to_owned(),
            FieldKind::Whole(bits) => format!("whole number of {bits} bits"),
            FieldKind::Decimal => "decimal".to_owned(),
            FieldKind::Time => "time".to_owned(),
            FieldKind::Record => "record".to_owned(),
            FieldKind::Fields { .. } => "fields".to_owned(),
            FieldKind::Variants { .. } => "variants".to_owned(),
            FieldKind::List(of) => format!("list of {}", of.name()),
            FieldKind::OrNull(kind) => format!("optional {}", kind.name()),
        }
    }

    /// Calls `visit` with the path (`items.detail.quantity`) and type of each nested field.
    pub fn paths(&self, above: &str, visit: &mut dyn FnMut(String, FieldKind)) {
        match self {
            FieldKind::Fields { names, kinds } | FieldKind::Variants { names, kinds } => {
                for (name, kind) in names.iter().zip(*kinds) {
                    let path = if above.is_empty() { (*name).to_owned() } else { format!("{above}.{name}") };
                    visit(path.clone(), *kind);
                    kind.paths(&path, visit);
                }
            }
            FieldKind::List(of) | FieldKind::OrNull(of) => of.paths(above, visit),
            _ => {}
        }
    }

    /// Can values that were stored as the type with this name be read as this one? Fingerprints of Atoll 0.1
    /// up to the end of November 2026 say `anything` for fields that hold fields, and `number` for all
    /// numbers; there each row is decoded to find out.
    pub fn takes(&self, name: &str) -> bool {
        match self {
            _ if name == "anything" => true,
            FieldKind::Any => true,
            FieldKind::OrNull(kind) => kind.takes(name.strip_prefix("optional ").unwrap_or(name)),
            FieldKind::List(of) => name.strip_prefix("list of ").is_some_and(|name| of.takes(name)),
            FieldKind::Text => name == "text" || name.starts_with("one of "),
            FieldKind::Words(words) => {
                let old = name.strip_prefix("one of ");
                old.is_some_and(|old| old.split('|').all(|word| words.contains(&word)))
            }
            FieldKind::Decimal => name == "decimal" || name == "number" || whole(name).is_some(),
            FieldKind::Whole(bits) => name == "number" || whole(name).is_some_and(|old| old <= *bits),
            FieldKind::Bool
            | FieldKind::Time
            | FieldKind::Record
            | FieldKind::Fields { .. }
            | FieldKind::Variants { .. } => self.name() == name,
        }
    }

    /// Is this JSON value one of this type, in a field of any type? There, times and decimals with a fraction
    /// are text.
    pub fn fits(&self, value: &Value) -> bool {
        match self {
            FieldKind::Any => true,
            FieldKind::Text => value.is_string(),
            FieldKind::Words(words) => value.as_str().is_some_and(|it| words.contains(&it)),
            FieldKind::Bool => value.is_boolean(),
            FieldKind::Whole(bits) => {
                value.as_u64().is_some_and(|it| u64::from(64 - it.leading_zeros()) <= u64::from(*bits))
            }
            FieldKind::Decimal => serde_json::from_value::<Decimal>(value.clone()).is_ok(),
            FieldKind::Time => serde_json::from_value::<Timestamp>(value.clone()).is_ok(),
            FieldKind::Record | FieldKind::Fields { .. } | FieldKind::Variants { .. } => value.is_object(),
            FieldKind::List(of) => value.as_array().is_some_and(|all| all.iter().all(|it| of.fits(it))),
            FieldKind::OrNull(kind) => value.is_null() || kind.fits(value),
        }
    }
}

/// The number of bits in the name of a whole number's type.
fn whole(name: &str) -> Option<u8> {
    name.strip_prefix("whole number of ")?.strip_suffix(" bits")?.parse().ok()
}

/// A type that can be stored: as a field of a record, or as the values of a space. It declares its schema, so
/// that fingerprints see every change; [`stored!`](crate::stored) declares it for a struct from its fields.
pub trait FieldValue {
    /// The type, for the schema.
    const KIND: FieldKind;

    /// The value, for filters and sorting.
    fn scalar(&self) -> Scalar<'_> {
        Scalar::Null
    }

    /// Replaces the value by that of an update.
    fn update(&mut self, new: Self)
    where
        Self: Sized,
    {
        *self = new;
    }

    /// The value that holds this id, if it is a foreign key.
    fn of_id(_id: &str) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// Removes an id from an optional foreign key or a list of ids. Returns whether it was there.
    fn release(&mut self, _id: &str) -> bool {
        false
    }

    /// Sets an id in an empty foreign key, or adds it to a list of ids. Returns whether the value changed.
    fn refer(&mut self, _id: &str) -> bool {
        false
    }
}

impl FieldValue for String {
    const KIND: FieldKind = FieldKind::Text;

    fn scalar(&self) -> Scalar<'_> {
        Scalar::Text(self)
    }

    fn of_id(id: &str) -> Option<Self> {
        Some(id.to_owned())
    }
}

impl FieldValue for bool {
    const KIND: FieldKind = FieldKind::Bool;

    fn scalar(&self) -> Scalar<'_> {
        Scalar::Bool(*self)
    }
}

impl FieldValue for u64 {
    const KIND: FieldKind = FieldKind::Whole(64);

    fn scalar(&self) -> Scalar<'_> {
        Scalar::Number(Decimal::from(*self))
    }
}

impl FieldValue for usize {
    const KIND: FieldKind = FieldKind::Whole(64);
}

impl FieldValue for u32 {
    const KIND: FieldKind = FieldKind::Whole(32);

    fn scalar(&self) -> Scalar<'_> {
        Scalar::Number(Decimal::from(u64::from(*self)))
    }
}

impl FieldValue for u16 {
    const KIND: FieldKind = FieldKind::Whole(16);
}

impl FieldValue for u8 {
    const KIND: FieldKind = FieldKind::Whole(8);
}

impl FieldValue for Decimal {
    const KIND: FieldKind = FieldKind::Decimal;

    fn scalar(&self) -> Scalar<'_> {
        Scalar::Number(*self)
    }
}

/// The exact value of a number, which the wire shows beside it: the type of computed fields as `raw_amount`.
#[derive(Debug)]
pub struct Exact;

impl FieldValue for Exact {
    const KIND: FieldKind =
        FieldKind::Fields { names: &["value", "precision"], kinds: &[FieldKind::Text, FieldKind::Whole(8)] };
}

impl FieldValue for Timestamp {
    const KIND: FieldKind = FieldKind::Time;

    fn scalar(&self) -> Scalar<'_> {
        Scalar::Time(*self)
    }
}

impl<K: ?Sized> FieldValue for Id<K> {
    const KIND: FieldKind = FieldKind::Text;

    fn scalar(&self) -> Scalar<'_> {
        Scalar::Text(self)
    }

    fn of_id(id: &str) -> Option<Self> {
        Some(id.into())
    }
}

impl FieldValue for Value {
    const KIND: FieldKind = FieldKind::Any;
}

/// A number as it was written.
impl FieldValue for Number {
    const KIND: FieldKind = FieldKind::Decimal;
}

/// No value: null.
impl FieldValue for () {
    const KIND: FieldKind = FieldKind::OrNull(&FieldKind::Any);
}

impl FieldValue for Map<String, Value> {
    const KIND: FieldKind = FieldKind::Record;
}

/// Stored as a list of two.
impl<A: FieldValue, B: FieldValue> FieldValue for (A, B) {
    const KIND: FieldKind = FieldKind::Fields { names: &["0", "1"], kinds: &[A::KIND, B::KIND] };
}

impl<V> FieldValue for BTreeMap<String, V> {
    const KIND: FieldKind = FieldKind::Record;
}

/// Updates merge keys, as the wire does since 2.21.
impl FieldValue for Metadata {
    const KIND: FieldKind = FieldKind::OrNull(&FieldKind::Record);

    fn update(&mut self, new: Self) {
        *self = std::mem::take(self).patched(new);
    }
}

impl<T: FieldValue> FieldValue for Option<T> {
    const KIND: FieldKind = FieldKind::OrNull(&T::KIND);

    fn scalar(&self) -> Scalar<'_> {
        self.as_ref().map_or(Scalar::Null, FieldValue::scalar)
    }

    fn release(&mut self, id: &str) -> bool {
        self.take_if(|it| it.scalar() == Scalar::Text(id)).is_some()
    }

    fn refer(&mut self, id: &str) -> bool {
        if self.is_none() {
            *self = T::of_id(id);
            return self.is_some();
        }
        false
    }
}

impl<T: FieldValue> FieldValue for Vec<T> {
    const KIND: FieldKind = FieldKind::List(&T::KIND);

    fn scalar(&self) -> Scalar<'_> {
        let text = |it| if let Scalar::Text(text) = it { Some(text) } else { None };
        Scalar::List(self.iter().filter_map(|it| text(it.scalar())).collect())
    }

    fn release(&mut self, id: &str) -> bool {
        let n_before = self.len();
        self.retain(|it| it.scalar() != Scalar::Text(id));
        self.len() < n_before
    }

    fn refer(&mut self, id: &str) -> bool {
        let is_there = self.iter().any(|it| it.scalar() == Scalar::Text(id));
        let new = T::of_id(id).filter(|_| !is_there);
        let is_new = new.is_some();
        self.extend(new);
        is_new
    }
}

/// Declares a struct or an enumeration that is stored, in a record or in a space of its own, and implements
/// [`FieldValue`](crate::FieldValue) for it. Derives and attributes are the caller's. A field is stored under
/// its own name, or under the one after `as` (`position as "place": u64`), never under one of
/// `#[serde(rename)]`, which this macro does not see.
///
/// ```
/// use atoll_storage::stored;
/// use atoll_values::Decimal;
/// use serde::{Deserialize, Serialize};
///
/// stored! {
///     /// How much of an inventory item a line takes.
///     #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
///     pub struct LineTake {
///         /// The item.
///         pub inventory_item_id: String,
///         /// How much of it.
///         pub quantity: Decimal,
///     }
/// }
/// ```
///
/// The variants of an enumeration are words, `Draft = "draft"`, or each hold one value, `Run(String)`.
#[macro_export]
macro_rules! stored {
    (
        $(#[$meta:meta])*
        $vis:vis struct $Name:ident {
            $( $(#[$field_meta:meta])* $field_vis:vis $field:ident $(as $stored:literal)?: $Field:ty ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis struct $Name {
            $( $(#[$field_meta])* $(#[serde(rename = $stored)])? $field_vis $field: $Field, )*
        }

        impl $crate::FieldValue for $Name {
            const KIND: $crate::FieldKind = $crate::FieldKind::Fields {
                names: &[$( $crate::stored_name!($field $($stored)?) ),*],
                kinds: &[$( <$Field as $crate::FieldValue>::KIND ),*],
            };
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis enum $Name:ident {
            $( $(#[$variant_meta:meta])* $Variant:ident($Of:ty) ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis enum $Name {
            $( $(#[$variant_meta])* $Variant($Of), )*
        }

        impl $crate::FieldValue for $Name {
            const KIND: $crate::FieldKind = $crate::FieldKind::Variants {
                names: &[$( stringify!($Variant) ),*],
                kinds: &[$( <$Of as $crate::FieldValue>::KIND ),*],
            };
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis enum $Name:ident {
            $( $(#[$word_meta:meta])* $Word:ident = $text:literal ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis enum $Name {
            $( $(#[$word_meta])* #[serde(rename = $text)] $Word, )*
        }

        impl $Name {
            /// All words, as on the wire and in the store.
            pub const WORDS: &'static [&'static str] = &[$($text),*];

            /// All variants, in the order of the words.
            pub const VARIANTS: &'static [$Name] = &[$($Name::$Word),*];

            /// The word, as on the wire and in the store.
            pub fn as_str(self) -> &'static str {
                match self {
                    $( $Name::$Word => $text, )*
                }
            }
        }

        impl $crate::FieldValue for $Name {
            const KIND: $crate::FieldKind = $crate::FieldKind::Words(Self::WORDS);

            fn scalar(&self) -> $crate::Scalar<'_> {
                $crate::Scalar::Text(self.as_str())
            }
        }
    };
}

/// The name of a field in the store: the one after `as`, if there is one.
#[doc(hidden)]
#[macro_export]
macro_rules! stored_name {
    ($field:ident) => {
        $crate::field_name(stringify!($field))
    };
    ($field:ident $stored:literal) => {
        $stored
    };
}

/// The name of a field on the wire and in the store: `r#type` is called `type`.
#[doc(hidden)]
pub const fn field_name(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAKE: FieldKind =
        FieldKind::Fields { names: &["item", "quantity"], kinds: &[FieldKind::Text, FieldKind::Decimal] };

    #[test]
    fn a_kind_takes_what_it_can_read() {
        let optional = FieldKind::OrNull(&FieldKind::Whole(64));
        for (kind, takes, refuses) in [
            (
                FieldKind::Whole(64),
                &["whole number of 32 bits", "number"][..],
                &["decimal", "text", "optional number"][..],
            ),
            (FieldKind::Whole(32), &["whole number of 16 bits"], &["whole number of 64 bits"]),
            (FieldKind::Decimal, &["whole number of 64 bits", "number", "decimal"], &["text", "time"]),
            (optional, &["whole number of 64 bits", "optional whole number of 64 bits"], &["optional text"]),
            (TAKE, &["fields", "anything"], &["record", "list of fields", "optional fields"]),
            (FieldKind::List(&TAKE), &["list of fields", "list of anything"], &["fields"]),
            (FieldKind::Words(&["a", "b"]), &["one of a", "one of a|b"], &["one of a|c", "text"]),
            (FieldKind::Text, &["text", "one of a|c"], &["optional text"]),
        ] {
            takes.iter().for_each(|it| assert!(kind.takes(it), "{kind:?} does not take {it}"));
            refuses.iter().for_each(|it| assert!(!kind.takes(it), "{kind:?} takes {it}"));
        }
    }

    #[test]
    fn fields_are_shown_at_any_depth() {
        const LINE: FieldKind = FieldKind::Fields { names: &["takes"], kinds: &[FieldKind::List(&TAKE)] };
        let mut paths = Vec::new();
        FieldKind::OrNull(&LINE)
            .paths("line", &mut |path, kind| paths.push(format!("{path}: {}", kind.name())));
        assert_eq!(
            paths,
            ["line.takes: list of fields", "line.takes.item: text", "line.takes.quantity: decimal"]
        );
    }
}
