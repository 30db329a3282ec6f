//! Creates fulfilments: takes the items of an order from stock, consumes their reservations, and hands them
//! to the fulfilment provider.

use std::collections::BTreeMap;

use atoll_checkout::ParcelLabel;
use atoll_fulfillment::{Fulfillment, FulfillmentItem, FulfillmentLabel, Packed, pack};
use atoll_inventory::{INVENTORY_ITEMS, Sent, release, send};
use atoll_kernel::{
    Decimal, Fault, FaultKind, Metadata, Moment, Read, Write, flow,
    flow::Local,
    limits::FULFILLMENTS_MAX,
    part_of,
    saga::Run,
    serde_json::{Map, Value, json},
};
use atoll_links::ORDER_FULFILLMENT;
use atoll_order::{Order, OrderLineItem, note_fulfilled, open_order};
use atoll_stock_location::STOCK_LOCATIONS;
use serde::{Deserialize, Serialize};

use super::{
    carrier::{Carrier, ask_to_create, outside, request},
    out::{Out, Take, pieces_by_location},
};

use crate::points::{FULFILLMENT_CREATED, OfOrder, OrderNow, VALIDATE_ORDER};

/// A fulfilment to create.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CreateFulfillment {
    /// Id of the order.
    pub order_id: String,
    /// Lines and quantities.
    pub items: Vec<LineQuantity>,
    /// Id of the location; by default where each line is reserved, and for lines without managed stock that
    /// of the shipping option.
    pub location_id: Option<String>,
    /// Is it to be shipped? By default if its lines are; they must agree then.
    pub requires_shipping: Option<bool>,
    /// Id of the shipping option; by default that of the order's shipping method for such goods.
    pub shipping_option_id: Option<String>,
    /// Id of the fulfilment provider; by default that of the shipping option.
    pub provider_id: Option<String>,
    /// Where to; by default to the shipping address of the order.
    pub delivery_address: Option<Map<String, Value>>,
    /// Labels that are known already.
    pub labels: Vec<ParcelLabel>,
    /// Data for the provider; by default those of the order's shipping method.
    pub data: Metadata,
    /// Should the buyer get no notification? Passed on with the event.
    pub no_notification: Option<bool>,
    /// Free data.
    pub metadata: Metadata,
}

/// A quantity of a line.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LineQuantity {
    /// Id of the line.
    pub id: String,
    /// Quantity to fulfil, more than zero.
    pub quantity: Decimal,
}

part_of! { "fulfillment" }

/// A fulfilment to create, and who ships it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FulfillmentToCreate {
    input: CreateFulfillment,
    /// Chosen once, so that a run that is resumed asks the same provider.
    carrier: Carrier,
}

impl FulfillmentToCreate {
    /// The fulfilment, shipped as the input says, or as the buyer has chosen. Errors: there is no such
    /// shipping option, or the provider does not serve.
    pub fn of(tx: &dyn Read, input: CreateFulfillment) -> Result<FulfillmentToCreate, Fault> {
        Ok(FulfillmentToCreate { carrier: Carrier::of(tx, &input)?, input })
    }

    /// Transaction id of the saga: fulfilments of one order are created one after the other.
    pub fn transaction_id(&self) -> &str {
        &self.input.order_id
    }
}

flow! {
    /// Fulfils some of an order: takes it from stock, consumes its reservations, and hands it to the
    /// provider; returns the ids of the fulfilments, one per location. If the provider refuses, or the stock
    /// is gone when it has answered, nothing is fulfilled. Event: `order.fulfillment_created`.
    pub static CREATE_ORDER_FULFILLMENT: Saga<FulfillmentToCreate, Vec<String>> =
        "create-order-fulfillment" (create), hooks: &[&VALIDATE_ORDER, &FULFILLMENT_CREATED];
}

/// A provider outside is asked between two transactions: the first one finds what would be packed, and
/// writes nothing. The second one packs it, if it is still the same.
async fn create(run: &mut Run, wanted: FulfillmentToCreate) -> Result<Vec<String>, Fault> {
    let Some(provider) = outside(run.ctx(), wanted.carrier.provider_id.as_deref())? else {
        let packing = move |flow: &mut Local<'_>| {
            let (order, parcels) = prepare(flow, &wanted)?;
            write(flow, &order, parcels, wanted.input.no_notification)
        };
        return run.finish("fulfill", packing).await;
    };
    let first = wanted.clone();
    let planned = run.local("plan-fulfillment", move |flow| {
        flow.rehearse(|flow| {
            let (order, parcels) = prepare(flow, &first)?;
            let requests: Vec<_> =
                parcels.iter().map(|it| request(&order, it, &first.carrier.option_data)).collect();
            Ok((parcels, requests))
        })
    });
    let (planned, requests): (Vec<Fulfillment>, Vec<_>) = planned.await?;
    let asked = requests.into_iter().map(|it| ask_to_create(provider, it)).collect();
    let taken = run.all(asked).await?;
    let packing = move |flow: &mut Local<'_>| {
        let (order, mut parcels) = prepare(flow, &wanted)?;
        if parcels.len() != planned.len() || !parcels.iter().zip(&planned).all(|(a, b)| is_same(a, b)) {
            let text = format!("Order {} or its stock was changed while it was fulfilled", order.id);
            return Err(Fault::new(FaultKind::Conflict, text));
        }
        for ((parcel, planned), taken) in parcels.iter_mut().zip(&planned).zip(taken) {
            parcel.id = planned.id.clone();
            parcel.data = taken.data;
            parcel.labels.extend(taken.labels.into_iter().map(FulfillmentLabel::from));
        }
        write(flow, &order, parcels, wanted.input.no_notification)
    };
    run.finish("fulfill", packing).await
}

