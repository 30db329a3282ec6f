//! Idempotency: a retry with the same `Idempotency-Key` is not executed again.

use atoll_kernel::{
    Read, Registry,
    data::{Direction, Scan, Store},
    http::{ONCE, ReadLimits},
    limits::{IDEMPOTENCY_ANSWER_BYTES_MAX, IDEMPOTENCY_BYTES_PER_CLIENT_MAX},
};
use atoll_storage::{
    Span,
    engines::{Crash, EngineFault, Faulty, Memory, Switch},
};
use atoll_testkit::{Client, Shop, TestApp, pay};
use serde_json::{Value, json};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn keyed(client: &Client, key: &str) -> Client {
    client.clone().with_header("idempotency-key", key)
}

/// An admin with a token that does not expire within a day.
async fn server(shop: &Shop) -> Client {
    let key = shop.admin.post("/admin/api-keys", json!({ "title": "server", "type": "secret" })).await.ok();
    let token = key["api_key"]["token"].as_str().expect("a token");
    shop.app.client().with_header("authorization", &format!("Basic {token}"))
}

/// `200` and the record, or the error.
async fn post(client: &Client, path: &str, body: Value) -> String {
    let answer = client.post(path, body).await;
    if !answer.status.is_success() {
        return answer.error();
    }
    let id = answer.json.as_object().and_then(|it| it.values().find_map(|it| it["id"].as_str()));
    id.unwrap_or_else(|| panic!("no id in {}", answer.json)).to_owned()
}

