//! What is kept of transfers: a folder in the data folder with a file of JSON per transfer, and its CSV
//! beside it. Nothing serves it: what is exported are data of customers.

use std::{
    collections::HashSet,
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Timestamp,
    limits::{
        CSV_TRANSFER_LIFETIME, CSV_TRANSFERS_AT_ONCE_MAX, CSV_TRANSFERS_BUSY_RETRY_S, CSV_TRANSFERS_KEPT_MAX,
    },
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
    /// Held by each file that is looked at before there is a transfer for it.
    slots: Arc<()>,
}

/// A place among the transfers that may be going on, for as long as it is held.
pub(super) struct Slot {
    _held: Arc<()>,
}

#[derive(Default)]
struct Memory(Mutex<Option<Kept>>);

/// Calls `work` with the transfers, without those that have expired. What it changes in memory alone is gone
/// with the process; [`Kept::change`] keeps it.
pub(super) fn locked<T>(ctx: &Ctx, work: impl FnOnce(&mut Kept) -> Result<T, Fault>) -> Result<T, Fault> {
    let memory = ctx.memory::<Memory>();
    let mut kept = memory.0.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.is_none() {
        *kept = Some(Kept::read(folder(ctx), ctx.now()).map_err(Fault::unexpected)?);
    }
    let Some(kept) = &mut *kept else { return Err(Fault::unexpected("transfers are not read")) };
    kept.expire(ctx.now());
    work(kept)
}

fn folder(ctx: &Ctx) -> PathBuf {
    match ctx.config().database.as_deref().and_then(Path::parent) {
        Some(data) => data.join(FOLDER),
        None => ctx.config().files.folder.join(HIDDEN),
    }
}

impl Kept {
    /// Reads the folder. What was going on when its process ended has failed; files that are of no use any
    /// more, such as those that a process left that was killed, are removed.
    fn read(folder: PathBuf, now: Timestamp) -> io::Result<Kept> {
        make_private(&folder)?;
        let mut kept = Kept { folder, transfers: ById::new(), slots: Arc::default() };
        let mut files = Vec::new();
        for entry in fs::read_dir(&kept.folder)? {
            files.extend(Some(entry?.path()).filter(|it| it.is_file()));
        }
        for path in files.iter().filter(|it| it.extension().is_some_and(|it| it == "json")) {
            let Ok(mut transfer) = serde_json::from_slice::<Transfer>(&fs::read(path)?) else { continue };
            if transfer.state.is_going_on() {
                transfer.end(now, Some("the process ended before it was done".to_owned()));
                kept.write(&transfer)?;
            }
            kept.transfers.insert(transfer.id.clone(), transfer);
        }
        let mut used = HashSet::new();
        for transfer in kept.transfers.values() {
            used.insert(kept.record(&transfer.id));
            used.extend(transfer.needs_file().then(|| kept.file(&transfer.id)));
        }
        files.iter().filter(|it| !used.contains(*it)).try_for_each(fs::remove_file)?;
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

    /// A place for another transfer. Errors: 503 while as many are going on as may be.
    pub(super) fn slot(&self) -> Result<Slot, Fault> {
        let n_looked_at = Arc::strong_count(&self.slots) - 1;
        let n_going_on = self.transfers.values().filter(|it| it.state.is_going_on()).count();
        if n_going_on + n_looked_at < CSV_TRANSFERS_AT_ONCE_MAX {
            return Ok(Slot { _held: self.slots.clone() });
        }
        let message = "Other imports and exports are going on; try again soon";
        Err(Fault::busy(message, CSV_TRANSFERS_BUSY_RETRY_S).at_limit("csv_transfers_at_once_max"))
    }

    /// Adds a transfer, in the place that was kept for it; the oldest that has ended goes for it. After an
    /// error there is no such transfer.
    pub(super) fn add(&mut self, transfer: Transfer, _slot: Slot) -> io::Result<()> {
        self.write(&transfer)?;
        self.transfers.insert(transfer.id.clone(), transfer);
        while self.transfers.len() > CSV_TRANSFERS_KEPT_MAX {
            let oldest = self.transfers.values().find(|it| !it.state.is_going_on()).map(|it| it.id.clone());
            let Some(oldest) = oldest else { break };
            self.forget(&oldest);
        }
        Ok(())
    }

    /// Changes a transfer, on the disk first. After an error it is as it was.
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut Transfer)) -> Result<(), Fault> {
        let mut transfer = self.get(id)?.clone();
        change(&mut transfer);
        self.write(&transfer).map_err(Fault::unexpected)?;
        self.transfers.insert(id.to_owned(), transfer);
        Ok(())
    }

    /// Writes down what is known of a transfer, whole or not at all.
    pub(super) fn write(&self, transfer: &Transfer) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(&self.folder)?;
        file.write_all(&serde_json::to_vec(transfer)?)?;
        file.as_file().sync_all()?;
        file.persist(self.record(&transfer.id))?;
        Ok(())
    }

    /// Removes the files of what has expired.
    fn expire(&mut self, now: Timestamp) {
        let is_due = |it: &&Transfer| it.expires_at <= now && !it.state.is_going_on();
        let due: Vec<String> = self.transfers.values().filter(is_due).map(|it| it.id.clone()).collect();
        for id in due {
            let Some(transfer) = self.transfers.get_mut(&id) else { continue };
            match transfer.state {
                TransferState::Waiting => {
                    transfer.end(now, None);
                    transfer.state = TransferState::Expired;
                    let transfer = transfer.clone();
                    logged(&id, self.write(&transfer));
                    logged(&id, self.remove_file(&id));
                }
                // Its report stays for as long as there are not too many others.
                _ if transfer.kind == TransferKind::Import => {}
                _ => self.forget(&id),
            }
        }
    }

    /// Removes a transfer with its files; what cannot be removed now goes when the next process begins.
    fn forget(&mut self, id: &str) {
        self.transfers.remove(id);
        logged(id, self.remove_file(id));
        logged(id, fs::remove_file(self.record(id)));
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

    /// Is its CSV of any use? That of an export once it is done, that of an import until then.
    pub(super) fn needs_file(&self) -> bool {
        match self.kind {
            TransferKind::Import => self.ended_at.is_none(),
            _ => self.state == TransferState::Done,
        }
    }

    /// It has ended, with this error or without.
    pub(super) fn end(&mut self, now: Timestamp, error: Option<String>) {
        self.state = if error.is_some() { TransferState::Failed } else { TransferState::Done };
        (self.ended_at, self.error) = (Some(now), error);
    }
}

