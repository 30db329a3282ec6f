//! The records at one end of a link as a set of ids, for queries.

use super::{Link, Side, by_side};
use crate::{
    Read, StoreError,
    data::{Direction, Scan, group_count},
    query::Ids,
};

/// The set of ids at one end that a record at the other end is linked to.
pub struct OtherEnd {
    link: &'static Link,
    side: Side,
    id: String,
}

impl Link {
    /// The rights of `left`, as a set for queries.
    pub fn rights_set(&'static self, left: String) -> OtherEnd {
        OtherEnd { link: self, side: Side::Left, id: left }
    }

    /// The lefts of `right`, as a set for queries.
    pub fn lefts_set(&'static self, right: String) -> OtherEnd {
        OtherEnd { link: self, side: Side::Right, id: right }
    }
}

impl Ids for OtherEnd {
    fn count(&self, view: &dyn Read) -> Result<u64, StoreError> {
        match self.is_counted() {
            true => group_count(view, self.link.space(self.side), &[&self.id]),
            false => self.count_up_to(view, u64::MAX),
        }
    }

    fn is_counted(&self) -> bool {
        self.link.counted == Some(self.side)
    }

    fn scan(
        &self,
        view: &dyn Read,
        after: Option<&str>,
        order: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        self.link.scan(view, self.side, &self.id, after, order, visit)
    }

    fn contains(&self, view: &dyn Read, id: &str) -> Result<bool, StoreError> {
        let (left, right) = by_side(self.side, self.id.as_str(), id);
        self.link.has(view, left, right)
    }
}
