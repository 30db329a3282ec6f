//! What transfers do in the background: each in a task of its own, which says how far it is, and how it
//! ended.

use std::{fs::File, future::Future};

use atoll_kernel::{Ctx, Fault, data::View, limits::CSV_EXPORT_BYTES_MAX};
use atoll_product::{BY_HANDLE, PRODUCTS};
use tokio::task::spawn_blocking;

use super::{
    Summary, Transfer, TransferProblem, TransferState,
    keep::{Slot, locked, logged},
};
use crate::{
    CatalogueProduct, CsvSettings, Export, ExportFailed, ImportMode, NotACatalogue, Outline, Reading, Report,
    Vocabulary, import_file,
};

/// What an import of a file would do, and how many records it has. The slot is held until it is read, also if
/// nobody waits for it any more. Errors: 400 for a file that is none.
pub(super) async fn look(
    ctx: &Ctx,
    file: File,
    settings: &CsvSettings,
    slot: Slot,
) -> Result<(Summary, u64, Slot), Fault> {
    let (view, settings) = (ctx.view(), settings.clone());
    let look = move || summary(&view, &file, settings).map(|(summary, n_total)| (summary, n_total, slot));
    let looked = spawn_blocking(look).await.map_err(Fault::unexpected)?;
    looked.map_err(|error| Fault::invalid(format!("The file cannot be imported: {error}")))
}

fn summary(view: &View, file: &File, settings: CsvSettings) -> Result<(Summary, u64), NotACatalogue> {
    let is_there = |product: &CatalogueProduct| {
        let by_id = PRODUCTS.table.exists(view, &product.rows.id);
        let by_handle = || PRODUCTS.table.get_by(view, &BY_HANDLE, &[&product.handle]).map(|it| it.is_some());
        // A product that cannot be read is told by the check.
        by_id.unwrap_or_default() || by_handle().unwrap_or_default()
    };
    let mut to_update = 0;
    let outline = Outline::read_csv(file, "", settings, &mut |it| to_update += u64::from(is_there(it)))?;
    let n_total = outline.n_products as u64;
    let summary = match outline.source.vocabulary() {
        Some(Vocabulary::Listings | Vocabulary::Stock) => Summary { to_create: 0, to_update: n_total },
        _ => Summary { to_create: n_total - to_update, to_update },
    };
    Ok((summary, n_total))
}

/// Exports in the background.
pub(super) fn export(
    ctx: &Ctx,
    id: String,
    plan: impl FnOnce(&Ctx) -> Result<Export, Fault> + Send + 'static,
) {
    let (ctx, of) = (ctx.unmetered(), id.clone());
    let work_ctx = ctx.clone();
    let work = async move {
        spawn_blocking(move || write_export(&work_ctx, &of, &plan(&work_ctx)?))
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())
    };
    run(ctx, id, work, |it: &mut Transfer, ()| it.n_done = it.n_total);
}

fn write_export(ctx: &Ctx, id: &str, export: &Export) -> Result<(), ExportFailed> {
    let n_total = export.n_records(&ctx.view())?;
    let path = locked(ctx, |kept| {
        kept.get_mut(id)?.n_total = n_total;
        Ok(kept.file(id))
    })?;
    let mut file = new_private(&path)?;
    let written = file.try_clone()?;
    let progress = |n_done| {
        if written.metadata()?.len() > CSV_EXPORT_BYTES_MAX {
            return Err(ExportFailed::TooLarge);
        }
        ctx.room().check()?;
        let is_going_on = locked(ctx, |kept| {
            let transfer = kept.get_mut(id)?;
            transfer.n_done = n_done;
            Ok(transfer.state == TransferState::Running)
        });
        if is_going_on.unwrap_or_default() { Ok(()) } else { Err(ExportFailed::Ended) }
    };
    let reading = Reading { view: &|| ctx.view(), progress: &progress };
    export.write(&reading, &mut file)
}

