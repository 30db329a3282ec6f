//! The e-mail that tells a buyer that a parcel is on its way, with its tracking numbers.

use atoll_fulfillment::FULFILLMENTS;
use atoll_kernel::{
    Ctx, Fault,
    jobs::Event,
    part_of,
    serde_json::{Value, json},
    subscriber,
};
use atoll_links::ORDER_FULFILLMENT;
use atoll_order::ORDERS;

use super::{Mail, send_mail, text, to_buyer};

part_of! { "fulfillment" }

subscriber! { "notification.mail-shipment" on ["shipment.created"] => mail }

async fn mail(ctx: Ctx, event: Event) -> Result<(), Fault> {
    send_mail(ctx, event, shipped).await
}

/// Nothing if whoever shipped it, or the order, wants no notification: the former decides.
fn shipped(ctx: &Ctx, event: &Event) -> Result<Option<Mail>, Fault> {
    let view = ctx.view();
    // Both may have been deleted since.
    let Some(parcel) = FULFILLMENTS.get(&view, text(&event.data, "id"))? else { return Ok(None) };
    let orders = ORDER_FULFILLMENT.lefts(&view, &parcel.id)?;
    let Some(id) = orders.first() else { return Ok(None) };
    let Some(order) = ORDERS.get(&view, id)? else { return Ok(None) };
    if event.data["no_notification"].as_bool().or(order.no_notification) == Some(true) {
        return Ok(None);
    }
    let packed = parcel.packed.iter().map(|packed| {
        let line = order.items.iter().find(|it| packed.line_item_id == *it.id);
        json!({ "quantity": packed.quantity, "title": line.map(|it| &it.title) })
    });
    let items: Vec<Value> = packed.collect();
    let labels: Vec<Value> = parcel
        .labels
        .iter()
        .map(|it| json!({ "tracking_number": it.tracking_number, "tracking_url": it.tracking_url }))
        .collect();
    let data = json!({ "id": parcel.id, "items": items, "labels": labels, "order": order });
    Ok(to_buyer(&order, data))
}
