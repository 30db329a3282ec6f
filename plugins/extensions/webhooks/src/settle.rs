//! What an attempt changes: the delivery, and, where it begins or ends to fail, its webhook.

use std::time::Duration;

use atoll_kernel::{Fault, Moment, Timestamp, Write, jobs::emit, serde_json::json};

use crate::{
    Attempt, CURSORS, DeliveryState, SwitchedOff, WEBHOOK_DELIVERIES, WEBHOOKS, Webhook, WebhookDelivery,
    events::SWITCHED_OFF,
    schedule::next_attempt,
    settings::{ATTEMPTS_KEPT_MAX, FAILING_MAX},
};

/// The status by which a receiver says that it is not there any more.
const GONE: u16 = 410;

/// Records an attempt. Deleted meanwhile, there is nothing to record it with. Event: `webhook.switched_off`.
pub(crate) fn settle(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    attempt: &Attempt,
    retry_after: Option<Duration>,
) -> Result<(), Fault> {
    let Some(delivery) = WEBHOOK_DELIVERIES.get(tx, id)? else { return Ok(()) };
    let Some(webhook) = WEBHOOKS.get(tx, &delivery.webhook_id)? else { return Ok(()) };
    let note = |it: &mut WebhookDelivery| note(it, attempt.clone(), retry_after, at.now());
    WEBHOOK_DELIVERIES.update(tx, at, id, note)?;
    let failing_since = match attempt.has_succeeded() {
        true => None,
        false => Some(since(&webhook, at.now())),
    };
    let switched_off = match failing_since {
        Some(_) if attempt.status == Some(GONE) => Some(SwitchedOff::Gone),
        Some(since) if since.plus(FAILING_MAX) <= at.now() => Some(SwitchedOff::Failing),
        _ => None,
    };
    if webhook.failing_since != failing_since {
        let failing = |it: &mut Webhook| it.failing_since = failing_since;
        WEBHOOKS.update(tx, at, &webhook.id, failing)?;
    }
    match switched_off.filter(|_| webhook.is_enabled) {
        Some(because) => switch_off(tx, at, &webhook, because),
        None => Ok(()),
    }
}

/// Since when the webhook fails. A time of the future was written while the clock was ahead.
fn since(webhook: &Webhook, now: Timestamp) -> Timestamp {
    webhook.failing_since.filter(|it| !it.is_ahead_of(now)).unwrap_or(now)
}

fn note(it: &mut WebhookDelivery, attempt: Attempt, retry_after: Option<Duration>, now: Timestamp) {
    it.n_attempts += 1;
    let next = next_attempt(&it.id, it.n_attempts, retry_after, now);
    (it.state, it.next_attempt_at) = match next {
        _ if attempt.has_succeeded() => (DeliveryState::Delivered, None),
        Some(next) => (DeliveryState::Pending, Some(next)),
        None => (DeliveryState::Failed, None),
    };
    it.attempts.push(attempt);
    let n_excess = it.attempts.len().saturating_sub(ATTEMPTS_KEPT_MAX);
    it.attempts.drain(..n_excess);
}

fn switch_off(tx: &mut dyn Write, at: &Moment, webhook: &Webhook, because: SwitchedOff) -> Result<(), Fault> {
    let switch = |it: &mut Webhook| {
        it.is_enabled = false;
        it.switched_off = Some(because);
    };
    WEBHOOKS.update(tx, at, &webhook.id, switch)?;
    CURSORS.remove(tx, webhook.id.as_bytes());
    emit(tx, at, SWITCHED_OFF, json!({ "id": webhook.id, "because": because.as_str() }))?;
    tracing::error!(webhook = %webhook.id, because = because.as_str(), "a webhook was switched off");
    Ok(())
}
