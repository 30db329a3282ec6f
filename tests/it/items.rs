//! Inventory items, and what variants take of them.

use atoll_testkit::{Shop, TestApp};
use serde_json::{Value, json};

/// What a kit is made of stays, so that the kit is not sold without it.
#[tokio::test]
async fn a_part_of_a_kit_is_not_deleted() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let (tea, cup) = (shop.product("Tea", &[&web], 5).await, shop.product("Cup", &[&web], 5).await);
    let part = |item: &str| json!({ "inventory_item_id": item, "required_quantity": 1 });
    let parts = json!({ "inventory_items": [part(&tea.item), part(&cup.item)] });
    let kit = shop.product_with("Kit", &[&web], 0, parts).await;
    let late = shop.product_with("Late", &[&web], 5, json!({ "allow_backorder": true })).await;
    let delete = async |item: &str| shop.admin.delete(&format!("/admin/inventory-items/{item}")).await;
    for item in [&tea.item, &cup.item, &late.item] {
        assert_eq!(
            delete(item).await.error(),
            format!(
                "400 not_allowed: Cannot remove following inventory item(s) since variants would be sold without \
                 them: [{item}]."
            ),
        );
    }
    // Its product may go: the kit takes the item all the same.
    shop.admin.delete(&format!("/admin/products/{}", cup.product)).await.ok();
    assert_eq!(shop.reserved(&cup.item).await, "0 of 5");
    // What the kit no longer takes may go; and the last part, with which nothing is left to sell.
    let taken = format!("/admin/products/{}/variants/{}/inventory-items/{}", kit.product, kit.id, cup.item);
    shop.admin.delete(&taken).await.ok();
    delete(&cup.item).await.ok();
    delete(&tea.item).await.ok();
    let storefront = shop.storefront(&[&web]).await;
    let items = json!({ "items": [{ "variant_id": kit.id, "quantity": 1 }] });
    let refused = storefront.post("/store/carts", items).await.error();
    assert!(refused.starts_with("400"), "{refused}");
}

/// An empty code is none: as many variants and items have it as like.
#[tokio::test]
async fn empty_codes_are_none() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let codes = json!({ "sku": "", "barcode": "", "ean": " ", "upc": "" });
    let first = shop.product_with("First", &[&web], 1, codes.clone()).await;
    let second = shop.product_with("Second", &[&web], 1, codes.clone()).await;
    let third = shop.product_with("Third", &[&web], 1, json!({ "barcode": "3" })).await;
    for variant in [&first, &second, &third] {
        let path = format!("/admin/products/{}/variants/{}", variant.product, variant.id);
        shop.admin.post(&path, codes.clone()).await.ok();
        let shown =
            shop.admin.get(&format!("{path}?fields=sku,barcode,ean,upc")).await.ok()["variant"].clone();
        for code in ["sku", "barcode", "ean", "upc"] {
            assert_eq!(shown[code], Value::Null, "{code}");
        }
        let item = format!("/admin/inventory-items/{}", variant.item);
        let item = shop.admin.post(&item, json!({ "sku": "" })).await.ok()["inventory_item"].clone();
        assert_eq!(item["sku"], Value::Null);
    }
    for _ in 0..2 {
        let item = shop.admin.post("/admin/inventory-items", json!({ "sku": " " })).await.ok();
        assert_eq!(item["inventory_item"]["sku"], Value::Null);
    }
}
