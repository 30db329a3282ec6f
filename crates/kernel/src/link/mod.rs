//! Links: associations between records of two modules that do not know each other.
//!
//! A pair is stored as two entries in one transaction: forward with the row, reverse without a value, so that
//! both directions are prefix scans. Rows that a soft deletion removes are kept under the deleted record, so
//! that restoring it brings back these links and no others.

mod cascade;
mod graph;
mod refill;
mod verify;

use atoll_storage::{
    KeyBuf, Span, WriteKeys, add_to_group, decode_version, encode_version, upgrade, version,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Fault, Moment, Read, Registry, StoreError, Timestamp, Write,
    data::{Change, Direction, FieldKind, History, Record, Scan, Space, group_count},
    projection::{announce, project},
    query::{Ids, OnDelete},
    stored,
};

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

/// Registers a link, or a `FieldLink`.
///
/// ```
/// use atoll_kernel::{data::End, link};
///
/// link! {
///     /// A product is sold in sales channels.
///     pub static PRODUCT_SALES_CHANNEL: Link("product_sales_channel", "prodsc") = {
///         left: End {
///             entity: "product",
///             key: "product_id",
///             alias: "product",
///             others: Some("sales_channels"),
///             rows: "sales_channels_link",
///             many: true,
///             cascade: false,
///         },
///         right: End {
///             entity: "sales_channel",
///             key: "sales_channel_id",
///             alias: "sales_channel",
///             others: Some("products"),
///             rows: "products_link",
///             many: true,
///             cascade: false,
///         },
///     };
/// }
/// ```
#[macro_export]
macro_rules! link {
    (
        $(#[$meta:meta])*
        $vis:vis static $NAME:ident: Link($name:literal, $prefix:literal) = {
            left: $left:expr,
            right: $right:expr,
            $(columns: $columns:expr,)?
            $(history: $history:expr,)?
        };
    ) => {
        $(#[$meta])*
        $vis static $NAME: $crate::data::Link = $crate::data::Link {
            name: $name,
            reverse: concat!($name, ".reverse"),
            deleted: concat!($name, ".deleted"),
            prefix: $prefix,
            left: $left,
            right: $right,
            columns: $crate::or_empty!($($columns)?),
            history: $crate::or_empty!($($history)?),
        };

        const _: () = {
            $crate::register! { $crate::data::Link: &$NAME }
        };
    };
    ($(#[$meta:meta])* $vis:vis static $NAME:ident: FieldLink = $link:expr;) => {
        $(#[$meta])*
        $vis static $NAME: $crate::data::FieldLink = $link;

        const _: () = {
            $crate::register! { $crate::data::FieldLink: &$NAME }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a link is written in one of these ways; `columns` and `history` may be left out, and \
             the parts stand in this order:\n\
             \x20   /// What it connects.\n\
             \x20   pub static REVIEW_PRODUCT: Link(\"review_product\", \"revprod\") = {\n\
             \x20       left: End { entity: \"review\", … },\n\
             \x20       right: End { entity: \"product\", … },\n\
             \x20       columns: &[…],\n\
             \x20       history: &[…],\n\
             \x20   };\n\
             \x20   /// What it connects.\n\
             \x20   pub static REVIEW_CUSTOMER: FieldLink = FieldLink { from: \"review\", … };"
        );
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! or_empty {
    () => {
        &[]
    };
    ($value:expr) => {
        $value
    };
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

/// The end from which a link is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Link {
    /// False if a module at one of its ends is switched off: it has no pairs then, and takes none. Its rows
    /// stay in the data, and count again when the module is switched on.
    pub fn is_on(&self) -> bool {
        !Registry::get().left_out.has_link(self)
    }

    /// Creates the pair, or changes its columns. Both ends must exist. True if the pair is new.
    pub fn attach(
        &'static self,
        tx: &mut dyn Write,
        at: &Moment,
        left: &str,
        right: &str,
        columns: Map<String, Value>,
    ) -> Result<bool, LinkError> {
        if let Some(before) = self.row(tx, left, right)? {
            let mut row = before.clone();
            row.data.extend(columns);
            if row.data != before.data {
                row.updated_at = at.now();
                self.put(tx, left, right, &row);
                let (before, after) = (self.record(left, right, before), self.record(left, right, row));
                announce(tx, at, &Change { of: self.name, before: Some(&before), after: Some(&after) })?;
            }
            return Ok(false);
        }
        self.check(tx, left, right, 0)?;
        let mut data: Map<String, Value> =
            self.columns.iter().map(|it| (it.name.into(), (it.default)())).collect();
        data.extend(columns);
        let id = format!("{}_{}", self.prefix, &at.id::<RowKind>()[1..]);
        let row = LinkRow { id, data, created_at: at.now(), updated_at: at.now() };
        self.enter(tx, at, left, right, row)?;
        Ok(true)
    }

    /// Checks that both ends exist, and that an end which may have one partner has at most `n_others`.
    pub(crate) fn check(
        &self,
        tx: &dyn Read,
        left: &str,
        right: &str,
        n_others: u64,
    ) -> Result<(), LinkError> {
        if !self.is_on() {
            return Err(LinkError::Off(self.name));
        }
        for (end, id) in [(&self.left, left), (&self.right, right)] {
            let table = Registry::graph().table(end.entity);
            if !table.has(tx, id)? {
                return Err(LinkError::NoEnd { label: table.def().words(), id: id.to_owned() });
            }
        }
        let taken = !self.left.many && group_count(tx, self.name, &[left])? > n_others
            || !self.right.many && group_count(tx, self.reverse, &[right])? > n_others;
        if taken {
            return Err(LinkError::Taken { left: self.left.entity, right: self.right.entity });
        }
        Ok(())
    }

    /// Removes the pair, and no record. True if it existed.
    pub fn detach(
        &'static self,
        tx: &mut dyn Write,
        at: &Moment,
        left: &str,
        right: &str,
    ) -> Result<bool, StoreError> {
        match self.row(tx, left, right)? {
            Some(row) => self.leave(tx, at, left, right, row).map(|()| true),
            None => Ok(false),
        }
    }

    /// The row of the pair, if it exists.
    pub fn row(&self, tx: &dyn Read, left: &str, right: &str) -> Result<Option<LinkRow>, StoreError> {
        if !self.is_on() {
            return Ok(None);
        }
        let bytes = tx.get(&self.key(tx, Side::Left, left, right))?;
        bytes.map(|bytes| self.decode(left, &bytes)).transpose()
    }

    /// True if the pair exists. Reads one key.
    pub fn has(&self, tx: &dyn Read, left: &str, right: &str) -> Result<bool, StoreError> {
        Ok(self.is_on() && tx.get(&self.key(tx, Side::Left, left, right))?.is_some())
    }

    /// Ids at the right end that `left` is linked to, ascending.
    pub fn rights(&self, tx: &dyn Read, left: &str) -> Result<Vec<String>, StoreError> {
        self.others(tx, Side::Left, left)
    }

    /// Ids at the left end that `right` is linked to, ascending.
    pub fn lefts(&self, tx: &dyn Read, right: &str) -> Result<Vec<String>, StoreError> {
        self.others(tx, Side::Right, right)
    }

    /// The rows of `left`, each with its id at the right end.
    pub fn rows_of(&self, tx: &dyn Read, left: &str) -> Result<Vec<(String, LinkRow)>, StoreError> {
        let mut rows = Vec::new();
        if !self.is_on() {
            return Ok(rows);
        }
        let group = self.group(tx, Side::Left, left);
        tx.scan(&Span::prefix(&group), Direction::Ascending, &mut |key, value| {
            let right = String::from_utf8_lossy(&key[group.len()..]).into_owned();
            rows.push((right, self.decode(left, value)?));
            Ok(Scan::Continue(()))
        })?;
        Ok(rows)
    }

    /// Replaces the pairs of `left`: it is linked to exactly these afterwards.
    pub fn replace(
        &'static self,
        tx: &mut dyn Write,
        at: &Moment,
        left: &str,
        rights: &[String],
    ) -> Result<(), LinkError> {
        for right in self.rights(tx, left)? {
            if !rights.contains(&right) {
                self.detach(tx, at, left, &right)?;
            }
        }
        for right in rights {
            self.attach(tx, at, left, right, Map::new())?;
        }
        Ok(())
    }

    /// Serialises a row.
    fn encode(&self, row: &LinkRow) -> Vec<u8> {
        encode_version(version(self.history), row)
    }

    /// Deserialises a row of the current or an earlier version. `key` is for error messages.
    fn decode(&self, key: &str, bytes: &[u8]) -> Result<LinkRow, StoreError> {
        decode_version(self.name, key, bytes, version(self.history), |from, row| match row.get_mut("data") {
            Some(Value::Object(columns)) => upgrade(self.history, from, columns),
            _ => Ok(()),
        })
    }

    /// The row, serialised in the current version.
    pub(crate) fn as_of_now(&self, key: &str, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        Ok(self.encode(&self.decode(key, bytes)?))
    }

    fn others(&self, tx: &dyn Read, side: Side, id: &str) -> Result<Vec<String>, StoreError> {
        let mut ids = Vec::new();
        self.scan(tx, side, id, Direction::Ascending, &mut |other| {
            ids.push(other.to_owned());
            Ok(Scan::Continue(()))
        })?;
        Ok(ids)
    }

    fn scan(
        &self,
        tx: &dyn Read,
        side: Side,
        id: &str,
        order: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        if !self.is_on() {
            return Ok(());
        }
        let group = self.group(tx, side, id);
        tx.scan(&Span::prefix(&group), order, &mut |key, _| {
            visit(&String::from_utf8_lossy(&key[group.len()..]))
        })
    }

    fn space(&self, side: Side) -> Space {
        match side {
            Side::Left => self.name,
            Side::Right => self.reverse,
        }
    }

    fn group(&self, tx: &dyn Read, side: Side, id: &str) -> Vec<u8> {
        KeyBuf::new(tx.prefix(self.space(side))).part(id).into_bytes()
    }

    fn key(&self, tx: &dyn Read, side: Side, id: &str, other: &str) -> Vec<u8> {
        KeyBuf::new(tx.prefix(self.space(side))).part(id).tail(other.as_bytes()).into_bytes()
    }

    fn put(&self, tx: &mut dyn Write, left: &str, right: &str, row: &LinkRow) {
        let key = self.key(tx, Side::Left, left, right);
        tx.put(key, self.encode(row));
    }

    fn enter(
        &'static self,
        tx: &mut dyn Write,
        at: &Moment,
        left: &str,
        right: &str,
        row: LinkRow,
    ) -> Result<(), StoreError> {
        self.write_pair(tx, left, right, &row)?;
        let record = self.record(left, right, row);
        announce(tx, at, &Change { of: self.name, before: None, after: Some(&record) })
    }

    fn leave(
        &'static self,
        tx: &mut dyn Write,
        at: &Moment,
        left: &str,
        right: &str,
        row: LinkRow,
    ) -> Result<(), StoreError> {
        self.remove_pair(tx, left, right)?;
        let record = self.record(left, right, row);
        announce(tx, at, &Change { of: self.name, before: Some(&record), after: None })
    }

    fn write_pair(
        &self,
        tx: &mut dyn Write,
        left: &str,
        right: &str,
        row: &LinkRow,
    ) -> Result<(), StoreError> {
        self.put(tx, left, right, row);
        let key = self.key(tx, Side::Right, right, left);
        tx.put(key, Vec::new());
        add_to_group(tx, self.name, &[left], 1)?;
        add_to_group(tx, self.reverse, &[right], 1)
    }

    fn remove_pair(&self, tx: &mut dyn Write, left: &str, right: &str) -> Result<(), StoreError> {
        let key = self.key(tx, Side::Left, left, right);
        tx.delete(key);
        let key = self.key(tx, Side::Right, right, left);
        tx.delete(key);
        add_to_group(tx, self.name, &[left], -1)?;
        add_to_group(tx, self.reverse, &[right], -1)
    }

    /// Restores the row of a pair to an earlier state, or removes the pair if it did not exist then. Emits no
    /// event, since this is an undo.
    pub(crate) fn put_back(
        &'static self,
        tx: &mut dyn Write,
        left: &str,
        right: &str,
        before: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let now = self.row(tx, left, right)?;
        let then: Option<LinkRow> = before.map(|bytes| self.decode(left, bytes)).transpose()?;
        match (&now, &then) {
            (None, Some(then)) => self.write_pair(tx, left, right, then)?,
            (Some(_), None) => self.remove_pair(tx, left, right)?,
            (Some(_), Some(then)) => self.put(tx, left, right, then),
            (None, None) => {}
        }
        let record = |row: LinkRow| self.record(left, right, row);
        let (now, then) = (now.map(record), then.map(record));
        let change = Change {
            of: self.name,
            before: now.as_ref().map(|it| it as &dyn Record),
            after: then.as_ref().map(|it| it as &dyn Record),
        };
        project(tx, &change)
    }

    pub(crate) fn record(&'static self, left: &str, right: &str, row: LinkRow) -> LinkRecord {
        LinkRecord { link: self, left: left.to_owned(), right: right.to_owned(), row }
    }

    /// The pairs of `id`, each as left and right id.
    fn pairs(&self, tx: &dyn Read, side: Side, id: &str) -> Result<Vec<(String, String)>, StoreError> {
        let others = self.others(tx, side, id)?;
        Ok(others.into_iter().map(|other| by_side(side, id.to_owned(), other)).collect())
    }
}

fn by_side<T>(side: Side, own: T, other: T) -> (T, T) {
    match side {
        Side::Left => (own, other),
        Side::Right => (other, own),
    }
}

struct RowKind;

impl crate::Kind for RowKind {
    const PREFIX: &'static str = "";
}

/// The set of ids at one end that a record at the other end is linked to.
pub struct OtherEnd {
    link: &'static Link,
    side: Side,
    id: String,
}

impl Link {
    /// The rights of `left`, as a set for queries.
    pub fn rights_set(&'static self, left: String) -> OtherEnd {
        OtherEnd { link: self, side: Side::Left, id: left }
    }

    /// The lefts of `right`, as a set for queries.
    pub fn lefts_set(&'static self, right: String) -> OtherEnd {
        OtherEnd { link: self, side: Side::Right, id: right }
    }
}

impl Ids for OtherEnd {
    fn count(&self, view: &dyn Read) -> Result<u64, StoreError> {
        group_count(view, self.link.space(self.side), &[&self.id])
    }

    fn scan(
        &self,
        view: &dyn Read,
        order: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        self.link.scan(view, self.side, &self.id, order, visit)
    }

    fn contains(&self, view: &dyn Read, id: &str) -> Result<bool, StoreError> {
        let (left, right) = by_side(self.side, self.id.as_str(), id);
        self.link.has(view, left, right)
    }
}
