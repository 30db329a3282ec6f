//! Migrations between two programs that differ in an index, a renamed field, a projection and a link.
//!
//! Both consist of what is linked in and of one more module, in its old and its new version.

use atoll_host::registry;
use atoll_kernel::{
    Actor, Timestamp,
    data::{Column, End, Side},
    migration::FORMAT,
};
use atoll_kernel::{
    Moment, Read, Registry, StoreError, Write,
    data::{
        Change, Direction, FieldKind, Index, Keys, Link, LinkRow, Module, Projection, Scalar, Scan, Service,
        Step, Store, View, group_count,
    },
    entity,
    limits::TRANSACTION_BYTES_MAX,
    migration::{Fingerprint, MigrationError, PartKind, Plan as MigrationPlan, migrate, migrate_by},
    registry::Providers,
    serde_json::{Map, Value, json},
};
use atoll_storage::{
    KeyBuf, MemoryLog, Span, StoreOptions, WriteKeys, WriteRows, decode, encode,
    engines::{Counting, EngineFault, Faulty, Memory},
};

/// More than a batch, also of a projection, whose rows weigh ten times as much.
const N_SHELVES: usize = 5_500;

pub(super) mod before {
    use super::*;

    entity! {
        /// A shelf, as it was.
        pub struct Shelf = "shelf" / "shelves", "shlf" {
            /// What it is called.
            pub name: String,
            /// What is written on it.
            pub code: String,
            /// Its colour.
            pub colour: String = "grey".into(),
        }
    }

    pub(super) const BY_CODE: Index<Shelf> =
        Index::counted("shelf.by_code", &["code"], |it, keys: &mut Keys| keys.add(&[&it.code]));
    pub(super) static SHELVES: Service<Shelf> = Service::new(&[BY_CODE]);
    pub(super) static MODULE: Module = Module { name: "shelves", services: &[&SHELVES], ..Module::EMPTY };
}

/// A shelf as it was, and one index more.
pub(super) mod indexed {
    use super::*;

    pub(super) const BY_NAME: Index<before::Shelf> =
        Index::on("shelf.by_name", &["name"], |it, keys: &mut Keys| keys.add(&[&it.name]));
    pub(super) static SHELVES: Service<before::Shelf> = Service::new(&[before::BY_CODE, BY_NAME]);
    pub(super) static MODULE: Module = Module { name: "shelves", services: &[&SHELVES], ..Module::EMPTY };
}

mod after {
    use super::*;

    entity! {
        /// A shelf, as it is.
        pub struct Shelf = "shelf" / "shelves", "shlf" {
            /// What it was called `name` before.
            pub title: String,
            /// What is written on it.
            pub code: String,
            /// How many boards it has: two, if it is old.
            pub boards: u32 = 5,
            /// Nothing that an old one has.
            pub note: Option<String>,
        }
        history [
            [
                Step::Renamed { from: "name", to: "title" },
                Step::Dropped("colour"),
                Step::Filled("boards", || json!(2)),
            ],
            [Step::Changed(|fields| match fields.get_mut("code") {
                Some(Value::String(code)) => {
                    code.make_ascii_uppercase();
                    Ok(())
                }
                _ => Err("it has no code".into()),
            })],
        ]
    }

    pub(super) const BY_CODE: Index<Shelf> =
        Index::counted("shelf.by_code", &["code"], |it, keys: &mut Keys| keys.add(&[&it.code]));
    pub(super) const BY_TITLE: Index<Shelf> =
        Index::unique("shelf.by_title", &["title"], |it, keys: &mut Keys| keys.add(&[&it.title]));
    pub(super) static SHELVES: Service<Shelf> = Service::new(&[BY_CODE, BY_TITLE]);
    pub(super) static MODULE: Module = Module { name: "shelves", services: &[&SHELVES], ..Module::EMPTY };

    /// Boards, then the shelf.
    pub(super) static BY_BOARDS: Projection = Projection {
        name: "shelf.boards",
        follows: &["shelf"],
        spaces: &["shelf.boards"],
        kept: &[],
        version: 1,
        update: |tx: &mut dyn Write, change: &Change<'_>| {
            let Some(shelf) = change.after else { return Ok(()) };
            let Scalar::Number(boards) = shelf.scalar("boards") else { panic!("no boards") };
            let key = KeyBuf::new(tx.prefix("shelf.boards")).part(&boards.to_string());
            tx.put(key.tail(shelf.key().as_bytes()).into_bytes(), Vec::new());
            atoll_storage::add_to_group(tx, "shelf.boards", &[&boards.to_string()], 1)
        },
        ..Projection::EMPTY
    };
}

