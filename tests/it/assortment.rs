//! Listings of a channel: windows, excluded variants, location priority, and the explanation of why something
//! is not on sale.

use atoll_testkit::{Client, Shop, Variant, complete};
use serde_json::{Value, json};

/// All ways by which a shopper reaches a variant. A cart with one of it was opened before.
async fn open_doors(storefront: &Client, tea: &Variant, cart: &str) -> String {
    let mut open = Vec::new();
    let list = storefront.get("/store/products?fields=id,title,variants.id").await.ok();
    let products = list["products"].as_array().expect("a list");
    let shows = |product: &Value| product["variants"].to_string().contains(&tea.id);
    assert_eq!(list["count"], products.len());
    let mut door = |name, is_open: bool| open.extend(is_open.then_some(name));
    door("list", products.iter().any(|it| it["id"] == *tea.product));
    door("variant", products.iter().any(shows));
    let found = storefront.get("/store/products?q=tea").await.ok();
    door("search", found["count"] != 0);
    let filtered = storefront.get(&format!("/store/products?variants[id]={}", tea.id)).await.ok();
    door("filter", filtered["count"] != 0);
    let one = storefront.get(&format!("/store/products/{}", tea.product)).await;
    door("retrieve", one.status.is_success());
    let shown = storefront.get(&format!("/store/carts/{cart}?fields=items.product.id")).await.ok();
    door("nested", shown["cart"]["items"][0]["product"]["id"] == *tea.product);
    let line = json!({ "variant_id": tea.id, "quantity": 1 });
    let new = storefront.post("/store/carts", json!({ "items": [line] })).await;
    door("create", new.status.is_success());
    let added = storefront.post(&format!("/store/carts/{cart}/line-items"), line).await;
    door("add", added.status.is_success());
    let line = &storefront.get(&format!("/store/carts/{cart}")).await.ok()["cart"]["items"][0]["id"];
    let line = format!("/store/carts/{cart}/line-items/{}", line.as_str().expect("an id"));
    let updated = storefront.post(&line, json!({ "quantity": 1 })).await;
    door("update", updated.status.is_success());
    open.join(" ")
}

const ALL: &str = "list variant search filter retrieve nested create add update";

struct Bench {
    shop: Shop,
    web: String,
    tea: Variant,
    storefront: Client,
    cart: String,
}

impl Bench {
    async fn new() -> Bench {
        let (shop, web, storefront) = Shop::web().await;
        let tea = shop.product("Tea", &[&web], 5).await;
        let cart = shop.cart(&storefront, &tea.id, 1).await;
        Bench { shop, web, tea, storefront, cart }
    }

    async fn set(&self, path: &str, body: Value) -> Value {
        self.shop.admin.post(&format!("/admin/sales-channels/{}{path}", self.web), body).await.ok()
    }

    async fn doors(&self) -> String {
        open_doors(&self.storefront, &self.tea, &self.cart).await
    }

    /// Does `explain` say that it can be bought, and if not, why? Completing a cart must agree.
    async fn why(&self) -> String {
        let path = format!("/admin/sales-channels/{}/availability?variant_id={}", self.web, self.tea.id);
        let explained = &self.shop.admin.get(&path).await.ok()["availability"];
        let reasons = explained["reasons"].as_array().expect("reasons").iter();
        let codes: Vec<&str> = reasons.map(|it| it["code"].as_str().expect("a code")).collect();
        assert_eq!(explained["sellable"], codes.is_empty());
        codes.join(" ")
    }

    async fn complete(&self) -> String {
        let answer = complete(&self.storefront, &self.cart).await;
        if answer.status.is_success() { String::new() } else { answer.error() }
    }

    fn hidden(&self) -> String {
        format!(
            "400 invalid_data: Variants {} do not exist or belong to a product that is not published",
            self.tea.id
        )
    }
}

