//! Parser of nested query strings, as of `qs` in JavaScript: `a=1`, `a[]=1`, `a[0]=1`, `a[b][$gt]=1`, and
//! `a=1&a=2` for a list.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Maximum depth of nesting. Deeper brackets are part of the name.
const DEPTH_MAX: usize = 5;

/// Parses a query string or a form. All leaves are strings.
pub fn parse(text: &str) -> Map<String, Value> {
    let mut root = Value::Object(Map::new());
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = decode(key);
        put(&mut root, &segments(&key), Value::String(decode(value)));
    }
    let Value::Object(mut map) = root else { return Map::new() };
    map.values_mut().for_each(compact);
    map
}

/// Percent-decodes. A `%` that is no escape, and bytes that are not UTF-8, stay as they are.
fn decode(text: &str) -> String {
    let text = text.replace('+', " ");
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(percent) = rest.find('%') {
        let (before, from) = rest.split_at(percent);
        decoded.push_str(before);
        let is_escape = |it: &&[u8]| it[0] == b'%' && it[1..].iter().all(u8::is_ascii_hexdigit);
        let n_escapes = from.as_bytes().chunks_exact(3).take_while(is_escape).count();
        if n_escapes == 0 {
            decoded.push('%');
            rest = &from[1..];
            continue;
        }
        let (escapes, after) = from.split_at(3 * n_escapes);
        let bytes: Vec<u8> = percent_decode_str(escapes).collect();
        let mut at = 0;
        for chunk in bytes.utf8_chunks() {
            decoded.push_str(chunk.valid());
            let bad = at + chunk.valid().len();
            at = bad + chunk.invalid().len();
            decoded.push_str(&escapes[3 * bad..3 * at]);
        }
        rest = after;
    }
    decoded.push_str(rest);
    decoded
}

/// `a[b][]` → `a`, `b`, and the empty segment that appends.
fn segments(key: &str) -> Vec<&str> {
    let Some(open) = key.find('[').filter(|open| *open > 0) else { return vec![key] };
    let mut segments = vec![&key[..open]];
    let mut rest = &key[open..];
    while let Some(inner) = rest.strip_prefix('[')
        && let Some(close) = inner.find(']')
        && segments.len() <= DEPTH_MAX
    {
        segments.push(&inner[..close]);
        rest = &inner[close + 1..];
    }
    if rest.is_empty() { segments } else { vec![key] }
}

fn put(at: &mut Value, segments: &[&str], value: Value) {
    let [first, rest @ ..] = segments else {
        match at {
            Value::Null => *at = value,
            Value::Array(items) => items.push(value),
            other => {
                let before = other.take();
                *other = Value::Array(vec![before, value]);
            }
        }
        return;
    };
    if let Value::String(_) = at {
        let before = at.take();
        *at = Value::Array(vec![before]);
    }
    match at {
        Value::Array(items) => {
            items.push(Value::Null);
            let last = items.len() - 1;
            put(&mut items[last], rest, value);
        }
        Value::Null if first.is_empty() => {
            let mut item = Value::Null;
            put(&mut item, rest, value);
            *at = Value::Array(vec![item]);
        }
        _ => {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            if let Value::Object(map) = at {
                let name = if first.is_empty() { map.len().to_string() } else { (*first).to_owned() };
                put(map.entry(name).or_insert(Value::Null), rest, value);
            }
        }
    }
}

/// Turns objects whose keys are all numbers, as they are printed, into lists.
fn compact(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(compact),
        Value::Object(map) => {
            map.values_mut().for_each(compact);
            let number = |key: &String| key.parse::<usize>().ok().filter(|it| it.to_string() == *key);
            let numbers: Option<Vec<usize>> = map.keys().map(number).collect();
            if let Some(mut numbers) = numbers.filter(|it| !it.is_empty()) {
                numbers.sort_unstable();
                let items = numbers.iter().filter_map(|number| map.remove(&number.to_string())).collect();
                *value = Value::Array(items);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expect: &str) {
        assert_eq!(Value::Object(parse(query)).to_string(), expect);
    }

    #[test]
    fn nested_query_strings_are_parsed() {
        check("", "{}");
        check("a=1&b=x+y%26", r#"{"a":"1","b":"x y&"}"#);
        check("a", r#"{"a":""}"#);
        check("a=1&a=2", r#"{"a":["1","2"]}"#);
        check("a[]=1", r#"{"a":["1"]}"#);
        check("a[]=1&a[]=2", r#"{"a":["1","2"]}"#);
        check("a[1]=y&a[0]=x", r#"{"a":["x","y"]}"#);
        check("a%5B%5D=1", r#"{"a":["1"]}"#);
        check("a[b]=1&a[c][$gt]=2", r#"{"a":{"b":"1","c":{"$gt":"2"}}}"#);
        check("$or[0][name]=x&$or[1][name]=y", r#"{"$or":[{"name":"x"},{"name":"y"}]}"#);
        check("a=%descri%25", r#"{"a":"%descri%"}"#);
        check("a=100%&b=%zz%41%", r#"{"a":"100%","b":"%zzA%"}"#);
        check("a=%C3%A9%C3%41%e6%97", r#"{"a":"é%C3A%e6%97"}"#);
        check("%24or=1&a=%", r#"{"$or":"1","a":"%"}"#);
        check("a=1&a[b]=2", r#"{"a":["1","2"]}"#);
        check("[a]=1", r#"{"[a]":"1"}"#);
        check("a[b=1", r#"{"a[b":"1"}"#);
    }

    #[test]
    fn parameters_whose_names_look_like_numbers_are_not_lost() {
        check("0=x", r#"{"0":"x"}"#);
        check("a[01]=x", r#"{"a":{"01":"x"}}"#);
        check("a[%2B1]=x&a[0]=y", r#"{"a":{"+1":"x","0":"y"}}"#);
    }
}
