//! Links: associations between records of two modules that do not know each other.
//!
//! A pair is stored as two entries, in the transaction of whoever makes it: forward with the row, reverse
//! empty, so that both directions are prefix scans. The rows that a soft-deletion takes along are kept under
//! the record that was deleted, so that restoring it brings back these links and no others.

use linkme::distributed_slice;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Change, EntityDef, Env, Fault, Flow, Ids, JsonObject, KeyBuf, Moment, Node, Order, QueryError, Read,
    Record, Registry, ResolveWith, RowError, Scalar, Space, Span, StoreError, Timestamp, Write, add_to_group,
    group_count, projection::announce,
};

/// An association between two entities.
pub struct Link {
    /// `product_sales_channel`: its name in queries, and of its table.
    pub name: Space,
    /// The space of the reverse entries.
    pub reverse: Space,
    /// The space of the rows that deletions took along.
    pub graveyard: Space,
    /// What the ids of its rows begin with.
    pub prefix: &'static str,
    /// The end that is named first.
    pub left: End,
    /// The other end.
    pub right: End,
    /// What a row holds beside the ids, with defaults.
    pub columns: &'static [(&'static str, fn() -> Value)],
}

/// One end of a link.
pub struct End {
    /// The entity: `product`.
    pub entity: &'static str,
    /// Its id in the rows: `product_id`.
    pub key: &'static str,
    /// Its name in the rows: `product`.
    pub alias: &'static str,
    /// The relation from this entity to the records at the other end, if it is shown.
    pub others: Option<&'static str>,
    /// The relation from this entity to the rows.
    pub rows: &'static str,
    /// May one record here be linked to several there?
    pub many: bool,
    /// Does a record here go when the record that it is linked to goes?
    pub cascade: bool,
}

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

/// A relation through a field that holds the id of another module's record. Nothing is stored.
pub struct FieldLink {
    /// The entity with the field.
    pub from: &'static str,
    /// The field.
    pub field: &'static str,
    /// The relation to the other record.
    pub relation: &'static str,
    /// Shown as a list, though the field holds one id?
    pub many: bool,
    /// The other entity.
    pub to: &'static str,
    /// The relation back, where the field is indexed.
    pub back: Option<&'static str>,
}

