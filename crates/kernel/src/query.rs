//! The graph over all modules: selecting fields, filters, lists, relations and computed fields, and the wall
//! that hides what a sales channel does not show.

pub use atoll_query::{
    AnswerLimits, Compute, Computed, Context, Cursor, Env, FieldList, Graph, Ids, ListQuery, Nothing,
    OnDelete, Page, QueryError, Relation, Resolve, ResolveWith, Selection, SortBy, StoreFields, Targets,
    Union, Visibility, Wall, Where, check_selection, each_id, list, write_node, write_nodes,
};
pub use atoll_values::{Comparison, Condition, Fields, Filter};
