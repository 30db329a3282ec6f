//! From the outbox to deliveries: the events are read once for all webhooks at a position, and each webhook's
//! cursor moves in the transaction that writes its deliveries.

use std::collections::BTreeMap;

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Read, StoreError, Timestamp, Write,
    data::{Direction, RowError, Scan, View, skip_damaged},
    jobs::{Event, events_after, last_event},
    serde_json,
};

use crate::{
    Attempt, BY_STATE, BY_WEBHOOK, CURSORS, DeliveryState, WEBHOOK_DELIVERIES, WEBHOOKS, Webhook,
    WebhookDelivery,
    events::{Channels, known, sent, wants},
    queue::{enabled, n_free},
    settings::{BYTES_PER_COMMIT, DELIVERIES_PER_COMMIT, DELIVERIES_PER_WEBHOOK_MAX, PAYLOAD_BYTES_MAX},
};

/// Events that are read at a time.
const EVENTS_MAX: usize = 64;

/// A webhook that has events to come to.
struct Reader {
    webhook: Webhook,
    /// Its cursor, as it is stored; none if it has none that can be read.
    cursor: Option<u64>,
    /// How many more deliveries it may have.
    n_free: usize,
    /// What it is sent of them.
    deliveries: Vec<WebhookDelivery>,
    /// The position that it has come to.
    end: u64,
}

/// Writes the deliveries of the next events, if there are any: for each position at which webhooks are, so
/// that one that catches up holds up no other.
pub(crate) async fn relay(ctx: &Ctx) -> Result<(), Fault> {
    let behind = behind(&ctx.view())?;
    for (position, readers) in behind {
        let readers = read(ctx, position, readers)?;
        let write = move |tx: &mut dyn Write, at: &Moment| {
            readers.into_iter().try_for_each(|it| Ok(advance(tx, at, it)?))
        };
        // These events are to be delivered. A worker waits before it begins where the disk has no room.
        ctx.finishing().write(Actor::System, write).await?;
    }
    Ok(())
}

/// The position in the outbox up to which a webhook has its deliveries; none while it is switched off.
pub fn position_of(view: &dyn Read, webhook_id: &str) -> Result<Option<u64>, StoreError> {
    CURSORS.read(view, webhook_id.as_bytes())
}

/// As [`position_of`]; none, too, if what is stored is damaged.
fn readable_position_of(view: &dyn Read, webhook_id: &str) -> Result<Option<u64>, StoreError> {
    Ok(skip_damaged(position_of(view, webhook_id))?.flatten())
}

/// The webhooks that have not come to the last event, and have room for more deliveries, by their positions.
/// One without a cursor, or with one of another outbox, as after the import of a shop, begins at the end.
fn behind(view: &View) -> Result<BTreeMap<u64, Vec<Reader>>, StoreError> {
    let last = last_event(view)?;
    let mut behind: BTreeMap<u64, Vec<Reader>> = BTreeMap::new();
    for webhook in enabled(view)? {
        let stored = skip_damaged(position_of(view, &webhook.id))?;
        if stored.is_none() {
            let webhook = &*webhook.id;
            tracing::error!(
                webhook,
                "where a webhook was is damaged: it begins at the end, events may be missed"
            );
        }
        let cursor = stored.flatten();
        let position = cursor.unwrap_or(last).min(last);
        if cursor == Some(last) {
            continue;
        }
        let n_free = n_free(view, &webhook.id)?;
        if n_free > 0 {
            let reader = Reader { webhook, cursor, n_free, deliveries: Vec::new(), end: position };
            behind.entry(position).or_default().push(reader);
        }
    }
    Ok(behind)
}

