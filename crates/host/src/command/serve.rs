//! `atoll serve`: its flags, and what it starts.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use anyhow::{Context as _, bail};
use atoll_background::Pace;
use atoll_kernel::http::beside;
use atoll_traces::Traces;
use clap::Args;
use tokio::net::TcpListener;

use crate::{
    Application, Assembly, Data, Host, Role, Secret, Settings,
    command::{DATA_FOLDER, StoreArgs},
    control::ControlSocket,
    http::Tls,
    load_demo,
    serving::{Serving, StopSignals},
    supervisor,
    welcome::print_demo,
};

/// Default address: not reachable from other machines.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9000);

/// Default admin of the demo.
const DEMO_ADMIN: (&str, &str) = ("admin@atoll.test", "atoll-demo");

/// Settings may also be given in the file or in the environment.
#[derive(Args)]
pub(crate) struct Serve {
    /// The settings file; default `atoll.toml`, if it exists [env: ATOLL_CONFIG].
    #[arg(long)]
    config: Option<PathBuf>,
    /// The data folder, or `:memory:`; default `atoll-data`, for the demo `:memory:` [env: ATOLL_DATA].
    #[arg(long)]
    data: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
    /// Seconds for which the host that leads may be silent, before another one takes over; default 5
    /// [env: ATOLL_STORE_LEASE].
    #[arg(long)]
    store_lease: Option<String>,
    /// Where the other hosts of the store reach this one; default `http://<listen>`, or `https`, if that is
    /// no address of loopback
    /// [env: ATOLL_PEER_URL].
    #[arg(long)]
    peer_url: Option<String>,
    /// The address to listen on; default `127.0.0.1:9000` [env: ATOLL_LISTEN].
    #[arg(long)]
    listen: Option<String>,
    /// The file of a certificate (PEM), with those that lead to its issuer: HTTPS instead of HTTP, with
    /// HTTP/2. Read again when it changes [env: ATOLL_TLS_CERT].
    #[arg(long)]
    tls_cert: Option<String>,
    /// The file of its private key (PEM) [env: ATOLL_TLS_KEY].
    #[arg(long)]
    tls_key: Option<String>,
    /// The address to serve metrics and health checks on, such as `127.0.0.1:9100`; default none
    /// [env: ATOLL_METRICS_LISTEN].
    #[arg(long)]
    metrics_listen: Option<String>,
    /// The address of a collector of OpenTelemetry that traces are sent to, such as
    /// `http://127.0.0.1:4318`; default none [env: ATOLL_OTLP_ENDPOINT].
    #[arg(long)]
    otlp_endpoint: Option<String>,
    /// Signs login and mailed tokens; by default generated, and kept in the data folder, or in the store of
    /// several hosts [env: ATOLL_JWT_SECRET].
    #[arg(long)]
    jwt_secret: Option<String>,
    /// A file with it [env: ATOLL_JWT_SECRET_FILE].
    #[arg(long)]
    jwt_secret_file: Option<String>,
    /// Goes into the stored digests of sessions; by default generated, and kept in the data folder, or in the
    /// store of several hosts [env: ATOLL_COOKIE_SECRET].
    #[arg(long)]
    cookie_secret: Option<String>,
    /// A file with it [env: ATOLL_COOKIE_SECRET_FILE].
    #[arg(long)]
    cookie_secret_file: Option<String>,
    /// Origins whose pages may call `/store`, separated by commas; default any [env: ATOLL_STORE_CORS].
    #[arg(long)]
    store_cors: Option<String>,
    /// As `--store-cors`, for `/admin` [env: ATOLL_ADMIN_CORS].
    #[arg(long)]
    admin_cors: Option<String>,
    /// As `--store-cors`, for `/auth` [env: ATOLL_AUTH_CORS].
    #[arg(long)]
    auth_cors: Option<String>,
    /// Networks of the reverse proxies in front, separated by commas; default none. Their headers for the
    /// client's address and TLS are trusted [env: ATOLL_TRUSTED_PROXIES].
    #[arg(long)]
    trusted_proxies: Option<String>,
    /// Creates the first admin user, if there is none [env: ATOLL_ADMIN_EMAIL].
    #[arg(long)]
    admin_email: Option<String>,
    /// The password of the first admin user [env: ATOLL_ADMIN_PASSWORD].
    #[arg(long)]
    admin_password: Option<String>,
    /// A file with it [env: ATOLL_ADMIN_PASSWORD_FILE].
    #[arg(long)]
    admin_password_file: Option<String>,
    /// Serve a demo catalogue.
    #[arg(long)]
    demo: bool,
    /// Role of the process: answer requests (`server`), deliver events and run jobs (`worker`), or both
    /// (`shared`, the default); each maintains the runs of sagas. Of several hosts, those with `server` never
    /// lead [env: ATOLL_ROLE].
    #[arg(long)]
    role: Option<String>,
    /// Most open connections; default 4096 [env: ATOLL_CONNECTIONS_MAX].
    #[arg(long)]
    connections_max: Option<String>,
    /// Most concurrent requests; default 1024 [env: ATOLL_REQUESTS_MAX].
    #[arg(long)]
    requests_max: Option<String>,
    /// Most bytes of incoming bodies and unread answers, over all connections; default 256 MiB
    /// [env: ATOLL_BUFFER_BYTES_MAX].
    #[arg(long)]
    buffer_bytes_max: Option<String>,
    /// Seconds for the head of a request, and for a TLS handshake; default 10 [env: ATOLL_HEADER_TIMEOUT].
    #[arg(long)]
    header_timeout: Option<String>,
    /// Seconds in which 64 kB of a body must arrive; default 30 [env: ATOLL_BODY_TIMEOUT].
    #[arg(long)]
    body_timeout: Option<String>,
    /// Seconds for which an idle connection is kept; default 75 [env: ATOLL_IDLE_TIMEOUT].
    #[arg(long)]
    idle_timeout: Option<String>,
    /// Seconds in which 64 kB of an answer must be read; default 30 [env: ATOLL_WRITE_TIMEOUT].
    #[arg(long)]
    write_timeout: Option<String>,
    /// Seconds for which a shutdown waits for running requests, subscribers and jobs; default 30
    /// [env: ATOLL_DRAIN_TIMEOUT].
    #[arg(long)]
    drain_timeout: Option<String>,
    /// Seconds for which a shutdown goes on answering before that, so that load balancers see that it is not
    /// ready; default 0 [env: ATOLL_DRAIN_DELAY].
    #[arg(long)]
    drain_delay: Option<String>,
    /// Most keys that one request may read; default 5000000 [env: ATOLL_REQUEST_KEYS_MAX].
    #[arg(long)]
    request_keys_max: Option<String>,
    /// Threads for expensive reads; default half of the processors [env: ATOLL_READ_THREADS].
    #[arg(long)]
    read_threads: Option<String>,
    /// Most requests that wait for such a thread; default 64 [env: ATOLL_READS_WAITING_MAX].
    #[arg(long)]
    reads_waiting_max: Option<String>,
    /// Seconds for which a request may wait for such a thread and read; default 30 [env: ATOLL_READ_TIMEOUT].
    #[arg(long)]
    read_timeout: Option<String>,
    /// Most bytes of an answer to admins; default 64 MiB [env: ATOLL_ANSWER_BYTES_MAX].
    #[arg(long)]
    answer_bytes_max: Option<String>,
    /// Most bytes of an answer to a storefront; default 16 MiB [env: ATOLL_STORE_ANSWER_BYTES_MAX].
    #[arg(long)]
    store_answer_bytes_max: Option<String>,
    /// Most related records per record that a storefront is shown; default 100 [env:
    /// ATOLL_STORE_CHILDREN_MAX].
    #[arg(long)]
    store_children_max: Option<String>,
    /// Bytes of memory in which the database keeps pages of its file, from 4 MiB on; default 128 MiB
    /// [env: ATOLL_CACHE_BYTES].
    #[arg(long)]
    cache_bytes: Option<String>,
    /// Bytes of memory for remembered answers, 0 for none; default 64 MiB [env: ATOLL_ANSWERS_BYTES_MAX].
    #[arg(long)]
    answers_bytes_max: Option<String>,
    /// Bytes of the disk of the data below which nothing new is written (low disk), 0 for none; default 256
    /// MiB, or a twentieth of a smaller disk [env: ATOLL_DISK_FREE_MIN_BYTES].
    #[arg(long)]
    disk_free_min_bytes: Option<String>,
    /// Days after which an unchanged cart is deleted, 0 for never; default 30 [env: ATOLL_CART_DAYS].
    #[arg(long)]
    cart_days: Option<String>,
    /// How often an event is given to a subscriber that fails, before it becomes a dead letter; default 10
    /// [env: ATOLL_EVENT_ATTEMPTS].
    #[arg(long)]
    event_attempts: Option<String>,
    /// Where this server is reached from outside, for the links that it makes; default `http://<listen>`,
    /// or `https` [env: ATOLL_PUBLIC_URL].
    #[arg(long)]
    public_url: Option<String>,
    /// Where `/static` of this server is reached from outside, for the URLs of uploaded files; default
    /// `<public_url>/static` [env: ATOLL_FILES_URL].
    #[arg(long)]
    files_url: Option<String>,
    /// Most bytes of an uploaded file, up to 64 MiB; default 16 MiB [env: ATOLL_FILE_BYTES_MAX].
    #[arg(long)]
    file_bytes_max: Option<String>,
    /// The notification provider that sends e-mails, by its id; default none [env: ATOLL_EMAIL_PROVIDER].
    #[arg(long)]
    email_provider: Option<String>,
    /// Where the pages for merchants and operators are, or `off`; default `/app` [env: ATOLL_APP].
    #[arg(long)]
    app: Option<String>,
    /// Whether the API reference is served at `/docs`, `on` or `off`; default on [env: ATOLL_DOCS].
    #[arg(long)]
    docs: Option<String>,
    /// The folder of a dashboard that was built for this API; default none [env: ATOLL_DASHBOARD].
    #[arg(long)]
    dashboard: Option<String>,
    /// Where the dashboard is served; default `/dashboard` [env: ATOLL_DASHBOARD_PATH].
    #[arg(long)]
    dashboard_path: Option<String>,
    /// The folder that backups are made into, by schedule or when an admin asks; default none
    /// [env: ATOLL_BACKUP_DIR].
    #[arg(long)]
    backup_dir: Option<String>,
    /// When backups are made, as a cron pattern in UTC, such as `0 3 * * *`; default never
    /// [env: ATOLL_BACKUP_SCHEDULE].
    #[arg(long)]
    backup_schedule: Option<String>,
    /// How many backups are kept in the folder; default 7 [env: ATOLL_BACKUPS_KEPT].
    #[arg(long)]
    backups_kept: Option<String>,
    /// The folder that admins export the shop into; default none [env: ATOLL_EXPORT_DIR].
    #[arg(long)]
    export_dir: Option<String>,
    /// Filter of the log: `info`, `debug`, or any filter of `tracing`, such as `info,atoll::requests=debug`
    /// for a line per request [env: ATOLL_LOG].
    #[arg(long)]
    log: Option<String>,
    /// Form of the log: `text` (the default) or `json` [env: ATOLL_LOG_FORMAT].
    #[arg(long)]
    log_format: Option<String>,
    /// A setting of a module, such as `restock.days=7`; may be given several times.
    #[arg(long, value_name = "MODULE.NAME=VALUE")]
    set: Vec<String>,
}

