//! What the data takes: the size of the database file, the disk space that is left beside it, and the events
//! in the outbox.

use std::fs;

use atoll_kernel::{
    Ctx, Fault, Timestamp,
    jobs::{Event, events_after, last_event},
};
use serde::Serialize;

use crate::disk::space;

/// What the data takes.
#[derive(Clone, Debug, Serialize)]
pub struct StorageStatus {
    /// Bytes of the database file; null if the data is in memory.
    pub file_bytes: Option<u64>,
    /// Bytes that are left on its disk; null likewise, and where the system does not say.
    pub free_bytes: Option<u64>,
    /// Events in the outbox: those that some subscriber has not had, and those of the last week.
    pub n_events: u64,
    /// The time of the oldest of them.
    pub oldest_event_at: Option<Timestamp>,
}

/// What the data of this application takes. Reads a few keys, and asks the file system twice.
pub fn storage(ctx: &Ctx) -> Result<StorageStatus, Fault> {
    let view = ctx.view();
    let oldest: Option<(u64, Event)> = events_after(&view, 0, 1)?.pop();
    let last = last_event(&view)?;
    let file = ctx.config().database.as_deref();
    Ok(StorageStatus {
        file_bytes: file.and_then(|it| fs::metadata(it).ok()).map(|it| it.len()),
        free_bytes: file.and_then(space).map(|it| it.free),
        n_events: oldest.as_ref().map_or(0, |(first, _)| last - first + 1),
        oldest_event_at: oldest.map(|(_, event)| event.at),
    })
}
