//! Tests of the payment provider `pp___snake__`.

use atoll___crate_snake__ as _;
use atoll_kernel::serde_json::json;
use atoll_testkit::{Shop, pay_with};

#[tokio::test]
async fn a_cart_is_paid_through___snake__() {
    let (shop, channel, storefront) = Shop::web().await;
    let regions = shop.admin.get("/admin/regions").await.ok();
    let region = regions["regions"][0]["id"].as_str().expect("a region");
    let providers = json!({ "payment_providers": ["pp___snake__"] });
    shop.admin.post(&format!("/admin/regions/{region}"), providers).await.ok();
    let tea = shop.product("Tea", &[&channel], 1).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    pay_with(&storefront, &cart, "pp___snake__").await;
    let placed = storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
    assert_eq!(placed["type"], "order");
}
