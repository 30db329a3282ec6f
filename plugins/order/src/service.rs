//! What may be done with an order.

use std::collections::BTreeMap;

use atoll_kernel::{
    Decimal, Entity, Moment, Read, StoreError, Write, next_number,
    serde_json::{self, Map, Value},
};

use crate::{
    BY_LINE, Error, FulfillmentStatus, ORDERS, Order, OrderAddress, OrderItem, OrderLineItem, OrderStatus,
};

/// Writes a new order, with the next number for people to read.
pub fn place_order(tx: &mut dyn Write, at: &Moment, mut order: Order) -> Result<Order, Error> {
    order.display_id = next_number(tx, "order.display_id")?;
    if order.id.is_empty() {
        order.id = at.id();
    }
    for line in &mut order.items {
        if line.id.is_empty() {
            line.born(at.id(), at.now());
        }
        line.detail = Some(detail(at, &order.id, line, 1, line.fulfilled()));
    }
    for address in [&mut order.shipping_address, &mut order.billing_address].into_iter().flatten() {
        address.born(at.id(), at.now());
    }
    Ok(ORDERS.create(tx, at, order)?)
}

/// An order that was not called off.
pub fn open_order(tx: &dyn Read, id: &str) -> Result<Order, Error> {
    let order = ORDERS.get(tx, id)?.ok_or_else(|| Error::NotFound(id.to_owned()))?;
    if order.is_called_off() { Err(Error::Canceled(id.to_owned())) } else { Ok(order) }
}

/// The order of a line, if it is a line of an order.
pub fn order_of_line(tx: &dyn Read, line_id: &str) -> Result<Option<Order>, StoreError> {
    ORDERS.table.get_by(tx, &BY_LINE, &[line_id])
}

/// An address of an order with other values in the fields that are given. It stays in its country: what was bought was
/// priced for that.
pub fn changed_address(
    at: &Moment,
    before: Option<&OrderAddress>,
    given: Map<String, Value>,
) -> Result<OrderAddress, Error> {
    let country = |it: &OrderAddress| it.country_code.clone();
    let mut fields = serde_json::to_value(before.cloned().unwrap_or_default())?;
    if let Value::Object(fields) = &mut fields {
        fields.extend(given);
    }
    let mut after: OrderAddress = serde_json::from_value(fields)?;
    match before {
        Some(before) if country(before) != country(&after) => return Err(Error::OtherCountry),
        Some(_) => after.touch(at.now()),
        None => after.born(at.id(), at.now()),
    }
    Ok(after)
}

/// Calls an order off. One that was called off, is done, or is on its way, is not; that nothing of it is out, not even
/// half of a kit, is the caller's to see to.
pub fn cancel_order(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Order, Error> {
    let order = open_order(tx, id)?;
    if order.is_done() {
        return Err(Error::Completed);
    }
    if order.items.iter().any(|line| !line.fulfilled().is_zero()) {
        return Err(Error::OnItsWay);
    }
    Ok(ORDERS.update(tx, at, id, |it: &mut Order| {
        it.status = OrderStatus::Canceled;
        it.canceled_at = Some(at.now());
        note_version(at, it, |line| line.fulfilled());
    })?)
}

/// Says that an order is done.
pub fn complete_order(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Order, Error> {
    let order = ORDERS.get(tx, id)?.ok_or_else(|| Error::NotFound(id.to_owned()))?;
    if order.is_called_off() {
        return Err(Error::CanceledIsNotCompleted(id.to_owned()));
    }
    Ok(ORDERS.update(tx, at, id, |it: &mut Order| it.status = OrderStatus::Completed)?)
}

/// Puts an order away that is done or was called off.
pub fn archive_order(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Order, Error> {
    let order = ORDERS.get(tx, id)?.ok_or_else(|| Error::NotFound(id.to_owned()))?;
    match order.status {
        OrderStatus::Completed | OrderStatus::Canceled | OrderStatus::Draft => {}
        _ => return Err(Error::NotArchivable(id.to_owned())),
    }
    Ok(ORDERS.update(tx, at, id, |it: &mut Order| it.status = OrderStatus::Archived)?)
}

/// How much of an order is sent.
#[derive(Clone, Debug, Default)]
pub struct Fulfilled {
    /// How many of each line, by its id.
    pub lines: BTreeMap<String, Decimal>,
    /// Is anything of it out? Half of a kit may be, which is none of the line.
    pub is_anything_out: bool,
}

/// Makes an order pending again that was done: some of it was called back, and is to be sent again.
pub fn reopen_order(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), Error> {
    if open_order(tx, id)?.is_done() {
        ORDERS.update(tx, at, id, |it: &mut Order| it.status = OrderStatus::Pending)?;
    }
    Ok(())
}

/// Notes how much of each line is sent. A new version of the order.
pub fn note_fulfilled(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    fulfilled: &Fulfilled,
) -> Result<Order, Error> {
    let is_now = |line: &OrderLineItem| fulfilled.lines.get(&*line.id).copied().unwrap_or_default();
    Ok(ORDERS.update(tx, at, id, |it: &mut Order| {
        note_version(at, it, is_now);
        let is_all_sent = it.items.iter().all(|line| line.open().is_zero());
        it.fulfillment_status = match (fulfilled.is_anything_out, is_all_sent) {
            (_, true) => FulfillmentStatus::Fulfilled,
            (true, false) => FulfillmentStatus::PartiallyFulfilled,
            (false, false) => FulfillmentStatus::Canceled,
        };
    })?)
}

/// Begins a new version of an order, in which so many of each line are sent.
fn note_version(at: &Moment, order: &mut Order, fulfilled: impl Fn(&OrderLineItem) -> Decimal) {
    order.version += 1;
    for line in &mut order.items {
        let unit_price = Some(line.unit_price);
        let detail = detail(at, &order.id, line, order.version, fulfilled(line));
        line.detail = Some(OrderItem { unit_price, ..detail });
    }
}

fn detail(at: &Moment, order_id: &str, line: &OrderLineItem, version: u32, fulfilled: Decimal) -> OrderItem {
    let mut detail = OrderItem {
        version,
        metadata: line.metadata.clone().or_empty(),
        order_id: order_id.to_owned(),
        item_id: line.id.to_string(),
        compare_at_unit_price: line.compare_at_unit_price,
        quantity: line.quantity,
        fulfilled_quantity: fulfilled,
        ..OrderItem::default()
    };
    detail.born(at.id(), at.now());
    detail
}
