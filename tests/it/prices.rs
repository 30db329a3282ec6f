//! Prices of cart lines: those of the last change, and never one that was not shown.

use std::sync::Arc;

use atoll_testkit::{Client, Shop, Variant, complete, id, pay};
use serde_json::{Value, json};
use tokio::sync::Barrier;

struct Scene {
    shop: Shop,
    web: String,
    storefront: Client,
    tea: Variant,
    cup: Variant,
}

impl Scene {
    async fn open() -> Scene {
        let (shop, web, storefront) = Shop::web().await;
        let (tea, cup) = (shop.product("Tea", &[&web], 99).await, shop.product("Cup", &[&web], 99).await);
        Scene { shop, web, storefront, tea, cup }
    }

    /// Sets the prices of a variant.
    async fn set_prices(&self, variant: &Variant, prices: Value) {
        let path = format!("/admin/products/{}/variants/{}", variant.product, variant.id);
        self.shop.admin.post(&path, json!({ "prices": prices })).await.ok();
    }

    async fn set_price(&self, variant: &Variant, amount: i64) {
        self.set_prices(variant, json!([{ "currency_code": "eur", "amount": amount }])).await;
    }

    /// A cart with one of each.
    async fn cart(&self) -> String {
        let line = |it: &Variant| json!({ "variant_id": it.id, "quantity": 1 });
        self.shop.cart_of(&self.storefront, json!([line(&self.tea), line(&self.cup)])).await
    }

    async fn shown(&self, cart: &str) -> Value {
        self.storefront.get(&format!("/store/carts/{cart}")).await.ok()["cart"].clone()
    }

    /// Unit prices and total: `10 10: 20`.
    async fn prices(&self, cart: &str) -> String {
        let cart = self.shown(cart).await;
        let lines = cart["items"].as_array().into_iter().flatten();
        let prices: Vec<String> = lines.map(|it| it["unit_price"].to_string()).collect();
        format!("{}: {}", prices.join(" "), cart["total"])
    }

    async fn complete(&self, cart: &str) -> atoll_testkit::Answer {
        self.storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await
    }
}

#[tokio::test]
async fn changing_a_cart_reprices_all_lines() {
    let scene = Scene::open().await;
    let cart = scene.cart().await;
    scene.set_price(&scene.tea, 11).await;
    scene.set_price(&scene.cup, 12).await;
    assert_eq!(scene.prices(&cart).await, "10 10: 20");
    assert_eq!(scene.prices(&cart).await, "10 10: 20", "reading changes nothing");
    let path = format!("/store/carts/{cart}");
    scene.storefront.post(&path, json!({ "metadata": { "a": 1 } })).await.ok();
    assert_eq!(scene.prices(&cart).await, "11 12: 23");
    scene.set_price(&scene.cup, 13).await;
    let lines = scene.shown(&cart).await["items"].clone();
    let line = format!("{path}/line-items/{}", id(&lines[0]));
    scene.storefront.post(&line, json!({ "quantity": 2 })).await.ok();
    assert_eq!(scene.prices(&cart).await, "11 13: 35");
    scene.set_price(&scene.tea, 10).await;
    let more = json!({ "variant_id": scene.cup.id, "quantity": 1 });
    scene.storefront.post(&format!("{path}/line-items"), more).await.ok();
    assert_eq!(scene.prices(&cart).await, "10 13: 46");
}

#[tokio::test]
async fn changing_customer_or_region_reprices_all_lines() {
    let scene = Scene::open().await;
    let customer = scene.shop.customer(&scene.storefront, "ann@test.dev").await;
    let isle = json!({ "name": "Isle", "currency_code": "eur", "countries": ["gb"] });
    let isle = id(&scene.shop.admin.post("/admin/regions", isle).await.ok()["region"]);
    for (client, path, body) in [
        (&scene.storefront, "", json!({ "email": "guest@test.dev" })),
        (&scene.storefront, "", json!({ "region_id": isle })),
        (&customer, "/customer", json!({})),
    ] {
        scene.set_price(&scene.tea, 10).await;
        let cart = scene.cart().await;
        pay(&scene.storefront, &cart).await;
        scene.set_price(&scene.tea, 13).await;
        client.post(&format!("/store/carts/{cart}{path}"), body.clone()).await.ok();
        assert_eq!(scene.prices(&cart).await, "13 10: 23", "{body}");
        let collection = scene.shown(&cart).await["payment_collection"].clone();
        assert_eq!(
            (&collection["amount"], &collection["payment_sessions"]),
            (&json!(23), &json!([])),
            "{body}"
        );
    }
}

