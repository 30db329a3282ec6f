//! The store: serialisable transactions over ordered keys and values. Reads use a snapshot; writes run one
//! after the other on a writer thread and are committed in groups. Works with any engine.
//!
//! A body is a plain function over `&mut dyn Write`. It cannot await, so it cannot block the writer with I/O,
//! and bodies of several modules compose into one transaction: `f(tx)?; g(tx)?`. `Ok` commits and `Err`
//! aborts; a panic aborts only its own body.

mod backup;
mod checksum;
mod commit_log;
mod engine;
pub mod engines;
mod entity;
mod error;
mod field;
pub mod files;
mod format;
mod groups;
mod held_views;
mod histogram;
mod history;
mod key;
mod line;
mod list_index;
mod look_up;
mod made;
mod memory_log;
mod meter;
mod outbox;
mod overlay;
mod position;
mod progress;
mod regions;
mod sequence;
mod shape;
mod slots;
mod sort_key;
mod space;
mod standing;
mod store;
mod table;
mod tx;
pub mod verify;
mod view;
mod writer_counters;

pub use backup::{Beside, Manifest, PART, restore};
pub use commit_log::{AppendError, Chain, CommitLog, Entry, marked};
pub use engine::{Changes, Engine, Neighbours, Raw};
pub use entity::{
    ComputedFields, Embed, Entity, EntityDef, JsonObject, Node, Record, decode, decode_record, encode,
    encode_record, json_value, present,
};
pub use error::{StoreError, skip_damaged};
#[doc(hidden)]
pub use field::field_name;
pub use field::{Exact, FieldKind, FieldValue, Scalar};
pub use format::STORE_FORMAT;
pub use groups::Groups;
pub use held_views::HeldSummary;
pub use histogram::{Buckets, Histogram, Summary};
pub use history::{
    History, Step, decode_version, encode_version, from_json, leads_to, stored_version, to_json, upgrade,
    version, with_names,
};
pub use key::{KeyBuf, group_key, key_text, split_part};
pub use line::{EnterLine, LineError, all_known};
pub use list_index::{
    COST_OF_ID, COST_OF_PLACE, Children, Found, ListIndex, NumberSet, Sets, VisitNumber, Walk, intersect,
    searched_text,
};
pub use look_up::{get_each, scan_each};
pub use memory_log::{Cut, MemoryLog};
pub use meter::{Halt, Meter};
pub use outbox::{EVENTS, Event, OUTBOX, emit, event_positions, events_after, last_event, remove_event};
pub use overlay::dry_run;
pub use position::Position;
pub use progress::Progress;
pub use regions::{Dependencies, Recorder};
pub use sequence::{
    SEQUENCES, add_to_group, counters_of, group_count, last_number, next_number, sequences, set_last_number,
};
pub use shape::{ShapeNumber, learn_shape};
pub use slots::{Slots, SpaceDef};
pub use sort_key::{COLLATION_VERSION, SortKey};
pub use space::Space;
pub use standing::{Leader, Seen, Standing, Trouble};
pub use store::{Store, StoreOptions};
pub use table::{
    EnterRows, Index, IndexDef, Keys, Refill, RefillRows, RowError, Shared, Table, TableSource, WriteRows,
};
pub use tx::{Direction, Guard, Read, Scan, Span, Visit, Write, WriteKeys, count_up_to};
pub use view::{View, VisitKey};
pub use writer_counters::{WriterCounters, WriterFigures, WriterSummary};
