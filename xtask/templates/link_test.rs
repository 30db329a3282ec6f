//! Tests of the link between __from_titles__ and products.

use atoll___crate_snake__::{__NAME__, __FROMS__, __From__};
use atoll_kernel::{Actor, Moment, Write, serde_json::Map};
use atoll_testkit::Shop;

#[tokio::test]
async fn __froms___and_products_find_each_other() {
    let (shop, channel, _storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&channel], 1).await;
    let product = tea.product.clone();
    let body = move |tx: &mut dyn Write, at: &Moment| {
        let made = __FROMS__.create(tx, at, __From__::default())?;
        __NAME__.attach(tx, at, &made.id, &product, Map::new())?;
        Ok(made.id.to_string())
    };
    let (id, _) = shop.app.ctx.write(Actor::System, body).await.expect("a commit");
    let shown = shop.admin.get(&format!("/admin/products/{}?fields=__froms__.id", tea.product)).await.ok();
    assert_eq!(shown["product"]["__froms__"][0]["id"], id.as_str());
}
