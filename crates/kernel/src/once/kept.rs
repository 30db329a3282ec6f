//! Storage of idempotency keys (`Idempotency-Key`), for a day: the notes of a request's commits, and its
//! answer.
//!
//! A note is written in the same transaction as the commit that it belongs to, and is small: mostly an id.
//! The answer is written in a transaction of its own, if it is small, holds no secret, and fits into the
//! budget of its client. Where it is missing, it is made again from the notes.
//!
//! Each client has a budget of bytes for its rows, notes and answers together. Beyond it the oldest rows are
//! evicted before their day is over, and no new one is refused: most retries come within minutes. Anonymous
//! shoppers of one publishable key share 32 budgets, by a digest of their network, so that one of them
//! affects the budget of few others.

use std::collections::BTreeMap;

use atoll_storage::{KeyBuf, Span, WriteKeys, split_part};

use serde::{Deserialize, Serialize};

use crate::{
    Fault, Read, StoreError, Timestamp, Write,
    data::{Direction, Scan, Slots, Space, SpaceDef, skip_damaged},
    limits::{
        IDEMPOTENCY_ANSWER_BYTES_MAX, IDEMPOTENCY_BYTES_PER_CLIENT_MAX, IDEMPOTENCY_ROW_BYTES_PER_CLIENT_MAX,
    },
    stored,
    verify::Verify,
};

/// Space of the rows. Key: caller, idempotency key. Value: `Kept`.
pub const ONCE: Space = "idempotency.key";
/// The rows.
const KEPT: Slots<Kept> = Slots::new(ONCE);
/// Index by age, for retention. Key: time, caller, idempotency key.
pub const ONCE_BY_AGE: Space = "idempotency.age";
/// Index by client, for eviction. Key: client, time, caller, idempotency key.
pub const ONCE_BY_CLIENT: Space = "idempotency.client";
/// Bytes by client: of its stored answers, and of all its rows.
pub const ONCE_BYTES: Space = "idempotency.bytes";

/// The spaces of idempotency keys.
pub const ONCE_SPACES: [SpaceDef; 4] =
    [KEPT.def(), SpaceDef::keys(ONCE_BY_AGE), SpaceDef::keys(ONCE_BY_CLIENT), SpaceDef::keys(ONCE_BYTES)];

/// Retention in milliseconds: a day.
pub(crate) const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

stored! {
    /// The note of a commit: what a retry needs to make the answer again.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) enum Note {
        /// The commit is done. The JSON that the answer is made from; `None` if the handler gave none.
        Done(Option<String>),
        /// A saga run was started, with this id. Its journal has the result.
        Run(String),
    }
}

stored! {
    /// The row of a request. Rows of earlier versions have an answer, or nothing, and no notes.
    #[derive(Clone, Default, Serialize, Deserialize)]
    #[serde(default)]
    pub(crate) struct Kept {
        /// Fingerprint: digest of method, path, parameters and body.
        pub(crate) hash: Vec<u8>,
        pub(crate) at: Timestamp,
        /// Status and body.
        pub(crate) answer: Option<(u16, Vec<u8>)>,
        /// Notes of the commits, in their order.
        pub(crate) notes: Vec<Note>,
        /// The client whose budget it counts for. Empty in rows of earlier versions, whose answers count for
        /// `who`.
        pub(crate) client: String,
    }
}

stored! {
    /// A request with an idempotency key. It is stored in the journals of sagas too, so that the commit that
    /// ends a run can write the note.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    pub struct KeyedRequest {
        /// The caller, and the publishable key of the request.
        pub(crate) who: String,
        /// The client whose budget it counts for.
        pub(crate) client: String,
        pub(crate) key: String,
        pub(crate) hash: Vec<u8>,
        pub(crate) at: Timestamp,
        /// Index of its next commit.
        pub(crate) commit as "place": usize,
    }
}

impl KeyedRequest {
    fn row(&self, tx: &dyn Read) -> Vec<u8> {
        KeyBuf::new(tx.prefix(ONCE)).part(&self.who).tail(self.key.as_bytes()).into_bytes()
    }

