//! Cascade to links: removes, soft-deletes or restores the links of a record together with the record.

use atoll_storage::{KeyBuf, Span, WriteKeys};

use crate::{
    Moment, Read, Registry, StoreError, Write,
    data::{Direction, RowError, Scan},
    link::{Link, Side, batch::N_TOGETHER_MAX, by_side},
};

/// The links that have `entity` at one end, with the side of that end.
fn links_of(entity: &str) -> impl Iterator<Item = (&'static Link, Side)> {
    Registry::get().links.iter().flat_map(move |link| {
        let left = (link.left.entity == entity).then_some((*link, Side::Left));
        let right = (link.right.entity == entity).then_some((*link, Side::Right));
        left.into_iter().chain(right)
    })
}

/// True if the record has any link.
pub(crate) fn is_linked(tx: &dyn Read, entity: &str, id: &str) -> Result<bool, StoreError> {
    for (link, side) in links_of(entity) {
        if tx.count_keys(&Span::prefix(&link.group(tx, side, id)), 1)? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes all links of a record that is deleted for good, and deletes the records that cascade with it.
pub(crate) fn forget(tx: &mut dyn Write, at: &Moment, entity: &str, id: &str) -> Result<(), RowError> {
    for (link, side) in links_of(entity) {
        let others = link.others(tx, side, id)?;
        link.detach_all(tx, at, side, id, &others)?;
        let end = by_side(side, &link.left, &link.right).1;
        if end.cascade {
            let service = Registry::service(end.entity);
            others.iter().try_for_each(|other| service.delete(tx, at, other).map(drop))?;
        }
        let waiting = Span::prefix(&deleted_group(tx, link, side, id));
        let mut keys = Vec::new();
        tx.scan(&waiting, Direction::Ascending, &mut |key, _| {
            keys.push(key.to_vec());
            Ok(Scan::Continue(()))
        })?;
        keys.into_iter().for_each(|key| tx.delete(key));
    }
    Ok(())
}

/// Soft-deletes all links of a record, and the records that cascade with it.
pub(crate) fn soft_delete(tx: &mut dyn Write, at: &Moment, entity: &str, id: &str) -> Result<(), RowError> {
    for (link, side) in links_of(entity) {
        let others = link.others(tx, side, id)?;
        link.put_aside(tx, at, side, id, &others)?;
        let end = by_side(side, &link.left, &link.right).1;
        if end.cascade {
            let service = Registry::service(end.entity);
            others.iter().try_for_each(|other| service.soft_delete(tx, at, other).map(drop))?;
        }
    }
    Ok(())
}

/// Restores the links that [`soft_delete`] removed with this record. If the other end was deleted meanwhile,
/// the link waits for that record to be restored.
pub(crate) fn restore(tx: &mut dyn Write, at: &Moment, entity: &str, id: &str) -> Result<(), RowError> {
    for (link, side) in links_of(entity) {
        let group = deleted_group(tx, link, side, id);
        let mut waiting = Vec::new();
        tx.scan(&Span::prefix(&group), Direction::Ascending, &mut |key, value| {
            let other = String::from_utf8_lossy(&key[group.len()..]).into_owned();
            waiting.push((key.to_vec(), other, value.to_vec()));
            Ok(Scan::Continue(()))
        })?;
        let (end, other_side) = match side {
            Side::Left => (&link.right, Side::Right),
            Side::Right => (&link.left, Side::Left),
        };
        let mut restored = Vec::new();
        for (key, other, bytes) in waiting {
            tx.delete(key);
            if end.cascade {
                Registry::service(end.entity).restore(tx, at, &other)?;
            }
            let table = Registry::graph().table(end.entity);
            if !table.has(tx, &other)? {
                if table.deleted_node(tx, &other)?.is_none() {
                    // The other end was deleted for good, and will not be restored.
                    continue;
                }
                let mut key = deleted_group(tx, link, other_side, &other);
                key.extend_from_slice(id.as_bytes());
                tx.put(key, bytes);
                continue;
            }
            let (left, right) = by_side(side, id, other.as_str());
            restored.push(link.record(left, right, link.decode(id, &bytes)?));
        }
        restored.chunks(N_TOGETHER_MAX).try_for_each(|some| link.enter_all(tx, at, some))?;
    }
    Ok(())
}

/// The rows that were deleted with `id`. The side is part of the group, so that ids of two entities do not
/// collide.
pub(super) fn deleted_group(tx: &dyn Read, link: &Link, side: Side, id: &str) -> Vec<u8> {
    let side = match side {
        Side::Left => "left",
        Side::Right => "right",
    };
    KeyBuf::new(tx.prefix(link.deleted)).part(side).part(id).into_bytes()
}
