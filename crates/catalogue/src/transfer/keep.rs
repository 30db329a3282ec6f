//! What is kept of transfers: a folder in the data folder with a file of JSON per transfer, and its CSV
//! beside it. Nothing serves it: what is exported are data of customers.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Timestamp,
    limits::{CSV_TRANSFER_LIFETIME, CSV_TRANSFERS_KEPT_MAX},
    serde_json,
};
use tempfile::NamedTempFile;

use super::{ById, Transfer, TransferKind, TransferState};
use crate::CsvSettings;

/// The folder in the data folder.
const FOLDER: &str = "transfers";

/// The folder among uploaded files, beside data in memory. Its name is no key, so nothing of it is served.
const HIDDEN: &str = ".transfers";

/// The transfers of this process and earlier ones.
pub(super) struct Kept {
    pub(super) folder: PathBuf,
    pub(super) transfers: ById,
}

#[derive(Default)]
struct Memory(Mutex<Option<Kept>>);

/// Calls `work` with the transfers, without those that have expired. What it changes in memory is kept by
/// [`Kept::save`].
pub(super) fn locked<T>(ctx: &Ctx, work: impl FnOnce(&mut Kept) -> Result<T, Fault>) -> Result<T, Fault> {
    let memory = ctx.memory::<Memory>();
    let mut kept = memory.0.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.is_none() {
        *kept = Some(Kept::read(folder(ctx), ctx.now()).map_err(Fault::unexpected)?);
    }
    let Some(kept) = &mut *kept else { return Err(Fault::unexpected("transfers are not read")) };
    kept.expire(ctx.now()).map_err(Fault::unexpected)?;
    work(kept)
}

fn folder(ctx: &Ctx) -> PathBuf {
    match ctx.config().database.as_deref().and_then(Path::parent) {
        Some(data) => data.join(FOLDER),
        None => ctx.config().files.folder.join(HIDDEN),
    }
}

impl Kept {
    /// Reads the folder. What was going on when its process ended has failed.
    fn read(folder: PathBuf, now: Timestamp) -> io::Result<Kept> {
        make_private(&folder)?;
        let mut kept = Kept { folder, transfers: ById::new() };
        for entry in fs::read_dir(&kept.folder)? {
            let path = entry?.path();
            if path.extension().is_none_or(|it| it != "json") {
                continue;
            }
            let Ok(mut transfer) = serde_json::from_slice::<Transfer>(&fs::read(&path)?) else { continue };
            if transfer.state.is_going_on() {
                transfer.end(now, Some("the process ended before it was done".to_owned()));
            }
            kept.transfers.insert(transfer.id.clone(), transfer);
        }
        let ids: Vec<String> = kept.transfers.keys().cloned().collect();
        ids.iter().try_for_each(|id| kept.save(id))?;
        Ok(kept)
    }

