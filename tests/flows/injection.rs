//! Every flow × every step × every way to fail: afterwards the whole store, the outbox included, is as it was before,
//! or as it is after a run that nothing disturbed.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use atoll_flows::user::{CREATE_USERS, NewUser};
use atoll_kernel::{
    Actor, EXECUTIONS, Fault, Point, Probe, Registry, Store, When,
    engines::{Crash, Fault as EngineFault, Faulty, Memory, Switch},
};
use atoll_testkit::{Dump, Shop, TestApp};
use atoll_user::PasswordHash;
use serde_json::{Value, json};

use crate::{
    bank::{Mood, account},
    sagas::{CARELESS, TRIP, Trip},
    world,
};

/// A step, as the table knows it: the flow that it is part of, and its name.
type Step = (String, String);

/// Makes something happen when a step is passed.
#[derive(Default)]
struct Trap {
    /// Where, and what. It springs once.
    set: Mutex<Option<(Step, When, Spring)>>,
    /// Errors at this step always, to have what came before it undone.
    wall: Mutex<Option<Step>>,
    seen: Mutex<Vec<Step>>,
}

#[derive(Clone)]
enum Spring {
    Fail,
    Crash(Crash, Switch),
}

impl Probe for Trap {
    fn pass(&self, point: &Point<'_>) -> Result<(), Fault> {
        let step = (point.flow.to_owned(), point.step.to_owned());
        let refuse = || Err(Fault::unexpected("on purpose"));
        if self.wall.lock().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(&step)
            && point.when == When::After
        {
            return refuse();
        }
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, spring)) = set.take_if(|(at, when, _)| *at == step && *when == point.when) {
            match spring {
                Spring::Fail => return refuse(),
                Spring::Crash(crash, switch) => switch.arm(crash),
            }
        }
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(step);
        Ok(())
    }
}

type Done = Pin<Box<dyn Future<Output = bool> + Send>>;

/// A flow that can be run on any copy of a prepared store.
struct Scenario {
    flow: &'static str,
    disk: Memory,
    run: Box<dyn Fn(&TestApp) -> Done>,
    /// The cart that is paid for.
    cart: Option<String>,
    /// The outside that is called.
    test: Option<String>,
}

/// The path of what a flow is about: `/admin/product-tags` for `update-product-tags`.
fn sorted_by(flow: &str) -> String {
    match flow {
        "batch-link-products-to-collection" => "/admin/collections".to_owned(),
        "batch-link-products-to-category" => "/admin/product-categories".to_owned(),
        _ => format!("/admin/{}", flow.split_once('-').map_or(flow, |(_, it)| it)),
    }
}

/// A body that names one of them.
fn named(flow: &str, name: &str) -> Value {
    match sorted_by(flow).as_str() {
        "/admin/product-categories" => json!({ "name": name }),
        "/admin/collections" => json!({ "title": name }),
        _ => json!({ "value": name }),
    }
}

/// Makes a record of the kind that a flow is about, and says its id.
async fn sorting(shop: &Shop, flow: &str) -> String {
    let made = shop.admin.post(&sorted_by(flow), named(flow, "Old")).await.ok();
    let record = made.as_object().and_then(|it| it.values().next()).expect("a record");
    record["id"].as_str().expect("an id").to_owned()
}

