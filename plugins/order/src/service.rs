//! Placing, changing, cancelling, completing and archiving orders; fulfilled quantities and versions.

use std::collections::BTreeMap;

use atoll_kernel::{
    Decimal, Moment, Read, StoreError, Write,
    data::{Entity, next_number},
    serde_json::{self, Map, Value},
};

use crate::{
    BY_LINE, Error, FulfillmentStatus, ORDERS, Order, OrderAddress, OrderItem, OrderLineItem, OrderShipping,
    OrderStatus, numbers::check_numbers,
};

/// Creates an order with the next display id. Errors: its totals could not be computed.
pub fn place_order(tx: &mut dyn Write, at: &Moment, mut order: Order) -> Result<Order, Error> {
    check_numbers(&order)?;
    order.display_id = next_number(tx, "order.display_id")?;
    if order.id.is_empty() {
        order.id = at.id();
    }
    for line in &mut order.items {
        if line.id.is_empty() {
            line.init(at.id(), at.now());
        }
        line.detail = Some(detail(at, &order.id, line, 1, LineProgress::of(line)));
        init_parts(at, &mut line.tax_lines, |it| it.item_id = line.id.to_string());
        init_parts(at, &mut line.adjustments, |it| it.item_id = line.id.to_string());
    }
    for method in &mut order.shipping_methods {
        method.init(at.id(), at.now());
        method.order_id = order.id.to_string();
        let mut detail = OrderShipping {
            order_id: order.id.to_string(),
            shipping_method_id: method.id.to_string(),
            ..OrderShipping::default()
        };
        detail.init(at.id(), at.now());
        method.detail = Some(detail);
        init_parts(at, &mut method.tax_lines, |it| it.shipping_method_id = method.id.to_string());
        init_parts(at, &mut method.adjustments, |it| it.shipping_method_id = method.id.to_string());
    }
    init_parts(at, &mut order.credit_lines, |it| it.order_id = order.id.to_string());
    for address in [&mut order.shipping_address, &mut order.billing_address].into_iter().flatten() {
        address.init(at.id(), at.now());
    }
    Ok(ORDERS.create(tx, at, order)?)
}

/// Gives new records within another one their ids.
fn init_parts<E: Entity>(at: &Moment, parts: &mut [E], belong: impl Fn(&mut E)) {
    for part in parts {
        part.init(at.id(), at.now());
        belong(part);
    }
}

/// The order, unless it was cancelled (an error).
pub fn open_order(tx: &dyn Read, id: &str) -> Result<Order, Error> {
    let order = ORDERS.get(tx, id)?.ok_or_else(|| Error::NotFound(id.to_owned()))?;
    if order.is_canceled() { Err(Error::Canceled(id.to_owned())) } else { Ok(order) }
}

/// The order of a line, if it is a line of an order.
pub fn order_of_line(tx: &dyn Read, line_id: &str) -> Result<Option<Order>, StoreError> {
    ORDERS.table.get_by(tx, &BY_LINE, &[line_id])
}

/// An address of an order, with the given fields replaced. It must stay in its country, for which the order
/// was priced.
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
        None => after.init(at.id(), at.now()),
    }
    Ok(after)
}

