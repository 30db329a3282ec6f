//! The pages of orders, customers and customer groups.

use atoll_kernel::http::StatusCode;
use atoll_testkit::{Client, Shop, complete};
use serde_json::{Value, json};

use super::{Browser, created, escaped, shop};

/// A shop with an order of two mugs, 10 euros each; the id of the order.
async fn with_order() -> (Shop, Browser, Client, String) {
    let (shop, channel, browser) = shop().await;
    let storefront = shop.storefront(&[&channel]).await;
    let mug = shop.product("Mug", &[&channel], 5).await;
    let cart = shop.cart(&storefront, &mug.id, 2).await;
    let body = json!({ "email": "ada@example.com" });
    storefront.post(&format!("/store/carts/{cart}"), body).await.ok();
    let order = complete(&storefront, &cart).await.ok()["order"]["id"].as_str().expect("an order").to_owned();
    (shop, browser, storefront, order)
}

/// The fields of an order.
async fn order(shop: &Shop, id: &str, fields: &str) -> Value {
    shop.admin.get(&format!("/admin/orders/{id}?fields={fields}")).await.ok()["order"].clone()
}

#[tokio::test]
async fn orders_are_found_by_number_channel_and_state() {
    let (shop, browser, _, id) = with_order().await;
    let till = shop.channel("Till").await;
    let link = format!("/app/orders/{id}");
    for (query, is_found) in [
        ("", true),
        ("?q=ada", true),
        ("?status=pending&payment=authorized&fulfillment=not_fulfilled", true),
        ("?q=bob", false),
        ("?status=completed", false),
        (&format!("?channel={till}"), false),
    ] {
        let (status, text) = browser.page(&format!("/app/orders{query}")).await;
        assert_eq!(status, StatusCode::OK, "{query}: {text}");
        assert_eq!(text.contains(&link), is_found, "{query}");
    }
}

#[tokio::test]
async fn an_order_is_captured_and_paid_back_by_forms() {
    let (shop, browser, _, id) = with_order().await;
    let page = format!("/app/orders/{id}");
    let found = order(&shop, &id, "total,payment_collections.payments.id").await;
    let payment = found["payment_collections"][0]["payments"][0]["id"].as_str().expect("a payment");
    let total = found["total"].to_string();
    let (status, to, text) =
        browser.send(&page, &[("do", &format!("capture {payment}")), ("amount", &total)]).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, &*format!("{page}?done=done")), "{text}");
    let refund = format!("refund {payment}");
    let reason = json!({ "label": "Damaged", "code": "damaged" });
    let reason = shop.admin.post("/admin/refund-reasons", reason).await.ok();
    let reason = reason["refund_reason"]["id"].as_str().expect("an id");
    let crack = [("do", &*refund), ("amount", "1.5"), ("reason", reason), ("note", "A crack")];
    browser.send(&page, &crack).await;
    let refunds = "payment_collections.payments.refunds.*";
    let kept = order(&shop, &id, refunds).await;
    let kept = &kept["payment_collections"][0]["payments"][0]["refunds"][0];
    assert_eq!((&kept["amount"], &kept["note"]), (&json!(1.5), &json!("A crack")));
    assert_eq!(kept["refund_reason_id"], json!(reason));

    let (status, _, text) = browser.send(&page, &[("do", &refund), ("amount", "1000")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("role=\"alert\"") && text.contains("value=\"1000\""), "{text}");
    let (_, text) = browser.page(&page).await;
    assert!(text.contains("A crack") && text.contains("1.50 EUR"), "{text}");
}

/// A double click, or a retry of the browser.
#[tokio::test]
async fn a_form_that_is_sent_twice_pays_back_once() {
    let (shop, browser, _, id) = with_order().await;
    let page = format!("/app/orders/{id}");
    let paid = order(&shop, &id, "total,payment_collections.payments.id").await;
    let payment = paid["payment_collections"][0]["payments"][0]["id"].as_str().expect("a payment");
    let total = paid["total"].to_string();
    browser.send(&page, &[("do", &format!("capture {payment}")), ("amount", &total)]).await;
    let (_, text) = browser.page(&page).await;
    let (_, rest) = text.split_once("name=\"once\" value=\"").expect("a key");
    let once = rest.split('"').next().expect("a key");
    let pay_back = async |amount: &str, once: &str| {
        let form = [("do", &*format!("refund {payment}")), ("amount", amount), ("once", once)];
        browser.send(&page, &form).await
    };
    let n_refunds = async || {
        let paid = order(&shop, &id, "payment_collections.payments.refunds.id").await;
        paid["payment_collections"][0]["payments"][0]["refunds"].as_array().map(Vec::len)
    };
    let first = pay_back("1", once).await;
    assert_eq!(first.0, StatusCode::SEE_OTHER, "{}", first.2);
    assert_eq!(pay_back("1", once).await, first);
    assert_eq!(n_refunds().await, Some(1));
    let (status, _, text) = pay_back("2", once).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("This form was sent before") && !text.contains(once), "{text}");
    pay_back("2", "of another form").await;
    assert_eq!(n_refunds().await, Some(2));
}

