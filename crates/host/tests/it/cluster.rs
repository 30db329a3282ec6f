//! Several hosts over one PostgreSQL, as processes: who leads when one is killed or stopped, what is there of
//! what was acknowledged, and what becomes of replicas. Skipped where there is no PostgreSQL.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
};

use atoll_test_postgres::Server as Postgres;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{client::until, command::atoll, server::Server};

/// Long enough that no pause of the machine ends it.
const LEASE: &str = "5";

/// A database with its server, and the folders of hosts.
pub(crate) struct Shop {
    folder: TempDir,
    #[expect(dead_code, reason = "it ends when it is dropped")]
    postgres: Postgres,
    store: String,
}

impl Shop {
    pub(crate) fn open() -> Option<Shop> {
        let postgres = Postgres::start()?;
        let store = postgres.database("shop", postgres.port);
        Some(Shop { folder: TempDir::new().expect("a folder"), postgres, store })
    }

    pub(crate) fn host(&self, name: &str, more: &[&str]) -> Server {
        Server::start(&self.folder.path().join(name), &[&self.arguments(), more].concat())
    }

    fn arguments(&self) -> [&str; 8] {
        [
            "--store", &self.store, "--store-lease", LEASE, "--admin-email", "admin@atoll.test",
            "--admin-password", "atoll-demo",
        ]
    }
}

/// The bearer token of the admin, once there is one.
pub(crate) fn log_in(host: &Server) -> String {
    let credentials = r#"{"email":"admin@atoll.test","password":"atoll-demo"}"#;
    until("a login", || {
        let (status, answer) =
            host.send("POST", "/auth/user/emailpass", &[], credentials).expect("an answer");
        (status == 200).then(|| format!("Bearer {}", answer["token"].as_str().expect("a token")))
    })
}

