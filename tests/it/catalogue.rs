//! The catalogue as merchants edit it: what products are sorted into, categories and their ranks, handles, pictures.

use atoll_kernel::Actor;
use atoll_testkit::{Shop, TestApp};
use serde_json::{Value, json};

async fn shop() -> (Shop, String) {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    (shop, web)
}

fn id(record: &Value) -> String {
    record["id"].as_str().unwrap_or_else(|| panic!("no id in {record}")).to_owned()
}

/// What a product can be sorted into: route, name in the answer, body, parameter of lists, field of the product.
const SORTED_INTO: [(&str, &str, &str, &str); 4] = [
    ("product-tags", "product_tag", "tag_id", "tags"),
    ("product-types", "product_type", "type_id", "type"),
    ("collections", "collection", "collection_id", "collection"),
    ("product-categories", "product_category", "category_id", "categories"),
];

/// Makes one of each; says their ids, in the order of [`SORTED_INTO`].
async fn one_of_each(shop: &Shop) -> Vec<String> {
    let mut ids = Vec::new();
    for (route, one, _, _) in SORTED_INTO {
        let body = match route {
            "collections" => json!({ "title": "Tea" }),
            "product-categories" => json!({ "name": "Tea", "is_active": true }),
            _ => json!({ "value": "tea" }),
        };
        ids.push(id(&shop.admin.post(&format!("/admin/{route}"), body).await.ok()[one]));
    }
    ids
}

fn sorted_into(ids: &[String]) -> Value {
    json!({
        "tags": [{ "id": ids[0] }], "type_id": ids[1], "collection_id": ids[2], "categories": [{ "id": ids[3] }],
    })
}

#[tokio::test]
async fn products_can_be_edited_after_what_they_were_sorted_into_is_deleted() {
    let (shop, web) = shop().await;
    for (place, (route, _, param, field)) in SORTED_INTO.into_iter().enumerate() {
        let ids = one_of_each(&shop).await;
        let tea = shop.product(&format!("Tea {place}"), &[&web], 5).await;
        let path = format!("/admin/products/{}", tea.product);
        shop.admin.post(&path, sorted_into(&ids)).await.ok();
        shop.admin.delete(&format!("/admin/{route}/{}", ids[place])).await.ok();

        let shown = shop.admin.get(&format!("{path}?fields=+*categories")).await.ok();
        let shown = &shown["product"];
        let is_gone = shown[field].is_null() || shown[field] == json!([]);
        assert!(is_gone, "{field}: {}", shown[field]);
        if let Some(held) = shown.get(param) {
            assert!(held.is_null(), "{param}: {held}");
        }
        let listed = shop.admin.get(&format!("/admin/products?{param}={}", ids[place])).await.ok();
        assert_eq!(listed["count"], 0, "{param}");
        // The others are where they were.
        let there = SORTED_INTO.iter().filter(|it| it.3 != field && !shown[it.3].is_null());
        assert_eq!(there.filter(|it| shown[it.3] != json!([])).count(), 3);

        for change in [
            json!({ "title": "Other tea" }),
            json!({ "status": "draft" }),
            json!({ "status": "published", "images": [{ "url": "http://x/a.png" }] }),
            json!({ "sales_channels": [{ "id": web }] }),
        ] {
            shop.admin.post(&path, change).await.ok();
        }
        let batch = json!({ "update": [{ "id": tea.product, "title": "Tea again" }] });
        shop.admin.post("/admin/products/batch", batch).await.ok();
        for (route, id) in SORTED_INTO.iter().map(|it| it.0).zip(&ids).filter(|it| it.1 != &ids[place]) {
            shop.admin.delete(&format!("/admin/{route}/{id}")).await.ok();
        }
    }
}