    /// The row under this key, if it is younger than a day; of this request, or of another one with the same
    /// key.
    pub(crate) fn find(&self, tx: &dyn Read, now: Timestamp) -> Result<Option<Kept>, StoreError> {
        Ok(kept_at(tx, &self.row(tx))?.filter(|it| now < it.at.plus_millis(KEPT_MS)))
    }

    /// The row of this very request, or a new one; `None` if a later request has taken over the key.
    fn own(&self, tx: &dyn Read) -> Result<Option<Kept>, StoreError> {
        match kept_at(tx, &self.row(tx))? {
            Some(kept) if kept.at > self.at => Ok(None),
            Some(kept) if kept.hash == self.hash && kept.at == self.at => Ok(Some(kept)),
            _ => {
                let (hash, client) = (self.hash.clone(), self.client.clone());
                Ok(Some(Kept { hash, at: self.at, client, ..Kept::default() }))
            }
        }
    }

    /// The note of the commit at this index, if it is stored.
    pub(crate) fn noted(&self, tx: &dyn Read) -> Result<Option<Note>, StoreError> {
        Ok(self.own(tx)?.and_then(|it| it.notes.into_iter().nth(self.commit)))
    }

    /// Stores the note of the commit at this index. Later notes are removed.
    pub(crate) fn note(&self, tx: &mut dyn Write, note: Note) -> Result<(), Fault> {
        let Some(mut kept) = self.own(tx)? else { return Ok(()) };
        kept.notes.truncate(self.commit);
        kept.notes.resize(self.commit, Note::Done(None));
        kept.notes.push(note);
        self.put(tx, &kept)
    }

    /// Removes the note of the commit at this index, which was compensated, and those of later commits.
    pub(crate) fn remove_note(&self, tx: &mut dyn Write) -> Result<(), Fault> {
        let Some(mut kept) = self.own(tx)? else { return Ok(()) };
        kept.notes.truncate(self.commit);
        if !kept.notes.is_empty() {
            return self.put(tx, &kept);
        }
        let row = self.row(tx);
        Ok(remove(tx, &row)?)
    }

    /// Stores the answer, if it fits into the budget.
    pub(crate) fn keep(&self, tx: &mut dyn Write, status: u16, body: &[u8]) -> Result<(), Fault> {
        let n_kept = Usage::of(tx, &self.client)?.answers;
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
        let bytes = KEPT.encode(kept);
        count(tx, &self.who, kept, n_bytes(&row, &bytes), 1)?;
        for entry in entries(tx, kept, &row) {
            tx.put(entry, Vec::new());
        }
        tx.put(row.clone(), bytes);
        Ok(make_room(tx, &self.client, &row)?)
    }
}

fn kept_at(tx: &dyn Read, row: &[u8]) -> Result<Option<Kept>, StoreError> {
    KEPT.read(tx, &row[2..])
}

/// Bytes of a row that count for a budget.
fn n_bytes(row: &[u8], value: &[u8]) -> u64 {
    (row.len() + value.len()) as u64
}

/// The index entries of a row: by age, and by client.
fn entries(tx: &dyn Read, kept: &Kept, row: &[u8]) -> Vec<Vec<u8>> {
    let age = age_key(tx, kept.at, &row[2..]);
    if kept.client.is_empty() {
        return vec![age];
    }
    let by_client = KeyBuf::new(tx.prefix(ONCE_BY_CLIENT)).part(&kept.client).tail(&age[2..]).into_bytes();
    vec![age, by_client]
}

fn age_key(tx: &dyn Read, at: Timestamp, rest: &[u8]) -> Vec<u8> {
    let millis = at.millis().max(0).cast_unsigned().to_be_bytes();
    KeyBuf::new(tx.prefix(ONCE_BY_AGE)).tail(&millis).tail(rest).into_bytes()
}

/// The key of the row of an index entry; `entry` is without its prefix and client.
fn row_of(tx: &dyn Read, entry: &[u8]) -> Vec<u8> {
    [&tx.prefix(ONCE)[..], entry.get(8..).unwrap_or_default()].concat()
}

