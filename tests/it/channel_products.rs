//! The products of a channel by state, with titles and counts, and what changes between two moments.

use atoll_testkit::{Client, Shop, Variant};
use serde_json::{Value, json};

/// A channel with a product in each state: on sale, not yet, over, and a draft.
struct Bench {
    shop: Shop,
    web: String,
    storefront: Client,
    teas: [Variant; 4],
}

impl Bench {
    async fn new() -> Bench {
        let (shop, web, storefront) = Shop::web().await;
        let mut teas = Vec::new();
        for title in ["Assam", "Bancha", "Ceylon", "Dilmah"] {
            let tea = shop.product(title, &[&web], 5).await;
            let picture = json!({ "thumbnail": format!("{title}.jpg") });
            shop.admin.post(&format!("/admin/products/{}", tea.product), picture).await.ok();
            teas.push(tea);
        }
        let teas: [Variant; 4] = teas.try_into().expect("four teas");
        let bench = Bench { shop, web, storefront, teas };
        bench.open(1, 1_000, 3_000).await;
        bench.open(2, -3_000, -1_000).await;
        let draft = json!({ "status": "draft" });
        bench.shop.admin.post(&format!("/admin/products/{}", bench.teas[3].product), draft).await.ok();
        bench
    }

    /// Opens the window of the n-th tea, in milliseconds from now.
    async fn open(&self, n: usize, from: i64, until: i64) {
        let now = self.shop.app.ctx.now();
        let window =
            json!({ "available_from": now.plus_millis(from), "available_until": now.plus_millis(until) });
        self.shop.admin.post(&self.path(&format!("products/{}", self.teas[n].product)), window).await.ok();
    }

    fn path(&self, rest: &str) -> String {
        format!("/admin/sales-channels/{}/{rest}", self.web)
    }

    async fn products(&self, query: &str) -> Value {
        self.shop.admin.get(&self.path(&format!("products?{query}"))).await.ok()
    }
}

/// Each product with a field: `Assam on_sale`.
fn with(answer: &Value, field: &str) -> String {
    let products = answer["products"].as_array().expect("products").iter();
    let line = |it: &Value| {
        format!("{} {}", it["title"].as_str().expect("a title"), it[field].as_str().unwrap_or("-"))
    };
    products.map(line).collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn products_of_a_channel_have_states_that_filter_and_are_counted() {
    let bench = Bench::new().await;
    let all = bench.products("").await;
    assert_eq!(with(&all, "state"), "Assam on_sale, Bancha not_yet, Ceylon over, Dilmah not_published");
    assert_eq!(all["counts"], json!({ "on_sale": 1, "not_yet": 1, "over": 1, "not_published": 1 }));
    assert_eq!((&all["count"], &all["sales_channel"]["name"]), (&json!(4), &json!("Web")));
    let one = &all["products"][0];
    assert_eq!((&one["thumbnail"], &one["status"]), (&json!("Assam.jpg"), &json!("published")));
    for state in ["on_sale", "not_yet", "over", "not_published"] {
        let some = bench.products(&format!("state={state}")).await;
        assert_eq!((&some["count"], &some["products"][0]["state"]), (&json!(1), &json!(state)));
        assert_eq!(some["counts"], all["counts"]);
    }
    assert_eq!(
        with(&bench.products("order=-title&limit=2").await, "state"),
        "Dilmah not_published, Ceylon over"
    );
    assert_eq!(with(&bench.products("q=cey").await, "state"), "Ceylon over");
    assert_eq!(with(&bench.products("state=on_sale&q=cey").await, "state"), "");
    // What a storefront lists is what is on sale, now and later.
    let later = bench.shop.app.ctx.now().plus_millis(1_000);
    let then = bench.products(&format!("at={later}")).await;
    assert_eq!(then["counts"], json!({ "on_sale": 2, "not_yet": 0, "over": 1, "not_published": 1 }));
    bench.shop.app.advance_ms(1_000);
    assert_eq!(bench.products("").await["counts"], then["counts"]);
    assert_eq!(bench.storefront.get("/store/products").await.ok()["count"], 2);
    let error = bench.shop.admin.get(&bench.path("products?state=sold")).await.error();
    assert!(error.starts_with("400 invalid_data"), "{error}");
    assert!(bench.shop.admin.get("/admin/sales-channels/none/products").await.error().starts_with("404"));
}

#[tokio::test]
async fn variants_that_a_channel_leaves_out_are_counted() {
    let bench = Bench::new().await;
    let counts = async || {
        let one = bench.products("limit=1").await["products"][0].clone();
        (one["n_variants"].clone(), one["n_excluded_variants"].clone())
    };
    assert_eq!(counts().await, (json!(1), json!(0)));
    let path = bench.path(&format!("variants/{}", bench.teas[0].id));
    bench.shop.admin.post(&path, json!({ "is_enabled": false })).await.ok();
    assert_eq!(counts().await, (json!(1), json!(1)));
}

#[tokio::test]
async fn changes_are_the_products_that_appear_and_disappear_between_two_moments() {
    let bench = Bench::new().await;
    bench.open(0, -500, 2_000).await;
    let now = bench.shop.app.ctx.now();
    let changes = async |from: i64, to: i64, more: &str| {
        let (from, to) = (now.plus_millis(from), now.plus_millis(to));
        bench.shop.admin.get(&bench.path(&format!("changes?from={from}&to={to}{more}"))).await.ok()
    };
    assert_eq!(with(&changes(0, 999, "").await, "change"), "");
    assert_eq!(with(&changes(0, 1_000, "").await, "change"), "Bancha appears");
    // In the order of time.
    assert_eq!(with(&changes(0, 2_500, "").await, "change"), "Bancha appears, Assam disappears");
    // A window that opens and closes in between is no difference.
    assert_eq!(with(&changes(0, 9_000, "").await, "change"), "Assam disappears");
    let second = changes(0, 2_500, "&limit=1&offset=1").await;
    assert_eq!((with(&second, "change").as_str(), &second["count"]), ("Assam disappears", &json!(2)));
    assert_eq!(second["products"][0]["changes_at"], json!(now.plus_millis(2_000)));
    let priced = changes(0, 2_500, &format!("&region_id={}", bench.shop.region)).await;
    let tea = &priced["products"][0];
    assert_eq!((&tea["state_before"], &tea["state_after"]), (&json!("not_yet"), &json!("on_sale")));
    let (before, after) = (&tea["variants"][0]["before"], &tea["variants"][0]["after"]);
    assert_eq!(before["reason"]["code"], "product_not_available_yet");
    assert_eq!((&after["sellable"], &after["available_quantity"]), (&json!(true), &json!(5)));
    assert!(after["price"].is_number() && before["price"] == after["price"], "{tea}");
    for (query, error) in [
        ("", "400 invalid_data: Invalid request: Field 'to' is required"),
        ("to=2020-01-01", "400 invalid_data: Invalid request: Value for field 'to' is before 'from'"),
        (
            "to=2100-01-01&limit=101",
            "400 invalid_data: Invalid request: Value for field 'limit' too large, expected at most: '100'",
        ),
    ] {
        assert_eq!(bench.shop.admin.get(&bench.path(&format!("changes?{query}"))).await.error(), error);
    }
}
