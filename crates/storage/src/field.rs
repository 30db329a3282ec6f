//! What the fields of records can do: be compared, and be updated.

use std::collections::BTreeMap;

use atoll_values::{Decimal, Id, Metadata, Timestamp};
use serde_json::Value;

/// A field's value as filters and orders see it.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// No value, or one that cannot be compared.
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

/// A type that records can have as a field.
pub trait FieldValue {
    /// The value, for comparison.
    fn scalar(&self) -> Scalar<'_> {
        Scalar::Null
    }

    /// Takes the value of an update.
    fn update(&mut self, new: Self)
    where
        Self: Sized,
    {
        *self = new;
    }
}

impl FieldValue for String {
    fn scalar(&self) -> Scalar<'_> {
        Scalar::Text(self)
    }
}

impl FieldValue for bool {
    fn scalar(&self) -> Scalar<'_> {
        Scalar::Bool(*self)
    }
}

impl FieldValue for u64 {
    fn scalar(&self) -> Scalar<'_> {
        Scalar::Number(Decimal::from(*self))
    }
}

impl FieldValue for u32 {
    fn scalar(&self) -> Scalar<'_> {
        Scalar::Number(Decimal::from(u64::from(*self)))
    }
}

impl FieldValue for Decimal {
    fn scalar(&self) -> Scalar<'_> {
        Scalar::Number(*self)
    }
}

impl FieldValue for Timestamp {
    fn scalar(&self) -> Scalar<'_> {
        Scalar::Time(*self)
    }
}

impl<K: ?Sized> FieldValue for Id<K> {
    fn scalar(&self) -> Scalar<'_> {
        Scalar::Text(self)
    }
}

impl FieldValue for Value {}

impl FieldValue for BTreeMap<String, String> {}

/// Updates merge, as the wire does since 2.21.
impl FieldValue for Metadata {
    fn update(&mut self, new: Self) {
        *self = std::mem::take(self).patched(new);
    }
}

impl<T: FieldValue> FieldValue for Option<T> {
    fn scalar(&self) -> Scalar<'_> {
        self.as_ref().map_or(Scalar::Null, FieldValue::scalar)
    }
}

impl<T: FieldValue> FieldValue for Vec<T> {
    fn scalar(&self) -> Scalar<'_> {
        let text = |it| if let Scalar::Text(text) = it { Some(text) } else { None };
        Scalar::List(self.iter().filter_map(|it| text(it.scalar())).collect())
    }
}
