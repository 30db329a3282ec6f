//! Execution of a migration: rewrites records and rebuilds indexes, links and projections, in batches. Each
//! batch is a transaction, which stores a cursor as well, so that a migration resumes after an interruption.
//!
//! The first transaction removes the fingerprints of all that will change. So a program that opens the data
//! after an interruption, this one or an older one, trusts nothing that is half done.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use atoll_storage::{
    Event, Guard, KeyBuf, Refill, RefillRows, Span, Visit, WriteKeys, add_to_group, counters_of, decode,
    encode,
};

use serde::{Deserialize, Serialize};

use crate::{
    Read, Registry, StoreError, Write,
    data::{Change, Direction, Scan, Space, Store, TableSource},
    link::Link,
    migration::{FORMAT, Fingerprint, MigrationError, PartKind, Plan},
    module::DroppedTable,
    projection::{Projection, Renew},
};

/// Batch size in rows and keys.
const N_BATCH: usize = 5_000;

/// Bytes that were written after which a batch ends. It is held in memory, and with the largest record behind
/// it is still within what hosts that share a store may write at once.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// Interval of progress messages in the log.
const SAID_EVERY: Duration = Duration::from_secs(2);

/// Key of the progress, beside the fingerprints.
pub(super) const PROGRESS: &str = "progress";

/// What is rebuilt as a whole.
pub(super) enum Unit {
    /// A table: its rows, their count and indexes.
    Table {
        table: &'static dyn TableSource,
        /// Is the stored version of the rows an earlier one?
        rewrite: bool,
        count: bool,
        indexes: Vec<Space>,
    },
    /// A link: its rows, the index of its other direction, and its counts.
    Link {
        link: &'static Link,
        rewrite: bool,
        registry: &'static Registry,
    },
    Projection {
        projection: &'static Projection,
        registry: &'static Registry,
    },
    /// A table that its module has no more: its rows and indexes are deleted.
    Dropped {
        table: &'static DroppedTable,
        before: Fingerprint,
    },
}

/// A phase of a unit: one scan with one cursor.
enum Phase {
    /// Removes the counters of a space.
    Counters(Space),
    /// Removes the keys of a space.
    Keys(Space),
    /// Rewrites the live rows, and indexes them.
    Rows,
    /// Rewrites the soft-deleted rows, and indexes them.
    DeletedRows,
    /// Shows all records of an entity, or all rows of a link, to the projection.
    Show(&'static str),
    /// Has the projection note that everything is to be done.
    Renew(Renew),
}

/// Progress of a migration: its cursor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    /// Identity of the plan: a program with another plan starts again.
    of: Vec<String>,
    unit: usize,
    phase: usize,
    /// Last key that was processed in this phase.
    after: Option<Vec<u8>>,
}

/// Executes the plan, batch by batch.
pub(super) async fn run(store: &Store, plan: Plan) -> Result<(), MigrationError> {
    let plan = Arc::new(plan);
    let mut n_done = 0;
    let mut said = Instant::now();
    loop {
        let step = plan.clone();
        let (n_batch, current) = store.write(move |tx| step.go_on(tx)).await?;
        n_done += n_batch;
        match current {
            Some(current) if said.elapsed() >= SAID_EVERY => {
                said = Instant::now();
                tracing::info!(n_done, "migration: {current}");
            }
            Some(_) => {}
            None => {
                if !plan.is_new {
                    tracing::info!(n_done, "migration: done");
                }
                return Ok(());
            }
        }
    }
}

