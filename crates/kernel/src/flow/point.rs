//! Hook points: places in a flow or saga at which hooks join, each with the types of what its hooks get and
//! of what they contribute.

use std::{fmt, marker::PhantomData};

use serde::{Serialize, de::DeserializeOwned};

use crate::data::{FieldKind, FieldValue};

/// A hook point: a static beside the flow that calls it, which other crates name. Several flows may have the
/// same point, if what happens there is the same.
///
/// `I` is what hooks get, `O` what each of them contributes; `()` at points where hooks can only refuse. Both
/// declare their fields by [`stored!`](crate::stored).
pub struct HookPoint<I: 'static, O: 'static = ()> {
    /// Its name, unique in its flow: `validate`.
    pub name: &'static str,
    types: PhantomData<fn(I) -> O>,
}

impl<I, O> HookPoint<I, O> {
    /// A point of this name.
    pub const fn new(name: &'static str) -> Self {
        HookPoint { name, types: PhantomData }
    }
}

/// What a point may give its hooks.
pub trait PointInput: FieldValue + Serialize + Clone + Send + 'static {}

impl<T: FieldValue + Serialize + Clone + Send + 'static> PointInput for T {}

/// What hooks may contribute at a point.
pub trait PointOutput: FieldValue + Serialize + DeserializeOwned + Send + 'static {}

impl<T: FieldValue + Serialize + DeserializeOwned + Send + 'static> PointOutput for T {}

/// A hook point with its types erased, for the registry. Its [`Display`](fmt::Display) is its name with the
/// fields of its input and output.
pub trait AnyHookPoint: Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// The type of the input.
    fn input(&self) -> FieldKind;

    /// The type of a contribution.
    fn output(&self) -> FieldKind;
}

impl<I: FieldValue, O: FieldValue> AnyHookPoint for HookPoint<I, O> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn input(&self) -> FieldKind {
        I::KIND
    }

    fn output(&self) -> FieldKind {
        O::KIND
    }
}

impl fmt::Display for dyn AnyHookPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = |kind| match kind {
            FieldKind::Fields { names, .. } => names.join(" "),
            other => other.name(),
        };
        write!(f, "{}({})", self.name(), fields(self.input()))?;
        match self.output() {
            <() as FieldValue>::KIND => Ok(()),
            output => write!(f, "->({})", fields(output)),
        }
    }
}

/// Which side reads the value whose types are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// The hook: it is an input.
    Hook,
    /// The point: it is a contribution.
    Point,
}

/// What does not fit between the type of a hook and that of its point, as far as types tell: fields that the
/// point does not have, and fields of types that cannot be read. `path` is where they are.
pub(super) fn misfits(path: &str, hook: FieldKind, point: FieldKind, reads: Reads, found: &mut Vec<String>) {
    let (reader, writer) = match reads {
        Reads::Hook => (hook, point),
        Reads::Point => (point, hook),
    };
    match (hook, point) {
        (FieldKind::Fields { names, kinds }, FieldKind::Fields { names: known, kinds: known_kinds }) => {
            for (name, kind) in names.iter().zip(kinds) {
                let path = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
                match known.iter().position(|it| it == name) {
                    Some(at) => misfits(&path, *kind, known_kinds[at], reads, found),
                    // The additional data of the request is added to every input.
                    None if path == ADDITIONAL_DATA && reads == Reads::Hook => {}
                    None => found.push(format!("`{path}`, which is not there")),
                }
            }
        }
        (FieldKind::List(hook), FieldKind::List(point)) => misfits(path, *hook, *point, reads, found),
        (FieldKind::OrNull(hook), FieldKind::OrNull(point)) => misfits(path, *hook, *point, reads, found),
        (FieldKind::Any, _) | (_, FieldKind::Any) => {}
        _ => match (reader, writer) {
            (FieldKind::OrNull(reader), writer) => match reads {
                Reads::Hook => misfits(path, *reader, writer, reads, found),
                Reads::Point => misfits(path, writer, *reader, reads, found),
            },
            (FieldKind::Record, FieldKind::Fields { .. } | FieldKind::Variants { .. })
            | (FieldKind::Fields { .. } | FieldKind::Variants { .. }, FieldKind::Record)
            | (FieldKind::Text, FieldKind::Time)
            | (FieldKind::Time, FieldKind::Text) => {}
            (reader, writer) if reader.takes(&writer.name()) => {}
            (reader, writer) => {
                let field = if path.is_empty() { "it".to_owned() } else { format!("`{path}`") };
                found.push(format!("{field} as {}, which is {}", reader.name(), writer.name()));
            }
        },
    }
}

/// The field of a request, and of the input of hooks, for data that only modules know.
pub(crate) const ADDITIONAL_DATA: &str = "additional_data";

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: FieldKind = FieldKind::Fields {
        names: &["quantity", "note"],
        kinds: &[FieldKind::Decimal, FieldKind::OrNull(&FieldKind::Text)],
    };
    const CART: FieldKind =
        FieldKind::Fields { names: &["id", "items"], kinds: &[FieldKind::Text, FieldKind::List(&LINE)] };

    #[track_caller]
    fn check(hook: FieldKind, reads: Reads, expect: &[&str]) {
        let mut found = Vec::new();
        misfits("", hook, CART, reads, &mut found);
        assert_eq!(found, expect);
    }

    #[test]
    fn types_of_a_hook_are_compared_with_those_of_its_point() {
        const ID: FieldKind = FieldKind::Fields { names: &["id"], kinds: &[FieldKind::Text] };
        const EMAIL: FieldKind = FieldKind::Fields { names: &["email"], kinds: &[FieldKind::Text] };
        const NUMBER: FieldKind = FieldKind::Fields { names: &["id"], kinds: &[FieldKind::Decimal] };
        const DATA: FieldKind = FieldKind::Fields {
            names: &["id", "additional_data"],
            kinds: &[FieldKind::Text, FieldKind::Record],
        };
        const WORDS: FieldKind = FieldKind::Fields { names: &["note"], kinds: &[FieldKind::Text] };
        const DEEP: FieldKind = FieldKind::Fields { names: &["items"], kinds: &[FieldKind::List(&WORDS)] };
        check(FieldKind::Any, Reads::Hook, &[]);
        check(ID, Reads::Hook, &[]);
        check(DATA, Reads::Hook, &[]);
        check(EMAIL, Reads::Hook, &["`email`, which is not there"]);
        check(NUMBER, Reads::Hook, &["`id` as decimal, which is text"]);
        check(DEEP, Reads::Hook, &["`items.note` as text, which is optional text"]);
        check(DEEP, Reads::Point, &[]);
        check(DATA, Reads::Point, &["`additional_data`, which is not there"]);
    }
}
