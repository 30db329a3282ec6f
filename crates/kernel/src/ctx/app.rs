//! The application as the router sees it: whom it admits, and how it answers a request.

use std::{pin::pin, sync::Arc};

use atoll_http::AnswerCache;
use atoll_storage::{Meter, Recorder};
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, watch};

use super::{Call, Ctx, Pass, Route, SESSION_COOKIE};
use crate::{
    Actor, Fault, Timestamp,
    data::View,
    flow::ADDITIONAL_DATA,
    http::{
        App, Auth, Caller, Disconnect, Hosts, IdempotentRequest, Method, Observed, Origins, Proxies, Reply,
        RequestCounters, Tracer,
    },
    once::once,
    query::Context,
    reading::read,
};

impl App for Ctx {
    type Pass = Pass;

    fn origins(&self) -> &Origins {
        &self.config().origins
    }

    fn permits(&self) -> &Arc<Semaphore> {
        &self.shared.permits
    }

    fn hosts(&self) -> Option<&Hosts> {
        self.config().hosts.as_ref()
    }

    fn counters(&self) -> &RequestCounters {
        &self.shared.counters
    }

    fn tracer(&self) -> Option<&Tracer> {
        self.config().tracer.as_ref()
    }

    fn proxies(&self) -> &Proxies {
        &self.config().proxies
    }

    fn observed(&self, by: &Observed) -> Ctx {
        let observed = self.hosts().map(|_| by.clone());
        Ctx { trace: by.trace().or(self.trace), observed, ..self.clone() }
    }

    fn view(&self) -> View {
        Ctx::view(self)
    }

    fn admit(&self, auth: Auth, caller: Caller<'_>) -> Result<(Pass, View), Fault> {
        // Another host may be migrating it.
        if self.hosts().is_some() && self.is_data_current() != Ok(true) {
            let text = "The data of this host is of another version of the program; another host may answer";
            return Err(Fault::busy(text, 1).with_code("behind"));
        }
        let view = Ctx::view(self);
        Ok(((self.shared.parts.gate)(self, &view, auth, caller)?, view))
    }

    fn context(pass: &Pass) -> &Context {
        &pass.context
    }

    fn is_personal(pass: &Pass) -> bool {
        pass.scope.is_some() && pass.login.is_some()
    }

    fn actor_kind(pass: &Pass) -> &'static str {
        match pass.actor {
            Actor::User(_) | Actor::ApiKey(_) => "admin",
            Actor::Customer(_) => "customer",
            Actor::Shopper(_) => "storefront",
            Actor::System | Actor::Nobody => "none",
        }
    }

    const SESSION_COOKIE: &'static str = SESSION_COOKIE;

    fn answers(&self) -> Option<&AnswerCache> {
        self.shared.answers.as_ref()
    }

    fn clock(&self) -> Timestamp {
        self.shared.parts.clock.now().max(self.store.not_before())
    }

    fn recorded(&self, route: &'static Route) -> Option<(Ctx, Arc<Recorder>)> {
        // It runs for every request, and may look at anything.
        if self.registry().has_middleware(route) {
            return None;
        }
        let recorder = self.store.recorder();
        Some((Ctx { recorder: Some(recorder.clone()), ..self.clone() }, recorder))
    }

    fn lose(&self) {
        Ctx::lose(self);
    }

    async fn handle(
        route: &'static Route,
        mut call: Call,
        repeat: Option<IdempotentRequest>,
        disconnect: Disconnect,
    ) -> Result<Reply, Fault> {
        call.app.registry().run_middleware(route, &mut call)?;
        if route.method == Method::Get {
            return read(route, call, disconnect).await;
        }
        // A write goes on when the client closes the connection; a long read is cancelled by this channel.
        let (client, is_client_gone) = watch::channel(false);
        call.app = call.app.of_this_term();
        call.app.is_client_gone = Some(is_client_gone);
        let observed = call.app.observed.clone();
        let meter = Arc::new(Meter::new(call.app.config().reads.keys_max));
        call.app = call.app.metered(&meter);
        call.view = call.view.metered(&meter);
        let _counted = call.count_keys(&meter);
        let mut data = call.take_field(ADDITIONAL_DATA).filter(Value::is_object);
        for name in call.app.registry().extended.handed(route) {
            if let Some(value) = call.take_field(name) {
                data.get_or_insert_with(|| Value::Object(Map::new()))[*name] = value;
            }
        }
        if let Some(data) = data {
            call.app = call.app.handing(data);
        }
        let answer = async {
            match repeat {
                Some(IdempotentRequest { key, fingerprint }) => once(route, call, key, fingerprint).await,
                None => (route.handler)(call).await,
            }
        };
        let mut answer = pin!(answer);
        let answer = tokio::select! {
            answer = &mut answer => answer,
            () = disconnect => {
                let _ = client.send(true);
                answer.await
            }
        };
        match observed {
            Some(it) if it.has_committed() => answer.map_err(Fault::after_a_commit),
            _ => answer,
        }
    }
}
