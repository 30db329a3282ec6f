//! Price lists and price preferences: their routes, and what storefronts show and carts charge.

use atoll_kernel::{Actor, Fault, Moment, Timestamp, Write};
use atoll_links::PRODUCT_VARIANT_PRICE_SET;
use atoll_pricing::{PRICE_SETS, PriceList, PriceListStatus, PriceSet, list::create_list};
use atoll_product::{PRODUCTS, Product, ProductVariant, VARIANTS};
use atoll_testkit::{Client, Shop, Variant, id, times};
use serde_json::{Map, Value, json};

struct Scene {
    shop: Shop,
    web: String,
    storefront: Client,
    tea: Variant,
    cup: Variant,
}

impl Scene {
    /// A shop with two variants, at 10 euros each.
    async fn open() -> Scene {
        let (shop, web, storefront) = Shop::web().await;
        let (tea, cup) = (shop.product("Tea", &[&web], 99).await, shop.product("Cup", &[&web], 99).await);
        Scene { shop, web, storefront, tea, cup }
    }

    /// An active list with these fields beside its texts.
    async fn list(&self, fields: Value) -> String {
        let mut body = json!({ "title": "List", "description": "d", "status": "active" });
        body.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
        id(&self.shop.admin.post("/admin/price-lists", body).await.ok()["price_list"])
    }

    fn price(&self, variant: &Variant, amount: i64) -> Value {
        json!({ "variant_id": variant.id, "currency_code": "eur", "amount": amount })
    }

    async fn batch(&self, list: &str, body: Value) -> Value {
        self.shop.admin.post(&format!("/admin/price-lists/{list}/prices/batch"), body).await.ok()
    }

    /// What a storefront shows of a variant: `9 of 10, sale`.
    async fn shown_to(&self, client: &Client, variant: &Variant) -> String {
        let path = format!("/store/product-variants/{}?region_id={}", variant.id, self.shop.region);
        let price = client.get(&path).await.ok()["variant"]["calculated_price"].clone();
        let of_list = price["calculated_price"]["price_list_type"].as_str().unwrap_or("no list");
        let is_of_list = |of: &str| price[format!("is_{of}_price_price_list")] == json!(true);
        assert_eq!(is_of_list("calculated"), of_list != "no list", "{price}");
        assert_eq!(is_of_list("original"), !price["original_price"]["price_list_id"].is_null(), "{price}");
        assert_eq!(price["raw_calculated_amount"]["value"], json!(price["calculated_amount"].to_string()));
        format!("{} of {}, {of_list}", price["calculated_amount"], price["original_amount"])
    }

    async fn shown(&self, variant: &Variant) -> String {
        self.shown_to(&self.storefront, variant).await
    }

    /// The unit price of this quantity in a new cart.
    async fn charged(&self, variant: &Variant, quantity: u32) -> Value {
        let cart = self.shop.cart(&self.storefront, &variant.id, quantity).await;
        let cart = self.storefront.get(&format!("/store/carts/{cart}")).await.ok();
        cart["cart"]["items"][0]["unit_price"].clone()
    }
}

#[tokio::test]
async fn sale_and_override_are_shown_and_charged() {
    let scene = Scene::open().await;
    let Scene { shop, tea, cup, .. } = &scene;
    assert_eq!(scene.shown(tea).await, "10 of 10, no list");
    let sale = scene.list(json!({ "prices": [scene.price(tea, 7), scene.price(cup, 12)] })).await;
    assert_eq!(scene.shown(tea).await, "7 of 10, sale");
    assert_eq!(scene.shown(cup).await, "10 of 10, no list", "a sale does not raise a price");
    assert_eq!(scene.charged(tea, 1).await, 7);
    let tiers = json!([
        scene.price(tea, 12),
        { "variant_id": tea.id, "currency_code": "EUR", "amount": 11, "min_quantity": 5, "max_quantity": 9 },
        { "variant_id": tea.id, "currency_code": "eur", "amount": 8, "min_quantity": 10 },
    ]);
    let region = json!({ "region_id": [shop.region] });
    let over = scene.list(json!({ "type": "override", "rules": region, "prices": tiers })).await;
    assert_eq!(scene.shown(tea).await, "12 of 12, override", "the list with the rule comes first");
    for (quantity, amount) in [(1, 12), (4, 12), (5, 11), (9, 11), (10, 8), (99, 8)] {
        assert_eq!(scene.charged(tea, quantity).await, amount, "{quantity}");
    }
    let path = |list: &str| format!("/admin/price-lists/{list}");
    shop.admin.post(&path(&over), json!({ "status": "draft" })).await.ok();
    assert_eq!(scene.shown(tea).await, "7 of 10, sale");
    shop.admin.delete(&path(&sale)).await.ok();
    assert_eq!(scene.shown(tea).await, "10 of 10, no list");
    assert_eq!(scene.charged(tea, 10).await, 10);
}