impl Plan {
    /// Executes one batch, as one transaction. Returns the number of keys, and the current step; `None` at
    /// the end.
    fn go_on(&self, tx: &mut dyn Write) -> Result<(usize, Option<String>), MigrationError> {
        let of = self.identity();
        let begun: Option<Progress> =
            tx.get(&key_of(tx, PROGRESS))?.map(|it| decode(FORMAT, PROGRESS, &it)).transpose()?;
        let mut progress = match begun.filter(|it| it.of == of) {
            Some(progress) => progress,
            None => {
                self.distrust(tx);
                Progress { of, ..Progress::default() }
            }
        };
        let tx = &mut Counted { tx, n_bytes: 0 };
        let mut n_left = N_BATCH;
        while let Some(unit) = self.units.get(progress.unit) {
            let Some(phase) = unit.phases().into_iter().nth(progress.phase) else {
                progress = Progress { unit: progress.unit + 1, phase: 0, after: None, ..progress };
                continue;
            };
            let n_max = (n_left / phase.weight()).clamp(1, phase.n_at_once());
            let batch = unit.go_on(tx, &phase, progress.after.as_deref(), n_max)?;
            n_left = n_left.saturating_sub(batch.n_done * phase.weight());
            if batch.n_done < n_max {
                progress.phase += 1;
                progress.after = None;
            } else {
                progress.after = batch.last;
            }
            if n_left == 0 || tx.n_bytes >= BATCH_BYTES {
                let current = unit.to_string();
                let key = key_of(tx, PROGRESS);
                tx.put(key, encode(&progress));
                return Ok((N_BATCH - n_left, Some(current)));
            }
        }
        self.changed.iter().for_each(|it| put(tx, it));
        for table in self.dropped() {
            let key = key_of(tx, &table.key());
            tx.delete(key);
        }
        let key = key_of(tx, PROGRESS);
        tx.delete(key);
        Ok((N_BATCH - n_left, None))
    }

    /// Identity of the plan: what is rebuilt, in which order, and the fingerprints at the end. A migration
    /// resumes only if it is the same.
    fn identity(&self) -> Vec<String> {
        let units = self.units.iter().map(|unit| match unit {
            Unit::Projection { projection, .. } => format!("{unit} from {:?}", projection.follows),
            _ => unit.to_string(),
        });
        units.chain(self.changed.iter().map(|it| format!("{it:?}"))).collect()
    }

    /// Removes the fingerprints of all that will be rebuilt; the others stay, and protect what they describe.
    /// Where records are rewritten or deleted, the fingerprint says from now on that some have the new
    /// version, so that a program that does not know it refuses the data.
    ///
    /// The shapes are written here, before any value of theirs.
    fn distrust(&self, tx: &mut dyn Write) {
        for (key, text) in &self.shapes {
            let key = key_of(tx, key);
            tx.put(key, encode(text));
        }
        for name in self.units.iter().flat_map(Unit::keys).chain(self.gone.iter().cloned()) {
            let key = key_of(tx, &name);
            tx.delete(key);
        }
        let rewritten: Vec<String> = self.units.iter().filter_map(Unit::rewritten).collect();
        for part in self.known.iter().filter(|it| rewritten.contains(&it.key())) {
            put(tx, &Fingerprint { is_partly_older: true, ..part.clone() });
        }
        for table in self.dropped().filter(|it| !it.is_partly_older) {
            let version = table.version + 1;
            put(tx, &Fingerprint { version, is_partly_older: true, ..table.clone() });
        }
    }

    /// The fingerprints of the tables that are deleted, as they are stored. They go with the last batch, so
    /// that an interrupted migration goes on.
    fn dropped(&self) -> impl Iterator<Item = &Fingerprint> {
        self.units.iter().filter_map(|it| match it {
            Unit::Dropped { before, .. } => Some(before),
            _ => None,
        })
    }
}

pub(super) fn key_of(tx: &dyn Read, name: &str) -> Vec<u8> {
    KeyBuf::new(tx.prefix(FORMAT)).tail(name.as_bytes()).into_bytes()
}

fn put(tx: &mut dyn Write, part: &Fingerprint) {
    let key = key_of(tx, &part.key());
    tx.put(key, encode(part));
}

/// A transaction, with the bytes that it writes.
struct Counted<'a> {
    tx: &'a mut dyn Write,
    n_bytes: usize,
}

impl Read for Counted<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.tx.get(key)
    }

    fn scan(&self, span: &Span, direction: Direction, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.tx.scan(span, direction, visit)
    }

    fn prefix(&self, space: Space) -> [u8; 2] {
        self.tx.prefix(space)
    }
}

impl Write for Counted<'_> {
    fn set(&mut self, by: Guard, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.n_bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        self.tx.set(by, key, value);
    }

    fn emit(&mut self, event: Event) -> Result<(), StoreError> {
        self.tx.emit(event)
    }
}