impl Serve {
    fn settings(self, host: &Host) -> anyhow::Result<Settings> {
        host.settings(
            self.config,
            self.set,
            [
                ("data", self.data),
                ("store", self.store.store),
                ("store_file", self.store.store_file),
                ("store_lease", self.store_lease),
                ("peer_url", self.peer_url),
                ("listen", self.listen),
                ("tls_cert", self.tls_cert),
                ("tls_key", self.tls_key),
                ("metrics_listen", self.metrics_listen),
                ("otlp_endpoint", self.otlp_endpoint),
                ("jwt_secret", self.jwt_secret),
                ("jwt_secret_file", self.jwt_secret_file),
                ("cookie_secret", self.cookie_secret),
                ("cookie_secret_file", self.cookie_secret_file),
                ("admin_email", self.admin_email),
                ("admin_password", self.admin_password),
                ("admin_password_file", self.admin_password_file),
                ("role", self.role),
                ("log", self.log),
                ("log_format", self.log_format),
                ("store_cors", self.store_cors),
                ("admin_cors", self.admin_cors),
                ("auth_cors", self.auth_cors),
                ("trusted_proxies", self.trusted_proxies),
                ("connections_max", self.connections_max),
                ("requests_max", self.requests_max),
                ("buffer_bytes_max", self.buffer_bytes_max),
                ("header_timeout", self.header_timeout),
                ("body_timeout", self.body_timeout),
                ("idle_timeout", self.idle_timeout),
                ("write_timeout", self.write_timeout),
                ("drain_timeout", self.drain_timeout),
                ("drain_delay", self.drain_delay),
                ("request_keys_max", self.request_keys_max),
                ("read_threads", self.read_threads),
                ("reads_waiting_max", self.reads_waiting_max),
                ("read_timeout", self.read_timeout),
                ("answer_bytes_max", self.answer_bytes_max),
                ("store_answer_bytes_max", self.store_answer_bytes_max),
                ("store_children_max", self.store_children_max),
                ("cache_bytes", self.cache_bytes),
                ("answers_bytes_max", self.answers_bytes_max),
                ("disk_free_min_bytes", self.disk_free_min_bytes),
                ("cart_days", self.cart_days),
                ("event_attempts", self.event_attempts),
                ("public_url", self.public_url),
                ("files_url", self.files_url),
                ("file_bytes_max", self.file_bytes_max),
                ("email_provider", self.email_provider),
                ("app", self.app),
                ("docs", self.docs),
                ("dashboard", self.dashboard),
                ("dashboard_path", self.dashboard_path),
                ("backup_dir", self.backup_dir),
                ("backup_schedule", self.backup_schedule),
                ("backups_kept", self.backups_kept),
                ("export_dir", self.export_dir),
            ],
        )
    }