#[tokio::test]
async fn list_applies_within_its_window_to_the_millisecond() {
    let scene = Scene::open().await;
    let now = scene.shop.app.now();
    let at = |millis| now.plus_millis(millis).to_string();
    scene
        .list(json!({ "starts_at": at(10), "ends_at": at(20), "prices": [scene.price(&scene.tea, 7)] }))
        .await;
    let expect = |millis: i64| if (10..20).contains(&millis) { "7 of 10, sale" } else { "10 of 10, no list" };
    let key = scene.shop.key(&[&scene.web]).await;
    let preview = |millis| {
        let admin = scene.shop.admin.clone().with_header("x-publishable-api-key", &key);
        admin.with_header("x-atoll-preview-at", &at(millis))
    };
    let edges = [9, 10, 11, 19, 20, 21];
    for millis in edges {
        assert_eq!(scene.shown_to(&preview(millis), &scene.tea).await, expect(millis), "preview of {millis}");
    }
    let mut passed = 0;
    for millis in edges {
        // The answer before the edge is remembered.
        scene.shown(&scene.tea).await;
        scene.shop.app.advance_ms(millis - passed);
        passed = millis;
        assert_eq!(scene.shown(&scene.tea).await, expect(millis), "{millis}");
        let charged = if (10..20).contains(&millis) { 7 } else { 10 };
        assert_eq!(scene.charged(&scene.tea, 1).await, charged, "{millis}");
    }
}

#[tokio::test]
async fn list_of_a_channel_applies_in_that_channel_alone() {
    let scene = Scene::open().await;
    let Scene { shop, web, .. } = &scene;
    let app = shop.channel("App").await;
    let both = shop.product("Pot", &[web, &app], 9).await;
    scene.list(json!({ "rules": { "sales_channel_id": [app] }, "prices": [scene.price(&both, 6)] })).await;
    let of_app = shop.storefront(&[&app]).await;
    assert_eq!(scene.shown(&both).await, "10 of 10, no list");
    assert_eq!(scene.shown_to(&of_app, &both).await, "6 of 10, sale");
    let of_both = shop.storefront(&[web, &app]).await;
    assert_eq!(scene.shown_to(&of_both, &both).await, "10 of 10, no list", "a cart would need a channel");
    let one = of_both.clone();
    let path = format!(
        "/store/product-variants/{}?region_id={}&sales_channel_id[]={app}&fields=calculated_price",
        both.id, shop.region
    );
    let price = one.get(&path).await.ok()["variant"]["calculated_price"]["calculated_amount"].clone();
    assert_eq!(price, 6);
    for (client, amount) in [(&scene.storefront, 10), (&of_app, 6)] {
        let cart = shop.cart(client, &both.id, 1).await;
        let shown = client.get(&format!("/store/carts/{cart}")).await.ok();
        assert_eq!(shown["cart"]["items"][0]["unit_price"], amount);
    }
}

/// A set in many lists: those that have ended, that are drafts, or that are for others are not read.
#[tokio::test]
async fn price_of_a_variant_in_many_lists_is_found() {
    let scene = Scene::open().await;
    for n in 0..70 {
        let fields = match n % 3 {
            0 => json!({ "status": "draft" }),
            1 => json!({ "ends_at": "2020-01-01" }),
            _ => {
                json!({ "rules": { "sales_channel_id": [scene.shop.channel(&format!("Other {n}")).await] } })
            }
        };
        let mut fields = fields;
        fields["prices"] = json!([scene.price(&scene.tea, 1)]);
        scene.list(fields).await;
    }
    assert_eq!(scene.shown(&scene.tea).await, "10 of 10, no list");
    let now = scene.shop.app.now();
    let at = |millis| now.plus_millis(millis).to_string();
    scene.list(json!({ "prices": [scene.price(&scene.tea, 9)], "ends_at": at(20) })).await;
    let rules = json!({ "region_id": [scene.shop.region], "sales_channel_id": [scene.web] });
    let list = scene
        .list(json!({ "prices": [scene.price(&scene.tea, 8)], "rules": rules, "starts_at": at(10) }))
        .await;
    for (millis, expect) in
        [(0, "9 of 10, sale"), (9, "9 of 10, sale"), (10, "8 of 10, sale"), (20, "8 of 10, sale")]
    {
        let passed = scene.shop.app.now().millis() - now.millis();
        scene.shop.app.advance_ms(millis - passed);
        assert_eq!(scene.shown(&scene.tea).await, expect, "{millis}");
    }
    scene.shop.admin.delete(&format!("/admin/price-lists/{list}")).await.ok();
    assert_eq!(scene.shown(&scene.tea).await, "10 of 10, no list");
}

