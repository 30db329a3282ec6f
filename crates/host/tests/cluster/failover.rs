//! PostgreSQL fails, or the way to it: it is stopped at once, another server takes its place, or a host
//! reaches it no more.

use std::{env, time::Instant};

use atoll_test_postgres::{Patroni, Server as Postgres};

use crate::{client::until, network::in_own_network, shop::Shop};

const GROUPS: &str = "/admin/customer-groups";

/// Makes a customer group, under a key of its own; whether that was acknowledged.
fn is_written(shop: &Shop, n: usize, name: &str) -> bool {
    let (client, body) = (shop.admin.with("idempotency-key", name), format!(r#"{{"name":"{name}"}}"#));
    client.send(shop.address(n), "POST", GROUPS, &body).is_some_and(|it| it.is_ok())
}

/// Makes a customer group, however often it is to be tried: on a busy machine a lease may end.
fn write(shop: &Shop, n: usize, name: &str) {
    until("a write", || is_written(shop, n, name).then_some(()));
}

fn has(shop: &Shop, n: usize, name: &str) -> bool {
    let path = format!("{GROUPS}?name={name}&fields=id&limit=1");
    let answer = shop.admin.send(shop.address(n), "GET", &path, "").expect("reads go on");
    assert!(answer.is_ok(), "reads go on: {answer:?}");
    answer.json["count"] == 1
}

pub(crate) fn reads_go_on_without_postgresql_and_writes_come_back() {
    let Some(shop) = Shop::open(3) else { return };
    write(&shop, 0, "before");
    (0..3).for_each(|n| until("it is everywhere", || has(&shop, n, "before").then_some(())));
    shop.postgres.crash();
    for n in 0..3 {
        assert!(!is_written(&shop, n, "meanwhile"), "there is no log");
        assert!(has(&shop, n, "before"));
    }
    shop.postgres.up();
    write(&shop, 1, "after");
    (0..3).for_each(|n| until("it is everywhere", || has(&shop, n, "after").then_some(())));
    shop.close();
}

pub(crate) fn host_that_is_cut_off_without_a_word_is_followed_by_another_and_comes_back() {
    in_own_network("host_that_is_cut_off_without_a_word_is_followed_by_another_and_comes_back", || {
        let Some(shop) = Shop::in_namespaces(2) else { return };
        write(&shop, 0, "before");
        (0..2).for_each(|n| until("it is everywhere", || has(&shop, n, "before").then_some(())));
        let first = shop.leader();
        let second = 1 - first;
        shop.namespace(first).cut();
        let cut_at = Instant::now();
        assert!(!is_written(&shop, first, "refused"), "it reaches no log");
        until("another one leads", || (shop.leader() == second).then_some(()));
        write(&shop, second, "meanwhile");
        eprintln!("{} ms after the cut another host writes", cut_at.elapsed().as_millis());
        assert!(!is_written(&shop, first, "refused-again"), "it reaches neither the log nor who leads");
        assert!(has(&shop, first, "before") && !has(&shop, first, "meanwhile"), "reads go on");
        shop.namespace(first).heal();
        until("it follows", || has(&shop, first, "meanwhile").then_some(()));
        write(&shop, first, "after");
        for n in 0..2 {
            until("it is everywhere", || has(&shop, n, "after").then_some(()));
            assert!(!has(&shop, n, "refused") && !has(&shop, n, "refused-again"), "what is late is fenced");
        }
        shop.close();
    });
}

/// Two servers: the first one leads, the other one follows it. Hosts know both.
fn pair(is_synchronous: bool) -> Option<(Shop, Postgres)> {
    let first = Postgres::start()?;
    first.database("shop", first.port);
    let second = first.standby(is_synchronous);
    let store = format!("postgres://atoll@127.0.0.1:{},127.0.0.1:{}/shop", first.port, second.port);
    Some((Shop::over(first, store, 2), second))
}

/// What was acknowledged is there when PostgreSQL has failed over.
fn check_nothing_is_lost(shop: Shop, fail_over: impl FnOnce(&Shop)) {
    let names: Vec<String> = (0..20).map(|n| format!("group-{n}")).collect();
    for (n, name) in names.iter().enumerate() {
        write(&shop, n % 2, name);
    }
    fail_over(&shop);
    write(&shop, 0, "after");
    for n in 0..2 {
        until("it is everywhere", || has(&shop, n, "after").then_some(()));
        names.iter().for_each(|name| assert!(has(&shop, n, name), "{name} is lost at host {n}"));
    }
    shop.close();
}

pub(crate) fn acknowledged_writes_survive_a_failover_of_postgresql_that_loses_none() {
    let Some((shop, second)) = pair(true) else { return };
    check_nothing_is_lost(shop, |shop| {
        shop.postgres.crash();
        second.promote();
    });
}

pub(crate) fn acknowledged_writes_survive_a_failover_by_patroni() {
    if env::var_os("ATOLL_PATRONI").is_none() {
        return eprintln!("skipped: `cargo xtask thorough` does it");
    }
    let Some((mut patroni, first, second)) = Patroni::start() else {
        return eprintln!("skipped: Debian's `patroni` and `etcd-server` are not there");
    };
    first.database("shop", first.port);
    let store = format!("postgres://atoll@127.0.0.1:{},127.0.0.1:{}/shop", first.port, second.port);
    check_nothing_is_lost(Shop::over(first, store, 2), |shop| {
        patroni.leave_alone();
        shop.postgres.crash();
        second.until("postgres", "SELECT NOT pg_is_in_recovery()");
    });
}

/// The control: what the second server had not received is lost, and the hosts that have it say so.
pub(crate) fn hosts_notice_a_failover_of_postgresql_that_loses_commits() {
    let Some((shop, second)) = pair(false) else { return };
    write(&shop, 0, "before");
    second.until("shop", "SELECT count(*) > 0 FROM atoll_log");
    second.crash();
    write(&shop, 0, "lost");
    (0..2).for_each(|n| until("it is everywhere", || has(&shop, n, "lost").then_some(())));
    shop.postgres.crash();
    second.up();
    second.promote();
    for n in 0..2 {
        until("a host that has what was lost ends", || shop.has_ended(n).then_some(()));
        assert!(shop.log(n).contains("does not follow on those of this replica"), "{}", shop.log(n));
        shop.start(n);
    }
    write(&shop, 0, "after");
    until("it is everywhere", || has(&shop, 1, "after").then_some(()));
    assert!(!has(&shop, 0, "lost") && !has(&shop, 1, "lost"), "all hosts go on from what PostgreSQL has");
    shop.close();
}
