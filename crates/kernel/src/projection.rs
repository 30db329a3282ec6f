//! Projections: indexes over more than one module, kept up to date in the transaction that changes a record.

use linkme::distributed_slice;

use crate::{Moment, Record, StoreError, Write, change_event};

/// A change to a record or to a link, as it is being made.
pub struct Change<'a> {
    /// The entity, or the link, that changes.
    pub of: &'static str,
    /// The record as it was; `None` when it is new, or comes back.
    pub before: Option<&'a dyn Record>,
    /// The record as it will be; `None` when it goes, for good or not.
    pub after: Option<&'a dyn Record>,
}

/// Something derived from records of several modules. It is called in their transaction, after the record was
/// written, for every way in which it can be.
pub struct Projection {
    /// Its name.
    pub name: &'static str,
    /// The entities and links that it follows.
    pub follows: &'static [&'static str],
    /// The spaces that it writes.
    pub spaces: &'static [crate::Space],
    /// Those of them that hold what does not follow from the records: they are read when the others are built
    /// anew, and stay.
    pub kept: &'static [crate::Space],
    /// Counts up whenever `update` writes something else: the projection is then built anew, at the next
    /// start.
    pub version: u16,
    /// Brings it up to date. It looks at what is stored rather than at what changes: shown all records and
    /// links as new ones, while they are all there already, in any order and over empty spaces, it writes
    /// what it holds. A migration and `verify` count on that.
    pub update: fn(&mut dyn Write, &Change<'_>) -> Result<(), StoreError>,
}

/// All projections that are linked in.
#[distributed_slice]
pub static PROJECTIONS: [&'static Projection];

/// Registers a projection.
#[macro_export]
macro_rules! projection {
    ($(#[$meta:meta])* $vis:vis static $NAME:ident = $projection:expr;) => {
        $(#[$meta])*
        $vis static $NAME: $crate::Projection = $projection;

        const _: () = {
            #[$crate::linkme::distributed_slice($crate::PROJECTIONS)]
            #[linkme(crate = $crate::linkme)]
            static REGISTERED: &$crate::Projection = &$NAME;
        };
    };
}

/// Tells of a change: the projections that follow it are brought up to date, and its event is written if
/// anybody follows that.
pub(crate) fn announce(tx: &mut dyn Write, at: &Moment, change: &Change<'_>) -> Result<(), StoreError> {
    project(tx, change)?;
    change_event::write(tx, at, change)
}

/// Brings the projections up to date that follow a change.
pub(crate) fn project(tx: &mut dyn Write, change: &Change<'_>) -> Result<(), StoreError> {
    for projection in PROJECTIONS {
        if projection.follows.contains(&change.of) {
            (projection.update)(tx, change)?;
        }
    }
    Ok(())
}
