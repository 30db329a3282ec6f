//! `Idempotency-Key`: what is sent again is not done again.

use atoll_kernel::{
    Registry, Store,
    engines::{Crash, Fault, Faulty, Memory, Switch},
};
use atoll_testkit::{Client, Shop, TestApp};
use serde_json::{Value, json};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn keyed(client: &Client, key: &str) -> Client {
    client.clone().with_header("idempotency-key", key)
}

/// An admin whose token does not end with the day.
async fn server(shop: &Shop) -> Client {
    let key = shop.admin.post("/admin/api-keys", json!({ "title": "server", "type": "secret" })).await.ok();
    let token = key["api_key"]["token"].as_str().expect("a token");
    shop.app.client().with_header("authorization", &format!("Basic {token}"))
}

/// `200` and what was made, or the error.
async fn post(client: &Client, path: &str, body: Value) -> String {
    let answer = client.post(path, body).await;
    if !answer.status.is_success() {
        return answer.error();
    }
    let id = answer.json.as_object().and_then(|it| it.values().find_map(|it| it["id"].as_str()));
    id.unwrap_or_else(|| panic!("no id in {}", answer.json)).to_owned()
}

#[tokio::test]
async fn a_write_that_comes_again_is_answered_as_it_was() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 1).await;
    let (one, other) = (shop.storefront(&[&web]).await, shop.storefront(&[&web]).await);
    let used = |key: &str| {
        format!(
            "422 duplicate_error (invalid_request_error): Idempotency-Key {key} was used for another request"
        )
    };
    let cart = post(&keyed(&one, "a"), "/store/carts", json!({ "email": "a@b.co" })).await;
    assert_eq!(post(&keyed(&one, "a"), "/store/carts", json!({ "email": "a@b.co" })).await, cart);
    assert_eq!(post(&keyed(&one, "a"), "/store/carts", json!({ "email": "c@d.co" })).await, used("a"));
    assert_eq!(
        post(&keyed(&one, "a"), "/store/carts?fields=id", json!({ "email": "a@b.co" })).await,
        used("a")
    );
    assert_eq!(post(&keyed(&one, "a"), &format!("/store/carts/{cart}"), json!({})).await, used("a"));
    // Somebody else's key is another one, and so is none at all.
    let theirs = post(&keyed(&other, "a"), "/store/carts", json!({ "email": "a@b.co" })).await;
    assert!(theirs.starts_with("cart_") && theirs != cart);
    assert_ne!(post(&one, "/store/carts", json!({ "email": "a@b.co" })).await, cart);

    // A line is added once, a refusal stays one.
    let line = json!({ "variant_id": tea.id, "quantity": 1 });
    for _ in 0..3 {
        let path = format!("/store/carts/{cart}/line-items");
        let added = keyed(&one, "b").post(&path, line.clone()).await.ok();
        assert_eq!(added["cart"]["items"][0]["quantity"], 1);
    }
    let refused = post(&keyed(&one, "c"), &format!("/store/carts/{cart}/line-items"), line.clone()).await;
    assert!(refused.contains("insufficient_inventory"), "{refused}");
    shop.admin
        .post(
            &format!("/admin/inventory-items/{}/location-levels/{}", tea.item, shop.location),
            json!({ "stocked_quantity": 9 }),
        )
        .await
        .ok();
    assert_eq!(post(&keyed(&one, "c"), &format!("/store/carts/{cart}/line-items"), line).await, refused);

    let admin = server(&shop).await;
    let channel = json!({ "name": "New" });
    let made = post(&keyed(&admin, "a"), "/admin/sales-channels", channel.clone()).await;
    assert_eq!(post(&keyed(&admin, "a"), "/admin/sales-channels", channel.clone()).await, made);
    shop.app.advance_ms(DAY_MS - 1);
    assert_eq!(post(&keyed(&admin, "a"), "/admin/sales-channels", channel.clone()).await, made);
    shop.app.advance_ms(1);
    let later = post(&keyed(&admin, "a"), "/admin/sales-channels", channel.clone()).await;
    assert!(later.starts_with("sc_") && later != made, "{later}");
    assert_eq!(
        post(&keyed(&admin, &"x".repeat(256)), "/admin/sales-channels", channel).await,
        "400 invalid_data: Idempotency-Key has between 1 and 255 letters"
    );
}

#[tokio::test]
async fn requests_with_one_key_at_the_same_time_are_one() {
    let shop = Shop::open(TestApp::init().await).await;
    let channel = json!({ "name": "One of many" });
    let mut clients = Vec::new();
    for _ in 0..16 {
        let (admin, channel) = (keyed(&shop.admin, "a"), channel.clone());
        clients.push(tokio::spawn(async move { post(&admin, "/admin/sales-channels", channel).await }));
    }
    let mut made = Vec::new();
    for client in clients {
        made.push(client.await.expect("a client"));
    }
    made.dedup();
    assert_eq!(made.len(), 1, "{made:?}");
    let list = shop.admin.get("/admin/sales-channels?name=One%20of%20many").await.ok();
    assert_eq!(list["count"], 1);
}

async fn app_on(disk: &Memory) -> (TestApp, Switch) {
    let engine = Faulty::new(disk.clone(), Fault::None);
    let switch = engine.switch();
    let store = Store::open(engine, &Registry::linked().expect("a registry").spaces()).expect("a store");
    (TestApp::over(store, None).await, switch)
}

#[tokio::test]
async fn after_a_crash_nothing_is_done_twice() {
    async fn check(crash: Crash, n_made: u64, again: &str) {
        let disk = Memory::default();
        let (app, switch) = app_on(&disk).await;
        let shop = Shop::open(app).await;
        let admin = keyed(&shop.admin, "a");
        let channel = json!({ "name": "Once" });
        switch.arm(crash);
        assert_eq!(admin.post("/admin/sales-channels", channel.clone()).await.status, 500);
        let (app, _) = app_on(&disk).await;
        let admin = admin.on(&app);
        let list = admin.get("/admin/sales-channels?name=Once").await.ok();
        assert_eq!(list["count"], n_made, "{crash:?}");
        let answer = post(&admin, "/admin/sales-channels", channel).await;
        assert!(answer.starts_with(again), "{crash:?}: {answer}");
        let list = admin.get("/admin/sales-channels?name=Once").await.ok();
        assert_eq!(list["count"], 1, "{crash:?}");
    }
    check(Crash::Before, 0, "sc_").await;
    check(
        Crash::After,
        1,
        "409 conflict (invalid_state_error): The request with the key a was done; its answer was lost",
    )
    .await;
}

#[tokio::test]
async fn old_answers_are_forgotten() {
    let shop = Shop::open(TestApp::init().await).await;
    let admin = server(&shop).await;
    for n in 0..5 {
        let key = format!("key {n}");
        post(&keyed(&admin, &key), "/admin/sales-channels", json!({ "name": key })).await;
        shop.app.advance_ms(1);
    }
    let ctx = &shop.app.ctx;
    shop.app.advance_ms(DAY_MS - 3);
    assert_eq!(ctx.forget_answers(2).await.expect("a write"), 2);
    assert_eq!(ctx.forget_answers(2).await.expect("a write"), 1);
    // One that is used again stays.
    shop.app.advance_ms(1);
    let again = post(&keyed(&admin, "key 3"), "/admin/sales-channels", json!({ "name": "again" })).await;
    assert!(again.starts_with("sc_"), "{again}");
    assert_eq!(ctx.forget_answers(9).await.expect("a write"), 1);
    assert_eq!(
        post(&keyed(&admin, "key 3"), "/admin/sales-channels", json!({ "name": "again" })).await,
        again
    );
}
