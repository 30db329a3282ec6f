//! Format of the stored data: folders of earlier formats are opened, and changes of the format are detected.

mod dropped;
mod migration;
mod shapes;
pub(crate) mod shop;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use atoll_host::{Data, Secrets, registry};
use atoll_kernel::{
    Actor, Fault, Moment, Timestamp, Write,
    data::{Direction, JsonObject, Node, Scan},
    migration::{Plan as MigrationPlan, migrate},
    verify::{Findings, Report},
};
use atoll_storage::{Span, WriteKeys, with_names};
use atoll_testkit::{Dump, TestApp};
use expect_test::expect_file;
use serde_json::Value;
use tempfile::TempDir;

/// What requests for the data of a folder need.
const KNOWN: &str = "shop.json";

/// The folders of earlier formats, by number.
fn folders() -> Vec<PathBuf> {
    let all = fs::read_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data")).expect("tests/data");
    let mut all: Vec<PathBuf> = all.map(|it| it.expect("an entry").path()).filter(|it| it.is_dir()).collect();
    all.sort();
    all
}

fn copy(from: &Path) -> TempDir {
    let to = TempDir::new().expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), to.path().join(entry.file_name())).expect("a copy");
    }
    to
}

fn plan(folder: &Path) -> MigrationPlan {
    Data::Folder(folder.to_owned()).plan(registry().expect("a registry"), None).expect("a plan").plan
}

async fn open(folder: &Path) -> TestApp {
    let store = Data::Folder(folder.to_owned()).open(registry().expect("a registry")).expect("a store");
    TestApp::over(store, None).await
}

/// Creates the shop in this folder.
async fn make(folder: &Path) {
    let data = Data::Folder(folder.to_owned());
    let app = open(folder).await;
    Secrets::kept(&data).expect("secrets");
    let (app, known) = shop::make(app).await;
    fs::write(folder.join(KNOWN), format!("{known:#}\n")).expect("a file");
    app.ctx.store().close();
}

/// Opens a folder, and requests everything that is in it.
async fn check(folder: &Path) {
    let known = fs::read_to_string(folder.join(KNOWN)).expect("what is in it");
    let known: Value = serde_json::from_str(&known).expect("JSON");
    let app = open(folder).await;
    shop::check(&app, &known).await;
    app.ctx.store().close();
    assert!(plan(folder).is_done(), "{}", plan(folder));
}

#[tokio::test]
async fn data_of_every_earlier_format_is_migrated_completely() {
    let folders = folders();
    assert!(!folders.is_empty());
    for original in folders {
        let folder = copy(&original);
        let said = plan(folder.path());
        assert!(!said.is_done(), "{}: nothing is to be done", original.display());
        assert_eq!(plan(folder.path()).to_string(), said.to_string(), "looking changed something");
        check(folder.path()).await;
    }
}

/// As `atoll verify` does.
fn verify(folder: &Path) -> Report {
    let registry = registry().expect("a registry");
    let (_file, view) = Data::Folder(folder.to_owned()).look(&registry.spaces(), None).expect("a look");
    let plan = MigrationPlan::of(&view, registry).expect("a plan");
    let findings = Findings::new(10, Arc::default());
    registry.verify_before(&plan, view, Timestamp::now(), findings).expect("a report")
}

#[tokio::test]
async fn unmigrated_folder_can_be_verified() {
    for original in folders() {
        let folder = copy(&original);
        let report = verify(folder.path());
        assert_eq!(report.findings, [], "{}", original.display());
        assert!(report.checked["rows"] > 50, "{report:?}");
        assert!(!plan(folder.path()).is_done(), "it was migrated");
    }
}

/// `cargo xtask format --folder` stores the folder that this creates.
#[tokio::test]
async fn data_of_this_format_is_opened_completely() {
    let kept = std::env::var_os("ATOLL_FORMAT_FOLDER").map(PathBuf::from);
    let made = TempDir::new().expect("a folder");
    make(kept.as_deref().unwrap_or(made.path())).await;
    let folder = copy(kept.as_deref().unwrap_or(made.path()));
    assert!(plan(folder.path()).is_done(), "{}", plan(folder.path()));
    check(folder.path()).await;
}

/// Indexes, counters and listings that are rebuilt from the records of an earlier format equal those that
/// were maintained by its writes.
#[tokio::test]
async fn rebuilt_indexes_match_maintained_ones() {
    let made = TempDir::new().expect("a folder");
    make(made.path()).await;
    let app = open(made.path()).await;
    // What is to be done again by a worker is no index.
    let dump = || Dump::of(&app.ctx, &["availability.touched"]);
    let before = dump();
    migration::forget_fingerprints(app.ctx.store()).await;
    let registry = registry().expect("a registry");
    assert!(MigrationPlan::of(&app.ctx.view(), registry).expect("a plan").steps().count() > 20);
    migrate(app.ctx.store(), registry).await.expect("a migration");
    let difference = before.difference(&dump());
    assert!(difference.is_empty(), "{}", difference.join("\n"));
}

/// Every field of every row, as JSON.
fn rows(app: &TestApp) -> Vec<String> {
    let (view, mut rows) = (app.ctx.view(), Vec::new());
    for table in app.ctx.registry().modules.iter().flat_map(|it| it.services).map(|it| it.table()) {
        let mask = vec![true; table.def().fields.len()];
        let visit = &mut |node: Node| {
            let mut json = Vec::new();
            node.write(&mask, &mut JsonObject::new(&mut json));
            rows.push(format!("{} {}", table.def().name, String::from_utf8(json).expect("JSON")));
            Ok(Scan::Continue(()))
        };
        table.nodes(&view, None, Direction::Ascending, visit).expect("live rows");
        table.deleted_nodes(&view, visit).expect("deleted rows");
    }
    rows
}

/// Values hold no names of fields. Each is replaced by one with the names that the store keeps, as a program
/// of format 5 would have written it: all is read as before.
#[tokio::test]
async fn stored_shapes_have_the_names_of_all_fields() {
    let (app, known) = shop::make(TestApp::init().await).await;
    let before = rows(&app);
    let name = |tx: &mut dyn Write, _: &Moment| {
        let mut named = Vec::new();
        for space in registry().expect("a registry").spaces() {
            tx.scan(&Span::prefix(&tx.prefix(space)), Direction::Ascending, &mut |key, value| {
                if value.first() == Some(&3) {
                    let with_names = with_names(value).expect("its shape is known");
                    let head = [&[2], &value[1..3]].concat();
                    named.push((key.to_vec(), [&head, &with_names[1..]].concat()));
                }
                Ok(Scan::Continue(()))
            })?;
        }
        let n_named = named.len();
        named.into_iter().for_each(|(key, value)| tx.put(key, value));
        Ok::<_, Fault>(n_named)
    };
    let (n_named, _) = app.ctx.write(Actor::System, name).await.expect("a write");
    assert!(n_named > 300 && before.len() > 200, "{n_named} values, {} rows", before.len());
    assert_eq!(rows(&app), before);
    shop::check(&app, &known).await;
}

/// `cargo xtask format` writes the file, and its number.
#[test]
fn format_txt_matches_the_program() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("format.txt");
    let kept = fs::read_to_string(&file).unwrap_or_default();
    let number = kept.lines().next().unwrap_or("format 1").to_owned();
    let format = registry().expect("a registry").format();
    expect_file![file].assert_eq(&format!("{number}\n{format}"));
}
