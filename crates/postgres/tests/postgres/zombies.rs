//! A host that is stopped beyond its lease, and wakes when another one leads.

use std::time::Duration;

use atoll_postgres::{Database, Member};
use atoll_storage::{Standing, StoreError, engines::Memory};
use atoll_test_postgres::Server;

use crate::{
    Host, LEASE,
    altered::{WITHOUT_FENCE, altered},
    database, has, through,
};

/// Hosts that are stopped; set by `ATOLL_ZOMBIES`.
const N_ZOMBIES: u64 = 50;

/// As short as a lease may be.
const SHORT: Duration = Duration::from_millis(100);

async fn leader(database: &Database, url: &str, lease: Duration) -> Host {
    let member = |store| Member::new(database.clone(), store, url.to_owned(), lease);
    let host = Host::start(Memory::default(), member, |_| true);
    host.until(Standing::Leads).await;
    host
}

/// The time of a leader stands still: it extends its lease no more, and does not know that it has ended.
/// Returns it, and the one that leads then.
async fn zombie_and_next(zombie: Host, database: &Database, lease: Duration) -> (Host, Host) {
    zombie.task.abort();
    let next = leader(database, "next", lease).await;
    (zombie, next)
}

/// Whether it was told nothing of its end.
fn leads(host: &Host) -> bool {
    *host.store.standing().borrow() == Standing::Leads
}

pub(crate) async fn host_that_was_stopped_beyond_its_lease_writes_nothing(
    server: &Server,
    name: &'static str,
) {
    let n_zombies = std::env::var("ATOLL_ZOMBIES").map_or(N_ZOMBIES, |it| it.parse().expect("a number"));
    let database = database(server, name);
    let mut last = leader(&database, "first", SHORT).await;
    let mut n_told_nothing = 0;
    for n in 0..n_zombies {
        // On a machine that is busy, another one may have led before it could write, or be stopped.
        let written = last.write(2 * n).await;
        let (zombie, next) = zombie_and_next(last, &database, SHORT).await;
        n_told_nothing += u64::from(leads(&zombie));
        let refused = zombie.write(2 * n + 1).await.expect_err("another host leads");
        assert!(matches!(refused, StoreError::NotWritten(_)), "{refused}");
        let view = next.store.view();
        assert!(!has(&view, 2 * n + 1), "zombie {n}");
        match written {
            Ok(_) => assert!(has(&view, 2 * n), "what was acknowledged is there"),
            Err(StoreError::NotWritten(_)) => assert!(!has(&view, 2 * n), "it was said that it is not"),
            Err(_) => {}
        }
        zombie.store.close();
        last = next;
    }
    assert!(n_told_nothing > 0, "none of {n_zombies} was stopped while it led");
    last.leave().await;
}

/// The control: the fence is what refuses it, and not its lease.
pub(crate) async fn without_the_fence_it_writes(server: &Server, name: &'static str) {
    let database = database(server, name);
    let unfenced = altered(server.port, &WITHOUT_FENCE).await;
    let first = leader(&through(unfenced, name), "first", LEASE).await;
    first.write(0).await.expect("a commit");
    let (zombie, next) = zombie_and_next(first, &database, LEASE).await;
    zombie.write(1).await.expect("nothing refuses it");
    next.write(1).await.expect_err("the log is not the one that it led");
    zombie.store.close();
    next.leave().await;
}
