//! Idempotency (`Idempotency-Key`): a retry of a write is not executed again, and gets the same answer.
//!
//! Each commit of a request with a key stores a note, in the same transaction. After a crash, or if the
//! answer was not stored, a retry calls the handler again: its commits are skipped and return what their
//! notes say, and the answer is made from the records of now. Answers of any status but 2xx, which say that
//! nothing was done, are not stored: a retry runs again.

mod kept;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use atoll_values::hex;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{
    Actor, Ctx, Fault, FaultKind, Moment, Write,
    data::View,
    flow::Local,
    http::{Call, Pass, Reply, Route, StatusCode},
    limits::{IDEMPOTENCY_NOTE_BYTES_MAX, IDEMPOTENCY_SHOPPER_BUDGETS},
};

pub(crate) use kept::Note;
use kept::{Kept, remove_old};
pub use kept::{KeyedRequest, ONCE, ONCE_BY_AGE, ONCE_BY_CLIENT, ONCE_BYTES, ONCE_SPACES, verify_answers};

/// Longest key in characters.
const N_LETTERS_MAX: usize = 255;

/// A request with an idempotency key, while its handler runs.
pub(crate) struct Once {
    request: KeyedRequest,
    /// Notes that earlier attempts of the request stored.
    earlier: Mutex<Vec<Note>>,
    /// Index of the next commit.
    next: AtomicUsize,
    has_written: AtomicBool,
    /// Does the error itself say whether the request was done? It is then passed on as it is.
    is_explained: AtomicBool,
}

impl Once {
    /// The next commit of this request: its note, if an earlier attempt made it; else where to store the
    /// note.
    pub(crate) fn next(&self) -> Result<Note, KeyedRequest> {
        let commit = self.next.load(Ordering::Relaxed);
        match self.earlier().get(commit) {
            Some(note) => {
                self.next.store(commit + 1, Ordering::Relaxed);
                Ok(note.clone())
            }
            None => Err(KeyedRequest { commit, ..self.request.clone() }),
        }
    }

    fn earlier(&self) -> MutexGuard<'_, Vec<Note>> {
        self.earlier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_repeat(&self) -> bool {
        !self.earlier().is_empty()
    }

    /// The commit whose note was returned last.
    pub(crate) fn last(&self) -> KeyedRequest {
        let commit = self.next.load(Ordering::Relaxed).saturating_sub(1);
        KeyedRequest { commit, ..self.request.clone() }
    }

    /// The saga run of the last note was compensated: the commit is to be made again.
    pub(crate) fn undone(&self) -> KeyedRequest {
        let last = self.last();
        self.next.store(last.commit, Ordering::Relaxed);
        self.earlier().truncate(last.commit);
        last
    }

    /// The next commit was made, and its note stored.
    pub(crate) fn wrote(&self) {
        self.next.fetch_add(1, Ordering::Relaxed);
        self.has_written.store(true, Ordering::Relaxed);
    }

    /// From now on the error of the handler says whether the request was done.
    pub(crate) fn explain(&self) {
        self.is_explained.store(true, Ordering::Relaxed);
    }

    /// 409: the request was done, and its answer cannot be made again for this reason.
    pub(crate) fn lost(&self, why: &str) -> Fault {
        self.explain();
        let key = &self.request.key;
        let text = format!(
            "The request with the Idempotency-Key {key} was done; its answer cannot be made again: {why}"
        );
        Fault::new(FaultKind::Conflict, text)
    }

    /// Stores the answer of the handler, if something was done.
    async fn settle(&self, ctx: &Ctx, answer: Result<Reply, Fault>) -> Result<Reply, Fault> {
        let has_written = self.has_written.load(Ordering::Relaxed);
        match answer {
            Ok(reply) => {
                let is_done = reply.status.is_success() && (has_written || self.is_repeat());
                if is_done && !reply.is_secret {
                    self.keep(ctx, &reply).await;
                }
                Ok(reply)
            }
            // 5xx answers are not stored, so a retry runs again.
            Err(fault) if fault.status().is_server_error() => Err(fault),
            Err(fault) if self.is_explained.load(Ordering::Relaxed) => Err(fault),
            Err(fault) if self.is_repeat() => Err(self.lost(&fault.to_string())),
            // A saga that failed has removed its note. The notes of other commits stay: those were made, and
            // only the answer failed. A retry is answered from the notes.
            Err(fault) => Err(fault),
        }
    }

    /// An error is logged only: the answer is right whether it is stored or not.
    async fn keep(&self, ctx: &Ctx, reply: &Reply) {
        let (request, status, body) = (self.request.clone(), reply.status.as_u16(), reply.json.clone());
        let keep = move |tx: &mut dyn Write, _: &Moment| request.keep(tx, status, &body);
        if let Err(error) = ctx.finishing().write(Actor::System, keep).await {
            tracing::error!(%error, "the answer to a request with an Idempotency-Key was not kept");
        }
    }
}

/// The note of a commit; without its JSON if that is too long.
pub(crate) fn done<N: Serialize>(note: &N) -> Note {
    Note::Done(serde_json::to_string(note).ok().filter(|it| it.len() <= IDEMPOTENCY_NOTE_BYTES_MAX))
}

/// The scope of an idempotency key: the caller and the publishable key. No other caller gets the answer.
fn who(pass: &Pass) -> Result<String, Fault> {
    let actor = serde_json::to_string(&pass.actor).map_err(Fault::unexpected)?;
    // A customer may use several keys. A registered identity without an account has no actor of its own yet.
    let through = pass.through.as_ref().filter(|_| matches!(pass.actor, Actor::Customer(_)));
    let registered = pass.login.as_ref().filter(|it| it.actor_id.is_empty()).map(|it| &it.identity);
    Ok([Some(&actor), through, registered].into_iter().flatten().cloned().collect::<Vec<_>>().join(" "))
}