/// The result of one batch of a phase.
struct Batch {
    last: Option<Vec<u8>>,
    n_done: usize,
}

impl Phase {
    /// Cost of one key, relative to a deletion: a projection writes several for each record.
    fn weight(&self) -> usize {
        if matches!(self, Phase::Show(_)) { 10 } else { 1 }
    }

    /// How many keys are processed before the bytes of the batch are looked at. Rows are large, or lead to
    /// much that is; what is only removed has no value.
    fn n_at_once(&self) -> usize {
        match self {
            Phase::Rows | Phase::DeletedRows | Phase::Show(_) => 1,
            Phase::Counters(_) | Phase::Keys(_) | Phase::Renew(_) => N_BATCH,
        }
    }
}

impl Unit {
    /// Keys of the fingerprints that it makes invalid.
    pub(super) fn keys(&self) -> Vec<String> {
        match self {
            Unit::Table { indexes, .. } => indexes.iter().map(|it| PartKind::Index.key(it)).collect(),
            Unit::Link { link, .. } => vec![PartKind::Link.key(link.name)],
            Unit::Projection { projection, .. } => vec![PartKind::Projection.key(projection.name)],
            Unit::Dropped { table, .. } => table.indexes.iter().map(|it| PartKind::Index.key(it)).collect(),
        }
    }

    /// Keys of the parts whose rows it reads.
    pub(super) fn reads(&self) -> Vec<String> {
        match self {
            Unit::Table { table, .. } => vec![PartKind::Table.key(table.def().name)],
            Unit::Link { link, .. } => vec![PartKind::Link.key(link.name)],
            Unit::Projection { projection: Projection { renew: Some(_), .. }, .. } => Vec::new(),
            Unit::Projection { projection, registry } => {
                let is_link = |of: &str| registry.links.iter().any(|it| it.name == of);
                let kind = |of: &str| if is_link(of) { PartKind::Link } else { PartKind::Table };
                projection.follows.iter().map(|it| kind(it).key(it)).collect()
            }
            Unit::Dropped { .. } => Vec::new(),
        }
    }

    /// Key of the fingerprint of the records that it rewrites.
    fn rewritten(&self) -> Option<String> {
        match self {
            Unit::Table { table, rewrite: true, .. } => Some(PartKind::Table.key(table.def().name)),
            Unit::Link { link, rewrite: true, .. } => Some(PartKind::Link.key(link.name)),
            _ => None,
        }
    }

    fn phases(&self) -> Vec<Phase> {
        let clear = |space: Space| [Phase::Counters(space), Phase::Keys(space)];
        match self {
            Unit::Table { table, rewrite, count, indexes } => {
                let mut phases = Vec::new();
                if *count {
                    phases.push(Phase::Counters(table.def().name));
                }
                phases.extend(indexes.iter().flat_map(|it| clear(it)));
                let defs = table.index_defs();
                let has = |of_deleted| {
                    defs.iter().any(|it| it.of_deleted == of_deleted && indexes.contains(&it.space))
                };
                if *rewrite || *count || has(false) {
                    phases.push(Phase::Rows);
                }
                if *rewrite || has(true) {
                    phases.push(Phase::DeletedRows);
                }
                phases
            }
            Unit::Link { link, rewrite, .. } => {
                let mut phases = vec![Phase::Counters(link.name)];
                phases.extend(clear(link.reverse));
                phases.push(Phase::Rows);
                if *rewrite {
                    phases.push(Phase::DeletedRows);
                }
                phases
            }
            Unit::Projection { projection: Projection { renew: Some(renew), .. }, .. } => {
                vec![Phase::Renew(*renew)]
            }
            Unit::Projection { projection, .. } => {
                let derived = projection.spaces.iter().filter(|it| !projection.kept.contains(it));
                let clear = derived.flat_map(|it| clear(it));
                clear.chain(projection.follows.iter().map(|it| Phase::Show(it))).collect()
            }
            Unit::Dropped { table, .. } => table.spaces().flat_map(clear).collect(),
        }
    }

