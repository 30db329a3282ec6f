//! An application for one test: its own store, a clock that the test moves, clients.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use atoll_api_key::{ApiKeyKind, NewToken};
use atoll_auth::{PasswordHash, find_identity};
use atoll_background::{Background, Pace, start};
use atoll_flows::FirstRun;
use atoll_flows::user::{NewUser, create_with_login};
use atoll_host::{Assembly, Cluster, Data, registry};
use atoll_kernel::{
    Actor, Ctx, Moment, Registry, Timestamp, Write,
    clock::{Clock, ManualClock},
    data::{Space, Store},
    flow::Probe,
    http::{BackupConfig, Config, FileConfig, Hosts, Origins, Proxies, ReadLimits, Tracer},
    jobs::{Plan, Schedules, Tick, events_after},
    limits::{ANSWERS_BYTES_MAX, CART_DAYS, FILE_BYTES_MAX, REQUESTS_MAX},
    registry::{Flags, ModuleSettings, ProviderChoice},
    verify::Report,
};
use atoll_storage::{KeyBuf, WriteKeys};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    Client, described,
    followed::Followed,
    verified::{VerifiedAtEnd, verify},
};

/// The hash of `supersecret`, the password of every admin of the tests, with the cheapest parameters: neither
/// making the admin nor a login of a test takes the time of a real one.
const PASSWORD: &str =
    "$argon2id$v=19$m=8,t=1,p=1$KyOSuhDkjVLkhEcsaOQ9+g$mFiLy3/93oXvaOWu6EFmTjn2NxcYzPefTcGrqkUJYho";

/// The e-mail address of that admin.
pub(crate) const ADMIN: &str = "admin@test.dev";

/// Time at the start of a test; no test depends on the value.
const START: i64 = 1_800_000_000_000;

/// The pace of background tasks in tests: short pauses between attempts. The clock of a test stands still
/// unless it is moved.
pub const PACE: Pace = Pace {
    first: Duration::from_millis(1),
    longest: Duration::from_millis(4),
    n_failures_max: 3,
    prune_every: Duration::from_secs(3600),
    look_every: Duration::from_millis(1),
};

/// Storage engine of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// In memory, as a host that leads others.
    Memory,
    /// In a file.
    Redb,
}

impl Engine {
    /// Both.
    pub const ALL: [Engine; 2] = [Engine::Memory, Engine::Redb];
}

/// Settings of a test's application: `Setup::default().providers("file", &["s3"]).setting("s3.bucket", "b")`.
#[derive(Default)]
pub struct Setup {
    probe: Option<Arc<dyn Probe>>,
    flags: Flags,
    origins: Origins,
    proxies: Proxies,
    reads: ReadLimits,
    answers_bytes_max: Option<usize>,
    cart_days: Option<u32>,
    providers: ProviderChoice,
    file_bytes_max: Option<usize>,
    email_provider: Option<String>,
    public_url: Option<String>,
    disk_free_min_bytes: Option<u64>,
    backups: BackupConfig,
    exports: Option<PathBuf>,
    schedules: Schedules,
    no_docs: bool,
    tracer: Option<Tracer>,
    hosts: Option<Hosts>,
    /// Settings of modules, by `module.name`.
    settings: BTreeMap<String, String>,
    /// The modules that are switched off.
    off: BTreeSet<String>,
}

impl Setup {
    /// The providers of a kind that serve.
    #[must_use]
    pub fn providers(mut self, kind: &str, ids: &[&str]) -> Setup {
        self.providers.set(kind, ids.iter().map(|it| (*it).to_owned()).collect());
        self
    }

    /// Memory for remembered answers; 0 for none, as where a test measures what is read.
    #[must_use]
    pub fn answers_bytes_max(self, n_bytes: usize) -> Setup {
        Setup { answers_bytes_max: Some(n_bytes), ..self }
    }

    /// The hosts that serve the same shop.
    #[must_use]
    pub(crate) fn hosts(self, hosts: Hosts) -> Setup {
        Setup { hosts: Some(hosts), ..self }
    }

    /// Limits of reads.
    #[must_use]
    pub fn reads(self, reads: ReadLimits) -> Setup {
        Setup { reads, ..self }
    }

    /// The notification provider that sends e-mails.
    #[must_use]
    pub fn email_provider(self, id: &str) -> Setup {
        Setup { email_provider: Some(id.to_owned()), ..self }
    }

    /// Where the application is reached from outside.
    #[must_use]
    pub fn public_url(self, url: &str) -> Setup {
        Setup { public_url: Some(url.to_owned()), ..self }
    }

