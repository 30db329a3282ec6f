//! Exact undo of a transaction: each record and link that it changed is restored to its earlier state. A
//! record that others have changed since is a conflict, and is not overwritten. Indexes, counters and
//! projections follow the records.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap, HashSet},
};

use atoll_storage::{Guard, KeyBuf, SEQUENCES, Span, Visit, WriteKeys, split_part, stored_version};
use serde::{Deserialize, Serialize};

use crate::{
    Fault, FaultKind, Read, Registry, StoreError, Write,
    data::{Direction, Link, LinkError, Space},
    jobs::Event,
    link,
    query::Resolve,
    reference::CLEARED_REFERENCES,
    saga::{StepEntry, StepState},
    service::RecordWriter,
    stored,
};

stored! {
    /// A key that a transaction changed.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    pub(crate) struct Undone {
        space: String,
        /// The key, without the prefix of its space.
        key: Vec<u8>,
        before: Option<Vec<u8>>,
        after: Option<Vec<u8>>,
        /// What the record named before, and names no more, and is there: entities and ids.
        named: Vec<(String, String)>,
    }
}

impl Undone {
    fn is_same_value(&self, other: &Undone) -> bool {
        self.space == other.space && self.key == other.key
    }

    fn id(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.key)
    }

    fn full_key(&self, tx: &dyn Read, space: Space) -> Vec<u8> {
        KeyBuf::new(tx.prefix(space)).tail(&self.key).into_bytes()
    }
}

/// The kinds of spaces whose keys are not derived from other keys.
#[derive(Clone, Copy)]
enum Primary {
    Rows(&'static dyn RecordWriter),
    /// The soft-deleted rows.
    DeletedRows(&'static dyn RecordWriter),
    Pairs(&'static Link),
    /// Names of sequences. A number is not reused once later ones were given.
    Numbers,
    /// Raw bytes.
    Bytes,
}

fn primaries() -> impl Iterator<Item = (Space, Primary)> {
    let registry = Registry::get();
    let services = registry.modules.iter().flat_map(|it| it.services);
    let rows = services.flat_map(|it| {
        let def = it.table().def();
        [(def.name, Primary::Rows(it.erased())), (def.deleted, Primary::DeletedRows(it.erased()))]
    });
    let is_note = |space: &Space| registry.projections.iter().any(|it| it.notes.contains(space));
    let spaces = registry.modules.iter().flat_map(|it| it.spaces).map(|it| it.space);
    let spaces = spaces.filter(move |it| !is_note(it)).map(|it| (it, Primary::Bytes));
    let links = registry.links.iter();
    let pairs = links.flat_map(|it| [(it.name, Primary::Pairs(it)), (it.deleted, Primary::Bytes)]);
    rows.chain(spaces)
        .chain(pairs)
        .chain([(SEQUENCES, Primary::Numbers), (CLEARED_REFERENCES, Primary::Bytes)])
}

/// A transaction that records its changes, and holds its events back.
pub(crate) struct Recorder<'a> {
    tx: &'a mut dyn Write,
    before: HashMap<Vec<u8>, Option<Vec<u8>>>,
    /// The keys, in the order of their first change.
    order: Vec<Vec<u8>>,
    events: Vec<Event>,
    broken: Option<StoreError>,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(tx: &'a mut dyn Write) -> Recorder<'a> {
        Recorder { tx, before: HashMap::new(), order: Vec::new(), events: Vec::new(), broken: None }
    }

    /// The changes, and the events.
    pub(crate) fn finish(self) -> Result<(Vec<Undone>, Vec<Event>), StoreError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let spaces: HashMap<[u8; 2], (Space, Primary)> =
            primaries().map(|it| (self.tx.prefix(it.0), it)).collect();
        let mut undone = Vec::new();
        for key in self.order {
            let found = key.first_chunk::<2>().and_then(|prefix| spaces.get(prefix));
            let Some((space, primary)) = found else { continue };
            // Counters of index entries follow from the indexes.
            if *space == SEQUENCES && key.get(2) == Some(&0) {
                continue;
            }
            let (before, after) = (self.before[&key].clone(), self.tx.get(&key)?);
            if before == after {
                continue;
            }
            let (space, key) = ((*space).to_owned(), key[2..].to_vec());
            let mut it = Undone { space, key, before, after, named: Vec::new() };
            if let Primary::Rows(service) = primary {
                it.named = no_longer_named(self.tx, *service, &it)?;
            }
            undone.push(it);
        }
        Ok((undone, self.events))
    }

    fn note(&mut self, key: &[u8]) {
        if self.before.contains_key(key) {
            return;
        }
        match self.tx.get(key) {
            Ok(value) => {
                self.before.insert(key.to_vec(), value);
                self.order.push(key.to_vec());
            }
            Err(error) => self.broken = Some(error),
        }
    }
}

impl Read for Recorder<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.tx.get(key)
    }

