//! One attempt: the body, its signatures, and what the receiver says.

use std::time::Duration;

use atoll_kernel::{
    Ctx, Fault, Timestamp,
    http::{OpenSpan, SpanKind, caught},
    serde_json::{self, Value, json},
};
use atoll_providers::{OutgoingWebhook, WebhookAnswer, WebhookSender};

use crate::{
    Attempt, Webhook,
    secret::signatures,
    settings::{ANSWER_BYTES_MAX, ANSWER_CHARS_MAX, TIMEOUT, reach},
};

/// What is sent: an event under the id that all its attempts have.
pub(crate) struct Message<'a> {
    pub(crate) id: &'a str,
    pub(crate) event: &'a str,
    pub(crate) happened_at: Timestamp,
    pub(crate) data: &'a Value,
}

/// The provider that sends. Error: none is linked in, or none serves.
pub(crate) fn sender(ctx: &Ctx) -> Result<&'static dyn WebhookSender, Fault> {
    let first = ctx.providers().of::<dyn WebhookSender>().next();
    first.map(|(_, it)| it).ok_or_else(|| Fault::not_allowed("This program has nothing that sends webhooks"))
}

/// Sends a message once. Returns what became of it, and how long the receiver asks to wait. A sender that
/// panics has failed.
pub(crate) async fn attempt(
    ctx: &Ctx,
    webhook: &Webhook,
    message: Message<'_>,
) -> (Attempt, Option<Duration>) {
    let at = ctx.now();
    let answer = caught(post(ctx, webhook, message, at)).await.flatten();
    let duration_ms = u64::try_from(ctx.now().millis() - at.millis()).unwrap_or_default();
    let begun = Attempt { at, duration_ms, ..Attempt::default() };
    match answer {
        Ok(WebhookAnswer { status, retry_after, body }) => {
            let text = String::from_utf8_lossy(&body);
            let beginning: String = text.chars().take(ANSWER_CHARS_MAX).collect();
            let asks = matches!(status, 429 | 503);
            let answer = Some(beginning).filter(|it| !it.is_empty());
            (Attempt { status: Some(status), answer, ..begun }, retry_after.filter(|_| asks))
        }
        Err(fault) => {
            let error: String = fault.to_string().chars().take(ANSWER_CHARS_MAX).collect();
            (Attempt { error: Some(error), ..begun }, None)
        }
    }
}

async fn post(
    ctx: &Ctx,
    webhook: &Webhook,
    message: Message<'_>,
    at: Timestamp,
) -> Result<WebhookAnswer, Fault> {
    let Message { id, event, happened_at, data } = message;
    let body = json!({ "type": event, "timestamp": happened_at, "data": data });
    let body = serde_json::to_vec(&body).map_err(Fault::unexpected)?;
    let mut span = ctx.begin_trace("webhook", SpanKind::Client, ctx.traceparent().as_deref());
    let ctx = &ctx.in_span(span.as_ref());
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("user-agent", concat!("Atoll/", env!("CARGO_PKG_VERSION")).to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", at.millis().div_euclid(1000).to_string()),
        ("webhook-signature", signatures(ctx, webhook, id, at, &body)),
    ];
    headers.extend(ctx.traceparent().map(|it| ("traceparent", it)));
    let webhook = OutgoingWebhook {
        url: webhook.url.clone(),
        headers,
        body,
        reach: reach(ctx),
        timeout: TIMEOUT,
        answer_bytes_max: ANSWER_BYTES_MAX,
    };
    let answer = sender(ctx)?.send(ctx.beside(), webhook).await;
    OpenSpan::note(&mut span, &answer);
    answer
}
