//! What hosts find when they join and when they come back, and the log that is folded behind them.

use atoll_postgres::{DatabaseError, Member, bring_up};
use atoll_storage::{
    Position, Standing, StoreError, Trouble, View,
    engines::{Memory, Redb},
};
use atoll_test_postgres::Server;

use crate::{Host, LEASE, SPACES, content, database, in_time, replica, through, wire::Wire};

pub(crate) async fn replica_goes_on_where_it_was_and_a_new_one_is_loaded(
    server: &Server,
    name: &'static str,
) {
    let database = database(server, name);
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (folder.path().join("one.redb"), folder.path().join("other.redb"));
    let host = Host::join(&database, replica(&database, &one).await, "first");
    host.until(Standing::Leads).await;
    for key in 0..50 {
        host.write(key).await.expect("a commit");
    }
    let before = host.store.view().position();
    host.leave().await;
    let again = replica(&database, &one).await;
    assert_eq!(View::look(&again, SPACES).expect("a look").position(), before, "nothing was fetched");
    let host = Host::join(&database, again, "first");
    host.until(Standing::Leads).await;
    let last = host.write(50).await.expect("a commit");
    // Once it is folded, the log need not reach back to the first commit.
    server.until(name, &format!("SELECT seq >= {last} FROM atoll_fold"));
    server.sql(name, "DELETE FROM atoll_log");
    let newcomer = Host::join(&database, replica(&database, &other).await, "second");
    let next = host.write(51).await.expect("a commit");
    assert_eq!(content(&newcomer.reached(next).await), content(&host.store.view()));
    newcomer.leave().await;
    host.leave().await;
}

pub(crate) async fn log_that_lost_commits_is_noticed_and_the_replica_kept(
    server: &Server,
    name: &'static str,
) {
    let database = database(server, name);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("replica.redb");
    let follower = Host::join(&database, replica(&database, &file).await, "first");
    follower.until(Standing::Leads).await;
    let lost = follower.write(1).await.expect("a commit");
    follower.leave().await;
    // As after a failover to a server that had not received the last commit.
    server.sql(
        name,
        "DELETE FROM atoll_log WHERE seq = (SELECT seq FROM atoll_head);
        UPDATE atoll_head SET seq = seq - 1, chain = (SELECT chain FROM atoll_log ORDER BY seq DESC LIMIT 1);
        TRUNCATE atoll_kv; UPDATE atoll_fold SET seq = 0, chain = decode(repeat('00', 32), 'hex')",
    );
    let other = Host::join(&database, Memory::default(), "second");
    other.until(Standing::Leads).await;
    let position = other.write(2).await.expect("a commit");
    assert_eq!(position, lost, "another commit has its place");
    // A host that is running is told, and follows no more.
    let stale = Redb::open(&file).expect("the replica");
    let running = Host::join(&database, stale, "first");
    let seen = running.seen.clone();
    let ended = running.ended().await;
    assert!(matches!(ended, DatabaseError::Store(StoreError::Diverged { .. })), "{ended}");
    assert!(matches!(seen.borrow().trouble, Some(Trouble::Lost(_))));
    // One that starts keeps what it holds beside it, and begins anew.
    let anew = Host::join(&database, replica(&database, &file).await, "first");
    assert_eq!(content(&anew.reached(other.store.view().position()).await), content(&other.store.view()));
    let kept = folder.path().join(format!("replica.redb.diverged-{lost}"));
    assert!(kept.exists(), "{:?}", std::fs::read_dir(folder.path()).expect("a folder").collect::<Vec<_>>());
    anew.leave().await;
    other.leave().await;
}

pub(crate) async fn replica_that_is_too_old_while_it_runs_is_made_anew(server: &Server, name: &'static str) {
    let wire = Wire::to(server.port).await;
    let database = database(server, name);
    let away = through(wire.port, name);
    let leader = Host::join(&database, Memory::default(), "first");
    leader.until(Standing::Leads).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("replica.redb");
    let follower = Host::join(&away, replica(&away, &file).await, "second");
    let first = leader.write(1).await.expect("a commit");
    follower.reached(first).await;
    wire.close();
    leader.write(2).await.expect("a commit");
    let last = leader.write(3).await.expect("a commit");
    // As if it had been folded long ago.
    server.until(name, &format!("SELECT seq >= {last} FROM atoll_fold"));
    server.sql(name, &format!("DELETE FROM atoll_log WHERE seq <= {last}"));
    wire.pass();
    let ended = follower.ended().await;
    assert!(matches!(ended, DatabaseError::TooOld), "{ended}");
    let anew = Host::join(&away, replica(&away, &file).await, "second");
    assert_eq!(content(&anew.reached(last).await), content(&leader.store.view()));
    anew.leave().await;
    leader.leave().await;
}

