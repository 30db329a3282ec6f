//! Walks: the records of a set in an order, at the cost of those that are shown, wherever they are in it.

use std::{cmp::Ordering, mem};

use crate::{
    Direction, NumberSet, Read, Scan, SortKey, StoreError,
    list_index::{
        ListIndex,
        blocks::OrderBlocks,
        orders::{BY_ID, Entry, Order, Place, Stretch, VisitNumber, value_of},
    },
};

/// Steps through the entries before blocks are looked at: where most records are in the set, a page is found
/// by then.
const N_STEPS_FIRST: usize = 64;

/// What is walked.
pub struct Walk<'a> {
    /// The records that are visited.
    pub set: &'a NumberSet,
    /// The field by which they are ordered; `None` for their ids.
    pub field: Option<&'a str>,
    /// The order.
    pub direction: Direction,
    /// The value and the id behind which the walk begins.
    pub after: Option<(&'a SortKey, &'a str)>,
    /// Records of the set that are passed before the first one is visited.
    pub n_skipped: u64,
    /// About how many are visited then.
    pub n_wanted: u64,
}

/// What looking up one record and its place costs, relative to one step through the entries.
pub const COST_OF_PLACE: u64 = 10;
/// The same in the order of the ids: the record itself is not read.
pub const COST_OF_ID: u64 = 3;

impl ListIndex {
    /// Visits the records of a set in the order of a field, or of their ids.
    ///
    /// Where they are rare, and the orders have blocks, the walk jumps from block to block. In a block with
    /// few of them they are looked up and sorted; else its entries are stepped through.
    pub fn walk(
        &self,
        tx: &dyn Read,
        walk: &Walk<'_>,
        visit: &mut VisitNumber<'_>,
    ) -> Result<(), StoreError> {
        if walk.set.is_empty() {
            return Ok(());
        }
        let order = self.order(tx, walk.field.unwrap_or(BY_ID));
        let after = walk.after.map(|(value, id)| order.place(value, id));
        let (n_skipped, n_left) = (walk.n_skipped, walk.set.len());
        let mut walking = Walking { tx, order: &order, walk, n_skipped, n_left, is_stopped: false, visit };
        match (walking.first_steps(after.as_deref())?, self.blocks_of(tx, &order)) {
            (Some(at), Some(blocks)) => walking.blocks(&blocks, &at),
            (Some(at), None) => walking.steps(&Stretch::default(), Some(&at), &mut Walking::step),
            (None, _) => Ok(()),
        }
    }
}

struct Walking<'w, 'v> {
    tx: &'w dyn Read,
    order: &'w Order<'w>,
    walk: &'w Walk<'w>,
    /// Records that are still to be passed, and not visited.
    n_skipped: u64,
    /// Records that have not been met.
    n_left: u64,
    is_stopped: bool,
    visit: &'w mut VisitNumber<'v>,
}

/// Blocks that are read together: one, or downwards all in which records with the same value are.
#[derive(Default)]
struct Unit {
    /// How many records it has.
    n_all: u64,
    /// Those of the set.
    found: NumberSet,
}

impl Walking<'_, '_> {
    /// The next record of the set.
    fn add(&mut self, id: &str, number: u32) -> Result<Scan, StoreError> {
        self.n_left -= 1;
        if self.n_skipped > 0 {
            self.n_skipped -= 1;
        } else {
            self.is_stopped = (self.visit)(id, number)?.is_break();
        }
        self.is_stopped |= self.n_left == 0;
        Ok(if self.is_stopped { Scan::Break(()) } else { Scan::Continue(()) })
    }

    /// Takes some steps; returns the place behind which the walk goes on, if there is more.
    fn first_steps(&mut self, after: Option<&[u8]>) -> Result<Option<Place>, StoreError> {
        let (mut n_steps, mut last) = (0, None);
        self.steps(&Stretch::default(), after, &mut |walking, entry| {
            n_steps += 1;
            let flow = walking.step(entry)?;
            if n_steps < N_STEPS_FIRST || flow.is_break() {
                return Ok(flow);
            }
            last = Some(walking.order.place_of_entry(entry));
            Ok(Scan::Break(()))
        })?;
        Ok(last)
    }

