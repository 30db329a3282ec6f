//! Customers: registration, login, carts and addresses.

use atoll_testkit::{Client, Shop, TestApp};
use serde_json::{Value, json};

struct Scene {
    shop: Shop,
    web: String,
    storefront: Client,
    tea: String,
}

impl Scene {
    async fn new() -> Scene {
        let shop = Shop::open(TestApp::init().await).await;
        let web = shop.channel("Web").await;
        let storefront = shop.storefront(&[&web]).await;
        let tea = shop.product("Tea", &[&web], 9).await.id;
        Scene { shop, web, storefront, tea }
    }

    async fn cart(&self, client: &Client) -> String {
        self.shop.cart(client, &self.tea, 1).await
    }
}

async fn check(client: &Client, path: &str, body: Value, expected: &str) {
    assert_eq!(client.post(path, body.clone()).await.error(), expected, "{path} {body}");
}

#[tokio::test]
async fn registration_field_lengths_are_limited() {
    let client = TestApp::init().await.client();
    let register = async |email: &str, password: &str| {
        let body = json!({ "email": email, "password": password });
        client.post("/auth/customer/emailpass/register", body).await
    };
    let refused = "400 invalid_data: Password must have 8 to 1024 characters";
    for password in ["", "seven77", &"x".repeat(1025)] {
        assert_eq!(register("ann@test.dev", password).await.error(), refused);
    }
    register("ann@test.dev", "eight888").await.ok();
    let refused = "400 invalid_data: Email must have 320 characters at most";
    assert_eq!(register(&format!("{}@test.dev", "a".repeat(312)), "eight888").await.error(), refused);
}

#[tokio::test]
async fn registration_creates_a_customer_who_can_log_in() {
    let Scene { shop, storefront, .. } = Scene::new().await;
    let (register, login) = ("/auth/customer/emailpass/register", "/auth/customer/emailpass");
    let ann = json!({ "email": "Ann@Test.dev ", "password": "supersecret" });
    let nobody = "401 unauthorized: Invalid email or password";
    check(&storefront, login, ann.clone(), nobody).await;
    let newcomer = shop.newcomer(&storefront, "Ann@Test.dev ").await;
    // A registered identity without an account can create its customer, and nothing else.
    assert_eq!(newcomer.get("/store/customers/me").await.error(), "401 -: Unauthorized");
    assert_eq!(newcomer.get("/admin/users/me").await.error(), "401 -: Unauthorized");
    let who = json!({ "email": "Ann@Test.dev", "first_name": "Ann", "metadata": { "a": 1 } });
    let made = newcomer.post("/store/customers", who.clone()).await.ok();
    assert_eq!(made["customer"]["email"], "ann@test.dev");
    assert_eq!(made["customer"]["has_account"], true);
    let taken = "400 invalid_data: Customer with email: ann@test.dev, has_account: true, already exists.";
    check(&newcomer, "/store/customers", who.clone(), taken).await;
    let twice = "400 invalid_data: Key customer_id already exists in app metadata";
    check(&newcomer, "/store/customers", json!({ "email": "second@test.dev" }), twice).await;
    check(&storefront, register, ann.clone(), "401 unauthorized: Identity with email already exists").await;
    // Addresses are compared without case and surrounding space.
    let token = storefront.post(login, ann).await.ok()["token"].clone();
    let ann =
        storefront.with_header("authorization", &format!("Bearer {}", token.as_str().expect("a token")));
    check(&ann, "/store/customers", who, "400 invalid_data: Request already authenticated as a customer.")
        .await;
    assert_eq!(ann.get("/store/customers/me").await.ok()["customer"]["first_name"], "Ann");
    let changed = ann.post("/store/customers/me", json!({ "first_name": "Anna", "phone": null })).await.ok();
    assert_eq!(changed["customer"]["first_name"], "Anna");
    check(
        &ann,
        "/store/customers/me",
        json!({ "email": "other@test.dev" }),
        "400 invalid_data: Invalid request: Unrecognized fields: 'email'",
    )
    .await;
    assert_eq!(ann.get("/admin/products").await.error(), "401 -: Unauthorized");
}