/// Cancels an order. Errors: it is cancelled, completed or partly fulfilled.
pub fn cancel_order(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Order, Error> {
    let order = open_order(tx, id)?;
    if order.is_completed() {
        return Err(Error::Completed);
    }
    if order.items.iter().any(|line| !line.fulfilled().is_zero()) || order.is_anything_out() {
        return Err(Error::HasFulfillments);
    }
    Ok(ORDERS.update(tx, at, id, |it: &mut Order| {
        it.status = OrderStatus::Canceled;
        it.canceled_at = Some(at.now());
        note_change(at, it);
    })?)
}

/// Completes an order.
pub fn complete_order(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Order, Error> {
    let order = ORDERS.get(tx, id)?.ok_or_else(|| Error::NotFound(id.to_owned()))?;
    if order.is_canceled() {
        return Err(Error::CompleteCanceled(id.to_owned()));
    }
    Ok(ORDERS.update(tx, at, id, |it: &mut Order| it.status = OrderStatus::Completed)?)
}

/// Archives an order. Errors: it is neither completed nor cancelled.
pub fn archive_order(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Order, Error> {
    let order = ORDERS.get(tx, id)?.ok_or_else(|| Error::NotFound(id.to_owned()))?;
    match order.status {
        OrderStatus::Completed | OrderStatus::Canceled | OrderStatus::Draft => {}
        _ => return Err(Error::NotArchivable(id.to_owned())),
    }
    Ok(ORDERS.update(tx, at, id, |it: &mut Order| it.status = OrderStatus::Archived)?)
}

/// How far the lines of an order have come.
#[derive(Clone, Debug, Default)]
pub struct Fulfilled {
    /// By line id.
    pub lines: BTreeMap<String, LineProgress>,
    /// Was any stock sent? That may be a part of a kit, with a line quantity of zero.
    pub is_anything_out: bool,
    /// Was any fulfilment handed to a carrier?
    pub is_anything_shipped: bool,
    /// Was any fulfilment delivered?
    pub is_anything_delivered: bool,
}

/// How far a line has come, in quantities of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LineProgress {
    /// Packed.
    pub fulfilled: Decimal,
    /// Of these, handed to a carrier.
    pub shipped: Decimal,
    /// Of these, delivered.
    pub delivered: Decimal,
}

impl LineProgress {
    fn of(line: &OrderLineItem) -> LineProgress {
        LineProgress { fulfilled: line.fulfilled(), shipped: line.shipped(), delivered: line.delivered() }
    }
}

/// Makes a completed order pending again, because a fulfilment was cancelled.
pub fn reopen_order(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), Error> {
    if open_order(tx, id)?.is_completed() {
        ORDERS.update(tx, at, id, |it: &mut Order| it.status = OrderStatus::Pending)?;
    }
    Ok(())
}

/// Sets how far the lines have come, as a new version of the order.
pub fn note_fulfilled(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    fulfilled: &Fulfilled,
) -> Result<Order, Error> {
    let is_now = |line: &OrderLineItem| fulfilled.lines.get(&*line.id).copied().unwrap_or_default();
    Ok(ORDERS.update(tx, at, id, |it: &mut Order| {
        note_version(at, it, is_now);
        it.fulfillment_status = status(it, fulfilled);
    })?)
}

/// The status is that of the step which the furthest goods have come to, and `partially_` unless all lines
/// have come to it.
fn status(order: &Order, fulfilled: &Fulfilled) -> FulfillmentStatus {
    let all = |is_done: fn(&OrderLineItem) -> bool| order.items.iter().all(is_done);
    let is_sent = all(|line| line.open().is_zero());
    let is_shipped = is_sent && all(|it| !it.requires_shipping || it.shipped() == it.quantity);
    let is_delivered = is_sent && all(|it| it.delivered() == it.quantity);
    match fulfilled {
        it if it.is_anything_delivered && is_delivered => FulfillmentStatus::Delivered,
        it if it.is_anything_delivered => FulfillmentStatus::PartiallyDelivered,
        it if it.is_anything_shipped && is_shipped => FulfillmentStatus::Shipped,
        it if it.is_anything_shipped => FulfillmentStatus::PartiallyShipped,
        _ if is_sent => FulfillmentStatus::Fulfilled,
        it if it.is_anything_out => FulfillmentStatus::PartiallyFulfilled,
        _ => FulfillmentStatus::Canceled,
    }
}

/// Begins a new version of an order, with the quantities that its lines have.
pub(crate) fn note_change(at: &Moment, order: &mut Order) {
    note_version(at, order, LineProgress::of);
}

/// Begins a new version of an order, with these quantities of its lines.
fn note_version(at: &Moment, order: &mut Order, progress: impl Fn(&OrderLineItem) -> LineProgress) {
    order.version += 1;
    for line in &mut order.items {
        let (unit_price, compare_at_unit_price) = (Some(line.unit_price), line.compare_at_unit_price);
        let detail = detail(at, &order.id, line, order.version, progress(line));
        line.detail = Some(OrderItem { unit_price, compare_at_unit_price, ..detail });
    }
    for detail in order.shipping_methods.iter_mut().filter_map(|it| it.detail.as_mut()) {
        detail.version = order.version;
        detail.init(at.id(), at.now());
    }
}

fn detail(
    at: &Moment,
    order_id: &str,
    line: &OrderLineItem,
    version: u32,
    progress: LineProgress,
) -> OrderItem {
    let mut detail = OrderItem {
        version,
        metadata: line.metadata.clone().or_empty(),
        order_id: order_id.to_owned(),
        item_id: line.id.to_string(),
        quantity: line.quantity,
        fulfilled_quantity: progress.fulfilled,
        shipped_quantity: progress.shipped,
        delivered_quantity: progress.delivered,
        ..OrderItem::default()
    };
    detail.init(at.id(), at.now());
    detail
}
