//! Promotions and taxes on carts: what a code does from the cart to the order and back, what a tax region
//! does to totals, and that the last use of a promotion is used once.

use std::{sync::Arc, time::Duration};

use atoll_testkit::{Client, Shop, Variant, complete, id, pay};
use serde_json::{Value, json};
use tokio::{sync::Barrier, time::timeout};

struct Scene {
    shop: Shop,
    storefront: Client,
    tea: Variant,
}

impl Scene {
    async fn open() -> Scene {
        let (shop, web, storefront) = Shop::web().await;
        let tea = shop.product("Tea", &[&web], 99).await;
        Scene { shop, storefront, tea }
    }

    /// A promotion of 10 % off the order, by its id.
    async fn ten_percent(&self, code: &str, more: Value) -> String {
        let method =
            json!({ "type": "percentage", "target_type": "order", "value": 10, "allocation": "across" });
        let mut body = json!({
            "code": code, "type": "standard", "status": "active", "application_method": method,
        });
        body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        id(&self.shop.admin.post("/admin/promotions", body).await.ok()["promotion"])
    }

    /// German value added tax on everything.
    async fn tax(&self) {
        let rate = json!({ "rate": 19, "code": "de19", "name": "MwSt" });
        let body = json!({ "country_code": "de", "provider_id": "tp_system", "default_tax_rate": rate });
        self.shop.admin.post("/admin/tax-regions", body).await.ok();
    }

    async fn used(&self, promotion: &str) -> Value {
        self.shop.admin.get(&format!("/admin/promotions/{promotion}")).await.ok()["promotion"]["used"].clone()
    }

    /// A cart with two of the tea, at 10 euros each.
    async fn cart(&self) -> String {
        self.shop.cart(&self.storefront, &self.tea.id, 2).await
    }

    async fn change(&self, cart: &str, path: &str, body: Value) -> Value {
        self.storefront.post(&format!("/store/carts/{cart}{path}"), body).await.ok()["cart"].clone()
    }
}

fn sums(shown: &Value) -> [&Value; 5] {
    ["subtotal", "discount_subtotal", "discount_total", "tax_total", "total"].map(|it| &shown[it])
}

#[tokio::test]
async fn code_discounts_the_cart_and_the_order_and_is_given_back() {
    let scene = Scene::open().await;
    scene.tax().await;
    let ten = scene.ten_percent("TEN", json!({})).await;
    let cart = scene.cart().await;
    let address = json!({ "shipping_address": { "country_code": "de" } });
    let taxed = scene.change(&cart, "", address).await;
    assert_eq!(sums(&taxed), [&json!(20), &json!(0), &json!(0), &json!(3.8), &json!(23.8)]);
    let discounted = scene.change(&cart, "/promotions", json!({ "promo_codes": ["TEN"] })).await;
    assert_eq!(sums(&discounted), [&json!(20), &json!(2), &json!(2.38), &json!(3.42), &json!(21.42)]);
    assert_eq!(discounted["promotions"][0]["code"], "TEN");
    assert_eq!(discounted["promotions"][0]["used"], Value::Null, "how often it is used is for admins");
    let line = &discounted["items"][0];
    assert_eq!((&line["adjustments"][0]["amount"], &line["tax_lines"][0]["rate"]), (&json!(2), &json!(19)));
    assert_eq!(scene.used(&ten).await, 0);

    pay(&scene.storefront, &cart).await;
    let order = complete(&scene.storefront, &cart).await.ok()["order"].clone();
    assert_eq!(sums(&order), [&json!(20), &json!(2), &json!(2.38), &json!(3.42), &json!(21.42)]);
    assert_eq!(order["payment_collections"][0]["amount"], 21.42);
    assert_eq!(scene.used(&ten).await, 1);
    let cancel = format!("/admin/orders/{}/cancel", id(&order));
    scene.shop.admin.post(&cancel, json!({})).await.ok();
    assert_eq!(scene.used(&ten).await, 0);
}

