//! The entity graph: entities, tables, relations (foreign keys and links) and computed fields; the query
//! context with its wall and limits; batched loading of relations.

use std::{
    any::{Any, TypeId},
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use atoll_storage::{
    Direction, EntityDef, FieldKind, Halt, ListIndex, Node, Read, Record, Scalar, Scan, SortKey, StoreError,
    TableSource,
};
use atoll_values::{
    Now,
    limits::{ANSWER_BYTES_MAX, RECORDS_AT_ONCE_MAX, STORE_ANSWER_BYTES_MAX, STORE_CHILDREN_MAX},
};
use serde_json::Value;

use crate::{Ids, QueryError, Visibility, Wall};

/// The entities, tables and relations of everything that is linked into the program.
#[derive(Default)]
pub struct Graph {
    entities: HashMap<&'static str, &'static EntityDef>,
    tables: HashMap<&'static str, &'static dyn TableSource>,
    relations: HashMap<&'static str, BTreeMap<&'static str, Relation>>,
    computed: HashMap<&'static str, BTreeMap<&'static str, &'static Computed>>,
    visible: HashMap<&'static str, Visibility>,
    list_indexes: HashMap<&'static str, &'static ListIndex>,
}

/// A relation from one entity to another.
#[derive(Clone, Copy)]
pub struct Relation {
    /// The entity that has the relation.
    pub from: &'static str,
    /// Its field name in `from`.
    pub name: &'static str,
    /// The target entity.
    pub to: &'static str,
    /// To many (a list) or to one.
    pub many: bool,
    /// Does `q` on `from` also search the targets?
    pub searched: bool,
    /// Without a target, is the field absent (links) or null (relations within a module)?
    pub absent_if_none: bool,
    /// How the targets are found.
    pub resolve: Resolve,
    /// What happens to the foreign key when the target is deleted.
    pub on_delete: OnDelete,
    /// The field by which the targets are sorted. The default is by id.
    pub sorted_by: Option<&'static str>,
    /// Are the targets visible to whoever sees the record, whatever their own visibility is? The customer of
    /// a cart is.
    pub reveals: bool,
    /// A field that must be true for storefronts to follow the relation: what others can make is not led
    /// from, such as a guest with the address of a customer.
    pub followed_if: Option<&'static str>,
    /// The relation of the targets that leads back to the record, if there is one.
    pub back: Option<&'static str>,
}

impl Relation {
    /// A relation to one record at most, which is null where there is none.
    pub const fn one(from: &'static str, name: &'static str, to: &'static str, resolve: Resolve) -> Relation {
        Relation {
            from,
            name,
            to,
            many: false,
            searched: false,
            absent_if_none: false,
            resolve,
            on_delete: OnDelete::Keep,
            sorted_by: None,
            reveals: false,
            followed_if: None,
            back: None,
        }
    }

    /// A relation to a list of records, in the order of their ids.
    pub const fn many(
        from: &'static str,
        name: &'static str,
        to: &'static str,
        resolve: Resolve,
    ) -> Relation {
        Relation { many: true, ..Relation::one(from, name, to, resolve) }
    }
}

/// What happens to a field that holds one or several ids when one of these records is deleted: the `ON
/// DELETE` of a foreign key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// The id stays. The field records history, or the module refuses the deletion, or deletes both
    /// (cascade).
    Keep,
    /// The id is removed (`SET NULL`), and put back when the record is restored. The field must be indexed.
    Clear,
}

