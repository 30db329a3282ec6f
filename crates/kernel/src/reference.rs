//! Foreign keys: fields that hold ids of other records. Where a relation says `OnDelete::Clear`, they are
//! cleared when the other record is deleted, and set again when it is restored.

use atoll_storage::{KeyBuf, Span, WriteKeys, split_part};

use crate::{
    Moment, Registry, StoreError, Write,
    data::{Direction, RowError, Scan, Space},
    query::{OnDelete, Relation, Resolve},
};

/// Space of references that soft deletions cleared. Key: entity and id of the deleted record, then entity,
/// field and id of the record that referred to it.
pub(crate) const CLEARED_REFERENCES: Space = "reference.cleared";

/// The relations whose field is cleared when their target is deleted.
pub(crate) fn cleared(relations: &[Relation]) -> Vec<(Relation, &'static str)> {
    let field = |it: &Relation| match (it.on_delete, it.resolve) {
        (OnDelete::Clear, Resolve::Field(field)) => Some((*it, field)),
        _ => None,
    };
    relations.iter().filter_map(field).collect()
}

/// Clears all references to a record that is deleted for good.
pub(crate) fn forget(tx: &mut dyn Write, at: &Moment, entity: &str, id: &str) -> Result<(), RowError> {
    clear(tx, at, entity, id, false)?;
    let group = KeyBuf::new(tx.prefix(CLEARED_REFERENCES)).part(entity).part(id).into_bytes();
    keys_of(tx, &group)?.into_iter().for_each(|key| tx.delete(key));
    Ok(())
}

/// Clears all references to a record that is soft-deleted, and notes which they were.
pub(crate) fn soft_delete(tx: &mut dyn Write, at: &Moment, entity: &str, id: &str) -> Result<(), RowError> {
    clear(tx, at, entity, id, true)
}

fn clear(tx: &mut dyn Write, at: &Moment, entity: &str, id: &str, note: bool) -> Result<(), RowError> {
    for (relation, field) in Registry::get().cleared.iter().filter(|(it, _)| it.to == entity) {
        let holder = Registry::service(relation.from);
        for it in holder.table().all_where(tx, field, id)? {
            holder.release(tx, at, &it, field, id)?;
            if note {
                note_cleared(tx, relation, field, id, &it);
            }
        }
    }
    Ok(())
}

fn note_cleared(tx: &mut dyn Write, relation: &Relation, field: &str, id: &str, holder: &str) {
    let key = KeyBuf::new(tx.prefix(CLEARED_REFERENCES)).part(relation.to).part(id);
    let key = key.part(relation.from).part(field).tail(holder.as_bytes());
    tx.put(key.into_bytes(), Vec::new());
}

/// Sets the references to a restored record again that [`soft_delete`] cleared, where the field is still
/// empty; and clears references of the record itself whose targets were deleted meanwhile. A record that was
/// itself deleted while its target was restored stays without the reference.
pub(crate) fn restore(tx: &mut dyn Write, at: &Moment, entity: &str, id: &str) -> Result<(), RowError> {
    let registry = Registry::get();
    let group = KeyBuf::new(tx.prefix(CLEARED_REFERENCES)).part(entity).part(id).into_bytes();
    for key in keys_of(tx, &group)? {
        let parts = split_part(&key[group.len()..])
            .and_then(|(from, rest)| split_part(rest).map(|(field, holder)| (from, field, holder)));
        let Some((from, field, holder)) = parts else { continue };
        let holder = String::from_utf8_lossy(holder).into_owned();
        tx.delete(key.clone());
        // Entities that are no longer linked in have no records to change.
        if registry.graph.has_table(&from) {
            Registry::service(&from).refer(tx, at, &holder, &field, id)?;
        }
    }
    for (relation, field) in registry.cleared.iter().filter(|(it, _)| it.from == entity) {
        let Some(node) = registry.graph.table(entity).node(tx, id)? else { continue };
        for target in relation.ids_in(&*node) {
            if !registry.graph.table(relation.to).has(tx, target)? {
                Registry::service(entity).release(tx, at, id, field, target)?;
                note_cleared(tx, relation, field, target, id);
            }
        }
    }
    Ok(())
}

fn keys_of(tx: &dyn Write, group: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut keys = Vec::new();
    tx.scan(&Span::prefix(group), Direction::Ascending, &mut |key, _| {
        keys.push(key.to_vec());
        Ok(Scan::Continue(()))
    })?;
    Ok(keys)
}