#[tokio::test]
async fn repeated_write_gets_the_same_answer() {
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
    // The same key of another client is a key of its own.
    let theirs = post(&keyed(&other, "a"), "/store/carts", json!({ "email": "a@b.co" })).await;
    assert!(theirs.starts_with("cart_") && theirs != cart);
    assert_ne!(post(&one, "/store/carts", json!({ "email": "a@b.co" })).await, cart);

    // A line is added once.
    let line = json!({ "variant_id": tea.id, "quantity": 1 });
    let path = format!("/store/carts/{cart}/line-items");
    for _ in 0..3 {
        let added = keyed(&one, "b").post(&path, line.clone()).await.ok();
        assert_eq!(added["cart"]["items"][0]["quantity"], 1);
    }
    // Refusals are not stored: the request runs again, and the key may be used for another one.
    let refused = post(&keyed(&one, "c"), &path, line.clone()).await;
    assert!(refused.contains("insufficient_inventory"), "{refused}");
    let level = format!("/admin/inventory-items/{}/location-levels/{}", tea.item, shop.location);
    shop.admin.post(&level, json!({ "stocked_quantity": 9 })).await.ok();
    for _ in 0..2 {
        let added = keyed(&one, "c").post(&path, line.clone()).await.ok();
        assert_eq!(added["cart"]["items"][0]["quantity"], 2);
    }
    assert_eq!(
        post(&keyed(&one, "c"), &path, json!({ "variant_id": tea.id, "quantity": 2 })).await,
        used("c")
    );

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
async fn concurrent_requests_with_one_key_run_once() {
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
    let engine = Faulty::new(disk.clone(), EngineFault::None);
    let switch = engine.switch();
    let store = Store::open(engine, &Registry::linked().expect("a registry").spaces()).expect("a store");
    (TestApp::over(store, None).await, switch)
}

#[tokio::test]
async fn retry_after_a_crash_is_not_executed_again() {
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
    check(Crash::After, 1, "sc_").await;
}

/// Sends a write that crashes after its commit, and retries it with the next process.
async fn cut(
    shop: Shop,
    disk: &Memory,
    switch: &Switch,
    client: &Client,
    method: &str,
    path: &str,
    body: Value,
) -> (TestApp, Value) {
    let client = keyed(client, "cut");
    switch.arm(Crash::After);
    let send = async |client: &Client| client.send(method, path, body.to_string().into()).await;
    assert_eq!(send(&client).await.status, 500, "{method} {path}");
    drop(shop);
    let (app, _) = app_on(disk).await;
    let client = client.on(&app);
    let answer = send(&client).await.ok();
    // The new answer is stored.
    assert_eq!(send(&client).await.ok(), answer, "{method} {path}");
    (app, answer)
}

async fn shop_on(disk: &Memory) -> (Shop, Switch) {
    let (app, switch) = app_on(disk).await;
    (Shop::open(app).await, switch)
}

#[tokio::test]
async fn retry_after_a_crash_is_answered_from_the_records() {
    // One record, with the selected fields.
    let disk = Memory::default();
    let (shop, switch) = shop_on(&disk).await;
    let admin = shop.admin.clone();
    let path = "/admin/sales-channels?fields=name";
    let (_, made) = cut(shop, &disk, &switch, &admin, "POST", path, json!({ "name": "Cut" })).await;
    assert_eq!(made["sales_channel"]["name"], "Cut");
    assert_eq!(made["sales_channel"].as_object().map(|it| it.len()), Some(2), "{made}");

    // A deleted record.
    let disk = Memory::default();
    let (shop, switch) = shop_on(&disk).await;
    let (admin, channel) = (shop.admin.clone(), shop.channel("Web").await);
    let path = format!("/admin/sales-channels/{channel}");
    let (_, gone) = cut(shop, &disk, &switch, &admin, "DELETE", &path, json!({})).await;
    assert_eq!(gone, json!({ "id": channel, "object": "sales-channel", "deleted": true }));

    // Several records in one request.
    let disk = Memory::default();
    let (shop, switch) = shop_on(&disk).await;
    let (admin, old) = (shop.admin.clone(), shop.product("Old", &[], 1).await.product);
    let option = json!([{ "title": "Size", "values": ["S"] }]);
    let body = json!({ "create": [{ "title": "One", "options": option }, { "title": "Two", "options": option }], "update": [{ "id": old, "title": "New" }] });
    let (app, done) = cut(shop, &disk, &switch, &admin, "POST", "/admin/products/batch", body).await;
    let titles = |many: &Value| many.as_array().map(|all| all.iter().map(|it| it["title"].clone()).collect());
    assert_eq!(titles(&done["created"]), Some(vec![json!("One"), json!("Two")]));
    assert_eq!(titles(&done["updated"]), Some(vec![json!("New")]));
    assert_eq!(admin.on(&app).get("/admin/products").await.ok()["count"], 3);

    // A line of a deleted cart.
    let disk = Memory::default();
    let (shop, switch) = shop_on(&disk).await;
    let web = shop.channel("Web").await;
    let (storefront, tea) = (shop.storefront(&[&web]).await, shop.product("Tea", &[&web], 9).await);
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    let line = storefront.get(&format!("/store/carts/{cart}")).await.ok()["cart"]["items"][0]["id"].clone();
    let path = format!("/store/carts/{cart}/line-items/{}", line.as_str().expect("an id"));
    let (_, gone) = cut(shop, &disk, &switch, &storefront, "DELETE", &path, json!({})).await;
    assert_eq!((&gone["id"], &gone["parent"]["id"]), (&line, &json!(cart)));
    assert_eq!(gone["parent"]["items"], json!([]));
}

#[tokio::test]
async fn a_completed_cart_is_completed_once_over_a_crash() {
    let disk = Memory::default();
    let (shop, switch) = shop_on(&disk).await;
    let web = shop.channel("Web").await;
    let (storefront, tea) = (shop.storefront(&[&web]).await, shop.product("Tea", &[&web], 9).await);
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    pay(&storefront, &cart).await;
    let (admin, path) = (shop.admin.clone(), format!("/store/carts/{cart}/complete?fields=id"));
    let (app, done) = cut(shop, &disk, &switch, &storefront, "POST", &path, json!({})).await;
    assert_eq!(done["type"], "order");
    let orders = admin.on(&app).get("/admin/orders").await.ok();
    assert_eq!((&orders["count"], &orders["orders"][0]["id"]), (&json!(1), &done["order"]["id"]));
}

#[tokio::test]
async fn refused_completion_is_not_remembered() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    let path = format!("/store/carts/{cart}/complete");
    let completing = async || keyed(&storefront, "a").post(&path, json!({})).await;
    let refused = "400 invalid_data: Payment collection has not been initiated for cart";
    assert_eq!(completing().await.error(), refused);
    pay(&storefront, &cart).await;
    let order = completing().await.ok();
    assert_eq!(order["type"], "order");
    assert_eq!(completing().await.ok(), order);
}