    fn step(&mut self, entry: &Entry<'_>) -> Result<Scan, StoreError> {
        match self.walk.set.contains(entry.number) {
            true => self.add(entry.id, entry.number),
            false => Ok(Scan::Continue(())),
        }
    }

    fn steps(
        &mut self,
        stretch: &Stretch,
        after: Option<&[u8]>,
        step: &mut dyn FnMut(&mut Self, &Entry<'_>) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        let (order, tx, direction) = (self.order, self.tx, self.walk.direction);
        order.entries(tx, stretch, after, direction, &mut |entry| step(self, entry)).map(drop)
    }

    /// Goes on from block to block.
    fn blocks(&mut self, blocks: &OrderBlocks<'_>, at: &[u8]) -> Result<(), StoreError> {
        let (tx, direction) = (self.tx, self.walk.direction);
        let (mut after, mut above, mut unit) = (Some(at), None, Unit::default());
        blocks.from(tx, at, direction, &mut |block| {
            unit.n_all += block.numbers.len();
            unit.found |= &block.numbers & self.walk.set;
            if direction == Direction::Descending && block.is_among_equals() {
                return Ok(Scan::Continue(()));
            }
            let (unit, begin, after) = (mem::take(&mut unit), block.begin, after.take());
            let high = above.replace(begin.clone());
            if unit.found.is_empty() || (after.is_none() && unit.found.len() <= self.n_skipped) {
                self.n_skipped -= unit.found.len();
                self.n_left -= unit.found.len();
                return Ok(Scan::Continue(()));
            }
            let high = match direction {
                Direction::Ascending => blocks.next(tx, &begin)?,
                Direction::Descending => high,
            };
            self.unit(&unit, &Stretch { low: begin, high }, after)?;
            Ok(if self.is_stopped { Scan::Break(()) } else { Scan::Continue(()) })
        })
    }

    /// Visits the records of one unit, those behind the place `after`, if one is given.
    fn unit(&mut self, unit: &Unit, stretch: &Stretch, after: Option<&[u8]>) -> Result<(), StoreError> {
        let cost = if self.order.is_by_id() { COST_OF_ID } else { COST_OF_PLACE };
        let (n_all, n_found) = (unit.n_all, unit.found.len());
        let n_met = self.n_skipped.saturating_add(self.walk.n_wanted).min(n_found);
        if n_found * cost < n_met * n_all / n_found {
            return self.looked_up(&unit.found, after);
        }
        // Some of them may be before the place.
        let mut n_left = unit.found.len();
        self.steps(stretch, after, &mut |walking, entry| {
            if !unit.found.contains(entry.number) {
                return Ok(Scan::Continue(()));
            }
            n_left -= 1;
            let flow = walking.add(entry.id, entry.number)?;
            Ok(if n_left == 0 { Scan::Break(()) } else { flow })
        })
    }

    /// Visits these records, those behind the place `after`, by looking up each of them.
    fn looked_up(&mut self, numbers: &NumberSet, after: Option<&[u8]>) -> Result<(), StoreError> {
        let mut found = Vec::new();
        for number in numbers {
            let Some(id) = self.order.index.id(self.tx, number)? else { continue };
            let place = match self.order.is_by_id() {
                true => self.order.place(&SortKey::Null, &id),
                false => match self.order.index.table.node(self.tx, &id)? {
                    Some(node) => self.order.place_of(&*node),
                    None => continue,
                },
            };
            if after.is_none_or(|after| self.compare(after, &place).is_lt()) {
                found.push((place, id, number));
            }
        }
        found.sort_by(|(a, ..), (b, ..)| self.compare(a, b));
        for (_, id, number) in found {
            if self.add(&id, number)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Which of two places the walk meets first: those with the same value by their ids, whichever way.
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        let by_value = value_of(a).cmp(value_of(b));
        let by_value = match self.walk.direction {
            Direction::Ascending => by_value,
            Direction::Descending => by_value.reverse(),
        };
        by_value.then_with(|| a.cmp(b))
    }
}
