//! The store: what its writer does, what its data takes, and what `verify` has found last.

use std::fmt;

use atoll_background::{StorageStatus, storage};
use atoll_kernel::Ctx;

use crate::families::{Families, Histogram};

pub(crate) fn write(ctx: &Ctx, to: &mut Families<'_>) -> fmt::Result {
    writer(ctx, to)?;
    let flows = ctx.times_of_flows();
    to.histograms(
        "atoll_transaction_duration_seconds",
        "Time of the body of a transaction on the writer's thread, by the flow or saga that it belongs to",
        flows.iter().map(|(flow, it)| ([("flow", *flow)], Histogram::of_seconds(it))),
    )?;
    let held = ctx.store().counters().held();
    to.gauge(
        "atoll_views_held",
        "Views of earlier commits that requests hold, whose space is not reused",
        held.n_held as f64,
    )?;
    to.gauge("atoll_views_oldest_seconds", "Age of the oldest of these views", held.oldest.as_secs_f64())?;
    match storage(ctx) {
        Ok(status) => sizes(&status, to)?,
        Err(error) => tracing::error!("what the data takes cannot be read: {error} {}", error.causes()),
    }
    to.gauge(
        "atoll_disk_low",
        "Is nothing new written, because the disk is nearly full?",
        f64::from(ctx.room().low().is_some()),
    )?;
    let last = ctx.verification();
    if let (Some(ended), Some(report)) = (last.ended_at, &last.report) {
        to.gauge("atoll_verify_problems", "Problems that `verify` has found last", report.n_findings as f64)?;
        let ended = ended.millis() as f64 / 1e3;
        to.gauge("atoll_verify_last_timestamp_seconds", "When `verify` has ended last", ended)?;
    }
    Ok(())
}

fn writer(ctx: &Ctx, to: &mut Families<'_>) -> fmt::Result {
    let it = ctx.store().counters().buckets();
    for (name, help, buckets) in [
        (
            "atoll_commit_duration_seconds",
            "Time of a commit of a batch of transactions, with its flush to disk",
            &it.commit_ns,
        ),
        ("atoll_body_duration_seconds", "Time of a transaction on the writer's thread", &it.body_ns),
    ] {
        to.histogram(name, help, &Histogram::of_seconds(buckets))?;
    }
    for (name, help, buckets) in [
        ("atoll_batch_transactions", "Transactions that one commit writes", &it.batch),
        ("atoll_queue_transactions", "Transactions that waited when a batch began, with it", &it.queue),
        ("atoll_commit_keys", "Keys that a commit writes", &it.keys_written),
    ] {
        to.histogram(name, help, &Histogram::of_numbers(buckets))?;
    }
    to.counter(
        "atoll_written_bytes", "Bytes of keys and values that were written", it.bytes_written.sum as f64,
    )
}

fn sizes(status: &StorageStatus, to: &mut Families<'_>) -> fmt::Result {
    for (name, help, bytes) in [
        ("atoll_database_bytes", "Size of the database file", status.file_bytes),
        ("atoll_disk_free_bytes", "Free space of the disk of the data", status.free_bytes),
    ] {
        if let Some(bytes) = bytes {
            to.gauge(name, help, bytes as f64)?;
        }
    }
    to.gauge("atoll_outbox_events", "Events in the outbox", status.n_events as f64)
}
