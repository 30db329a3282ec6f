//! The pages of the catalogue: products, variants, stock, locations, collections and the like.

use atoll_kernel::{http::StatusCode, limits::FILES_PER_UPLOAD_MAX};
use atoll_testkit::{Shop, TestApp, Variant};
use serde_json::json;

use super::{Browser, shop};

/// The id in the address to which a form leads.
fn id_in<'a>(to: &'a str, at: &str) -> &'a str {
    let rest = to.strip_prefix(at).unwrap_or_else(|| panic!("{to} is not below {at}"));
    rest.split(['?', '/']).next().unwrap_or_default()
}

/// A product, its variant, and the lists under which it is found, all with this text.
pub(super) async fn everything_called(shop: &Shop, text: &str) -> Variant {
    let variant = shop.product(text, &[], 1).await;
    for (route, name) in [
        ("collections", "title"),
        ("product-categories", "name"),
        ("product-tags", "value"),
        ("product-types", "value"),
    ] {
        shop.admin.post(&format!("/admin/{route}"), json!({ name: text })).await.ok();
    }
    let product = json!({
        "subtitle": text, "description": text, "thumbnail": format!("https://{text}"),
        "images": [{ "url": format!("https://{text}") }, { "url": format!("/{text}") }, { "url": format!("javascript:{text}") }],
    });
    shop.admin.post(&format!("/admin/products/{}", variant.product), product).await.ok();
    let held = json!({
        "inventory_item_id": variant.item, "location_id": shop.location, "quantity": 1, "description": text,
    });
    shop.admin.post("/admin/reservations", held).await.ok();
    shop.admin.post(&format!("/admin/stock-locations/{}", shop.location), json!({ "name": text })).await.ok();
    variant
}

#[tokio::test]
async fn one_form_makes_a_product_that_is_on_sale() {
    let (shop, channel, browser) = shop().await;
    let form = [
        ("do", "create"),
        ("title", "Mug"),
        ("status", "published"),
        ("channels[]", &channel),
        ("sku", "MUG"),
        ("prices[eur]", "12.50"),
        ("managed", "on"),
        ("stock", "7"),
        ("location", &shop.location),
    ];
    let (status, to, page) = browser.send("/app/products/new", &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let id = id_in(&to, "/app/products/");
    let fields = "fields=variants.id,variants.title,variants.prices.amount,variants.inventory_quantity";
    let made = shop.admin.get(&format!("/admin/products/{id}?{fields}")).await.ok();
    let variant = &made["product"]["variants"][0];
    assert_eq!(variant["prices"][0]["amount"], json!(12.5));
    assert_eq!(variant["inventory_quantity"], json!(7));

    let why = format!("/app/why?channel={channel}&variant={}", variant["id"].as_str().expect("an id"));
    assert!(browser.page(&why).await.1.contains("On sale"));
    let (_, list) = browser.page("/app/products?q=mug").await;
    assert!(list.contains(&format!("/app/products/{id}")), "{list}");
    let (status, _, page) = browser.send("/app/products/new", &form).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("role=\"alert\"") && page.contains("value=\"12.50\""), "{page}");
}

/// Sent again, a form that was refused would make another product, or say that its handle exists.
#[tokio::test]
async fn a_form_that_made_a_product_is_not_refused() {
    let (shop, _, browser) = shop().await;
    let mug = [("do", "create"), ("title", "Mug"), ("status", "draft"), ("managed", "on"), ("sku", "MUG")];
    let make = async |stock: &str, location: &str| {
        let form = [&mug[..], &[("stock", stock), ("location", location)]].concat();
        browser.send("/app/products/new", &form).await
    };
    assert_eq!(make("-1", &shop.location).await.0, StatusCode::BAD_REQUEST);
    let (status, to, _) = make("1", "sloc_gone").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, text) = browser.page(&to).await;
    assert!(text.contains("Not all of it was done"), "{text}");
    assert_eq!(shop.admin.get("/admin/products?fields=id").await.ok()["count"], 1);
}

