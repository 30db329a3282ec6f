//! Assembling an application: opens the data folder, migrates and seeds it, and builds the router.

use std::sync::Arc;

use anyhow::bail;
use atoll_app::{Linked, app_pages};
use atoll_auth::PasswordHash;
use atoll_flows::{FirstRun, user::NewUser};
use atoll_kernel::{
    Ctx, Registry,
    clock::Clock,
    flow::Probe,
    http::{BackupConfig, Config, FileConfig, Hosts, Parts, key_for, router},
    limits::{ANSWERS_BYTES_MAX, BACKUPS_KEPT_MAX, CACHE_BYTES, CART_DAYS, FILE_BYTES_MAX, REQUESTS_MAX},
    migration::Plan as MigrationPlan,
};
use atoll_providers::FileStorage;
use tempfile::TempDir;

use crate::{
    Cluster, Data, Membership, Secret, Settings,
    cluster::{join, prepare},
    secrets::Given,
};

/// A running application.
pub struct Application {
    /// The context that handlers get.
    pub ctx: Ctx,
    /// Answers requests.
    pub router: axum::Router,
    /// The hosts that share the store.
    pub cluster: Cluster,
    /// This host among those, if it is one of several.
    pub(crate) membership: Option<Membership>,
    /// The first admin user, whom the host that leads creates.
    pub(crate) admin: Option<NewUser>,
    /// What the start created in a new database. Of several hosts the one that leads creates it, later.
    pub first_run: FirstRun,
    /// The folder of uploaded files beside data in memory, which goes with them.
    pub temporary: Option<TempDir>,
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

/// Everything that is linked in, the pages for people included, as `atoll check` prints it.
pub fn described() -> anyhow::Result<String> {
    let registry = registry()?;
    Ok(format!("{registry}{}", Linked::all(registry)))
}

/// The parts of an application.
pub struct Assembly {
    /// The store, opened with the spaces of [`registry`], and who leads it.
    pub cluster: Cluster,
    /// This host among several, if it is one; it takes part already.
    pub membership: Option<Membership>,
    /// The migration that is due, if it was planned when the store was opened; otherwise the start plans it.
    pub plan: Option<MigrationPlan>,
    /// The clock of the machine, or of a test.
    pub clock: Clock,
    /// The first admin user, created if there is none.
    pub admin: Option<NewUser>,
    /// Secrets, flags, origins and limits.
    pub config: Config,
    /// Called at every step of a flow. For tests.
    pub probe: Option<Arc<dyn Probe>>,
    /// A folder that is removed when the application is dropped.
    pub temporary: Option<TempDir>,
}

/// Where the server is reached, unless it is set: the default address.
const PUBLIC_URL: &str = "http://127.0.0.1:9000";

impl Assembly {
    /// Opens the data with these settings.
    pub async fn open(data: &Data, settings: Settings) -> anyhow::Result<Assembly> {
        let hashed = |(email, Secret(password)): (String, Secret)| -> anyhow::Result<NewUser> {
            Ok(NewUser { email, password: PasswordHash::new(&password)? })
        };
        let admin = settings.admin.map(hashed).transpose()?;
        // The database first: if secrets exist without it, it was lost.
        let registry = registry()?;
        let given = Given { jwt: settings.jwt_secret, cookie: settings.cookie_secret };
        let (cluster, membership, secrets, plan) = match &settings.store {
            None => {
                let (store, plan) = data.open_planned(registry, settings.cache_bytes)?;
                let secrets = given.of_one_host(data, &store.view())?;
                (Cluster::alone(store), None, secrets, Some(plan))
            }
            Some(shared) => {
                let cache_bytes = settings.cache_bytes.unwrap_or(CACHE_BYTES);
                let (file, role) = (data.replica()?, settings.role);
                let joined = join(shared, &file, cache_bytes, registry, role, given.clone()).await?;
                let (cluster, mut membership) = joined;
                let secrets = tokio::select! {
                    secrets = given.of_several_hosts(data, cluster.store(), registry) => secrets?,
                    error = membership.lost() => return Err(error),
                };
                (cluster, Some(membership), secrets, None)
            }
        };
        let hosts = cluster.peers().map(|peers| {
            let key = key_for(&secrets.jwt, "requests between hosts");
            Hosts::new(cluster.store().clone(), cluster.seen(), peers, key, registry.led())
        });
        let (folder, temporary) = data.files()?;
        let files = FileConfig {
            folder,
            url: settings.files_url.unwrap_or_else(|| {
                format!("{}/static", settings.public_url.as_deref().unwrap_or(PUBLIC_URL))
            }),
            bytes_max: settings.file_bytes_max.unwrap_or(FILE_BYTES_MAX),
        };
        let schedules = settings.backup_schedule.map(|plan| ("backup_schedule", plan));
        let config = Config {
            jwt_secret: secrets.jwt,
            cookie_secret: secrets.cookie,
            flags: settings.flags,
            origins: settings.origins,
            proxies: settings.proxies,
            requests_max: settings.requests_max.unwrap_or(REQUESTS_MAX),
            hosts,
            reads: settings.reads,
            answers_bytes_max: settings.answers_bytes_max.unwrap_or(ANSWERS_BYTES_MAX),
            cart_days: settings.cart_days.unwrap_or(CART_DAYS),
            providers: settings.providers,
            database: if membership.is_some() { Some(data.replica()?) } else { data.database() },
            disk_free_min_bytes: settings.disk_free_min_bytes,
            backups: BackupConfig {
                folder: settings.backup_dir,
                n_kept_max: settings.backups_kept.unwrap_or(BACKUPS_KEPT_MAX),
                beside: data.secrets(),
            },
            exports: settings.export_dir,
            schedules: schedules.into_iter().collect(),
            files,
            email_provider: settings.email_provider,
            pages: settings.pages.path().map(str::to_owned),
            docs: settings.docs.unwrap_or(true),
            public_url: settings.public_url,
            tracer: None,
            modules: settings.modules,
        };
        let clock = Clock::System;
        Ok(Assembly { cluster, membership, plan, clock, admin, config, probe: None, temporary })
    }

