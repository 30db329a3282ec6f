//! Editing the catalogue: collections, types, tags, categories and their ranks, handles, images.

use atoll_kernel::{Actor, Moment, Write, limits::CATEGORY_DEPTH_MAX};
use atoll_product::{CATEGORIES, ProductCategory};
use atoll_testkit::{Shop, TestApp, id};
use serde_json::{Value, json};

async fn shop() -> (Shop, String) {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    (shop, web)
}

/// The groups of products: route, name in the answer, body, parameter of lists, field of the product.
const SORTED_INTO: [(&str, &str, &str, &str); 4] = [
    ("product-tags", "product_tag", "tag_id", "tags"),
    ("product-types", "product_type", "type_id", "type"),
    ("collections", "collection", "collection_id", "collection"),
    ("product-categories", "product_category", "category_id", "categories"),
];

/// Creates one of each. Returns their ids, in the order of [`SORTED_INTO`].
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
async fn products_can_be_edited_after_their_collection_type_tag_or_category_is_deleted() {
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
async fn restoring_a_record_restores_references_to_it() {
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
    let restore = move |tx: &mut dyn Write, at: &Moment| {
        atoll_product::TAGS.restore(tx, at, &back[0])?;
        atoll_product::TYPES.restore(tx, at, &back[1])?;
        atoll_product::COLLECTIONS.restore(tx, at, &back[2])?;
        Ok(CATEGORIES.restore(tx, at, &back[3]).map(drop)?)
    };
    shop.app.ctx.write(Actor::System, restore).await.expect("restored");
    assert_eq!(sorted().await, [2, 1, 2, 2]);

    // A restored product loses references to records that were deleted meanwhile, and gets them back when
    // those are restored.
    shop.admin.delete(&format!("/admin/products/{}", tea.product)).await.ok();
    shop.admin.delete(&format!("/admin/product-tags/{}", ids[0])).await.ok();
    let (product, tag) = (tea.product.clone(), ids[0].clone());
    let restore = move |tx: &mut dyn Write, at: &Moment| {
        Ok(atoll_product::restore_product(tx, at, &product).map(drop)?)
    };
    shop.app.ctx.write(Actor::System, restore).await.expect("restored");
    let path = format!("/admin/products/{}", tea.product);
    assert_eq!(shop.admin.get(&path).await.ok()["product"]["tags"], json!([]));
    shop.admin.post(&path, json!({ "title": "Tea again" })).await.ok();
    let restore =
        move |tx: &mut dyn Write, at: &Moment| Ok(atoll_product::TAGS.restore(tx, at, &tag).map(drop)?);
    shop.app.ctx.write(Actor::System, restore).await.expect("restored");
    assert_eq!(sorted().await[0], 2);
}

#[tokio::test]
async fn deleted_default_region_or_location_breaks_no_cart() {
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

/// Categories of a parent (`null` for the root) by rank: `A0 B1`.
async fn ranked(shop: &Shop, parent: &str) -> String {
    let path = format!("/admin/product-categories?order=rank&fields=name,rank&parent_category_id={parent}");
    let listed = shop.admin.get(&path).await.ok();
    let of = |it: &Value| format!("{}{}", it["name"].as_str().expect("a name"), it["rank"]);
    let all: Vec<String> = listed["product_categories"].as_array().expect("a list").iter().map(of).collect();
    all.join(" ")
}

async fn category(shop: &Shop, body: Value) -> String {
    id(&shop.admin.post("/admin/product-categories", body).await.ok()["product_category"])
}

#[tokio::test]
async fn category_ranks_stay_dense() {
    let (shop, _) = shop().await;
    let (a, b) =
        (category(&shop, json!({ "name": "A" })).await, category(&shop, json!({ "name": "B" })).await);
    let c = category(&shop, json!({ "name": "C", "rank": 0 })).await;
    assert_eq!(ranked(&shop, "null").await, "C0 A1 B2");
    category(&shop, json!({ "name": "D", "rank": 1 })).await;
    category(&shop, json!({ "name": "E", "rank": 99 })).await;
    assert_eq!(ranked(&shop, "null").await, "C0 D1 A2 B3 E4");

    let change = async |id: &str, body: Value| {
        shop.admin.post(&format!("/admin/product-categories/{id}"), body).await.ok()["product_category"]
            .clone()
    };
    assert_eq!(change(&b, json!({ "rank": 0 })).await["rank"], 0);
    assert_eq!(ranked(&shop, "null").await, "B0 C1 D2 A3 E4");
    assert_eq!(change(&b, json!({ "rank": 99 })).await["rank"], 4);
    assert_eq!(ranked(&shop, "null").await, "C0 D1 A2 E3 B4");
    change(&b, json!({ "name": "B", "rank": 4 })).await;
    change(&c, json!({ "description": "first" })).await;
    assert_eq!(ranked(&shop, "null").await, "C0 D1 A2 E3 B4");

    // A category with a new parent is last there, or at its rank; the ranks that it leaves are closed up.
    change(&c, json!({ "parent_category_id": a })).await;
    assert_eq!(
        (ranked(&shop, "null").await.as_str(), ranked(&shop, &a).await.as_str()),
        ("D0 A1 E2 B3", "C0")
    );
    change(&b, json!({ "parent_category_id": a, "rank": 0 })).await;
    assert_eq!(
        (ranked(&shop, "null").await.as_str(), ranked(&shop, &a).await.as_str()),
        ("D0 A1 E2", "B0 C1")
    );
    change(&b, json!({ "parent_category_id": null })).await;
    assert_eq!(
        (ranked(&shop, "null").await.as_str(), ranked(&shop, &a).await.as_str()),
        ("D0 A1 E2 B3", "C0")
    );

    shop.admin.delete(&format!("/admin/product-categories/{c}")).await.ok();
    shop.admin.delete(&format!("/admin/product-categories/{a}")).await.ok();
    assert_eq!(ranked(&shop, "null").await, "D0 E1 B2");
}

#[tokio::test]
async fn categories_are_of_limited_depth() {
    let (shop, _) = shop().await;
    let below = |name: &str, parent: &str| json!({ "name": name, "parent_category_id": parent });
    let top = category(&shop, json!({ "name": "Top" })).await;
    let mut lowest = top.clone();
    for level in 1..CATEGORY_DEPTH_MAX {
        lowest = category(&shop, below(&format!("Level {level}"), &lowest)).await;
    }
    let refused = shop.admin.post("/admin/product-categories", below("Too low", &lowest)).await.error();
    assert_eq!(refused, "400 invalid_data: Product categories have at most 20 levels");
    // Those below one that is moved count, too.
    let new_top = category(&shop, json!({ "name": "New top" })).await;
    let path = format!("/admin/product-categories/{top}");
    let refused = shop.admin.post(&path, json!({ "parent_category_id": new_top })).await.error();
    assert_eq!(refused, "400 invalid_data: Product categories have at most 20 levels");
    let shown = shop.admin.get(&format!("/admin/product-categories/{lowest}?fields=mpath")).await.ok();
    let n_levels = shown["product_category"]["mpath"].as_str().map(|it| it.split('.').count());
    assert_eq!(n_levels, Some(CATEGORY_DEPTH_MAX));
}

/// As an earlier version has let them be made.
#[tokio::test]
async fn moving_a_deep_tree_of_categories_ends_no_process() {
    let (shop, _) = shop().await;
    let make = |tx: &mut dyn Write, at: &Moment| {
        let mut parent = None;
        for level in 0..5_000 {
            let (name, handle) = (level.to_string(), level.to_string());
            let parent_category_id = parent.take();
            let deep = ProductCategory { name, handle, parent_category_id, ..ProductCategory::default() };
            parent = Some(CATEGORIES.create(tx, at, deep)?.id);
        }
        Ok(())
    };
    shop.app.ctx.write(Actor::System, make).await.expect("categories");
    let listed = shop.admin.get("/admin/product-categories?handle=0&fields=id").await.ok();
    let path = format!("/admin/product-categories/{}", id(&listed["product_categories"][0]));
    let new_top = category(&shop, json!({ "name": "New top" })).await;
    let refused = shop.admin.post(&path, json!({ "parent_category_id": new_top })).await.error();
    assert_eq!(refused, "400 invalid_data: Product categories have at most 20 levels");
}

#[tokio::test]
async fn category_trees_are_ordered_and_hide_inactive_ones() {
    let (shop, web) = shop().await;
    let storefront = shop.storefront(&[&web]).await;
    let below = |name: &str, parent: &str, rank: u32| json!({ "name": name, "is_active": true, "parent_category_id": parent, "rank": rank });
    let root = category(&shop, json!({ "name": "Root", "is_active": true })).await;
    let tea = category(&shop, below("Tea", &root, 0)).await;
    let green = category(&shop, below("Green", &tea, 0)).await;
    category(&shop, below("Black", &tea, 0)).await;
    category(&shop, json!({ "name": "Hidden", "parent_category_id": tea })).await;
    fn down(it: &Value) -> String {
        let children: Vec<String> =
            it["category_children"].as_array().into_iter().flatten().map(down).collect();
        let name = it["name"].as_str().expect("a name");
        if children.is_empty() { name.to_owned() } else { format!("{name}({})", children.join(" ")) }
    }
    fn up(it: &Value) -> String {
        let above = Some(&it["parent_category"]).filter(|it| it.is_object()).map(up);
        format!("{}{}", above.map(|it| it + "/").unwrap_or_default(), it["name"].as_str().expect("a name"))
    }
    let asked = "include_descendants_tree=true&include_ancestors_tree=true";
    for (client, area, expect) in [
        (&shop.admin, "admin", "Root(Tea(Black Green Hidden))"),
        (&storefront, "store", "Root(Tea(Black Green))"),
    ] {
        let path = format!("/{area}/product-categories");
        let shown = client.get(&format!("{path}/{root}?{asked}")).await.ok();
        assert_eq!(down(&shown["product_category"]), expect);
        let shown = client.get(&format!("{path}/{green}?{asked}&fields=name")).await.ok();
        assert_eq!(up(&shown["product_category"]), "Root/Tea/Green");
        let listed = client.get(&format!("{path}?parent_category_id=null&{asked}")).await.ok();
        assert_eq!(
            (listed["count"].clone(), down(&listed["product_categories"][0])),
            (json!(1), expect.to_owned())
        );
        let plain = client.get(&format!("{path}/{root}?include_descendants_tree=false")).await.ok();
        assert_eq!(down(&plain["product_category"]), "Root(Tea)");
    }
    let path = format!("/admin/product-categories/{green}?include_ancestors_tree=true");
    assert_eq!(
        up(&shop.admin.post(&path, json!({ "rank": 0 })).await.ok()["product_category"]),
        "Root/Tea/Green"
    );
}

#[tokio::test]
async fn store_products_cannot_be_filtered_by_hidden_categories() {
    let (shop, web) = shop().await;
    let storefront = shop.storefront(&[&web]).await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let shown = category(&shop, json!({ "name": "Shown", "is_active": true })).await;
    let inactive = category(&shop, json!({ "name": "Inactive" })).await;
    let internal =
        category(&shop, json!({ "name": "Internal", "is_active": true, "is_internal": true })).await;
    let all = json!({ "categories": [{ "id": shown }, { "id": inactive }, { "id": internal }] });
    shop.admin.post(&format!("/admin/products/{}", tea.product), all).await.ok();
    for (id, expect) in [(&shown, 1), (&inactive, 0), (&internal, 0)] {
        for path in
            [format!("category_id={id}"), format!("category_id[]={id}"), format!("$or[0][category_id]={id}")]
        {
            assert_eq!(
                storefront.get(&format!("/store/products?{path}")).await.ok()["count"],
                expect,
                "{path}"
            );
        }
        assert_eq!(shop.admin.get(&format!("/admin/products?category_id={id}")).await.ok()["count"], 1);
    }
}

#[tokio::test]
async fn handles_keep_the_letters_of_any_script_and_are_never_empty() {
    let (shop, _) = shop().await;
    let product = |title: &str, handle: Value| json!({ "title": title, "handle": handle, "options": [{ "title": "Size", "values": ["One"] }] });
    let routes = [
        ("products", "product", "title"),
        ("collections", "collection", "title"),
        ("product-categories", "product_category", "name"),
    ];
    for (route, one, name) in routes {
        let make = async |title: &str, handle: Option<&str>| {
            let mut body =
                if route == "products" { product(title, Value::Null) } else { json!({ name: title }) };
            if let Some(handle) = handle {
                body["handle"] = json!(handle);
            }
            let made = shop.admin.post(&format!("/admin/{route}"), body).await.ok()[one].clone();
            (id(&made), made["handle"].as_str().expect("a handle").to_owned())
        };
        assert_eq!(make("Посуда", None).await.1, "посуда");
        assert_eq!(make("Straße's", Some("")).await.1, "strasses");
        let (tea, given) = make("日本", Some("茶-1")).await;
        assert_eq!(given, "茶-1");
        let found = shop.admin.get(&format!("/admin/{route}?handle=%E8%8C%B6-1")).await.ok();
        assert_eq!(found["count"], 1);
        let dots = make("…", None).await.1;
        assert!(dots.len() > 20, "the handle of an id: {dots}");
        assert_ne!(make("…", None).await.1, dots);
        let path = format!("/admin/{route}/{tea}");
        let emptied = shop.admin.post(&path, json!({ "handle": "" })).await.ok();
        assert_eq!(emptied[one]["handle"], "日本");
    }
    let tea = shop.admin.post("/admin/products", product("Tea", Value::Null)).await.ok()["product"].clone();
    let path = format!("/admin/products/{}", id(&tea));
    let renamed = shop.admin.post(&path, json!({ "title": "Coffee", "handle": null })).await.ok();
    assert_eq!(renamed["product"]["handle"], "tea");
    for bad in ["Tea", "a b", "a--b", "🍵"] {
        let error = shop.admin.post(&path, json!({ "handle": bad })).await.error();
        assert_eq!(
            error,
            format!("400 invalid_data: Invalid product handle '{bad}'. It must contain URL safe characters")
        );
    }
}

#[tokio::test]
async fn lists_sort_names_alphabetically() {
    let (shop, _) = shop().await;
    for title in ["zebra", "Äpfel", "Ножи", "apfel", "Birne", "Вода", "Zebra", "日本"] {
        shop.admin.post("/admin/product-tags", json!({ "value": title })).await.ok();
    }
    let titles = async |order: &str| {
        let listed = shop.admin.get(&format!("/admin/product-tags?order={order}&limit=20")).await.ok();
        let all = listed["product_tags"].as_array().expect("a list").iter();
        all.map(|it| it["value"].as_str().expect("a value").to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(titles("value").await, "apfel Äpfel Birne zebra Zebra Вода Ножи 日本");
    assert_eq!(titles("-value").await, "日本 Ножи Вода Zebra zebra Birne Äpfel apfel");
}

/// A product of two options with two variants, and their ids.
async fn shirt(shop: &Shop, web: &str) -> (String, String, String) {
    let variant = |size: &str| {
        json!({ "title": size, "sku": format!("SHIRT-{size}"), "options": { "Size": size, "Colour": "red" },
            "prices": [{ "currency_code": "eur", "amount": 10 }, { "currency_code": "usd", "amount": 11 }] })
    };
    let product = json!({
        "title": "Shirt", "status": "published", "sales_channels": [{ "id": web }],
        "options": [{ "title": "Size", "values": ["S", "M", "L"] }, { "title": "Colour", "values": ["red", "blue"] }],
        "variants": [variant("S"), variant("M")],
        "images": [{ "url": "http://x/a.png" }, { "url": "http://x/b.png" }, { "url": "http://x/c.png" }],
    });
    let made = shop.admin.post("/admin/products", product).await.ok()["product"].clone();
    (id(&made), id(&made["variants"][0]), id(&made["variants"][1]))
}

#[tokio::test]
async fn variant_update_sets_options_and_prices_by_id() {
    let (shop, web) = shop().await;
    let (product, small, medium) = shirt(&shop, &web).await;
    let path = format!("/admin/products/{product}/variants/{small}");
    let shown = async || shop.admin.get(&path).await.ok()["variant"].clone();
    let options = async || {
        let shown = shown().await;
        let mut values: Vec<String> = shown["options"]
            .as_array()
            .expect("options")
            .iter()
            .map(|it| it["value"].as_str().expect("a value").to_owned())
            .collect();
        values.sort();
        values.join(" ")
    };
    let body = json!({ "id": small, "title": "L", "options": { "Size": "L", "Colour": "blue" } });
    shop.admin.post(&path, body).await.ok();
    assert_eq!((shown().await["title"].clone(), options().await.as_str()), (json!("L"), "L blue"));
    for (bad, expect) in [
        (json!({ "Size": "M", "Colour": "red" }), "Variant (M) with provided options already exists."),
        (json!({ "Size": "XL", "Colour": "red" }), "Option value XL does not exist for option Size"),
        (json!({ "Size": "S" }), "Product has 2 but there were 1 provided option values for the variant: L."),
    ] {
        let error = shop.admin.post(&path, json!({ "options": bad })).await.error();
        assert_eq!(error, format!("400 invalid_data: {expect}"));
    }
    // Its own option values again are no duplicate.
    shop.admin.post(&path, json!({ "options": { "Size": "L", "Colour": "blue" } })).await.ok();
    let batch = json!({ "update": [{ "id": medium, "options": { "Size": "S", "Colour": "red" } }] });
    shop.admin.post(&format!("/admin/products/{product}/variants/batch"), batch).await.ok();
    assert_eq!(options().await, "L blue");

    let prices = async || {
        let shown = shown().await;
        let mut all: Vec<(String, String, String)> = shown["prices"]
            .as_array()
            .expect("prices")
            .iter()
            .map(|it| {
                (it["currency_code"].as_str().expect("a code").to_owned(), it["amount"].to_string(), id(it))
            })
            .collect();
        all.sort();
        all
    };
    let before = prices().await;
    let (eur, usd) = (before[0].2.clone(), before[1].2.clone());
    shop.admin.post(&path, json!({ "prices": [{ "id": eur }, { "id": usd, "amount": 12 }] })).await.ok();
    let of = |code: &str, amount: &str, id: &str| (code.to_owned(), amount.to_owned(), id.to_owned());
    assert_eq!(prices().await, [of("eur", "10", &eur), of("usd", "12", &usd)]);
    // Prices that are left out are deleted; one for the same currency keeps its id.
    shop.admin.post(&path, json!({ "prices": [{ "currency_code": "usd", "amount": 13 }] })).await.ok();
    assert_eq!(prices().await, [of("usd", "13", &usd)]);
    for (bad, expect) in [
        (json!({ "id": "price_x" }), "Price with id: price_x does not exist"),
        (json!({ "amount": 1 }), "Invalid request: Field 'prices, 0, currency_code' is required"),
        (json!({ "currency_code": "eur" }), "Invalid request: Field 'prices, 0, amount' is required"),
    ] {
        let error = shop.admin.post(&path, json!({ "prices": [bad] })).await.error();
        assert_eq!(error, format!("400 invalid_data: {expect}"));
    }
    assert_eq!(prices().await, [of("usd", "13", &usd)]);
}

#[tokio::test]
async fn images_keep_their_ids_and_may_belong_to_variants() {
    let (shop, web) = shop().await;
    let storefront = shop.storefront(&[&web]).await;
    let (product, small, medium) = shirt(&shop, &web).await;
    let path = format!("/admin/products/{product}");
    let images = async || {
        let shown = shop.admin.get(&path).await.ok();
        let all = shown["product"]["images"].as_array().expect("pictures").clone();
        all.iter().map(|it| (id(it), it["url"].as_str().expect("a URL").to_owned())).collect::<Vec<_>>()
    };
    let before = images().await;
    let [a, b, c] = [0, 1, 2].map(|it: usize| before[it].0.clone());
    let body = json!({ "images": [
        { "id": c, "url": "http://x/c.png" }, { "url": "http://x/a.png" }, { "id": b, "url": "http://x/b2.png" }, { "url": "http://x/d.png" },
    ] });
    shop.admin.post(&path, body).await.ok();
    let after = images().await;
    let kept =
        [(&c, "c"), (&a, "a"), (&b, "b2")].map(|(id, name)| (id.clone(), format!("http://x/{name}.png")));
    assert_eq!(after[..3], kept);
    assert!(before.iter().all(|it| it.0 != after[3].0));

    let of_variant = async |variant: &str| {
        let fields = "fields=*variants,*variants.images";
        let shown = storefront.get(&format!("/store/products/{product}?{fields}")).await.ok();
        let variants = shown["product"]["variants"].as_array().expect("variants").clone();
        let own = variants.into_iter().find(|it| it["id"] == *variant).expect("the variant");
        let images = own["images"].as_array().expect("pictures").clone();
        assert!(images.iter().all(|it| it.get("variant_ids").is_none()), "what is hidden is not shown");
        images.iter().map(id).collect::<Vec<_>>()
    };
    let d = after[3].0.clone();
    assert_eq!(of_variant(&small).await, [c.clone(), a.clone(), b.clone(), d.clone()]);
    let batch = format!("{path}/variants/{small}/images/batch");
    let answer = shop.admin.post(&batch, json!({ "add": [a, b] })).await.ok();
    let mut added = vec![a.clone(), b.clone()];
    added.sort();
    assert_eq!(answer, json!({ "added": added, "removed": [] }));
    assert_eq!(of_variant(&medium).await, [c.clone(), d.clone()]);
    let batch = format!("{path}/images/{b}/variants/batch");
    let answer = shop.admin.post(&batch, json!({ "add": [medium], "remove": [small] })).await.ok();
    assert_eq!(answer, json!({ "added": [medium], "removed": [small] }));
    assert_eq!(of_variant(&small).await, [c.clone(), a.clone(), d.clone()]);
    assert_eq!(of_variant(&medium).await, [c.clone(), b.clone(), d.clone()]);
    // Reordering images keeps their variants; deleting a variant unassigns its images.
    shop.admin
        .post(
            &path,
            json!({ "images": [{ "id": a, "url": "http://x/a.png" }, { "id": b, "url": "http://x/b.png" }] }),
        )
        .await
        .ok();
    assert_eq!(of_variant(&medium).await, std::slice::from_ref(&b));
    shop.admin.delete(&format!("{path}/variants/{small}")).await.ok();
    assert_eq!(of_variant(&medium).await, std::slice::from_ref(&b));

    for (path, body, expect) in [
        (
            format!("{path}/variants/{medium}/images/batch"),
            json!({ "add": ["img_x"] }),
            "400 invalid_data: ProductImage with id: img_x does not exist",
        ),
        (
            format!("{path}/images/{b}/variants/batch"),
            json!({ "add": ["variant_x"] }),
            "400 invalid_data: ProductVariant with id: variant_x does not exist",
        ),
        (
            format!("{path}/images/{b}/variants/batch"),
            json!({ "add": [small] }),
            "400 invalid_data: ProductVariant with id",
        ),
        (
            "/admin/products/prod_x/images/img_x/variants/batch".to_owned(),
            json!({}),
            "404 not_found: Product with id: prod_x was not found",
        ),
    ] {
        let error = shop.admin.post(&path, body).await.error();
        assert!(error.starts_with(expect), "{error}");
    }
}

#[tokio::test]
async fn store_products_can_be_filtered_by_option_values() {
    let (shop, web) = shop().await;
    let storefront = shop.storefront(&[&web]).await;
    let (product, small, _) = shirt(&shop, &web).await;
    shop.product("Tea", &[&web], 1).await;
    let listed =
        storefront.get("/store/product-options?order=title&fields=title,*values&title=Size").await.ok();
    assert_eq!(listed["count"], 2, "of the shirt and of the tea");
    let options = listed["product_options"].as_array().expect("options").clone();
    let size =
        options.iter().find(|it| it["values"].as_array().is_some_and(|it| it.len() == 3)).expect("sizes");
    let of = |value: &str| {
        id(size["values"]
            .as_array()
            .expect("values")
            .iter()
            .find(|it| it["value"] == *value)
            .expect("the value"))
    };
    let one = storefront.get(&format!("/store/product-options/{}", id(size))).await.ok();
    assert_eq!(one["product_option"]["title"], "Size");
    let unknown = storefront.get("/store/product-options/opt_x").await.error();
    assert_eq!(unknown, "404 not_found: Product option with id: opt_x was not found");
    let refused = storefront.get("/store/product-options?nope=1").await.error();
    assert_eq!(refused, "400 invalid_data: Invalid request: Unrecognized fields: 'nope'");

    let found = async |query: &str| {
        let listed = storefront.get(&format!("/store/products?{query}")).await.ok();
        let all = listed["products"].as_array().expect("products").clone();
        all.iter().map(id).collect::<Vec<_>>()
    };
    let is_shirt = vec![product.clone()];
    assert_eq!(found("variants[options][value]=M").await, is_shirt);
    // No variant has this value, so nothing is found.
    assert_eq!(found("variants[options][value]=L").await, Vec::<String>::new());
    assert_eq!(found(&format!("variants[options][option_id]={}", id(size))).await, is_shirt);
    assert_eq!(
        found(&format!("option_value_id[]={}&option_value_id[]={}", of("S"), of("L"))).await,
        is_shirt
    );
    assert_eq!(found(&format!("option_value_id={}", of("L"))).await, Vec::<String>::new());
    // A variant that is excluded in the channel is not searched.
    let path = format!("/admin/sales-channels/{web}/variants/{small}");
    shop.admin.post(&path, json!({ "is_enabled": false })).await.ok();
    assert_eq!(found(&format!("option_value_id={}", of("S"))).await, Vec::<String>::new());

    for (query, field) in [
        ("variants[colour]=red", "variants.colour"),
        ("variants[options][colour]=red", "variants.options.colour"),
        ("$or[0][colour]=red", "colour"),
        ("$and[0][variants][colour]=red", "variants.colour"),
        ("colour=red", "colour"),
    ] {
        let error = storefront.get(&format!("/store/products?{query}")).await.error();
        assert_eq!(
            error,
            format!("400 invalid_data: Invalid request: Unrecognized fields: '{field}'"),
            "{query}"
        );
    }
    let nested = shop.admin.get("/admin/products?variants[colour]=red").await.error();
    assert_eq!(nested, "400 invalid_data: Invalid request: Unrecognized fields: 'variants.colour'");
}

#[tokio::test]
async fn requests_of_medusa_clients_are_accepted() {
    let (shop, web) = shop().await;
    let storefront = shop.storefront(&[&web]).await;
    let tea = shop.product("Tea", &[&web], 1).await;
    let path = format!("/admin/products/{}", tea.product);
    shop.admin.post(&path, json!({ "description": "a 100 %descri of tea" })).await.ok();
    // `%de` is an invalid escape: it is kept, and the rest is decoded.
    let found = shop.admin.get("/admin/products?title=T%65a&description=x&q=%descri").await.ok();
    assert_eq!(found["count"], 1);

    let fields = "fields=title,variants.id,variants.sku,-variants";
    let shown = shop.admin.get(&format!("{path}?{fields}")).await.ok();
    assert_eq!(shown["product"]["variants"], json!([{ "id": tea.id, "sku": "Tea" }]));
    let shown = shop.admin.get(&format!("{path}?fields=-variants,-options")).await.ok();
    assert!(shown["product"].get("variants").is_none());

    let shown =
        storefront.get(&format!("/store/regions/{}?fields=id,*payment_providers", shop.region)).await.ok();
    assert_eq!(shown["region"]["payment_providers"][0]["id"], "pp_system_default");
    let bare = json!({ "name": "Isle", "currency_code": "eur", "countries": ["gb"] });
    let bare = id(&shop.admin.post("/admin/regions", bare).await.ok()["region"]);
    let shown = storefront.get(&format!("/store/regions/{bare}?fields=id,*payment_providers")).await.ok();
    assert_eq!(shown["region"], json!({ "id": bare, "payment_providers": [] }));

    let part = format!("{path}/variants/{}/inventory-items", tea.id);
    assert_eq!(
        shop.admin.post(&part, json!({})).await.error(),
        "400 invalid_data: Invalid request: Field 'required_quantity' is required; Field 'inventory_item_id' is required"
    );
}
