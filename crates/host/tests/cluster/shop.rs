//! A shop on several hosts, each a process, over a PostgreSQL of its own; what can happen to them.

use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    thread,
    time::Duration,
};

use atoll_test_postgres::Server as Postgres;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    client::{Client, let_pass, until},
    network::{self, Namespace},
};

/// How long a leader may be silent. Short, so that tests need not wait.
pub(crate) const LEASE: Duration = Duration::from_millis(300);

/// The database of a shop.
const DATABASE: &str = "shop";

/// Several hosts, and the PostgreSQL that they share.
pub(crate) struct Shop {
    pub(crate) postgres: Postgres,
    store: String,
    hosts: Vec<Host>,
    /// A client with the rights of the admin.
    pub(crate) admin: Client,
    folder: TempDir,
}

/// A host. Its address is its own as long as the test runs, also while its process has ended.
struct Host {
    data: PathBuf,
    address: SocketAddr,
    namespace: Option<Namespace>,
    process: Mutex<Option<Child>>,
}

impl Host {
    /// A program that is to run where this host is.
    fn command(&self, program: &str) -> Command {
        self.namespace.as_ref().map_or_else(|| Command::new(program), |it| it.command(program))
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The port of each host.
const PORT: u16 = 9000;

/// An address of the loopback network that no other test has: connections from 127.0.0.1 take no port of it.
fn own_address() -> SocketAddr {
    static N: AtomicU8 = AtomicU8::new(1);
    let process = std::process::id();
    let (high, low) = ((process / 250 % 250) as u8, (process % 250) as u8);
    SocketAddr::from((Ipv4Addr::new(127, 1 + high, 1 + low, N.fetch_add(1, Ordering::Relaxed)), PORT))
}

impl Shop {
    /// A new shop on so many hosts. None if there is no PostgreSQL.
    pub(crate) fn open(n_hosts: usize) -> Option<Shop> {
        let postgres = Postgres::start()?;
        let store = postgres.database(DATABASE, postgres.port);
        Some(Shop::over(postgres, store, n_hosts))
    }

    /// As `open`, with each host in a network namespace of its own.
    pub(crate) fn in_namespaces(n_hosts: usize) -> Option<Shop> {
        network::open();
        let postgres = Postgres::start_at(network::POSTGRES)?;
        let store = postgres.database(DATABASE, postgres.port);
        let store = store.replace("127.0.0.1", &network::POSTGRES.to_string());
        let namespaces = (0..n_hosts).map(|n| Some(Namespace::new(n))).collect();
        Some(Shop::of(postgres, store, namespaces))
    }

    /// As `open`, over this store.
    pub(crate) fn over(postgres: Postgres, store: String, n_hosts: usize) -> Shop {
        Shop::of(postgres, store, (0..n_hosts).map(|_| None).collect())
    }

    fn of(postgres: Postgres, store: String, namespaces: Vec<Option<Namespace>>) -> Shop {
        let folder = TempDir::new().expect("a folder");
        let n_hosts = namespaces.len();
        let host = |(n, namespace): (usize, Option<Namespace>)| Host {
            data: folder.path().join(n.to_string()),
            address: namespace.as_ref().map_or_else(own_address, |it| (it.address, PORT).into()),
            namespace,
            process: Mutex::default(),
        };
        let hosts = namespaces.into_iter().enumerate().map(host).collect();
        let mut shop = Shop { postgres, store, hosts, admin: Client::default(), folder };
        for n in 0..n_hosts {
            shop.start(n);
        }
        let credentials = json!({ "email": "admin@atoll.test", "password": "atoll-demo" }).to_string();
        let path = "/auth/user/emailpass";
        // The first admin is made once a host leads.
        let token = until("a login", || {
            let answer = shop.admin.send(shop.address(0), "POST", path, &credentials)?;
            Some(answer.json["token"].as_str()?.to_owned())
        });
        shop.admin = Client::default().with("authorization", &format!("Bearer {token}"));
        shop
    }

    pub(crate) fn address(&self, n: usize) -> SocketAddr {
        self.hosts[n].address
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.hosts.iter().map(|it| it.address).collect()
    }

    /// The rows of an answer of PostgreSQL.
    pub(crate) fn ask(&self, question: &str) -> String {
        self.postgres.ask(DATABASE, question)
    }

    /// How often the leadership has changed.
    pub(crate) fn epoch(&self) -> u64 {
        until("PostgreSQL answers", || self.ask("SELECT epoch FROM atoll_head").parse().ok())
    }

    /// The host that leads, or has led before the lease ended.
    pub(crate) fn leader(&self) -> usize {
        until("a host leads", || {
            let url = self.ask("SELECT url FROM atoll_head");
            self.hosts.iter().position(|it| url == format!("http://{}", it.address))
        })
    }

    /// Starts a host, and waits until it answers. It answers before it leads.
    pub(crate) fn start(&self, n: usize) {
        let host = &self.hosts[n];
        fs::create_dir_all(&host.data).expect("a folder");
        let log = fs::File::options().create(true).append(true).open(self.log_of(n)).expect("a file");
        let process = host
            .command(env!("CARGO_BIN_EXE_atoll"))
            .args(["serve", "--listen", &host.address.to_string(), "--data"])
            .arg(&host.data)
            .args(["--peer-url", &format!("http://{}", host.address)])
            .args(["--store", &self.store, "--store-lease", &LEASE.as_secs_f64().to_string()])
            .args(["--admin-email", "admin@atoll.test", "--admin-password", "atoll-demo"])
            .envs([("ATOLL_LOG", "info"), ("NO_COLOR", "1")])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        *host.process() = Some(process.expect("the binary starts"));
        until("a host answers", || {
            let ended = host.process().as_mut().and_then(|it| it.try_wait().expect("a process"));
            assert!(ended.is_none(), "host {n} ended: {}", self.log(n));
            Client::default().send(host.address, "GET", "/health/live", "").filter(|it| it.is_ok())
        });
    }

    /// Kills a host, as a loss of power does.
    pub(crate) fn kill(&self, n: usize) {
        let mut process = self.hosts[n].process().take().expect("it runs");
        process.kill().expect("a kill");
        process.wait().expect("an end");
    }

    /// Stops a host as an operator does, and waits for its end.
    pub(crate) fn end(&self, n: usize) {
        self.signal(n, "-TERM");
        let mut process = self.hosts[n].process().take().expect("it runs");
        let ended = until("a host ends", || process.try_wait().expect("a process"));
        assert!(ended.success(), "host {n}: {ended}: {}", self.log(n));
    }

    /// Whether the process of a host has ended by itself.
    pub(crate) fn has_ended(&self, n: usize) -> bool {
        let mut process = self.hosts[n].process();
        process.as_mut().is_none_or(|it| it.try_wait().expect("a process").is_some())
    }

    /// Stops the time of a host, for so long; then it goes on, and knows nothing of it.
    pub(crate) fn pause(&self, n: usize, time: Duration) {
        self.signal(n, "-STOP");
        let_pass(time);
        self.signal(n, "-CONT");
    }

    /// The namespace of a host, of those that have one.
    pub(crate) fn namespace(&self, n: usize) -> &Namespace {
        self.hosts[n].namespace.as_ref().expect("it has one")
    }

    fn signal(&self, n: usize, name: &str) {
        let id = self.hosts[n].process().as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().expect("kill runs").success());
    }

    fn log_of(&self, n: usize) -> PathBuf {
        self.folder.path().join(format!("{n}.log"))
    }

    /// What a host has logged.
    pub(crate) fn log(&self, n: usize) -> String {
        fs::read_to_string(self.log_of(n)).unwrap_or_default()
    }

    /// The leader is lost every ten leases, until it is over: by turns its process is killed and started
    /// again, and its time stands still for longer than the lease. Returns how often.
    pub(crate) fn disturb(&self, is_over: &AtomicBool) -> usize {
        let mut n_times = 0;
        while !is_over.load(Ordering::Relaxed) {
            let_pass(LEASE * 10);
            let leader = self.leader();
            if n_times % 2 == 0 {
                self.kill(leader);
                self.start(leader);
            } else {
                self.pause(leader, LEASE * 3);
            }
            n_times += 1;
        }
        n_times
    }

    /// Ends all hosts: each replica that is at the last commit holds the same, byte for byte, and nothing is
    /// wrong with it.
    pub(crate) fn close(self) {
        for n in 0..self.hosts.len() {
            self.end(n);
        }
        for host in &self.hosts {
            verify(&host.data);
        }
    }
}

/// What `atoll verify` finds in a folder is nothing.
fn verify(data: &Path) {
    let done = Command::new(env!("CARGO_BIN_EXE_atoll")).args(["verify", "--data"]).arg(data).output();
    let done = done.expect("the binary runs");
    let (found, why) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "what a host left behind: {found}{why}");
}

impl Drop for Shop {
    fn drop(&mut self) {
        for (n, host) in self.hosts.iter().enumerate() {
            if let Some(mut process) = host.process().take() {
                // A process whose time stands still ends, too.
                drop((process.kill(), process.wait()));
            }
            if thread::panicking() {
                eprintln!("what host {n} logged:\n{}", self.log(n));
            }
        }
    }
}

/// Seconds that a test takes, as the environment says; else more in CI than at a desk.
pub(crate) fn seconds(variable: &str, at_a_desk: u64, in_ci: u64) -> Duration {
    let default = if env::var_os("CI").is_some() { in_ci } else { at_a_desk };
    let set = env::var(variable).ok();
    Duration::from_secs(set.map_or(default, |it| it.parse().expect("a number of seconds")))
}