/// Logs that a file of a transfer was not written or removed: the transfer itself goes on.
pub(super) fn logged(id: &str, done: io::Result<()>) {
    if let Err(error) = done {
        tracing::error!(id, %error, "a file of an import or export was not written or removed");
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
        for transfer in [waiting, running] {
            fs::write(kept.file(&transfer.id), "a,b").expect("a file");
            let slot = kept.slot().expect("a place");
            kept.add(transfer, slot).expect("it is kept");
        }
        let left = ["csv_gone.csv", "csv_torn.json", ".tmpAbC"].map(|it| kept.folder.join(it));
        left.iter().for_each(|it| fs::write(it, "{").expect("a file"));
        let kept = read(2).expect("the folder");
        assert!(left.iter().all(|it| !it.exists()), "what is of no use any more is removed");
        assert_eq!(ids.clone().map(|it| kept.file(&it).exists()), [true, false]);
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
            let slot = kept.slot().expect("a place");
            kept.add(transfer, slot).expect("it is kept");
        }
        assert_eq!(kept.transfers.len(), CSV_TRANSFERS_KEPT_MAX);
        assert!(kept.transfers.values().all(|it| it.file_name != "0"));
    }

    /// Without a place for the record, as on a full disk, there is no transfer that would never end.
    #[test]
    fn what_cannot_be_written_down_takes_no_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut kept =
            Kept::read(folder.path().join("transfers"), Timestamp::from_millis(0)).expect("a folder");
        fs::remove_dir(&kept.folder).expect("it is empty");
        for _ in 0..=CSV_TRANSFERS_AT_ONCE_MAX {
            let slot = kept.slot().expect("a place");
            let transfer =
                Transfer::new(Timestamp::from_millis(1), TransferKind::StockExport, "stock.csv".to_owned());
            kept.add(transfer, slot).expect_err("there is no folder");
        }
        assert!(kept.transfers.is_empty());
    }

    #[test]
    fn a_file_that_is_looked_at_takes_a_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = Kept::read(folder.path().to_owned(), Timestamp::from_millis(0)).expect("a folder");
        let slots: Vec<Slot> =
            (0..CSV_TRANSFERS_AT_ONCE_MAX).map(|_| kept.slot().expect("a place")).collect();
        assert!(kept.slot().is_err());
        drop(slots);
        assert!(kept.slot().is_ok());
    }
}