#[tokio::test]
async fn availability_window_applies_everywhere_to_the_millisecond() {
    let bench = Bench::new().await;
    let now = bench.shop.app.ctx.now();
    let window = json!({ "available_from": now.plus_millis(1000), "available_until": now.plus_millis(2000) });
    let product = format!("/products/{}", bench.tea.product);
    let shown = bench.set(&product, window).await;
    assert_eq!(shown["product"]["is_within_window"], false);
    let check = async |until: i64, doors: &str, why: &str| {
        bench.shop.app.advance_ms(now.plus_millis(until).millis() - bench.shop.app.ctx.now().millis());
        assert_eq!(bench.doors().await, doors, "at {until}");
        assert_eq!(bench.why().await, why, "at {until}");
    };
    check(0, "", "product_not_available_yet").await;
    check(999, "", "product_not_available_yet").await;
    assert_eq!(bench.complete().await, bench.hidden());
    check(1000, ALL, "").await;
    check(1001, ALL, "").await;
    check(1999, ALL, "").await;
    check(2000, "", "product_no_longer_available").await;
    assert_eq!(bench.complete().await, bench.hidden());
    // Absent fields stay; null removes the limit.
    let shown = bench.set(&product, json!({ "available_until": null })).await;
    assert_eq!(shown["product"]["available_from"], json!(now.plus_millis(1000)));
    assert_eq!(bench.doors().await, ALL);
    // Adding it to the channel again changes nothing.
    bench.set(&product, json!({ "available_from": now.plus_millis(9000) })).await;
    bench.set("/products", json!({ "add": [bench.tea.product] })).await;
    assert_eq!(bench.doors().await, "");
    let channels = json!({ "sales_channels": [{ "id": bench.web }] });
    bench.shop.admin.post(&format!("/admin/products/{}", bench.tea.product), channels).await.ok();
    assert_eq!(bench.doors().await, "");
}

#[tokio::test]
async fn a_variant_is_switched_off_in_one_channel_alone() {
    let bench = Bench::new().await;
    let till = bench.shop.channel("Till").await;
    bench
        .shop
        .admin
        .post(&format!("/admin/sales-channels/{till}/products"), json!({ "add": [bench.tea.product] }))
        .await
        .ok();
    let other = bench.shop.storefront(&[&till]).await;
    let cart = bench.shop.cart(&other, &bench.tea.id, 1).await;
    let variant = format!("/variants/{}", bench.tea.id);
    assert_eq!(bench.set(&variant, json!({ "is_enabled": false })).await["variant"]["is_enabled"], false);
    // The product is listed; its variant is not.
    assert_eq!(bench.doors().await, "list search retrieve nested");
    assert_eq!(bench.why().await, "variant_excluded");
    assert_eq!(bench.complete().await, bench.hidden());
    assert_eq!(open_doors(&other, &bench.tea, &cart).await, ALL);
    // A key of both channels sees what either of them sells.
    let both = bench.shop.storefront(&[&bench.web, &till]).await;
    let shown = both.get(&format!("/store/products/{}?fields=variants.id", bench.tea.product)).await.ok();
    assert_eq!(shown["product"]["variants"][0]["id"], json!(bench.tea.id));
    let excluded = format!("/admin/sales-channels/{}/excluded-variants", bench.web);
    assert_eq!(bench.shop.admin.get(&excluded).await.ok()["count"], 1);
    bench.set(&variant, json!({ "is_enabled": true })).await;
    assert_eq!(bench.doors().await, ALL);
    assert_eq!(bench.complete().await, "");
}