#[tokio::test]
async fn lists_and_their_prices_are_made_changed_and_deleted() {
    let scene = Scene::open().await;
    let Scene { shop, tea, cup, .. } = &scene;
    let admin = &shop.admin;
    let minimal =
        admin.post("/admin/price-lists", json!({ "title": "Minimal", "description": "d" })).await.ok();
    let list = &minimal["price_list"];
    let path = format!("/admin/price-lists/{}", id(list));
    assert_eq!(
        json!([list["status"], list["type"], list["starts_at"], list["rules"], list.get("prices")]),
        json!(["draft", "sale", null, {}, null])
    );
    let rules = json!({ "region_id": [shop.region], "customer.groups.id": [] });
    let changed = admin.post(&path, json!({ "rules": rules, "ends_at": "2098-01-01" })).await.ok();
    assert_eq!(changed["price_list"]["rules"], json!({ "region_id": [shop.region] }));
    assert_eq!(changed["price_list"]["ends_at"], "2098-01-01T00:00:00.000Z");
    let changed = admin.post(&path, json!({ "rules": {}, "ends_at": null })).await.ok();
    assert_eq!(json!([changed["price_list"]["rules"], changed["price_list"]["ends_at"]]), json!([{}, null]));

    let twice = [scene.price(tea, 5), scene.price(tea, 6)];
    let done = scene.batch(&id(list), json!({ "create": twice })).await;
    let created = done["created"].as_array().expect("prices");
    assert_eq!((created.len(), &created[0]["amount"], &done["updated"]), (1, &json!(6), &json!([])));
    assert_eq!(created[0]["price_set"]["variant"], json!({ "id": tea.id }));
    let in_region = json!({
        "variant_id": tea.id, "currency_code": "eur", "amount": 4, "rules": { "region_id": shop.region },
    });
    let body = json!({
        "create": [scene.price(tea, 7), in_region, scene.price(cup, 3)],
        "update": [{ "id": created[0]["id"], "variant_id": tea.id, "min_quantity": 2 }],
    });
    let done = scene.batch(&id(list), body).await;
    let amounts = |of: &str| -> Vec<String> {
        done[of].as_array().expect("prices").iter().map(|it| it["amount"].to_string()).collect()
    };
    assert_eq!(
        (amounts("created"), amounts("updated")),
        (vec!["7".into(), "4".into(), "3".into()], vec!["6".into()])
    );
    let rule = &done["created"][1]["price_rules"][0];
    assert_eq!(
        json!([rule["attribute"], rule["operator"], rule["value"], rule["price_id"]]),
        json!(["region_id", "eq", shop.region, done["created"][1]["id"]])
    );
    // One with the same terms replaces the amount.
    let again = scene.batch(&id(list), json!({ "create": [scene.price(cup, 2)] })).await;
    assert_eq!(json!([again["created"], again["updated"][0]["id"]]), json!([[], done["created"][2]["id"]]));

    let page =
        admin.get(&format!("{path}/prices?order=amount&limit=2&fields=amount,min_quantity")).await.ok();
    let amounts: Vec<&Value> =
        page["prices"].as_array().expect("prices").iter().map(|it| &it["amount"]).collect();
    assert_eq!((json!(amounts), &page["count"]), (json!([2, 4]), &json!(4)));
    let with_prices = admin.get(&format!("{path}?fields=id,*prices")).await.ok();
    assert_eq!(with_prices["price_list"]["prices"].as_array().map(Vec::len), Some(4));
    let gone = id(&done["created"][0]);
    let deleted = scene.batch(&id(list), json!({ "delete": [gone] })).await["deleted"].clone();
    assert_eq!(deleted, json!({ "ids": [gone], "object": "price", "deleted": true }));
    admin.post(&format!("{path}/products"), json!({ "remove": [tea.product] })).await.ok();
    let left = admin.get(&format!("{path}/prices")).await.ok();
    assert_eq!(left["prices"][0]["price_set"]["variant"]["id"], json!(cup.id));
    assert_eq!(left["count"], 1);

    let lists = admin.get("/admin/price-lists?q=mini&status[]=draft&fields=title").await.ok();
    assert_eq!((&lists["count"], &lists["price_lists"][0]["title"]), (&json!(1), &json!("Minimal")));
    let gone = admin.delete(&path).await.ok();
    assert_eq!(gone, json!({ "id": id(list), "object": "price_list", "deleted": true }));
    let not_found = format!("404 not_found: Price list with id: {} was not found", id(list));
    assert_eq!(admin.get(&path).await.error(), not_found);
    assert_eq!(admin.get(&format!("{path}/prices")).await.error(), not_found);
    assert_eq!(admin.delete(&path).await.error(), not_found);
}

