//! Manual payments: authorisation, capture, refund.

use atoll_testkit::{Client, Shop, complete, id, pay};
use serde_json::{Value, json};

async fn shop() -> (Shop, Client, String) {
    let (shop, web, storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&web], 9).await;
    (shop, storefront, tea.id)
}

/// Places an order of two at 10 each. Returns its path, and that of its payment.
async fn order(shop: &Shop, storefront: &Client, variant: &str) -> (String, String) {
    let cart = shop.cart(storefront, variant, 2).await;
    let order = format!("/admin/orders/{}", id(&complete(storefront, &cart).await.ok()["order"]));
    let shown = shop.admin.get(&order).await.ok();
    let payment = id(&shown["order"]["payment_collections"][0]["payments"][0]);
    (order, format!("/admin/payments/{payment}"))
}

/// The statuses and sums of an order: `captured: 20 paid, 0 back, 0 due`.
async fn paid(shop: &Shop, order: &str) -> String {
    let order = &shop.admin.get(order).await.ok()["order"];
    let summary = &order["summary"];
    format!(
        "{} {}: {} paid, {} back, {} due",
        order["payment_status"].as_str().unwrap_or_default(),
        order["payment_collections"][0]["status"].as_str().unwrap_or_default(),
        summary["paid_total"],
        summary["refunded_total"],
        summary["pending_difference"],
    )
}

#[tokio::test]
async fn unpaid_cart_cannot_be_completed() {
    let (shop, storefront, tea) = shop().await;
    let cart = shop.cart(&storefront, &tea, 2).await;
    let path = format!("/store/carts/{cart}");
    let complete = async || storefront.post(&format!("{path}/complete"), json!({})).await;
    assert_eq!(
        complete().await.error(),
        "400 invalid_data: Payment collection has not been initiated for cart"
    );
    let create = async || {
        let collection = storefront.post("/store/payment-collections", json!({ "cart_id": cart })).await;
        collection.ok()["payment_collection"].clone()
    };
    let collection = create().await;
    assert_eq!((&collection["amount"], &collection["currency_code"]), (&json!(20), &json!("eur")));
    assert_eq!(create().await, collection, "a cart has one");
    assert_eq!(complete().await.error(), "400 invalid_data: Payment sessions are required to complete cart");

    let sessions = format!("/store/payment-collections/{}/payment-sessions", id(&collection));
    let choose = async |body: Value| storefront.post(&sessions, body).await;
    assert_eq!(
        choose(json!({ "provider_id": "pp_nope" })).await.error(),
        format!(
            "400 invalid_data: Payment provider pp_nope is not enabled in the cart's region {}.",
            shop.region
        )
    );
    assert_eq!(
        choose(json!({})).await.error(),
        "400 invalid_data: Invalid request: Field 'provider_id' is required"
    );
    for name in ["data", "context"] {
        let too_long = json!({ "provider_id": "pp_system_default", name: { "a": "x".repeat(64 * 1024) } });
        assert_eq!(
            choose(too_long).await.error(),
            "400 invalid_data: The data and the context of a payment session have at most 65536 bytes each"
        );
    }
    let by_hand = json!({ "provider_id": "pp_system_default", "data": { "note": "at the door" } });
    let first = choose(by_hand.clone()).await.ok();
    let second = choose(by_hand).await.ok()["payment_collection"].clone();
    assert_eq!(second["payment_sessions"].as_array().map(Vec::len), Some(1), "a new one replaces the old");
    assert_ne!(first["payment_collection"]["payment_sessions"][0]["id"], second["payment_sessions"][0]["id"]);
    assert_eq!(second["payment_sessions"][0]["data"], json!({ "note": "at the door" }));
    assert_eq!(
        storefront.get(&path).await.ok()["cart"]["payment_collection"]["payment_sessions"][0]["id"],
        second["payment_sessions"][0]["id"]
    );

    // The amount of the collection follows the cart; a session of an older amount does not count.
    storefront.post(&format!("{path}/line-items"), json!({ "variant_id": tea, "quantity": 1 })).await.ok();
    let collection = &storefront.get(&path).await.ok()["cart"]["payment_collection"];
    assert_eq!((&collection["amount"], &collection["payment_sessions"]), (&json!(30), &json!([])));
    assert_eq!(complete().await.error(), "400 invalid_data: Payment sessions are required to complete cart");
    pay(&storefront, &cart).await;
    let order = complete().await.ok();
    assert_eq!(order["order"]["payment_collections"][0]["status"], "authorized");
    assert_eq!(order["order"]["payment_collections"][0]["authorized_amount"], 30);

    // It is paid: no second payment is possible.
    assert_eq!(
        choose(json!({ "provider_id": "pp_system_default" })).await.error(),
        format!("400 not_allowed: Payment collection {} is already paid or canceled.", id(collection))
    );
}