    /// The folder for backups, and how many are kept in it.
    #[must_use]
    pub fn backups(self, folder: &Path, n_kept_max: usize) -> Setup {
        let backups = BackupConfig { folder: Some(folder.to_owned()), n_kept_max, ..self.backups };
        Setup { backups, ..self }
    }

    /// The bytes of a disk that must stay free.
    #[must_use]
    pub fn disk_free_min(self, bytes: u64) -> Setup {
        Setup { disk_free_min_bytes: Some(bytes), ..self }
    }

    /// The folder for exports.
    #[must_use]
    pub fn exports(self, folder: &Path) -> Setup {
        Setup { exports: Some(folder.to_owned()), ..self }
    }

    /// The schedule, a cron pattern, of jobs that follow this setting.
    #[must_use]
    pub fn schedule(mut self, setting: &'static str, pattern: &str) -> Setup {
        self.schedules.insert(setting, Plan::cron(pattern).expect("a pattern"));
        self
    }

    /// Collects spans.
    #[must_use]
    pub fn tracer(self, tracer: Tracer) -> Setup {
        Setup { tracer: Some(tracer), ..self }
    }

    /// Without the API reference at `/docs`.
    #[must_use]
    pub fn without_docs(self) -> Setup {
        Setup { no_docs: true, ..self }
    }

    /// A setting of a module or a provider: `("restock.days", "7")`.
    #[must_use]
    pub fn setting(mut self, name: &str, text: impl ToString) -> Setup {
        self.settings.insert(name.to_owned(), text.to_string());
        self
    }

    /// Without this optional module. A process has one choice of modules: all tests of a binary make the
    /// same, and the first application is opened by it.
    #[must_use]
    pub fn without(mut self, module: &str) -> Setup {
        self.off.insert(module.to_owned());
        self
    }

    /// An application in memory with these settings.
    ///
    /// # Panics
    /// When the process runs with other modules already, or one of them is needed.
    pub async fn init(self) -> TestApp {
        self.on(Engine::Memory).await
    }

    /// An application on this engine with these settings.
    ///
    /// # Panics
    /// As `init`.
    pub async fn on(self, engine: Engine) -> TestApp {
        self.choose_modules();
        match engine {
            Engine::Memory => {
                let (store, followed) = Followed::open().await;
                TestApp { followed: Some(followed), ..self.over(store).await }
            }
            Engine::Redb => {
                let folder = TempDir::new().expect("a folder");
                let data = Data::Folder(folder.path().to_owned());
                let store = data.open(registry().expect("a registry")).expect("a store");
                TestApp { data: Some(folder), ..self.over(store).await }
            }
        }
    }

    /// An application over this store with these settings.
    ///
    /// # Panics
    /// As `init`.
    pub async fn over(self, store: Store) -> TestApp {
        self.choose_modules();
        TestApp::assemble(store, self).await
    }

    /// Leaves out the modules that are switched off: before a store is opened, which has the spaces of the
    /// others.
    fn choose_modules(&self) {
        if !self.off.is_empty()
            && let Err(problems) = Registry::without(&self.off)
        {
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("{}", texts.join("; "));
        }
    }
}

/// An application with a store of its own. On drop the store is verified, and its folder removed; one in
/// memory is compared with a follower.
pub struct TestApp {
    /// The context that handlers get.
    pub ctx: Ctx,
    /// What the start created.
    pub first_run: FirstRun,
    router: axum::Router,
    clock: ManualClock,
    verified: VerifiedAtEnd,
    #[expect(dead_code, reason = "it looks when it is dropped")]
    followed: Option<Followed>,
    #[expect(dead_code, reason = "it goes when it is dropped")]
    folder: Option<TempDir>,
    #[expect(dead_code, reason = "it goes when it is dropped")]
    data: Option<TempDir>,
}

impl TestApp {
    /// An application in memory.
    pub async fn init() -> TestApp {
        TestApp::on(Engine::Memory).await
    }

    /// An application on this engine.
    pub async fn on(engine: Engine) -> TestApp {
        Setup::default().on(engine).await
    }

    /// An application over this store; `probe` is called at every step of a flow.
    pub async fn over(store: Store, probe: Option<Arc<dyn Probe>>) -> TestApp {
        TestApp::assemble(store, Setup { probe, ..Setup::default() }).await
    }

    /// As `over`, with feature flags.
    pub async fn with_flags(store: Store, probe: Option<Arc<dyn Probe>>, flags: Flags) -> TestApp {
        TestApp::assemble(store, Setup { probe, flags, ..Setup::default() }).await
    }

