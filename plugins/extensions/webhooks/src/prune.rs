//! Retention: deliveries are deleted after a month, whatever their state; those of deleted webhooks, too.

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, StoreError, Timestamp, Write,
    data::{Scan, View},
    job,
    jobs::Tick,
};

use crate::{
    WEBHOOK_DELIVERIES,
    settings::{BATCH, DELIVERY_DAYS},
};

job! { "webhooks.delete-old" at "30 3 * * *" => delete_old }

async fn delete_old(ctx: Ctx, _: Tick) -> Result<(), Fault> {
    let end = ctx.now().plus_millis(-DELIVERY_DAYS * 24 * 60 * 60 * 1000);
    loop {
        let old = older_than(&ctx.view(), end)?;
        let is_last = old.len() < BATCH;
        let delete = move |tx: &mut dyn Write, at: &Moment| {
            old.iter().try_for_each(|id| Ok(WEBHOOK_DELIVERIES.delete(tx, at, id).map(drop)?))
        };
        ctx.write(Actor::System, delete).await?;
        if is_last {
            return Ok(());
        }
    }
}

/// The ids of the oldest deliveries. Ids ascend with the time at which they were made, so no other is read.
fn older_than(view: &View, end: Timestamp) -> Result<Vec<String>, StoreError> {
    let mut old = Vec::new();
    WEBHOOK_DELIVERIES.table.scan_undamaged(view, &mut |it| {
        if end < it.created_at || old.len() == BATCH {
            return Ok(Scan::Break(()));
        }
        old.push(it.id.to_string());
        Ok(Scan::Continue(()))
    })?;
    Ok(old)
}
