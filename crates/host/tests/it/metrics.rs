//! Metrics of the served binary; the dashboard and the alert rules of `ops/` name those that there are, and
//! Prometheus understands them.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use atoll_kernel::serde_json::{self, Value};
use tempfile::TempDir;

use crate::server::Server;

/// A served binary, and where its metrics are.
struct Metered {
    server: Server,
    metrics: String,
}

impl Metered {
    fn start(folder: &Path) -> Metered {
        let server = Server::start(folder, &["--demo", "--metrics-listen", "127.0.0.1:0"]);
        let line = server.until_logged("serving metrics and health checks");
        let (_, address) = line.split_once("address=").expect("an address");
        Metered { server, metrics: address.trim().to_owned() }
    }

    /// The head and the body of an answer at the address of the metrics.
    fn get(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.metrics).expect("a connection");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.to_owned(), body.to_owned())
    }

    fn text(&self) -> String {
        let (head, body) = self.get("/metrics");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(body.ends_with("# EOF\n"), "{body}");
        body
    }

    /// Asks for something of each kind, so that each family has a series; at last `verify`.
    fn use_it(&self) {
        let key = self.server.key("Web Shop");
        let shop = [("x-publishable-api-key", key.as_str())];
        let send =
            |method, path, headers: &[(&str, &str)], body| self.server.send(method, path, headers, body);
        // What the background writes when it begins may come in between.
        let is_remembered = || self.text().contains("atoll_answers_total{outcome=\"remembered\"} 1");
        while !is_remembered() {
            send("GET", "/store/products?limit=2", &shop, "").expect("an answer");
        }
        send("GET", "/store/products/prod_01SECRETID", &shop, "").expect("an answer");
        send("GET", "/nowhere/at/all", &[], "").expect("an answer");
        send("POST", "/store/carts", &shop, "{}").expect("an answer");
        let wrong = r#"{"email":"nobody@atoll.test","password":"wrong"}"#;
        while send("POST", "/auth/user/emailpass", &[], wrong).expect("an answer").0 != 429 {}
        let bearer = self.server.log_in();
        for path in ["/admin/jobs/cart.delete-expired/run", "/admin/verify/start"] {
            let (status, answer) =
                send("POST", path, &[("authorization", &bearer)], "{}").expect("an answer");
            assert_eq!(status, 200, "{path}: {answer}");
        }
        while !self.text().contains("atoll_verify_problems 0") {}
    }
}

/// The names of the series of an exposition, also of families that have none yet: a shop without a dead
/// letter.
fn series(text: &str) -> BTreeSet<String> {
    let families = text.lines().filter_map(|it| it.strip_prefix("# TYPE ")?.split_once(' '));
    let names = families.flat_map(|(name, kind)| {
        let suffixes: &[&str] = match kind {
            "histogram" => &["_bucket", "_sum", "_count"],
            "counter" => &["_total"],
            _ => &[""],
        };
        suffixes.iter().map(move |suffix| format!("{name}{suffix}"))
    });
    names.collect()
}

fn ops(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ops").join(file)
}

/// The expressions of the dashboard, each with its panel, as Grafana sends them.
fn queries() -> Vec<(String, String)> {
    let text = fs::read_to_string(ops("dashboard.json")).expect("the dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().expect("an expression");
            let query = query.replace("$__rate_interval", "5m").replace("$job", "atoll");
            queries.push((panel["title"].as_str().expect("a title").to_owned(), query));
        }
    }
    queries
}

#[test]
fn metrics_are_served_at_an_address_of_their_own() {
    let folder = TempDir::new().expect("a folder");
    let metered = Metered::start(folder.path());
    metered.use_it();
    let (head, text) = metered.get("/metrics");
    assert!(head.contains("application/openmetrics-text; version=1.0.0"), "{head}");
    for line in [
        "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/store/products\",http_response_status_code=\"200\"} ",
        "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/store/products/:id\",http_response_status_code=\"404\"} 1",
        "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"unmatched\",http_response_status_code=\"404\"} 1",
        "atoll_limit_hits_total{limit=\"login_attempts\"} 1",
        "atoll_answers_total{outcome=\"remembered\"} 1",
        "atoll_disk_low 0",
    ] {
        assert!(text.lines().any(|it| it.starts_with(line)), "{line} is not in {text}");
    }
    // No label is an id or a text of a client.
    for text_of_client in ["01SECRETID", "nowhere", "nobody@"] {
        assert!(!text.contains(text_of_client), "{text}");
    }
    assert!(metered.get("/health/live").0.starts_with("HTTP/1.1 200"));
    assert!(metered.get("/store/products").0.starts_with("HTTP/1.1 404"));
    assert_ne!(metered.server.send("GET", "/metrics", &[], "").expect("an answer").0, 200);
}