#[tokio::test]
async fn wrong_lists_and_prices_are_refused() {
    let scene = Scene::open().await;
    let Scene { shop, tea, .. } = &scene;
    let admin = &shop.admin;
    let list = scene.list(json!({})).await;
    let path = format!("/admin/price-lists/{list}");
    let made = scene.batch(&list, json!({ "create": [scene.price(tea, 5), { "variant_id": tea.id, "currency_code": "eur", "amount": 4, "min_quantity": 2 }] })).await;
    let (first, second) = (id(&made["created"][0]), id(&made["created"][1]));
    let list_with = |field: &str, value: Value| {
        let mut body = json!({ "title": "x", "description": "d" });
        body[field] = value;
        body
    };
    let price_with = |field: &str, value: Value| {
        let mut price = scene.price(tea, 1);
        price[field] = value;
        list_with("prices", json!([price]))
    };
    for (body, expect) in [
        (
            json!({}),
            "400 invalid_data: Invalid request: Field 'title' is required; Field 'description' is required",
        ),
        (list_with("nope", json!(1)), "400 invalid_data: Invalid request: Unrecognized fields: 'nope'"),
        (
            list_with("status", json!("live")),
            "400 invalid_data: Invalid request: Expected: 'active, draft' for field 'status', but got: 'live'",
        ),
        (
            list_with("starts_at", json!("soon")),
            "400 invalid_data: Cannot set price list starts at with with invalid date string: soon",
        ),
        (
            list_with("rules", json!({ "region_id": "reg" })),
            "400 invalid_data: Invalid request: Expected type: 'array' for field 'rules, region_id', got: 'reg'",
        ),
        (
            list_with("rules", json!({ "region_id": [1] })),
            "400 invalid_data: Invalid request: Field 'rules, region_id, 0' is required",
        ),
        (
            list_with("rules", json!({ "region_id": ["reg_nope"] })),
            "404 not_found: Region with id: reg_nope was not found",
        ),
        (
            list_with("rules", json!({ "sales_channel_id": ["sc_nope"] })),
            "404 not_found: Sales channel with id: sc_nope was not found",
        ),
        (
            price_with("amount", json!(-1)),
            "400 invalid_data: Invalid request: Value for field 'prices, 0, amount' too small, expected at least: '0'",
        ),
        (
            price_with("amount", json!("1")),
            "400 invalid_data: Invalid request: Field 'prices, 0, amount' is required",
        ),
        (
            price_with("currency_code", json!("xxx")),
            "400 invalid_data: currency with code `xxx` does not exist",
        ),
        (
            price_with("variant_id", json!("variant_nope")),
            "400 invalid_data: No price set exist for variants: variant_nope",
        ),
        (
            price_with("rules", json!({ "region_id": "reg_nope" })),
            "404 not_found: Region with id: reg_nope was not found",
        ),
        (
            price_with("rules", json!({ "item_total": [{ "operator": "is", "value": 1 }] })),
            "400 invalid_data: Invalid request: Expected a text, a number, or a list of `operator` and `value`, for field 'rules, item_total'",
        ),
    ] {
        assert_eq!(admin.post("/admin/price-lists", body.clone()).await.error(), expect, "{body}");
    }
    let backwards =
        json!({ "title": "x", "description": "d", "starts_at": "2031-01-01", "ends_at": "2030-01-01" });
    let expect = "400 invalid_data: Invalid request: starts_at must be before ends_at";
    assert_eq!(admin.post("/admin/price-lists", backwards).await.error(), expect);
    admin.post(&path, json!({ "starts_at": "2031-01-01" })).await.ok();
    assert_eq!(admin.post(&path, json!({ "ends_at": "2031-01-01" })).await.error(), expect);
    assert_eq!(
        admin.post(&path, json!({ "description": null })).await.error(),
        "400 invalid_data: Cannot set field 'description' of Price list to null"
    );
    let quantities = "400 invalid_data: Invalid request: the quantities of a price are not below zero, and \
                      min_quantity is not above max_quantity";
    let batch = format!("{path}/prices/batch");
    for (path, body, expect) in [
        (
            &batch,
            json!({ "create": [{ "variant_id": tea.id, "currency_code": "eur", "amount": 1, "min_quantity": 10, "max_quantity": 2 }] }),
            quantities.to_owned(),
        ),
        (&batch, json!({ "update": [{ "id": second, "max_quantity": 1 }] }), quantities.to_owned()),
        (
            &batch,
            json!({ "update": [{ "id": second, "min_quantity": null }] }),
            format!(
                "400 invalid_data: Invalid request: the price {first} of the list has the same variant, currency, quantities and rules"
            ),
        ),
        (
            &batch,
            json!({ "update": [{ "id": "price_nope", "amount": 4 }] }),
            format!("404 not_found: Price with id: price_nope was not found in price list {list}"),
        ),
        (
            &batch,
            json!({ "delete": ["price_nope"] }),
            format!("404 not_found: Price with id: price_nope was not found in price list {list}"),
        ),
        (
            &"/admin/price-lists/plist_nope/prices/batch".to_owned(),
            json!({}),
            "404 not_found: Price lists with id: plist_nope was not found".to_owned(),
        ),
        (
            &"/admin/price-lists/plist_nope".to_owned(),
            json!({ "title": "x" }),
            "404 not_found: Price lists with id: plist_nope was not found".to_owned(),
        ),
        (
            &format!("{path}/products"),
            json!({ "remove": ["prod_nope"] }),
            "404 not_found: Product with id: prod_nope was not found".to_owned(),
        ),
    ] {
        assert_eq!(admin.post(path, body.clone()).await.error(), expect, "{body}");
    }
    for (query, expect) in [
        (
            "status=draft",
            "400 invalid_data: Invalid request: Expected type: 'array' for field 'status', got: 'draft'",
        ),
        ("status[]=live", "400 invalid_data: Invalid request: Field 'status, 0' is required"),
    ] {
        assert_eq!(admin.get(&format!("/admin/price-lists?{query}")).await.error(), expect);
    }
}