    /// As `over`, with these allowed origins (CORS).
    pub async fn with_origins(store: Store, origins: Origins) -> TestApp {
        TestApp::assemble(store, Setup { origins, ..Setup::default() }).await
    }

    /// As `over`, with these limits of reads.
    pub async fn with_limits(store: Store, reads: ReadLimits) -> TestApp {
        Setup::default().reads(reads).over(store).await
    }

    /// An application in memory whose uploaded files have at most this many bytes.
    pub async fn with_files_of(file_bytes_max: usize) -> TestApp {
        Setup { file_bytes_max: Some(file_bytes_max), ..Setup::default() }.init().await
    }

    /// An application in memory that sends e-mails by this notification provider, if any.
    pub async fn with_email_provider(id: Option<&str>) -> TestApp {
        Setup { email_provider: id.map(str::to_owned), ..Setup::default() }.init().await
    }

    /// As `over`, with trusted reverse proxies in these networks.
    pub async fn behind(store: Store, proxies: &str) -> TestApp {
        let proxies = proxies.parse().expect("networks");
        TestApp::assemble(store, Setup { proxies, ..Setup::default() }).await
    }

    /// As `over`, with this setting of `cart_days`.
    pub async fn keeping_carts(store: Store, days: u32) -> TestApp {
        TestApp::assemble(store, Setup { cart_days: Some(days), ..Setup::default() }).await
    }

    /// As `over`, with these providers of a kind.
    pub async fn served_by(store: Store, kind: &str, ids: &[&str]) -> TestApp {
        TestApp::assemble(store, Setup::default().providers(kind, ids)).await
    }

    async fn assemble(store: Store, setup: Setup) -> TestApp {
        let Setup {
            probe,
            flags,
            origins,
            proxies,
            reads,
            answers_bytes_max,
            cart_days,
            providers,
            file_bytes_max,
            email_provider,
            public_url,
            disk_free_min_bytes,
            backups,
            exports,
            schedules,
            no_docs,
            tracer,
            hosts,
            settings,
            off: _,
        } = setup;
        let text = |module: &str, name: &str| settings.get(&format!("{module}.{name}")).cloned();
        let modules = ModuleSettings::of(registry().expect("a registry"), &text).expect("settings");
        let clock = ManualClock::at(Timestamp::from_millis(START));
        let temporary = TempDir::new().expect("a folder");
        let files = FileConfig {
            folder: temporary.path().join("files"),
            url: "https://atoll.test/static".into(),
            bytes_max: file_bytes_max.unwrap_or(FILE_BYTES_MAX),
        };
        let config = Config {
            jwt_secret: b"for tests".to_vec(),
            cookie_secret: b"for tests".to_vec(),
            flags,
            origins,
            proxies,
            requests_max: REQUESTS_MAX,
            hosts,
            reads,
            answers_bytes_max: answers_bytes_max.unwrap_or_else(default_answers_bytes_max),
            cart_days: cart_days.unwrap_or(CART_DAYS),
            providers,
            database: None,
            disk_free_min_bytes,
            backups,
            exports,
            schedules,
            files,
            email_provider,
            public_url,
            pages: Some("/app".into()),
            docs: !no_docs,
            tracer,
            modules,
        };
        let assembly = Assembly {
            cluster: Cluster::alone(store),
            membership: None,
            plan: None,
            clock: Clock::Manual(clock.clone()),
            admin: None,
            config,
            probe,
            temporary: Some(temporary),
        };
        let app = assembly.start().await.expect("the app starts");
        described::prepare();
        let verified = VerifiedAtEnd::new(app.ctx.clone());
        let (ctx, first_run, router) = (app.ctx, app.first_run, app.router);
        TestApp { ctx, first_run, router, clock, verified, followed: None, folder: app.temporary, data: None }
    }

    /// The application, and a client that is logged in as its admin (`admin@test.dev`, `supersecret`),
    /// however far the clock is moved.
    pub async fn with_admin(self) -> (TestApp, Client) {
        let identity = || find_identity(&self.ctx.view(), ADMIN).expect("a store");
        if identity().is_none() {
            let password = PasswordHash::of_phc(PASSWORD).expect("a hash");
            let create = |tx: &mut dyn Write, at: &Moment| {
                create_with_login(tx, at, &NewUser { email: ADMIN.into(), password })
            };
            self.ctx.write(Actor::System, create).await.expect("an admin");
        }
        let identity = identity().expect("an identity");
        let client = self.client().logged_in(&self.ctx, identity);
        (self, client)
    }

