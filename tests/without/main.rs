//! Optional modules: the shop starts and sells without each of them, and without all; what a module brings is
//! not there, its data is kept, and it comes back when it is switched on again. A process has one choice of
//! modules, so each case is a process of its own: this program, started by itself.

use std::{
    collections::BTreeSet,
    env, fs,
    path::Path,
    process::{Command, ExitCode},
};

use atoll_host::{Data, load_demo, registry};
use atoll_kernel::{Fault, Registry, data::Module, flow::Local, hook, module};
use atoll_testkit::{Client, Shop, TestApp, Walk, complete, id};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Map, Value, json};

/// A module of a third party, which needs one of the core's.
mod parcels {
    use super::*;

    module! { Module {
        name: "parcels",
        summary: "Labels of parcels",
        needs: &["fulfillment"],
        is_optional: true,
        ..Module::EMPTY
    } }

    hook! { "parcels.print-label" in "create-order-fulfillment.fulfillmentCreated" => print_label }

    fn print_label(_: &mut Local<'_>, _: &Value) -> Result<(), Fault> {
        Ok(())
    }
}

/// Another, which has forgotten to say so.
mod stamps {
    use super::*;

    module! { Module { name: "stamps", summary: "Stamps", is_optional: true, ..Module::EMPTY } }

    hook! { "stamps.lick" in "cancel-order-fulfillment.validate" => lick }

    fn lick(_: &mut Local<'_>, _: &Value) -> Result<(), Fault> {
        Ok(())
    }
}

/// The names of the third party's modules, which are left out where the core is tested.
const FOREIGN: [&str; 2] = ["parcels", "stamps"];

/// The first argument of a process that is a case.
const CASE: &str = "case";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    if let [what, case, off, folder] = args.as_slice()
        && what == CASE
    {
        let off = off.split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect();
        tokio::runtime::Runtime::new().expect("a runtime").block_on(run(case, &off, Path::new(folder)));
        return ExitCode::SUCCESS;
    }
    let optional = registry().expect("a registry").optional_modules();
    let optional: Vec<&str> = optional.filter(|it| !FOREIGN.contains(it)).collect();
    let mut tests: Vec<Trial> = optional
        .iter()
        .map(|module| {
            let off = without(&[*module]);
            Trial::test(format!("a_shop_sells_without_{module}"), move || {
                passes("sells", &off, Path::new(""))?;
                passes("shows", &off, Path::new(""))?;
                passes("opens", &off, Path::new(""))
            })
        })
        .collect();
    let off = without(&optional);
    let none = off.clone();
    tests.push(Trial::test("the_demo_says_what_it_lacks_without_any_optional_module", move || {
        passes("shows", &none, Path::new(""))
    }));
    tests.push(Trial::test("a_shop_sells_without_any_optional_module", move || {
        passes("sells", &off, Path::new(""))?;
        passes("opens", &off, Path::new(""))
    }));
    let kept = [
        ("fulfillment", ["fulfills", "keeps", "fulfills_again"]),
        ("customer", ["registers", "sells_to_guests", "knows_again"]),
        ("promotion", ["discounts", "cancels", "misses_the_use"]),
    ];
    for (module, cases) in kept {
        tests.push(Trial::test(format!("records_of_{module}_stay_while_it_is_switched_off"), move || {
            let folder = tempfile::tempdir()?;
            for (case, off) in cases.into_iter().zip([&[][..], &[module], &[]]) {
                passes(case, &without(off), folder.path())?;
            }
            Ok(())
        }));
    }
    tests.push(Trial::test("a_module_that_is_needed_cannot_be_switched_off", || {
        passes("needed", "", Path::new(""))
    }));
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

/// The names of these modules and of the third party's, as an argument.
fn without(modules: &[&str]) -> String {
    [modules, &FOREIGN].concat().join(",")
}

/// Runs a case in a process of its own.
fn passes(case: &str, off: &str, folder: &Path) -> Result<(), Failed> {
    let done = Command::new(env::current_exe()?).args([CASE, case, off]).arg(folder).output()?;
    if done.status.success() {
        return Ok(());
    }
    Err(format!("{case} without {off}: {}", String::from_utf8_lossy(&done.stderr)).into())
}