/// All links that are linked in.
#[distributed_slice]
pub static LINKS: [&'static Link];

/// All field links that are linked in.
#[distributed_slice]
pub static FIELD_LINKS: [&'static FieldLink];

/// Registers a link, or a `FieldLink`.
///
/// ```ignore
/// link! {
///     /// A product is sold in sales channels.
///     pub static PRODUCT_SALES_CHANNEL: Link("product_sales_channel", "prodsc") = {
///         left: End { entity: "product", …},
///         right: End { …},
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
        };
    ) => {
        $(#[$meta])*
        $vis static $NAME: $crate::Link = $crate::Link {
            name: $name,
            reverse: concat!($name, ".reverse"),
            graveyard: concat!($name, ".deleted"),
            prefix: $prefix,
            left: $left,
            right: $right,
            columns: $crate::or_empty!($($columns)?),
        };

        const _: () = {
            #[$crate::linkme::distributed_slice($crate::LINKS)]
            #[linkme(crate = $crate::linkme)]
            static REGISTERED: &$crate::Link = &$NAME;
        };
    };
    ($(#[$meta:meta])* $vis:vis static $NAME:ident: FieldLink = $link:expr;) => {
        $(#[$meta])*
        $vis static $NAME: $crate::FieldLink = $link;

        const _: () = {
            #[$crate::linkme::distributed_slice($crate::FIELD_LINKS)]
            #[linkme(crate = $crate::linkme)]
            static REGISTERED: &$crate::FieldLink = &$NAME;
        };
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

/// Why a pair was not made.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// One end does not exist.
    #[error("{label} with id: {id} was not found")]
    NoEnd {
        /// The entity.
        label: String,
        /// The id that nothing has.
        id: String,
    },
    /// One end takes one partner, and has one.
    #[error("Cannot create multiple links between '{left}' and '{right}'")]
    Taken {
        /// The left entity.
        left: &'static str,
        /// The right entity.
        right: &'static str,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LinkError> for Fault {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::NoEnd { .. } => Fault::not_found(error.to_string()),
            LinkError::Taken { .. } => Fault::invalid(error.to_string()),
            LinkError::Store(error) => error.into(),
        }
    }
}

/// From which end a link is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Link {
    /// Makes the pair, or changes its columns. Both ends must exist. Says whether it is new.
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
                announce(tx, &Change { of: self.name, before: Some(&before), after: Some(&after) })?;
            }
            return Ok(false);
        }
        self.check_ends(tx, left, right)?;
        let mut data: Map<String, Value> =
            self.columns.iter().map(|(name, value)| ((*name).into(), value())).collect();
        data.extend(columns);
        let id = format!("{}_{}", self.prefix, &at.id::<RowKind>()[1..]);
        let row = LinkRow { id, data, created_at: at.now(), updated_at: at.now() };
        self.enter(tx, left, right, row)?;
        Ok(true)
    }

    fn check_ends(&self, tx: &dyn Read, left: &str, right: &str) -> Result<(), LinkError> {
        for (end, id) in [(&self.left, left), (&self.right, right)] {
            let table = Registry::graph().table(end.entity);
            if !table.has(tx, id)? {
                return Err(LinkError::NoEnd { label: table.def().words(), id: id.to_owned() });
            }
        }
        let taken = !self.left.many && group_count(tx, self.name, &[left])? > 0
            || !self.right.many && group_count(tx, self.reverse, &[right])? > 0;
        if taken {
            return Err(LinkError::Taken { left: self.left.entity, right: self.right.entity });
        }
        Ok(())
    }

    /// Removes the pair, and nothing else. Says whether it was there.
    pub fn detach(&'static self, tx: &mut dyn Write, left: &str, right: &str) -> Result<bool, StoreError> {
        match self.row(tx, left, right)? {
            Some(row) => self.leave(tx, left, right, row).map(|()| true),
            None => Ok(false),
        }
    }

    /// What is stored of the pair, if it exists.
    pub fn row(&self, tx: &dyn Read, left: &str, right: &str) -> Result<Option<LinkRow>, StoreError> {
        let bytes = tx.get(&self.key(tx, Side::Left, left, right))?;
        bytes.map(|bytes| atoll_storage::decode(self.name, left, &bytes)).transpose()
    }

    /// Does the pair exist? One key is read.
    pub fn has(&self, tx: &dyn Read, left: &str, right: &str) -> Result<bool, StoreError> {
        Ok(tx.get(&self.key(tx, Side::Left, left, right))?.is_some())
    }

    /// The ids at the right end that `left` is linked to, ascending.
    pub fn rights(&self, tx: &dyn Read, left: &str) -> Result<Vec<String>, StoreError> {
        self.others(tx, Side::Left, left)
    }

    /// The ids at the left end that `right` is linked to, ascending.
    pub fn lefts(&self, tx: &dyn Read, right: &str) -> Result<Vec<String>, StoreError> {
        self.others(tx, Side::Right, right)
    }

    /// The rows of `left`, with the ids at the right end.
    pub fn rows_of(&self, tx: &dyn Read, left: &str) -> Result<Vec<(String, LinkRow)>, StoreError> {
        let group = self.group(tx, Side::Left, left);
        let mut rows = Vec::new();
        tx.scan(&Span::prefix(&group), Order::Ascending, &mut |key, value| {
            let right = String::from_utf8_lossy(&key[group.len()..]).into_owned();
            rows.push((right, atoll_storage::decode(self.name, left, value)?));
            Ok(Flow::Continue(()))
        })?;
        Ok(rows)
    }

    /// Makes the rights of `left` exactly these.
    pub fn replace(
        &'static self,
        tx: &mut dyn Write,
        at: &Moment,
        left: &str,
        rights: &[String],
    ) -> Result<(), LinkError> {
        for right in self.rights(tx, left)? {
            if !rights.contains(&right) {
                self.detach(tx, left, &right)?;
            }
        }
        for right in rights {
            self.attach(tx, at, left, right, Map::new())?;
        }
        Ok(())
    }

    fn others(&self, tx: &dyn Read, side: Side, id: &str) -> Result<Vec<String>, StoreError> {
        let mut ids = Vec::new();
        self.scan(tx, side, id, Order::Ascending, &mut |other| {
            ids.push(other.to_owned());
            Ok(Flow::Continue(()))
        })?;
        Ok(ids)
    }

    fn scan(
        &self,
        tx: &dyn Read,
        side: Side,
        id: &str,
        order: Order,
        visit: &mut dyn FnMut(&str) -> Result<Flow, StoreError>,
    ) -> Result<(), StoreError> {
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
        tx.put(key, atoll_storage::encode(row));
    }

    fn enter(
        &'static self,
        tx: &mut dyn Write,
        left: &str,
        right: &str,
        row: LinkRow,
    ) -> Result<(), StoreError> {
        self.put(tx, left, right, &row);
        let key = self.key(tx, Side::Right, right, left);
        tx.put(key, Vec::new());
        add_to_group(tx, self.name, &[left], 1)?;
        add_to_group(tx, self.reverse, &[right], 1)?;
        let record = self.record(left, right, row);
        announce(tx, &Change { of: self.name, before: None, after: Some(&record) })
    }

    fn leave(
        &'static self,
        tx: &mut dyn Write,
        left: &str,
        right: &str,
        row: LinkRow,
    ) -> Result<(), StoreError> {
        let key = self.key(tx, Side::Left, left, right);
        tx.delete(key);
        let key = self.key(tx, Side::Right, right, left);
        tx.delete(key);
        add_to_group(tx, self.name, &[left], -1)?;
        add_to_group(tx, self.reverse, &[right], -1)?;
        let record = self.record(left, right, row);
        announce(tx, &Change { of: self.name, before: Some(&record), after: None })
    }

    fn record(&'static self, left: &str, right: &str, row: LinkRow) -> LinkRecord {
        LinkRecord { link: self, left: left.to_owned(), right: right.to_owned(), row }
    }

    /// The pairs of `id`, as left and right.
    fn pairs(&self, tx: &dyn Read, side: Side, id: &str) -> Result<Vec<(String, String)>, StoreError> {
        let others = self.others(tx, side, id)?;
        Ok(others.into_iter().map(|other| in_order(side, id.to_owned(), other)).collect())
    }
}

