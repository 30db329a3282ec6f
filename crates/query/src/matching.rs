//! All ids that a query matches, for what is done to every one of them: an export.

use atoll_storage::{Direction, EntityDef};

use crate::{Env, ListQuery, QueryError, chunk::Chunk, list::Candidates};

/// Visits the id of each record of `entity` that the query matches, whatever its order, page and cursor. Each
/// candidate of the narrowest source is read once, and memory is bounded by a chunk of them. An error of
/// `visit` ends it.
pub fn each_id(
    env: &Env<'_>,
    entity: &'static EntityDef,
    query: ListQuery,
    visit: &mut dyn FnMut(&str) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let ListQuery { filters, within, q, with_deleted, .. } = query;
    let mut candidates = Candidates::of(env, entity, filters, within, q);
    let narrowest = candidates.narrowest(with_deleted)?;
    let source = candidates.take(narrowest);
    let mut visit_kept = |chunk: &Chunk<'_>, keep: &[bool]| {
        let mut kept = chunk.nodes.iter().zip(keep).filter(|(_, keep)| **keep);
        kept.try_for_each(|(node, _)| visit(node.key()))
    };
    candidates.all(&source, Direction::Ascending, &mut visit_kept)?;
    if with_deleted {
        candidates.all_deleted(&source, &mut visit_kept)?;
    }
    Ok(())
}
