//! What admins do with webhooks: make, change, rotate, delete, and send deliveries again.

use atoll_kernel::{
    Ctx, Fault, Metadata, Moment, Read, StoreError, Timestamp, Write,
    data::{Direction, RowError, Scan, skip_damaged},
    jobs::last_event,
};
use atoll_sales_channel::SALES_CHANNELS;
use serde::Deserialize;

use crate::{
    BY_STATE, BY_WEBHOOK, CURSORS, DeliveryState, SecretMark, WEBHOOK_DELIVERIES, WEBHOOKS, Webhook,
    WebhookDelivery, WebhookPatch,
    events::check_names,
    queue::n_free,
    relay::is_readable,
    send::sender,
    settings::{BATCH, NAMES_MAX, PENDING_PER_WEBHOOK_MAX, SECRETS_MAX, URL_BYTES_MAX, WEBHOOKS_MAX, reach},
};

/// A new webhook.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct NewWebhook {
    url: String,
    description: Option<String>,
    events: Vec<String>,
    #[serde(default)]
    sales_channel_ids: Vec<String>,
    #[serde(default = "is_enabled")]
    is_enabled: bool,
    #[serde(default)]
    metadata: Metadata,
}

fn is_enabled() -> bool {
    true
}

impl NewWebhook {
    /// The record, if it may be made. Errors: 400, why nothing can be sent there, or which event is unknown.
    pub(crate) fn webhook(self, ctx: &Ctx) -> Result<Webhook, Fault> {
        let NewWebhook { url, description, events, sales_channel_ids, is_enabled, metadata } = self;
        check_url(ctx, &url)?;
        check_events(ctx, &events)?;
        let new = Webhook {
            url,
            description,
            events,
            sales_channel_ids,
            is_enabled,
            metadata,
            ..Webhook::default()
        };
        Ok(Webhook { secrets: vec![SecretMark { number: 1, expires_at: None }], ..new })
    }
}

impl WebhookPatch {
    /// Errors as those of [`NewWebhook::webhook`].
    pub(crate) fn check(&self, ctx: &Ctx) -> Result<(), Fault> {
        self.url.as_deref().map_or(Ok(()), |it| check_url(ctx, it))?;
        self.events.as_deref().map_or(Ok(()), |it| check_events(ctx, it))
    }
}

fn check_url(ctx: &Ctx, url: &str) -> Result<(), Fault> {
    if url.len() > URL_BYTES_MAX {
        return Err(Fault::invalid(format!("The address has more than {URL_BYTES_MAX} bytes")));
    }
    sender(ctx)?.check(url, &reach(ctx))
}

fn check_events(ctx: &Ctx, events: &[String]) -> Result<(), Fault> {
    match events.len() {
        0 => Err(Fault::invalid("A webhook needs at least one event; `*` is all of them")),
        1..=NAMES_MAX => check_names(ctx, events),
        n => Err(Fault::invalid(format!("A webhook has at most {NAMES_MAX} events, got: '{n}'"))),
    }
}

/// Errors: 400 for too many, 404 for one that is unknown.
fn check_channels(tx: &dyn Read, ids: &[String]) -> Result<(), Fault> {
    if ids.len() > NAMES_MAX {
        return Err(Fault::invalid(format!(
            "A webhook has at most {NAMES_MAX} channels, got: '{}'",
            ids.len()
        )));
    }
    ids.iter().try_for_each(|id| Ok(SALES_CHANNELS.retrieve(tx, id).map(drop)?))
}

/// Makes a webhook, which is sent what happens from now on.
pub(crate) fn create(tx: &mut dyn Write, at: &Moment, new: Webhook) -> Result<Webhook, Fault> {
    if WEBHOOKS.table.count(tx)? >= WEBHOOKS_MAX {
        let fault =
            Fault::not_allowed(format!("There are {WEBHOOKS_MAX} webhooks already, the most that may be"));
        return Err(fault.at_limit("webhooks_max"));
    }
    check_channels(tx, &new.sales_channel_ids)?;
    let webhook = WEBHOOKS.create(tx, at, new)?;
    if webhook.is_enabled {
        follow(tx, &webhook.id)?;
    }
    Ok(webhook)
}

/// Sends it what happens from now on.
fn follow(tx: &mut dyn Write, id: &str) -> Result<(), StoreError> {
    let last = last_event(tx)?;
    CURSORS.write(tx, id.as_bytes(), &last);
    Ok(())
}

/// Changes a webhook. Switched on again, it is sent what happens from then on, and what was pending. At a new
/// address it has not failed yet.
pub(crate) fn update(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    patch: WebhookPatch,
) -> Result<Webhook, Fault> {
    let before = retrieve(tx, id)?;
    check_channels(tx, patch.sales_channel_ids.as_deref().unwrap_or_default())?;
    let is_on = patch.is_enabled.unwrap_or(before.is_enabled);
    let is_again = is_on && !before.is_enabled;
    if is_again {
        follow(tx, id)?;
    }
    if is_again || patch.url.as_ref().is_some_and(|it| *it != before.url) {
        let fresh = |it: &mut Webhook| {
            (it.failing_since, it.failed_at) = (None, None);
            it.switched_off = it.switched_off.filter(|_| !is_again);
        };
        WEBHOOKS.update(tx, at, id, fresh)?;
    }
    if !is_on {
        CURSORS.remove(tx, id.as_bytes());
    }
    Ok(WEBHOOKS.update(tx, at, id, patch)?)
}

