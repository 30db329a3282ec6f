//! Metrics: attempts by what became of them, deliveries by their state, webhooks that are off by themselves.

use std::sync::atomic::{AtomicU64, Ordering};

use atoll_kernel::{StoreError, jobs::Metric, metric};

use crate::{Attempt, BY_STATE, DeliveryState, Webhook, queue::all};

/// Attempts since the start of the process.
#[derive(Default)]
pub(crate) struct Attempts {
    taken: AtomicU64,
    refused: AtomicU64,
    unanswered: AtomicU64,
}

impl Attempts {
    pub(crate) fn count(&self, attempt: &Attempt) {
        let counter = match attempt.status {
            Some(_) if attempt.has_succeeded() => &self.taken,
            Some(_) => &self.refused,
            None => &self.unanswered,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

metric! { Metric {
    name: "atoll_webhook_attempts",
    text: "Attempts to send a webhook: taken (2xx), refused (another status), unanswered",
    is_counter: true,
    label: "outcome",
    read: |ctx| {
        let it = ctx.memory::<Attempts>();
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Ok(vec![("taken", of(&it.taken)), ("refused", of(&it.refused)), ("unanswered", of(&it.unanswered))])
    },
} }

metric! { Metric {
    name: "atoll_webhook_deliveries",
    text: "Deliveries that are kept, by their state",
    is_counter: false,
    label: "state",
    read: |ctx| {
        let view = ctx.view();
        let webhooks = all(&view)?;
        let count = |state: &DeliveryState| -> Result<_, StoreError> {
            let of = |it: &Webhook| BY_STATE.count(&view, &[&it.id, state.as_str()]);
            Ok((state.as_str(), webhooks.iter().map(of).sum::<Result<u64, StoreError>>()?))
        };
        Ok(DeliveryState::VARIANTS.iter().map(count).collect::<Result<_, _>>()?)
    },
} }

metric! { Metric {
    name: "atoll_webhooks",
    text: "Webhooks: on, failing, off, and switched off by themselves",
    is_counter: false,
    label: "state",
    read: |ctx| {
        let webhooks = all(&ctx.view())?;
        let of = |state: &'static str| (state, webhooks.iter().filter(|it| state_of(it) == state).count() as u64);
        Ok(["on", "failing", "off", "switched_off"].map(of).to_vec())
    },
} }

fn state_of(webhook: &Webhook) -> &'static str {
    match webhook {
        Webhook { switched_off: Some(_), .. } => "switched_off",
        Webhook { is_enabled: false, .. } => "off",
        Webhook { failing_since: Some(_), .. } => "failing",
        _ => "on",
    }
}