/// Prepares a store for each flow. The shop is the same; what is asked of it differs.
async fn scenario(flow: &'static str) -> Scenario {
    let disk = Memory::default();
    let spaces = Registry::linked().expect("a registry").spaces();
    let store = Store::open(disk.clone(), &spaces).expect("a store");
    let shop = Shop::open(TestApp::over(store, None).await).await;
    let (web, app) = (shop.channel("Web").await, shop.channel("App").await);
    let (tea, cup) = (shop.product("Tea", &[&web], 9).await, shop.product("Cup", &[&web, &app], 9).await);
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 2).await;
    let line = storefront.get(&format!("/store/carts/{cart}")).await.ok();
    let line = line["cart"]["items"][0]["id"].as_str().expect("a line").to_owned();
    let empty = shop.admin.post("/admin/stock-locations", json!({ "name": "Empty" })).await.ok();
    let empty = empty["stock_location"]["id"].as_str().expect("an id").to_owned();
    let promise = json!({ "inventory_item_id": cup.item, "location_id": shop.location, "quantity": 1 });
    let reserved = shop.admin.post("/admin/reservations", promise.clone()).await.ok();
    let reserved = reserved["reservation"]["id"].as_str().expect("an id").to_owned();
    let key = shop.admin.post("/admin/api-keys", json!({ "title": "New", "type": "publishable" })).await.ok();
    let key = key["api_key"]["id"].as_str().expect("an id").to_owned();
    let mut of_cart = None;

    let product = json!({
        "title": "New", "options": [{ "title": "Size", "values": ["One"] }], "sales_channels": [{ "id": web }],
        "variants": [{ "title": "One", "options": { "Size": "One" }, "prices": [{ "currency_code": "eur", "amount": 1 }] }],
    });
    let (client, method, path, body) = match flow {
        "create-sales-channels" => {
            (&shop.admin, "POST", "/admin/sales-channels".into(), json!({ "name": "New" }))
        }
        "update-sales-channels" => {
            (&shop.admin, "POST", format!("/admin/sales-channels/{web}"), json!({ "name": "New" }))
        }
        "delete-sales-channels" => {
            (&shop.admin, "DELETE", format!("/admin/sales-channels/{web}"), Value::Null)
        }
        "link-products-to-sales-channel" => {
            let body = json!({ "add": [tea.product], "remove": [cup.product] });
            (&shop.admin, "POST", format!("/admin/sales-channels/{app}/products"), body)
        }
        "link-sales-channels-to-stock-location" => {
            let body = json!({ "add": [web], "remove": [app] });
            (&shop.admin, "POST", format!("/admin/stock-locations/{}/sales-channels", shop.location), body)
        }
        "link-sales-channels-to-api-key" => (
            &shop.admin,
            "POST",
            format!("/admin/api-keys/{key}/sales-channels"),
            json!({ "add": [web, app] }),
        ),
        "create-products" => (&shop.admin, "POST", "/admin/products".into(), product),
        "update-products" => {
            let body = json!({ "title": "New", "sales_channels": [{ "id": app }] });
            (&shop.admin, "POST", format!("/admin/products/{}", tea.product), body)
        }
        "delete-products" => (&shop.admin, "DELETE", format!("/admin/products/{}", tea.product), Value::Null),
        "delete-stock-locations-workflow" => {
            (&shop.admin, "DELETE", format!("/admin/stock-locations/{empty}"), Value::Null)
        }
        "create-regions" => {
            let body = json!({ "name": "Isle", "currency_code": "eur", "countries": ["gb"],
                "payment_providers": ["pp_system_default"] });
            (&shop.admin, "POST", "/admin/regions".into(), body)
        }
        "update-regions" => {
            let body =
                json!({ "name": "New", "countries": ["de"], "payment_providers": ["pp_system_default"] });
            (&shop.admin, "POST", format!("/admin/regions/{}", shop.region), body)
        }
        "delete-regions" => (&shop.admin, "DELETE", format!("/admin/regions/{}", shop.region), Value::Null),
        "create-product-variants" => {
            let product = json!({ "title": "Cap", "options": [{ "title": "Size", "values": ["S"] }] });
            let product = shop.admin.post("/admin/products", product).await.ok();
            let path =
                format!("/admin/products/{}/variants", product["product"]["id"].as_str().expect("an id"));
            (&shop.admin, "POST", path, json!({ "title": "S", "options": { "Size": "S" }, "prices": [] }))
        }
        "update-product-variants" => {
            let prices =
                json!([{ "currency_code": "eur", "amount": 11 }, { "currency_code": "usd", "amount": 12 }]);
            let path = format!("/admin/products/{}/variants/{}", tea.product, tea.id);
            (&shop.admin, "POST", path, json!({ "title": "New", "prices": prices }))
        }
        "delete-product-variants" => (
            &shop.admin,
            "DELETE",
            format!("/admin/products/{}/variants/{}", tea.product, tea.id),
            Value::Null,
        ),
        "batch-inventory-item-levels" => {
            let body = json!({
                "create": [{ "inventory_item_id": tea.item, "location_id": empty, "stocked_quantity": 4 }],
                "update": [{ "inventory_item_id": cup.item, "location_id": shop.location, "stocked_quantity": 5 }],
            });
            (&shop.admin, "POST", "/admin/inventory-items/location-levels/batch".into(), body)
        }
        "delete-inventory-item-workflow" => {
            (&shop.admin, "DELETE", format!("/admin/inventory-items/{}", tea.item), Value::Null)
        }
        "create-product-tags"
        | "create-product-types"
        | "create-collections"
        | "create-product-categories" => (&shop.admin, "POST", sorted_by(flow), named(flow, "New")),
        "update-product-tags"
        | "update-product-types"
        | "update-collections"
        | "update-product-categories" => (
            &shop.admin,
            "POST",
            format!("{}/{}", sorted_by(flow), sorting(&shop, flow).await),
            named(flow, "New"),
        ),
        "delete-product-tags"
        | "delete-product-types"
        | "delete-collections"
        | "delete-product-categories" => (
            &shop.admin,
            "DELETE",
            format!("{}/{}", sorted_by(flow), sorting(&shop, flow).await),
            Value::Null,
        ),
        "batch-link-products-to-collection" | "batch-link-products-to-category" => {
            let path = format!("{}/{}/products", sorted_by(flow), sorting(&shop, flow).await);
            (&shop.admin, "POST", path, json!({ "add": [tea.product] }))
        }
        "create-reservations-workflow" => (&shop.admin, "POST", "/admin/reservations".into(), promise),
        "update-reservations-workflow" => {
            (&shop.admin, "POST", format!("/admin/reservations/{reserved}"), json!({ "quantity": 3 }))
        }
        "delete-reservations" => {
            (&shop.admin, "DELETE", format!("/admin/reservations/{reserved}"), Value::Null)
        }
        "create-cart" => {
            let body = json!({ "items": [{ "variant_id": cup.id, "quantity": 2 }] });
            (&storefront, "POST", "/store/carts".into(), body)
        }
        "add-to-cart" => {
            let body = json!({ "variant_id": cup.id, "quantity": 2 });
            (&storefront, "POST", format!("/store/carts/{cart}/line-items"), body)
        }
        "update-line-item-in-cart" => {
            (&storefront, "POST", format!("/store/carts/{cart}/line-items/{line}"), json!({ "quantity": 3 }))
        }
        "delete-line-items" => {
            (&storefront, "DELETE", format!("/store/carts/{cart}/line-items/{line}"), Value::Null)
        }
        "update-cart" => {
            let region = json!({ "name": "Isle", "currency_code": "eur", "countries": ["gb"] });
            let region = shop.admin.post("/admin/regions", region).await.ok();
            let body = json!({ "region_id": region["region"]["id"], "email": "me@example.com" });
            (&storefront, "POST", format!("/store/carts/{cart}"), body)
        }
        "complete-cart" | "create-orders" => {
            of_cart = Some(cart.clone());
            (&storefront, "POST", format!("/store/carts/{cart}/complete"), json!({}))
        }
        "cancel-order" => {
            let order = storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
            let order = order["order"]["id"].as_str().expect("an order").to_owned();
            (&shop.admin, "POST", format!("/admin/orders/{order}/cancel"), json!({}))
        }
        "trip" => {
            let test = world::new_test();
            let trip = Trip {
                test: test.clone(),
                product: tea.product,
                channels: vec![web, app],
                ..Trip::default()
            };
            let run = move |app: &TestApp| {
                let (ctx, trip) = (app.ctx.clone(), trip.clone());
                Box::pin(async move { ctx.start(&TRIP, Actor::System, Some("one"), trip).await.is_ok() })
                    as Done
            };
            return Scenario { flow, disk, run: Box::new(run), cart: None, test: Some(test) };
        }
        "create-users-workflow" => {
            let user = NewUser {
                email: "new@test.dev".into(),
                password: PasswordHash::new("supersecret").expect("a hash"),
            };
            let run = move |app: &TestApp| {
                let (ctx, users) = (app.ctx.clone(), vec![user.clone()]);
                Box::pin(async move { ctx.run(&CREATE_USERS, Actor::System, users).await.is_ok() }) as Done
            };
            return Scenario { flow, disk, run: Box::new(run), cart: None, test: None };
        }
        "careless" => {
            let run = |app: &TestApp| {
                let (ctx, test) = (app.ctx.clone(), world::new_test());
                Box::pin(async move { ctx.start(&CARELESS, Actor::System, None, test).await.is_ok() }) as Done
            };
            return Scenario { flow, disk, run: Box::new(run), cart: None, test: None };
        }
        other => panic!("no scenario for the flow `{other}`"),
    };
    let client = client.clone();
    let run = move |app: &TestApp| {
        let (client, path, body) = (client.on(app), path.clone(), body.clone());
        Box::pin(async move {
            let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
            client.send(method, &path, body.into()).await.status.is_success()
        }) as Done
    };
    Scenario { flow, disk, run: Box::new(run), cart: of_cart, test: None }
}

