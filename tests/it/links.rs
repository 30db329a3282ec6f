//! Links are deleted and restored with the records that they link, and only with these.

use atoll_kernel::{Actor, Fault, Moment, Write};
use atoll_links::{PRODUCT_SALES_CHANNEL, PRODUCT_VARIANT_PRICE_SET};
use atoll_product::{delete_product, restore_product};
use atoll_sales_channel::SALES_CHANNELS;
use atoll_testkit::{Shop, TestApp, Variant, complete};
use serde_json::{Map, json};

async fn run(
    shop: &Shop,
    body: impl FnMut(&mut dyn Write, &Moment) -> Result<(), Fault> + Send + 'static,
) -> Result<(), Fault> {
    shop.app.ctx.write(Actor::System, body).await.map(drop)
}

async fn linked() -> (Shop, String, String, Variant) {
    let shop = Shop::open(TestApp::init().await).await;
    let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
    let tea = shop.product("Tea", &[&web, &till], 1).await;
    (shop, web, till, tea)
}

fn channels_of(shop: &Shop, product: &str) -> Vec<String> {
    PRODUCT_SALES_CHANNEL.rights(&shop.app.ctx.view(), product).expect("links")
}

#[tokio::test]
async fn restore_brings_back_only_links_that_the_deletion_took() {
    let (shop, web, till, tea) = linked().await;
    let row = PRODUCT_SALES_CHANNEL.row(&shop.app.ctx.view(), &tea.product, &web).expect("a row");
    // This link was removed by hand before.
    let remove = format!("/admin/sales-channels/{till}/products");
    shop.admin.post(&remove, json!({ "remove": [tea.product] })).await.ok();
    let (product, channel) = (tea.product.clone(), web.clone());
    run(&shop, move |tx, at| {
        delete_product(tx, at, &product)?;
        assert!(!PRODUCT_SALES_CHANNEL.has(tx, &product, &channel)?);
        restore_product(tx, at, &product)?;
        Ok(())
    })
    .await
    .expect("a deletion and a restoration");
    assert_eq!(channels_of(&shop, &tea.product), [&*web]);
    assert_eq!(PRODUCT_SALES_CHANNEL.row(&shop.app.ctx.view(), &tea.product, &web).expect("a row"), row);
    // Its variant, price and listing are restored as well.
    let storefront = shop.storefront(&[&web]).await;
    assert_eq!(storefront.get("/store/products").await.ok()["count"], 1);
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    complete(&storefront, &cart).await.ok();
}

#[tokio::test]
async fn link_is_restored_when_both_ends_are() {
    let (shop, web, till, tea) = linked().await;
    let (product, channel) = (tea.product.clone(), web.clone());
    run(&shop, move |tx, at| {
        delete_product(tx, at, &product)?;
        SALES_CHANNELS.soft_delete(tx, at, &channel)?;
        restore_product(tx, at, &product)?;
        Ok(())
    })
    .await
    .expect("deletions");
    assert_eq!(channels_of(&shop, &tea.product), [&*till]);
    let channel = web.clone();
    run(&shop, move |tx, at| Ok(SALES_CHANNELS.restore(tx, at, &channel).map(drop)?))
        .await
        .expect("a restoration");
    assert_eq!(channels_of(&shop, &tea.product).len(), 2);
}

#[tokio::test]
async fn link_to_a_hard_deleted_end_is_not_restored() {
    let (shop, web, till, tea) = linked().await;
    let product = tea.product.clone();
    run(&shop, move |tx, at| {
        delete_product(tx, at, &product)?;
        SALES_CHANNELS.delete(tx, at, &web)?;
        restore_product(tx, at, &product)?;
        Ok(())
    })
    .await
    .expect("deletions and a restoration");
    assert_eq!(channels_of(&shop, &tea.product), [&*till]);
    // That the other link is removed for good is checked by the verification at the end.
    assert_eq!(shop.app.verify().n_findings, 0);
}

#[tokio::test]
async fn hard_delete_removes_links() {
    let (shop, web, till, tea) = linked().await;
    let product = tea.product.clone();
    run(&shop, move |tx, at| {
        atoll_product::VARIANTS.delete(tx, at, &tea.id)?;
        atoll_product::PRODUCTS.delete(tx, at, &product)?;
        Ok(())
    })
    .await
    .expect("a deletion");
    let view = shop.app.ctx.view();
    for channel in [web, till] {
        assert_eq!(PRODUCT_SALES_CHANNEL.lefts(&view, &channel).expect("links"), [""; 0]);
    }
    assert_eq!(atoll_kernel::Registry::graph().table("price_set").n_rows(&view).expect("a count"), 0);
    assert_eq!(shop.admin.get("/admin/products").await.ok()["count"], 0);
}

#[tokio::test]
async fn link_refuses_missing_end_and_second_partner() {
    let (shop, web, _, tea) = linked().await;
    let set = PRODUCT_VARIANT_PRICE_SET.rights(&shop.app.ctx.view(), &tea.id).expect("links").remove(0);
    let check = async |left: &str, right: &str, of_price: bool| {
        let (left, right) = (left.to_owned(), right.to_owned());
        let link = if of_price { &PRODUCT_VARIANT_PRICE_SET } else { &PRODUCT_SALES_CHANNEL };
        let body = move |tx: &mut dyn Write, at: &Moment| {
            link.attach(tx, at, &left, &right, Map::new())?;
            Ok(())
        };
        run(&shop, body).await.map_err(|fault| fault.to_string())
    };
    assert_eq!(check("prod_x", &web, false).await, Err("Product with id: prod_x was not found".into()));
    assert_eq!(
        check(&tea.product, "sc_x", false).await,
        Err("Sales channel with id: sc_x was not found".into())
    );
    assert_eq!(
        check("variant_x", &set, true).await,
        Err("Product variant with id: variant_x was not found".into())
    );
    let path = "/admin/products?fields=id";
    let other = shop.product("Other", &[&web], 0).await;
    assert_eq!(shop.admin.get(path).await.ok()["count"], 2);
    assert_eq!(
        check(&other.id, &set, true).await,
        Err("Cannot create multiple links between 'product_variant' and 'price_set'".into())
    );
    // Linking a pair again changes nothing.
    assert_eq!(check(&tea.product, &web, false).await, Ok(()));
    let path = format!("/admin/products?sales_channel_id[]={web}&fields=id");
    assert_eq!(shop.admin.get(&path).await.ok()["count"], 2);
}

#[tokio::test]
async fn link_batches_are_atomic() {
    let (shop, web, _, tea) = linked().await;
    let other = shop.product("Other", &[], 0).await;
    let link = format!("/admin/sales-channels/{web}/products");
    let unknown = json!({ "add": [other.product, "prod_x"], "remove": [tea.product] });
    assert_eq!(
        shop.admin.post(&link, unknown).await.error(),
        "404 not_found: Product with id: prod_x was not found"
    );
    assert_eq!(channels_of(&shop, &other.product), [""; 0]);
    assert_eq!(channels_of(&shop, &tea.product).len(), 2);
    let both = json!({ "add": [other.product, other.product, tea.product], "remove": [tea.product] });
    shop.admin.post(&link, both).await.ok();
    assert_eq!(channels_of(&shop, &other.product), [web]);
    assert_eq!(channels_of(&shop, &tea.product).len(), 1);
    assert_eq!(
        shop.admin.post("/admin/sales-channels/sc_x/products", json!({ "add": [tea.product] })).await.error(),
        "404 not_found: Sales channel with id: sc_x not found"
    );
}
