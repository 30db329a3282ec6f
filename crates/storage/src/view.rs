//! Views: snapshots of the store, whose values are verified, and whose reads may be counted and recorded.

use std::sync::Arc;

use atoll_values::Timestamp;

use crate::{
    Chain, Direction, Engine, Meter, Position, Raw, Read, Recorder, Scan, Space, Span, StoreError, Visit,
    format::{self, Checksums},
    key_text,
    made::Made,
    space::Directory,
};

/// A snapshot: all keys as of one commit. Cheap to clone. Reads run on the calling thread.
#[derive(Clone)]
pub struct View {
    raw: Arc<dyn Raw>,
    position: Position,
    directory: Directory,
    checksums: Checksums,
    meter: Option<Arc<Meter>>,
    recorder: Option<Arc<Recorder>>,
    is_lenient: bool,
}

/// Called with keys, each with the name of its space.
pub type VisitKey<'a> = dyn FnMut(Space, &[u8]) -> Result<(), StoreError> + 'a;

/// Returned in place of a damaged value by a lenient view. No encoding begins with this byte.
pub(crate) const DAMAGED: &[u8] = &[0xFF];

impl View {
    /// A view in which a value with a wrong checksum does not end a scan: it reads as a value that cannot be
    /// decoded.
    pub fn lenient(self) -> View {
        View { is_lenient: true, ..self }
    }

    /// Calls `visit` with the keys of all values whose checksums are wrong.
    pub fn damaged(&self, visit: &mut VisitKey<'_>) -> Result<(), StoreError> {
        self.all(&mut |key, stored| {
            if self.checksums.check(key, stored).is_none() {
                visit(self.directory.name(key), key)?;
            }
            Ok(Scan::Continue(()))
        })
    }

    /// Calls `visit` with every key, and its value as it is stored, unchecked.
    fn all(&self, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.record(Recorder::lose);
        self.raw.scan(&Span::prefix(&[]), Direction::Ascending, visit, &mut |_, _| Ok(()))
    }

    /// The same snapshot, with its reads counted and limited by `meter`.
    pub fn metered(self, meter: &Arc<Meter>) -> View {
        View { meter: Some(meter.clone()), ..self }
    }

    /// The same snapshot, with its reads recorded by `recorder`.
    pub fn recorded(self, recorder: &Arc<Recorder>) -> View {
        View { recorder: Some(recorder.clone()), ..self }
    }

    /// Every way of reading keys calls this: what is read past it would be missing from the dependencies of
    /// a remembered answer.
    fn record(&self, note: impl FnOnce(&Recorder)) {
        if let Some(recorder) = &self.recorder {
            note(recorder);
        }
    }

    /// A read-only view of the data as it is, without opening the store: nothing is written, not even what
    /// the store itself needs.
    pub fn look(engine: &impl Engine, spaces: &[Space]) -> Result<View, StoreError> {
        View::bare(engine.snapshot()?)?.with_spaces(spaces)
    }

    /// A view that knows no spaces.
    pub(crate) fn bare(raw: Arc<dyn Raw>) -> Result<View, StoreError> {
        let checksums = Checksums::of(&*raw)?;
        let position = Position::of(&*raw, &checksums)?;
        let directory = Directory::none();
        Ok(View { raw, position, directory, checksums, meter: None, recorder: None, is_lenient: false })
    }

    /// The same snapshot, which knows these spaces.
    pub(crate) fn with_spaces(self, spaces: &[Space]) -> Result<View, StoreError> {
        Ok(View { directory: Directory::of(&self, spaces)?, ..self })
    }

    /// Until when commits and ids were made.
    pub(crate) fn made(&self) -> Result<Made, StoreError> {
        Made::of(&*self.raw, &self.checksums)
    }

    /// The time of the latest transaction that it shows of hosts that share a log.
    pub fn made_at(&self) -> Result<Timestamp, StoreError> {
        Ok(self.made()?.at)
    }

    /// The digest of the commits that it shows, if they were in a log; else zeros.
    pub fn chain(&self) -> Result<Chain, StoreError> {
        Chain::of(&*self.raw, &self.checksums)
    }

    /// The snapshot that it reads.
    pub(crate) fn raw(&self) -> &Arc<dyn Raw> {
        &self.raw
    }

    /// The view after the next commit.
    pub(crate) fn after(&self, raw: Arc<dyn Raw>, position: Position) -> View {
        View { raw, position, ..self.clone() }
    }

    /// The last commit that this view shows. An answer that tells it is not remembered: the next commit of
    /// anybody changes it.
    pub fn position(&self) -> Position {
        self.record(Recorder::lose);
        self.position
    }

    /// Calls `visit` with every key, and its value as it is stored, checksum included. Errors: a value is
    /// damaged, also in a lenient view.
    pub(crate) fn stored(&self, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.all(&mut |key, stored| match self.checksums.check(key, stored) {
            Some(_) => visit(key, stored),
            None => Err(self.corrupt(key)),
        })
    }

    /// The number of keys.
    pub(crate) fn n_keys(&self) -> Result<u64, StoreError> {
        self.record(Recorder::lose);
        self.raw.n_entries()
    }

    /// The format of the store.
    pub(crate) fn format(&self) -> Result<u16, StoreError> {
        format::number(&*self.raw)
    }

    /// The number of values, if some of them have no checksum yet; else zero.
    pub fn n_unchecked(&self) -> Result<u64, StoreError> {
        self.record(Recorder::lose);
        if self.checksums == Checksums::All { Ok(0) } else { self.raw.n_entries() }
    }

    fn count(&self) -> Result<(), StoreError> {
        self.meter.as_ref().map_or(Ok(()), |meter| meter.count())
    }

    /// Verifies a stored value and strips its checksum.
    fn check<'a>(&self, key: &[u8], stored: &'a [u8]) -> Result<&'a [u8], StoreError> {
        match self.checksums.check(key, stored) {
            Some(value) => Ok(value),
            None if self.is_lenient => Ok(DAMAGED),
            None => Err(self.corrupt(key)),
        }
    }

    fn corrupt(&self, key: &[u8]) -> StoreError {
        StoreError::Corrupt {
            space: self.directory.name(key),
            key: key_text(key.get(2..).unwrap_or(key)),
            reason: "its checksum is wrong: the file was damaged".into(),
        }
    }
}

impl Read for View {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.count()?;
        self.record(|it| it.read_key(key));
        let stored = self.raw.get(key, &mut |key, stored| self.check(key, stored).map(drop))?;
        let Some(mut stored) = stored else { return Ok(None) };
        let value = self.check(key, &stored)?;
        if value == DAMAGED {
            return Ok(Some(DAMAGED.to_vec()));
        }
        let len = value.len();
        stored.truncate(len);
        Ok(Some(stored))
    }

    fn scan(&self, span: &Span, direction: Direction, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        // Seeking the first entry is a read as well.
        self.count()?;
        self.record(|it| it.read_span(span));
        let mut checked = |key: &[u8], stored: &[u8]| {
            self.count()?;
            visit(key, self.check(key, stored)?)
        };
        self.raw.scan(span, direction, &mut checked, &mut |key, stored| self.check(key, stored).map(drop))
    }

    fn prefix(&self, space: Space) -> [u8; 2] {
        self.directory.prefix(space)
    }
}
