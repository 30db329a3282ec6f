//! Spaces: named sets of keys, and the directory that assigns each a prefix of two bytes.

use std::{collections::HashMap, ops::ControlFlow, sync::Arc};

use rustc_hash::FxBuildHasher;

use crate::{Changes, Direction, KeyBuf, Read, Span, StoreError};

/// The name of a set of keys: a table, an index, a link. Its keys begin with two bytes that the directory
/// assigns when the database is first opened with the name.
pub type Space = &'static str;

/// The space of slots or groups: `review.seen`, a name with a dot. Those without one are the rows of tables
/// and links, and those with these ends what else belongs to them: they are written as rows and pairs only.
pub(crate) const fn own_space(space: Space) -> Space {
    let (bytes, mut has_dot, mut at) = (space.as_bytes(), false, 0);
    while at < bytes.len() {
        has_dot |= bytes[at] == b'.';
        at += 1;
    }
    assert!(has_dot, "the space of slots or groups has a name with a dot: `review.seen`");
    assert!(
        !ends_with(bytes, b".deleted") && !ends_with(bytes, b".reverse"),
        "spaces of this name hold the rows of a table or link"
    );
    space
}

const fn ends_with(text: &[u8], end: &[u8]) -> bool {
    match text.split_at_checked(text.len().saturating_sub(end.len())) {
        Some((_, last)) => is_same(last, end),
        None => false,
    }
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let (is_same, mut at) = (one.len() == other.len(), 0);
    while is_same && at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    is_same
}

/// The space of the directory: prefixes by name.
pub(crate) const DIRECTORY: [u8; 2] = [0, 0];

/// Of spaces that were never registered: no key begins with it.
const UNASSIGNED: [u8; 2] = [0xFF; 2];

/// All prefixes that are assigned, by the names of their spaces.
fn assigned(tx: &dyn Read) -> Result<HashMap<String, [u8; 2]>, StoreError> {
    let mut assigned = HashMap::new();
    tx.scan(&Span::prefix(&DIRECTORY), Direction::Ascending, &mut |key, value| {
        // No name begins with a NUL: such keys are about the store as a whole (see `format.rs`).
        if key.get(2) != Some(&0) {
            let name = String::from_utf8_lossy(&key[2..]).into_owned();
            let prefix = value.try_into().map_err(|_| StoreError::Corrupt {
                space: "directory",
                key: name.clone(),
                reason: format!("a prefix of {} bytes", value.len()),
            })?;
            assigned.insert(name, prefix);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(assigned)
}

/// The prefixes of the spaces that the store was opened with. Each key that is read or written looks one up,
/// and the names are those of the program: the hash need not resist an attacker.
#[derive(Clone, Debug)]
pub(crate) struct Directory(Arc<HashMap<Space, [u8; 2], FxBuildHasher>>);

impl Directory {
    /// The prefixes of `spaces` in a snapshot. One that is new to it has no keys there.
    pub(crate) fn of(tx: &dyn Read, spaces: &[Space]) -> Result<Self, StoreError> {
        let assigned = assigned(tx)?;
        let prefix = |space: Space| assigned.get(space).copied().unwrap_or(UNASSIGNED);
        Ok(Directory(Arc::new(spaces.iter().map(|space| (*space, prefix(space))).collect())))
    }

    /// The changes that register those of `spaces` that are new.
    pub(crate) fn register(tx: &dyn Read, spaces: &[Space]) -> Result<Changes, StoreError> {
        let mut assigned = assigned(tx)?;
        let mut last = assigned.values().max().map_or(0, |it| u16::from_be_bytes(*it));
        let mut changes = Changes::default();
        for &space in spaces {
            assigned.entry(space.to_owned()).or_insert_with(|| {
                last += 1;
                let prefix = last.to_be_bytes();
                assert_ne!(prefix, UNASSIGNED, "fewer than 65,535 spaces");
                let key = KeyBuf::new(DIRECTORY).tail(space.as_bytes()).into_bytes();
                changes.insert(key, Some(prefix.to_vec()));
                prefix
            });
        }
        Ok(changes)
    }

    /// Whether these changes register a space.
    pub(crate) fn is_changed_by(changes: &Changes) -> bool {
        // It comes first, and what is about the store as a whole first in it.
        changes.keys().take_while(|it| it.starts_with(&DIRECTORY)).any(|it| it.get(2) != Some(&0))
    }

    /// An empty directory, to read the directory itself.
    pub(crate) fn none() -> Self {
        Directory(Arc::default())
    }

    /// The name of the space of a key, for an error.
    pub(crate) fn name(&self, key: &[u8]) -> Space {
        let found = self.0.iter().find(|(_, prefix)| key.starts_with(*prefix));
        found.map_or(if key.starts_with(&DIRECTORY) { "directory" } else { "unknown" }, |(space, _)| space)
    }

    pub(crate) fn prefix(&self, space: Space) -> [u8; 2] {
        match self.0.get(space) {
            Some(prefix) => *prefix,
            None => panic!("space `{space}` is not registered with this store"),
        }
    }
}