/// A line whose price was deleted stays over a login, an address and new prices; it cannot be bought, nor
/// moved to a region.
#[tokio::test]
async fn line_without_a_current_price_keeps_its_price_and_cannot_be_bought() {
    let scene = Scene::open().await;
    let customer = scene.shop.customer(&scene.storefront, "ann@test.dev").await;
    let isle = json!({ "name": "Isle", "currency_code": "eur", "countries": ["gb"] });
    let isle = id(&scene.shop.admin.post("/admin/regions", isle).await.ok()["region"]);
    let gone = format!("400 invalid_data: Variants with IDs {} do not have a price", scene.cup.id);
    for (client, path, body) in [
        (&scene.storefront, "", json!({ "email": "guest@test.dev" })),
        (&customer, "/customer", json!({})),
        (&scene.storefront, "/complete", json!({})),
    ] {
        scene.set_price(&scene.tea, 10).await;
        scene.set_price(&scene.cup, 10).await;
        let cart = scene.cart().await;
        pay(&scene.storefront, &cart).await;
        scene.set_price(&scene.tea, 13).await;
        scene.set_prices(&scene.cup, json!([])).await;
        let answer = client.post(&format!("/store/carts/{cart}{path}"), body).await;
        assert_eq!(answer.status, if path == "/complete" { 409 } else { 200 }, "{path} {}", answer.json);
        assert_eq!(scene.prices(&cart).await, "13 10: 23", "{path}");
        let moved =
            scene.storefront.post(&format!("/store/carts/{cart}"), json!({ "region_id": isle })).await;
        assert_eq!(moved.error(), gone, "{path}");
        pay(client, &cart).await;
        let completed = client.post(&format!("/store/carts/{cart}/complete"), json!({})).await;
        assert_eq!(completed.error(), gone, "{path}");
    }
}

#[tokio::test]
async fn price_update_by_id_does_not_duplicate_it() {
    let scene = Scene::open().await;
    let path = format!("/admin/products/{}/variants/{}", scene.tea.product, scene.tea.id);
    let prices = async || {
        let shown = scene.shop.admin.get(&format!("{path}?fields=*prices")).await.ok();
        let prices = shown["variant"]["prices"].as_array().expect("prices").clone();
        let mut prices: Vec<(String, Value)> =
            prices.iter().map(|it| (id(it), it["amount"].clone())).collect();
        prices.sort_by_key(|(_, amount)| amount.to_string());
        prices
    };
    let before = prices().await;
    let named = &before[0].0;
    let twice = json!({ "prices": [{ "id": named, "amount": 1 }, { "id": named, "amount": 2 }] });
    let refused = format!("400 invalid_data: Price with id: {named} is named twice");
    assert_eq!(scene.shop.admin.post(&path, twice).await.error(), refused);
    assert_eq!(prices().await, before);
    // A price with the same currency, quantities and rules is the same one, at any position.
    let euros = |amount: i64| json!({ "currency_code": "eur", "amount": amount });
    scene.set_prices(&scene.tea, json!([euros(5), { "id": named, "amount": 6 }, euros(7)])).await;
    let after = prices().await;
    assert_eq!(after.iter().map(|it| it.1.clone()).collect::<Vec<_>>(), [5, 6, 7]);
    assert_eq!(&after[1].0, named);
    assert!(after[0].0 != after[2].0 && after[0].0 != *named && after[2].0 != *named, "{after:?}");
    // Without ids, each price stays at most once.
    scene.set_prices(&scene.tea, json!([euros(5), euros(6), euros(7), euros(8)])).await;
    let ids: std::collections::BTreeSet<String> = prices().await.into_iter().map(|it| it.0).collect();
    assert_eq!(ids.len(), 4);
    assert!(after.iter().all(|it| ids.contains(&it.0)));
}

#[tokio::test]
async fn completion_refuses_prices_that_changed() {
    let scene = Scene::open().await;
    let cart = scene.cart().await;
    pay(&scene.storefront, &cart).await;
    scene.set_price(&scene.tea, 1000).await;
    let answer = scene.complete(&cart).await;
    let text = format!(
        "Prices in cart {cart} have changed since they were shown. Show the cart again, and pay what it comes to."
    );
    assert_eq!(answer.status, 409);
    assert_eq!(answer.json, json!({ "type": "prices_changed", "code": "prices_changed", "message": text }));
    assert_eq!(scene.prices(&cart).await, "1000 10: 1010");
    let collection = scene.shown(&cart).await["payment_collection"].clone();
    assert_eq!(
        (&collection["amount"], &collection["status"], &collection["payment_sessions"]),
        (&json!(1010), &json!("not_paid"), &json!([]))
    );
    assert_eq!(scene.shop.admin.get("/admin/orders").await.ok()["count"], 0);
    assert_eq!(scene.shop.reserved(&scene.tea.item).await, "0 of 99");
    assert_eq!(
        scene.complete(&cart).await.error(),
        "400 invalid_data: Payment sessions are required to complete cart"
    );
    let order = complete(&scene.storefront, &cart).await.ok()["order"].clone();
    assert_eq!((&order["total"], &order["payment_collections"][0]["amount"]), (&json!(1010), &json!(1010)));
    // Later price changes do not affect an order.
    scene.set_price(&scene.tea, 1).await;
    assert_eq!(scene.complete(&cart).await.ok()["order"], order);
}

