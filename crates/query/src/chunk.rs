//! A batch of records whose filters are evaluated together. Related records are loaded when the first
//! condition needs them, and cached for the others.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use atoll_storage::{EntityDef, Node, Scalar};

use crate::{Env, QueryError, Relation};

/// Some records of one entity.
pub(crate) struct Chunk<'a> {
    pub(crate) env: &'a Env<'a>,
    pub(crate) entity: &'static EntityDef,
    pub(crate) nodes: Vec<Node>,
    resolved: RefCell<HashMap<&'static str, Rc<Resolved<'a>>>>,
    lowered: RefCell<HashMap<&'static str, Rc<[Option<String>]>>>,
}

/// The targets of one relation for all records of a chunk.
pub(crate) struct Resolved<'a> {
    /// The number of targets of each record, in the order of the records.
    pub(crate) sizes: Vec<usize>,
    /// All targets, in the same order.
    pub(crate) chunk: Chunk<'a>,
}

impl<'a> Chunk<'a> {
    pub(crate) fn new(env: &'a Env<'a>, entity: &'static EntityDef, nodes: Vec<Node>) -> Self {
        Chunk { env, entity, nodes, resolved: RefCell::default(), lowered: RefCell::default() }
    }

    /// A field of each record in lower case, if it is a text: converted once for all conditions.
    pub(crate) fn lower_case(&self, field: &'static str) -> Rc<[Option<String>]> {
        let text = |node: &Node| match node.scalar(field) {
            Scalar::Text(text) => Some(text.to_lowercase()),
            _ => None,
        };
        let mut lowered = self.lowered.borrow_mut();
        lowered.entry(field).or_insert_with(|| self.nodes.iter().map(text).collect()).clone()
    }

    /// The targets of the relation `name`; `None` if the entity has no such relation.
    pub(crate) fn targets(&self, name: &str) -> Result<Option<Rc<Resolved<'a>>>, QueryError> {
        match self.env.graph.relation(self.entity.name, name) {
            Some(relation) => Ok(Some(self.resolved(relation)?)),
            None => Ok(None),
        }
    }

    /// The targets of this relation, loaded on first use.
    pub(crate) fn resolved(&self, relation: &Relation) -> Result<Rc<Resolved<'a>>, QueryError> {
        if let Some(targets) = self.resolved.borrow().get(relation.name) {
            return Ok(targets.clone());
        }
        let to = self.env.graph.entity(relation.to).expect("the registry checks where relations lead");
        let targets = relation.resolve(self.env, &self.nodes)?;
        let sizes = targets.iter().map(Vec::len).collect();
        let nodes = targets.into_iter().flatten().collect();
        let targets = Rc::new(Resolved { sizes, chunk: Chunk::new(self.env, to, nodes) });
        self.resolved.borrow_mut().insert(relation.name, targets.clone());
        Ok(targets)
    }
}
