//! The promises of sales channels, top to bottom, as the descriptions that founded this project make them. A
//! binary of its own, since the module that its last promises need is linked into it alone: the example of
//! the README.

use atoll_auth::PasswordHash;
use atoll_flows::user::{CREATE_USERS, NewUser};
use atoll_kernel::{Actor, Registry, data::Store, registry::Flags};
use atoll_sale_channels::OPEN_CHANNELS;
use atoll_storage::engines::Memory;
use atoll_testkit::{Client, Shop, TestApp, complete, id};
use serde_json::{Value, json};

async fn open() -> Shop {
    Shop::open(TestApp::init().await).await
}

/// Titles of the products that a storefront lists, sorted.
async fn listed(storefront: &Client) -> String {
    let list = storefront.get("/store/products?fields=title&order=title").await.ok();
    let products = list["products"].as_array().expect("a list").iter();
    products.map(|it| it["title"].as_str().expect("a title")).collect::<Vec<_>>().join(", ")
}

/// A sales channel is a record of its own: a name, a description, whether it is disabled, and free data.
#[tokio::test]
async fn channels_are_created_read_changed_and_deleted() {
    let shop = open().await;
    let web = json!({
        "name": "Web", "description": "The shop on the web", "is_disabled": false, "metadata": { "colour": "blue" },
    });
    let made = &shop.admin.post("/admin/sales-channels", web.clone()).await.ok()["sales_channel"];
    let path = format!("/admin/sales-channels/{}", id(made));
    let read = &shop.admin.get(&path).await.ok()["sales_channel"];
    for field in ["name", "description", "is_disabled", "metadata"] {
        assert_eq!((&made[field], &read[field]), (&web[field], &web[field]), "{field}");
    }
    let change = json!({ "name": "Web shop", "is_disabled": true, "metadata": { "colour": "red" } });
    let changed = &shop.admin.post(&path, change).await.ok()["sales_channel"];
    assert_eq!((&changed["name"], &changed["is_disabled"]), (&json!("Web shop"), &json!(true)));
    assert_eq!(changed["description"], "The shop on the web", "what is not named stays");
    assert_eq!(changed["metadata"], json!({ "colour": "red" }));
    let list = shop.admin.get("/admin/sales-channels?is_disabled=true").await.ok();
    assert_eq!((&list["count"], &list["sales_channels"][0]["id"]), (&json!(1), &read["id"]));
    assert_eq!(shop.admin.delete(&path).await.ok()["deleted"], true);
    assert!(shop.admin.get(&path).await.error().starts_with("404 not_found"));
}

/// A new shop has a default channel. It is the store's, and is expanded from there.
#[tokio::test]
async fn the_first_run_makes_a_default_channel_that_the_store_owns() {
    let shop = open().await;
    let owned = "/admin/stores?fields=default_sales_channel_id,*default_sales_channel";
    let store = shop.admin.get(owned).await.ok()["stores"][0].clone();
    assert_eq!(store["default_sales_channel"]["name"], "Default Sales Channel");
    assert_eq!(store["default_sales_channel"]["id"], store["default_sales_channel_id"]);
    let web = shop.channel("Web").await;
    let path = format!("/admin/stores/{}", id(&store));
    shop.admin.post(&path, json!({ "default_sales_channel_id": web })).await.ok();
    let store = shop.admin.get(owned).await.ok()["stores"][0].clone();
    assert_eq!(store["default_sales_channel"]["name"], "Web");
    // A cart that names no channel is in it, where the key has it among others.
    let till = shop.channel("Till").await;
    let storefront = shop.storefront(&[&till, &web]).await;
    let cart = storefront.post("/store/carts?fields=sales_channel_id", json!({})).await.ok();
    assert_eq!(cart["cart"]["sales_channel_id"], json!(web));
}

