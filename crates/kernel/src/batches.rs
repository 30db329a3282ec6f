//! Batches of a job: one transaction for many records, and one for each if a damaged record is among them;
//! and what an index says is due, in batches.

use std::fmt::Debug;

use crate::{
    Ctx, Fault,
    data::{Entity, Index},
};

/// Calls `run` with at most `n_max` of the items at a time. A batch that meets a damaged record is run again
/// one item at a time; an item that meets one is logged and skipped, so that the others are done, now and
/// each time. Other errors end it.
pub async fn in_batches<T, R>(
    what: &str,
    items: &[T],
    n_max: usize,
    run: impl Fn(Vec<T>) -> R,
) -> Result<(), Fault>
where
    T: Clone + Debug,
    R: Future<Output = Result<(), Fault>>,
{
    for batch in items.chunks(n_max) {
        match run(batch.to_vec()).await {
            Err(fault) if fault.is_damage() => {}
            ended => {
                ended?;
                continue;
            }
        }
        for item in batch {
            match run(vec![item.clone()]).await {
                Err(fault) if fault.is_damage() => {
                    let error = fault.causes();
                    tracing::error!(what, ?item, error, "skipped: it needs a damaged record");
                }
                ended => ended?,
            }
        }
    }
    Ok(())
}

/// As [`in_batches`], with the entries of an index whose only part is less than `end`, at most `n_max` at a
/// time, the least first: the part and the id of each row. Each once, also one that is skipped.
pub async fn in_batches_before<T: Entity, R>(
    what: &str,
    ctx: &Ctx,
    index: &Index<T>,
    end: &str,
    n_max: usize,
    run: impl Fn(Vec<(String, String)>) -> R,
) -> Result<(), Fault>
where
    R: Future<Output = Result<(), Fault>>,
{
    let mut after = None;
    loop {
        let due = index.next_before(&ctx.view(), end, after.as_ref(), n_max)?;
        let Some(last) = due.last().cloned() else { return Ok(()) };
        in_batches(what, &due, n_max, &run).await?;
        after = Some(last);
    }
}