#[tokio::test]
async fn cart_belongs_to_the_logged_in_customer() {
    let scene = Scene::new().await;
    let Scene { shop, storefront, .. } = &scene;
    let (ann, bob) =
        (shop.customer(storefront, "ann@test.dev").await, shop.customer(storefront, "bob@test.dev").await);
    let me = async |client: &Client| client.get("/store/customers/me").await.ok()["customer"]["id"].clone();
    let (ann_id, bob_id) = (me(&ann).await, me(&bob).await);
    let owner = async |cart: &str| {
        let cart = storefront.get(&format!("/store/carts/{cart}?fields=email,customer_id")).await.ok();
        (cart["cart"]["customer_id"].clone(), cart["cart"]["email"].clone())
    };
    let of_ann = scene.cart(&ann).await;
    assert_eq!(owner(&of_ann).await, (ann_id.clone(), json!("ann@test.dev")));
    // Customer fields in the body are ignored.
    let forged = storefront.post("/store/carts", json!({ "customer_id": ann_id })).await;
    assert_eq!(forged.error(), "400 invalid_data: Invalid request: Unrecognized fields: 'customer_id'");
    // A guest's cart can be taken over by a customer who logs in.
    let cart = scene.cart(storefront).await;
    assert_eq!(owner(&cart).await, (Value::Null, Value::Null));
    let path = format!("/store/carts/{cart}");
    storefront.post(&path, json!({ "email": "Guest@test.dev" })).await.ok();
    let (guest, _) = owner(&cart).await;
    assert!(guest.is_string() && guest != ann_id && guest != bob_id);
    let taken = format!("{path}/customer");
    check(storefront, &taken, json!({}), "401 -: Unauthorized").await;
    ann.post(&taken, json!({})).await.ok();
    ann.post(&taken, json!({})).await.ok();
    assert_eq!(owner(&cart).await, (ann_id.clone(), json!("ann@test.dev")));
    check(&bob, &taken, json!({}), &format!("400 not_allowed: Cart {cart} belongs to another customer"))
        .await;
    // The order belongs to the customer as well.
    let order = atoll_testkit::complete(&ann, &cart).await.ok()["order"].clone();
    let order = format!("/admin/orders/{}?fields=customer_id", order["id"].as_str().expect("an id"));
    assert_eq!(shop.admin.get(&order).await.ok()["order"]["customer_id"], ann_id);
    let done = bob.post(&taken, json!({})).await;
    assert_eq!(done.error(), format!("400 invalid_data: Cart {cart} is already completed."));
    // For keys of another channel the cart does not exist.
    let till = shop.channel("Till").await;
    let there = shop.customer(&shop.storefront(&[&till]).await, "eve@test.dev").await;
    let of_web = scene.cart(storefront).await;
    let taken = format!("/store/carts/{of_web}/customer");
    check(&there, &taken, json!({}), &format!("404 not_found: Cart id not found: {of_web}")).await;
    assert!(scene.web != till);
}

#[tokio::test]
async fn customers_see_and_change_only_their_own_addresses() {
    let Scene { shop, storefront, .. } = Scene::new().await;
    let (ann, bob) =
        (shop.customer(&storefront, "ann@test.dev").await, shop.customer(&storefront, "bob@test.dev").await);
    let path = "/store/customers/me/addresses";
    let add = async |city: &str| {
        let body = json!({ "city": city, "country_code": "ch", "is_default_shipping": true });
        ann.post(path, body).await.ok();
        let found = ann.get(&format!("{path}?city={city}")).await.ok();
        assert_eq!(found["count"], 1);
        found["addresses"][0]["id"].as_str().expect("an id").to_owned()
    };
    let (bern, basel) = (add("Bern").await, add("Basel").await);
    let defaults = async || {
        let list = ann.get(&format!("{path}?order=city")).await.ok();
        let is_default = |it: &Value| (it["city"].clone(), it["is_default_shipping"].clone());
        json!(list["addresses"].as_array().expect("a list").iter().map(is_default).collect::<Vec<_>>())
    };
    // At most one is the default.
    assert_eq!(defaults().await, json!([["Basel", true], ["Bern", false]]));
    let bern = format!("{path}/{bern}");
    ann.post(&bern, json!({ "is_default_shipping": true, "phone": "1" })).await.ok();
    assert_eq!(defaults().await, json!([["Basel", false], ["Bern", true]]));
    // Addresses of other customers do not exist.
    let unknown = format!("404 not_found: Address with id: {basel} was not found");
    let basel_path = format!("{path}/{basel}");
    assert_eq!(bob.get(path).await.ok()["count"], 0);
    assert_eq!(bob.get(&basel_path).await.error(), unknown);
    assert_eq!(bob.delete(&basel_path).await.error(), unknown);
    check(&bob, &basel_path, json!({ "city": "Bonn" }), &unknown).await;
    let gone = ann.delete(&basel_path).await.ok();
    assert_eq!(gone["deleted"], true);
    assert_eq!(gone["parent"]["addresses"].as_array().map(Vec::len), Some(1));
    assert_eq!(ann.get(&basel_path).await.error(), unknown);
}