    fn scan(&self, span: &Span, order: Direction, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.tx.scan(span, order, visit)
    }

    fn prefix(&self, space: Space) -> [u8; 2] {
        self.tx.prefix(space)
    }
}

impl Write for Recorder<'_> {
    fn set(&mut self, by: Guard, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.note(&key);
        self.tx.set(by, key, value);
    }

    fn emit(&mut self, event: Event) -> Result<(), StoreError> {
        self.events.push(event);
        Ok(())
    }
}

/// The records that a record referred to before its change and does not refer to after it, if they exist.
fn no_longer_named(
    tx: &dyn Read,
    service: &dyn RecordWriter,
    it: &Undone,
) -> Result<Vec<(String, String)>, StoreError> {
    let named = |bytes: Option<&[u8]>| -> Result<BTreeSet<(String, String)>, StoreError> {
        let Some(bytes) = bytes else { return Ok(BTreeSet::new()) };
        let record = service.read(&it.id(), bytes)?;
        let relations = Registry::graph().relations(service.table().def().name);
        let ids = relations.flat_map(|relation| {
            relation.ids_in(&*record).into_iter().map(|id| (relation.to.to_owned(), id.to_owned()))
        });
        Ok(ids.collect())
    };
    let after = named(it.after.as_deref())?;
    let mut gone = Vec::new();
    for (entity, id) in named(it.before.as_deref())? {
        if !after.contains(&(entity.clone(), id.clone())) && Registry::graph().table(&entity).has(tx, &id)? {
            gone.push((entity, id));
        }
    }
    Ok(gone)
}

/// Restores everything that a transaction changed, last change first; or nothing, if others have changed some
/// of it since, or refer to it.
pub(crate) fn undo(tx: &mut dyn Write, undone: &[Undone]) -> Result<(), Fault> {
    let spaces: HashMap<Space, Primary> = primaries().collect();
    let mut conflicts = BTreeSet::new();
    let mut all = Vec::with_capacity(undone.len());
    for it in undone {
        let Some((space, primary)) = spaces.get_key_value(it.space.as_str()) else {
            conflicts.insert(format!("`{}` is not linked into this program", it.space));
            continue;
        };
        let is_number = matches!(primary, Primary::Numbers);
        if !is_number && !is_same(*primary, it, tx.get(&it.full_key(tx, space))?.as_deref())? {
            let name = it.id().replace(['\0', '\u{1}'], " ");
            conflicts.insert(format!("{space} {} was changed since", name.trim()));
        }
        all.push((*space, *primary, it));
    }
    refuse(&conflicts)?;
    for (_, primary, it) in &all {
        if let Primary::Rows(service) = primary {
            service.make_room(tx, &it.id(), it.before.as_deref())?;
        }
    }
    for (space, primary, it) in all.iter().rev() {
        put_back(tx, space, *primary, it)?;
    }
    for (space, primary, it) in &all {
        conflicts.extend(does_not_fit(tx, space, *primary, it)?);
    }
    refuse(&conflicts)
}

/// Is this the state that the transaction left? A migration may have rewritten it since, in a later version.
fn is_same(primary: Primary, it: &Undone, now: Option<&[u8]>) -> Result<bool, StoreError> {
    let (Some(now), Some(after)) = (now, it.after.as_deref()) else { return Ok(now == it.after.as_deref()) };
    if now == after || stored_version(now) == stored_version(after) {
        return Ok(now == after);
    }
    Ok(match primary {
        Primary::Rows(service) | Primary::DeletedRows(service) => {
            service.as_of_now(&it.id(), now)? == service.as_of_now(&it.id(), after)?
        }
        Primary::Pairs(link) => link.as_of_now(&it.id(), now)? == link.as_of_now(&it.id(), after)?,
        Primary::Numbers | Primary::Bytes => false,
    })
}

fn refuse(conflicts: &BTreeSet<String>) -> Result<(), Fault> {
    if conflicts.is_empty() {
        return Ok(());
    }
    let all: Vec<&str> = conflicts.iter().map(String::as_str).collect();
    Err(Fault::new(FaultKind::Conflict, format!("cannot be undone: {}", all.join("; "))))
}