#[test]
fn dashboard_and_alert_rules_name_metrics_that_there_are() {
    let folder = TempDir::new().expect("a folder");
    let metered = Metered::start(folder.path());
    metered.use_it();
    let there = series(&metered.text());
    let rules = fs::read_to_string(ops("alerts.yml")).expect("the rules");
    let named = queries().into_iter().map(|it| it.1).chain([rules]).collect::<Vec<_>>().join("\n");
    let words = named.split(|it: char| !(it.is_ascii_alphanumeric() || it == '_'));
    let of_ours =
        |it: &&str| ["atoll_", "http_server_", "process_"].iter().any(|start| it.starts_with(start));
    let named: BTreeSet<&str> = words.filter(of_ours).collect();
    assert!(named.len() > 30, "{named:?}");
    let missing: Vec<&&str> = named.iter().filter(|it| !there.contains(**it)).collect();
    assert!(missing.is_empty(), "{missing:?} are not in {there:?}");
}

/// Is this program of Debian's package `prometheus` there? In CI it must be.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|it| it.status.success());
    assert!(
        found || env::var_os("CI").is_none(),
        "`{program}` is not there: install the package `prometheus`"
    );
    if !found {
        writeln!(std::io::stderr(), "skipped: `{program}` is not there").expect("standard error");
    }
    found
}

#[track_caller]
fn promtool(arguments: &[&str]) -> String {
    let done = Command::new("promtool").args(arguments).output().expect("promtool runs");
    let text = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "promtool {arguments:?}: {text}");
    text
}

#[test]
fn alert_rules_pass_their_tests() {
    if !has("promtool") {
        return;
    }
    let path = |file: &str| ops(file).display().to_string();
    promtool(&["check", "config", &path("prometheus.yml")]);
    promtool(&["check", "rules", &path("alerts.yml")]);
    promtool(&["test", "rules", &path("alerts_test.yml")]);
    // Each alert has a test in which it fires, and one in which it does not.
    let (rules, tests) = (fs::read_to_string(ops("alerts.yml")), fs::read_to_string(ops("alerts_test.yml")));
    let (rules, tests) = (rules.expect("the rules"), tests.expect("their tests"));
    for alert in rules.lines().filter_map(|it| it.trim().strip_prefix("- alert: ")) {
        let (mut fires, mut is_quiet) = (false, false);
        let lines: Vec<&str> = tests.lines().collect();
        for pair in lines.windows(2).filter(|it| it[0].trim() == format!("alertname: {alert}")) {
            match pair[1].trim() {
                "exp_alerts: []" => is_quiet = true,
                _ => fires = true,
            }
        }
        assert!(fires && is_quiet, "{alert} is not tested both ways");
    }
}

/// A Prometheus that scrapes a served binary each second. On drop it is killed.
struct Prometheus {
    process: Child,
    url: String,
    _folder: TempDir,
}

impl Prometheus {
    fn scraping(metered: &Metered) -> Prometheus {
        let folder = TempDir::new().expect("a folder");
        let config = format!(
            "global: {{ scrape_interval: 1s }}\nscrape_configs:\n  - job_name: atoll\n    static_configs:\n      \
             - targets: [\"{}\"]\n",
            metered.metrics
        );
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, config).expect("a file");
        // It has no way to choose a port and to say which: this one was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={free}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus starts");
        Prometheus { process, url: format!("http://{free}"), _folder: folder }
    }

    /// The result of a query: a line for each series, or why there is none.
    fn query(&self, query: &str) -> Result<String, String> {
        let asked = Command::new("promtool").args(["query", "instant", &self.url, query]).output();
        let asked = asked.expect("promtool runs");
        match asked.status.success() {
            true => Ok(String::from_utf8_lossy(&asked.stdout).trim().to_owned()),
            false => Err(String::from_utf8_lossy(&asked.stderr).into_owned()),
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn each_panel_of_the_dashboard_shows_something() {
    if !has("prometheus") || !has("promtool") {
        return;
    }
    let folder = TempDir::new().expect("a folder");
    let metered = Metered::start(folder.path());
    metered.use_it();
    let prometheus = Prometheus::scraping(&metered);
    let until = Instant::now() + Duration::from_secs(120);
    for (panel, query) in queries() {
        // What is to be looked at only when something is wrong is empty, and so is what is of several hosts.
        let is_of_hosts = ["atoll_host_", "atoll_replica_", "atoll_forwarded_", "atoll_log_"];
        if query.contains(" > ") || is_of_hosts.iter().any(|it| query.contains(it)) {
            continue;
        }
        // Rates need two scrapes with a request in between.
        loop {
            let found = prometheus.query(&query);
            if found.as_ref().is_ok_and(|it| !it.is_empty()) {
                break;
            }
            assert!(Instant::now() < until, "`{panel}` shows nothing: {query}: {found:?}");
            metered.server.send("GET", "/health", &[], "").expect("an answer");
        }
    }
    for (panel, query) in queries() {
        let found = prometheus.query(&query);
        assert!(found.is_ok(), "`{panel}`: {query}: {found:?}");
    }
}
