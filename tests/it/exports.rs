//! Exports of the whole shop as JSON lines, and their import: the same shop, byte for byte; and what is wrong
//! with a damaged export, by file and line.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use atoll_export::{ExportError, Manifest, PROBLEMS_MAX, export, import};
use atoll_kernel::{
    Registry,
    data::{Store, View},
    export::LEFT_OUT,
    migration::PartKind,
};
use atoll_storage::Progress;
use atoll_testkit::{Client, Shop, TestApp, complete, memory};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// A shop with an order, customers, links with and without columns, metadata, and records that were deleted.
async fn shop() -> (Shop, Client) {
    let (shop, web, storefront) = Shop::web().await;
    let outlet = shop.channel("Outlet \"☕\"\n").await;
    let tea = shop.product("Tea", &[&web, &outlet], 9).await;
    let metadata = json!({ "ünï": ["☕", 0.1, 1e20, -2, 123_456_789_012_345_u64, null, "\u{0}\\"], "": {} });
    let path = format!("/admin/products/{}", tea.product);
    shop.admin.post(&path, json!({ "metadata": metadata })).await.ok();
    let gone = shop.product("Gone", &[&web], 3).await;
    let customer = shop.customer(&storefront, "anna@test.dev").await;
    let group = shop.admin.post("/admin/customer-groups", json!({ "name": "Friends" })).await.ok();
    let me = customer.get("/store/customers/me").await.ok()["customer"]["id"].clone();
    let path = format!(
        "/admin/customer-groups/{}/customers",
        group["customer_group"]["id"].as_str().expect("an id")
    );
    shop.admin.post(&path, json!({ "add": [me] })).await.ok();
    let cart = shop.cart(&customer, &tea.id, 2).await;
    complete(&customer, &cart).await.ok();
    shop.cart(&storefront, &tea.id, 1).await;
    shop.admin.delete(&format!("/admin/products/{}", gone.product)).await.ok();
    (shop, storefront)
}

fn exported(view: View, to: &Path) -> Manifest {
    let registry = Registry::linked().expect("a registry");
    let made_at = "2026-11-28T12:00:00Z".parse().expect("a time");
    export(view, registry, to, made_at, &Progress::default(), &|| true).expect("an export")
}

/// The contents of all files but the manifest, by name.
fn contents(folder: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(folder).expect("a folder").map(|it| it.expect("a file"));
    let files = files.map(|it| (it.file_name().into_string().expect("text"), it.path()));
    let lines = files.filter(|(name, _)| name.ends_with(".jsonl"));
    lines.map(|(name, path)| (name, fs::read_to_string(path).expect("text"))).collect()
}

async fn imported(from: &Path) -> Result<Store, String> {
    let store = memory();
    let registry = Registry::linked().expect("a registry");
    let now = Some("2026-11-28T12:00:00Z".parse().expect("a time"));
    let done = import(&store, registry, from, now, &Progress::default()).await;
    done.map(|_| store).map_err(|error| error.to_string())
}

/// What a shop answers to its admin and to a storefront.
async fn answers(admin: &Client, storefront: &Client) -> Vec<String> {
    let mut answers = Vec::new();
    for path in [
        "/admin/products?fields=*variants,*variants.prices,*sales_channels,metadata",
        "/admin/products?q=tea",
        "/admin/orders?fields=*items,*customer,*payment_collections",
        "/admin/customers?fields=*groups",
        "/admin/sales-channels",
        "/admin/inventory-items?fields=*location_levels",
        "/admin/reservations",
        "/admin/jobs",
    ] {
        answers.push(format!("{path}: {}", admin.get(path).await.ok()));
    }
    answers.push(storefront.get("/store/products?fields=*variants").await.ok().to_string());
    answers
}