/// A new file for its owner alone.
fn new_private(path: &std::path::Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Tries an import in the background, and takes it back; then it waits, or goes on if it was confirmed.
pub(super) fn check(ctx: &Ctx, id: String) {
    let (ctx, of) = (ctx.unmetered(), id.clone());
    let (work_ctx, then) = (ctx.clone(), (ctx.clone(), id.clone()));
    let work = async move { import_kept(&work_ctx, &of, ImportMode::Trial).await };
    run(ctx, id, work, move |it: &mut Transfer, report: Report| {
        it.tell(&report);
        (it.ended_at, it.n_done) = (None, 0);
        it.state = match it.is_confirmed {
            true => TransferState::Running,
            false => TransferState::Waiting,
        };
        if it.is_confirmed {
            import(&then.0, then.1);
        }
    });
}

/// Imports in the background.
pub(super) fn import(ctx: &Ctx, id: String) {
    let (ctx, of) = (ctx.unmetered(), id.clone());
    let work_ctx = ctx.clone();
    let work = async move { import_kept(&work_ctx, &of, ImportMode::Chunks).await };
    run(ctx, id, work, |it: &mut Transfer, report: Report| it.tell(&report));
}

/// Imports the file of a transfer.
async fn import_kept(ctx: &Ctx, id: &str, mode: ImportMode) -> Result<Report, String> {
    let of = |fault: Fault| fault.to_string();
    let (path, name, settings) = locked(ctx, |kept| {
        let it = kept.get(id)?;
        Ok((kept.file(id), it.file_name.clone(), it.settings.clone()))
    })
    .map_err(of)?;
    let open = move || -> Result<_, NotACatalogue> {
        let file = File::open(path)?;
        let outline = Outline::read_csv(&file, &name, settings, &mut |_| ())?;
        Ok((file, outline))
    };
    let opened = spawn_blocking(open).await.map_err(|error| error.to_string())?;
    let (file, outline) = opened.map_err(|error| error.to_string())?;
    let progress = |n_done: usize| {
        // What nobody knows of any more needs no progress.
        let _ = locked(ctx, |kept| {
            kept.get_mut(id)?.n_done = n_done as u64;
            Ok(())
        });
    };
    import_file(ctx, file, outline, mode, progress).await.map_err(|error| {
        let n_done = locked(ctx, |kept| Ok(kept.get(id)?.n_done)).unwrap_or_default();
        match mode {
            ImportMode::Chunks if n_done > 0 => {
                format!("{error}; {n_done} products are imported: import the file again to go on")
            }
            _ => error.to_string(),
        }
    })
}

/// Runs the work of a transfer to its end, that of the process, or a panic; says how it ended.
fn run<T: Send + 'static>(
    ctx: Ctx,
    id: String,
    work: impl Future<Output = Result<T, String>> + Send + 'static,
    done: impl FnOnce(&mut Transfer, T) + Send + 'static,
) {
    tokio::spawn(async move {
        let mut working = tokio::spawn(work);
        let ended = tokio::select! {
            ended = &mut working => ended.unwrap_or_else(|error| Err(error.to_string())),
            () = ctx.cancelled() => {
                working.abort();
                Err("the process ended before it was done".to_owned())
            }
        };
        let now = ctx.now();
        let kept = locked(&ctx, |kept| {
            let transfer = kept.get_mut(&id)?;
            match ended {
                Ok(result) => {
                    transfer.end(now, None);
                    done(transfer, result);
                }
                Err(error) => {
                    tracing::error!(error, id, "an import or export failed");
                    transfer.end(now, Some(error));
                }
            }
            let transfer = transfer.clone();
            logged(&id, kept.write(&transfer));
            if !transfer.needs_file() {
                logged(&id, kept.remove_file(&id));
            }
            Ok(())
        });
        if let Err(fault) = kept {
            tracing::error!(%fault, id, "the end of an import or export is not written down");
        }
    });
}

impl Transfer {
    fn tell(&mut self, report: &Report) {
        let problems = report.problems.iter().map(|it| TransferProblem {
            row: it.row,
            column: it.column.clone(),
            message: it.message.clone(),
        });
        self.problems = problems.collect();
        self.n_problems = report.n_problems.values().sum::<usize>() as u64;
        self.n_done = self.n_total;
    }
}
