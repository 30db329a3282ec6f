//! Settings (configuration) from a file, the environment and the command line; later sources override earlier
//! ones. All invalid settings are reported at once, each with its source; secrets are never printed.

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

use atoll_auth::check_password;
use atoll_kernel::{
    Registry,
    http::{OriginList, Origins, Proxies, ReadLimits},
    limits::{FILE_BYTES_CEILING, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN},
    query::AnswerLimits,
    registry::{FeatureFlag, Flags, ModuleSettings, ProviderChoice, Secret, SettingsDef, nearest},
};
use toml::{Table, Value};

use crate::{Data, data::SECRET_BYTES_MIN, http::Limits};

/// The file that is read by default, if it exists.
const FILE: &str = "atoll.toml";

/// A setting.
struct Key {
    /// Its name in the file; on the command line, with dashes.
    name: &'static str,
    /// Its name in the environment.
    env: &'static str,
    /// The default, as text for `atoll check --config`.
    default: &'static str,
    /// Is it a secret, which must not be printed?
    is_secret: bool,
}

const fn key(name: &'static str, env: &'static str, default: &'static str) -> Key {
    Key { name, env, default, is_secret: false }
}

const fn secret(name: &'static str, env: &'static str, default: &'static str) -> Key {
    Key { name, env, default, is_secret: true }
}

const DATA: Key = key("data", "ATOLL_DATA", "atoll-data, or :memory: for the demo");
const LISTEN: Key = key("listen", "ATOLL_LISTEN", "127.0.0.1:9000");
const ROLE: Key = key("role", "ATOLL_ROLE", "shared");
const LOG: Key = key("log", "ATOLL_LOG", "info");
const ADMIN_EMAIL: Key = key("admin_email", "ATOLL_ADMIN_EMAIL", "none");
const ADMIN_PASSWORD: Key = secret("admin_password", "ATOLL_ADMIN_PASSWORD", "none");
const JWT_SECRET: Key = secret("jwt_secret", "ATOLL_JWT_SECRET", "generated, and kept in the data folder");
const COOKIE_SECRET: Key =
    secret("cookie_secret", "ATOLL_COOKIE_SECRET", "generated, and kept in the data folder");
const STORE_CORS: Key = key("store_cors", "ATOLL_STORE_CORS", "*");
const ADMIN_CORS: Key = key("admin_cors", "ATOLL_ADMIN_CORS", "*");
const AUTH_CORS: Key = key("auth_cors", "ATOLL_AUTH_CORS", "*");
const CONNECTIONS_MAX: Key = key("connections_max", "ATOLL_CONNECTIONS_MAX", "4096");
const REQUESTS_MAX: Key = key("requests_max", "ATOLL_REQUESTS_MAX", "1024");
const BUFFER_BYTES_MAX: Key = key("buffer_bytes_max", "ATOLL_BUFFER_BYTES_MAX", "268435456");
const REQUEST_KEYS_MAX: Key = key("request_keys_max", "ATOLL_REQUEST_KEYS_MAX", "5000000");
const READ_THREADS: Key = key("read_threads", "ATOLL_READ_THREADS", "half of the processors");
const READS_WAITING_MAX: Key = key("reads_waiting_max", "ATOLL_READS_WAITING_MAX", "64");
const READ_TIMEOUT: Key = key("read_timeout", "ATOLL_READ_TIMEOUT", "30 s");
const ANSWER_BYTES_MAX: Key = key("answer_bytes_max", "ATOLL_ANSWER_BYTES_MAX", "67108864");
const STORE_ANSWER_BYTES_MAX: Key = key("store_answer_bytes_max", "ATOLL_STORE_ANSWER_BYTES_MAX", "16777216");
const STORE_CHILDREN_MAX: Key = key("store_children_max", "ATOLL_STORE_CHILDREN_MAX", "100");
const HEADER_TIMEOUT: Key = key("header_timeout", "ATOLL_HEADER_TIMEOUT", "10 s");
const BODY_TIMEOUT: Key = key("body_timeout", "ATOLL_BODY_TIMEOUT", "30 s");
const IDLE_TIMEOUT: Key = key("idle_timeout", "ATOLL_IDLE_TIMEOUT", "75 s");
const WRITE_TIMEOUT: Key = key("write_timeout", "ATOLL_WRITE_TIMEOUT", "30 s");
const DRAIN_TIMEOUT: Key = key("drain_timeout", "ATOLL_DRAIN_TIMEOUT", "30 s");
const TRUSTED_PROXIES: Key = key("trusted_proxies", "ATOLL_TRUSTED_PROXIES", "none");
const CART_DAYS: Key = key("cart_days", "ATOLL_CART_DAYS", "30");
const FILES_URL: Key = key("files_url", "ATOLL_FILES_URL", "http://<listen>/static");
const FILE_BYTES_MAX: Key = key("file_bytes_max", "ATOLL_FILE_BYTES_MAX", "16777216");
const EMAIL_PROVIDER: Key = key("email_provider", "ATOLL_EMAIL_PROVIDER", "none");
/// All settings of the file, in the order in which they are shown.
const KEYS: &[&Key] = &[
    &DATA, &LISTEN, &ROLE, &LOG, &ADMIN_EMAIL, &ADMIN_PASSWORD, &JWT_SECRET, &COOKIE_SECRET, &STORE_CORS,
    &ADMIN_CORS, &AUTH_CORS, &TRUSTED_PROXIES, &CONNECTIONS_MAX, &REQUESTS_MAX, &BUFFER_BYTES_MAX,
    &HEADER_TIMEOUT, &BODY_TIMEOUT, &IDLE_TIMEOUT, &WRITE_TIMEOUT, &DRAIN_TIMEOUT, &REQUEST_KEYS_MAX,
    &READ_THREADS, &READS_WAITING_MAX, &READ_TIMEOUT, &ANSWER_BYTES_MAX, &STORE_ANSWER_BYTES_MAX,
    &STORE_CHILDREN_MAX, &CART_DAYS, &FILES_URL, &FILE_BYTES_MAX, &EMAIL_PROVIDER,
];

