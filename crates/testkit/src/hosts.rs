//! Several hosts of one shop in one process: a commit log in memory, a replica for each host, and requests
//! from host to host.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use atoll_host::registry;
use atoll_kernel::{
    data::Store,
    http::{Hosts, PeerError, Peers, Working},
};
use atoll_storage::{Leader, MemoryLog, Position, Seen, Standing, StoreOptions, engines::Memory};
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use tokio::{sync::watch, task::JoinHandle};
use tower::ServiceExt as _;

use crate::{Setup, TestApp};

/// The ways between the hosts: as by a network, only the head and the body of a request arrive.
#[derive(Clone)]
struct Network {
    log: MemoryLog,
    routers: Arc<Mutex<BTreeMap<String, Router>>>,
    /// Is the answer to the next request lost?
    loses: Arc<AtomicBool>,
}

impl Network {
    fn routers(&self) -> MutexGuard<'_, BTreeMap<String, Router>> {
        self.routers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From where a host that forwards connects.
const HOST: ([u8; 4], u16) = ([10, 0, 0, 9], 50_000);

impl Peers for Network {
    fn send(&self, url: &str, request: Request) -> Working<Result<Response, PeerError>> {
        let router = self.routers().get(url).cloned();
        let is_lost = self.loses.swap(false, Ordering::Relaxed);
        Box::pin(async move {
            let router = router.ok_or_else(|| PeerError::NotSent("connection refused".into()))?;
            let mut arrived = Request::new(Body::empty());
            let (head, body) = request.into_parts();
            (*arrived.method_mut(), *arrived.uri_mut()) = (head.method, head.uri);
            (*arrived.headers_mut(), *arrived.body_mut()) = (head.headers, body);
            arrived.extensions_mut().insert(ConnectInfo(SocketAddr::from(HOST)));
            let answer = match router.oneshot(arrived).await {
                Ok(answer) => answer,
                Err(never) => match never {},
            };
            if is_lost { Err(PeerError::NoAnswer("connection reset".into())) } else { Ok(answer) }
        })
    }

    fn head(&self) -> Working<Result<Position, String>> {
        let head = self.log.head();
        Box::pin(async move { Ok(head) })
    }
}

/// The hosts of a shop. The first one leads at the beginning, and the others follow at once.
pub struct TestHosts {
    /// The log that they share.
    pub log: MemoryLog,
    network: Network,
    hosts: Vec<TestHost>,
}

struct TestHost {
    url: String,
    store: Store,
    seen: watch::Sender<Seen>,
    is_behind: watch::Sender<bool>,
    tail: JoinHandle<()>,
}

impl Drop for TestHost {
    fn drop(&mut self) {
        self.tail.abort();
    }
}

impl TestHosts {
    /// So many hosts, and their applications.
    pub async fn start<const N: usize>() -> (TestHosts, [TestApp; N]) {
        let log = MemoryLog::default();
        let network = Network { log: log.clone(), routers: Arc::default(), loses: Arc::default() };
        let mut hosts = TestHosts { log, network, hosts: Vec::new() };
        let mut apps = Vec::new();
        for _ in 0..N {
            apps.push(hosts.join().await);
        }
        (hosts, apps.try_into().unwrap_or_else(|_| panic!("as many as were started")))
    }

    async fn join(&mut self) -> TestApp {
        let n = self.hosts.len();
        let registry = registry().expect("a registry");
        let options = StoreOptions::default();
        let store = Store::open_replica(Memory::default(), &registry.spaces(), options).expect("a store");
        let (seen, is_behind) = (watch::Sender::default(), watch::Sender::new(false));
        let tail = tokio::spawn(follow(store.clone(), self.log.clone(), is_behind.subscribe()));
        let url = format!("http://host-{n}");
        self.hosts.push(TestHost { url: url.clone(), store: store.clone(), seen, is_behind, tail });
        if n == 0 {
            self.lead(0).await;
        } else {
            self.tell(0, &self.hosts[n]);
        }
        store.reached(self.log.head()).await.expect("it follows");
        let seen = self.hosts[n].seen.subscribe();
        let (network, key) = (Box::new(self.network.clone()), b"for tests".to_vec());
        let hosts = Hosts::new(store.clone(), seen, network, key, registry.led());
        let app = Setup::default().hosts(hosts).over(store).await;
        self.network.routers().insert(url, app.router());
        app
    }

    /// This host leads from now on, and all know it.
    pub async fn lead(&self, n: usize) {
        self.take_over(n).await;
        for host in &self.hosts {
            if host.url != self.hosts[n].url && *host.store.standing().borrow() == Standing::Leads {
                host.store.follow().await.expect("it follows");
            }
            self.tell(n, host);
        }
    }

    /// This host leads from now on, and no other one knows it yet.
    pub async fn take_over(&self, n: usize) {
        let host = &self.hosts[n];
        let term = self.log.begin_term();
        host.store.follow().await.expect("it follows");
        host.store.reached(self.log.head()).await.expect("it catches up");
        host.store.lead(term).await.expect("it leads");
        host.store.to_prepare().open_term().await.expect("it leads");
        self.tell(n, host);
    }

    /// The lease of this host is over: another one may lead by now, of which it has not heard.
    pub fn end_lease(&self, n: usize) {
        self.hosts[n].seen.send_modify(|it| it.until = Some(Instant::now()));
    }

    /// A host takes another one for the one that leads.
    pub fn believe(&self, n: usize, leader: usize) {
        self.tell(leader, &self.hosts[n]);
    }

    fn tell(&self, leader: usize, host: &TestHost) {
        let url = &self.hosts[leader].url;
        let leader = if *url == host.url { Leader::Here } else { Leader::At(url.clone()) };
        host.seen.send_modify(|it| (it.leader, it.until) = (leader, None));
    }

    /// Nobody leads, and all know it.
    pub async fn nobody_leads(&self) {
        drop(self.log.begin_term());
        for host in &self.hosts {
            host.store.follow().await.expect("it follows");
            host.seen.send_modify(|it| it.leader = Leader::Nobody);
        }
    }

    /// This host applies nothing of the log any more, or goes on.
    pub fn hold(&self, n: usize, is_behind: bool) {
        self.hosts[n].is_behind.send_replace(is_behind);
    }

    /// The next request from host to host arrives, and its answer does not.
    pub fn lose_answer(&self) {
        self.network.loses.store(true, Ordering::Relaxed);
    }

    /// No request reaches this host any more.
    pub fn unplug(&self, n: usize) {
        self.network.routers().remove(&self.hosts[n].url);
    }
}

/// Applies what is in the log, while this host follows.
async fn follow(store: Store, log: MemoryLog, mut is_behind: watch::Receiver<bool>) {
    let (mut news, mut standing) = (log.commits(), store.standing());
    loop {
        if is_behind.wait_for(|it| !it).await.is_err() {
            return;
        }
        let follows = *standing.borrow_and_update() == Standing::Follows;
        let position = store.view().position();
        news.mark_unchanged();
        if follows && position < log.head() {
            // It may lead meanwhile.
            drop(store.apply(log.after(position)).await);
            continue;
        }
        tokio::select! {
            changed = news.changed() => if changed.is_err() { return },
            changed = standing.changed() => if changed.is_err() { return },
            changed = is_behind.changed() => if changed.is_err() { return },
        }
    }
}