/// What is linked in, with this change.
pub(super) fn program(change: impl FnOnce(&mut Registry)) -> &'static Registry {
    let linked = registry().expect("a registry");
    let mut parts = Registry {
        modules: linked.modules.clone(),
        links: linked.links.clone(),
        field_links: linked.field_links.clone(),
        projections: linked.projections.clone(),
        events: linked.events.clone(),
        routes: linked.routes.clone(),
        subscribers: linked.subscribers.clone(),
        jobs: linked.jobs.clone(),
        flows: linked.flows.clone(),
        hooks: linked.hooks.clone(),
        provider_kinds: linked.provider_kinds.clone(),
        providers: linked.providers.clone(),
        flags: linked.flags.clone(),
        computed: linked.computed.clone(),
        checks: linked.checks.clone(),
        ..Registry::default()
    };
    change(&mut parts);
    Box::leak(Box::new(parts.build().expect("a registry that fits together")))
}

pub(super) fn old_program() -> &'static Registry {
    program(|it| it.modules.push(&before::MODULE))
}

fn new_program() -> &'static Registry {
    program(|it| {
        it.modules.push(&after::MODULE);
        it.projections.push(&after::BY_BOARDS);
    })
}

pub(super) fn open(disk: &Memory, program: &'static Registry) -> Store {
    Store::open(disk.clone(), &program.spaces()).expect("a store")
}

/// Opens the disk with this program, as at a start, and closes it.
pub(super) async fn start(disk: &Memory, program: &'static Registry) -> Result<(), MigrationError> {
    let plan = MigrationPlan::of(&View::look(disk, &program.spaces())?, program)?;
    let store = open(disk, program);
    let done = migrate_by(&store, plan).await;
    store.close();
    done
}

pub(super) fn refused(disk: &Memory, program: &'static Registry) -> Vec<String> {
    let view = View::look(disk, &program.spaces()).expect("a look");
    match MigrationPlan::of(&view, program) {
        Err(MigrationError::Refused(refusals)) => refusals,
        Err(error) => panic!("{error}"),
        Ok(plan) => panic!("it is not refused: {plan}"),
    }
}

pub(super) async fn write<T: Send + 'static>(
    store: &Store,
    mut body: impl FnMut(&mut dyn Write) -> T + Send + 'static,
) -> T {
    store.write(move |tx| Ok::<_, StoreError>(body(tx))).await.expect("a commit")
}

pub(super) fn shelf_id(n: usize) -> String {
    format!("shlf_{n:06}")
}

/// A disk with data of the old program.
pub(super) async fn old_disk(n_shelves: usize) -> Memory {
    let disk = Memory::default();
    start(&disk, old_program()).await.expect("a new database");
    let store = open(&disk, old_program());
    let fill = move |tx: &mut dyn Write| {
        for n in 0..n_shelves {
            let shelf = before::Shelf {
                id: shelf_id(n).as_str().into(),
                name: format!("Shelf {n}"),
                code: format!("c{}", n % 100),
                ..before::Shelf::default()
            };
            before::SHELVES.table.insert(tx, &shelf).expect("a shelf");
        }
        before::SHELVES.table.soft_delete(tx, &shelf_id(1), Timestamp::from_millis(1)).expect("a grave");
    };
    write(&store, fill).await;
    store.close();
    disk
}

pub(super) type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// Every key of a space, and its value.
pub(super) fn entries(view: &dyn Read, space: &'static str) -> Entries {
    let mut entries = Vec::new();
    view.scan(&Span::prefix(&view.prefix(space)), Direction::Ascending, &mut |key, value| {
        entries.push((key[2..].to_vec(), value.to_vec()));
        Ok(Scan::Continue(()))
    })
    .expect("a scan");
    entries
}

/// Everything that a program reads from a disk.
pub(super) fn all(disk: &Memory, program: &'static Registry) -> Vec<(&'static str, Entries)> {
    let view = View::look(disk, &program.spaces()).expect("a look");
    program.spaces().into_iter().map(|space| (space, entries(&view, space))).collect()
}

