//! Tests of the subscriber `__crate__.__name__`.

use atoll___crate_snake__ as _;
use atoll_testkit::Shop;

#[tokio::test]
async fn __snake___is_called_for_each_new_product() {
    let (shop, channel, _storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&channel], 1).await;
    shop.app.deliver("__crate__.__name__").await;
    assert_eq!(shop.app.events("__crate__.__snake___done")[0]["id"], tea.product.as_str());
}
