//! What a module adds to the core: parameters, body fields, additional data and fields of answers of its
//! routes, errors of its own, middleware, and flows that are run by name.

use std::sync::Mutex;

use atoll_kernel::{
    Actor, Fault, computed,
    data::{End, FieldKind, Module, Node, Service},
    entity, extend,
    flow::Local,
    hook,
    http::{
        Answer, Call, FaultRecord, HeaderValue, Param, ParamKind, Params, Part, Reply, RequestBody, Type,
        optional, required,
    },
    link, middleware, module,
    query::{Computed, Env, QueryError},
    routes,
};
use atoll_testkit::{Shop, TestApp, id};
use serde_json::{Map, Value, json};

entity! {
    /// What somebody says of a product.
    pub struct Blurb = "blurb" / "blurbs", "blurb" {
        /// Who says it.
        pub author: String,
    }
}

static BLURBS: Service<Blurb> = Service::new(&[]);

module! { Module {
    name: "blurb",
    summary: "What people say of products, for a test",
    services: &[&BLURBS],
    ..Module::EMPTY
} }

link! {
    /// A blurb is of a product.
    static BLURB_PRODUCT: Link("blurb_product", "blurbprod") = {
        left: End {
            entity: "blurb", key: "blurb_id", alias: "blurb", others: Some("product"), rows: "product_link",
            many: false, cascade: true,
        },
        right: End {
            entity: "product", key: "product_id", alias: "product", others: Some("blurbs"), rows: "blurbs_link",
            many: true, cascade: false,
        },
    };
}

computed! {
    /// Whether a variant comes back.
    static RESTOCK_STATE = Computed {
        entity: "product_variant",
        name: "restock_state",
        text: "Whether the variant comes back.",
        kind: FieldKind::Text,
        also_shows: &[],
        sorts: false,
        compute: restock_states,
    };
}

fn restock_states(_: &Env<'_>, nodes: &[Node]) -> Result<Vec<Option<Value>>, QueryError> {
    Ok(nodes.iter().map(|_| Some(json!("soon"))).collect())
}

extend! { Get "/admin/products" {
    params: [Param::new("blurbs", ParamKind::Nested(&[Param::new("author", ParamKind::Any)]))],
} }
extend! { Get "/store/products" { store_fields: ["variants.restock_state"] } }
extend! { Post "/admin/regions" { additional_data: [optional("manager", Type::Text).or_null()] } }
extend! { Post "/admin/regions" {
    additional_data: [optional("floors", Type::Positive)],
    body: [optional("opens_at", Type::Text)],
} }

hook! { "blurb.note-region" in "create-regions.regionsCreated" => note_region }

/// The additional data of regions.
static HANDED: Mutex<Vec<Value>> = Mutex::new(Vec::new());

fn note_region(flow: &mut Local<'_>, _: &Value) -> Result<(), Fault> {
    HANDED.lock().expect("the notes").extend(flow.additional_data::<Value>()?);
    Ok(())
}

#[tokio::test]
async fn admin_list_is_filtered_by_the_records_of_a_module() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let (tea, cup) = (shop.product("Tea", &[&web], 1).await, shop.product("Cup", &[&web], 1).await);
    for (author, product) in [("Ada", tea.product.clone()), ("Bob", cup.product.clone())] {
        let write = move |tx: &mut dyn atoll_kernel::Write, at: &atoll_kernel::Moment| {
            let blurb = BLURBS.create(tx, at, Blurb { author: author.into(), ..Blurb::default() })?;
            BLURB_PRODUCT.attach(tx, at, &blurb.id, &product, Map::new())?;
            Ok(())
        };
        shop.app.ctx.write(Actor::System, write).await.expect("a blurb");
    }
    let titles = async |query: &str| {
        let list = shop.admin.get(&format!("/admin/products?fields=title&{query}")).await.ok();
        let list = list["products"].as_array().expect("a list").iter();
        list.map(|it| it["title"].as_str().expect("a title").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(titles("blurbs[author]=Ada").await, ["Tea"]);
    assert_eq!(titles("blurbs[author][$ne]=Ada").await, ["Cup"]);
    for (query, field) in [
        ("blurbs[colour]=red", "blurbs.colour"),
        // Nobody offers these: they would be left out in silence, and everything shown.
        ("reviews[author]=Ada", "reviews"),
        ("price_lists[id][]=plist_1", "price_lists"),
    ] {
        let error = shop.admin.get(&format!("/admin/products?{query}")).await.error();
        assert_eq!(error, format!("400 invalid_data: Invalid request: Unrecognized fields: '{field}'"));
    }
    // As on the wire, an unknown plain parameter of this list is ignored.
    assert_eq!(titles("colour=red").await.len(), 2);
}

#[tokio::test]
async fn storefront_sees_a_field_of_a_module_where_the_module_offers_it() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 1).await;
    let storefront = shop.storefront(&[&web]).await;
    let path = format!("/store/products/{}?fields=id", tea.product);
    let shown = storefront.get(&format!("{path},+variants.restock_state")).await.ok();
    assert_eq!(shown["product"]["variants"][0]["restock_state"], "soon", "{shown}");
    let hidden = storefront.get(&path).await.ok();
    assert!(!hidden.to_string().contains("restock_state"), "{hidden}");
    let hidden = storefront.get("/store/product-variants?fields=id,+restock_state").await.ok();
    assert!(!hidden.to_string().contains("restock_state"), "this route does not offer it: {hidden}");
    let hidden = storefront.get("/store/products?fields=id,+blurbs.author").await.ok();
    assert!(!hidden.to_string().contains("blurbs"), "{hidden}");
}

