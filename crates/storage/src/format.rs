//! The format version of the store, which the database holds, and the migration from the one before.
//!
//! 1: values without checksums, by Atoll 0.1 up to the end of November 2026. 2: each value is followed by its
//! checksum. 3: records are without the names of their fields; those that are stored with names stay so until
//! they are written.

use std::{ops::ControlFlow, sync::Arc};

use crate::{Changes, Direction, Engine, Raw, Span, StoreError, checksum, key_text, space::DIRECTORY};

/// The format version that this program writes.
pub const STORE_FORMAT: u16 = 3;

/// Key of the format version. It lies in the directory of spaces, where no name begins with a NUL.
const KEY: [u8; 9] = *b"\0\0\0format";

/// Batch size in keys. The changes of a batch are held in memory, some megabytes.
const N_BATCH: usize = 20_000;

/// Which values have a checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checksums {
    /// All.
    All,
    /// Those up to this key: the cursor of a migration from format 1 that was interrupted.
    UpTo(Arc<[u8]>),
}

impl Checksums {
    /// Reads the format version of a snapshot. Errors: a newer or a damaged one.
    pub(crate) fn of(raw: &dyn Raw) -> Result<Checksums, StoreError> {
        if let Some(stored) = raw.get(&KEY, &mut |_, _| Ok(()))? {
            let value = checksum::check(&KEY, &stored).ok_or_else(|| damaged("its checksum is wrong"))?;
            let (number, rest) = value.split_first_chunk().ok_or_else(|| damaged("it is too short"))?;
            let number = u16::from_be_bytes(*number);
            return match rest.split_first() {
                _ if number > STORE_FORMAT => Err(StoreError::Format(format!(
                    "it is in the store format {number}, and this program knows those up to {STORE_FORMAT}: \
                     it was written by a newer version of Atoll"
                ))),
                None => Ok(Checksums::All),
                Some((_, last)) => Ok(Checksums::UpTo(last.into())),
            };
        }
        let mut is_empty = true;
        let mut is_first = true;
        // Without a version the store is empty or in format 1, where the values of the directory have two
        // bytes.
        raw.scan(
            &Span::prefix(&[]),
            Direction::Ascending,
            &mut |key, value| {
                is_empty = false;
                is_first &= !key.starts_with(&DIRECTORY) || value.len() == 2;
                let goes_on = key.starts_with(&DIRECTORY) && is_first;
                Ok(if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
            },
            &mut |_, _| Ok(()),
        )?;
        match (is_empty, is_first) {
            (true, _) => Ok(Checksums::All),
            (false, true) => Ok(Checksums::UpTo([].into())),
            (false, false) => Err(damaged("it is not there")),
        }
    }

    /// Verifies a stored value and strips its checksum, if it has one; `None` if it is wrong.
    pub(crate) fn check<'a>(&self, key: &[u8], stored: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Checksums::UpTo(last) if *key > **last && key != KEY => Some(stored),
            _ => checksum::check(key, stored),
        }
    }
}

/// The format version of a snapshot: 1 where none is stored.
pub(crate) fn number(raw: &dyn Raw) -> Result<u16, StoreError> {
    let stored = raw.get(&KEY, &mut |_, _| Ok(()))?;
    let number = stored.as_ref().and_then(|it| it.first_chunk());
    Ok(number.map_or(1, |it| u16::from_be_bytes(*it)))
}

/// Whether these changes are of the format version.
pub(crate) fn is_changed_by(changes: &Changes) -> bool {
    changes.contains_key(KEY.as_slice())
}

/// The entry with the current format version: all values have checksums.
pub(crate) fn current() -> (Vec<u8>, Vec<u8>) {
    (KEY.to_vec(), STORE_FORMAT.to_be_bytes().to_vec())
}

/// Migrates from format 1: adds a checksum to every value, in batches. Each batch stores a cursor, so that an
/// interrupted migration resumes.
pub(crate) fn add_checksums(engine: &mut impl Engine, last: &[u8]) -> Result<(), StoreError> {
    let mut last = last.to_vec();
    let n_all = engine.snapshot()?.n_entries()?;
    let mut n_done = 0;
    loop {
        let mut changes = Changes::new();
        // All keys are longer than one byte.
        let span = Span { start: vec![0], end: None }.beyond(&last, Direction::Ascending);
        engine.snapshot()?.scan(
            &span,
            Direction::Ascending,
            &mut |key, value| {
                let mut value = value.to_vec();
                if key != KEY {
                    checksum::append(key, &mut value);
                    changes.insert(key.to_vec(), Some(value));
                }
                let is_full = changes.len() >= N_BATCH;
                Ok(if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            },
            &mut |_, _| Ok(()),
        )?;
        let n_changes = changes.len();
        let mut number = STORE_FORMAT.to_be_bytes().to_vec();
        if let Some((key, _)) = changes.last_key_value()
            && n_changes == N_BATCH
        {
            last.clone_from(key);
            number.push(0);
            number.extend_from_slice(&last);
        }
        checksum::append(&KEY, &mut number);
        changes.insert(KEY.to_vec(), Some(number));
        engine.commit(&changes)?;
        n_done += n_changes;
        if n_changes < N_BATCH {
            tracing::info!(n_done, "every stored value has a checksum now");
            return Ok(());
        }
        tracing::info!(n_done, n_all, "adding checksums to stored values");
    }
}

fn damaged(reason: &str) -> StoreError {
    StoreError::Corrupt {
        space: "directory",
        key: key_text(&KEY[2..]),
        reason: format!("the number of the store's format: {reason}"),
    }
}