/// Removes a row with its index entries, and subtracts its bytes from the budget.
fn remove(tx: &mut dyn Write, row: &[u8]) -> Result<(), StoreError> {
    let Some(bytes) = tx.get(row)? else { return Ok(()) };
    let kept = KEPT.decode(&row[2..], &bytes)?;
    if let Some((who, _)) = split_part(&row[2..]) {
        count(tx, &who, &kept, n_bytes(row, &bytes), -1)?;
    }
    for entry in entries(tx, &kept, row) {
        tx.delete(entry);
    }
    tx.delete(row.to_vec());
    Ok(())
}

/// Eviction: removes the oldest rows of a client beyond its budget, but not `newest`. Each turn removes an
/// entry, also one that has no row, so that it ends whatever is stored.
fn make_room(tx: &mut dyn Write, client: &str, newest: &[u8]) -> Result<(), StoreError> {
    let group = KeyBuf::new(tx.prefix(ONCE_BY_CLIENT)).part(client).into_bytes();
    while Usage::of(tx, client)?.all > IDEMPOTENCY_ROW_BYTES_PER_CLIENT_MAX {
        let mut oldest = None;
        tx.scan(&Span::prefix(&group), Direction::Ascending, &mut |entry, _| {
            let row = row_of(tx, &entry[group.len()..]);
            if row != newest
                && let Some(kept) = skip_damaged(kept_at(tx, &row))?
            {
                oldest = Some((entry.to_vec(), kept.map(|_| row)));
            }
            Ok(if oldest.is_some() { Scan::Break(()) } else { Scan::Continue(()) })
        })?;
        let Some((entry, row)) = oldest else { return Ok(()) };
        row.map_or(Ok(()), |row| remove(tx, &row))?;
        tx.delete(entry);
    }
    Ok(())
}

/// Bytes that a client uses of its budget.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Usage {
    /// Bytes of its answers.
    answers: u64,
    /// Bytes of all its rows.
    all: u64,
}

impl Usage {
    fn row(tx: &dyn Read, client: &str) -> Vec<u8> {
        KeyBuf::new(tx.prefix(ONCE_BYTES)).tail(client.as_bytes()).into_bytes()
    }

    fn of(tx: &dyn Read, client: &str) -> Result<Usage, StoreError> {
        Ok(tx.get(&Usage::row(tx, client))?.map(|it| Usage::read(&it)).unwrap_or_default())
    }

    /// Big-endian numbers of 8 bytes. Earlier versions counted answers only.
    fn read(bytes: &[u8]) -> Usage {
        let (answers, all) = bytes.split_at(bytes.len().min(8));
        Usage { answers: number(answers), all: number(all) }
    }

