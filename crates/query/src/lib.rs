//! The query engine: one query over the entity graph, across modules and links, as in GraphQL.
//!
//! A request names fields; the planner turns them into a [`Selection`], a tree of entities; the executor
//! loads it level by level with one batched call per relation; the writer serialises the selected fields
//! straight to bytes. Records stay typed until they are written.

mod chunk;
mod cursor;
mod expand;
mod fields;
mod graph;
mod ids;
mod indexed;
mod list;
mod matching;
mod narrow;
mod predicate;
mod selection;
mod sorting;
mod wall;

pub use cursor::Cursor;
pub use expand::{check_selection, write_node, write_nodes};
pub use fields::{FieldList, StoreFields, allowed_path};
pub use graph::{
    AnswerLimits, Compute, Computed, Context, Env, Graph, OnDelete, Relation, Resolve, ResolveWith, Targets,
};
pub use ids::{Ids, Union, Where};
pub use list::{ListQuery, Page, SortBy, list};
pub use matching::each_id;
pub use selection::Selection;
pub use wall::{Nothing, Visibility, Wall};

use std::error::Error;

use atoll_storage::{Halt, StoreError};

/// Why a query failed.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// `order` names no sortable field of the entity.
    #[error("Order field {0} is not valid")]
    Order(String),
    /// `fields` follows a cycle of relations that includes a to-many relation. Holds the path.
    #[error("Field '{0}' follows a cycle through a relation to many: ask for it in a request of its own")]
    Cycle(String),
    /// A computed field needs a value that the context does not hold. The text is the wire's.
    #[error("{0}")]
    Context(String),
    /// `cursor` is none, or none of this list. Holds what is wrong.
    #[error("{0}")]
    Cursor(String),
    /// What a computed field asked, such as a provider, has refused; with its own error.
    #[error(transparent)]
    Refused(Box<dyn Error + Send + Sync>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Halt> for QueryError {
    fn from(halt: Halt) -> Self {
        QueryError::Store(StoreError::Halted(halt))
    }
}
