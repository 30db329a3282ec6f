//! The examples of `/openapi.json`: requests of the recordings, and our answers to them.
//!
//! An operation gets the shortest of its requests that succeeded and shows a record. Lists are cut to one
//! record. Ids, keys and tokens are replaced by others of the same form, so that they are the same each time.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
};

use atoll_testkit::{Compared, is_name};
use serde_json::{Map, Value, json};

/// A token of the right form, which opens nothing.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhY3Rvcl90eXBlIjoidXNlciJ9.c2lnbmF0dXJl";

/// The file of examples: an object with an operation in each line.
pub(crate) fn file<'a>(played: impl Iterator<Item = &'a Compared>) -> String {
    let mut best: BTreeMap<&str, (Rank, Value)> = BTreeMap::new();
    for it in played {
        let Some((operation, takes_body)) = &it.operation else { continue };
        if !it.answer.is_object() || it.request.contains("fields=") || it.request.contains("expand=") {
            continue;
        }
        let example = example(it, *takes_body);
        let rank = Rank::of(&example, *takes_body);
        if best.get(operation.as_str()).is_none_or(|(before, _)| rank < *before) {
            best.insert(operation, (rank, example));
        }
    }
    let mut file = "{\n".to_owned();
    for (n, (operation, (_, example))) in best.iter().enumerate() {
        let end = if n + 1 < best.len() { "," } else { "" };
        writeln!(file, "{}: {example}{end}", json!(operation)).expect("text");
    }
    file + "}\n"
}

/// How good an example is: lower is better. Of equals, the first of the recordings is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// The route takes a body, and none was sent.
    lacks_body: bool,
    /// It tries out blank or odd texts, or an id that is not there.
    is_odd: bool,
    /// How many lists of the answer are empty: they show no record.
    n_empty: usize,
    length: usize,
}

impl Rank {
    fn of(example: &Value, takes_body: bool) -> Rank {
        let (request, answer) = (&example["request"], &example["answer"]);
        let is_empty = |it: &Value| it.as_array().is_some_and(Vec::is_empty);
        Rank {
            lacks_body: takes_body && request.as_object().is_none_or(Map::is_empty),
            is_odd: is_odd(request) || answer["id"].as_str().is_some_and(|it| !is_name(it)),
            n_empty: answer.as_object().into_iter().flatten().filter(|(_, it)| is_empty(it)).count(),
            length: example.to_string().len(),
        }
    }
}

/// What the recordings ask for where there is no such thing.
const NOT_THERE: [&str; 2] = ["nope", "xxx"];

/// Does a body hold a text that is blank, long or not ASCII, a name of nothing, or a number that is not
/// above zero?
fn is_odd(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            text.trim().is_empty()
                || !text.is_ascii()
                || text.len() > 100
                || NOT_THERE.iter().any(|it| text.contains(it))
        }
        Value::Number(number) => number.as_f64().is_none_or(|it| it <= 0.0),
        Value::Array(items) => items.is_empty() || items.iter().any(is_odd),
        Value::Object(fields) => fields.values().any(is_odd),
        Value::Bool(_) | Value::Null => false,
    }
}

fn example(played: &Compared, takes_body: bool) -> Value {
    let mut renaming = Renaming::default();
    let mut example = json!({});
    if takes_body && played.sent.is_object() {
        example["request"] = renaming.renamed(&played.sent);
    }
    example["answer"] = renaming.renamed(&cut(&played.answer));
    example
}

/// The answer with one item of each list.
fn cut(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().take(1).map(cut).collect(),
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), cut(it))).collect(),
        other => other.clone(),
    }
}

/// Other ids and keys for those of an example, by their order in it.
#[derive(Default)]
struct Renaming(HashMap<String, String>);

impl Renaming {
    fn renamed(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) if text.starts_with("eyJ") => TOKEN.into(),
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|it| self.renamed(it)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, it)| (self.text(name), self.renamed(it))).collect()
            }
            other => other.clone(),
        }
    }

    /// A text with all names in it replaced.
    fn text(&mut self, text: &str) -> String {
        // `pk_1cd***596`
        if let Some((prefix, _)) = text.split_once('_').filter(|_| text.contains("***")) {
            let key = key(prefix);
            let (start, end) = (prefix.len() + 4, key.len() - 3);
            return format!("{}***{}", &key[..start], &key[end..]);
        }
        let mut renamed = String::with_capacity(text.len());
        for word in text.split_inclusive(|it: char| !it.is_ascii_alphanumeric() && it != '_') {
            let end = word.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(word.len());
            let (name, rest) = word.split_at(end);
            renamed.push_str(&self.name(name));
            renamed.push_str(rest);
        }
        renamed
    }

    fn name(&mut self, name: &str) -> String {
        let Some((prefix, tail)) = name.rsplit_once('_').filter(|_| is_name(name)) else {
            return name.to_owned();
        };
        let n = self.0.len() as u64;
        let new = || if tail.len() == 26 { id(prefix, n) } else { key(prefix) };
        self.0.entry(name.to_owned()).or_insert_with(new).clone()
    }
}

/// An id of the form of ours: a time, and letters that are drawn from a number.
fn id(prefix: &str, n: u64) -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut state = n;
    let tail = (0..16).map(|_| LETTERS[(drawn(&mut state) >> 59) as usize] as char);
    format!("{prefix}_01KEZ2K700{}", tail.collect::<String>())
}

/// A key of the form of ours, which opens nothing.
fn key(prefix: &str) -> String {
    let mut state = 0;
    let tail: String = (0..4).map(|_| format!("{:016x}", drawn(&mut state))).collect();
    format!("{prefix}_{tail}")
}

/// The next of a series of numbers that look random (SplitMix64).
fn drawn(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