#[tokio::test]
async fn an_imported_shop_is_the_same_and_exports_the_same_bytes() {
    let folder = TempDir::new().expect("a folder");
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let (shop, storefront) = shop().await;
    let manifest = exported(shop.app.ctx.view(), &first);
    let store = imported(&first).await.expect("an import");
    let again = exported(store.view(), &second);
    assert_eq!(contents(&first), contents(&second));
    assert_eq!(manifest.files, again.files);
    let mode = |it: &Path| fs::metadata(it).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&first), mode(&first.join("product.product.jsonl"))), (0o700, 0o600));

    let files = contents(&first);
    for (file, expect) in [
        ("product.product.jsonl", "☕"),
        ("product.product.jsonl", "\"title\":\"Gone\""),
        ("atoll.product_sales_channel.jsonl", "\"deleted_with\":\"left\""),
        ("order.order.jsonl", "anna@test.dev"),
        ("auth.auth_identity.jsonl", "password_hash"),
        ("atoll.sequence.jsonl", "{\"key\":\"order.display_id\",\"value\":1}"),
    ] {
        assert!(files[file].contains(expect), "{expect} in {file}: {}", files[file]);
    }
    let all: String = files.values().map(String::as_str).collect();
    assert!(!all.contains(".numbers 1"), "what projections number is built anew");

    let expect = answers(&shop.admin, &storefront).await;
    let app = TestApp::over(store, None).await;
    assert_eq!(answers(&shop.admin.on(&app), &storefront.on(&app)).await, expect);
    let report = app.verify();
    assert_eq!(report.n_findings, 0, "{report:?}");
    // It goes on with the numbers of orders.
    let storefront = storefront.on(&app);
    let tea =
        &storefront.get("/store/products?fields=*variants").await.ok()["products"][0]["variants"][0]["id"];
    let cart = shop.cart(&storefront, tea.as_str().expect("an id"), 1).await;
    assert_eq!(complete(&storefront, &cart).await.ok()["order"]["display_id"], 2);
}

/// Every space that the program stores something in is in the export, is built from what is, or is left out
/// by name.
#[test]
fn each_space_is_exported_derived_or_left_out_by_name() {
    let registry = Registry::linked().expect("a registry");
    let exported: BTreeSet<&str> = registry.sections().iter().flat_map(|it| it.spaces()).collect();
    let mut derived = BTreeSet::from(["format".to_owned()]);
    for part in registry.format().parts.into_values() {
        match part.kind {
            PartKind::Index => drop(derived.insert(part.name)),
            PartKind::Link => drop(derived.insert(format!("{}.reverse", part.name))),
            _ => {}
        }
    }
    derived.extend(registry.projections.iter().flat_map(|it| it.spaces).map(|it| (*it).to_owned()));
    let left_out = |space: &str| {
        let of = space.strip_suffix(".deleted").unwrap_or(space);
        LEFT_OUT.iter().any(|(name, _)| *name == of)
    };
    let missing: Vec<&str> = registry
        .spaces()
        .into_iter()
        .filter(|it| !exported.contains(it) && !derived.contains(*it) && !left_out(it))
        .collect();
    assert_eq!(missing, [""; 0]);
    let unknown: Vec<&str> =
        LEFT_OUT.iter().map(|it| it.0).filter(|it| !registry.spaces().contains(it)).collect();
    assert_eq!(unknown, [""; 0], "left out, and there is no such space");
}

#[tokio::test]
async fn an_export_that_is_stopped_or_has_no_room_leaves_nothing() {
    let folder = TempDir::new().expect("a folder");
    let app = TestApp::init().await;
    let registry = Registry::linked().expect("a registry");
    let to = folder.path().join("shop");
    let stopped = Progress::default();
    stopped.stop();
    let error =
        export(app.ctx.view(), registry, &to, app.now(), &stopped, &|| true).expect_err("it is stopped");
    assert!(matches!(error, ExportError::Store(_)), "{error}");
    let n_left = Cell::new(20);
    let has_room = || n_left.replace(n_left.get() - 1) > 0;
    let error = export(app.ctx.view(), registry, &to, app.now(), &Progress::default(), &has_room)
        .expect_err("there is no room");
    assert_eq!(error.to_string(), format!("the disk of `{}` is nearly full", folder.path().display()));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);

    fs::create_dir(folder.path().join("shop.part")).expect("a folder");
    exported(app.ctx.view(), &to);
    let names: Vec<_> =
        fs::read_dir(folder.path()).expect("a folder").map(|it| it.expect("one").file_name()).collect();
    assert_eq!(names, ["shop"], "what a killed process has left is removed");
    let error = export(app.ctx.view(), registry, &to, app.now(), &Progress::default(), &|| true)
        .expect_err("it is there");
    assert_eq!(error.to_string(), format!("`{}` exists already, and is not replaced", to.display()));
}

