//! PostgreSQL as the log of the shops of tests, where `ATOLL_TEST_STORE` asks for it: by an address of a
//! database (`postgres://…`, without parameters), or by `postgres`, which starts Debian's. Each shop has a
//! schema of its own.

use std::{
    env, process,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use atoll_kernel::data::{Space, Store};
use atoll_postgres::{Database, DatabaseError, Member};
use atoll_storage::{
    Position, Standing, StoreOptions,
    engines::{Content, Memory},
};
use atoll_test_postgres::Server;
use tokio::{runtime::Runtime, sync::watch, task::JoinHandle, time::timeout};

use crate::followed::{content, wait_for};

/// A lease that does not end while a test runs.
const LEASE: Duration = Duration::from_secs(600);

/// How long a test waits for a host.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where hosts run: the runtime of a test may end before its shop, and its time may stand still.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// The log of a shop, and the host that leads.
pub(crate) struct Schema {
    /// Of the database.
    address: String,
    name: String,
    leader: Option<Host>,
}

impl Schema {
    /// The log of this store, which leads from now on. None if the environment asks for none.
    pub(crate) async fn of_environment(store: &Store) -> Option<Schema> {
        let address = match env::var("ATOLL_TEST_STORE").ok()?.as_str() {
            "postgres" => Server::of_process().expect("a PostgreSQL in /usr/lib/postgresql"),
            address => address.to_owned(),
        };
        Some(Schema::lead(address, store).await)
    }

    async fn lead(address: String, store: &Store) -> Schema {
        static N: AtomicUsize = AtomicUsize::new(0);
        let name = format!("shop_{}_{}", process::id(), N.fetch_add(1, Ordering::Relaxed));
        sql(&address, format!("CREATE SCHEMA {name}")).await.expect("a schema");
        let mut schema = Schema { address, name, leader: None };
        schema.leader = Some(Host::join(schema.database(), store, true));
        let mut standing = store.standing();
        in_time("a leader", async move {
            standing.wait_for(|it| *it == Standing::Prepares).await.expect("open");
        })
        .await;
        schema
    }

    /// As hosts see it.
    fn database(&self) -> Database {
        let address = format!("{}?options=-csearch_path%3D{}", self.address, self.name);
        Database::parse(&address).expect("an address")
    }

    /// Nothing is committed any more.
    pub(crate) async fn end(&mut self) {
        if let Some(leader) = self.leader.take() {
            leader.leave().await;
        }
    }

    /// What a host holds that has followed up to this commit.
    pub(crate) async fn follower(&self, spaces: &[Space], position: Position) -> Content {
        let engine = Memory::default();
        let options = StoreOptions::default();
        let store = Store::open_replica(engine.clone(), spaces, options).expect("a store");
        let host = Host::join(self.database(), &store, false);
        let reached = store.clone();
        in_time("a follower", async move { drop(reached.reached(position).await.expect("a view")) }).await;
        host.leave().await;
        store.close();
        content(&engine)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if let Some(leader) = self.leader.take() {
            leader.task.abort();
        }
        // What a test leaves in a database of its own harms nobody.
        drop(wait_for(sql(&self.address, format!("DROP SCHEMA {} CASCADE", self.name))));
    }
}

/// A host, as long as it takes part.
struct Host {
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), DatabaseError>>,
}

impl Host {
    fn join(database: Database, store: &Store, may_lead: bool) -> Host {
        let (stop, stopped) = watch::channel(false);
        let member = Member::new(database, store.clone(), "test".into(), LEASE);
        let run = async move { member.run(|_| may_lead, stopped).await };
        Host { stop, task: RUNTIME.spawn(run) }
    }

    async fn leave(self) {
        self.stop.send_replace(true);
        let ended = in_time("the end of a host", self.task).await;
        ended.expect("no panic").expect("its replica fits");
    }
}

async fn sql(address: &str, statement: String) -> Result<(), tokio_postgres::Error> {
    let address = address.to_owned();
    let run = async move {
        let (client, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(&statement).await
    };
    RUNTIME.spawn(run).await.expect("no panic")
}

/// Waits for what must come, by a clock that no test stops.
async fn in_time<T: Send + 'static>(what: &str, it: impl Future<Output = T> + Send + 'static) -> T {
    let done = RUNTIME.spawn(async { timeout(PATIENCE, it).await }).await.expect("no panic");
    done.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}

#[cfg(test)]
mod tests {
    use atoll_host::registry;
    use atoll_storage::View;

    use super::*;

    /// What `ATOLL_TEST_STORE=postgres` does, whether it is set or not.
    #[tokio::test]
    async fn commits_of_a_shop_are_in_its_schema_until_it_ends() {
        let Some(address) = Server::of_process() else { return eprintln!("skipped: there is no PostgreSQL") };
        let (leader, spaces) = (Memory::default(), registry().expect("a registry").spaces().to_vec());
        let store = Store::open_replica(leader.clone(), &spaces, StoreOptions::default()).expect("a store");
        let mut schema = Schema::lead(address.clone(), &store).await;
        store.to_prepare().open_term().await.expect("it leads");
        let position = View::look(&leader, &spaces).expect("a view").position();
        assert!(position > Position(0), "the spaces are a commit");
        let last =
            format!("SELECT 1 / (SELECT count(*) FROM {}.atoll_log WHERE seq = {position})", schema.name);
        sql(&address, last.clone()).await.expect("it is there");
        schema.end().await;
        assert_eq!(schema.follower(&spaces, position).await, content(&leader));
        assert_eq!(*store.standing().borrow(), Standing::Follows);
        drop(schema);
        sql(&address, last).await.expect_err("there is no such schema any more");
    }
}
