//! From the outbox to deliveries: the events are read once for all webhooks, and each webhook's cursor moves
//! in the transaction that writes its deliveries.

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Read, StoreError, Write,
    data::{Direction, RowError, Scan, View},
    jobs::{Event, events_after, last_event},
    serde_json,
};

use crate::{
    Attempt, BY_STATE, BY_WEBHOOK, CURSORS, DeliveryState, WEBHOOK_DELIVERIES, WEBHOOKS, Webhook,
    WebhookDelivery,
    events::{Channels, known, sent, wants},
    queue::enabled,
    settings::{DELIVERIES_PER_WEBHOOK_MAX, PAYLOAD_BYTES_MAX, PENDING_PER_WEBHOOK_MAX},
};

/// Events that are read at a time.
const EVENTS_MAX: usize = 64;

/// A webhook that has events to come to.
struct Reader {
    webhook: Webhook,
    /// Its cursor, as it is stored.
    cursor: Option<u64>,
    /// The position from which it goes on.
    position: u64,
    /// What it is sent.
    wanted: Vec<Event>,
}

/// Writes the deliveries of the next events, if there are any.
pub(crate) async fn relay(ctx: &Ctx) -> Result<(), Fault> {
    let view = ctx.view();
    let last = last_event(&view)?;
    let mut readers = behind(&view, last)?;
    let Some(from) = readers.iter().map(|it| it.position).min() else { return Ok(()) };
    let events = events_after(&view, from, EVENTS_MAX)?;
    let first = events.first().map_or(last + 1, |(position, _)| *position);
    let end = events.last().map_or(last, |(position, _)| *position);
    let known = known(ctx.registry());
    for (position, event) in events.iter().filter(|(_, it)| known.contains(it.name.as_str())) {
        let mut channels = Channels::new(&view, ctx.graph());
        for reader in readers.iter_mut().filter(|it| it.position < *position) {
            if wants(&reader.webhook, event, &mut channels)? {
                reader.wanted.push(event.clone());
            }
        }
    }
    drop(view);
    for it in readers.iter().filter(|it| it.position + 1 < first) {
        let n_lost = first - it.position - 1;
        tracing::error!(webhook = %it.webhook.id, n_lost, "events were removed before a webhook came to them");
    }
    let write = move |tx: &mut dyn Write, at: &Moment| {
        readers.into_iter().try_for_each(|it| Ok(advance(tx, at, it, end)?))
    };
    // These events are to be delivered. A worker waits before it begins where the disk has no room.
    ctx.finishing().write(Actor::System, write).await.map(drop)
}

/// The position in the outbox up to which a webhook has its deliveries; none while it is switched off.
pub fn position_of(view: &dyn Read, webhook_id: &str) -> Result<Option<u64>, StoreError> {
    CURSORS.read(view, webhook_id.as_bytes())
}

/// The webhooks that have not come to the last event, and have room for more deliveries. One without a
/// cursor, or with one of another outbox, as after the import of a shop, begins at the end.
fn behind(view: &View, last: u64) -> Result<Vec<Reader>, StoreError> {
    let mut behind = Vec::new();
    for webhook in enabled(view)? {
        let cursor = position_of(view, &webhook.id)?;
        let position = cursor.unwrap_or(last).min(last);
        let is_full = || -> Result<bool, StoreError> {
            let n_pending = BY_STATE.count(view, &[&webhook.id, DeliveryState::Pending.as_str()])?;
            Ok(n_pending >= PENDING_PER_WEBHOOK_MAX)
        };
        if cursor != Some(last) && !is_full()? {
            behind.push(Reader { webhook, cursor, position, wanted: Vec::new() });
        }
    }
    Ok(behind)
}

/// Writes the deliveries of a webhook, and moves its cursor. If that is another by now, the webhook was
/// switched on again since; if it is off or deleted by now, it is sent nothing.
fn advance(tx: &mut dyn Write, at: &Moment, reader: Reader, end: u64) -> Result<(), RowError> {
    let Reader { webhook, cursor, position, wanted } = reader;
    let is_on = WEBHOOKS.get(tx, &webhook.id)?.is_some_and(|it| it.is_enabled);
    if !is_on || position_of(tx, &webhook.id)? != cursor {
        return Ok(());
    }
    CURSORS.write(tx, webhook.id.as_bytes(), &end.max(position));
    for event in wanted {
        WEBHOOK_DELIVERIES.create(tx, at, delivery(&webhook, event, at))?;
    }
    make_room(tx, at, &webhook.id)
}

fn delivery(webhook: &Webhook, event: Event, at: &Moment) -> WebhookDelivery {
    let data = sent(event.data);
    let n_bytes = serde_json::to_vec(&data).map_or(0, |it| it.len());
    let new = WebhookDelivery {
        webhook_id: webhook.id.to_string(),
        event: event.name,
        happened_at: event.at,
        ..WebhookDelivery::default()
    };
    if n_bytes <= PAYLOAD_BYTES_MAX {
        return WebhookDelivery { data, next_attempt_at: Some(at.now()), ..new };
    }
    let error = format!("the data of the event has {n_bytes} bytes; at most {PAYLOAD_BYTES_MAX} are sent");
    let attempt = Attempt { at: at.now(), error: Some(error), ..Attempt::default() };
    WebhookDelivery { state: DeliveryState::Failed, attempts: vec![attempt], ..new }
}

/// Deletes the oldest deliveries that are not pending, as far as the webhook has more than it keeps.
fn make_room(tx: &mut dyn Write, at: &Moment, webhook_id: &str) -> Result<(), RowError> {
    let n_kept = BY_WEBHOOK.count(tx, &[webhook_id])?;
    let n_excess = n_kept.saturating_sub(DELIVERIES_PER_WEBHOOK_MAX) as usize;
    if n_excess == 0 {
        return Ok(());
    }
    for id in ended(tx, webhook_id, n_excess)? {
        WEBHOOK_DELIVERIES.delete(tx, at, &id)?;
    }
    Ok(())
}

/// The ids of the oldest deliveries of a webhook that are not pending.
fn ended(tx: &dyn Read, webhook_id: &str, n_max: usize) -> Result<Vec<String>, StoreError> {
    let mut ended = Vec::new();
    BY_WEBHOOK.scan(tx, &[webhook_id], None, Direction::Ascending, &mut |id| {
        if !BY_STATE.contains(tx, &[webhook_id, DeliveryState::Pending.as_str()], id)? {
            ended.push(id.to_owned());
        }
        Ok(if ended.len() < n_max { Scan::Continue(()) } else { Scan::Break(()) })
    })?;
    Ok(ended)
}
