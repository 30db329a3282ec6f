//! Limits of what one request reads and shows: conditions, relations, records, bytes and keys.

use atoll_kernel::{Registry, Store, engines::Counting};
use atoll_testkit::{Client, Shop, TestApp};
use serde_json::{Value, json};

/// A shop over an engine that counts the keys that are read, with a channel and its storefront.
async fn counted() -> (Shop, Counting, String, Client) {
    let engine = Counting::default();
    let spaces = Registry::linked().expect("a registry").spaces();
    let store = Store::open(engine.clone(), &spaces).expect("a store");
    let shop = Shop::open(TestApp::over(store, None).await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    (shop, engine, web, storefront)
}

/// A collection, and so many products in it.
async fn collection(shop: &Shop, channel: &str, n_products: usize) -> String {
    let made = shop.admin.post("/admin/collections", json!({ "title": "Summer" })).await.ok();
    let id = made["collection"]["id"].as_str().expect("an id").to_owned();
    for n in 0..n_products {
        let product = json!({
            "title": format!("Tea {n}"), "status": "published", "collection_id": id,
            "sales_channels": [{ "id": channel }], "options": [{ "title": "Size", "values": ["One"] }],
            "variants": [{
                "title": "One", "sku": format!("tea-{n}"), "options": { "Size": "One" }, "prices": [],
            }],
        });
        shop.admin.post("/admin/products", product).await.ok();
    }
    id
}

#[tokio::test]
async fn a_relation_is_read_once_for_all_branches_of_a_condition() {
    let (shop, engine, web, storefront) = counted().await;
    collection(&shop, &web, 30).await;
    // One branch costs as many keys as 40 do, wherever they stand, and a search besides costs none.
    for (client, path) in [(&shop.admin, "/admin/products"), (&storefront, "/store/products")] {
        let mut costs = Vec::new();
        for n in [1, 40] {
            let branch = |at| format!("$or[{at}][variants][sku][$ne]=nobody&");
            let form = if path.starts_with("/store") {
                "variants[sku][$ne]=nobody&".into()
            } else {
                (0..n).map(branch).collect::<String>()
            };
            let before = engine.n_read();
            let found = client.get(&format!("{path}?{form}q=tea&fields=id")).await.ok();
            assert_eq!(found["count"], 30);
            costs.push(engine.n_read() - before);
        }
        assert_eq!(costs[0], costs[1], "{path}");
    }
    let before = engine.n_read();
    shop.admin.get("/admin/products?variants[sku][$ne]=nobody&fields=id").await.ok();
    let filtered = engine.n_read() - before;
    shop.admin.get("/admin/products?variants[sku][$ne]=nobody&q=tea&order=variants.sku&fields=id").await.ok();
    // What is sorted is read once more for the page.
    assert_eq!(engine.n_read() - before - filtered, filtered + 30);
}

#[tokio::test]
async fn more_conditions_values_and_letters_than_one_list_may_have_are_refused() {
    let shop = Shop::open(TestApp::init().await).await;
    let branches = |n: usize| (0..n).map(|at| format!("$or[{at}][title]=Tea&")).collect::<String>();
    let ids = |n: usize| (0..n).map(|at| format!("id[]=a{at}&")).collect::<String>();
    let q = |n: usize| format!("q={}", "a".repeat(n));
    for (query, refusal) in [
        (branches(49), None),
        (branches(50), Some("At most 100 conditions can be combined, got: '101'")),
        (ids(2_000), None),
        (ids(2_001), Some("At most 2000 values can be asked for, got: '2001'")),
        (q(500), None),
        (q(501), Some("At most 500 letters can be searched for, got: '501'")),
    ] {
        let answer = shop.admin.get(&format!("/admin/products?{query}")).await;
        match refusal {
            None => assert_eq!(answer.ok()["count"], 0),
            Some(text) => assert_eq!(answer.error(), format!("400 invalid_data: Invalid request: {text}")),
        }
    }
}

#[tokio::test]
async fn no_relation_to_many_is_entered_again_below_itself() {
    let (shop, _, web, storefront) = counted().await;
    let summer = collection(&shop, &web, 2).await;
    let refusal = |path: &str| {
        format!(
            "400 invalid_data: Field '{path}' leads back to where it came from, and to many from there: ask for it in \
             a request of its own"
        )
    };
    for (list, path) in [
        ("products", "collection.products.collection.products"),
        ("collections", "products.collection.products"),
        ("products", "variants.product.variants"),
        ("sales-channels", "stock_locations.sales_channels.stock_locations"),
    ] {
        for fields in [format!("{path}.id"), format!("*{path}"), format!("id,{path}.nobody")] {
            let answer = shop.admin.get(&format!("/admin/{list}?fields={fields}")).await;
            assert_eq!(answer.error(), refusal(path), "{list} {fields}");
        }
    }
    // Once is no circle, to one is none either, and a write is refused before it is done.
    let list = "/admin/products?fields=collection.products.collection.id,variants.product.variants.product";
    assert_eq!(shop.admin.get(list).await.error(), refusal("variants.product.variants"));
    let list = "/admin/products?fields=collection.products.collection.title,variants.product.type.value";
    let shown = shop.admin.get(list).await.ok();
    assert_eq!(shown["products"][0]["collection"]["products"][1]["collection"]["title"], "Summer");
    let path = format!("/admin/collections/{summer}?fields=products.collection.products");
    assert_eq!(
        shop.admin.post(&path, json!({ "title": "Winter" })).await.error(),
        refusal("products.collection.products")
    );
    assert_eq!(
        shop.admin.get(&format!("/admin/collections/{summer}")).await.ok()["collection"]["title"],
        "Summer"
    );
    // Store routes leave it out, like whatever they do not offer.
    let list = "/store/collections?fields=title,products.title,products.collection.products.title";
    let shown = storefront.get(list).await.ok();
    assert!(shown["collections"][0]["products"][0]["title"].is_string(), "{shown}");
    assert_eq!(shown["collections"][0]["products"][0].get("collection"), None);
}

#[tokio::test]
async fn categories_are_shown_as_deep_as_a_path_goes() {
    let shop = Shop::open(TestApp::init().await).await;
    let mut above = Value::Null;
    for n in 0..10 {
        let body = json!({ "name": format!("Level {n}"), "parent_category_id": above, "is_active": true });
        above =
            shop.admin.post("/admin/product-categories", body).await.ok()["product_category"]["id"].clone();
    }
    for (relation, name) in [("category_children", "Level 0"), ("parent_category", "Level 9")] {
        let fields = format!("name,{}.name", [relation; 7].join("."));
        let list = format!("/admin/product-categories?name={}&fields={fields}", name.replace(' ', "%20"));
        let mut at = shop.admin.get(&list).await.ok()["product_categories"][0].clone();
        for _ in 0..7 {
            at = if at[relation].is_array() { at[relation][0].clone() } else { at[relation].clone() };
        }
        assert!(["Level 7", "Level 2"].contains(&at["name"].as_str().expect("a name")), "{at}");
    }
}

#[tokio::test]
async fn a_storefront_is_shown_the_first_100_of_what_hangs_on_a_record() {
    let (shop, engine, web, storefront) = counted().await;
    let hidden = shop.channel("Hidden").await;
    let summer = collection(&shop, &web, 102).await;
    let products = shop.admin.get("/admin/products?limit=200&fields=title").await.ok();
    let first = products["products"][0]["id"].clone();
    shop.admin
        .post(
            &format!("/admin/products/{}", first.as_str().expect("an id")),
            json!({
                "sales_channels": [{ "id": hidden }],
            }),
        )
        .await
        .ok();
    let count = |json: &Value| json["collection"]["products"].as_array().expect("a list").len();
    let before = engine.n_read();
    let shown = storefront.get(&format!("/store/collections/{summer}?fields=products.title")).await.ok();
    let n_read = engine.n_read() - before;
    // What the channel does not show takes no place.
    assert_eq!(count(&shown), 100);
    assert_eq!(shown["collection"]["products"][0]["title"], "Tea 1");
    assert_eq!(shown["collection"]["products"][99]["title"], "Tea 100");
    let shown = shop.admin.get(&format!("/admin/collections/{summer}?fields=products.title")).await.ok();
    assert_eq!(count(&shown), 102);
    // The others are not read for it.
    let (larger, engine, web, storefront) = counted().await;
    let summer = collection(&larger, &web, 150).await;
    let before = engine.n_read();
    storefront.get(&format!("/store/collections/{summer}?fields=products.title")).await.ok();
    assert!(engine.n_read() - before < n_read, "{} {n_read}", engine.n_read() - before);
}
