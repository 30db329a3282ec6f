//! What handlers, flows and jobs are handed: the store, the registry, the clock.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use crate::{
    Actor, App, Auth, Context, Fault, Graph, HeaderMap, Moment, Registry, Store, Timestamp, View, Write,
};

/// A route of Atoll.
pub type Route = atoll_http::Route<Ctx>;

/// A request to a route of Atoll.
pub type Call = atoll_http::Call<Ctx>;

/// Lets requests in. The core's API provides it: it knows users and keys, which the kernel does not.
pub type Gate = fn(&Ctx, Auth, &HeaderMap) -> Result<Pass, Fault>;

/// Who asks, and what they may see.
pub struct Pass {
    /// Who asks.
    pub actor: Actor,
    /// What the guard adds for routes of its kind: for store routes, the scope of their key.
    pub extra: Option<Arc<dyn Any + Send + Sync>>,
}

/// Where the time comes from.
#[derive(Clone)]
pub enum Clock {
    /// The machine.
    System,
    /// A test, in milliseconds.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The time.
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::System => Timestamp::now(),
            Clock::Manual(millis) => Timestamp::from_millis(millis.load(Ordering::Relaxed)),
        }
    }
}

/// What the host decides.
pub struct Config {
    /// Signs the tokens of users. Never printed.
    pub jwt_secret: Vec<u8>,
    /// Signs session cookies. Never printed.
    pub cookie_secret: Vec<u8>,
}

/// A handle on the running application; clones are the same one.
#[derive(Clone)]
pub struct Ctx {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    registry: &'static Registry,
    clock: Clock,
    config: Config,
    gate: Gate,
}

impl Ctx {
    /// An application over `store`.
    pub fn new(store: Store, registry: &'static Registry, clock: Clock, config: Config, gate: Gate) -> Self {
        Ctx { shared: Arc::new(Shared { store, registry, clock, config, gate }) }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// The state after the last commit.
    pub fn view(&self) -> View {
        self.shared.store.view()
    }

    /// Everything that is linked in.
    pub fn registry(&self) -> &'static Registry {
        self.shared.registry
    }

    /// The graph.
    pub fn graph(&self) -> &'static Graph {
        &self.shared.registry.graph
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// What the host decided.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// A query context at this time.
    pub fn context(&self) -> Context {
        Context::at(self.now())
    }

    /// Runs `body` as one transaction on behalf of `actor`, and answers with what it returned and a view of
    /// the commit that holds it.
    pub async fn write<T, F>(&self, actor: Actor, mut body: F) -> Result<(T, View), Fault>
    where
        F: FnMut(&mut dyn Write, &Moment) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let at = Moment::new(self.now(), actor);
        let run = move |tx: &mut dyn Write| {
            at.rewind();
            body(tx, &at)
        };
        self.shared.store.commit(run).await
    }
}

impl App for Ctx {
    type Pass = Pass;

    fn admit(&self, auth: Auth, headers: &HeaderMap) -> Result<Pass, Fault> {
        (self.shared.gate)(self, auth, headers)
    }
}