/// The readers at a position, with what they want of the next events there.
fn read(ctx: &Ctx, position: u64, mut readers: Vec<Reader>) -> Result<Vec<Reader>, Fault> {
    let view = ctx.view();
    let events = events_after(&view, position, EVENTS_MAX)?;
    let last = last_event(&view)?;
    let first = events.first().map_or(last + 1, |(position, _)| *position);
    let n_lost = first.saturating_sub(position + 1);
    for it in readers.iter().filter(|_| n_lost > 0) {
        tracing::error!(webhook = %it.webhook.id, n_lost, "events were removed before a webhook came to them");
    }
    if events.is_empty() {
        readers.iter_mut().for_each(|it| it.end = last);
    }
    let known = known(ctx.registry());
    let (mut n_deliveries, mut n_bytes) = (0, 0);
    for (position, event) in events {
        if n_deliveries >= DELIVERIES_PER_COMMIT || n_bytes >= BYTES_PER_COMMIT {
            break;
        }
        let mut channels = Channels::new(&view, ctx.graph());
        let event = Event { data: sent(event.data), ..event };
        let is_known = known.contains(event.name.as_str());
        let size = serde_json::to_vec(&event.data).map_or(0, |it| it.len());
        for reader in readers.iter_mut().filter(|it| it.n_free > 0) {
            reader.end = position;
            if is_known && wants(&reader.webhook, &event, &mut channels)? {
                n_deliveries += 1;
                n_bytes += size;
                reader.n_free -= 1;
                reader.deliveries.push(delivery(&reader.webhook, &event, size, ctx.now()));
            }
        }
    }
    Ok(readers)
}

/// Writes the deliveries of a webhook, and moves its cursor. If that is another by now, the webhook was
/// switched on again since; if it is off or deleted by now, it is sent nothing.
fn advance(tx: &mut dyn Write, at: &Moment, reader: Reader) -> Result<(), RowError> {
    let Reader { webhook, cursor, deliveries, end, .. } = reader;
    let is_on = skip_damaged(WEBHOOKS.get(tx, &webhook.id))?.flatten().is_some_and(|it| it.is_enabled);
    if !is_on || readable_position_of(tx, &webhook.id)? != cursor {
        return Ok(());
    }
    // Deliveries that were asked for again since may have taken its places.
    if n_free(tx, &webhook.id)? < deliveries.len() {
        return Ok(());
    }
    CURSORS.write(tx, webhook.id.as_bytes(), &end);
    for delivery in deliveries {
        WEBHOOK_DELIVERIES.create(tx, at, delivery)?;
    }
    make_room(tx, at, &webhook.id)
}

fn delivery(webhook: &Webhook, event: &Event, n_bytes: usize, now: Timestamp) -> WebhookDelivery {
    let new = WebhookDelivery {
        webhook_id: webhook.id.to_string(),
        event: event.name.clone(),
        happened_at: event.at,
        ..WebhookDelivery::default()
    };
    if n_bytes <= PAYLOAD_BYTES_MAX {
        return WebhookDelivery { data: event.data.clone(), next_attempt_at: Some(now), ..new };
    }
    let error = format!("the data of the event has {n_bytes} bytes; at most {PAYLOAD_BYTES_MAX} are sent");
    let attempt = Attempt { at: now, error: Some(error), ..Attempt::default() };
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

/// The ids of the oldest deliveries of a webhook that are not pending and can be deleted.
fn ended(tx: &dyn Read, webhook_id: &str, n_max: usize) -> Result<Vec<String>, StoreError> {
    let mut ended = Vec::new();
    BY_WEBHOOK.scan(tx, &[webhook_id], None, Direction::Ascending, &mut |id| {
        let is_pending = BY_STATE.contains(tx, &[webhook_id, DeliveryState::Pending.as_str()], id)?;
        if !is_pending && is_readable(tx, id)? {
            ended.push(id.to_owned());
        }
        Ok(if ended.len() < n_max { Scan::Continue(()) } else { Scan::Break(()) })
    })?;
    Ok(ended)
}

/// Can this delivery be read, and so deleted? A damaged one holds up no other.
pub(crate) fn is_readable(tx: &dyn Read, id: &str) -> Result<bool, StoreError> {
    Ok(skip_damaged(WEBHOOK_DELIVERIES.get(tx, id))?.is_some())
}