    /// The router that answers its clients.
    pub(crate) fn router(&self) -> axum::Router {
        self.router.clone()
    }

    /// A client without credentials.
    pub fn client(&self) -> Client {
        Client::new(self.router.clone(), self.ctx.clone())
    }

    /// A storefront with this publishable key.
    pub fn storefront(&self, key: &str) -> Client {
        self.client().with_header("x-publishable-api-key", key)
    }

    /// The time of the application.
    pub fn now(&self) -> Timestamp {
        self.ctx.now()
    }

    /// Verifies the store as it is now.
    pub fn verify(&self) -> Report {
        verify(&self.ctx).expect("a verification")
    }

    /// Skips the verification at the end: the test damages the store on purpose.
    pub fn is_damaged(&self) {
        self.verified.switch_off();
    }

    /// Overwrites the value of a record by one that does not decode.
    pub async fn damage(&self, space: Space, key: &[u8]) {
        self.is_damaged();
        let key = key.to_vec();
        let damage = move |tx: &mut dyn Write, _: &Moment| {
            let key = KeyBuf::new(tx.prefix(space)).tail(&key).into_bytes();
            assert!(tx.get(&key)?.is_some(), "there is no such record");
            tx.put(key, b"damaged".to_vec());
            Ok(())
        };
        self.ctx.write(Actor::System, damage).await.expect("a store");
    }

    /// Valid tokens of the events of this name, as a mailing subscriber gets them; the oldest first.
    pub fn mailed_tokens(&self, event: &str) -> Vec<String> {
        let events = events_after(&self.ctx.view(), 0, usize::MAX).expect("events");
        let of_name = events.into_iter().filter(|(_, it)| it.name == event);
        of_name.filter_map(|(_, it)| self.ctx.token_of(&it)).collect()
    }

    /// Data of the events of this name, the oldest first.
    pub fn events(&self, name: &str) -> Vec<Value> {
        let events = events_after(&self.ctx.view(), 0, usize::MAX).expect("events");
        events.into_iter().filter(|(_, it)| it.name == name).map(|(_, it)| it.data).collect()
    }

    /// Starts subscribers and jobs, with short pauses. Its `stop` waits for those that are running.
    pub async fn background(&self) -> Background {
        start(&self.ctx, PACE).await.expect("the background starts")
    }

    /// Waits until a condition holds, which is asked again after each commit.
    pub async fn until(&self, holds: impl AsyncFn() -> bool) {
        let mut commits = self.ctx.store().commits();
        while !holds().await {
            commits.changed().await.expect("a commit");
        }
    }

    /// Runs a job once, now.
    pub async fn run_job(&self, name: &str) {
        let mut jobs = self.ctx.registry().jobs.iter();
        let job = jobs.find(|it| it.name == name).unwrap_or_else(|| panic!("no job `{name}`"));
        let tick = Tick { scheduled_for: self.now(), n_runs: 1 };
        (job.run)(self.ctx.clone(), tick).await.expect("the job runs");
    }

    /// Calls a subscriber with all events that it takes, the oldest first.
    pub async fn deliver(&self, subscriber: &str) {
        let mut subscribers = self.ctx.registry().subscribers.iter();
        let found = subscribers.find(|it| it.name == subscriber);
        let found = found.unwrap_or_else(|| panic!("no subscriber `{subscriber}`"));
        for (_, event) in events_after(&self.ctx.view(), 0, usize::MAX).expect("events") {
            if found.follows(&event.name) {
                (found.run)(self.ctx.clone(), event).await.expect("the subscriber succeeds");
            }
        }
    }

    /// Moves the clock; background tasks whose time has come wake up.
    pub fn advance_ms(&self, millis: i64) {
        self.clock.advance_ms(millis);
    }
}

/// The memory for remembered answers in tests: as in production, or as the environment says, so that all
/// tests can be run without.
fn default_answers_bytes_max() -> usize {
    let set = env::var("ATOLL_ANSWERS_BYTES_MAX").ok();
    set.map_or(ANSWERS_BYTES_MAX, |it| it.parse().expect("ATOLL_ANSWERS_BYTES_MAX is a number"))
}

/// An empty store in memory, with the spaces of what is linked in.
pub fn memory() -> Store {
    Data::Memory.open(registry().expect("a registry")).expect("a store")
}

/// A new token for a publishable key.
pub fn token() -> NewToken {
    NewToken::random(ApiKeyKind::Publishable).expect("randomness")
}