#[tokio::test]
async fn an_order_is_packed_unpacked_shipped_and_delivered_by_forms() {
    let (shop, browser, _, id) = with_order().await;
    let page = format!("/app/orders/{id}");
    let line = order(&shop, &id, "items.id").await["items"][0]["id"].as_str().expect("a line").to_owned();
    let quantity = format!("quantity[{line}]");
    let parcel = || async {
        let found = order(&shop, &id, "fulfillments.id,fulfillments.canceled_at").await;
        let all = found["fulfillments"].as_array().expect("a list").clone();
        let open = all.iter().find(|it| it["canceled_at"].is_null()).expect("a parcel");
        open["id"].as_str().expect("an id").to_owned()
    };
    let state = || async { order(&shop, &id, "id").await["fulfillment_status"].clone() };

    // Otherwise the next click would pack everything.
    let (status, _, text) = browser.send(&page, &[("do", "pack"), (&quantity, "0")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains(&format!("name=\"{quantity}\" value=\"0\"")), "{text}");
    browser.send(&page, &[("do", "pack"), (&quantity, "2"), ("location_id", "")]).await;
    assert_eq!(state().await, "fulfilled");
    browser.send(&page, &[("do", &format!("take-back {}", parcel().await))]).await;
    assert_ne!(state().await, "fulfilled");

    browser.send(&page, &[("do", "pack"), (&quantity, "1")]).await;
    assert_eq!(state().await, "partially_fulfilled");
    let at = "https://parcels.example/1";
    let ship = format!("ship {}", parcel().await);
    let (_, to, text) =
        browser.send(&page, &[("do", &ship), ("tracking_number", "1Z"), ("tracking_url", at)]).await;
    assert!(to.ends_with("done=done"), "{text}");
    let (_, text) = browser.page(&page).await;
    assert!(text.contains(at) && text.contains("Parcel 2 shipped"), "{text}");
    browser.send(&page, &[("do", &format!("deliver {}", parcel().await))]).await;
    assert_eq!(state().await, "partially_delivered");

    // Not every carrier has a page on which a parcel can be followed.
    browser.send(&page, &[("do", "pack"), (&quantity, "1")]).await;
    let parcels = order(&shop, &id, "fulfillments.id,fulfillments.shipped_at,fulfillments.canceled_at").await;
    let mut parcels = parcels["fulfillments"].as_array().expect("a list").iter();
    let packed = parcels.find(|it| it["shipped_at"].is_null() && it["canceled_at"].is_null());
    let ship = format!("ship {}", packed.expect("a parcel")["id"].as_str().expect("an id"));
    let (_, to, text) = browser.send(&page, &[("do", &ship), ("tracking_number", "2Z")]).await;
    assert!(to.ends_with("done=done"), "{text}");
    let (_, text) = browser.page(&page).await;
    assert!(text.contains("Tracking: 2Z"), "{text}");
}

/// The question below which the button stands that does this.
fn question<'a>(page: &'a str, action: &str) -> &'a str {
    let (before, _) = page.split_once(&format!("<button name=\"do\" value=\"{action}")).expect(action);
    let (_, asked) = before.rsplit_once("<details class=\"ask\">").expect("a question");
    assert!(!asked.contains("</details>"), "it is below another question: {asked}");
    asked
}