/// Do two plans pack the same goods at the same place?
fn is_same(a: &Fulfillment, b: &Fulfillment) -> bool {
    let goods = |it: &Fulfillment| -> Vec<_> {
        let item =
            |it: &FulfillmentItem| (it.line_item_id.clone(), it.inventory_item_id.clone(), it.quantity);
        it.items.iter().map(item).collect()
    };
    a.location_id == b.location_id && a.packed == b.packed && goods(a) == goods(b)
}

/// Takes the goods from stock; returns the fulfilments to write, each with an id.
fn prepare(
    flow: &mut Local<'_>,
    FulfillmentToCreate { input, carrier }: &FulfillmentToCreate,
) -> Result<(Order, Vec<Fulfillment>), Fault> {
    let id = &input.order_id;
    flow.hook(&VALIDATE_ORDER, || OfOrder::of(id))?;
    let order = open_order(flow.tx, id)?;
    let wanted = lines_of(&order, &input.items)?;
    if let Some(location) = &input.location_id
        && !STOCK_LOCATIONS.table.exists(flow.tx, location)?
    {
        return Err(Fault::not_found(format!("StockLocation id not found: {location}")));
    }
    let requires_shipping = match input.requires_shipping {
        Some(requires_shipping) => requires_shipping,
        None => require_shipping(&wanted)?,
    };
    let out = Out::of(flow.tx, id)?;
    let parcels = flow.step("consume-reservations", |tx, at| {
        let mut parcels = Vec::with_capacity(wanted.len());
        for (line, quantity) in wanted {
            parcels.push(send_line(tx, at, line, quantity, input.location_id.as_deref(), &out)?);
        }
        Ok(parcels)
    })?;
    let like = Fulfillment {
        requires_shipping,
        location_id: input.location_id.clone().or_else(|| carrier.location_id.clone()),
        labels: input.labels.iter().cloned().map(FulfillmentLabel::from).collect(),
        metadata: input.metadata.clone(),
        ..carrier.like(&order, input.delivery_address.clone())?
    };
    let parcels = by_location(flow.tx, flow.at, parcels, &like)?;
    Ok((order, parcels))
}

/// Are these lines shipped? Errors: some of them are, and others are not.
fn require_shipping(wanted: &[(&OrderLineItem, Decimal)]) -> Result<bool, Fault> {
    let n_shipped = wanted.iter().filter(|(line, _)| line.requires_shipping).count();
    if n_shipped > 0 && n_shipped < wanted.len() {
        return Err(Fault::invalid(
            "The items of a fulfillment must all require shipping, or none of them: split them into two \
             fulfillments",
        ));
    }
    Ok(n_shipped > 0)
}

/// A quantity of a line, and the stock that was taken for it.
pub(crate) struct Parcel<'a> {
    line: &'a OrderLineItem,
    /// The quantity by location; the location is not known if no stock was taken.
    pieces: BTreeMap<Option<String>, Decimal>,
    sent: Vec<Sent>,
}

impl<'a> Parcel<'a> {
    pub(crate) fn requires_shipping(&self) -> bool {
        self.line.requires_shipping
    }

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

/// One fulfilment per location that stock was taken from, each with an id.
pub(crate) fn by_location(
    tx: &dyn Read,
    at: &Moment,
    parcels: Vec<Parcel<'_>>,
    like: &Fulfillment,
) -> Result<Vec<Fulfillment>, Fault> {
    let mut by_location: BTreeMap<Option<String>, Fulfillment> = BTreeMap::new();
    for Parcel { line, pieces, sent } in parcels {
        for (location, quantity) in pieces {
            let location = location.or_else(|| like.location_id.clone());
            let packed = Packed { line_item_id: line.id.to_string(), quantity };
            at_location(&mut by_location, location, like).packed.push(packed);
        }
        for sent in sent {
            let sku = INVENTORY_ITEMS.get(tx, &sent.item)?.and_then(|it| it.sku);
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
    let with_id = |it: Fulfillment| Fulfillment { id: at.id(), ..it };
    Ok(by_location.into_values().map(with_id).collect())
}

/// Writes the fulfilments of an order, and how far its lines have come; returns their ids.
pub(crate) fn write(
    flow: &mut Local<'_>,
    order: &Order,
    parcels: Vec<Fulfillment>,
    no_notification: Option<bool>,
) -> Result<Vec<String>, Fault> {
    let n_fulfillments = ORDER_FULFILLMENT.rights(flow.tx, &order.id)?.len();
    if n_fulfillments + parcels.len() > FULFILLMENTS_MAX {
        return Err(Fault::invalid(format!("An order has at most {FULFILLMENTS_MAX} fulfillments")));
    }
    let made = flow.step("create-fulfillment", |tx, at| {
        let mut made = Vec::with_capacity(parcels.len());
        for parcel in parcels {
            let parcel = pack(tx, at, parcel)?;
            ORDER_FULFILLMENT.attach(tx, at, &order.id, &parcel.id, Map::new())?;
            made.push(parcel.id.to_string());
        }
        Ok(made)
    })?;
    let order = note_progress(flow, "register-order-fulfillment", order)?;
    for id in &made {
        let data = json!({ "order_id": order.id, "fulfillment_id": id, "no_notification": no_notification });
        flow.emit("order.fulfillment_created", data)?;
    }
    flow.hook(&FULFILLMENT_CREATED, || OrderNow { order })?;
    Ok(made)
}

/// Notes how far the lines of an order have come, as a new version of it.
pub(super) fn note_progress(flow: &mut Local<'_>, step: &'static str, order: &Order) -> Result<Order, Fault> {
    flow.step(step, |tx, at| {
        let fulfilled = Out::of(tx, &order.id)?.lines(tx, order)?;
        Ok(note_fulfilled(tx, at, &order.id, &fulfilled)?)
    })
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
