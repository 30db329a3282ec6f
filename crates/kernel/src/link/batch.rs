//! Many pairs of one record at once (bulk): each key space is read and written in its order, and projections
//! see all of the pairs together.

use std::collections::{BTreeSet, HashSet};

use atoll_storage::{WriteKeys, get_each};
use serde_json::Map;

use super::{Link, LinkError, LinkRecord, LinkRow, Side, by_side, cascade::deleted_group};
use crate::{Moment, Read, Registry, StoreError, Write, data::Change, projection::announce_all};

/// Pairs that are written together, so that their rows need not all be in memory twice.
pub(super) const N_TOGETHER_MAX: usize = 4096;

impl Link {
    /// Links a record of one end with each of `others`, in the default columns; pairs that exist stay as they
    /// are. Does what [`Link::attach`] does for each.
    pub fn attach_all(
        &'static self,
        tx: &mut dyn Write,
        at: &Moment,
        side: Side,
        id: &str,
        others: &[String],
    ) -> Result<(), LinkError> {
        if !(self.left.many && self.right.many) {
            // Whether an end has a partner already is asked pair by pair, and such ends have few.
            for other in others {
                let (left, right) = by_side(side, id, other.as_str());
                self.attach(tx, at, left, right, Map::new())?;
            }
            return Ok(());
        }
        self.check_ends(tx, side, id, others)?;
        for some in in_order(others).chunks(N_TOGETHER_MAX) {
            let are_linked = self.are_linked(tx, side, id, some)?;
            let new = some.iter().zip(are_linked).filter(|(_, is_linked)| !is_linked);
            let new = new.map(|(other, _)| {
                let (left, right) = by_side(side, id, *other);
                self.record(left, right, self.new_row(at, Map::new()))
            });
            let new: Vec<_> = new.collect();
            self.enter_all(tx, at, &new)?;
        }
        Ok(())
    }

    /// Removes the pairs of a record of one end with `others`, and no record.
    pub fn detach_all(
        &'static self,
        tx: &mut dyn Write,
        at: &Moment,
        side: Side,
        id: &str,
        others: &[String],
    ) -> Result<(), StoreError> {
        for some in in_order(others).chunks(N_TOGETHER_MAX) {
            let pairs = self.pairs_with(tx, side, id, some)?;
            self.leave_all(tx, at, &pairs)?;
        }
        Ok(())
    }

    /// As [`Link::detach_all`], and keeps the rows with the soft-deleted record of this end.
    pub(super) fn put_aside(
        &'static self,
        tx: &mut dyn Write,
        at: &Moment,
        side: Side,
        id: &str,
        others: &[String],
    ) -> Result<(), StoreError> {
        for some in in_order(others).chunks(N_TOGETHER_MAX) {
            let pairs = self.pairs_with(tx, side, id, some)?;
            let group = deleted_group(tx, self, side, id);
            for it in &pairs {
                let other = by_side(side, &it.left, &it.right).1;
                tx.put([&group, other.as_bytes()].concat(), self.encode(&it.row));
            }
            self.leave_all(tx, at, &pairs)?;
        }
        Ok(())
    }

    fn pairs_with(
        &'static self,
        tx: &dyn Read,
        side: Side,
        id: &str,
        others: &[&str],
    ) -> Result<Vec<LinkRecord>, StoreError> {
        let each = others.iter().zip(self.rows_with(tx, side, id, others)?);
        let pairs = each.filter_map(|(other, row)| {
            let (left, right) = by_side(side, id, *other);
            Some(self.record(left, right, row?))
        });
        Ok(pairs.collect())
    }

    /// Is a record of one end linked to each of `others`? These must ascend.
    pub fn are_linked(
        &self,
        tx: &dyn Read,
        side: Side,
        id: &str,
        others: &[&str],
    ) -> Result<Vec<bool>, StoreError> {
        let mut are_linked = vec![false; others.len()];
        if self.is_on() {
            let keys: Vec<_> = others.iter().map(|other| self.key(tx, side, id, other)).collect();
            get_each(tx, &keys, &mut |n, _| {
                are_linked[n] = true;
                Ok(())
            })?;
        }
        Ok(are_linked)
    }

