//! Creates fulfilments: takes the items of an order from stock, and consumes their reservations.

use std::collections::BTreeMap;

use atoll_fulfillment::{Fulfillment, FulfillmentItem, Packed, pack};
use atoll_inventory::{INVENTORY_ITEMS, Sent, release, send};
use atoll_kernel::{
    Decimal, Fault, Metadata, Moment, Write, flow,
    flow::Local,
    limits::FULFILLMENTS_MAX,
    part_of,
    serde_json::{Map, json},
};
use atoll_links::ORDER_FULFILLMENT;
use atoll_order::{Order, OrderLineItem, note_fulfilled, open_order};
use atoll_stock_location::STOCK_LOCATIONS;
use serde::Deserialize;

use super::out::{Out, Take, pieces_by_location};

use crate::points::{FULFILLMENT_CREATED, OfOrder, OrderNow, VALIDATE_ORDER};

/// A fulfilment to create.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CreateFulfillment {
    /// Id of the order.
    pub order_id: String,
    /// Lines and quantities.
    pub items: Vec<LineQuantity>,
    /// Id of the location; by default where each line is reserved.
    pub location_id: Option<String>,
    /// Is it to be shipped? True by default.
    pub requires_shipping: Option<bool>,
    /// Free data.
    pub metadata: Metadata,
}

/// A quantity of a line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LineQuantity {
    /// Id of the line.
    pub id: String,
    /// Quantity to fulfil, more than zero.
    pub quantity: Decimal,
}

part_of! { "fulfillment" }

flow! {
    /// Fulfils some of an order: takes it from stock, and consumes its reservations. Event:
    /// `order.fulfillment_created`.
    pub static CREATE_ORDER_FULFILLMENT: Flow<CreateFulfillment, Order> = "create-order-fulfillment" (create),
        hooks: &[&VALIDATE_ORDER, &FULFILLMENT_CREATED];
}

fn create(flow: &mut Local<'_>, input: CreateFulfillment) -> Result<Order, Fault> {
    let id = &input.order_id;
    flow.hook(&VALIDATE_ORDER, || OfOrder::of(id))?;
    let order = open_order(flow.tx, id)?;
    let wanted = lines_of(&order, &input.items)?;
    if let Some(location) = &input.location_id
        && !STOCK_LOCATIONS.table.exists(flow.tx, location)?
    {
        return Err(Fault::not_found(format!("StockLocation id not found: {location}")));
    }
    let out = Out::of(flow.tx, id)?;
    let parcels = flow.step("consume-reservations", |tx, at| {
        let mut parcels = Vec::with_capacity(wanted.len());
        for (line, quantity) in wanted {
            parcels.push(send_line(tx, at, line, quantity, input.location_id.as_deref(), &out)?);
        }
        Ok(parcels)
    })?;
    let like = Fulfillment {
        location_id: input.location_id.clone(),
        requires_shipping: input.requires_shipping.unwrap_or(true),
        metadata: input.metadata.clone(),
        ..Fulfillment::default()
    };
    let order = fulfill(flow, &order, parcels, &like)?;
    flow.hook(&FULFILLMENT_CREATED, || OrderNow { order: order.clone() })?;
    Ok(order)
}

/// A quantity of a line, and the stock that was taken for it.
pub(crate) struct Parcel<'a> {
    line: &'a OrderLineItem,
    /// The quantity by location; the location is not known if no stock was taken.
    pieces: BTreeMap<Option<String>, Decimal>,
    sent: Vec<Sent>,
}

impl<'a> Parcel<'a> {
    pub(crate) fn new(
        line: &'a OrderLineItem,
        quantity: Decimal,
        takes: &[Take],
        sent: Vec<Sent>,
    ) -> Parcel<'a> {
        let pieces = if sent.is_empty() {
            BTreeMap::from([(None, quantity)])
        } else {
            pieces_by_location(line, quantity, takes, &sent)
                .into_iter()
                .map(|(at, n)| (Some(at), n))
                .collect()
        };
        Parcel { line, pieces, sent }
    }
}

