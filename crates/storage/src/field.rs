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

/// What a field holds, for whoever describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Anything.
    Any,
    /// Text.
    Text,
    /// One of these words.
    Words(&'static [&'static str]),
    /// True or false.
    Bool,
    /// A number.
    Number,
    /// A point in time.
    Time,
    /// An object of anything.
    Record,
    /// Several of these.
    List(&'static FieldKind),
    /// This, or null.
    OrNull(&'static FieldKind),
}

/// A type that records can have as a field.
pub trait FieldValue {
    /// What it holds.
    const KIND: FieldKind = FieldKind::Any;

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
    const KIND: FieldKind = FieldKind::Text;

    fn scalar(&self) -> Scalar<'_> {
        Scalar::Text(self)
    }
}

impl FieldValue for bool {
    const KIND: FieldKind = FieldKind::Bool;

    fn scalar(&self) -> Scalar<'_> {
        Scalar::Bool(*self)
    }
}

impl FieldValue for u64 {
    const KIND: FieldKind = FieldKind::Number;

    fn scalar(&self) -> Scalar<'_> {
        Scalar::Number(Decimal::from(*self))
    }
}

impl FieldValue for u32 {
    const KIND: FieldKind = FieldKind::Number;

    fn scalar(&self) -> Scalar<'_> {
        Scalar::Number(Decimal::from(u64::from(*self)))
    }
}

impl FieldValue for Decimal {
    const KIND: FieldKind = FieldKind::Number;

    fn scalar(&self) -> Scalar<'_> {
        Scalar::Number(*self)
    }
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
}

impl FieldValue for Value {}

impl FieldValue for BTreeMap<String, String> {
    const KIND: FieldKind = FieldKind::Record;
}

/// Updates merge, as the wire does since 2.21.
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
}

impl<T: FieldValue> FieldValue for Vec<T> {
    const KIND: FieldKind = FieldKind::List(&T::KIND);

    fn scalar(&self) -> Scalar<'_> {
        let text = |it| if let Scalar::Text(text) = it { Some(text) } else { None };
        Scalar::List(self.iter().filter_map(|it| text(it.scalar())).collect())
    }
}
