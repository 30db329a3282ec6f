//! Links: associations between records of two modules that do not know each other.
//!
//! A pair is stored as two entries in one transaction: forward with the row, reverse without a value, so that
//! both directions are prefix scans. Rows that a soft deletion removes are kept under the deleted record, so
//! that restoring it brings back these links and no others.

mod batch;
mod cascade;
mod graph;
mod ids;
mod line;
mod pairs;
mod refill;
mod register;
mod verify;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Fault, StoreError, Timestamp,
    data::{FieldKind, History, Space},
    query::OnDelete,
    stored,
};

pub use self::ids::OtherEnd;

pub(crate) use self::graph::LinkRecord;
pub(crate) use self::{
    cascade::{forget, is_linked, restore, soft_delete},
    graph::{entity_of, relations_of},
    verify::{records, verify},
};

/// An association between two entities.
pub struct Link {
    /// `product_sales_channel`: its name in queries, and the space of its rows.
    pub name: Space,
    /// Space of the reverse entries.
    pub reverse: Space,
    /// Space of the rows that soft deletions removed.
    pub deleted: Space,
    /// Prefix of the ids of its rows.
    pub prefix: &'static str,
    /// The left end.
    pub left: End,
    /// The right end.
    pub right: End,
    /// The end whose pairs are counted, record by record: one with many partners each, which lists are
    /// counted by.
    pub counted: Option<Side>,
    /// Columns of a row, beside the ids.
    pub columns: &'static [Column],
    /// Versions of the columns: how rows of each version are read as the next.
    pub history: History,
}

/// A column of a link's rows.
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds, as JSON has it: a time is text.
    pub kind: FieldKind,
    /// Its description in the OpenAPI document.
    pub text: &'static str,
    /// Default value.
    pub default: fn() -> Value,
}

/// One end of a link.
pub struct End {
    /// Name of the entity: `product`.
    pub entity: &'static str,
    /// Name of its id in the rows: `product_id`.
    pub key: &'static str,
    /// Name of its record in the rows: `product`.
    pub alias: &'static str,
    /// Relation from this entity to the records at the other end, if there is one in the graph.
    pub others: Option<&'static str>,
    /// Relation from this entity to the rows.
    pub rows: &'static str,
    /// May one record of this end be linked to several of the other?
    pub many: bool,
    /// Is a record of this end deleted together with the one that it is linked to?
    pub cascade: bool,
}

stored! {
    /// What is stored of a pair.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    pub struct LinkRow {
        /// Its id; it means nothing but that it was made once.
        pub id: String,
        /// The columns of the link.
        pub data: Map<String, Value>,
        /// When the pair was made.
        pub created_at: Timestamp,
        /// When its columns were last changed.
        pub updated_at: Timestamp,
    }
}

/// A relation through a field that holds the id of another module's record (a foreign key). It stores
/// nothing.
pub struct FieldLink {
    /// The entity that has the field.
    pub from: &'static str,
    /// The foreign key.
    pub field: &'static str,
    /// Name of the relation to the other record.
    pub relation: &'static str,
    /// Shown as a list, though the field holds one id?
    pub many: bool,
    /// The other entity.
    pub to: &'static str,
    /// Name of the relation back, if the field is indexed.
    pub back: Option<&'static str>,
    /// What a deletion of the other record does to the field.
    pub on_delete: OnDelete,
    /// Does whoever sees the record see the other one, too, whatever its own
    /// [`Visibility`](crate::query::Visibility) is?
    pub reveals: bool,
}

/// Why a pair was refused.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The record at one end does not exist.
    #[error("{label} with id: {id} was not found")]
    NoEnd {
        /// The entity.
        label: String,
        /// The id without a record.
        id: String,
    },
    /// One end may have one partner only, and has one already.
    #[error("Cannot create multiple links between '{left}' and '{right}'")]
    Taken {
        /// Entity of the left end.
        left: &'static str,
        /// Entity of the right end.
        right: &'static str,
    },
    /// A module at one of its ends is switched off.
    #[error("The module of one end of '{0}' is switched off")]
    Off(&'static str),
    /// An error of the store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LinkError> for Fault {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::NoEnd { .. } => Fault::not_found(error.to_string()),
            LinkError::Taken { .. } => Fault::invalid(error.to_string()),
            LinkError::Off(_) => Fault::not_allowed(error.to_string()),
            LinkError::Store(error) => error.into(),
        }
    }
}

/// One of the two ends of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The left one.
    Left,
    /// The right one.
    Right,
}

fn by_side<T>(side: Side, own: T, other: T) -> (T, T) {
    match side {
        Side::Left => (own, other),
        Side::Right => (other, own),
    }
}
