//! The wall: what a publishable key sees ends at its channels.

use std::sync::Arc;

use atoll_availability::ChannelScope;
use atoll_kernel::query::{Env, ListQuery, list};
use atoll_testkit::{Shop, TestApp, complete};
use serde_json::json;

async fn two_channels() -> (Shop, String, String) {
    let shop = Shop::open(TestApp::init().await).await;
    let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
    (shop, web, till)
}

#[tokio::test]
async fn key_types_authorise_their_own_routes_only() {
    let (shop, web, _) = two_channels().await;
    let key = shop.key(&[&web]).await;
    let bare = shop.key(&[]).await;
    let secret = json!({ "title": "server", "type": "secret" });
    let secret = shop.admin.post("/admin/api-keys", secret).await.ok();
    let secret = secret["api_key"]["token"].as_str().expect("a token");
    let required = "400 not_allowed: Publishable API key required in the request header: \
                    x-publishable-api-key. You can manage your keys in settings in the dashboard.";
    let invalid = "400 not_allowed: A valid publishable key is required to proceed with the request";
    for path in ["/store/products", "/store/carts/cart_x", "/store/orders/order_x", "/store/nothing-here"] {
        assert_eq!(shop.app.client().get(path).await.error(), required);
        assert_eq!(shop.app.storefront(" ").get(path).await.error(), required);
        assert_eq!(shop.app.storefront("pk_nobody").get(path).await.error(), invalid);
        assert_eq!(shop.app.storefront(secret).get(path).await.error(), invalid);
    }
    assert_eq!(
        shop.app.storefront(&bare).get("/store/products").await.error(),
        "400 invalid_data: Publishable key needs to have a sales channel configured"
    );
    let path = "/store/products?fields=id";
    assert_eq!(shop.app.storefront(&key).get(path).await.ok()["count"], 0);

    // Revoked in the future, and now.
    let keys = shop.admin.get(&format!("/admin/api-keys?token={key}")).await.ok();
    let revoke = format!("/admin/api-keys/{}/revoke", keys["api_keys"][0]["id"].as_str().expect("an id"));
    shop.admin.post(&revoke, json!({ "revoke_in": 60 })).await.ok();
    shop.app.storefront(&key).get(path).await.ok();
    shop.app.advance_ms(60_001);
    assert_eq!(
        shop.app.storefront(&key).get(path).await.error(),
        "400 not_allowed: The publishable key was revoked. A valid publishable key is required to proceed with the \
         request"
    );
}

/// No store route leads to carts, orders and channels of others today; the wall also limits a route that
/// will.
#[tokio::test]
async fn relations_are_limited_to_records_of_the_channel() {
    let (shop, web, till) = two_channels().await;
    let key = shop.key(&[&web]).await;
    let (ctx, view) = (&shop.app.ctx, shop.app.ctx.view());
    let scope = ChannelScope::admit(ctx, &view, Some(&key)).expect("a store").expect("a scope");
    let context = ctx.unconfined(ctx.now()).within(Arc::new(scope));
    for (channel, expected) in [(&web, true), (&till, false)] {
        let storefront = shop.storefront(&[channel]).await;
        let tea = shop.product(&format!("Tea {expected}"), &[channel], 1).await;
        let cart = shop.cart(&storefront, &tea.id, 1).await;
        let order = complete(&storefront, &cart).await.ok()["order"]["id"].clone();
        let order = order.as_str().expect("an id");
        let view = ctx.view();
        for (entity, id) in [("sales_channel", channel.as_str()), ("cart", &cart), ("order", order)] {
            let node = ctx.graph().table(entity).node(&view, id).expect("a store").expect("a record");
            let env = Env { view: &view, graph: ctx.graph(), context: &context };
            assert_eq!(env.shows(&node).expect("a store"), expected, "{entity}");
        }
    }
}

#[tokio::test]
async fn records_of_a_disabled_channel_are_hidden_from_its_keys_except_carts_and_orders_by_their_ids() {
    let (shop, web, till) = two_channels().await;
    let ctx = &shop.app.ctx;
    let tea = shop.product("Tea", &[&web], 1).await;
    let cart = shop.cart(&shop.storefront(&[&web]).await, &tea.id, 1).await;
    let key = shop.key(&[&web, &till]).await;
    for is_disabled in [false, true] {
        let channel = format!("/admin/sales-channels/{web}");
        shop.admin.post(&channel, json!({ "is_disabled": is_disabled })).await.ok();
        let view = ctx.view();
        let scope = ChannelScope::admit(ctx, &view, Some(&key)).expect("a store").expect("a scope");
        let context = ctx.unconfined(ctx.now()).within(Arc::new(scope));
        let env = Env { view: &view, graph: ctx.graph(), context: &context };
        let shows = |entity: &str, id: &str| {
            let node = env.graph.table(entity).node(&view, id).expect("a store").expect("a record");
            env.shows(&node).expect("a store")
        };
        assert_eq!(shows("sales_channel", &web), !is_disabled);
        assert!(shows("sales_channel", &till) && shows("cart", &cart));
        let all = ListQuery { limit: 10, ..ListQuery::default() };
        let page = list(&env, env.graph.entity("sales_channel").expect("an entity"), all).expect("a list");
        assert_eq!(page.count, if is_disabled { 1 } else { 2 });
    }
}

