//! The commit log of a store that several hosts share: the order of all commits, outside of each of them.
//!
//! One host leads: it runs all transactions and appends each commit to the log before anybody sees it. The
//! others follow: they apply the entries in their order. Each host keeps a replica in an engine of its own
//! and reads from it; what counts is the log.

use sha2::{Digest as _, Sha256};

use crate::{Changes, Position, Raw, StoreError, checksum, format::Checksums};

/// A commit in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub position: Position,
    /// Which commits lie before it.
    pub chain: Chain,
    /// The changed keys with their values as they are stored, checksums and position included.
    pub changes: Changes,
}

impl Entry {
    /// The commit of `changes` after the one with this chain.
    pub fn new(before: Chain, position: Position, changes: Changes) -> Entry {
        let chain = before.then(&encode(&changes));
        Entry { position, chain, changes }
    }

    /// What these entries, each the next one after the one before, change together in a replica: the chain of
    /// the last is a part of it. None if there are none.
    pub fn merge(entries: Vec<Entry>) -> Option<(Position, Chain, Changes)> {
        let mut entries = entries.into_iter();
        let Entry { mut position, mut chain, mut changes } = entries.next()?;
        for next in entries {
            (position, chain) = (next.position, next.chain);
            changes.extend(next.changes);
        }
        changes.extend([chain.entry()]);
        Some((position, chain, changes))
    }

    /// Whether it is the next one after a commit with this position and this chain.
    pub(crate) fn is_after(&self, position: Position, chain: Chain) -> bool {
        self.position == position.next() && self.chain == chain.then(&encode(&self.changes))
    }
}

/// The digest of a commit and of all before it: two stores with the same chain have seen the same commits.
/// Where a log has lost some and goes on with others, the position is the same, and the chain is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain(pub [u8; 32]);

/// Key of the chain. It lies in the directory of spaces, where no name begins with a NUL.
const KEY: [u8; 8] = *b"\0\0\0chain";

impl Chain {
    /// The chain of a snapshot: zeros before the first commit to a log.
    pub(crate) fn of(raw: &dyn Raw, checksums: &Checksums) -> Result<Chain, StoreError> {
        let Some(stored) = raw.get(&KEY, &mut |_, _| Ok(()))? else { return Ok(Chain::default()) };
        let found = checksums.check(&KEY, &stored).and_then(|it| it.try_into().ok());
        found.map(Chain).ok_or_else(|| StoreError::Corrupt {
            space: "directory",
            key: "chain".into(),
            reason: "the chain of commits does not read back".into(),
        })
    }

    /// The chain after one more commit.
    fn then(self, changes: &[u8]) -> Chain {
        Chain(Sha256::new().chain_update(self.0).chain_update(changes).finalize().into())
    }

    /// What a replica stores with the commit. It is no part of the entry, whose digest it is.
    pub(crate) fn entry(self) -> (Vec<u8>, Option<Vec<u8>>) {
        let mut value = self.0.to_vec();
        checksum::append(&KEY, &mut value);
        (KEY.to_vec(), Some(value))
    }
}

/// A log, as the host that leads sees it. The writer's thread calls it, and waits for it.
pub trait CommitLog: Send + 'static {
    /// Appends an entry. On `Ok` it is durable, and no other entry has its position.
    fn append(&mut self, entry: &Entry) -> Result<(), AppendError>;
}

/// Why an entry was not appended, or may not have been. The host leads no more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Nothing was written: another host leads, or the log was not asked.
    #[error("nothing was written: {0}")]
    Refused(String),
    /// The entry may be in the log or not.
    #[error("it is not known whether it was written: {0}")]
    Unknown(String),
}

/// Changes as bytes, of which there is one form: the number of keys, then each with its value, their lengths
/// before them. A deletion has no value; lengths of values are one more than they are, and zero is none.
pub fn encode(changes: &Changes) -> Vec<u8> {
    let n_bytes = changes.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len) + 8);
    let mut bytes = Vec::with_capacity(n_bytes.sum::<usize>() + 4);
    let length = |bytes: &mut Vec<u8>, n: usize| {
        let n = u32::try_from(n).expect("less than four gigabytes");
        bytes.extend_from_slice(&n.to_le_bytes());
    };
    length(&mut bytes, changes.len());
    for (key, value) in changes {
        length(&mut bytes, key.len());
        bytes.extend_from_slice(key);
        length(&mut bytes, value.as_ref().map_or(0, |it| it.len() + 1));
        bytes.extend_from_slice(value.as_deref().unwrap_or_default());
    }
    bytes
}

/// The changes that these bytes encode. Errors: they encode none.
pub fn decode(bytes: &[u8]) -> Result<Changes, StoreError> {
    let mut reader = Reader(bytes);
    let changes = reader.changes().filter(|_| reader.0.is_empty());
    changes.ok_or_else(|| StoreError::Engine("an entry of the commit log does not read back".into()))
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn changes(&mut self) -> Option<Changes> {
        let mut changes = Changes::new();
        for _ in 0..self.length()? {
            let n_key = self.length()?;
            let key = self.take(n_key)?;
            let value = match self.length()? {
                0 => None,
                n => Some(self.take(n - 1)?),
            };
            changes.insert(key, value);
        }
        Some(changes)
    }

    fn length(&mut self) -> Option<usize> {
        let (n, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        usize::try_from(u32::from_le_bytes(*n)).ok()
    }

    fn take(&mut self, n: usize) -> Option<Vec<u8>> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(values: &[(&str, Option<&str>)]) -> Changes {
        let bytes = |it: &str| it.as_bytes().to_vec();
        values.iter().map(|(key, value)| (bytes(key), value.map(bytes))).collect()
    }

    #[test]
    fn changes_read_back_and_nothing_else_does() {
        let all = changes(&[("", Some("")), ("a", None), ("b", Some("x"))]);
        let bytes = encode(&all);
        assert_eq!(decode(&bytes).expect("changes"), all);
        assert_eq!(decode(&encode(&Changes::new())).expect("changes"), Changes::new());
        for n in 0..bytes.len() {
            assert!(decode(&bytes[..n]).is_err(), "{n} bytes of it");
        }
        assert!(decode(&[bytes.as_slice(), b"x"].concat()).is_err());
    }

    #[test]
    fn chain_tells_apart_what_was_committed_before() {
        let (one, other) = (changes(&[("a", Some("1"))]), changes(&[("a", None)]));
        let first = Entry::new(Chain::default(), Position(1), one.clone());
        assert!(first.is_after(Position(0), Chain::default()));
        assert!(!first.is_after(Position(1), Chain::default()) && !first.is_after(Position(0), first.chain));
        let second = Entry::new(first.chain, Position(2), one.clone());
        assert!(second.is_after(Position(1), first.chain));
        let lost = Entry::new(Chain::default(), Position(1), other);
        assert!(!second.is_after(Position(1), lost.chain), "the one before it was another");
    }
}