/// From a product, a cart, an order and the store, one query leads to the channel.
#[tokio::test]
async fn channels_are_expanded_from_product_cart_order_and_store() {
    let shop = open().await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    let name = |record: &Value| record["name"].as_str().map(str::to_owned);
    let expects = Some("Web".to_owned());
    let product =
        shop.admin.get(&format!("/admin/products/{}?fields=*sales_channels", tea.product)).await.ok();
    assert_eq!(name(&product["product"]["sales_channels"][0]), expects);
    let order = id(&complete(&storefront, &cart).await.ok()["order"]);
    // Carts have no admin route of their own: admins reach them from their orders, and storefronts see the
    // id.
    let path = format!("/admin/orders/{order}?fields=*sales_channel,*cart,*cart.sales_channel");
    let order = &shop.admin.get(&path).await.ok()["order"];
    assert_eq!(
        (name(&order["sales_channel"]), name(&order["cart"]["sales_channel"])),
        (expects.clone(), expects)
    );
    assert_eq!(
        storefront.get(&format!("/store/carts/{cart}")).await.ok()["cart"]["sales_channel_id"],
        json!(web)
    );
    let stores = shop.admin.get("/admin/stores?fields=*default_sales_channel").await.ok();
    assert_eq!(name(&stores["stores"][0]["default_sales_channel"]), Some("Default Sales Channel".into()));
}

/// A product can be in several channels, and a storefront lists those of its own.
#[tokio::test]
async fn a_product_is_sold_in_several_channels() {
    let shop = open().await;
    let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
    let both = shop.product("Tea", &[&web, &till], 5).await;
    shop.product("Cup", &[&till], 5).await;
    let (at_web, at_till) = (shop.storefront(&[&web]).await, shop.storefront(&[&till]).await);
    assert_eq!((listed(&at_web).await, listed(&at_till).await), ("Tea".into(), "Cup, Tea".into()));
    let path = format!("/admin/sales-channels/{till}/products");
    shop.admin.post(&path, json!({ "remove": [both.product] })).await.ok();
    assert_eq!((listed(&at_web).await, listed(&at_till).await), ("Tea".into(), "Cup".into()));
}

/// A cart is in one channel and takes only what that sells; its order is in the same channel.
#[tokio::test]
async fn carts_and_orders_are_of_one_channel_and_hold_what_it_sells() {
    let shop = open().await;
    let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
    let (tea, cup) = (shop.product("Tea", &[&web], 5).await, shop.product("Cup", &[&till], 5).await);
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    let foreign = json!({ "variant_id": cup.id, "quantity": 1 });
    let refused = format!("Variants {} do not exist or belong to a product that is not published", cup.id);
    assert_eq!(
        storefront.post(&format!("/store/carts/{cart}/line-items"), foreign).await.error(),
        format!("400 invalid_data: {refused}")
    );
    complete(&storefront, &cart).await.ok();
    for (channel, n) in [(&web, 1), (&till, 0)] {
        let path = format!("/admin/orders?sales_channel_id[]={channel}&fields=id");
        assert_eq!(shop.admin.get(&path).await.ok()["count"], n);
    }
}

/// What is available in a channel is what lies at the stock locations that it is linked to.
#[tokio::test]
async fn a_channel_sells_the_stock_of_its_locations() {
    let shop = open().await;
    let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
    let tea = shop.product("Tea", &[&web, &till], 5).await;
    let cellar = shop.admin.post("/admin/stock-locations", json!({ "name": "Cellar" })).await.ok();
    let cellar = id(&cellar["stock_location"]);
    shop.stock(&tea.item, &cellar, 3).await;
    let path = format!("/admin/stock-locations/{cellar}/sales-channels");
    shop.admin.post(&path, json!({ "add": [till] })).await.ok();
    let available = async |channel: &str| {
        let storefront = shop.storefront(&[channel]).await;
        let path = format!("/store/products/{}?fields=*variants,+variants.inventory_quantity", tea.product);
        storefront.get(&path).await.ok()["product"]["variants"][0]["inventory_quantity"].clone()
    };
    assert_eq!((available(&web).await, available(&till).await), (json!(5), json!(8)));
    shop.admin.post(&path, json!({ "remove": [till] })).await.ok();
    assert_eq!(available(&till).await, 5);
}