#[tokio::test]
async fn codes_are_added_replaced_and_removed() {
    let scene = Scene::open().await;
    scene.ten_percent("TEN", json!({})).await;
    scene.ten_percent("LATER", json!({ "status": "draft" })).await;
    let cart = scene.cart().await;
    let path = format!("/store/carts/{cart}");
    let unknown =
        scene.storefront.post(&format!("{path}/promotions"), json!({ "promo_codes": ["ten"] })).await;
    assert_eq!(unknown.error(), "400 invalid_data: The promotion code ten is invalid");
    let both = scene.change(&cart, "/promotions", json!({ "promo_codes": ["TEN", "LATER"] })).await;
    assert_eq!((&both["total"], &both["promotions"][1]), (&json!(18), &Value::Null), "a draft does nothing");
    let none = scene.change(&cart, "", json!({ "promo_codes": [] })).await;
    assert_eq!(none["total"], 20);
    let again = scene.change(&cart, "", json!({ "promo_codes": ["TEN"] })).await;
    assert_eq!(again["total"], 18);
    let removed = json!({ "promo_codes": ["TEN"] }).to_string();
    let removed = scene.storefront.send("DELETE", &format!("{path}/promotions"), removed.into()).await.ok();
    assert_eq!(removed["cart"]["total"], 20);
}

#[tokio::test]
async fn a_body_full_of_codes_takes_no_longer_than_a_few() {
    let scene = Scene::open().await;
    scene.ten_percent("TEN", json!({})).await;
    let cart = scene.cart().await;
    let many: Vec<String> = (0..100_000).map(|n| format!("CODE{n}")).collect();
    let path = format!("/store/carts/{cart}/promotions");
    let refused = scene.storefront.post(&path, json!({ "promo_codes": many }));
    let refused = timeout(Duration::from_secs(30), refused).await.expect("an answer in time");
    assert_eq!(refused.error(), "400 invalid_data: A cart takes at most 20 promotion codes");
    let again = scene.change(&cart, "/promotions", json!({ "promo_codes": vec!["TEN"; 100_000] })).await;
    assert_eq!(again["total"], 18);
}

#[tokio::test]
async fn region_without_automatic_taxes_is_taxed_when_asked() {
    let scene = Scene::open().await;
    scene.tax().await;
    let region = format!("/admin/regions/{}", scene.shop.region);
    scene.shop.admin.post(&region, json!({ "automatic_taxes": false })).await.ok();
    let cart = scene.cart().await;
    let path = format!("/store/carts/{cart}/taxes");
    let nowhere = scene.storefront.post(&path, json!({})).await;
    assert_eq!(nowhere.error(), "400 invalid_data: country code is required to calculate taxes");
    let address = json!({ "shipping_address": { "country_code": "de" } });
    assert_eq!(scene.change(&cart, "", address).await["tax_total"], 0);
    assert_eq!(scene.change(&cart, "/taxes", json!({})).await["tax_total"], 3.8);
    let more = json!({ "variant_id": scene.tea.id, "quantity": 1 });
    assert_eq!(scene.change(&cart, "/line-items", more).await["tax_total"], 5.7, "what comes later, too");
}