/// An answer that failed does not mean that nothing was done.
#[tokio::test]
async fn refund_with_an_oversized_answer_is_not_repeated() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 2).await;
    pay(&storefront, &cart).await;
    let done = storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
    let order = format!(
        "/admin/orders/{}?fields=*payment_collections.payments",
        done["order"]["id"].as_str().expect("an id")
    );
    let shown = shop.admin.get(&order).await.ok();
    let collection = &shown["order"]["payment_collections"][0];
    let payment = format!("/admin/payments/{}", collection["payments"][0]["id"].as_str().expect("an id"));
    shop.admin.post(&format!("{payment}/capture"), json!({})).await.ok();
    let few = ReadLimits { keys_inline_max: 1, keys_max: 3, ..ReadLimits::default() };
    let app = TestApp::with_limits(shop.app.ctx.store().clone(), few).await;
    let refund = format!("{payment}/refund?fields=*payment_collection.payments.refunds");
    for client in [&shop.admin.on(&app), &shop.admin] {
        keyed(client, "a").post(&refund, json!({ "amount": 5 })).await;
    }
    let refunds = shop.admin.get(&format!("{payment}?fields=refunds.amount")).await.ok();
    assert_eq!(refunds["payment"]["refunds"].as_array().map(Vec::len), Some(1), "{refunds}");
}

/// Completing a cart whose prices have changed writes the new prices, and does not complete it.
#[tokio::test]
async fn completion_after_a_price_change_is_not_remembered() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    pay(&storefront, &cart).await;
    let variant = format!("/admin/products/{}/variants/{}", tea.product, tea.id);
    shop.admin.post(&variant, json!({ "prices": [{ "currency_code": "eur", "amount": 12 }] })).await.ok();
    let path = format!("/store/carts/{cart}/complete");
    let completing = async || keyed(&storefront, "a").post(&path, json!({})).await;
    let refused = completing().await.error();
    assert!(refused.starts_with("409 prices_changed"), "{refused}");
    pay(&storefront, &cart).await;
    let order = completing().await.ok();
    assert_eq!((&order["type"], &order["order"]["total"]), (&json!("order"), &json!(12)));
    assert_eq!(completing().await.ok(), order);
}

/// Everything that is stored, key by key.
fn stored(app: &TestApp, prefix: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut add = |key: &[u8], value: &[u8]| {
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value);
        Ok(Scan::Continue(()))
    };
    let span = Span { start: prefix.to_vec(), end: None };
    let view = app.ctx.view();
    view.scan(&span, Direction::Ascending, &mut |key, value| match key.starts_with(prefix) {
        true => add(key, value),
        false => Ok(Scan::Break(())),
    })
    .expect("a store");
    bytes
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|it| it == text.as_bytes())
}

#[tokio::test]
async fn secrets_are_answered_once_and_stored_nowhere() {
    let shop = Shop::open(TestApp::init().await).await;
    let once = shop.app.ctx.view().prefix(ONCE);
    let check = async |key: &str, path: &str, body: Value, token: &str, prefix: &[u8]| {
        let admin = keyed(&shop.admin, key);
        let made = admin.post(path, body.clone()).await.ok();
        let secret = made.pointer(token).and_then(Value::as_str).expect("a token");
        assert!(secret.len() > 20 && !holds(&stored(&shop.app, prefix), secret), "{path}");
        assert_eq!(
            admin.post(path, body).await.error(),
            format!(
                "409 conflict (invalid_state_error): The request with the Idempotency-Key {key} was done; its answer \
                 cannot be made again: the answer held a secret, which is shown once"
            )
        );
        made
    };
    let key = json!({ "title": "server", "type": "secret" });
    check("a", "/admin/api-keys", key, "/api_key/token", &[]).await;
    let invite = json!({ "email": "eve@test.dev" });
    let made = check("b", "/admin/invites", invite, "/invite/token", &once).await;
    let resend = format!("/admin/invites/{}/resend", made["invite"]["id"].as_str().expect("an id"));
    check("c", &resend, json!({}), "/invite/token", &once).await;
    // One that is public is no secret.
    let admin = keyed(&shop.admin, "d");
    let key = json!({ "title": "web", "type": "publishable" });
    let made = admin.post("/admin/api-keys", key.clone()).await.ok();
    assert_eq!(admin.post("/admin/api-keys", key).await.ok(), made);
    let keys = shop.admin.get("/admin/api-keys?title[]=server&title[]=web").await.ok();
    assert_eq!(keys["count"], 2);
}