fn in_order<T>(side: Side, own: T, other: T) -> (T, T) {
    match side {
        Side::Left => (own, other),
        Side::Right => (other, own),
    }
}

struct RowKind;

impl crate::Kind for RowKind {
    const PREFIX: &'static str = "";
}

/// The links with `entity` at one end, seen from there.
fn links_of(entity: &str) -> impl Iterator<Item = (&'static Link, Side)> {
    LINKS.iter().flat_map(move |link| {
        let left = (link.left.entity == entity).then_some((*link, Side::Left));
        let right = (link.right.entity == entity).then_some((*link, Side::Right));
        left.into_iter().chain(right)
    })
}

/// Removes all links of a record that goes for good, and the records that go with it.
pub(crate) fn forget(tx: &mut dyn Write, entity: &str, id: &str) -> Result<(), StoreError> {
    for (link, side) in links_of(entity) {
        for (left, right) in link.pairs(tx, side, id)? {
            let other = match side {
                Side::Left => (&link.right, &right),
                Side::Right => (&link.left, &left),
            };
            link.detach(tx, &left, &right)?;
            if other.0.cascade {
                Registry::service(other.0.entity).delete(tx, other.1)?;
            }
        }
        let graves = Span::prefix(&grave_group(tx, link, side, id));
        let mut keys = Vec::new();
        tx.scan(&graves, Order::Ascending, &mut |key, _| {
            keys.push(key.to_vec());
            Ok(Flow::Continue(()))
        })?;
        keys.into_iter().for_each(|key| tx.delete(key));
    }
    Ok(())
}

