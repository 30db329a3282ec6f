//! What handlers, flows and jobs are handed: the store, the registry, the clock.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Semaphore, watch};

use serde_json::Value;

use crate::{
    Actor, App, Auth, Clock, Context, Disconnect, Fault, FeatureFlag, Flags, Flow, Graph, Head,
    IdempotentRequest, Local, Meter, Method, Moment, Origins, Point, Probe, Proxies, ReadLimits, Registry,
    Reply, Store, Timestamp, View, Write,
    once::{Note, Once, once},
    reading::{Pool, read},
    saga::RunLocks,
};

/// A route of Atoll.
pub type Route = atoll_http::Route<Ctx>;

/// A request to a route of Atoll.
pub type Call = atoll_http::Call<Ctx>;

/// Lets requests in. The core's API provides it: it knows users and keys, which the kernel does not.
pub type Gate = fn(&Ctx, &View, Auth, &Head) -> Result<Pass, Fault>;

/// Who asks, and what they may see.
#[derive(Clone)]
pub struct Pass {
    /// Who asks.
    pub actor: Actor,
    /// How they proved it, where they logged in or registered.
    pub login: Option<Login>,
    /// The publishable key that it came with, by its id.
    pub through: Option<String>,
    /// What its answer depends on: its time and, for store routes, the scope of their key, which is their
    /// wall.
    pub context: Context,
}

impl Pass {
    /// The customer who asks, by id, if it is one.
    pub fn customer(&self) -> Option<&str> {
        match &self.actor {
            Actor::Customer(id) => Some(id),
            _ => None,
        }
    }
}

/// Somebody who proved who they are.
#[derive(Clone, Debug)]
pub struct Login {
    /// The identity, by its id.
    pub identity: String,
    /// As what they came: `user`, `customer`.
    pub actor_type: String,
    /// Who they are, by id; empty for those who registered and are nobody yet.
    pub actor_id: String,
    /// Of the password by which they proved it.
    pub seal: String,
}

/// What the host decides.
pub struct Config {
    /// Signs the tokens of users. Never printed.
    pub jwt_secret: Vec<u8>,
    /// Goes into what is stored of sessions, so that the data alone opens none. Never printed.
    pub cookie_secret: Vec<u8>,
    /// The features that were switched on or off.
    pub flags: Flags,
    /// Which pages may call.
    pub origins: Origins,
    /// Who is believed to say whom a request comes from.
    pub proxies: Proxies,
    /// Requests that are answered at the same time.
    pub requests_max: usize,
    /// How much one request may read, and how much is read at the same time.
    pub reads: ReadLimits,
}

/// A handle on the running application; clones are the same one.
#[derive(Clone)]
pub struct Ctx {
    shared: Arc<Shared>,
    /// The request with an `Idempotency-Key` that it serves.
    pub(crate) once: Option<Arc<Once>>,
    /// Counts what this request reads.
    meter: Option<Arc<Meter>>,
    /// What the request that it serves says to those who joined the flows.
    additional_data: Option<Arc<Value>>,
    /// Has the client of this request gone?
    is_client_gone: Option<watch::Receiver<bool>>,
}

struct Shared {
    parts: Parts,
    run_locks: RunLocks,
    permits: Arc<Semaphore>,
    is_stopping: watch::Sender<bool>,
    pool: Pool,
    memory: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

/// What an application is made of.
pub struct Parts {
    /// Where its data is.
    pub store: Store,
    /// Everything that is linked in.
    pub registry: &'static Registry,
    /// Where the time comes from.
    pub clock: Clock,
    /// What the host decides.
    pub config: Config,
    /// Lets requests in.
    pub gate: Gate,
    /// Is shown every point that a flow passes. For tests.
    pub probe: Option<Arc<dyn Probe>>,
}

impl Ctx {
    /// An application of these parts.
    pub fn new(parts: Parts) -> Self {
        let permits = Arc::new(Semaphore::new(parts.config.requests_max));
        let pool = Pool::new(&parts.config.reads);
        let shared = Shared {
            parts,
            run_locks: RunLocks::default(),
            permits,
            is_stopping: watch::Sender::new(false),
            pool,
            memory: Mutex::default(),
        };
        Ctx { shared: Arc::new(shared), once: None, meter: None, additional_data: None, is_client_gone: None }
    }

    /// The same application, for what goes on beside the request: its commits are none of the request's, and
    /// what it reads is not counted.
    pub fn beside(&self) -> Ctx {
        Ctx { once: None, meter: None, ..self.clone() }
    }

