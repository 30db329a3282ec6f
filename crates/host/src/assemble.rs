//! From a data folder to an application.

use std::sync::Arc;

use anyhow::bail;
use atoll_api_key::{ApiKeyKind, NewToken};
use atoll_auth::PasswordHash;
use atoll_flows::{FirstRun, first_run, user::NewUser};
use atoll_kernel::{
    Actor, Clock, Config, Ctx, Flags, Moment, Origins, Parts, Probe, Proxies, ReadLimits, Registry, Store,
    Write, limits::REQUESTS_MAX, migrate, router,
};

use crate::{Data, Secret, Secrets, Settings};

/// A running application.
pub struct App {
    /// What handlers are handed.
    pub ctx: Ctx,
    /// What answers requests.
    pub router: axum::Router,
    /// What its start made.
    pub first_run: FirstRun,
}

/// What is linked in; an error names everything that does not fit together.
pub fn registry() -> anyhow::Result<&'static Registry> {
    match Registry::linked() {
        Ok(registry) => Ok(registry),
        Err(problems) => {
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            bail!("what is linked in does not fit together:\n- {}", texts.join("\n- "))
        }
    }
}

/// What an application is assembled of.
pub struct Assembly {
    /// Where its data is, opened with the spaces of [`registry`].
    pub store: Store,
    /// What signs tokens.
    pub secrets: Secrets,
    /// Where the time comes from.
    pub clock: Clock,
    /// The first user, where there is none.
    pub admin: Option<NewUser>,
    /// The features that are switched on or off.
    pub flags: Flags,
    /// Which pages may call.
    pub origins: Origins,
    /// Who is believed to say whom a request comes from.
    pub proxies: Proxies,
    /// Requests that are answered at the same time.
    pub requests_max: usize,
    /// How much one request may read, and how much is read at the same time.
    pub reads: ReadLimits,
    /// Is shown every point that a flow passes. For tests.
    pub probe: Option<Arc<dyn Probe>>,
}

impl Assembly {
    /// This data, with what is set besides.
    pub fn open(data: &Data, settings: Settings) -> anyhow::Result<Assembly> {
        let Settings {
            admin, jwt_secret, cookie_secret, flags, origins, proxies, requests_max, reads, ..
        } = settings;
        let hashed = |(email, Secret(password)): (String, Secret)| -> anyhow::Result<NewUser> {
            Ok(NewUser { email, password: PasswordHash::new(&password)? })
        };
        let admin = admin.map(hashed).transpose()?;
        // The database first: secrets that are there without it mean that it is gone.
        let store = data.open(registry()?)?;
        let secrets = Secrets::find(data, jwt_secret, cookie_secret)?;
        let requests_max = requests_max.unwrap_or(REQUESTS_MAX);
        let clock = Clock::System;
        Ok(Assembly {
            store,
            secrets,
            clock,
            admin,
            flags,
            origins,
            proxies,
            requests_max,
            reads,
            probe: None,
        })
    }

    /// Migrates the data, makes what a new database needs, and puts the application together.
    pub async fn start(self) -> anyhow::Result<App> {
        let Assembly { store, secrets, clock, admin, flags, origins, proxies, requests_max, reads, probe } =
            self;
        let registry = registry()?;
        migrate(&store, registry).await?;
        let (jwt_secret, cookie_secret) = (secrets.jwt, secrets.cookie);
        let config = Config { jwt_secret, cookie_secret, flags, origins, proxies, requests_max, reads };
        let ctx = Ctx::new(Parts { store, registry, clock, config, gate: atoll_api::gate, probe });
        let token = NewToken::random(ApiKeyKind::Publishable)?;
        let run = move |tx: &mut dyn Write, at: &Moment| first_run(tx, at, registry, &token, admin.as_ref());
        let (first_run, _) = ctx.write(Actor::System, run).await?;
        let router = router(ctx.clone(), &ctx.routes());
        Ok(App { ctx, router, first_run })
    }
}