#[tokio::test]
async fn what_cannot_be_taken_back_asks_first() {
    let (shop, browser, _, id) = with_order().await;
    let page = format!("/app/orders/{id}");
    let (_, text) = browser.page(&page).await;
    for action in ["complete", "cancel", "capture "] {
        assert!(!question(&text, action).is_empty(), "{action}: {text}");
    }
    // What is reserved for an order is kept for somebody.
    let reserved = shop.admin.get("/admin/reservations").await.ok();
    let item = reserved["reservations"][0]["inventory_item_id"].as_str().expect("an item");
    let (_, text) = browser.page(&format!("/app/stock/{item}")).await;
    assert!(text.contains(&format!("<a href=\"{page}\">order #1</a>")), "{text}");
    assert!(question(&text, "release ").contains("Nothing is kept for order #1 any more"), "{text}");
}

#[tokio::test]
async fn an_order_is_cancelled_and_archived_by_forms() {
    let (shop, browser, _, id) = with_order().await;
    let page = format!("/app/orders/{id}");
    browser.send(&page, &[("do", "cancel")]).await;
    assert_eq!(order(&shop, &id, "status").await["status"], "canceled");
    browser.send(&page, &[("do", "archive")]).await;
    assert_eq!(order(&shop, &id, "status").await["status"], "archived");
}

#[tokio::test]
async fn a_customer_is_made_changed_and_deleted_by_forms() {
    let (shop, _, browser) = shop().await;
    let ada = [("do", "create"), ("email", "ada@example.com"), ("first_name", "Ada"), ("last_name", "")];
    let (_, to, _) = browser.send("/app/customers/new", &ada).await;
    let id = created(&to, "/app/customers/");
    let page = format!("/app/customers/{id}");
    let (_, to, _) = browser.send("/app/customer-groups", &[("do", "create"), ("name", "Wholesale")]).await;
    let group = created(&to, "/app/customer-groups/");

    browser.send(&page, &[("do", "save"), ("email", "ada@example.com"), ("company_name", "Engines")]).await;
    browser.send(&page, &[("do", "groups"), ("groups[]", &group)]).await;
    let new = format!("{page}/addresses/new");
    browser.send(&new, &[("do", "save"), ("city", "Berlin"), ("country_code", "DE")]).await;
    let path = format!("/admin/customers/{id}?fields=company_name,first_name,groups.name,addresses.*");
    let kept = shop.admin.get(&path).await.ok()["customer"].clone();
    assert_eq!((&kept["company_name"], &kept["first_name"]), (&json!("Engines"), &json!(null)));
    assert_eq!(kept["groups"][0]["name"], "Wholesale");
    let address = &kept["addresses"][0];
    assert_eq!((&address["city"], &address["country_code"]), (&json!("Berlin"), &json!("de")));
    let at = format!("{page}/addresses/{}", address["id"].as_str().expect("an id"));
    browser.send(&at, &[("do", "save"), ("city", "Bonn"), ("country_code", "DE")]).await;
    let (_, text) = browser.page(&page).await;
    assert!(text.contains("Bonn") && !text.contains("Berlin"), "{text}");
    let (_, to, _) = browser.send(&at, &[("do", "delete")]).await;
    assert_eq!(to, format!("{page}?done=deleted"));

    let (_, text) = browser.page(&format!("/app/customers?q={}&group={group}", escaped("Engines"))).await;
    assert!(text.contains(&page), "{text}");
    let (_, to, _) = browser.send(&page, &[("do", "delete")]).await;
    assert_eq!(to, "/app/customers?done=deleted");
}