/// Puts all links of a record away with it, and the records that go with it.
pub(crate) fn bury(tx: &mut dyn Write, at: &Moment, entity: &str, id: &str) -> Result<(), RowError> {
    for (link, side) in links_of(entity) {
        for (left, right) in link.pairs(tx, side, id)? {
            let Some(row) = link.row(tx, &left, &right)? else { continue };
            let (end, other) = match side {
                Side::Left => (&link.right, &right),
                Side::Right => (&link.left, &left),
            };
            let mut grave = grave_group(tx, link, side, id);
            grave.extend_from_slice(other.as_bytes());
            tx.put(grave, atoll_storage::encode(&row));
            link.leave(tx, &left, &right, row)?;
            if end.cascade {
                Registry::service(end.entity).soft_delete(tx, at, other)?;
            }
        }
    }
    Ok(())
}

/// Brings the links back that [`bury`] put away with this record. A link whose other end was deleted meanwhile
/// waits with that one.
pub(crate) fn revive(tx: &mut dyn Write, at: &Moment, entity: &str, id: &str) -> Result<(), RowError> {
    for (link, side) in links_of(entity) {
        let group = grave_group(tx, link, side, id);
        let mut graves = Vec::new();
        tx.scan(&Span::prefix(&group), Order::Ascending, &mut |key, value| {
            let other = String::from_utf8_lossy(&key[group.len()..]).into_owned();
            graves.push((key.to_vec(), other, value.to_vec()));
            Ok(Flow::Continue(()))
        })?;
        let (end, other_side) = match side {
            Side::Left => (&link.right, Side::Right),
            Side::Right => (&link.left, Side::Left),
        };
        for (key, other, bytes) in graves {
            tx.delete(key);
            if end.cascade {
                Registry::service(end.entity).restore(tx, at, &other)?;
            }
            if !Registry::graph().table(end.entity).has(tx, &other)? {
                let mut key = grave_group(tx, link, other_side, &other);
                key.extend_from_slice(id.as_bytes());
                tx.put(key, bytes);
                continue;
            }
            let (left, right) = in_order(side, id, other.as_str());
            let row = atoll_storage::decode(link.graveyard, id, &bytes)?;
            link.enter(tx, left, right, row)?;
        }
    }
    Ok(())
}

/// The rows that went with `id`: by the side it is on, so that ids of two entities never meet.
fn grave_group(tx: &dyn Read, link: &Link, side: Side, id: &str) -> Vec<u8> {
    let side = match side {
        Side::Left => "left",
        Side::Right => "right",
    };
    KeyBuf::new(tx.prefix(link.graveyard)).part(side).part(id).into_bytes()
}

/// The ids at one end of a link that one record at the other end is linked to.
pub struct OtherEnd {
    link: &'static Link,
    side: Side,
    id: String,
}

impl Link {
    /// The rights of `left`, as a set for a list.
    pub fn rights_set(&'static self, left: String) -> OtherEnd {
        OtherEnd { link: self, side: Side::Left, id: left }
    }

    /// The lefts of `right`, as a set for a list.
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
        order: Order,
        visit: &mut dyn FnMut(&str) -> Result<Flow, StoreError>,
    ) -> Result<(), StoreError> {
        self.link.scan(view, self.side, &self.id, order, visit)
    }

    fn contains(&self, view: &dyn Read, id: &str) -> Result<bool, StoreError> {
        let (left, right) = in_order(self.side, self.id.as_str(), id);
        self.link.has(view, left, right)
    }
}

/// A pair as the graph shows it.
pub(crate) struct LinkRecord {
    link: &'static Link,
    left: String,
    right: String,
    row: LinkRow,
}

