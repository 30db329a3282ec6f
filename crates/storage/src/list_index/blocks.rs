//! Blocks: stretches of an order, each with the set of its records, so that a walk jumps over those without a
//! record that it looks for, and passes others by counting.
//!
//! A record whose number is a multiple of the size of a block begins one: at the first record with its value,
//! so that records with the same value are together whichever way the order is read. Where very many have the
//! same value, some records begin a block among them. So blocks follow from the records and their numbers
//! alone, whatever has happened before: those that are built anew are the same.

use crate::{
    Direction, NumberSet, Read, Scan, Span, StoreError, Write, WriteKeys,
    key::key_text,
    list_index::{
        ListIndex, Part,
        orders::{Order, Place, Stretch, value_of},
        sets::insert,
    },
};

/// One in so many of the records that begin a block begins one among those with its value, too: this bounds
/// the bytes that a change of one of these rewrites.
const AMONG_EQUALS: u32 = 8;

/// A block.
#[derive(Default)]
pub(super) struct Block {
    /// Where it begins. The first one begins at nothing.
    pub(super) begin: Place,
    pub(super) numbers: NumberSet,
}

impl Block {
    /// Does it begin among records with the same value?
    pub(super) fn is_among_equals(&self) -> bool {
        value_of(&self.begin).len() < self.begin.len()
    }
}

/// The blocks of one order.
pub(super) struct OrderBlocks<'o> {
    order: &'o Order<'o>,
    /// About how many records a block has.
    size: u32,
    /// What the keys of the blocks begin with.
    prefix: Vec<u8>,
}

impl ListIndex {
    /// The blocks of an order, if it has some.
    pub(super) fn blocks_of<'o>(&self, tx: &dyn Read, order: &'o Order<'o>) -> Option<OrderBlocks<'o>> {
        let prefix = || self.key(tx, Part::Blocks).part(order.field).into_bytes();
        self.block_size.map(|size| OrderBlocks { order, size: u32::from(size), prefix: prefix() })
    }
}