/// Writes one fulfilment per location that stock was taken from, and updates the order.
pub(crate) fn fulfill(
    flow: &mut Local<'_>,
    order: &Order,
    parcels: Vec<Parcel<'_>>,
    like: &Fulfillment,
) -> Result<Order, Fault> {
    let mut by_location: BTreeMap<Option<String>, Fulfillment> = BTreeMap::new();
    for Parcel { line, pieces, sent } in parcels {
        for (location, quantity) in pieces {
            let location = location.or_else(|| like.location_id.clone());
            let packed = Packed { line_item_id: line.id.to_string(), quantity };
            at_location(&mut by_location, location, like).packed.push(packed);
        }
        for sent in sent {
            let sku = INVENTORY_ITEMS.get(flow.tx, &sent.item)?.and_then(|it| it.sku);
            at_location(&mut by_location, Some(sent.location), like).items.push(FulfillmentItem {
                title: line.title.clone(),
                sku,
                barcode: line.variant_barcode.clone(),
                quantity: sent.quantity,
                line_item_id: line.id.to_string(),
                inventory_item_id: sent.item,
                ..FulfillmentItem::default()
            });
        }
    }
    let n_fulfillments = ORDER_FULFILLMENT.rights(flow.tx, &order.id)?.len();
    if n_fulfillments + by_location.len() > FULFILLMENTS_MAX {
        return Err(Fault::invalid(format!("An order has at most {FULFILLMENTS_MAX} fulfillments")));
    }
    let made = flow.step("create-fulfillment", |tx, at| {
        let mut made = Vec::with_capacity(by_location.len());
        for fulfillment in by_location.into_values() {
            let fulfillment = pack(tx, at, fulfillment)?;
            ORDER_FULFILLMENT.attach(tx, at, &order.id, &fulfillment.id, Map::new())?;
            made.push(fulfillment.id);
        }
        Ok(made)
    })?;
    let order = flow.step("register-order-fulfillment", |tx, at| {
        let fulfilled = Out::of(tx, &order.id)?.lines(tx, order)?;
        Ok(note_fulfilled(tx, at, &order.id, &fulfilled)?)
    })?;
    for fulfillment in made {
        let data = json!({ "order_id": order.id, "fulfillment_id": fulfillment });
        flow.emit("order.fulfillment_created", data)?;
    }
    Ok(order)
}

/// The fulfilment at this location.
fn at_location<'a>(
    by_location: &'a mut BTreeMap<Option<String>, Fulfillment>,
    location: Option<String>,
    like: &Fulfillment,
) -> &'a mut Fulfillment {
    let location_id = location.clone();
    by_location.entry(location).or_insert_with(|| Fulfillment { location_id, ..like.clone() })
}

/// The lines in a request; quantities of the same line are added up.
fn lines_of<'a>(
    order: &'a Order,
    items: &[LineQuantity],
) -> Result<Vec<(&'a OrderLineItem, Decimal)>, Fault> {
    let mut wanted: Vec<(&OrderLineItem, Decimal)> = Vec::with_capacity(items.len());
    let mut unknown = Vec::new();
    for LineQuantity { id, quantity } in items {
        match wanted.iter_mut().find(|(line, _)| *line.id == **id) {
            Some((_, sum)) => *sum += *quantity,
            None => match order.items.iter().find(|line| *line.id == **id) {
                Some(line) => wanted.push((line, *quantity)),
                None => unknown.push(id.as_str()),
            },
        }
    }
    if unknown.is_empty() {
        return Ok(wanted);
    }
    let unknown = unknown.join(", ");
    Err(Fault::invalid(format!("Items with ids {unknown} does not exist in order with id {}.", order.id)))
}

/// Takes from stock what a quantity of a line needs. Once all of the line is sent, its reservations are
/// released.
fn send_line<'a>(
    tx: &mut dyn Write,
    at: &Moment,
    line: &'a OrderLineItem,
    quantity: Decimal,
    location: Option<&str>,
    out: &Out,
) -> Result<Parcel<'a>, Fault> {
    if quantity <= Decimal::ZERO {
        return Err(Fault::invalid(format!("Quantity to fulfill of item {} is required.", line.id)));
    }
    let takes = out.takes(tx, line)?;
    let fulfilled = out.fulfilled(line, &takes);
    let then = fulfilled + quantity;
    let mut sent = Vec::new();
    for take in &takes {
        let missing = out.missing(line, take, fulfilled, quantity);
        if missing > Decimal::ZERO {
            sent.extend(send(tx, at, &line.id, &take.item, missing, location)?);
        }
    }
    if then > line.quantity {
        return Err(Fault::invalid(format!(
            "Cannot fulfill more items than what was ordered for item {}.",
            line.id
        )));
    }
    if then == line.quantity {
        release(tx, at, &line.id)?;
    }
    Ok(Parcel::new(line, quantity, &takes, sent))
}
