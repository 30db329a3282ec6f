//! Rebuilds the reverse entries and counters of a link from its rows, and finds rows that break its
//! constraints.

use std::collections::{BTreeMap, HashMap};

use atoll_storage::{KeyBuf, Neighbours, Span, WriteKeys, key_text, split_part, stored_version, version};

use crate::{
    Read, StoreError, Write,
    data::{Direction, Scan, Space},
    link::{Link, LinkRow, Side, cascade::deleted_group},
    query::Graph,
};

/// A stored row with its key.
pub(crate) struct Pair {
    /// The key without the prefix of the space.
    pub(crate) key: Vec<u8>,
    pub(crate) left: String,
    pub(crate) right: String,
    pub(crate) row: LinkRow,
}

impl Link {
    /// At most `n_max` rows after the one with this key.
    pub(crate) fn some_pairs(
        &self,
        tx: &dyn Read,
        after: Option<&[u8]>,
        n_max: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        let mut pairs = Vec::new();
        self.entries(tx, self.name, after, n_max, &mut |key, value| {
            let (left, right) = split_part(key).ok_or_else(|| self.unreadable(key))?;
            let right = String::from_utf8_lossy(right).into_owned();
            let row = self.decode(&left, value)?;
            pairs.push(Pair { key: key.to_vec(), left, right, row });
            Ok(())
        })?;
        Ok(pairs)
    }

    /// Enters at most `n_max` rows after the one with this key into the reverse entries and counters, which
    /// are empty before the first row. Cascades of deletions that were made while the link was not linked in
    /// are made up for. Returns the last key, and the number of rows.
    pub(crate) fn refill(
        &'static self,
        tx: &mut dyn Write,
        graph: &Graph,
        after: Option<&[u8]>,
        n_max: usize,
        rewrite: bool,
    ) -> Result<(Option<Vec<u8>>, usize), StoreError> {
        let pairs = self.some_pairs(tx, after, n_max)?;
        for Pair { left, right, row, .. } in &pairs {
            if let Some((side, deleted, other)) = self.deleted_end(tx, graph, left, right)? {
                let key = self.key(tx, Side::Left, left, right);
                tx.delete(key);
                if graph.table(self.end(side).entity).deleted_node(tx, deleted)?.is_some() {
                    let mut waiting = deleted_group(tx, self, side, deleted);
                    waiting.extend_from_slice(other.as_bytes());
                    tx.put(waiting, self.encode(row));
                } else {
                    tracing::warn!(
                        "link {}: {left} and {right}: one end is gone, and the row with it",
                        self.name
                    );
                }
                continue;
            }
            if rewrite {
                self.put(tx, left, right, row);
            }
            let key = self.key(tx, Side::Right, right, left);
            tx.put(key, Vec::new());
            self.count_pair(tx, left, right, 1)?;
        }
        Ok((pairs.last().map(|it| it.key.clone()), pairs.len()))
    }

    /// Rewrites, in the current version, at most `n_max` rows that soft deletions removed.
    pub(crate) fn rewrite_deleted(
        &self,
        tx: &mut dyn Write,
        after: Option<&[u8]>,
        n_max: usize,
    ) -> Result<(Option<Vec<u8>>, usize), StoreError> {
        let mut rows = Vec::new();
        self.entries(tx, self.deleted, after, n_max, &mut |key, value| {
            rows.push((key.to_vec(), value.to_vec()));
            Ok(())
        })?;
        for (key, bytes) in &rows {
            if stored_version(bytes) != version(self.history) {
                let row = self.as_of_now(&String::from_utf8_lossy(key), bytes)?;
                let key = KeyBuf::new(tx.prefix(self.deleted)).tail(key).into_bytes();
                tx.put(key, row);
            }
        }
        Ok((rows.last().map(|(key, _)| key.clone()), rows.len()))
    }

    /// Is this a row that [`Link::refill`] can enter? `key` is behind the prefix of the space.
    pub(crate) fn check_pair(
        &self,
        tx: &dyn Read,
        graph: &Graph,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), StoreError> {
        self.check_row(self.name, key, value)?;
        let (left, right) = split_part(key).ok_or_else(|| self.unreadable(key))?;
        if let Some((side, deleted, _)) =
            self.deleted_end(tx, graph, &left, &String::from_utf8_lossy(right))?
        {
            graph.table(self.end(side).entity).deleted_node(tx, deleted)?;
        }
        Ok(())
    }

