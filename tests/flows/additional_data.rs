//! The `additional_data` of a request is passed to the hooks of its flows unchanged.

use std::sync::Mutex;

use atoll_kernel::{Fault, flow::Local, hook};
use atoll_testkit::{Client, Shop, TestApp};
use serde_json::{Value, json};

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
