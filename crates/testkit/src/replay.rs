//! Replays recordings of the original: sends the requests in order, and compares the answers by shape, with
//! ids renamed consistently.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Answer, Client, TestApp, operation_of};

/// A file of recordings.
#[derive(Debug, Deserialize)]
pub struct Recording {
    /// Requests, in order.
    pub entries: Vec<Entry>,
}

/// A request and its answer.
#[derive(Debug, Deserialize)]
pub struct Entry {
    /// Number of the entry, over all files.
    #[serde(default)]
    pub n: u32,
    /// Name of the entry.
    #[serde(default)]
    pub name: String,
    /// The request; entries of other kinds have none.
    pub request: Option<RecordedRequest>,
    /// Answer of the original.
    pub response: Option<RecordedAnswer>,
    /// Does the answer depend on time, chance or a secret? Then only its ids are noted.
    #[serde(default)]
    pub unstable: bool,
}

/// A request, as it was recorded.
#[derive(Debug, Deserialize)]
pub struct RecordedRequest {
    method: String,
    path: String,
    query: Option<String>,
    auth: String,
    #[serde(default)]
    headers: Option<HashMap<String, String>>,
    body: Value,
}

/// An answer, as it was recorded.
#[derive(Debug, Deserialize)]
pub struct RecordedAnswer {
    status: u16,
    body: Value,
}

/// Result of a replayed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Number of the entry, over all files.
    pub n: u32,
    /// The request: method, path and query.
    pub request: String,
    /// The operation of the document, as `POST /admin/products/{id}`, and whether it takes a body.
    pub operation: Option<(String, bool)>,
    /// The body that was sent; null if there was none, or no JSON.
    pub sent: Value,
    /// Our answer, if it is a success; null otherwise.
    pub answer: Value,
    /// Differences between the answers, one line each.
    pub differences: Vec<String>,
}

/// A replay, with the mapping from recorded ids to ours.
pub struct Replay {
    app: TestApp,
    admin: Client,
    names: HashMap<String, String>,
    /// The numbers of orders: ours by the recorded one.
    numbers: HashMap<u64, u64>,
    /// The latest tokens of customers: of a registration, and of either a registration or a login.
    registered: String,
    customer: String,
}

impl Replay {
    /// A replay against a fresh application.
    pub async fn new() -> Replay {
        let (app, admin) = TestApp::init().await.with_admin().await;
        Replay {
            app,
            admin,
            names: HashMap::new(),
            numbers: HashMap::new(),
            registered: String::new(),
            customer: String::new(),
        }
    }

    /// Replays an entry, if it is a request.
    pub async fn play(&mut self, entry: &Entry) -> Option<Compared> {
        let (Some(asked), Some(answered)) = (&entry.request, &entry.response) else { return None };
        // Consecutive requests must have different times.
        self.app.advance_ms(10 + waited_ms(&entry.name));
        let query = asked.query.as_deref().filter(|it| !it.is_empty());
        let path = match query {
            Some(query) => format!("{}?{query}", asked.path),
            None => asked.path.clone(),
        };
        let sent = match &asked.body {
            Value::Null => String::new(),
            Value::Object(body) if body.contains_key("$raw") => {
                body["$raw"].as_str().unwrap_or_default().to_owned()
            }
            body => self.renamed(&body.to_string()),
        };
        let answer = self.send(asked, &self.renamed(&path), sent.clone()).await;
        if let Some(token) = answer.json["token"].as_str() {
            self.note_token(&asked.path, format!("Bearer {token}"));
        }
        let mut differences = Vec::new();
        if answer.status.as_u16() != answered.status {
            differences.push(format!("status: {} and not {}", answer.status.as_u16(), answered.status));
        }
        let mut comparing =
            Comparing { names: &mut self.names, numbers: &mut self.numbers, differences: &mut differences };
        // An answer that was not JSON is compared by its status.
        if !answered.body.is_null() {
            comparing.compare("", &answered.body, &answer.json);
        }
        if entry.unstable {
            differences.clear();
        }
        let is_done = answer.status.is_success();
        Some(Compared {
            n: entry.n,
            request: format!("{} {path}", asked.method),
            operation: operation_of(&asked.method, &asked.path),
            sent: serde_json::from_str(&sent).unwrap_or_default(),
            answer: if is_done { answer.json } else { Value::Null },
            differences,
        })
    }

