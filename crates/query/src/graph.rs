//! What is known of entities and of how they hang together.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use atoll_storage::{EntityDef, Node, Read, Record, Scalar, StoreError, TableSource};
use atoll_values::Timestamp;
use serde_json::Value;

use crate::{Ids, QueryError};

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
    /// For each of `nodes`, in order, its targets.
    fn resolve(&self, env: &Env<'_>, nodes: &[Node]) -> Result<Vec<Vec<Node>>, QueryError>;

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
    pub shows: &'static [&'static str],
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
        let mut targets = self.targets(env, nodes)?;
        let Some(wall) = &env.context.wall else { return Ok(targets) };
        for nodes in &mut targets {
            let mut shown = Vec::with_capacity(nodes.len());
            for node in nodes.drain(..) {
                if wall.shows(env.view, &node)? {
                    shown.push(node);
                }
            }
            *nodes = shown;
        }
        Ok(targets)
    }

    /// For each of `nodes`, in order, its targets. A target that several of them share is read once.
    fn targets(&self, env: &Env<'_>, nodes: &[Node]) -> Result<Vec<Vec<Node>>, QueryError> {
        match self.resolve {
            Resolve::Embedded => Ok(nodes.iter().map(|node| node.embedded(self.name)).collect()),
            Resolve::With(with) => with.resolve(env, nodes),
            Resolve::Field(_) => {
                let table = env.graph.table(self.to);
                let mut loaded = Loaded::new(env.view, table);
                nodes.iter().map(|node| Ok(loaded.get_all(self.ids_in(&**node))?)).collect()
            }
            Resolve::Back(field) => {
                let table = env.graph.table(self.to);
                let mut loaded = Loaded::new(env.view, table);
                nodes
                    .iter()
                    .map(|node| {
                        let mut ids = Vec::new();
                        let order = atoll_storage::Order::Ascending;
                        table.ids_where(env.view, field, node.key(), order, &mut |id| {
                            ids.push(id.to_owned());
                            Ok(std::ops::ControlFlow::Continue(()))
                        })?;
                        Ok(loaded.get_all(ids.iter().map(String::as_str))?)
                    })
                    .collect()
            }
        }
    }
}

/// Rows of one table, each read at most once.
pub(crate) struct Loaded<'a> {
    view: &'a dyn Read,
    table: &'static dyn TableSource,
    rows: HashMap<String, Option<Node>>,
}

impl<'a> Loaded<'a> {
    pub(crate) fn new(view: &'a dyn Read, table: &'static dyn TableSource) -> Self {
        Loaded { view, table, rows: HashMap::new() }
    }

    pub(crate) fn get(&mut self, id: &str) -> Result<Option<Node>, StoreError> {
        if let Some(row) = self.rows.get(id) {
            return Ok(row.clone());
        }
        let row = self.table.node(self.view, id)?;
        self.rows.insert(id.to_owned(), row.clone());
        Ok(row)
    }

    fn get_all<'i>(&mut self, ids: impl IntoIterator<Item = &'i str>) -> Result<Vec<Node>, StoreError> {
        let mut rows = Vec::new();
        for id in ids {
            rows.extend(self.get(id)?);
        }
        Ok(rows)
    }
}
