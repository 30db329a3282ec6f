//! Store routes of a module of a third party: they show and change what the channel of the key shows and
//! sells, and nothing else.

mod module;

use atoll_testkit::{Shop, TestApp, id};
use serde_json::json;

#[tokio::test]
async fn custom_store_routes_hide_stock_prices_and_keys() {
    let shop = Shop::open(TestApp::init().await).await;
    let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
    let both = shop.key(&[&web, &till]).await;
    let storefront = shop.storefront(&[&web]).await;
    let tea = shop.product("Tea", &[&web, &till], 7531).await;
    let request = json!({ "variant_id": tea.id, "email": "a@b.co", "quantity": 1 });
    let request = id(&storefront.post("/store/stock-requests", request).await.ok()["stock_request"]);
    for (what, fields, secret) in [
        ("a key", "variant.product.sales_channels.publishable_api_keys.token", both.as_str()),
        ("the channels", "variant.product.sales_channels_link.sales_channel_id", &till),
        ("stock", "*variant.inventory_items.inventory.location_levels", "7531"),
        ("stock", "variant.inventory.location_levels.stocked_quantity", "7531"),
        ("stock", "*variant.inventory.location_levels.stock_locations", &shop.location),
        ("prices", "*variant.price_set", "amount"),
        ("prices", "variant.prices", "amount"),
    ] {
        for path in [format!("/store/stock-requests/{request}"), "/store/stock-requests".to_owned()] {
            let shown = storefront.get(&format!("{path}?fields=id,{fields}")).await.ok().to_string();
            assert!(!shown.contains(secret), "{what} by {fields}: {shown}");
        }
    }
}