#[tokio::test]
async fn a_customer_sees_their_orders_of_the_channels_of_the_key() {
    let scene = Scene::new().await;
    let ann = scene.shop.customer(&scene.storefront, "ann@test.dev").await;
    let bob = scene.shop.customer(&scene.storefront, "bob@test.dev").await;
    let buy = async |client: &Client| {
        let cart = scene.cart(client).await;
        atoll_testkit::complete(client, &cart).await.ok()["order"]["id"].clone()
    };
    let (first, second) = (buy(&ann).await, buy(&ann).await);
    buy(&bob).await;
    let orders = async |client: &Client| {
        let me = client.get("/store/customers/me?fields=*orders").await.ok()["customer"].clone();
        assert!(me["email"].is_string(), "{me}");
        let orders = me["orders"].as_array().cloned().expect("a list");
        let orders: Vec<Value> = orders.into_iter().map(|it| json!([it["id"], it["total"]])).collect();
        orders
    };
    assert_eq!(orders(&ann).await, [json!([first, 10]), json!([second, 10])]);
    // The same customer, at a storefront of another channel.
    let till = scene.shop.channel("Till").await;
    let key = scene.shop.key(&[&till]).await;
    let token = scene
        .storefront
        .post("/auth/customer/emailpass", json!({ "email": "ann@test.dev", "password": "supersecret" }));
    let token = format!("Bearer {}", token.await.ok()["token"].as_str().expect("a token"));
    let elsewhere = scene.shop.app.storefront(&key).with_header("authorization", &token);
    assert_eq!(orders(&elsewhere).await, [json!(null); 0]);
    // Relations do not lead further.
    let wide = "fields=*orders.items,*orders.customer.orders,*orders.sales_channel";
    let shown = ann.get(&format!("/store/customers/me?{wide}")).await.ok();
    assert!(
        !shown.to_string().contains("bob@test.dev") && !shown.to_string().contains(&scene.web),
        "{shown}"
    );
}

/// Everything that clients can add to has a limit.
#[tokio::test]
async fn customer_and_address_sizes_are_limited() {
    let Scene { shop, storefront, tea, .. } = Scene::new().await;
    let ann = shop.customer(&storefront, "ann@test.dev").await;
    let path = "/store/customers/me/addresses";
    let first = json!({ "city": "Bonn", "is_default_shipping": true });
    ann.post(path, first).await.ok();
    let large = json!({ "city": "Bonn", "metadata": { "note": "x".repeat(40_000) } });
    let refused = ann.post(path, large.clone()).await.error();
    assert!(refused.starts_with("400 invalid_data: CustomerAddress has 40"), "{refused}");
    let refused = ann.post("/store/customers/me", json!({ "metadata": large["metadata"] })).await.error();
    assert!(refused.starts_with("400 invalid_data: Customer has 40"), "{refused}");
    for _ in 1..100 {
        ann.post(path, json!({ "city": "Bonn" })).await.ok();
    }
    let one_more = json!({ "city": "Bonn", "is_default_shipping": true });
    assert_eq!(
        ann.post(path, one_more).await.error(),
        "400 invalid_data: a customer has at most 100 addresses"
    );
    let defaults = ann.get(&format!("{path}?limit=200&fields=is_default_shipping")).await.ok();
    let defaults = defaults["addresses"].as_array().expect("addresses").iter();
    assert_eq!(defaults.filter(|it| it["is_default_shipping"] == true).count(), 1);

    // Each line of 16 kB is allowed, but forty exceed the limit of a cart.
    let cart = shop.cart(&ann, &tea, 1).await;
    let line = |n: usize| json!({ "n": n, "note": "x".repeat(16_000) });
    let mut refused = None;
    let mut n_added = 0;
    for n in 0..40 {
        let body = json!({ "variant_id": tea, "quantity": 0.1, "metadata": line(n) });
        let answer = ann.post(&format!("/store/carts/{cart}/line-items"), body).await;
        if !answer.status.is_success() {
            refused = Some(answer.error());
            break;
        }
        n_added += 1;
    }
    let refused = refused.expect("a cart has an end");
    assert!(refused.starts_with("400 invalid_data: Cart has 5"), "{n_added}: {refused}");
    // It can still be reduced and changed.
    let shown = ann.get(&format!("/store/carts/{cart}")).await.ok();
    let last = shown["cart"]["items"][n_added]["id"].as_str().expect("a line").to_owned();
    ann.delete(&format!("/store/carts/{cart}/line-items/{last}")).await.ok();
}