fn put_back(tx: &mut dyn Write, space: Space, primary: Primary, it: &Undone) -> Result<(), Fault> {
    let before = it.before.as_deref();
    let key = it.full_key(tx, space);
    match primary {
        Primary::Rows(service) => service.put_back(tx, &it.id(), before)?,
        Primary::DeletedRows(service) => service.put_back_deleted(tx, &it.id(), before)?,
        Primary::Pairs(link) => {
            let (left, right) = ends(it)?;
            link.put_back(tx, &left, &right, before)?;
        }
        // Later numbers were given, or the bytes were changed since.
        Primary::Numbers | Primary::Bytes if tx.get(&key)? != it.after => return Ok(()),
        Primary::Numbers | Primary::Bytes => {}
    }
    // Byte by byte, even if the current code would serialise it differently.
    match before {
        Some(before) => tx.put(key, before.to_vec()),
        None => tx.delete(key),
    }
    Ok(())
}

/// Changes by others since, and constraints that the restored state would break.
fn does_not_fit(tx: &dyn Read, space: Space, primary: Primary, it: &Undone) -> Result<Vec<String>, Fault> {
    let graph = Registry::graph();
    let id = it.id();
    match primary {
        Primary::Rows(_) if it.before.is_none() => {
            if link::is_linked(tx, space, &id)? {
                return Ok(vec![format!("{space} {id} was linked to since")]);
            }
            for relation in graph.relations(space) {
                if let Resolve::Back(field) = relation.resolve
                    && graph.table(relation.to).has_where(tx, field, &id)?
                {
                    return Ok(vec![format!("{space} {id} was named by a {} since", relation.to)]);
                }
            }
            Ok(Vec::new())
        }
        Primary::Rows(_) => {
            let mut gone = Vec::new();
            for (entity, id) in it.named.iter().filter(|(entity, _)| graph.has_table(entity)) {
                if !graph.table(entity).has(tx, id)? {
                    gone.push(format!("{entity} {id} was removed since"));
                }
            }
            Ok(gone)
        }
        Primary::Pairs(link) if it.before.is_some() => {
            let (left, right) = ends(it)?;
            match link.check(tx, &left, &right, 1) {
                Ok(()) => Ok(Vec::new()),
                Err(LinkError::Store(error)) => Err(error.into()),
                Err(error) => Ok(vec![format!("{space} {left} {right}: {error}")]),
            }
        }
        Primary::DeletedRows(_) | Primary::Pairs(_) | Primary::Numbers | Primary::Bytes => Ok(Vec::new()),
    }
}

fn ends(it: &Undone) -> Result<(String, String), Fault> {
    let corrupt =
        || Fault::unexpected(format!("the journal names a key of `{}` that cannot be read", it.space));
    let (left, right) = split_part(&it.key).ok_or_else(corrupt)?;
    Ok((left, String::from_utf8_lossy(right).into_owned()))
}

/// Of the changes by a custom undo function, keeps those to keys that earlier steps have changed as well: the
/// undo of these steps compares with them to tell changes of the run from changes by others.
pub(crate) fn shared(changed: Vec<Undone>, earlier: &[StepEntry]) -> Vec<Undone> {
    let is_shared =
        |it: &Undone| earlier.iter().flat_map(|step| &step.undo).any(|other| other.is_same_value(it));
    changed.into_iter().filter(is_shared).collect()
}

/// Undoes the step at `index` by a function. Updates the `after` images of earlier steps to what the function
/// wrote, unless others have changed those keys too. Its events are dropped: the originals were never
/// published.
pub(crate) fn undo_by(
    tx: &mut dyn Write,
    steps: &mut [StepEntry],
    index: usize,
    by: impl FnOnce(&mut dyn Write) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let (earlier, own) = steps.split_at_mut(index);
    let own = &own[0].undo;
    let spaces: HashSet<Space> = primaries().map(|(space, _)| space).collect();
    let mut ours = Vec::new();
    let open = earlier.iter_mut().filter(|it| it.state != StepState::Reverted).rev();
    let mut seen = HashSet::new();
    for it in open.flat_map(|step| &mut step.undo) {
        let Some(space) = spaces.get(it.space.as_str()) else { continue };
        if !seen.insert((it.space.clone(), it.key.clone())) {
            continue;
        }
        let last =
            own.iter().find(|change| change.is_same_value(it) && change.before == it.after).unwrap_or(it);
        let key = it.full_key(tx, space);
        if tx.get(&key)? == last.after {
            ours.push((key, it));
        }
    }
    let mut recorder = Recorder::new(tx);
    by(&mut recorder)?;
    recorder.finish()?;
    for (key, it) in ours {
        it.after = tx.get(&key)?;
    }
    Ok(())
}
