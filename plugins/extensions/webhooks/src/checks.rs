//! Checks of `verify`: cursors and states that fit.

use atoll_kernel::{StoreError, check, verify::Verify};

use crate::{DeliveryState, WEBHOOK_DELIVERIES, WEBHOOKS, relay::position_of};

// One that is on and has none begins at the end of the outbox.
check! { "webhooks.cursors": "A webhook that is switched off has no cursor" => cursors }

fn cursors(it: &mut Verify<'_>) -> Result<(), StoreError> {
    it.rows(&WEBHOOKS.table, |it, webhook| {
        let cursor = position_of(it.view, &webhook.id)?;
        if let Some(position) = cursor.filter(|_| !webhook.is_enabled) {
            it.wrong("webhooks.cursors", "webhook", &webhook.id, position.to_string(), "none");
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
