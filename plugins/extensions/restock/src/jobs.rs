//! Jobs: one at an interval, which finds what changes by time alone, such as the start of an availability
//! window; and one by a cron pattern, which deletes expired subscriptions every night.

use atoll_kernel::{
    Actor, Ctx, Fault, StoreError,
    data::Index,
    job,
    jobs::{Tick, in_batches},
};

use crate::{
    BATCH, BY_EXPIRY, EXPIRE_RESTOCK_SUBSCRIPTIONS, RESTOCK, RestockSubscription, WAITING_BY_CHECK,
    settings::CHECK_EVERY, subscribers::check_batch,
};

job! { "restock.check-due" every CHECK_EVERY => check_due }

async fn check_due(ctx: Ctx, _: Tick) -> Result<(), Fault> {
    if !ctx.is_on(&RESTOCK) {
        return Ok(());
    }
    let mut due = Due::new(&WAITING_BY_CHECK, &ctx);
    loop {
        let batch = due.next(&ctx)?;
        if batch.is_empty() {
            return Ok(());
        }
        check_batch(&ctx, &batch).await?;
    }
}

job! { "restock.expire" at "0 3 * * *" => expire }

/// Runs whether or not the extension is switched on, since the data of shoppers is to be forgotten.
async fn expire(ctx: Ctx, _: Tick) -> Result<(), Fault> {
    let delete = |ids: Vec<String>| {
        let ctx = ctx.clone();
        async move { ctx.run(&EXPIRE_RESTOCK_SUBSCRIPTIONS, Actor::System, ids).await.map(drop) }
    };
    let mut due = Due::new(&BY_EXPIRY, &ctx);
    loop {
        let batch = due.next(&ctx)?;
        if batch.is_empty() {
            return Ok(());
        }
        in_batches("restock subscription", &batch, BATCH, delete).await?;
    }
}

/// The subscriptions whose time in an index has come, a batch at a time: each once, also one that is skipped
/// because it is damaged.
struct Due {
    index: &'static Index<RestockSubscription>,
    /// Just after now.
    end: String,
    after: Option<(String, String)>,
}

impl Due {
    fn new(index: &'static Index<RestockSubscription>, ctx: &Ctx) -> Due {
        Due { index, end: ctx.now().plus_millis(1).to_string(), after: None }
    }

    /// The next ids, at most [`BATCH`].
    fn next(&mut self, ctx: &Ctx) -> Result<Vec<String>, StoreError> {
        let batch = self.index.next_before(&ctx.view(), &self.end, self.after.as_ref(), BATCH)?;
        self.after = batch.last().cloned().or(self.after.take());
        Ok(batch.into_iter().map(|(_, id)| id).collect())
    }
}
