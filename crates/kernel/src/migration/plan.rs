//! The plan of a migration (dry run): what it would do, step by step, or why the data is refused. Nothing is
//! written here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use atoll_storage::{ShapeNumber, Span, decode, learn_shape, version};

use crate::{
    Read, Registry, StoreError,
    data::{Direction, Scan, Space, Step, View},
    link::Link,
    migration::{
        FORMAT, Fingerprint, Format, MigrationError, PartKind,
        check::unreadable,
        fingerprint::Fields,
        rebuild::{PROGRESS, Unit, key_of},
    },
    module::DroppedTable,
    projection::Projection,
};

/// Values that a refusal names; the others show after these are corrected.
pub(super) const N_NAMED_MAX: usize = 10;

/// Has the data the schema of this program? Reads no rows. Errors: this program cannot open it.
pub fn is_current(view: &View, registry: &'static Registry) -> Result<bool, MigrationError> {
    let Compared { stored, known, shapes } = Compared::of(view, registry)?;
    Ok(shapes.is_empty() && stored == known && view.get(&key_of(view, PROGRESS))?.is_none())
}

/// The fingerprints of the data, and those of the program, which can open it.
struct Compared {
    stored: BTreeMap<String, Fingerprint>,
    known: BTreeMap<String, Fingerprint>,
    /// Shapes of this program that the store has not yet, by their keys.
    shapes: BTreeMap<String, String>,
}

impl Compared {
    fn of(view: &View, registry: &'static Registry) -> Result<Compared, MigrationError> {
        let stored = stored(view)?;
        let Format { parts: known, fields, shapes } = registry.format();
        let mut refusals: Vec<String> = stored.wrong;
        let mut new_shapes = BTreeMap::new();
        for text in shapes {
            match learn_shape(&text) {
                Ok(_) if stored.shapes.contains(&text) => {}
                Ok(number) => drop(new_shapes.insert(shape_key(number), text)),
                Err(other) => refusals.push(format!(
                    "the fields {text} have the number of the fields {other}: give one of them another name"
                )),
            }
        }
        let stored = stored.parts;
        for (key, part) in &known {
            if let Some(before) = stored.get(key) {
                refusals.extend(refusal(before, part, fields.get(key)));
            }
        }
        refusals.extend(dropped(registry, &stored).flat_map(|it| indexes_left(it, &stored)));
        refuse(refusals)?;
        Ok(Compared { stored, known, shapes: new_shapes })
    }
}

/// The tables that are stored, and that the program has no more.
fn dropped(
    registry: &'static Registry,
    stored: &BTreeMap<String, Fingerprint>,
) -> impl Iterator<Item = &'static DroppedTable> {
    registry.dropped().filter(|it| stored.contains_key(&PartKind::Table.key(it.name)))
}

/// The steps of a migration.
pub struct Plan {
    /// True if the database is empty.
    pub(crate) is_new: bool,
    /// Number of values without a checksum.
    pub(super) n_unchecked: u64,
    pub(super) units: Vec<Unit>,
    /// All fingerprints of this program.
    pub(super) known: Vec<Fingerprint>,
    /// The fingerprints to write at the end: new ones, and those of what is rebuilt.
    pub(super) changed: Vec<Fingerprint>,
    /// Keys of fingerprints to remove.
    pub(super) gone: Vec<String>,
    /// Shapes of this program that the store has not yet, by their keys: the names of the fields of what will
    /// be written.
    pub(super) shapes: BTreeMap<String, String>,
    /// Was a migration begun and not finished? What it built may be out of date since.
    is_begun: bool,
    /// Remarks for operators, about data that stays as it is.
    pub notes: Vec<String>,
}

impl Plan {
    /// Plans the migration, or says why the data is refused.
    pub fn of(view: &View, registry: &'static Registry) -> Result<Plan, MigrationError> {
        let Compared { stored, known, shapes } = Compared::of(view, registry)?;
        let mut plan = Plan {
            is_new: stored.is_empty() && is_empty(view, registry)?,
            n_unchecked: view.n_unchecked()?,
            units: Vec::new(),
            known: known.values().cloned().collect(),
            changed: Vec::new(),
            gone: Vec::new(),
            shapes,
            is_begun: view.get(&key_of(view, PROGRESS))?.is_some(),
            notes: Vec::new(),
        };
        if !plan.is_new {
            plan.add_units(registry, &stored, &known);
        }
        for table in dropped(registry, &stored) {
            let before = stored[&PartKind::Table.key(table.name)].clone();
            plan.units.push(Unit::Dropped { table, before });
        }
        plan.add_gone(registry, &stored, &known);
        let touched: BTreeSet<String> = plan.units.iter().flat_map(Unit::keys).collect();
        let is_kept = |it: &&Fingerprint| stored.get(&it.key()) == Some(it) && !touched.contains(&it.key());
        let read = if plan.is_new { BTreeSet::new() } else { plan.read(&stored, &known) };
        plan.changed = known.into_values().filter(|it| !is_kept(&it)).collect();
        refuse(unreadable(view, registry, &read)?)?;
        refuse(plan.duplicates(view)?)?;
        Ok(plan)
    }

