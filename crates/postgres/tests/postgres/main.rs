//! Replicas over a real PostgreSQL: who leads, what becomes of commits whose answers are lost, what a host
//! finds when it comes back. Skipped where there is no PostgreSQL.

mod access;
mod altered;
mod leading;
mod moving;
mod replicas;
mod wire;
mod zombies;

use std::{
    path::Path,
    pin::Pin,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use atoll_postgres::{Database, DatabaseError, Member, bring_up};
use atoll_storage::{
    Direction, Engine, KeyBuf, Position, Read as _, Scan, Seen, Span, Standing, Store, StoreError,
    StoreOptions, View, Write, WriteKeys, engines::Redb,
};
use atoll_test_postgres::Server;
use libtest_mimic::{Arguments, Trial};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use wire::MARK;

/// Short, so that tests need not wait, and longer than a busy machine pauses.
const LEASE: Duration = Duration::from_millis(1_500);

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

const SPACES: &[&str] = &["test"];

type Test = for<'a> fn(&'a Server, &'static str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

macro_rules! tests {
    ($($file:ident: $($name:ident),+;)+) => {
        const TESTS: &[(&str, Test)] =
            &[$($((stringify!($name), |server, name| Box::pin($file::$name(server, name)))),+),+];
    };
}

tests! {
    leading:
        one_host_leads_and_the_others_hold_what_it_wrote,
        host_that_starts_anew_does_not_take_itself_for_another_one,
        host_notices_another_one_at_its_own_address,
        host_that_cannot_extend_its_lease_ends_before_another_leads,
        commits_whose_answers_are_lost_are_written_once,
        without_the_raise_it_is_denied_that_a_late_commit_is_written,
        nothing_is_appended_to_a_log_that_goes_on_from_another_commit,
        host_takes_over_from_one_whose_last_sign_is_of_the_future,
        commit_waits_for_a_connection_that_comes_back,
        nothing_is_written_without_a_server_and_it_goes_on_with_one,
        host_that_may_not_lead_leaves_it_to_another,
        host_is_asked_whether_it_may_lead_the_data_that_it_takes_over,
        transaction_that_is_too_large_is_refused_alone,
        how_far_the_log_goes_is_asked_once_for_all_who_wait;
    zombies:
        host_that_was_stopped_beyond_its_lease_writes_nothing,
        without_the_fence_it_writes;
    replicas:
        replica_goes_on_where_it_was_and_a_new_one_is_loaded,
        host_joins_while_others_write,
        replica_that_is_copied_while_keys_change_is_what_the_leader_is,
        copy_that_is_not_replayed_is_of_no_moment,
        replica_that_rests_is_on_the_disk,
        host_does_not_wait_for_a_server_that_says_nothing,
        fold_that_is_blocked_deposes_nobody_and_goes_on_in_batches,
        log_that_lost_commits_is_noticed_and_the_replica_kept,
        replica_that_is_too_old_while_it_runs_is_made_anew;
    moving:
        store_moves_in_and_out_byte_for_byte,
        other_store_with_as_many_commits_is_not_taken_for_this_one,
        store_whose_commits_were_never_counted_moves_in,
        store_that_is_led_is_not_moved_out;
    access:
        role_needs_no_more_than_the_documentation_grants,
        server_that_loses_what_it_acknowledged_is_refused,
        certificate_of_the_server_is_verified;
}

/// A host, whose task may be ended as a stopped process is.
struct Host {
    store: Store,
    seen: watch::Receiver<Seen>,
    may_lead: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), DatabaseError>>,
}

impl Host {
    fn join(database: &Database, engine: impl Engine, url: &str) -> Host {
        Host::start(engine, |store| Member::new(database.clone(), store, url.to_owned(), LEASE), |_| true)
    }

    /// A host that is asked about the data before it leads.
    fn start(
        engine: impl Engine,
        member: impl FnOnce(Store) -> Member,
        knows: impl Fn(&View) -> bool + Send + Sync + 'static,
    ) -> Host {
        let store = Store::open_replica(engine, SPACES, StoreOptions::default()).expect("a store");
        let member = member(store.clone());
        let may_lead = Arc::new(AtomicBool::new(true));
        let may = may_lead.clone();
        let (stop, stopped) = watch::channel(false);
        let seen = member.seen().subscribe();
        tokio::spawn(open_terms(store.clone()));
        let run = async move { member.run(|view| may.load(Ordering::SeqCst) && knows(view), stopped).await };
        Host { store, seen, may_lead, stop, task: tokio::spawn(run) }
    }

    async fn until(&self, standing: Standing) {
        let mut it = self.store.standing();
        in_time("its standing", it.wait_for(|it| *it == standing)).await.expect("open");
    }

    /// Waits until it has seen this.
    async fn until_seen(&self, what: &str, is_so: impl FnMut(&Seen) -> bool) {
        in_time(what, self.seen.clone().wait_for(is_so)).await.expect("open");
    }

    async fn leave(self) {
        self.stop.send_replace(true);
        in_time("its end", self.task).await.expect("no panic").expect("its replica fits");
        self.store.close();
    }

    /// The error by which it ended.
    async fn ended(self) -> DatabaseError {
        let error = in_time("its end", self.task).await.expect("no panic").expect_err("it ended by an error");
        self.store.close();
        error
    }

    async fn write(&self, key: u64) -> Result<Position, StoreError> {
        self.write_long(key, MARK.to_vec()).await
    }

    async fn write_long(&self, key: u64, value: Vec<u8>) -> Result<Position, StoreError> {
        let body = move |tx: &mut dyn Write| {
            let key = key_of(tx.prefix("test"), key);
            assert!(tx.get(&key)?.is_none(), "it is written once");
            tx.put(key, value);
            Ok::<_, StoreError>(())
        };
        Ok(self.store.commit(body).await?.1.position())
    }

    async fn reached(&self, position: Position) -> View {
        in_time("a commit", self.store.reached(position)).await.expect("a view")
    }
}

/// Waits for what must come.
async fn in_time<T>(what: &str, it: impl Future<Output = T>) -> T {
    timeout(PATIENCE, it).await.unwrap_or_else(|_| panic!("{what}: not in time"))
}

fn database(server: &Server, name: &str) -> Database {
    Database::parse(&server.database(name, server.port)).expect("an address")
}

/// A database that exists, through a wire.
fn through(port: u16, name: &str) -> Database {
    Database::parse(&format!("postgres://atoll@127.0.0.1:{port}/{name}")).expect("an address")
}

async fn replica(database: &Database, file: &Path) -> Redb {
    bring_up(database, file, 1 << 23).await.expect("a replica")
}

fn has(view: &View, key: u64) -> bool {
    view.get(&key_of(view.prefix("test"), key)).expect("a read").is_some()
}

/// Opens each term at once: there is nothing to be prepared.
async fn open_terms(store: Store) {
    let mut standing = store.standing();
    while standing.wait_for(|it| *it == Standing::Prepares).await.is_ok() {
        // It may have ended.
        drop(store.to_prepare().open_term().await);
        if standing.changed().await.is_err() {
            return;
        }
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