/// An export of which each case damages a copy.
struct Damaged {
    _folder: TempDir,
    to: PathBuf,
}

impl Damaged {
    fn of(whole: &Path) -> Damaged {
        let folder = TempDir::new().expect("a folder");
        let to = folder.path().join("export");
        fs::create_dir(&to).expect("a folder");
        for file in fs::read_dir(whole).expect("a folder") {
            let file = file.expect("a file");
            fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
        }
        Damaged { _folder: folder, to }
    }

    fn lines(&self, file: &str) -> Vec<String> {
        let text = fs::read_to_string(self.to.join(file)).expect("a file");
        text.lines().map(str::to_owned).collect()
    }

    /// Changes the manifest.
    fn manifest(&self, change: impl FnOnce(&mut Value)) {
        let path = self.to.join("manifest.json");
        let mut manifest = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
        change(&mut manifest);
        fs::write(path, manifest.to_string()).expect("a file");
    }

    /// Replaces the lines of a file, of which the manifest then says what they are.
    fn forge(&self, file: &str, lines: &[String]) {
        let text: String = lines.iter().map(|it| format!("{it}\n")).collect();
        fs::write(self.to.join(file), &text).expect("a file");
        let sha256: String = Sha256::digest(&text).iter().map(|it| format!("{it:02x}")).collect();
        self.manifest(|manifest| {
            let files = manifest["files"].as_array_mut().expect("files").iter_mut();
            let of = files
                .into_iter()
                .find(|it| format!("{}.jsonl", it["name"].as_str().expect("a name")) == file);
            let of = of.expect("the file");
            of["n_lines"] = lines.len().into();
            of["sha256"] = sha256.into();
        });
    }

    async fn error(&self) -> String {
        imported(&self.to).await.map(drop).expect_err("it is refused")
    }

    async fn problems(&self) -> Vec<String> {
        let error = self.error().await;
        let (first, problems) = error.split_once("\n- ").unwrap_or_else(|| panic!("{error}"));
        assert_eq!(first, "the export is damaged, or was not made by this program:");
        problems.split("\n- ").map(str::to_owned).collect()
    }
}

const PRODUCTS: &str = "product.product.jsonl";

#[tokio::test]
async fn what_is_wrong_with_an_export_is_named_by_file_and_line() {
    let folder = TempDir::new().expect("a folder");
    let whole = folder.path().join("whole");
    let (shop, _) = shop().await;
    exported(shop.app.ctx.view(), &whole);
    let damaged = || Damaged::of(&whole);

    let case = damaged();
    case.manifest(|it| it["format"] = 2.into());
    assert!(case.error().await.ends_with("its format is 2, and this program knows those up to 1"));
    fs::remove_file(case.to.join("manifest.json")).expect("a file");
    assert!(case.error().await.contains("is no export that can be imported: No such file"));

    let case = damaged();
    let text = fs::read_to_string(case.to.join(PRODUCTS)).expect("a file");
    fs::write(case.to.join(PRODUCTS), text.replace("Tea", "Pea")).expect("a file");
    let changed = "product.product.jsonl: its checksum is not that of the manifest: it was changed";
    assert_eq!(case.problems().await, [changed]);
    fs::write(case.to.join(PRODUCTS), &text[..text.len() - 9]).expect("a file");
    assert_eq!(case.problems().await, ["product.product.jsonl:2: it is cut off", changed]);

    let case = damaged();
    fs::write(case.to.join("product.more.jsonl"), "{}\n").expect("a file");
    case.manifest(|it| {
        it["files"][0]["name"] = "review.review".into();
        it["files"][1]["record_version"] = 99.into();
    });
    let unknown = "no module of this program that is switched on has such records";
    assert_eq!(
        case.problems().await,
        [
            "api-key.api_key.jsonl: the manifest does not name it".to_owned(),
            "product.more.jsonl: the manifest does not name it".to_owned(),
            "auth.auth_identity.jsonl: its records are of version 99, and this program knows those up to 1"
                .to_owned(),
            format!("review.review.jsonl: {unknown}"),
        ]
    );

    let case = damaged();
    fs::remove_file(case.to.join(PRODUCTS)).expect("a file");
    assert_eq!(case.problems().await, ["product.product.jsonl: it is missing"]);
}

