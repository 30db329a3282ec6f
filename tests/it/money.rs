//! Amounts and quantities are exact or refused; payments have the digits of their currency.

use atoll_testkit::{Client, Shop, complete, id, pay};
use axum::body::Body;
use serde_json::{Value, json};

/// Numbers beyond the digit limit. A float would round the first four, and saturate the others.
const LONG: [&str; 8] = [
    "19.990000000000000001", "12345678901234567.89", "0.12345678901234567", "1000000000000000.1",
    "79228162514264337593543950336", "1e28", "1e300", "1e-29",
];

#[tokio::test]
async fn numbers_beyond_15_digits_are_refused_everywhere() {
    let (shop, web, storefront) = Shop::web().await;
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
    // Client, path and body; `#` is the number.
    let entries: [(&Client, String, String); 21] = [
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
            "/admin/payment-collections".into(),
            format!(r#"{{"order_id":"{}","amount":#}}"#, id(&order)),
        ),
        (
            admin,
            format!("/admin/orders/{}/credit-lines", id(&order)),
            r#"{"amount":#,"reference":"a","reference_id":"b"}"#.into(),
        ),
        (
            admin,
            format!("/admin/sales-channels/{web}/stock-locations/{here}"),
            r#"{"safety_stock":#}"#.into(),
        ),
        (
            admin,
            format!("/admin/sales-channels/{web}/stock-locations/{here}/inventory-items/{}", tea.item),
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
    // Metadata is stored as it was sent.
    let free = Body::from(r#"{"metadata":{"ratio":0.61803398874989484820}}"#);
    assert_eq!(
        storefront.send("POST", &cart, free).await.ok()["cart"]["metadata"]["ratio"],
        json!(0.618_033_988_749_894_9)
    );
}

#[tokio::test]
async fn numbers_of_15_digits_are_kept_exactly() {
    let (shop, web, storefront) = Shop::web().await;
    let price = json!({ "prices": [{ "currency_code": "eur", "amount": 9_999_999_999_999.99 }] });
    let dear = shop.product_with("Dear", &[&web], 9, price).await;
    let cart = shop.cart(&storefront, &dear.id, 1).await;
    let shown = storefront.get(&format!("/store/carts/{cart}")).await.ok();
    assert_eq!(shown["cart"]["total"], json!(9_999_999_999_999.99));
    let order = complete(&storefront, &cart).await.ok();
    assert_eq!(order["order"]["summary"]["raw_pending_difference"]["value"], "9999999999999.99");
}

#[tokio::test]
async fn cart_totals_beyond_the_digit_limit_are_refused() {
    let (shop, web, storefront) = Shop::web().await;
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

/// A region with this currency and a price there: the amount to pay, and that it pays the order in full.
async fn check_due(currency: &str, country: &str, amount: f64, quantity: f64, total: f64, due: f64) {
    let (shop, web, storefront) = Shop::web().await;
    let region = json!({
        "name": "There", "currency_code": currency, "countries": [country],
        "payment_providers": ["pp_system_default"],
    });
    let region = id(&shop.admin.post("/admin/regions", region).await.ok()["region"]);
    let price =
        json!({ "manage_inventory": false, "prices": [{ "currency_code": currency, "amount": amount }] });
    let thing = shop.product_with("Thing", &[&web], 0, price).await;
    let items = json!([{ "variant_id": thing.id, "quantity": quantity }]);
    let cart = storefront.post("/store/carts", json!({ "region_id": region, "items": items })).await.ok();
    assert_eq!(cart["cart"]["total"], json!(total), "totals are not rounded");
    let cart = id(&cart["cart"]);
    pay(&storefront, &cart).await;
    let collection =
        &storefront.get(&format!("/store/carts/{cart}")).await.ok()["cart"]["payment_collection"];
    assert_eq!(collection["amount"].as_f64(), Some(due), "what is asked for");
    assert_eq!(collection["payment_sessions"][0]["amount"].as_f64(), Some(due));
    let order = storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
    let path = format!("/admin/orders/{}", id(&order["order"]));
    let order = shop.admin.get(&path).await.ok()["order"].clone();
    assert_eq!((&order["total"], &order["summary"]["accounting_total"]), (&json!(total), &json!(total)));
    assert_eq!(order["summary"]["pending_difference"].as_f64(), Some(due));
    let payment = &order["payment_collections"][0]["payments"][0];
    assert_eq!(payment["amount"].as_f64(), Some(due));
    let payment = format!("/admin/payments/{}", id(payment));
    // One digit more than the currency has.
    let odd = shop.admin.post(&format!("{payment}/capture"), json!({ "amount": 0.0005 })).await.error();
    assert!(odd.starts_with(&format!("400 invalid_data: An amount in {currency} has at most ")), "{odd}");
    shop.admin.post(&format!("{payment}/capture"), json!({})).await.ok();
    let paid = shop.admin.get(&path).await.ok()["order"].clone();
    assert_eq!(paid["summary"]["pending_difference"], 0, "an order that is paid in full owes nothing");
    assert_eq!(paid["summary"]["paid_total"].as_f64(), Some(due));
    assert_eq!(paid["payment_status"], "captured");
}

#[tokio::test]
async fn payment_amounts_are_rounded_to_the_currency() {
    check_due("eur", "at", 21.593, 5.0, 107.965, 107.97).await;
    check_due("jpy", "jp", 10.4, 1.0, 10.4, 10.0).await;
    check_due("jpy", "jp", 33.5, 3.0, 100.5, 101.0).await;
    check_due("kwd", "kw", 1.0005, 1.0, 1.0005, 1.001).await;
    check_due("kwd", "kw", 0.1234, 3.0, 0.3702, 0.37).await;
}

/// Less than the smallest unit of the currency rounds to zero: no payment is needed.
#[tokio::test]
async fn amount_that_rounds_to_zero_needs_no_payment() {
    let (shop, web, storefront) = Shop::web().await;
    let price = json!({ "prices": [{ "currency_code": "eur", "amount": 0.004 }] });
    let dust = shop.product_with("Dust", &[&web], 9, price).await;
    let cart = shop.cart(&storefront, &dust.id, 1).await;
    let order = storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
    assert_eq!(order["type"], "order");
    assert_eq!(order["order"]["summary"]["pending_difference"], 0);
}

#[tokio::test]
async fn cancelled_order_owes_nothing() {
    for is_captured in [true, false] {
        let (shop, web, storefront) = Shop::web().await;
        let tea = shop.product("Tea", &[&web], 9).await;
        let cart = shop.cart(&storefront, &tea.id, 2).await;
        let order = format!("/admin/orders/{}", id(&complete(&storefront, &cart).await.ok()["order"]));
        if is_captured {
            let shown = shop.admin.get(&order).await.ok();
            let payment = id(&shown["order"]["payment_collections"][0]["payments"][0]);
            shop.admin.post(&format!("/admin/payments/{payment}/capture"), json!({})).await.ok();
        }
        let called_off = shop.admin.post(&format!("{order}/cancel"), json!({})).await.ok();
        let summary = &called_off["order"]["summary"];
        assert_eq!(summary["pending_difference"], 0, "{summary}");
        let paid = if is_captured { 20 } else { 0 };
        assert_eq!((&summary["paid_total"], &summary["refunded_total"]), (&json!(paid), &json!(paid)));
    }
}
