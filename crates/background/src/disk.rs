//! Low disk: measures the free space of the disk of the data each second, for [`Room`](atoll_kernel::data).

use std::{path::Path, time::Duration};

use atoll_kernel::{Ctx, limits::DISK_FREE_MIN_BYTES};
use tokio::sync::watch;

use crate::run::sleep;

/// Between two measures: a system call of a microsecond. Meanwhile the writer writes less than a tenth of the
/// default reserve.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// The share of a small disk that is the reserve: a twentieth.
const RESERVE_SHARE: u64 = 20;

/// The space of a disk, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Space {
    pub(crate) free: u64,
    pub(crate) all: u64,
}

/// Measures the disk of this file for this process; `None` where the system does not say.
#[cfg(unix)]
pub(crate) fn space(file: &Path) -> Option<Space> {
    let disk = rustix::fs::statvfs(file).ok()?;
    let bytes = |n_blocks: u64| n_blocks.saturating_mul(disk.f_frsize);
    Some(Space { free: bytes(disk.f_bavail), all: bytes(disk.f_blocks) })
}

#[cfg(not(unix))]
pub(crate) fn space(_: &Path) -> Option<Space> {
    None
}

/// What must stay free of a disk with so many bytes.
pub(crate) fn reserve(ctx: &Ctx, all: u64) -> u64 {
    let min = ctx.config().disk_free_min_bytes;
    min.unwrap_or_else(|| DISK_FREE_MIN_BYTES.min(all / RESERVE_SHARE))
}

/// Measures the disk, and says so in the log when writes are refused from now on, or taken again. Nothing is
/// measured for data in memory.
pub fn measure_disk(ctx: &Ctx) {
    let Some(Space { free, all }) = ctx.config().database.as_deref().and_then(space) else { return };
    let min = reserve(ctx, all);
    if !ctx.room().measured(free, min) {
        return;
    }
    match ctx.room().low() {
        Some(_) => tracing::error!(
            free_bytes = free,
            min_bytes = min,
            "the disk is nearly full: writes are refused until there is room"
        ),
        None => tracing::info!(free_bytes = free, "the disk has room again: writes are taken"),
    }
}

/// Has the disk of this folder, which may be another than that of the data, room for what is new?
pub(crate) fn has_room(ctx: &Ctx, folder: &Path) -> bool {
    space(folder).is_none_or(|it| it.free >= reserve(ctx, it.all))
}

pub(crate) async fn run(ctx: Ctx, mut stopped: watch::Receiver<bool>) {
    while sleep(&ctx, ctx.now(), PAUSE, &mut stopped).await {
        measure_disk(&ctx);
    }
}
