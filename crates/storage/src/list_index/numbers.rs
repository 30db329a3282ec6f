//! Numbers: a dense `u32` for each record of a table, by which bitmaps name it.
//!
//! A number is given once, like one of a sequence, and kept when the record is deleted: what comes back, by a
//! restore or because a saga is undone, has the number that it had. It says nothing of the order of the
//! records.

use crate::{
    KeyBuf, Read, StoreError, Write, WriteKeys, get_each,
    key::key_text,
    list_index::{ListIndex, Part},
    next_number,
};

impl ListIndex {
    pub(super) fn number_key(&self, tx: &dyn Read, part: Part, text: &str) -> Vec<u8> {
        KeyBuf::new(tx.prefix(self.numbers)).tail(&[part as u8]).tail(text.as_bytes()).into_bytes()
    }

    fn text_key(&self, tx: &dyn Read, part: Part, number: u32) -> Vec<u8> {
        self.key(tx, part).tail(&number.to_be_bytes()).into_bytes()
    }

    pub(super) fn read_number(&self, key: &[u8], value: &[u8]) -> Result<u32, StoreError> {
        value.try_into().map(u32::from_be_bytes).map_err(|_| StoreError::Corrupt {
            space: self.numbers,
            key: key_text(&key[2..]),
            reason: format!("a number of {} bytes", value.len()),
        })
    }

    pub(super) fn number_of(&self, tx: &dyn Read, part: Part, text: &str) -> Result<Option<u32>, StoreError> {
        let key = self.number_key(tx, part, text);
        tx.get(&key)?.map(|value| self.read_number(&key, &value)).transpose()
    }

    /// The number of a word or a record; a new one if it has none.
    pub(super) fn numbered(&self, tx: &mut dyn Write, part: Part, text: &str) -> Result<u32, StoreError> {
        if let Some(number) = self.number_of(tx, part, text)? {
            return Ok(number);
        }
        let sequence = format!("{} {}", self.numbers, part as u8);
        let next = next_number(tx, &sequence)?;
        let Ok(number) = u32::try_from(next) else {
            return Err(StoreError::Engine(format!("`{}` has no more numbers", self.numbers)));
        };
        let key = self.number_key(tx, part, text);
        tx.put(key, number.to_be_bytes().to_vec());
        Ok(number)
    }

    pub(super) fn text_of(
        &self,
        tx: &dyn Read,
        part: Part,
        number: u32,
    ) -> Result<Option<String>, StoreError> {
        let text = tx.get(&self.text_key(tx, part, number))?;
        Ok(text.map(|it| String::from_utf8_lossy(&it).into_owned()))
    }

    pub(super) fn set_text(&self, tx: &mut dyn Write, part: Part, number: u32, text: Option<&str>) {
        let key = self.text_key(tx, part, number);
        match text {
            Some(text) => tx.put(key, text.as_bytes().to_vec()),
            None => tx.delete(key),
        }
    }

    /// The number of a record, live or deleted.
    pub fn number(&self, tx: &dyn Read, id: &str) -> Result<Option<u32>, StoreError> {
        self.number_of(tx, Part::Records, id)
    }

    /// The number of a record; a new one if it has none. For projections that keep [`Sets`](super::Sets) of
    /// the records of this table: they may see a new record before the index does.
    pub fn number_or_new(&self, tx: &mut dyn Write, id: &str) -> Result<u32, StoreError> {
        self.numbered(tx, Part::Records, id)
    }

    /// The numbers of records, whose ids ascend: as [`ListIndex::number_or_new`].
    pub fn numbers_or_new(&self, tx: &mut dyn Write, ids: &[&str]) -> Result<Vec<u32>, StoreError> {
        let keys: Vec<_> = ids.iter().map(|id| self.number_key(tx, Part::Records, id)).collect();
        let mut numbers = vec![None; ids.len()];
        get_each(tx, &keys, &mut |n, value| {
            numbers[n] = Some(self.read_number(&keys[n], value)?);
            Ok(())
        })?;
        let each = ids.iter().zip(numbers);
        each.map(|(id, number)| number.map_or_else(|| self.number_or_new(tx, id), Ok)).collect()
    }

    /// The id of the record with this number.
    pub fn id(&self, tx: &dyn Read, number: u32) -> Result<Option<String>, StoreError> {
        self.text_of(tx, Part::Records, number)
    }
}