/// Largest count: the most permits of a semaphore that can be acquired at once.
const COUNT_MAX: usize = u32::MAX as usize;

/// Most threads of the pool for reading.
const THREADS_MAX: usize = 256;

/// Longest time-out: a day.
const SECONDS_MAX: u64 = 24 * 60 * 60;

/// Longest expiry of carts: a hundred years.
const DAYS_MAX: u32 = 36_500;

/// The table of feature flags in the file.
const FLAGS: &str = "feature_flags";

/// The table of providers in the file: which of each kind serve.
const PROVIDERS: &str = "providers";

/// The table of modules in the file.
const MODULES: &str = "modules";

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
    /// Answers requests, delivers events and runs jobs.
    #[default]
    Shared,
    /// Answers requests only.
    Server,
    /// Delivers events and runs jobs; of requests it answers `GET /health` only.
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
    /// The address to serve on.
    pub listen: Option<SocketAddr>,
    /// The role of the process.
    pub role: Role,
    /// Filter of the log.
    pub log: Option<String>,
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
    /// Most concurrent requests; `None`: not set.
    pub requests_max: Option<usize>,
    /// Limits of reads: keys per request, threads, queue.
    pub reads: ReadLimits,
    /// Days after which an unchanged cart is deleted, 0 for never; `None`: not set.
    pub cart_days: Option<u32>,
    /// Which providers serve.
    pub providers: ProviderChoice,
    /// Where `/static` of this server is reached, for the URLs of local files; `None`: not set.
    pub files_url: Option<String>,
    /// Most bytes of an uploaded file; `None`: not set.
    pub file_bytes_max: Option<usize>,
    /// The notification provider that sends e-mails; `None`: none are sent.
    pub email_provider: Option<String>,
    /// The settings of modules.
    pub modules: ModuleSettings,
    /// All settings with their sources, one line each.
    pub shown: Vec<String>,
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
            listen: loading.get(&LISTEN, |it| it.parse().map_err(|_| "it is not an address and port".into())),
            role: loading.get(&ROLE, Role::from_str).unwrap_or_default(),
            log: loading.get(&LOG, |it| check_log(it).map(|()| it.to_owned())),
            jwt_secret: loading.get(&JWT_SECRET, secret),
            cookie_secret: loading.get(&COOKIE_SECRET, secret),
            origins: Origins {
                store: loading.get(&STORE_CORS, str::parse).unwrap_or(OriginList::Any),
                admin: loading.get(&ADMIN_CORS, str::parse).unwrap_or(OriginList::Any),
                auth: loading.get(&AUTH_CORS, str::parse).unwrap_or(OriginList::Any),
            },
            proxies: loading.get(&TRUSTED_PROXIES, str::parse).unwrap_or_default(),
            http: loading.http(),
            requests_max: loading.get(&REQUESTS_MAX, count),
            reads: loading.reads(),
            cart_days: loading.get(&CART_DAYS, days),
            files_url: loading.get(&FILES_URL, base_url),
            file_bytes_max: loading.get(&FILE_BYTES_MAX, file_bytes),
            ..Settings::default()
        };
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
                settings.providers = loading.providers(&known.providers);
                settings.email_provider =
                    loading.get(&EMAIL_PROVIDER, |id| linked_in(&known.providers, "notification", id));
                settings.modules = loading.modules(known.registry);
            }
            Err(problems) => loading.wrong.extend(problems),
        }
        settings.shown = loading.shown;
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
                        || KEYS.iter().any(|key| key.name == it.as_str())
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
    fn values(&mut self, key: &Key) -> Vec<(String, String)> {
        let mut values = Vec::new();
        match self.file.as_ref().map(|(name, table)| (name.clone(), table.get(key.name).cloned())) {
            Some((name, Some(Value::String(text)))) => values.push((text, name)),
            Some((name, Some(Value::Integer(number)))) => values.push((number.to_string(), name)),
            Some((name, Some(_))) => {
                self.wrong.push(format!("{}: it is neither text nor a number ({name})", key.name));
            }
            _ => {}
        }
        values.extend(self.variable(key.env).map(|it| (it, key.env.to_owned())));
        let flag = format!("--{}", key.name.replace('_', "-"));
        values.extend(self.line.get(key.name).filter(|it| !it.is_empty()).map(|it| (it.clone(), flag)));
        values
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
        values: Vec<(String, String)>,
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

    /// The modules that are switched off: `off` in `[modules]` of the file, `ATOLL_MODULES_OFF=a,b` in the
    /// environment, and those that the host leaves out.
    fn modules_off(&mut self, by_host: &BTreeSet<String>) -> BTreeSet<String> {
        let (file, table) = self.table(MODULES);
        for unknown in table.keys().filter(|it| *it != "off") {
            self.wrong.push(format!("{MODULES}.{unknown} is not a setting ({file})"));
        }
        let (mut off, mut source) = (Vec::new(), "default".to_owned());
        match table.get("off").map(texts) {
            Some(Some(names)) => (off, source) = (names, file),
            Some(None) => self.wrong.push(format!("{MODULES}.off: it is not a list of names ({file})")),
            None => {}
        }
        let variable = "ATOLL_MODULES_OFF";
        if let Some(text) = self.variable(variable) {
            (off, source) = (text.split(',').map(|it| it.trim().to_owned()).collect(), variable.to_owned());
        }
        let off: BTreeSet<String> =
            off.into_iter().filter(|it| !it.is_empty()).chain(by_host.clone()).collect();
        let names: Vec<&str> = off.iter().map(String::as_str).collect();
        let names = if off.is_empty() { "none".to_owned() } else { names.join(", ") };
        self.shown.push(format!("{MODULES}.off = {names} ({source})"));
        off
    }

    /// Which providers serve: `[providers]` in the file, `ATOLL_PROVIDERS_PAYMENT=pp_a,pp_b` in the
    /// environment.
    fn providers(&mut self, known: &[(&'static str, Vec<&'static str>)]) -> ProviderChoice {
        let mut choice = ProviderChoice::default();
        let (file, table) = self.table(PROVIDERS);
        let kinds: Vec<&str> = known.iter().map(|(kind, _)| *kind).collect();
        for unknown in table.keys().filter(|it| !kinds.contains(&it.as_str())) {
            let hint = nearest(unknown, kinds.iter().copied());
            self.wrong.push(format!("{PROVIDERS}.{unknown} is not a kind of provider{hint} ({file})"));
        }
        for (kind, linked) in known {
            let name = format!("{PROVIDERS}.{kind}");
            let mut sources: Vec<(Option<Vec<String>>, String)> = Vec::new();
            sources.extend(table.get(*kind).map(|it| (texts(it), file.clone())));
            let variable = format!("ATOLL_{}_{}", PROVIDERS.to_uppercase(), kind.to_uppercase());
            if let Some(text) = self.variable(&variable) {
                let ids = text.split(',').map(|it| it.trim().to_owned()).collect();
                sources.push((Some(ids), variable));
            }
            let mut shown = format!("{name} = {} (default)", linked.join(", "));
            for (ids, source) in sources {
                let wrong = match &ids {
                    None => Some("it must be a list of ids".to_owned()),
                    Some(ids) => {
                        ids.iter().enumerate().find_map(|(n, id)| match linked.contains(&id.as_str()) {
                            true if ids[..n].contains(id) => Some(format!("`{id}` is named twice")),
                            true => None,
                            false => Some(format!(
                                "`{id}` is no {kind} provider that is linked in{}",
                                nearest(id, linked.iter().copied())
                            )),
                        })
                    }
                };
                match (wrong, ids) {
                    (None, Some(ids)) => {
                        shown = format!("{name} = {} ({source})", ids.join(", "));
                        choice.set(kind, ids);
                    }
                    (wrong, _) => {
                        let why = wrong.unwrap_or_default();
                        self.wrong.push(format!("{name}: {why} ({source})"));
                    }
                }
            }
            self.shown.push(shown);
        }
        choice
    }

    /// Reads the settings of modules on the command line: `--set restock.days=7`.
    fn read_set(&mut self, set: Vec<String>) {
        let of_module = |def: &&'static SettingsDef| {
            def.keys.iter().map(|key| format!("{}.{}", def.module, key.name)).collect::<Vec<_>>()
        };
        let names: Vec<String> = self.linked.iter().flat_map(of_module).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for text in set {
            match text.split_once('=') {
                Some((name, value)) if names.contains(&name) => {
                    self.set.insert(name.to_owned(), value.to_owned());
                }
                // The value may be a secret.
                Some((name, _)) => {
                    let hint = nearest(name, names.iter().copied());
                    self.wrong.push(format!("{name} is not a setting of a module{hint} (--set)"));
                }
                None => self.wrong.push("--set needs `module.name=value`".to_owned()),
            }
        }
    }

    /// The settings of modules: `[restock]` in the file, `ATOLL_RESTOCK_DAYS` in the environment,
    /// `--set restock.days=7` on the command line.
    fn modules(&mut self, registry: &Registry) -> ModuleSettings {
        let mut variables: BTreeMap<String, String> =
            KEYS.iter().map(|it| (it.env.to_owned(), it.name.to_owned())).collect();
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        let n_wrong = self.wrong.len();
        for def in &registry.settings {
            let module = def.module;
            let (file, table) = self.table(module);
            let names: Vec<&str> = def.keys.iter().map(|it| it.name).collect();
            for unknown in table.keys().filter(|it| !names.contains(&it.as_str())) {
                let hint = nearest(unknown, names.iter().copied());
                self.wrong.push(format!("{module}.{unknown} is not a setting{hint} ({file})"));
            }
            for key in def.keys {
                let name = format!("{module}.{}", key.name);
                let variable = variable_of(module, key.name);
                if let Some(other) = variables.insert(variable.clone(), name.clone()) {
                    self.wrong.push(format!("{name} and {other} are both read from {variable}"));
                }
                let mut values = Vec::new();
                match table.get(key.name).map(text_of) {
                    Some(Some(text)) => values.push((text, file.clone())),
                    Some(None) => {
                        self.wrong.push(format!("{name}: it must be a text, a number or a list ({file})"))
                    }
                    None => {}
                }
                values.extend(self.variable(&variable).map(|it| (it, variable)));
                values.extend(self.set.get(&name).map(|it| (it.clone(), "--set".to_owned())));
                if values.is_empty() && key.default.is_none() && (key.is_required)() {
                    self.wrong.push(format!("{name} must be set: it has no default"));
                    continue;
                }
                let default = key.default.map_or_else(|| "none".to_owned(), |it| it());
                let check = |text: &str| (key.check)(text).map(|()| text.to_owned());
                texts.extend(self.choose(&name, &default, key.is_secret, values, check).map(|it| (name, it)));
            }
        }
        let text = |module: &str, name: &str| texts.get(&format!("{module}.{name}")).cloned();
        match ModuleSettings::of(registry, &text) {
            Ok(settings) => settings,
            // What is wrong was said above, with its source.
            Err(_) if self.wrong.len() > n_wrong => ModuleSettings::default(),
            Err(wrong) => {
                self.wrong.extend(wrong);
                ModuleSettings::default()
            }
        }
    }

    fn flags(&mut self, known: &[&FeatureFlag]) -> Flags {
        let mut flags = Flags::default();
        let (name, table) = self.table(FLAGS);
        for unknown in table.keys().filter(|it| !known.iter().any(|flag| flag.name == it.as_str())) {
            self.wrong.push(format!("{FLAGS}.{unknown} is not a feature flag ({name})"));
        }
        for flag in known {
            let in_capitals = flag.name.to_uppercase();
            let mut sources: Vec<(Result<bool, String>, String)> = Vec::new();
            match table.get(flag.name) {
                Some(Value::Boolean(is_on)) => sources.push((Ok(*is_on), name.clone())),
                Some(other) => sources.push((Err(format!("a {}", other.type_str())), name.clone())),
                None => {}
            }
            for variable in [format!("MEDUSA_FF_{in_capitals}"), format!("ATOLL_FF_{in_capitals}")] {
                if let Some(text) = self.variable(&variable) {
                    sources.push((switch(&text).ok_or(text), variable));
                }
            }
            let mut shown = format!("{FLAGS}.{} = {} (default)", flag.name, flag.default);
            for (value, source) in sources {
                match value {
                    Ok(is_on) => {
                        shown = format!("{FLAGS}.{} = {is_on} ({source})", flag.name);
                        flags.set(flag.name, is_on);
                    }
                    Err(text) => {
                        let name = flag.name;
                        self.wrong
                            .push(format!("{FLAGS}.{name}: {text}: it must be true or false ({source})"));
                    }
                }
            }
            self.shown.push(shown);
        }
        flags
    }
}

