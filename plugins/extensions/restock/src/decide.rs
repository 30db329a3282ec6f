//! Asking the decision: can a channel sell a variant now? One shelf per channel reads each stock level once.

use std::collections::{HashMap, hash_map::Entry};

use atoll_availability::Seller;
use atoll_kernel::{Ctx, Decimal, Read, StoreError, Timestamp, storefront::Reason};

use crate::{RestockSubscription, settings::RECHECK_AFTER};

/// What the decision says of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Can its channel sell the wanted quantity now?
    pub sellable: bool,
    /// How many it can sell; `None` if the stock is not managed.
    pub available: Option<Decimal>,
    /// When to ask again: when the availability window opens, or after a while.
    pub check_at: Timestamp,
}

impl Decision {
    /// Does it say something new of this subscription?
    pub(crate) fn changes(&self, subscription: &RestockSubscription, now: Timestamp) -> bool {
        self.sellable || subscription.check_at <= now || self.check_at < subscription.check_at
    }
}

/// Asks the decision for each of these subscriptions, at this time. `view` is a snapshot, or the transaction
/// that tells the shoppers. Prices are not asked: they depend on the region, which the shopper has not said.
pub fn decide(
    ctx: &Ctx,
    view: &dyn Read,
    now: Timestamp,
    subscriptions: &[RestockSubscription],
) -> Result<Vec<Decision>, StoreError> {
    let mut shelves = HashMap::new();
    let mut decisions = Vec::with_capacity(subscriptions.len());
    for it in subscriptions {
        let channel = it.sales_channel_id.as_deref();
        let shelf = match shelves.entry(channel) {
            Entry::Occupied(shelf) => shelf.into_mut(),
            Entry::Vacant(place) => place.insert(Seller::of(ctx, channel, now).shelf(view)?),
        };
        let verdict = shelf.decide(&it.variant_id, it.quantity, None)?;
        let opens = verdict.reasons.iter().find_map(|reason| match reason {
            Reason::NotYet { from } => Some(*from),
            _ => None,
        });
        let check_at = now.plus(RECHECK_AFTER).min(opens.unwrap_or(Timestamp::MAX));
        decisions.push(Decision { sellable: verdict.sellable, available: verdict.available, check_at });
    }
    Ok(decisions)
}
