//! What a role may do, and which servers are refused.

use atoll_postgres::{Database, DatabaseError, bring_up};
use atoll_storage::{Standing, engines::Memory};
use atoll_test_postgres::{Server, tls};

use crate::{Host, replica};

pub(crate) async fn role_needs_no_more_than_the_documentation_grants(server: &Server, name: &'static str) {
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
    let host = Host::join(&database, replica(&database, &folder.path().join("replica.redb")).await, "first");
    host.until(Standing::Leads).await;
    let last = host.write(1).await.expect("a commit");
    server.until(name, &format!("SELECT seq >= {last} FROM atoll_fold"));
    host.leave().await;
}

pub(crate) async fn certificate_of_the_server_is_verified(_: &Server, name: &'static str) {
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

pub(crate) async fn server_that_loses_what_it_acknowledged_is_refused(server: &Server, name: &'static str) {
    let address = server.database(name, server.port);
    server.sql(name, &format!("ALTER DATABASE {name} SET synchronous_commit = off"));
    let folder = tempfile::tempdir().expect("a folder");
    let join = async |address: &str| {
        let database = Database::parse(address).expect("an address");
        bring_up(&database, &folder.path().join("replica.redb"), 1 << 23).await.map(drop)
    };
    let refused = join(&address).await.expect_err("it loses commits");
    assert!(matches!(refused, DatabaseError::LosesCommits), "{refused}");
    join(&format!("{address}?synchronous_commit=off")).await.expect("the address says so");
    server.sql(name, &format!("ALTER DATABASE {name} RESET synchronous_commit"));
    join(&address).await.expect("it loses none");
}
