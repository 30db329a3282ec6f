//! A small shop with every kind of stored data, and the requests by which a later program reads it.
//!
//! The same shop is created by each format; what there is stays, and more is added if a format stores more.

use atoll_kernel::{Actor, Moment, Write};
use atoll_product::restore_product;
use atoll_testkit::{Client, Shop, TestApp, Variant, complete, id, pay};
use serde_json::{Value, json};

/// Creates the shop. Returns what requests for it need.
pub(crate) async fn make(app: TestApp) -> (TestApp, Value) {
    let shop = Shop::open(app).await;
    let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
    let [tea, cup, gone] = goods(&shop, &web, &till).await;
    let (web_key, till_key) = (shop.key(&[&web]).await, shop.key(&[&till]).await);
    let storefront = shop.app.storefront(&web_key);
    let customer = shop.customer(&storefront, "ann@example.com").await;
    let address =
        json!({ "first_name": "Ann", "address_1": "Harbour 1", "city": "Bremen", "country_code": "de" });
    customer.post("/store/customers/me/addresses", address).await.ok();

    let sent = order(&shop, &customer, &tea, 2).await;
    let line = id(&shop.admin.get(&sent).await.ok()["order"]["items"][0]);
    let parcel = json!({ "items": [{ "id": line, "quantity": 2 }] });
    shop.admin.post(&format!("{sent}/fulfillments"), parcel).await.ok();
    let open = order(&shop, &customer, &tea, 1).await;
    let called_off = order(&shop, &storefront, &cup, 1).await;
    shop.admin.post(&format!("{called_off}/cancel"), json!({})).await.ok();
    let cart = shop.cart(&storefront, &tea.id, 3).await;
    let paid = shop.cart(&storefront, &cup.id, 1).await;
    pay(&storefront, &paid).await;
    let keyed = storefront.clone().with_header("idempotency-key", "a cart, once");
    keyed.post("/store/carts", json!({ "items": [{ "variant_id": tea.id, "quantity": 1 }] })).await.ok();
    let secret = json!({ "title": "Till", "type": "secret" });
    let secret = shop.admin.post("/admin/api-keys", secret).await.ok()["api_key"]["token"].clone();
    // Last, so that its links stay soft-deleted.
    shop.admin.delete(&format!("/admin/products/{}", gone.product)).await.ok();
    let known = json!({
        "web": web, "till": till, "web_key": web_key, "till_key": till_key, "secret": secret, "cart": cart,
        "tea": tea.product, "tea_variant": tea.id, "tea_item": tea.item, "cup": cup.product,
        "cup_variant": cup.id, "gone": gone.product, "sent": sent, "open": open, "called_off": called_off,
    });
    (shop.app, known)
}

/// Tea in both channels, at the till from a later time; a cup that is excluded at the till; and a product
/// that is deleted.
async fn goods(shop: &Shop, web: &str, till: &str) -> [Variant; 3] {
    let admin = &shop.admin;
    let made = async |path: &str, name: &str, body: Value| id(&admin.post(path, body).await.ok()[name]);
    let food =
        made("/admin/product-categories", "product_category", json!({ "name": "Food", "is_active": true }))
            .await;
    let below = json!({ "name": "Drinks", "is_active": true, "parent_category_id": food });
    let drinks = made("/admin/product-categories", "product_category", below).await;
    let tag = made("/admin/product-tags", "product_tag", json!({ "value": "new" })).await;
    let kind = made("/admin/product-types", "product_type", json!({ "value": "Grocery" })).await;
    let summer = made("/admin/collections", "collection", json!({ "title": "Summer" })).await;
    let tea = shop.product("tea", &[web, till], 50).await;
    let cup = shop.product("cup", &[web, till], 20).await;
    let gone = shop.product("gone", &[web], 5).await;
    shop.product("draft", &[web], 1).await;
    let sorted = json!({
        "title": "Green Tea", "collection_id": summer, "type_id": kind, "tags": [{ "id": tag }],
        "categories": [{ "id": drinks }], "metadata": { "leaf": "whole", "grams": 100 },
    });
    admin.post(&format!("/admin/products/{}", tea.product), sorted).await.ok();
    let from = json!({ "available_from": shop.app.now().plus_millis(1000) });
    admin.post(&format!("/admin/sales-channels/{till}/products/{}", tea.product), from).await.ok();
    let out = json!({ "is_enabled": false });
    admin.post(&format!("/admin/sales-channels/{till}/variants/{}", cup.id), out).await.ok();
    let list = admin.get("/admin/products?handle=draft").await.ok();
    admin
        .post(&format!("/admin/products/{}", id(&list["products"][0])), json!({ "status": "draft" }))
        .await
        .ok();
    [tea, cup, gone]
}

/// Places an order of this quantity. Returns its path.
async fn order(shop: &Shop, storefront: &Client, variant: &Variant, quantity: u32) -> String {
    let cart = shop.cart(storefront, &variant.id, quantity).await;
    let order = complete(storefront, &cart).await.ok();
    format!("/admin/orders/{}", id(&order["order"]))
}