#[tokio::test]
async fn store_products_are_those_of_the_channels_of_the_key() {
    let (shop, web, till) = two_channels().await;
    let tea = shop.product("Tea", &[&web], 1).await;
    let both = shop.product("Both", &[&web, &till], 1).await;
    let draft = shop.product("Draft", &[&web], 1).await;
    shop.product("Nowhere", &[], 1).await;
    shop.admin.post(&format!("/admin/products/{}", draft.product), json!({ "status": "draft" })).await.ok();
    let lists = async |channels: &[&str], query: &str| {
        let storefront = shop.storefront(channels).await;
        let list = storefront.get(&format!("/store/products?fields=title{query}")).await;
        if !list.status.is_success() {
            return list.error();
        }
        let products = list.json["products"].as_array().expect("a list").iter();
        let titles: Vec<&str> = products.map(|it| it["title"].as_str().expect("a title")).collect();
        format!("{} of {}", titles.join(" "), list.json["count"])
    };
    assert_eq!(lists(&[&web], "").await, "Tea Both of 2");
    assert_eq!(lists(&[&till], "").await, "Both of 1");
    assert_eq!(lists(&[&web, &till], "").await, "Tea Both of 2");
    assert_eq!(lists(&[&web, &till], &format!("&sales_channel_id[]={till}")).await, "Both of 1");
    assert_eq!(lists(&[&web], "&order=-title").await, "Tea Both of 2");
    assert_eq!(lists(&[&web], "&limit=1&offset=1").await, "Both of 2");
    assert_eq!(lists(&[&till], "&q=tea").await, " of 0");
    assert_eq!(lists(&[&till], &format!("&id={}", tea.product)).await, " of 0");
    assert_eq!(lists(&[&till], "&handle=tea").await, " of 0");
    assert_eq!(
        lists(&[&till], &format!("&sales_channel_id={web}")).await,
        "400 invalid_data: Requested sales channel is not part of the publishable key"
    );
    // The list of channels is not public.
    let storefront = shop.storefront(&[&web]).await;
    let path = format!("/store/products/{}?fields=id,*sales_channels,*sales_channels_link", both.product);
    let shown = json!({ "product": { "id": both.product, "categories": [] } });
    assert_eq!(storefront.get(&path).await.ok(), shown);
}

#[tokio::test]
async fn a_disabled_channel_shows_and_sells_nothing() {
    let (shop, web, _) = two_channels().await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    let channel = format!("/admin/sales-channels/{web}");
    shop.admin.post(&channel, json!({ "is_disabled": true })).await.ok();

    assert_eq!(storefront.get("/store/products").await.ok()["count"], 0);
    let product = format!("/store/products/{}", tea.product);
    assert_eq!(
        storefront.get(&product).await.error(),
        format!("404 not_found: Product with id: {} was not found", tea.product)
    );
    let line = json!({ "variant_id": tea.id, "quantity": 1 });
    let disabled = "400 not_allowed: Sales channel Web is disabled";
    assert_eq!(
        storefront.post(&format!("/store/carts/{cart}/line-items"), line.clone()).await.error(),
        disabled
    );
    assert_eq!(complete(&storefront, &cart).await.error(), disabled);
    assert_eq!(
        storefront.post("/store/carts", json!({ "items": [line] })).await.error(),
        "400 invalid_data: Unable to assign cart to disabled Sales Channel: Web"
    );
    assert_eq!(shop.reserved(&tea.item).await, "0 of 5");

    shop.admin.post(&channel, json!({ "is_disabled": false })).await.ok();
    assert_eq!(storefront.get("/store/products").await.ok()["count"], 1);
    complete(&storefront, &cart).await.ok();
}

#[tokio::test]
async fn carts_and_orders_of_other_channels_do_not_exist() {
    let (shop, web, till) = two_channels().await;
    let tea = shop.product("Tea", &[&web, &till], 5).await;
    let (own, other) = (shop.storefront(&[&web]).await, shop.storefront(&[&till]).await);
    let cart = shop.cart(&own, &tea.id, 1).await;
    let line = &own.get(&format!("/store/carts/{cart}")).await.ok()["cart"]["items"][0]["id"];
    let line = line.as_str().expect("an id");
    let not_found = format!("404 not_found: Cart id not found: {cart}");
    let add = json!({ "variant_id": tea.id, "quantity": 1 });
    let path = format!("/store/carts/{cart}");
    assert_eq!(other.get(&path).await.error(), format!("404 not_found: Cart with id '{cart}' not found"));
    assert_eq!(other.post(&format!("{path}/line-items"), add).await.error(), not_found);
    assert_eq!(
        other.post(&format!("{path}/line-items/{line}"), json!({ "quantity": 2 })).await.error(),
        not_found
    );
    assert_eq!(other.delete(&format!("{path}/line-items/{line}")).await.error(), not_found);
    assert_eq!(
        other.post(&format!("{path}/complete"), json!({})).await.error(),
        format!("404 not_found: Cart with id '{cart}' not found")
    );
    let order = complete(&own, &cart).await.ok();
    let order = order["order"]["id"].as_str().expect("an id");
    own.get(&format!("/store/orders/{order}")).await.ok();
    assert_eq!(
        other.get(&format!("/store/orders/{order}")).await.error(),
        format!("404 not_found: Order id not found: {order}")
    );
}

