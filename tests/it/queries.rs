//! Filters and sorting of lists: on fields of the record, on relations, and both together.

use atoll_testkit::{Client, Shop, TestApp};
use serde_json::{Value, json};

struct Scene {
    shop: Shop,
    web: String,
    till: String,
    collection: String,
    fresh: String,
}

/// Tea is sold on the web, Gin at the till, Rum in both, and Ale nowhere. Tea and Ale are in a collection;
/// Tea and Rum are fresh, and Rum is also strong.
async fn scene() -> Scene {
    let shop = Shop::open(TestApp::init().await).await;
    let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
    let make = async |path: &str, body: Value, one: &str| {
        let made = shop.admin.post(&format!("/admin/{path}"), body).await.ok();
        made[one]["id"].as_str().expect("an id").to_owned()
    };
    let collection = make("collections", json!({ "title": "Summer" }), "collection").await;
    let fresh = make("product-tags", json!({ "value": "fresh" }), "product_tag").await;
    let strong = make("product-tags", json!({ "value": "strong" }), "product_tag").await;
    for (title, channels, more) in [
        ("Tea", vec![&*web], json!({ "collection_id": collection, "tags": [{ "id": fresh }] })),
        ("Gin", vec![&*till], json!({ "subtitle": "dry and clear" })),
        ("Rum", vec![&*web, &*till], json!({ "tags": [{ "id": fresh }, { "id": strong }] })),
        ("Ale", vec![], json!({ "collection_id": collection, "subtitle": "clear" })),
    ] {
        let made = shop.product(title, &channels, 1).await;
        shop.admin.post(&format!("/admin/products/{}", made.product), more).await.ok();
    }
    Scene { shop, web, till, collection, fresh }
}

/// Titles of a page, and the count over all pages.
async fn titles(client: &Client, query: &str) -> String {
    let list =
        client.get(&format!("{query}{}fields=title", if query.contains('?') { '&' } else { '?' })).await.ok();
    let all = list.as_object().expect("an envelope").values().find_map(Value::as_array).expect("a list");
    let titles: Vec<&str> = all.iter().filter_map(|it| it["title"].as_str()).collect();
    format!("{} of {}", titles.join(" "), list["count"])
}

/// `a.b=1&c=2` with brackets: `a[b]=1&c=2`; below `form`, `<form>[a][b]=1&<form>[c]=2`.
fn bracketed(filters: &str, form: &str) -> String {
    let one = |filter: &str| {
        let (path, value) = filter.split_once('=').expect("a filter");
        let names: Vec<String> = path.split('.').map(|it| format!("[{it}]")).collect();
        match form {
            "" => format!("{}{}={value}", names[0].trim_matches(['[', ']']), names[1..].concat()),
            _ => format!("{form}{}={value}", names.concat()),
        }
    };
    filters.split('&').map(one).collect::<Vec<_>>().join("&")
}

#[tokio::test]
async fn filters_on_relations_restrict_the_records() {
    let Scene { shop, web, till, collection, fresh } = scene().await;
    for (filters, expect) in [
        (format!("sales_channels.id={web}"), "Tea Rum of 2"),
        (format!("sales_channels.id={web}&sales_channels.id={till}"), "Tea Gin Rum of 3"),
        (format!("sales_channel_id={till}"), "Gin Rum of 2"),
        ("sales_channels.id=nobody".into(), " of 0"),
        ("sales_channels.name=Till".into(), "Gin Rum of 2"),
        ("variants.sku=Gin".into(), "Gin of 1"),
        ("variants.sku=Gin&variants.sku=Tea".into(), "Tea Gin of 2"),
        ("collection.handle=summer".into(), "Tea Ale of 2"),
        (format!("collection.id={collection}"), "Tea Ale of 2"),
        (format!("collection_id={collection}&sales_channels.id={web}"), "Tea of 1"),
        ("tags.value=fresh".into(), "Tea Rum of 2"),
        ("tags.value=strong&tags.value=fresh".into(), "Tea Rum of 2"),
        (format!("tag_id={fresh}&variants.sku=Rum"), "Rum of 1"),
        ("options.title=Size&title=Ale".into(), "Ale of 1"),
    ] {
        // The same in every syntax; `$or` is evaluated per record.
        for form in ["", "$and[0]", "$or[0]", "$and[0][$or][0]", "$or[0][$and][0]"] {
            let query = format!("/admin/products?{}", bracketed(&filters, form));
            assert_eq!(titles(&shop.admin, &query).await, expect, "{query}");
        }
    }
    for (query, expect) in [
        ("variants[sku][$ne]=Gin", "Tea Rum Ale of 3"),
        ("sales_channels[name][$ilike]=w%25", "Tea Rum of 2"),
        ("tags[value]=fresh&limit=1&offset=1", "Rum of 2"),
        ("$or[0][tags][value]=strong&$or[1][collection][handle]=summer&order=title", "Ale Rum Tea of 3"),
        ("q=clear", "Gin Ale of 2"),
        ("q=DRY%20clear", "Gin of 1"),
        ("q=clear%20gin&variants[sku]=Gin", "Gin of 1"),
        ("q=gin%20nothing", " of 0"),
    ] {
        assert_eq!(titles(&shop.admin, &format!("/admin/products?{query}")).await, expect, "{query}");
    }
    let items = async |query: &str| shop.admin.get(&format!("/admin/{query}")).await.ok()["count"].clone();
    for (query, expect) in [
        ("product-variants?product[handle]=tea".to_owned(), 1),
        ("inventory-items?variants[sku]=Tea".into(), 1),
        (format!("stock-locations?sales_channels[id]={web}"), 1),
        (format!("sales-channels?stock_locations[id]={}", shop.location), 2),
        (format!("sales-channels?location_id={}&name=Web", shop.location), 1),
    ] {
        assert_eq!(items(&query).await, expect, "{query}");
    }
}

