//! The application context (`Ctx`) of handlers, flows and jobs: store, registry, clock, configuration.

mod app;
mod commit;

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use atoll_http::{AnswerCache, AnswerCacheCounts};
use atoll_storage::{Buckets, Meter, Recorder};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use crate::{
    Actor, Fault, Now, Registry, Timestamp,
    clock::Clock,
    config::Config,
    data::{Store, View},
    flow::{FlowTimes, Point, Probe},
    http::{App, Auth, Caller, Observed, OpenSpan, RequestCounters, SpanKind, Trace},
    migration::Compatibility,
    once::Once,
    provider::Providers,
    query::{Context, Graph},
    reading::Pool,
    registry::FeatureFlag,
    room::Room,
    saga::RunLocks,
    storefront::Scope,
};

pub(crate) use commit::refuse_nobody;

/// The name of the cookie of a session, on the wire.
pub const SESSION_COOKIE: &str = "connect.sid";

/// A route of Atoll.
pub type Route = atoll_http::Route<Ctx>;

/// A request to a route of Atoll.
pub type Call = atoll_http::Call<Ctx>;

/// Authenticates and authorises requests. Provided by the core's API, which knows users and keys; the kernel
/// does not.
pub type Gate = fn(&Ctx, &View, Auth, Caller<'_>) -> Result<Pass, Fault>;

/// The authenticated caller of a request, and what it may see.
#[derive(Clone)]
pub struct Pass {
    /// The actor on whose behalf the request runs.
    pub actor: Actor,
    /// The credentials, if the caller logged in or registered.
    pub login: Option<Login>,
    /// Id of the publishable key of the request.
    pub through: Option<String>,
    /// The scope of this key, which store routes have.
    pub scope: Option<Arc<dyn Scope>>,
    /// The query context of the request: its time and, on store routes, the scope of the key as wall.
    pub context: Context,
}

impl Pass {
    /// The scope of the publishable key: its channels, what they show and sell, and prices.
    ///
    /// Errors: 500 on a route that takes no publishable key.
    pub fn scope(&self) -> Result<&Arc<dyn Scope>, Fault> {
        self.scope.as_ref().ok_or_else(|| Fault::unexpected("only store routes have a scope"))
    }

    /// The id of the customer who makes the request; none for other actors.
    pub fn customer(&self) -> Option<&str> {
        match &self.actor {
            Actor::Customer(id) => Some(id),
            _ => None,
        }
    }
}

/// A caller with a valid session or token.
#[derive(Clone, Debug)]
pub struct Login {
    /// Id of the auth identity.
    pub identity: String,
    /// Actor type of the credentials: `user`, `customer`.
    pub actor_type: String,
    /// Id of the user or customer; empty if the identity has registered and has no account yet.
    pub actor_id: String,
    /// Seal of the password with which the caller logged in; a new password makes the session invalid.
    pub seal: String,
}

/// A handle on the running application. Clones share one state.
#[derive(Clone)]
pub struct Ctx {
    shared: Arc<Shared>,
    /// The store of `shared`, or a handle on it that writes in one term.
    store: Store,
    /// The keyed request (`Idempotency-Key`) that is served.
    pub(crate) once: Option<Arc<Once>>,
    /// Counts the keys that the request reads.
    pub(crate) meter: Option<Arc<Meter>>,
    /// Records what the answer of the request depends on, if it may be remembered.
    recorder: Option<Arc<Recorder>>,
    /// The `additional_data` of the request, for hooks.
    additional_data: Option<Arc<Value>>,
    /// Turns true when the client closes the connection.
    is_client_gone: Option<watch::Receiver<bool>>,
    /// The span that what it does belongs to, if it is recorded.
    trace: Option<Trace>,
    /// Are its commits made although the disk is nearly full?
    pub(crate) is_finishing: bool,
    /// Does it serve a request that reads, and so makes no commits?
    is_reading: bool,
    /// Is told what a request reads and commits, where there are several hosts.
    observed: Option<Observed>,
}

struct Shared {
    parts: Parts,
    compatibility: Compatibility,
    run_locks: RunLocks,
    permits: Arc<Semaphore>,
    is_stopping: watch::Sender<bool>,
    pool: Pool,
    answers: Option<AnswerCache>,
    providers: Providers,
    counters: RequestCounters,
    room: Room,
    flow_times: FlowTimes,
    memory: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

/// The parts of an application.
pub struct Parts {
    /// The store of its data.
    pub store: Store,
    /// The registry of everything that is linked in.
    pub registry: &'static Registry,
    /// The clock.
    pub clock: Clock,
    /// Configuration by the host.
    pub config: Config,
    /// Authenticates requests.
    pub gate: Gate,
    /// Called at every probe point of a flow. For tests.
    pub probe: Option<Arc<dyn Probe>>,
}

impl Ctx {
    /// Builds an application of these parts.
    pub fn new(parts: Parts) -> Self {
        let permits = Arc::new(Semaphore::new(parts.config.requests_max));
        let pool = Pool::new(&parts.config.reads);
        let providers = parts.registry.serving(&parts.config.providers);
        let answers_bytes_max = parts.config.answers_bytes_max;
        let store = parts.store.clone();
        let compatibility = Compatibility::new(store.clone(), parts.registry);
        let shared = Shared {
            parts,
            compatibility,
            run_locks: RunLocks::default(),
            permits,
            is_stopping: watch::Sender::new(false),
            pool,
            answers: (answers_bytes_max > 0).then(|| AnswerCache::new(answers_bytes_max)),
            providers,
            counters: RequestCounters::default(),
            room: Room::default(),
            flow_times: FlowTimes::default(),
            memory: Mutex::default(),
        };
        Ctx {
            shared: Arc::new(shared),
            store,
            once: None,
            meter: None,
            recorder: None,
            additional_data: None,
            is_client_gone: None,
            trace: None,
            is_finishing: false,
            is_reading: false,
            observed: None,
        }
    }

    /// The same application for work beside the request: its commits do not count as the request's, and its
    /// reads are not metered.
    pub fn beside(&self) -> Ctx {
        self.lose();
        Ctx { once: None, meter: None, recorder: None, ..self.clone() }
    }

    /// The same application for work that ends with the term of this host as leader: what it still writes in
    /// a later one is refused. Requests and background tasks are such work.
    #[must_use]
    pub fn of_this_term(&self) -> Ctx {
        Ctx { store: self.store.of_this_term(), ..self.clone() }
    }

    /// The same application for what is done first in the term that has just begun: see
    /// [`Store::to_prepare`].
    #[must_use]
    pub fn to_prepare(&self) -> Ctx {
        Ctx { store: self.store.to_prepare(), ..self.clone() }
    }

    /// The same application, whose commits are noted under this keyed request.
    pub(crate) fn noting(&self, once: Arc<Once>) -> Ctx {
        Ctx { once: Some(once), ..self.clone() }
    }

    /// The same application, whose views are metered.
    pub(crate) fn metered(&self, meter: &Arc<Meter>) -> Ctx {
        Ctx { meter: Some(meter.clone()), ..self.clone() }
    }

    /// The same application for a request that reads, by this meter. It makes no commits: any host answers
    /// such a request from its replica.
    pub(crate) fn reading(&self, meter: &Arc<Meter>) -> Ctx {
        Ctx { is_reading: true, ..self.metered(meter) }
    }

    /// The same application without a meter, for work that outlives the request.
    pub fn unmetered(&self) -> Ctx {
        self.lose();
        Ctx { meter: None, recorder: None, is_client_gone: None, ..self.clone() }
    }

    /// The answer to this request depends on something beside the data and the time, such as a service that
    /// was asked: it is not remembered. What is not data and comes from this context says so by itself.
    pub fn lose(&self) {
        if let Some(recorder) = &self.recorder {
            recorder.lose();
        }
    }

    /// What became of the answers to requests that read; `None` if none are remembered.
    pub fn answer_cache_counts(&self) -> Option<AnswerCacheCounts> {
        self.shared.answers.as_ref().map(AnswerCache::counts)
    }

    /// Counts from now on what only metrics show: durations of requests by status, and times of flows.
    pub fn count_for_metrics(&self) {
        self.shared.counters.count_durations();
        self.shared.flow_times.count();
    }

    /// Nanoseconds of each flow, or step of a saga, in its transaction, by its name; of those that ran since
    /// they are counted.
    pub fn times_of_flows(&self) -> Vec<(&'static str, Buckets)> {
        self.shared.flow_times.all()
    }

    pub(crate) fn flow_times(&self) -> &FlowTimes {
        &self.shared.flow_times
    }

    /// The thread pool for long reads.
    pub(crate) fn pool(&self) -> &Pool {
        &self.shared.pool
    }

    /// The same application, whose flows hand this `additional_data` to their hooks; null is none.
    pub(crate) fn handing(&self, additional_data: Value) -> Ctx {
        let additional_data = Some(additional_data).filter(|it| !it.is_null()).map(Arc::new);
        Ctx { additional_data, ..self.clone() }
    }

    /// The `additional_data` of the request, an object of any content, for hooks.
    pub fn additional_data(&self) -> Option<&Value> {
        self.additional_data.as_deref()
    }

    /// State in memory that lives as long as the application, one value per type.
    pub fn memory<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.lose();
        let mut memory = self.shared.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = memory.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default())).clone();
        kept.downcast().expect("it is kept by its type")
    }

    /// The store.
    pub fn store(&self) -> &Store {
        self.lose();
        &self.store
    }

    /// Whether the disk has room for what is new.
    pub fn room(&self) -> &Room {
        self.lose();
        &self.shared.room
    }

    /// A snapshot of the state after the last commit.
    pub fn view(&self) -> View {
        self.counted(self.store.view())
    }

    fn counted(&self, view: View) -> View {
        if let Some(observed) = &self.observed {
            observed.reads(view.position());
        }
        let view = match &self.meter {
            Some(meter) => view.metered(meter),
            None => view,
        };
        match &self.recorder {
            Some(recorder) => view.recorded(recorder),
            None => view,
        }
    }

    /// See [`Compatibility::is_current`].
    pub fn is_data_current(&self) -> Result<bool, String> {
        self.shared.compatibility.is_current()
    }

    /// The registry of everything that is linked in.
    pub fn registry(&self) -> &'static Registry {
        self.shared.parts.registry
    }

    /// The providers that serve, by configuration. [`Ctx::provider`] finds one by its id.
    pub fn providers(&self) -> &Providers {
        self.lose();
        &self.shared.providers
    }

    /// The graph of entities and relations.
    pub fn graph(&self) -> &'static Graph {
        &self.shared.parts.registry.graph
    }

    /// The current time: that of the clock, or of the last commit of the host that led before this one, if
    /// that is later. An answer that depends on it is not remembered; see [`Ctx::time`].
    pub fn now(&self) -> Timestamp {
        self.time().exactly()
    }

    /// The current time, for a request that reads: it is compared, and each comparison says until when an
    /// answer may be remembered.
    pub fn time(&self) -> Now {
        let at = App::clock(self);
        self.recorder.as_ref().map_or_else(|| at.into(), |it| it.now(at))
    }

    /// Sleeps from `since`, a time that this clock has shown, until `until`. Returns early if the clock is
    /// set back before `since`: the caller then computes its wake-up time again. Background tasks sleep with
    /// this function, so that the clock of a test drives them.
    pub async fn sleep_until(&self, since: Timestamp, until: Timestamp) {
        self.shared.parts.clock.sleep_until(since, until).await;
    }

    /// Begins a part of the span that this application belongs to; `None` if that is not recorded.
    pub fn span(&self, name: &str, kind: SpanKind) -> Option<OpenSpan> {
        self.config().tracer.as_ref()?.child(self.trace?, name, kind)
    }

    /// Begins a trace for work that nobody waits for, such as that of a subscriber; `cause` is the
    /// `traceparent` of what has caused it. `None` if nothing is traced.
    pub fn begin_trace(&self, name: &str, kind: SpanKind, cause: Option<&str>) -> Option<OpenSpan> {
        let mut span = self.config().tracer.as_ref()?.root(name, kind);
        span.edit().link = cause.and_then(|it| it.parse().ok());
        Some(span)
    }

    /// The same application for work that belongs to this span.
    #[must_use]
    pub fn in_span(&self, span: Option<&OpenSpan>) -> Ctx {
        Ctx { trace: span.map(OpenSpan::trace).or(self.trace), ..self.clone() }
    }

    /// The header `traceparent` for requests to other programs, which belong to the same trace.
    pub fn traceparent(&self) -> Option<String> {
        self.trace.map(|it| it.to_string())
    }

    /// Configuration by the host.
    pub fn config(&self) -> &Config {
        &self.shared.parts.config
    }

    /// True if this feature is switched on.
    pub fn is_on(&self, flag: &FeatureFlag) -> bool {
        self.config().flags.is_on(flag)
    }

    /// Cancels long reads, because the process shuts down.
    pub fn stop(&self) {
        self.shared.is_stopping.send_replace(true);
    }

    /// Waits until the answer to this request is of no use: the client has closed the connection, or the
    /// process shuts down. For work that may be cancelled; writes are not.
    pub async fn cancelled(&self) {
        let mut is_stopping = self.shared.is_stopping.subscribe();
        let client = self.is_client_gone.clone();
        let gone = async {
            match client {
                // Without a sender the request is answered already.
                Some(mut client) => drop(client.wait_for(|it| *it).await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = gone => {}
            _ = is_stopping.wait_for(|it| *it) => {}
        }
    }

    /// Waits until no request is being served; no request is admitted from then on.
    pub async fn until_answered(&self) {
        let all = u32::try_from(self.config().requests_max).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        if let Ok(all) = self.shared.permits.acquire_many(all).await {
            all.forget();
        }
    }

    /// The routes of all features that are switched on; a request to another one is answered with 404.
    pub fn routes(&self) -> Vec<&'static Route> {
        self.registry().routes_with(&self.config().flags)
    }

    /// A query context at this time, without a wall: for guards, which build the context of a request, and
    /// for reads of the shop itself. Handlers use the context of their request:
    /// [`Call::context`](atoll_http::Call::context).
    pub fn unconfined(&self, at: impl Into<Now>) -> Context {
        Context::unconfined(at).limited(self.config().reads.answer)
    }

    /// The locks of saga runs.
    pub(crate) fn run_locks(&self) -> &RunLocks {
        &self.shared.run_locks
    }

    /// Calls the probe of a test, if there is one.
    pub(crate) fn probe(&self, point: &Point<'_>) -> Result<(), Fault> {
        self.shared.parts.probe.as_ref().map_or(Ok(()), |probe| probe.probe(point))
    }

    /// True if the probe of a test asks for flows to be run twice.
    pub(crate) fn runs_twice(&self) -> bool {
        self.shared.parts.probe.as_ref().is_some_and(|probe| probe.runs_twice())
    }
}
