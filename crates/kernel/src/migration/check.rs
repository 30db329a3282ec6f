//! Dry run of the reads of a migration: decodes every row that the migration will read, before anything is
//! written. A row that does not decode would stop it halfway, and no program could open the data then.

use std::collections::BTreeSet;

use atoll_storage::{Span, key_text, verify::is_damaged};

use crate::{
    Read, Registry, StoreError,
    data::{Direction, Scan, Space, TableSource, View},
    link::Link,
    migration::{PartKind, plan::N_NAMED_MAX},
};

/// The rows of these parts that cannot be read, a sentence each; at most `N_NAMED_MAX`, and the number of the
/// others.
pub(super) fn unreadable(
    view: &View,
    registry: &Registry,
    parts: &BTreeSet<String>,
) -> Result<Vec<String>, StoreError> {
    let mut rows = Rows { view: view.clone().lenient(), n_wrong: 0, wrong: Vec::new() };
    let is_read = |kind: PartKind, name: &str| parts.contains(&kind.key(name));
    for table in registry.tables().filter(|it| is_read(PartKind::Table, it.def().name)) {
        rows.table(table)?;
    }
    for link in registry.links.iter().filter(|it| is_read(PartKind::Link, it.name)) {
        rows.link(link, registry)?;
    }
    for space in registry.slots().filter(|it| it.kind.is_some() && is_read(PartKind::Space, it.space)) {
        rows.read(space.space, &mut |_, key, value| space.check(key, value))?;
    }
    if let Some(n_more @ 1..) = rows.n_wrong.checked_sub(rows.wrong.len()) {
        rows.wrong.push(format!("{n_more} more"));
    }
    Ok(rows.wrong)
}

/// Scans rows, and collects what is wrong with them.
struct Rows {
    view: View,
    n_wrong: usize,
    wrong: Vec<String>,
}

/// Decodes one row. Its key is without the prefix of its space.
type ReadRow<'a> = dyn FnMut(&dyn Read, &[u8], &[u8]) -> Result<(), StoreError> + 'a;

impl Rows {
    fn table(&mut self, table: &'static dyn TableSource) -> Result<(), StoreError> {
        for space in [table.def().name, table.def().deleted] {
            self.read(space, &mut |_, key, value| table.check(space, key, value))?;
        }
        Ok(())
    }

    fn link(&mut self, link: &'static Link, registry: &Registry) -> Result<(), StoreError> {
        let graph = &registry.graph;
        self.read(link.name, &mut |view, key, value| link.check_pair(view, graph, key, value))?;
        self.read(link.deleted, &mut |_, key, value| link.check_row(link.deleted, key, value))
    }

    fn read(&mut self, space: Space, read: &mut ReadRow<'_>) -> Result<(), StoreError> {
        let Rows { view, n_wrong, wrong } = self;
        view.scan(&Span::prefix(&view.prefix(space)), Direction::Ascending, &mut |key, value| {
            let key = &key[2..];
            let corrupt =
                |reason: &str| StoreError::Corrupt { space, key: key_text(key), reason: reason.to_owned() };
            let row = if is_damaged(value) {
                Err(corrupt("its checksum is wrong: the file was damaged"))
            } else {
                read(view, key, value)
            };
            match row {
                Ok(()) => {}
                Err(error @ StoreError::Corrupt { .. }) => {
                    *n_wrong += 1;
                    if wrong.len() < N_NAMED_MAX {
                        wrong.push(format!("{error}: repair it with the previous program"));
                    }
                }
                Err(error) => return Err(error),
            }
            Ok(Scan::Continue(()))
        })
    }
}