/// A publishable key is a storefront: it reaches its channels, and nothing of others.
#[tokio::test]
async fn a_publishable_key_confines_a_storefront() {
    let shop = open().await;
    let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
    let tea = shop.product("Tea", &[&web], 5).await;
    let (at_web, at_till) = (shop.storefront(&[&web]).await, shop.storefront(&[&till]).await);
    let cart = shop.cart(&at_web, &tea.id, 1).await;
    for path in [format!("/store/products/{}", tea.product), format!("/store/carts/{cart}")] {
        at_web.get(&path).await.ok();
        assert!(at_till.get(&path).await.error().starts_with("404 not_found"), "{path}");
    }
    assert!(shop.app.client().get("/store/products").await.error().contains("Publishable API key required"));
    // A disabled channel sells nothing.
    shop.admin.post(&format!("/admin/sales-channels/{web}"), json!({ "is_disabled": true })).await.ok();
    assert_eq!(listed(&at_web).await, "");
}

/// A module of one's own adds a workflow that makes channels, and runs it for a route, an event and a
/// schedule.
#[tokio::test]
async fn a_module_adds_a_workflow_a_route_a_subscriber_and_a_job() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let background = app.background().await;
    let opened = async |n: u64| {
        for name in ["Summer%20sale", "Winter%20sale"] {
            let path = format!("/admin/sales-channels?name={name}&limit=0");
            app.until(async || admin.get(&path).await.ok()["count"] == n).await;
        }
    };
    let (ids, _) = app.ctx.run(&OPEN_CHANNELS, Actor::System, ()).await.expect("the workflow");
    assert_eq!(ids.len(), 2);
    opened(1).await;
    let asked = admin.post("/admin/sale-channels", json!({})).await.ok();
    assert_eq!(asked["ids"].as_array().map(Vec::len), Some(2));
    opened(2).await;
    let password = PasswordHash::new("supersecret").expect("a hash");
    let user = NewUser { email: "new@test.dev".into(), password };
    app.ctx.run(&CREATE_USERS, Actor::System, vec![user]).await.expect("a user");
    opened(3).await;
    // From 8 o'clock to midnight.
    app.advance_ms(16 * 60 * 60 * 1000);
    opened(4).await;
    background.stop().await;
}

/// Where a feature flag switches sales channels off, the shop sells what is published, and nothing is lost by
/// it.
#[tokio::test]
async fn a_feature_flag_switches_sales_channels_off() {
    let disk = Memory::default();
    let app = async |has_channels: bool| {
        let spaces = Registry::linked().expect("a registry").spaces();
        let mut flags = Flags::default();
        flags.set("sales_channels", has_channels);
        TestApp::with_flags(Store::open(disk.clone(), &spaces).expect("a store"), None, flags).await
    };
    let shop = Shop::open(app(true).await).await;
    let web = shop.channel("Web").await;
    shop.product("Tea", &[&web], 5).await;
    shop.product("Cup", &[], 5).await;
    let storefront = shop.storefront(&[&web]).await;
    let path = format!("/admin/sales-channels/{web}");
    assert_eq!(listed(&storefront).await, "Tea");
    shop.app.ctx.store().close();

    let off = app(false).await;
    assert_eq!(listed(&storefront.on(&off)).await, "Cup, Tea");
    assert!(shop.admin.on(&off).get(&path).await.error().starts_with("404 not_found"));
    off.ctx.store().close();

    let on = app(true).await;
    assert_eq!(listed(&storefront.on(&on)).await, "Tea");
    assert_eq!(shop.admin.on(&on).get(&path).await.ok()["sales_channel"]["name"], "Web");
}