/// The wire stops while it loads, and meanwhile all that it began with is folded, and the log trimmed as far
/// as it may be.
pub(crate) async fn host_joins_while_others_write(server: &Server, name: &'static str) {
    let wire = Wire::to(server.port).await;
    let database = database(server, name);
    let member = |store| Member::new(database.clone(), store, "first".into(), LEASE).keeping(1);
    let leader = Host::start(Memory::default(), member, |_| true);
    leader.until(Standing::Leads).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("replica.redb");
    let away = through(wire.port, name);
    let mut sent = wire.sent();
    let n_written = std::sync::atomic::AtomicU64::new(0);
    let write = async || {
        leader.write(n_written.fetch_add(1, std::sync::atomic::Ordering::SeqCst)).await.expect("a commit")
    };
    let first = write().await;
    server.until(name, &format!("SELECT seq >= {first} FROM atoll_fold"));
    let loading = bring_up(&away, &file, 1 << 23);
    let writing = async {
        // It holds its snapshot, from which it reads.
        let has_snapshot = "SELECT count(*) > 0 FROM pg_stat_activity
            WHERE application_name = 'atoll' AND query LIKE 'SELECT k, v FROM atoll_kv%'";
        loop {
            in_time("the load", sent.changed()).await.expect("open");
            wire.stop();
            if server.is_so(name, has_snapshot) {
                break;
            }
            wire.pass();
        }
        // Each round is folded and may be trimmed before the next one is.
        for _ in 0..3 {
            let last = write().await;
            server.until(name, &format!("SELECT seq >= {last} FROM atoll_fold"));
        }
        wire.pass();
    };
    let (loaded, ()) = in_time("a replica", async { tokio::join!(loading, writing) }).await;
    let loaded = loaded.expect("the log reaches back to what it began with");
    assert_eq!(View::look(&loaded, SPACES).expect("a look").position(), leader.store.view().position());
    let host = Host::join(&away, loaded, "second");
    let last = write().await;
    assert_eq!(content(&host.reached(last).await), content(&leader.store.view()));
    // Nobody loads any more.
    let last = write().await;
    server.until(name, &format!("SELECT min(seq) >= {first} + 3 FROM atoll_log WHERE seq <= {last}"));
    host.leave().await;
    leader.leave().await;
}

pub(crate) async fn fold_that_is_blocked_deposes_nobody_and_goes_on_in_batches(
    server: &Server,
    name: &'static str,
) {
    let database = database(server, name);
    // Long enough that no pause of the machine ends it.
    let lease = 2 * LEASE;
    let member = |store| Member::new(database.clone(), store, "first".into(), lease);
    let host = Host::start(Memory::default(), member, |_| true);
    host.until(Standing::Leads).await;
    let epoch = server.ask(name, "SELECT epoch FROM atoll_head");
    let stranger = server.begin(name, "SELECT FROM atoll_fold FOR UPDATE");
    let folded = server.ask(name, "SELECT seq FROM atoll_fold");
    let mut seen = host.seen.clone();
    let mut last = Position::default();
    for key in 0..7 {
        last = host.write_long(key, vec![b'x'; 2 << 20]).await.expect("a commit");
        // A third of a lease each.
        seen.mark_unchanged();
        in_time("a beat", seen.changed()).await.expect("open");
    }
    server.until(name, "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted");
    assert_eq!(server.ask(name, "SELECT seq FROM atoll_fold"), folded);
    assert_eq!(server.ask(name, "SELECT epoch FROM atoll_head"), epoch, "it leads on");
    assert_eq!(*host.store.standing().borrow(), Standing::Leads);
    drop(stranger);
    server.until(name, &format!("SELECT seq >= {last} FROM atoll_fold"));
    let folder = tempfile::tempdir().expect("a folder");
    server.sql(name, "DELETE FROM atoll_log");
    let loaded = replica(&database, &folder.path().join("replica.redb")).await;
    assert_eq!(content(&View::look(&loaded, SPACES).expect("a look")), content(&host.store.view()));
    host.leave().await;
}
