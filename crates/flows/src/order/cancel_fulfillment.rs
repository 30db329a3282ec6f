//! Cancels a fulfilment: restocks the items, and reserves them again.

use atoll_fulfillment::cancel as cancel_fulfillment;
use atoll_inventory::{INVENTORY_ITEMS, InventoryLevel, Sent, create_level, level_at, restock};
use atoll_kernel::{Fault, Moment, Write, flow, flow::Local, part_of, serde_json::json};
use atoll_links::ORDER_FULFILLMENT;
use atoll_order::{Order, note_fulfilled, open_order, reopen_order};
use atoll_stock_location::STOCK_LOCATIONS;

use super::out::Out;

use crate::points::{FULFILLMENT_CANCELED, OfFulfillment, OrderNow, VALIDATE_FULFILLMENT};

/// A fulfilment to cancel.
#[derive(Clone, Debug)]
pub struct CancelFulfillment {
    /// Id of the order.
    pub order_id: String,
    /// Id of the fulfilment.
    pub fulfillment_id: String,
}

part_of! { "fulfillment" }

flow! {
    /// Cancels a fulfilment: its items are restocked, and reserved for their lines again. A completed order
    /// becomes pending again. Event: `order.fulfillment_canceled`.
    pub static CANCEL_ORDER_FULFILLMENT: Flow<CancelFulfillment, Order> = "cancel-order-fulfillment" (cancel),
        hooks: &[&VALIDATE_FULFILLMENT, &FULFILLMENT_CANCELED];
}

fn cancel(flow: &mut Local<'_>, input: CancelFulfillment) -> Result<Order, Fault> {
    let CancelFulfillment { order_id, fulfillment_id } = input;
    let data = json!({ "order_id": order_id, "fulfillment_id": fulfillment_id });
    flow.hook(&VALIDATE_FULFILLMENT, || OfFulfillment {
        order_id: order_id.clone(),
        fulfillment_id: fulfillment_id.clone(),
    })?;
    let order = open_order(flow.tx, &order_id)?;
    if !ORDER_FULFILLMENT.rights(flow.tx, &order_id)?.contains(&fulfillment_id) {
        return Err(Fault::invalid(format!("Fulfillment with id {fulfillment_id} not found in the order")));
    }
    let fulfillment =
        flow.step("cancel-fulfillment", |tx, at| Ok(cancel_fulfillment(tx, at, &fulfillment_id)?))?;
    flow.step("restore-reservations", |tx, at| {
        for item in fulfillment.items {
            let location = fulfillment.location_id.clone().unwrap_or_default();
            let sent = Sent { item: item.inventory_item_id, location, quantity: item.quantity };
            to_shelf(tx, at, &item.line_item_id, sent)?;
        }
        Ok(())
    })?;
    let order = flow.step("register-order-fulfillment-canceled", |tx, at| {
        reopen_order(tx, at, &order_id)?;
        let fulfilled = Out::of(tx, &order_id)?.lines(tx, &order)?;
        Ok(note_fulfilled(tx, at, &order_id, &fulfilled)?)
    })?;
    flow.emit("order.fulfillment_canceled", data)?;
    flow.hook(&FULFILLMENT_CANCELED, || OrderNow { order: order.clone() })?;
    Ok(order)
}

/// Restocks what was sent for a line, and reserves it for the line again. An item that was deleted meanwhile
/// is skipped.
fn to_shelf(tx: &mut dyn Write, at: &Moment, line_item_id: &str, sent: Sent) -> Result<(), Fault> {
    if level_at(tx, &sent.item, &sent.location)?.is_none() {
        if !INVENTORY_ITEMS.table.exists(tx, &sent.item)? {
            return Ok(());
        }
        if !STOCK_LOCATIONS.table.exists(tx, &sent.location)? {
            let text = format!(
                "Stock location {} does not exist anymore: nothing can come back to it",
                sent.location
            );
            return Err(Fault::not_allowed(text));
        }
        let (inventory_item_id, location_id) = (sent.item.as_str().into(), sent.location.clone());
        create_level(tx, at, InventoryLevel { inventory_item_id, location_id, ..InventoryLevel::default() })?;
    }
    Ok(restock(tx, at, line_item_id, sent)?)
}
