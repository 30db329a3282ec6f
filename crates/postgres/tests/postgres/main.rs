//! Replicas over a real PostgreSQL: who leads, what becomes of commits whose answers are lost, what a host
//! finds when it comes back. Skipped where there is no PostgreSQL.

mod asking;
mod server;
mod wire;

use std::{path::Path, pin::Pin, process::ExitCode, sync::Arc, time::Duration};

use atoll_postgres::{Database, DatabaseError, Member, bring_up, move_in, move_out};
use atoll_storage::{
    Direction, Engine, KeyBuf, Leader, Position, Read as _, Scan, Seen, Span, Standing, Store, StoreError,
    StoreOptions, Trouble, View, Write, WriteKeys,
    engines::{Memory, Redb},
};
use libtest_mimic::{Arguments, Trial};
use server::{Server, tls};
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
    host_that_may_not_lead_leaves_it_to_another,
    replica_that_is_too_old_while_it_runs_is_made_anew,
    store_moves_in_and_out_byte_for_byte,
    role_needs_no_more_than_the_documentation_grants,
    certificate_of_the_server_is_verified,
}

/// A host, whose task may be ended as a stopped process is.
struct Host {
    store: Store,
    seen: watch::Receiver<Seen>,
    may_lead: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), DatabaseError>>,
}