/// Base prices follow the same rules as those of lists.
#[tokio::test]
async fn base_prices_have_rules_and_quantities() {
    let scene = Scene::open().await;
    let Scene { shop, tea, .. } = &scene;
    let path = format!("/admin/products/{}/variants/{}", tea.product, tea.id);
    let prices = json!([
        { "currency_code": "eur", "amount": 15 },
        { "currency_code": "eur", "amount": 13, "rules": { "region_id": shop.region } },
        { "currency_code": "eur", "amount": 9, "min_quantity": 10, "rules": { "region_id": shop.region } },
    ]);
    let shown =
        shop.admin.post(&format!("{path}?fields=*variants.prices"), json!({ "prices": prices })).await.ok();
    assert_eq!(shown["product"]["variants"][0]["prices"][1]["rules"], json!({ "region_id": shop.region }));
    assert_eq!(scene.shown(tea).await, "13 of 13, no list");
    assert_eq!((scene.charged(tea, 9).await, scene.charged(tea, 10).await), (json!(13), json!(9)));
    for (price, expect) in [
        (
            json!({ "currency_code": "xxx", "amount": 1 }),
            "400 invalid_data: currency with code `xxx` does not exist",
        ),
        (
            json!({ "currency_code": "eur", "amount": 1, "rules": { "region_id": "reg_nope" } }),
            "404 not_found: Region with id: reg_nope was not found",
        ),
        (
            json!({ "currency_code": "eur", "amount": 1, "min_quantity": 3, "max_quantity": 2 }),
            "400 invalid_data: Invalid request: the quantities of a price are not below zero, and min_quantity is not above max_quantity",
        ),
    ] {
        let refused = shop.admin.post(&path, json!({ "prices": [price] })).await;
        assert_eq!(refused.error(), expect, "{price}");
    }
    assert_eq!(scene.shown(tea).await, "13 of 13, no list", "nothing was replaced");
}

