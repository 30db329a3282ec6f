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

impl FieldKind {
    /// As it is written down where the form of records is kept: `optional text`, `one of draft|published`.
    pub fn name(&self) -> String {
        match self {
            FieldKind::Any => "anything".to_owned(),
            FieldKind::Text => "text".to_owned(),
            FieldKind::Words(words) => format!("one of {}", words.join("|")),
            FieldKind::Bool => "bool".to_owned(),
            FieldKind::Number => "number".to_owned(),
            FieldKind::Time => "time".to_owned(),
            FieldKind::Record => "record".to_owned(),
            FieldKind::List(of) => format!("list of {}", of.name()),
            FieldKind::OrNull(kind) => format!("optional {}", kind.name()),
        }
    }

    /// Does it take whatever was stored of the kind with this name?
    pub fn takes(&self, name: &str) -> bool {
        match self {
            FieldKind::Any => true,
            FieldKind::OrNull(kind) => kind.takes(name.strip_prefix("optional ").unwrap_or(name)),
            FieldKind::List(of) => name.strip_prefix("list of ").is_some_and(|name| of.takes(name)),
            FieldKind::Text => name == "text" || name.starts_with("one of "),
            FieldKind::Words(words) => {
                let old = name.strip_prefix("one of ");
                old.is_some_and(|old| old.split('|').all(|word| words.contains(&word)))
            }
            FieldKind::Bool | FieldKind::Number | FieldKind::Time | FieldKind::Record => self.name() == name,
        }
    }
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

    /// The value that is this id, if it can be one.
    fn of_id(_id: &str) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// Takes an id out, where the field need not have one. Says whether it was there.
    fn release(&mut self, _id: &str) -> bool {
        false
    }

    /// Puts an id in, where there is room. Says whether it was not there.
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

    fn of_id(id: &str) -> Option<Self> {
        Some(id.into())
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
