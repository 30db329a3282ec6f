//! Cursors (pagination by position): all pages of a list by `next_cursor` are the list, in any order and
//! from any source, and what is written between two pages moves nothing.
//!
//! Lists of products are also drawn, in `lists.rs`.

use atoll_kernel::limits::STORE_OFFSET_MAX;
use atoll_testkit::{Client, Shop, TestApp, id, pages};
use serde_json::{Value, json};

/// A channel `Web` with seven teas, the fifth of which is deleted.
async fn shop() -> (Shop, String, Client) {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    for n in 0..7 {
        let tea = shop.product(&format!("Tea no. {n}"), &[&web], n).await;
        let change = json!({ "title": format!("Tea {}", n % 3), "handle": format!("tea-{}", 9 - n) });
        shop.admin.post(&format!("/admin/products/{}", tea.product), change).await.ok();
        if n == 4 {
            shop.admin.delete(&format!("/admin/products/{}", tea.product)).await.ok();
        }
        shop.app.advance_ms(1);
    }
    let storefront = shop.storefront(&[&web]).await;
    (shop, web, storefront)
}

fn ids(list: &Value, many: &str) -> Vec<String> {
    list[many].as_array().expect("a list").iter().map(id).collect()
}

/// Its index holds one record per value, and not the records of a value by their ids.
#[tokio::test]
async fn cursors_and_filters_by_a_unique_field_go_together() {
    let (_shop, _, storefront) = shop().await;
    for order in ["id", "-id"] {
        let path = format!("/store/products?order={order}&fields=id,handle");
        let all = storefront.get(&path).await.ok();
        let first = storefront.get(&format!("{path}&cursor=&limit=3")).await.ok();
        let cursor = first["next_cursor"].as_str().expect("a cursor");
        for (n, tea) in all["products"].as_array().expect("a list").iter().enumerate() {
            let handle = tea["handle"].as_str().expect("a handle");
            let found = storefront.get(&format!("{path}&cursor={cursor}&handle={handle}")).await.ok();
            let expected = if n < 3 { json!([]) } else { json!([tea]) };
            assert_eq!((&found["products"], &found["count"]), (&expected, &json!(1)), "{order} {n}");
        }
    }
}

#[tokio::test]
async fn the_pages_of_a_cursor_are_the_list() {
    let (shop, web, storefront) = shop().await;
    let of_web = format!("/admin/products?sales_channel_id[]={web}");
    let named = shop.admin.get("/admin/products?fields=id").await.ok();
    let named = format!("/admin/products?id={}", ids(&named, "products").join("&id="));
    let filtered = "/admin/products?$or[0][title]=Tea 1&$or[1][title]=Tea 2".replace(' ', "%20");
    for (path, many, n) in [
        ("/store/products?", "products", 6),
        ("/store/products?order=-title", "products", 6),
        ("/store/products?order=created_at", "products", 6),
        ("/store/product-variants?order=-sku", "variants", 6),
        ("/admin/products?with_deleted=true", "products", 7),
        ("/admin/products?with_deleted=true&order=-title", "products", 7),
        ("/admin/products?order=collection.title", "products", 6),
        (&of_web, "products", 6),
        (&named, "products", 6),
        (&filtered, "products", 3),
        // Sorted by a computed field, with equal values.
        ("/admin/inventory-items?order=-reserved_quantity", "inventory_items", 6),
        ("/admin/inventory-items?order=stocked_quantity", "inventory_items", 6),
        // A list without a list index.
        ("/admin/stock-locations?order=-name", "stock_locations", 1),
    ] {
        let client = if path.starts_with("/store") { &storefront } else { &shop.admin };
        let whole = client.get(&format!("{path}&fields=id")).await.ok();
        let pages = pages(client, &format!("{path}&fields=id&limit=2")).await;
        let walked: Vec<String> = pages.iter().flat_map(|it| ids(it, many)).collect();
        assert_eq!((walked, pages.len()), (ids(&whole, many), usize::div_ceil(n, 2)), "{path}");
        for (page, offset) in pages.iter().zip((0..).step_by(2)) {
            assert_eq!((&page["count"], &page["offset"]), (&json!(n), &json!(offset)), "{path}");
        }
    }
    // Who does not ask for a cursor gets none.
    assert_eq!(storefront.get("/store/products?limit=1").await.ok().get("next_cursor"), None);
}

#[tokio::test]
async fn what_is_written_between_two_pages_moves_no_record() {
    let (shop, web, storefront) = shop().await;
    for order in ["id", "title", "-handle"] {
        let path = format!("/store/products?fields=id&limit=3&order={order}&cursor=");
        let all =
            ids(&storefront.get(&format!("/store/products?fields=id&order={order}")).await.ok(), "products");
        let first = storefront.get(&path).await.ok();
        // The record that the cursor names goes, and others come before it and behind it.
        shop.admin.delete(&format!("/admin/products/{}", all[2])).await.ok();
        shop.product(&format!("A first tea in {order}"), &[&web], 1).await;
        shop.product(&format!("Zest by {order}"), &[&web], 1).await;
        let cursor = first["next_cursor"].as_str().expect("a cursor");
        let second = ids(&storefront.get(&format!("{path}{cursor}")).await.ok(), "products");
        let old: Vec<&String> = second.iter().filter(|it| all.contains(it)).collect();
        assert_eq!(old, all[3..].iter().take(old.len()).collect::<Vec<_>>(), "{order}");
        assert!(!old.is_empty(), "{order}");
    }
}

#[tokio::test]
async fn cursors_that_do_not_fit_are_refused() {
    let (shop, _, storefront) = shop().await;
    let path = "/store/products?limit=2&order=title";
    let page = storefront.get(&format!("{path}&cursor=")).await.ok();
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let no_cursor = "400 invalid_data: `cursor` is not the `next_cursor` of a page";
    for (query, error) in [
        (format!("limit=2&cursor={cursor}"), "400 invalid_data: `cursor` is of a list in the order 'title'"),
        (format!("limit=2&order=title&cursor={cursor}x"), no_cursor),
        ("limit=2&cursor=%20".to_owned(), no_cursor),
        (format!("limit=2&cursor={}", "A".repeat(5_000)), no_cursor),
        (
            format!("limit=2&order=title&offset=2&cursor={cursor}"),
            "400 invalid_data: Invalid request: `cursor` cannot be combined with `offset`",
        ),
        (
            "limit=0&cursor=".to_owned(),
            "400 invalid_data: Invalid request: `cursor` needs a `limit` of at least 1",
        ),
    ] {
        assert_eq!(storefront.get(&format!("/store/products?{query}")).await.error(), error, "{query}");
    }
    // A list that is no page of records.
    let web = shop.channel("Other").await;
    assert_eq!(
        shop.admin.get(&format!("/admin/sales-channels/{web}/products?cursor=")).await.error(),
        "400 invalid_data: Unrecognized fields: 'cursor'"
    );
}

#[tokio::test]
async fn an_offset_of_a_storefront_is_limited() {
    let (shop, _, storefront) = shop().await;
    let path = |offset| format!("/store/products?offset={offset}");
    assert_eq!(storefront.get(&path(STORE_OFFSET_MAX)).await.ok()["count"], 6);
    assert_eq!(
        storefront.get(&path(STORE_OFFSET_MAX + 1)).await.error(),
        "400 invalid_data: `offset` can skip at most 100000 records: go on by `cursor`, or narrow the list"
    );
    shop.admin.get(&format!("/admin/products?offset={}", STORE_OFFSET_MAX + 1)).await.ok();
}