/// The runs of sagas are a log of what happened.
const LOG: &[&str] = &["workflow_execution"];

impl Scenario {
    /// An application on a copy of the store.
    async fn app(&self, fault: EngineFault) -> (TestApp, Arc<Trap>, Memory, Switch) {
        let disk = self.disk.fork();
        let (app, trap, switch) = Self::app_on(&disk, fault).await;
        (app, trap, disk, switch)
    }

    async fn app_on(disk: &Memory, fault: EngineFault) -> (TestApp, Arc<Trap>, Switch) {
        let engine = Faulty::new(disk.clone(), fault);
        let (trap, switch) = (Arc::new(Trap::default()), engine.switch());
        let spaces = Registry::linked().expect("a registry").spaces();
        let store = Store::open(engine, &spaces).expect("a store");
        (TestApp::over(store, Some(trap.clone())).await, trap, switch)
    }

    /// How many charges of the cart were not given back; the outside begins anew.
    fn take_charges(&self) -> usize {
        self.test.iter().for_each(|test| world::forget(test));
        self.cart.as_ref().map_or(0, |cart| account(cart, |it| std::mem::take(it).n_charged()))
    }

    /// What is on the disk when a new process has gone on with what the last one left open.
    async fn recovered(&self, disk: &Memory) -> Dump {
        let (app, _, _) = Self::app_on(disk, EngineFault::None).await;
        app.ctx.recover().await.expect("a recovery");
        for run in EXECUTIONS.table.list_all(&app.ctx.view()).expect("runs") {
            assert!(run.has_ended(), "{}: a run is stuck: {:?}", self.flow, run.state);
            assert_eq!(run.undo_error, None, "{}", self.flow);
        }
        Dump::of(&app.ctx, LOG)
    }
}

