//! Projections: indexes over several modules, kept up to date in the transaction that changes a record.

use crate::{Moment, Registry, StoreError, Write, change_event, data::Record};

/// A change to a record or to a link, within its transaction.
pub struct Change<'a> {
    /// Name of the entity or link.
    pub of: &'static str,
    /// The record before; `None` when it is created or restored.
    pub before: Option<&'a dyn Record>,
    /// The record after; `None` when it is deleted or soft-deleted.
    pub after: Option<&'a dyn Record>,
}

/// An index derived from records of several modules. `update` is called in their transaction, after the
/// record was written, whichever way it was changed.
pub struct Projection {
    /// Unique name.
    pub name: &'static str,
    /// Entities and links whose changes it follows.
    pub follows: &'static [&'static str],
    /// Spaces that it writes.
    pub spaces: &'static [crate::data::Space],
    /// Those of its spaces whose contents cannot be derived from the records: they are read when the others
    /// are rebuilt, and are not cleared.
    pub kept: &'static [crate::data::Space],
    /// Increase it whenever `update` writes something else: the projection is then rebuilt at the next start.
    pub version: u16,
    /// Brings the projection up to date. It must read the store rather than the change: called for all
    /// records and links as new ones, in any order and over empty spaces, while all of them are stored
    /// already, it must write the whole projection. Migrations and `verify` rely on that.
    pub update: fn(&mut dyn Write, &Change<'_>) -> Result<(), StoreError>,
}

/// Registers a projection.
#[macro_export]
macro_rules! projection {
    ($(#[$meta:meta])* $vis:vis static $NAME:ident = $projection:expr;) => {
        $(#[$meta])*
        $vis static $NAME: $crate::data::Projection = $projection;

        const _: () = {
            $crate::register! { $crate::data::Projection: &$NAME }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a projection is written\n\
             \x20   /// What it holds.\n\
             \x20   pub static NAME = Projection { name: \"stock\", follows: &[\"product\"], … };"
        );
    };
}

/// Announces a change: updates the projections that follow it, and writes its event if a subscriber follows
/// that.
pub(crate) fn announce(tx: &mut dyn Write, at: &Moment, change: &Change<'_>) -> Result<(), StoreError> {
    project(tx, change)?;
    change_event::write(tx, at, change)
}

/// Updates the projections that follow a change.
pub(crate) fn project(tx: &mut dyn Write, change: &Change<'_>) -> Result<(), StoreError> {
    for projection in &Registry::get().projections {
        if projection.follows.contains(&change.of) {
            (projection.update)(tx, change)?;
        }
    }
    Ok(())
}