/// The webhook with this id. Error: 404.
pub(crate) fn retrieve(tx: &dyn Read, id: &str) -> Result<Webhook, Fault> {
    WEBHOOKS.get(tx, id)?.ok_or_else(|| unknown(id))
}

pub(crate) fn unknown(id: &str) -> Fault {
    Fault::not_found(format!("Webhook with id: {id} was not found"))
}

/// Gives a webhook a new secret. Those that it has sign, too, until `until` at the latest. Errors: 400 if
/// more would sign than a receiver need try.
pub(crate) fn rotate(tx: &mut dyn Write, at: &Moment, id: &str, until: Timestamp) -> Result<Webhook, Fault> {
    let Webhook { secrets: old, .. } = retrieve(tx, id)?;
    let number = old.iter().map(|it| it.number).max().unwrap_or_default() + 1;
    let until_then = |it: &SecretMark| {
        let expires_at = it.expires_at.map_or(until, |own| own.min(until));
        SecretMark { expires_at: Some(expires_at), ..*it }
    };
    let mut secrets = vec![SecretMark { number, expires_at: None }];
    secrets.extend(old.iter().map(until_then).filter(|it| it.is_good(at.now())));
    if secrets.len() > SECRETS_MAX {
        return Err(Fault::not_allowed(format!(
            "{SECRETS_MAX} secrets sign already: wait until one expires, or replace them at once with \
             `keep_hours: 0`"
        )));
    }
    Ok(WEBHOOKS.update(tx, at, id, |it: &mut Webhook| it.secrets = secrets)?)
}

/// Deletes a webhook with its oldest deliveries. Returns the last of them if there are more, which [`forget`]
/// deletes: a transaction is not to hold up others.
pub(crate) fn delete(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<String>, Fault> {
    retrieve(tx, id)?;
    WEBHOOKS.delete(tx, at, id)?;
    CURSORS.remove(tx, id.as_bytes());
    Ok(forget(tx, at, id, None)?)
}

/// Deletes some deliveries of a webhook that is deleted, after this one; damaged ones stay. Returns the last
/// of them if there are more.
pub(crate) fn forget(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    after: Option<&str>,
) -> Result<Option<String>, RowError> {
    let mut some = BY_WEBHOOK.next_ids(tx, &[id], after, BATCH)?;
    for delivery in &some {
        if is_readable(tx, delivery)? {
            WEBHOOK_DELIVERIES.delete(tx, at, delivery)?;
        }
    }
    Ok(if some.len() == BATCH { some.pop() } else { None })
}

/// Sends a delivery of this webhook again, from the first attempt on. Errors: 404 for one of another webhook,
/// 400 while the webhook is switched off, or has as many pending ones as it may.
pub(crate) fn repeat(
    tx: &mut dyn Write,
    at: &Moment,
    webhook_id: &str,
    id: &str,
) -> Result<WebhookDelivery, Fault> {
    must_be_on(tx, webhook_id)?;
    let delivery = WEBHOOK_DELIVERIES.get(tx, id)?.filter(|it| it.webhook_id == webhook_id);
    let Some(delivery) = delivery else {
        return Err(Fault::not_found(format!("Webhook delivery with id: {id} was not found")));
    };
    if delivery.state != DeliveryState::Pending && n_free(tx, webhook_id)? == 0 {
        let text = format!(
            "The webhook has {PENDING_PER_WEBHOOK_MAX} pending deliveries, the most that it may have"
        );
        return Err(Fault::not_allowed(text).at_limit("webhook_pending_max"));
    }
    Ok(send_again(tx, at, id)?)
}

/// Sends the failed deliveries of a webhook again, the oldest first, up to 500, and as many as it may have
/// pending; with `since`, those of events from then on. Returns how many.
pub(crate) fn repeat_failed(
    tx: &mut dyn Write,
    at: &Moment,
    webhook_id: &str,
    since: Option<Timestamp>,
) -> Result<usize, Fault> {
    must_be_on(tx, webhook_id)?;
    let n_max = BATCH.min(n_free(tx, webhook_id)?);
    let mut failed = Vec::new();
    let group = [webhook_id, DeliveryState::Failed.as_str()];
    BY_STATE.scan(tx, &group, None, Direction::Ascending, &mut |id| {
        if failed.len() == n_max {
            return Ok(Scan::Break(()));
        }
        let delivery = skip_damaged(WEBHOOK_DELIVERIES.get(tx, id))?.flatten();
        if delivery.is_some_and(|it| since.is_none_or(|since| since <= it.happened_at)) {
            failed.push(id.to_owned());
        }
        Ok(Scan::Continue(()))
    })?;
    for id in &failed {
        send_again(tx, at, id)?;
    }
    Ok(failed.len())
}

fn must_be_on(tx: &dyn Read, webhook_id: &str) -> Result<(), Fault> {
    match retrieve(tx, webhook_id)?.is_enabled {
        true => Ok(()),
        false => Err(Fault::not_allowed("The webhook is switched off: switch it on first")),
    }
}

fn send_again(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<WebhookDelivery, RowError> {
    let again = |it: &mut WebhookDelivery| {
        (it.state, it.n_attempts, it.next_attempt_at) = (DeliveryState::Pending, 0, Some(at.now()));
    };
    WEBHOOK_DELIVERIES.update(tx, at, id, again)
}
