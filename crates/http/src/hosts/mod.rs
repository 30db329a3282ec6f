//! Several hosts of one shop: what writes is forwarded to the host that leads, and what reads waits until
//! this one has seen what its client has (read your writes).

mod forward;
mod mark;
mod seen;

use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
};

use atoll_storage::{Leader, Position, Seen, Store};
use atoll_values::limits::{
    FORWARDED_ANSWER_TIMEOUT, LEADER_CHANGE_GRACE, READ_AFTER_TIMEOUT, WRITTEN_HERE_TIMEOUT,
};
use axum::{
    extract::Request,
    http::{HeaderName, Method},
    middleware::Next,
    response::Response,
};
use tokio::{
    sync::{oneshot, watch},
    time::{sleep, timeout},
};

use crate::Fault;
use seen::Wanted;

/// The header by which answers and requests say what their client has seen.
pub(crate) const AFTER: HeaderName = seen::AFTER;

/// Work that somebody waits for.
pub type Working<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The way to the other hosts, and to the log that they share.
pub trait Peers: Send + Sync + 'static {
    /// Sends a request to the host that is reached at this URL, of which the request has the path.
    fn send(&self, url: &str, request: Request) -> Working<Result<Response, PeerError>>;

    /// The last commit of the log, as of now. Errors: the log does not answer.
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
    /// `GET`s below these paths are about what the host that leads has in memory or in a folder.
    led: Vec<&'static str>,
    forwarded: AtomicU64,
    not_forwarded: AtomicU64,
}

impl Hosts {
    /// The hosts that share the log of this store. `key` is one of the shop; `GET`s below the paths `led` are
    /// answered by the host that leads.
    pub fn new(
        store: Store,
        seen: watch::Receiver<Seen>,
        peers: Box<dyn Peers>,
        key: Vec<u8>,
        led: Vec<&'static str>,
    ) -> Hosts {
        Hosts { store, seen, peers, key, led, forwarded: AtomicU64::new(0), not_forwarded: AtomicU64::new(0) }
    }

    /// What this host knows of the others.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Requests that the host that leads has answered for this one, and those that it has not answered.
    pub fn n_forwarded(&self) -> (u64, u64) {
        (self.forwarded.load(Ordering::Relaxed), self.not_forwarded.load(Ordering::Relaxed))
    }

    /// Answers a request: here, or by the host that leads.
    pub(crate) async fn answer(&self, mut request: Request, next: Next) -> Result<Response, Fault> {
        let is_forwarded = mark::unmark(&self.key, &mut request)?;
        let is_write = !request.method().is_safe();
        if is_write || self.is_led(request.method(), request.uri().path()) {
            let leader = self.seen.borrow().leader.clone();
            match leader {
                Leader::Here => {}
                Leader::At(url) if !is_forwarded => return self.forward(&url, request).await,
                Leader::At(_) => return Err(Fault::not_written("another host leads since a moment ago")),
                Leader::Nobody => return Err(Fault::not_written("no host leads at the moment")),
            }
        }
        let (head, body) = request.into_parts();
        if !is_write {
            self.reach(Wanted::by(&head)?).await?;
        }
        let mut response = next.run(Request::from_parts(head, body)).await;
        seen::say(response.headers_mut(), self.store.view().position(), is_write);
        Ok(response)
    }

    fn is_led(&self, method: &Method, path: &str) -> bool {
        let is_below =
            |it: &&str| path.strip_prefix(*it).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        method == Method::GET && self.led.iter().any(is_below)
    }

    /// Waits until this host has what a request is to be answered from. Errors: 503, it is behind, or cannot
    /// know whether it is.
    async fn reach(&self, wanted: Wanted) -> Result<(), Fault> {
        let behind = |why: &str| Fault::busy(why, 1).with_code("behind").at_limit("read_after_timeout");
        let mut after = wanted.after;
        if wanted.is_strict {
            let head = timeout(READ_AFTER_TIMEOUT, self.peers.head()).await;
            let head = head.unwrap_or_else(|_| Err("it has not answered in time".into()));
            after = after.max(head.map_err(|error| {
                behind(&format!("Whether this host has seen every commit is not known: {error}"))
            })?);
        }
        if self.store.view().position() >= after {
            return Ok(());
        }
        match timeout(READ_AFTER_TIMEOUT, self.store.reached(after)).await {
            Ok(reached) => Ok(reached.map(drop)?),
            Err(_) => {
                Err(behind(&format!("This host has not seen the commit {after} yet; another one may have")))
            }
        }
    }

    /// Has a request answered by the host that leads, and hands its answer on when this one has what it
    /// wrote.
    async fn forward(&self, url: &str, request: Request) -> Result<Response, Fault> {
        let (request, sent) = forward::forwarded(&self.key, request);
        let answer = tokio::select! {
            answer = self.peers.send(url, request) => answer,
            () = answer_overdue(sent) => {
                Err(PeerError::NoAnswer(format!("{} s are over", FORWARDED_ANSWER_TIMEOUT.as_secs())))
            }
            () = self.deposed(url) => Err(PeerError::NoAnswer("it leads no more".into())),
        };
        let response = match answer {
            Ok(response) => response,
            Err(error) => {
                self.not_forwarded.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(leader = url, %error, "a request was not forwarded");
                return Err(match error {
                    PeerError::NotSent(_) => Fault::not_written("the host that leads is not to be reached"),
                    PeerError::NoAnswer(_) => Fault::outcome_unknown("the host that leads has not answered"),
                });
            }
        };
        self.forwarded.fetch_add(1, Ordering::Relaxed);
        if let Some(position) = seen::position_of(response.headers()) {
            // Where this takes too long, the client has the position: its next request waits for it.
            drop(timeout(WRITTEN_HERE_TIMEOUT, self.store.reached(position)).await);
        }
        Ok(forward::answered(response))
    }

    /// Waits until another host leads than this one, and a moment longer for its last answers.
    async fn deposed(&self, url: &str) {
        let is_other = |it: &Seen| !matches!(&it.leader, Leader::At(leader) if leader == url);
        let mut seen = self.seen.clone();
        match seen.wait_for(is_other).await.map(drop) {
            Ok(()) => sleep(LEADER_CHANGE_GRACE).await,
            Err(_) => std::future::pending().await,
        }
    }
}

/// Waits until a request has been sent as a whole, and its answer is overdue.
async fn answer_overdue(sent: oneshot::Receiver<()>) {
    // Its sender is dropped with the body.
    let _ = sent.await;
    sleep(FORWARDED_ANSWER_TIMEOUT).await;
}