#[tokio::test]
async fn a_group_gets_and_loses_members_by_forms() {
    let (shop, _, browser) = shop().await;
    let email = "ada@example.com";
    shop.admin.post("/admin/customers", json!({ "email": email })).await.ok();
    let (_, to, _) = browser.send("/app/customer-groups", &[("do", "create"), ("name", "Wholesale")]).await;
    let page = format!("/app/customer-groups/{}", created(&to, "/app/customer-groups/"));
    browser.send(&page, &[("do", "add"), ("email", email)]).await;
    let (_, text) = browser.page(&page).await;
    assert!(text.contains(email), "{text}");
    let (status, _, text) = browser.send(&page, &[("do", "add"), ("email", "bob@example.com")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("No customer has this e-mail address"), "{text}");

    let customers = shop.admin.get("/admin/customers?fields=id").await.ok();
    let remove = format!("remove {}", customers["customers"][0]["id"].as_str().expect("an id"));
    browser.send(&page, &[("do", &remove)]).await;
    let (_, text) = browser.page(&page).await;
    assert!(text.contains("Nobody yet."), "{text}");
}

#[tokio::test]
async fn what_an_order_owes_is_asked_for_recorded_and_credited() {
    let (shop, _, browser) = shop().await;
    // An order of 20 that a module made, without a payment.
    let line = json!({ "title": "Tea", "quantity": 2, "unit_price": 10 });
    let made = json!({ "input": { "currency_code": "eur", "items": [line] } });
    shop.admin.post("/admin/workflows-executions/create-orders/run", made).await.ok();
    let id = shop.admin.get("/admin/orders?fields=id").await.ok()["orders"][0]["id"].clone();
    let id = id.as_str().expect("an id");
    let page = format!("/app/orders/{id}");
    let stand = || async {
        let fields = "summary,payment_collections.id,payment_collections.amount,payment_collections.status";
        let order = order(&shop, id, fields).await;
        (order["summary"]["pending_difference"].clone(), order["payment_collections"].clone())
    };

    browser.send(&page, &[("do", "collect"), ("amount", "12")]).await;
    let (_, asked) = stand().await;
    assert_eq!((&asked[0]["amount"], &asked[0]["status"]), (&json!(12), &json!("not_paid")));
    let (_, text) = browser.page(&page).await;
    assert!(text.contains("Asked for") && text.contains("value=\"8\""), "the rest is offered: {text}");
    let (status, _, text) = browser.send(&page, &[("do", "collect"), ("amount", "9")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("role=\"alert\"") && text.contains("value=\"9\""), "{text}");

    let of = |action: &str, it: &Value| format!("{action} {}", it["id"].as_str().expect("an id"));
    browser.send(&page, &[("do", &of("forget", &asked[0]))]).await;
    assert_eq!(stand().await.1, json!([]));
    browser.send(&page, &[("do", "collect"), ("amount", "5")]).await;
    browser.send(&page, &[("do", &of("paid", &stand().await.1[0]))]).await;
    assert_eq!(stand().await.0, json!(15));
    browser.send(&page, &[("do", "collect"), ("amount", "10"), ("paid", "on")]).await;
    assert_eq!(stand().await.0, json!(5));
    browser.send(&page, &[("do", "credit"), ("amount", "5"), ("note", "It came late")]).await;
    assert_eq!(stand().await.0, json!(0));
    let (_, text) = browser.page(&page).await;
    assert!(text.contains("It came late") && !text.contains("Give credit"), "{text}");
}

#[tokio::test]
async fn an_order_is_transferred_and_the_transfer_withdrawn() {
    let (shop, browser, storefront, id) = with_order().await;
    shop.customer(&storefront, "grace@example.com").await;
    let page = format!("/app/orders/{id}");
    let to = |email: &'static str, to: &'static str| [("do", "transfer"), ("email", email), ("to", to)];
    let (status, _, text) = browser.send(&page, &to("bob@example.com", "account")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("No customer with an account has this e-mail address"), "{text}");

    browser.send(&page, &to("grace@example.com", "account")).await;
    let (_, text) = browser.page(&page).await;
    assert!(text.contains("Withdraw the transfer"), "{text}");
    browser.send(&page, &[("do", "withdraw")]).await;
    let (_, text) = browser.page(&page).await;
    assert!(text.contains("Transfer to another customer: withdrawn"), "{text}");

    browser.send(&page, &to("bob@example.com", "guest")).await;
    let kept = order(&shop, &id, "customer.email").await;
    assert_eq!(kept["customer"]["email"], "bob@example.com");
}

#[tokio::test]
async fn the_addresses_of_an_order_are_corrected_by_forms() {
    let (shop, browser, _, id) = with_order().await;
    let page = format!("/app/orders/{id}");
    let address = [("do", "address shipping_address"), ("city", "Bonn"), ("country_code", "DE")];
    let (status, _, text) = browser.send(&page, &address).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    browser.send(&page, &[("do", "email"), ("email", "lovelace@example.com")]).await;
    let kept = order(&shop, &id, "email,shipping_address.city,shipping_address.country_code").await;
    assert_eq!(
        (&kept["email"], &kept["shipping_address"]["city"]),
        (&json!("lovelace@example.com"), &json!("Bonn"))
    );
    let (status, _, text) = browser.send(&page, &[("do", "email"), ("email", "nobody")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("role=\"alert\"") && text.contains("value=\"nobody\""), "{text}");
}