    /// Builds all projections anew, of data that this program has made, and whose records were entered past
    /// the services, as by an import.
    pub fn of_projections(view: &View, registry: &'static Registry) -> Result<Plan, MigrationError> {
        let mut plan = Plan::of(view, registry)?;
        let units = registry.projections.iter().map(|projection| Unit::Projection { projection, registry });
        plan.units.extend(units);
        plan.changed.extend(plan.known.iter().filter(|it| it.kind == PartKind::Projection).cloned());
        Ok(plan)
    }

    /// Is there nothing to do?
    pub fn is_done(&self) -> bool {
        let is_known = self.units.is_empty()
            && self.changed.is_empty()
            && self.gone.is_empty()
            && self.shapes.is_empty();
        is_known && self.n_unchecked == 0 && !self.is_begun
    }

    /// The steps, a line each; none for a new database.
    pub fn steps(&self) -> impl Iterator<Item = String> {
        let values = format!("{} values are given a checksum", self.n_unchecked);
        let values = (self.n_unchecked > 0).then_some(values);
        let is_other = self.is_begun && self.units.is_empty();
        let begun = is_other.then(|| "the interrupted migration of another program is discarded".to_owned());
        let units = self.units.iter().filter(|_| !self.is_new).map(ToString::to_string);
        let gone = self.gone.iter().map(|it| {
            format!(
                "{it}: was removed, or its module is switched off or not linked in; it is rebuilt if it returns"
            )
        });
        values.into_iter().chain(begun).chain(units).chain(gone)
    }

    fn add_units(
        &mut self,
        registry: &'static Registry,
        stored: &BTreeMap<String, Fingerprint>,
        known: &BTreeMap<String, Fingerprint>,
    ) {
        let before = |kind: PartKind, name: &str| stored.get(&kind.key(name));
        let differs = |kind: PartKind, name: &str| {
            let now = &known[&kind.key(name)];
            before(kind, name)
                .is_none_or(|it| it.is_partly_older || (it.version, &it.form) != (now.version, &now.form))
        };
        let mut rewritten: BTreeSet<Space> = BTreeSet::new();
        for table in registry.tables() {
            let def = table.def();
            let fingerprint = before(PartKind::Table, def.name);
            let rewrite = fingerprint.is_some_and(|it| it.version < def.version() || it.is_partly_older);
            if rewrite {
                rewritten.insert(def.name);
            }
            let indexes: Vec<Space> = table
                .index_defs()
                .iter()
                // The function that makes the keys of an index may read a field that has changed.
                .filter(|it| rewrite || differs(PartKind::Index, it.space))
                .map(|it| it.space)
                .collect();
            if rewrite || fingerprint.is_none() || !indexes.is_empty() {
                let count = fingerprint.is_none();
                self.units.push(Unit::Table { table, rewrite, count, indexes });
            }
            let of_table = stored.values().filter(|it| it.kind == PartKind::Index && it.of == def.name);
            for index in of_table.filter(|it| !known.contains_key(&it.key())) {
                self.gone.push(index.key());
            }
        }
        for link in &registry.links {
            if differs(PartKind::Link, link.name) {
                let rewrite = before(PartKind::Link, link.name)
                    .is_some_and(|it| it.version < version(link.history) || it.is_partly_older);
                if rewrite {
                    rewritten.insert(link.name);
                }
                self.units.push(Unit::Link { link, rewrite, registry });
            }
        }
        for projection in &registry.projections {
            let follows_rewritten = projection.follows.iter().any(|it| rewritten.contains(it));
            if follows_rewritten || differs(PartKind::Projection, projection.name) {
                self.units.push(Unit::Projection { projection, registry });
            }
        }
    }

    /// Parts that are stored and not linked in. Records stay as they are. Links and projections lose their
    /// fingerprints: other modules may change meanwhile what they follow, so they must be rebuilt when they
    /// return.
    fn add_gone(
        &mut self,
        registry: &Registry,
        stored: &BTreeMap<String, Fingerprint>,
        known: &BTreeMap<String, Fingerprint>,
    ) {
        for part in stored.values().filter(|it| !known.contains_key(&it.key())) {
            match part.kind {
                PartKind::Table if registry.dropped().any(|it| it.name == part.name) => {}
                PartKind::Table | PartKind::Space => self.notes.push(format!(
                    "{} is switched off or not linked in: its records stay as they are, and are not read",
                    part.key()
                )),
                PartKind::Link | PartKind::Projection => self.gone.push(part.key()),
                // Gone with its table, or listed already.
                PartKind::Index => {}
            }
        }
    }

