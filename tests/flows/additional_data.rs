//! The `additional_data` of a request is passed to the hooks of its flows unchanged, also when a saga is
//! resumed.

use std::sync::{Arc, Mutex};

use atoll_kernel::{
    Fault, extend, flow,
    flow::{HookPoint, Local},
    hook,
    http::{Answer, Call, Params, Part, Reply, Type, optional, required},
    routes,
    saga::{Run, WorkflowExecution},
};
use atoll_storage::engines::{Crash, Memory};
use atoll_testkit::{Client, Shop, TestApp};
use serde_json::{Value, json};

use crate::repeats::{CrashAt, app_on};

/// The data that hooks received, in all tests.
static HANDED: Mutex<Vec<Value>> = Mutex::new(Vec::new());

hook! { "additional.create-products" in "create-products.productsCreated" => note }
hook! { "additional.update-products" in "update-products.productsUpdated" => note }
hook! { "additional.create-variants" in "create-product-variants.productVariantsCreated" => note }
hook! { "additional.update-variants" in "update-product-variants.productVariantsUpdated" => note }
hook! { "additional.create-options" in "create-product-options.productOptionsCreated" => note }
hook! { "additional.update-options" in "update-product-options.productOptionsUpdated" => note }
hook! { "additional.create-tags" in "create-product-tags.productTagsCreated" => note }
hook! { "additional.update-tags" in "update-product-tags.productTagsUpdated" => note }
hook! { "additional.create-types" in "create-product-types.productTypesCreated" => note }
hook! { "additional.update-types" in "update-product-types.productTypesUpdated" => note }
hook! { "additional.create-collections" in "create-collections.collectionsCreated" => note }
hook! { "additional.update-collections" in "update-collections.collectionsUpdated" => note }
hook! { "additional.create-cart" in "create-cart.cartCreated" => note }
hook! { "additional.update-cart" in "update-cart.cartUpdated" => note }

fn note(_: &mut Local<'_>, input: &Value) -> Result<(), Fault> {
    if let Some(data) = input.get("additional_data") {
        HANDED.lock().expect("the notes").push(data.clone());
    }
    Ok(())
}