    /// Does a row of this space decode, and do its columns hold what they should?
    pub(crate) fn check_row(&self, space: Space, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let row = self.decode(&key_text(key), value)?;
        let wrong =
            |it: &&crate::data::Column| row.data.get(it.name).is_some_and(|value| !it.kind.fits(value));
        match self.columns.iter().find(wrong) {
            None => Ok(()),
            Some(it) => Err(StoreError::Corrupt {
                space,
                key: key_text(key),
                reason: format!(
                    "its `{}` is {}, and should be {}",
                    it.name,
                    row.data[it.name],
                    it.kind.name()
                ),
            }),
        }
    }

    /// Records that have several partners and may have one: at most `n_max`, one sentence each.
    pub(crate) fn shared(&self, tx: &dyn Read, n_max: usize) -> Result<Vec<String>, StoreError> {
        let mut partners: BTreeMap<(bool, String), usize> = BTreeMap::new();
        let mut rights: HashMap<String, usize> = HashMap::new();
        let mut lefts: (String, usize) = Default::default();
        if self.left.many && self.right.many {
            return Ok(Vec::new());
        }
        self.entries(tx, self.name, None, usize::MAX, &mut |key, _| {
            let (left, right) = split_part(key).ok_or_else(|| self.unreadable(key))?;
            if !self.left.many {
                // The rows of one left record are adjacent.
                lefts.1 = if lefts.0 == left { lefts.1 + 1 } else { 1 };
                lefts.0.clone_from(&left);
                if lefts.1 > 1 {
                    partners.insert((true, left), lefts.1);
                }
            }
            if !self.right.many {
                let right = String::from_utf8_lossy(right).into_owned();
                let n = rights.entry(right.clone()).or_default();
                *n += 1;
                if *n > 1 {
                    partners.insert((false, right), *n);
                }
            }
            Ok(())
        })?;
        let say = |((is_left, id), n): ((bool, String), usize)| {
            let (own, other) = if is_left { (&self.left, &self.right) } else { (&self.right, &self.left) };
            format!(
                "link {} takes one {} for each {}, and {id} has {n}: change that with the previous program",
                self.name, other.entity, own.entity
            )
        };
        Ok(partners.into_iter().take(n_max).map(say).collect())
    }

    pub(crate) fn end(&self, side: Side) -> &crate::data::End {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    /// The end of a row whose record does not exist, if there is one, and the id at the other end.
    fn deleted_end<'a>(
        &self,
        tx: &dyn Read,
        graph: &Graph,
        left: &'a str,
        right: &'a str,
    ) -> Result<Option<(Side, &'a str, &'a str)>, StoreError> {
        for (side, id, other) in [(Side::Left, left, right), (Side::Right, right, left)] {
            if !graph.table(self.end(side).entity).has(tx, id)? {
                return Ok(Some((side, id, other)));
            }
        }
        Ok(None)
    }

    /// Visits at most `n_max` entries of a space of the link after this key, without the prefix of the space.
    fn entries(
        &self,
        tx: &dyn Read,
        space: Space,
        after: Option<&[u8]>,
        n_max: usize,
        visit: &mut Neighbours<'_>,
    ) -> Result<(), StoreError> {
        let prefix = tx.prefix(space);
        let mut span = Span::prefix(&prefix);
        if let Some(after) = after {
            span = span.beyond(&[&prefix[..], after].concat(), Direction::Ascending);
        }
        let mut n_left = n_max;
        tx.scan(&span, Direction::Ascending, &mut |key, value| {
            visit(&key[2..], value)?;
            n_left -= 1;
            Ok(if n_left > 0 { Scan::Continue(()) } else { Scan::Break(()) })
        })
    }

    pub(super) fn unreadable(&self, key: &[u8]) -> StoreError {
        StoreError::Corrupt { space: self.name, key: key_text(key), reason: "it names no two ends".into() }
    }
}