    /// Processes at most `n_max` keys of a phase after the cursor `after`; fewer mean its end.
    fn go_on(
        &self,
        tx: &mut dyn Write,
        phase: &Phase,
        after: Option<&[u8]>,
        n_max: usize,
    ) -> Result<Batch, MigrationError> {
        let id = after.map(String::from_utf8_lossy);
        let by_id =
            |(last, n_done): (Option<String>, usize)| Batch { last: last.map(String::into_bytes), n_done };
        let batch = match (phase, self) {
            (Phase::Counters(space), _) => {
                let span = counters_of(tx, space);
                remove(tx, &span, n_max)?
            }
            (Phase::Keys(space), _) => {
                let span = Span::prefix(&tx.prefix(space));
                remove(tx, &span, n_max)?
            }
            (Phase::Rows, Unit::Table { table, rewrite, count, indexes }) => {
                let done = table.refill(
                    tx,
                    &Refill { deleted: false, after: id.as_deref(), n_max, rewrite: *rewrite, indexes },
                )?;
                if *count {
                    add_to_group(tx, table.def().name, &[], i64::try_from(done.1).expect("a batch"))?;
                }
                by_id(done)
            }
            (Phase::DeletedRows, Unit::Table { table, rewrite, indexes, .. }) => by_id(table.refill(
                tx,
                &Refill { deleted: true, after: id.as_deref(), n_max, rewrite: *rewrite, indexes },
            )?),
            (Phase::Rows, Unit::Link { link, rewrite, registry }) => {
                let (last, n_done) = link.refill(tx, &registry.graph, after, n_max, *rewrite)?;
                Batch { last, n_done }
            }
            (Phase::DeletedRows, Unit::Link { link, .. }) => {
                let (last, n_done) = link.rewrite_deleted(tx, after, n_max)?;
                Batch { last, n_done }
            }
            (Phase::Show(of), Unit::Projection { projection, registry }) => {
                show(tx, projection, registry, of, after, n_max)?
            }
            (Phase::Renew(renew), _) => {
                renew(tx)?;
                Batch { last: None, n_done: 0 }
            }
            // No unit has these phases.
            (Phase::Show(_), _) | (_, Unit::Projection { .. } | Unit::Dropped { .. }) => {
                Batch { last: None, n_done: 0 }
            }
        };
        Ok(batch)
    }
}

/// Removes at most `n_max` keys of the span.
fn remove(tx: &mut dyn Write, span: &Span, n_max: usize) -> Result<Batch, StoreError> {
    let mut keys = Vec::new();
    tx.scan(span, Direction::Ascending, &mut |key, _| {
        keys.push(key.to_vec());
        Ok(if keys.len() < n_max { Scan::Continue(()) } else { Scan::Break(()) })
    })?;
    let n_done = keys.len();
    keys.into_iter().for_each(|key| tx.delete(key));
    // No cursor is needed: removed keys are not found again.
    Ok(Batch { last: None, n_done })
}

/// Shows records to a projection as if they had just been created.
fn show(
    tx: &mut dyn Write,
    projection: &Projection,
    registry: &'static Registry,
    of: &'static str,
    after: Option<&[u8]>,
    n_max: usize,
) -> Result<Batch, StoreError> {
    if let Some(link) = registry.links.iter().find(|it| it.name == of) {
        let pairs = link.some_pairs(tx, after, n_max)?;
        let batch = Batch { last: pairs.last().map(|it| it.key.clone()), n_done: pairs.len() };
        for pair in pairs {
            let record = link.record(&pair.left, &pair.right, pair.row);
            (projection.update)(tx, &Change { of, before: None, after: Some(&record) })?;
        }
        return Ok(batch);
    }
    let table = registry.graph.table(of);
    let id = after.map(String::from_utf8_lossy);
    let nodes = table.some_nodes(tx, id.as_deref(), n_max)?;
    for node in &nodes {
        (projection.update)(tx, &Change { of, before: None, after: Some(&**node) })?;
    }
    Ok(Batch { last: nodes.last().map(|it| it.key().as_bytes().to_vec()), n_done: nodes.len() })
}
