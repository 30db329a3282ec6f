//! Errors of the store.

use crate::Halt;

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
    /// A commit failed, or the store was closed. No further writes are accepted.
    #[error("store has stopped: {0}")]
    Stopped(String),
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
