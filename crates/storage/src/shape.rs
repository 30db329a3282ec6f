//! Shapes of stored values: the names of their fields. A value is stored as lists without names, behind the
//! number of its shape, which takes half the bytes and is read faster; the store keeps the names of each
//! shape, so that a value can be read by them after fields were added, renamed or removed.
//!
//! The number of a shape is a hash of its text. So it is known when a program is compiled, and the same in
//! every store.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
};

use serde_json::{Map, Value};

use crate::FieldKind;

/// The number of a shape.
pub type ShapeNumber = u32;

/// The names of the fields of a value, in the order in which they are stored, at any depth:
/// `{id,title,images[{id,url}]}`. What holds no fields is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Leaf,
    /// Fields by name: stored as a list of their values.
    Fields(Vec<(String, Shape)>),
    /// A list of a fixed length, of values without names.
    Tuple(Vec<Shape>),
    /// One of several, by name: stored as an object with one field.
    Variants(Vec<(String, Shape)>),
    List(Box<Shape>),
}

/// All shapes of this program, and of the stores that it has opened.
static KNOWN: RwLock<BTreeMap<ShapeNumber, String>> = RwLock::new(BTreeMap::new());

/// Makes the text of a shape known, so that values of this shape can be read by the names of their fields.
/// Returns its number.
///
/// # Errors
/// The text of another shape with the same number, which happens by chance once in millions.
pub fn learn_shape(text: &str) -> Result<ShapeNumber, String> {
    let number = hash(FNV_OFFSET, text.as_bytes());
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    match known.get(&number) {
        Some(other) if other != text => Err(other.clone()),
        Some(_) => Ok(number),
        None => {
            known.insert(number, text.to_owned());
            Ok(number)
        }
    }
}

/// The value with the names of its fields, of a shape that is known.
pub(crate) fn named(number: ShapeNumber, value: Value) -> Result<Value, String> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let text = known.get(&number).ok_or_else(|| format!("the shape {number:08x} is unknown"))?;
    let shape = parse(&mut text.as_str()).ok_or_else(|| format!("the shape {number:08x} cannot be read"))?;
    shape.name(value).ok_or_else(|| format!("it is not of the shape {number:08x}"))
}

impl FieldKind {
    /// The text of its shape.
    pub fn shape(&self) -> String {
        let mut text = String::new();
        self.write_shape(&mut text);
        text
    }

    fn write_shape(&self, text: &mut String) {
        match self {
            FieldKind::Fields { names, kinds } | FieldKind::Variants { names, kinds } => {
                let [open, close] = brackets(self, names);
                text.push(open as char);
                for (name, kind) in names.iter().zip(*kinds) {
                    text.push_str(name);
                    kind.write_shape(text);
                    text.push(',');
                }
                text.push(close as char);
            }
            FieldKind::List(of) => {
                text.push('[');
                of.write_shape(text);
                text.push(']');
            }
            FieldKind::OrNull(kind) => kind.write_shape(text),
            _ => {}
        }
    }

    /// The number of its shape: the hash of its text, computed without it.
    pub const fn shape_number(&self) -> ShapeNumber {
        self.hash_shape(FNV_OFFSET)
    }

    const fn hash_shape(&self, mut state: u32) -> u32 {
        match self {
            FieldKind::Fields { names, kinds } | FieldKind::Variants { names, kinds } => {
                let [open, close] = brackets(self, names);
                state = hash(state, &[open]);
                let mut n = 0;
                while n < names.len() {
                    state = hash(state, names[n].as_bytes());
                    state = kinds[n].hash_shape(state);
                    state = hash(state, b",");
                    n += 1;
                }
                hash(state, &[close])
            }
            FieldKind::List(of) => hash(of.hash_shape(hash(state, b"[")), b"]"),
            FieldKind::OrNull(kind) => kind.hash_shape(state),
            _ => state,
        }
    }
}

const fn brackets(kind: &FieldKind, names: &[&str]) -> [u8; 2] {
    match kind {
        FieldKind::Variants { .. } => *b"()",
        // The "names" of a tuple are numbers, with which no field begins.
        _ if !names.is_empty() && matches!(names[0].as_bytes(), [b'0', ..]) => *b"<>",
        _ => *b"{}",
    }
}

const FNV_OFFSET: u32 = 0x811C_9DC5;

/// FNV-1a, of 32 bits.
const fn hash(mut state: u32, bytes: &[u8]) -> u32 {
    let mut n = 0;
    while n < bytes.len() {
        state = (state ^ bytes[n] as u32).wrapping_mul(0x0100_0193);
        n += 1;
    }
    state
}