    /// The same application, whose commits note that they are this request's.
    pub(crate) fn noting(&self, once: Arc<Once>) -> Ctx {
        Ctx { once: Some(once), ..self.clone() }
    }

    /// The same application, whose views this meter counts.
    pub(crate) fn metered(&self, meter: &Arc<Meter>) -> Ctx {
        Ctx { meter: Some(meter.clone()), ..self.clone() }
    }

    /// The same application, for what goes on whatever becomes of the request.
    pub(crate) fn unmetered(&self) -> Ctx {
        Ctx { meter: None, ..self.clone() }
    }

    /// Where requests read that read much.
    pub(crate) fn pool(&self) -> &Pool {
        &self.shared.pool
    }

    /// The same application, whose flows hand this to those who joined them.
    fn handing(&self, additional_data: Value) -> Ctx {
        Ctx { additional_data: Some(Arc::new(additional_data)), ..self.clone() }
    }

    /// What the request says to those who joined the flows: its `additional_data`, an object of anything.
    pub fn additional_data(&self) -> Option<&Value> {
        self.additional_data.as_deref()
    }

    /// What somebody keeps in memory for as long as this application runs, found by its type.
    pub fn memory<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut memory = self.shared.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = memory.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default())).clone();
        kept.downcast().expect("it is kept by its type")
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.shared.parts.store
    }

    /// The state after the last commit.
    pub fn view(&self) -> View {
        self.counted(self.shared.parts.store.view())
    }

    fn counted(&self, view: View) -> View {
        match &self.meter {
            Some(meter) => view.metered(meter),
            None => view,
        }
    }

    /// Everything that is linked in.
    pub fn registry(&self) -> &'static Registry {
        self.shared.parts.registry
    }

    /// The graph.
    pub fn graph(&self) -> &'static Graph {
        &self.shared.parts.registry.graph
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.shared.parts.clock.now()
    }

    /// Sleeps from `since`, a time that was read of this clock, until `until`. A clock that was set back
    /// behind `since` wakes, too: who sleeps looks at it again. What runs in the background sleeps by this,
    /// so that the clock of a test drives it.
    pub async fn sleep_until(&self, since: Timestamp, until: Timestamp) {
        self.shared.parts.clock.sleep_until(since, until).await;
    }

    /// What the host decided.
    pub fn config(&self) -> &Config {
        &self.shared.parts.config
    }

    /// Is this feature switched on?
    pub fn is_on(&self, flag: &FeatureFlag) -> bool {
        self.config().flags.is_on(flag)
    }

    /// Calls off what only reads and takes long: the process is told to stop.
    pub fn stop(&self) {
        self.shared.is_stopping.send_replace(true);
    }

    /// Waits until nobody needs the answer to this request any more: its client has gone, or the process
    /// stops. For what may be called off; writes go on.
    pub(crate) async fn is_called_off(&self) {
        let mut is_stopping = self.shared.is_stopping.subscribe();
        let client = self.is_client_gone.clone();
        let gone = async {
            match client {
                // Without a sender the request has been answered.
                Some(mut client) => drop(client.wait_for(|it| *it).await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = gone => {}
            _ = is_stopping.wait_for(|it| *it) => {}
        }
    }

    /// Waits until no request is being answered; those that come meanwhile find no place.
    pub async fn until_answered(&self) {
        let all = u32::try_from(self.config().requests_max).unwrap_or(u32::MAX);
        // The places are never closed.
        if let Ok(all) = self.shared.permits.acquire_many(all).await {
            all.forget();
        }
    }

    /// The routes of the features that are switched on; the others are unknown.
    pub fn routes(&self) -> Vec<&'static Route> {
        let is_off = |name: &str| {
            let flag = self.registry().flags.iter().find(|it| it.name == name);
            flag.is_some_and(|it| !self.is_on(it))
        };
        self.registry().routes.iter().copied().filter(|it| !it.flag.is_some_and(is_off)).collect()
    }

    /// A query context at this moment, without a wall: for guards, who may build one, and for what the shop
    /// reads itself. Requests have a context of their own: [`Call::context`](atoll_http::Call::context).
    pub fn unconfined(&self, at: Timestamp) -> Context {
        Context::unconfined(at).limited(self.config().reads.answer)
    }

    /// Who runs which saga.
    pub(crate) fn run_locks(&self) -> &RunLocks {
        &self.shared.run_locks
    }

    /// Shows a point that a flow passes to whoever looks.
    pub(crate) fn probe(&self, point: &Point<'_>) -> Result<(), Fault> {
        self.shared.parts.probe.as_ref().map_or(Ok(()), |probe| probe.probe(point))
    }

    /// Does the probe of a test ask for flows to be run twice?
    pub(crate) fn rehearses(&self) -> bool {
        self.shared.parts.probe.as_ref().is_some_and(|probe| probe.rehearses())
    }

    /// Runs a flow as one transaction on behalf of `actor`, and answers with what it came to and a view of
    /// the commit that holds it.
    pub async fn run<I, O>(
        &self,
        flow: &'static Flow<I, O>,
        actor: Actor,
        input: I,
    ) -> Result<(O, View), Fault>
    where
        I: Clone + Send + 'static,
        O: Send + 'static,
    {
        self.local(actor, move |local| local.run(flow, input)).await
    }

    /// Runs several flows, or a flow and more, as one transaction.
    pub async fn local<T, F>(&self, actor: Actor, body: F) -> Result<(T, View), Fault>
    where
        F: FnOnce(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let ctx = self.clone();
        self.write(actor, move |tx, at| body(&mut Local { tx, at, ctx: &ctx, flow: "" })).await
    }

    /// Runs `body` as one transaction on behalf of `actor`, and answers with what it returned and a view of
    /// the commit that holds it. A request that may be repeated uses [`Ctx::local_once`].
    pub async fn write<T, F>(&self, actor: Actor, body: F) -> Result<(T, View), Fault>
    where
        F: FnOnce(&mut dyn Write, &Moment) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.commit(actor, body, |_| Note::Done(None)).await
    }

    /// As `write`; in a request with a key the commit says `note`, and is not made a second time.
    /// Errors: 401 for [`Actor::Nobody`], who may do nothing.
    pub(crate) async fn commit<T, F>(
        &self,
        actor: Actor,
        body: F,
        note: impl FnOnce(&T) -> Note + Send + 'static,
    ) -> Result<(T, View), Fault>
    where
        F: FnOnce(&mut dyn Write, &Moment) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        refuse_nobody(&actor)?;
        let request = match &self.once {
            None => None,
            Some(once) => match once.next() {
                Ok(_) => return Err(once.lost("what it came to was not noted")),
                Err(request) => Some(request),
            },
        };
        let at = Moment::new(self.now(), actor);
        let run = move |tx: &mut dyn Write| -> Result<T, Fault> {
            let output = body(tx, &at)?;
            if let Some(request) = request {
                request.note(tx, note(&output))?;
            }
            Ok(output)
        };
        let (output, view) = self.shared.parts.store.commit(run).await?;
        if let Some(once) = &self.once {
            once.wrote();
        }
        Ok((output, self.counted(view)))
    }
}

