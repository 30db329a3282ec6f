//! Modules: the contents of a plugin (services, relations, seed), and the list in which modules register.

use crate::{
    Moment, Write,
    data::{AnyService, RowError, Space, SpaceDef},
    query::Relation,
    registry::Providers,
};

/// A module: a name, its tables, and the relations between them. It does not access the keys of other
/// modules; an association between two modules is a link.
pub struct Module {
    /// `sales-channel`: the name of its folder.
    pub name: &'static str,
    /// Its purpose, in one line.
    pub summary: &'static str,
    /// The services of its entities.
    pub services: &'static [&'static dyn AnyService],
    /// Spaces that it uses beside its tables, and what is in them: [`Slots`](crate::data::Slots).
    pub spaces: &'static [SpaceDef],
    /// Records of earlier versions that it needs no more: they are deleted at the next start.
    pub dropped: &'static [DroppedTable],
    /// Relations between its own entities.
    pub relations: &'static [Relation],
    /// Are its records about the running of the program itself? Changes of those emit no events: a subscriber
    /// to all events would cause events by its own bookkeeping without end.
    pub is_log: bool,
    /// May it be switched off? Its entities, routes, flows, links and so on are not there then; its records
    /// stay in the data, and are not read.
    pub is_optional: bool,
    /// Names of other modules that it needs: none of them can be switched off while it is on.
    pub needs: &'static [&'static str],
    /// Writes the records that the module needs, if they are missing. Called at every start.
    pub seed: Option<Seed>,
}

/// The records of an entity that an earlier version of a module had, as `dropped!` names them.
#[derive(Clone, Copy, Debug)]
pub struct DroppedTable {
    /// The name of the entity.
    pub name: Space,
    /// Its soft-deleted records.
    pub deleted: Space,
    /// All its indexes that data may have.
    pub indexes: &'static [Space],
}

impl DroppedTable {
    pub(crate) fn spaces(&self) -> impl Iterator<Item = Space> {
        [self.name, self.deleted].into_iter().chain(self.indexes.iter().copied())
    }
}

/// Names an entity that a module has no more, and all indexes that it had: its records are deleted when data
/// of the earlier version is opened. Without it they stay in the data, and are not read.
///
/// ```
/// use atoll_kernel::{data::Module, dropped};
///
/// static MODULE: Module = Module {
///     name: "review",
///     dropped: &[dropped!("review_vote", "review_vote.by_review")],
///     ..Module::EMPTY
/// };
/// ```
#[macro_export]
macro_rules! dropped {
    ($entity:literal $(, $index:literal)* $(,)?) => {
        $crate::data::DroppedTable {
            name: $entity,
            deleted: concat!($entity, ".deleted"),
            indexes: &[$($index),*],
        }
    };
}

/// Writes records that are missing, and those of the providers that serve.
pub type Seed = fn(&mut dyn Write, &Moment, &Providers) -> Result<(), RowError>;

/// Registers a module.
///
/// ```
/// use atoll_kernel::{data::{Module, Service}, entity, module};
///
/// entity! {
///     /// A place where the catalogue is sold.
///     pub struct SalesChannel = "sales_channel" / "sales_channels", "sc" {
///         /// Shown to admins.
///         pub name: String,
///     }
/// }
///
/// static SALES_CHANNELS: Service<SalesChannel> = Service::new(&[]);
///
/// module! { Module {
///     name: "sales-channel",
///     summary: "Where the catalogue is sold",
///     services: &[&SALES_CHANNELS],
///     ..Module::EMPTY
/// } }
/// ```
#[macro_export]
macro_rules! module {
    ($module:expr) => {
        #[doc = "What this crate registers."]
        pub static MODULE: $crate::data::Module = $module;

        const _: () = {
            static MANIFEST: $crate::registry::Manifest = $crate::registry::Manifest::new(
                env!("CARGO_PKG_NAME"),
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")),
                &MODULE,
            );

            $crate::register! { in MODULES, $crate::data::Module: &MODULE }
            $crate::inventory::submit! {
                $crate::registry::Linked::<$crate::registry::Manifest>::new(&MANIFEST)
            }
            $crate::inventory::submit! {
                $crate::registry::PartOf { module: || MODULE.name, path: module_path!() }
            }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a module is written\n\
             \x20   Module { name: \"review\", services: &[&REVIEWS], ..Module::EMPTY }"
        );
    };
}

impl Module {
    /// An empty module, to be filled in.
    pub const EMPTY: Module = Module {
        name: "",
        summary: "",
        services: &[],
        spaces: &[],
        dropped: &[],
        relations: &[],
        is_log: false,
        is_optional: false,
        needs: &[],
        seed: None,
    };
}
