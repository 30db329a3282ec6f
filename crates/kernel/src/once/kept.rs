//! What is stored of requests with an `Idempotency-Key`, for a day: notes of their commits, and their
//! answers.
//!
//! A note is written by the commit that it tells of, and is small: an id, mostly. An answer is written after
//! it, if it is small, holds no secret, and its client has not had too many of them; where it is missing, it
//! is made again from the notes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Direction, Fault, FieldValue, KeyBuf, Read, Scan, Space, Span, StoreError, Timestamp, Write, decode,
    encode,
    limits::{IDEMPOTENCY_ANSWER_BYTES_MAX, IDEMPOTENCY_BYTES_PER_CLIENT_MAX},
    split_part,
    verify::Verify,
};

/// Who asked, then the key: what was asked, what it came to, and what was answered.
pub const ONCE: Space = "idempotency.key";
/// When, who, and the key: what is removed first.
pub const ONCE_BY_AGE: Space = "idempotency.age";
/// Who asked: the bytes of all answers that are kept for them.
pub const ONCE_BYTES: Space = "idempotency.bytes";

/// How long they are kept.
pub(crate) const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// What a commit notes of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Note {
    /// It is done, and this (JSON) is what its answer is made from; nothing where that is not known.
    Done(Option<String>),
    /// A run of a saga has begun, by its id: its journal says what becomes of it.
    Run(String),
}

/// What is kept of a request. Rows of earlier versions have an answer, or nothing, and no notes.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    /// Of method, path, parameters and body.
    pub(crate) hash: Vec<u8>,
    pub(crate) at: Timestamp,
    /// The status and the body.
    pub(crate) answer: Option<(u16, Vec<u8>)>,
    /// Of its commits, in their order.
    pub(crate) notes: Vec<Note>,
}

/// A request with a key. The journals of sagas hold it, too, so that the commit that ends one can note it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyedRequest {
    /// Who asked, and through which publishable key.
    pub(crate) who: String,
    pub(crate) key: String,
    pub(crate) hash: Vec<u8>,
    pub(crate) at: Timestamp,
    /// Which of its commits comes next.
    pub(crate) place: usize,
}

impl FieldValue for KeyedRequest {}

impl KeyedRequest {
    fn row(&self, tx: &dyn Read) -> Vec<u8> {
        KeyBuf::new(tx.prefix(ONCE)).part(&self.who).tail(self.key.as_bytes()).into_bytes()
    }

    /// What is kept under its key, if that is younger than a day; of this request, or of another one.
    pub(crate) fn find(&self, tx: &dyn Read, now: Timestamp) -> Result<Option<Kept>, StoreError> {
        Ok(kept_at(tx, &self.row(tx))?.filter(|it| now < it.at.plus_millis(KEPT_MS)))
    }

    /// What is kept of this very request; nothing where the key was used for a younger one since.
    fn own(&self, tx: &dyn Read) -> Result<Option<Kept>, StoreError> {
        match kept_at(tx, &self.row(tx))? {
            Some(kept) if kept.at > self.at => Ok(None),
            Some(kept) if kept.hash == self.hash && kept.at == self.at => Ok(Some(kept)),
            _ => Ok(Some(Kept { hash: self.hash.clone(), at: self.at, ..Kept::default() })),
        }
    }

    /// What is noted of the commit that this is the request of, if it is noted.
    pub(crate) fn noted(&self, tx: &dyn Read) -> Result<Option<Note>, StoreError> {
        Ok(self.own(tx)?.and_then(|it| it.notes.into_iter().nth(self.place)))
    }

    /// Notes what the commit of this transaction is.
    pub(crate) fn note(&self, tx: &mut dyn Write, note: Note) -> Result<(), Fault> {
        let Some(mut kept) = self.own(tx)? else { return Ok(()) };
        kept.notes.truncate(self.place);
        kept.notes.resize(self.place, Note::Done(None));
        kept.notes.push(note);
        self.put(tx, &kept)
    }

    /// Takes back what was noted of a commit, and what came after it: it was undone.
    pub(crate) fn take_back(&self, tx: &mut dyn Write) -> Result<(), Fault> {
        let Some(mut kept) = self.own(tx)? else { return Ok(()) };
        kept.notes.truncate(self.place);
        if !kept.notes.is_empty() {
            return self.put(tx, &kept);
        }
        let row = self.row(tx);
        Ok(remove(tx, &row)?)
    }

    /// Keeps its answer, if there is room for it.
    pub(crate) fn keep(&self, tx: &mut dyn Write, status: u16, body: &[u8]) -> Result<(), Fault> {
        let n_kept = bytes_of(tx, &self.who)?;
        if body.len() > IDEMPOTENCY_ANSWER_BYTES_MAX
            || n_kept + body.len() as u64 > IDEMPOTENCY_BYTES_PER_CLIENT_MAX
        {
            return Ok(());
        }
        match self.own(tx)? {
            Some(kept) => self.put(tx, &Kept { answer: Some((status, body.to_vec())), ..kept }),
            None => Ok(()),
        }
    }

    fn put(&self, tx: &mut dyn Write, kept: &Kept) -> Result<(), Fault> {
        let row = self.row(tx);
        remove(tx, &row)?;
        count(tx, &self.who, kept, 1)?;
        let age = age_key(tx, kept.at, &row[2..]);
        tx.put(age, Vec::new());
        tx.put(row, encode(kept));
        Ok(())
    }
}

