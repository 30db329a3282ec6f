//! `verify` of projections: each is rebuilt in memory from the records that it follows, and compared key by
//! key.

use crate::{
    Registry, StoreError,
    data::{Change, Direction, Projection, Record, Scan},
    link,
    verify::{Verify, readable},
};

use atoll_storage::{Span, verify::Scratch};

pub(super) fn verify(projection: &Projection, it: &mut Verify<'_>) -> Result<(), StoreError> {
    if projection.renew.is_some() {
        return Ok(());
    }
    let view = it.view;
    let derived = projection.spaces.iter().copied().filter(|it| !projection.kept.contains(it));
    let mut scratch = Scratch::new(view, derived.collect());
    let mut is_whole = true;
    for of in projection.follows {
        let mut told = |record: Option<&dyn Record>| -> Result<(), StoreError> {
            it.findings.checked("records that projections follow")?;
            let told = record.map(|record| {
                let change = Change { of, before: None, after: Some(record) };
                scratch.write(|tx| (projection.update)(tx, &change))
            });
            // The entries of a record that cannot be read are unknown, and may be in the projection all the
            // same.
            is_whole &= told.map_or(Ok(None), readable)?.is_some();
            Ok(())
        };
        match Registry::get().links.iter().find(|it| it.name == *of) {
            Some(link) => link::records(link, view, &mut told)?,
            None => {
                let service = Registry::service(of);
                view.scan(&Span::prefix(&view.prefix(of)), Direction::Ascending, &mut |key, value| {
                    let id = String::from_utf8_lossy(&key[2..]);
                    let record = readable(service.read(&id, value))?;
                    told(record.as_deref().map(|it| it as &dyn Record))?;
                    Ok(Scan::Continue(()))
                })?;
            }
        }
    }
    scratch.compare(is_whole, it.findings)
}