/// Removes the fingerprints of parts, as in data from before there were fingerprints.
pub(super) async fn forget_fingerprints(store: &Store) {
    let forget = |tx: &mut dyn Write| {
        for (key, _) in entries(tx, FORMAT) {
            let key = KeyBuf::new(tx.prefix(FORMAT)).tail(&key).into_bytes();
            tx.delete(key);
        }
    };
    write(store, forget).await;
}

/// The records as the new program must read them.
fn check(disk: &Memory, n_shelves: usize) {
    let view = View::look(disk, &new_program().spaces()).expect("a look");
    let table = &after::SHELVES.table;
    assert_eq!(table.count(&view).expect("a count"), n_shelves as u64 - 1);
    for n in [0, 2, n_shelves - 1] {
        let shelf = table.get(&view, &shelf_id(n)).expect("a get").expect("a shelf");
        assert_eq!(
            (shelf.title.as_str(), shelf.code, shelf.boards, shelf.note),
            (format!("Shelf {n}").as_str(), format!("C{}", n % 100), 2, None)
        );
        let found = table.id_by(&view, &after::BY_TITLE, &[&shelf.title]).expect("a get");
        assert_eq!(found, Some(shelf_id(n)));
    }
    let n_of_code = (n_shelves as u64).div_ceil(100);
    assert_eq!(after::BY_CODE.count(&view, &["C7"]).expect("a count"), n_of_code);
    assert_eq!(after::BY_CODE.count(&view, &["c7"]).expect("a count"), 0);
    assert_eq!(table.ids_by(&view, &after::BY_CODE, &["C7"]).expect("ids").len() as u64, n_of_code);
    assert_eq!(table.get_deleted(&view, &shelf_id(1)).expect("a get").expect("a grave").title, "Shelf 1");
    assert_eq!(entries(&view, "shelf.boards").len(), n_shelves - 1);
    assert_eq!(group_count(&view, "shelf.boards", &["2"]).expect("a count"), n_shelves as u64 - 1);
    // Live and soft-deleted rows were rewritten in the current version: the steps are not needed any more.
    for space in ["shelf", "shelf.deleted"] {
        assert!(entries(&view, space).iter().all(|(_, value)| value.starts_with(&[3, 0, 3])), "{space}");
    }
}

#[tokio::test]
async fn migration_upgrades_indexes_records_and_projections() {
    let disk = old_disk(N_SHELVES).await;
    let view = View::look(&disk, &new_program().spaces()).expect("a look");
    let plan = MigrationPlan::of(&view, new_program()).expect("a plan");
    assert_eq!(
        plan.to_string(),
        "table shelf: every record is rewritten as version 3; rebuilt: shelf.by_code, shelf.by_title\n\
         projection shelf.boards: is rebuilt\n"
    );
    start(&disk, new_program()).await.expect("a migration");
    check(&disk, N_SHELVES);
    let view = View::look(&disk, &new_program().spaces()).expect("a look");
    let plan = MigrationPlan::of(&view, new_program()).expect("a plan");
    assert_eq!(plan.to_string(), "the data is as this program stores it: there is nothing to do\n");
}

#[tokio::test]
async fn rows_are_read_for_one_plan_only() {
    let spaces = new_program().spaces();
    let n_read = async |by_plan: bool| {
        let disk = Counting::over(old_disk(N_SHELVES).await);
        let view = View::look(&disk, &spaces).expect("a look");
        let plan = MigrationPlan::of(&view, new_program()).expect("a plan");
        let n_planned = disk.n_read();
        let store = Store::open(disk.clone(), &spaces).expect("a store");
        let migrated =
            if by_plan { migrate_by(&store, plan).await } else { migrate(&store, new_program()).await };
        migrated.expect("a migration");
        store.close();
        (n_planned, disk.n_read() - n_planned)
    };
    let (n_planned, n_by_plan) = n_read(true).await;
    let (_, n_planned_again) = n_read(false).await;
    assert!(n_planned > N_SHELVES, "{n_planned}");
    assert!(n_planned_again > n_by_plan + N_SHELVES, "{n_by_plan}, and {n_planned_again} with another plan");
}