    async fn send(&self, asked: &RecordedRequest, path: &str, body: String) -> Answer {
        let mut client = match &*asked.auth {
            "admin" => self.admin.clone(),
            "customer" => self.app.client().with_header("authorization", &self.customer),
            _ => self.app.client(),
        };
        let mut has_type = false;
        for (name, value) in asked.headers.iter().flatten() {
            has_type |= name == "content-type";
            // Recordings hide tokens: this is the valid one.
            client = if value == "Bearer <jwt>" && asked.path == "/store/customers" {
                client.with_header("authorization", &self.registered)
            } else {
                client.with_header(name, &encoded(&self.renamed(value)))
            };
        }
        let client = if has_type { client.without_type() } else { client };
        client.send(&asked.method, path, body.into()).await
    }

    fn note_token(&mut self, path: &str, token: String) {
        if path == "/auth/customer/emailpass/register" {
            self.registered = token.clone();
        }
        if path.starts_with("/auth/customer/") {
            self.customer = token;
        }
    }

    /// A text of the recording, with its ids replaced by ours.
    fn renamed(&self, text: &str) -> String {
        let mut renamed = String::with_capacity(text.len());
        let mut word = String::new();
        let flush = |word: &mut String, out: &mut String| {
            out.push_str(self.names.get(word.as_str()).unwrap_or(word));
            word.clear();
        };
        for letter in text.chars() {
            if letter.is_ascii_alphanumeric() || letter == '_' {
                word.push(letter);
            } else {
                flush(&mut word, &mut renamed);
                renamed.push(letter);
            }
        }
        flush(&mut word, &mut renamed);
        renamed
    }
}

struct Comparing<'a> {
    names: &'a mut HashMap<String, String>,
    numbers: &'a mut HashMap<u64, u64>,
    differences: &'a mut Vec<String>,
}

impl Comparing<'_> {
    fn say(&mut self, path: &str, what: String) {
        self.differences.push(format!("{path}: {what}"));
    }

    fn compare(&mut self, path: &str, there: &Value, here: &Value) {
        match (there, here) {
            (Value::Object(there), Value::Object(here)) if is_same_raw(there, here) => {}
            (Value::Object(there), Value::Object(here)) => self.objects(path, there, here),
            (Value::Array(there), Value::Array(here)) => self.lists(path, there, here),
            (Value::String(there), Value::String(here)) => self.texts(path, there, here),
            (Value::Number(there), Value::Number(here)) if there.as_f64() == here.as_f64() => {}
            _ if there == here => {}
            _ => self.say(path, format!("{} and not {}", brief(here), brief(there))),
        }
    }

    fn objects(&mut self, path: &str, there: &Map<String, Value>, here: &Map<String, Value>) {
        for (name, value) in there {
            match here.get(name) {
                // Issue time and expiry of a token.
                Some(own) if ["iat", "exp"].contains(&name.as_str()) && own.is_number() => {}
                // Orders were placed between recordings, too.
                Some(own) if name == "display_id" && self.is_same_number(value, own) => {}
                Some(own) => self.compare(&format!("{path}.{name}"), value, own),
                None => self.say(path, format!("no `{name}` ({})", brief(value))),
            }
        }
        for name in here.keys().filter(|it| !there.contains_key(*it)) {
            self.say(path, format!("`{name}` too"));
        }
    }

    /// Are these numbers those of the same order? A number that was not seen before is renamed, as ids are.
    fn is_same_number(&mut self, there: &Value, here: &Value) -> bool {
        let (Some(there), Some(here)) = (there.as_u64(), here.as_u64()) else { return false };
        *self.numbers.entry(there).or_insert(here) == here
    }

    /// Compares lists. Items are paired by a known id, or else by the most equal fields, or else by position.
    fn lists(&mut self, path: &str, there: &[Value], here: &[Value]) {
        if there.len() != here.len() {
            self.say(path, format!("{} items and not {}", here.len(), there.len()));
        }
        let mut left: Vec<&Value> = here.iter().collect();
        for (index, item) in there.iter().enumerate() {
            if left.is_empty() {
                return;
            }
            let best = (0..left.len()).max_by_key(|n| (self.likeness(item, left[*n]), usize::MAX - n));
            let own = left.remove(best.unwrap_or(0));
            self.compare(&format!("{path}[{index}]"), item, own);
        }
    }

    fn likeness(&self, there: &Value, here: &Value) -> usize {
        match (there, here) {
            (Value::Object(there), Value::Object(here)) => {
                let id = |it: &Map<String, Value>| it.get("id").and_then(Value::as_str).map(str::to_owned);
                let (known, own) = (id(there).and_then(|it| self.names.get(&it)), id(here));
                if known.is_some() && known == own.as_ref() {
                    return 1_000_000;
                }
                let same = |(name, value): (&String, &Value)| {
                    let own = here.get(name)?;
                    Some(if own == value && !value.is_null() {
                        100
                    } else {
                        self.likeness(value, own).min(99)
                    })
                };
                there.iter().filter_map(same).sum()
            }
            (Value::Array(there), Value::Array(here)) => {
                there.iter().zip(here).map(|(a, b)| self.likeness(a, b)).sum()
            }
            (Value::String(there), Value::String(here)) => {
                usize::from(there == here || self.names.get(there) == Some(here))
            }
            _ => usize::from(there == here),
        }
    }

    fn texts(&mut self, path: &str, there: &str, here: &str) {
        if there == here || is_time(there) && is_time(here) || there == "<jwt>" && here.starts_with("ey") {
            return;
        }
        match (is_name(there), self.names.get(there)) {
            // The default channel's description differs on purpose.
            _ if there == "Created by Medusa" && here == "Created by Atoll" => {}
            (true, Some(known)) if known == here => {}
            (true, None) if has_form_of(there, here) => {
                self.names.insert(there.to_owned(), here.to_owned());
            }
            _ => {
                // Ids within a text: an error message, a redacted key.
                let renamed = rename(there, self.names);
                if renamed != here && redacted(there) != redacted(here) {
                    self.say(path, format!("{here:?} and not {there:?}"));
                }
            }
        }
    }
}