#[tokio::test]
async fn records_sort_by_fields_of_relations() {
    let admin = scene().await.shop.admin;
    for (order, expect) in [
        ("title", "Ale Gin Rum Tea of 4"),
        ("-title", "Tea Rum Gin Ale of 4"),
        // Of several related records the first in this order counts; records without one come last, or first
        // if descending.
        ("sales_channels.name", "Gin Rum Tea Ale of 4"),
        ("-sales_channels.name", "Ale Tea Rum Gin of 4"),
        ("tags.value", "Tea Rum Gin Ale of 4"),
        ("-tags.value", "Gin Ale Rum Tea of 4"),
        ("variants.sku", "Ale Gin Rum Tea of 4"),
    ] {
        assert_eq!(titles(&admin, &format!("/admin/products?order={order}")).await, expect, "{order}");
    }
    for wrong in ["nobody", "tags.nobody", "variants.product.variants.product.title", "title,handle"] {
        let answer = admin.get(&format!("/admin/products?order={wrong}")).await;
        assert_eq!(answer.error(), format!("400 invalid_data: Order field {wrong} is not valid"));
    }
}

#[tokio::test]
async fn with_deleted_shows_deleted_records_to_admins() {
    let Scene { shop, web, .. } = scene().await;
    let storefront = shop.storefront(&[&web]).await;
    let tea = shop.admin.get("/admin/products?handle=tea&fields=id").await.ok();
    let tea = tea["products"][0]["id"].as_str().expect("a product").to_owned();
    shop.admin.delete(&format!("/admin/products/{tea}")).await.ok();
    let one = |base: &str, query: &str| format!("/{base}/products/{tea}?fields=title,deleted_at{query}");
    assert_eq!(shop.admin.get(&one("admin", "")).await.status, 404);
    assert_eq!(shop.admin.get(&one("admin", "&with_deleted=false")).await.status, 404);
    let shown = shop.admin.get(&one("admin", "&with_deleted=true")).await.ok();
    assert_eq!(shown["product"]["title"], "Tea");
    assert!(shown["product"]["deleted_at"].is_string(), "{shown}");
    assert_eq!(titles(&shop.admin, "/admin/products?with_deleted=true&title=Tea").await, "Tea of 1");
    assert_eq!(storefront.get(&one("store", "&with_deleted=true")).await.status, 404);
    assert_eq!(titles(&storefront, "/store/products?with_deleted=true").await, "Rum of 1");
    assert_eq!(
        shop.admin.get(&one("admin", "&with_deleted=perhaps")).await.error(),
        "400 invalid_data: Invalid request: Expected type: 'boolean' for field 'with_deleted', got: 'perhaps'"
    );
}

#[tokio::test]
async fn filters_do_not_reveal_other_channels() {
    let Scene { shop, web, .. } = scene().await;
    let storefront = shop.storefront(&[&web]).await;
    for (query, expect) in [
        ("", "Tea Rum of 2"),
        ("variants[sku]=Rum", "Rum of 1"),
        ("variants[sku]=Gin", " of 0"),
        ("variants[sku]=Gin&variants[sku]=Tea", "Tea of 1"),
        ("q=gin", " of 0"),
    ] {
        assert_eq!(titles(&storefront, &format!("/store/products?{query}")).await, expect, "{query}");
    }
    // An excluded variant does not match either.
    let rum = shop.admin.get("/admin/product-variants?sku=Rum&fields=id").await.ok();
    let body = json!({ "variants": [{ "variant_id": rum["variants"][0]["id"], "is_enabled": false }] });
    shop.admin.post(&format!("/admin/sales-channels/{web}/assortment"), body).await.ok();
    assert_eq!(titles(&storefront, "/store/products?variants[sku]=Rum").await, " of 0");
}
