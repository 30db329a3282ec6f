//! The commit log of a store that several hosts share: the order of all commits, outside of each of them.
//!
//! One host leads: it runs all transactions and appends each commit to the log before anybody sees it. The
//! others follow: they apply the entries in their order. Each host keeps a replica in an engine of its own
//! and reads from it; what counts is the log.

use std::ops::ControlFlow;

use sha2::{Digest as _, Sha256};

use crate::{Changes, Direction, Position, Raw, Span, StoreError, checksum, format::Checksums};

/// A commit in the log. It is made by [`Entry::new`], or read back by [`Entry::check`]: either way its chain
/// is that of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its number.
    pub position: Position,
    /// The chain of the commit before it.
    pub before: Chain,
    /// Its own.
    pub chain: Chain,
    /// The changed keys with their values as they are stored, checksums and position included, by one form of
    /// writing them down.
    pub bytes: Vec<u8>,
}

impl Entry {
    /// The commit of these changes after the one with this chain.
    pub fn new(before: Chain, position: Position, changes: &Changes) -> Entry {
        let bytes = encode(changes);
        Entry { position, before, chain: before.then(&bytes), bytes }
    }

    /// An entry as a log holds it. None: it is not the one with this chain after the one before it.
    pub fn check(before: Chain, position: Position, chain: Chain, bytes: Vec<u8>) -> Option<Entry> {
        (before.then(&bytes) == chain).then_some(Entry { position, before, chain, bytes })
    }

    /// What these entries, each the next one after the one before, change together in a replica: the chain of
    /// the last is a part of it. None if there are none.
    pub fn merge(entries: &[Entry]) -> Result<Option<Changes>, StoreError> {
        let Some(last) = entries.last() else { return Ok(None) };
        let mut changes = Changes::new();
        for entry in entries {
            // One by one: `append` would rebuild the whole map for each of them.
            changes.extend(decode(&entry.bytes)?);
        }
        changes.extend([last.chain.entry()]);
        Ok(Some(changes))
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

    /// The chain that begins with what a snapshot holds, whatever chain it has: that of a store which was of
    /// one host until now.
    pub fn of_content(raw: &dyn Raw) -> Result<Chain, StoreError> {
        let mut digest = Sha256::new();
        let mut add = |key: &[u8], value: &[u8]| {
            if key != KEY {
                for part in [key, value] {
                    digest.update((part.len() as u64).to_le_bytes());
                    digest.update(part);
                }
            }
            Ok(ControlFlow::Continue(()))
        };
        raw.scan(&Span::prefix(&[]), Direction::Ascending, &mut add, &mut |_, _| Ok(()))?;
        Ok(Chain(digest.finalize().into()))
    }

    /// The chain after one more commit.
    fn then(self, changes: &[u8]) -> Chain {
        Chain(Sha256::new().chain_update(self.0).chain_update(changes).finalize().into())
    }

    /// What a replica stores with the commit, its key and its value. It is no part of the entry, whose digest
    /// it is.
    pub fn entry(self) -> (Vec<u8>, Option<Vec<u8>>) {
        let mut value = self.0.to_vec();
        checksum::append(&KEY, &mut value);
        (KEY.to_vec(), Some(value))
    }
}

/// What marks a replica as at this commit, whatever commit its keys are of. Before the first one there is no
/// mark.
pub fn marked(position: Position, chain: Chain) -> Changes {
    let (key, mut number) = position.entry();
    number.iter_mut().for_each(|it| checksum::append(&key, it));
    let (chain_key, digest) = chain.entry();
    Changes::from([
        (key, number.filter(|_| position != Position::default())),
        (chain_key, digest.filter(|_| chain != Chain::default())),
    ])
}

/// A log, as the host that leads sees it. The writer's thread calls it, and waits for it.
pub trait CommitLog: Send + 'static {
    /// Appends an entry. On `Ok` it is durable, and no other entry has its position.
    fn append(&mut self, entry: &Entry) -> Result<(), AppendError>;
}

/// Why an entry was not appended, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Nothing was written, since another host leads.
    #[error("nothing was written: {0}")]
    Refused(String),
    /// Nothing was written, and this host leads on: it is about this entry.
    #[error("nothing was written: {0}")]
    Failed(String),
    /// The entry may be in the log or not. This host leads no more.
    #[error("it is not known whether it was written: {0}")]
    Unknown(String),
}

/// Changes as bytes, of which there is one form: the number of keys, then each with its value, their lengths
/// before them. A deletion has no value; lengths of values are one more than they are, and zero is none.
fn encode(changes: &Changes) -> Vec<u8> {
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
fn decode(bytes: &[u8]) -> Result<Changes, StoreError> {
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
        let first = Entry::new(Chain::default(), Position(1), &one);
        let second = Entry::new(first.chain, Position(2), &one);
        let lost = Entry::new(Chain::default(), Position(1), &other);
        let check = |before: &Entry, bytes: &[u8]| {
            Entry::check(before.chain, second.position, second.chain, bytes.to_vec()).is_some()
        };
        assert!(check(&first, &second.bytes));
        assert!(!check(&lost, &second.bytes), "the one before it was another");
        assert!(!check(&first, &lost.bytes), "it is another");
    }
}