/// The id of a provider of this kind that is linked in.
fn linked_in(known: &[(&str, Vec<&str>)], kind: &str, id: &str) -> Result<String, String> {
    let ids = known.iter().find(|it| it.0 == kind).map_or(&[][..], |it| &it.1);
    match ids.contains(&id) {
        true => Ok(id.to_owned()),
        false => {
            Err(format!("it is no {kind} provider that is linked in{}", nearest(id, ids.iter().copied())))
        }
    }
}

/// The environment variable of a module's setting: `ATOLL_RESTOCK_DAYS`.
fn variable_of(module: &str, name: &str) -> String {
    format!("ATOLL_{module}_{name}").replace(['-', '.'], "_").to_uppercase()
}

/// The text of a value of the file; a list is separated by commas. None if it is a table, a time, or a list
/// of anything but texts.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(is_on) => Some(is_on.to_string()),
        Value::Array(_) => texts(value).map(|it| it.join(",")),
        Value::Datetime(_) | Value::Table(_) => None,
    }
}

/// The texts of a list; none if it is something else.
fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|it| it.as_str().map(str::to_owned)).collect()
}

/// Parses a count of at least one.
fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=COUNT_MAX) => Ok(n),
        _ => Err(format!("it must be a number from 1 to {COUNT_MAX}")),
    }
}