/// Nobody may do nothing. What the shop does for those who are nobody yet, it does as [`Actor::System`].
pub(crate) fn refuse_nobody(actor: &Actor) -> Result<(), Fault> {
    if *actor == Actor::Nobody { Err(Fault::unauthorized()) } else { Ok(()) }
}

impl App for Ctx {
    type Pass = Pass;

    fn origins(&self) -> &Origins {
        &self.config().origins
    }

    fn permits(&self) -> &Arc<Semaphore> {
        &self.shared.permits
    }

    fn view(&self) -> View {
        Ctx::view(self)
    }

    fn admit(&self, auth: Auth, head: &Head) -> Result<(Pass, View), Fault> {
        let view = Ctx::view(self);
        Ok(((self.shared.parts.gate)(self, &view, auth, head)?, view))
    }

    fn context(pass: &Pass) -> &Context {
        &pass.context
    }

    async fn handle(
        route: &'static Route,
        mut call: Call,
        repeat: Option<IdempotentRequest>,
        disconnect: Disconnect,
    ) -> Result<Reply, Fault> {
        if route.method == Method::Get {
            return read(route, call, disconnect).await;
        }
        // What writes is not cut when its client goes away; it is told.
        let (client, is_client_gone) = watch::channel(false);
        call.app.is_client_gone = Some(is_client_gone);
        let meter = Arc::new(Meter::new(call.app.config().reads.keys_max));
        call.app = call.app.metered(&meter);
        call.view = call.view.metered(&meter);
        if let Some(data) = call.body().get("additional_data").filter(|it| it.is_object()) {
            call.app = call.app.handing(data.clone());
        }
        let answer = async {
            match repeat {
                Some(IdempotentRequest { key, fingerprint }) => once(route, call, key, fingerprint).await,
                None => (route.handler)(call).await,
            }
        };
        let mut answer = pin!(answer);
        tokio::select! {
            answer = &mut answer => return answer,
            () = disconnect => drop(client.send(true)),
        }
        answer.await
    }
}
