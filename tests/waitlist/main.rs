//! Store routes of a module of a third party: they show and change what the channel of the key shows and
//! sells, and nothing else.

mod careless;
mod module;
mod remembering;
mod writing;

use atoll_kernel::Timestamp;
use atoll_testkit::{Shop, TestApp, complete, id, isolation};
use serde_json::json;

async fn two_channels() -> (Shop, String, String) {
    let shop = Shop::open(TestApp::init().await).await;
    let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
    (shop, web, till)
}

#[tokio::test]
async fn custom_store_routes_hide_stock_prices_and_keys() {
    let (shop, web, till) = two_channels().await;
    let both = shop.key(&[&web, &till]).await;
    let storefront = shop.storefront(&[&web]).await;
    let tea = shop.product("Tea", &[&web, &till], 7531).await;
    let request = json!({ "variant_id": tea.id, "email": "a@b.co", "quantity": 9999 });
    let request = id(&storefront.post("/store/stock-requests", request).await.ok()["stock_request"]);
    for (what, fields, secret) in [
        ("a key", "variant.product.sales_channels.publishable_api_keys.token", both.as_str()),
        ("the channels", "variant.product.sales_channels_link.sales_channel_id", &till),
        ("stock", "*variant.inventory_items.inventory.location_levels", "7531"),
        ("stock", "variant.inventory.location_levels.stocked_quantity", "7531"),
        ("stock", "*variant.inventory.location_levels.stock_locations", &shop.location),
        ("prices", "*variant.price_set", "amount"),
        ("prices", "variant.prices", "amount"),
        ("a hidden field", "email", "a@b.co"),
    ] {
        for path in [format!("/store/stock-requests/{request}"), "/store/stock-requests".to_owned()] {
            let shown = storefront.get(&format!("{path}?fields=id,{fields}")).await.ok().to_string();
            assert!(shown.contains(&request), "{path} shows nothing at all, so it proves nothing");
            assert!(!shown.contains(secret), "{what} by {fields}: {shown}");
        }
    }
}

#[tokio::test]
async fn careless_store_routes_stay_behind_the_wall() {
    let (shop, web, till) = two_channels().await;
    let storefront = shop.storefront(&[&web]).await;
    let tea = shop.product("Tea", &[&web], 7531).await;
    shop.product("Other", &[&till], 1).await;
    for path in ["/store/careless/levels", "/store/careless/keys"] {
        assert_eq!(storefront.get(path).await.ok()["count"], 0, "{path}");
    }
    // Orders are listed to their customer, whoever has a key of the channel.
    let (ada, bob) = (shop.customer(&storefront, "a@b.co").await, shop.customer(&storefront, "b@b.co").await);
    let cart = shop.cart(&ada, &tea.id, 1).await;
    complete(&ada, &cart).await.ok();
    for (client, n) in [(&ada, 1), (&bob, 0), (&storefront, 0)] {
        assert_eq!(client.get("/store/careless/orders").await.ok()["count"], n);
    }
    for fields in ["", "?fields=%2Bprices,%2Bproduct.sales_channels.publishable_api_keys.token"] {
        let shown = storefront.get(&format!("/store/careless/variants{fields}")).await.ok();
        let variants = json!([{ "id": tea.id, "title": "One" }]);
        assert_eq!((&shown["count"], &shown["variants"]), (&json!(1), &variants), "{fields}");
    }
}

