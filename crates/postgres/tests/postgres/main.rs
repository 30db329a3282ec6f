//! Replicas over a real PostgreSQL: who leads, what becomes of commits whose answers are lost, what a host
//! finds when it comes back. Skipped where there is no PostgreSQL.

mod server;
mod wire;

use std::{path::Path, pin::Pin, process::ExitCode, sync::Arc, time::Duration};

use atoll_postgres::{Database, Member, bring_up};
use atoll_storage::{
    Direction, Engine, KeyBuf, Leader, Position, Read as _, Scan, Seen, Span, Standing, Store, StoreError,
    StoreOptions, Trouble, View, Write, WriteKeys,
    engines::{Memory, Redb},
};
use libtest_mimic::{Arguments, Trial};
use server::Server;
use tokio::{sync::watch, task::JoinHandle};
use wire::{Cut, MARK, Wire};

/// Short, so that tests need not wait. Nothing depends on its length but when another host leads.
const LEASE: Duration = Duration::from_millis(200);

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

const SPACES: &[&str] = &["test"];

type Test = for<'a> fn(&'a Server, &'static str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

macro_rules! tests {
    ($($name:ident),+ $(,)?) => {
        const TESTS: &[(&str, Test)] = &[$((stringify!($name), |server, name| Box::pin($name(server, name)))),+];
    };
}

tests! {
    one_host_leads_and_the_others_hold_what_it_wrote,
    host_that_was_stopped_beyond_its_lease_writes_nothing,
    commits_whose_answers_are_lost_are_written_once,
    writes_wait_for_a_server_that_restarts,
    replica_goes_on_where_it_was_and_a_new_one_is_loaded,
    log_that_lost_commits_is_noticed_and_the_replica_kept,
}

/// A host, whose task may be ended as a stopped process is.
struct Host {
    store: Store,
    seen: watch::Receiver<Seen>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Host {
    fn join(database: &Database, engine: impl Engine, url: &str) -> Host {
        let store = Store::open_replica(engine, SPACES, StoreOptions::default()).expect("a store");
        let member = Member::new(database.clone(), store.clone(), url.to_owned(), LEASE);
        let (stop, stopped) = watch::channel(false);
        Host { seen: member.seen().subscribe(), store, stop, task: tokio::spawn(member.run(stopped)) }
    }

    async fn until(&self, standing: Standing) {
        let mut it = self.store.standing();
        tokio::time::timeout(PATIENCE, it.wait_for(|it| *it == standing))
            .await
            .expect("in time")
            .expect("open");
    }

    async fn leave(self) {
        self.stop.send_replace(true);
        self.task.await.expect("no panic");
        self.store.close();
    }

    async fn write(&self, key: u64) -> Result<Position, StoreError> {
        let body = move |tx: &mut dyn Write| {
            let key = key_of(tx.prefix("test"), key);
            assert!(tx.get(&key)?.is_none(), "it is written once");
            tx.put(key, MARK.to_vec());
            Ok::<_, StoreError>(())
        };
        Ok(self.store.commit(body).await?.1.position())
    }

    async fn reached(&self, position: Position) -> View {
        tokio::time::timeout(PATIENCE, self.store.reached(position)).await.expect("in time").expect("a view")
    }
}

fn key_of(prefix: [u8; 2], key: u64) -> Vec<u8> {
    KeyBuf::new(prefix).tail(&key.to_be_bytes()).into_bytes()
}

/// All that a view shows, the chain of its commits included.
fn content(view: &View) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all = vec![(b"chain".to_vec(), view.chain().expect("a chain").0.to_vec())];
    let mut add = |key: &[u8], value: &[u8]| {
        all.push((key.to_vec(), value.to_vec()));
        Ok(Scan::Continue(()))
    };
    view.scan(&Span::prefix(&view.prefix("test")), Direction::Ascending, &mut add).expect("a scan");
    all
}

