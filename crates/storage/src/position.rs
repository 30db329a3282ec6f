//! Positions: the number of each commit, which is stored with it. By it a backup, or whoever follows the
//! commits, says which state of the store it has.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Raw, StoreError, format::Checksums, key_text};

/// The number of a commit, in the order of commits, from 1 on; 0 before the first one that was counted:
/// earlier versions counted none. Every commit to the disk has one, also that of several transactions (group
/// commit), and that of a start which makes the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

/// Key of the position. It lies in the directory of spaces, where no name begins with a NUL.
const KEY: [u8; 11] = *b"\0\0\0position";

impl Position {
    /// The position of a snapshot.
    pub(crate) fn of(raw: &dyn Raw, checksums: &Checksums) -> Result<Position, StoreError> {
        let Some(stored) = raw.get(&KEY, &mut |_, _| Ok(()))? else { return Ok(Position::default()) };
        let value = checksums.check(&KEY, &stored).ok_or_else(|| damaged("its checksum is wrong"))?;
        let number = value.try_into().map_err(|_| damaged("it has not eight bytes"))?;
        Ok(Position(u64::from_be_bytes(number)))
    }

    /// The position of the commit after this one.
    pub fn next(self) -> Position {
        Position(self.0 + 1)
    }

    /// What is stored with the commit.
    pub(crate) fn entry(self) -> (Vec<u8>, Option<Vec<u8>>) {
        (KEY.to_vec(), Some(self.0.to_be_bytes().to_vec()))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn damaged(reason: &str) -> StoreError {
    StoreError::Corrupt {
        space: "directory",
        key: key_text(&KEY[2..]),
        reason: format!("the position of the last commit: {reason}"),
    }
}