    pub(super) fn file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.csv"))
    }

    fn record(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    pub(super) fn get(&self, id: &str) -> Result<&Transfer, Fault> {
        self.transfers.get(id).ok_or_else(|| unknown(id))
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Result<&mut Transfer, Fault> {
        self.transfers.get_mut(id).ok_or_else(|| unknown(id))
    }

    pub(super) fn n_going_on(&self) -> usize {
        self.transfers.values().filter(|it| it.state.is_going_on()).count()
    }

    /// Adds a transfer; the oldest that has ended goes for it.
    pub(super) fn add(&mut self, transfer: Transfer) -> Result<(), Fault> {
        let id = transfer.id.clone();
        self.transfers.insert(id.clone(), transfer);
        while self.transfers.len() > CSV_TRANSFERS_KEPT_MAX {
            let oldest = self.transfers.values().find(|it| !it.state.is_going_on()).map(|it| it.id.clone());
            let Some(oldest) = oldest else { break };
            self.forget(&oldest).map_err(Fault::unexpected)?;
        }
        self.save(&id).map_err(Fault::unexpected)
    }

    /// Writes down what is known of a transfer, whole or not at all.
    pub(super) fn save(&self, id: &str) -> io::Result<()> {
        let Some(transfer) = self.transfers.get(id) else { return Ok(()) };
        let mut file = NamedTempFile::new_in(&self.folder)?;
        file.write_all(&serde_json::to_vec(transfer)?)?;
        file.persist(self.record(id))?;
        Ok(())
    }

    /// Removes the files of what has expired.
    fn expire(&mut self, now: Timestamp) -> io::Result<()> {
        let is_due = |it: &&Transfer| it.expires_at <= now && !it.state.is_going_on();
        let due: Vec<String> = self.transfers.values().filter(is_due).map(|it| it.id.clone()).collect();
        for id in due {
            let Some(transfer) = self.transfers.get_mut(&id) else { continue };
            match transfer.state {
                TransferState::Waiting => {
                    transfer.end(now, None);
                    transfer.state = TransferState::Expired;
                    self.remove_file(&id)?;
                    self.save(&id)?;
                }
                // Its report stays for as long as there are not too many others.
                _ if transfer.kind == TransferKind::Import => {}
                _ => self.forget(&id)?,
            }
        }
        Ok(())
    }

    fn forget(&mut self, id: &str) -> io::Result<()> {
        self.remove_file(id)?;
        self.transfers.remove(id);
        fs::remove_file(self.record(id))
    }

    /// Removes the CSV of a transfer, if it is there.
    pub(super) fn remove_file(&self, id: &str) -> io::Result<()> {
        match fs::remove_file(self.file(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Transfer {
    /// A transfer that begins now.
    pub(super) fn new(now: Timestamp, kind: TransferKind, file_name: String) -> Transfer {
        Transfer {
            id: Moment::new(now, Actor::System).id::<Transfer>().to_string(),
            kind,
            state: if kind == TransferKind::Import {
                TransferState::Checking
            } else {
                TransferState::Running
            },
            file_name,
            created_at: now,
            ended_at: None,
            expires_at: now.plus(CSV_TRANSFER_LIFETIME),
            n_done: 0,
            n_total: 0,
            summary: None,
            problems: Vec::new(),
            n_problems: 0,
            error: None,
            settings: CsvSettings::default(),
            is_confirmed: false,
        }
    }

    /// It has ended, with this error or without.
    pub(super) fn end(&mut self, now: Timestamp, error: Option<String>) {
        self.state = if error.is_some() { TransferState::Failed } else { TransferState::Done };
        (self.ended_at, self.error) = (Some(now), error);
    }
}

fn unknown(id: &str) -> Fault {
    Fault::not_found(format!("Transfer with id: {id} was not found"))
}

/// Makes a folder for its owner alone.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_going_on_when_its_process_ended_has_failed() {
        let folder = tempfile::tempdir().expect("a folder");
        let read = |now| Kept::read(folder.path().join("transfers"), Timestamp::from_millis(now));
        let mut kept = read(1).expect("an empty folder");
        let import = |kind| Transfer::new(Timestamp::from_millis(1), kind, "products.csv".to_owned());
        let (mut waiting, running) = (import(TransferKind::Import), import(TransferKind::StockExport));
        waiting.state = TransferState::Waiting;
        let ids = [waiting.id.clone(), running.id.clone()];
        kept.add(waiting).expect("it is kept");
        kept.add(running).expect("it is kept");
        let kept = read(2).expect("the folder");
        assert_eq!(
            ids.clone().map(|it| kept.transfers[&it].state),
            [TransferState::Waiting, TransferState::Failed]
        );
        let error = kept.transfers[&ids[1]].error.as_deref();
        assert_eq!(error, Some("the process ended before it was done"));
    }

    #[test]
    fn the_oldest_goes_for_a_new_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut kept = Kept::read(folder.path().to_owned(), Timestamp::from_millis(0)).expect("a folder");
        for n in 0..=CSV_TRANSFERS_KEPT_MAX {
            let at = Timestamp::from_millis(n as i64);
            let mut transfer = Transfer::new(at, TransferKind::OrderExport, n.to_string());
            transfer.end(at, None);
            kept.add(transfer).expect("it is kept");
        }
        assert_eq!(kept.transfers.len(), CSV_TRANSFERS_KEPT_MAX);
        assert!(kept.transfers.values().all(|it| it.file_name != "0"));
    }
}
