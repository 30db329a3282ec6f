//! What of an order was sent and not called back, by line and item, and what its lines take: stock is sent by
//! what was promised when the order was placed, and never by what a variant takes today.

use std::collections::BTreeMap;

use atoll_fulfillment::{FULFILLMENTS, Fulfillment};
use atoll_inventory::{INVENTORY_ITEMS, reservations_of};
use atoll_kernel::{Decimal, Fault, Read, StoreError, limits::NUMBER_DIGITS_MAX};
use atoll_links::ORDER_FULFILLMENT;
use atoll_order::{Fulfilled, LineTake, Order, OrderLineItem};

/// The fulfilments of an order that were not called off. How much of a line is sent is reckoned from what
/// they took off the shelf, wherever that was: a line that is served from several places has a fulfilment for
/// each, and each can be called back by itself.
pub(crate) struct Out {
    fulfillments: Vec<Fulfillment>,
    /// How many fulfilments the order has, with those that were called off.
    pub(crate) n_fulfillments: usize,
}

/// How much of an item all of a line takes.
pub(crate) struct Take {
    pub(crate) item: String,
    quantity: Decimal,
    /// What is promised to a line that was not counted when it was bought, where somebody reserved some for
    /// it, and not for all of its pieces. One piece takes one: those go first, and the others take nothing.
    by_hand: Option<Decimal>,
}

impl Take {
    /// Do other pieces of the line leave without it?
    pub(crate) fn is_by_hand(&self) -> bool {
        self.by_hand.is_some()
    }
}

impl Out {
    pub(crate) fn of(tx: &dyn Read, order_id: &str) -> Result<Out, StoreError> {
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

    /// What all of a line takes. Where it was not kept, because nothing of it was counted or the row is
    /// older, it is what is out for it and what is promised to it. What nobody counts any more is left out.
    pub(crate) fn takes(&self, tx: &dyn Read, line: &OrderLineItem) -> Result<Vec<Take>, Fault> {
        // What of each item is out, and what is promised.
        let mut takes: BTreeMap<String, (Decimal, Decimal)> = BTreeMap::new();
        if line.takes.is_empty() {
            for (item, quantity) in self.taken(line) {
                takes.entry(item.to_owned()).or_default().0 += quantity;
            }
            for reservation in reservations_of(tx, &line.id)? {
                takes.entry(reservation.inventory_item_id.to_string()).or_default().1 += reservation.quantity;
            }
        } else {
            let kept = |it: &LineTake| (it.inventory_item_id.clone(), (it.quantity, Decimal::ZERO));
            takes.extend(line.takes.iter().map(kept));
        }
        let mut counted = Vec::with_capacity(takes.len());
        for (item, (out, promised)) in takes {
            if INVENTORY_ITEMS.table.exists(tx, &item)? {
                let quantity = out + promised;
                let is_by_hand = line.takes.is_empty() && quantity < line.quantity;
                counted.push(Take { item, quantity, by_hand: is_by_hand.then_some(promised) });
            }
        }
        Ok(counted)
    }

    /// How many of a line are sent, all parts of each: never more than were ordered, whatever lay in the
    /// parcels.
    pub(crate) fn fulfilled(&self, line: &OrderLineItem, takes: &[Take]) -> Decimal {
        let packed = self.fulfillments.iter().flat_map(|it| &it.packed);
        let packed: Decimal = packed.filter(|it| *it.line_item_id == *line.id).map(|it| it.quantity).sum();
        // Half a piece is none, unless it is sold in halves.
        let is_in_pieces = line.quantity.is_whole() && packed.is_whole();
        let n_digits = if is_in_pieces { 0 } else { NUMBER_DIGITS_MAX };
        let complete = |take: &Take| match take.by_hand {
            // What is promised is still to be sent, and what was packed may have come back.
            Some(promised) => Some(packed.min(line.quantity - promised)),
            None => (self.of_item(line, &take.item) * line.quantity).checked_div(take.quantity, n_digits),
        };
        takes.iter().filter_map(complete).min().unwrap_or(packed).min(line.quantity)
    }

    /// How much of an item must leave the shelf so that, after so many of a line, so many more are sent. Some
    /// of it may be out already: half of a kit may have been called back.
    pub(crate) fn missing(
        &self,
        line: &OrderLineItem,
        take: &Take,
        fulfilled: Decimal,
        quantity: Decimal,
    ) -> Decimal {
        if let Some(promised) = take.by_hand {
            return promised.min(quantity);
        }
        let needed = (take.quantity * (fulfilled + quantity)).checked_div(line.quantity, NUMBER_DIGITS_MAX);
        needed.unwrap_or(take.quantity) - self.of_item(line, &take.item)
    }

    /// How much of an item may be promised to a line, beside what is: what it takes and is neither out nor
    /// promised. A line that was not counted when it was bought takes one of whatever somebody reserves for a
    /// piece that is not sent.
    pub(crate) fn promisable(
        &self,
        tx: &dyn Read,
        line: &OrderLineItem,
        item: &str,
    ) -> Result<Decimal, StoreError> {
        let out = self.of_item(line, item);
        let takes = match line.takes.iter().find(|it| it.inventory_item_id == item) {
            Some(take) => take.quantity,
            None if line.takes.is_empty() => line.quantity.min(line.open() + out),
            None => Decimal::ZERO,
        };
        let reservations = reservations_of(tx, &line.id)?;
        let promised = reservations.iter().filter(|it| *it.inventory_item_id == *item).map(|it| it.quantity);
        Ok(takes - out - promised.sum::<Decimal>())
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