    pub(crate) async fn run(self, host: &Host) -> anyhow::Result<()> {
        let demo = self.demo;
        let mut settings = self.settings(host)?;
        let data = settings.data.take();
        let data = data.unwrap_or_else(|| Data::from(if demo { ":memory:" } else { DATA_FOLDER }));
        let listen = settings.listen.unwrap_or(LISTEN);
        let of_demo = || demo.then(|| (DEMO_ADMIN.0.to_owned(), Secret(DEMO_ADMIN.1.to_owned())));
        settings.admin = settings.admin.or_else(of_demo);
        let admin = settings.admin.clone();
        if let Some(shared) = &settings.store {
            if demo {
                bail!("the demo has data of its own: it takes no store");
            }
            check_reached_by_others(shared.url.as_deref(), listen)?;
        }
        // Before the data is opened: a port that is in use must not start a migration or recovery.
        let listener = bind(listen).await?;
        let metrics = match settings.metrics_listen {
            Some(listen) => Some(bind(listen).await?),
            None => None,
        };
        let tls = match &settings.tls {
            Some((cert, key)) => Some(Tls::load(cert, key).map_err(anyhow::Error::msg)?),
            None => None,
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let base = format!("{scheme}://{}", reachable(listener.local_addr()?));
        let public = settings.public_url.clone().unwrap_or_else(|| base.clone());
        if let Some(shared) = &mut settings.store {
            shared.url.get_or_insert_with(|| base.clone());
        }
        settings.files_url.get_or_insert_with(|| format!("{public}/static"));
        let pages = settings.pages.clone();
        let (role, drain_delay) = (settings.role, settings.drain_delay);
        let (pace, limits) = (pace(settings.event_attempts), settings.http);
        let dashboard = settings.dashboard.take();
        supervisor::starting("opening the data");
        let traces = settings.otlp_endpoint.take().map(Traces::start);
        let mut assembly = Assembly::open(&data, settings).await?;
        assembly.config.tracer = traces.as_ref().map(Traces::tracer);
        let mut app = assembly.start().await?;
        // Before it says that it serves: whoever stops it from then on expects it to finish what runs.
        let stop = StopSignals::catch()?;
        if let Some(dashboard) = dashboard {
            app.router = app.router.merge(beside(app.ctx.clone(), dashboard.router()));
        }
        if demo {
            let demo = load_demo(&app.ctx, &app.first_run).await?;
            // If there were users before, the demo's was not created.
            print_demo(&base, admin.as_ref().filter(|_| app.first_run.user), &demo)?;
        }
        let _control = control(&app, &data);
        tracing::info!(%base, ?data, first_run = ?app.first_run, "serving");
        // Of several hosts, also one that runs the background leads, and others have the pages.
        let has_pages = role != Role::Worker || app.membership.is_some();
        let pages = pages.path().filter(|_| has_pages).map(|root| format!("{public}{root}"));
        let serving =
            Serving { listener, tls, metrics, role, pace, limits, drain_delay, at: base, pages, stop };
        let served = serving.serve(app).await;
        if let Some(traces) = traces {
            traces.stop().await;
        }
        served
    }
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.with_context(|| format!("failed to listen on {listen}"))
}

/// Listens for `atoll backup` in the data folder. Without it the shop serves all the same.
fn control(app: &Application, data: &Data) -> Option<ControlSocket> {
    let Data::Folder(folder) = data else { return None };
    let listening = ControlSocket::listen(app.ctx.clone(), folder);
    listening.inspect_err(|error| tracing::warn!(%error, "no control socket: `atoll backup` cannot ask")).ok()
}

/// The address at which a process of this machine reaches one that listens on this one: that of all
/// interfaces, `0.0.0.0`, is the address of none.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Refuses a host that others would take for themselves: without `peer_url` they reach it where it listens,
/// and an address of loopback is another host on each machine. One whose port the system chooses has others
/// on this machine alone, and cannot know its address before.
fn check_reached_by_others(url: Option<&str>, listen: SocketAddr) -> anyhow::Result<()> {
    if url.is_none() && reachable(listen).ip().is_loopback() && listen.port() != 0 {
        bail!(
            "peer_url: with a store that several hosts share, name the address where the others reach this one, such \
             as http://10.0.0.11:{}: it listens on {listen} (ATOLL_PEER_URL)",
            listen.port()
        );
    }
    Ok(())
}

/// The pace of background tasks, with so many attempts at an event.
fn pace(event_attempts: Option<u32>) -> Pace {
    let default = Pace::default();
    Pace { n_failures_max: event_attempts.unwrap_or(default.n_failures_max), ..default }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_an_address_that_there_is() {
        for (listen, reached) in
            [("0.0.0.0:9000", "127.0.0.1:9000"), ("[::]:9000", "[::1]:9000"), ("10.0.0.5:80", "10.0.0.5:80")]
        {
            let listen = listen.parse().expect("an address");
            assert_eq!(reachable(listen).to_string(), reached);
        }
    }

    #[test]
    fn host_that_no_other_one_reaches_is_refused() {
        let check = |url, listen: &str| check_reached_by_others(url, listen.parse().expect("an address"));
        for listen in ["127.0.0.1:9000", "0.0.0.0:9000", "[::]:9000", "[::1]:9000"] {
            let refused = check(None, listen).expect_err("it is an address of each machine").to_string();
            assert!(refused.starts_with("peer_url: ") && refused.contains("10.0.0.11:9000"), "{refused}");
            check(Some("http://127.0.0.1:9000"), listen).expect("that is said, for hosts on one machine");
        }
        check(None, "10.0.0.5:9000").expect("others reach it there");
        check(None, "127.0.0.1:0").expect("it is chosen by the system");
    }
}