    /// The rows of the pairs of a record of one end with `others`, which must ascend.
    pub fn rows_with(
        &self,
        tx: &dyn Read,
        side: Side,
        id: &str,
        others: &[&str],
    ) -> Result<Vec<Option<LinkRow>>, StoreError> {
        let mut rows = vec![None; others.len()];
        if self.is_on() {
            let key = |other: &&str| {
                let (left, right) = by_side(side, id, *other);
                self.key(tx, Side::Left, left, right)
            };
            let keys: Vec<_> = others.iter().map(key).collect();
            get_each(tx, &keys, &mut |n, value| {
                rows[n] = Some(self.decode(by_side(side, id, others[n]).0, value)?);
                Ok(())
            })?;
        }
        Ok(rows)
    }

    /// Checks that the record and all of the others exist; of those that do not, the error names the first.
    fn check_ends(&self, tx: &dyn Read, side: Side, id: &str, others: &[String]) -> Result<(), LinkError> {
        if !self.is_on() {
            return Err(LinkError::Off(self.name));
        }
        let (own, other) = by_side(side, &self.left, &self.right);
        let [own, other] = [own, other].map(|end| Registry::graph().table(end.entity));
        let no_end = |label: String, id: &str| LinkError::NoEnd { label, id: id.to_owned() };
        let ids = in_order(others);
        let exist = other.have(tx, &ids)?;
        let gone = ids.into_iter().zip(exist).filter(|(_, is_there)| !is_there);
        let gone: HashSet<&str> = gone.map(|(id, _)| id).collect();
        if !others.is_empty() && !own.has(tx, id)? {
            return Err(no_end(own.def().words(), id));
        }
        match others.iter().find(|it| gone.contains(it.as_str())) {
            Some(gone) => Err(no_end(other.def().words(), gone)),
            None => Ok(()),
        }
    }

    /// Stores new pairs.
    pub(super) fn enter_all(
        &'static self,
        tx: &mut dyn Write,
        at: &Moment,
        pairs: &[LinkRecord],
    ) -> Result<(), StoreError> {
        for it in pairs {
            self.put(tx, &it.left, &it.right, &it.row);
        }
        for it in pairs {
            let key = self.key(tx, Side::Right, &it.right, &it.left);
            tx.put(key, Vec::new());
        }
        self.count_all(tx, pairs, 1)?;
        let changes = pairs.iter().map(|it| Change { of: self.name, before: None, after: Some(it) });
        announce_all(tx, at, &changes.collect::<Vec<_>>())
    }

    /// Removes pairs that are stored.
    pub(super) fn leave_all(
        &'static self,
        tx: &mut dyn Write,
        at: &Moment,
        pairs: &[LinkRecord],
    ) -> Result<(), StoreError> {
        for it in pairs {
            let keys = [
                self.key(tx, Side::Left, &it.left, &it.right),
                self.key(tx, Side::Right, &it.right, &it.left),
            ];
            keys.into_iter().for_each(|key| tx.delete(key));
        }
        self.count_all(tx, pairs, -1)?;
        let changes = pairs.iter().map(|it| Change { of: self.name, before: Some(it), after: None });
        announce_all(tx, at, &changes.collect::<Vec<_>>())
    }

    /// Adds to the counters of the end that is counted; once for all pairs of a record that stand together.
    fn count_all(&self, tx: &mut dyn Write, pairs: &[LinkRecord], by: i64) -> Result<(), StoreError> {
        let Some(side) = self.counted else { return Ok(()) };
        let is_same = |a: &LinkRecord, b: &LinkRecord| match side {
            Side::Left => a.left == b.left,
            Side::Right => a.right == b.right,
        };
        for same in pairs.chunk_by(is_same) {
            let n = i64::try_from(same.len()).expect("as many as are in memory");
            self.count_pair(tx, &same[0].left, &same[0].right, by * n)?;
        }
        Ok(())
    }
}

/// The ids in the order of their keys, each once.
fn in_order(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).collect::<BTreeSet<_>>().into_iter().collect()
}
