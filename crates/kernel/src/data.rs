//! Stored data: modules with their entities, tables, indexes and services; links between modules;
//! projections.

pub use atoll_storage::{
    Direction, Embed, Engine, Entity, EntityDef, Exact, FieldKind, FieldValue, Halt, History, Index,
    IndexDef, JsonObject, KeyBuf, Keys, Meter, Node, Record, RowError, SEQUENCES, Scalar, Scan, Slots, Space,
    SpaceDef, Span, Step, Store, Table, TableSource, View, Visit, add_to_group, counters_of, engines,
    group_count, json_value, key_text, last_number, next_number, present, skip_damaged, split_part,
};
pub use atoll_values::{flattened, joined};

pub use crate::link::{Column, End, FieldLink, Link, LinkError, LinkRow, OtherEnd};
pub use crate::module::{Module, Seed};
pub use crate::projection::{Change, Projection};
pub use crate::reference::CLEARED_REFERENCES;
pub use crate::service::{AnyService, Patch, Service, of};

/// For tests, and the kernel: what a module stores is a record, the row of a link, or in [`Slots`].
#[doc(hidden)]
pub use atoll_storage::{decode, encode, field_name};
