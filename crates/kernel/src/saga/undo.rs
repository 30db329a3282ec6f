//! Undoing what a transaction did, exactly: each record and link that it changed is put back as it was, and one that
//! others changed since is a conflict, not overwritten. Indexes, counts and projections follow the records.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::{
    AnyService, Event, Fault, FaultKind, KeyBuf, Link, Order, Read, Registry, SEQUENCES, Space, Span,
    StoreError, Write, split_part,
};

/// A key that a transaction changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Undone {
    space: String,
    /// The key, without the prefix of its space.
    key: Vec<u8>,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
}

/// What the keys of a space are, where they are more than what follows from other keys.
#[derive(Clone, Copy)]
enum Primary {
    Rows(&'static dyn AnyService),
    Pairs(&'static Link),
    /// Names of sequences: a number that was given is not given again once others went on from it.
    Numbers,
    /// Bytes of their own.
    Bytes,
}

fn primaries(registry: &Registry) -> impl Iterator<Item = (Space, Primary)> {
    let services = registry.modules.iter().flat_map(|it| it.services);
    let rows = services.flat_map(|it| {
        let def = it.table().def();
        [(def.name, Primary::Rows(*it)), (def.graveyard, Primary::Bytes)]
    });
    let spaces = registry.modules.iter().flat_map(|it| it.spaces).map(|it| (*it, Primary::Bytes));
    let links = registry.links.iter();
    let pairs = links.flat_map(|it| [(it.name, Primary::Pairs(it)), (it.graveyard, Primary::Bytes)]);
    rows.chain(spaces).chain(pairs).chain([(SEQUENCES, Primary::Numbers)])
}

/// A transaction that remembers what it changes, and holds its events back.
pub(crate) struct Recorder<'a> {
    tx: &'a mut dyn Write,
    before: HashMap<Vec<u8>, Option<Vec<u8>>>,
    /// The keys in the order in which they were first changed.
    order: Vec<Vec<u8>>,
    events: Vec<Event>,
    broken: Option<StoreError>,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(tx: &'a mut dyn Write) -> Recorder<'a> {
        Recorder { tx, before: HashMap::new(), order: Vec::new(), events: Vec::new(), broken: None }
    }

    /// What was changed, and what it told of.
    pub(crate) fn finish(self) -> Result<(Vec<Undone>, Vec<Event>), StoreError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let spaces: HashMap<[u8; 2], Space> =
            primaries(Registry::get()).map(|(space, _)| (self.tx.prefix(space), space)).collect();
        let mut undone = Vec::new();
        for key in self.order {
            let Some(space) = key.first_chunk::<2>().and_then(|prefix| spaces.get(prefix)) else { continue };
            // Counters count the entries of indexes, and follow them.
            if *space == SEQUENCES && key.get(2) == Some(&0) {
                continue;
            }
            let (before, after) = (self.before[&key].clone(), self.tx.get(&key)?);
            if before != after {
                undone.push(Undone { space: (*space).to_owned(), key: key[2..].to_vec(), before, after });
            }
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

    fn scan(&self, span: &Span, order: Order, visit: &mut crate::Visit<'_>) -> Result<(), StoreError> {
        self.tx.scan(span, order, visit)
    }

    fn prefix(&self, space: Space) -> [u8; 2] {
        self.tx.prefix(space)
    }
}

impl Write for Recorder<'_> {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.note(&key);
        self.tx.put(key, value);
    }

    fn delete(&mut self, key: Vec<u8>) {
        self.note(&key);
        self.tx.delete(key);
    }

    fn emit(&mut self, event: Event) -> Result<(), StoreError> {
        self.events.push(event);
        Ok(())
    }
}

/// Puts everything back that a transaction changed, last change first; or nothing, where others have changed some of
/// it since.
pub(crate) fn undo(tx: &mut dyn Write, undone: &[Undone]) -> Result<(), Fault> {
    let spaces: HashMap<Space, Primary> = primaries(Registry::get()).collect();
    let mut conflicts = Vec::new();
    for it in undone {
        let Some((space, primary)) = spaces.get_key_value(it.space.as_str()) else {
            conflicts.push(format!("`{}` is not linked into this program", it.space));
            continue;
        };
        let is_number = matches!(primary, Primary::Numbers);
        if !is_number && tx.get(&key_of(tx, space, it))? != it.after {
            let name = String::from_utf8_lossy(&it.key).replace(['\0', '\u{1}'], " ");
            conflicts.push(format!("{} {} was changed since", it.space, name.trim()));
        }
    }
    for it in undone.iter().rev() {
        if !conflicts.is_empty() {
            break;
        }
        let (space, primary) = spaces.get_key_value(it.space.as_str()).expect("it was looked up before");
        match primary {
            Primary::Rows(service) => {
                let id = String::from_utf8_lossy(&it.key);
                service.put_back(tx, &id, it.before.as_deref())?;
                conflicts.extend(leftover(tx, space, &id, it)?);
            }
            Primary::Pairs(link) => {
                let (left, right) = split_part(&it.key).ok_or_else(|| corrupt(it))?;
                link.put_back(tx, &left, &String::from_utf8_lossy(right), it.before.as_deref())?;
            }
            Primary::Numbers | Primary::Bytes => {
                let key = key_of(tx, space, it);
                match &it.before {
                    _ if tx.get(&key)? != it.after => {}
                    Some(before) => tx.put(key, before.clone()),
                    None => tx.delete(key),
                }
            }
        }
    }
    if conflicts.is_empty() {
        return Ok(());
    }
    let unique: HashSet<String> = conflicts.into_iter().collect();
    let mut conflicts: Vec<String> = unique.into_iter().collect();
    conflicts.sort();
    Err(Fault::new(FaultKind::Conflict, format!("cannot be undone: {}", conflicts.join("; "))))
}

/// A record that goes, and that others have linked to since, is a conflict as well.
fn leftover(tx: &dyn Read, entity: Space, id: &str, it: &Undone) -> Result<Option<String>, StoreError> {
    let is_linked = it.before.is_none() && crate::link::is_linked(tx, entity, id)?;
    Ok(is_linked.then(|| format!("{entity} {id} was linked to since")))
}

fn key_of(tx: &dyn Read, space: Space, it: &Undone) -> Vec<u8> {
    KeyBuf::new(tx.prefix(space)).tail(&it.key).into_bytes()
}

fn corrupt(it: &Undone) -> Fault {
    Fault::unexpected(format!("the journal names a key of `{}` that cannot be read", it.space))
}
