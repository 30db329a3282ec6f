//! What a module is, and where modules register.

use linkme::distributed_slice;

use crate::{AnyService, Moment, Relation, RowError, Space, Write};

/// A module: a name, its tables, and how they hang together. It reaches no other module's keys; what belongs
/// to two modules is a link.
pub struct Module {
    /// `sales-channel`: the name of its folder.
    pub name: &'static str,
    /// What it is for, in one line.
    pub summary: &'static str,
    /// The services of its entities.
    pub services: &'static [&'static dyn AnyService],
    /// Spaces that it uses beside its tables.
    pub spaces: &'static [Space],
    /// Relations between its own entities.
    pub relations: &'static [Relation],
    /// Are its records about the running of the program itself? Their changes are no events: a subscriber to
    /// all events would hear of its own doings without end.
    pub is_log: bool,
    /// Writes the records that it cannot do without, if they are not there: run at every start.
    pub seed: Option<Seed>,
}

/// Writes records that are missing.
pub type Seed = fn(&mut dyn Write, &Moment) -> Result<(), RowError>;

/// All modules that are linked in.
#[distributed_slice]
pub static MODULES: [&'static Module];

/// Registers a module.
///
/// ```ignore
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
        pub static MODULE: $crate::Module = $module;

        const _: () = {
            #[$crate::linkme::distributed_slice($crate::MODULES)]
            #[linkme(crate = $crate::linkme)]
            static REGISTERED: &$crate::Module = &MODULE;
        };
    };
}

impl Module {
    /// A module of nothing, to be filled in.
    pub const EMPTY: Module = Module {
        name: "",
        summary: "",
        services: &[],
        spaces: &[],
        relations: &[],
        is_log: false,
        seed: None,
    };
}