/// Reads the text of a shape, up to where it ends.
fn parse(text: &mut &str) -> Option<Shape> {
    let Some(open) = text.chars().next().filter(|it| "{<([".contains(*it)) else { return Some(Shape::Leaf) };
    *text = &text[1..];
    if open == '[' {
        let of = parse(text)?;
        *text = text.strip_prefix(']')?;
        return Some(Shape::List(Box::new(of)));
    }
    let mut parts = Vec::new();
    loop {
        if let Some(rest) = text.strip_prefix(['}', '>', ')']) {
            *text = rest;
            break;
        }
        let n_name = text.find(['{', '<', '(', '[', ','])?;
        let (name, rest) = text.split_at(n_name);
        *text = rest;
        parts.push((name.to_owned(), parse(text)?));
        *text = text.strip_prefix(',')?;
    }
    Some(match open {
        '{' => Shape::Fields(parts),
        '(' => Shape::Variants(parts),
        _ => Shape::Tuple(parts.into_iter().map(|(_, shape)| shape).collect()),
    })
}

impl Shape {
    /// The value with the names of its fields; `None` if it is not of this shape.
    fn name(&self, value: Value) -> Option<Value> {
        Some(match (self, value) {
            (Shape::Leaf, value) | (_, value @ Value::Null) => value,
            (Shape::Fields(parts), Value::Array(values)) if parts.len() == values.len() => {
                let named = parts.iter().zip(values);
                let named = named.map(|((name, shape), value)| Some((name.clone(), shape.name(value)?)));
                Value::Object(named.collect::<Option<_>>()?)
            }
            (Shape::Tuple(parts), Value::Array(values)) if parts.len() == values.len() => Value::Array(
                parts.iter().zip(values).map(|(it, value)| it.name(value)).collect::<Option<_>>()?,
            ),
            (Shape::Variants(parts), Value::Object(value)) => {
                let (name, value) = value.into_iter().next()?;
                let (_, shape) = parts.iter().find(|(variant, _)| *variant == name)?;
                Value::Object(Map::from_iter([(name, shape.name(value)?)]))
            }
            (Shape::List(of), Value::Array(values)) => {
                Value::Array(values.into_iter().map(|it| of.name(it)).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LINE: FieldKind =
        FieldKind::Fields { names: &["id", "quantity"], kinds: &[FieldKind::Text, FieldKind::Decimal] };
    const PAIR: FieldKind = FieldKind::Fields { names: &["0", "1"], kinds: &[FieldKind::Text, LINE] };
    const TARGET: FieldKind =
        FieldKind::Variants { names: &["Run", "Line"], kinds: &[FieldKind::Text, LINE] };
    const ORDER: FieldKind = FieldKind::Fields {
        names: &["id", "lines", "gift", "pair", "target", "notes"],
        kinds: &[
            FieldKind::Text,
            FieldKind::List(&LINE),
            FieldKind::OrNull(&LINE),
            PAIR,
            TARGET,
            FieldKind::List(&FieldKind::Text),
        ],
    };

    #[test]
    fn fields_get_their_names_back_at_any_depth() {
        let text = "{id,lines[{id,quantity,}],gift{id,quantity,},pair<0,1{id,quantity,},>,\
                    target(Run,Line{id,quantity,},),notes[],}";
        assert_eq!(ORDER.shape(), text);
        let number = learn_shape(text).expect("no other has its number");
        assert_eq!(number, ORDER.shape_number());
        let of = |gift: Value, target: Value| {
            json!(["o", [["a", "1"], ["b", "2"]], gift, ["p", ["c", "3"]], target, ["n"]])
        };
        let is = |gift: Value, target: Value| {
            json!({
                "id": "o", "gift": gift, "target": target, "notes": ["n"],
                "lines": [{ "id": "a", "quantity": "1" }, { "id": "b", "quantity": "2" }],
                "pair": ["p", { "id": "c", "quantity": "3" }],
            })
        };
        let line = json!({ "id": "d", "quantity": "4" });
        assert_eq!(
            named(number, of(Value::Null, json!({ "Run": "r" }))),
            Ok(is(Value::Null, json!({ "Run": "r" })))
        );
        assert_eq!(
            named(number, of(json!(["d", "4"]), json!({ "Line": ["d", "4"] }))),
            Ok(is(line.clone(), json!({ "Line": line })))
        );
    }

    #[test]
    fn what_is_not_of_its_shape_is_an_error() {
        let number = learn_shape(&LINE.shape()).expect("no other has its number");
        for value in [json!(["a"]), json!(["a", "1", 2]), json!({ "id": "a" }), json!("a")] {
            assert!(named(number, value.clone()).is_err(), "{value}");
        }
        assert_eq!(named(1, json!([])), Err("the shape 00000001 is unknown".to_owned()));
        assert_eq!(learn_shape(&LINE.shape()), Ok(LINE.shape_number()));
    }
}
