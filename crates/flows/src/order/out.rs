//! What of an order was sent and not called back, by line and item, and what its lines take: stock is sent by what was
//! promised when the order was placed, and never by what a variant takes today.

use std::collections::BTreeMap;

use atoll_fulfillment::{FULFILLMENTS, Fulfillment};
use atoll_inventory::{INVENTORY_ITEMS, promised};
use atoll_kernel::{Decimal, Fault, Read, limits::NUMBER_DIGITS_MAX};
use atoll_links::ORDER_FULFILLMENT;
use atoll_order::{Fulfilled, LineTake, Order, OrderLineItem};

/// The fulfilments of an order that were not called off. How much of a line is sent is reckoned from what they took off
/// the shelf, wherever that was: a line that is served from several places has a fulfilment for each, and each can be
/// called back by itself.
pub(crate) struct Out {
    fulfillments: Vec<Fulfillment>,
    /// How many fulfilments the order has, with those that were called off.
    pub(crate) n_fulfillments: usize,
}

impl Out {
    pub(crate) fn of(tx: &dyn Read, order_id: &str) -> Result<Out, Fault> {
        let ids = ORDER_FULFILLMENT.rights(tx, order_id)?;
        let mut fulfillments = Vec::with_capacity(ids.len());
        for id in &ids {
            fulfillments.extend(FULFILLMENTS.get(tx, id)?.filter(|it| it.canceled_at.is_none()));
        }
        Ok(Out { fulfillments, n_fulfillments: ids.len() })
    }

    /// Is nothing of the order out?
    pub(crate) fn is_empty(&self) -> bool {
        self.fulfillments.is_empty()
    }

    /// How much of an item is out for a line.
    pub(crate) fn of_item(&self, line: &OrderLineItem, item: &str) -> Decimal {
        self.taken(line).filter(|(it, _)| *it == item).map(|(_, quantity)| quantity).sum()
    }

    /// What all of a line takes. Where it was not kept, because nothing of it was counted or the row is older, it is what
    /// is out for it and what is promised to it. What nobody counts any more is left out.
    pub(crate) fn takes(&self, tx: &dyn Read, line: &OrderLineItem) -> Result<Vec<LineTake>, Fault> {
        let mut takes: BTreeMap<String, Decimal> = BTreeMap::new();
        if line.takes.is_empty() {
            for (item, quantity) in self.taken(line) {
                *takes.entry(item.to_owned()).or_default() += quantity;
            }
            for promise in promised(tx, &line.id)? {
                *takes.entry(promise.inventory_item_id.to_string()).or_default() += promise.quantity;
            }
        } else {
            takes.extend(line.takes.iter().map(|it| (it.inventory_item_id.clone(), it.quantity)));
        }
        let mut counted = Vec::with_capacity(takes.len());
        for (inventory_item_id, quantity) in takes {
            if INVENTORY_ITEMS.table.exists(tx, &inventory_item_id)? {
                counted.push(LineTake { inventory_item_id, quantity });
            }
        }
        Ok(counted)
    }

    /// How many of a line are sent, all parts of each: never more than were ordered, whatever lay in the parcels.
    pub(crate) fn fulfilled(&self, line: &OrderLineItem, takes: &[LineTake]) -> Decimal {
        let packed = self.fulfillments.iter().flat_map(|it| &it.packed);
        let packed: Decimal = packed.filter(|it| *it.line_item_id == *line.id).map(|it| it.quantity).sum();
        // Half a piece is none, unless it is sold in halves.
        let is_in_pieces = line.quantity.is_whole() && packed.is_whole();
        let n_digits = if is_in_pieces { 0 } else { NUMBER_DIGITS_MAX };
        let complete = |take: &LineTake| {
            let out = self.of_item(line, &take.inventory_item_id) * line.quantity;
            out.times(take.quantity, n_digits)
        };
        takes.iter().filter_map(complete).min().unwrap_or(packed).min(line.quantity)
    }

    /// How much of an item must be out for so many of a line to be sent.
    pub(crate) fn needed(line: &OrderLineItem, take: &LineTake, quantity: Decimal) -> Decimal {
        let needed = (take.quantity * quantity).times(line.quantity, NUMBER_DIGITS_MAX);
        needed.unwrap_or(take.quantity)
    }

    /// How much of each line is sent.
    pub(crate) fn lines(&self, tx: &dyn Read, order: &Order) -> Result<Fulfilled, Fault> {
        let mut lines = BTreeMap::new();
        for line in &order.items {
            lines.insert(line.id.to_string(), self.fulfilled(line, &self.takes(tx, line)?));
        }
        Ok(Fulfilled { lines, is_anything_out: !self.is_empty() })
    }

    /// What was taken off the shelf for a line.
    fn taken<'a>(&'a self, line: &'a OrderLineItem) -> impl Iterator<Item = (&'a str, Decimal)> {
        let items = self.fulfillments.iter().flat_map(|it| &it.items);
        items.filter(|it| *it.line_item_id == *line.id).map(|it| (&*it.inventory_item_id, it.quantity))
    }
}
