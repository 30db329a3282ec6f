//! Fulfilled quantities of an order, by line and item, and the quantities that its lines take. Stock is sent
//! by what was reserved when the order was placed, never by what a variant takes today.

use std::collections::BTreeMap;

use atoll_fulfillment::{FULFILLMENTS, Fulfillment};
use atoll_inventory::{INVENTORY_ITEMS, Sent, reservations_of};
use atoll_kernel::{Decimal, Fault, Read, StoreError, limits::NUMBER_DIGITS_MAX};
use atoll_links::{ORDER_FULFILLMENT, PRODUCT_VARIANT_INVENTORY_ITEM, required_quantity};
use atoll_order::{Fulfilled, LineProgress, LineTake, Order, OrderLineItem};

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
    /// Quantity for one piece.
    each: Decimal,
    /// Quantity reserved by hand, for a line without managed inventory, and not for all pieces. The pieces
    /// with a reservation are sent first; the others take nothing from stock.
    by_hand: Option<Decimal>,
}

impl Take {
    /// True if other pieces of the line are sent without this item.
    pub(crate) fn is_by_hand(&self) -> bool {
        self.by_hand.is_some()
    }

    /// Number of pieces that a quantity of the item is in; a piece that is begun counts.
    fn pieces_of(&self, quantity: Decimal, n_digits: u32) -> Decimal {
        divide(quantity, self.each, n_digits).unwrap_or_default()
    }
}

/// Divides, and rounds up to a whole number if there are to be no digits behind the point.
fn divide(quantity: Decimal, by: Decimal, n_digits: u32) -> Option<Decimal> {
    let down = quantity.checked_div(by, n_digits)?;
    Some(if n_digits == 0 && down * by < quantity { down + Decimal::ONE } else { down })
}

/// Quantity of an item that one piece of the line's variant takes today: one of an item that it does not
/// take, or if there is no such variant any more.
fn required_today(tx: &dyn Read, line: &OrderLineItem, item: &str) -> Result<Decimal, StoreError> {
    let Some(variant) = &line.variant_id else { return Ok(Decimal::ONE) };
    let row = PRODUCT_VARIANT_INVENTORY_ITEM.row(tx, variant, item)?;
    Ok(row.map_or(Decimal::ONE, |row| required_quantity(&row)))
}

/// Quantity for one piece of a line without managed inventory, if `quantity` is out and reserved in all: what
/// the variant takes today, or more if it took more when that was reserved.
fn each_by_hand(line: &OrderLineItem, quantity: Decimal, required: Decimal) -> Decimal {
    if required * line.quantity >= quantity {
        return required;
    }
    divide(quantity, line.quantity, digits_of_pieces(line, quantity)).unwrap_or(required)
}

/// Digits behind the point of a number of pieces: none, unless the line is sold in fractions.
fn digits_of_pieces(line: &OrderLineItem, n_pieces: Decimal) -> u32 {
    if line.quantity.is_whole() && n_pieces.is_whole() { 0 } else { NUMBER_DIGITS_MAX }
}

