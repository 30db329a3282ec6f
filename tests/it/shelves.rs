//! Store routes of collections, categories, tags, types and variants.

use atoll_testkit::{Client, Shop, TestApp};
use serde_json::{Value, json};

/// The store routes of a shop with a collection, a tag, a type and categories, for keys of two channels.
struct World {
    shop: Shop,
    web: Client,
    till: Client,
    /// Tea is sold in both channels, Gin at the till alone, and Rum is a draft.
    tea: atoll_testkit::Variant,
    gin: atoll_testkit::Variant,
    rum: atoll_testkit::Variant,
    collection: String,
    tag: String,
    kind: String,
    drinks: String,
    internal: String,
    inactive: String,
}

impl World {
    async fn new() -> World {
        let shop = Shop::open(TestApp::init().await).await;
        let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
        let make = async |path: &str, one: &str, body: Value| {
            let made = shop.admin.post(&format!("/admin/{path}"), body).await.ok();
            made[one]["id"].as_str().expect("an id").to_owned()
        };
        let collection = make("collections", "collection", json!({ "title": "Summer" })).await;
        let tag = make("product-tags", "product_tag", json!({ "value": "new" })).await;
        let kind = make("product-types", "product_type", json!({ "value": "drink" })).await;
        let category = async |name: &str, more: Value| {
            let mut body = json!({ "name": name, "is_active": true });
            body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            make("product-categories", "product_category", body).await
        };
        let drinks = category("Drinks", json!({})).await;
        let below = json!({ "parent_category_id": drinks });
        category("Warm", below.clone()).await;
        let internal = category("Margin", json!({ "is_internal": true, "parent_category_id": drinks })).await;
        let inactive = category("Old", json!({ "is_active": false, "parent_category_id": drinks })).await;
        let tea = shop.product("Tea", &[&web, &till], 3).await;
        let gin = shop.product("Gin", &[&till], 3).await;
        let rum = shop.product("Rum", &[&web, &till], 3).await;
        for it in [&tea, &gin, &rum] {
            let sorted = json!({
                "collection_id": collection, "type_id": kind, "tags": [{ "id": tag }],
                "categories": [{ "id": drinks }, { "id": internal }, { "id": inactive }],
            });
            shop.admin.post(&format!("/admin/products/{}", it.product), sorted).await.ok();
        }
        shop.admin.post(&format!("/admin/products/{}", rum.product), json!({ "status": "draft" })).await.ok();
        let (web, till) = (shop.storefront(&[&web]).await, shop.storefront(&[&till]).await);
        World { shop, web, till, tea, gin, rum, collection, tag, kind, drinks, internal, inactive }
    }
}

/// The values of a field in a list, sorted.
fn names(list: &Value, field: &str) -> String {
    let items = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    let mut names: Vec<&str> = items.iter().map(|it| it[field].as_str().expect("a text")).collect();
    names.sort_unstable();
    names.join(" ")
}

#[tokio::test]
async fn products_below_categories_and_collections_are_limited_to_the_channel() {
    let world = World::new().await;
    for (path, one, many, id) in [
        ("collections", "collection", "collections", &world.collection),
        ("product-tags", "product_tag", "product_tags", &world.tag),
        ("product-types", "product_type", "product_types", &world.kind),
        ("product-categories", "product_category", "product_categories", &world.drinks),
    ] {
        for (client, expect) in [(&world.web, "Tea"), (&world.till, "Gin Tea")] {
            let shown = client.get(&format!("/store/{path}/{id}?fields=*products")).await.ok();
            assert_eq!(names(&shown[one]["products"], "title"), expect, "{path}");
            let shown = client.get(&format!("/store/{path}?id={id}&fields=id,*products")).await.ok();
            assert_eq!(shown["count"], 1, "{path}");
            assert_eq!(names(&shown[many][0]["products"], "title"), expect, "{path}");
        }
        // Relations of products are not offered, and no path leads around the wall.
        let deep = format!("/store/{path}/{id}?fields=id,products.variants.sku,products.sales_channels.id");
        assert_eq!(world.web.get(&deep).await.ok()[one]["products"][0]["variants"], Value::Null);
        let order = format!("/store/{path}?order=products.title");
        assert_eq!(
            world.web.get(&order).await.error(),
            "400 invalid_data: Order field products.title is not valid"
        );
        let unknown = world.web.get(&format!("/store/{path}/nobody")).await;
        assert_eq!(unknown.status, 404, "{path}");
        assert_eq!(
            world.web.get(&format!("/store/{path}?status=draft")).await.error(),
            "400 invalid_data: Invalid request: Unrecognized fields: 'status'"
        );
    }
}