async fn one_host_leads_and_the_others_hold_what_it_wrote(server: &Server, name: &'static str) {
    let database = Database::parse(&server.database(name, server.port)).expect("an address");
    let first = Host::join(&database, Memory::default(), "first");
    first.until(Standing::Leads).await;
    let second = Host::join(&database, Memory::default(), "second");
    let mut last = Position::default();
    for key in 0..100 {
        last = first.write(key).await.expect("a commit");
    }
    assert_eq!(content(&second.reached(last).await), content(&first.store.view()));
    let refused = second.write(100).await.expect_err("it follows");
    assert!(matches!(refused, StoreError::NotWritten(_)), "{refused}");
    let leader = |it: &Seen| it.leader == Leader::At("first".into()) && it.position == last;
    tokio::time::timeout(PATIENCE, second.seen.clone().wait_for(leader))
        .await
        .expect("in time")
        .expect("open");
    // Who leaves gives the leadership back.
    first.leave().await;
    second.until(Standing::Leads).await;
    second.write(100).await.expect("it leads");
    second.leave().await;
}

async fn host_that_was_stopped_beyond_its_lease_writes_nothing(server: &Server, name: &'static str) {
    let database = Database::parse(&server.database(name, server.port)).expect("an address");
    let mut leader = Host::join(&database, Memory::default(), "first");
    leader.until(Standing::Leads).await;
    for round in 0..10 {
        leader.write(2 * round).await.expect("a commit");
        // It no longer extends its lease, and does not know that it has ended.
        leader.task.abort();
        let next = Host::join(&database, Memory::default(), "next");
        next.until(Standing::Leads).await;
        assert_eq!(*leader.store.standing().borrow(), Standing::Leads, "it was told nothing");
        let refused = leader.write(2 * round + 1).await.expect_err("another host leads");
        assert!(matches!(refused, StoreError::NotWritten(_)), "{refused}");
        let view = next.store.view();
        let has = |key: u64| view.get(&key_of(view.prefix("test"), key)).expect("a read").is_some();
        assert!(has(2 * round) && !has(2 * round + 1), "round {round}");
        leader.store.close();
        leader = next;
    }
    leader.leave().await;
}

async fn commits_whose_answers_are_lost_are_written_once(server: &Server, name: &'static str) {
    let wire = Wire::to(server.port).await;
    let database = Database::parse(&server.database(name, wire.port)).expect("an address");
    let host = Host::join(&database, Memory::default(), "first");
    host.until(Standing::Leads).await;
    for key in 0..40 {
        let cut = [Cut::Before, Cut::After][key as usize % 2];
        wire.cut(cut);
        let position = host.write(key).await.expect("it is looked up, and else written again");
        assert!(wire.is_cut(), "{cut:?}");
        assert_eq!(position, Position(key + 2), "{cut:?}: each key is one commit");
    }
    let other = Host::join(&database, Memory::default(), "second");
    assert_eq!(content(&other.reached(Position(41)).await), content(&host.store.view()));
    other.leave().await;
    host.leave().await;
}

async fn writes_wait_for_a_server_that_restarts(_: &Server, name: &'static str) {
    let Some(server) = Server::start() else { return };
    let database = Database::parse(&server.database(name, server.port)).expect("an address");
    let host = Host::join(&database, Memory::default(), "first");
    host.until(Standing::Leads).await;
    host.write(0).await.expect("a commit");
    server.crash();
    let refused = host.write(1).await.expect_err("there is no server");
    assert!(matches!(refused, StoreError::Unknown(_)), "{refused}");
    let away = |it: &Seen| matches!(it.trouble, Some(Trouble::Away(_)));
    tokio::time::timeout(PATIENCE, host.seen.clone().wait_for(away)).await.expect("in time").expect("open");
    assert_eq!(content(&host.store.view()).len(), 2, "reads go on");
    server.up();
    host.until(Standing::Leads).await;
    let view = host.store.view();
    let is_there = view.get(&key_of(view.prefix("test"), 1)).expect("a read").is_some();
    if !is_there {
        host.write(1).await.expect("it leads again");
    }
    host.write(2).await.expect("it leads again");
    host.leave().await;
}

