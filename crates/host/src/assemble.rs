//! Assembling an application: opens the data folder, migrates and seeds it, and builds the router.

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
    /// The context that handlers get.
    pub ctx: Ctx,
    /// Answers requests.
    pub router: axum::Router,
    /// What the start created in a new database.
    pub first_run: FirstRun,
}

/// Everything that is linked in. The error lists all inconsistencies.
pub fn registry() -> anyhow::Result<&'static Registry> {
    match Registry::linked() {
        Ok(registry) => Ok(registry),
        Err(problems) => {
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            bail!("what is linked in is inconsistent:\n- {}", texts.join("\n- "))
        }
    }
}

/// The parts of an application.
pub struct Assembly {
    /// The store, opened with the spaces of [`registry`].
    pub store: Store,
    /// Secrets that sign tokens and cookies.
    pub secrets: Secrets,
    /// The clock of the machine, or of a test.
    pub clock: Clock,
    /// The first admin user, created if there is none.
    pub admin: Option<NewUser>,
    /// Feature flags.
    pub flags: Flags,
    /// Allowed origins (CORS).
    pub origins: Origins,
    /// Trusted reverse proxies.
    pub proxies: Proxies,
    /// Most concurrent requests.
    pub requests_max: usize,
    /// Limits of reads: keys per request, threads, queue.
    pub reads: ReadLimits,
    /// Called at every step of a flow. For tests.
    pub probe: Option<Arc<dyn Probe>>,
}

impl Assembly {
    /// Opens the data with these settings.
    pub fn open(data: &Data, settings: Settings) -> anyhow::Result<Assembly> {
        let Settings {
            admin, jwt_secret, cookie_secret, flags, origins, proxies, requests_max, reads, ..
        } = settings;
        let hashed = |(email, Secret(password)): (String, Secret)| -> anyhow::Result<NewUser> {
            Ok(NewUser { email, password: PasswordHash::new(&password)? })
        };
        let admin = admin.map(hashed).transpose()?;
        // The database first: if secrets exist without it, it was lost.
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

    /// Migrates the data, seeds a new database, and builds the application.
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