impl Record for LinkRecord {
    fn def(&self) -> &'static EntityDef {
        Registry::graph().entity(self.link.name).expect("links are entities of the graph")
    }

    fn key(&self) -> &str {
        &self.row.id
    }

    fn scalar(&self, field: &str) -> Scalar<'_> {
        match field {
            "id" => Scalar::Text(&self.row.id),
            "created_at" => Scalar::Time(self.row.created_at),
            "updated_at" => Scalar::Time(self.row.updated_at),
            _ if field == self.link.left.key => Scalar::Text(&self.left),
            _ if field == self.link.right.key => Scalar::Text(&self.right),
            _ => match self.row.data.get(field) {
                Some(Value::String(text)) => Scalar::Text(text),
                Some(Value::Bool(it)) => Scalar::Bool(*it),
                Some(Value::Number(number)) => {
                    crate::Decimal::from_json(number).map_or(Scalar::Null, Scalar::Number)
                }
                _ => Scalar::Null,
            },
        }
    }

    fn write(&self, mask: &[bool], out: &mut JsonObject<'_>) {
        for (field, wanted) in self.def().fields.iter().zip(mask) {
            if !wanted {
                continue;
            }
            match *field {
                "id" => out.field(field, &self.row.id),
                "created_at" => out.field(field, &self.row.created_at),
                "updated_at" => out.field(field, &self.row.updated_at),
                "deleted_at" => out.field(field, &()),
                _ if *field == self.link.left.key => out.field(field, &self.left),
                _ if *field == self.link.right.key => out.field(field, &self.right),
                _ => out.field(field, self.row.data.get(*field).unwrap_or(&Value::Null)),
            }
        }
    }

    fn compute(&self, _: &mut dyn FnMut(&'static str, Value)) {}

    fn embedded(&self, _: &str) -> Vec<Node> {
        Vec::new()
    }
}

/// The relation from an entity to the rows of a link, or to the records at its other end.
pub(crate) struct ThroughLink {
    link: &'static Link,
    side: Side,
    to_rows: bool,
}

/// The relations that a link gives to its ends.
pub(crate) fn relations_of(link: &'static Link) -> Vec<crate::Relation> {
    let mut relations = Vec::new();
    for (side, end, other) in [(Side::Left, &link.left, &link.right), (Side::Right, &link.right, &link.left)]
    {
        let through = |to_rows| -> crate::Resolve {
            crate::Resolve::With(Box::leak(Box::new(ThroughLink { link, side, to_rows })))
        };
        let relation = |name, to, resolve| crate::Relation {
            from: end.entity,
            name,
            to,
            many: end.many,
            searched: false,
            absent_if_none: true,
            resolve,
        };
        relations.push(relation(end.rows, link.name, through(true)));
        if let Some(others) = end.others {
            relations.push(relation(others, other.entity, through(false)));
        }
        relations.push(crate::Relation {
            from: link.name,
            name: end.alias,
            to: end.entity,
            many: false,
            searched: false,
            absent_if_none: true,
            resolve: crate::Resolve::Field(end.key),
        });
    }
    relations
}

/// The rows of a link as an entity of the graph.
pub(crate) fn entity_of(link: &'static Link) -> &'static EntityDef {
    let mut fields = vec![link.left.key, link.right.key];
    fields.extend(link.columns.iter().map(|(name, _)| *name));
    fields.extend(["id", "created_at", "updated_at", "deleted_at"]);
    Box::leak(Box::new(EntityDef {
        name: link.name,
        plural: link.name,
        prefix: link.prefix,
        label: link.name,
        key: "id",
        fields: fields.leak(),
        hidden: &[],
        search: &[],
        embeds: &[],
        computed: &[],
        graveyard: link.graveyard,
    }))
}

impl ResolveWith for ThroughLink {
    fn resolve(&self, env: &Env<'_>, nodes: &[Node]) -> Result<Vec<Vec<Node>>, QueryError> {
        let end = if self.side == Side::Left { &self.link.right } else { &self.link.left };
        let mut read: std::collections::HashMap<String, Option<Node>> = std::collections::HashMap::new();
        let mut all = Vec::with_capacity(nodes.len());
        for node in nodes {
            let mut targets = Vec::new();
            for (left, right) in self.link.pairs(env.view, self.side, node.key())? {
                if self.to_rows {
                    let row = self.link.row(env.view, &left, &right)?.unwrap_or_default();
                    targets.push(std::sync::Arc::new(self.link.record(&left, &right, row)) as Node);
                    continue;
                }
                let other = if self.side == Side::Left { right } else { left };
                let target = match read.get(&other) {
                    Some(target) => target.clone(),
                    None => {
                        let target = env.graph.table(end.entity).node(env.view, &other)?;
                        read.insert(other, target.clone());
                        target
                    }
                };
                targets.extend(target);
            }
            all.push(targets);
        }
        Ok(all)
    }
}
