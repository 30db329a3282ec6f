//! Inventory items, and the variants that need them.

use atoll_kernel::jobs::events_after;
use atoll_links::PRODUCT_VARIANT_INVENTORY_ITEM;
use atoll_testkit::{Shop, TestApp};
use serde_json::{Value, json};

/// An inventory item of a kit cannot be deleted, so that the kit is not sold without it.
#[tokio::test]
async fn inventory_item_of_a_kit_cannot_be_deleted() {
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
    // Its product can be deleted: the kit still needs the item.
    shop.admin.delete(&format!("/admin/products/{}", cup.product)).await.ok();
    assert_eq!(shop.reserved(&cup.item).await, "0 of 5");
    // An item that the kit does not need any more can be deleted, and so can the last one, with which the kit
    // cannot be sold.
    let taken = format!("/admin/products/{}/variants/{}/inventory-items/{}", kit.product, kit.id, cup.item);
    shop.admin.delete(&taken).await.ok();
    delete(&cup.item).await.ok();
    delete(&tea.item).await.ok();
    let storefront = shop.storefront(&[&web]).await;
    let items = json!({ "items": [{ "variant_id": kit.id, "quantity": 1 }] });
    let refused = storefront.post("/store/carts", items).await.error();
    assert!(refused.starts_with("400"), "{refused}");
}

/// Empty codes are stored as null, so they are not duplicates.
#[tokio::test]
async fn empty_skus_are_null() {
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

/// Lists of items are sorted by stocked and reserved quantity.
#[tokio::test]
async fn inventory_items_sort_by_quantity() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    for (title, stock) in [("Few", 2), ("Many", 10), ("Some", 9), ("None", 0)] {
        shop.product(title, &[&web], stock).await;
    }
    let storefront = shop.storefront(&[&web]).await;
    let some = shop.admin.get("/admin/product-variants?sku=Some").await.ok()["variants"][0]["id"].clone();
    let cart = shop.cart(&storefront, some.as_str().expect("an id"), 3).await;
    atoll_testkit::complete(&storefront, &cart).await.ok();
    for (order, expect) in [
        ("stocked_quantity", "None Few Some Many"),
        ("-stocked_quantity", "Many Some Few None"),
        ("-reserved_quantity&limit=1", "Some"),
    ] {
        let found = shop.admin.get(&format!("/admin/inventory-items?fields=sku&order={order}")).await.ok();
        let found = found["inventory_items"].as_array().expect("items").iter();
        let skus: Vec<&str> = found.filter_map(|it| it["sku"].as_str()).collect();
        assert_eq!(skus.join(" "), expect, "{order}");
    }
    let refused = shop.admin.get("/admin/product-variants?order=inventory_quantity").await.error();
    assert!(refused.starts_with("400"), "{refused}");
}

/// The items of several variants are set in one request, all or none.
#[tokio::test]
async fn kit_items_are_set_in_a_batch() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let (tea, cup) = (shop.product("Tea", &[&web], 5).await, shop.product("Cup", &[&web], 5).await);
    let path = format!("/admin/products/{}/variants", tea.product);
    let batch = format!("{path}/inventory-items/batch");
    let part = |item: &str, quantity: i64| json!({ "variant_id": tea.id, "inventory_item_id": item, "required_quantity": quantity });
    let takes = async || {
        let fields = "fields=inventory_items.inventory_item_id,inventory_items.required_quantity";
        let shown = shop.admin.get(&format!("{path}/{}?{fields}", tea.id)).await.ok()["variant"].clone();
        let items = shown["inventory_items"].as_array().expect("items").clone();
        let of = |item: &str| items.iter().find(|it| it["inventory_item_id"] == *item);
        [&tea.item, &cup.item].map(|item| of(item).map_or(Value::Null, |it| it["required_quantity"].clone()))
    };
    let both = json!({ "create": [part(&cup.item, 1)], "update": [part(&tea.item, 2)] });
    let answer = shop.admin.post(&batch, both).await.ok();
    let told = |item: &str, quantity: i64| {
        json!({
            "product": { "variant_id": tea.id }, "inventory": { "inventory_item_id": item },
            "data": { "required_quantity": quantity },
        })
    };
    assert_eq!(
        answer,
        json!({ "created": [told(&cup.item, 1)], "updated": [told(&tea.item, 2)], "deleted": [] })
    );
    assert_eq!(takes().await, [json!(2), json!(1)]);
    let unknown = json!({
        "delete": [{ "variant_id": tea.id, "inventory_item_id": cup.item }],
        "create": [part("iitem_x", 1), part(&tea.item, 7), part("iitem_y", 1)],
    });
    let error = "400 invalid_data: Inventory Items with ids: iitem_x, iitem_y was not found";
    assert_eq!(shop.admin.post(&batch, unknown).await.error(), error);
    assert_eq!(takes().await, [json!(2), json!(1)], "nothing of it was done");
    let gone = json!({ "delete": [{ "variant_id": tea.id, "inventory_item_id": cup.item }] });
    shop.admin.post(&batch, gone).await.ok();
    assert_eq!(takes().await, [json!(2), Value::Null]);
    let foreign = json!({ "create": [{ "variant_id": cup.id, "inventory_item_id": tea.item, "required_quantity": 1 }] });
    assert!(shop.admin.post(&batch, foreign).await.error().starts_with("404"));
    // A new variant or product with unknown items.
    let parts = json!([{ "inventory_item_id": "iitem_x", "required_quantity": 1 }]);
    let variant = json!({
        "title": "Two", "options": { "Size": "Two" }, "prices": [], "inventory_items": parts,
    });
    let product = json!({
        "title": "New", "options": [{ "title": "Size", "values": ["Two"] }], "variants": [variant],
    });
    let error = "400 invalid_data: Inventory Items with ids: iitem_x was not found";
    assert_eq!(shop.admin.post("/admin/products", product).await.error(), error);
}