/// The client whose budget a request counts for. Authenticated clients have a budget each; anonymous shoppers
/// share those of the publishable key, by a digest of their network, so that one of them does not use up the
/// budget of all. The answer does not depend on it: a repeat may come from another network.
fn client(ctx: &Ctx, call: &Call, who: &str) -> String {
    let is_anonymous = match call.pass.actor {
        Actor::Shopper(_) => true,
        Actor::Nobody => call.pass.login.is_none(),
        _ => false,
    };
    if !is_anonymous {
        return who.to_owned();
    }
    let network = ctx.config().proxies.network_of(&call.head()).map(|it| it.to_string());
    let digest = Sha256::digest(network.unwrap_or_default());
    format!("{who} {}", digest[0] % IDEMPOTENCY_SHOPPER_BUDGETS)
}

/// Calls the handler, or returns the stored answer of the same request. Concurrent requests with one key are
/// serialised by a lock. Errors: 422 if the key was used for another request; 409 if the request was done,
/// and its answer cannot be made again.
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
    let who = who(&call.pass)?;
    let _lock = ctx.run_locks().lock(ONCE, &format!("{who} {key}")).await;
    let hash = Sha256::digest(asked.as_bytes()).to_vec();
    let client = client(&ctx, &call, &who);
    let mut request = KeyedRequest { who, client, key, hash, at: ctx.now(), commit: 0 };
    let mut earlier = Vec::new();
    if let Some(Kept { hash, at, answer, notes, .. }) = request.find(&ctx.view(), ctx.now())? {
        if hash != request.hash {
            let text = format!("Idempotency-Key {} was used for another request", request.key);
            return Err(Fault::new(FaultKind::Duplicate, text));
        }
        if let Some((status, json)) = answer {
            let status = StatusCode::from_u16(status).map_err(Fault::unexpected)?;
            return Ok(Reply::raw(json).with_status(status));
        }
        request.at = at;
        // Earlier versions stored no notes.
        earlier = if notes.is_empty() { vec![Note::Done(None)] } else { notes };
    }
    let once = Arc::new(Once {
        request,
        earlier: Mutex::new(earlier),
        next: AtomicUsize::new(0),
        has_written: AtomicBool::new(false),
        is_explained: AtomicBool::new(false),
    });
    call.app = ctx.noting(once.clone());
    // A concurrent request with the same key may have committed before this one got the lock.
    call.view = call.app.view();
    let answer = (route.handler)(call).await;
    once.settle(&ctx, answer).await
}

impl Ctx {
    /// As [`Ctx::local`], for a write that a client may retry under an `Idempotency-Key`. `note` extracts
    /// from the result what the answer is made from (ids, best); on a retry `again` makes the result from the
    /// note and the current state. Without a note, as after [`Ctx::local`] and [`Ctx::write`], a retry whose
    /// answer was not stored gets 409, which says that the request was done.
    pub async fn local_once<T, N, F>(
        &self,
        actor: Actor,
        body: F,
        note: fn(&T) -> N,
        again: impl FnOnce(&View, N) -> Result<T, Fault>,
    ) -> Result<(T, View), Fault>
    where
        T: Send + 'static,
        N: Serialize + DeserializeOwned + 'static,
        F: FnOnce(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
    {
        if let Some(noted) = self.noted()? {
            let view = self.view();
            return Ok((again(&view, noted)?, view));
        }
        let ctx = self.clone();
        let body = move |tx: &mut dyn Write, at: &Moment| body(&mut Local { tx, at, ctx: &ctx, flow: "" });
        self.commit(actor, body, move |it| done(&note(it))).await
    }

    /// The note of the next commit, if an earlier attempt of the request made it.
    fn noted<N: DeserializeOwned>(&self) -> Result<Option<N>, Fault> {
        let Some(once) = &self.once else { return Ok(None) };
        match once.next() {
            Ok(Note::Done(Some(json))) => serde_json::from_str(&json).map(Some).map_err(Fault::unexpected),
            Ok(_) => Err(once.lost("its result was not stored")),
            Err(_) => Ok(None),
        }
    }

    /// Is this a retry of a request that was done before? Its answer must not show secrets that each call
    /// makes anew.
    pub fn is_repeat(&self) -> bool {
        self.once.as_ref().is_some_and(|it| it.is_repeat())
    }

    /// 409 for a retry: the request was done, and its answer cannot be made again for this reason.
    pub fn cannot_repeat(&self, why: &str) -> Fault {
        match &self.once {
            Some(once) => once.lost(why),
            None => Fault::new(FaultKind::Conflict, why),
        }
    }

    /// A text that is the same in all retries of this request, and that others cannot guess. `None` without a
    /// key.
    pub fn request_digest(&self) -> Option<String> {
        let KeyedRequest { who, key, hash, at, .. } = &self.once.as_ref()?.request;
        let mut digest = Sha256::new();
        for part in [who.as_bytes(), key.as_bytes(), hash, &at.millis().to_be_bytes()] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Some(hex(&digest.finalize()[..16]))
    }

    /// Retention: removes at most `n_max` idempotency keys older than a day. Returns their number.
    pub async fn forget_answers(&self, n_max: usize) -> Result<usize, Fault> {
        let forget = move |tx: &mut dyn Write, at: &Moment| Ok(remove_old(tx, at.now(), n_max)?);
        Ok(self.write(Actor::System, forget).await?.0)
    }
}