#[tokio::test]
async fn cart_is_completed_when_only_a_crossed_out_price_changed() {
    let scene = Scene::open().await;
    let price = json!({ "variant_id": scene.tea.id, "currency_code": "eur", "amount": 7 });
    let sale = json!({ "title": "Sale", "description": "d", "status": "active", "prices": [price] });
    scene.shop.admin.post("/admin/price-lists", sale).await.ok();
    let cart = scene.cart().await;
    pay(&scene.storefront, &cart).await;
    scene.set_price(&scene.tea, 12).await;
    // The order has what the buyer was shown.
    let order = scene.complete(&cart).await.ok()["order"].clone();
    let line = &order["items"][0];
    assert_eq!([&line["unit_price"], &line["compare_at_unit_price"]], [&json!(7), &json!(10)], "{order}");
    assert_eq!(order["total"], 17);
    // A new cart shows the new one, and a changed one as well.
    let (cart, other) = (scene.cart().await, scene.cart().await);
    scene.set_price(&scene.tea, 13).await;
    let crossed_out = async |cart: &str| scene.shown(cart).await["items"][0]["compare_at_unit_price"].clone();
    assert_eq!(crossed_out(&cart).await, 12);
    scene.storefront.post(&format!("/store/carts/{other}"), json!({ "metadata": { "a": 1 } })).await.ok();
    assert_eq!(crossed_out(&other).await, 13);
}

/// Free variants, and variants without a price.
#[tokio::test]
async fn price_of_zero_is_a_price() {
    let scene = Scene::open().await;
    scene.set_price(&scene.tea, 0).await;
    let free = async || scene.shop.cart(&scene.storefront, &scene.tea.id, 1).await;
    assert_eq!(scene.complete(&free().await).await.ok()["order"]["total"], 0);
    let (becomes_dear, loses_its_price) = (free().await, free().await);
    scene.set_price(&scene.tea, 5).await;
    assert_eq!(scene.complete(&becomes_dear).await.status, 409);
    assert_eq!(
        scene.complete(&becomes_dear).await.error(),
        "400 invalid_data: Payment collection has not been initiated for cart"
    );
    scene.set_price(&scene.tea, 0).await;
    assert_eq!(scene.complete(&becomes_dear).await.status, 409, "less is a change, too");
    assert_eq!(scene.complete(&becomes_dear).await.ok()["order"]["total"], 0);
    scene.set_prices(&scene.tea, json!([{ "currency_code": "usd", "amount": 5 }])).await;
    let no_price = format!("400 invalid_data: Variants with IDs {} do not have a price", scene.tea.id);
    assert_eq!(scene.complete(&loses_its_price).await.error(), no_price);
    assert_eq!(scene.prices(&loses_its_price).await, "0: 0", "the cart is as it was");
}

/// The price of a hidden variant reveals nothing.
#[tokio::test]
async fn variant_of_another_channel_is_unknown_whatever_its_price() {
    let scene = Scene::open().await;
    let cart = scene.cart().await;
    scene.set_price(&scene.tea, 1000).await;
    let path = format!("/admin/sales-channels/{}/products", scene.web);
    scene.shop.admin.post(&path, json!({ "remove": [scene.tea.product] })).await.ok();
    let hidden = format!(
        "400 invalid_data: Variants {} do not exist or belong to a product that is not published",
        scene.tea.id
    );
    assert_eq!(scene.complete(&cart).await.error(), hidden);
    assert_eq!(scene.prices(&cart).await, "10 10: 20");
}

/// While the price changes concurrently, buyers pay the price that they were shown, or get 409.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_price_changes_never_charge_unseen_prices() {
    const N_BUYERS: usize = 32;
    let scene = Arc::new(Scene::open().await);
    let together = Arc::new(Barrier::new(N_BUYERS + 1));
    let mut buyers = Vec::new();
    for _ in 0..N_BUYERS {
        let cart = scene.shop.cart(&scene.storefront, &scene.tea.id, 1).await;
        let (scene, together) = (scene.clone(), together.clone());
        buyers.push(tokio::spawn(async move {
            together.wait().await;
            loop {
                pay(&scene.storefront, &cart).await;
                let seen = scene.shown(&cart).await;
                let session = seen["payment_collection"]["payment_sessions"][0]["amount"].clone();
                let answer = scene.complete(&cart).await;
                if answer.status.is_success() {
                    let order = &answer.json["order"];
                    assert_eq!(
                        (&order["total"], &seen["total"], &session),
                        (&seen["total"], &session, &order["total"])
                    );
                    return;
                }
                assert_eq!(answer.json["type"], "prices_changed", "{}", answer.json);
            }
        }));
    }
    together.wait().await;
    for round in 0..20 {
        scene.set_price(&scene.tea, if round % 2 == 0 { 1000 } else { 1 }).await;
    }
    for buyer in buyers {
        buyer.await.expect("a buyer");
    }
    let orders =
        scene.shop.admin.get("/admin/orders?limit=100&fields=id,total,*payment_collections").await.ok();
    assert_eq!(orders["count"], N_BUYERS);
    for order in orders["orders"].as_array().into_iter().flatten() {
        assert_eq!(order["payment_collections"][0]["authorized_amount"], order["total"], "{order}");
    }
}
