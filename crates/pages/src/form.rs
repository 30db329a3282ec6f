//! Forms as they were sent.

use std::sync::{Arc, Mutex, PoisonError};

use atoll_kernel::{Decimal, Fault, Timestamp, http::HeaderValue};
use axum::body::Body;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::encoded;

/// A form that was sent. Names are nested as in query strings: `prices[0][amount]`.
#[derive(Clone, Debug, Default)]
pub struct Form(Map<String, Value>, Option<Upload>);

/// The files of a form, which are still arriving: a body that the route of uploads reads, once.
#[derive(Clone, Debug)]
pub struct Upload {
    /// `multipart/form-data`, with the boundary.
    pub(crate) content_type: String,
    pub(crate) length: Option<HeaderValue>,
    body: Arc<Mutex<Option<Body>>>,
}

impl Upload {
    /// A form with its content type, and with its length if it is known.
    pub fn new(content_type: &str, length: Option<HeaderValue>, body: Body) -> Upload {
        Upload { content_type: content_type.to_owned(), length, body: Arc::new(Mutex::new(Some(body))) }
    }

    /// The form, from its beginning. Error: it was read before.
    pub(crate) fn take(&self) -> Result<Body, Fault> {
        let body = self.body.lock().unwrap_or_else(PoisonError::into_inner).take();
        body.ok_or_else(|| Fault::unexpected("the files of a form were read before"))
    }
}

impl Form {
    /// The form of these values.
    pub fn of(values: Map<String, Value>) -> Form {
        Form(values, None)
    }

    /// The form with its files.
    #[must_use]
    pub fn with_upload(self, upload: Upload) -> Form {
        Form(self.0, Some(upload))
    }

    /// The files, if the form can have any ([`PageCall::form_with_files`](crate::PageCall::form_with_files)).
    pub fn upload(&self) -> Option<&Upload> {
        self.1.as_ref()
    }

    /// The form as a query string, without what shows that it is of a page (CSRF).
    pub fn encoded(&self) -> String {
        let mut pairs = Vec::new();
        self.0.iter().filter(|(name, _)| *name != "csrf").for_each(|(name, it)| add(name, it, &mut pairs));
        pairs.join("&")
    }

    /// The name of what is to be done: of the button that was pressed
    /// ([`PageCall::form`](crate::PageCall::form)).
    pub fn action(&self) -> &str {
        self.asked().split(' ').next().unwrap_or_default()
    }

    /// The id of the record to which it is to be done: what the button names after the action.
    pub fn of_id(&self) -> &str {
        self.asked().split_once(' ').map_or("", |(_, id)| id)
    }

    /// The action with its id.
    pub(crate) fn asked(&self) -> &str {
        self.text("do")
    }

