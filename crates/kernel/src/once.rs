//! `Idempotency-Key`: a write that comes again answers what it answered, and is not done again.
//!
//! That a request with a key has written is noted in its first commit, and its answer after its last. So after a crash
//! between the two it is not done twice: it is known to be done, and its answer to be lost.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Actor, Call, Ctx, Fault, FaultKind, KeyBuf, Moment, Order, Read, Reply, Route, Scan, Space, Span,
    StatusCode, StoreError, Timestamp, Write, decode, encode, verify::Verify,
};

/// Who asked, then the key: what was asked, and what was answered.
pub const ONCE: Space = "idempotency.key";
/// When, who, and the key: for whoever tidies up.
pub const ONCE_BY_AGE: Space = "idempotency.age";

/// How long answers are kept.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;
/// Letters of a key.
const N_LETTERS_MAX: usize = 255;

/// What is kept of a request with a key.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// Of method, path, parameters and body.
    hash: Vec<u8>,
    at: Timestamp,
    /// Its answer: the status and the body. It is not there while the request goes on, or when a crash has cut it.
    answer: Option<(u16, Vec<u8>)>,
}

/// A request with a key, on its way through the handler.
pub(crate) struct Once {
    key: Vec<u8>,
    kept: Kept,
    is_noted: AtomicBool,
}

impl Once {
    fn put(&self, tx: &mut dyn Write, kept: &Kept) {
        let age = age_key(tx, kept.at, &self.key[2..]);
        tx.put(age, Vec::new());
        tx.put(self.key.clone(), encode(kept));
    }

    /// Notes in a commit of the request that it has written.
    pub(crate) fn note(&self, tx: &mut dyn Write) {
        if !self.is_noted.load(Ordering::Relaxed) {
            self.put(tx, &self.kept);
        }
    }

    /// That commit is there.
    pub(crate) fn is_noted(&self) {
        self.is_noted.store(true, Ordering::Relaxed);
    }
}

/// Calls the handler, or answers as it answered the same request before. Two requests with one key take turns.
/// Errors: 422 where the key was used for another request; 409 where the request was done, and its answer was lost.
pub(crate) async fn once(
    route: &'static Route,
    mut call: Call,
    key: String,
    asked: String,
) -> Result<Reply, Fault> {
    if key.is_empty() || key.chars().count() > N_LETTERS_MAX {
        return Err(Fault::invalid(format!("Idempotency-Key has between 1 and {N_LETTERS_MAX} letters")));
    }
    let ctx = call.app.clone();
    let actor = serde_json::to_string(&call.pass.actor).map_err(Fault::unexpected)?;
    let _turn = ctx.turns().take(ONCE, &format!("{actor} {key}")).await;
    let hash = Sha256::digest(asked.as_bytes()).to_vec();
    let (view, now) = (ctx.view(), ctx.now());
    let place = KeyBuf::new(view.prefix(ONCE)).part(&actor).tail(key.as_bytes()).into_bytes();
    if let Some(kept) = kept_at(&view, &place)?.filter(|it| now < it.at.plus_millis(KEPT_MS)) {
        return replay(kept, &hash, &key);
    }
    drop(view);
    let kept = Kept { hash, at: now, answer: None };
    let once = Arc::new(Once { key: place, kept, is_noted: AtomicBool::new(false) });
    call.app = ctx.noting(once.clone());
    let answer = (route.handler)(call).await;
    let reply = match &answer {
        Ok(reply) => (reply.status.as_u16(), reply.json.to_vec()),
        // Whoever asks again after one of our own mistakes may be luckier.
        Err(fault) if fault.status().is_server_error() => return answer,
        Err(fault) => (fault.status().as_u16(), fault.body().to_string().into_bytes()),
    };
    let kept = Kept { answer: Some(reply), ..once.kept.clone() };
    let keep = move |tx: &mut dyn Write, _: &Moment| {
        once.put(tx, &kept);
        Ok(())
    };
    ctx.write(Actor::System, keep).await?;
    answer
}

fn replay(kept: Kept, hash: &[u8], key: &str) -> Result<Reply, Fault> {
    if kept.hash != hash {
        let text = format!("Idempotency-Key {key} was used for another request");
        return Err(Fault::new(FaultKind::Duplicate, text));
    }
    let lost = || {
        Fault::new(
            FaultKind::Conflict,
            format!("The request with the key {key} was done; its answer was lost"),
        )
    };
    let (status, json) = kept.answer.ok_or_else(lost)?;
    Ok(Reply::raw(json).with_status(StatusCode::from_u16(status).map_err(Fault::unexpected)?))
}

fn kept_at(tx: &dyn Read, key: &[u8]) -> Result<Option<Kept>, StoreError> {
    tx.get(key)?.map(|bytes| decode(ONCE, &String::from_utf8_lossy(&key[2..]), &bytes)).transpose()
}

fn age_key(tx: &dyn Read, at: Timestamp, rest: &[u8]) -> Vec<u8> {
    let millis = at.millis().max(0).cast_unsigned().to_be_bytes();
    KeyBuf::new(tx.prefix(ONCE_BY_AGE)).tail(&millis).tail(rest).into_bytes()
}

/// Every answer that is kept has its age, by which it is forgotten; every age has its answer, or a younger one.
pub fn verify_answers(it: &mut Verify<'_>) -> Result<(), StoreError> {
    let (view, findings) = (it.view, &mut *it.findings);
    view.scan(&Span::prefix(&view.prefix(ONCE)), Order::Ascending, &mut |key, value| {
        findings.checked("remembered answers")?;
        let Some(kept) = findings.decoded::<Kept>(ONCE, &key[2..], value) else {
            return Ok(Scan::Continue(()));
        };
        let age = age_key(view, kept.at, &key[2..]);
        if view.get(&age)?.is_none() {
            findings.add("idempotency.ageless", ONCE_BY_AGE, &age[2..], "nothing", "the age of an answer");
        }
        Ok(Scan::Continue(()))
    })?;
    view.scan(&Span::prefix(&view.prefix(ONCE_BY_AGE)), Order::Ascending, &mut |age, _| {
        let key = [&view.prefix(ONCE)[..], age.get(10..).unwrap_or_default()].concat();
        if view.get(&key)?.is_none() {
            findings.add("idempotency.orphaned", ONCE_BY_AGE, &age[2..], "an age", "an answer of that age");
        }
        Ok(Scan::Continue(()))
    })
}

impl Ctx {
    /// Forgets what requests with keys were answered a day ago and earlier; at most so many. Says how many.
    pub async fn forget_answers(&self, n_max: usize) -> Result<usize, Fault> {
        let forget = move |tx: &mut dyn Write, at: &Moment| {
            let prefix = tx.prefix(ONCE_BY_AGE);
            let span = Span {
                start: prefix.to_vec(),
                end: Some(age_key(tx, at.now().plus_millis(1 - KEPT_MS), &[])),
            };
            let mut old = Vec::new();
            tx.scan(&span, Order::Ascending, &mut |key, _| {
                old.push(key.to_vec());
                Ok(if old.len() < n_max { Scan::Continue(()) } else { Scan::Break(()) })
            })?;
            let n_old = old.len();
            for age in old {
                let key = [&tx.prefix(ONCE)[..], &age[10..]].concat();
                // A key that was used again since is younger.
                if kept_at(tx, &key)?.is_some_and(|it| age_key(tx, it.at, &key[2..]) == age) {
                    tx.delete(key);
                }
                tx.delete(age);
            }
            Ok(n_old)
        };
        Ok(self.write(Actor::System, forget).await?.0)
    }
}
