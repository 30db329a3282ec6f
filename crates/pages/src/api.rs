//! The API, as pages ask it: requests in the same process, through the router that all clients use, in the
//! name of the person who looks.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use atoll_kernel::{
    Fault, FaultKind,
    http::{HeaderMap, HeaderName, HeaderValue, etag_of, header_names},
};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{Extensions, Method, Request, Response, StatusCode},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::{Address, Form, Upload};

/// Upper bound of an answer that a page reads. A page shows a page of a list, not the list.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Headers of the request for a page that its requests to the API have, too: who asks, from where, and as a
/// part of what.
const HANDED_ON: [HeaderName; 8] = [
    header_names::COOKIE,
    header_names::HOST,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-proto"),
    header_names::FORWARDED,
    header_names::USER_AGENT,
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("traceparent"),
];

/// The API in the name of one person.
#[derive(Clone)]
pub struct Api {
    router: Router,
    headers: HeaderMap,
    /// Of the request for the page: the address of the client, by which logins are limited.
    extensions: Extensions,
    once: Option<Arc<Once>>,
    /// The `ETag` of what the next write takes for granted (`If-Match`).
    expected: Option<String>,
}

/// What was seen of a record, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    address: Address,
    pub(crate) etag: String,
}

/// A form that is sent: its n-th write is done once, however often it is sent.
struct Once {
    /// The same whenever this form is sent.
    key: String,
    n_writes: AtomicUsize,
}

impl Once {
    /// The `Idempotency-Key` of the next write.
    fn next(&self) -> String {
        format!("{}-{}", self.key, self.n_writes.fetch_add(1, Ordering::Relaxed))
    }
}

/// A page of a list.
#[derive(Debug)]
pub struct Records<T> {
    /// The records.
    pub records: Vec<T>,
    /// How many there are on all pages.
    pub count: usize,
    /// How many of them were skipped.
    pub offset: usize,
    /// The size of a page.
    pub limit: usize,
}

/// An answer of the API as it came.
pub struct Sent {
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null if there is none.
    pub body: Value,
    /// The body as text.
    bytes: Bytes,
}

impl Api {
    /// The API as the person of this request may use it.
    pub fn of(router: Router, headers: &HeaderMap, extensions: &Extensions) -> Api {
        // Of some headers proxies add a line of their own, and the last one counts.
        let lines =
            |name| headers.get_all(name).into_iter().map(move |it| (HeaderName::clone(name), it.clone()));
        let headers = HANDED_ON.iter().flat_map(lines).collect();
        Api { router, headers, extensions: extensions.clone(), once: None, expected: None }
    }

    /// The same for what a form asks for that has this key: sent again, it is not done again. Without a key
    /// it is.
    #[must_use]
    pub(crate) fn once(self, key: &str) -> Api {
        let once = Once { key: key.to_owned(), n_writes: AtomicUsize::new(0) };
        Api { once: (!key.is_empty()).then(|| Arc::new(once)), ..self }
    }

    /// The same with a token instead of the session.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Api {
        self.headers.remove(header_names::COOKIE);
        if let Ok(value) = format!("Bearer {token}").parse() {
            self.headers.insert(header_names::AUTHORIZATION, value);
        }
        self
    }

    /// Reads an answer. What the API refuses is refused with its status and its words.
    pub async fn get<T: DeserializeOwned>(&self, address: impl Into<Address>) -> Result<T, Fault> {
        read(self.send(Method::GET, &address.into(), None).await?.body)
    }

    /// Reads what is under this name in an answer: one record in its envelope.
    pub async fn one<T: DeserializeOwned>(
        &self,
        address: impl Into<Address>,
        name: &str,
    ) -> Result<T, Fault> {
        read(self.get::<Value>(address).await?[name].take())
    }

    /// As `one`, with what was seen, for a write that changes the whole of it ([`Api::save`]).
    pub async fn seen<T: DeserializeOwned>(
        &self,
        address: impl Into<Address>,
        name: &str,
    ) -> Result<(T, Seen), Fault> {
        let address = address.into();
        let mut sent = self.send(Method::GET, &address, None).await?;
        let etag = etag_of(&sent.bytes);
        Ok((read(sent.body[name].take())?, Seen { address, etag }))
    }

    /// Reads a page of a list, which is under this name.
    pub async fn list<T: DeserializeOwned>(
        &self,
        address: impl Into<Address>,
        name: &str,
    ) -> Result<Records<T>, Fault> {
        #[derive(Deserialize)]
        struct Counted {
            count: usize,
            offset: usize,
            limit: usize,
        }
        let mut answer: Value = self.get(address).await?;
        let records = read(answer[name].take())?;
        let Counted { count, offset, limit } = read(answer)?;
        Ok(Records { records, count, offset, limit })
    }

    /// Writes, and reads the answer.
    pub async fn post<T: DeserializeOwned>(
        &self,
        address: impl Into<Address>,
        body: &impl Serialize,
    ) -> Result<T, Fault> {
        let body = serde_json::to_value(body).map_err(Fault::unexpected)?;
        read(self.send(Method::POST, &address.into(), Some(body)).await?.body)
    }

    /// Writes to where `now` was read. Refused (409) if that is not what the form shows any more
    /// ([`Blank::seen`](crate::Blank::seen)), or not `now` if the form shows nothing of it.
    pub async fn save(&self, form: &Form, now: &Seen, body: &impl Serialize) -> Result<(), Fault> {
        let shown = form.text("seen");
        let etag = if shown.is_empty() { &*now.etag } else { shown };
        let api = Api { expected: Some(etag.to_owned()), ..self.clone() };
        api.post::<Value>(now.address.clone(), body).await.map(drop)
    }

    /// Deletes.
    pub async fn delete(&self, address: impl Into<Address>) -> Result<(), Fault> {
        self.send(Method::DELETE, &address.into(), None).await.map(drop)
    }

    /// Stores the files of a form. Returns where they are served, in their order.
    pub async fn upload(&self, upload: &Upload) -> Result<Vec<String>, Fault> {
        #[derive(Deserialize)]
        struct Stored {
            url: String,
        }
        let address = Address::of("/admin/uploads");
        let Upload { content_type, length, .. } = upload;
        let body = (upload.take()?, length.clone());
        let answer = self.send_as(content_type, Method::POST, &address, body).await?;
        let stored: Vec<Stored> = read(answer.body["files"].clone())?;
        Ok(stored.into_iter().map(|it| it.url).collect())
    }

    /// Sends a request and returns the answer as it came.
    pub async fn send(&self, method: Method, address: &Address, body: Option<Value>) -> Result<Sent, Fault> {
        let body = body.map_or_else(String::new, |it| it.to_string());
        let length = HeaderValue::from(body.len());
        self.send_as("application/json", method, address, (body.into(), Some(length))).await
    }

    async fn send_as(
        &self,
        content_type: &str,
        method: Method,
        address: &Address,
        (body, length): (Body, Option<HeaderValue>),
    ) -> Result<Sent, Fault> {
        let is_write = method != Method::GET;
        let once = self.once.as_ref().filter(|_| is_write);
        let expected = self.expected.as_ref();
        let mut request = Request::builder().method(method).uri(address.to_string());
        if let Some(headers) = request.headers_mut() {
            headers.extend(self.headers.clone());
            if let Some(once) = once {
                let key = HeaderValue::try_from(once.next());
                headers.insert("idempotency-key", key.map_err(|_| Fault::invalid(INCOMPLETE))?);
            }
            if let Some(etag) = expected {
                let etag = HeaderValue::try_from(etag);
                headers.insert(header_names::IF_MATCH, etag.map_err(|_| Fault::invalid(INCOMPLETE))?);
            }
            headers.insert(header_names::CONTENT_TYPE, content_type.parse().map_err(Fault::unexpected)?);
            headers.extend(length.map(|it| (header_names::CONTENT_LENGTH, it)));
        }
        let mut request = request.body(body).map_err(Fault::unexpected)?;
        *request.extensions_mut() = self.extensions.clone();
        let answer = match self.router.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        answered(answer, once.map_or("", |it| &it.key), expected.is_some()).await
    }
}