#[tokio::test]
async fn wrong_lines_of_an_export_are_named() {
    let folder = TempDir::new().expect("a folder");
    let whole = folder.path().join("whole");
    let (shop, _) = shop().await;
    exported(shop.app.ctx.view(), &whole);
    let damaged = || Damaged::of(&whole);

    let case = damaged();
    let mut lines = case.lines(PRODUCTS);
    let other = lines[0].replace("prod_", "prod_X");
    lines.extend([
        lines[0].clone(),
        lines[1].clone(),
        other,
        "{".to_owned(),
        r#"{"title":"None"}"#.to_owned(),
        lines[0].replacen('{', r#"{"colour":"red","#, 1),
        r#"{"id":7}"#.to_owned(),
    ]);
    case.forge(PRODUCTS, &lines);
    let id = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["id"].clone();
    let taken = |n: usize, line: &str| {
        let id = id(line);
        format!("{PRODUCTS}:{n}: Product with id: {}, already exists.", id.as_str().expect("text"))
    };
    assert_eq!(
        case.problems().await,
        [
            taken(3, &lines[0]),
            taken(4, &lines[1]),
            format!("{PRODUCTS}:5: Product with handle: tea, already exists."),
            format!("{PRODUCTS}:6: EOF while parsing an object at line 1 column 1"),
            format!("{PRODUCTS}:7: it has no `id`"),
            format!("{PRODUCTS}:8: `colour` is unknown to this program"),
            format!("{PRODUCTS}:9: invalid type: integer `7`, expected an id"),
        ]
    );

    let case = damaged();
    let lines: Vec<String> = (0..2 * PROBLEMS_MAX).map(|_| "[]".to_owned()).collect();
    case.forge(PRODUCTS, &lines);
    assert_eq!(case.problems().await.len(), PROBLEMS_MAX);
}

#[tokio::test]
async fn records_that_refer_to_nothing_are_named() {
    let folder = TempDir::new().expect("a folder");
    let whole = folder.path().join("whole");
    let (shop, _) = shop().await;
    exported(shop.app.ctx.view(), &whole);
    let damaged = || Damaged::of(&whole);

    let case = damaged();
    let links = "atoll.product_sales_channel.jsonl";
    let mut lines = case.lines(links);
    lines.insert(1, lines[0].clone());
    lines[0] = lines[0].replace("prod_", "prod_X");
    lines.push(lines[3].replace("prod_", "prod_X"));
    case.forge(links, &lines);
    let id = |line: &str, field: &str| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        line[field].as_str().expect("text").to_owned()
    };
    let product = id(&lines[0], "product_id");
    let gone = id(&lines[4], "product_id");
    assert_eq!(
        case.problems().await,
        [
            format!("{links}:1: Product with id: {product} was not found"),
            format!("{links}:5: Product with id: {gone} is not among the deleted ones"),
        ]
    );

    let case = damaged();
    let mut lines = case.lines("customer.customer.jsonl");
    lines[0] = lines[0].replace("cusgroup_", "cusgroup_X");
    case.forge("customer.customer.jsonl", &lines);
    let problems = case.problems().await;
    assert!(problems[0].starts_with("customer.customer.jsonl:1: `cus_"), "{problems:?}");
    assert!(problems[0].contains("reference.dangling: `group_ids` is `cusgroup_X"), "{problems:?}");

    let case = damaged();
    let levels = "inventory.inventory_level.jsonl";
    let mut lines = case.lines(levels);
    lines[0] = lines[0].replace("\"reserved_quantity\":\"2\"", "\"reserved_quantity\":\"3\"");
    case.forge(levels, &lines);
    let problems = case.problems().await;
    assert!(problems[0].starts_with(&format!("{levels}:1: `ilev_")), "{problems:?}");
    assert!(problems[0].contains("inventory.reserved"), "{problems:?}");
}