/// Parses a number of threads.
fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=THREADS_MAX) => Ok(n),
        _ => Err(format!("it must be a number from 1 to {THREADS_MAX}")),
    }
}

/// Parses a time in seconds: `30` or `30 s`.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.trim_end_matches('s').trim().parse() {
        Ok(n @ 1..=SECONDS_MAX) => Ok(Duration::from_secs(n)),
        _ => Err(format!("it must be a number of seconds from 1 to {SECONDS_MAX}")),
    }
}

/// A number of days, or 0.
fn days(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(n @ 0..=DAYS_MAX) => Ok(n),
        _ => Err(format!("it must be a number of days from 1 to {DAYS_MAX}, or 0 for never")),
    }
}

/// An address that names are appended to, without a slash at the end.
fn base_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fits =
        |it: &str| !it.is_empty() && !it.contains(['?', '#']) && it.bytes().all(|it| it.is_ascii_graphic());
    match rest {
        Some(rest) if fits(rest) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("it must be an address such as `https://shop.example.com/static`".into()),
    }
}

/// Parses the size limit of a file.
fn file_bytes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=FILE_BYTES_CEILING) => Ok(n),
        _ => Err(format!("it must be a number of bytes from 1 to {FILE_BYTES_CEILING}")),
    }
}

fn switch(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "1" | "on" | "yes" => Some(true),
        "false" | "0" | "off" | "no" => Some(false),
        _ => None,
    }
}

