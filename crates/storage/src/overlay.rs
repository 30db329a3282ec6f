//! Transactions as overlays: uncommitted changes over a snapshot.

use std::ops::Bound;

use crate::{Changes, Direction, Event, Guard, Read, Scan, Space, Span, StoreError, Visit, Write, outbox};

/// `below` with `changes` applied.
pub(crate) struct Layer<'a> {
    below: &'a dyn Read,
    changes: &'a Changes,
}

impl<'a> Layer<'a> {
    pub(crate) fn new(below: &'a dyn Read, changes: &'a Changes) -> Self {
        Layer { below, changes }
    }
}

impl Read for Layer<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.changes.get(key) {
            Some(change) => Ok(change.clone()),
            None => self.below.get(key),
        }
    }

    fn scan(&self, span: &Span, direction: Direction, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let end = match &span.end {
            Some(end) if *end <= span.start => return Ok(()),
            Some(end) => Bound::Excluded(end.as_slice()),
            None => Bound::Unbounded,
        };
        let range = self.changes.range::<[u8], _>((Bound::Included(span.start.as_slice()), end));
        match direction {
            Direction::Ascending => {
                merge(self.below, span, direction, range, |own, below| own < below, visit)
            }
            Direction::Descending => {
                merge(self.below, span, direction, range.rev(), |own, below| own > below, visit)
            }
        }
    }

    fn prefix(&self, space: Space) -> [u8; 2] {
        self.below.prefix(space)
    }
}

/// Merges two ordered scans. If both have a key, `own` wins.
fn merge<'c>(
    below: &dyn Read,
    span: &Span,
    direction: Direction,
    own: impl Iterator<Item = (&'c Vec<u8>, &'c Option<Vec<u8>>)>,
    comes_first: impl Fn(&[u8], &[u8]) -> bool,
    visit: &mut Visit<'_>,
) -> Result<(), StoreError> {
    let mut own = own.peekable();
    let mut stopped = false;
    below.scan(span, direction, &mut |key, value| {
        while let Some((own_key, change)) = own.next_if(|(own_key, _)| comes_first(own_key, key)) {
            if let Some(own_value) = change
                && visit(own_key, own_value)?.is_break()
            {
                stopped = true;
                return Ok(Scan::Break(()));
            }
        }
        let flow = match own.next_if(|(own_key, _)| own_key.as_slice() == key) {
            Some((_, Some(own_value))) => visit(key, own_value)?,
            Some((_, None)) => Scan::Continue(()),
            None => visit(key, value)?,
        };
        stopped = flow.is_break();
        Ok(flow)
    })?;
    if stopped {
        return Ok(());
    }
    for (key, change) in own {
        if let Some(value) = change
            && visit(key, value)?.is_break()
        {
            break;
        }
    }
    Ok(())
}

/// Runs `body` over `below` and returns its result and changes, which are discarded. For tests that compare
/// two runs.
pub fn dry_run<T>(below: &dyn Read, body: impl FnOnce(&mut dyn Write) -> T) -> (T, Changes) {
    let mut tx = Transaction::new(below);
    let outcome = body(&mut tx);
    (outcome, tx.into_changes())
}

/// One running transaction: the state below it, and its own changes.
pub(crate) struct Transaction<'a> {
    below: &'a dyn Read,
    changes: Changes,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(below: &'a dyn Read) -> Self {
        Transaction { below, changes: Changes::new() }
    }

    pub(crate) fn into_changes(self) -> Changes {
        self.changes
    }
}

impl Read for Transaction<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Layer::new(self.below, &self.changes).get(key)
    }

    fn scan(&self, span: &Span, direction: Direction, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        Layer::new(self.below, &self.changes).scan(span, direction, visit)
    }

    fn prefix(&self, space: Space) -> [u8; 2] {
        self.below.prefix(space)
    }
}

impl Write for Transaction<'_> {
    fn set(&mut self, _: Guard, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.changes.insert(key, value);
    }

    fn emit(&mut self, event: Event) -> Result<(), StoreError> {
        outbox::append(self, &event)
    }
}
