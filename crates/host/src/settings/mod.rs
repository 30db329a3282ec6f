//! Settings (configuration) from a file, the environment and the command line; later sources override earlier
//! ones. All invalid settings are reported at once, each with its source; secrets are never printed.

mod keys;
mod linked;
mod parse;
mod secret_file;
mod shared_store;

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fmt, fs,
    io::ErrorKind,
    net::SocketAddr,
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use atoll_app::PagesAt;
use atoll_auth::check_password;
use atoll_kernel::{
    Registry,
    http::{OriginList, Origins, Proxies, ReadLimits},
    jobs::Plan,
    limits::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN},
    query::AnswerLimits,
    registry::{FeatureFlag, Flags, ModuleSettings, ProviderChoice, Secret, SettingsDef, nearest},
};
use atoll_traces::{Endpoint, NoEndpoint};
use toml::{Table, Value};

use crate::{
    Dashboard, Data, LogFormat, SharedStore, dashboard::dashboard_path, http::Limits,
    secrets::SECRET_BYTES_MIN,
};
use keys::*;
use linked::{FLAGS, MODULES, PROVIDERS, linked_in};
use parse::{
    address, attempts, base_url, bytes_or_none, cache_bytes, check_log, count, days, disk_bytes, file_bytes,
    on_or_off, origin, seconds, seconds_or_none, threads,
};
use secret_file::{Sourced, is_form};

/// The file that is read by default, if it exists.
const FILE: &str = "atoll.toml";

/// What settings may name beyond those of the host: what is linked in.
pub struct Known<'a> {
    /// The feature flags.
    pub flags: &'a [&'a FeatureFlag],
    /// The kinds of providers, each with the ids of its providers.
    pub providers: Vec<(&'static str, Vec<&'static str>)>,
    /// The registry, whose modules have settings.
    pub registry: &'a Registry,
}

impl Known<'_> {
    /// What this registry has.
    pub fn of(registry: &Registry) -> Known<'_> {
        let kinds = registry.provider_kinds.iter();
        let providers = kinds.map(|kind| (kind.name, registry.provider_ids(kind.name).collect()));
        Known { flags: &registry.flags, providers: providers.collect(), registry }
    }
}

/// The role of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Answers requests, delivers events and runs jobs; one host of several, while it leads.
    #[default]
    Shared,
    /// Answers requests only; one host of several never leads.
    Server,
    /// Delivers events and runs jobs; of requests it answers `GET /health` only, and those that other hosts
    /// hand to it while it leads.
    Worker,
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "shared" => Ok(Role::Shared),
            "server" => Ok(Role::Server),
            "worker" => Ok(Role::Worker),
            _ => Err("it must be `shared`, `server` or `worker`".into()),
        }
    }
}

/// Where settings come from.
pub struct Sources<'a> {
    /// The file that the command line or the environment names; it must exist.
    pub file: Option<PathBuf>,
    /// Reads the environment.
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// Values of the command line, by the names of the file.
    pub line: BTreeMap<&'static str, String>,
    /// Settings of modules on the command line: `restock.days=7`.
    pub set: Vec<String>,
    /// The settings that modules declare, those of modules that are switched off included.
    pub linked: Vec<&'static SettingsDef>,
}