async fn run(case: &str, off: &BTreeSet<String>, folder: &Path) {
    match case {
        "sells" => sells(off).await,
        "shows" => shows(off).await,
        "opens" => opens(off).await,
        "fulfills" => fulfills(folder).await,
        "keeps" => keeps(off, folder).await,
        "fulfills_again" => fulfills_again(off, folder).await,
        "discounts" => discounts(folder).await,
        "cancels" => cancels(off, folder).await,
        "misses_the_use" => misses_the_use(off, folder).await,
        "registers" => registers(folder).await,
        "sells_to_guests" => sells_to_guests(off, folder).await,
        "knows_again" => knows_again(off, folder).await,
        "needed" => needed(),
        _ => panic!("there is no case `{case}`"),
    }
}

/// The storage, entities and routes of a module that is off are not there, and a cart becomes an order.
async fn sells(off: &BTreeSet<String>) {
    let registry = Registry::without(off).expect("a registry");
    let text = registry.to_string();
    for module in off {
        assert!(text.contains(&format!("module {module} (optional): switched off")), "{text}");
    }
    if off.contains("fulfillment") {
        let rest: Vec<&str> = text.lines().filter(|it| it.contains("fulfillment")).collect();
        let (own, rest): (Vec<&str>, Vec<&str>) = rest.into_iter().partition(|it| it.starts_with("module "));
        // The order's own field and events are all that is left, and the kind of providers, of which there is
        // none.
        let is_left = |it: &&str| {
            it.contains("fulfillment_status")
                || it.starts_with("event order.")
                || it.trim() == "providers fulfillment:"
        };
        assert!(own.len() == 1 && rest.iter().all(is_left), "{rest:?}");
    }
    let (shop, web, storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let page = format!("/store/product-variants/{}?region_id={}&country_code=de", tea.id, shop.region);
    let price = storefront.get(&page).await.ok()["variant"]["calculated_price"].clone();
    assert_eq!(price["calculated_amount"], 10);
    assert_eq!(price.get("calculated_amount_with_tax").is_some(), !off.contains("tax"), "{price}");
    let cart = shop.cart(&storefront, &tea.id, 2).await;
    let order = id(&complete(&storefront, &cart).await.ok()["order"]);
    let path = format!("/admin/orders/{order}");
    assert_eq!(
        shop.admin.get(&format!("{path}?fields=*sales_channel")).await.ok()["order"]["sales_channel"]["id"],
        web
    );
    assert_eq!(storefront.get(&format!("/store/orders/{order}")).await.ok()["order"]["id"], json!(order));
    assert_eq!(shop.reserved(&tea.item).await, "2 of 5");
    let document = shop.app.client().get("/openapi.json").await.ok();
    let paths = document["paths"].as_object().expect("paths");
    for (module, part) in
        [("fulfillment", "fulfillments"), ("customer", "customer"), ("customer", "/store/orders\"")]
    {
        let has_part = paths.keys().any(|it| format!("{it}\"").contains(part));
        assert_eq!(has_part, !off.contains(module), "{part}");
    }
    answers_every_list(&shop.admin, paths).await;
    answers_every_list(&storefront, paths).await;
    // Without fulfilments a completed order keeps what is reserved; a cancelled one gives it back.
    shop.admin.post(&format!("{path}/complete"), json!({})).await.ok();
    let left = if off.contains("fulfillment") { "2 of 5" } else { "0 of 3" };
    assert_eq!(shop.reserved(&tea.item).await, left);
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    let order = id(&complete(&storefront, &cart).await.ok()["order"]);
    shop.admin.post(&format!("/admin/orders/{order}/cancel"), json!({})).await.ok();
    assert_eq!(shop.reserved(&tea.item).await, left);
}

/// The demo is loaded without the parts that need a module, which it names.
async fn shows(off: &BTreeSet<String>) {
    Registry::without(off).expect("a registry");
    let app = TestApp::init().await;
    let demo = load_demo(&app.ctx, &app.first_run).await.expect("the demo");
    let parts = [
        ("shipping", vec!["fulfillment"]),
        ("taxes", vec!["tax"]),
        ("a sale", vec!["price-list"]),
        ("a promotion", vec!["promotion"]),
        ("prices of a customer group", vec!["customer", "price-list"]),
    ];
    let lacks = parts.iter().filter(|(_, needs)| needs.iter().any(|it| off.contains(*it)));
    assert_eq!(demo.lacks, lacks.map(|(what, _)| *what).collect::<Vec<_>>());
    let storefront = app.storefront(&demo.keys[0].token);
    assert_eq!(storefront.get("/store/products").await.ok()["count"], 38);
}

/// Every link on the pages for people leads to a page.
async fn opens(off: &BTreeSet<String>) {
    Registry::without(off).expect("a registry");
    let (shop, web, storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let cart = shop.cart(&storefront, &tea.id, 2).await;
    storefront.post(&format!("/store/carts/{cart}"), json!({ "email": ADA })).await.ok();
    complete(&storefront, &cart).await.ok();
    let walk = Walk::of(&shop.app).await;
    for page in
        ["/products/:id", "/stock/:item", "/orders/:id", "/channels/:id", "/locations/:id", "/keys/:id"]
    {
        assert!(!walk.missed.contains(page), "{page} is not reached");
    }
    let of_customers = walk.pages.keys().any(|it| it.starts_with("/app/customers"));
    assert_eq!(of_customers, !off.contains("customer"));
}

/// No list that is left reaches for what is not there.
async fn answers_every_list(client: &Client, paths: &Map<String, Value>) {
    // Events are waited for by the clock, which stands still here.
    let waits = |it: &Value| it["responses"]["200"]["content"].get("text/event-stream").is_some();
    let is_list =
        |(path, it): &(&String, &Value)| it.get("get").is_some_and(|it| !waits(it)) && !path.contains('{');
    for (path, _) in paths.iter().filter(is_list) {
        let status = client.get(path).await.status;
        assert!(!status.is_server_error(), "GET {path} answers {status}");
    }
}

async fn open(folder: &Path) -> TestApp {
    let store = Data::Folder(folder.to_owned()).open(registry().expect("a registry")).expect("a store");
    TestApp::over(store, None).await
}

/// The admin, and the only order of a folder.
async fn order_in(app: TestApp) -> (TestApp, Client, Value) {
    let (app, admin) = app.with_admin().await;
    let order = admin.get("/admin/orders?fields=*fulfillments").await.ok()["orders"][0].clone();
    (app, admin, order)
}

async fn fulfills(folder: &Path) {
    let shop = Shop::open(open(folder).await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let cart = shop.cart(&storefront, &tea.id, 3).await;
    let order = &complete(&storefront, &cart).await.ok()["order"];
    let path = format!("/admin/orders/{}/fulfillments", id(order));
    let body = json!({ "items": [{ "id": order["items"][0]["id"], "quantity": 1 }] });
    shop.admin.post(&path, body).await.ok();
    shop.app.ctx.store().close();
}

async fn keeps(off: &BTreeSet<String>, folder: &Path) {
    Registry::without(off).expect("a registry");
    let (app, admin, order) = order_in(open(folder).await).await;
    assert!(order.get("fulfillments").is_none(), "{order}");
    assert_eq!(order["fulfillment_status"], "partially_fulfilled");
    let refused = admin.post(&format!("/admin/orders/{}/cancel", id(&order)), json!({})).await.error();
    assert!(refused.contains("All fulfillments must be canceled"), "{refused}");
    app.ctx.store().close();
}

async fn fulfills_again(off: &BTreeSet<String>, folder: &Path) {
    Registry::without(off).expect("a registry");
    let (app, admin, order) = order_in(open(folder).await).await;
    let fulfillment = id(&order["fulfillments"][0]);
    let path =
        format!("/admin/orders/{}/fulfillments/{fulfillment}/cancel?fields=fulfillment_status", id(&order));
    assert_eq!(admin.post(&path, json!({})).await.ok()["order"]["fulfillment_status"], "canceled");
    app.ctx.store().close();
}

/// An order has used a promotion.
async fn discounts(folder: &Path) {
    let shop = Shop::open(open(folder).await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    let method = json!({ "type": "percentage", "target_type": "order", "value": 10, "allocation": "across" });
    let ten = json!({ "code": "TEN", "type": "standard", "status": "active", "application_method": method });
    shop.admin.post("/admin/promotions", ten).await.ok();
    let tea = shop.product("Tea", &[&web], 5).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    storefront.post(&format!("/store/carts/{cart}"), json!({ "promo_codes": ["TEN"] })).await.ok();
    assert_eq!(complete(&storefront, &cart).await.ok()["order"]["total"], 9);
    shop.app.ctx.store().close();
}

/// The order is cancelled; nobody counts its use.
async fn cancels(off: &BTreeSet<String>, folder: &Path) {
    Registry::without(off).expect("a registry");
    let (app, admin) = open(folder).await.with_admin().await;
    let order = admin.get("/admin/orders").await.ok()["orders"][0].clone();
    let canceled = admin.post(&format!("/admin/orders/{}/cancel", id(&order)), json!({})).await.ok();
    assert_eq!(canceled["order"]["status"], "canceled");
    app.ctx.store().close();
}

/// The promotion says that it is used, which a verification names.
async fn misses_the_use(off: &BTreeSet<String>, folder: &Path) {
    Registry::without(off).expect("a registry");
    let app = open(folder).await;
    app.is_damaged();
    assert_eq!(app.verify().kinds.get("promotion.uses"), Some(&1));
    app.ctx.store().close();
}

/// What the cases about a customer hand on: the token of a publishable key, and the id of a cart.
fn handed_on(folder: &Path) -> (String, String) {
    let text = fs::read_to_string(folder.join("handed-on.json")).expect("an earlier case");
    serde_json::from_str(&text).expect("two texts")
}

const ADA: &str = "ada@test.dev";

/// A customer with an account has a cart.
async fn registers(folder: &Path) {
    let shop = Shop::open(open(folder).await).await;
    let web = shop.channel("Web").await;
    let key = shop.key(&[&web]).await;
    let ada = shop.customer(&shop.app.storefront(&key), ADA).await;
    let cart = &ada.post("/store/carts", json!({})).await.ok()["cart"];
    assert_eq!(cart["email"], ADA);
    let text = serde_json::to_string(&(key, id(cart))).expect("JSON");
    fs::write(folder.join("handed-on.json"), text).expect("a file");
    shop.app.ctx.store().close();
}

/// The account opens nothing, its cart is a guest's, and new carts have an address and no customer.
async fn sells_to_guests(off: &BTreeSet<String>, folder: &Path) {
    Registry::without(off).expect("a registry");
    let (app, _) = open(folder).await.with_admin().await;
    let (key, cart) = handed_on(folder);
    let storefront = app.storefront(&key);
    let ada = logged_in(&storefront).await;
    assert_eq!(ada.get("/store/customers/me").await.status, 404);
    assert_eq!(ada.get("/store/orders").await.status, 404);
    let path = format!("/store/carts/{cart}");
    assert_eq!(ada.get(&path).await.ok()["cart"]["email"], ADA);
    assert_eq!(ada.post(&format!("{path}/customer"), json!({})).await.status, 404);
    let moved = storefront.post(&path, json!({ "email": "eve@test.dev" })).await.ok();
    assert_eq!(moved["cart"]["email"], "eve@test.dev");
    assert!(moved["cart"].get("customer").is_none(), "{moved}");
    let new = storefront.post("/store/carts", json!({ "email": "bob@test.dev" })).await.ok();
    assert_eq!((&new["cart"]["email"], &new["cart"]["customer_id"]), (&json!("bob@test.dev"), &Value::Null));
    app.ctx.store().close();
}

/// The account is what it was, and so is whose the cart is.
async fn knows_again(off: &BTreeSet<String>, folder: &Path) {
    Registry::without(off).expect("a registry");
    let app = open(folder).await;
    let (key, cart) = handed_on(folder);
    let ada = logged_in(&app.storefront(&key)).await;
    let me = ada.get("/store/customers/me").await.ok();
    assert_eq!(me["customer"]["email"], ADA);
    let cart = ada.get(&format!("/store/carts/{cart}?fields=customer_id")).await.ok();
    assert_eq!(cart["cart"]["customer_id"], me["customer"]["id"]);
    app.ctx.store().close();
}

async fn logged_in(storefront: &Client) -> Client {
    let login = json!({ "email": ADA, "password": "supersecret" });
    let token = storefront.post("/auth/customer/emailpass", login).await.ok();
    let token = format!("Bearer {}", token["token"].as_str().expect("a token"));
    storefront.clone().with_header("authorization", &token)
}

/// Every reason is named, and who needs the module.
fn needed() {
    let off = ["fulfillment", "product", "revues"].map(str::to_owned).into_iter().collect();
    let problems: Vec<String> = match Registry::without(&off) {
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
        Ok(_) => panic!("the modules are needed"),
    };
    let optional = "optional modules are `customer`, `fulfillment`, `parcels`, `price-list`, `promotion`, `stamps`, `tax`";
    assert_eq!(
        problems,
        [
            "hook `parcels.print-label` needs the module `fulfillment`, which is switched off: it joins \
             `create-order-fulfillment.fulfillmentCreated`"
                .to_owned(),
            "hook `stamps.lick` needs the module `fulfillment`, which is switched off: it joins \
             `cancel-order-fulfillment.validate`"
                .to_owned(),
            "the module `parcels` needs the module `fulfillment`, which is switched off".to_owned(),
            format!("the module `product` cannot be switched off, because the core needs it; {optional}"),
            format!("there is no module `revues` to switch off; {optional}"),
        ]
    );
}
