//! What is known of entities and of how they hang together.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use atoll_storage::{Direction, EntityDef, Halt, Node, Read, Record, Scalar, Scan, StoreError, TableSource};
use atoll_values::{
    Timestamp,
    limits::{ANSWER_BYTES_MAX, RECORDS_AT_ONCE_MAX, STORE_ANSWER_BYTES_MAX, STORE_CHILDREN_MAX},
};
use serde_json::Value;

use crate::{Ids, QueryError, sort_key::SortKey};

/// The entities, tables and relations of everything that is linked into the program.
#[derive(Default)]
pub struct Graph {
    entities: HashMap<&'static str, &'static EntityDef>,
    tables: HashMap<&'static str, &'static dyn TableSource>,
    relations: HashMap<&'static str, BTreeMap<&'static str, Relation>>,
    computed: HashMap<&'static str, BTreeMap<&'static str, &'static Computed>>,
}

/// A way from the records of one entity to those of another.
#[derive(Clone, Copy)]
pub struct Relation {
    /// The entity that it starts from.
    pub from: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// The entity that it leads to.
    pub to: &'static str,
    /// A list, or at most one?
    pub many: bool,
    /// Does `q` on `from` look here too?
    pub searched: bool,
    /// Where there is no target: is the field absent (links), or null (within a module)?
    pub absent_if_none: bool,
    /// How the targets are found.
    pub resolve: Resolve,
    /// What becomes of the ids in the records' field when their target is deleted.
    pub when_gone: WhenGone,
    /// The field of the targets that they are shown in the order of; without it, the order is that of the ids.
    pub sorted_by: Option<&'static str>,
}

/// What becomes of a field that holds the id of a record, or several, when that record is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenGone {
    /// It stays as it is: it says what was, or the module refuses to delete what it names, or deletes both.
    Keep,
    /// The id is taken out, and comes back when the record is restored. The field must be indexed.
    Clear,
}

/// How the targets of a relation are found.
#[derive(Clone, Copy)]
pub enum Resolve {
    /// The records inside the record.
    Embedded,
    /// This field holds the id, or the ids, of the target.
    Field(&'static str),
    /// The targets hold the record's id in this indexed field.
    Back(&'static str),
    /// A function finds them: for each record, its targets.
    With(&'static (dyn ResolveWith + Sync)),
}

/// Finds the targets of a relation for many records in one call.
pub trait ResolveWith {
    /// For each of `nodes`, in order: begins in `targets`, and adds its targets as far as they are wanted.
    fn resolve(&self, env: &Env<'_>, nodes: &[Node], targets: &mut Targets<'_>) -> Result<(), QueryError>;

    /// The records from which it leads to the one with this id, where these are known.
    fn back(&self, target: &str) -> Option<Box<dyn Ids>>;
}

/// A field that is computed from more than the record: prices in a currency, what is left in a channel.
pub struct Computed {
    /// The entity that has it.
    pub entity: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Other fields of the entity that the answer shows whenever this one is asked for, as the wire does.
    pub also_shows: &'static [&'static str],
    /// Is it a number by which lists can be sorted?
    pub sorts: bool,
    /// For each of the records, in order, its value; `None` leaves the field out.
    pub compute: Compute,
}

/// Computes a field of many records in one call.
pub type Compute = fn(&Env<'_>, &[Node]) -> Result<Vec<Option<Value>>, QueryError>;

/// Behind what whoever asks cannot see. Every relation of a query ends at it: what it leads to beyond is not there, in
/// answers, filters and orders alike.
pub trait Wall: fmt::Debug + Send + Sync {
    /// Is this record there for whoever asks?
    fn shows(&self, view: &dyn Read, node: &Node) -> Result<bool, StoreError>;
}

/// What a query knows beside its fields and filters.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The time that the answer is for.
    pub at: Timestamp,
    values: BTreeMap<&'static str, Vec<String>>,
    wall: Option<Arc<dyn Wall>>,
    limits: AnswerLimits,
}

/// How much one answer may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerLimits {
    /// Bytes of an answer to admins.
    pub bytes_max: usize,
    /// Bytes of an answer to a storefront.
    pub store_bytes_max: usize,
    /// Of what hangs on one record, a storefront is shown so many.
    pub store_children_max: usize,
}

impl Default for AnswerLimits {
    fn default() -> Self {
        AnswerLimits {
            bytes_max: ANSWER_BYTES_MAX,
            store_bytes_max: STORE_ANSWER_BYTES_MAX,
            store_children_max: STORE_CHILDREN_MAX,
        }
    }
}

impl Context {
    /// A context at this time.
    pub fn at(at: Timestamp) -> Self {
        Context { at, ..Context::default() }
    }

    /// A context of somebody who does not see beyond this wall.
    pub fn within(mut self, wall: Arc<dyn Wall>) -> Self {
        self.wall = Some(wall);
        self
    }