/// The settings of a process.
#[derive(Debug, Default)]
pub struct Settings {
    /// Where the data is stored; `None`: not set.
    pub data: Option<Data>,
    /// The store that this host shares with others; `None`: the data folder is the store.
    pub store: Option<SharedStore>,
    /// The address to serve on.
    pub listen: Option<SocketAddr>,
    /// The files of the certificate and of its key (PEM); `None`: it is served without TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The address to serve metrics and health checks on; `None`: metrics are not served.
    pub metrics_listen: Option<SocketAddr>,
    /// The collector that spans are sent to; `None`: nothing is traced.
    pub otlp_endpoint: Option<Endpoint>,
    /// The role of the process.
    pub role: Role,
    /// Filter of the log.
    pub log: Option<String>,
    /// Form of the log.
    pub log_format: LogFormat,
    /// The first admin user: e-mail address and password.
    pub admin: Option<(String, Secret)>,
    /// Signs login tokens and mailed tokens.
    pub jwt_secret: Option<Secret>,
    /// Goes into the stored digests of sessions.
    pub cookie_secret: Option<Secret>,
    /// The optional modules that are switched off.
    pub modules_off: BTreeSet<String>,
    /// Feature flags.
    pub flags: Flags,
    /// Allowed origins (CORS).
    pub origins: Origins,
    /// Networks of trusted reverse proxies.
    pub proxies: Proxies,
    /// Limits and time-outs of connections.
    pub http: Limits,
    /// How long a shutdown goes on answering before it stops, so that load balancers see it.
    pub drain_delay: Duration,
    /// Most concurrent requests; `None`: not set.
    pub requests_max: Option<usize>,
    /// Limits of reads: keys per request, threads, queue.
    pub reads: ReadLimits,
    /// Memory in which the database keeps pages of its file; `None`: not set.
    pub cache_bytes: Option<usize>,
    /// Memory for remembered answers, in bytes, 0 for none; `None`: not set.
    pub answers_bytes_max: Option<usize>,
    /// Bytes of the disk that must stay free, or nothing new is written, 0 for none; `None`: not set.
    pub disk_free_min_bytes: Option<u64>,
    /// Days after which an unchanged cart is deleted, 0 for never; `None`: not set.
    pub cart_days: Option<u32>,
    /// How often an event is given to a subscriber that fails, before it becomes a dead letter; `None`: not
    /// set.
    pub event_attempts: Option<u32>,
    /// Which providers serve.
    pub providers: ProviderChoice,
    /// Where this server is reached from outside; `None`: not set.
    pub public_url: Option<String>,
    /// Where `/static` of this server is reached, for the URLs of local files; `None`: not set.
    pub files_url: Option<String>,
    /// Most bytes of an uploaded file; `None`: not set.
    pub file_bytes_max: Option<usize>,
    /// The notification provider that sends e-mails; `None`: none are sent.
    pub email_provider: Option<String>,
    /// Where the pages are.
    pub pages: PagesAt,
    /// Is the API reference served at `/docs`? `None`: not set.
    pub docs: Option<bool>,
    /// A dashboard to serve; `None`: none.
    pub dashboard: Option<Dashboard>,
    /// The folder for backups; `None`: none.
    pub backup_dir: Option<PathBuf>,
    /// When backups are made into it; `None`: when somebody asks.
    pub backup_schedule: Option<Plan>,
    /// How many backups are kept in it; `None`: not set.
    pub backups_kept: Option<usize>,
    /// The folder for exports; `None`: none.
    pub export_dir: Option<PathBuf>,
    /// The settings of modules.
    pub modules: ModuleSettings,
    /// All settings with their sources, one line each.
    pub shown: Vec<String>,
    /// What is dangerous in them, for the log.
    pub warnings: Vec<String>,
}

/// All errors of the settings.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong(pub Vec<String>);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration is invalid:")?;
        self.0.iter().try_for_each(|it| write!(f, "\n- {it}"))
    }
}

impl std::error::Error for Wrong {}

/// Settings while they are being loaded, with the errors so far.
struct Loading<'a> {
    env: &'a dyn Fn(&str) -> Option<OsString>,
    line: BTreeMap<&'static str, String>,
    /// Settings of modules on the command line, by `module.name`.
    set: BTreeMap<String, String>,
    linked: Vec<&'static SettingsDef>,
    file: Option<(String, Table)>,
    shown: Vec<String>,
    warnings: Vec<String>,
    wrong: Vec<String>,
}

