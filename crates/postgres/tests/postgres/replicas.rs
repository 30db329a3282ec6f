//! What hosts find when they join and when they come back, and the log that is folded behind them.

use atoll_postgres::{DatabaseError, Member, bring_up};
use atoll_storage::{
    Position, Standing, StoreError, Trouble, View, Write, WriteKeys,
    engines::{Memory, Redb},
};
use atoll_test_postgres::Server;

use crate::{
    Host, LEASE, SPACES, content, database, in_time, key_of, moving::stored, replica, through, wire::Wire,
};

/// All keys with their values.
type Stored = Vec<(Vec<u8>, Vec<u8>)>;

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

/// Stops the wire when the first keys are copied through it.
async fn stop_in_copy(server: &Server, name: &str, wire: &Wire) {
    let has_begun = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = 'atoll' AND query LIKE '%FROM atoll_kv WHERE k >= %'";
    let mut sent = wire.sent();
    loop {
        in_time("the copy", sent.changed()).await.expect("open");
        wire.stop();
        if server.is_so(name, has_begun) {
            return;
        }
        wire.pass();
    }
}

/// A host loads while keys change that it has copied, and others. Returns what it has loaded, and what the
/// leader held before and afterwards. Without a replay the log ends where the copy has begun.
async fn copied_while_keys_change(server: &Server, name: &'static str, is_replayed: bool) -> [Stored; 3] {
    let wire = Wire::to(server.port).await;
    let engine = Memory::default();
    let leader = Host::join(&database(server, name), engine.clone(), "first");
    leader.until(Standing::Leads).await;
    let mut first = Position::default();
    for key in 0..10 {
        first = leader.write_long(10 * key, vec![b'x'; 1 << 20]).await.expect("a commit");
    }
    server.until(name, &format!("SELECT seq >= {first} FROM atoll_fold"));
    let before = stored(&engine);
    let folder = tempfile::tempdir().expect("a folder");
    let (away, file) = (through(wire.port, name), folder.path().join("replica.redb"));
    let writing = async {
        stop_in_copy(server, name, &wire).await;
        // Some megabytes are on their way: the first keys, and not the last ones.
        for (key, value) in [
            (0, Some("changed")),
            (5, Some("new")),
            (10, None),
            (15, Some("new, and gone")),
            (75, Some("new, and gone")),
            (80, Some("changed")),
            (85, Some("new")),
            (90, None),
            (15, None),
            (75, None),
            (0, Some("changed again")),
        ] {
            let body = move |tx: &mut dyn Write| {
                let key = key_of(tx.prefix("test"), key);
                match value {
                    Some(value) => tx.put(key, value.into()),
                    None => tx.delete(key),
                }
                Ok::<_, StoreError>(())
            };
            leader.store.write(body).await.expect("a commit");
        }
        let last = leader.store.view().position();
        server.until(name, &format!("SELECT seq >= {last} FROM atoll_fold"));
        if !is_replayed {
            let cut = "UPDATE atoll_head SET (seq, chain) = (SELECT seq, chain FROM atoll_log WHERE seq =";
            server.sql(name, &format!("{cut} {first}); DELETE FROM atoll_log WHERE seq > {first}"));
        }
        wire.pass();
    };
    let (loaded, ()) = in_time("a replica", async {
        let loading = bring_up(&away, &file, 1 << 23);
        tokio::join!(loading, writing)
    })
    .await;
    leader.leave().await;
    [stored(&loaded.expect("it is loaded")), before, stored(&engine)]
}

pub(crate) async fn replica_that_is_copied_while_keys_change_is_what_the_leader_is(
    server: &Server,
    name: &'static str,
) {
    let [loaded, _, after] = copied_while_keys_change(server, name, true).await;
    assert!(loaded == after, "it is not what the leader is");
}

/// The control: the copy alone is of no moment.
pub(crate) async fn copy_that_is_not_replayed_is_of_no_moment(server: &Server, name: &'static str) {
    let [loaded, before, after] = copied_while_keys_change(server, name, false).await;
    // Its mark is that of the moment before: position, chain and times alone are three.
    let differing = |other: &Stored| loaded.iter().filter(|it| !other.contains(it)).count();
    assert!(differing(&before) > 0 && differing(&after) > 3, "{} {}", differing(&before), differing(&after));
}

pub(crate) async fn replica_that_rests_is_on_the_disk(server: &Server, name: &'static str) {
    let database = database(server, name);
    let leader = Host::join(&database, Memory::default(), "first");
    leader.until(Standing::Leads).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (file, crashed) = (folder.path().join("replica.redb"), folder.path().join("crashed.redb"));
    let host = Host::join(&database, replica(&database, &file).await, "second");
    let last = leader.write(1).await.expect("a commit");
    host.reached(last).await;
    // It looks at the head again and again.
    let mut seen = host.seen.clone();
    in_time("a flush", async {
        loop {
            std::fs::copy(&file, &crashed).expect("a copy");
            let found = Redb::open(&crashed).expect("it is repaired");
            if View::look(&found, SPACES).expect("a look").position() == last {
                break;
            }
            seen.changed().await.expect("open");
        }
    })
    .await;
    host.leave().await;
    leader.leave().await;
}

/// It takes as long as the server is given for its first answer.
pub(crate) async fn host_does_not_wait_for_a_server_that_says_nothing(server: &Server, name: &'static str) {
    let wire = Wire::to(server.port).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (file, other) = (folder.path().join("replica.redb"), folder.path().join("other.redb"));
    drop(replica(&database(server, name), &file).await);
    let away = through(wire.port, name);
    wire.stop();
    let starting = async { tokio::join!(bring_up(&away, &file, 1 << 23), bring_up(&away, &other, 1 << 23)) };
    let (with_replica, without) = in_time("an answer", starting).await;
    with_replica.expect("it shows what it has");
    assert!(matches!(without.map(drop), Err(DatabaseError::TimedOut)));
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
    let n_written = std::sync::atomic::AtomicU64::new(0);
    let write = async || {
        leader.write(n_written.fetch_add(1, std::sync::atomic::Ordering::SeqCst)).await.expect("a commit")
    };
    let first = write().await;
    server.until(name, &format!("SELECT seq >= {first} FROM atoll_fold"));
    let loading = bring_up(&away, &file, 1 << 23);
    let writing = async {
        stop_in_copy(server, name, &wire).await;
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