#[tokio::test]
async fn additional_data_has_the_fields_that_modules_give_it() {
    let shop = Shop::open(TestApp::init().await).await;
    let region = |data: Value| {
        let mut body = json!({ "name": "North", "currency_code": "eur" });
        body.as_object_mut().expect("a body").extend(data.as_object().expect("fields").clone());
        body
    };
    let refused = async |data: Value| shop.admin.post("/admin/regions", region(data)).await.error();
    let invalid = "400 invalid_data: Invalid request:";
    for (data, why) in [
        (json!({ "additional_data": { "colour": "red" } }), "Unrecognized fields: 'colour'"),
        (
            json!({ "additional_data": { "manager": 1 } }),
            "Expected type: 'string' for field 'additional_data, manager', got: '1'",
        ),
        (json!({ "additional_data": "x" }), "Expected type: 'object' for field 'additional_data', got: 'x'"),
        (json!({ "opens_at": 8 }), "Expected type: 'string' for field 'opens_at', got: '8'"),
        (json!({ "closes_at": "8" }), "Unrecognized fields: 'closes_at'"),
    ] {
        assert_eq!(refused(data).await, format!("{invalid} {why}"));
    }
    let data = json!({ "additional_data": { "manager": "Ada", "floors": 2 }, "opens_at": "8:00" });
    let made = shop.admin.post("/admin/regions", region(data)).await.ok();
    assert_eq!(
        *HANDED.lock().expect("the notes"),
        [json!({ "manager": "Ada", "floors": 2, "opens_at": "8:00" })]
    );
    shop.admin.post("/admin/regions", region(json!({ "additional_data": null }))).await.ok();
    // A route to which no module adds data takes none, as on the wire.
    let path = format!("/admin/regions/{}", id(&made["region"]));
    let error = shop.admin.post(&path, json!({ "additional_data": {} })).await.error();
    assert_eq!(error, format!("{invalid} Unrecognized fields: 'additional_data'"));
}

#[test]
fn extensions_are_listed_and_described() {
    let registry = atoll_host::registry().expect("a registry");
    let text = registry.to_string();
    for line in [
        "extension of GET /admin/products: params blurbs",
        "extension of GET /store/products: store_fields variants.restock_state",
        "extension of POST /admin/regions: body opens_at additional_data floors",
        "extension of POST /admin/regions: additional_data manager",
        "middleware blurb.outer: before /admin/blurb-tests",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}");
    }
    let route = |method: &str, path: &str| {
        let is_it = |it: &&&atoll_kernel::http::Route| it.method.to_string() == method && it.path == path;
        *registry.routes.iter().find(is_it).expect("a route")
    };
    assert!(route("GET", "/admin/products").params.own.iter().any(|it| it.name == "blurbs"));
    let RequestBody::Json(schema) = route("POST", "/admin/regions").body else { panic!("no body") };
    let fields = schema.iter().copied().flatten();
    assert_eq!(fields.filter(|it| ["opens_at", "additional_data"].contains(&it.name)).count(), 2);
}

routes! {
    /// Answers with errors of its own.
    Get "/admin/blurb-tests/:what" (Admin, Params::NONE) => fail: Answer::Object(&[]);
    /// Shows what the middleware left.
    Get "/admin/blurb-tests" (Admin, Params::NONE) => left: Answer::Object(&[Part::Value(required("trace", Type::List(&Type::Text)))]);
}

async fn fail(call: Call) -> Result<Reply, Fault> {
    Err(match call.path("what") {
        "closed" => Fault::of(403, "blurbs_closed", "No blurbs today"),
        "gone" => Fault::of(410, "gone", "The blurb was taken back").with_code("taken_back"),
        "often" => Fault::of(429, "slow_down", "Too many blurbs").with_retry_after(7),
        _ => Fault::of(200, "odd", "This is no error"),
    })
}

async fn left(call: Call) -> Result<Reply, Fault> {
    let Some(Trace(trace)) = call.extensions.get::<Trace>() else { return Err(Fault::not_found("nothing")) };
    Ok(Reply::json(&json!({ "trace": trace })))
}

