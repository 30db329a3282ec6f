//! Several hosts over one PostgreSQL, as processes: who leads when one is killed or stopped, what is there of
//! what was acknowledged, and what becomes of replicas. Skipped where there is no PostgreSQL.

use std::{collections::BTreeSet, path::Path};

use atoll_test_postgres::Server as Postgres;
use serde_json::Value;
use tempfile::TempDir;

use crate::{command::atoll, server::Server};

/// Long enough that no pause of the machine ends it.
const LEASE: &str = "2";

/// A database with its server, and the folders of hosts.
struct Shop {
    folder: TempDir,
    postgres: Postgres,
    store: String,
}

impl Shop {
    fn open() -> Option<Shop> {
        let postgres = Postgres::start()?;
        let store = postgres.database("shop", postgres.port);
        Some(Shop { folder: TempDir::new().expect("a folder"), postgres, store })
    }

    fn host(&self, name: &str, more: &[&str]) -> Server {
        let args = [
            "--store", &self.store, "--store-lease", LEASE, "--jwt-secret", "the same on every host",
            "--admin-email", "admin@atoll.test", "--admin-password", "atoll-demo",
        ];
        Server::start(&self.folder.path().join(name), &[&args, more].concat())
    }
}

/// The bearer token of the admin, once there is one.
fn log_in(host: &Server) -> String {
    let credentials = r#"{"email":"admin@atoll.test","password":"atoll-demo"}"#;
    loop {
        let (status, answer) =
            host.send("POST", "/auth/user/emailpass", &[], credentials).expect("an answer");
        if status == 200 {
            return format!("Bearer {}", answer["token"].as_str().expect("a token"));
        }
    }
}

/// Makes a customer group; returns its name if that was acknowledged.
fn write(host: &Server, token: &str, name: &str) -> Option<String> {
    let body = format!(r#"{{"name":"{name}"}}"#);
    let (status, _) = host.send("POST", "/admin/customer-groups", &[("authorization", token)], &body)?;
    (status == 200).then(|| name.to_owned())
}

fn groups(host: &Server, token: &str) -> BTreeSet<String> {
    let (status, list) = host
        .send("GET", "/admin/customer-groups?limit=1000", &[("authorization", token)], "")
        .expect("an answer");
    assert_eq!(status, 200, "{list}");
    let text = |it: &Value| it["name"].as_str().expect("a name").to_owned();
    list["customer_groups"].as_array().expect("a list").iter().map(text).collect()
}

/// Waits until a host has all of these.
fn until_it_has(host: &Server, token: &str, names: &BTreeSet<String>) {
    while !groups(host, token).is_superset(names) {}
}

#[test]
fn acknowledged_writes_survive_the_host_that_leads() {
    let Some(shop) = Shop::open() else { return eprintln!("skipped: there is no PostgreSQL") };
    let mut first = shop.host("first", &[]);
    first.until_logged("this host leads");
    let token = log_in(&first);
    let second = shop.host("second", &[]);
    let mut acknowledged = BTreeSet::new();
    for n in 0..20 {
        acknowledged.extend(write(&first, &token, &format!("first {n}")));
    }
    assert_eq!(acknowledged.len(), 20);
    until_it_has(&second, &token, &acknowledged);
    first.process.kill().expect("a kill");
    drop(first);
    second.until_logged("this host leads");
    for n in 0..20 {
        acknowledged.extend(write(&second, &token, &format!("second {n}")));
    }
    assert_eq!(groups(&second, &token), acknowledged);
    assert_eq!(acknowledged.len(), 40);
    // The first one goes on from its replica, and follows.
    let first = shop.host("first", &[]);
    until_it_has(&first, &token, &acknowledged);
    // One that is stopped gives the leadership back.
    second.signal("-TERM");
    first.until_logged("this host leads");
    assert!(second.wait(), "what ran has ended");
    acknowledged.extend(write(&first, &token, "third"));
    assert_eq!(groups(&first, &token), acknowledged);
    assert_eq!(acknowledged.len(), 41);
}

#[test]
fn reads_go_on_without_postgresql_and_writes_come_back() {
    let Some(shop) = Shop::open() else { return eprintln!("skipped: there is no PostgreSQL") };
    let host = shop.host("first", &[]);
    host.until_logged("this host leads");
    let token = log_in(&host);
    let mut acknowledged = BTreeSet::from([write(&host, &token, "before").expect("it is written")]);
    shop.postgres.crash();
    assert_eq!(write(&host, &token, "meanwhile"), None);
    assert_eq!(groups(&host, &token), acknowledged, "reads go on");
    shop.postgres.up();
    let mut n = 0;
    while !acknowledged.contains("after") {
        acknowledged.extend(write(&host, &token, "after"));
        n += 1;
        assert!(n < 100_000, "it does not come back");
    }
    let found = groups(&host, &token);
    assert!(found.is_superset(&acknowledged), "{found:?}");
    assert_eq!(found.len() - usize::from(found.contains("meanwhile")), 2, "each is there once: {found:?}");
}

#[test]
fn shop_of_one_host_moves_in_and_out() {
    let Some(shop) = Shop::open() else { return eprintln!("skipped: there is no PostgreSQL") };
    let data = shop.folder.path().join("first");
    let token = {
        let alone = Server::start(
            &data,
            &[
                "--jwt-secret", "the same on every host", "--admin-email", "admin@atoll.test",
                "--admin-password", "atoll-demo",
            ],
        );
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
    write(&hosts[0], &token, "together").expect("it leads");
    for host in hosts {
        host.signal("-TERM");
        assert!(host.wait());
    }
    let out: &Path = &shop.folder.path().join("out");
    let (is_done, said) = atoll(out, &["store", "move-out", "--store", &shop.store]);
    assert!(is_done && said.starts_with("moved out"), "{said}");
    let alone = Server::start(out, &["--jwt-secret", "the same on every host"]);
    assert_eq!(groups(&alone, &token), both(&["alone", "together"]));
}
