//! A scratch area beside the store, in which a projection is rebuilt to compare it with the stored one.

use std::sync::Arc;

use crate::{
    Changes, Direction, Engine, Event, Guard, Raw, Read, Scan, Space, Span, StoreError, Visit, Write,
    engines::Redb,
    key::bytes_text,
    list_index::has_all,
    overlay::{Layer, Transaction},
    verify::{Findings, counters::is_counter_of, is_damaged},
};

/// Keys that are kept in memory (about 100 MB). More are spilled to an unnamed temporary file.
const N_KEYS_MAX: usize = 500_000;

/// The store with some spaces and their counters replaced by empty ones, which hold what is written here.
pub struct Scratch<'a> {
    view: &'a dyn Read,
    spaces: Vec<Space>,
    prefixes: Vec<[u8; 2]>,
    changes: Changes,
    n_keys_max: usize,
    file: Option<(Redb, Arc<dyn Raw>)>,
}

impl<'a> Scratch<'a> {
    /// A scratch area over this view, with these spaces empty.
    pub fn new(view: &'a dyn Read, spaces: Vec<Space>) -> Scratch<'a> {
        let prefixes = spaces.iter().map(|it| view.prefix(it)).collect();
        Scratch { view, spaces, prefixes, changes: Changes::new(), n_keys_max: N_KEYS_MAX, file: None }
    }

    /// Runs `body`. Its writes to the spaces are kept if it succeeds; all other writes are discarded.
    pub fn write(
        &mut self,
        body: impl FnOnce(&mut dyn Write) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut tx = Discarding(Transaction::new(&*self));
        body(&mut tx)?;
        let changes = tx.0.into_changes();
        self.changes.extend(changes.into_iter().filter(|(key, _)| is_own(self.view, &self.prefixes, key)));
        if self.changes.len() > self.n_keys_max {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> Result<(), StoreError> {
        let mut engine = match self.file.take() {
            Some((engine, _)) => engine,
            None => Redb::temporary()?,
        };
        engine.commit(&std::mem::take(&mut self.changes))?;
        let raw = engine.snapshot()?;
        self.file = Some((engine, raw));
        Ok(())
    }

    /// Reports the differences between the store and the scratch area in these spaces. `is_whole` tells
    /// whether the rebuild is complete: if not, surplus entries and counters of the store may be right.
    pub fn compare(&self, is_whole: bool, findings: &mut Findings) -> Result<(), StoreError> {
        for &space in &self.spaces {
            let own = Span::prefix(&self.view.prefix(space));
            self.compare_range(space, &own, is_whole, findings)?;
            if is_whole {
                let counters = crate::sequence::counter_key(self.view, space, b"");
                self.compare_range(space, &Span::prefix(&counters), true, findings)?;
            }
        }
        Ok(())
    }

    fn compare_range(
        &self,
        space: Space,
        span: &Span,
        is_whole: bool,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let is_counter = is_counter_of(self.view, &span.start, &self.prefixes);
        let kind = |kind| if is_counter { "counter.wrong" } else { kind };
        let shown = |key: &[u8]| key[span.start.len()..].to_vec();
        let text = |value: &[u8]| match value.try_into() {
            Ok(number) if is_counter => u64::from_be_bytes(number).to_string(),
            _ if value.is_empty() => "an entry".to_owned(),
            _ => bytes_text(value).into_owned(),
        };
        let nothing = if is_counter { "0" } else { "nothing" };
        let mut n_there = 0;
        self.scan(span, Direction::Ascending, &mut |key, expected| {
            findings.checked("projected entries")?;
            match self.view.get(key)? {
                None => findings.add(kind("projection.missing"), space, &shown(key), nothing, text(expected)),
                Some(found) => {
                    n_there += 1;
                    // A set may hold the number of a record that cannot be read.
                    let is_known = is_whole || !has_all(&found, expected);
                    if found != expected && !is_damaged(&found) && is_known {
                        let kind = kind("projection.differs");
                        findings.add(kind, space, &shown(key), text(&found), text(expected));
                    }
                }
            }
            Ok(Scan::Continue(()))
        })?;
        if !is_whole || self.view.count_keys(span, u64::MAX)? == n_there {
            return Ok(());
        }
        self.view.scan(span, Direction::Ascending, &mut |key, found| {
            if self.get(key)?.is_none() {
                findings.add(kind("projection.stale"), space, &shown(key), text(found), nothing);
            }
            Ok(Scan::Continue(()))
        })
    }

    fn file(&self) -> File<'_> {
        File { raw: self.file.as_ref().map(|(_, raw)| &**raw), view: self.view }
    }
}

fn is_own(view: &dyn Read, prefixes: &[[u8; 2]], key: &[u8]) -> bool {
    prefixes.iter().any(|it| key.starts_with(it)) || is_counter_of(view, key, prefixes)
}

impl Read for Scratch<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match is_own(self.view, &self.prefixes, key) {
            true => Layer::new(&self.file(), &self.changes).get(key),
            false => self.view.get(key),
        }
    }