#[tokio::test]
async fn deleting_a_channel_hides_its_carts() {
    let (shop, web, _) = two_channels().await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    shop.admin.delete(&format!("/admin/sales-channels/{web}")).await.ok();
    assert_eq!(
        storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.error(),
        format!("404 not_found: Cart with id '{cart}' not found")
    );
    assert_eq!(
        storefront.post("/store/carts", json!({})).await.error(),
        "400 invalid_data: Publishable key needs to have a sales channel configured"
    );
}

#[tokio::test]
async fn fields_and_sorting_do_not_reveal_other_channels() {
    let (shop, web, till) = two_channels().await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let shed = shop.admin.post("/admin/stock-locations", json!({ "name": "Shed" })).await.ok();
    let shed = shed["stock_location"]["id"].as_str().expect("an id").to_owned();
    shop.admin
        .post(&format!("/admin/stock-locations/{shed}/sales-channels"), json!({ "add": [till] }))
        .await
        .ok();
    shop.stock(&tea.item, &shed, 100).await;
    let storefront = shop.storefront(&[&web]).await;
    let product = format!("/store/products/{}", tea.product);
    let quantity = format!("{product}?fields=variants.inventory_quantity");
    assert_eq!(storefront.get(&quantity).await.ok()["product"]["variants"][0]["inventory_quantity"], 5);

    // Prices of other regions, locations and channels are not offered.
    for fields in [
        "variants.prices",
        "variants.price_set.prices.amount",
        "variants.inventory_items.inventory.location_levels.stocked_quantity",
        "variants.product.status",
        "sales_channels_link.sales_channel_id",
        "*categories.products",
    ] {
        let shown = storefront.get(&format!("{product}?fields=id,{fields}")).await.ok();
        let text = shown["product"].to_string();
        assert!(
            !text.contains("100") && !text.contains("amount") && !text.contains("sc_"),
            "{fields}: {text}"
        );
    }
    for order in ["sales_channels.name", "variants.price_set.prices.amount", "variants.sku"] {
        assert_eq!(
            storefront.get(&format!("/store/products?order={order}")).await.error(),
            format!("400 invalid_data: Order field {order} is not valid")
        );
    }
    // Changes of a product after it was added to the cart are not shown, since the channel does not sell it
    // any more.
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    let secret = json!({ "status": "draft", "title": "Secret", "metadata": { "cost": 3 } });
    shop.admin.post(&format!("/admin/products/{}", tea.product), secret).await.ok();
    let fields = "*items,*items.product,*items.variant,items.variant.inventory_quantity,*sales_channel";
    let shown = storefront.get(&format!("/store/carts/{cart}?fields={fields}")).await.ok();
    let item = &shown["cart"]["items"][0];
    assert_eq!((&item["title"], &item["variant"]), (&json!("Tea"), &serde_json::Value::Null));
    assert!(!shown.to_string().contains("Secret") && !shown.to_string().contains("cost"), "{shown}");
    let shown = storefront.get(&format!("/store/carts/{cart}")).await.ok();
    assert_eq!(shown["cart"]["items"][0]["product"], serde_json::Value::Null);
    assert_eq!(shown["cart"]["items"][0]["product_id"], json!(tea.product));
}

#[tokio::test]
async fn fields_order_and_limit_are_bounded() {
    let (shop, web, _) = two_channels().await;
    shop.product("Tea", &[&web], 5).await;
    let storefront = shop.storefront(&[&web]).await;
    let deep = vec!["a"; 30_000].join(".");
    assert_eq!(storefront.get(&format!("/store/products?fields=id,{deep}")).await.ok()["count"], 1);
    let around = vec!["variants.product"; 2_000].join(".");
    let order = format!("/admin/products?order={around}.title");
    assert!(shop.admin.get(&order).await.error().starts_with("400 invalid_data: Order field"));
    assert_eq!(storefront.get("/store/products?limit=999999999").await.ok()["limit"], 1000);
    assert_eq!(shop.admin.get("/admin/products?limit=5000").await.ok()["limit"], 5000);
    let regions = storefront.get("/store/regions?with_deleted=true").await.ok();
    shop.admin.delete(&format!("/admin/regions/{}", shop.region)).await.ok();
    assert_eq!(
        (&regions["count"], &storefront.get("/store/regions?with_deleted=true").await.ok()["count"]),
        (&json!(1), &json!(0))
    );
}