/// Requests everything that [`make`] created, and changes some of it.
pub(super) async fn check(app: &TestApp, known: &Value) {
    let text = |name: &str| known[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned();
    let login = json!({ "email": "admin@test.dev", "password": "supersecret" });
    let token = app.client().post("/auth/user/emailpass", login).await.ok();
    let bearer = format!("Bearer {}", token["token"].as_str().expect("a token"));
    let admin = app.client().with_header("authorization", &bearer);
    let count = async |path: &str| admin.get(path).await.ok()["count"].clone();
    check_catalogue(app, known, &admin).await;

    let [sent, open, called_off] = ["sent", "open", "called_off"].map(text);
    for (path, fulfilment, payment, total) in [
        (sent, "fulfilled", "authorized", 20),
        (open, "not_fulfilled", "authorized", 10),
        (called_off, "not_fulfilled", "canceled", 10),
    ] {
        let order = &admin.get(&path).await.ok()["order"];
        let stand = (order["fulfillment_status"].clone(), order["payment_status"].clone());
        assert_eq!(stand, (fulfilment.into(), payment.into()), "{path}");
        assert_eq!(order["original_total"], total, "{path}");
    }
    assert_eq!(count(&format!("/admin/orders?sales_channel_id[]={}", text("web"))).await, 3);
    let item =
        &admin.get(&format!("/admin/inventory-items/{}", text("tea_item"))).await.ok()["inventory_item"];
    assert_eq!([&item["stocked_quantity"], &item["reserved_quantity"]], [&json!(48), &json!(1)]);
    let path = format!("/admin/products/{}", text("cup"));
    admin.post(&path, json!({ "sales_channels": [{ "id": known["till"] }] })).await.ok();

    // Carts are completed, customers log in, and old records can be changed, found and deleted.
    let storefront = app.storefront(&text("web_key"));
    let cart = storefront.get(&format!("/store/carts/{}", text("cart"))).await.ok();
    assert_eq!(cart["cart"]["items"][0]["quantity"], 3);
    assert_eq!(complete(&storefront, &text("cart")).await.status, 200);
    let login = json!({ "email": "ann@example.com", "password": "supersecret" });
    storefront.post("/auth/customer/emailpass", login).await.ok();
    let variant = format!("/admin/products/{}/variants/{}", text("tea"), text("tea_variant"));
    admin.post(&variant, json!({ "sku": "green tea" })).await.ok();
    assert_eq!(count("/admin/product-variants?sku=green%20tea").await, 1);
    assert_eq!(count("/admin/product-variants?sku=tea").await, 0);
    admin.delete(&format!("/admin/products/{}", text("cup"))).await.ok();
    assert_eq!(count("/admin/products").await, 3);
}

async fn check_catalogue(app: &TestApp, known: &Value, admin: &Client) {
    let text = |name: &str| known[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned();
    let of = async |path: &str, list: &str, name: &str| {
        id(&admin.get(&format!("{path}={name}")).await.ok()[list][0])
    };
    let drinks = of("/admin/product-categories?name", "product_categories", "Drinks").await;
    let tag = of("/admin/product-tags?value", "product_tags", "new").await;
    let kind = of("/admin/product-types?value", "product_types", "Grocery").await;
    let summer = of("/admin/collections?title", "collections", "Summer").await;
    for filter in [
        "handle=tea".to_owned(),
        format!("category_id[]={drinks}"),
        format!("tag_id[]={tag}"),
        format!("type_id[]={kind}"),
        format!("collection_id[]={summer}"),
        "q=Green".to_owned(),
        format!("sales_channel_id[]={}&title=Green%20Tea", text("till")),
        "variants[sku]=tea".to_owned(),
    ] {
        let list = admin.get(&format!("/admin/products?{filter}")).await.ok();
        assert_eq!((&list["count"], &list["products"][0]["id"]), (&json!(1), &known["tea"]), "{filter}");
        assert_eq!(list["products"][0]["metadata"], json!({ "leaf": "whole", "grams": 100 }));
    }
    let listed = async |key: &str| {
        let list = app.storefront(&text(key)).get("/store/products?fields=handle,variants.id").await.ok();
        let products = list["products"].as_array().cloned().unwrap_or_default();
        let of = |it: &Value| {
            format!(
                "{} {}",
                it["handle"].as_str().unwrap_or("-"),
                it["variants"].as_array().map_or(0, Vec::len)
            )
        };
        let mut products: Vec<String> = products.iter().map(of).collect();
        products.sort();
        assert_eq!(list["count"], products.len());
        products.join(", ")
    };
    assert_eq!(listed("web_key").await, "cup 1, tea 1");
    assert_eq!(listed("till_key").await, "cup 0");
    app.advance_ms(1000);
    assert_eq!(listed("till_key").await, "cup 0, tea 1");
    // Soft-deleted records are restored with their links.
    let gone = format!("/admin/products/{}", text("gone"));
    assert_eq!(admin.get(&gone).await.status, 404);
    restore(app, &text("gone")).await;
    assert_eq!(listed("web_key").await, "cup 1, gone 1, tea 1");
}

/// Restores a product; there is no route for it.
async fn restore(app: &TestApp, product: &str) {
    let product = product.to_owned();
    let restore = move |tx: &mut dyn Write, at: &Moment| Ok(restore_product(tx, at, &product)?.is_some());
    assert!(app.ctx.write(Actor::System, restore).await.expect("it comes back").0);
}
