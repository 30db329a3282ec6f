//! Sorting the candidates of a list for one page: only the positions up to the end of the page are held in
//! memory, however many candidates there are.

use std::cmp::Ordering;

use atoll_storage::{Direction, Halt, SortKey, StoreError};
use atoll_values::limits::SORTED_BYTES_MAX;

use crate::cursor::{Position, Slice};

/// Fewer positions than this are not worth a selection.
const N_FEW: usize = 256;

/// The positions of a list up to the end of a page.
pub(crate) struct Sorting<'s> {
    slice: &'s Slice,
    direction: Direction,
    /// All that were added, those before the page included.
    count: u64,
    /// At least those of the page and of what it skips, in no order; at most twice as many.
    held: Vec<Position>,
    n_bytes: usize,
}

impl<'s> Sorting<'s> {
    pub(crate) fn new(slice: &'s Slice, direction: Direction) -> Self {
        Sorting { slice, direction, count: 0, held: Vec::new(), n_bytes: 0 }
    }

    /// Adds a candidate. Errors: the positions up to the page have more than [`SORTED_BYTES_MAX`].
    pub(crate) fn add(&mut self, position: Position) -> Result<(), StoreError> {
        self.count += 1;
        let after = self.slice.after.as_ref();
        if after.is_some_and(|after| position.order(after, self.direction) != Ordering::Greater) {
            return Ok(());
        }
        self.n_bytes += position.n_bytes();
        self.held.push(position);
        // Twice as many, so that what a selection costs is spread over as many additions.
        let is_full = self.held.len() >= self.slice.end().max(N_FEW).saturating_mul(2);
        if is_full || self.n_bytes > 2 * SORTED_BYTES_MAX { self.select() } else { Ok(()) }
    }

    /// Drops what comes after the page.
    fn select(&mut self) -> Result<(), StoreError> {
        let (end, direction) = (self.slice.end(), self.direction);
        if end < self.held.len() {
            self.held.select_nth_unstable_by(end, |a, b| a.order(b, direction));
            self.held.truncate(end);
        }
        self.n_bytes = self.held.iter().map(Position::n_bytes).sum();
        if self.n_bytes > SORTED_BYTES_MAX {
            return Err(StoreError::Halted(Halt::Sorted(SORTED_BYTES_MAX as u64)));
        }
        Ok(())
    }

    /// The ids of the page in order, and the number of all candidates.
    pub(crate) fn page(mut self) -> Result<(Vec<String>, u64), StoreError> {
        self.select()?;
        self.held.sort_unstable_by(|a, b| a.order(b, self.direction));
        let ids = self.held.into_iter().skip(self.slice.offset).map(|it| it.id).collect();
        Ok((ids, self.count))
    }
}

impl Position {
    fn n_bytes(&self) -> usize {
        let of_key = match &self.key {
            SortKey::Word(text) => text.len(),
            SortKey::Name(key) => key.len(),
            SortKey::Bool(_) | SortKey::Number(_) | SortKey::Time(_) | SortKey::Null => 0,
        };
        size_of::<Position>() + of_key + self.id.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(n: usize) -> Position {
        // Every key four times, in an order that is not that of the ids.
        Position { key: SortKey::Word(format!("{:04}", (n * 7919) % 1000 / 4)), id: format!("{n:04}") }
    }

    #[test]
    fn a_page_is_that_of_all_sorted() {
        let all: Vec<Position> = (0..1000).map(position).collect();
        for direction in [Direction::Ascending, Direction::Descending] {
            let mut sorted = all.clone();
            sorted.sort_by(|a, b| a.order(b, direction));
            for (after, offset, limit) in
                [(None, 0, 1), (None, 990, 20), (None, 0, usize::MAX), (Some(499), 0, 10), (Some(0), 300, 7)]
            {
                let slice = Slice { after: after.map(|it: usize| sorted[it].clone()), offset, limit };
                let mut sorting = Sorting::new(&slice, direction);
                for it in &all {
                    sorting.add(it.clone()).expect("it is small");
                    assert!(sorting.held.len() <= slice.end().max(N_FEW).saturating_mul(2));
                }
                let from = after.map_or(0, |it| it + 1) + offset;
                let expected = sorted.iter().skip(from).take(limit).map(|it| it.id.clone()).collect();
                assert_eq!(sorting.page().expect("it is small"), (expected, 1000));
            }
        }
    }

    #[test]
    fn positions_before_a_deep_page_are_limited_by_their_bytes() {
        let slice = Slice { after: None, offset: usize::MAX, limit: 1 };
        let mut sorting = Sorting::new(&slice, Direction::Ascending);
        let large = Position { key: SortKey::Name(vec![1; SORTED_BYTES_MAX / 8]), id: String::new() };
        let halted = (0..20).find_map(|_| sorting.add(large.clone()).err());
        assert!(matches!(halted, Some(StoreError::Halted(Halt::Sorted(_)))));
    }
}