impl Settings {
    /// The settings from these sources, or all their errors. `off` are the modules that the host leaves out
    /// in any case; `known` chooses the modules without those that are switched off, and says what they know.
    pub fn load<'a>(
        sources: Sources<'_>,
        off: &BTreeSet<String>,
        known: impl FnOnce(&BTreeSet<String>) -> Result<Known<'a>, Vec<String>>,
    ) -> Result<Settings, Wrong> {
        let Sources { file, env, line, set, linked } = sources;
        let mut loading = Loading {
            env,
            line,
            set: BTreeMap::new(),
            linked,
            file: None,
            shown: Vec::new(),
            warnings: Vec::new(),
            wrong: Vec::new(),
        };
        loading.read_set(set);
        loading.read_file(file);
        let text = |it: &str| Ok::<_, String>(it.to_owned());
        let secret = |it: &str| match it.len() {
            n if n < SECRET_BYTES_MIN => Err(format!("it has {n} bytes, and needs {SECRET_BYTES_MIN}")),
            _ => Ok(Secret(it.to_owned())),
        };
        let mut settings = Settings {
            data: loading.get(&DATA, |it| Ok(Data::from(it))),
            store: loading.shared_store(),
            listen: loading.get(&LISTEN, address),
            tls: loading.tls(),
            metrics_listen: loading.get(&METRICS_LISTEN, address),
            otlp_endpoint: loading
                .get(&OTLP_ENDPOINT, |it| it.parse().map_err(|it: NoEndpoint| it.to_string())),
            role: loading.get(&ROLE, Role::from_str).unwrap_or_default(),
            log: loading.get(&LOG, |it| check_log(it).map(|()| it.to_owned())),
            log_format: loading.get(&LOG_FORMAT, str::parse).unwrap_or_default(),
            jwt_secret: loading.get(&JWT_SECRET, secret),
            cookie_secret: loading.get(&COOKIE_SECRET, secret),
            origins: Origins {
                store: loading.get(&STORE_CORS, str::parse).unwrap_or(OriginList::Any),
                admin: loading.get(&ADMIN_CORS, str::parse).unwrap_or(OriginList::Any),
                auth: loading.get(&AUTH_CORS, str::parse).unwrap_or(OriginList::Any),
            },
            proxies: loading.get(&TRUSTED_PROXIES, str::parse).unwrap_or_default(),
            http: loading.http(),
            drain_delay: loading.get(&DRAIN_DELAY, seconds_or_none).unwrap_or_default(),
            requests_max: loading.get(&REQUESTS_MAX, count),
            reads: loading.reads(),
            cache_bytes: loading.get(&CACHE_BYTES, cache_bytes),
            answers_bytes_max: loading.get(&ANSWERS_BYTES_MAX, bytes_or_none),
            disk_free_min_bytes: loading.get(&DISK_FREE_MIN_BYTES, disk_bytes),
            cart_days: loading.get(&CART_DAYS, days),
            event_attempts: loading.get(&EVENT_ATTEMPTS, attempts),
            public_url: loading.get(&PUBLIC_URL, origin),
            files_url: loading.get(&FILES_URL, base_url),
            file_bytes_max: loading.get(&FILE_BYTES_MAX, file_bytes),
            pages: loading.get(&APP, str::parse).unwrap_or_default(),
            backup_dir: loading.get(&BACKUP_DIR, |it| Ok(PathBuf::from(it))),
            backup_schedule: loading.get(&BACKUP_SCHEDULE, Plan::cron),
            backups_kept: loading.get(&BACKUPS_KEPT, count),
            export_dir: loading.get(&EXPORT_DIR, |it| Ok(PathBuf::from(it))),
            docs: loading.get(&DOCS, on_or_off),
            ..Settings::default()
        };
        if settings.backup_schedule.is_some() && settings.backup_dir.is_none() {
            loading.say::<()>("backup_schedule needs backup_dir");
        }
        let path = loading.get(&DASHBOARD_PATH, dashboard_path);
        settings.dashboard = loading.get(&DASHBOARD, |folder| Dashboard::new(folder, path.as_deref()));
        let both = settings.dashboard.as_ref().zip(settings.pages.path());
        if let Some((_, pages)) = both.filter(|(dashboard, pages)| dashboard.meets(pages)) {
            loading.say::<()>(format!("dashboard_path: the pages of `app` are at `{pages}`"));
        }
        let settable = |it: &str| match check_password(it) {
            Ok(()) => Ok(it.to_owned()),
            Err(_) => Err(format!("it needs {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters")),
        };
        let (email, password) = (loading.get(&ADMIN_EMAIL, text), loading.get(&ADMIN_PASSWORD, settable));
        settings.admin = match (email, password) {
            (Some(email), Some(password)) => Some((email, Secret(password))),
            (None, None) => None,
            (Some(_), None) => loading.say("admin_email needs admin_password"),
            (None, Some(_)) => loading.say("admin_password needs admin_email"),
        };
        settings.modules_off = loading.modules_off(off);
        match known(&settings.modules_off) {
            Ok(known) => {
                settings.flags = loading.flags(known.flags);
                settings.providers = loading.providers(&known);
                settings.email_provider =
                    loading.get(&EMAIL_PROVIDER, |id| linked_in(&known.providers, "notification", id));
                let (chosen, mails) = (&settings.providers, settings.email_provider.as_deref());
                let is_used = |id: &str| chosen.names(id) || mails == Some(id);
                settings.modules = loading.modules(known.registry, is_used);
            }
            Err(problems) => loading.wrong.extend(problems),
        }
        settings.shown = loading.shown;
        settings.warnings = loading.warnings;
        if loading.wrong.is_empty() { Ok(settings) } else { Err(Wrong(loading.wrong)) }
    }
}

