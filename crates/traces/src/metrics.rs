//! Metrics: spans by what became of them.

use atoll_kernel::{jobs::Metric, metric};

metric! { Metric {
    name: "atoll_trace_spans",
    text: "Spans for the collector of traces: sent, or dropped because it was down or slow",
    is_counter: true,
    label: "outcome",
    read: |ctx| {
        let counts = ctx.config().tracer.as_ref().map(|it| it.counts()).unwrap_or_default();
        Ok(vec![("sent", counts.n_sent), ("dropped", counts.n_dropped)])
    },
} }
