//! The list index of a table: what lists need to find one page and an exact count at the cost of the page,
//! whatever they are filtered, searched and sorted by.
//!
//! Every live record has a dense number (`numbers.rs`). The records that a condition admits are a bitmap of
//! numbers (`sets.rs`): intersecting bitmaps answers several conditions, and the length of the result is the
//! count. A page in some order walks the records in that order (`orders.rs`) and keeps those in the bitmap
//! (`walk.rs`), jumping over stretches without any (`blocks.rs`). `words.rs` is full-text search: which
//! records contain a word, exactly.

mod blocks;
mod numbers;
mod orders;
mod sets;
mod walk;
mod words;

use std::{collections::BTreeSet, fmt};

use crate::{
    EntityDef, KeyBuf, Read, Record, Scalar, Space, StoreError, TableSource, Write, key::group_key,
    skip_damaged, sort_key::COLLATION_VERSION,
};

/// A set of numbers of records: a compressed bitmap.
pub use roaring::RoaringBitmap as NumberSet;

pub(crate) use self::sets::has_all;
pub use self::{
    orders::VisitNumber,
    sets::{Sets, intersect},
    walk::{COST_OF_ID, COST_OF_PLACE, Walk},
    words::{Found, searched_text},
};

/// The list index of one table. `kernel::list_index!` makes one, and the projection that maintains it.
pub struct ListIndex {
    /// The table.
    pub table: &'static dyn TableSource,
    /// The space of what cannot be derived from the records: their numbers, and those of words.
    pub numbers: Space,
    /// The space of the rest.
    pub lists: Space,
    /// The fields that lists filter by, of few different values: one set per value.
    pub filters: &'static [&'static str],
    /// The fields that lists sort by: words, names, times, whole numbers.
    pub sorts: &'static [&'static str],
    /// About how many records a block of an order has, if lists jump over those without a record that they
    /// ask for. Two keys more are read, and one is written, for each order in which a record gets another
    /// place: for tables that are read far more often than they are written.
    pub block_size: Option<u16>,
    /// Is it searched (`q`)? The fields are the `search` of the entity.
    pub search: bool,
    /// A table whose records are searched, too, with those that they belong to.
    pub children: Option<Children>,
}

/// Its name.
impl fmt::Debug for ListIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.lists)
    }
}

/// Records that are searched with the record that a field of theirs names.
pub struct Children {
    /// Their table.
    pub table: &'static dyn TableSource,
    /// The indexed field that holds the id of the record.
    pub field: &'static str,
}

/// The version of the keys of list indexes.
const VERSION: u16 = 2;

/// What the keys of the two spaces begin with.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Part {
    /// Numbers: id to number. Lists: number to id.
    Records = 1,
    /// Numbers: word to number. Lists: number to word.
    Words = 2,
    /// Lists: the records with a value in a field.
    Filters = 3,
    /// Lists: the records in the order of a field.
    Sorts = 4,
    /// Lists: the records that contain a word.
    Containing = 5,
    /// Lists: the words that contain three letters in a row.
    Letters = 6,
    /// Lists: the records in a stretch of an order.
    Blocks = 7,
}

impl ListIndex {
    /// The version of its keys, for the fingerprint of what is stored.
    pub const VERSION: u16 = VERSION * 100 + COLLATION_VERSION;