/// `1.0` is stored and shown as it was sent, and equals 1.
#[tokio::test]
async fn required_quantity_stays_the_number_that_was_sent() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let (tea, cup) = (shop.product("Tea", &[&web], 5).await, shop.product("Cup", &[&web], 5).await);
    let variants = format!("/admin/products/{}/variants", tea.product);
    let items = format!("{variants}/{}/inventory-items", tea.id);
    let shown = format!("{variants}/{}?fields=inventory_items.required_quantity,inventory_quantity", tea.id);
    let stored = |item: &str| {
        let row = PRODUCT_VARIANT_INVENTORY_ITEM.row(&shop.app.ctx.view(), &tea.id, item).expect("a read");
        row.expect("a link").data["required_quantity"].clone()
    };
    let batch = json!({
        "update": [{ "variant_id": tea.id, "inventory_item_id": tea.item, "required_quantity": 1.0 }],
    });
    for (path, body, item) in [
        (format!("{items}/{}", tea.item), json!({ "required_quantity": 1.0 }), &tea.item),
        (items.clone(), json!({ "inventory_item_id": cup.item, "required_quantity": 1.0 }), &cup.item),
        (format!("{variants}/inventory-items/batch"), batch, &tea.item),
    ] {
        shop.admin.post(&path, body).await.ok();
        assert_eq!(stored(item).to_string(), "1.0", "{path}");
        let variant = shop.admin.get(&shown).await.ok()["variant"].clone();
        let rows = variant["inventory_items"].as_array().expect("rows");
        assert!(rows.iter().any(|it| it["required_quantity"] == json!(1.0)), "{path}: {variant}");
        assert_eq!(variant["inventory_quantity"], 5, "{path}");
    }
    let half = json!({ "required_quantity": 0.5 });
    shop.admin.post(&format!("{items}/{}", tea.item), half).await.ok();
    assert_eq!(stored(&tea.item).to_string(), "0.5");
}

/// Changes of single levels and of items publish events, as batches do.
#[tokio::test]
async fn inventory_changes_publish_events() {
    let shop = Shop::open(TestApp::init().await).await;
    let published = |event: &str| -> Vec<Value> {
        let events = events_after(&shop.app.ctx.view(), 0, usize::MAX).expect("events");
        events.into_iter().filter(|(_, it)| it.name == event).map(|(_, it)| it.data).collect()
    };
    let count = |event: &str| published(event).len();
    let path = "/admin/inventory-items";
    let level = json!({ "location_id": shop.location, "stocked_quantity": 4 });
    let item = json!({ "sku": "TEA", "location_levels": [level] });
    let item = shop.admin.post(path, item).await.ok()["inventory_item"]["id"].clone();
    assert_eq!(published("inventory-item.created"), [json!({ "id": item })]);
    assert_eq!(count("inventory-level.created"), 1);
    let item = format!("{path}/{}", item.as_str().expect("an id"));
    shop.admin.post(&item, json!({ "title": "Tea" })).await.ok();
    assert_eq!(count("inventory-item.updated"), 1);
    let empty = shop.admin.post("/admin/stock-locations", json!({ "name": "Empty" })).await.ok();
    let levels = format!("{item}/location-levels");
    let empty = empty["stock_location"]["id"].as_str().expect("an id");
    shop.admin.post(&levels, json!({ "location_id": empty })).await.ok();
    assert_eq!(count("inventory-level.created"), 2);
    let level = format!("{levels}/{empty}");
    shop.admin.post(&level, json!({ "incoming_quantity": 3 })).await.ok();
    assert_eq!(count("inventory-level.updated"), 1);
    let gone = shop.admin.delete(&level).await.ok();
    assert_eq!(published("inventory-level.deleted"), [json!({ "id": gone["id"] })]);
}