/// Sends a body with additional data, and checks that a hook received it once. Returns the id of the record.
async fn check(client: &Client, path: &str, mut body: Value) -> String {
    let data = json!({ "asked": path, "brand": { "id": "brand_1" }, "amount": 1.50, "nothing": null });
    body["additional_data"] = data.clone();
    let shown = client.post(path, body.clone()).await.ok();
    let n_handed = HANDED.lock().expect("the notes").iter().filter(|it| **it == data).count();
    assert_eq!(n_handed, 1, "{path}");
    body["additional_data"] = json!("text");
    let error = client.post(path, body).await.error();
    assert!(error.contains("Expected type: 'record' for field 'additional_data'"), "{path}: {error}");
    let record = shown.as_object().and_then(|it| it.values().next()).expect("a record");
    record["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn additional_data_reaches_the_hooks_of_its_flows() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    let admin = &shop.admin;
    let options = json!([{ "title": "Size", "values": ["S", "M"] }]);
    let product = check(admin, "/admin/products", json!({ "title": "Cap", "options": options })).await;
    let product = format!("/admin/products/{product}");
    check(admin, &product, json!({ "title": "Hat" })).await;
    let variant = json!({ "title": "S", "prices": [], "options": { "Size": "S" } });
    check(admin, &format!("{product}/variants"), variant).await;
    let shown = admin.get(&product).await.ok();
    let variant = shown["product"]["variants"][0]["id"].as_str().expect("an id");
    check(admin, &format!("{product}/variants/{variant}"), json!({ "title": "Small" })).await;
    for (route, new, change) in [
        ("product-options", json!({ "title": "Colour", "values": ["red"] }), json!({ "title": "Color" })),
        ("product-tags", json!({ "value": "new" }), json!({ "value": "old" })),
        ("product-types", json!({ "value": "new" }), json!({ "value": "old" })),
        ("collections", json!({ "title": "New" }), json!({ "title": "Old" })),
    ] {
        let made = check(admin, &format!("/admin/{route}"), new).await;
        check(admin, &format!("/admin/{route}/{made}"), change).await;
    }
    let cart = check(&storefront, "/store/carts", json!({})).await;
    check(&storefront, &format!("/store/carts/{cart}"), json!({ "email": "a@b.co" })).await;
}

flow! {
    /// Tells its hooks something, as its last step; on the way it may wait.
    static TELL: Saga<bool, ()> = "tell" (tell), hooks: &[&TOLD];
}

static TOLD: HookPoint<Value> = HookPoint::new("told");

async fn tell(run: &mut Run, waits: bool) -> Result<(), Fault> {
    run.local("begin", |local| Ok(local.emit("tell.begun", json!({}))?)).await?;
    if waits {
        run.wait::<()>("approval", None).await?;
    }
    run.hook(&TOLD, json!({})).await.map(drop)
}

hook! { "additional.tell" in "tell.told" => note }

routes! {
    /// Runs the saga.
    Post "/admin/tell-tests/:transaction_id" (Admin, Params::NONE, &[&[required("waits", Type::Bool)]]) => run_tell: Answer::Object(&[Part::Value(required("done", Type::Bool))]);
}

extend! { Post "/admin/tell-tests/:transaction_id" {
    additional_data: [optional("test", Type::Text), optional("who", Type::Text)],
} }

async fn run_tell(call: Call) -> Result<Reply, Fault> {
    let waits = call.body()["waits"] == true;
    let transaction = call.path("transaction_id").to_owned();
    call.app.start(&TELL, call.pass.actor, Some(&transaction), waits).await?;
    Ok(Reply::json(&json!({ "done": true })))
}

/// Who was told of to the hooks of the saga in this test, without repetitions in a row.
fn told(test: &str) -> Vec<String> {
    let handed = HANDED.lock().expect("the notes");
    let of_test = handed.iter().filter(|it| it["test"] == test);
    let mut told: Vec<String> = of_test.map(|it| it["who"].as_str().unwrap_or_default().to_owned()).collect();
    told.dedup();
    told
}

#[tokio::test]
async fn saga_that_waited_passes_the_additional_data_of_its_request() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let body = json!({ "waits": true, "additional_data": { "test": "waits", "who": "first" } });
    admin.post("/admin/tell-tests/a", body).await.ok();
    assert_eq!(told("waits"), [""; 0]);
    let answer = json!({ "transaction_id": "a", "step_id": "approval", "response": null });
    admin.post("/admin/workflows-executions/tell/steps/success", answer).await.ok();
    app.until(async || told("waits") == ["first"]).await;
}

/// A run is interrupted, then another request comes with the same transaction id: each run passes what its
/// own request said. Returns whether the first one was interrupted.
async fn told_after_cut(n: usize, crash: Crash) -> bool {
    let disk = Memory::default();
    let probe = Arc::new(CrashAt::default());
    let (app, switch) = app_on(&disk, Some(probe.clone())).await;
    let (_app, admin) = app.with_admin().await;
    let test = format!("{n} {crash:?}");
    let body =
        |who: &str| json!({ "waits": false, "additional_data": { "test": test.as_str(), "who": who } });
    probe.set(n, crash, &switch);
    let is_cut = admin.post("/admin/tell-tests/a", body("first")).await.status == 500;

    let (app, _) = app_on(&disk, None).await;
    let run = WorkflowExecution::find(&app.ctx.view(), "tell", "a").expect("a read");
    admin.on(&app).post("/admin/tell-tests/a", body("second")).await.ok();
    let expected = if run.is_some() { &["first", "second"][..] } else { &["second"] };
    assert_eq!(told(&test), expected, "{test}");
    is_cut
}

#[tokio::test]
async fn interrupted_saga_passes_the_additional_data_of_its_own_request() {
    for crash in [Crash::Before, Crash::After] {
        let mut n = 0;
        while told_after_cut(n, crash).await {
            n += 1;
        }
        assert!(n >= 3, "{crash:?}: it was cut at {n} points only");
    }
}