#[tokio::test]
async fn preferences_say_whether_prices_include_tax() {
    let scene = Scene::open().await;
    let Scene { shop, tea, .. } = &scene;
    let admin = &shop.admin;
    let path = "/admin/price-preferences";
    let of = async |attribute: &str, value: &str| {
        let found = admin.get(&format!("{path}?attribute={attribute}&value={value}")).await.ok();
        assert_eq!(found["count"], 1, "{found}");
        found["price_preferences"][0].clone()
    };
    let flags = async || {
        let path = format!("/store/product-variants/{}?region_id={}", tea.id, shop.region);
        let price = scene.storefront.get(&path).await.ok()["variant"]["calculated_price"].clone();
        let flag = |of: &str| price[format!("is_{of}_price_tax_inclusive")].as_bool().expect("a flag");
        (flag("calculated"), flag("original"))
    };
    let (euro, region) = (of("currency_code", "eur").await, of("region_id", &shop.region).await);
    assert_eq!((&euro["is_tax_inclusive"], &region["is_tax_inclusive"]), (&json!(false), &json!(false)));
    assert_eq!(flags().await, (false, false));
    // A plain price is as its currency says, one for a region as the region says.
    let store = id(&admin.get("/admin/stores").await.ok()["stores"][0]);
    let currencies = json!([
        { "currency_code": "eur", "is_default": true, "is_tax_inclusive": true }, { "currency_code": "USD" },
    ]);
    admin.post(&format!("/admin/stores/{store}"), json!({ "supported_currencies": currencies })).await.ok();
    assert_eq!(flags().await, (true, true));
    assert_eq!(of("currency_code", "usd").await["is_tax_inclusive"], false);
    let in_region = json!({
        "variant_id": tea.id, "currency_code": "eur", "amount": 4, "rules": { "region_id": shop.region },
    });
    scene.list(json!({ "prices": [in_region] })).await;
    assert_eq!(flags().await, (false, true));
    let region_path = format!("/admin/regions/{}", shop.region);
    admin.post(&region_path, json!({ "is_tax_inclusive": true })).await.ok();
    let euro_path = format!("{path}/{}", id(&euro));
    admin.post(&euro_path, json!({ "is_tax_inclusive": false })).await.ok();
    assert_eq!(flags().await, (true, false));
    assert_eq!(of("region_id", &shop.region).await["id"], region["id"]);

    let pounds = json!({ "attribute": "currency_code", "value": "GBP", "is_tax_inclusive": true });
    let made = admin.post(path, pounds.clone()).await.ok()["price_preference"].clone();
    assert_eq!(made["value"], "gbp");
    for (body, expect) in [
        (
            pounds,
            "400 invalid_data: Price preference with attribute: currency_code, value: gbp, already exists.",
        ),
        (
            json!({ "attribute": "currency_code" }),
            "400 invalid_data: Invalid request: Field 'value' is required",
        ),
        (
            json!({ "attribute": "planet", "value": "x" }),
            "400 invalid_data: Invalid request: Expected: 'currency_code, region_id' for field 'attribute', but got: 'planet'",
        ),
        (
            json!({ "attribute": "currency_code", "value": "xxx" }),
            "400 invalid_data: currency with code `xxx` does not exist",
        ),
        (
            json!({ "attribute": "region_id", "value": "reg_nope" }),
            "404 not_found: Region with id: reg_nope was not found",
        ),
    ] {
        assert_eq!(admin.post(path, body.clone()).await.error(), expect, "{body}");
    }
    let made = format!("{path}/{}", id(&made));
    admin.delete(&made).await.ok();
    let gone = format!("404 not_found: Price preference with id: {} was not found", &made[path.len() + 1..]);
    assert_eq!(admin.delete(&made).await.error(), gone);
    assert_eq!(admin.get(&made).await.error(), gone);
    assert_eq!(admin.post(&made, json!({ "is_tax_inclusive": true })).await.error(), gone);
    // A region takes its preference along.
    let isle = json!({ "name": "Isle", "currency_code": "eur", "is_tax_inclusive": true });
    let isle = id(&admin.post("/admin/regions", isle).await.ok()["region"]);
    assert_eq!(of("region_id", &isle).await["is_tax_inclusive"], true);
    admin.delete(&format!("/admin/regions/{isle}")).await.ok();
    assert_eq!(admin.get(&format!("{path}?value={isle}")).await.ok()["count"], 0);
}

