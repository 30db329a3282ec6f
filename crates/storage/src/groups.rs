//! Spaces of pairs: a group and a member, without a value, counted per group. For projections.

use crate::{
    Direction, KeyBuf, Read, Scan, Space, Span, StoreError, Write, WriteKeys, add_to_group, group_count,
    space::own_space,
};

/// Pairs of a group and a member, as in an index over records: `reviews of a product`.
pub struct Groups {
    space: Space,
}

impl Groups {
    /// The pairs in this space, whose name has a dot, and which a projection or a module must have in its
    /// `spaces`. In a constant it is checked by the compiler.
    ///
    /// # Panics
    /// If the name is that of a table or link.
    pub const fn new(space: Space) -> Groups {
        Groups { space: own_space(space) }
    }

    fn key(&self, tx: &dyn Read, group: &str, member: &str) -> Vec<u8> {
        KeyBuf::new(tx.prefix(self.space)).part(group).tail(member.as_bytes()).into_bytes()
    }

    /// Is the member in the group? Reads one key.
    pub fn contains(&self, tx: &dyn Read, group: &str, member: &str) -> Result<bool, StoreError> {
        Ok(tx.get(&self.key(tx, group, member))?.is_some())
    }

    /// The number of members of a group. Reads one key.
    pub fn count(&self, tx: &dyn Read, group: &str) -> Result<u64, StoreError> {
        group_count(tx, self.space, &[group])
    }

    /// Adds the member to the group, or removes it. Writes nothing if that changes nothing.
    pub fn set(
        &self,
        tx: &mut dyn Write,
        group: &str,
        member: &str,
        is_member: bool,
    ) -> Result<(), StoreError> {
        if self.contains(tx, group, member)? == is_member {
            return Ok(());
        }
        let key = self.key(tx, group, member);
        if is_member {
            tx.put(key, Vec::new());
        } else {
            tx.delete(key);
        }
        add_to_group(tx, self.space, &[group], if is_member { 1 } else { -1 })
    }

    /// Calls `visit` with the members of a group after `after`, ascending.
    pub fn scan(
        &self,
        tx: &dyn Read,
        group: &str,
        after: Option<&str>,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        let prefix = self.key(tx, group, "");
        let mut span = Span::prefix(&prefix);
        if let Some(after) = after {
            span = span.beyond(&self.key(tx, group, after), Direction::Ascending);
        }
        tx.scan(&span, Direction::Ascending, &mut |key, _| {
            visit(&String::from_utf8_lossy(&key[prefix.len()..]))
        })
    }
}
