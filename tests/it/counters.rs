//! `/admin/counters`: what requests and the writer have cost.

use atoll_kernel::http::ReadLimits;
use atoll_testkit::{Setup, Shop, TestApp};
use serde_json::{Value, json};

async fn counters(shop: &Shop) -> Value {
    shop.admin.get("/admin/counters").await.ok()
}

fn route<'a>(counters: &'a Value, method: &str, path: &str) -> &'a Value {
    let mut routes = counters["requests"].as_array().expect("a list").iter();
    routes.find(|it| it["path"] == path && it["method"] == method).unwrap_or(&Value::Null)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a number: {value}"))
}

#[tokio::test]
async fn counters_show_time_and_keys_of_each_route() {
    // A remembered answer reads no keys.
    let shop = Shop::open(Setup::default().answers_bytes_max(0).init().await).await;
    let storefront = shop.storefront(&[&shop.channel("Web").await]).await;
    assert_eq!(*route(&counters(&shop).await, "GET", "/store/products/:id"), Value::Null);
    let tea = shop.product("Tea", &[&shop.channel("Other").await], 1).await;
    for _ in 0..3 {
        storefront.get(&format!("/store/products/{}", tea.product)).await;
    }
    shop.app.client().get("/store/products/none").await;
    let after = counters(&shop).await;
    let shown = route(&after, "GET", "/store/products/:id");
    assert_eq!(shown["time_ns"]["count"], 4, "a request that is refused takes time");
    assert_eq!(shown["keys_read"]["count"], 3, "one without a key reads nothing");
    assert!(number(&shown["time_ns"]["max"]) > 0 && number(&shown["keys_read"]["sum"]) >= 3, "{shown}");
}

#[tokio::test]
async fn counters_include_the_keys_of_reads_that_were_started_again() {
    let (shop, web, _) = Shop::web().await;
    for n in 0..30 {
        shop.product(&format!("Tea {n}"), &[&web], 1).await;
    }
    let plan_path = format!("/admin/sales-channels/{web}/products?dry_run=true");
    let plan = json!({ "remove_where": { "sales_channel_id": [web] } });
    let mut costs = Vec::new();
    for keys_inline_max in [1_000_000, 10] {
        let limits = ReadLimits { keys_inline_max, ..ReadLimits::default() };
        let app = TestApp::with_limits(shop.app.ctx.store().clone(), limits).await;
        let admin = shop.admin.on(&app);
        admin.get("/admin/products?limit=30").await.ok();
        admin.post(&plan_path, plan.clone()).await.ok();
        let counters = admin.get("/admin/counters").await.ok();
        let sum = |method, path| number(&route(&counters, method, path)["keys_read"]["sum"]);
        costs.push([sum("GET", "/admin/products"), sum("POST", "/admin/sales-channels/:id/products")]);
    }
    for (whole, again) in costs[0].iter().zip(costs[1]) {
        assert!(*whole > 30, "{costs:?}");
        // The first attempt is given up one key beyond its budget.
        assert_eq!(again, whole + 11, "{costs:?}");
    }
}

#[tokio::test]
async fn counters_show_what_the_writer_does() {
    let (shop, ..) = Shop::web().await;
    let before = counters(&shop).await["writer"].clone();
    shop.admin.post("/admin/stock-locations", json!({ "name": "North" })).await.ok();
    shop.admin.post("/admin/stock-locations/none", json!({ "name": "South" })).await;
    let after = counters(&shop).await["writer"].clone();
    let more = |name: &str, of: &str| number(&after[name][of]) - number(&before[name][of]);
    assert_eq!((more("batch", "count"), more("body_ns", "count")), (2, 2), "{after}");
    assert_eq!(more("commit_ns", "count"), 1, "what is aborted is not committed: {after}");
    let (n_keys, n_bytes) = (more("keys_written", "sum"), more("bytes_written", "sum"));
    assert!(n_keys > 0 && n_bytes > 20 * n_keys, "{n_keys} keys of {n_bytes} bytes");
    assert!(more("keys_read", "sum") > 0 && number(&after["queue"]["max"]) >= 1, "{after}");
}
