//! Cancels a fulfilment: takes it back from the provider, restocks the items, and reserves them again.

use atoll_checkout::ParcelRequest;
use atoll_fulfillment::{FULFILLMENTS, SHIPPING_OPTIONS, cancel as cancel_fulfillment, idle, set_busy};
use atoll_inventory::{INVENTORY_ITEMS, InventoryLevel, Sent, create_level, level_at, restock};
use atoll_kernel::{Fault, Moment, Read, Write, flow, flow::Local, part_of, saga::Run, serde_json::json};
use atoll_links::ORDER_FULFILLMENT;
use atoll_order::{Order, open_order, reopen_order};
use atoll_stock_location::STOCK_LOCATIONS;
use serde::{Deserialize, Serialize};

use super::{
    carrier::{ask_to_cancel, outside, request},
    fulfill::note_progress,
};

use crate::points::{FULFILLMENT_CANCELED, OfFulfillment, OrderNow, VALIDATE_FULFILLMENT};

/// A fulfilment to cancel.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CancelFulfillment {
    /// Id of the order.
    pub order_id: String,
    /// Id of the fulfilment.
    pub fulfillment_id: String,
    /// Should the buyer get no notification? Passed on with the event.
    pub no_notification: Option<bool>,
}

part_of! { "fulfillment" }

flow! {
    /// Cancels a fulfilment that is not shipped; returns its id. Its provider takes it back, and its items
    /// are restocked, and reserved for their lines again. A completed order becomes pending again. Event:
    /// `order.fulfillment_canceled`.
    pub static CANCEL_ORDER_FULFILLMENT: Saga<CancelFulfillment, String> = "cancel-order-fulfillment" (cancel),
        hooks: &[&VALIDATE_FULFILLMENT, &FULFILLMENT_CANCELED];
}

/// While a provider outside is asked, the fulfilment is locked: it is not shipped meanwhile.
async fn cancel(run: &mut Run, input: CancelFulfillment) -> Result<String, Fault> {
    // The provider of a fulfilment never changes, so a replay takes the same path.
    let fulfillment = FULFILLMENTS.get(&run.ctx().view(), &input.fulfillment_id)?;
    let provider_id = fulfillment.and_then(|it| it.provider_id);
    if let Some(provider) = outside(run.ctx(), provider_id.as_deref())? {
        let asked = input.clone();
        let begun = run.local("begin", move |flow| {
            // What would refuse it after the provider was asked refuses it now.
            let order = flow.rehearse(|flow| take_back(flow, &asked))?;
            idle(flow.tx, &asked.fulfillment_id)?;
            let fulfillment = set_busy(flow.tx, flow.at, &asked.fulfillment_id)?;
            let option = match &fulfillment.shipping_option_id {
                Some(id) => SHIPPING_OPTIONS.get(flow.tx, id)?,
                None => None,
            };
            Ok(request(&order, &fulfillment, &option.map(|it| it.data).unwrap_or_default()))
        });
        let request: ParcelRequest = begun.await?;
        run.external(ask_to_cancel(provider, request)).await?;
    }
    run.finish("call-back", move |flow| {
        take_back(flow, &input)?;
        Ok(input.fulfillment_id)
    })
    .await
}

fn take_back(flow: &mut Local<'_>, input: &CancelFulfillment) -> Result<Order, Fault> {
    let CancelFulfillment { order_id, fulfillment_id, no_notification } = input;
    flow.hook(&VALIDATE_FULFILLMENT, || OfFulfillment::of(order_id, fulfillment_id))?;
    let order = order_of_fulfillment(flow.tx, order_id, fulfillment_id)?;
    let fulfillment =
        flow.step("cancel-fulfillment", |tx, at| Ok(cancel_fulfillment(tx, at, fulfillment_id)?))?;
    flow.step("restore-reservations", |tx, at| {
        for item in fulfillment.items {
            let location = fulfillment.location_id.clone().unwrap_or_default();
            let sent = Sent { item: item.inventory_item_id, location, quantity: item.quantity };
            to_shelf(tx, at, &item.line_item_id, sent)?;
        }
        Ok(reopen_order(tx, at, order_id)?)
    })?;
    let order = note_progress(flow, "register-order-fulfillment-canceled", &order)?;
    let data = json!({
        "order_id": order_id, "fulfillment_id": fulfillment_id, "no_notification": no_notification,
    });
    flow.emit("order.fulfillment_canceled", data)?;
    flow.hook(&FULFILLMENT_CANCELED, || OrderNow { order: order.clone() })?;
    Ok(order)
}

/// The order of a fulfilment. Errors: there is no such order, it was cancelled, or the fulfilment is not one
/// of it.
pub(super) fn order_of_fulfillment(
    tx: &dyn Read,
    order_id: &str,
    fulfillment_id: &str,
) -> Result<Order, Fault> {
    let order = open_order(tx, order_id)?;
    if ORDER_FULFILLMENT.rights(tx, order_id)?.iter().any(|it| it == fulfillment_id) {
        return Ok(order);
    }
    Err(Fault::invalid(format!("Fulfillment with id {fulfillment_id} not found in the order")))
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