/// How the targets of a relation are found.
#[derive(Clone, Copy)]
pub enum Resolve {
    /// The targets are embedded in the record.
    Embedded,
    /// A foreign key: this field of the record holds the id or ids of the targets.
    Field(&'static str),
    /// A foreign key in the other direction: this indexed field of the targets holds the id of the record.
    Back(&'static str),
    /// A function finds the targets of many records in one call.
    With(&'static (dyn ResolveWith + Sync)),
}

/// Finds the targets of a relation for many records in one call.
pub trait ResolveWith {
    /// For each of `nodes`, in order: calls `targets.begin()`, then adds its targets until `targets.add`
    /// breaks.
    fn resolve(&self, env: &Env<'_>, nodes: &[Node], targets: &mut Targets<'_>) -> Result<(), QueryError>;

    /// The records whose targets include `target`; `None` if that is not indexed.
    fn back(&self, target: &str) -> Option<Box<dyn Ids>>;
}

/// A field that is computed from more than the record itself: prices in a currency, available stock in a
/// channel.
pub struct Computed {
    /// The entity that has the field.
    pub entity: &'static str,
    /// The name of the field.
    pub name: &'static str,
    /// What it is, for OpenAPI.
    pub text: &'static str,
    /// What it holds, for OpenAPI.
    pub kind: FieldKind,
    /// Other fields of the entity that are shown whenever this one is, as the wire does.
    pub also_shows: &'static [&'static str],
    /// Is it a number by which lists can be sorted?
    pub sorts: bool,
    /// Computes the value for each record, in order; `None` leaves the field out.
    pub compute: Compute,
}

/// Computes a field of many records in one call.
pub type Compute = fn(&Env<'_>, &[Node]) -> Result<Vec<Option<Value>>, QueryError>;

/// The context of a query: the time, values for computed fields, the wall and the limits.
#[derive(Clone, Debug)]
pub struct Context {
    /// The time of the answer: prices and availability windows are evaluated at it.
    pub at: Now,
    values: BTreeMap<&'static str, Vec<String>>,
    held: BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>,
    wall: Option<Arc<dyn Wall>>,
    limits: AnswerLimits,
}

/// Limits of the size of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerLimits {
    /// Bytes of an answer to admins.
    pub bytes_max: usize,
    /// Bytes of an answer to a storefront.
    pub store_bytes_max: usize,
    /// Targets of one relation of one record that a storefront is shown; the rest is left out.
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
    /// A context at this time, without a wall: the caller may see everything.
    pub fn unconfined(at: impl Into<Now>) -> Self {
        Context {
            at: at.into(),
            values: BTreeMap::new(),
            held: BTreeMap::new(),
            wall: None,
            limits: AnswerLimits::default(),
        }
    }

    /// The same context, confined by a wall.
    pub fn within(mut self, wall: Arc<dyn Wall>) -> Self {
        self.wall = Some(wall);
        self
    }

    /// The same context, with these limits.
    pub fn limited(mut self, limits: AnswerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The maximum size of the answer: that of storefronts behind a wall, else that of admins.
    pub(crate) fn bytes_max(&self) -> usize {
        if self.wall.is_some() { self.limits.store_bytes_max } else { self.limits.bytes_max }
    }

    /// The maximum number of targets of one relation of one record. Unlimited without a wall.
    pub(crate) fn children_max(&self) -> usize {
        if self.wall.is_some() { self.limits.store_children_max } else { usize::MAX }
    }

    /// The wall, if there is one.
    pub fn wall(&self) -> Option<&dyn Wall> {
        self.wall.as_deref()
    }

    /// The same context; without a wall, it gets that of `other`.
    pub fn or_within_that_of(mut self, other: &Context) -> Self {
        self.wall = self.wall.or_else(|| other.wall.clone());
        self
    }

    /// Adds values for a computed field, under a name that the field defines.
    pub fn with(mut self, name: &'static str, values: Vec<String>) -> Self {
        self.values.insert(name, values);
        self
    }

    /// The values under `name`.
    pub fn get(&self, name: &str) -> Option<&[String]> {
        self.values.get(name).map(Vec::as_slice)
    }

    /// The first value under `name`.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.get(name)?.first().map(String::as_str)
    }

    /// Adds a value for a computed field that is more than texts, under its type.
    pub fn holding<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.held.insert(TypeId::of::<T>(), Arc::new(value));
        self
    }

    /// The value of this type.
    pub fn held<T: Any>(&self) -> Option<&T> {
        self.held.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

/// The environment of a query: a snapshot, the graph and the context.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// The snapshot that all reads of the query use.
    pub view: &'a dyn Read,
    /// The entities and relations of the program.
    pub graph: &'a Graph,
    /// The caller's time, wall and limits.
    pub context: &'a Context,
}

impl Graph {
    /// Adds an entity and, recursively, its embedded entities.
    pub fn add_entity(&mut self, def: &'static EntityDef) {
        if self.entities.insert(def.name, def).is_some() {
            return;
        }
        for embed in def.embeds {
            let to = (embed.entity)();
            let relation = Relation::one(def.name, embed.name, to.name, Resolve::Embedded);
            self.add_relation(Relation { many: embed.many, ..relation });
            self.add_entity(to);
        }
    }

    /// Adds a table and its entity, visible to these callers.
    pub fn add_table(&mut self, table: &'static dyn TableSource, visible: Visibility) {
        self.add_entity(table.def());
        self.tables.insert(table.def().name, table);
        self.visible.insert(table.def().name, visible);
    }

    /// Who sees the records of an entity besides admins. Rows of links, and whatever else says nothing, are
    /// for admins.
    pub fn visibility(&self, entity: &str) -> Visibility {
        self.visible.get(entity).copied().unwrap_or_default()
    }

    /// Adds the list index of a table.
    pub fn add_list_index(&mut self, index: &'static ListIndex) {
        self.list_indexes.insert(index.def().name, index);
    }

    /// The list index of the table of an entity, if it has one.
    pub fn list_index(&self, entity: &str) -> Option<&'static ListIndex> {
        self.list_indexes.get(entity).copied()
    }

    /// Adds a relation.
    pub fn add_relation(&mut self, relation: Relation) {
        self.relations.entry(relation.from).or_default().insert(relation.name, relation);
    }

    /// Adds a computed field.
    pub fn add_computed(&mut self, computed: &'static Computed) {
        self.computed.entry(computed.entity).or_default().insert(computed.name, computed);
    }

    /// The definition of an entity.
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

    /// Is `name` a relation or a computed field of the entity at the end of this path of relations? Such
    /// names must be in the allow-list of a store route.
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
    /// The ids in the foreign key of the record; empty for other kinds of relation.
    pub fn ids_in<'a>(&self, record: &'a dyn Record) -> Vec<&'a str> {
        let Resolve::Field(field) = self.resolve else { return Vec::new() };
        match record.scalar(field) {
            Scalar::Text(id) => vec![id],
            Scalar::List(ids) => ids,
            _ => Vec::new(),
        }
    }

    /// The ids of the targets that the caller may follow from this record.
    fn ids_to_follow<'a>(&self, env: &Env<'_>, record: &'a dyn Record) -> Vec<&'a str> {
        let must_be = self.followed_if.filter(|_| env.context.wall.is_some());
        match must_be.is_none_or(|field| matches!(record.scalar(field), Scalar::Bool(true))) {
            true => self.ids_in(record),
            false => Vec::new(),
        }
    }

    /// For each of `nodes`, in order, its targets that the wall shows.
    pub fn resolve(&self, env: &Env<'_>, nodes: &[Node]) -> Result<Vec<Vec<Node>>, QueryError> {
        self.resolve_first(env, nodes, usize::MAX, RECORDS_AT_ONCE_MAX)
    }

    /// As `resolve`, but at most `per_record` targets of each record; more than `in_total` are an error. A
    /// target that several records share is read once.
    pub(crate) fn resolve_first(
        &self,
        env: &Env<'_>,
        nodes: &[Node],
        per_record: usize,
        in_total: usize,
    ) -> Result<Vec<Vec<Node>>, QueryError> {
        // A sorted relation is read whole, as only then its first targets are known.
        let read_per_record = if self.sorted_by.is_some() { usize::MAX } else { per_record };
        let mut targets = Targets::new(env, self, read_per_record, in_total);
        match self.resolve {
            Resolve::Embedded => {
                // Embedded records are part of the record: the limit for related records does not apply.
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
                    for id in self.ids_to_follow(env, &**node) {
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
                    table.ids_where(env.view, field, node.key(), None, Direction::Ascending, &mut |id| {
                        match rows.get(id)? {
                            Some(target) => targets.add(target),
                            None => Ok(Scan::Continue(())),
                        }
                    })?;
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

/// Collects the targets of a relation, record by record: those that the wall shows, up to the limits.
pub struct Targets<'a> {
    env: &'a Env<'a>,
    relation: &'a Relation,
    /// The maximum of one record; further targets are not read.
    per_record: usize,
    /// The maximum of all records together; more are an error.
    in_total: usize,
    n_added: usize,
    all: Vec<Vec<Node>>,
}

impl<'a> Targets<'a> {
    fn new(env: &'a Env<'a>, relation: &'a Relation, per_record: usize, in_total: usize) -> Self {
        Targets { env, relation, per_record, in_total, n_added: 0, all: Vec::new() }
    }

    /// Starts the targets of the next record.
    pub fn begin(&mut self) {
        self.all.push(Vec::new());
    }

    /// Adds a target of the current record, if the wall shows it. Breaks when the record has enough of them.
    ///
    /// # Panics
    /// If `begin` was not called.
    pub fn add(&mut self, target: Node) -> Result<Scan, StoreError> {
        let own = self.all.last_mut().expect("a record was begun");
        if !self.env.shows_target(self.relation, &target)? {
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

/// A read cache for rows of one table.
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