/// What is said of a form whose hidden fields cannot be read.
const INCOMPLETE: &str = "The form is not complete";

/// The refusal of a form that is of something that others have changed since (409).
pub fn outdated() -> Fault {
    let text = "Somebody else has changed this meanwhile, so nothing was saved. What is saved now stands below \
                the fields that differ: send the form again to save what you typed.";
    Fault::new(FaultKind::Conflict, text)
}

/// What people read who sent a form twice that could not be answered as the first time.
const SENT_BEFORE: &str = "This form was sent before. Look whether it was done; if it was not, or is to be done again, send it again.";

/// What people read who sent a form of which no host knows what became.
const UNKNOWN: &str =
    "It is not known whether this was done. Go back and send the form again: it is done once.";

async fn answered(answer: Response<Body>, key: &str, is_expecting: bool) -> Result<Sent, Fault> {
    let (head, body) = answer.into_parts();
    let bytes = to_bytes(body, ANSWER_BYTES_MAX).await.map_err(Fault::unexpected)?;
    let body =
        if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or_default() };
    if head.status.is_success() {
        return Ok(Sent { headers: head.headers, body, bytes });
    }
    if head.status == StatusCode::UNAUTHORIZED {
        return Err(Fault::unauthorized());
    }
    let said = body["message"].as_str().unwrap_or("The server could not do that.");
    let errors: Vec<&str> =
        body["errors"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let said = if errors.is_empty() { said.to_owned() } else { errors.join("; ") };
    // Nobody has seen the key of which the API speaks.
    let is_sent_before = !key.is_empty() && said.contains(key);
    if is_expecting && !is_sent_before && head.status == StatusCode::CONFLICT {
        return Err(outdated());
    }
    let said = if is_sent_before {
        SENT_BEFORE.to_owned()
    } else if !key.is_empty() && body["code"] == "outcome_unknown" {
        UNKNOWN.to_owned()
    } else {
        said
    };
    let fault = Fault::of(head.status.as_u16(), "refused", said);
    let seconds = head.headers.get(header_names::RETRY_AFTER).and_then(|it| it.to_str().ok()?.parse().ok());
    Err(match seconds {
        Some(seconds) => fault.with_retry_after(seconds),
        None => fault,
    })
}

/// An answer that is not as the page expects it is a bug of the page.
fn read<T: DeserializeOwned>(body: Value) -> Result<T, Fault> {
    serde_json::from_value(body).map_err(Fault::unexpected)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What it heard in the header in which proxies say where a request comes from.
    async fn heard(headers: HeaderMap) -> String {
        let lines = headers.get_all("x-forwarded-for").into_iter().filter_map(|it| it.to_str().ok());
        serde_json::json!({ "lines": lines.collect::<Vec<_>>() }).to_string()
    }

    #[tokio::test]
    async fn the_line_that_a_proxy_adds_to_a_header_is_handed_on() {
        let mut headers = HeaderMap::new();
        for address in ["198.51.100.9", "203.0.113.7"] {
            headers.append("x-forwarded-for", address.parse().expect("a header"));
        }
        let api = Api::of(Router::new().fallback(heard), &headers, &Extensions::new());
        let lines: Vec<String> = api.one("/auth", "lines").await.expect("an answer");
        assert_eq!(lines, ["198.51.100.9", "203.0.113.7"]);
    }
}
