//! Errors of the store.

use crate::{AppendError, Halt, Position};

/// An error of the store. Every error aborts the transaction; after `Stopped` the process must end.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// An I/O error of the engine.
    #[error("storage engine: {0}")]
    Engine(String),
    /// A stored value cannot be deserialised, or its checksum is wrong.
    #[error("corrupt record `{key}` in `{space}`: {reason}")]
    Corrupt {
        /// The name of the space.
        space: &'static str,
        /// The key in readable form.
        key: String,
        /// The error of the decoder.
        reason: String,
    },
    /// The data has an unsupported format. The text is a sentence for operators.
    #[error("the data cannot be used: {0}")]
    Format(String),
    /// The body of the transaction panicked. Nothing of it was written.
    #[error("transaction panicked: {0}")]
    Panicked(String),
    /// The request exceeded a limit, timed out or was cancelled. The store is fine.
    #[error("{0}")]
    Halted(Halt),
    /// Nothing was written: transactions run at another host, or the log was not to be reached.
    #[error("nothing was written: {0}")]
    NotWritten(String),
    /// Nothing was written: the log has refused this commit, and takes others.
    #[error("the log has refused this commit: {0}")]
    Refused(String),
    /// It is not known whether the transaction was written: the log did not answer.
    #[error("it is not known whether this was written: {0}")]
    Unknown(String),
    /// The entry of the log at this position does not follow on what this replica holds.
    #[error("the commit {position} of the log does not follow on those of this replica")]
    Diverged {
        /// The position of the entry.
        position: Position,
    },
    /// A commit failed, or the store was closed. No further writes are accepted.
    #[error("store has stopped: {0}")]
    Stopped(String),
}

impl StoreError {
    /// Whether it is about the log that hosts share: the engine of this one is well.
    pub(crate) fn is_of_log(&self) -> bool {
        matches!(
            self,
            StoreError::NotWritten(_)
                | StoreError::Refused(_)
                | StoreError::Unknown(_)
                | StoreError::Diverged { .. }
        )
    }
}

impl From<AppendError> for StoreError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Refused(why) => StoreError::NotWritten(why),
            AppendError::Failed(why) => StoreError::Refused(why),
            AppendError::Unknown(why) => StoreError::Unknown(why),
        }
    }
}

/// For jobs that go over many records: a damaged one is logged, with its space and key, and left out.
/// Otherwise it would stop the job each time, and the other records would never get their turn.
pub fn skip_damaged<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error @ StoreError::Corrupt { .. }) => {
            tracing::error!(%error, "a damaged record was skipped");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