#[tokio::test]
async fn inactive_and_internal_categories_are_hidden() {
    let world = World::new().await;
    let list = world.web.get("/store/product-categories").await.ok();
    assert_eq!(
        (names(&list["product_categories"], "name").as_str(), &list["count"]),
        ("Drinks Warm", &json!(2))
    );
    let page = world.web.get("/store/product-categories?order=-id&limit=1&offset=1").await.ok();
    assert_eq!((names(&page["product_categories"], "name").as_str(), &page["count"]), ("Drinks", &json!(2)));
    let drinks = world.web.get(&format!("/store/product-categories/{}", world.drinks)).await.ok();
    assert_eq!(names(&drinks["product_category"]["category_children"], "name"), "Warm");
    for id in [&world.internal, &world.inactive] {
        assert_eq!(
            world.web.get(&format!("/store/product-categories/{id}")).await.error(),
            format!("404 not_found: Product category with id: {id} was not found")
        );
        // A hidden category that becomes active is shown, and the reverse.
        let path = format!("/admin/product-categories/{id}");
        world.shop.admin.post(&path, json!({ "is_active": true, "is_internal": false })).await.ok();
        world.web.get(&format!("/store/product-categories/{id}")).await.ok();
        world.shop.admin.post(&path, json!({ "is_active": false })).await.ok();
        assert_eq!(world.web.get("/store/product-categories").await.ok()["count"], 2);
    }
    let tea =
        world.web.get(&format!("/store/products/{}?fields=id,*categories", world.tea.product)).await.ok();
    assert_eq!(names(&tea["product"]["categories"], "name"), "Drinks");
    let bare = world.web.get(&format!("/store/products/{}?fields=", world.tea.product)).await.ok();
    let categories = json!([{ "id": world.drinks, "is_internal": false }]);
    assert_eq!(bare["product"], json!({ "id": world.tea.product, "categories": categories }));
}

#[tokio::test]
async fn store_variants_belong_to_listed_products() {
    let World { shop, web, till, tea, gin, rum, .. } = World::new().await;
    let lists = async |client: &Client, query: &str| {
        let list = client.get(&format!("/store/product-variants?fields=sku{query}")).await.ok();
        format!("{} of {}", names(&list["variants"], "sku"), list["count"])
    };
    assert_eq!(lists(&web, "").await, "Tea of 1");
    assert_eq!(lists(&till, "").await, "Gin Tea of 2");
    assert_eq!(lists(&till, "&limit=1&offset=1").await, "Gin of 2");
    assert_eq!(lists(&till, "&q=gi").await, "Gin of 1");
    assert_eq!(lists(&web, "&sku=Gin").await, " of 0");
    assert_eq!(lists(&web, &format!("&product_id={}", gin.product)).await, " of 0");
    assert_eq!(lists(&till, &format!("&product_id={}", tea.product)).await, "Tea of 1");

    let path = |id: &str, query: &str| format!("/store/product-variants/{id}{query}");
    for id in [&gin.id, &rum.id, "nobody"] {
        assert_eq!(
            web.get(&path(id, "")).await.error(),
            format!("404 not_found: Product variant with id: {id} was not found")
        );
    }
    let priced = path(&tea.id, &format!("?fields=sku,+inventory_quantity&region_id={}", shop.region));
    let shown = &web.get(&priced).await.ok()["variant"];
    assert_eq!(
        (&shown["inventory_quantity"], &shown["calculated_price"]["calculated_amount"]),
        (&json!(3), &json!(10))
    );
    // Other fields of a variant are hidden from storefronts.
    let all =
        path(&tea.id, "?fields=id,*prices,*inventory_items,product.variants.sku,*product.sales_channels");
    assert_eq!(web.get(&all).await.ok()["variant"]["product"]["sales_channels"], Value::Null);
    let shown = web.get(&all).await.ok().to_string();
    assert!(!shown.contains("amount") && !shown.contains("iitem_") && !shown.contains("sc_"), "{shown}");
    // A disabled channel shows nothing, and neither is a deleted variant shown.
    shop.admin.delete(&format!("/admin/products/{}/variants/{}", tea.product, tea.id)).await.ok();
    assert_eq!(lists(&till, "").await, "Gin of 1");
}

#[tokio::test]
async fn key_without_channels_lists_categories_and_no_products() {
    let World { shop, collection, .. } = World::new().await;
    let bare = shop.storefront(&[]).await;
    let shown = bare.get(&format!("/store/collections/{collection}?fields=title,*products")).await.ok();
    assert_eq!(shown["collection"], json!({ "id": collection, "title": "Summer", "products": [] }));
    assert_eq!(
        bare.get("/store/product-variants").await.error(),
        "400 invalid_data: Publishable key needs to have a sales channel configured"
    );
}