/// Of many carts that have the discount of the last use, one is completed with it; the others are told that
/// their price has changed, and are charged nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn last_use_of_a_promotion_is_used_once() {
    const N_BUYERS: usize = 16;
    let scene = Scene::open().await;
    let last = scene.ten_percent("LAST", json!({ "limit": 1 })).await;
    let together = Arc::new(Barrier::new(N_BUYERS));
    let mut buyers = Vec::new();
    for _ in 0..N_BUYERS {
        let cart = scene.cart().await;
        let discounted = scene.change(&cart, "/promotions", json!({ "promo_codes": ["LAST"] })).await;
        assert_eq!(discounted["total"], 18);
        let (storefront, together) = (scene.storefront.clone(), together.clone());
        buyers.push(tokio::spawn(async move {
            pay(&storefront, &cart).await;
            together.wait().await;
            storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await
        }));
    }
    let (mut n_orders, mut n_refused) = (0, 0);
    for buyer in buyers {
        let answer = buyer.await.expect("a buyer");
        match answer.json["type"].as_str() {
            Some("order") => {
                assert_eq!(answer.json["order"]["total"], 18);
                n_orders += 1;
            }
            _ => {
                assert_eq!((answer.status.as_u16(), &answer.json["type"]), (409, &json!("prices_changed")));
                n_refused += 1;
            }
        }
    }
    assert_eq!((n_orders, n_refused, scene.used(&last).await), (1, N_BUYERS - 1, json!(1)));
    assert_eq!(scene.shop.admin.get("/admin/orders").await.ok()["count"], 1);
}

#[tokio::test]
async fn customer_group_has_its_own_prices_and_promotions() {
    let scene = Scene::open().await;
    let (admin, ann) = (&scene.shop.admin, scene.shop.customer(&scene.storefront, "ann@test.dev").await);
    let group =
        id(&admin.post("/admin/customer-groups", json!({ "name": "VIP" })).await.ok()["customer_group"]);
    let me = id(&ann.get("/store/customers/me").await.ok()["customer"]);
    let members = format!("/admin/customer-groups/{group}/customers");
    admin.post(&members, json!({ "add": [me] })).await.ok();
    let price = json!({ "variant_id": scene.tea.id, "currency_code": "eur", "amount": 7 });
    let list = json!({
        "title": "VIP", "description": "For VIPs", "status": "active", "type": "override",
        "rules": { "customer.groups.id": [group] }, "prices": [price],
    });
    admin.post("/admin/price-lists", list).await.ok();
    let rule = json!({ "attribute": "customer.groups.id", "operator": "in", "values": [group] });
    scene.ten_percent("VIP10", json!({ "is_automatic": true, "rules": [rule] })).await;

    let cart = scene.cart().await;
    let guest = scene.change(&cart, "", json!({ "locale": "en-GB" })).await;
    assert_eq!((&guest["subtotal"], &guest["total"]), (&json!(20), &json!(20)));
    let taken = ann.post(&format!("/store/carts/{cart}/customer"), json!({})).await.ok()["cart"].clone();
    assert_eq!((&taken["subtotal"], &taken["total"]), (&json!(14), &json!(12.6)));

    // Who types the address of a member who has no account yet is nobody's member.
    let bob =
        admin.post("/admin/customers", json!({ "email": "bob@test.dev" })).await.ok()["customer"].clone();
    admin.post(&members, json!({ "add": [bob["id"]] })).await.ok();
    let cart = scene.cart().await;
    let typed = scene.change(&cart, "", json!({ "email": "bob@test.dev" })).await;
    assert_eq!((&typed["customer"]["id"], &typed["total"]), (&bob["id"], &json!(20)));
}

#[tokio::test]
async fn rules_on_what_buyers_type_hold_in_any_case() {
    let scene = Scene::open().await;
    let rule = |attribute: &str, operator: &str, value: &str| json!([{ "attribute": attribute, "operator": operator, "values": [value] }]);
    let abroad = rule("shipping_address.country_code", "ne", "de");
    scene.ten_percent("ABROAD", json!({ "is_automatic": true, "rules": abroad })).await;
    scene.ten_percent("ANN", json!({ "rules": rule("email", "eq", "ann@test.dev") })).await;
    let cart = scene.cart().await;
    for (country, total) in [("de", 20), ("DE", 20), ("fr", 18)] {
        let address = json!({ "shipping_address": { "country_code": country } });
        assert_eq!(scene.change(&cart, "", address).await["total"], total, "{country}");
    }
    let home = json!({
        "shipping_address": { "country_code": "de" }, "email": "Ann@Test.dev", "promo_codes": ["ANN"],
    });
    assert_eq!(scene.change(&cart, "", home).await["total"], 18);
}
