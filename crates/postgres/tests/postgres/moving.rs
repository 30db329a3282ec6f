//! Stores that move in and out, and which store is which.

use atoll_postgres::{DatabaseError, bring_up, move_in, move_out};
use atoll_storage::{
    Changes, Direction, Engine, Position, Scan, Span, Standing, Store, StoreError, View, Write, WriteKeys,
    engines::{Memory, Redb},
};
use atoll_test_postgres::Server;

use crate::{Host, SPACES, content, database, key_of, replica};

/// Writes so many records, a commit each, as a host alone.
async fn commit(engine: impl Engine, n: u64, byte: u8) {
    let store = Store::open(engine, SPACES).expect("a store");
    for key in 0..n {
        let body = move |tx: &mut dyn Write| {
            let key = key_of(tx.prefix("test"), key);
            tx.put(key, vec![byte; 100_000]);
            Ok::<_, StoreError>(())
        };
        store.commit(body).await.expect("a commit");
    }
    store.close();
}

/// All keys with their values, as they are stored.
pub(crate) fn stored(engine: &impl Engine) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    let mut add = |key: &[u8], value: &[u8]| {
        all.push((key.to_vec(), value.to_vec()));
        Ok(Scan::Continue(()))
    };
    let raw = engine.snapshot().expect("a snapshot");
    raw.scan(&Span::prefix(&[]), Direction::Ascending, &mut add, &mut |_, _| Ok(())).expect("a scan");
    all
}

pub(crate) async fn store_moves_in_and_out_byte_for_byte(server: &Server, name: &'static str) {
    let database = database(server, name);
    let folder = tempfile::tempdir().expect("a folder");
    let (alone, out) = (folder.path().join("alone.redb"), folder.path().join("out.redb"));
    commit(Redb::open(&alone).expect("a file"), 100, b'x').await;
    let mut engine = Redb::open(&alone).expect("a file");
    let before = stored(&engine);
    let position = move_in(&database, &mut engine).await.expect("it moves in");
    let moved = stored(&engine);
    assert_eq!(before.len() + 1, moved.len(), "the chain of its commits begins");
    assert!(before.iter().all(|it| moved.contains(it)));
    assert_eq!(move_in(&database, &mut engine).await.expect("it was done"), position);
    let other = move_in(&database, &mut Memory::default()).await.expect_err("there is a store");
    assert!(matches!(other, DatabaseError::NotEmpty), "{other}");
    assert_eq!(move_out(&database, &out, 1 << 23).await.expect("it moves out"), position);
    assert_eq!(stored(&Redb::open(&out).expect("a file")), moved);
    // What was moved in is a replica, which goes on with the log.
    let host = Host::join(&database, engine, "first");
    host.until(Standing::Leads).await;
    let last = host.write(1000).await.expect("a commit");
    assert_eq!(last, position.next());
    let last_content = content(&host.store.view());
    host.leave().await;
    let again = folder.path().join("again.redb");
    assert_eq!(move_out(&database, &again, 1 << 23).await.expect("it moves out"), last);
    let out = Redb::open(&again).expect("a file");
    assert_eq!(content(&View::look(&out, SPACES).expect("a look")), last_content);
}

pub(crate) async fn other_store_with_as_many_commits_is_not_taken_for_this_one(
    server: &Server,
    name: &'static str,
) {
    let database = database(server, name);
    let (mut one, mut other) = (Memory::default(), Memory::default());
    commit(one.clone(), 3, b'x').await;
    commit(other.clone(), 3, b'y').await;
    let position = move_in(&database, &mut one).await.expect("it moves in");
    assert_eq!(View::look(&other, SPACES).expect("a look").position(), position, "as many commits");
    let refused = move_in(&database, &mut other).await.expect_err("it is another store");
    assert!(matches!(refused, DatabaseError::NotEmpty), "{refused}");
    // Nor does it follow, if somebody makes it a replica.
    let ended = Host::join(&database, other, "other").ended().await;
    assert!(matches!(ended, DatabaseError::Store(StoreError::Diverged { .. })), "{ended}");
    let host = Host::join(&database, one, "one");
    host.until(Standing::Leads).await;
    host.leave().await;
}

pub(crate) async fn store_whose_commits_were_never_counted_moves_in(server: &Server, name: &'static str) {
    let database = database(server, name);
    let mut engine = Memory::default();
    commit(engine.clone(), 3, b'x').await;
    // As an earlier version has left it.
    engine.commit(&Changes::from([(b"\0\0\0position".to_vec(), None)])).expect("a commit");
    assert_eq!(move_in(&database, &mut engine).await.expect("it moves in"), Position(0));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("replica.redb");
    let loaded = replica(&database, &file).await;
    assert_eq!(stored(&loaded), stored(&engine));
    drop(loaded);
    let again = bring_up(&database, &file, 1 << 23).await.expect("it fits");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing was set aside");
    let first = Host::join(&database, again, "first");
    first.until(Standing::Leads).await;
    let position = first.write(1_000).await.expect("a commit");
    let second = Host::join(&database, engine, "second");
    assert_eq!(content(&second.reached(position).await), content(&first.store.view()));
    first.leave().await;
    second.leave().await;
}

pub(crate) async fn store_that_is_led_is_not_moved_out(server: &Server, name: &'static str) {
    let database = database(server, name);
    let host = Host::join(&database, Memory::default(), "first");
    host.until(Standing::Leads).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("out.redb");
    let refused = move_out(&database, &file, 1 << 23).await.map(drop).expect_err("a host leads");
    assert!(matches!(refused, DatabaseError::IsLed), "{refused}");
    let refused = move_in(&database, &mut Memory::default()).await.map(drop).expect_err("a host leads");
    assert!(matches!(refused, DatabaseError::IsLed), "{refused}");
    host.leave().await;
    move_out(&database, &file, 1 << 23).await.expect("it moves out");
}