/// The pieces of a line by the location that sent them, so that each of its fulfilments can be cancelled by
/// itself. Pieces that took nothing from stock are with those of the first location. Empty if nothing was
/// sent.
pub(crate) fn pieces_by_location(
    line: &OrderLineItem,
    n_pieces: Decimal,
    takes: &[Take],
    sent: &[Sent],
) -> BTreeMap<String, Decimal> {
    let n_digits = digits_of_pieces(line, n_pieces);
    let mut pieces: BTreeMap<String, Decimal> = BTreeMap::new();
    let mut n_left = n_pieces;
    for Sent { location, .. } in sent {
        if pieces.contains_key(location) {
            continue;
        }
        let from_here = |take: &Take| {
            let sent = sent.iter().filter(|it| it.location == *location && it.item == take.item);
            take.pieces_of(sent.map(|it| it.quantity).sum(), n_digits)
        };
        let n_here = takes.iter().map(from_here).max().unwrap_or_default().min(n_left);
        n_left -= n_here;
        pieces.insert(location.clone(), n_here);
    }
    if let Some(first) = sent.first() {
        *pieces.entry(first.location.clone()).or_default() += n_left;
    }
    pieces.retain(|_, n_pieces| !n_pieces.is_zero());
    pieces
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
                let each = if line.takes.is_empty() {
                    each_by_hand(line, quantity, required_today(tx, line, &item)?)
                } else {
                    quantity.checked_div(line.quantity, NUMBER_DIGITS_MAX).unwrap_or(quantity)
                };
                let is_by_hand = quantity < each * line.quantity;
                counted.push(Take { item, quantity, each, by_hand: is_by_hand.then_some(promised) });
            }
        }
        Ok(counted)
    }

    /// Fulfilled quantity of a line, with all parts of each piece: at most what was ordered.
    pub(crate) fn fulfilled(&self, line: &OrderLineItem, takes: &[Take]) -> Decimal {
        let packed = self.fulfillments.iter().flat_map(|it| &it.packed);
        let packed: Decimal = packed.filter(|it| *it.line_item_id == *line.id).map(|it| it.quantity).sum();
        // Half a piece counts as none, unless the line is sold in fractions.
        let n_digits = digits_of_pieces(line, packed);
        let complete = |take: &Take| match take.by_hand {
            // What is reserved is still to be sent: a piece of two items may have been restocked in part.
            Some(promised) => Some(packed.min(line.quantity - take.pieces_of(promised, n_digits))),
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
            return promised.min(take.each * quantity);
        }
        let needed = (take.quantity * (fulfilled + quantity)).checked_div(line.quantity, NUMBER_DIGITS_MAX);
        needed.unwrap_or(take.quantity) - self.of_item(line, &take.item)
    }

    /// Quantity of an item that may be reserved for a line, in addition to its reservations: what it takes
    /// and is neither out nor reserved. A line without managed inventory takes of any item what its variant
    /// takes today (one, if it takes none), for each piece that is not sent.
    pub(crate) fn reservable(
        &self,
        tx: &dyn Read,
        line: &OrderLineItem,
        item: &str,
    ) -> Result<Decimal, StoreError> {
        let out = self.of_item(line, item);
        let takes = match line.takes.iter().find(|it| it.inventory_item_id == item) {
            Some(take) => take.quantity,
            None if line.takes.is_empty() => {
                let each = required_today(tx, line, item)?;
                (each * line.quantity).min(each * line.open() + out)
            }
            None => Decimal::ZERO,
        };
        let reservations = reservations_of(tx, &line.id)?;
        let promised = reservations.iter().filter(|it| *it.inventory_item_id == *item).map(|it| it.quantity);
        Ok(takes - out - promised.sum::<Decimal>())
    }

    /// How far each line has come.
    pub(crate) fn lines(&self, tx: &dyn Read, order: &Order) -> Result<Fulfilled, Fault> {
        let shipped = self.only(|it| it.shipped_at.is_some());
        let delivered = self.only(|it| it.delivered_at.is_some());
        let mut lines = BTreeMap::new();
        for line in &order.items {
            let takes = self.takes(tx, line)?;
            let progress = LineProgress {
                fulfilled: self.fulfilled(line, &takes),
                shipped: shipped.fulfilled(line, &takes),
                delivered: delivered.fulfilled(line, &takes),
            };
            lines.insert(line.id.to_string(), progress);
        }
        Ok(Fulfilled {
            lines,
            is_anything_out: !self.is_empty(),
            is_anything_shipped: !shipped.is_empty(),
            is_anything_delivered: !delivered.is_empty(),
        })
    }

    /// Those that have come so far.
    fn only(&self, has_come: impl Fn(&Fulfillment) -> bool) -> Out {
        Out { fulfillments: self.fulfillments.iter().filter(|it| has_come(it)).cloned().collect() }
    }

    /// Stock that was taken for a line, by item.
    fn taken<'a>(&'a self, line: &'a OrderLineItem) -> impl Iterator<Item = (&'a str, Decimal)> {
        let items = self.fulfillments.iter().flat_map(|it| &it.items);
        items.filter(|it| *it.line_item_id == *line.id).map(|it| (&*it.inventory_item_id, it.quantity))
    }
}
