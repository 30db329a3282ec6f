//! Bulk operations: products are added to a channel and removed, by id or filter, and as a dry run.

use atoll_kernel::{Actor, Moment, Write};
use atoll_product::{PRODUCTS, Product};
use atoll_testkit::{Shop, TestApp};
use serde_json::{Value, json};

/// A shop whose products are shown by title in answers of bulk operations.
struct Bulk {
    shop: Shop,
    web: String,
    till: String,
}

impl Bulk {
    async fn new() -> Bulk {
        let shop = Shop::open(TestApp::init().await).await;
        let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
        Bulk { shop, web, till }
    }

    async fn ask(&self, query: &str, body: &Value) -> Result<Value, String> {
        let path = format!("/admin/sales-channels/{}/products{query}", self.web);
        let answer = self.shop.admin.post(&path, body.clone()).await;
        if answer.status.is_success() { Ok(answer.json) } else { Err(answer.error()) }
    }

    /// The titles of the products that the channel sells.
    async fn sold(&self) -> String {
        let path = format!("/admin/products?fields=id,title&order=title&sales_channel_id={}", self.web);
        let list = self.shop.admin.get(&path).await.ok();
        titles(list["products"].as_array().expect("a list").iter().map(|it| &it["title"]))
    }
}

fn titles<'a>(titles: impl Iterator<Item = &'a Value>) -> String {
    titles.map(|it| it.as_str().expect("a title")).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn bulk_adds_and_removes_products_by_filter() {
    let bulk = Bulk::new().await;
    let admin = &bulk.shop.admin;
    let made = async |path: &str, one: &str, body: Value| -> String {
        let answer = admin.post(path, body).await.ok();
        answer[one]["id"].as_str().expect("an id").to_owned()
    };
    let hot = made("/admin/collections", "collection", json!({ "title": "Hot" })).await;
    let food = made("/admin/product-categories", "product_category", json!({ "name": "Food" })).await;
    let new = made("/admin/product-tags", "product_tag", json!({ "value": "new" })).await;
    let old = made("/admin/product-tags", "product_tag", json!({ "value": "old" })).await;
    let drink = made("/admin/product-types", "product_type", json!({ "value": "drink" })).await;
    let product = async |title: &str, channels: &[&str], more: Value| {
        let id = bulk.shop.product(title, channels, 1).await.product;
        admin.post(&format!("/admin/products/{id}"), more).await.ok();
        id
    };
    let tea =
        product("Tea", &[], json!({ "collection_id": hot, "type_id": drink, "tags": [{ "id": new }] })).await;
    product(
        "Soup",
        &[],
        json!({ "collection_id": hot, "categories": [{ "id": food }], "tags": [{ "id": old }] }),
    )
    .await;
    product("Water", &[&bulk.till], json!({ "type_id": drink })).await;
    product("Bread", &[&bulk.till], json!({ "categories": [{ "id": food }] })).await;

    let check = async |body: Value, expected: &str| {
        let nothing = bulk.ask("", &json!({ "remove_where": { "sales_channel_id": [bulk.web] } })).await;
        assert!(nothing.is_ok(), "{nothing:?}");
        assert_eq!(bulk.sold().await, "", "a channel is emptied by its own products");
        let found = match bulk.ask("", &body).await {
            Ok(_) => bulk.sold().await,
            Err(error) => error,
        };
        assert_eq!(found, expected, "{body}");
    };
    let add = |found: Value| json!({ "add_where": found });
    check(add(json!({ "collection_id": [hot] })), "Soup Tea").await;
    check(add(json!({ "category_id": [food] })), "Bread Soup").await;
    check(add(json!({ "tag_id": [new] })), "Tea").await;
    check(add(json!({ "tag_id": [new, old] })), "Soup Tea").await;
    check(add(json!({ "type_id": [drink] })), "Tea Water").await;
    check(add(json!({ "sales_channel_id": [bulk.till] })), "Bread Water").await;
    // Any of the values of each field.
    check(add(json!({ "type_id": [drink], "sales_channel_id": [bulk.till] })), "Water").await;
    check(add(json!({ "collection_id": [hot], "category_id": [] })), "").await;
    check(json!({ "add": [tea], "add_where": { "category_id": [food] } }), "Bread Soup Tea").await;
    // A product in both lists is removed.
    let both = json!({ "add_where": { "type_id": [drink] }, "remove_where": { "tag_id": [new] } });
    check(both, "Water").await;

    let nothing = "400 invalid_data: Invalid request: a filter of products names one at least of \
        'collection_id', 'category_id', 'tag_id', 'type_id', 'sales_channel_id'";
    check(add(json!({})), nothing).await;
    check(add(json!({ "tag_id": ["ptag_x"] })), "404 not_found: Product tag with id: ptag_x was not found")
        .await;
    check(
        add(json!({ "sales_channel_id": ["sc_x"] })),
        "404 not_found: Sales channel with id: sc_x was not found",
    )
    .await;
    check(
        add(json!({ "status": ["draft"] })),
        "400 invalid_data: Invalid request: Unrecognized fields: 'status'",
    )
    .await;
    check(
        json!({ "add": [tea, "prod_x", "prod_y"] }),
        "404 not_found: Products with ids: prod_x, prod_y were not found",
    )
    .await;
}

#[tokio::test]
async fn bulk_dry_run_reports_and_writes_nothing() {
    let bulk = Bulk::new().await;
    let mut products = [
        bulk.shop.product("Tea", &[], 1).await.product,
        bulk.shop.product("Cup", &[], 1).await.product,
        bulk.shop.product("Pot", &[&bulk.web], 1).await.product,
    ];
    products.sort();
    let pot = bulk.sold().await;
    assert_eq!(pot, "Pot");
    let in_web = bulk.shop.admin.get("/admin/products?title=Pot").await.ok()["products"][0]["id"].clone();
    let others: Vec<&String> = products.iter().filter(|it| in_web != **it).collect();

    let body = json!({ "add": products, "remove": ["prod_y"] });
    let dry = bulk.ask("?dry_run=true", &body).await.expect("a plan");
    assert_eq!(
        dry,
        json!({
            "dry_run": true, "sales_channel_id": bulk.web,
            "products": {
                "added": others, "already_there": [in_web], "removed": [], "not_there": ["prod_y"], "unknown": [],
            },
        })
    );
    assert_eq!(bulk.sold().await, "Pot", "it was a dry run");
    bulk.ask("?dry_run=false", &body).await.expect("the channel");
    assert_eq!(bulk.sold().await, "Cup Pot Tea");

    let body = json!({ "add": ["prod_x", others[0]], "remove_where": { "sales_channel_id": [bulk.web] } });
    let dry = bulk.ask("?dry_run=true", &body).await.expect("a plan");
    assert_eq!(dry["products"]["unknown"], json!(["prod_x"]));
    assert_eq!(dry["products"]["removed"], json!(products));
    assert_eq!(dry["products"]["added"], json!([]), "what is in both is taken out");
    let path = "/admin/sales-channels/sc_x/products?dry_run=true";
    assert_eq!(
        bulk.shop.admin.post(path, json!({})).await.error(),
        "404 not_found: Sales channel with id: sc_x not found"
    );
}

/// As many products as the largest catalogues have, in one body beyond the limit of other routes; all or
/// none.
#[tokio::test]
async fn bulk_adds_100_000_products_to_a_channel() {
    let bulk = Bulk::new().await;
    let ctx = bulk.shop.app.ctx.clone();
    let make = |tx: &mut dyn Write, at: &Moment| {
        let mut ids = Vec::new();
        for place in 0..100_000 {
            let product = Product { title: "P".into(), handle: format!("p-{place}"), ..Product::default() };
            ids.push(PRODUCTS.create(tx, at, product)?.id.to_string());
        }
        Ok(ids)
    };
    let (ids, _) = ctx.write(Actor::System, make).await.expect("products");
    let mut body = json!({ "add": ids });
    assert!(body.to_string().len() > atoll_kernel::limits::BODY_BYTES_MAX);
    let count = async || {
        let path = format!("/admin/products?limit=1&fields=id&sales_channel_id={}", bulk.web);
        bulk.shop.admin.get(&path).await.ok()["count"].clone()
    };

    body["add"].as_array_mut().expect("a list").push("prod_x".into());
    let error = bulk.ask("", &body).await.expect_err("one is unknown");
    assert_eq!(error, "404 not_found: Product with id: prod_x was not found");
    assert_eq!(count().await, 0);
    body["add"].as_array_mut().expect("a list").pop();
    bulk.ask("", &body).await.expect("the channel");
    assert_eq!(count().await, 100_000);
    let path = "/admin/products/batch";
    let error = bulk.shop.admin.post(path, json!({ "delete": ids })).await.error();
    assert_eq!(error, "413 unknown_error: request entity too large");
}
