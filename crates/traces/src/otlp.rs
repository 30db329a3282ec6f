//! Spans as OTLP: the JSON of its version 1, in which ids are hexadecimal digits, and 64-bit numbers texts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use atoll_kernel::http::{Span, SpanKind};
use serde_json::{Value, json};

/// What the collector knows this program as.
const SERVICE: &str = "atoll";

/// The code of a span that failed.
const STATUS_ERROR: u8 = 2;

/// The body of a request with these spans.
pub(crate) fn body(spans: &[Span]) -> Value {
    let resource = [
        attribute("service.name", &SERVICE.into()),
        attribute("service.version", &env!("CARGO_PKG_VERSION").into()),
    ];
    let spans: Vec<Value> = spans.iter().map(span).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": resource },
        "scopeSpans": [{ "scope": { "name": SERVICE }, "spans": spans }],
    }] })
}

fn span(it: &Span) -> Value {
    let attributes: Vec<Value> = it.attributes.iter().map(|(key, value)| attribute(key, value)).collect();
    let mut span = json!({
        "traceId": trace_id(it.trace.trace_id),
        "spanId": span_id(it.trace.span_id),
        "name": it.name,
        "kind": kind(it.kind),
        "startTimeUnixNano": nanos(it.began, Duration::ZERO),
        "endTimeUnixNano": nanos(it.began, it.took),
        "attributes": attributes,
    });
    if let Some(parent) = it.parent {
        span["parentSpanId"] = span_id(parent).into();
    }
    if let Some(link) = it.link {
        span["links"] = json!([{ "traceId": trace_id(link.trace_id), "spanId": span_id(link.span_id) }]);
    }
    if it.is_error {
        span["status"] = json!({ "code": STATUS_ERROR });
    }
    span
}

fn kind(kind: SpanKind) -> u8 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Consumer => 5,
    }
}

fn attribute(key: &str, value: &Value) -> Value {
    let value = match value {
        Value::Number(it) => json!({ "intValue": it.to_string() }),
        Value::Bool(it) => json!({ "boolValue": it }),
        Value::String(it) => json!({ "stringValue": it }),
        it => json!({ "stringValue": it.to_string() }),
    };
    json!({ "key": key, "value": value })
}

fn trace_id(id: u128) -> String {
    format!("{id:032x}")
}

fn span_id(id: u64) -> String {
    format!("{id:016x}")
}

fn nanos(began: SystemTime, took: Duration) -> String {
    (began.duration_since(UNIX_EPOCH).unwrap_or_default() + took).as_nanos().to_string()
}
