//! What an attempt changes: the delivery, and, where it begins or ends to fail, its webhook.

use std::time::Duration;

use atoll_kernel::{Fault, Moment, Timestamp, Write, jobs::emit, serde_json::json};

use crate::{
    Attempt, CURSORS, DeliveryState, SwitchedOff, WEBHOOK_DELIVERIES, WEBHOOKS, Webhook, WebhookDelivery,
    events::SWITCHED_OFF,
    schedule::{longest_pause, next_attempt},
    settings::{ATTEMPTS_KEPT_MAX, FAILED_AT_STEP, FAILING_MAX},
};

/// The status by which a receiver says that it is not there any more.
const GONE: u16 = 410;

/// An attempt that was made.
pub(crate) struct Made {
    /// When it was due, by which it is known.
    pub(crate) due_at: Timestamp,
    pub(crate) attempt: Attempt,
    /// How long the receiver asks to wait.
    pub(crate) retry_after: Option<Duration>,
}

/// Records an attempt. Deleted meanwhile, there is nothing to record it with. Event: `webhook.switched_off`.
pub(crate) fn settle(tx: &mut dyn Write, at: &Moment, id: &str, made: Made) -> Result<(), Fault> {
    let Some(delivery) = WEBHOOK_DELIVERIES.get(tx, id)? else { return Ok(()) };
    let Some(webhook) = WEBHOOKS.get(tx, &delivery.webhook_id)? else { return Ok(()) };
    let (has_succeeded, status) = (made.attempt.has_succeeded(), made.attempt.status);
    WEBHOOK_DELIVERIES.update(tx, at, id, |it: &mut WebhookDelivery| note(it, made, at.now()))?;
    let (failing_since, failed_at) = match has_succeeded {
        true => (None, None),
        false => (Some(since(&webhook, at.now())), Some(failed_at(&webhook, at.now()))),
    };
    let switched_off = match failing_since {
        Some(_) if status == Some(GONE) => Some(SwitchedOff::Gone),
        Some(since) if since.plus(FAILING_MAX) <= at.now() => Some(SwitchedOff::Failing),
        _ => None,
    };
    if (webhook.failing_since, webhook.failed_at) != (failing_since, failed_at) {
        let failing = |it: &mut Webhook| (it.failing_since, it.failed_at) = (failing_since, failed_at);
        WEBHOOKS.update(tx, at, &webhook.id, failing)?;
    }
    match switched_off.filter(|_| webhook.is_enabled) {
        Some(because) => switch_off(tx, at, &webhook, because),
        None => Ok(()),
    }
}

/// Since when the webhook fails: silence is no failing. A time of the future was written while the clock was
/// ahead.
fn since(webhook: &Webhook, now: Timestamp) -> Timestamp {
    let is_silent = webhook.failed_at.is_none_or(|it| it.plus(longest_pause() + FAILED_AT_STEP) < now);
    webhook.failing_since.filter(|it| !is_silent && !it.is_ahead_of(now)).unwrap_or(now)
}

fn failed_at(webhook: &Webhook, now: Timestamp) -> Timestamp {
    let is_lately = |it: &Timestamp| !it.is_ahead_of(now) && now < it.plus(FAILED_AT_STEP);
    webhook.failed_at.filter(is_lately).unwrap_or(now)
}

/// One that is not due at that time any more is delivered, or asked for again since: the attempt is listed,
/// and decides nothing.
fn note(it: &mut WebhookDelivery, made: Made, now: Timestamp) {
    let Made { due_at, attempt, retry_after } = made;
    if it.next_attempt_at == Some(due_at) {
        it.n_attempts += 1;
        let next = next_attempt(&it.id, it.n_attempts, retry_after, now);
        (it.state, it.next_attempt_at) = match next {
            _ if attempt.has_succeeded() => (DeliveryState::Delivered, None),
            Some(next) => (DeliveryState::Pending, Some(next)),
            None => (DeliveryState::Failed, None),
        };
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_that_is_not_the_one_that_is_due_decides_nothing() {
        let [earlier, now] = [1_800_000_000_000, 1_800_000_005_000].map(Timestamp::from_millis);
        for (state, next_attempt_at, n_attempts) in
            [(DeliveryState::Delivered, None, 1), (DeliveryState::Pending, Some(now), 0)]
        {
            for status in [204, 500] {
                let mut delivery =
                    WebhookDelivery { state, next_attempt_at, n_attempts, ..WebhookDelivery::default() };
                let attempt = Attempt { status: Some(status), ..Attempt::default() };
                note(&mut delivery, Made { due_at: earlier, attempt, retry_after: None }, now);
                let after = (delivery.state, delivery.next_attempt_at, delivery.n_attempts);
                assert_eq!(after, (state, next_attempt_at, n_attempts), "{status}");
                assert_eq!(delivery.attempts.len(), 1);
            }
        }
    }
}
