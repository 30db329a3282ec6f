//! Checks of `verify`: cursors and states that fit.

use atoll_kernel::{StoreError, check, jobs::last_event, verify::Verify};

use crate::{CURSORS, DeliveryState, WEBHOOK_DELIVERIES, WEBHOOKS};

check! { "webhooks.cursors": "A webhook has a cursor, within the outbox, if it is switched on" => cursors }

fn cursors(it: &mut Verify<'_>) -> Result<(), StoreError> {
    let last = last_event(it.view)?;
    it.rows(&WEBHOOKS.table, |it, webhook| {
        let cursor = CURSORS.read(it.view, webhook.id.as_bytes())?;
        if cursor.is_some() != webhook.is_enabled || cursor.is_some_and(|it| last < it) {
            let expected = if webhook.is_enabled { format!("up to {last}") } else { "none".to_owned() };
            it.wrong("webhooks.cursors", "webhook", &webhook.id, format!("{cursor:?}"), expected);
        }
        Ok(())
    })
}

check! { "webhooks.states": "A pending delivery, and no other, has a time of its next attempt" => states }

fn states(it: &mut Verify<'_>) -> Result<(), StoreError> {
    it.rows(&WEBHOOK_DELIVERIES.table, |it, delivery| {
        let is_pending = delivery.state == DeliveryState::Pending;
        if delivery.next_attempt_at.is_some() != is_pending {
            let found = format!("{}, next: {:?}", delivery.state.as_str(), delivery.next_attempt_at);
            it.wrong("webhooks.states", "webhook_delivery", &delivery.id, found, "a state that fits");
        }
        Ok(())
    })
}