    fn scan(&self, span: &Span, order: Direction, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        match is_own(self.view, &self.prefixes, &span.start) {
            true => Layer::new(&self.file(), &self.changes).scan(span, order, visit),
            false => self.view.scan(span, order, visit),
        }
    }

    fn prefix(&self, space: Space) -> [u8; 2] {
        self.view.prefix(space)
    }
}

/// The entries that were spilled to a file; empty if all fit into memory.
struct File<'a> {
    raw: Option<&'a dyn Raw>,
    view: &'a dyn Read,
}

impl Read for File<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.raw.map_or(Ok(None), |raw| raw.get(key, &mut |_, _| Ok(())))
    }

    fn scan(&self, span: &Span, order: Direction, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.raw.map_or(Ok(()), |raw| raw.scan(span, order, visit, &mut |_, _| Ok(())))
    }

    fn prefix(&self, space: Space) -> [u8; 2] {
        self.view.prefix(space)
    }
}

/// A transaction that discards events.
struct Discarding<'a>(Transaction<'a>);

impl Read for Discarding<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(key)
    }

    fn scan(&self, span: &Span, order: Direction, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.0.scan(span, order, visit)
    }

    fn prefix(&self, space: Space) -> [u8; 2] {
        self.0.prefix(space)
    }
}

impl Write for Discarding<'_> {
    fn set(&mut self, by: Guard, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.0.set(by, key, value);
    }

    fn emit(&mut self, _: Event) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyBuf, SEQUENCES, Store, WriteKeys, add_to_group, engines::Memory};

    const SPACES: [Space; 3] = [SEQUENCES, "listed", "other"];

    fn key(tx: &dyn Read, group: &str, id: &str) -> Vec<u8> {
        KeyBuf::new(tx.prefix("listed")).part(group).tail(id.as_bytes()).into_bytes()
    }

    fn list(tx: &mut dyn Write, group: &str, id: &str) -> Result<(), StoreError> {
        let key = key(tx, group, id);
        tx.put(key, id.as_bytes().to_vec());
        add_to_group(tx, "listed", &[group], 1)
    }

    /// Checks the findings for a store with these entries that should have those; in memory and spilled to a
    /// file.
    #[track_caller]
    fn check(store: &Store, should: &[(&str, &str)], is_whole: bool, expect: &[&str]) {
        let view = store.view();
        for n_keys_max in [N_KEYS_MAX, 1] {
            let mut scratch = Scratch { n_keys_max, ..Scratch::new(&view, vec!["listed"]) };
            for (group, id) in should {
                let write = |tx: &mut dyn Write| {
                    tx.put(vec![0xFF, 0xFF], b"elsewhere".to_vec());
                    list(tx, group, id)
                };
                scratch.write(write).expect("a write");
            }
            let mut findings = Findings::new(10, Arc::default());
            scratch.compare(is_whole, &mut findings).expect("a comparison");
            let shown = findings.into_report().findings.into_iter();
            let shown: Vec<String> =
                shown.map(|it| format!("{} {}: {} / {}", it.kind, it.key, it.found, it.expected)).collect();
            assert_eq!(shown, expect, "{n_keys_max} in memory");
        }
    }

    #[tokio::test]
    async fn rebuilt_projections_are_compared_key_by_key() {
        let store = Store::open(Memory::default(), &SPACES).expect("a store");
        let fill = |tx: &mut dyn Write| {
            list(tx, "web", "tea")?;
            list(tx, "web", "cup")?;
            let changed = key(tx, "web", "cup");
            tx.put(changed, b"mug".to_vec());
            Ok::<_, StoreError>(())
        };
        store.write(fill).await.expect("a write");
        let wrong = "projection.differs web / cup: mug / cup";
        check(&store, &[("web", "cup"), ("web", "tea")], true, &[wrong]);
        let stale = "projection.stale web / tea: tea / nothing";
        check(&store, &[("web", "cup")], true, &[wrong, stale, "counter.wrong web: 2 / 1"]);
        check(&store, &[("web", "cup")], false, &[wrong]);
        let missing = "projection.missing app / tea: nothing / tea";
        let counter = "counter.wrong app: 0 / 1";
        check(&store, &[("app", "tea"), ("web", "cup"), ("web", "tea")], true, &[missing, wrong, counter]);
    }
}