fn check_log(text: &str) -> Result<(), String> {
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) => Ok(()),
        Err(_) => Err("it is not a filter of `tracing`".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use atoll_kernel::{registry::Settings as _, settings};

    use super::*;

    const FLAGS: &[&FeatureFlag] = &[&FLAG];
    static FLAG: FeatureFlag = FeatureFlag { name: "sales_channels", default: true };

    /// The settings of a file, an environment (`NAME=value`, one a line) and a command line.
    fn load(file: &str, env: &str, line: &[(&'static str, &str)]) -> Result<Settings, Wrong> {
        load_with(Registry::default(), file, env, line, &[])
    }

    /// As `load`, with the modules of a registry, and their settings on the command line.
    fn load_with(
        registry: Registry,
        file: &str,
        env: &str,
        line: &[(&'static str, &str)],
        set: &[&str],
    ) -> Result<Settings, Wrong> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        fs::write(&path, file).expect("a file");
        let read = |name: &str| {
            let mut pairs = env.lines().filter_map(|it| it.split_once('='));
            let value = pairs.find(|(key, _)| *key == name).map(|(_, value)| value)?;
            Some(if value == "(not UTF-8)" { OsString::from_vec(vec![0xff]) } else { value.into() })
        };
        let line = line.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let known = |off: &BTreeSet<String>| match off.first() {
            Some(it) if it != "reviews" => Err(vec![format!("there is no module `{it}`")]),
            _ => Ok(Known {
                flags: FLAGS,
                providers: vec![
                    ("notification", vec!["log", "smtp"]),
                    ("payment", vec!["pp_bank", "pp_cash"]),
                ],
                registry: &registry,
            }),
        };
        let set = set.iter().map(|it| (*it).to_owned()).collect();
        let sources = Sources { file: Some(path), env: &read, line, set, linked: registry.settings.clone() };
        let settings = Settings::load(sources, &BTreeSet::new(), known);
        let tidy = |it: Vec<String>| {
            it.into_iter().map(|it| it.replace(&format!("{}/", folder.path().display()), "")).collect()
        };
        match settings {
            Ok(it) => Ok(Settings { shown: tidy(it.shown), ..it }),
            Err(Wrong(it)) => Err(Wrong(tidy(it))),
        }
    }

    #[test]
    fn command_line_overrides_environment_overrides_file() {
        let file = "listen = \"127.0.0.1:1\"\nrole = \"worker\"\nlog = \"debug\"\nwrite_timeout = 7\nfile_bytes_max = 1000\n[feature_flags]\nsales_channels = false";
        let env = "ATOLL_LISTEN=127.0.0.1:2\nATOLL_DRAIN_TIMEOUT=5 s\nATOLL_ROLE=server\nATOLL_DATA=\nATOLL_JWT_SECRET=long enough to be one\nATOLL_TRUSTED_PROXIES=10.0.0.0/8\nATOLL_CART_DAYS=0\nATOLL_FILES_URL=https://shop.example.com/static/\nATOLL_EMAIL_PROVIDER=smtp";
        let settings = load(file, env, &[("listen", "127.0.0.1:3")]).expect("settings");
        assert_eq!(settings.listen.map(|it| it.port()), Some(3));
        assert_eq!((settings.role, settings.flags.is_on(&FLAG)), (Role::Server, false));
        let timeouts = (settings.http.write_timeout.as_secs(), settings.http.drain_timeout.as_secs());
        assert_eq!(timeouts, (7, 5));
        assert_eq!(settings.files_url.as_deref(), Some("https://shop.example.com/static"));
        assert_eq!(
            settings.shown,
            [
                "data = atoll-data, or :memory: for the demo (default)",
                "listen = 127.0.0.1:3 (--listen)",
                "role = server (ATOLL_ROLE)",
                "log = debug (atoll.toml)",
                "jwt_secret = (secret) (ATOLL_JWT_SECRET)",
                "cookie_secret = generated, and kept in the data folder (default)",
                "store_cors = * (default)",
                "admin_cors = * (default)",
                "auth_cors = * (default)",
                "trusted_proxies = 10.0.0.0/8 (ATOLL_TRUSTED_PROXIES)",
                "connections_max = 4096 (default)",
                "buffer_bytes_max = 268435456 (default)",
                "header_timeout = 10 s (default)",
                "body_timeout = 30 s (default)",
                "idle_timeout = 75 s (default)",
                "write_timeout = 7 (atoll.toml)",
                "drain_timeout = 5 s (ATOLL_DRAIN_TIMEOUT)",
                "requests_max = 1024 (default)",
                "request_keys_max = 5000000 (default)",
                "read_threads = half of the processors (default)",
                "reads_waiting_max = 64 (default)",
                "read_timeout = 30 s (default)",
                "answer_bytes_max = 67108864 (default)",
                "store_answer_bytes_max = 16777216 (default)",
                "store_children_max = 100 (default)",
                "cart_days = 0 (ATOLL_CART_DAYS)",
                "files_url = https://shop.example.com/static/ (ATOLL_FILES_URL)",
                "file_bytes_max = 1000 (atoll.toml)",
                "admin_email = none (default)",
                "admin_password = none (default)",
                "modules.off = none (default)",
                "feature_flags.sales_channels = false (atoll.toml)",
                "providers.notification = log, smtp (default)",
                "providers.payment = pp_bank, pp_cash (default)",
                "email_provider = smtp (ATOLL_EMAIL_PROVIDER)",
            ]
        );
        for (env, is_on) in [
            ("", false),
            ("MEDUSA_FF_SALES_CHANNELS=true", true),
            ("MEDUSA_FF_SALES_CHANNELS=true\nATOLL_FF_SALES_CHANNELS=0", false),
        ] {
            assert_eq!(load(file, env, &[]).expect("settings").flags.is_on(&FLAG), is_on, "{env}");
        }
    }

    #[test]
    fn modules_are_switched_off_by_name() {
        let off = |file: &str, env: &str| {
            let settings = load(file, env, &[]).expect("settings");
            let shown = settings.shown.iter().find(|it| it.starts_with("modules.off")).expect("it is shown");
            (settings.modules_off.into_iter().collect::<Vec<_>>().join(" "), shown.clone())
        };
        let file = "[modules]\noff = [\"reviews\"]";
        assert_eq!(off(file, ""), ("reviews".into(), "modules.off = reviews (atoll.toml)".into()));
        let env = "ATOLL_MODULES_OFF=reviews";
        assert_eq!(off("", env), ("reviews".into(), "modules.off = reviews (ATOLL_MODULES_OFF)".into()));
        for (file, wrong) in [
            ("modules = 1", "modules: it is not a table (atoll.toml)"),
            ("[modules]\noff = 1", "modules.off: it is not a list of names (atoll.toml)"),
            ("[modules]\non = []", "modules.on is not a setting (atoll.toml)"),
            ("[modules]\noff = [\"revues\"]", "there is no module `revues`"),
        ] {
            let Err(Wrong(all)) = load(file, "", &[]) else { panic!("it is wrong: {file}") };
            assert_eq!(all, [wrong]);
        }
    }

    #[test]
    fn providers_are_chosen_among_those_that_are_linked_in() {
        let chosen = |ids: &[&str]| {
            let mut choice = ProviderChoice::default();
            choice.set("payment", ids.iter().map(|it| (*it).to_owned()).collect());
            choice
        };
        let file = "[providers]\npayment = [\"pp_cash\"]";
        let settings = load(file, "", &[]).expect("settings");
        assert_eq!(settings.providers, chosen(&["pp_cash"]));
        assert_eq!(
            settings.shown.iter().rev().nth(1).map(String::as_str),
            Some("providers.payment = pp_cash (atoll.toml)")
        );
        let settings = load(file, "ATOLL_PROVIDERS_PAYMENT=pp_cash, pp_bank", &[]).expect("settings");
        assert_eq!(settings.providers, chosen(&["pp_cash", "pp_bank"]));
        assert_eq!(load("", "", &[]).expect("settings").providers, ProviderChoice::default());
        for (file, env, expected) in [
            (
                "[providers]\npayment = [\"pp_csh\"]\npayments = []",
                "ATOLL_PROVIDERS_PAYMENT=paypal",
                vec![
                    "providers.payments is not a kind of provider (did you mean `payment`?) (atoll.toml)",
                    "providers.payment: `pp_csh` is no payment provider that is linked in (did you mean `pp_cash`?) \
                     (atoll.toml)",
                    "providers.payment: `paypal` is no payment provider that is linked in (ATOLL_PROVIDERS_PAYMENT)",
                ],
            ),
            (
                "[providers]\npayment = \"pp_bank\"",
                "ATOLL_PROVIDERS_PAYMENT=pp_bank,pp_bank",
                vec![
                    "providers.payment: it must be a list of ids (atoll.toml)",
                    "providers.payment: `pp_bank` is named twice (ATOLL_PROVIDERS_PAYMENT)",
                ],
            ),
            ("providers = 1", "", vec!["providers: it is not a table (atoll.toml)"]),
        ] {
            let Err(Wrong(wrong)) = load(file, env, &[]) else { panic!("it is wrong") };
            assert_eq!(wrong, expected);
        }
    }

    settings! {
        /// What is sent by mail.
        struct MailSettings = "mail" {
            /// Days for which a letter is kept.
            pub days: u32 = 30, 1..=365;
            /// The time-out of a call.
            pub timeout: Duration = "10 s";
            /// The sender.
            pub sender: String;
            /// The key of the service.
            pub api_key: Option<Secret>;
            /// The languages.
            pub languages: Vec<String> = "en, de";
        }
    }

    fn mail() -> Registry {
        Registry { settings: vec![MailSettings::DEF], ..Registry::default() }
    }

    #[test]
    fn settings_of_modules_are_read_from_file_environment_and_command_line() {
        let file = "[mail]\ndays = 7\nsender = \"a\"\nlanguages = [\"fr\", \"it\"]\napi_key = \"hunter2\"";
        let env = "ATOLL_MAIL_SENDER=b\nATOLL_MAIL_TIMEOUT=3";
        let settings = load_with(mail(), file, env, &[], &["mail.sender=c"]).expect("settings");
        let shown: Vec<&String> = settings.shown.iter().filter(|it| it.starts_with("mail.")).collect();
        assert_eq!(
            shown,
            [
                "mail.days = 7 (atoll.toml)", "mail.timeout = 3 (ATOLL_MAIL_TIMEOUT)",
                "mail.sender = c (--set)", "mail.api_key = (secret) (atoll.toml)",
                "mail.languages = fr,it (atoll.toml)",
            ]
        );
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn settings_of_modules_are_refused_with_all_others() {
        let file = "rolle = 1\n[mail]\ndays = 0\nday = 1\ntimeout = 1979-05-27\n[mial]\nx = 1";
        let env = "ATOLL_MAIL_DAYS=many\nATOLL_IDLE_TIMEOUT=long";
        let Err(Wrong(wrong)) = load_with(mail(), file, env, &[], &["mail.sendr=b", "x"]) else {
            panic!("it is wrong")
        };
        assert_eq!(
            wrong,
            [
                "mail.sendr is not a setting of a module (did you mean `mail.sender`?) (--set)",
                "--set needs `module.name=value`",
                "mial is not a setting (did you mean `mail`?) (atoll.toml)",
                "rolle is not a setting (did you mean `role`?) (atoll.toml)",
                "idle_timeout: long: it must be a number of seconds from 1 to 86400 (ATOLL_IDLE_TIMEOUT)",
                "mail.day is not a setting (did you mean `days`?) (atoll.toml)",
                "mail.days: 0: it must be from 1 to 365 (atoll.toml)",
                "mail.days: many: it must be a whole number from 0 to 4294967295 (ATOLL_MAIL_DAYS)",
                "mail.timeout: it must be a text, a number or a list (atoll.toml)",
                "mail.sender must be set: it has no default",
            ]
        );
    }

    #[test]
    fn settings_report_all_errors_at_once() {
        let file = "listen = 9000.5\nport = \"1\"\njwt_secret = \"hunter2\"\n[feature_flags]\nsales_channels = \"no\"\ntaxes = true";
        let env = "ATOLL_TRUSTED_PROXIES=nginx\nATOLL_LISTEN=nowhere\nATOLL_FF_SALES_CHANNELS=maybe\nATOLL_ADMIN_EMAIL=me@example.com\nATOLL_CONNECTIONS_MAX=0\nATOLL_IDLE_TIMEOUT=long\nATOLL_CART_DAYS=-1\nATOLL_FILES_URL=/static\nATOLL_FILE_BYTES_MAX=100000000\nATOLL_EMAIL_PROVIDER=smpt";
        let Err(Wrong(wrong)) = load(file, env, &[("role", "king"), ("log", "a=b=c")]) else {
            panic!("it is wrong");
        };
        assert_eq!(
            wrong,
            [
                "port is not a setting (atoll.toml)",
                "listen: it is neither text nor a number (atoll.toml)",
                "listen: nowhere: it is not an address and port (ATOLL_LISTEN)",
                "role: king: it must be `shared`, `server` or `worker` (--role)",
                "log: a=b=c: it is not a filter of `tracing` (--log)",
                "jwt_secret: (secret): it has 7 bytes, and needs 16 (atoll.toml)",
                "trusted_proxies: nginx: `nginx` is no network, such as `10.0.0.0/8` (ATOLL_TRUSTED_PROXIES)",
                "connections_max: 0: it must be a number from 1 to 4294967295 (ATOLL_CONNECTIONS_MAX)",
                "idle_timeout: long: it must be a number of seconds from 1 to 86400 (ATOLL_IDLE_TIMEOUT)",
                "cart_days: -1: it must be a number of days from 1 to 36500, or 0 for never (ATOLL_CART_DAYS)",
                "files_url: /static: it must be an address such as `https://shop.example.com/static` (ATOLL_FILES_URL)",
                "file_bytes_max: 100000000: it must be a number of bytes from 1 to 67108864 (ATOLL_FILE_BYTES_MAX)",
                "admin_email needs admin_password",
                "feature_flags.taxes is not a feature flag (atoll.toml)",
                "feature_flags.sales_channels: a string: it must be true or false (atoll.toml)",
                "feature_flags.sales_channels: maybe: it must be true or false (ATOLL_FF_SALES_CHANNELS)",
                "email_provider: smpt: it is no notification provider that is linked in (did you mean `smtp`?) (ATOLL_EMAIL_PROVIDER)",
            ]
        );
        let env = "ATOLL_ADMIN_EMAIL=me@example.com\nATOLL_ADMIN_PASSWORD=hunter2";
        let Err(Wrong(wrong)) = load("", env, &[]) else { panic!("it is too short") };
        let short = "admin_password: (secret): it needs 8 to 1024 characters (ATOLL_ADMIN_PASSWORD)";
        assert_eq!(wrong, [short, "admin_email needs admin_password"]);
        let env = "ATOLL_ROLE=(not UTF-8)\nATOLL_FF_SALES_CHANNELS=(not UTF-8)";
        let Err(Wrong(wrong)) = load("", env, &[]) else { panic!("it is no text") };
        assert_eq!(wrong, ["ATOLL_ROLE is not UTF-8", "ATOLL_FF_SALES_CHANNELS is not UTF-8"]);
        let Err(Wrong(wrong)) = load("listen = \"a\"\njwt_secret = hunter2", "", &[]) else {
            panic!("it is not TOML")
        };
        assert!(wrong.len() == 1 && wrong[0].contains("(line 2)"), "{wrong:?}");
        assert!(!wrong[0].contains("hunter2"), "{wrong:?}");
    }
}