/// Of several hosts a batch is one entry of their log, which is not to be larger than 64 MiB.
#[tokio::test]
async fn what_is_rebuilt_may_be_larger_than_a_transaction_of_several_hosts() {
    const WEIGHT: usize = 2 * 1024 * 1024;
    static WEIGHTS: Projection = Projection {
        name: "shelf.weights",
        follows: &["shelf"],
        spaces: &["shelf.weights"],
        update: |tx: &mut dyn Write, change: &Change<'_>| {
            let Some(shelf) = change.after else { return Ok(()) };
            let key = KeyBuf::new(tx.prefix("shelf.weights")).tail(shelf.key().as_bytes()).into_bytes();
            tx.put(key, vec![b'x'; WEIGHT]);
            Ok(())
        },
        ..Projection::EMPTY
    };
    let n_shelves = TRANSACTION_BYTES_MAX as usize / WEIGHT + 2;
    let disk = old_disk(n_shelves).await;
    let program = program(|it| {
        it.modules.push(&before::MODULE);
        it.projections.push(&WEIGHTS);
    });
    let options = StoreOptions::default();
    let store = Store::open_replica(disk.clone(), &program.spaces(), options).expect("a store");
    store.lead(MemoryLog::default().begin_term()).await.expect("it leads");
    migrate(&store.to_prepare(), program).await.expect("a migration");
    assert_eq!(entries(&store.view(), "shelf.weights").len(), n_shelves - 1);
    store.close();
}

/// Negative control: the same two programs without a migration.
#[tokio::test]
async fn without_a_migration_an_old_row_is_not_found_and_cannot_be_deleted() {
    let disk = old_disk(200).await;
    let store = open(&disk, new_program());
    let view = store.view();
    assert_eq!(after::BY_CODE.count(&view, &["C7"]).expect("a count"), 0);
    let found = after::SHELVES.table.id_by(&view, &after::BY_TITLE, &["Shelf 7"]).expect("a get");
    assert_eq!(found, None);
    let delete = |tx: &mut dyn Write| after::SHELVES.table.remove(tx, &shelf_id(7)).map(|it| it.is_some());
    let refused = store.write(delete).await.expect_err("its index has no count").to_string();
    assert!(refused.contains("a counter at 0 cannot change by -1"), "{refused}");
    // Also if only a counter is wrong, and the fingerprints are equal.
    store.close();
    start(&disk, new_program()).await.expect("a migration");
    check(&disk, 200);
    let store = open(&disk, new_program());
    assert!(store.write(delete).await.expect("it goes"));
    store.close();
}

#[tokio::test]
async fn migration_resumes_after_a_crash() {
    let old = old_disk(N_SHELVES).await;
    let whole = old.fork();
    start(&whole, new_program()).await.expect("a migration");
    let expected = all(&whole, new_program());
    let mut n_interrupted = 0;
    for n in 1.. {
        let disk = old.fork();
        let engine = Faulty::new(disk.clone(), EngineFault::CrashAfterCommit(n));
        let Ok(store) = Store::open(engine, &new_program().spaces()) else { continue };
        let migrated = migrate(&store, new_program()).await;
        store.close();
        if migrated.is_ok() {
            break;
        }
        n_interrupted += 1;
        // The old program refuses data that is migrated in part.
        if n > 2 {
            let refusals = refused(&disk, old_program());
            assert!(
                refusals[0].starts_with("table shelf is in version 3, and this program knows those up to 1"),
                "{refusals:?}"
            );
        }
        start(&disk, new_program()).await.expect("it goes on");
        check(&disk, N_SHELVES);
        assert!(all(&disk, new_program()) == expected, "interrupted after commit {n}");
    }
    assert!(n_interrupted >= 8, "only {n_interrupted} commits");
}

/// The old program does not know the index that is built in part, and is not refused, since no record has a
/// newer version. Its writes are missing in that index.
#[tokio::test]
async fn half_built_index_is_rebuilt_after_an_older_program_ran() {
    let program = program(|it| it.modules.push(&indexed::MODULE));
    let disk = old_disk(N_SHELVES).await;
    let store = Store::open(Faulty::new(disk.clone(), EngineFault::CrashAfterCommit(2)), &program.spaces());
    let store = store.expect("a store");
    assert!(migrate(&store, program).await.is_err());
    store.close();
    let view = View::look(&disk, &program.spaces()).expect("a look");
    assert!(entries(&view, FORMAT).iter().any(|(key, _)| key == b"progress"), "it is half done");
    start(&disk, old_program()).await.expect("it goes back");
    let store = open(&disk, old_program());
    let change = |tx: &mut dyn Write| {
        let shelf = before::SHELVES.table.get(tx, &shelf_id(0)).expect("a get").expect("a shelf");
        let other = before::Shelf { name: "Other".into(), ..shelf.clone() };
        before::SHELVES.table.replace(tx, &shelf, &other).expect("a change");
        before::SHELVES.table.remove(tx, &shelf_id(2)).expect("a removal");
    };
    write(&store, change).await;
    store.close();
    start(&disk, program).await.expect("a migration");
    let view = View::look(&disk, &program.spaces()).expect("a look");
    let count = |name: &str| indexed::BY_NAME.count(&view, &[name]).expect("a count");
    assert_eq!(["Shelf 0", "Other", "Shelf 2", "Shelf 3"].map(count), [0, 1, 0, 1]);
    assert_eq!(entries(&view, "shelf.by_name").len(), N_SHELVES - 2);
}