    /// The same context, in which answers may hold so much.
    pub fn limited(mut self, limits: AnswerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Bytes of an answer.
    pub(crate) fn bytes_max(&self) -> usize {
        if self.wall.is_some() { self.limits.store_bytes_max } else { self.limits.bytes_max }
    }

    /// Of what hangs on one record, so many are shown.
    pub(crate) fn children_max(&self) -> usize {
        if self.wall.is_some() { self.limits.store_children_max } else { usize::MAX }
    }

    /// The wall, if there is one.
    pub fn wall(&self) -> Option<&dyn Wall> {
        self.wall.as_deref()
    }

    /// Adds values under a name that the computed field that wants them has chosen.
    pub fn with(mut self, name: &'static str, values: Vec<String>) -> Self {
        self.values.insert(name, values);
        self
    }

    /// The values under `name`.
    pub fn get(&self, name: &str) -> Option<&[String]> {
        self.values.get(name).map(Vec::as_slice)
    }

    /// The one value under `name`.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.get(name)?.first().map(String::as_str)
    }
}

/// One query's surroundings: a snapshot, the graph and the context.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// The snapshot that everything is read from.
    pub view: &'a dyn Read,
    /// The graph.
    pub graph: &'a Graph,
    /// The context.
    pub context: &'a Context,
}

impl Graph {
    /// Adds an entity and the records inside it.
    pub fn add_entity(&mut self, def: &'static EntityDef) {
        if self.entities.insert(def.name, def).is_some() {
            return;
        }
        for embed in def.embeds {
            let to = (embed.entity)();
            self.add_relation(Relation {
                from: def.name,
                name: embed.name,
                to: to.name,
                many: embed.many,
                searched: false,
                absent_if_none: false,
                resolve: Resolve::Embedded,
                when_gone: WhenGone::Keep,
                sorted_by: None,
            });
            self.add_entity(to);
        }
    }

    /// Adds a table, and its entity.
    pub fn add_table(&mut self, table: &'static dyn TableSource) {
        self.add_entity(table.def());
        self.tables.insert(table.def().name, table);
    }

    /// Adds a relation.
    pub fn add_relation(&mut self, relation: Relation) {
        self.relations.entry(relation.from).or_default().insert(relation.name, relation);
    }

    /// Adds a computed field.
    pub fn add_computed(&mut self, computed: &'static Computed) {
        self.computed.entry(computed.entity).or_default().insert(computed.name, computed);
    }

    /// The entity of this name.
    pub fn entity(&self, name: &str) -> Option<&'static EntityDef> {
        self.entities.get(name).copied()
    }

    /// All entities, by name.
    pub fn entities(&self) -> Vec<&'static EntityDef> {
        let mut all: Vec<_> = self.entities.values().copied().collect();
        all.sort_by_key(|def| def.name);
        all
    }

    /// The table of an entity.
    ///
    /// # Panics
    /// When the entity is embedded, or unknown: the registry refuses such relations at start-up.
    pub fn table(&self, entity: &str) -> &'static dyn TableSource {
        *self.tables.get(entity).unwrap_or_else(|| panic!("entity `{entity}` has no table"))
    }

    /// Has the entity a table of its own?
    pub fn has_table(&self, entity: &str) -> bool {
        self.tables.contains_key(entity)
    }

    /// The relation `name` of `entity`.
    pub fn relation(&self, entity: &str, name: &str) -> Option<&Relation> {
        self.relations.get(entity)?.get(name)
    }

    /// The relations of `entity`, by name.
    pub fn relations(&self, entity: &str) -> impl Iterator<Item = &Relation> {
        self.relations.get(entity).into_iter().flat_map(BTreeMap::values)
    }

    /// The computed fields of `entity`, by name.
    pub fn computed_fields(&self, entity: &str) -> impl Iterator<Item = &'static Computed> {
        self.computed.get(entity).into_iter().flat_map(BTreeMap::values).copied()
    }

    /// The computed field `name` of `entity`.
    pub fn computed(&self, entity: &str, name: &str) -> Option<&'static Computed> {
        self.computed.get(entity)?.get(name).copied()
    }

    /// Is `name`, below this path of relations, a relation or a computed field?
    pub fn is_guarded(&self, root: &str, above: &[String], name: &str) -> bool {
        let mut entity = root;
        for segment in above {
            match self.relation(entity, segment) {
                Some(relation) => entity = relation.to,
                None => return false,
            }
        }
        self.relation(entity, name).is_some() || self.computed(entity, name).is_some()
    }
}