    /// What was typed, without space around it; empty if it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.exact(name).trim()
    }

    /// What was typed, space included: a password.
    pub fn exact(&self, name: &str) -> &str {
        self.at(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The value of this name, which may be nested once: `prices[eur]`.
    fn at(&self, name: &str) -> Option<&Value> {
        match name.split_once('[') {
            Some((outer, key)) => self.0.get(outer)?.get(key.strip_suffix(']')?),
            None => self.0.get(name),
        }
    }

    /// Was this sent? Browsers send no boxes that are not ticked.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.at(name).is_some()
    }

    /// What was typed, or null if that is nothing.
    pub fn or_null(&self, name: &str) -> Value {
        Some(self.text(name)).filter(|it| !it.is_empty()).map_or(Value::Null, Value::from)
    }

    /// True if the box is ticked.
    pub fn is_on(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// A number as JSON; null if it is empty. Errors: what is no number, and more digits than JSON holds:
    /// nothing is rounded.
    pub fn number(&self, name: &str) -> Result<Value, Fault> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(Value::Null);
        }
        let typed =
            text.parse::<Decimal>().map_err(|_| Fault::invalid(format!("`{text}` is not a number")))?;
        let sent = json!(typed);
        match sent.to_string().parse::<Decimal>() {
            Ok(same) if same == typed => Ok(sent),
            _ => Err(Fault::invalid(format!("`{text}` has too many digits"))),
        }
    }

    /// The numbers that were typed into `name[key]`, by their keys. Those that are empty are left out.
    pub fn numbers(&self, name: &str) -> Result<Vec<(&str, Value)>, Fault> {
        let keys = self.nested(name).as_object().into_iter().flat_map(Map::keys);
        let typed = keys.map(|key| Ok((key.as_str(), self.number(&format!("{name}[{key}]"))?)));
        let typed = typed.collect::<Result<Vec<_>, Fault>>()?;
        Ok(typed.into_iter().filter(|(_, number)| !number.is_null()).collect())
    }

    /// As `numbers`, those alone that are no longer what `was[name][key]` says; empty ones are null.
    pub fn changed_numbers(&self, name: &str) -> Result<Vec<(&str, Value)>, Fault> {
        let keys = self.nested(name).as_object().into_iter().flat_map(Map::keys);
        let changed =
            keys.filter(|key| self.was_number(name, key) != Some(self.text(&format!("{name}[{key}]"))));
        changed.map(|key| Ok((key.as_str(), self.number(&format!("{name}[{key}]"))?))).collect()
    }

    /// What `name[key]` was when the form was shown, if the form says that.
    pub fn was_number(&self, name: &str, key: &str) -> Option<&str> {
        self.nested("was")[name][key].as_str().map(str::trim)
    }

    /// A moment as JSON, null if it is empty. Without the script of the pages, the moment is in UTC.
    pub fn moment(&self, name: &str) -> Result<Value, Fault> {
        Ok(moment_of(self.text(name))?.map_or(Value::Null, |it| json!(it)))
    }

    /// The values of a list: of the boxes of this name that are ticked, say.
    pub fn all(&self, name: &str) -> Vec<&str> {
        texts(self.0.get(name))
    }

    /// What was ticked and unticked in the boxes of this name since they were shown: what they did not offer
    /// is no part of it, nor what others have changed meanwhile.
    pub fn change(&self, name: &str) -> Change<'_> {
        let (was, ticked) = (self.was(name), self.all(name));
        let add = ticked.iter().copied().filter(|it| !was.contains(it)).collect();
        let remove = was.into_iter().filter(|it| !ticked.contains(it)).collect();
        Change { add, remove }
    }

    /// The values of these boxes that were ticked when they were shown.
    pub(crate) fn was(&self, name: &str) -> Vec<&str> {
        texts(self.nested("was").get(name))
    }

    /// A nested value, as it was sent.
    pub fn nested(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }
}

/// Adds a value as pairs of a query string; `name` is that of the whole.
fn add(name: &str, value: &Value, pairs: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, it)| add(&format!("{name}[{key}]"), it, pairs))
        }
        Value::Array(items) => items.iter().for_each(|it| add(&format!("{name}[]"), it, pairs)),
        Value::String(text) => pairs.push(format!("{}={}", encoded(name), encoded(text))),
        _ => {}
    }
}

/// The moment that was typed, if one was: with its zone, or in UTC.
pub(crate) fn moment_of(text: &str) -> Result<Option<Timestamp>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let whole = if text.ends_with('Z') { text.to_owned() } else { format!("{text}:00Z") };
    let parsed = whole.parse().or_else(|_| format!("{text}Z").parse());
    parsed.map(Some).map_err(|_| Fault::invalid(format!("`{text}` is not a date with a time")))
}

/// Ids to link and to unlink, as bodies have them ([`Form::change`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change<'a> {
    /// Those that were ticked.
    pub add: Vec<&'a str>,
    /// Those that were unticked.
    pub remove: Vec<&'a str>,
}

impl Change<'_> {
    /// Does all stay as it is?
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }

    /// What these ids become by it.
    pub fn of<'b>(&'b self, ids: impl IntoIterator<Item = &'b str>) -> Vec<&'b str> {
        let stays = |it: &&str| !self.add.contains(it) && !self.remove.contains(it);
        ids.into_iter().filter(stays).chain(self.add.iter().copied()).collect()
    }
}

/// A text, or the texts of a list.
pub(crate) fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one.as_str()],
        _ => Vec::new(),
    }
}