#[tokio::test]
async fn what_a_deletion_cleared_comes_back_with_the_record() {
    let (shop, web) = shop().await;
    let ids = one_of_each(&shop).await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let other = shop.product("Other", &[&web], 5).await;
    for it in [&tea, &other] {
        shop.admin.post(&format!("/admin/products/{}", it.product), sorted_into(&ids)).await.ok();
    }
    let sorted = async || {
        let mut counts = Vec::new();
        for ((_, _, param, _), id) in SORTED_INTO.iter().zip(&ids) {
            let listed = shop.admin.get(&format!("/admin/products?{param}={id}")).await.ok();
            counts.push(listed["count"].as_u64().expect("a count"));
        }
        counts
    };
    assert_eq!(sorted().await, [2, 2, 2, 2]);
    for ((route, ..), id) in SORTED_INTO.iter().zip(&ids) {
        shop.admin.delete(&format!("/admin/{route}/{id}")).await.ok();
    }
    assert_eq!(sorted().await, [0, 0, 0, 0]);
    // One of them has another type by now.
    let green = shop.admin.post("/admin/product-types", json!({ "value": "green" })).await.ok();
    let green = json!({ "type_id": green["product_type"]["id"] });
    shop.admin.post(&format!("/admin/products/{}", other.product), green).await.ok();
    let back = ids.clone();
    let restore = move |tx: &mut dyn atoll_kernel::Write, at: &atoll_kernel::Moment| {
        atoll_product::TAGS.restore(tx, at, &back[0])?;
        atoll_product::TYPES.restore(tx, at, &back[1])?;
        atoll_product::COLLECTIONS.restore(tx, at, &back[2])?;
        Ok(atoll_product::CATEGORIES.restore(tx, at, &back[3]).map(drop)?)
    };
    shop.app.ctx.write(Actor::System, restore).await.expect("restored");
    assert_eq!(sorted().await, [2, 1, 2, 2]);

    // A product that comes back lets go of what was deleted while it was not there, and gets it back with that.
    shop.admin.delete(&format!("/admin/products/{}", tea.product)).await.ok();
    shop.admin.delete(&format!("/admin/product-tags/{}", ids[0])).await.ok();
    let (product, tag) = (tea.product.clone(), ids[0].clone());
    let restore = move |tx: &mut dyn atoll_kernel::Write, at: &atoll_kernel::Moment| {
        Ok(atoll_product::restore_product(tx, at, &product).map(drop)?)
    };
    shop.app.ctx.write(Actor::System, restore).await.expect("restored");
    let path = format!("/admin/products/{}", tea.product);
    assert_eq!(shop.admin.get(&path).await.ok()["product"]["tags"], json!([]));
    shop.admin.post(&path, json!({ "title": "Tea again" })).await.ok();
    let restore = move |tx: &mut dyn atoll_kernel::Write, at: &atoll_kernel::Moment| {
        Ok(atoll_product::TAGS.restore(tx, at, &tag).map(drop)?)
    };
    shop.app.ctx.write(Actor::System, restore).await.expect("restored");
    assert_eq!(sorted().await[0], 2);
}

#[tokio::test]
async fn a_deleted_region_or_location_is_no_default_and_stops_no_cart() {
    let (shop, web) = shop().await;
    let storefront = shop.storefront(&[&web]).await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let stores = shop.admin.get("/admin/stores").await.ok();
    let store = format!("/admin/stores/{}", id(&stores["stores"][0]));
    let empty = shop.admin.post("/admin/stock-locations", json!({ "name": "Empty" })).await.ok();
    let empty = id(&empty["stock_location"]);
    let defaults = json!({ "default_region_id": shop.region, "default_location_id": empty });
    shop.admin.post(&store, defaults).await.ok();
    let cart = shop.cart(&storefront, &tea.id, 1).await;

    shop.admin.delete(&format!("/admin/regions/{}", shop.region)).await.ok();
    shop.admin.delete(&format!("/admin/stock-locations/{empty}")).await.ok();
    let shown = shop.admin.get(&store).await.ok();
    assert_eq!(shown["store"]["default_region_id"], Value::Null);
    assert_eq!(shown["store"]["default_location_id"], Value::Null);
    assert_eq!(storefront.get("/store/products").await.ok()["count"], 1);
    assert_eq!(storefront.get(&format!("/store/products?cart_id={cart}")).await.ok()["count"], 1);

    let path = format!("/store/carts/{cart}");
    let changed = storefront.post(&path, json!({ "email": "a@b.co" })).await.ok();
    assert_eq!(
        (&changed["cart"]["email"], &changed["cart"]["currency_code"]),
        (&json!("a@b.co"), &json!("eur"))
    );
    let region = json!({ "name": "Europe", "currency_code": "eur", "countries": ["de"] });
    let region = id(&shop.admin.post("/admin/regions", region).await.ok()["region"]);
    let changed = storefront.post(&path, json!({ "region_id": region })).await.ok();
    assert_eq!(changed["cart"]["region_id"], json!(region));
}
