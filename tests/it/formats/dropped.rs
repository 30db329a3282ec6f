//! Records of an entity that a module has no more are deleted when data of the earlier version is opened.

use atoll_kernel::{
    Registry, Timestamp, Write,
    data::{DroppedTable, Index, Module, Service},
    dropped, entity,
    migration::Plan as MigrationPlan,
};
use atoll_storage::{
    Store, View, WriteRows,
    engines::{EngineFault, Faulty, Memory},
};

use super::migration::{all, open, program, refused, start, write};

entity! {
    /// A note that the first version of a module keeps.
    pub struct Memo = "memo" / "memos", "memo" {
        /// Who wrote it.
        pub author: String,
    }
}

const BY_AUTHOR: Index<Memo> = Index::on("memo.by_author", &["author"], |it, keys| keys.add(&[&it.author]));
static MEMOS: Service<Memo> = Service::new(&[BY_AUTHOR]);

static FIRST: Module = Module { name: "memos", services: &[&MEMOS], ..Module::EMPTY };
static SECOND: Module =
    Module { name: "memos", dropped: &[dropped!("memo", "memo.by_author")], ..Module::EMPTY };
static FORGETFUL: Module = Module { name: "memos", dropped: &[dropped!("memo")], ..Module::EMPTY };

const MEMO: DroppedTable = dropped!("memo", "memo.by_author");

fn with(module: &'static Module) -> &'static Registry {
    program(|it| it.modules.push(module))
}

/// A disk with memos, live and soft-deleted: more than a batch of a migration.
async fn disk() -> Memory {
    let disk = Memory::default();
    start(&disk, with(&FIRST)).await.expect("a new database");
    let store = open(&disk, with(&FIRST));
    let fill = |tx: &mut dyn Write| {
        for n in 0..6_000 {
            let memo = Memo { id: format!("memo_{n}").into(), author: "Ada".into(), ..Memo::default() };
            MEMOS.table.insert(tx, &memo).expect("a memo");
        }
        MEMOS.table.soft_delete(tx, "memo_1", Timestamp::from_millis(1)).expect("a grave");
    };
    write(&store, fill).await;
    store.close();
    disk
}

fn n_left(disk: &Memory) -> usize {
    let spaces = all(disk, with(&SECOND)).into_iter();
    let of_memo =
        spaces.filter(|(space, _)| [MEMO.name, MEMO.deleted].contains(space) || MEMO.indexes.contains(space));
    of_memo.map(|(_, entries)| entries.len()).sum()
}

fn planned(disk: &Memory, program: &'static Registry) -> String {
    let view = View::look(disk, &program.spaces()).expect("a look");
    MigrationPlan::of(&view, program).expect("a plan").to_string()
}

#[tokio::test]
async fn dropped_records_are_deleted_with_their_indexes() {
    let disk = disk().await;
    assert!(n_left(&disk) > 11_000);
    let said = "table memo: was dropped, and its records are deleted\n";
    assert_eq!(planned(&disk, with(&SECOND)), said);
    start(&disk, with(&SECOND)).await.expect("a migration");
    assert_eq!(n_left(&disk), 0);
    let done = "the data is as this program stores it: there is nothing to do\n";
    assert_eq!(planned(&disk, with(&SECOND)), done);
    // The earlier program finds none, and counts none.
    start(&disk, with(&FIRST)).await.expect("a start of the earlier program");
    let view = View::look(&disk, &with(&FIRST).spaces()).expect("a look");
    assert_eq!(MEMOS.table.count(&view).expect("a count"), 0);
    assert_eq!(BY_AUTHOR.count(&view, &["Ada"]).expect("a count"), 0);
}

#[tokio::test]
async fn an_index_that_is_not_named_is_asked_for() {
    let disk = disk().await;
    assert_eq!(
        refused(&disk, with(&FORGETFUL)),
        ["table memo is dropped, and its index memo.by_author is not named there: name it"]
    );
}

#[tokio::test]
async fn dropping_goes_on_after_a_crash() {
    let old = disk().await;
    let mut n_interrupted = 0;
    for n in 1.. {
        let disk = old.fork();
        let engine = Faulty::new(disk.clone(), EngineFault::CrashAfterCommit(n));
        let Ok(store) = Store::open(engine, &with(&SECOND).spaces()) else { continue };
        let migrated = atoll_kernel::migration::migrate(&store, with(&SECOND)).await;
        store.close();
        if migrated.is_ok() {
            break;
        }
        n_interrupted += 1;
        let n_kept = n_left(&disk);
        if n_kept > 0 && n_kept < n_left(&old) {
            let refusals = refused(&disk, with(&FIRST));
            assert!(refusals[0].starts_with("table memo is in version 2"), "{refusals:?}");
        }
        start(&disk, with(&SECOND)).await.expect("it goes on");
        assert_eq!(n_left(&disk), 0, "interrupted after commit {n}");
    }
    assert!(n_interrupted >= 3, "only {n_interrupted} commits");
}

#[test]
fn what_is_dropped_and_still_there_is_a_problem() {
    static BOTH: Module = Module {
        name: "memos",
        services: &[&MEMOS],
        dropped: &[dropped!("memo", "memo.by_author")],
        ..Module::EMPTY
    };
    let linked = atoll_host::registry().expect("a registry");
    let parts =
        Registry { modules: linked.modules.iter().copied().chain([&BOTH]).collect(), ..Registry::default() };
    let problems = parts.build().map(drop).expect_err("problems");
    let found = problems.iter().any(|it| it.text.contains("key space `memo`"));
    assert!(found, "{:?}", problems.iter().map(|it| &it.text).collect::<Vec<_>>());
}