    /// The parts whose rows must decode: those that are rewritten, indexed or shown to a projection, and
    /// those whose stored fingerprint is missing, or differs in a way that can still be read.
    fn read(
        &self,
        stored: &BTreeMap<String, Fingerprint>,
        known: &BTreeMap<String, Fingerprint>,
    ) -> BTreeSet<String> {
        let holds = |it: &&Fingerprint| matches!(it.kind, PartKind::Table | PartKind::Link | PartKind::Space);
        let differs = |it: &&Fingerprint| {
            stored.get(&it.key()).is_none_or(|before| {
                let changed =
                    |(path, kind): (&String, &String)| before.fields.get(path).is_some_and(|it| it != kind);
                before.version != it.version || before.is_partly_older || it.fields.iter().any(changed)
            })
        };
        let other = known.values().filter(holds).filter(differs).map(Fingerprint::key);
        other.chain(self.units.iter().flat_map(Unit::reads)).collect()
    }

    /// The spaces that are rebuilt, and those whose entries are counted again.
    pub(crate) fn rebuilt(&self) -> (BTreeSet<Space>, BTreeSet<Space>) {
        let (mut derived, mut counted) = (BTreeSet::new(), BTreeSet::new());
        for unit in &self.units {
            match unit {
                Unit::Table { table, indexes, .. } => {
                    counted.insert(table.def().name);
                    derived.extend(indexes);
                }
                Unit::Link { link, .. } => {
                    counted.insert(link.name);
                    derived.insert(link.reverse);
                }
                Unit::Projection { projection, .. } => derived.extend(projection.spaces),
                Unit::Dropped { .. } => {}
            }
        }
        (derived, counted)
    }

    /// Violations of unique indexes, and of links to one, that the new schema would have.
    fn duplicates(&self, view: &View) -> Result<Vec<String>, StoreError> {
        let mut refusals = Vec::new();
        for unit in &self.units {
            match unit {
                Unit::Table { table, indexes, .. } => {
                    for index in
                        table.index_defs().iter().filter(|it| it.unique && indexes.contains(&it.space))
                    {
                        let shared = table.shared(view, index.space, N_NAMED_MAX)?;
                        refusals.extend(shared.into_iter().map(|it| {
                            format!(
                                "{} is unique, but {} have {}: change them with the previous program",
                                index.space,
                                it.ids.join(" and "),
                                it.values
                            )
                        }));
                    }
                }
                Unit::Link { link, .. } => refusals.extend(link.shared(view, N_NAMED_MAX)?),
                Unit::Projection { .. } | Unit::Dropped { .. } => {}
            }
        }
        Ok(refusals)
    }
}

/// The plan for operators, a line for each remark and step.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut is_any = false;
        for line in self.notes.iter().cloned().chain(self.steps()) {
            writeln!(f, "{line}")?;
            is_any = true;
        }
        if self.is_done() || !is_any {
            writeln!(f, "the data is as this program stores it: there is nothing to do")?;
        }
        Ok(())
    }
}

/// The key of a shape, beside the fingerprints. Shapes stay for ever: records of any of them may be stored.
fn shape_key(number: ShapeNumber) -> String {
    format!("{SHAPE}{number:08x}")
}

/// What the keys of shapes begin with.
const SHAPE: &str = "shape ";

/// The stored fingerprints and shapes, and sentences about those that cannot be read.
struct Stored {
    parts: BTreeMap<String, Fingerprint>,
    shapes: BTreeSet<String>,
    wrong: Vec<String>,
}

fn stored(view: &dyn Read) -> Result<Stored, StoreError> {
    let mut stored = Stored { parts: BTreeMap::new(), shapes: BTreeSet::new(), wrong: Vec::new() };
    view.scan(&Span::prefix(&view.prefix(FORMAT)), Direction::Ascending, &mut |key, value| {
        let key = String::from_utf8_lossy(&key[2..]).into_owned();
        if key == PROGRESS {
            return Ok(Scan::Continue(()));
        }
        if key.starts_with(SHAPE) {
            let text: String = decode(FORMAT, &key, value)?;
            match learn_shape(&text) {
                Ok(number) if shape_key(number) == key => drop(stored.shapes.insert(text)),
                _ => stored.wrong.push(format!("{key}: it does not name the fields {text}")),
            }
            return Ok(Scan::Continue(()));
        }
        match decode::<Fingerprint>(FORMAT, &key, value) {
            Ok(part) if part.key() == key => {
                stored.parts.insert(key, part);
            }
            _ => stored.wrong.push(format!(
                "{key}: its fingerprint is unknown to this program: the data was written by a newer one"
            )),
        }
        Ok(Scan::Continue(()))
    })?;
    Ok(stored)
}

