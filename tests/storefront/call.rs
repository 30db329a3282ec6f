//! A call of a storefront, and the walk through a sequence of them through the real router.

use std::collections::BTreeMap;

use atoll_testkit::Client;
use axum::body::Body;
use serde_json::Value;

/// A page of the storefront: its name, and its calls in their order.
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) calls: &'static [Call],
}

/// A request of the storefront, and what it reads from the answer. `$name` stands for a value that an earlier
/// call kept.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    method: &'static str,
    /// Path and query string, without `fields`.
    path: &'static str,
    fields: Option<&'static str>,
    body: &'static str,
    /// The status for a visitor who is logged in.
    status: u16,
    /// The status for a guest, if it is another one.
    guest: Option<u16>,
    reads: &'static [&'static str],
    keeps: &'static [(&'static str, &'static str)],
}

pub(crate) const fn get(path: &'static str) -> Call {
    Call { method: "GET", path, fields: None, body: "", status: 200, guest: None, reads: &[], keeps: &[] }
}

pub(crate) const fn post(path: &'static str, body: &'static str) -> Call {
    Call { method: "POST", body, ..get(path) }
}

pub(crate) const fn delete(path: &'static str) -> Call {
    Call { method: "DELETE", ..get(path) }
}

impl Call {
    /// The parameter `fields`, as the storefront sends it.
    pub(crate) const fn fields(self, fields: &'static str) -> Call {
        Call { fields: Some(fields), ..self }
    }

    /// What the page shows: paths into the answer. Each must lead to a value that is not null and not empty.
    pub(crate) const fn reads(self, reads: &'static [&'static str]) -> Call {
        Call { reads, ..self }
    }

    /// Values that later calls send: name, and path into the answer.
    pub(crate) const fn keeps(self, keeps: &'static [(&'static str, &'static str)]) -> Call {
        Call { keeps, ..self }
    }

    /// The storefront catches this error.
    pub(crate) const fn caught(self, status: u16) -> Call {
        Call { status, ..self }
    }

    /// The storefront catches this error where the visitor is a guest.
    pub(crate) const fn caught_for_guests(self, status: u16) -> Call {
        Call { guest: Some(status), ..self }
    }
}

/// A visitor of the shop: the browser's cookies, as it were.
pub(crate) struct Visitor {
    client: Client,
    /// What was kept.
    kept: BTreeMap<&'static str, Value>,
}

impl Visitor {
    /// Comes with the publishable key that this client has.
    pub(crate) fn new(client: Client) -> Visitor {
        Visitor { client, kept: BTreeMap::new() }
    }

    /// A value that a call kept.
    pub(crate) fn kept(&self, name: &str) -> &Value {
        self.kept.get(name).unwrap_or_else(|| panic!("no call has kept `{name}`"))
    }

    /// Opens pages one after the other, each below the layout that asks first.
    pub(crate) async fn walk(&mut self, layout: &Page, layout_with_cart: &Page, pages: &[&Page]) {
        for page in pages {
            self.open(layout).await;
            if self.kept.contains_key("cart") {
                self.open(layout_with_cart).await;
            }
            self.open(page).await;
        }
    }

    async fn open(&mut self, page: &Page) {
        for call in page.calls {
            self.send(page.name, call).await;
        }
    }

    async fn send(&mut self, page: &str, call: &Call) {
        let mut path = self.filled(call.path);
        if let Some(fields) = call.fields {
            let mark = if path.contains('?') { '&' } else { '?' };
            // As the storefront's client writes it.
            let fields = fields.replace('+', "%2B").replace(' ', "%20").replace(',', "%2C");
            path = format!("{path}{mark}fields={fields}");
        }
        let token = self.kept.get("token").and_then(Value::as_str);
        let client = match token {
            Some(token) => self.client.clone().with_header("authorization", &format!("Bearer {token}")),
            None => self.client.clone(),
        };
        let what = format!("{page}: {} {path}", call.method);
        let answer = client.send(call.method, &path, Body::from(self.filled(call.body))).await;
        let expected = call.guest.filter(|_| token.is_none()).unwrap_or(call.status);
        assert_eq!(answer.status.as_u16(), expected, "{what}: {}", answer.json);
        if expected != 200 {
            return;
        }
        for path in call.reads {
            let is_shown = match found(&answer.json, path) {
                None | Some(Value::Null) => false,
                Some(Value::Array(list)) => !list.is_empty(),
                Some(Value::String(text)) => !text.is_empty(),
                Some(_) => true,
            };
            assert!(is_shown, "{what} shows no `{path}`: {}", answer.json);
        }
        for (name, path) in call.keeps {
            let value = found(&answer.json, path);
            let value = value.unwrap_or_else(|| panic!("{what} has no `{path}`: {}", answer.json));
            self.kept.insert(name, value.clone());
        }
    }

    /// A text with its values.
    fn filled(&self, text: &str) -> String {
        let mut parts = text.split('$');
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|it: char| !it.is_ascii_lowercase() && it != '_').unwrap_or(part.len());
            let (name, rest) = part.split_at(end);
            match self.kept(name) {
                Value::String(text) => filled.push_str(text),
                other => filled.push_str(&other.to_string()),
            }
            filled.push_str(rest);
        }
        filled
    }
}

/// The value at a path such as `cart/items/0/title`. `[handle=enamel-mug]` is the first entry of a list that
/// has this value.
fn found<'a>(json: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('/').try_fold(json, |at, part| {
        let Some(condition) = part.strip_prefix('[').and_then(|it| it.strip_suffix(']')) else {
            return part.parse::<usize>().map_or_else(|_| at.get(part), |n| at.get(n));
        };
        let (of, wanted) = condition.split_once('=')?;
        at.as_array()?.iter().find(|it| found(it, &of.replace('.', "/")).is_some_and(|it| it == wanted))
    })
}
