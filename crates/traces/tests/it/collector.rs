//! A collector of the tests: keeps the spans that it gets.

use std::sync::{Arc, Mutex, PoisonError};

use atoll_traces::Endpoint;
use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use serde_json::Value;
use tokio::net::TcpListener;

/// The spans so far.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Value>>>);

pub(crate) struct Collector {
    kept: Kept,
    address: String,
}

/// A span, as the collector got it.
#[derive(Clone, Debug)]
pub(crate) struct Seen(Value);

impl Collector {
    pub(crate) async fn start() -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let kept = Kept::default();
        let keeping = kept.clone();
        let take = move |headers: HeaderMap, body: Bytes| async move {
            let body: Value = serde_json::from_slice(&body).expect("JSON");
            assert_eq!(headers["content-type"], "application/json");
            let resource = &body["resourceSpans"][0];
            assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "atoll");
            let spans = resource["scopeSpans"][0]["spans"].as_array().cloned().expect("spans");
            keeping.0.lock().unwrap_or_else(PoisonError::into_inner).extend(spans);
            "{}"
        };
        let router = Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Collector { kept, address }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        format!("http://{}", self.address).parse().expect("an address")
    }

    /// The spans of this name.
    pub(crate) fn named(&self, name: &str) -> Vec<Seen> {
        self.all().into_iter().filter(|it| it.text("name") == name).collect()
    }

    /// The only span of this name.
    #[track_caller]
    pub(crate) fn only(&self, name: &str) -> Seen {
        let mut named = self.named(name);
        let names: Vec<String> = self.all().iter().map(|it| it.text("name").to_owned()).collect();
        assert_eq!(named.len(), 1, "spans of {name} among {names:?}");
        named.remove(0)
    }

    pub(crate) fn all(&self) -> Vec<Seen> {
        self.kept.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().map(Seen).collect()
    }
}

impl Seen {
    pub(crate) fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    /// The value of an attribute, as text.
    pub(crate) fn attribute(&self, key: &str) -> String {
        let attributes = self.0["attributes"].as_array().expect("a list");
        let found = attributes.iter().find(|it| it["key"] == key).map(|it| &it["value"]);
        let value = found.and_then(|it| it["stringValue"].as_str().or(it["intValue"].as_str()));
        value.unwrap_or_default().to_owned()
    }

    /// Its trace and its id, as a link has them.
    pub(crate) fn place(&self) -> (String, String) {
        (self.text("traceId").to_owned(), self.text("spanId").to_owned())
    }

    /// Where the span is that caused it.
    pub(crate) fn link(&self) -> (String, String) {
        Seen(self.0["links"][0].clone()).place()
    }

    pub(crate) fn is_part_of(&self, other: &Seen) -> bool {
        self.text("traceId") == other.text("traceId") && self.text("parentSpanId") == other.text("spanId")
    }

    pub(crate) fn is_error(&self) -> bool {
        self.0["status"]["code"] == 2
    }
}
