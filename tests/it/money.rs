//! Amounts and quantities are exact, or refused.

use atoll_testkit::{Client, Shop, TestApp, complete};
use axum::body::Body;
use serde_json::{Value, json};

async fn shop() -> (Shop, String, Client) {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    (shop, web, storefront)
}

fn id(record: &Value) -> String {
    record["id"].as_str().unwrap_or_else(|| panic!("no id in {record}")).to_owned()
}

/// Numbers that are longer than a number of a request may be. A float holds none of the first four, and would be another
/// number; the others saturated.
const LONG: [&str; 8] = [
    "19.990000000000000001", "12345678901234567.89", "0.12345678901234567", "1000000000000000.1",
    "79228162514264337593543950336", "1e28", "1e300", "1e-29",
];

#[tokio::test]
async fn a_number_that_is_too_long_is_refused_wherever_it_is_sent() {
    let (shop, web, storefront) = shop().await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    let line = storefront.get(&format!("/store/carts/{cart}")).await.ok();
    let (cart, line) = (format!("/store/carts/{cart}"), id(&line["cart"]["items"][0]));
    let order = shop.cart(&storefront, &tea.id, 1).await;
    let order = complete(&storefront, &order).await.ok()["order"].clone();
    let order = shop.admin.get(&format!("/admin/orders/{}", id(&order))).await.ok()["order"].clone();
    let payment = format!("/admin/payments/{}", id(&order["payment_collections"][0]["payments"][0]));
    let promise = json!({ "inventory_item_id": tea.item, "location_id": shop.location, "quantity": 1 });
    let promise = id(&shop.admin.post("/admin/reservations", promise).await.ok()["reservation"]);
    let (item, here) = (format!("/admin/inventory-items/{}", tea.item), &shop.location);
    let product = format!("/admin/products/{}", tea.product);
    let variant = format!("{product}/variants/{}", tea.id);
    let (admin, shopper) = (&shop.admin, &storefront);
    // Who asks, where, and what for; `#` is the number.
    let entries: [(&Client, String, String); 18] = [
        (
            shopper,
            "/store/carts".into(),
            format!(r#"{{"items":[{{"variant_id":"{}","quantity":#}}]}}"#, tea.id),
        ),
        (shopper, format!("{cart}/line-items"), format!(r#"{{"variant_id":"{}","quantity":#}}"#, tea.id)),
        (shopper, format!("{cart}/line-items/{line}"), r#"{"quantity":#}"#.into()),
        (admin, variant.clone(), r#"{"prices":[{"currency_code":"eur","amount":#}]}"#.into()),
        (
            admin,
            variant.clone(),
            r#"{"prices":[{"currency_code":"eur","amount":1,"min_quantity":#}]}"#.into(),
        ),
        (admin, variant.clone(), r#"{"weight":#}"#.into()),
        (admin, product, r#"{"height":#}"#.into()),
        (admin, format!("{variant}/inventory-items/{}", tea.item), r#"{"required_quantity":#}"#.into()),
        (admin, format!("{item}/location-levels/{here}"), r#"{"stocked_quantity":#}"#.into()),
        (admin, format!("{item}/location-levels/{here}"), r#"{"incoming_quantity":#}"#.into()),
        (
            admin,
            "/admin/inventory-items/location-levels/batch".into(),
            format!(
                r#"{{"update":[{{"inventory_item_id":"{}","location_id":"{here}","stocked_quantity":#}}]}}"#,
                tea.item
            ),
        ),
        (admin, item.clone(), r#"{"length":#}"#.into()),
        (admin, format!("/admin/reservations/{promise}"), r#"{"quantity":#}"#.into()),
        (
            admin,
            format!("/admin/orders/{}/fulfillments", id(&order)),
            format!(r#"{{"items":[{{"id":"{}","quantity":#}}]}}"#, id(&order["items"][0])),
        ),
        (admin, format!("{payment}/capture"), r#"{"amount":#}"#.into()),
        (admin, format!("{payment}/refund"), r#"{"amount":#}"#.into()),
        (
            admin,
            format!("/admin/sales-channels/{web}/stock-locations/{here}"),
            r#"{"safety_stock":#}"#.into(),
        ),
        (
            admin,
            "/admin/workflows-executions/refund-payment-workflow/run".into(),
            r#"{"input":{"payment_id":"pay_x","amount":#}}"#.into(),
        ),
    ];
    for (client, path, body) in entries {
        for number in LONG {
            let answer = client.send("POST", &path, Body::from(body.replace('#', number))).await;
            let error = answer.clone().error();
            assert_eq!(answer.status, 400, "{path} {number}: {error}");
            assert!(error.ends_with("has more than 15 digits"), "{path} {number}: {error}");
        }
    }
    let query = format!("/admin/sales-channels/{web}/availability?variant_id={}&quantity=1e28", tea.id);
    assert!(admin.get(&query).await.error().ends_with("has more than 15 digits"));
    assert!(
        admin.get("/admin/reservations?quantity=1e28").await.error().ends_with("has more than 15 digits")
    );
    // Free data is what the sender makes of it.
    let free = Body::from(r#"{"metadata":{"ratio":0.61803398874989484820}}"#);
    assert_eq!(
        storefront.send("POST", &cart, free).await.ok()["cart"]["metadata"]["ratio"],
        json!(0.618_033_988_749_894_8)
    );
}

#[tokio::test]
async fn fifteen_digits_are_kept() {
    let (shop, web, storefront) = shop().await;
    let price = json!({ "prices": [{ "currency_code": "eur", "amount": 9_999_999_999_999.99 }] });
    let dear = shop.product_with("Dear", &[&web], 9, price).await;
    let cart = shop.cart(&storefront, &dear.id, 1).await;
    let shown = storefront.get(&format!("/store/carts/{cart}")).await.ok();
    assert_eq!(shown["cart"]["total"], json!(9_999_999_999_999.99));
    let order = complete(&storefront, &cart).await.ok();
    assert_eq!(order["order"]["summary"]["raw_pending_difference"]["value"], "9999999999999.99");
}

#[tokio::test]
async fn a_cart_does_not_come_to_more_digits_than_are_kept() {
    let (shop, web, storefront) = shop().await;
    let free = json!({ "manage_inventory": false, "prices": [{ "currency_code": "eur", "amount": 9_999_999_999_999.99 }] });
    let dear = shop.product_with("Dear", &[&web], 0, free).await;
    let cart = format!("/store/carts/{}", shop.cart(&storefront, &dear.id, 1).await);
    let too_large =
        "400 invalid_data: the quantity of a line, and the total of a cart, have at most 15 digits";
    let lines = format!("{cart}/line-items");
    let add = async |quantity: Value| {
        storefront.post(&lines, json!({ "variant_id": dear.id, "quantity": quantity })).await
    };
    assert_eq!(add(json!(999)).await.error(), too_large, "the total");
    let nothing = json!({ "manage_inventory": false, "prices": [{ "currency_code": "eur", "amount": 0 }] });
    let nothing = shop.product_with("Nothing", &[&web], 0, nothing).await;
    let add = async |quantity: Value| {
        storefront.post(&lines, json!({ "variant_id": nothing.id, "quantity": quantity })).await
    };
    add(json!(999_999_999_999_999_i64)).await.ok();
    assert_eq!(add(json!(1)).await.error(), too_large, "the quantity");
    let shown = storefront.get(&cart).await.ok();
    assert_eq!(shown["cart"]["total"], json!(9_999_999_999_999.99), "nothing was written");
}
