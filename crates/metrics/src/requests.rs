//! Requests: their durations by the names and in the buckets of OpenTelemetry, remembered answers, and limits
//! that were hit.

use std::fmt;

use atoll_kernel::{
    Ctx,
    http::{App as _, RequestDuration},
};

use crate::families::{Families, Histogram};

pub(crate) fn write(ctx: &Ctx, to: &mut Families<'_>) -> fmt::Result {
    let durations = ctx.counters().durations().map(|it| it.all()).unwrap_or_default();
    let series = durations.iter().map(|it: &RequestDuration| {
        let labels = [
            ("http_request_method", it.method.to_owned()),
            ("http_route", it.route.clone()),
            ("http_response_status_code", it.status.to_string()),
        ];
        (labels, Histogram { buckets: it.buckets.clone(), sum: it.sum_s })
    });
    to.histograms(
        "http_server_request_duration_seconds",
        "Time from the head of a request to its answer",
        series,
    )?;
    let n_active = ctx.config().requests_max.saturating_sub(ctx.permits().available_permits());
    to.gauge("http_server_active_requests", "Requests that are being answered", n_active as f64)?;
    let limits = ctx.counters().limits_hit().all();
    to.counters(
        "atoll_limit_hits",
        "Requests that were refused, and connections that were closed, because of a limit",
        limits.into_iter().map(|(limit, n)| ([("limit", limit)], n)),
    )?;
    let Some(answers) = ctx.answer_cache_counts() else { return Ok(()) };
    to.counters(
        "atoll_answers",
        "Requests whose answers may be remembered, by what became of them",
        [
            ([("outcome", "remembered")], answers.remembered),
            ([("outcome", "missed")], answers.missed),
            ([("outcome", "outdated")], answers.outdated),
            ([("outcome", "left_out")], answers.left_out),
            ([("outcome", "not_modified")], answers.not_modified),
        ],
    )?;
    to.counter(
        "atoll_answers_evicted",
        "Answers that were forgotten to make room for others",
        answers.evicted as f64,
    )?;
    to.gauge("atoll_answers_kept", "Answers that are remembered now", answers.answers as f64)?;
    to.gauge("atoll_answers_kept_bytes", "Memory that remembered answers take", answers.bytes as f64)
}
