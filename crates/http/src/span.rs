//! Spans: what took how long within a trace, for whoever collects them.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use atoll_values::Trace;
use serde_json::Value;

/// Takes the spans that have ended. It is called on the threads of requests and of the writer, so it must not
/// wait.
pub trait Spans: Send + Sync {
    /// Takes a span.
    fn take(&self, span: Span);

    /// What became of the spans so far.
    fn counts(&self) -> SpanCounts;
}

/// What became of spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpanCounts {
    /// The collector has got them.
    pub n_sent: u64,
    /// It never gets them, since it was down or slow.
    pub n_dropped: u64,
}

/// The part of a span in a call between programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// No call.
    Internal,
    /// It answers a request.
    Server,
    /// It calls another program.
    Client,
    /// It takes an event that was written before.
    Consumer,
}

/// A span that has ended. It holds no ids of records, no content, and nothing else that a client sends.
#[derive(Clone, Debug)]
pub struct Span {
    /// What it did: `POST /store/carts/:id`, `complete-cart`.
    pub name: String,
    /// Its part in a call.
    pub kind: SpanKind,
    /// Where it is.
    pub trace: Trace,
    /// The id of the span that it is a part of.
    pub parent: Option<u64>,
    /// The span that caused it, of another trace.
    pub link: Option<Trace>,
    /// When it began.
    pub began: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// More of it, by names of OpenTelemetry.
    pub attributes: Vec<(&'static str, Value)>,
    /// Did it fail?
    pub is_error: bool,
}

/// Begins spans, for an application whose spans are collected.
#[derive(Clone)]
pub struct Tracer(Arc<dyn Spans>);

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tracer")
    }
}

impl Tracer {
    /// Hands spans to this.
    pub fn new(spans: Arc<dyn Spans>) -> Tracer {
        Tracer(spans)
    }

    /// What became of its spans so far.
    pub fn counts(&self) -> SpanCounts {
        self.0.counts()
    }

    /// Begins the first span of a new trace.
    pub fn root(&self, name: impl Into<String>, kind: SpanKind) -> OpenSpan {
        self.begin(name.into(), kind, Trace::root(), None)
    }

    /// Begins a part of this span, which another program may have begun. `None`: its trace is not recorded.
    pub fn child(&self, of: Trace, name: impl Into<String>, kind: SpanKind) -> Option<OpenSpan> {
        of.is_sampled.then(|| self.begin(name.into(), kind, of.child(), Some(of.span_id)))
    }

    fn begin(&self, name: String, kind: SpanKind, trace: Trace, parent: Option<u64>) -> OpenSpan {
        let span = Span {
            name,
            kind,
            trace,
            parent,
            link: None,
            began: SystemTime::now(),
            took: Duration::ZERO,
            attributes: Vec::new(),
            is_error: false,
        };
        OpenSpan { spans: self.0.clone(), begun: Instant::now(), span: Some(span) }
    }
}

/// A span that goes on. It ends when this is dropped, however that comes.
pub struct OpenSpan {
    spans: Arc<dyn Spans>,
    begun: Instant,
    /// There until it is dropped.
    span: Option<Span>,
}

impl OpenSpan {
    /// Where it is.
    pub fn trace(&self) -> Trace {
        self.span.as_ref().expect("it goes on").trace
    }

    /// Notes in a span, if there is one, whether what it is about has failed.
    pub fn note<T, E>(span: &mut Option<OpenSpan>, done: &Result<T, E>) {
        if let Some(span) = span {
            span.edit().is_error = done.is_err();
        }
    }

    /// The span, to be completed.
    pub fn edit(&mut self) -> &mut Span {
        self.span.as_mut().expect("it goes on")
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        if let Some(mut span) = self.span.take() {
            span.took = self.begun.elapsed();
            self.spans.take(span);
        }
    }
}