fn is_empty(view: &dyn Read, registry: &Registry) -> Result<bool, StoreError> {
    for space in registry.spaces() {
        if view.count_keys(&Span::prefix(&view.prefix(space)), 1)? > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

fn refuse(refusals: Vec<String>) -> Result<(), MigrationError> {
    if refusals.is_empty() { Ok(()) } else { Err(MigrationError::Refused(refusals)) }
}

/// Indexes of a dropped table that are stored, and that `dropped!` does not name: their entries would be
/// left.
fn indexes_left(table: &DroppedTable, stored: &BTreeMap<String, Fingerprint>) -> Vec<String> {
    let of_table = stored.values().filter(|it| it.kind == PartKind::Index && it.of == table.name);
    let left = of_table.filter(|it| !table.indexes.contains(&it.name.as_str()));
    left.map(|it| {
        format!("table {} is dropped, and its index {} is not named there: name it", table.name, it.name)
    })
    .collect()
}

/// Why the stored data of a part cannot be migrated to the schema of this program.
fn refusal(before: &Fingerprint, now: &Fingerprint, fields: Option<&Fields>) -> Vec<String> {
    let key = now.key();
    if before.version > now.version {
        return vec![format!(
            "{key} is in version {}, and this program knows those up to {}: the data was written by a newer one",
            before.version, now.version
        )];
    }
    fn ends(form: &str) -> &str {
        form.split_once(',').map_or(form, |(ends, _)| ends)
    }
    let entities = |form: &str| ends(form).replace("many ", "").replace("one ", "");
    match now.kind {
        PartKind::Link if entities(&before.form) != entities(&now.form) => {
            vec![format!(
                "{key} was from {}, and is from {}: give the new one a name of its own",
                ends(&before.form),
                ends(&now.form)
            )]
        }
        PartKind::Space if before.form != now.form => {
            vec![format!(
                "{key} has held {}, and holds {}: give the new one a name of its own",
                before.form, now.form
            )]
        }
        _ => fields.map_or_else(Vec::new, |it| lost(&key, before, it)),
    }
}

/// Stored fields that this program would lose, or take for another type.
fn lost(key: &str, before: &Fingerprint, now: &Fields) -> Vec<String> {
    let steps: Vec<&Step> =
        now.history.iter().skip(usize::from(before.version).saturating_sub(1)).copied().flatten().collect();
    // What a function does to the fields is unknown; the rows are decoded instead.
    if steps.iter().any(|it| matches!(it, Step::Changed(_))) {
        return Vec::new();
    }
    let mut lost = Vec::new();
    for (field, old) in &before.fields {
        let name = steps.iter().try_fold(field.clone(), |name, step| step.name_after(&name));
        let Some(name) = name else { continue };
        match now.kinds.get(&name) {
            None => lost.push(format!(
                "{key} has stored `{field}`, which this program does not know: it is older than the data, or the \
                 field was renamed or dropped without a step in the `history` of its record"
            )),
            Some(kind) if !kind.takes(old) => lost.push(format!(
                "{key} has stored `{field}` as {old}, and it is {} now: that needs a step in the `history` of its record",
                kind.name()
            )),
            Some(_) => {}
        }
    }
    lost
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unit::Table { table, rewrite, count, indexes } => {
                write!(f, "table {}:", table.def().name)?;
                if *rewrite {
                    write!(f, " every record is rewritten as version {};", table.def().version())?;
                }
                if *count {
                    write!(f, " its records are counted;")?;
                }
                match indexes.as_slice() {
                    [] => write!(f, " no index is rebuilt"),
                    some => write!(f, " rebuilt: {}", some.join(", ")),
                }
            }
            Unit::Link { link: Link { name, .. }, rewrite, .. } => {
                let rows = if *rewrite { "every row is rewritten, and " } else { "" };
                write!(f, "link {name}: {rows}its other direction is rebuilt")
            }
            Unit::Projection { projection: Projection { name, .. }, .. } => {
                write!(f, "projection {name}: is rebuilt")
            }
            Unit::Dropped { table, .. } => {
                write!(f, "table {}: was dropped, and its records are deleted", table.name)
            }
        }
    }
}