/// Two programs build different indexes over the same rows: the second one does not resume the migration of
/// the first.
#[tokio::test]
async fn migration_of_another_program_is_not_resumed() {
    const BY_COLOUR: Index<before::Shelf> =
        Index::on("shelf.by_colour", &["colour"], |it, keys: &mut Keys| keys.add(&[&it.colour]));
    static SHELVES: Service<before::Shelf> = Service::new(&[before::BY_CODE, BY_COLOUR]);
    static MODULE: Module = Module { name: "shelves", services: &[&SHELVES], ..Module::EMPTY };
    let first = program(|it| it.modules.push(&indexed::MODULE));
    let second = program(|it| it.modules.push(&MODULE));
    let disk = old_disk(N_SHELVES).await;
    let store = Store::open(Faulty::new(disk.clone(), EngineFault::CrashAfterCommit(2)), &first.spaces());
    let store = store.expect("a store");
    assert!(migrate(&store, first).await.is_err());
    store.close();
    let view = View::look(&disk, &first.spaces()).expect("a look");
    assert!(entries(&view, "shelf.by_name").len() > 1000, "it is half done");
    start(&disk, second).await.expect("a migration");
    let view = View::look(&disk, &second.spaces()).expect("a look");
    assert_eq!(entries(&view, "shelf.by_colour").len(), N_SHELVES - 1);
    assert_eq!(BY_COLOUR.count(&view, &["grey"]).expect("a count"), N_SHELVES as u64 - 1);
}

#[tokio::test]
async fn migration_names_rows_that_break_a_unique_index() {
    let disk = old_disk(20).await;
    let store = open(&disk, old_program());
    let same = |tx: &mut dyn Write| {
        let shelf = before::SHELVES.table.get(tx, &shelf_id(4)).expect("a get").expect("a shelf");
        let other = before::Shelf { name: "Shelf 9".into(), ..shelf.clone() };
        before::SHELVES.table.replace(tx, &shelf, &other).expect("a change");
    };
    write(&store, same).await;
    store.close();
    let found = all(&disk, old_program());
    assert_eq!(
        refused(&disk, new_program()),
        ["shelf.by_title is unique, but shlf_000004 and shlf_000009 have title: Shelf 9: change them with \
          the previous program"]
    );
    assert!(start(&disk, new_program()).await.is_err());
    assert!(all(&disk, old_program()) == found, "something was changed");
    start(&disk, old_program()).await.expect("the previous program starts");
}

/// Stores the fingerprint of a part as another program would.
async fn keep(disk: &Memory, change: impl Fn(&mut Map<String, Value>) + Send + 'static, key: &'static str) {
    let store = open(disk, old_program());
    let keep = move |tx: &mut dyn Write| {
        let place = KeyBuf::new(tx.prefix(FORMAT)).tail(key.as_bytes()).into_bytes();
        let bytes = tx.get(&place).expect("a get").expect("a fingerprint");
        let mut kept: Map<String, Value> = decode(FORMAT, key, &bytes).expect("a fingerprint");
        change(&mut kept);
        tx.put(place, encode(&kept));
    };
    write(&store, keep).await;
    store.close();
}

