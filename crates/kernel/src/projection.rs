//! Projections: indexes over several modules, kept up to date in the transaction that changes a record.

use crate::{
    Moment, Registry, StoreError, Write, change_event,
    data::{ListIndex, Record},
};

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
    /// What `update` does for each of several changes of one entity or link, where there is a cheaper way for
    /// all of them: a bulk call changes many. `None`: `update` is called for each.
    pub update_all: Option<UpdateAll>,
    /// For a projection that only notes what is to be done, and is caught up with in the background: notes
    /// that everything is. It is called instead of showing it all records, when the projection is new or was
    /// changed, and `verify` does not rebuild it.
    pub renew: Option<Renew>,
    /// Spaces of its module that such notes are written to. What undoes a transaction leaves them: a worker
    /// may have removed them meanwhile, and a note too many is a reason to look and no more.
    pub notes: &'static [crate::data::Space],
    /// The list index that it maintains, if it does: see `list_index!`.
    pub list_index: Option<&'static ListIndex>,
}

/// Brings a projection up to date after several changes of one entity or link.
pub type UpdateAll = fn(&mut dyn Write, &[Change<'_>]) -> Result<(), StoreError>;

/// Notes that everything is to be done.
pub type Renew = fn(&mut dyn Write) -> Result<(), StoreError>;

impl Projection {
    /// A projection that does nothing, to be filled in.
    pub const EMPTY: Projection = Projection {
        name: "",
        follows: &[],
        spaces: &[],
        kept: &[],
        version: 1,
        update: |_, _| Ok(()),
        update_all: None,
        renew: None,
        notes: &[],
        list_index: None,
    };
}

/// Registers a projection.
#[macro_export]
macro_rules! projection {
    ($(#[$meta:meta])* $vis:vis static $NAME:ident = $projection:expr;) => {
        $(#[$meta])*
        $vis static $NAME: $crate::data::Projection = $projection;

        const _: () = {
            $crate::register! { in PROJECTIONS, $crate::data::Projection: &$NAME }
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

/// Registers the list index of a table: what its lists filter, sort and search by at the cost of a page.
///
/// `filters` are fields of few different values (up to some thousands), `sorts` words, names, times and whole
/// numbers. With `search`, `q` looks the words of the fields in `search [...]` of the entity up, and with
/// `children` those of the records that belong to it, by an indexed field of theirs. Lists that ask for
/// something else still work: they read every record that the index admits. With `block_size: 1024` behind
/// `search`, a page costs about the same wherever its records are in an order;
/// [`ListIndex`](crate::data::ListIndex) says what that costs.
///
/// ```
/// use atoll_kernel::{data::{Module, Service}, entity, list_index, module};
///
/// entity! {
///     /// What a customer says of a product.
///     pub struct Review = "review" / "reviews", "rev" {
///         /// The headline.
///         pub title: String,
///         /// Where it was written.
///         pub source: String,
///     }
///     search [title]
/// }
///
/// static REVIEWS: Service<Review> = Service::new(&[]);
///
/// list_index! {
///     /// Lists of reviews.
///     static REVIEW_LISTS = "review" of REVIEWS {
///         filters: ["source"],
///         sorts: ["created_at", "title"],
///         search: true,
///     }
/// }
///
/// module! { Module { name: "review", summary: "Reviews", services: &[&REVIEWS], ..Module::EMPTY } }
/// ```
#[macro_export]
macro_rules! list_index {
    (
        $(#[$meta:meta])* $vis:vis static $NAME:ident = $entity:literal of $SERVICE:ident {
            filters: [$($filter:literal),* $(,)?],
            sorts: [$($sort:literal),* $(,)?],
            search: $search:literal
            $(, block_size: $block_size:literal)?
            $(, children: $CHILDREN:ident ($child:literal) by $field:literal)? $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis static $NAME: $crate::data::ListIndex = $crate::data::ListIndex {
            table: &$SERVICE.table,
            numbers: concat!($entity, ".numbers"),
            lists: concat!($entity, ".lists"),
            filters: &[$($filter),*],
            sorts: &[$($sort),*],
            block_size: $crate::or_none!($($block_size)?),
            search: $search,
            children: $crate::or_none!(
                $($crate::data::Children { table: &$CHILDREN.table, field: $field })?
            ),
        };

        const _: () = {
            $crate::projection! {
                static PROJECTION = $crate::data::Projection {
                    name: concat!($entity, ".lists"),
                    follows: &[$entity $(, $child)?],
                    spaces: &[concat!($entity, ".numbers"), concat!($entity, ".lists")],
                    kept: &[concat!($entity, ".numbers")],
                    version: $crate::data::ListIndex::VERSION,
                    update: |tx, change| $NAME.update(tx, change.before, change.after),
                    list_index: Some(&$NAME),
                    ..$crate::data::Projection::EMPTY
                };
            }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a list index is written\n\
             \x20   /// Lists of reviews.\n\
             \x20   static REVIEW_LISTS = \"review\" of REVIEWS {\n\
             \x20       filters: [\"source\"], sorts: [\"title\"], search: true,\n\
             \x20   }"
        );
    };
}

/// Announces a change: updates the projections that follow it, and writes its event if a subscriber follows
/// that.
pub(crate) fn announce(tx: &mut dyn Write, at: &Moment, change: &Change<'_>) -> Result<(), StoreError> {
    project(tx, change)?;
    change_event::write(tx, at, change)
}

/// Announces changes of one entity or link, which are all written already.
pub(crate) fn announce_all(
    tx: &mut dyn Write,
    at: &Moment,
    changes: &[Change<'_>],
) -> Result<(), StoreError> {
    let Some(first) = changes.first() else { return Ok(()) };
    for projection in followers(first.of) {
        match projection.update_all {
            Some(update_all) if changes.len() > 1 => update_all(tx, changes)?,
            _ => changes.iter().try_for_each(|change| (projection.update)(tx, change))?,
        }
    }
    changes.iter().try_for_each(|change| change_event::write(tx, at, change))
}

/// Updates the projections that follow a change.
pub(crate) fn project(tx: &mut dyn Write, change: &Change<'_>) -> Result<(), StoreError> {
    followers(change.of).try_for_each(|projection| (projection.update)(tx, change))
}

fn followers(of: &'static str) -> impl Iterator<Item = &'static Projection> {
    let all = Registry::get().projections.iter().copied();
    all.filter(move |it| it.follows.contains(&of))
}