/// `store: same key 2.3 s later` → 2,300.
fn waited_ms(name: &str) -> i64 {
    let words: Vec<&str> = name.split([' ', ')']).collect();
    let waited = words.windows(3).find(|it| it[1] == "s" && it[2] == "later");
    waited.and_then(|it| it[0].parse::<f64>().ok()).map_or(0, |seconds| (seconds * 1000.0) as i64)
}

/// `Basic base64(sk_…:)`, encoded.
fn encoded(header: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let Some(plain) = header.strip_prefix("Basic base64(").and_then(|it| it.strip_suffix(')')) else {
        return header.to_owned();
    };
    let mut text = String::from("Basic ");
    for chunk in plain.as_bytes().chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for n in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * n) & 63) as usize];
            text.push(if n <= chunk.len() { letter.into() } else { '=' });
        }
    }
    text
}

fn rename(text: &str, names: &HashMap<String, String>) -> String {
    let is_letter = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let mut renamed = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|it| !is_letter(it)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        renamed.push_str(names.get(word).map_or(word, String::as_str));
        let gap = after.find(is_letter).unwrap_or(after.len());
        renamed.push_str(&after[..gap]);
        rest = &after[gap..];
    }
    renamed
}

/// `pk_1cd***596` → `pk_***`; anything else as it is.
fn redacted(text: &str) -> String {
    match (text.split_once('_'), text.contains("***")) {
        (Some((prefix, _)), true) => format!("{prefix}_***"),
        _ => text.to_owned(),
    }
}

/// Is it an id or a key: a prefix and random letters?
pub fn is_name(text: &str) -> bool {
    let Some((prefix, tail)) = text.rsplit_once('_') else { return false };
    let is_id = tail.len() == 26 && tail.bytes().all(|it| it.is_ascii_digit() || it.is_ascii_uppercase());
    let is_key = tail.len() == 64 && tail.bytes().all(|it| it.is_ascii_hexdigit());
    !prefix.is_empty() && (is_id || is_key) || text.starts_with("sk_recorded_")
}

fn has_form_of(there: &str, here: &str) -> bool {
    let prefix = |it: &str| it.rsplit_once('_').map(|(prefix, _)| prefix.to_owned());
    match there.starts_with("sk_recorded_") {
        true => here.starts_with("sk_"),
        false => is_name(here) && prefix(there) == prefix(here),
    }
}

/// Are these the exact values beside a number, and the same as far as a float tells? The original rounds them
/// to 20 digits.
fn is_same_raw(there: &Map<String, Value>, here: &Map<String, Value>) -> bool {
    let float = |it: &Map<String, Value>| {
        let is_raw = it.len() == 2 && it.contains_key("precision");
        it.get("value").filter(|_| is_raw)?.as_str()?.parse::<f64>().ok()
    };
    float(there).is_some_and(|there| Some(there) == float(here))
}

fn is_time(text: &str) -> bool {
    let form: String = text.chars().map(|it| if it.is_ascii_digit() { '0' } else { it }).collect();
    form == "0000-00-00T00:00:00.000Z"
}

fn brief(value: &Value) -> String {
    let text = value.to_string();
    text.chars().take(120).collect()
}
