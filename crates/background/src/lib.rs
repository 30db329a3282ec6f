//! Background tasks: the dispatcher of events to subscribers, the scheduler of jobs, workers, maintenance of
//! saga runs, retention, backups, exports, and the measuring of the disk. They wait while it has no room.

mod backup;
mod backup_elsewhere;
mod backup_folder;
mod cursor;
mod dead_letter;
mod disk;
mod dispatcher;
mod exports;
mod job_run;
mod jobs;
mod listeners;
mod one_at_a_time;
mod prune;
mod run;
mod runs;
mod scheduler;
mod storage;
mod subscribers;
mod verify;
mod workers;

use std::error::Error;

use atoll_kernel::{
    Fault,
    data::{Index, Module, Service},
    http::{ONCE_SPACES, with_causes},
    module,
    saga::EXECUTIONS,
};
use tokio::task::JoinError;

use cursor::CURSORS;
use job_run::PROGRESS;

pub use backup::{BackingUp, BackupStatus, backup_status, backups, start_backup};
pub use backup_folder::{BackupError, BackupFile, back_up, backups_in};
pub use cursor::position_of;
pub use dead_letter::{DeadLetter, Letters, Retried, delete_all, retry, retry_all};
pub use disk::measure_disk;
pub use exports::{
    ExportFault, ExportFolder, ExportStatus, Exporting, export_status, exported, exports, place_in,
    start_export,
};
pub use job_run::{JobRun, JobRunState};
pub use jobs::{JobAction, JobStatus, LastRun, job, job_run_counts, jobs};
pub use listeners::{Heard, listen};
pub use prune::prune;
pub use run::{Background, Pace, keep_measuring, maintain_runs, start};
pub use storage::{StorageStatus, storage};
pub use subscribers::{SubscriberStatus, subscribers};

const BY_SUBSCRIBER: Index<DeadLetter> =
    Index::counted("dead_letter.by_subscriber", &["subscriber"], |it, keys| keys.add(&[&it.subscriber]));

/// Written by the dispatcher when a subscriber failed too often.
pub static DEAD_LETTERS: Service<DeadLetter> = Service::new(&[BY_SUBSCRIBER]);

const BY_JOB: Index<JobRun> = Index::counted("job_run.by_job", &["job"], |it, keys| keys.add(&[&it.job]));

/// Runs of jobs, written by the scheduler.
pub static JOB_RUNS: Service<JobRun> = Service::new(&[BY_JOB]);

module! { Module {
    name: "background",
    summary: "Dead letters of events, and the runs of jobs and sagas",
    services: &[&DEAD_LETTERS, &JOB_RUNS, &EXECUTIONS],
    spaces: &[CURSORS.def(), PROGRESS.def(), ONCE_SPACES[0], ONCE_SPACES[1], ONCE_SPACES[2], ONCE_SPACES[3]],
    is_log: true,
    ..Module::EMPTY
} }

/// Why a plugin's function failed.
pub(crate) struct Failed {
    /// The text is stored and logged.
    why: String,
    /// Is another attempt in vain?
    is_for_good: bool,
}

/// The result of a plugin's function; a panic is an error like others. The token of the event is removed from
/// the text.
pub(crate) fn outcome(
    ended: Result<Result<(), Fault>, JoinError>,
    token: Option<&str>,
) -> Result<(), Failed> {
    let (why, is_for_good) = match ended {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(fault)) => (with_causes(&fault), fault.is_for_good()),
        Err(panic) => (panic.to_string(), false),
    };
    let why = cut(&token.map_or(why.clone(), |it| why.replace(it, "(token)")));
    Err(Failed { why, is_for_good })
}

/// An error with its causes, for the log and for admins, not for clients.
pub fn why(error: &(dyn Error + 'static)) -> String {
    cut(&with_causes(error))
}

fn cut(text: &str) -> String {
    const N_CHARS_MAX: usize = 2_000;
    text.chars().take(N_CHARS_MAX).collect()
}
