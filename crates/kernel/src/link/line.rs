//! Pairs of a link as lines of an export, and entering them into a new store.

use atoll_storage::{
    KeyBuf, LineError, WriteKeys, all_known, from_json, key_text, split_part, to_json, version,
};
use serde_json::{Map, Value};

use super::{Link, LinkError, LinkRow, Side, cascade::deleted_group};
use crate::{Read, Registry, StoreError, Write, export::scan_space};

/// The field that says with which of its ends a pair was soft-deleted: `left` or `right`.
const DELETED_WITH: &str = "deleted_with";

impl From<LinkError> for LineError {
    fn from(error: LinkError) -> LineError {
        match error {
            LinkError::Store(error) => error.into(),
            error => LineError::Wrong(error.to_string()),
        }
    }
}

impl Link {
    /// Calls `visit` with each pair: those that there are, then those that were soft-deleted with an end.
    pub(crate) fn lines(
        &self,
        view: &dyn Read,
        visit: &mut dyn FnMut(&Value) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        scan_space(view, self.name, |key, value| {
            let (left, right) = split_part(key).ok_or_else(|| self.unreadable(key))?;
            let right = String::from_utf8_lossy(right);
            visit(&self.line(&left, &right, &self.decode(&left, value)?, None)?)
        })?;
        scan_space(view, self.deleted, |key, value| {
            let parts = split_part(key).and_then(|(side, rest)| Some((side, split_part(rest)?)));
            let (side, (id, other)) = parts.ok_or_else(|| self.unreadable(key))?;
            let (row, other) = (self.decode(&id, value)?, String::from_utf8_lossy(other));
            let (left, right) = if side == "left" { (&*id, &*other) } else { (&*other, &*id) };
            visit(&self.line(left, right, &row, Some(&side))?)
        })
    }

    fn line(
        &self,
        left: &str,
        right: &str,
        row: &LinkRow,
        deleted_with: Option<&str>,
    ) -> Result<Value, StoreError> {
        let corrupt = |reason| StoreError::Corrupt { space: self.name, key: left.to_owned(), reason };
        let mut line = to_json(&self.encode(row)).map_err(corrupt)?;
        line[self.left.key] = left.into();
        line[self.right.key] = right.into();
        if let Some(side) = deleted_with {
            line[DELETED_WITH] = side.into();
        }
        Ok(line)
    }

    /// Enters a pair; both of its ends must be there. Of one that was soft-deleted, the end must be there
    /// that was deleted with it.
    pub(crate) fn enter_line(
        &self,
        tx: &mut dyn Write,
        of_version: u16,
        mut line: Map<String, Value>,
    ) -> Result<(), LineError> {
        let mut text = |field: &str| match line.remove(field) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(LineError::Wrong(format!("it has no `{field}`, which is text"))),
        };
        let (left, right) = (text(self.left.key)?, text(self.right.key)?);
        let deleted_with = line.remove(DELETED_WITH);
        let line = Value::Object(line);
        let row = self.decode(&left, &from_json(of_version, &line))?;
        if of_version == version(self.history) {
            all_known(&line, &to_json(&self.encode(&row)).map_err(LineError::Wrong)?)?;
        }
        let exists = || LineError::Wrong(format!("the pair of {left} and {right} is there already"));
        let Some(side) = deleted_with else {
            if self.has(tx, &left, &right)? {
                return Err(exists());
            }
            self.check(tx, &left, &right, 0)?;
            return Ok(self.write_pair(tx, &left, &right, &row)?);
        };
        let (side, id, other) = match side.as_str() {
            Some("left") => (Side::Left, &left, &right),
            Some("right") => (Side::Right, &right, &left),
            _ => return Err(LineError::Wrong(format!("`{DELETED_WITH}` is neither left nor right"))),
        };
        let table = Registry::graph().table(self.end(side).entity);
        if table.deleted_node(tx, id)?.is_none() {
            let of = table.def().words();
            return Err(LineError::Wrong(format!("{of} with id: {id} is not among the deleted ones")));
        }
        let key = [&deleted_group(tx, self, side, id), other.as_bytes()].concat();
        if tx.get(&key)?.is_some() {
            return Err(exists());
        }
        tx.put(key, self.encode(&row));
        Ok(())
    }

    /// How findings name the pair of a line.
    pub(crate) fn key_of_line(&self, line: &Map<String, Value>) -> Option<String> {
        let text = |field: &str| line.get(field)?.as_str();
        let key = KeyBuf::new([0; 2]).part(text(self.left.key)?).tail(text(self.right.key)?.as_bytes());
        Some(key_text(&key.into_bytes()[2..]))
    }
}
