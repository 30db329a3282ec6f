//! Feature flags: the shop without sales channels, and with them again.

use atoll_kernel::{Registry, data::Store, registry::Flags};
use atoll_storage::engines::Memory;
use atoll_testkit::{Shop, TestApp, complete};
use serde_json::{Value, json};

async fn app(disk: &Memory, has_channels: bool) -> TestApp {
    let store =
        Store::open(disk.clone(), &Registry::linked().expect("a registry").spaces()).expect("a store");
    let mut flags = Flags::default();
    flags.set("sales_channels", has_channels);
    TestApp::with_flags(store, None, flags).await
}

fn titles(list: &Value) -> Vec<&str> {
    let products = list["products"].as_array().into_iter().flatten();
    products.filter_map(|it| it["title"].as_str()).collect()
}

#[tokio::test]
async fn without_sales_channels_the_shop_sells_everything_and_loses_nothing() {
    let disk = Memory::default();
    let shop = Shop::open(app(&disk, true).await).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 5).await;
    // A published product in no channel, with stock at a location that no channel is linked to.
    let cup = shop.product("Cup", &[], 0).await;
    let far = shop.admin.post("/admin/stock-locations", json!({ "name": "Far" })).await.ok();
    shop.stock(&cup.item, far["stock_location"]["id"].as_str().expect("an id"), 3).await;
    let (keyed, keyless) = (shop.storefront(&[&web]).await, shop.storefront(&[]).await);
    let cart = shop.cart(&keyed, &tea.id, 2).await;
    let list = "/store/products?fields=title,variants.inventory_quantity";
    assert_eq!(titles(&keyed.get(list).await.ok()), ["Tea"]);
    let channel = format!("/admin/sales-channels/{web}");
    let before = shop.admin.get(&channel).await.ok();
    shop.app.ctx.store().close();

    let off = app(&disk, false).await;
    let (admin, keyed, keyless) = (shop.admin.on(&off), keyed.on(&off), keyless.on(&off));
    assert_eq!(admin.get("/admin/feature-flags").await.ok()["feature_flags"]["sales_channels"], false);
    assert_eq!(admin.get(&channel).await.error(), format!("404 not_found: Cannot GET {channel}"));
    for storefront in [&keyed, &keyless] {
        let shown = storefront.get(list).await.ok();
        assert_eq!((titles(&shown), &shown["count"]), (vec!["Tea", "Cup"], &json!(2)));
        assert_eq!(shown["products"][1]["variants"][0]["inventory_quantity"], 3);
        assert_eq!(storefront.get("/store/product-variants").await.ok()["count"], 2);
    }
    let items = json!([{ "variant_id": cup.id, "quantity": 3 }]);
    let body = json!({ "items": items, "sales_channel_id": web });
    let new = keyless.post("/store/carts", body).await.ok();
    assert_eq!(new["cart"]["sales_channel_id"], Value::Null);
    let new_id = new["cart"]["id"].as_str().expect("a cart");
    let new = format!("/store/carts/{new_id}");
    let more = json!({ "variant_id": cup.id, "quantity": 1 });
    assert_eq!(
        keyless.post(&format!("{new}/line-items"), more).await.error(),
        "400 not_allowed (insufficient_inventory): Some variant does not have the required inventory"
    );
    keyless.post(&new, json!({ "email": "me@example.com" })).await.ok();
    let order = complete(&keyless, new_id).await.ok();
    let order =
        format!("/admin/orders/{}?fields=sales_channel_id", order["order"]["id"].as_str().expect("an id"));
    assert_eq!(admin.get(&order).await.ok()["order"]["sales_channel_id"], Value::Null);
    assert_eq!(
        keyless.get(&format!("/store/carts/{cart}")).await.ok()["cart"]["sales_channel_id"],
        json!(web)
    );
    off.ctx.store().close();

    let on = app(&disk, true).await;
    let (admin, keyed) = (shop.admin.on(&on), keyed.on(&on));
    assert_eq!(admin.get("/admin/feature-flags").await.ok()["feature_flags"]["sales_channels"], true);
    assert_eq!(admin.get(&channel).await.ok(), before);
    assert_eq!(titles(&keyed.get(list).await.ok()), ["Tea"]);
    complete(&keyed, &cart).await.ok();
    // Orders without a channel belong to none, and admins see them.
    assert!(keyed.get(&new).await.error().starts_with("404"));
    assert_eq!(admin.get(&order).await.ok()["order"]["sales_channel_id"], Value::Null);
    assert_eq!(shop.admin.on(&on).get("/admin/orders").await.ok()["count"], 2);
}