/// Makes a customer group; returns its name if that was acknowledged.
fn write(host: &Server, token: &str, name: &str) -> Option<String> {
    let body = format!(r#"{{"name":"{name}"}}"#);
    let headers = [("authorization", token), ("idempotency-key", name)];
    let (status, _) = host.send("POST", "/admin/customer-groups", &headers, &body)?;
    (status == 200).then(|| name.to_owned())
}

/// Makes a customer group, however often it is to be tried: a host says that it leads before it knows for how
/// long, and on a busy machine a lease may end.
pub(crate) fn written(host: &Server, token: &str, name: &str) -> String {
    until("a write", || write(host, token, name))
}

pub(crate) fn groups(host: &Server, token: &str) -> BTreeSet<String> {
    let (status, list) = host
        .send("GET", "/admin/customer-groups?limit=1000", &[("authorization", token)], "")
        .expect("an answer");
    assert_eq!(status, 200, "{list}");
    let text = |it: &Value| it["name"].as_str().expect("a name").to_owned();
    list["customer_groups"].as_array().expect("a list").iter().map(text).collect()
}

/// Waits until a host has all of these.
fn until_it_has(host: &Server, token: &str, names: &BTreeSet<String>) {
    until("all groups", || groups(host, token).is_superset(names).then_some(()));
}

#[test]
fn acknowledged_writes_survive_the_host_that_leads() {
    let Some(shop) = Shop::open() else { return eprintln!("skipped: there is no PostgreSQL") };
    let mut first = shop.host("first", &[]);
    first.until_logged("this host leads");
    let token = log_in(&first);
    let second = shop.host("second", &[]);
    let mut acknowledged = BTreeSet::new();
    acknowledged.extend((0..20).map(|n| written(&first, &token, &format!("first {n}"))));
    until_it_has(&second, &token, &acknowledged);
    first.process.kill().expect("a kill");
    drop(first);
    second.until_logged("this host leads");
    acknowledged.extend((0..20).map(|n| written(&second, &token, &format!("second {n}"))));
    assert_eq!(groups(&second, &token), acknowledged);
    // The first one goes on from its replica, and follows.
    let first = shop.host("first", &[]);
    until_it_has(&first, &token, &acknowledged);
    // One that is stopped gives the leadership back.
    second.signal("-TERM");
    first.until_logged("this host leads");
    assert!(second.wait(), "what ran has ended");
    acknowledged.insert(written(&first, &token, "third"));
    assert_eq!(groups(&first, &token), acknowledged);
}

#[test]
fn shop_of_one_host_moves_in_and_out() {
    let Some(shop) = Shop::open() else { return eprintln!("skipped: there is no PostgreSQL") };
    let data = shop.folder.path().join("first");
    let token = {
        let alone =
            Server::start(&data, &["--admin-email", "admin@atoll.test", "--admin-password", "atoll-demo"]);
        let token = log_in(&alone);
        write(&alone, &token, "alone").expect("it is written");
        alone.signal("-TERM");
        assert!(alone.wait());
        token
    };
    let (is_done, verified) = atoll(&data, &["verify"]);
    assert!(is_done, "{verified}");
    let (is_done, said) = atoll(&data, &["store", "move-in", "--store", &shop.store]);
    assert!(is_done && said.starts_with("moved in"), "{said}");
    // Nobody takes the replica for the database of one host.
    let refused = atoll(&data, &["user", "list"]);
    assert!(!refused.0 && refused.1.contains("replica"), "{}", refused.1);
    let hosts = ["first", "second"].map(|it| shop.host(it, &[]));
    let both = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>();
    hosts.iter().for_each(|it| until_it_has(it, &token, &both(&["alone"])));
    hosts[0].until_logged("this host leads");
    written(&hosts[0], &token, "together");
    for host in hosts {
        host.signal("-TERM");
        assert!(host.wait());
    }
    let out: &Path = &shop.folder.path().join("out");
    let (is_done, said) = atoll(out, &["store", "move-out", "--store", &shop.store]);
    assert!(is_done && said.starts_with("moved out"), "{said}");
    // The token is good as before: the secrets have moved in and out as well.
    let alone = Server::start(out, &[]);
    assert_eq!(groups(&alone, &token), both(&["alone", "together"]));
}

/// The readiness of a host.
fn readiness(host: &Server) -> (u16, Value) {
    host.send("GET", "/health/ready", &[], "").expect("an answer")
}

/// Asks a host for its metrics.
fn metrics_of(host: &Server) -> impl Fn() -> String + use<> {
    let line = host.until_logged("serving metrics and health checks");
    let (_, address) = line.split_once("address=").expect("an address");
    let address = address.trim().to_owned();
    move || {
        let mut stream = TcpStream::connect(&address).expect("a connection");
        stream.write_all(get("/metrics").as_bytes()).expect("it is sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        text
    }
}

#[test]
fn roles_and_readiness_of_hosts() {
    let Some(shop) = Shop::open() else { return eprintln!("skipped: there is no PostgreSQL") };
    let metered = ["--metrics-listen", "127.0.0.1:0"];
    let first = shop.host("first", &metered);
    let metrics_of_first = metrics_of(&first);
    first.until_logged("this host leads");
    let token = log_in(&first);
    let second = shop.host("second", &[&metered[..], &["--role", "server"]].concat());
    let metrics_of_second = metrics_of(&second);
    written(&second, &token, "forwarded");
    for host in [&first, &second] {
        until("it is ready", || (readiness(host) == (200, json!({ "status": "ready" }))).then_some(()));
    }
    let shown = [metrics_of_first(), metrics_of_second()];
    for (n, line) in [
        (0, "atoll_host_leads 1"),
        (0, "atoll_host_epoch 1"),
        (1, "atoll_host_leads 0"),
        (1, "atoll_host_epoch 1"),
        (1, "atoll_replica_lag_seconds 0"),
        (1, "atoll_log_silence_seconds "),
        (1, "atoll_forwarded_requests_total{outcome=\"answered\"} "),
    ] {
        assert!(shown[n].lines().any(|it| it.starts_with(line)), "{line} is not in {}", shown[n]);
    }
    // The last one that may lead is stopped: reads go on, and nobody leads.
    first.signal("-TERM");
    assert!(first.wait());
    let other = shop.host("third", &["--jwt-secret", "another than the shop has"]);
    other.until_logged("this host leads");
    // It leads with its own secret now, which the other host has not.
    until("it is not ready", || {
        let (status, said) = readiness(&second);
        let text = said.to_string();
        (status == 503 && text.contains("`jwt_secret` is not that of the other hosts")).then_some(())
    });
    until("it is ready", || (readiness(&other).0 == 200).then_some(()));
    second.signal("-TERM");
    assert!(!second.logged().iter().any(|it| it.contains("this host leads")));
}

#[test]
fn commands_work_where_no_other_host_leads_and_say_so() {
    let Some(shop) = Shop::open() else { return eprintln!("skipped: there is no PostgreSQL") };
    let settings = shop.folder.path().join("atoll.toml");
    fs::write(&settings, format!("store = \"{}\"\nstore_lease = {LEASE}\n", shop.store)).expect("a file");
    let folder = |name: &str| shop.folder.path().join(name);
    let command = |name: &str, args: &[&str]| {
        atoll(&folder(name), &[args, &["--config", settings.to_str().expect("a path")]].concat())
    };
    let user = ["user", "create", "--email", "ann@atoll.test", "--password", "a long password"];
    let first = shop.host("first", &[]);
    first.until_logged("this host leads");
    let token = log_in(&first);
    written(&first, &token, "before");
    let second = shop.host("second", &[]);
    until_it_has(&second, &token, &BTreeSet::from(["before".to_owned()]));
    // A running host backs its replica up, also where it follows.
    let backup = folder("backup").display().to_string();
    let (is_done, said) = command("second", &["backup", &backup]);
    assert!(is_done && said.contains("backed up"), "{said}");
    let restored = folder("restored");
    let (is_done, said) = atoll(&restored, &["restore", &backup, "--verify"]);
    assert!(is_done, "{said}");
    // A third one follows, as the second one does, and says who leads; that one does it while it runs.
    for name in ["second", "third"] {
        let (is_done, said) = command(name, &user);
        assert!(!is_done && said.contains("the shop is led by the host at http://"), "{name}: {said}");
    }
    let (is_done, said) =
        command("first", &["user", "create", "--email", "bob@atoll.test", "--password", "a long one"]);
    assert!(is_done && said.contains("created user bob@atoll.test"), "{said}");
    until("it is listed", || command("second", &["user", "list"]).1.contains("bob@atoll.test").then_some(()));
    for host in [first, second] {
        host.signal("-TERM");
        assert!(host.wait());
    }
    let (is_done, said) = command("third", &user);
    assert!(is_done && said.contains("created user ann@atoll.test"), "{said}");
    let (is_done, said) = command("third", &["user", "list"]);
    assert!(is_done && said.contains("ann@atoll.test") && said.contains("admin@atoll.test"), "{said}");
    let (is_done, said) = command("third", &["migrate"]);
    assert!(!is_done && said.contains("name the store by the setting `store`"), "{said}");
    // What was restored has the secrets that the store holds.
    let alone = Server::start(&restored, &[]);
    assert_eq!(groups(&alone, &token), BTreeSet::from(["before".to_owned()]));
}

#[test]
fn link_of_the_host_that_leads_makes_the_first_admin() {
    let Some(shop) = Shop::open() else { return eprintln!("skipped: there is no PostgreSQL") };
    let args = ["--store", &shop.store, "--store-lease", LEASE];
    let [mut first, second] =
        ["first", "second"].map(|name| Server::start(&shop.folder.path().join(name), &args));
    let printed = BufReader::new(first.process.stdout.take().expect("a pipe"));
    let link = |line: String| Some(line.split_once("/app/first-admin?token=")?.1.to_owned());
    let token = printed.lines().find_map(|it| link(it.expect("a line"))).expect("a link");
    // It is good at every host.
    let page = format!("/app/first-admin?token={token}");
    for host in [&first, &second] {
        until("the page is there", || host.raw(&get(&page)).contains("Choose how you will").then_some(()));
    }
}

/// What is said at the terminal is no matter of the term.
#[test]
fn host_leads_though_nothing_can_be_printed() {
    let Some(shop) = Shop::open() else { return eprintln!("skipped: there is no PostgreSQL") };
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" \"$@\" > /dev/full", env!("CARGO_BIN_EXE_atoll")]);
    let host = Server::start_by(shell, &shop.folder.path().join("first"), &shop.arguments());
    host.until_logged("the address of the pages was not printed");
    log_in(&host);
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
}