#[tokio::test]
async fn free_cart_completes_without_payment() {
    let (shop, storefront, _) = shop().await;
    let web = shop.channel("Other").await;
    let free = json!({ "prices": [{ "currency_code": "eur", "amount": 0 }] });
    let gift = shop.product_with("Gift", &[&web], 3, free).await;
    let other = shop.storefront(&[&web]).await;
    let cart = shop.cart(&other, &gift.id, 1).await;
    let path = format!("/store/carts/{cart}/complete?fields=*payment_collections,payment_status");
    let order = other.post(&path, json!({})).await.ok();
    assert_eq!(order["order"]["payment_collections"], json!([]));
    assert_eq!(order["order"]["payment_status"], "not_paid");
    // The wall: the collection of another channel's cart does not exist.
    let not_found = format!("404 not_found: Cart id not found: {cart}");
    let of_cart = json!({ "cart_id": cart });
    assert_eq!(storefront.post("/store/payment-collections", of_cart.clone()).await.error(), not_found);
    let cart = shop.cart(&other, &gift.id, 1).await;
    let made = other.post("/store/payment-collections", json!({ "cart_id": cart })).await.ok();
    let collection = id(&made["payment_collection"]);
    let sessions = format!("/store/payment-collections/{collection}/payment-sessions");
    assert_eq!(
        storefront.post(&sessions, json!({ "provider_id": "pp_system_default" })).await.error(),
        format!("404 not_found: PaymentCollection id not found: {collection}")
    );
}

#[tokio::test]
async fn payment_is_captured_once_and_refunded_at_most_once() {
    let (shop, storefront, tea) = shop().await;
    let (order, payment) = order(&shop, &storefront, &tea).await;
    assert_eq!(paid(&shop, &order).await, "authorized authorized: 0 paid, 0 back, 20 due");
    let ask = async |what: &str, body: Value| shop.admin.post(&format!("{payment}/{what}"), body).await;
    let too_much = "400 invalid_data: You cannot capture more than the authorized amount substracted by what is \
                    already captured.";
    assert_eq!(ask("capture", json!({ "amount": 21 })).await.error(), too_much);
    ask("capture", json!({ "amount": 5 })).await.ok();
    assert_eq!(paid(&shop, &order).await, "partially_captured partially_captured: 5 paid, 0 back, 15 due");
    assert_eq!(ask("capture", json!({ "amount": 16 })).await.error(), too_much);
    let captured = ask("capture", json!({})).await.ok();
    assert_eq!(captured["payment"]["captures"].as_array().map(Vec::len), Some(2));
    assert_eq!(ask("capture", json!({})).await.ok(), captured, "once more is not more");
    assert_eq!(paid(&shop, &order).await, "captured completed: 20 paid, 0 back, 0 due");

    let too_much = "400 invalid_data: You are not allowed to refund more than the captured amount";
    assert_eq!(ask("refund", json!({ "amount": 21 })).await.error(), too_much);
    let back = ask("refund", json!({ "amount": 8, "note": "late" })).await.ok();
    assert_eq!(back["payment"]["refunds"][0]["note"], "late");
    assert_eq!(paid(&shop, &order).await, "partially_refunded completed: 20 paid, 8 back, 0 due");
    assert_eq!(ask("refund", json!({ "amount": 13 })).await.error(), too_much);
    ask("refund", json!({})).await.ok();
    assert_eq!(paid(&shop, &order).await, "refunded completed: 20 paid, 20 back, 0 due");
    assert_eq!(ask("refund", json!({})).await.error(), "400 invalid_data: The amount must be greater than 0");

    assert_eq!(
        shop.admin.post("/admin/payments/pay_x/capture", json!({})).await.error(),
        "404 not_found: Payment with id: pay_x was not found"
    );
    let listed = shop.admin.get("/admin/payments").await.ok();
    assert_eq!((&listed["count"], id(&listed["payments"][0])), (&json!(1), payment[16..].to_owned()));
    let events = atoll_kernel::jobs::events_after(&shop.app.ctx.view(), 0, 1000).expect("events");
    let n_told = |name: &str| events.iter().filter(|(_, event)| event.name == name).count();
    assert_eq!((n_told("payment.captured"), n_told("payment.refunded")), (2, 2));
}

#[tokio::test]
async fn cancelling_an_order_voids_or_refunds_its_payment() {
    let (shop, storefront, tea) = shop().await;
    let (kept, payment) = order(&shop, &storefront, &tea).await;
    shop.admin.post(&format!("{kept}/cancel"), json!({})).await.ok();
    assert_eq!(paid(&shop, &kept).await, "canceled canceled: 0 paid, 0 back, 0 due");
    assert_eq!(
        shop.admin.post(&format!("{payment}/capture"), json!({})).await.error(),
        format!("400 invalid_data: The payment: {} has been canceled.", &payment[16..])
    );
    let (taken, payment) = order(&shop, &storefront, &tea).await;
    shop.admin.post(&format!("{payment}/capture"), json!({ "amount": 15 })).await.ok();
    shop.admin.post(&format!("{payment}/refund"), json!({ "amount": 5 })).await.ok();
    shop.admin.post(&format!("{taken}/cancel"), json!({})).await.ok();
    assert_eq!(paid(&shop, &taken).await, "refunded canceled: 15 paid, 15 back, 0 due");
    assert_eq!(
        shop.admin.post(&format!("{payment}/capture"), json!({})).await.error(),
        format!("400 invalid_data: The payment: {} has been canceled.", &payment[16..]),
        "the rest was let go of"
    );
}