    fn write(self, tx: &mut dyn Write, client: &str) {
        let row = Usage::row(tx, client);
        match self {
            Usage { answers: 0, all: 0 } => tx.delete(row),
            Usage { answers, all } => tx.put(row, [answers.to_be_bytes(), all.to_be_bytes()].concat()),
        }
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}

/// Adds (`sign` 1) or subtracts (-1) a row of this size.
fn count(tx: &mut dyn Write, who: &str, kept: &Kept, n_bytes: u64, sign: i64) -> Result<(), StoreError> {
    let counted = kept.counted(n_bytes);
    let client = if kept.client.is_empty() { who } else { &kept.client };
    let change = |it: u64, by: u64| it.saturating_add_signed(sign * by.cast_signed());
    let usage = Usage::of(tx, client)?;
    Usage { answers: change(usage.answers, counted.answers), all: change(usage.all, counted.all) }
        .write(tx, client);
    Ok(())
}

impl Kept {
    /// What a row of this size uses of a budget.
    fn counted(&self, n_bytes: u64) -> Usage {
        let answers = self.answer.as_ref().map_or(0, |(_, body)| body.len() as u64);
        Usage { answers, all: if self.client.is_empty() { 0 } else { n_bytes } }
    }
}

/// Retention: removes at most `n_max` rows older than a day. Returns their number. Damaged rows stay: what
/// they count for is not known.
pub(crate) fn remove_old(tx: &mut dyn Write, now: Timestamp, n_max: usize) -> Result<usize, StoreError> {
    let span = Span {
        start: tx.prefix(ONCE_BY_AGE).to_vec(),
        end: Some(age_key(tx, now.plus_millis(1 - KEPT_MS), &[])),
    };
    let mut old = Vec::new();
    tx.scan(&span, Direction::Ascending, &mut |age, _| {
        let row = row_of(tx, &age[2..]);
        if let Some(kept) = skip_damaged(kept_at(tx, &row))? {
            // If the key was used again since, the row is younger than this entry.
            let is_of_row = kept.is_some_and(|it| age_key(tx, it.at, &row[2..]) == age);
            old.push((age.to_vec(), is_of_row.then_some(row)));
        }
        Ok(if old.len() < n_max { Scan::Continue(()) } else { Scan::Break(()) })
    })?;
    let n_old = old.len();
    for (age, row) in old {
        row.map_or(Ok(()), |row| remove(tx, &row))?;
        tx.delete(age);
    }
    Ok(n_old)
}

/// Verifies that every row has its index entries and is counted, and that every entry has its row.
pub fn verify_answers(it: &mut Verify<'_>) -> Result<(), StoreError> {
    let (view, findings) = (it.view, &mut *it.findings);
    let mut counted: BTreeMap<String, Usage> = BTreeMap::new();
    // Callers of rows that do not decode: their share of the count is unknown.
    let mut unknown: Vec<String> = Vec::new();
    view.scan(&Span::prefix(&view.prefix(ONCE)), Direction::Ascending, &mut |row, value| {
        findings.checked("remembered answers")?;
        let who = split_part(&row[2..]).map(|(who, _)| who).unwrap_or_default();
        let Some(kept) = findings.decoded(&KEPT, &row[2..], value) else {
            unknown.push(who);
            return Ok(Scan::Continue(()));
        };
        for (entry, space) in entries(view, &kept, row).into_iter().zip([ONCE_BY_AGE, ONCE_BY_CLIENT]) {
            if view.get(&entry)?.is_none() {
                findings.add("idempotency.ageless", space, &entry[2..], "nothing", "the age of an answer");
            }
        }
        let bytes = kept.counted(n_bytes(row, value));
        let usage = counted.entry(if kept.client.is_empty() { who } else { kept.client }).or_default();
        usage.answers += bytes.answers;
        usage.all += bytes.all;
        Ok(Scan::Continue(()))
    })?;
    for space in [ONCE_BY_AGE, ONCE_BY_CLIENT] {
        view.scan(&Span::prefix(&view.prefix(space)), Direction::Ascending, &mut |entry, _| {
            let behind = match space {
                ONCE_BY_CLIENT => split_part(&entry[2..]).map(|(_, rest)| rest).unwrap_or_default(),
                _ => &entry[2..],
            };
            if view.get(&row_of(view, behind))?.is_none() {
                findings.add("idempotency.orphaned", space, &entry[2..], "an age", "an answer of that age");
            }
            Ok(Scan::Continue(()))
        })?;
    }
    view.scan(&Span::prefix(&view.prefix(ONCE_BYTES)), Direction::Ascending, &mut |row, value| {
        let client = String::from_utf8_lossy(&row[2..]);
        let (found, expected) = (Usage::read(value), counted.remove(&*client).unwrap_or_default());
        // Rows of earlier versions were counted in part, or not at all.
        let is_more = found.answers > expected.answers || found.all > expected.all;
        if is_more && !unknown.iter().any(|who| client.starts_with(who)) {
            let print = |it: Usage| format!("{} of {}", it.answers, it.all);
            let (found, expected) = (print(found), format!("at most {}", print(expected)));
            findings.add("idempotency.bytes", ONCE_BYTES, &row[2..], found, expected);
        }
        Ok(Scan::Continue(()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{data::Store, limits::IDEMPOTENCY_NOTE_BYTES_MAX};
    use atoll_storage::engines::Memory;

    const SPACES: [Space; 4] = [ONCE, ONCE_BY_AGE, ONCE_BY_CLIENT, ONCE_BYTES];

    fn request(client: &str, n: i64) -> KeyedRequest {
        KeyedRequest {
            who: format!("who {client}"),
            client: client.to_owned(),
            key: format!("key {n}"),
            at: Timestamp::from_millis(n),
            ..KeyedRequest::default()
        }
    }

    /// Which of the requests up to `end` of a client are stored.
    fn remembered(tx: &dyn Read, client: &str, end: i64) -> Result<Vec<i64>, StoreError> {
        let mut found = Vec::new();
        for n in 0..end {
            if request(client, n).find(tx, Timestamp::from_millis(end))?.is_some() {
                found.push(n);
            }
        }
        Ok(found)
    }

    /// The number of keys per space.
    fn n_keys(tx: &dyn Read) -> Result<[usize; 4], StoreError> {
        let mut counts = [0; 4];
        for (count, space) in counts.iter_mut().zip(SPACES) {
            tx.scan(&Span::prefix(&tx.prefix(space)), Direction::Ascending, &mut |_, _| {
                *count += 1;
                Ok(Scan::Continue(()))
            })?;
        }
        Ok(counts)
    }

    #[tokio::test]
    async fn oldest_requests_are_evicted_beyond_the_budget() {
        let store = Store::open(Memory::default(), &SPACES).expect("a store");
        let n_notes = i64::try_from(IDEMPOTENCY_ROW_BYTES_PER_CLIENT_MAX / IDEMPOTENCY_NOTE_BYTES_MAX as u64)
            .expect("a few");
        let body = move |tx: &mut dyn Write| -> Result<(), Fault> {
            let long = Note::Done(Some("x".repeat(IDEMPOTENCY_NOTE_BYTES_MAX)));
            request("bob", 0).note(tx, long.clone())?;
            let end = n_notes + 10;
            for n in 0..end {
                request("ann", n).note(tx, long.clone())?;
            }
            // Each row holds its key and fingerprint as well, so one row less fits.
            let newest: Vec<i64> = (end - n_notes + 1..end).collect();
            assert_eq!(remembered(tx, "ann", end)?, newest);
            assert_eq!(remembered(tx, "bob", end)?, [0]);
            let n_rows = newest.len() + 1;
            assert_eq!(n_keys(tx)?, [n_rows, n_rows, n_rows, 2]);
            // A row that is written again is counted once.
            let before = Usage::of(tx, "ann")?;
            for _ in 0..20 {
                request("ann", end - 1).note(tx, long.clone())?;
            }
            assert!(Usage::of(tx, "ann")? == before);
            // The newest row is never evicted, whatever its time is.
            request("ann", -1).note(tx, long.clone())?;
            assert!(request("ann", -1).find(tx, Timestamp::from_millis(0))?.is_some());
            // After a day all rows are removed, and the budget is empty.
            remove_old(tx, Timestamp::from_millis(end + KEPT_MS), usize::MAX)?;
            assert_eq!(n_keys(tx)?, [0; 4]);
            Ok(())
        };
        store.write(body).await.expect("a write");
    }

    #[tokio::test]
    async fn eviction_ends_where_an_entry_has_no_row() {
        let store = Store::open(Memory::default(), &SPACES).expect("a store");
        let body = |tx: &mut dyn Write| -> Result<(), Fault> {
            let lost = request("ann", 0);
            let kept = Kept { at: lost.at, client: lost.client.clone(), ..Kept::default() };
            for entry in entries(tx, &kept, &lost.row(tx)) {
                tx.put(entry, Vec::new());
            }
            Usage { answers: 0, all: IDEMPOTENCY_ROW_BYTES_PER_CLIENT_MAX }.write(tx, "ann");
            request("ann", 1).note(tx, Note::Done(None))?;
            assert_eq!(remembered(tx, "ann", 2)?, [1]);
            // The entry by age is removed when its day is over.
            assert_eq!(n_keys(tx)?, [1, 2, 1, 1]);
            Ok(())
        };
        store.write(body).await.expect("a write");
    }
}