    /// Migrates the data, seeds a new database, and builds the application. Of several hosts the one that
    /// leads does the first two, when it does.
    pub async fn start(self) -> anyhow::Result<Application> {
        let Assembly { cluster, membership, plan, clock, admin, config, probe, temporary } = self;
        let registry = registry()?;
        for module in &registry.left_out.modules {
            let module = module.name;
            tracing::info!("the module `{module}` is switched off: its records stay as they are");
        }
        let store = cluster.store().clone();
        let ctx = Ctx::new(Parts { store, registry, clock, config, gate: atoll_api::gate, probe });
        if membership.is_some() {
            warn_of_local_files(&ctx);
        }
        // One host of several does it when it begins to lead.
        let leads = membership.is_none() && ctx.store().standing().borrow().writes();
        let first_run = if leads { prepare(&ctx, plan, admin.as_ref()).await? } else { FirstRun::default() };
        let api = router(ctx.clone(), &ctx.routes());
        let router = api.clone().merge(app_pages(ctx.clone(), api));
        Ok(Application { ctx, router, cluster, membership, admin, first_run, temporary })
    }
}

/// Says so if new files are stored on one host alone: they are not there after another one leads.
fn warn_of_local_files(ctx: &Ctx) {
    if let Some((storage, _)) = ctx.providers().of::<dyn FileStorage>().next().filter(|it| !it.1.is_shared())
    {
        tracing::warn!(
            storage,
            "uploaded files stay on the host that leads, and are not there when another one does: name `s3` first \
             in `providers.file`, or mount one folder as `files` in the data folder of each host"
        );
    }
}
