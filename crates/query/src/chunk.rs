//! A chunk of records whose filters are evaluated together: what hangs on them is read when a condition first asks for
//! it, and once, however many conditions ask.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use atoll_storage::{EntityDef, Node};

use crate::{Env, QueryError, Relation};

/// Some records of one entity.
pub(crate) struct Chunk<'a> {
    pub(crate) env: &'a Env<'a>,
    pub(crate) entity: &'static EntityDef,
    pub(crate) nodes: Vec<Node>,
    resolved: RefCell<HashMap<&'static str, Rc<Resolved<'a>>>>,
}

/// What one relation leads to from the records of a chunk.
pub(crate) struct Resolved<'a> {
    /// How many are whose, in the order of the records.
    pub(crate) sizes: Vec<usize>,
    /// The targets of all of them.
    pub(crate) chunk: Chunk<'a>,
}

impl<'a> Chunk<'a> {
    pub(crate) fn new(env: &'a Env<'a>, entity: &'static EntityDef, nodes: Vec<Node>) -> Self {
        Chunk { env, entity, nodes, resolved: RefCell::default() }
    }

    /// What the relation of this name leads to; none where the entity has no such relation.
    pub(crate) fn targets(&self, name: &str) -> Result<Option<Rc<Resolved<'a>>>, QueryError> {
        match self.env.graph.relation(self.entity.name, name) {
            Some(relation) => Ok(Some(self.resolved(relation)?)),
            None => Ok(None),
        }
    }

    /// What this relation leads to.
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
