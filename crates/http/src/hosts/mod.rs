//! Several hosts of one shop: what writes is forwarded to the host that leads, and all that is answered here
//! waits until this host has seen what its client has (read your writes).

mod forward;
mod mark;
mod seen;
mod under_way;

use std::{
    future::{Future, pending},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use atoll_storage::{Leader, Position, Seen, Store};
use atoll_values::{
    Timestamp,
    limits::{
        FORWARDED_ANSWER_TIMEOUT, FORWARDED_MAX, LEADER_CHANGE_GRACE, READ_AFTER_TIMEOUT, READS_AFTER_MAX,
        WRITTEN_HERE_TIMEOUT,
    },
};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderName, Method, StatusCode},
    middleware::Next,
    response::Response,
};
use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, sleep, timeout, timeout_at},
};

use crate::{App, Fault, Proxies, observed::Observed};
use seen::{Wanted, behind};
use under_way::UnderWay;

/// The header by which answers and requests say what their client has seen.
pub(crate) const AFTER: HeaderName = seen::AFTER;

/// Work that somebody waits for.
pub type Working<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The way to the other hosts, and to the log that they share.
pub trait Peers: Send + Sync + 'static {
    /// Sends a request to the host that is reached at this URL, of which the request has the path.
    fn send(&self, url: &str, request: Request) -> Working<Result<Response, PeerError>>;

    /// The last commit of the log, as of a moment after this was called. It may be asked by many at a time.
    /// Errors: the log does not answer.
    fn head(&self) -> Working<Result<Position, String>>;
}

/// Why a host has not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// There is no connection to it: the request was not sent.
    #[error("it is not to be reached: {0}")]
    NotSent(String),
    /// The request was sent, at least in part.
    #[error("it has not answered: {0}")]
    NoAnswer(String),
}

/// The hosts of a shop, as one of them sees them.
pub struct Hosts {
    store: Store,
    seen: watch::Receiver<Seen>,
    peers: Box<dyn Peers>,
    key: Vec<u8>,
    led: Vec<LedPath>,
    /// Requests that may wait for commits.
    waiting: Semaphore,
    /// Requests that may be at the host that leads.
    forwarding: Arc<Semaphore>,
    /// Requests that this host answers because it leads.
    under_way: UnderWay,
    answered: AtomicU64,
    not_answered: AtomicU64,
}

/// A path about what the host that leads has in memory or in a folder: it answers what is read there, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedPath {
    /// The path: `/admin/backups` is it and all below it.
    pub prefix: &'static str,
    /// Does another host answer what it has itself? It may have the same files, by a folder that all share,
    /// or from when it led; they never change, and are deleted where they were stored.
    pub if_missing: bool,
}

/// How many requests a host has forwarded to the one that leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// Those that it has answered.
    pub answered: u64,
    /// Those that it has not. What a client has broken off is neither.
    pub not_answered: u64,
}

impl Hosts {
    /// The hosts that share the log of this store. `key` is one of the shop.
    pub fn new(
        store: Store,
        seen: watch::Receiver<Seen>,
        peers: Box<dyn Peers>,
        key: Vec<u8>,
        led: Vec<LedPath>,
    ) -> Hosts {
        Hosts {
            store,
            seen,
            peers,
            key,
            led,
            waiting: Semaphore::new(READS_AFTER_MAX),
            forwarding: Arc::new(Semaphore::new(FORWARDED_MAX)),
            under_way: UnderWay::default(),
            answered: AtomicU64::new(0),
            not_answered: AtomicU64::new(0),
        }
    }

    /// What this host knows of the others.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// How many requests the host that leads was to answer for this one.
    pub fn n_forwarded(&self) -> Forwarded {
        let n = |it: &AtomicU64| it.load(Ordering::Relaxed);
        Forwarded { answered: n(&self.answered), not_answered: n(&self.not_answered) }
    }

    /// Begins no more of what only the host that leads does, and waits for what it has begun: then it can
    /// give the leadership back, and nobody is left without an answer.
    pub async fn hand_over(&self) {
        self.under_way.end().await;
    }

    /// Answers a request of a client, or a part of it that a page asks for in the same process: here, or by
    /// the host that leads.
    async fn answer(
        &self,
        observed: &Observed,
        proxies: &Proxies,
        request: Request,
        next: Next,
    ) -> Result<Response, Fault> {
        if observed.comes_in() {
            self.answer_whole(observed, proxies, request, next).await
        } else {
            self.answer_part(observed, request, next).await
        }
    }