    /// The entity of the table.
    pub fn def(&self) -> &'static EntityDef {
        self.table.def()
    }

    /// What it indexes, for the fingerprint of what is stored.
    pub fn form(&self) -> String {
        let search = if self.search { self.def().search } else { &[] };
        let children = self.children.as_ref().map_or(&[][..], |it| it.table.def().search);
        let [filters, sorts, search, children] =
            [self.filters, self.sorts, search, children].map(|it| it.join(" "));
        let blocks = self.block_size.map(|it| format!("; in blocks of {it}")).unwrap_or_default();
        format!("filtered by {filters}; sorted by {sorts}; searched in {search} + {children}{blocks}")
    }

    fn key(&self, tx: &dyn Read, part: Part) -> KeyBuf {
        KeyBuf::new(tx.prefix(self.lists)).tail(&[part as u8])
    }

    fn filters(&self) -> Sets {
        Sets::in_part(self.lists, Part::Filters)
    }

    /// Is there a set of records for each value of this field?
    pub fn has_filter(&self, field: &str) -> bool {
        self.filters.contains(&field)
    }

    /// The records with this value in a field that has sets.
    pub fn with_value(&self, tx: &dyn Read, field: &str, value: &str) -> Result<NumberSet, StoreError> {
        self.filters().read(tx, &group_key(&[field, value]))
    }

    /// All records.
    pub fn all(&self, tx: &dyn Read) -> Result<NumberSet, StoreError> {
        self.filters().read(tx, &group_key(&["", ""]))
    }

    /// Updates the index after a change of a record of its table, or of its children: called with every such
    /// change, after it was written.
    pub fn update(
        &self,
        tx: &mut dyn Write,
        before: Option<&dyn Record>,
        after: Option<&dyn Record>,
    ) -> Result<(), StoreError> {
        let Some(record) = after.or(before) else { return Ok(()) };
        if record.def().name != self.def().name {
            return self.update_children(tx, before, after);
        }
        let number = self.number_or_new(tx, record.key())?;
        if before.is_some() != after.is_some() {
            self.set_text(tx, Part::Records, number, after.map(|it| it.key()));
            self.enlist(tx, number, record, after.is_some())?;
        }
        self.update_filters(tx, number, before, after)?;
        for field in self.sorts {
            self.sort(tx, field, number, before, after)?;
        }
        if self.search { self.update_words(tx, number, before, after) } else { Ok(()) }
    }

    fn update_words(
        &self,
        tx: &mut dyn Write,
        number: u32,
        before: Option<&dyn Record>,
        after: Option<&dyn Record>,
    ) -> Result<(), StoreError> {
        let own = |it: Option<&dyn Record>| it.map(words::words_of).unwrap_or_default();
        let (mut old, mut new) = (own(before), own(after));
        if old == new && before.is_some() == after.is_some() {
            return Ok(());
        }
        let Some(record) = after.or(before) else { return Ok(()) };
        let of_children = self.words_of_children(tx, record.key())?;
        if before.is_some() {
            old.extend(of_children.iter().cloned());
        }
        if after.is_some() {
            new.extend(of_children);
        }
        self.reword(tx, number, &old, &new)
    }

    fn update_filters(
        &self,
        tx: &mut dyn Write,
        number: u32,
        before: Option<&dyn Record>,
        after: Option<&dyn Record>,
    ) -> Result<(), StoreError> {
        let groups = |record: Option<&dyn Record>| {
            let mut groups = BTreeSet::new();
            if let Some(record) = record {
                groups.insert(group_key(&["", ""]));
                for field in self.filters {
                    let mut add = |value: &str| {
                        groups.insert(group_key(&[field, value]));
                    };
                    match record.scalar(field) {
                        Scalar::Text(value) => add(value),
                        Scalar::List(values) => values.into_iter().for_each(add),
                        Scalar::Bool(value) => add(if value { "true" } else { "false" }),
                        Scalar::Null | Scalar::Number(_) | Scalar::Time(_) => {}
                    }
                }
            }
            groups
        };
        let (old, new) = (groups(before), groups(after));
        for left in old.difference(&new) {
            self.filters().set(tx, left, number, false)?;
        }
        for entered in new.difference(&old) {
            self.filters().set(tx, entered, number, true)?;
        }
        Ok(())
    }

    fn update_children(
        &self,
        tx: &mut dyn Write,
        before: Option<&dyn Record>,
        after: Option<&dyn Record>,
    ) -> Result<(), StoreError> {
        let Some(children) = &self.children else { return Ok(()) };
        let parent = |record: Option<&dyn Record>| match record.map(|it| it.scalar(children.field)) {
            Some(Scalar::Text(id)) => Some(id.to_owned()),
            _ => None,
        };
        let (old_parent, new_parent) = (parent(before), parent(after));
        let parents: BTreeSet<&String> = old_parent.iter().chain(&new_parent).collect();
        for id in parents {
            // Without its record there are no words: they went with it, and come back with it.
            let Some(node) = self.table.node(tx, id)? else { continue };
            let of = |record: Option<&dyn Record>, parent: &Option<String>| {
                record.filter(|_| parent.as_ref() == Some(id)).map(words::words_of).unwrap_or_default()
            };
            let (old, mut new) = (of(before, &old_parent), of(after, &new_parent));
            if old == new {
                continue;
            }
            if !old.is_subset(&new) {
                // A word that has left one record may still be in another.
                new.extend(words::words_of(&*node));
                new.extend(self.words_of_children(tx, id)?);
            }
            let number = self.number_or_new(tx, id)?;
            self.reword(tx, number, &old, &new)?;
        }
        Ok(())
    }

    /// The words of the live children of a record. A damaged one has none: the record can be changed all the
    /// same, and is not found by what nobody can read.
    fn words_of_children(&self, tx: &dyn Read, id: &str) -> Result<BTreeSet<String>, StoreError> {
        let mut words = BTreeSet::new();
        let Some(children) = &self.children else { return Ok(words) };
        for id in children.table.all_where(tx, children.field, id)? {
            if let Some(child) = skip_damaged(children.table.node(tx, &id))?.flatten() {
                words.extend(words::words_of(&*child));
            }
        }
        Ok(words)
    }
}