#[tokio::test]
async fn kept_answers_are_limited_in_size_and_per_client() {
    let shop = Shop::open(TestApp::init().await).await;
    let admin = server(&shop).await;
    let n_bytes = || stored(&shop.app, &shop.app.ctx.view().prefix(ONCE)).len();
    // Larger than the limit of a stored answer: it is made again.
    let large = json!({ "name": "Large", "metadata": { "note": "x".repeat(IDEMPOTENCY_ANSWER_BYTES_MAX) } });
    let made = keyed(&admin, "large").post("/admin/sales-channels", large.clone()).await.ok();
    assert!(n_bytes() < 2000, "{} bytes", n_bytes());
    assert_eq!(keyed(&admin, "large").post("/admin/sales-channels", large).await.ok(), made);
    assert!(n_bytes() < 2000, "{} bytes", n_bytes());

    let n_answers = 40;
    let body = |n: usize| json!({ "name": format!("{n}"), "metadata": { "note": "x".repeat(IDEMPOTENCY_ANSWER_BYTES_MAX / 2) } });
    let mut answers = Vec::new();
    for n in 0..n_answers {
        let client = keyed(&admin, &format!("{n}"));
        answers.push(client.post("/admin/sales-channels", body(n)).await.ok());
    }
    let budget = usize::try_from(IDEMPOTENCY_BYTES_PER_CLIENT_MAX).expect("a few");
    assert!(n_bytes() < budget + n_answers * 1000, "{} bytes", n_bytes());
    // The answer is the same, whether it was stored or not.
    for (n, answer) in answers.iter().enumerate() {
        let client = keyed(&admin, &format!("{n}"));
        assert_eq!(&client.post("/admin/sales-channels", body(n)).await.ok(), answer);
    }
    // Another client has a budget of its own, and after a day there is room again.
    let before = n_bytes();
    keyed(&shop.admin, "a").post("/admin/sales-channels", body(100)).await.ok();
    assert!(n_bytes() > before + IDEMPOTENCY_ANSWER_BYTES_MAX / 2);
    shop.app.advance_ms(DAY_MS);
    shop.app.ctx.forget_answers(1000).await.expect("a write");
    assert_eq!(n_bytes(), 0);
    keyed(&admin, "b").post("/admin/sales-channels", body(101)).await.ok();
    assert!(n_bytes() > IDEMPOTENCY_ANSWER_BYTES_MAX / 2);
}

