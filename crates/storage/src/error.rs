//! What can go wrong below the records.

use crate::Halt;

/// A storage failure. Any of them aborts the transaction; `Stopped` is the end of the process.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine failed to read or write.
    #[error("storage engine: {0}")]
    Engine(String),
    /// A stored value does not read back.
    #[error("corrupt record `{key}` in `{space}`: {reason}")]
    Corrupt {
        /// The name of the space.
        space: &'static str,
        /// The key, as far as it is text.
        key: String,
        /// What the decoder said.
        reason: String,
    },
    /// The data is not in a format that this program can read; the text is a sentence for whoever runs it.
    #[error("the data cannot be used: {0}")]
    Format(String),
    /// The body of the transaction panicked; nothing of it was written.
    #[error("transaction panicked: {0}")]
    Panicked(String),
    /// The request may read no further. This is no failure of the store.
    #[error("{0}")]
    Halted(Halt),
    /// A commit failed, or the store was closed: nothing is written any more.
    #[error("store has stopped: {0}")]
    Stopped(String),
}