#[tokio::test]
async fn unknown_stored_formats_are_refused_with_a_reason() {
    let check = async |key: &'static str, change: fn(&mut Map<String, Value>), refusal: &str| {
        let disk = old_disk(3).await;
        keep(&disk, change, key).await;
        assert_eq!(refused(&disk, old_program()), [refusal]);
        let found = all(&disk, old_program());
        assert!(start(&disk, old_program()).await.is_err());
        assert!(all(&disk, old_program()) == found, "something was changed");
    };
    check(
        "index shelf.by_code",
        |it| drop(it.insert("version".into(), json!(2))),
        "index shelf.by_code is in version 2, and this program knows those up to 1: the data was written by a newer one",
    )
    .await;
    check(
        "index shelf.by_code",
        |it| drop(it.insert("kind".into(), json!("bitmap"))),
        "index shelf.by_code: its fingerprint is unknown to this program: the data was written by a newer one",
    )
    .await;
    check(
        "projection availability.listing",
        |it| drop(it.insert("zone".into(), json!("north"))),
        "projection availability.listing: its fingerprint is unknown to this program: the data was written by a newer \
         one",
    )
    .await;
    check(
        "table shelf",
        |it| drop(it["fields"].as_object_mut().expect("fields").insert("depth".into(), json!("number"))),
        "table shelf has stored `depth`, which this program does not know: it is older than the data, or the field was \
         renamed or dropped without a step in the `history` of its record",
    )
    .await;
    check(
        "table shelf",
        |it| drop(it["fields"].as_object_mut().expect("fields").insert("name".into(), json!("optional text"))),
        "table shelf has stored `name` as optional text, and it is text now: that needs a step in the `history` of its \
         record",
    )
    .await;
    check(
        "table order",
        |it| drop(it["fields"].as_object_mut().expect("fields").insert("items.gift_note".into(), json!("text"))),
        "table order has stored `items.gift_note`, which this program does not know: it is older than the data, or the \
         field was renamed or dropped without a step in the `history` of its record",
    )
    .await;
    check(
        "link product_sales_channel",
        |it| drop(it.insert("form".into(), json!("many product to many store"))),
        "link product_sales_channel was from many product to many store, and is from many product to many \
         sales_channel: give the new one a name of its own",
    )
    .await;
    check(
        "link product_sales_channel",
        |it| drop(it["fields"].as_object_mut().expect("columns").insert("rank".into(), json!("anything"))),
        "link product_sales_channel has stored `rank`, which this program does not know: it is older than the data, or \
         the field was renamed or dropped without a step in the `history` of its record",
    )
    .await;
}

const fn end(entity: &'static str, key: &'static str, rows: &'static str, many: bool) -> End {
    End { entity, key, alias: entity, others: None, rows, many, cascade: false }
}

const fn link(columns: &'static [Column], history: atoll_kernel::data::History, many: bool) -> Link {
    Link {
        name: "store_region",
        reverse: "store_region.reverse",
        deleted: "store_region.deleted",
        prefix: "strg",
        left: end("store", "store_id", "regions_link", many),
        right: end("currency", "currency_id", "stores_link", true),
        counted: Some(Side::Left),
        columns,
        history,
    }
}

static LINK_BEFORE: Link =
    link(&[Column { name: "rank", kind: FieldKind::Whole(64), text: "", default: || json!(1) }], &[], true);
static LINK_AFTER: Link = link(
    &[Column { name: "place", kind: FieldKind::Whole(64), text: "", default: || json!(1) }],
    &[&[Step::Renamed { from: "rank", to: "place" }]],
    true,
);
static LINK_OF_ONE: Link =
    link(&[Column { name: "rank", kind: FieldKind::Whole(64), text: "", default: || json!(1) }], &[], false);

async fn disk_with_links() -> (Memory, String) {
    let disk = Memory::default();
    let program = program(|it| it.links.push(&LINK_BEFORE));
    start(&disk, program).await.expect("a new database");
    let store = open(&disk, program);
    let fill = move |tx: &mut dyn Write| {
        let at = Moment::new(Timestamp::from_millis(1), Actor::System);
        program.seed(tx, &at, &Providers::default()).expect("currencies");
        let shop = atoll_store::STORES.create(tx, &at, Default::default()).expect("a store");
        for currency in ["eur", "usd"] {
            LINK_BEFORE.attach(tx, &at, &shop.id, currency, Map::new()).expect("a pair");
        }
        shop.id.to_string()
    };
    let shop = write(&store, fill).await;
    store.close();
    (disk, shop)
}