/// The ways to fail.
const WAYS: [&str; 7] = [
    "fail before", "fail after", "crash before commit", "crash after commit", "undo twice", "step run twice",
    "time-out",
];

#[derive(Default)]
struct Table {
    n_run: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

#[tokio::test]
async fn a_flow_that_is_disturbed_is_done_or_undone() {
    let mut table = Table::default();
    let mut n_steps = 0;
    for flow in Registry::linked().expect("a registry").flows.iter().map(|it| it.name()) {
        // Parts of `trip` and its like, which have tests of their own, and the negative control.
        if ["named", "once", "careless", "hasty", "fickle"].contains(&flow) {
            continue;
        }
        let scenario = scenario(flow).await;
        let before = scenario.recovered(&scenario.disk.fork()).await;
        let (app, trap, disk, _) = scenario.app(EngineFault::None).await;
        assert!((scenario.run)(&app).await, "{flow} does not run");
        let after = scenario.recovered(&disk).await;
        scenario.take_charges();
        assert!(!before.same_as(&after), "{flow} does nothing");
        let seen = trap.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let steps: BTreeSet<Step> = seen.into_iter().collect();
        assert!(!steps.is_empty(), "{flow} has no steps");
        n_steps += steps.len();
        for step in &steps {
            disturb(&scenario, step, &before, &after, &mut table).await;
        }
        undo_each(&scenario, &before, &mut table).await;
        time_out(&scenario, &before, &mut table).await;
    }
    assert_eq!(table.wrong, [""; 0]);
    let n_run = |way: &str| table.n_run.get(way).copied().unwrap_or(0);
    // A cell exists where a step can fail in this way: what is one transaction is aborted and never undone, and only
    // calls to the outside take too long.
    for way in [WAYS[0], WAYS[1], WAYS[2], WAYS[3], WAYS[5]] {
        assert_eq!(n_run(way), n_steps, "{way}");
    }
    assert_eq!((n_run("undo twice"), n_run("time-out")), (9, 6), "{:?}", table.n_run);
    eprintln!("{n_steps} steps: {:?}", table.n_run);
}

/// The first six ways, but for undoing.
async fn disturb(scenario: &Scenario, step: &Step, before: &Dump, after: &Dump, table: &mut Table) {
    for way in [WAYS[0], WAYS[1], WAYS[2], WAYS[3], WAYS[5]] {
        let fault = if way == "step run twice" { EngineFault::RunTwice } else { EngineFault::None };
        let (app, trap, disk, switch) = scenario.app(fault).await;
        let set = match way {
            "fail before" => Some((When::Before, Spring::Fail)),
            "fail after" => Some((When::After, Spring::Fail)),
            "crash before commit" => Some((When::Before, Spring::Crash(Crash::Before, switch))),
            "crash after commit" => Some((When::Before, Spring::Crash(Crash::After, switch))),
            _ => None,
        };
        *trap.set.lock().unwrap_or_else(PoisonError::into_inner) =
            set.map(|(when, spring)| (step.clone(), when, spring));
        let done = (scenario.run)(&app).await;
        drop(app);
        let left = scenario.recovered(&disk).await;
        let expected = match way {
            "fail before" | "fail after" => !done && left.same_as(before),
            "step run twice" => done && left.same_as(after),
            _ => left.same_as(before) || left.same_as(after),
        };
        *table.n_run.entry(way).or_default() += 1;
        if !expected {
            let difference = before.difference(&left).join("\n");
            table.wrong.push(format!("{} {step:?} {way}: done {done}\n{difference}", scenario.flow));
        }
        let n_charged = scenario.take_charges();
        if scenario.cart.is_some() && n_charged != usize::from(left.same_as(after)) {
            table.wrong.push(format!("{step:?} {way}: {n_charged} charges"));
        }
    }
}

/// Lets the last step fail, and crashes while each of the steps before it is undone: the next process undoes it again.
async fn undo_each(scenario: &Scenario, before: &Dump, table: &mut Table) {
    let last = match scenario.flow {
        "trip" => "open-channel",
        "complete-cart" => "place-order",
        _ => return,
    };
    let wall: Step = (scenario.flow.to_owned(), last.to_owned());
    let (app, trap, _, _) = scenario.app(EngineFault::None).await;
    *trap.wall.lock().unwrap_or_else(PoisonError::into_inner) = Some(wall.clone());
    assert!(!(scenario.run)(&app).await, "{} has failed", scenario.flow);
    scenario.take_charges();
    let runs = EXECUTIONS.table.list_all(&app.ctx.view()).expect("runs");
    let steps: Vec<String> = runs.iter().flat_map(|run| &run.steps).map(|it| it.name.clone()).collect();
    for name in steps {
        let (app, trap, disk, switch) = scenario.app(EngineFault::None).await;
        *trap.wall.lock().unwrap_or_else(PoisonError::into_inner) = Some(wall.clone());
        let spring = Spring::Crash(Crash::Before, switch);
        *trap.set.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(((scenario.flow.to_owned(), name.clone()), When::Undone, spring));
        let done = (scenario.run)(&app).await;
        drop(app);
        let left = scenario.recovered(&disk).await;
        *table.n_run.entry("undo twice").or_default() += 1;
        if done || !left.same_as(before) {
            table.wrong.push(format!("{} {name} undo twice: {:?}", scenario.flow, before.difference(&left)));
        }
        if scenario.take_charges() != 0 {
            table.wrong.push(format!("{name} undo twice: money was kept"));
        }
    }
}

/// Lets each call to the outside have its effect, and take too long.
async fn time_out(scenario: &Scenario, before: &Dump, table: &mut Table) {
    let calls: &[&str] = match scenario.flow {
        "trip" => &["book", "weigh", "pay-a", "pay-b", "announce"],
        "complete-cart" => &["bank.authorize"],
        _ => &[],
    };
    for call in calls {
        let (app, _, disk, _) = scenario.app(EngineFault::None).await;
        scenario.test.iter().for_each(|test| world::let_hang(test, call));
        scenario.cart.iter().for_each(|cart| account(cart, |it| it.mood = Mood::Hangs));
        let done = (scenario.run)(&app).await;
        drop(app);
        let left = scenario.recovered(&disk).await;
        *table.n_run.entry("time-out").or_default() += 1;
        if done || !left.same_as(before) || scenario.take_charges() != 0 {
            table.wrong.push(format!("{} {call} time-out: {:?}", scenario.flow, before.difference(&left)));
        }
    }
}

/// The table must object to a saga that leaves something behind.
#[tokio::test]
async fn a_saga_that_does_not_undo_is_found() {
    let scenario = scenario("careless").await;
    let before = scenario.recovered(&scenario.disk.fork()).await;
    let (app, _, disk, _) = scenario.app(EngineFault::None).await;
    assert!((scenario.run)(&app).await);
    let after = scenario.recovered(&disk).await;
    let mut table = Table::default();
    disturb(&scenario, &("careless".into(), "call".into()), &before, &after, &mut table).await;
    assert_eq!(table.wrong.len(), 2, "failing before and after the call: {:?}", table.wrong);
}
