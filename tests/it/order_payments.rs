//! Payments of orders by admins: collections of what is owed, paid outside of the shop; refunds with reasons;
//! credit lines.

use atoll_testkit::{Answer, Client, Shop, complete, id};
use serde_json::{Value, json};

/// A shop and the path of an order of two at 10 each, paid by hand at the door.
async fn ordered() -> (Shop, String) {
    let (shop, web, storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let order = place(&shop, &storefront, &tea.id, 2).await;
    (shop, order)
}

async fn place(shop: &Shop, storefront: &Client, variant: &str, quantity: u32) -> String {
    let cart = shop.cart(storefront, variant, quantity).await;
    format!("/admin/orders/{}", id(&complete(storefront, &cart).await.ok()["order"]))
}

fn id_in(path: &str) -> &str {
    path.rsplit('/').next().expect("a path")
}

async fn shown(shop: &Shop, order: &str) -> Value {
    shop.admin.get(order).await.ok()["order"].clone()
}

/// The path of the payment of an order.
async fn payment_of(shop: &Shop, order: &str) -> String {
    let order = shown(shop, order).await;
    format!("/admin/payments/{}", id(&order["payment_collections"][0]["payments"][0]))
}

/// Status and sums of an order: `captured: 20 total, 20 paid, 0 back, 0 due`.
async fn stand(shop: &Shop, order: &str) -> String {
    let order = shown(shop, order).await;
    let summary = &order["summary"];
    format!(
        "{}: {} total, {} paid, {} back, {} due",
        order["payment_status"].as_str().unwrap_or_default(),
        order["total"],
        summary["paid_total"],
        summary["refunded_total"],
        summary["pending_difference"],
    )
}

async fn ask_for(shop: &Shop, order: &str, amount: Value) -> Answer {
    let body = json!({ "order_id": id_in(order), "amount": amount });
    shop.admin.post("/admin/payment-collections", body).await
}

async fn credit(shop: &Shop, order: &str, amount: Value) -> Answer {
    let body = json!({ "amount": amount, "reference": "voucher", "reference_id": "v_1" });
    shop.admin.post(&format!("{order}/credit-lines"), body).await
}

/// An order of 20 that was made by a module, without a payment.
async fn unpaid() -> (Shop, String) {
    let line = json!({ "title": "Tea", "quantity": 2, "unit_price": 10 });
    made(json!({ "currency_code": "eur", "items": [line] })).await
}

/// An order that was made by a module.
async fn made(order: Value) -> (Shop, String) {
    let (shop, ..) = Shop::web().await;
    make(&shop, order).await.ok();
    let orders = shop.admin.get("/admin/orders").await.ok();
    let order = format!("/admin/orders/{}", id(&orders["orders"][0]));
    (shop, order)
}

async fn make(shop: &Shop, order: Value) -> Answer {
    let input = json!({ "input": order });
    shop.admin.post("/admin/workflows-executions/create-orders/run", input).await
}

/// Asks for an amount, and has it paid outside of the shop.
async fn pay_by_hand(shop: &Shop, order: &str, amount: Value) -> Answer {
    let collection = ask_for(shop, order, amount).await.ok();
    let path = format!("/admin/payment-collections/{}/mark-as-paid", id(&collection["payment_collection"]));
    shop.admin.post(&path, json!({ "order_id": id_in(order) })).await
}

#[tokio::test]
async fn refund_of_what_is_not_owed_becomes_a_credit_line() {
    let (shop, order) = ordered().await;
    let payment = payment_of(&shop, &order).await;
    shop.admin.post(&format!("{payment}/capture"), json!({ "amount": 15 })).await.ok();
    let refund = shop.admin.post(&format!("{payment}/refund"), json!({ "amount": 5 })).await.ok();
    assert_eq!(stand(&shop, &order).await, "partially_refunded: 15 total, 15 paid, 5 back, 5 due");
    let after = shown(&shop, &order).await;
    let line = &after["credit_lines"][0];
    assert_eq!((&line["amount"], &line["reference"]), (&json!(5), &json!("refund")));
    assert_eq!(line["reference_id"], refund["payment"]["refunds"][0]["id"]);
    assert_eq!((&after["version"], &line["version"]), (&json!(2), &json!(2)));
    assert_eq!(after["credit_line_total"], 5);
    let summary = &after["summary"];
    assert_eq!((&summary["current_order_total"], &summary["original_order_total"]), (&json!(15), &json!(20)));
    assert_eq!((&summary["transaction_total"], &summary["credit_line_total"]), (&json!(10), &json!(5)));
    // The rest of the payment is still what is owed.
    shop.admin.post(&format!("{payment}/capture"), json!({})).await.ok();
    assert_eq!(stand(&shop, &order).await, "partially_refunded: 15 total, 20 paid, 5 back, 0 due");
    shop.admin.post(&format!("{payment}/refund"), json!({})).await.ok();
    assert_eq!(stand(&shop, &order).await, "refunded: 0 total, 20 paid, 20 back, 0 due");
}

#[tokio::test]
async fn refund_of_what_is_owed_to_the_customer_is_no_credit() {
    let (shop, order) = ordered().await;
    credit(&shop, &order, json!(8)).await.ok();
    let payment = payment_of(&shop, &order).await;
    shop.admin.post(&format!("{payment}/capture"), json!({})).await.ok();
    assert_eq!(stand(&shop, &order).await, "captured: 12 total, 20 paid, 0 back, -8 due");
    shop.admin.post(&format!("{payment}/refund"), json!({ "amount": 15 })).await.ok();
    assert_eq!(stand(&shop, &order).await, "partially_refunded: 5 total, 20 paid, 15 back, 0 due");
    let lines = shown(&shop, &order).await["credit_lines"].clone();
    let amounts: Vec<&Value> = lines.as_array().into_iter().flatten().map(|it| &it["amount"]).collect();
    assert_eq!(amounts, [&json!(8), &json!(7)], "8 of 15 were owed");
}

/// A total with a fraction of a cent is paid, and given back, in whole cents.
#[tokio::test]
async fn refund_in_full_leaves_no_fraction_of_a_cent() {
    let (shop, web, storefront) = Shop::web().await;
    let price = json!({ "prices": [{ "currency_code": "eur", "amount": 21.593 }] });
    let tea = shop.product_with("Tea", &[&web], 9, price).await;
    let order = place(&shop, &storefront, &tea.id, 5).await;
    let payment = payment_of(&shop, &order).await;
    shop.admin.post(&format!("{payment}/capture"), json!({})).await.ok();
    assert_eq!(stand(&shop, &order).await, "captured: 107.965 total, 107.97 paid, 0 back, 0 due");
    shop.admin.post(&format!("{payment}/refund"), json!({ "amount": 7.97 })).await.ok();
    assert_eq!(stand(&shop, &order).await, "partially_refunded: 99.995 total, 107.97 paid, 7.97 back, 0 due");
    shop.admin.post(&format!("{payment}/refund"), json!({})).await.ok();
    assert_eq!(stand(&shop, &order).await, "refunded: -0.005 total, 107.97 paid, 107.97 back, 0 due");
}

#[tokio::test]
async fn credit_lines_are_at_most_what_is_owed() {
    let (shop, order) = ordered().await;
    let error = async |amount: Value| credit(&shop, &order, amount).await.error();
    let too_much = |sign| {
        format!(
            "400 invalid_data: Cannot create more {sign} credit lines with amount more than the pending difference"
        )
    };
    let nothing = |sign| {
        format!(
            "400 invalid_data: Can only create {sign} credit lines if the order has a {sign} pending difference"
        )
    };
    assert_eq!(error(json!(21)).await, too_much("positive"));
    assert_eq!(error(json!(-1)).await, nothing("negative"));
    assert_eq!(error(json!(0)).await, "400 invalid_data: The amount of a credit line must not be 0");
    assert_eq!(
        error(json!(0.001)).await,
        "400 invalid_data: An amount in eur has at most 2 digits behind the point"
    );
    let given = json!({ "amount": 5, "reference": "voucher", "reference_id": "v_1", "metadata": { "a": 1 } });
    let given = shop.admin.post(&format!("{order}/credit-lines"), given).await.ok();
    let line = &given["order"]["credit_lines"][0];
    assert_eq!((&line["reference_id"], &line["metadata"]), (&json!("v_1"), &json!({ "a": 1 })));
    assert_eq!(stand(&shop, &order).await, "authorized: 15 total, 0 paid, 0 back, 15 due");
    // More was captured than is owed by now.
    let payment = payment_of(&shop, &order).await;
    shop.admin.post(&format!("{payment}/capture"), json!({})).await.ok();
    assert_eq!(stand(&shop, &order).await, "captured: 15 total, 20 paid, 0 back, -5 due");
    assert_eq!(error(json!(1)).await, nothing("positive"));
    assert_eq!(error(json!(-6)).await, too_much("negative"));
    credit(&shop, &order, json!(-5)).await.ok();
    assert_eq!(stand(&shop, &order).await, "captured: 20 total, 20 paid, 0 back, 0 due");
    let unknown = credit(&shop, "/admin/orders/order_x", json!(1)).await.error();
    assert_eq!(unknown, "404 not_found: Order id not found: order_x");
}

#[tokio::test]
async fn collections_of_an_order_ask_for_no_more_than_it_owes() {
    let owes = |amount: &str, left: &str| {
        format!(
            "400 invalid_data: Cannot ask for {amount}: the order owes {left} that no payment collection asks for"
        )
    };
    let (shop, paid) = ordered().await;
    assert_eq!(ask_for(&shop, &paid, json!(1)).await.error(), owes("1", "0"), "its payment is authorised");
    let (shop, order) = unpaid().await;
    assert_eq!(stand(&shop, &order).await, "not_paid: 20 total, 0 paid, 0 back, 20 due");
    assert_eq!(ask_for(&shop, &order, json!(21)).await.error(), owes("21", "20"));
    assert!(ask_for(&shop, &order, json!(0.001)).await.error().contains("at most 2 digits"));
    assert!(ask_for(&shop, &order, json!(0)).await.error().starts_with("400"));
    let made = ask_for(&shop, &order, json!(15)).await.ok()["payment_collection"].clone();
    assert_eq!((&made["status"], &made["amount"]), (&json!("not_paid"), &json!(15)));
    assert_eq!((&made["payment_sessions"], &made["payments"]), (&json!([]), &json!([])));
    assert_eq!(ask_for(&shop, &order, json!(6)).await.error(), owes("6", "5"));
    // One that was deleted asks for nothing.
    let collection = format!("/admin/payment-collections/{}", id(&made));
    let gone = shop.admin.delete(&collection).await.ok();
    assert_eq!(gone, json!({ "id": id(&made), "object": "payment-collection", "deleted": true }));
    assert_eq!(
        shop.admin.delete(&collection).await.error(),
        format!("404 not_found: PaymentCollection id not found: {}", id(&made))
    );
    assert_eq!(shown(&shop, &order).await["payment_collections"], json!([]));
    ask_for(&shop, &order, json!(20)).await.ok();
    let unknown = ask_for(&shop, "/admin/orders/order_x", json!(1)).await.error();
    assert_eq!(unknown, "404 not_found: Order id not found: order_x");
    shop.admin.post(&format!("{order}/cancel"), json!({})).await.ok();
    assert!(ask_for(&shop, &order, json!(1)).await.error().contains("has been canceled"));
}

#[tokio::test]
async fn collection_is_paid_outside_of_the_shop_once() {
    let (shop, order) = unpaid().await;
    let made = ask_for(&shop, &order, json!(15)).await.ok()["payment_collection"].clone();
    let collection = format!("/admin/payment-collections/{}", id(&made));
    let pay = async |body: Value| shop.admin.post(&format!("{collection}/mark-as-paid"), body).await;
    let by_hand = json!({ "order_id": id_in(&order) });
    let unknown = json!({ "order_id": id_in(&order), "provider_id": "pp_nope" });
    assert_eq!(
        pay(unknown).await.error(),
        "400 invalid_data: Unable to retrieve the payment provider with id: pp_nope"
    );
    assert_eq!(
        pay(json!({ "order_id": "order_x" })).await.error(),
        "404 not_found: Order id not found: order_x"
    );
    let paid = pay(by_hand.clone()).await.ok()["payment_collection"].clone();
    assert_eq!((&paid["status"], &paid["captured_amount"]), (&json!("completed"), &json!(15)));
    assert_eq!(
        (&paid["payments"][0]["amount"], &paid["payments"][0]["provider_id"]),
        (&json!(15), &json!("pp_system_default"))
    );
    assert_eq!(stand(&shop, &order).await, "captured: 20 total, 15 paid, 0 back, 5 due");
    let not_paid = "400 not_allowed: Can only mark 'not_paid' payment collection as paid";
    assert_eq!(pay(by_hand).await.error(), not_paid);
    assert_eq!(
        shop.admin.delete(&collection).await.error(),
        "400 not_allowed: Can only delete payment collections where status is not_paid"
    );
    // A second one makes the order paid in part again, until it is paid, too.
    let rest = ask_for(&shop, &order, json!(5)).await.ok()["payment_collection"].clone();
    assert_eq!(stand(&shop, &order).await, "partially_captured: 20 total, 15 paid, 0 back, 5 due");
    let path = format!("/admin/payment-collections/{}/mark-as-paid", id(&rest));
    shop.admin.post(&path, json!({ "order_id": id_in(&order) })).await.ok();
    assert_eq!(stand(&shop, &order).await, "captured: 20 total, 20 paid, 0 back, 0 due");
    let events = atoll_kernel::jobs::events_after(&shop.app.ctx.view(), 0, 1000).expect("events");
    assert_eq!(events.iter().filter(|(_, it)| it.name == "payment.captured").count(), 2);
}

/// A credit line has come since the collection was made.
#[tokio::test]
async fn collection_of_more_than_is_owed_by_now_is_not_paid() {
    let (shop, order) = unpaid().await;
    let made = ask_for(&shop, &order, json!(15)).await.ok()["payment_collection"].clone();
    credit(&shop, &order, json!(10)).await.ok();
    let path = format!("/admin/payment-collections/{}/mark-as-paid", id(&made));
    assert_eq!(
        shop.admin.post(&path, json!({ "order_id": id_in(&order) })).await.error(),
        "400 invalid_data: Cannot ask for 15: the order owes 10 that no payment collection asks for"
    );
    assert_eq!(stand(&shop, &order).await, "not_paid: 10 total, 0 paid, 0 back, 10 due");
}

#[tokio::test]
async fn collection_is_that_of_its_order() {
    let (shop, order) = unpaid().await;
    let line = json!({ "title": "Cup", "quantity": 1, "unit_price": 30 });
    make(&shop, json!({ "currency_code": "eur", "items": [line] })).await.ok();
    let orders = shop.admin.get("/admin/orders").await.ok();
    let other = orders["orders"].as_array().into_iter().flatten().find(|it| id(it) != id_in(&order));
    let other = id(other.expect("another order"));
    let made = ask_for(&shop, &order, json!(15)).await.ok()["payment_collection"].clone();
    let path = format!("/admin/payment-collections/{}/mark-as-paid", id(&made));
    assert_eq!(
        shop.admin.post(&path, json!({ "order_id": other })).await.error(),
        format!("404 not_found: PaymentCollection id not found: {}", id(&made))
    );
}

#[tokio::test]
async fn order_has_at_most_20_payment_collections() {
    let (shop, order) = unpaid().await;
    for _ in 0..20 {
        ask_for(&shop, &order, json!(0.5)).await.ok();
    }
    assert!(ask_for(&shop, &order, json!(0.5)).await.error().contains("which is the limit"));
}

#[tokio::test]
async fn refunds_have_a_reason() {
    let (shop, order) = ordered().await;
    let reasons = "/admin/refund-reasons";
    let late = json!({ "label": "Late", "code": "late", "description": "It came too late" });
    let late = shop.admin.post(reasons, late).await.ok()["refund_reason"].clone();
    assert_eq!((&late["label"], &late["code"]), (&json!("Late"), &json!("late")));
    let again = shop.admin.post(reasons, json!({ "label": "Too late", "code": "late" })).await.error();
    assert_eq!(again, "400 invalid_data: Refund reason with code: late, already exists.");
    let path = format!("{reasons}/{}", id(&late));
    let renamed = shop.admin.post(&path, json!({ "label": "Delayed", "metadata": { "a": 1 } })).await.ok();
    assert_eq!(
        (&renamed["refund_reason"]["label"], &renamed["refund_reason"]["code"]),
        (&json!("Delayed"), &json!("late"))
    );
    assert_eq!(shop.admin.get(&path).await.ok(), renamed);
    let found = shop.admin.get(&format!("{reasons}?q=delay")).await.ok();
    assert_eq!((&found["count"], &found["limit"]), (&json!(1), &json!(15)));

    let payment = payment_of(&shop, &order).await;
    shop.admin.post(&format!("{payment}/capture"), json!({})).await.ok();
    let refund = async |reason: &str| {
        let body = json!({ "amount": 5, "refund_reason_id": reason, "note": "sorry" });
        shop.admin.post(&format!("{payment}/refund"), body).await
    };
    assert_eq!(refund("refr_x").await.error(), "404 not_found: RefundReason id not found: refr_x");
    let refund = refund(&id(&late)).await.ok()["payment"]["refunds"][0].clone();
    assert_eq!(refund["note"], "sorry");
    let reason = &refund["refund_reason"];
    assert_eq!((&reason["label"], &reason["code"]), (&json!("Delayed"), &json!("late")));

    // A reason that was deleted is shown no more.
    let gone = shop.admin.delete(&path).await.ok();
    assert_eq!(gone, json!({ "id": id(&late), "object": "refund_reason", "deleted": true }));
    let unknown = format!("404 not_found: Refund reason with id: {} was not found", id(&late));
    assert_eq!(shop.admin.get(&path).await.error(), unknown);
    assert!(shop.admin.delete(&path).await.error().starts_with("404"));
    let update = shop.admin.post(&path, json!({ "label": "x" })).await.error();
    assert_eq!(update, format!("404 not_found: Refund reason with id \"{}\" not found", id(&late)));
    let shown = shop.admin.get(&format!("{payment}?fields=*refunds,*refunds.refund_reason")).await.ok();
    let refund = &shown["payment"]["refunds"][0];
    assert_eq!((&refund["refund_reason_id"], &refund["refund_reason"]), (&json!(id(&late)), &Value::Null));
    // Its code is free again.
    shop.admin.post(reasons, json!({ "label": "Late", "code": "late" })).await.ok();
}

/// The module that placed the order has said that 15 of 20 were paid elsewhere.
#[tokio::test]
async fn what_was_paid_elsewhere_is_not_asked_for_again() {
    let line = json!({ "title": "Tea", "quantity": 2, "unit_price": 10 });
    let (shop, order) = made(json!({
        "currency_code": "eur", "items": [line], "paid_total": 15, "payment_status": "partially_captured",
    }))
    .await;
    assert_eq!(stand(&shop, &order).await, "partially_captured: 20 total, 15 paid, 0 back, 5 due");
    assert!(ask_for(&shop, &order, json!(6)).await.error().contains("the order owes 5"));
    let asked = ask_for(&shop, &order, json!(5)).await.ok();
    assert_eq!(stand(&shop, &order).await, "partially_captured: 20 total, 15 paid, 0 back, 5 due");
    let collection = format!("/admin/payment-collections/{}", id(&asked["payment_collection"]));
    shop.admin.delete(&collection).await.ok();
    pay_by_hand(&shop, &order, json!(5)).await.ok();
    assert_eq!(stand(&shop, &order).await, "captured: 20 total, 20 paid, 0 back, 0 due");
    shop.admin.post(&format!("{order}/cancel"), json!({})).await.ok();
    assert_eq!(stand(&shop, &order).await, "partially_refunded: 20 total, 20 paid, 5 back, -15 due");
}

#[tokio::test]
async fn refunds_at_once_are_at_most_what_was_captured() {
    let (shop, order) = ordered().await;
    let payment = payment_of(&shop, &order).await;
    for amount in [5, 7, 8] {
        shop.admin.post(&format!("{payment}/capture"), json!({ "amount": amount })).await.ok();
    }
    let refunds = (0..8).map(|_| {
        let (admin, path) = (shop.admin.clone(), format!("{payment}/refund"));
        tokio::spawn(async move { admin.post(&path, json!({ "amount": 5 })).await.status.is_success() })
    });
    let mut n_done = 0;
    for refund in refunds.collect::<Vec<_>>() {
        n_done += usize::from(refund.await.expect("an answer"));
    }
    assert_eq!(n_done, 4);
    assert_eq!(stand(&shop, &order).await, "refunded: 0 total, 20 paid, 20 back, 0 due");
}

/// Two collections, paid by hand and given back in turns: each gives back what it holds, and no more.
#[tokio::test]
async fn refund_is_at_most_what_its_own_collection_holds() {
    let (shop, order) = unpaid().await;
    for amount in [15, 5] {
        pay_by_hand(&shop, &order, json!(amount)).await.ok();
    }
    let refund = async |collection: usize, amount: Value| {
        let shown = shown(&shop, &order).await;
        let payment = id(&shown["payment_collections"][collection]["payments"][0]);
        shop.admin.post(&format!("/admin/payments/{payment}/refund"), json!({ "amount": amount })).await
    };
    let too_much = "400 invalid_data: You are not allowed to refund more than the captured amount";
    assert_eq!(refund(1, json!(6)).await.error(), too_much);
    refund(1, json!(5)).await.ok();
    assert_eq!(stand(&shop, &order).await, "partially_refunded: 15 total, 20 paid, 5 back, 0 due");
    assert_eq!(refund(1, json!(0.01)).await.error(), too_much);
    refund(0, json!(14.99)).await.ok();
    assert_eq!(refund(0, json!(0.02)).await.error(), too_much);
    refund(0, json!(0.01)).await.ok();
    assert_eq!(stand(&shop, &order).await, "refunded: 0 total, 20 paid, 20 back, 0 due");
    // What was given back is not asked for again.
    assert!(ask_for(&shop, &order, json!(0.01)).await.error().contains("the order owes 0"));
}

#[tokio::test]
async fn repeated_requests_move_money_once() {
    let (shop, order) = unpaid().await;
    let asked = ask_for(&shop, &order, json!(20)).await.ok()["payment_collection"].clone();
    let path = format!("/admin/payment-collections/{}/mark-as-paid", id(&asked));
    let once = |key: &str| shop.admin.clone().with_header("idempotency-key", key);
    let (client, body) = (once("pay"), json!({ "order_id": id_in(&order) }));
    let (first, second) = tokio::join!(client.post(&path, body.clone()), client.post(&path, body.clone()));
    assert_eq!(first.ok()["payment_collection"]["id"], second.ok()["payment_collection"]["id"]);
    let refund = format!("{}/refund", payment_of(&shop, &order).await);
    for _ in 0..3 {
        once("refund").post(&refund, json!({ "amount": 5 })).await.ok();
        let voucher = json!({ "amount": -1, "reference": "voucher", "reference_id": "v_1" });
        let refused = once("credit").post(&format!("{order}/credit-lines"), voucher).await.error();
        assert!(refused.contains("negative pending difference"), "{refused}");
    }
    assert_eq!(stand(&shop, &order).await, "partially_refunded: 15 total, 20 paid, 5 back, 0 due");
}

#[tokio::test]
async fn cancelled_order_is_not_paid() {
    let (shop, order) = unpaid().await;
    let asked = ask_for(&shop, &order, json!(15)).await.ok()["payment_collection"].clone();
    shop.admin.post(&format!("{order}/cancel"), json!({})).await.ok();
    let collection = format!("/admin/payment-collections/{}", id(&asked));
    let path = format!("{collection}/mark-as-paid");
    let paid = shop.admin.post(&path, json!({ "order_id": id_in(&order) })).await;
    assert!(paid.error().contains("has been canceled"));
    assert!(credit(&shop, &order, json!(1)).await.error().contains("has been canceled"));
    assert_eq!(
        shop.admin.delete(&collection).await.error(),
        "400 not_allowed: Can only delete payment collections where status is not_paid"
    );
    assert_eq!(stand(&shop, &order).await, "canceled: 20 total, 0 paid, 0 back, 0 due");
}

#[tokio::test]
async fn note_of_a_refund_is_short_and_for_admins() {
    let (shop, web, storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let order = place(&shop, &storefront, &tea.id, 2).await;
    let payment = payment_of(&shop, &order).await;
    shop.admin.post(&format!("{payment}/capture"), json!({})).await.ok();
    let refund = async |note: String| {
        shop.admin.post(&format!("{payment}/refund"), json!({ "amount": 1, "note": note })).await
    };
    let too_long = "400 invalid_data: The note of a refund has at most 1000 characters";
    assert_eq!(refund("ü".repeat(1_001)).await.error(), too_long);
    refund(format!("secret{}", "ü".repeat(994))).await.ok();
    for fields in ["*payment_collections.payments", "*payment_collections.payments.refunds"] {
        let path = format!("/store/orders/{}?fields={fields}", id_in(&order));
        let shown = storefront.get(&path).await;
        assert!(!shown.json.to_string().contains("secret"), "{fields}: {}", shown.json);
    }
}

#[tokio::test]
async fn order_of_a_module_has_numbers_that_can_be_summed() {
    let (shop, ..) = Shop::web().await;
    let too_large = "400 invalid_data: the numbers of an order have at most 15 digits, and rates are between 0 \
                     and 1000";
    let with = |parts: Value| {
        let mut line = json!({ "title": "Tea", "quantity": 1, "unit_price": 10, "is_tax_inclusive": true });
        line.as_object_mut().expect("a line").extend(parts.as_object().expect("parts").clone());
        json!({ "currency_code": "eur", "items": [line] })
    };
    for parts in [
        json!({ "quantity": "1e40", "unit_price": "1e40" }),
        json!({ "unit_price": "0.0000000000000001" }),
        json!({ "tax_lines": [{ "rate": -100 }] }),
        json!({ "tax_lines": [{ "rate": 1001 }] }),
        json!({ "tax_lines": [{ "rate": "0.00000000000000000000000000000001" }] }),
        json!({ "adjustments": [{ "exact_amount": "1e-31" }] }),
        json!({ "adjustments": [{ "exact_amount": "1e15" }] }),
    ] {
        assert_eq!(make(&shop, with(parts.clone())).await.error(), too_large, "{parts}");
    }
    let sums = json!({ "tax_lines": [{ "rate": "999.999999999999" }], "adjustments": [{ "exact_amount": "1e-30" }] });
    make(&shop, with(sums)).await.ok();
    assert_eq!(shop.admin.get("/admin/orders").await.ok()["count"], 1);
}
