//! PostgreSQL itself fails: it is stopped at once, or another server takes its place.

use atoll_test_postgres::Server as Postgres;

use crate::{client::until, shop::Shop};

const GROUPS: &str = "/admin/customer-groups";

/// Makes a customer group; whether that was acknowledged.
fn is_written(shop: &Shop, n: usize, name: &str) -> bool {
    let body = format!(r#"{{"name":"{name}"}}"#);
    shop.admin.send(shop.address(n), "POST", GROUPS, &body).is_some_and(|it| it.is_ok())
}

fn has(shop: &Shop, n: usize, name: &str) -> bool {
    let path = format!("{GROUPS}?name={name}&fields=id&limit=1");
    let answer = shop.admin.send(shop.address(n), "GET", &path, "").expect("reads go on");
    assert!(answer.is_ok(), "reads go on: {answer:?}");
    answer.json["count"] == 1
}

pub(crate) fn reads_go_on_without_postgresql_and_writes_come_back() {
    let Some(shop) = Shop::open(3) else { return };
    until("a write", || is_written(&shop, 0, "before").then_some(()));
    (0..3).for_each(|n| until("it is everywhere", || has(&shop, n, "before").then_some(())));
    shop.postgres.crash();
    for n in 0..3 {
        assert!(!is_written(&shop, n, "meanwhile"), "there is no log");
        assert!(has(&shop, n, "before"));
    }
    shop.postgres.up();
    until("writes come back", || is_written(&shop, 1, "after").then_some(()));
    (0..3).for_each(|n| until("it is everywhere", || has(&shop, n, "after").then_some(())));
    shop.close();
}

/// Two servers: the first one leads, the other one follows it. Hosts know both.
fn pair(is_synchronous: bool) -> Option<(Shop, Postgres)> {
    let first = Postgres::start()?;
    first.database("shop", first.port);
    let second = first.standby(is_synchronous);
    let store = format!("postgres://atoll@127.0.0.1:{},127.0.0.1:{}/shop", first.port, second.port);
    Some((Shop::over(first, store, 2), second))
}

pub(crate) fn acknowledged_writes_survive_a_failover_of_postgresql_that_loses_none() {
    let Some((shop, second)) = pair(true) else { return };
    let names: Vec<String> = (0..20).map(|n| format!("group-{n}")).collect();
    for (n, name) in names.iter().enumerate() {
        assert!(is_written(&shop, n % 2, name));
    }
    shop.postgres.crash();
    second.promote();
    until("writes go on", || is_written(&shop, 0, "after").then_some(()));
    for n in 0..2 {
        until("it is everywhere", || has(&shop, n, "after").then_some(()));
        names.iter().for_each(|name| assert!(has(&shop, n, name), "{name} is lost at host {n}"));
    }
    shop.close();
}

/// The control: what the second server had not received is lost, and the hosts that have it say so.
pub(crate) fn hosts_notice_a_failover_of_postgresql_that_loses_commits() {
    let Some((shop, second)) = pair(false) else { return };
    until("a write", || is_written(&shop, 0, "before").then_some(()));
    second.until("shop", "SELECT count(*) > 0 FROM atoll_log");
    second.crash();
    assert!(is_written(&shop, 0, "lost"));
    (0..2).for_each(|n| until("it is everywhere", || has(&shop, n, "lost").then_some(())));
    shop.postgres.crash();
    second.up();
    second.promote();
    for n in 0..2 {
        until("a host that has what was lost ends", || shop.has_ended(n).then_some(()));
        assert!(shop.log(n).contains("does not follow on those of this replica"), "{}", shop.log(n));
        shop.start(n);
    }
    until("writes go on", || is_written(&shop, 0, "after").then_some(()));
    until("it is everywhere", || has(&shop, 1, "after").then_some(()));
    assert!(!has(&shop, 0, "lost") && !has(&shop, 1, "lost"), "all hosts go on from what PostgreSQL has");
    shop.close();
}