impl OrderBlocks<'_> {
    fn begins_block(&self, number: u32) -> bool {
        number.is_multiple_of(self.size)
    }

    fn begins_among_equals(&self, number: u32) -> bool {
        number.is_multiple_of(self.size * AMONG_EQUALS)
    }

    fn key(&self, begin: &[u8]) -> Vec<u8> {
        [&self.prefix[..], begin].concat()
    }

    /// The stored block that has this place, and where it begins; `None` if no block begins up to there.
    fn stored(&self, tx: &dyn Read, place: &[u8]) -> Result<Option<(Place, Vec<u8>)>, StoreError> {
        // Up to the place, and with it.
        let end = [&self.prefix[..], place, &[0]].concat();
        let (span, mut found) = (Span { start: self.prefix.clone(), end: Some(end) }, None);
        tx.scan(&span, Direction::Descending, &mut |key, value| {
            found = Some((key[self.prefix.len()..].to_vec(), value.to_vec()));
            Ok(Scan::Break(()))
        })?;
        Ok(found)
    }

    fn decode(&self, begin: Place, value: &[u8]) -> Result<Block, StoreError> {
        match NumberSet::deserialize_from(value) {
            Ok(numbers) => Ok(Block { begin, numbers }),
            Err(error) => Err(StoreError::Corrupt {
                space: self.order.index.lists,
                key: key_text(&self.key(&begin)[2..]),
                reason: error.to_string(),
            }),
        }
    }

    /// The block that has this place.
    fn at(&self, tx: &dyn Read, place: &[u8]) -> Result<Block, StoreError> {
        match self.stored(tx, place)? {
            Some((begin, value)) => self.decode(begin, &value),
            None => Ok(Block::default()),
        }
    }

    fn put(&self, tx: &mut dyn Write, block: &Block) -> Result<(), StoreError> {
        let key = self.key(&block.begin);
        if block.begin.is_empty() && block.numbers.is_empty() {
            tx.delete(key);
            return Ok(());
        }
        let mut value = Vec::with_capacity(block.numbers.serialized_size());
        let written = block.numbers.serialize_into(&mut value);
        written.map_err(|error| StoreError::Engine(error.to_string()))?;
        tx.put(key, value);
        Ok(())
    }

    /// Adds a record to its block, before it has an entry.
    pub(super) fn enter(&self, tx: &mut dyn Write, place: &[u8], number: u32) -> Result<(), StoreError> {
        if self.begins_block(number) {
            self.split(tx, value_of(place))?;
        }
        if self.begins_among_equals(number) {
            self.split(tx, place)?;
        }
        let mut block = match self.stored(tx, place)? {
            Some((begin, mut value)) => {
                if insert(&mut value, number).is_some() {
                    tx.put(self.key(&begin), value);
                    return Ok(());
                }
                self.decode(begin, &value)?
            }
            None => Block::default(),
        };
        block.numbers.insert(number);
        self.put(tx, &block)
    }

    /// Removes a record from its block.
    pub(super) fn leave(&self, tx: &mut dyn Write, place: &[u8], number: u32) -> Result<(), StoreError> {
        let mut block = self.at(tx, place)?;
        block.numbers.remove(number);
        self.put(tx, &block)?;
        if self.begins_among_equals(number) {
            self.merge(tx, place)?;
        }
        if self.begins_block(number) && !self.is_begun(tx, value_of(place))? {
            self.merge(tx, value_of(place))?;
        }
        Ok(())
    }

    /// Makes a block begin here.
    fn split(&self, tx: &mut dyn Write, begin: &[u8]) -> Result<(), StoreError> {
        let mut block = self.at(tx, begin)?;
        if block.begin == begin {
            return Ok(());
        }
        let before = Stretch { low: block.begin.clone(), high: Some(begin.to_vec()) };
        let mut numbers = NumberSet::new();
        self.order.entries(tx, &before, None, Direction::Ascending, &mut |entry| {
            numbers.insert(entry.number);
            Ok(Scan::Continue(()))
        })?;
        // In the order of the ids there are those of deleted records, which are in no block.
        numbers &= &block.numbers;
        block.numbers -= &numbers;
        self.put(tx, &Block { begin: block.begin, numbers })?;
        self.put(tx, &Block { begin: begin.to_vec(), numbers: block.numbers })
    }

    /// Joins the block that begins here with the one before.
    fn merge(&self, tx: &mut dyn Write, begin: &[u8]) -> Result<(), StoreError> {
        let block = self.at(tx, begin)?;
        if block.begin != begin {
            return Ok(());
        }
        tx.delete(self.key(begin));
        let mut before = self.at(tx, begin)?;
        before.numbers |= block.numbers;
        self.put(tx, &before)
    }

    /// Does any record with this value begin a block? It is in a block that begins at the value or among its
    /// records, and there is no other in these that begins one.
    fn is_begun(&self, tx: &dyn Read, value: &[u8]) -> Result<bool, StoreError> {
        let mut is_begun = false;
        tx.scan(&Span::prefix(&self.key(value)), Direction::Ascending, &mut |_, stored| {
            let block = self.decode(value.to_vec(), stored)?;
            is_begun = block.numbers.iter().any(|it| self.begins_block(it));
            Ok(if is_begun { Scan::Break(()) } else { Scan::Continue(()) })
        })?;
        Ok(is_begun)
    }

    /// Where the next block begins.
    pub(super) fn next(&self, tx: &dyn Read, begin: &[u8]) -> Result<Option<Place>, StoreError> {
        let span = Span::prefix(&self.prefix).beyond(&self.key(begin), Direction::Ascending);
        let mut next = None;
        tx.scan(&span, Direction::Ascending, &mut |key, _| {
            next = Some(key[self.prefix.len()..].to_vec());
            Ok(Scan::Break(()))
        })?;
        Ok(next)
    }

    /// Calls `visit` with each block, from the one that has this place on: downwards with those above it that
    /// begin among records with the same value.
    pub(super) fn from(
        &self,
        tx: &dyn Read,
        place: &[u8],
        direction: Direction,
        visit: &mut dyn FnMut(Block) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        let mut span = Span::prefix(&self.prefix);
        match direction {
            Direction::Ascending => {
                span.start.extend(self.stored(tx, place)?.map(|(begin, _)| begin).unwrap_or_default());
            }
            Direction::Descending => span.end = Span::prefix(&self.key(value_of(place))).end,
        }
        tx.scan(&span, direction, &mut |key, value| {
            visit(self.decode(key[self.prefix.len()..].to_vec(), value)?)
        })
    }
}