/// What the middleware saw, in order.
#[derive(Clone, Default)]
struct Trace(Vec<&'static str>);

middleware! { "blurb.inner" before "/admin/blurb-tests" => inner }
middleware! { "blurb.outer" before "/admin/blurb-tests" => outer }
middleware! { "blurb.all" before "/" => outermost }

fn trace(call: &mut Call, name: &'static str) {
    call.extensions.get_or_insert_default::<Trace>().0.push(name);
}

fn outermost(call: &mut Call) -> Result<(), Fault> {
    trace(call, "all");
    Ok(())
}

fn inner(call: &mut Call) -> Result<(), Fault> {
    trace(call, "inner");
    Ok(())
}

fn outer(call: &mut Call) -> Result<(), Fault> {
    trace(call, "outer");
    match (call.head().headers.contains_key("x-refuse"), &call.pass.actor) {
        (true, Actor::User(_)) => Err(Fault::of(451, "legal_reasons", "Not here")),
        _ => Ok(()),
    }
}

#[tokio::test]
async fn a_module_answers_with_errors_of_its_own() {
    let (_app, admin) = TestApp::init().await.with_admin().await;
    let get = async |what: &str| admin.get(&format!("/admin/blurb-tests/{what}")).await;
    let closed = get("closed").await;
    assert_eq!(closed.status.as_u16(), 403);
    assert_eq!(closed.json, json!({ "type": "blurbs_closed", "message": "No blurbs today" }));
    let gone = get("gone").await;
    assert_eq!(gone.status.as_u16(), 410);
    assert_eq!(gone.json["code"], "taken_back");
    let often = get("often").await;
    assert_eq!((often.status.as_u16(), &often.headers["retry-after"]), (429, &HeaderValue::from_static("7")));
    assert_eq!(get("odd").await.status.as_u16(), 500);
    // Journals of sagas store it.
    let fault = Fault::of(429, "slow_down", "Too many blurbs").with_code("slow").with_retry_after(7);
    let again = Fault::from(&FaultRecord::from(&fault));
    assert_eq!((again.status(), again.body()), (fault.status(), fault.body()));
    assert_eq!(again.retry_after_s(), Some(7));
}

#[tokio::test]
async fn middleware_runs_before_the_handlers_below_its_path() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let shown = admin.get("/admin/blurb-tests").await.ok();
    assert_eq!(shown["trace"], json!(["all", "inner", "outer"]));
    let refused = admin.clone().with_header("x-refuse", "1");
    assert_eq!(refused.get("/admin/blurb-tests").await.error(), "451 legal_reasons: Not here");
    assert_eq!(refused.get("/admin/blurb-tests/gone").await.error(), "451 legal_reasons: Not here");
    refused.get("/admin/regions").await.ok();
    // It runs after the request was authenticated.
    let nobody = app.client().with_header("x-refuse", "1").get("/admin/blurb-tests").await;
    assert_eq!(nobody.status.as_u16(), 401);
}

#[tokio::test]
async fn flows_are_run_by_their_names_with_json() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let ctx = &app.ctx;
    let tags = json!([{ "value": "new" }]);
    let (made, _) = ctx.run_named("create-product-tags", Actor::System, tags.clone()).await.expect("a tag");
    assert_eq!(made[0]["value"], "new");
    let error = async |name: &str, input: Value| {
        let run = ctx.run_named(name, Actor::System, input).await.map(drop);
        run.expect_err("an error").to_string()
    };
    let wrong = error("create-product-tags", json!({ "value": "old" })).await;
    assert!(wrong.starts_with("Invalid input of create-product-tags: invalid type: map"), "{wrong}");
    assert_eq!(error("no-flow", json!({})).await, "Workflow with id \"no-flow\" not found.");
    assert_eq!(
        error("create-cart", json!({})).await,
        "Workflow create-cart cannot be run by name: its input or result is not data alone"
    );
    assert_eq!(
        error("complete-cart", json!({})).await,
        "Workflow complete-cart is a saga, which is no part of a transaction"
    );

    let run = "/admin/workflows-executions/create-product-tags/run";
    let keyed = admin.clone().with_header("idempotency-key", "once");
    let input = json!({ "input": [{ "value": "by hand" }] });
    for _ in 0..2 {
        let shown = keyed.post(run, input.clone()).await.ok();
        let acknowledgement = &shown["acknowledgement"];
        assert_eq!(acknowledgement["workflowId"], "create-product-tags");
        assert_eq!(acknowledgement["hasFinished"], true);
    }
    assert_eq!(admin.get("/admin/product-tags?value=by%20hand").await.ok()["count"], 1);
    let wrong = admin.post(run, json!({ "input": 1 })).await.error();
    assert!(wrong.starts_with("400 invalid_data: Invalid input of create-product-tags"), "{wrong}");
}