#[tokio::test]
async fn scope_tells_what_is_shown_what_it_costs_and_whether_it_is_sold() {
    let (shop, web, till) = two_channels().await;
    let (tea, other) = (shop.product("Tea", &[&web], 5).await, shop.product("Other", &[&till], 5).await);
    let storefront = shop.storefront(&[&web]).await;
    let customer = shop.customer(&storefront, "c@test.dev").await;
    let region = json!({ "default_region_id": shop.region });
    let stores = shop.admin.get("/admin/stores").await.ok();
    let quote = format!("/store/stock-quotes/{}", tea.id);
    assert_eq!(
        storefront.get(&quote).await.error(),
        "400 invalid_data: Missing required pricing context to calculate prices - region_id"
    );
    shop.admin.post(&format!("/admin/stores/{}", id(&stores["stores"][0])), region).await.ok();
    let hidden = format!("404 not_found: Product variant with id: {} was not found", other.id);
    for client in [&storefront, &customer] {
        assert_eq!(client.get(&quote).await.ok(), json!({ "amount": 10, "can_be_bought": true }));
        assert_eq!(client.get(&format!("/store/stock-quotes/{}", other.id)).await.error(), hidden);
        let wants = async |variant: &str, quantity: u32| {
            let body = json!({ "variant_id": variant, "email": "a@b.co", "quantity": quantity });
            client.post("/store/stock-requests", body).await
        };
        assert_eq!(wants(&other.id, 9).await.error(), hidden);
        assert_eq!(
            wants(&tea.id, 5).await.error(),
            format!("400 invalid_data: 5 of {} can be bought now", tea.id)
        );
        let request = &wants(&tea.id, 6).await.ok()["stock_request"];
        assert_eq!((&request["quantity"], &request["variant"]["id"]), (&json!(6), &json!(tea.id)));
    }
    // The price of a group is for its members.
    let group = shop.admin.post("/admin/customer-groups", json!({ "name": "Friends" })).await.ok();
    let group = id(&group["customer_group"]);
    let member = id(&customer.get("/store/customers/me").await.ok()["customer"]);
    let members = format!("/admin/customer-groups/{group}/customers");
    shop.admin.post(&members, json!({ "add": [member] })).await.ok();
    let list = json!({
        "title": "Friends", "description": "d", "status": "active", "rules": { "customer.groups.id": [group] },
        "prices": [{ "variant_id": tea.id, "currency_code": "eur", "amount": 7 }],
    });
    shop.admin.post("/admin/price-lists", list).await.ok();
    for (client, amount) in [(&storefront, 10), (&customer, 7)] {
        assert_eq!(client.get(&quote).await.ok()["amount"], amount);
    }
    // A key of another channel is not told of them, nor how many there are.
    let till = shop.storefront(&[&till]).await;
    assert_eq!(till.get("/store/stock-requests").await.ok()["count"], 0);
    assert_eq!(storefront.get("/store/stock-requests").await.ok()["count"], 2);
    assert_eq!(shop.storefront(&[]).await.get("/store/stock-requests").await.ok()["count"], 0);
}

#[tokio::test]
async fn a_preview_reaches_custom_store_routes_and_writes_nothing() {
    let (shop, web, _) = two_channels().await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let region = json!({ "default_region_id": shop.region });
    let stores = shop.admin.get("/admin/stores").await.ok();
    shop.admin.post(&format!("/admin/stores/{}", id(&stores["stores"][0])), region).await.ok();
    let secret = shop.admin.post("/admin/api-keys", json!({ "title": "s", "type": "secret" })).await.ok();
    let basic = format!("Basic {}", secret["api_key"]["token"].as_str().expect("a token"));
    let (now, storefront) = (shop.app.ctx.now(), shop.storefront(&[&web]).await);
    let later = now.plus_millis(60_000);
    let window = format!("/admin/sales-channels/{web}/products/{}", tea.product);
    shop.admin.post(&window, json!({ "available_from": later })).await.ok();
    let at = |time: Timestamp| {
        let client = storefront.clone().with_header("x-atoll-preview-at", &time.to_string());
        client.with_header("authorization", &basic)
    };
    let quote = format!("/store/stock-quotes/{}", tea.id);
    let hidden = format!("404 not_found: Product variant with id: {} was not found", tea.id);
    assert_eq!(at(now).get(&quote).await.error(), hidden);
    assert_eq!(at(later).get(&quote).await.ok(), json!({ "amount": 10, "can_be_bought": true }));
    let body = json!({ "variant_id": tea.id, "email": "a@b.co", "quantity": 9 });
    assert_eq!(
        at(later).post("/store/stock-requests", body).await.error(),
        "400 invalid_data: The header x-atoll-preview-at is for reading alone"
    );
}

#[tokio::test]
async fn store_routes_of_modules_are_in_the_isolation_matrix() {
    isolation::reads().await;
    isolation::ends().await;
    isolation::writes().await;
}

#[tokio::test]
async fn lists_search_the_relations_that_a_module_adds() {
    let (shop, web, _) = two_channels().await;
    let made = shop.admin.post("/admin/collections", json!({ "title": "Summer" })).await.ok();
    let summer = id(&made["collection"]);
    let tea = shop.product("Tea", &[&web], 1).await;
    shop.product("Cup", &[&web], 1).await;
    let add = json!({ "add": [tea.product] });
    shop.admin.post(&format!("/admin/collections/{summer}/products"), add).await.ok();
    for list in [(&shop.admin, "/admin/products"), (&shop.storefront(&[&web]).await, "/store/products")] {
        for (q, count) in [("summer", 1), ("summer%20tea", 1), ("ummer", 1), ("summer%20cup", 0), ("cup", 1)]
        {
            let found = list.0.get(&format!("{}?q={q}&fields=id", list.1)).await.ok();
            assert_eq!(found["count"], count, "{q} in {}", list.1);
        }
    }
}
