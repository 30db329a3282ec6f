//! Fulfilled quantities of an order, by line and item, and the quantities that its lines take. Stock is sent
//! by what was reserved when the order was placed, never by what a variant takes today.

use std::collections::BTreeMap;

use atoll_fulfillment::{FULFILLMENTS, Fulfillment};
use atoll_inventory::{INVENTORY_ITEMS, reservations_of};
use atoll_kernel::{Decimal, Fault, Read, StoreError, limits::NUMBER_DIGITS_MAX};
use atoll_links::ORDER_FULFILLMENT;
use atoll_order::{Fulfilled, LineTake, Order, OrderLineItem};

/// The fulfilments of an order that are not cancelled. The fulfilled quantity of a line is computed from the
/// stock that they took, at any location: a line served from several locations has a fulfilment for each, and
/// each can be cancelled by itself.
pub(crate) struct Out {
    fulfillments: Vec<Fulfillment>,
}

/// Total quantity that a line takes of an item.
pub(crate) struct Take {
    pub(crate) item: String,
    quantity: Decimal,
    /// Quantity reserved by hand, for a line without managed inventory: one per piece, and not for all
    /// pieces. The pieces with a reservation are sent first; the others take nothing from stock.
    by_hand: Option<Decimal>,
}

impl Take {
    /// True if other pieces of the line are sent without this item.
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
        Ok(Out { fulfillments })
    }

    /// True if nothing of the order is fulfilled.
    pub(crate) fn is_empty(&self) -> bool {
        self.fulfillments.is_empty()
    }

    /// Quantity of an item that is out for a line.
    pub(crate) fn of_item(&self, line: &OrderLineItem, item: &str) -> Decimal {
        self.taken(line).filter(|(it, _)| *it == item).map(|(_, quantity)| quantity).sum()
    }

    /// What a line takes in total. If that was not stored, because nothing of it was managed or the row is
    /// older, it is the sum of what is out and what is reserved. Deleted items are left out.
    pub(crate) fn takes(&self, tx: &dyn Read, line: &OrderLineItem) -> Result<Vec<Take>, Fault> {
        // By item: the quantity out, and the quantity reserved.
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

    /// Fulfilled quantity of a line, with all parts of each piece: at most what was ordered.
    pub(crate) fn fulfilled(&self, line: &OrderLineItem, takes: &[Take]) -> Decimal {
        let packed = self.fulfillments.iter().flat_map(|it| &it.packed);
        let packed: Decimal = packed.filter(|it| *it.line_item_id == *line.id).map(|it| it.quantity).sum();
        // Half a piece counts as none, unless the line is sold in fractions.
        let is_in_pieces = line.quantity.is_whole() && packed.is_whole();
        let n_digits = if is_in_pieces { 0 } else { NUMBER_DIGITS_MAX };
        let complete = |take: &Take| match take.by_hand {
            // What is reserved is still to be sent; what was packed may have been restocked.
            Some(promised) => Some(packed.min(line.quantity - promised)),
            None => (self.of_item(line, &take.item) * line.quantity).checked_div(take.quantity, n_digits),
        };
        takes.iter().filter_map(complete).min().unwrap_or(packed).min(line.quantity)
    }

    /// Quantity of an item to take from stock in order to send `quantity` more of a line, of which
    /// `fulfilled` are sent. Some may be out already: the fulfilment of half of a kit may have been
    /// cancelled.
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

    /// Quantity of an item that may be reserved for a line, in addition to its reservations: what it takes
    /// and is neither out nor reserved. A line without managed inventory takes one of any item that is
    /// reserved for it, per piece that is not sent.
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

    /// Fulfilled quantity of each line.
    pub(crate) fn lines(&self, tx: &dyn Read, order: &Order) -> Result<Fulfilled, Fault> {
        let mut lines = BTreeMap::new();
        for line in &order.items {
            lines.insert(line.id.to_string(), self.fulfilled(line, &self.takes(tx, line)?));
        }
        Ok(Fulfilled { lines, is_anything_out: !self.is_empty() })
    }

    /// Stock that was taken for a line, by item.
    fn taken<'a>(&'a self, line: &'a OrderLineItem) -> impl Iterator<Item = (&'a str, Decimal)> {
        let items = self.fulfillments.iter().flat_map(|it| &it.items);
        items.filter(|it| *it.line_item_id == *line.id).map(|it| (&*it.inventory_item_id, it.quantity))
    }
}