#[tokio::test]
async fn stock_is_taken_by_location_priority_above_safety_stock() {
    let bench = Bench::new().await;
    let shop = &bench.shop;
    let shed = shop.admin.post("/admin/stock-locations", json!({ "name": "Shed" })).await.ok();
    let shed = shed["stock_location"]["id"].as_str().expect("an id").to_owned();
    let link = format!("/admin/stock-locations/{shed}/sales-channels");
    shop.admin.post(&link, json!({ "add": [bench.web] })).await.ok();
    shop.stock(&bench.tea.item, &shed, 5).await;
    let body = json!({ "stock_locations": [
        { "stock_location_id": shop.location, "priority": 2, "safety_stock": 1 },
        { "stock_location_id": shed, "priority": 1, "safety_stock": 3 },
    ] });
    assert_eq!(
        bench.set("/assortment", body).await,
        json!({ "updated": { "products": 0, "variants": 0, "stock_locations": 2, "inventory_items": 0 } })
    );
    let quantity = async || {
        let path = format!("/store/products/{}?fields=variants.inventory_quantity", bench.tea.product);
        bench.storefront.get(&path).await.ok()["product"]["variants"][0]["inventory_quantity"].clone()
    };
    assert_eq!(quantity().await, 6);
    let taken = async || {
        let list = shop.admin.get("/admin/reservations?fields=location_id,quantity").await.ok();
        let place = |it: &Value| if it["location_id"] == *shed { "shed" } else { "warehouse" };
        let list = list["reservations"].as_array().expect("a list").clone();
        list.iter().map(|it| format!("{}:{}", place(it), it["quantity"])).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(bench.complete().await, "");
    assert_eq!(taken().await, "shed:1");
    // Only the warehouse has enough; then no location has.
    let cart = shop.cart(&bench.storefront, &bench.tea.id, 3).await;
    complete(&bench.storefront, &cart).await.ok();
    assert_eq!(taken().await, "shed:1 warehouse:3");
    let cart = shop.cart(&bench.storefront, &bench.tea.id, 2).await;
    complete(&bench.storefront, &cart).await.ok();
    assert_eq!(taken().await, "shed:1 warehouse:3 shed:1 warehouse:1");
    assert_eq!((quantity().await, bench.why().await.as_str()), (json!(0), "insufficient_inventory"));
}

#[tokio::test]
async fn safety_stock_of_an_item_counts_instead_of_that_of_its_location() {
    let bench = Bench::new().await;
    let (shop, storefront) = (&bench.shop, &bench.storefront);
    let of_location = format!("/stock-locations/{}", shop.location);
    let of_item = format!("{of_location}/inventory-items/{}", bench.tea.item);
    let cup = shop.product("Cup", &[&bench.web], 5).await;
    // What the storefront is shown, and `explain`: of the tea, and of the cup beside it.
    let shown = async |variant: &Variant| {
        let path = format!("/store/products/{}?fields=variants.inventory_quantity", variant.product);
        let shown = storefront.get(&path).await.ok()["product"]["variants"][0]["inventory_quantity"].clone();
        let why = format!("/admin/sales-channels/{}/availability?variant_id={}", bench.web, variant.id);
        let why = shop.admin.get(&why).await.ok()["availability"].clone();
        assert_eq!(why["available_quantity"], shown);
        (shown, why["inventory"][0]["location_levels"][0]["safety_stock"].clone())
    };
    let pair = |shown: i64, held_back: i64| (json!(shown), json!(held_back));
    bench.set(&of_location, json!({ "safety_stock": 2 })).await;
    assert_eq!(shown(&bench.tea).await, pair(3, 2));
    assert_eq!(
        bench.set(&of_item, json!({ "safety_stock": 4 })).await["inventory_item"],
        json!({
            "inventory_item_id": bench.tea.item, "stock_location_id": shop.location,
            "sales_channel_id": bench.web, "safety_stock": 4,
        })
    );
    assert_eq!((shown(&bench.tea).await, shown(&cup).await), (pair(1, 4), pair(3, 2)));
    let list = format!("/admin/sales-channels/{}/inventory-items", bench.web);
    assert_eq!(shop.admin.get(&list).await.ok()["inventory_items"][0]["safety_stock"], 4);
    // It may be smaller than that of the location.
    bench.set(&of_item, json!({ "safety_stock": 0 })).await;
    assert_eq!(shown(&bench.tea).await, pair(5, 0));
    bench.set(&of_item, json!({ "safety_stock": 4 })).await;
    // Storefronts are told none of it.
    let fields =
        "*sales_channels.safety_stocks,*variants.inventory_items.inventory.location_levels.safety_stocks";
    let path = format!("/store/products/{}?fields={fields}", bench.tea.product);
    let told = storefront.get(&path).await.ok();
    assert!(!told.to_string().contains("safety_stock"), "{told}");
    // Another channel has its own.
    let till = shop.channel("Till").await;
    let till = format!("/admin/sales-channels/{till}{of_item}");
    assert_eq!(shop.admin.get(&till).await.ok()["inventory_item"]["safety_stock"], Value::Null);

    let cart = shop.cart(storefront, &bench.tea.id, 1).await;
    complete(storefront, &cart).await.ok();
    assert_eq!(
        bench.complete().await,
        "400 not_allowed (insufficient_inventory): Some variant does not have the required inventory"
    );
    bench.set(&of_item, json!({ "safety_stock": null })).await;
    assert_eq!(shown(&bench.tea).await, pair(2, 2));
    assert_eq!(bench.complete().await, "");
}

#[tokio::test]
async fn safety_stock_of_an_item_goes_with_its_level_its_location_and_its_channel() {
    let bench = Bench::new().await;
    let shop = &bench.shop;
    let shed = shop.admin.post("/admin/stock-locations", json!({ "name": "Shed" })).await.ok();
    let shed = shed["stock_location"]["id"].as_str().expect("an id").to_owned();
    let hold_back = async |location: &str| {
        let path = format!("/stock-locations/{location}/inventory-items/{}", bench.tea.item);
        bench.set(&path, json!({ "safety_stock": 1 })).await;
    };
    let count = async || {
        let list = format!("/admin/sales-channels/{}/inventory-items", bench.web);
        shop.admin.get(&list).await.ok()["count"].clone()
    };
    shop.stock(&bench.tea.item, &shed, 0).await;
    hold_back(&shed).await;
    let level = format!("/admin/inventory-items/{}/location-levels/{shed}", bench.tea.item);
    assert_eq!(count().await, 1);
    shop.admin.delete(&level).await.ok();
    assert_eq!(count().await, 0);

    shop.stock(&bench.tea.item, &shed, 0).await;
    hold_back(&shed).await;
    shop.admin.delete(&format!("/admin/stock-locations/{shed}")).await.ok();
    assert_eq!(count().await, 0);

    hold_back(&shop.location).await;
    let fields = "fields=location_levels.safety_stocks.sales_channel_id";
    let item = format!("/admin/inventory-items/{}?{fields}", bench.tea.item);
    let of_item = async || shop.admin.get(&item).await.ok()["inventory_item"]["location_levels"][0].clone();
    assert_eq!(of_item().await["safety_stocks"][0]["sales_channel_id"], *bench.web);
    shop.admin.delete(&format!("/admin/sales-channels/{}", bench.web)).await.ok();
    assert!(of_item().await["safety_stocks"].as_array().is_none_or(Vec::is_empty));
}

#[tokio::test]
async fn a_bulk_change_is_planned_made_and_taken_back_unless_somebody_was_faster() {
    let bench = Bench::new().await;
    let (admin, tea, cup) = (&bench.shop.admin, &bench.tea, bench.shop.product("Cup", &[], 5).await);
    let path = format!("/admin/sales-channels/{}/assortment", bench.web);
    let change = json!({ "products": [
        { "product_id": tea.product, "is_in_channel": false },
        { "product_id": cup.product, "is_in_channel": true, "available_from": "2100-01-01" },
    ] });
    let planned = admin.post(&format!("{path}?dry_run=true"), change).await.ok();
    assert_eq!(bench.doors().await, ALL, "nothing is written");
    let standing = |is_in: bool, from: Value, state: Value| json!({ "is_in_channel": is_in, "available_from": from, "available_until": null, "state": state });
    let out = standing(false, Value::Null, Value::Null);
    let later = standing(true, json!("2100-01-01T00:00:00.000Z"), json!("not_yet"));
    let sold = standing(true, Value::Null, json!("on_sale"));
    assert_eq!(
        planned["products"],
        json!([
            { "product_id": tea.product, "title": "Tea", "before": sold, "after": out },
            { "product_id": cup.product, "title": "Cup", "before": out, "after": later },
        ])
    );
    // The change as it was planned, and back.
    let terms = |expected: &str, wanted: &str| {
        let standing = |it: &Value, name: &str| {
            let mut standing = it[name].clone();
            standing.as_object_mut().expect("an object").remove("state");
            standing
        };
        let terms = planned["products"].as_array().expect("a list").iter().map(|it| {
            let mut terms = standing(it, wanted);
            terms["product_id"] = it["product_id"].clone();
            terms["expected"] = standing(it, expected);
            terms
        });
        json!({ "products": terms.collect::<Vec<_>>() })
    };
    admin.post(&path, terms("before", "after")).await.ok();
    assert_eq!(
        (bench.doors().await.as_str(), bench.why().await.as_str()),
        ("", "product_not_in_sales_channel")
    );
    let of_cup = format!("/products/{}", cup.product);
    let shown = admin.get(&format!("/admin/sales-channels/{}{of_cup}", bench.web)).await.ok();
    assert_eq!(shown["product"]["available_from"], "2100-01-01T00:00:00.000Z");
    bench.set(&of_cup, json!({ "available_from": "2100-01-02" })).await;
    assert_eq!(
        admin.post(&path, terms("after", "before")).await.error(),
        format!(
            "409 conflict (invalid_state_error): Product {} was changed in sales channel {} meanwhile",
            cup.product, bench.web
        )
    );
    assert_eq!(bench.doors().await, "", "all or none");
    bench.set(&of_cup, json!({ "available_from": "2100-01-01" })).await;
    admin.post(&path, terms("after", "before")).await.ok();
    assert_eq!(bench.doors().await, ALL);
    let unknown = json!({ "products": [{ "product_id": "prod_x", "is_in_channel": true }] });
    for path in [path.clone(), format!("{path}?dry_run=true")] {
        let error = admin.post(&path, unknown.clone()).await.error();
        assert_eq!(error, "404 not_found: Product with id: prod_x was not found");
    }
}

#[tokio::test]
async fn assortment_changes_are_atomic() {
    let bench = Bench::new().await;
    let (admin, web, tea) = (&bench.shop.admin, &bench.web, &bench.tea);
    let path = format!("/admin/sales-channels/{web}/assortment");
    let check = async |body: Value, expect: &str| {
        let mut all = json!({ "variants": [{ "variant_id": tea.id, "is_enabled": false }] });
        all.as_object_mut().expect("an object").extend(body.as_object().expect("an object").clone());
        let error = admin.post(&path, all).await.error();
        assert!(error.starts_with(expect), "{error}");
        assert_eq!(bench.doors().await, ALL);
    };
    let at = |n| bench.shop.app.ctx.now().plus_millis(n);
    check(
        json!({ "products": [{ "product_id": "prod_x" }] }),
        "404 not_found: Product with id: prod_x is not in sales channel",
    )
    .await;
    let window = json!([{ "product_id": tea.product, "available_from": at(5), "available_until": at(5) }]);
    check(json!({ "products": window }), "400 invalid_data: Product").await;
    let window = json!([{ "product_id": tea.product, "available_from": "soon" }]);
    check(
        json!({ "products": window }),
        "400 invalid_data: Invalid request: Field 'products, 0, available_from'",
    )
    .await;
    let locations = json!([{ "stock_location_id": "sloc_x", "priority": 1 }]);
    check(
        json!({ "stock_locations": locations }),
        "404 not_found: Stock location with id: sloc_x is not linked",
    )
    .await;
    let locations = json!([{ "stock_location_id": bench.shop.location, "safety_stock": -1 }]);
    check(json!({ "stock_locations": locations }), "400 invalid_data: Invalid request: Value for field")
        .await;
    let items = json!([{ "inventory_item_id": tea.item, "stock_location_id": "sloc_x", "safety_stock": 1 }]);
    check(
        json!({ "inventory_items": items }),
        &format!("404 not_found: Item {} is not stocked at location sloc_x", tea.item),
    )
    .await;
    check(json!({ "products": [{ "id": tea.product }] }), "400 invalid_data: Invalid request").await;
    let variants = json!([{ "variant_id": "variant_x", "is_enabled": false }]);
    check(json!({ "variants": variants }), "404 not_found: Product variant with id: variant_x was not found")
        .await;
    let here = format!("/stock-locations/{}/inventory-items/iitem_x", bench.shop.location);
    for path in ["/products/prod_x", "/variants/variant_x", "/stock-locations/sloc_x", &here] {
        let path = format!("/admin/sales-channels/{web}{path}");
        assert_eq!(admin.get(&path).await.status, 404, "{path}");
    }
    for path in ["/products", "/excluded-variants", "/stock-locations", "/inventory-items"] {
        assert_eq!(admin.get(&format!("/admin/sales-channels/sc_x{path}")).await.status, 404, "{path}");
        let list = admin.get(&format!("/admin/sales-channels/{web}{path}?limit=1&offset=1")).await.ok();
        assert_eq!((&list["offset"], &list["limit"]), (&json!(1), &json!(1)), "{path}");
    }
}

#[tokio::test]
async fn explain_names_the_record_and_the_value_behind_each_reason() {
    let bench = Bench::new().await;
    let (shop, web, tea) = (&bench.shop, &bench.web, &bench.tea);
    let ask = async |query: &str| {
        let path = format!("/admin/sales-channels/{web}/availability?variant_id={}{query}", tea.id);
        shop.admin.get(&path).await.ok()["availability"].clone()
    };
    let reason = |explained: &Value| explained["reasons"][0].clone();
    let now = ask("").await;
    assert_eq!(
        (&now["sellable"], &now["available_quantity"], &now["quantity"]),
        (&json!(true), &json!(5), &json!(1))
    );
    assert_eq!(
        now["inventory"],
        json!([{ "inventory_item_id": tea.item, "required_quantity": 1, "location_levels": [{
            "location_id": shop.location, "priority": 0, "safety_stock": 0, "stocked_quantity": 5, "reserved_quantity": 0,
        }] }])
    );
    assert_eq!(
        reason(&ask("&quantity=6").await),
        json!({
            "code": "insufficient_inventory", "message": "only 5 are available", "entity": "product_variant",
            "id": tea.id, "field": "available_quantity", "value": 5,
        })
    );
    assert_eq!(reason(&ask(&format!("&region_id={}", shop.region)).await), Value::Null);
    assert_eq!(
        reason(&ask("&currency_code=usd").await)["value"],
        json!({ "currency_code": "usd", "rules": { "sales_channel_id": [web] } })
    );
    // `at` asks for a time in the future.
    let from = shop.app.ctx.now().plus_millis(60_000);
    bench.set(&format!("/products/{}", tea.product), json!({ "available_from": from })).await;
    let (today, then) = (ask("").await, ask(&format!("&at={from}")).await);
    assert_eq!(
        (&reason(&today)["field"], &reason(&today)["value"]),
        (&json!("available_from"), &json!(from))
    );
    assert_eq!((&then["sellable"], &then["at"]), (&json!(true), &json!(from)));
    shop.admin.post(&format!("/admin/products/{}", tea.product), json!({ "status": "draft" })).await.ok();
    shop.admin.post(&format!("/admin/sales-channels/{web}"), json!({ "is_disabled": true })).await.ok();
    assert_eq!(bench.why().await, "sales_channel_disabled product_not_published product_not_available_yet");
    for (query, expect) in [
        ("", "400 invalid_data: Invalid request: Field 'variant_id' is required"),
        (
            "?variant_id=x&quantity=0",
            "400 invalid_data: Invalid request: Value for field 'quantity' too small, expected at least: '0'",
        ),
        (
            "?variant_id=x&at=soon",
            "400 invalid_data: Invalid request: Value for field 'at' is not valid: 'soon'",
        ),
        ("?variant_id=x&region_id=reg_x", "404 not_found: Region with id: reg_x not found"),
    ] {
        let path = format!("/admin/sales-channels/{web}/availability{query}");
        assert_eq!(shop.admin.get(&path).await.error(), expect, "{query}");
    }
}

#[tokio::test]
async fn an_admin_previews_what_shoppers_will_see() {
    let bench = Bench::new().await;
    let from = bench.shop.app.ctx.now().plus_millis(60_000);
    bench.set(&format!("/products/{}", bench.tea.product), json!({ "available_from": from })).await;
    let secret =
        bench.shop.admin.post("/admin/api-keys", json!({ "title": "s", "type": "secret" })).await.ok();
    let basic = format!("Basic {}", secret["api_key"]["token"].as_str().expect("a token"));
    let check = async |client: Client, expect: &str| {
        let answer = client.get("/store/products").await;
        let got = match answer.status.is_success() {
            true => answer.json["count"].to_string(),
            false => {
                format!("{} {}", answer.status.as_u16(), answer.json["message"].as_str().unwrap_or_default())
            }
        };
        assert_eq!(got, expect);
    };
    let at = |at: &str| bench.storefront.clone().with_header("x-atoll-preview-at", at);
    check(bench.storefront.clone(), "0").await;
    check(at(&from.to_string()), "401 Unauthorized").await;
    check(at(&from.to_string()).with_header("authorization", "Bearer nobody"), "401 Unauthorized").await;
    let admin = |when: &str| at(when).with_header("authorization", &basic);
    check(admin(&from.to_string()), "1").await;
    check(admin(&from.plus_millis(-1).to_string()), "0").await;
    check(admin("soon"), "400 The header x-atoll-preview-at is not a date").await;
    let line = json!({ "variant_id": bench.tea.id, "quantity": 1 });
    let path = format!("/store/carts/{}/line-items", bench.cart);
    assert_eq!(
        admin(&from.to_string()).post(&path, line).await.error(),
        "400 invalid_data: The header x-atoll-preview-at is for reading alone"
    );
}

#[tokio::test]
async fn a_time_without_a_zone_is_in_utc_wherever_it_is_read() {
    let bench = Bench::new().await;
    let (shop, hour_ms) = (&bench.shop, 60 * 60 * 1000);
    let opens = shop.app.ctx.now().plus_millis(hour_ms);
    let text = opens.to_string();
    let without_zone = text.strip_suffix('Z').expect("UTC");
    let window = json!({ "available_from": without_zone });
    let shown = bench.set(&format!("/products/{}", bench.tea.product), window).await;
    assert_eq!(shown["product"]["available_from"], json!(opens));
    assert_eq!(bench.doors().await, "");

    let explain = |at: &str| {
        format!("/admin/sales-channels/{}/availability?variant_id={}&at={at}", bench.web, bench.tea.id)
    };
    let explained = shop.admin.get(&explain(without_zone)).await.ok();
    assert_eq!(explained["availability"]["sellable"], true);
    let secret = shop.admin.post("/admin/api-keys", json!({ "title": "x", "type": "secret" })).await.ok();
    let basic = format!("Basic {}", secret["api_key"]["token"].as_str().expect("a token"));
    let preview = bench.storefront.clone().with_header("x-atoll-preview-at", without_zone);
    let preview = preview.with_header("authorization", &basic);
    assert_eq!(preview.get("/store/products").await.ok()["count"], 1);
    let later = async |param: &str| {
        let path = format!("/admin/products?created_at[$gt]={param}");
        shop.admin.get(&path).await.ok()["count"].clone()
    };
    let made = &shop.admin.get("/admin/products?fields=created_at").await.ok()["products"][0]["created_at"];
    let made = made.as_str().and_then(|it| it.strip_suffix('Z')).expect("a date");
    assert_eq!((later(&made[..10]).await, later(made).await), (json!(1), json!(0)));

    shop.app.advance_ms(hour_ms);
    assert_eq!(bench.doors().await, ALL);
}

#[tokio::test]
async fn dates_that_cannot_be_written_are_refused() {
    let bench = Bench::new().await;
    let product = format!("/admin/sales-channels/{}/products/{}", bench.web, bench.tea.product);
    let path = format!("/products/{}", bench.tea.product);
    let last = bench.set(&path, json!({ "available_until": "9999-12-31" })).await;
    assert_eq!(last["product"]["available_until"], "9999-12-31T00:00:00.000Z");
    for date in [
        json!("10000-01-01"),
        json!("+275760-09-13T00:00:00Z"),
        json!("9999-12-31T23:59:59-23:59"),
        json!("-000001-01-01"),
        json!("2026-02-30"),
        json!(i64::MAX),
        json!(1e300),
        json!(true),
    ] {
        let answer = bench.shop.admin.post(&product, json!({ "available_from": date })).await;
        assert_eq!(answer.status.as_u16(), 400, "{date}: {}", answer.json);
        if let Some(text) = date.as_str() {
            let path = format!("/admin/products?created_at[$gt]={}", text.replace('+', "%2B"));
            assert_eq!(bench.shop.admin.get(&path).await.status.as_u16(), 400, "{date}");
        }
    }
}