impl Loading<'_> {
    fn say<T>(&mut self, wrong: impl Into<String>) -> Option<T> {
        self.wrong.push(wrong.into());
        None
    }

    /// The value of an environment variable. An empty one counts as not set.
    fn variable(&mut self, name: &str) -> Option<String> {
        match (self.env)(name)?.into_string() {
            Ok(text) => Some(text).filter(|it| !it.is_empty()),
            Err(_) => self.say(format!("{name} is not UTF-8")),
        }
    }

    fn read_file(&mut self, named: Option<PathBuf>) {
        let path = named.clone().unwrap_or_else(|| FILE.into());
        let name = path.display().to_string();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => return,
            Err(error) => return self.wrong.push(format!("{name} cannot be read: {error}")),
        };
        match text.parse::<Table>() {
            Ok(table) => {
                let known = |it: &&String| {
                    [FLAGS, MODULES, PROVIDERS].contains(&it.as_str())
                        || self.linked.iter().any(|def| def.module == it.as_str())
                        || KEYS.iter().any(|key| is_form(it, key.name, key.is_secret))
                };
                let names: Vec<&str> = self.linked.iter().map(|it| it.module).collect();
                let names: Vec<&str> = KEYS.iter().map(|it| it.name).chain(names).collect();
                let unknown = table.keys().filter(|it| !known(it));
                let wrong = unknown.map(|it| {
                    format!("{it} is not a setting{} ({name})", nearest(it, names.iter().copied()))
                });
                self.wrong.extend(wrong);
                self.file = Some((name, table));
            }
            Err(error) => {
                // The line may hold a secret: the error has its number only.
                let line = error.span().map_or(0, |it| text[..it.start].matches('\n').count() + 1);
                self.wrong.push(format!("{name} is not TOML: {} (line {line})", error.message()));
            }
        }
    }

    /// The values of a setting with their sources; the last one applies.
    fn values(&mut self, key: &Key) -> Vec<Sourced> {
        let Key { name, env, is_secret, .. } = *key;
        let in_file = self.given(name, is_secret, |it, form| it.in_file(&format!("{name}{form}")));
        let credential = if is_secret { self.credential(name) } else { None };
        let in_env = self.given(name, is_secret, |it, form| {
            let variable = format!("{env}{}", form.to_uppercase());
            it.variable(&variable).map(|text| (text, variable))
        });
        let on_line = self.given(name, is_secret, |it, form| {
            let name = format!("{name}{form}");
            let text = it.line.get(name.as_str()).filter(|it| !it.is_empty())?;
            Some((text.clone(), format!("--{}", name.replace('_', "-"))))
        });
        [in_file, credential, in_env, on_line].into_iter().flatten().collect()
    }

    /// What the file says of a setting of the host.
    fn in_file(&mut self, name: &str) -> Option<Sourced> {
        let (file, table) = self.file.as_ref()?;
        let text = match table.get(name)? {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            _ => {
                let wrong = format!("{name}: it is neither text nor a number ({file})");
                return self.say(wrong);
            }
        };
        Some((text, file.clone()))
    }

    fn get<T>(&mut self, key: &Key, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let values = self.values(key);
        self.choose(key.name, key.default, key.is_secret, values, parse)
    }

    /// Parses the values of a setting, and chooses the last one; notes what is wrong, and what is shown.
    fn choose<T>(
        &mut self,
        name: &str,
        default: &str,
        is_secret: bool,
        values: Vec<Sourced>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let mut set = None;
        let mut shown = format!("{name} = {default} (default)");
        for (text, source) in values {
            let print = if is_secret { "(secret)" } else { &text };
            match parse(&text) {
                Ok(value) => {
                    shown = format!("{name} = {print} ({source})");
                    set = Some(value);
                }
                Err(why) => self.wrong.push(format!("{name}: {print}: {why} ({source})")),
            }
        }
        self.shown.push(shown);
        set
    }

    /// The files of the certificate and of its key.
    fn tls(&mut self) -> Option<(PathBuf, PathBuf)> {
        let path = |it: &str| Ok(PathBuf::from(it));
        match (self.get(&TLS_CERT, path), self.get(&TLS_KEY, path)) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            (Some(_), None) => self.say("tls_cert needs tls_key"),
            (None, Some(_)) => self.say("tls_key needs tls_cert"),
        }
    }

    /// Limits and time-outs of connections.
    fn http(&mut self) -> Limits {
        let default = Limits::default();
        Limits {
            connections_max: self.get(&CONNECTIONS_MAX, count).unwrap_or(default.connections_max),
            buffer_bytes_max: self.get(&BUFFER_BYTES_MAX, count).unwrap_or(default.buffer_bytes_max),
            header_timeout: self.get(&HEADER_TIMEOUT, seconds).unwrap_or(default.header_timeout),
            body_timeout: self.get(&BODY_TIMEOUT, seconds).unwrap_or(default.body_timeout),
            idle_timeout: self.get(&IDLE_TIMEOUT, seconds).unwrap_or(default.idle_timeout),
            write_timeout: self.get(&WRITE_TIMEOUT, seconds).unwrap_or(default.write_timeout),
            drain_timeout: self.get(&DRAIN_TIMEOUT, seconds).unwrap_or(default.drain_timeout),
        }
    }

    /// Limits of reads.
    fn reads(&mut self) -> ReadLimits {
        let default = ReadLimits::default();
        ReadLimits {
            keys_max: self.get(&REQUEST_KEYS_MAX, count).map_or(default.keys_max, |it| it as u64),
            threads: self.get(&READ_THREADS, threads).unwrap_or(default.threads),
            waiting_max: self.get(&READS_WAITING_MAX, count).unwrap_or(default.waiting_max),
            timeout: self.get(&READ_TIMEOUT, seconds).unwrap_or(default.timeout),
            answer: AnswerLimits {
                bytes_max: self.get(&ANSWER_BYTES_MAX, count).unwrap_or(default.answer.bytes_max),
                store_bytes_max: self
                    .get(&STORE_ANSWER_BYTES_MAX, count)
                    .unwrap_or(default.answer.store_bytes_max),
                store_children_max: self
                    .get(&STORE_CHILDREN_MAX, count)
                    .unwrap_or(default.answer.store_children_max),
            },
            ..default
        }
    }

    /// A table of the file, with the name of the file; an empty one if the file has none.
    fn table(&mut self, key: &str) -> (String, Table) {
        match self.file.as_ref().map(|(name, it)| (name.clone(), it.get(key).cloned())) {
            Some((name, Some(Value::Table(table)))) => (name, table),
            Some((name, Some(_))) => {
                self.wrong.push(format!("{key}: it is not a table ({name})"));
                (name, Table::new())
            }
            Some((name, None)) => (name, Table::new()),
            None => (String::new(), Table::new()),
        }
    }
}

#[cfg(test)]
mod tests;