#[tokio::test]
async fn times_of_a_list_are_those_of_its_body() {
    let scene = Scene::open().await;
    let list = scene.list(json!({ "starts_at": "2031-01-01T00:00:00+01:00" })).await;
    let shown = scene.shop.admin.get(&format!("/admin/price-lists/{list}")).await.ok();
    let starts_at: Timestamp = "2030-12-31T23:00:00Z".parse().expect("a time");
    assert_eq!(shown["price_list"]["starts_at"], json!(starts_at));
}

/// Variants without base prices, of one product.
async fn variants(scene: &Scene, n_variants: u32) -> (String, Vec<String>) {
    let create = move |tx: &mut dyn Write, at: &Moment| {
        let product = PRODUCTS.create(tx, at, Product { handle: "many".into(), ..Product::default() })?.id;
        let mut ids = Vec::new();
        for _ in 0..n_variants {
            let variant = ProductVariant { product_id: product.clone(), ..ProductVariant::default() };
            let variant = VARIANTS.create(tx, at, variant)?.id.to_string();
            let set = PRICE_SETS.create(tx, at, PriceSet::default())?.id;
            PRODUCT_VARIANT_PRICE_SET.attach(tx, at, &variant, &set, Map::new())?;
            ids.push(variant);
        }
        Ok::<_, Fault>((product.to_string(), ids))
    };
    scene.shop.app.ctx.write(Actor::System, create).await.expect("variants").0
}

/// Of 2,000 variants, or as many as the environment says: 100,000 take some seconds.
#[tokio::test]
async fn list_of_many_variants_is_written_in_one_call() {
    let scene = Scene::open().await;
    let admin = &scene.shop.admin;
    let n_variants = times("ATOLL_PRICED_VARIANTS", 2_000);
    let (product, ids) = variants(&scene, n_variants).await;
    let price = |it: &String| json!({ "variant_id": it, "currency_code": "eur", "amount": 7 });
    let list = scene.list(json!({ "prices": ids.iter().map(price).collect::<Vec<_>>() })).await;
    let prices = format!("/admin/price-lists/{list}/prices");
    let count = async || admin.get(&format!("{prices}?limit=1")).await.ok()["count"].clone();
    assert_eq!(count().await, n_variants);
    // All of them again, with a new amount and one new price.
    let mut again: Vec<Value> =
        ids.iter().map(|it| json!({ "variant_id": it, "currency_code": "eur", "amount": 6 })).collect();
    again.push(scene.price(&scene.tea, 5));
    let done = admin.post(&format!("{prices}/batch?fields=id"), json!({ "create": again })).await.ok();
    let n_in = |of: &str| done[of].as_array().map(Vec::len);
    assert_eq!((n_in("created"), n_in("updated")), (Some(1), Some(n_variants as usize)));
    let first = admin.get(&format!("{prices}?limit=1&order=amount&fields=amount")).await.ok();
    assert_eq!(first["prices"][0]["amount"], 5);
    admin.post(&format!("/admin/price-lists/{list}/products"), json!({ "remove": [product] })).await.ok();
    assert_eq!(count().await, 1);
}