#[tokio::test]
async fn each_combination_of_values_becomes_a_variant() {
    let (shop, _, browser) = shop().await;
    let form = |options| {
        [("do", "create"), ("title", "Shirt"), ("status", "draft"), ("sku", "TEE"), ("options", options)]
    };
    let (_, _, page) = browser.send("/app/products/new", &form("Size S, M")).await;
    assert!(page.contains("is not an option"), "{page}");
    let many =
        format!("Size: {}\nColour: {0}", (0..11).map(|it| it.to_string()).collect::<Vec<_>>().join(","));
    let (_, _, page) = browser.send("/app/products/new", &form(&many)).await;
    assert!(page.contains("more than 100 variants"), "{page}");

    let (_, to, _) = browser.send("/app/products/new", &form("Size: S, M\nColour: Red")).await;
    let id = id_in(&to, "/app/products/").to_owned();
    let variants = format!("/admin/products/{id}/variants?fields=sku,title&order=variant_rank");
    let skus = async || {
        let list = shop.admin.get(&variants).await.ok();
        let records = list["variants"].as_array().expect("a list").clone();
        records.iter().map(|it| it["sku"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(skus().await, ["TEE-S-Red", "TEE-M-Red"]);

    // A variant with a value that is new.
    let fields = "fields=options.id,options.title";
    let product = shop.admin.get(&format!("/admin/products/{id}?{fields}")).await.ok();
    let options = product["product"]["options"].as_array().expect("options").clone();
    let name = |title: &str| {
        let option = options.iter().find(|it| it["title"] == title).expect("an option");
        format!("values[{}]", option["id"].as_str().expect("an id"))
    };
    let (size, colour) = (name("Size"), name("Colour"));
    let more =
        [("do", "add-variant"), (size.as_str(), "XL"), (colour.as_str(), "Red"), ("sku", "TEE-XL-Red")];
    let page = format!("/app/products/{id}");
    assert_eq!(browser.send(&page, &more).await.0, StatusCode::SEE_OTHER);
    assert_eq!(skus().await, ["TEE-S-Red", "TEE-M-Red", "TEE-XL-Red"]);
    let (status, _, text) = browser.send(&page, &more).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("role=\"alert\"") && text.contains("<details open"), "{text}");
}

/// What the page of an explanation links to puts it right: publish, channel, price.
#[tokio::test]
async fn the_reasons_are_put_right_on_the_pages_that_they_link_to() {
    let (shop, channel, browser) = shop().await;
    let variant = shop.product("Mug", &[], 3).await;
    let page = format!("/app/products/{}", variant.product);
    let why = format!("/app/why?channel={channel}&variant={}&region={}", variant.id, shop.region);
    let of_variant = format!("{page}/variants/{}", variant.id);
    browser.send(&page, &[("do", "unpublish")]).await;
    browser.send(&of_variant, &[("do", "prices"), ("prices[eur]", "")]).await;
    let (_, text) = browser.page(&why).await;
    for reason in ["is not published", "is not in the sales channel", "has no price"] {
        assert!(text.contains(reason), "{reason}: {text}");
    }
    assert!(text.contains(&page) && text.contains(&of_variant), "{text}");

    browser.send(&page, &[("do", "publish")]).await;
    browser.send(&page, &[("do", "channels"), ("channels[]", &channel)]).await;
    browser.send(&of_variant, &[("do", "prices"), ("prices[eur]", "9.90")]).await;
    let (_, text) = browser.page(&why).await;
    assert!(text.contains("On sale"), "{text}");
}

/// The form says all channels again: those that stay keep their periods.
#[tokio::test]
async fn a_channel_that_stays_ticked_keeps_its_period() {
    let (shop, channel, browser) = shop().await;
    let variant = shop.product("Mug", &[&channel], 3).await;
    let other = shop.channel("Till").await;
    let terms = format!("/admin/sales-channels/{channel}/products/{}", variant.product);
    let period = json!({ "available_from": "2030-01-01T00:00:00.000Z" });
    shop.admin.post(&terms, period.clone()).await.ok();
    let page = format!("/app/products/{}", variant.product);
    let form = [("do", "channels"), ("channels[]", channel.as_str()), ("channels[]", &other)];
    assert_eq!(browser.send(&page, &form).await.0, StatusCode::SEE_OTHER);
    let kept = shop.admin.get(&terms).await.ok();
    assert!(kept.to_string().contains("2030-01-01T00:00:00.000Z"), "{kept}");
    let sold = shop.admin.get(&format!("/admin/products?sales_channel_id={other}")).await.ok();
    assert_eq!(sold["count"], 1);
}

#[tokio::test]
async fn pictures_and_texts_of_a_product_are_changed() {
    let (shop, _, browser) = shop().await;
    let variant = shop.product("Mug", &[], 3).await;
    let page = format!("/app/products/{}", variant.product);
    let add = |url| [("do", "add-picture"), ("url", url)];
    let (_, _, refused) = browser.send(&page, &add("javascript:alert(1)")).await;
    assert!(refused.contains("begins with"), "{refused}");
    browser.send(&page, &add("https://pictures.example/1.png")).await;
    browser.send(&page, &add("/static/2.png")).await;
    let fields = "fields=title,subtitle,thumbnail,images.id,images.url";
    let product = async || {
        shop.admin.get(&format!("/admin/products/{}?{fields}", variant.product)).await.ok()["product"].clone()
    };
    let made = product().await;
    assert_eq!(made["thumbnail"], "https://pictures.example/1.png");
    let first = made["images"][0]["id"].as_str().expect("an id").to_owned();
    let second = made["images"][1]["id"].as_str().expect("an id").to_owned();
    // Pages ask no other origin.
    let (_, text) = browser.page(&page).await;
    assert!(text.contains("src=\"/static/2.png\"") && !text.contains("src=\"https://pictures"), "{text}");

    browser.send(&page, &[("do", &format!("remove-picture {first}"))]).await;
    let left = product().await;
    assert_eq!(left["thumbnail"], "/static/2.png");
    assert_eq!(left["images"][0]["id"], second.as_str());
    let texts = [("do", "save"), ("title", "Cup"), ("subtitle", "Of clay"), ("status", "published")];
    browser.send(&page, &texts).await;
    assert_eq!(product().await["subtitle"], "Of clay");

    // What was typed is kept in the form that was refused alone.
    let refused = [("do", "save"), ("title", "Bowl"), ("handle", "no / handle"), ("status", "published")];
    let (_, _, text) = browser.send(&page, &refused).await;
    assert_eq!(text.matches("value=\"Bowl\"").count(), 1, "{text}");

    let (status, to, _) = browser.send(&page, &[("do", "delete")]).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/app/products?done=deleted"));
    assert_eq!(browser.page(&page).await.0, StatusCode::NOT_FOUND);
}

/// A form with a file, as browsers send it.
fn with_file(csrf: &str) -> String {
    with_files(csrf, 1, "\u{89}PNG")
}

/// A form with this many files of this content.
fn with_files(csrf: &str, n_files: usize, content: &str) -> String {
    let part = |head: &str, body: &str| {
        format!("--limit\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n")
    };
    let files = part("name=\"files\"; filename=\"mug.png\"", content).repeat(n_files);
    let fields = [("csrf", csrf), ("once", &format!("{n_files} of {}", content.len())), ("do", "upload")];
    let fields = fields.map(|(name, value)| part(&format!("name=\"{name}\""), value)).concat();
    format!("{fields}{files}--limit--\r\n")
}

#[tokio::test]
async fn a_picture_is_uploaded_and_only_by_our_own_form() {
    let (shop, _, browser) = shop().await;
    let variant = shop.product("Mug", &[], 3).await;
    let page = format!("/app/products/{}", variant.product);
    let client = browser.client.clone().with_header("content-type", "multipart/form-data; boundary=limit");
    let send = async |csrf: &str| client.send("POST", &page, with_file(csrf).into()).await.status;
    assert_eq!(send("").await, StatusCode::FORBIDDEN);
    assert_eq!(send(&browser.csrf().await).await, StatusCode::SEE_OTHER);
    let fields = "fields=thumbnail,images.url";
    let made = shop.admin.get(&format!("/admin/products/{}?{fields}", variant.product)).await.ok();
    let url = made["product"]["images"][0]["url"].as_str().expect("an address");
    assert!(url.ends_with(".png") && made["product"]["thumbnail"] == url, "{made}");
    let (_, text) = browser.page(&page).await;
    assert!(text.contains(&format!("src=\"{url}\"")), "{text}");
}

/// It looks at the first items alone, and says so.
#[tokio::test]
async fn the_overview_says_how_far_it_has_looked_for_stock() {
    let (shop, _, browser) = shop().await;
    shop.product("Mug", &[], 0).await;
    assert!(browser.page("/app/").await.1.contains("no item has stock at a location"));
    for n in 0..50 {
        shop.admin.post("/admin/inventory-items", json!({ "sku": n.to_string() })).await.ok();
    }
    let (_, page) = browser.page("/app/").await;
    assert!(page.contains("none of the first 50 items has stock"), "{page}");
}

/// Each file has the limit of files, and their form that of uploads: it goes through no memory.
#[tokio::test]
async fn pictures_are_uploaded_together_as_the_limits_of_uploads_allow() {
    let bytes_max = 200_000;
    let shop = Shop::open(TestApp::with_files_of(bytes_max).await).await;
    let browser = Browser::of(&shop.app).await;
    let page = format!("/app/products/{}", shop.product("Mug", &[], 3).await.product);
    let client = browser.client.clone().with_header("content-type", "multipart/form-data; boundary=limit");
    let csrf = browser.csrf().await;
    let send = async |n_files: usize, n_bytes: usize| {
        let form = with_files(&csrf, n_files, &"x".repeat(n_bytes));
        let answer = client.send("POST", &page, form.into()).await;
        (answer.status, String::from_utf8(answer.body.to_vec()).expect("text"))
    };
    assert_eq!(send(FILES_PER_UPLOAD_MAX, bytes_max).await.0, StatusCode::SEE_OTHER);
    let (status, text) = send(FILES_PER_UPLOAD_MAX + 1, 1).await;
    assert!(status == StatusCode::BAD_REQUEST && text.contains("at most 20 files"), "{status}: {text}");
    let (status, text) = send(1, bytes_max + 1).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{text}");
    let shown = shop.admin.get(&page.replace("/app/", "/admin/")).await.ok();
    assert_eq!(shown["product"]["images"].as_array().map(Vec::len), Some(FILES_PER_UPLOAD_MAX));
}

/// A price that holds in one region stays when those for everybody are changed.
#[tokio::test]
async fn prices_of_a_region_stay_when_the_others_change() {
    let (shop, _, browser) = shop().await;
    let variant = shop.product("Mug", &[], 3).await;
    let route = format!("/admin/products/{}/variants/{}", variant.product, variant.id);
    let prices = json!({ "prices": [
        { "currency_code": "eur", "amount": 10 },
        { "currency_code": "eur", "amount": 8, "rules": { "region_id": shop.region } },
    ] });
    shop.admin.post(&route, prices).await.ok();
    let page = format!("/app/products/{}/variants/{}", variant.product, variant.id);
    let (_, _, text) = browser.send(&page, &[("do", "prices"), ("prices[eur]", "ten")]).await;
    assert!(text.contains("is not a number") && text.contains("value=\"ten\""), "{text}");
    browser.send(&page, &[("do", "prices"), ("prices[eur]", "11")]).await;
    let kept = shop.admin.get(&format!("{route}?fields=prices.amount,prices.rules")).await.ok();
    let prices = kept["variant"]["prices"].as_array().expect("prices");
    let has = |amount, rules| prices.iter().any(|it| it["amount"] == amount && it["rules"] == rules);
    let of_region = json!({ "region_id": shop.region });
    assert!(prices.len() == 2 && has(11, json!({})) && has(8, of_region), "{kept}");

    let rules = [("do", "save"), ("title", "Large"), ("sku", "MUG-L"), ("backorder", "on")];
    browser.send(&page, &rules).await;
    let saved = shop.admin.get(&route).await.ok();
    assert_eq!(saved["variant"]["sku"], "MUG-L");
    assert_eq!(saved["variant"]["manage_inventory"], json!(false));
    assert_eq!(saved["variant"]["allow_backorder"], json!(true));
}

#[tokio::test]
async fn what_is_emptied_is_gone() {
    let (shop, _, browser) = shop().await;
    let typed = [("name", "Harbour"), ("address_1", "Quay 1"), ("city", "Kiel"), ("country_code", "DE")];
    let new = [&[("do", "create")], &typed[..]].concat();
    let (_, to, _) = browser.send("/app/locations/new", &new).await;
    let id = id_in(&to, "/app/locations/").to_owned();
    let page = format!("/app/locations/{id}");
    let address = async || {
        let path = format!("/admin/stock-locations/{id}?fields=*address");
        shop.admin.get(&path).await.ok()["stock_location"]["address"].clone()
    };
    assert_eq!(address().await["country_code"], "de");
    let city = [("do", "save"), ("name", "Harbour"), ("city", "Kiel")];
    assert_eq!(browser.send(&page, &city).await.0, StatusCode::BAD_REQUEST);
    browser.send(&page, &[("do", "save"), ("name", "Harbour")]).await;
    assert_eq!(address().await, json!(null));

    // A handle is made of the title again.
    let summer = [("do", "create"), ("name", "Summer"), ("handle", "sun")];
    browser.send("/app/collections", &summer).await;
    let collections = shop.admin.get("/admin/collections?fields=id,handle").await.ok();
    let collection = &collections["collections"][0];
    assert_eq!(collection["handle"], "sun");
    let page = format!("/app/collections/{}", collection["id"].as_str().expect("an id"));
    browser.send(&page, &[("do", "save"), ("name", "Summer"), ("handle", "")]).await;
    let kept = shop.admin.get("/admin/collections?fields=handle").await.ok();
    assert_eq!(kept["collections"][0]["handle"], "summer");
}

#[tokio::test]
async fn stock_is_set_moved_and_removed_by_location() {
    let (shop, channel, browser) = shop().await;
    let variant = shop.product("Mug", &[&channel], 5).await;
    let here = &shop.location;
    let (_, to, _) = browser.send("/app/locations/new", &[("do", "create"), ("name", "Harbour")]).await;
    let there = id_in(&to, "/app/locations/");
    let page = format!("/app/stock/{}", variant.item);
    let levels = async || {
        let path = format!("/admin/inventory-items/{}/location-levels?order=location_id", variant.item);
        let list = shop.admin.get(&path).await.ok();
        let records = list["inventory_levels"].as_array().expect("a list").clone();
        let of = |location: &str| records.iter().find(|it| it["location_id"] == location);
        (
            of(here).map(|it| it["stocked_quantity"].clone()),
            of(there).map(|it| it["stocked_quantity"].clone()),
        )
    };
    let (_, list) = browser.page("/app/stock?q=mug").await;
    assert!(list.contains(&page), "{list}");
    let (set_here, set_there) = (format!("set {here}"), format!("set {there}"));
    let form = [
        ("do", &*set_here),
        ("was[stocked]", "5"),
        ("was[incoming]", "0"),
        ("stocked", "8"),
        ("incoming", ""),
    ];
    browser.send(&page, &form).await;
    assert_eq!(levels().await, (Some(json!(8)), None));

    let transfer = |quantity| [("do", "transfer"), ("from", here), ("to", there), ("quantity", quantity)];
    assert_eq!(browser.send(&page, &transfer("3")).await.0, StatusCode::SEE_OTHER);
    assert_eq!(levels().await, (Some(json!(5)), Some(json!(3))));
    let (status, _, text) = browser.send(&page, &transfer("6")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("5 of 5 can be transferred") && text.contains("value=\"6\""), "{text}");

    browser.send(&page, &[("do", &set_there), ("was[stocked]", "3"), ("stocked", "0")]).await;
    browser.send(&page, &[("do", &format!("remove {there}"))]).await;
    assert_eq!(levels().await, (Some(json!(5)), None));
    browser.send(&page, &[("do", "add"), ("location", there), ("stocked", "2")]).await;
    assert_eq!(levels().await, (Some(json!(5)), Some(json!(2))));

    let held = json!({ "inventory_item_id": variant.item, "location_id": here, "quantity": 2 });
    let held = shop.admin.post("/admin/reservations", held).await.ok();
    let id = held["reservation"]["id"].as_str().expect("an id");
    let (_, text) = browser.page(&page).await;
    assert!(text.contains(&format!("release {id}")), "{text}");
    browser.send(&page, &[("do", &format!("release {id}"))]).await;
    assert_eq!(shop.reserved(&variant.item).await, "0 of 7");
}

/// What was sold since the page was shown would be on hand again, and be sold once more.
#[tokio::test]
async fn stock_that_has_changed_meanwhile_is_not_written_back() {
    let (shop, channel, browser) = shop().await;
    let mug = shop.product("Mug", &[&channel], 10).await;
    let page = format!("/app/stock/{}", mug.item);
    let levels = format!("/admin/inventory-items/{}/location-levels", mug.item);
    let quantities = async || {
        let level = shop.admin.get(&levels).await.ok()["inventory_levels"][0].clone();
        (level["stocked_quantity"].clone(), level["incoming_quantity"].clone())
    };
    let (_, shown) = browser.page(&page).await;
    for hidden in [r#"name="was[stocked]" value="10""#, r#"name="was[incoming]" value="0""#] {
        assert!(shown.contains(hidden), "{shown}");
    }
    let sold = json!({ "stocked_quantity": 7 });
    shop.admin.post(&format!("{levels}/{}", shop.location), sold).await.ok();

    let set = format!("set {}", shop.location);
    let save = async |was: &str, stocked: &str| {
        let form = [
            ("do", &*set),
            ("was[stocked]", was),
            ("was[incoming]", "0"),
            ("stocked", stocked),
            ("incoming", "5"),
        ];
        browser.send(&page, &form).await
    };
    assert_eq!(save("10", "10").await.0, StatusCode::SEE_OTHER);
    assert_eq!(quantities().await, (json!(7), json!(5)), "only what was typed over is set");
    let (status, _, text) = save("10", "12").await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(text.contains("it was 10 when this was shown, and is 7 now"), "{text}");
    assert!(text.contains(r#"name="was[stocked]" value="7""#) && text.contains("value=\"12\""), "{text}");
    assert_eq!(quantities().await.0, json!(7));
}

#[tokio::test]
async fn a_location_is_made_and_serves_the_channels_that_are_ticked() {
    let (shop, channel, browser) = shop().await;
    let form = [
        ("do", "create"),
        ("name", "Harbour"),
        ("address_1", "Pier 1"),
        ("city", "Kiel"),
        ("country_code", "DE"),
    ];
    let (status, to, page) = browser.send("/app/locations/new", &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let id = id_in(&to, "/app/locations/");
    let page = format!("/app/locations/{id}");
    let route =
        format!("/admin/stock-locations/{id}?fields=*address,sales_channels.id,fulfillment_sets.type");
    browser.send(&page, &[("do", "channels"), ("channels[]", &channel)]).await;
    browser.send(&page, &[("do", "set shipping")]).await;
    let made = shop.admin.get(&route).await.ok()["stock_location"].clone();
    assert_eq!(made["address"]["country_code"], "de");
    assert_eq!(made["sales_channels"][0]["id"], channel.as_str());
    assert_eq!(made["fulfillment_sets"][0]["type"], "shipping");
    browser.send(&page, &[("do", "channels"), ("was[channels][]", &channel)]).await;
    assert_eq!(shop.admin.get(&route).await.ok()["stock_location"]["sales_channels"], json!([]));
    let (_, to, _) = browser.send(&page, &[("do", "delete")]).await;
    assert_eq!(to, "/app/locations?done=deleted");

    // The location of the shop has stock.
    shop.product("Mug", &[&channel], 5).await;
    let (status, _, text) =
        browser.send(&format!("/app/locations/{}", shop.location), &[("do", "delete")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("role=\"alert\""), "{text}");
}

/// Four lists of one shape.
#[tokio::test]
async fn collections_categories_tags_and_types_are_made_renamed_and_deleted() {
    let (shop, _, browser) = shop().await;
    for (at, route, one, many, name) in [
        ("collections", "collections", "collection", "collections", "title"),
        ("categories", "product-categories", "product_category", "product_categories", "name"),
        ("tags", "product-tags", "product_tag", "product_tags", "value"),
        ("types", "product-types", "product_type", "product_types", "value"),
    ] {
        let list = format!("/app/{at}");
        let made = [("do", "create"), ("name", "Summer"), ("active", "on")];
        let (status, _, text) = browser.send(&list, &made).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{at} {text}");
        let records = shop.admin.get(&format!("/admin/{route}")).await.ok();
        let id = records[many][0]["id"].as_str().expect("an id").to_owned();
        let page = format!("{list}/{id}");
        assert!(browser.page(&list).await.1.contains(&page), "{at}");
        browser.send(&page, &[("do", "save"), ("name", "Winter")]).await;
        let record = shop.admin.get(&format!("/admin/{route}/{id}")).await.ok();
        assert_eq!(record[one][name], "Winter", "{at}");
        browser.send(&page, &[("do", "delete")]).await;
        assert_eq!(browser.page(&page).await.0, StatusCode::NOT_FOUND, "{at}");
    }
}

/// A product is found in the list by what its page put it under.
#[tokio::test]
async fn products_are_found_by_their_organisation() {
    let (shop, _, browser) = shop().await;
    let variant = shop.product("Mug", &[], 1).await;
    let other = shop.product("Cup", &[], 1).await;
    let mut ids = Vec::new();
    for (route, one, name) in [
        ("collections", "collection", "title"),
        ("product-categories", "product_category", "name"),
        ("product-tags", "product_tag", "value"),
        ("product-types", "product_type", "value"),
    ] {
        let made = shop.admin.post(&format!("/admin/{route}"), json!({ name: "Summer" })).await.ok();
        ids.push(made[one]["id"].as_str().expect("an id").to_owned());
    }
    let form = [
        ("do", "organise"),
        ("collection", ids[0].as_str()),
        ("categories[]", &ids[1]),
        ("tags[]", &ids[2]),
        ("type", &ids[3]),
    ];
    browser.send(&format!("/app/products/{}", variant.product), &form).await;
    for filter in [
        format!("collection_id={}", ids[0]),
        format!("category_id={}", ids[1]),
        format!("tag_id={}", ids[2]),
        format!("type_id={}", ids[3]),
    ] {
        let (_, list) = browser.page(&format!("/app/products?{filter}")).await;
        assert!(list.contains(&variant.product) && !list.contains(&other.product), "{filter}");
    }
}

#[tokio::test]
async fn safety_stock_of_an_item_is_set_on_its_page() {
    let (shop, channel, browser) = shop().await;
    let mug = shop.product("Mug", &[&channel], 3).await;
    let page = format!("/app/stock/{}", mug.item);
    let (hold, safety, was) =
        (format!("hold {}", shop.location), format!("safety[{channel}]"), format!("was[safety][{channel}]"));
    let terms = format!(
        "/admin/sales-channels/{channel}/stock-locations/{}/inventory-items/{}",
        shop.location, mug.item
    );
    let kept = async || shop.admin.get(&terms).await.ok()["inventory_item"]["safety_stock"].clone();
    browser.send(&page, &[("do", &hold), (&safety, "2"), (&was, "")]).await;
    assert_eq!(kept().await, 2);
    assert!(browser.page(&page).await.1.contains(&format!("name=\"{safety}\" value=\"2\"")));
    let (status, _, text) = browser.send(&page, &[("do", &hold), (&safety, "-1"), (&was, "2")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("role=\"alert\"") && text.contains("value=\"-1\""), "{text}");
    browser.send(&page, &[("do", &hold), (&safety, ""), (&was, "2")]).await;
    assert_eq!(kept().await, json!(null));
}
