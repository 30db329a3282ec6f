//! Regions of carts, cancelled orders, manual reservations.

use atoll_testkit::{Shop, TestApp, complete};
use serde_json::{Value, json};

#[tokio::test]
async fn cart_region_change_updates_address_and_prices() {
    let shop = Shop::open(TestApp::init().await).await;
    let (web, app) = (shop.channel("Web").await, shop.channel("App").await);
    let isle = json!({ "name": "Isle", "currency_code": "gbp", "countries": ["gb"], "payment_providers": ["pp_system_default"] });
    let isle = shop.admin.post("/admin/regions", isle).await.ok();
    let isle = isle["region"]["id"].as_str().expect("a region").to_owned();
    let prices = json!([{ "currency_code": "eur", "amount": 10 }, { "currency_code": "gbp", "amount": 8 }]);
    let tea = shop.product_with("Tea", &[&web], 5, json!({ "prices": prices })).await;
    let cup = shop.product("Cup", &[&web], 5).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = format!("/store/carts/{}", shop.cart(&storefront, &tea.id, 2).await);
    let change = async |body: Value| storefront.post(&cart, body).await;

    let shown = change(json!({ "email": "me@example.com", "metadata": { "a": 1 } })).await.ok();
    assert_eq!((&shown["cart"]["email"], &shown["cart"]["total"]), (&json!("me@example.com"), &json!(20)));
    let shown = change(json!({ "region_id": isle, "metadata": { "b": 2 } })).await.ok();
    let shown = &shown["cart"];
    assert_eq!((&shown["currency_code"], &shown["total"]), (&json!("gbp"), &json!(16)));
    assert_eq!(shown["shipping_address"]["country_code"], "gb");
    assert_eq!((&shown["metadata"], &shown["email"]), (&json!({ "a": 1, "b": 2 }), &json!("me@example.com")));
    for (body, error) in [
        (json!({ "region_id": "reg_x" }), "404 not_found: Region id not found: reg_x"),
        (
            json!({ "shipping_address": { "country_code": "de" } }),
            "400 invalid_data: Country with code de is not within region Isle",
        ),
        (json!({ "email": "nobody" }), "400 invalid_data: Invalid request: Invalid email"),
        (json!({ "gift_cards": [] }), "400 invalid_data: Invalid request: Unrecognized fields: 'gift_cards'"),
    ] {
        let got = change(body).await.error();
        assert!(got.starts_with(error.split(": Invalid email").next().unwrap_or(error)), "{got}");
    }
    let foreign = change(json!({ "sales_channel_id": app })).await;
    assert!(
        foreign.json["errors"][0].as_str().is_some_and(|it| it.contains("not associated")),
        "{}",
        foreign.json
    );
    // A line without a price in the region prevents the change.
    storefront
        .post(&format!("{cart}/line-items"), json!({ "variant_id": cup.id, "quantity": 1 }))
        .await
        .error();
    complete(&storefront, cart.rsplit('/').next().expect("an id")).await.ok();
    assert!(change(json!({ "email": "you@example.com" })).await.error().contains("is already completed"));
    assert!(shop.storefront(&[&app]).await.post(&cart, json!({})).await.error().starts_with("404"));
}

#[tokio::test]
async fn cancelled_order_releases_its_reservations() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 5).await;
    let order = complete(&storefront, &cart).await.ok();
    let order = format!("/admin/orders/{}", order["order"]["id"].as_str().expect("an order"));
    assert_eq!(shop.reserved(&tea.item).await, "5 of 5");
    let canceled = shop.admin.post(&format!("{order}/cancel"), json!({})).await.ok();
    assert_eq!(canceled["order"]["status"], "canceled");
    assert_eq!(shop.reserved(&tea.item).await, "0 of 5");
    let again = shop.admin.post(&format!("{order}/cancel"), json!({})).await.error();
    assert!(again.starts_with("400 invalid_data: Order with id order_"), "{again}");
    assert_eq!(
        shop.admin.post("/admin/orders/order_x/cancel", json!({})).await.error(),
        "404 not_found: Order id not found: order_x"
    );
    // The cart cannot be completed again.
    let same = storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
    assert_eq!(same["order"]["status"], "canceled");
}

#[tokio::test]
async fn manual_reservations_cannot_exceed_stock() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let promise = async |quantity: i64| {
        let body =
            json!({ "inventory_item_id": tea.item, "location_id": shop.location, "quantity": quantity });
        shop.admin.post("/admin/reservations", body).await
    };
    let made = promise(3).await.ok();
    let path = format!("/admin/reservations/{}", made["reservation"]["id"].as_str().expect("an id"));
    assert_eq!(shop.reserved(&tea.item).await, "3 of 5");
    let too_much = format!("Not enough stock available for item {} at location {}", tea.item, shop.location);
    assert_eq!(promise(3).await.error(), format!("400 not_allowed: {too_much}"));
    assert!(promise(0).await.error().starts_with("400"));
    assert!(promise(-1).await.error().starts_with("400"));
    let change = async |quantity: i64| shop.admin.post(&path, json!({ "quantity": quantity })).await;
    assert_eq!(change(6).await.error(), format!("400 not_allowed: {too_much}"));
    assert_eq!(change(5).await.ok()["reservation"]["quantity"], 5);
    assert_eq!(shop.reserved(&tea.item).await, "5 of 5");
    // Moving it to a location without stock is refused, and changes nothing.
    let far = shop.admin.post("/admin/stock-locations", json!({ "name": "Far" })).await.ok();
    let far = far["stock_location"]["id"].as_str().expect("an id").to_owned();
    assert!(shop.admin.post(&path, json!({ "location_id": far })).await.error().starts_with("404"));
    assert_eq!(shop.reserved(&tea.item).await, "5 of 5");
    shop.stock(&tea.item, &far, 5).await;
    shop.admin.post(&path, json!({ "location_id": far, "quantity": 2 })).await.ok();
    assert_eq!(shop.reserved(&tea.item).await, "2 of 10");
    assert_eq!(shop.admin.delete(&path).await.ok()["object"], "reservation");
    assert_eq!(shop.reserved(&tea.item).await, "0 of 10");
    shop.admin.delete(&path).await.ok();
    assert_eq!(shop.reserved(&tea.item).await, "0 of 10");
}
