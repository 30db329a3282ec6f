//! `Idempotency-Key`: a write that comes again is not done again, and answers what it answered.
//!
//! Each commit of a request with a key notes what the answer is made from. So after a crash, or where the
//! answer was not kept, a repeat calls the handler once more, and its writes are not done, but come to what
//! the notes say: the answer is made from the records as they are then. What answers that nothing was done
//! (every status but 2xx) is not remembered: a repeat of it runs.

mod kept;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

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

/// Letters of a key.
const N_LETTERS_MAX: usize = 255;

/// A request with a key, on its way through the handler.
pub(crate) struct Once {
    request: KeyedRequest,
    /// What commits of it noted before it came again.
    earlier: Mutex<Vec<Note>>,
    /// Which commit comes next.
    next: AtomicUsize,
    has_written: AtomicBool,
    /// Does the error itself say what became of the request?
    is_told: AtomicBool,
}

impl Once {
    /// The next commit of this request: what it noted when it was made before, or else where it is to be
    /// noted.
    pub(crate) fn next(&self) -> Result<Note, KeyedRequest> {
        let place = self.next.load(Ordering::Relaxed);
        match self.earlier().get(place) {
            Some(note) => {
                self.next.store(place + 1, Ordering::Relaxed);
                Ok(note.clone())
            }
            None => Err(KeyedRequest { place, ..self.request.clone() }),
        }
    }

    fn earlier(&self) -> MutexGuard<'_, Vec<Note>> {
        self.earlier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_repeat(&self) -> bool {
        !self.earlier().is_empty()
    }

    /// The commit whose earlier note was returned last.
    pub(crate) fn last(&self) -> KeyedRequest {
        let place = self.next.load(Ordering::Relaxed).saturating_sub(1);
        KeyedRequest { place, ..self.request.clone() }
    }

    /// What the last note told of was undone: it is to be done again.
    pub(crate) fn undone(&self) -> KeyedRequest {
        let last = self.last();
        self.next.store(last.place, Ordering::Relaxed);
        self.earlier().truncate(last.place);
        last
    }

    /// The next commit is there, and noted.
    pub(crate) fn wrote(&self) {
        self.next.fetch_add(1, Ordering::Relaxed);
        self.has_written.store(true, Ordering::Relaxed);
    }

    /// The error that comes of it says what became of the request.
    pub(crate) fn tell(&self) {
        self.is_told.store(true, Ordering::Relaxed);
    }

    /// It was done, and this is why its answer cannot be given again.
    pub(crate) fn lost(&self, why: &str) -> Fault {
        self.tell();
        let key = &self.request.key;
        let text = format!(
            "The request with the Idempotency-Key {key} was done; it cannot be answered again: {why}"
        );
        Fault::new(FaultKind::Conflict, text)
    }

    /// Remembers the answer of the handler, or that nothing was done.
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
            // A retry after one of our own mistakes may succeed.
            Err(fault) if fault.status().is_server_error() => Err(fault),
            Err(fault) if self.is_told.load(Ordering::Relaxed) => Err(fault),
            Err(fault) if self.is_repeat() => Err(self.lost(&fault.to_string())),
            // A saga that failed has taken back its note. What another commit noted was done, and only its
            // answer failed: a repeat is answered from the notes.
            Err(fault) => Err(fault),
        }
    }

    /// The answer is true whether it is kept or not.
    async fn keep(&self, ctx: &Ctx, reply: &Reply) {
        let (request, status, body) = (self.request.clone(), reply.status.as_u16(), reply.json.clone());
        let keep = move |tx: &mut dyn Write, _: &Moment| request.keep(tx, status, &body);
        if let Err(error) = ctx.write(Actor::System, keep).await {
            tracing::error!(%error, "the answer to a request with an Idempotency-Key was not kept");
        }
    }
}

/// What a repeat of a commit is answered from.
pub(crate) fn done<N: Serialize>(note: &N) -> Note {
    Note::Done(serde_json::to_string(note).ok().filter(|it| it.len() <= IDEMPOTENCY_NOTE_BYTES_MAX))
}

/// Who asks, and through which publishable key: nobody else is answered what they were.
fn who(pass: &Pass) -> Result<String, Fault> {
    let actor = serde_json::to_string(&pass.actor).map_err(Fault::unexpected)?;
    // A customer may come through several keys, and a key lets in those who registered and are nobody yet.
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
    let network = ctx.config().proxies.network_of(&call.head).map(|it| it.to_string());
    let digest = Sha256::digest(network.unwrap_or_default());
    format!("{who} {}", digest[0] % IDEMPOTENCY_SHOPPER_BUDGETS)
}

/// Calls the handler, or answers as it answered the same request before. Two requests with one key take
/// turns. Errors: 422 where the key was used for another request; 409 where the request was done, and cannot
/// be answered again.
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
    let mut request = KeyedRequest { who, client, key, hash, at: ctx.now(), place: 0 };
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
        // An earlier version noted only that it was done.
        earlier = if notes.is_empty() { vec![Note::Done(None)] } else { notes };
    }
    let once = Arc::new(Once {
        request,
        earlier: Mutex::new(earlier),
        next: AtomicUsize::new(0),
        has_written: AtomicBool::new(false),
        is_told: AtomicBool::new(false),
    });
    call.app = ctx.noting(once.clone());
    // The request with the same key that had its turn before may have written.
    call.view = call.app.view();
    let answer = (route.handler)(call).await;
    once.settle(&ctx, answer).await
}

impl Ctx {
    /// As [`Ctx::local`], for a write of a request that may come again with its `Idempotency-Key`: `note`
    /// takes from what it came to what the answer is made from (ids, best), and for a repeat `again` makes
    /// that from the note, in the state of then. Without a note, as after [`Ctx::local`] and [`Ctx::write`],
    /// a repeat whose answer was not kept gets 409, which says that it was done.
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

    /// What the next commit of this request noted when it was made before, if it was.
    fn noted<N: DeserializeOwned>(&self) -> Result<Option<N>, Fault> {
        let Some(once) = &self.once else { return Ok(None) };
        match once.next() {
            Ok(Note::Done(Some(json))) => serde_json::from_str(&json).map(Some).map_err(Fault::unexpected),
            Ok(_) => Err(once.lost("what it came to was not noted")),
            Err(_) => Ok(None),
        }
    }

    /// Is this a request that was done before? What it answers then must not show what is made anew by each
    /// call.
    pub fn is_repeat(&self) -> bool {
        self.once.as_ref().is_some_and(|it| it.is_repeat())
    }

    /// 409 for a repeat: it was done, and this is why its answer cannot be given again.
    pub fn cannot_repeat(&self, why: &str) -> Fault {
        match &self.once {
            Some(once) => once.lost(why),
            None => Fault::new(FaultKind::Conflict, why),
        }
    }

    /// A text that is this request's: the same one when it comes again with its key, and to others a secret.
    /// Nothing for requests without a key.
    pub fn request_digest(&self) -> Option<String> {
        let KeyedRequest { who, key, hash, at, .. } = &self.once.as_ref()?.request;
        let mut digest = Sha256::new();
        for part in [who.as_bytes(), key.as_bytes(), hash, &at.millis().to_be_bytes()] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Some(digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }

    /// Forgets requests with keys that are older than a day; at most so many. Says how many.
    pub async fn forget_answers(&self, n_max: usize) -> Result<usize, Fault> {
        let forget = move |tx: &mut dyn Write, at: &Moment| Ok(remove_old(tx, at.now(), n_max)?);
        Ok(self.write(Actor::System, forget).await?.0)
    }
}