/// Anonymous shoppers of one publishable key have budgets by network.
#[tokio::test]
async fn one_network_does_not_use_up_the_budget_of_a_storefront() {
    let spaces = Registry::linked().expect("a registry").spaces();
    let store = Store::open(Memory::default(), &spaces).expect("a store");
    let shop = Shop::open(TestApp::behind(store, "10.0.0.0/8").await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    let from = |ip: &str| storefront.clone().from_peer("10.0.0.9").with_header("x-forwarded-for", ip);
    let n_bytes = || stored(&shop.app, &shop.app.ctx.view().prefix(ONCE)).len();
    let open = async |client: &Client, key: &str| {
        let body = json!({ "metadata": { "note": "x".repeat(15_000) } });
        keyed(client, key).post("/store/carts", body).await.ok()
    };
    let (one, other) = (from("198.51.100.7"), from("203.0.113.7"));
    for n in 0..IDEMPOTENCY_BYTES_PER_CLIENT_MAX / 15_000 {
        open(&one, &format!("{n}")).await;
    }
    let used_up = n_bytes();
    open(&one, "of one").await;
    assert!(n_bytes() < used_up + 2000, "the answer was kept");
    let answer = open(&other, "of another").await;
    assert!(n_bytes() > used_up + 15_000, "the answer was not kept");
    // A retry from another network gets the same answer.
    assert_eq!(open(&one, "of another").await, answer);
}

#[tokio::test]
async fn done_request_without_a_kept_answer_is_409() {
    let shop = Shop::open(TestApp::init().await).await;
    let admin = keyed(&shop.admin, "a");
    let large = json!({ "name": "Large", "metadata": { "note": "x".repeat(IDEMPOTENCY_ANSWER_BYTES_MAX) } });
    let made = admin.post("/admin/sales-channels", large.clone()).await.ok();
    let id = made["sales_channel"]["id"].as_str().expect("an id");
    shop.admin.delete(&format!("/admin/sales-channels/{id}")).await.ok();
    assert_eq!(
        admin.post("/admin/sales-channels", large).await.error(),
        format!(
            "409 conflict (invalid_state_error): The request with the Idempotency-Key a was done; its answer cannot \
             be made again: {id} was deleted since"
        )
    );
}

/// The stored answers of a customer are scoped to the publishable key of a channel.
#[tokio::test]
async fn idempotency_keys_are_per_channel_for_customers() {
    let shop = Shop::open(TestApp::init().await).await;
    let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
    let (web_key, till_key) = (shop.key(&[&web]).await, shop.key(&[&till]).await);
    let ann = shop.customer(&shop.app.storefront(&web_key), "ann@test.dev").await;
    let through = |key: &str| keyed(&ann, "a").with_header("x-publishable-api-key", key);
    let open = async |key: &str| {
        let made = through(key).post("/store/carts?fields=id,sales_channel_id", json!({})).await.ok();
        (made["cart"]["id"].clone(), made["cart"]["sales_channel_id"].clone())
    };
    let (first, second) = (open(&web_key).await, open(&till_key).await);
    assert_eq!((&first.1, &second.1), (&json!(web), &json!(till)));
    assert_ne!(first.0, second.0);
    assert_eq!((open(&web_key).await, open(&till_key).await), (first, second));

    // Nor is an order answered there.
    let tea = shop.product("Tea", &[&web], 9).await;
    let here = ann.clone().with_header("x-publishable-api-key", &web_key);
    let cart = shop.cart(&here, &tea.id, 1).await;
    pay(&here, &cart).await;
    let path = format!("/store/carts/{cart}/complete");
    assert_eq!(through(&web_key).post(&path, json!({})).await.status, 422, "the key opened a cart");
    let completing = async |key: &str| keyed(&through(key), "b").post(&path, json!({})).await;
    assert_eq!(completing(&web_key).await.ok()["type"], "order");
    let there = completing(&till_key).await.error();
    assert_eq!(there, format!("404 not_found: Cart with id '{cart}' not found"));
}

/// Two registered identities without accounts share the publishable key and nothing else.
#[tokio::test]
async fn idempotency_keys_of_registrations_are_separate() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    let (ann, bob) =
        (shop.newcomer(&storefront, "ann@test.dev").await, shop.newcomer(&storefront, "bob@test.dev").await);
    let who = json!({ "email": "ann@test.dev", "first_name": "Ann" });
    keyed(&ann, "a").post("/store/customers", who.clone()).await.ok();
    let other = keyed(&bob, "a").post("/store/customers", who).await;
    assert_eq!(
        other.error(),
        "400 invalid_data: Customer with email: ann@test.dev, has_account: true, already exists."
    );
}

#[tokio::test]
async fn idempotency_keys_expire() {
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
    // A key that is used again stays.
    shop.app.advance_ms(1);
    let again = post(&keyed(&admin, "key 3"), "/admin/sales-channels", json!({ "name": "again" })).await;
    assert!(again.starts_with("sc_"), "{again}");
    assert_eq!(ctx.forget_answers(9).await.expect("a write"), 0);
    assert_eq!(
        post(&keyed(&admin, "key 3"), "/admin/sales-channels", json!({ "name": "again" })).await,
        again
    );
}
