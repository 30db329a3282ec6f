//! Cursors: positions in lists, from which the next page goes on at the cost of a page (keyset pagination).

use std::cmp::Ordering;

use atoll_storage::{Direction, EntityDef, Node, Scan, SortKey, StoreError};
use atoll_values::limits::CURSOR_CHARS_MAX;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{
    Env, QueryError, SortBy,
    chunk::Chunk,
    list::{Page, push_bounded, sort_keys},
};

/// Where a page of a list begins: behind a record, whatever has been added or deleted before it meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The order that the position is one of, as the request states it.
    order: Option<String>,
    n_before: usize,
    after: Option<Position>,
}

/// The place of a record in the order of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The value to sort by; null in a list by id.
    pub(crate) key: SortKey,
    pub(crate) id: String,
}

impl Cursor {
    /// Reads what a request sends: the `next_cursor` of the page before, or nothing to begin. Errors: it is
    /// no cursor, or one of another order.
    pub fn parse(text: &str, order: Option<&str>) -> Result<Cursor, QueryError> {
        let order = order.map(str::to_owned);
        if text.is_empty() {
            return Ok(Cursor { order, ..Cursor::default() });
        }
        let bytes =
            (text.len() <= CURSOR_CHARS_MAX).then(|| BASE64_URL_SAFE_NO_PAD.decode(text).ok()).flatten();
        let cursor: Option<Cursor> = bytes.and_then(|it| rmp_serde::from_slice(&it).ok());
        match cursor.filter(|it| it.text() == text) {
            Some(cursor) if cursor.order == order => Ok(cursor),
            Some(cursor) => Err(QueryError::Cursor(format!(
                "`cursor` is of a list in the order '{}'",
                cursor.order.as_deref().unwrap_or("id")
            ))),
            None => Err(QueryError::Cursor("`cursor` is not the `next_cursor` of a page".to_owned())),
        }
    }

    /// As requests send it.
    pub fn text(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(rmp_serde::to_vec(self).expect("a cursor serialises into memory"))
    }

    /// The number of records on the pages before, as they were when they were read.
    pub fn n_before(&self) -> usize {
        self.n_before
    }

    /// The part of the list that this cursor asks for: a page, and one record more, which tells whether
    /// another page follows.
    pub(crate) fn slice(&self, limit: usize) -> Slice {
        Slice { after: self.after.clone(), offset: 0, limit: limit.saturating_add(1) }
    }

    /// Takes the record too many off the page, and returns the cursor of the next one; `None` at the end.
    pub(crate) fn advance(
        &self,
        env: &Env<'_>,
        entity: &'static EntityDef,
        by_path: Option<&SortBy>,
        page: &mut Page,
        limit: usize,
    ) -> Result<Option<Cursor>, QueryError> {
        if page.nodes.len() <= limit {
            return Ok(None);
        }
        page.nodes.truncate(limit);
        let Some(last) = page.nodes.last() else { return Ok(None) };
        let key = match by_path {
            Some(SortBy { path, direction }) => {
                let keys = sort_keys(&Chunk::new(env, entity, vec![Node::clone(last)]), path, *direction)?;
                keys.into_iter().next().unwrap_or(SortKey::Null)
            }
            None => SortKey::Null,
        };
        let after = Some(Position { key, id: last.key().to_owned() });
        Ok(Some(Cursor { order: self.order.clone(), n_before: self.n_before.saturating_add(limit), after }))
    }
}

/// The part of a list that a page shows.
pub(crate) struct Slice {
    /// Only what follows this.
    pub(crate) after: Option<Position>,
    /// Of these, the number to skip.
    pub(crate) offset: usize,
    pub(crate) limit: usize,
}

impl Slice {
    /// The id after which a list by id goes on.
    pub(crate) fn after_id(&self) -> Option<&str> {
        self.after.as_ref().map(|it| it.id.as_str())
    }

    /// In a list by id: does the page begin before this record?
    pub(crate) fn is_before(&self, id: &str, direction: Direction) -> bool {
        self.after_id().is_none_or(|after| direction.is_before(after, id))
    }

    /// The position behind the page, counted from where it begins.
    pub(crate) fn end(&self) -> usize {
        self.offset.saturating_add(self.limit)
    }
}

/// A page that is filled with the records of a list, one after the other.
pub(crate) struct Filling<'s> {
    slice: &'s Slice,
    n_passed: usize,
    nodes: Vec<Node>,
}

impl<'s> Filling<'s> {
    pub(crate) fn new(slice: &'s Slice) -> Self {
        Filling { slice, n_passed: 0, nodes: Vec::with_capacity(slice.limit.min(1000)) }
    }

    /// The next record of the list, which is loaded if the page shows it. Breaks when the page is full.
    pub(crate) fn add(
        &mut self,
        load: impl FnOnce() -> Result<Option<Node>, StoreError>,
    ) -> Result<Scan, StoreError> {
        let end = self.slice.end();
        if (self.slice.offset..end).contains(&self.n_passed)
            && let Some(node) = load()?
        {
            push_bounded(&mut self.nodes, node)?;
        }
        self.n_passed += 1;
        Ok(if self.n_passed < end { Scan::Continue(()) } else { Scan::Break(()) })
    }

    /// The page of a list of so many records.
    pub(crate) fn page(self, count: u64) -> Page {
        Page { nodes: self.nodes, count, next: None }
    }
}

impl Position {
    /// The order of a sorted list. Ties are ordered by id, so that pages do not overlap.
    pub(crate) fn order(&self, other: &Position, direction: Direction) -> Ordering {
        let by_key = match direction {
            Direction::Ascending => self.key.cmp(&other.key),
            Direction::Descending => other.key.cmp(&self.key),
        };
        by_key.then_with(|| self.id.cmp(&other.id))
    }
}
