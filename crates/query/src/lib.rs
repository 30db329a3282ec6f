//! The graph: one query across modules and links.
//!
//! A request names fields; the planner turns them into a [`Selection`], a tree of entities; the executor loads
//! level by level with one batched call per relation; the writer prints the selected fields straight to bytes.
//! Records stay typed until the last byte.

mod expand;
mod fields;
mod filter;
mod graph;
mod ids;
mod list;
mod narrow;
mod selection;

pub use expand::{Children, Tree, expand, write_tree};
pub use fields::{FieldList, Offer};
pub use filter::{Filter, FilterValue};
pub use graph::{Compute, Computed, Context, Env, Graph, Relation, Resolve, ResolveWith, Wall};
pub use ids::{AllOf, Ids, Where};
pub use list::{ListQuery, Page, SortBy, list};
pub use selection::Selection;

use atoll_storage::StoreError;

/// Why a query has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum QueryError {
    /// The order names no field.
    #[error("Order field {0} is not valid")]
    Order(String),
    /// A computed field lacks something in the context; the text is the wire's.
    #[error("{0}")]
    Context(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
