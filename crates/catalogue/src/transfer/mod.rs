//! Imports and exports of CSV as jobs of the running shop: their state, progress, problems and files. An
//! import is checked first, and written when it is confirmed.

mod keep;
mod work;

use std::{collections::BTreeMap, path::PathBuf};

use atoll_kernel::{Ctx, Fault, Kind, Timestamp, job, jobs::Tick};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use self::keep::{locked, logged};
use crate::{CsvSettings, Export};

/// An import or an export.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transfer {
    /// Its id, which is the transaction id on the wire.
    pub id: String,
    /// What it does.
    pub kind: TransferKind,
    /// How far it is.
    pub state: TransferState,
    /// The name of its file.
    pub file_name: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ended; null while it is going on or waiting.
    pub ended_at: Option<Timestamp>,
    /// When its file is removed, and an import can no longer be confirmed.
    pub expires_at: Timestamp,
    /// Records that are done.
    pub n_done: u64,
    /// Records that there are, as of its beginning.
    pub n_total: u64,
    /// What an import would do; null for exports.
    pub summary: Option<Summary>,
    /// Problems of an import: the first ones of each kind.
    pub problems: Vec<TransferProblem>,
    /// How many problems there are.
    pub n_problems: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// What an imported file does not say.
    settings: CsvSettings,
    /// Was it confirmed while it was checked?
    is_confirmed: bool,
}

/// What a transfer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferKind {
    /// Writes what a file says.
    Import,
    /// Writes products into a file.
    ProductExport,
    /// Writes listings into a file.
    ListingExport,
    /// Writes stock into a file.
    StockExport,
    /// Writes orders into a file.
    OrderExport,
}

impl TransferKind {
    /// All names.
    pub const WORDS: &'static [&'static str] =
        &["import", "product_export", "listing_export", "stock_export", "order_export"];
}

/// How far a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// An import is tried, and taken back.
    Checking,
    /// An import waits to be confirmed.
    Waiting,
    /// It is going on.
    Running,
    /// It is done.
    Done,
    /// It ended early.
    Failed,
    /// An import was not confirmed in time.
    Expired,
}

impl TransferState {
    /// All names.
    pub const WORDS: &'static [&'static str] =
        &["checking", "waiting", "running", "done", "failed", "expired"];

    fn is_going_on(self) -> bool {
        matches!(self, TransferState::Checking | TransferState::Running)
    }
}

/// What an import would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Products that would be created.
    pub to_create: u64,
    /// Products that would be updated; of a file about channels or stock, its rows.
    pub to_update: u64,
}

/// A problem of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferProblem {
    /// The row, as a spreadsheet counts it: the header is row 1.
    pub row: Option<u64>,
    /// The name of the column, if it is about one.
    pub column: Option<String>,
    /// The problem, and what the import does about it.
    pub message: String,
}

impl Kind for Transfer {
    const PREFIX: &'static str = "csv";
}

/// All transfers that are known, the newest first.
pub fn transfers(ctx: &Ctx) -> Result<Vec<Transfer>, Fault> {
    locked(ctx, |kept| Ok(kept.transfers.values().rev().cloned().collect()))
}

/// A transfer. Errors: 404 if there is none with this id.
pub fn transfer(ctx: &Ctx, id: &str) -> Result<Transfer, Fault> {
    locked(ctx, |kept| kept.get(id).cloned())
}

/// The file of an export that is done. Errors: 404 if there is none, or it has expired.
pub fn exported_file(ctx: &Ctx, id: &str) -> Result<PathBuf, Fault> {
    locked(ctx, |kept| {
        let transfer = kept.get(id)?;
        if transfer.kind == TransferKind::Import || transfer.state != TransferState::Done {
            return Err(Fault::not_found(format!("Transfer with id: {id} has no file")));
        }
        Ok(kept.file(id))
    })
}

/// A file in the folder of transfers, for an import that arrives. It is removed when it is dropped.
pub fn arriving_file(ctx: &Ctx) -> Result<NamedTempFile, Fault> {
    ctx.room().check()?;
    locked(ctx, |kept| NamedTempFile::new_in(&kept.folder).map_err(Fault::unexpected))
}

/// Begins an export. What it is about is found out in the background, by `plan`, which may read for as long
/// as it takes: its context has no budget. Errors: 503 while too many transfers are going on, 507 while the
/// disk is nearly full.
pub fn begin_export(
    ctx: &Ctx,
    kind: TransferKind,
    file_name: &str,
    plan: impl FnOnce(&Ctx) -> Result<Export, Fault> + Send + 'static,
) -> Result<Transfer, Fault> {
    ctx.room().check()?;
    let transfer = Transfer::new(ctx.now(), kind, file_name.to_owned());
    locked(ctx, |kept| {
        let slot = kept.slot()?;
        kept.add(transfer.clone(), slot).map_err(Fault::unexpected)
    })?;
    work::export(ctx, transfer.id.clone(), plan);
    Ok(transfer)
}

/// Begins an import of a file that has arrived: it is checked, and waits to be confirmed. Errors: 400 for a
/// file that is no CSV of a known vocabulary, 503 while too many transfers are going on.
pub async fn begin_import(
    ctx: &Ctx,
    file: NamedTempFile,
    file_name: String,
    settings: CsvSettings,
) -> Result<Transfer, Fault> {
    let slot = locked(ctx, |kept| kept.slot())?;
    let opened = file.reopen().map_err(Fault::unexpected)?;
    let (summary, n_total, slot) = work::look(ctx, opened, &settings, slot).await?;
    let mut transfer = Transfer::new(ctx.now(), TransferKind::Import, file_name);
    (transfer.summary, transfer.n_total, transfer.settings) = (Some(summary), n_total, settings);
    locked(ctx, |kept| {
        file.persist(kept.file(&transfer.id)).map_err(Fault::unexpected)?;
        kept.add(transfer.clone(), slot).map_err(|error| {
            logged(&transfer.id, kept.remove_file(&transfer.id));
            Fault::unexpected(error)
        })
    })?;
    work::check(ctx, transfer.id.clone());
    Ok(transfer)
}

/// Confirms an import, which begins then, or when its check has ended. Errors: 404 if there is none; 400 if
/// it does not wait to be confirmed.
pub fn confirm_import(ctx: &Ctx, id: &str) -> Result<(), Fault> {
    let begins = locked(ctx, |kept| {
        let transfer = kept.get(id)?;
        let begins = match transfer.state {
            TransferState::Checking if !transfer.is_confirmed => false,
            TransferState::Waiting => true,
            TransferState::Expired => {
                let message = "The import was not confirmed in time: send the file again";
                return Err(Fault::not_allowed(message));
            }
            _ => return Err(Fault::not_allowed("The import does not wait to be confirmed")),
        };
        let _slot = begins.then(|| kept.slot()).transpose()?;
        kept.change(id, |transfer| {
            transfer.is_confirmed = true;
            if begins {
                transfer.state = TransferState::Running;
            }
        })?;
        Ok(begins)
    })?;
    if begins {
        work::import(ctx, id.to_owned());
    }
    Ok(())
}

job! { "transfers.expire" at "17 * * * *" => expire }

/// Files of exports hold data of customers: they go in time, also if nobody asks for them.
async fn expire(ctx: Ctx, _: Tick) -> Result<(), Fault> {
    locked(&ctx, |_| Ok(()))
}

/// The transfers by id, which is by time.
type ById = BTreeMap<String, Transfer>;