fn kept_at(tx: &dyn Read, row: &[u8]) -> Result<Option<Kept>, StoreError> {
    tx.get(row)?.map(|bytes| decode(ONCE, &String::from_utf8_lossy(&row[2..]), &bytes)).transpose()
}

fn age_key(tx: &dyn Read, at: Timestamp, rest: &[u8]) -> Vec<u8> {
    let millis = at.millis().max(0).cast_unsigned().to_be_bytes();
    KeyBuf::new(tx.prefix(ONCE_BY_AGE)).tail(&millis).tail(rest).into_bytes()
}

/// Removes a row, with its age and its bytes.
fn remove(tx: &mut dyn Write, row: &[u8]) -> Result<(), StoreError> {
    let Some(kept) = kept_at(tx, row)? else { return Ok(()) };
    if let Some((who, _)) = split_part(&row[2..]) {
        count(tx, &who, &kept, -1)?;
    }
    let age = age_key(tx, kept.at, &row[2..]);
    tx.delete(age);
    tx.delete(row.to_vec());
    Ok(())
}

fn bytes_row(tx: &dyn Read, who: &str) -> Vec<u8> {
    KeyBuf::new(tx.prefix(ONCE_BYTES)).tail(who.as_bytes()).into_bytes()
}

/// Bytes of all answers that are kept for somebody.
fn bytes_of(tx: &dyn Read, who: &str) -> Result<u64, StoreError> {
    Ok(tx.get(&bytes_row(tx, who))?.map_or(0, |it| number(&it)))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}

/// Counts the answer of a row that comes (1) or goes (-1).
fn count(tx: &mut dyn Write, who: &str, kept: &Kept, sign: i64) -> Result<(), StoreError> {
    let Some((_, body)) = &kept.answer else { return Ok(()) };
    let change = sign * i64::try_from(body.len()).unwrap_or(i64::MAX);
    // Rows of earlier versions were not counted when they came.
    let n_kept = bytes_of(tx, who)?.saturating_add_signed(change);
    let row = bytes_row(tx, who);
    match n_kept {
        0 => tx.delete(row),
        _ => tx.put(row, n_kept.to_be_bytes().to_vec()),
    }
    Ok(())
}

/// Removes what is older than a day; at most so many rows. Says how many.
pub(crate) fn remove_old(tx: &mut dyn Write, now: Timestamp, n_max: usize) -> Result<usize, StoreError> {
    let span = Span {
        start: tx.prefix(ONCE_BY_AGE).to_vec(),
        end: Some(age_key(tx, now.plus_millis(1 - KEPT_MS), &[])),
    };
    let mut old = Vec::new();
    tx.scan(&span, Direction::Ascending, &mut |key, _| {
        old.push(key.to_vec());
        Ok(if old.len() < n_max { Scan::Continue(()) } else { Scan::Break(()) })
    })?;
    let n_old = old.len();
    for age in old {
        let row = [&tx.prefix(ONCE)[..], &age[10..]].concat();
        // A key that was used again since is younger.
        if kept_at(tx, &row)?.is_some_and(|it| age_key(tx, it.at, &row[2..]) == age) {
            remove(tx, &row)?;
        }
        tx.delete(age);
    }
    Ok(n_old)
}

/// Every answer that is kept has its age, by which it is removed, and is counted; every age has its answer.
pub fn verify_answers(it: &mut Verify<'_>) -> Result<(), StoreError> {
    let (view, findings) = (it.view, &mut *it.findings);
    let mut n_kept: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    view.scan(&Span::prefix(&view.prefix(ONCE)), Direction::Ascending, &mut |row, value| {
        findings.checked("remembered answers")?;
        let who = split_part(&row[2..]).map(|(who, _)| who.into_bytes()).unwrap_or_default();
        let Some(kept) = findings.decoded::<Kept>(ONCE, &row[2..], value) else {
            // Its bytes are counted, and cannot be told.
            n_kept.insert(who, u64::MAX);
            return Ok(Scan::Continue(()));
        };
        let age = age_key(view, kept.at, &row[2..]);
        if view.get(&age)?.is_none() {
            findings.add("idempotency.ageless", ONCE_BY_AGE, &age[2..], "nothing", "the age of an answer");
        }
        if let Some((_, body)) = &kept.answer {
            let n_bytes = n_kept.entry(who).or_default();
            *n_bytes = n_bytes.saturating_add(body.len() as u64);
        }
        Ok(Scan::Continue(()))
    })?;
    view.scan(&Span::prefix(&view.prefix(ONCE_BY_AGE)), Direction::Ascending, &mut |age, _| {
        let row = [&view.prefix(ONCE)[..], age.get(10..).unwrap_or_default()].concat();
        if view.get(&row)?.is_none() {
            findings.add("idempotency.orphaned", ONCE_BY_AGE, &age[2..], "an age", "an answer of that age");
        }
        Ok(Scan::Continue(()))
    })?;
    view.scan(&Span::prefix(&view.prefix(ONCE_BYTES)), Direction::Ascending, &mut |row, value| {
        let (found, expected) = (number(value), n_kept.remove(&row[2..]).unwrap_or_default());
        // Answers that earlier versions kept were not counted.
        if found > expected {
            let (found, expected) = (found.to_string(), format!("at most {expected}"));
            findings.add("idempotency.bytes", ONCE_BYTES, &row[2..], found, expected);
        }
        Ok(Scan::Continue(()))
    })
}