    async fn answer_whole(
        &self,
        observed: &Observed,
        proxies: &Proxies,
        mut request: Request,
        next: Next,
    ) -> Result<Response, Fault> {
        if mark::unmark(&self.key, Timestamp::now(), &mut request)? {
            observed.forwarded();
        }
        let (head, body) = request.into_parts();
        let (wanted, is_secure) = (Wanted::by(&head)?, proxies.is_secure(&head));
        let request = match self.found_here(Request::from_parts(head, body), &next).await {
            Ok(found) => return Ok(found),
            Err(request) => request,
        };
        let (request, is_for_leader) = match self.leader_for(observed, request).await? {
            Answering::Here { request, is_for_leader } => (request, is_for_leader),
            Answering::Elsewhere(response) => return Ok(response),
        };
        let _under_way = if is_for_leader { Some(self.under_way.begin()?) } else { None };
        let is_wrong = self.reach(wanted).await?;
        // What is read of no view is not from before this one.
        observed.reads(self.store.view().position());
        let mut response = self.answer_here(observed, is_for_leader, request, next).await?;
        let cookie = (is_wrong || observed.has_committed()).then_some(is_secure);
        seen::say(response.headers_mut(), observed.position(), cookie);
        Ok(response)
    }

    /// Answers a request for what another host than the one that leads may have, too, if this one has it.
    async fn found_here(&self, request: Request, next: &Next) -> Result<Response, Request> {
        let may_be_here = reads(request.method()) && self.led(&request).is_some_and(|it| it.if_missing);
        if !may_be_here || self.seen.borrow().leads() {
            return Err(request);
        }
        let (head, body) = request.into_parts();
        let here = next.clone().run(Request::from_parts(head.clone(), Body::empty())).await;
        // Another one may also be ready where this one is not.
        let is_here = here.status().is_success() || here.status() == StatusCode::NOT_MODIFIED;
        if is_here { Ok(here) } else { Err(Request::from_parts(head, body)) }
    }

    async fn answer_part(
        &self,
        observed: &Observed,
        request: Request,
        next: Next,
    ) -> Result<Response, Fault> {
        let answered = match self.leader_for(observed, request).await {
            Ok(Answering::Here { request, is_for_leader }) => {
                self.answer_here(observed, is_for_leader, request, next).await
            }
            Ok(Answering::Elsewhere(response)) => Ok(response),
            Err(fault) => Err(fault),
        };
        // An earlier part may have been done.
        answered.map_err(|it| if observed.has_committed() { it.after_a_commit() } else { it })
    }

    /// Has a request answered by the host that leads, if it is for that and that is another one. Errors: 503,
    /// nobody leads.
    async fn leader_for(&self, observed: &Observed, request: Request) -> Result<Answering, Fault> {
        let is_for_leader = self.is_for_leader(&request);
        if !is_for_leader {
            return Ok(Answering::Here { request, is_for_leader });
        }
        let leader = self.seen.borrow().led_by();
        match leader {
            Leader::Here => Ok(Answering::Here { request, is_for_leader }),
            Leader::At(url) if !observed.is_forwarded() => {
                self.forward(&url, observed, request).await.map(Answering::Elsewhere)
            }
            Leader::At(_) => Err(Fault::not_written(DEPOSED)),
            Leader::Nobody => Err(Fault::not_written("no host leads at the moment")),
        }
    }

    /// Answers a request at this host. A commit is refused by the log if another host leads; a login, and all
    /// else that is answered without one, by the lease. Errors: 503, it has ended meanwhile; what is only the
    /// leader's may have been done all the same: it stores files, or begins work, and commits nothing.
    async fn answer_here(
        &self,
        observed: &Observed,
        is_for_leader: bool,
        request: Request,
        next: Next,
    ) -> Result<Response, Fault> {
        let does_more = writes(request.method()) && self.led(&request).is_some();
        let response = next.run(request).await;
        if !is_for_leader || observed.has_committed() || self.seen.borrow().leads() {
            return Ok(response);
        }
        Err(if does_more { Fault::outcome_unknown(DEPOSED) } else { Fault::not_written(DEPOSED) })
    }

    fn is_for_leader(&self, request: &Request) -> bool {
        writes(request.method()) || reads(request.method()) && self.led(request).is_some()
    }

    fn led(&self, request: &Request) -> Option<&LedPath> {
        self.led.iter().find(|it| is_below(request.uri().path(), it.prefix))
    }

    /// Waits until this host has what a request is to be answered from. Returns whether a cookie said more
    /// than there is. Errors: 503, it is behind, or cannot know whether it is.
    async fn reach(&self, wanted: Wanted) -> Result<bool, Fault> {
        if !wanted.is_strict && wanted.after <= self.store.view().position() {
            return Ok(false);
        }
        let Ok(_waits) = self.waiting.try_acquire() else {
            return Err(behind("Too many requests wait for commits").at_limit("reads_after_max"));
        };
        let until = Instant::now() + READ_AFTER_TIMEOUT;
        let head = tokio::select! {
            biased;
            reached = self.store.reached(wanted.after), if !wanted.is_strict => {
                return Ok(reached.map(|_| false)?);
            }
            head = timeout_at(until, self.peers.head()) => head,
        };
        let after = wanted.of(head.unwrap_or_else(|_| Err("it has not answered in time".into())))?;
        match timeout_at(until, self.store.reached(after)).await {
            Ok(reached) => Ok(reached.map(|_| wanted.after > after)?),
            Err(_) => {
                Err(behind(&format!("This host has not seen the commit {after} yet; another one may have")))
            }
        }
    }