impl Relation {
    /// The ids that a record itself holds of its targets.
    pub fn ids_in<'a>(&self, record: &'a dyn Record) -> Vec<&'a str> {
        let Resolve::Field(field) = self.resolve else { return Vec::new() };
        match record.scalar(field) {
            Scalar::Text(id) => vec![id],
            Scalar::List(ids) => ids,
            _ => Vec::new(),
        }
    }

    /// For each of `nodes`, in order, its targets on this side of the wall.
    pub fn resolve(&self, env: &Env<'_>, nodes: &[Node]) -> Result<Vec<Vec<Node>>, QueryError> {
        self.resolve_first(env, nodes, usize::MAX, RECORDS_AT_ONCE_MAX)
    }

    /// As `resolve`, but at most `per_record` of each record, and an error where they are more than `in_total`. A target that
    /// several of them share is read once.
    pub(crate) fn resolve_first(
        &self,
        env: &Env<'_>,
        nodes: &[Node],
        per_record: usize,
        in_total: usize,
    ) -> Result<Vec<Vec<Node>>, QueryError> {
        // What is sorted is read whole, so that the first of it are known.
        let read_per_record = if self.sorted_by.is_some() { usize::MAX } else { per_record };
        let mut targets = Targets::new(env, read_per_record, in_total);
        match self.resolve {
            Resolve::Embedded => {
                // They are the record itself, and not what hangs on it.
                targets.per_record = usize::MAX;
                for node in nodes {
                    targets.begin();
                    for part in node.embedded(self.name) {
                        let _ = targets.add(part)?;
                    }
                }
            }
            Resolve::With(with) => with.resolve(env, nodes, &mut targets)?,
            Resolve::Field(_) => {
                let mut rows = RowCache::new(env.view, env.graph.table(self.to));
                for node in nodes {
                    targets.begin();
                    for id in self.ids_in(&**node) {
                        if let Some(target) = rows.get(id)?
                            && targets.add(target)?.is_break()
                        {
                            break;
                        }
                    }
                }
            }
            Resolve::Back(field) => {
                let table = env.graph.table(self.to);
                let mut rows = RowCache::new(env.view, table);
                for node in nodes {
                    targets.begin();
                    table.ids_where(
                        env.view,
                        field,
                        node.key(),
                        Direction::Ascending,
                        &mut |id| match rows.get(id)? {
                            Some(target) => targets.add(target),
                            None => Ok(Scan::Continue(())),
                        },
                    )?;
                }
            }
        }
        assert_eq!(targets.all.len(), nodes.len(), "relation `{}` answers for every record", self.name);
        if let Some(field) = self.sorted_by {
            for nodes in &mut targets.all {
                nodes.sort_by_cached_key(|node| SortKey::of(node.def(), field, &node.scalar(field)));
                nodes.truncate(per_record);
            }
        }
        Ok(targets.all)
    }
}

/// The targets of a relation, record by record: those that are on this side of the wall, as far as they are wanted.
pub struct Targets<'a> {
    env: &'a Env<'a>,
    /// Of one record.
    per_record: usize,
    /// Of all records.
    in_total: usize,
    n_added: usize,
    all: Vec<Vec<Node>>,
}

impl<'a> Targets<'a> {
    fn new(env: &'a Env<'a>, per_record: usize, in_total: usize) -> Self {
        Targets { env, per_record, in_total, n_added: 0, all: Vec::new() }
    }

    /// What is added next belongs to the next record.
    pub fn begin(&mut self) {
        self.all.push(Vec::new());
    }

    /// Adds a target of the record that was begun, if whoever asks may see it. Says whether more of them are wanted.
    ///
    /// # Panics
    /// When no record was begun.
    pub fn add(&mut self, target: Node) -> Result<Scan, StoreError> {
        let own = self.all.last_mut().expect("a record was begun");
        if let Some(wall) = &self.env.context.wall
            && !wall.shows(self.env.view, &target)?
        {
            return Ok(Scan::Continue(()));
        }
        own.push(target);
        self.n_added += 1;
        if self.n_added > self.in_total {
            return Err(StoreError::Halted(Halt::Records(RECORDS_AT_ONCE_MAX as u64)));
        }
        Ok(if own.len() < self.per_record { Scan::Continue(()) } else { Scan::Break(()) })
    }
}

/// Rows of one table, each read at most once.
struct RowCache<'a> {
    view: &'a dyn Read,
    table: &'static dyn TableSource,
    rows: HashMap<String, Option<Node>>,
}

impl<'a> RowCache<'a> {
    fn new(view: &'a dyn Read, table: &'static dyn TableSource) -> Self {
        RowCache { view, table, rows: HashMap::new() }
    }

    fn get(&mut self, id: &str) -> Result<Option<Node>, StoreError> {
        if let Some(row) = self.rows.get(id) {
            return Ok(row.clone());
        }
        let row = self.table.node(self.view, id)?;
        self.rows.insert(id.to_owned(), row.clone());
        Ok(row)
    }
}