/// What a request can make many has a limit.
#[tokio::test]
async fn prices_and_rules_of_a_list_are_limited() {
    let scene = Scene::open().await;
    let admin = &scene.shop.admin;
    let list = scene.list(json!({})).await;
    let tier = |n: u32| json!({ "variant_id": scene.tea.id, "currency_code": "eur", "amount": 1, "min_quantity": n });
    let batch = format!("/admin/price-lists/{list}/prices/batch");
    let tiers = |n: std::ops::Range<u32>| json!({ "create": n.map(tier).collect::<Vec<_>>() });
    admin.post(&batch, tiers(0..100)).await.ok();
    let error = admin.post(&batch, tiers(100..101)).await.error();
    assert_eq!(
        error,
        "400 invalid_data: Invalid request: a price list has at most 100 prices for a variant and currency"
    );
    let rules = json!({ "rules": { "customer_id": (0..1_001).map(|n| n.to_string()).collect::<Vec<_>>() } });
    let error = admin.post(&format!("/admin/price-lists/{list}"), rules).await.error();
    assert_eq!(
        error,
        "400 invalid_data: Invalid request: the rules of a price list have at most 1000 values, got: '1001'"
    );
    let mut price = scene.price(&scene.cup, 1);
    price["rules"] = (0..21).map(|n| (n.to_string(), json!("x"))).collect::<Map<_, _>>().into();
    let error = admin.post(&batch, json!({ "create": [price] })).await.error();
    assert_eq!(error, "400 invalid_data: Invalid request: a price has at most 20 rules, got: '21'");
    let rules = json!({ "rules": { "customer_id": ["x".repeat(256)] } });
    let error = admin.post(&format!("/admin/price-lists/{list}"), rules).await.error();
    let expect =
        "400 invalid_data: Invalid request: attributes and values of rules have at most 255 characters";
    assert!(error.starts_with(expect), "{error}");
}

/// At most 1,000 lists that have not ended are active for the same rule: they may all be read for one price.
#[tokio::test]
async fn active_lists_are_limited() {
    let scene = Scene::open().await;
    let many = |tx: &mut dyn Write, at: &Moment| {
        for n in 0..1_000 {
            let list =
                PriceList { status: PriceListStatus::Active, title: n.to_string(), ..PriceList::default() };
            create_list(tx, at, list)?;
        }
        Ok::<_, Fault>(())
    };
    scene.shop.app.ctx.write(Actor::System, many).await.expect("lists");
    let refused = json!({ "title": "x", "description": "d", "status": "active" });
    let error = scene.shop.admin.post("/admin/price-lists", refused).await.error();
    assert!(
        error.starts_with("400 invalid_data: Invalid request: at most 1000 price lists that have not ended"),
        "{error}"
    );
    scene.list(json!({ "ends_at": "2020-01-01" })).await;
    scene.list(json!({ "status": "draft" })).await;
    scene.list(json!({ "rules": { "region_id": [scene.shop.region] } })).await;
}

#[tokio::test]
async fn list_of_a_customer_group_is_shown_to_its_members_alone() {
    let scene = Scene::open().await;
    let Scene { shop, tea, storefront, .. } = &scene;
    let (ann, bob) =
        (shop.customer(storefront, "ann@test.dev").await, shop.customer(storefront, "bob@test.dev").await);
    let id_of = async |client: &Client| id(&client.get("/store/customers/me").await.ok()["customer"]);
    let group = json!({ "name": "Friends" });
    let group = id(&shop.admin.post("/admin/customer-groups", group).await.ok()["customer_group"]);
    let members = format!("/admin/customer-groups/{group}/customers");
    scene.list(json!({ "rules": { "customer.groups.id": [group] }, "prices": [scene.price(tea, 7)] })).await;
    let shown = async |price: &str, clients: &[&Client]| {
        // Remembered, too.
        for _ in 0..3 {
            for client in clients {
                assert_eq!(scene.shown_to(client, tea).await, price);
            }
        }
    };
    let (full, reduced) = ("10 of 10, no list", "7 of 10, sale");
    shown(full, &[&ann, &bob, storefront]).await;
    shop.admin.post(&members, json!({ "add": [id_of(&ann).await] })).await.ok();
    shown(reduced, &[&ann]).await;
    shown(full, &[&bob, storefront]).await;
    // A cart charges its customer the same, and its pages show that to whoever has it.
    for (client, amount) in [(&ann, 7), (&bob, 10), (storefront, 10)] {
        let cart = shop.cart(client, &tea.id, 1).await;
        let unit = format!("/store/carts/{cart}?fields=items.unit_price");
        assert_eq!(client.get(&unit).await.ok()["cart"]["items"][0]["unit_price"], amount);
        for client in [&ann, &bob, storefront] {
            let path = format!("/store/product-variants/{}?cart_id={cart}&fields=calculated_price", tea.id);
            let shown = client.get(&path).await.ok()["variant"]["calculated_price"].clone();
            assert_eq!(shown["calculated_amount"], amount);
        }
    }
    shop.admin
        .post(&members, json!({ "remove": [id_of(&ann).await], "add": [id_of(&bob).await] }))
        .await
        .ok();
    shown(reduced, &[&bob]).await;
    shown(full, &[&ann, storefront]).await;
}