    /// Has a request answered by the host that leads, and hands its answer on when this one has what it
    /// wrote.
    async fn forward(&self, url: &str, observed: &Observed, request: Request) -> Result<Response, Fault> {
        let is_write = writes(request.method());
        let Ok(at_leader) = self.forwarding.clone().try_acquire_owned() else {
            let why = "too many requests wait for the host that leads";
            return Err(Fault::not_written(why).at_limit("forwarded_max"));
        };
        let (request, is_broken_off) = forward::forwarded(&self.key, Timestamp::now(), request);
        let answer = tokio::select! {
            answer = self.peers.send(url, request) => answer,
            () = answer_overdue(is_broken_off.clone()) => {
                Err(PeerError::NoAnswer(format!("{} s are over", FORWARDED_ANSWER_TIMEOUT.as_secs())))
            }
            () = self.deposed(url) => Err(PeerError::NoAnswer("it leads no more".into())),
        };
        let response = match answer {
            Ok(response) => response,
            Err(error) if *is_broken_off.borrow() => {
                tracing::debug!(leader = url, %error, "a client has broken off a request that was forwarded");
                return Err(Fault::invalid("the request body did not arrive"));
            }
            Err(error) => return Err(self.unanswered(url, error, observed, is_write)),
        };
        self.answered.fetch_add(1, Ordering::Relaxed);
        // Of a page it is a part: the answer to the whole is from this commit, too.
        let position = seen::position_of(response.headers()).inspect(|it| observed.reads(*it));
        if is_write {
            if !response.status().is_client_error() {
                observed.commits();
            }
            if let Some(position) = position {
                // Where this takes too long, the client has the position: its next request waits for it.
                drop(timeout(WRITTEN_HERE_TIMEOUT, self.store.reached(position)).await);
            }
        }
        Ok(forward::answered(response, at_leader))
    }

    /// What is said of a request of which there is no answer.
    fn unanswered(&self, url: &str, error: PeerError, observed: &Observed, is_write: bool) -> Fault {
        self.not_answered.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(leader = url, %error, "a request was not forwarded");
        match error {
            PeerError::NotSent(_) => Fault::not_written("the host that leads is not to be reached"),
            PeerError::NoAnswer(_) if !is_write => Fault::not_written("the host that leads has not answered"),
            PeerError::NoAnswer(_) => {
                observed.commits();
                Fault::outcome_unknown("the host that leads has not answered")
            }
        }
    }

    /// Waits until this host leads no more, and a moment longer for its last answers. One that leads again by
    /// then goes on.
    async fn deposed(&self, url: &str) {
        let is_other = |it: &Seen| !matches!(&it.leader, Leader::At(leader) if leader == url);
        let mut seen = self.seen.clone();
        loop {
            if seen.wait_for(is_other).await.is_err() {
                pending::<()>().await;
            }
            sleep(LEADER_CHANGE_GRACE).await;
            if is_other(&seen.borrow()) {
                return;
            }
        }
    }
}

/// Middleware: of several hosts, has the one that leads answer what is for it, and makes all else wait for
/// what its client has seen. `refused` is the answer to whom neither is done.
pub(crate) async fn by_hosts<A: App>(
    app: A,
    refused: impl Fn(&Fault) -> Response,
    request: Request,
    next: Next,
) -> Response {
    let Some(hosts) = app.hosts() else { return next.run(request).await };
    let observed = Observed::of(request.extensions());
    let answered = hosts.answer(&observed, app.proxies(), request, next).await;
    answered.unwrap_or_else(|fault| {
        observed.failed(&fault);
        refused(&fault)
    })
}

/// What is said of a host that has taken itself for the one that leads.
const DEPOSED: &str = "another host leads since a moment ago";

/// Where a request is answered.
enum Answering {
    /// At this host; `is_for_leader`: as the one that leads.
    Here { request: Request, is_for_leader: bool },
    /// By this answer of the host that leads.
    Elsewhere(Response),
}

/// Whether a request with this method may write. With any other one no route writes.
fn writes(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE)
}

fn reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Whether this path is `prefix`, or below it.
pub fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Waits until a request has been sent as a whole, and its answer is overdue.
async fn answer_overdue(mut sent: watch::Receiver<bool>) {
    // Its sender is dropped with the body.
    drop(sent.wait_for(|_| false).await);
    sleep(FORWARDED_ANSWER_TIMEOUT).await;
}

#[cfg(test)]
mod tests;
