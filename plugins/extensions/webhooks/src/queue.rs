//! What is to be sent now, and what is under way.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use atoll_kernel::{Ctx, Read, StoreError, Timestamp, data::Scan};

use crate::{
    BY_STATE, BY_TIME, DeliveryState, WEBHOOKS, Webhook,
    schedule::longest_pause,
    settings::{IN_FLIGHT_PER_WEBHOOK_MAX, PENDING_PER_WEBHOOK_MAX},
};

/// The deliveries that are being sent, each with its webhook.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashMap<String, String>>>);

/// The place of a delivery that is being sent; dropped, it is free.
pub(crate) struct Place {
    of: InFlight,
    delivery: String,
}

impl InFlight {
    fn all(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place.
    pub(crate) fn take(&self, it: &Due) -> Place {
        self.all().insert(it.delivery.clone(), it.webhook.clone());
        Place { of: self.clone(), delivery: it.delivery.clone() }
    }
}

impl Place {
    /// Never sends this delivery again until a restart, and takes no place for it: it cannot be read.
    pub(crate) fn set_aside(self) {
        self.of.all().insert(self.delivery.clone(), String::new());
        std::mem::forget(self);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.of.all().remove(&self.delivery);
    }
}

/// A delivery whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) webhook: String,
    pub(crate) delivery: String,
}

/// All webhooks. One that is damaged is left out.
pub(crate) fn all(view: &dyn Read) -> Result<Vec<Webhook>, StoreError> {
    let mut all = Vec::new();
    WEBHOOKS.table.scan_undamaged(view, &mut |it| {
        all.push(it);
        Ok(Scan::Continue(()))
    })?;
    Ok(all)
}

/// Those that are switched on.
pub(crate) fn enabled(view: &dyn Read) -> Result<Vec<Webhook>, StoreError> {
    Ok(all(view)?.into_iter().filter(|it| it.is_enabled).collect())
}

/// How many more deliveries of a webhook may be pending.
pub(crate) fn n_free(view: &dyn Read, webhook_id: &str) -> Result<usize, StoreError> {
    let n_pending = BY_STATE.count(view, &[webhook_id, DeliveryState::Pending.as_str()])?;
    Ok(PENDING_PER_WEBHOOK_MAX.saturating_sub(n_pending) as usize)
}

/// What is to be sent now, as far as there are places; and when something is to be sent next.
pub(crate) fn due(ctx: &Ctx, in_flight: &InFlight) -> Result<(Vec<Due>, Option<Timestamp>), StoreError> {
    let under_way = in_flight.all();
    // In this order: what is under way no longer is settled in the view, and not sent again.
    let (view, now) = (ctx.view(), ctx.now());
    let (mut due, mut next) = (Vec::new(), None);
    for webhook in enabled(&view)? {
        let n_under_way = under_way.values().filter(|it| **it == *webhook.id).count();
        let n_max = due.len() + IN_FLIGHT_PER_WEBHOOK_MAX.saturating_sub(n_under_way);
        let mut take = |delivery: &str| {
            if due.len() < n_max && !under_way.contains_key(delivery) {
                due.push(Due { webhook: webhook.id.to_string(), delivery: delivery.to_owned() });
            }
            if due.len() < n_max { Scan::Continue(()) } else { Scan::Break(()) }
        };
        BY_TIME.scan_below(&view, &[&webhook.id], None, &mut |time, delivery| {
            let at: Option<Timestamp> = time.first().and_then(|it| it.parse().ok());
            match at {
                Some(at) if now < at => {
                    next = Some(next.map_or(at, |it: Timestamp| it.min(at)));
                    Ok(Scan::Break(()))
                }
                _ => Ok(take(delivery)),
            }
        })?;
        let never = now.plus(longest_pause()).to_string();
        BY_TIME.scan_below(&view, &[&webhook.id], Some(&never), &mut |_, delivery| Ok(take(delivery)))?;
    }
    Ok((due, next))
}