async fn replica_goes_on_where_it_was_and_a_new_one_is_loaded(server: &Server, name: &'static str) {
    let database = Database::parse(&server.database(name, server.port)).expect("an address");
    let folder = tempfile::tempdir().expect("a folder");
    let replica = async |file: &Path| bring_up(&database, file, 1 << 23).await.expect("a replica");
    let (one, other) = (folder.path().join("one.redb"), folder.path().join("other.redb"));
    let host = Host::join(&database, replica(&one).await, "first");
    host.until(Standing::Leads).await;
    for key in 0..50 {
        host.write(key).await.expect("a commit");
    }
    let before = host.store.view().position();
    host.leave().await;
    let again = replica(&one).await;
    assert_eq!(View::look(&again, SPACES).expect("a look").position(), before, "nothing was fetched");
    let host = Host::join(&database, again, "first");
    host.until(Standing::Leads).await;
    let last = host.write(50).await.expect("a commit");
    // Once it is folded, the log need not reach back to the first commit.
    let folded = async || {
        let new = replica(&other).await;
        let position = View::look(&new, SPACES).expect("a look").position();
        drop(new);
        std::fs::remove_file(&other).expect("a file");
        position
    };
    while folded().await < last {
        tokio::task::yield_now().await;
    }
    server.sql(name, "DELETE FROM atoll_log");
    let newcomer = Host::join(&database, replica(&other).await, "second");
    let next = host.write(51).await.expect("a commit");
    assert_eq!(content(&newcomer.reached(next).await), content(&host.store.view()));
    newcomer.leave().await;
    host.leave().await;
}

async fn log_that_lost_commits_is_noticed_and_the_replica_kept(server: &Server, name: &'static str) {
    let database = Database::parse(&server.database(name, server.port)).expect("an address");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("replica.redb");
    let follower =
        Host::join(&database, bring_up(&database, &file, 1 << 23).await.expect("a replica"), "first");
    follower.until(Standing::Leads).await;
    let lost = follower.write(1).await.expect("a commit");
    follower.leave().await;
    // As after a failover to a server that had not received the last commit.
    server.sql(
        name,
        "DELETE FROM atoll_log WHERE seq = (SELECT seq FROM atoll_head);
        UPDATE atoll_head SET seq = seq - 1, chain = (SELECT chain FROM atoll_log ORDER BY seq DESC LIMIT 1);
        TRUNCATE atoll_kv; UPDATE atoll_fold SET seq = 0",
    );
    let other = Host::join(&database, Memory::default(), "second");
    other.until(Standing::Leads).await;
    let position = other.write(2).await.expect("a commit");
    assert_eq!(position, lost, "another commit has its place");
    // A host that is running is told, and follows no more.
    let stale = Redb::open(&file).expect("the replica");
    let running = Host::join(&database, stale, "first");
    let diverged = |it: &Seen| it.trouble == Some(Trouble::Diverged);
    other.write(3).await.expect("a commit");
    tokio::time::timeout(PATIENCE, running.seen.clone().wait_for(diverged))
        .await
        .expect("in time")
        .expect("open");
    running.task.await.expect("it has ended");
    running.store.close();
    drop(running.seen);
    // One that starts keeps what it holds beside it, and begins anew.
    let anew = bring_up(&database, &file, 1 << 23).await.expect("a replica");
    let anew = Host::join(&database, anew, "first");
    assert_eq!(content(&anew.reached(other.store.view().position()).await), content(&other.store.view()));
    let kept = folder.path().join(format!("replica.redb.diverged-{lost}"));
    assert!(kept.exists(), "{:?}", std::fs::read_dir(folder.path()).expect("a folder").collect::<Vec<_>>());
    anew.leave().await;
    other.leave().await;
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let Some(server) = Server::start() else {
        eprintln!("skipped: there is no PostgreSQL in /usr/lib/postgresql");
        return ExitCode::SUCCESS;
    };
    let server = Arc::new(server);
    let trial = |(name, test): &(&'static str, Test)| {
        let (name, test, server) = (*name, *test, server.clone());
        Trial::test(name, move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(test(&server, name));
            Ok(())
        })
    };
    let trials = TESTS.iter().map(trial).collect();
    // The server ends with the last of them.
    drop(server);
    libtest_mimic::run(&arguments, trials).exit_code()
}