#[tokio::test]
async fn migration_upgrades_link_rows() {
    let (disk, shop) = disk_with_links().await;
    let program = program(|it| it.links.push(&LINK_AFTER));
    start(&disk, program).await.expect("a migration");
    let store = open(&disk, program);
    let view = store.view();
    let row: LinkRow = LINK_AFTER.row(&view, &shop, "eur").expect("a get").expect("a row");
    assert_eq!(row.data, Map::from_iter([("place".to_owned(), json!(1))]));
    assert_eq!(LINK_AFTER.lefts(&view, "usd").expect("ids"), [shop.as_str()]);
    assert_eq!(group_count(&view, "store_region", &[&shop]).expect("a count"), 2);
    store.close();
}

#[tokio::test]
async fn migration_names_link_rows_that_break_cardinality() {
    let (disk, shop) = disk_with_links().await;
    assert_eq!(
        refused(&disk, program(|it| it.links.push(&LINK_OF_ONE))),
        [format!(
            "link store_region takes one currency for each store, and {shop} has 2: change that with the previous \
             program"
        )]
    );
}

#[tokio::test]
async fn relinked_module_drops_links_to_records_deleted_meanwhile() {
    let (disk, shop) = disk_with_links().await;
    let linked = registry().expect("a registry");
    start(&disk, linked).await.expect("a start without it");
    let store = open(&disk, linked);
    let gone = shop.clone();
    let delete = move |tx: &mut dyn Write| {
        let at = Moment::new(Timestamp::from_millis(2), Actor::System);
        atoll_store::STORES.soft_delete(tx, &at, &gone).expect("it goes");
    };
    write(&store, delete).await;
    store.close();
    let program = program(|it| it.links.push(&LINK_BEFORE));
    start(&disk, program).await.expect("a start with it");
    let view = View::look(&disk, &program.spaces()).expect("a look");
    assert_eq!(LINK_BEFORE.rights(&view, &shop).expect("ids"), Vec::<String>::new());
    assert_eq!(LINK_BEFORE.lefts(&view, "eur").expect("ids"), Vec::<String>::new());
    // They are soft-deleted with their record.
    assert_eq!(entries(&view, "store_region.deleted").len(), 2);
}

#[tokio::test]
async fn a_module_that_is_not_linked_in_keeps_its_records() {
    let disk = old_disk(30).await;
    start(&disk, new_program()).await.expect("a migration");
    let found = all(&disk, new_program());
    let linked = registry().expect("a registry");
    let plan =
        MigrationPlan::of(&View::look(&disk, &linked.spaces()).expect("a look"), linked).expect("a plan");
    assert_eq!(
        plan.to_string(),
        "table shelf is switched off or not linked in: its records stay as they are, and are not read\n\
         projection shelf.boards: was removed, or its module is switched off or not linked in; it is rebuilt if it returns\n"
    );
    start(&disk, linked).await.expect("a start without it");
    // Its projection is rebuilt when it returns, since the records that it follows may have changed.
    let plan = MigrationPlan::of(&View::look(&disk, &new_program().spaces()).expect("a look"), new_program());
    assert_eq!(plan.expect("a plan").to_string(), "projection shelf.boards: is rebuilt\n");
    start(&disk, new_program()).await.expect("a start with it");
    assert!(all(&disk, new_program()) == found);
}

#[tokio::test]
async fn index_that_was_dropped_for_a_while_is_rebuilt() {
    let disk = old_disk(30).await;
    static BARE: Service<before::Shelf> = Service::new(&[]);
    static BARE_MODULE: Module = Module { name: "shelves", services: &[&BARE], ..Module::EMPTY };
    let bare = program(|it| it.modules.push(&BARE_MODULE));
    start(&disk, bare).await.expect("a start without the index");
    let store = open(&disk, bare);
    write(&store, |tx: &mut dyn Write| {
        BARE.table.remove(tx, &shelf_id(7)).expect("it goes");
    })
    .await;
    store.close();
    start(&disk, old_program()).await.expect("a start with it");
    let view = View::look(&disk, &old_program().spaces()).expect("a look");
    assert_eq!(before::BY_CODE.count(&view, &["c7"]).expect("a count"), 0);
    assert_eq!(before::BY_CODE.count(&view, &["c8"]).expect("a count"), 1);
    let kept = entries(&view, FORMAT);
    let kept = kept.iter().find(|(key, _)| key == b"index shelf.by_code").expect("a fingerprint");
    let kept: Fingerprint = decode(FORMAT, "", &kept.1).expect("a fingerprint");
    assert_eq!((kept.kind, kept.of.as_str()), (PartKind::Index, "shelf"));
}