impl Host {
    fn join(database: &Database, engine: impl Engine, url: &str) -> Host {
        let store = Store::open_replica(engine, SPACES, StoreOptions::default()).expect("a store");
        let (may_lead, may) = watch::channel(true);
        let member = Member::new(database.clone(), store.clone(), url.to_owned(), LEASE, may);
        let (stop, stopped) = watch::channel(false);
        let seen = member.seen().subscribe();
        Host { store, seen, may_lead, stop, task: tokio::spawn(member.run(stopped)) }
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
        self.task.await.expect("no panic").expect("its replica fits");
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
    let ended = running.task.await.expect("no panic").expect_err("its commit is none of the log");
    assert!(matches!(ended, DatabaseError::Store(StoreError::Diverged { .. })), "{ended}");
    assert!(matches!(running.seen.borrow().trouble, Some(Trouble::Lost(_))));
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

async fn host_that_may_not_lead_leaves_it_to_another(server: &Server, name: &'static str) {
    let database = Database::parse(&server.database(name, server.port)).expect("an address");
    let first = Host::join(&database, Memory::default(), "first");
    first.until(Standing::Leads).await;
    let second = Host::join(&database, Memory::default(), "second");
    first.write(1).await.expect("it leads");
    first.may_lead.send_replace(false);
    second.until(Standing::Leads).await;
    let position = second.write(2).await.expect("it leads");
    assert_eq!(content(&first.reached(position).await), content(&second.store.view()));
    first.may_lead.send_replace(true);
    second.may_lead.send_replace(false);
    first.until(Standing::Leads).await;
    first.leave().await;
    second.leave().await;
}

async fn replica_that_is_too_old_while_it_runs_is_made_anew(server: &Server, name: &'static str) {
    let wire = Wire::to(server.port).await;
    let database = Database::parse(&server.database(name, server.port)).expect("an address");
    let away =
        Database::parse(&format!("postgres://atoll@127.0.0.1:{}/{name}", wire.port)).expect("an address");
    let leader = Host::join(&database, Memory::default(), "first");
    leader.until(Standing::Leads).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("replica.redb");
    let follower = Host::join(&away, bring_up(&away, &file, 1 << 23).await.expect("a replica"), "second");
    let first = leader.write(1).await.expect("a commit");
    follower.reached(first).await;
    wire.hold(true);
    leader.write(2).await.expect("a commit");
    let last = leader.write(3).await.expect("a commit");
    // As if it had been folded long ago.
    server.until(name, &format!("SELECT seq >= {last} FROM atoll_fold"));
    server.sql(name, &format!("DELETE FROM atoll_log WHERE seq <= {last}"));
    wire.hold(false);
    let ended = follower.task.await.expect("no panic").expect_err("the log begins later");
    assert!(matches!(ended, DatabaseError::TooOld), "{ended}");
    follower.store.close();
    drop((follower.seen, follower.stop, follower.may_lead));
    let anew = Host::join(&away, bring_up(&away, &file, 1 << 23).await.expect("a replica"), "second");
    assert_eq!(content(&anew.reached(last).await), content(&leader.store.view()));
    anew.leave().await;
    leader.leave().await;
}

/// All keys with their values, as they are stored.
fn stored(engine: &impl Engine) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    let mut add = |key: &[u8], value: &[u8]| {
        all.push((key.to_vec(), value.to_vec()));
        Ok(Scan::Continue(()))
    };
    let raw = engine.snapshot().expect("a snapshot");
    raw.scan(&Span::prefix(&[]), Direction::Ascending, &mut add, &mut |_, _| Ok(())).expect("a scan");
    all
}

async fn store_moves_in_and_out_byte_for_byte(server: &Server, name: &'static str) {
    let database = Database::parse(&server.database(name, server.port)).expect("an address");
    let folder = tempfile::tempdir().expect("a folder");
    let (alone, out) = (folder.path().join("alone.redb"), folder.path().join("out.redb"));
    let store = Store::open(Redb::open(&alone).expect("a file"), SPACES).expect("a store");
    for key in 0..100_u64 {
        let body = move |tx: &mut dyn Write| {
            let key = key_of(tx.prefix("test"), key);
            tx.put(key, vec![b'x'; 100_000]);
            Ok::<_, StoreError>(())
        };
        store.commit(body).await.expect("a commit");
    }
    store.close();
    let engine = Redb::open(&alone).expect("a file");
    let before = stored(&engine);
    let position = move_in(&database, &engine).await.expect("it moves in");
    assert_eq!(move_in(&database, &engine).await.expect("it was done"), position);
    let other = move_in(&database, &Memory::default()).await.expect_err("there is a store");
    assert!(matches!(other, DatabaseError::NotEmpty), "{other}");
    assert_eq!(move_out(&database, &out, 1 << 23).await.expect("it moves out"), position);
    assert_eq!(stored(&Redb::open(&out).expect("a file")), before);
    // What was moved in is a replica, which goes on with the log.
    let host = Host::join(&database, engine, "first");
    host.until(Standing::Leads).await;
    let last = host.write(1000).await.expect("a commit");
    assert_eq!(last, position.next());
    let again = folder.path().join("again.redb");
    assert_eq!(move_out(&database, &again, 1 << 23).await.expect("it moves out"), last);
    let view = host.store.view();
    let out = Redb::open(&again).expect("a file");
    assert_eq!(content(&View::look(&out, SPACES).expect("a look")), content(&view));
    host.leave().await;
}

async fn role_needs_no_more_than_the_documentation_grants(server: &Server, name: &'static str) {
    let owner = server.database(name, server.port);
    let page = include_str!("../../../../docs/scaling.md");
    let (_, rest) = page.split_once("```sql\n").expect("a block of SQL");
    let (grants, _) = rest.split_once("```").expect("its end");
    // The first start makes the tables, as their owner.
    let first = Host::join(&Database::parse(&owner).expect("an address"), Memory::default(), "owner");
    first.until(Standing::Leads).await;
    first.leave().await;
    server.sql(name, grants);
    let address = owner.replace("atoll@", "atoll_host:secret@");
    let database = Database::parse(&address).expect("an address");
    let folder = tempfile::tempdir().expect("a folder");
    let replica = bring_up(&database, &folder.path().join("replica.redb"), 1 << 23).await.expect("a replica");
    let host = Host::join(&database, replica, "first");
    host.until(Standing::Leads).await;
    let last = host.write(1).await.expect("a commit");
    server.until(name, &format!("SELECT seq >= {last} FROM atoll_fold"));
    host.leave().await;
}

async fn certificate_of_the_server_is_verified(_: &Server, name: &'static str) {
    let Some(server) = Server::start_with_tls() else { return };
    let address = server.database(name, server.port);
    let roots = tls("ca.pem");
    let connect = async |parameters: &str, host: &str| {
        let address = address.replace("127.0.0.1", host);
        let address = format!("{address}?hostaddr=127.0.0.1&{parameters}");
        let database = Database::parse(&address).expect("an address");
        let folder = tempfile::tempdir().expect("a folder");
        bring_up(&database, &folder.path().join("replica.redb"), 1 << 23).await.map(drop)
    };
    let known = format!("sslmode=verify-full&sslrootcert={}", roots.display());
    connect(&known, "localhost").await.expect("it is known");
    connect(&known, "other.test").await.expect_err("its name is another");
    connect("sslmode=verify-full", "localhost").await.expect_err("nobody knows its issuer");
    connect("sslmode=disable", "localhost").await.expect_err("it takes encrypted connections only");
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
