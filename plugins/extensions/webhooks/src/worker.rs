//! The worker: writes the deliveries of new events, and sends those whose time has come. While there are no
//! webhooks it reads one counter per commit.

use atoll_kernel::{Actor, Ctx, Fault, Moment, Timestamp, Write, jobs::Shift, worker};

use crate::{
    WEBHOOK_DELIVERIES, WEBHOOKS, WebhookDelivery,
    metrics::Attempts,
    queue::{InFlight, Place, due},
    relay::relay,
    send::{Message, attempt},
    settle::{Made, settle},
};

worker! { "webhooks.deliver" => deliver }

async fn deliver(ctx: Ctx, mut shift: Shift) -> Result<(), Fault> {
    let worked = work(&ctx, &mut shift).await;
    // An attempt that was cut off would be made again, also where a step has failed.
    shift.finish().await;
    worked
}

async fn work(ctx: &Ctx, shift: &mut Shift) -> Result<(), Fault> {
    let in_flight = InFlight::default();
    while !shift.is_over() {
        let next = step(ctx, &in_flight, shift).await?;
        shift.wait(ctx, next).await;
    }
    Ok(())
}

/// Returns when there is something to send next.
async fn step(ctx: &Ctx, in_flight: &InFlight, shift: &mut Shift) -> Result<Option<Timestamp>, Fault> {
    if WEBHOOKS.table.count(&ctx.view())? == 0 {
        return Ok(None);
    }
    relay(ctx).await?;
    let (due, next) = due(ctx, in_flight)?;
    for it in due {
        let place = in_flight.take(&it);
        shift.begin(send(ctx.clone(), it.delivery, place));
    }
    Ok(next)
}

async fn send(ctx: Ctx, id: String, place: Place) {
    if let Err(fault) = send_once(&ctx, &id).await {
        tracing::error!(delivery = id, "a webhook cannot be sent: {fault} {}", fault.causes());
        place.set_aside();
    }
}

/// Sends a delivery once, and records the attempt. If that is cut off, it is sent again after a restart.
async fn send_once(ctx: &Ctx, id: &str) -> Result<(), Fault> {
    // No view is held while the receiver takes its time.
    let Some(delivery) = WEBHOOK_DELIVERIES.get(&ctx.view(), id)? else { return Ok(()) };
    let Some(webhook) = WEBHOOKS.get(&ctx.view(), &delivery.webhook_id)?.filter(|it| it.is_enabled) else {
        return Ok(());
    };
    let WebhookDelivery { event, happened_at, data, next_attempt_at: Some(due_at), .. } = &delivery else {
        return Ok(());
    };
    let message = Message { id, event, happened_at: *happened_at, data };
    let (attempt, retry_after) = attempt(ctx, &webhook, message).await;
    ctx.memory::<Attempts>().count(&attempt);
    let made = Made { due_at: *due_at, attempt, retry_after };
    let id = id.to_owned();
    let record = move |tx: &mut dyn Write, at: &Moment| settle(tx, at, &id, made);
    ctx.finishing().write(Actor::System, record).await.map(drop)
}
