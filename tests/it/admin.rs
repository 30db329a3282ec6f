//! The admin routes: who may call them, what they answer, and what they refuse.

use atoll_testkit::{Client, Shop, TestApp, complete};
use serde_json::{Value, json};

async fn shop() -> (Shop, String) {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    (shop, web)
}

#[tokio::test]
async fn parameters_of_the_older_api_are_accepted() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[], 0).await;
    let path = format!("/admin/sales-channels/{web}/products/batch");
    let body = json!({ "product_ids": [{ "id": tea.product }] });
    assert_eq!(shop.admin.post(&path, body.clone()).await.ok()["sales_channel"]["id"], json!(web));
    let product = format!("/admin/products/{}?expand=sales_channels&fields=id", tea.product);
    let channels = async || {
        let shown = shop.admin.get(&product).await.ok();
        shown["product"]["sales_channels"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(channels().await, 1);
    shop.admin.send("DELETE", &path, body.to_string().into()).await.ok();
    assert_eq!(channels().await, 0);
    let store = shop.admin.get("/admin/stores?expand=default_sales_channel").await.ok();
    assert_eq!(store["stores"][0]["default_sales_channel"]["name"], "Default Sales Channel");
    assert!(store["stores"][0]["name"].is_string(), "what is shown anyway is still shown");
}

#[tokio::test]
async fn unfollowed_events_are_not_written_to_the_outbox() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    admin.post("/admin/sales-channels", json!({ "name": "Web" })).await.ok();
    let events = atoll_kernel::jobs::events_after(&app.ctx.view(), 0, 1000).expect("events");
    assert_eq!(events.iter().map(|(_, it)| it.name.as_str()).collect::<Vec<_>>(), ["sales-channel.created"]);
}

#[tokio::test]
async fn login_requires_email_and_password() {
    let (app, _) = TestApp::init().await.with_admin().await;
    let log_in = async |body: Value| {
        let answer = app.client().post("/auth/user/emailpass", body).await;
        match answer.json["token"].as_str() {
            Some(token) => token.to_owned(),
            None => answer.error(),
        }
    };
    let token = log_in(json!({ "email": "Admin@test.dev", "password": "supersecret" })).await;
    let me =
        app.client().with_header("authorization", &format!("Bearer {token}")).get("/admin/users/me").await;
    assert_eq!(me.ok()["user"]["email"], "admin@test.dev");
    let wrong = "401 unauthorized: Invalid email or password";
    assert_eq!(log_in(json!({ "email": "admin@test.dev", "password": "nope" })).await, wrong);
    assert_eq!(log_in(json!({ "email": "ghost@test.dev", "password": "supersecret" })).await, wrong);
    assert_eq!(log_in(json!({})).await, "401 unauthorized: Password should be a string");
    assert_eq!(log_in(json!({ "password": "x" })).await, "401 unauthorized: Email should be a string");

    // A token is good for a day.
    let old = app.client().with_header("authorization", &format!("Bearer {token}"));
    app.advance_ms(24 * 60 * 60 * 1000 - 1000);
    old.get("/admin/users/me").await.ok();
    app.advance_ms(2000);
    assert_eq!(old.get("/admin/users/me").await.error(), "401 -: Unauthorized");
}

#[tokio::test]
async fn admin_routes_are_for_admins() {
    let (shop, web) = shop().await;
    let key = shop.key(&[&web]).await;
    let secret = json!({ "title": "server", "type": "secret" });
    let secret = shop.admin.post("/admin/api-keys", secret).await.ok();
    let (secret, secret_id) = (&secret["api_key"]["token"], &secret["api_key"]["id"]);
    let (secret, secret_id) = (secret.as_str().expect("a token"), secret_id.as_str().expect("an id"));
    let with = |value: &str| shop.app.client().with_header("authorization", value);
    let unauthorized = "401 -: Unauthorized";
    for registered in &atoll_host::registry().expect("a registry").routes {
        if registered.auth != atoll_kernel::http::Auth::Admin {
            continue;
        }
        let (method, path) = (registered.method.to_string(), registered.path.replace(':', ""));
        for client in [
            shop.app.client(),
            shop.app.storefront(&key),
            with("Bearer rubbish"),
            with("Basic sk_rubbish"),
            with(&format!("Basic {key}")),
            with("Bearer eyJhbGciOiJub25lIn0.e30."),
        ] {
            assert_eq!(
                client.send(&method, &path, "{}".into()).await.error(),
                unauthorized,
                "{method} {path}"
            );
        }
    }
    assert_eq!(shop.app.client().get("/admin/nothing-here").await.error(), unauthorized);
    assert_eq!(
        shop.admin.get("/admin/nothing-here").await.error(),
        "404 not_found: Cannot GET /admin/nothing-here"
    );
    let server = with(&format!("Basic {secret}"));
    server.get("/admin/sales-channels").await.ok();
    assert!(
        with(&format!("Bearer {secret}")).get("/admin/sales-channels").await.error().contains("HTTP Basic")
    );
    // A secret is shown once.
    let shown = shop.admin.get(&format!("/admin/api-keys/{secret_id}")).await.ok();
    assert_eq!(shown["api_key"]["token"], "");
    shop.admin.post(&format!("/admin/api-keys/{secret_id}/revoke"), json!({})).await.ok();
    assert_eq!(server.get("/admin/sales-channels").await.error(), unauthorized);
}

/// A key of this kind: the path that revokes it, and a client that has it.
async fn key(shop: &Shop, kind: &str) -> (String, Client) {
    let web = shop.channel(kind).await;
    let key = json!({ "title": "Key", "type": kind });
    let key = shop.admin.post("/admin/api-keys", key).await.ok()["api_key"].clone();
    let (path, token) = (format!("/admin/api-keys/{}", key["id"].as_str().expect("an id")), &key["token"]);
    let token = token.as_str().expect("a token");
    let client = shop.app.client();
    if kind == "secret" {
        return (format!("{path}/revoke"), client.with_header("authorization", &format!("Basic {token}")));
    }
    shop.admin.post(&format!("{path}/sales-channels"), json!({ "add": [web] })).await.ok();
    (format!("{path}/revoke"), client.with_header("x-publishable-api-key", token))
}

#[tokio::test]
async fn a_revoked_key_stays_revoked() {
    const AHEAD_MS: i64 = 400 * 24 * 60 * 60 * 1000;
    for (kind, asked, refused) in
        [("secret", "/admin/products", 401_u16), ("publishable", "/store/products", 400)]
    {
        let (shop, _) = shop().await;
        let (revoke, client) = key(&shop, kind).await;
        let status = async || client.get(asked).await.status.as_u16();
        // Later, and then sooner; a moment that is no date is none.
        shop.admin.post(&revoke, json!({ "revoke_in": 60 })).await.ok();
        for beyond in [json!(1e12), json!(1e14), json!(999_999_999_999_999_i64)] {
            let answer = shop.admin.post(&revoke, json!({ "revoke_in": beyond })).await.error();
            let beyond =
                "400 invalid_data: Invalid request: Value for field 'revoke_in' is beyond the last date";
            assert_eq!(answer, beyond);
        }
        assert_eq!(status().await, 200);
        let by = shop.admin.post(&revoke, json!({ "revoke_in": -1e14 })).await.ok()["api_key"].clone();
        assert_eq!(status().await, refused);
        shop.app.advance_ms(1000);
        let again = shop.admin.post(&revoke, json!({ "revoke_in": 1000 })).await;
        if kind == "publishable" {
            assert_eq!(again.ok()["api_key"]["revoked_at"], by["revoked_at"]);
        } else {
            let already = "400 invalid_data: There are 1 secret keys that are already revoked.";
            assert_eq!(again.error(), already);
        }
        assert_eq!(status().await, refused);
        // One that is revoked while the clock is ahead is so when the clock was put right.
        for revoke_in in [0, 3600] {
            let (revoke, client) = key(&shop, kind).await;
            client.get(asked).await.ok();
            shop.app.advance_ms(AHEAD_MS);
            let admin = shop.log_in(&shop.app.client(), "/auth/user/emailpass", "admin@test.dev").await;
            admin.post(&revoke, json!({ "revoke_in": revoke_in })).await.ok();
            shop.app.advance_ms(-AHEAD_MS);
            assert_eq!(client.get(asked).await.status, refused, "{kind} {revoke_in}");
        }
    }
}

#[tokio::test]
async fn sales_channels_are_created_updated_and_deleted() {
    let (shop, _) = shop().await;
    let admin = &shop.admin;
    let body = json!({ "name": "App", "description": "On phones", "metadata": { "a": 1 } });
    let channel = admin.post("/admin/sales-channels", body).await.ok()["sales_channel"].clone();
    let path = format!("/admin/sales-channels/{}", channel["id"].as_str().expect("an id"));
    assert_eq!(admin.get(&path).await.ok()["sales_channel"], channel);
    shop.app.advance_ms(1000);
    let changed = admin.post(&path, json!({ "description": null, "metadata": { "b": 2 } })).await.ok();
    let changed = &changed["sales_channel"];
    assert_eq!((&changed["name"], &changed["description"]), (&json!("App"), &Value::Null));
    assert_eq!(changed["metadata"], json!({ "a": 1, "b": 2 }));
    assert!(changed["updated_at"].as_str() > channel["updated_at"].as_str());
    // What changes nothing is not written.
    shop.app.advance_ms(1000);
    assert_eq!(admin.post(&path, json!({})).await.ok()["sales_channel"], *changed);

    let gone = admin.delete(&path).await.ok();
    assert_eq!(gone["object"], "sales-channel");
    assert_eq!(admin.delete(&path).await.ok(), gone);
    let id = gone["id"].as_str().expect("an id");
    assert_eq!(
        admin.get(&path).await.error(),
        format!("404 not_found: Sales channel with id: {id} not found")
    );
    assert_eq!(
        admin.post(&path, json!({ "name": "zombie" })).await.error(),
        format!("404 not_found: Sales channel with id \"{id}\" not found")
    );
    let list = admin.get(&format!("/admin/sales-channels?id={id}&with_deleted=true")).await.ok();
    assert_eq!(list["count"], 1);

    let store = &admin.get("/admin/stores").await.ok()["stores"][0];
    let default = store["default_sales_channel_id"].as_str().expect("an id");
    assert_eq!(
        admin.delete(&format!("/admin/sales-channels/{default}")).await.error(),
        format!("400 invalid_data: Cannot delete default sales channels: {default}")
    );
}

async fn check(client: &Client, path: &str, body: Value, expect: &str) {
    assert_eq!(client.post(path, body.clone()).await.error(), expect, "{path} {body}");
}

#[tokio::test]
async fn invalid_bodies_get_the_wire_errors() {
    let (shop, web) = shop().await;
    let (admin, path) = (&shop.admin, "/admin/sales-channels");
    check(admin, path, json!({}), "400 invalid_data: Invalid request: Field 'name' is required").await;
    check(
        admin,
        path,
        json!({ "name": 1, "is_disabled": 2 }),
        "400 invalid_data: Invalid request: Expected type: 'string' for field 'name', got: '1'; \
         Expected type: 'boolean' for field 'is_disabled', got: '2'",
    )
    .await;
    check(
        admin,
        path,
        json!({ "name": "x", "id": "sc_x" }),
        "400 invalid_data: Invalid request: Unrecognized fields: 'id'",
    )
    .await;
    let raw = admin.send("POST", path, "{\"name\":".into()).await.error();
    assert!(raw.starts_with("400 invalid_data: Invalid JSON"), "{raw}");
    let big = json!({ "name": "x", "description": "y".repeat(3 << 20) });
    assert_eq!(admin.post(path, big).await.error(), "413 unknown_error: request entity too large");

    let product = |more: Value| {
        let mut body = json!({ "title": "Tee", "options": [{ "title": "Size", "values": ["S"] }] });
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        body
    };
    let variant = |size: &str, sku: &str| json!({ "title": size, "sku": sku, "options": { "Size": size }, "prices": [] });
    let path = "/admin/products";
    admin.post(path, product(json!({ "variants": [variant("S", "TEE-S")] }))).await.ok();
    check(
        admin,
        path,
        json!({ "title": "Bare" }),
        "400 invalid_data: Product options are not provided for: [Bare].",
    )
    .await;
    check(admin, path, product(json!({})), "400 invalid_data: Product with handle: tee, already exists.")
        .await;
    let handle = |more: Value| product(json!({ "handle": "other", "variants": more }));
    check(
        admin,
        path,
        handle(json!([variant("S", "TEE-S")])),
        "400 invalid_data: Product variant with sku: TEE-S, already exists.",
    )
    .await;
    check(
        admin,
        path,
        handle(json!([variant("XL", "XL")])),
        "400 invalid_data: Option value XL does not exist for option Size",
    )
    .await;
    check(
        admin,
        path,
        handle(json!([variant("S", "a"), variant("S", "b")])),
        "400 invalid_data: Variant (S) with provided options already exists.",
    )
    .await;
    check(
        admin,
        path,
        product(json!({ "handle": "Über" })),
        "400 invalid_data: Invalid product handle 'Über'. It must contain URL safe characters",
    )
    .await;
    check(
        admin,
        path,
        product(json!({ "handle": "x", "sales_channels": [{ "id": web }, { "id": "sc_x" }] })),
        "404 not_found: Sales channel with id: sc_x was not found",
    )
    .await;
    // None of these left anything behind.
    assert_eq!(admin.get(path).await.ok()["count"], 1);
    assert_eq!(admin.get("/admin/inventory-items").await.ok()["count"], 1);
}

#[tokio::test]
async fn lists_are_filtered_ordered_and_counted() {
    let (shop, web) = shop().await;
    let admin = &shop.admin;
    let till = shop.channel("Till").await;
    shop.product("Tea", &[&web], 1).await;
    shop.product("Cup", &[&web, &till], 1).await;
    shop.product("Box", &[], 1).await;
    let list = async |query: &str| {
        let answer = admin.get(&format!("/admin/products?fields=title&{query}")).await;
        if !answer.status.is_success() {
            return answer.error();
        }
        let products = answer.json["products"].as_array().expect("a list").iter();
        let titles: Vec<&str> = products.map(|it| it["title"].as_str().expect("a title")).collect();
        format!("{} of {}", titles.join(" "), answer.json["count"])
    };
    assert_eq!(list("").await, "Tea Cup Box of 3");
    assert_eq!(list("order=title").await, "Box Cup Tea of 3");
    assert_eq!(list("order=-created_at&limit=2").await, "Tea Cup of 3");
    assert_eq!(list("order=-id").await, "Box Cup Tea of 3");
    assert_eq!(list("limit=1&offset=1").await, "Cup of 3");
    assert_eq!(list("limit=0").await, " of 3");
    assert_eq!(list("offset=9").await, " of 3");
    assert_eq!(list(&format!("sales_channel_id[]={web}")).await, "Tea Cup of 2");
    assert_eq!(list(&format!("sales_channel_id={till}")).await, "Cup of 1");
    assert_eq!(list(&format!("sales_channel_id[]={web}&sales_channel_id[]={till}")).await, "Tea Cup of 2");
    assert_eq!(list(&format!("sales_channel_id[]={web}&q=cu")).await, "Cup of 1");
    assert_eq!(list("sales_channel_id[]=sc_x").await, " of 0");
    assert_eq!(list("status[]=published").await, "Tea Cup Box of 3");
    assert_eq!(list("status[]=draft").await, " of 0");
    assert_eq!(list("handle=cup").await, "Cup of 1");
    assert_eq!(list("variants[sku]=Box").await, "Box of 1");
    assert_eq!(list("q=BOX").await, "Box of 1");
    assert_eq!(list("title[$like]=T%25").await, "Tea of 1");
    assert_eq!(list("$or[0][title]=Tea&$or[1][handle]=box").await, "Tea Box of 2");
    assert_eq!(list("title[$ne]=Tea").await, "Cup Box of 2");
    assert_eq!(list("created_at[$gt]=2020-01-01").await, "Tea Cup Box of 3");
    assert_eq!(
        list("created_at[$gt]=soon").await,
        "400 invalid_data: Invalid request: Expected type: 'date' for field 'created_at', got: 'soon'"
    );
    assert_eq!(list("order=nope").await, "400 invalid_data: Order field nope is not valid");
    assert_eq!(
        list("limit=-1").await,
        "400 invalid_data: Invalid request: Value for field 'limit' too small, expected at least: '0'"
    );
}

#[tokio::test]
async fn fields_choose_what_is_shown() {
    let (shop, web) = shop().await;
    let tea = shop.product("Tea", &[&web], 3).await;
    let show = async |fields: &str| {
        let path = format!("/admin/products/{}?fields={fields}", tea.product);
        shop.admin.get(&path).await.ok()["product"].clone()
    };
    let keys = |shown: &Value| {
        let mut keys: Vec<&str> = shown.as_object().expect("an object").keys().map(String::as_str).collect();
        keys.sort_unstable();
        keys.join(" ")
    };
    assert_eq!(show("title").await, json!({ "id": tea.product, "title": "Tea" }));
    assert_eq!(show("nope").await, json!({ "id": tea.product }));
    assert_eq!(show("").await, json!({ "id": tea.product }));
    assert_eq!(
        show("title,sales_channels.name").await,
        json!({ "id": tea.product, "title": "Tea", "sales_channels": [{ "id": web, "name": "Web" }] })
    );
    assert_eq!(
        show("id,*variants.inventory_items,variants.inventory_items.inventory.location_levels.available_quantity").await
            ["variants"][0]["inventory_items"][0]["inventory"]["location_levels"][0]["available_quantity"],
        3
    );
    let defaults = show("%2Bvariants.inventory_quantity").await;
    assert_eq!(defaults["variants"][0]["inventory_quantity"], 3);
    assert_eq!(defaults["variants"][0]["prices"][0]["amount"], 10);
    let less = show("-variants,-sales_channels,-metadata").await;
    assert!(!keys(&less).contains("variants") && !keys(&less).contains("metadata"), "{less}");
    for hidden in ["option_ids", "tag_ids", "category_ids"] {
        assert_eq!(show(hidden).await, json!({ "id": tea.product }));
    }
    let user = shop.admin.get("/admin/users/me?fields=password_hash,email").await.ok();
    assert_eq!(keys(&user["user"]), "email id");
}

#[tokio::test]
async fn stock_cannot_fall_below_reservations() {
    let (shop, web) = shop().await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 3).await;
    complete(&storefront, &cart).await.ok();
    let (admin, item, location) = (&shop.admin, &tea.item, &shop.location);
    let level = format!("/admin/inventory-items/{item}/location-levels/{location}");
    check(
        admin,
        &level,
        json!({ "stocked_quantity": 2 }),
        &format!(
            "400 not_allowed: cannot set the stock of item {item} at location {location} to 2: 3 of it is reserved"
        ),
    )
    .await;
    admin.post(&level, json!({ "stocked_quantity": 3 })).await.ok();
    assert!(admin.delete(&level).await.error().contains("because there are reservations at location"));
    assert_eq!(
        admin.delete(&format!("/admin/stock-locations/{location}")).await.error(),
        format!(
            "400 not_allowed: Cannot delete stock location {location}: 1 inventory levels there hold stock or reservations"
        )
    );
    let levels = format!("/admin/inventory-items/{item}/location-levels");
    check(
        admin,
        &levels,
        json!({ "location_id": location }),
        &format!("400 invalid_data: Inventory level with inventory_item_id: {item}, location_id: {location}, already exists."),
    )
    .await;
    check(
        admin,
        &levels,
        json!({ "location_id": "sloc_x" }),
        "404 not_found: Stock locations with ids: sloc_x was not found",
    )
    .await;
    let shown = admin.get(&format!("{levels}?fields=stocked_quantity,available_quantity")).await.ok();
    assert_eq!(
        (&shown["count"], &shown["inventory_levels"][0]["available_quantity"]),
        (&json!(1), &json!(0))
    );
}

/// Both levels change together; what is reserved is not moved away from under its orders.
#[tokio::test]
async fn stock_is_transferred_up_to_what_is_available() {
    let (shop, web) = shop().await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 3).await;
    complete(&storefront, &cart).await.ok();
    let (admin, here) = (&shop.admin, &shop.location);
    let made = admin.post("/admin/stock-locations", json!({ "name": "Pier" })).await.ok();
    let there = made["stock_location"]["id"].as_str().expect("an id");
    let levels = format!("/admin/inventory-items/{}/location-levels", tea.item);
    let path = format!("{levels}/transfer");
    let move_to =
        |to: &str, quantity| json!({ "from_location_id": here, "to_location_id": to, "quantity": quantity });
    let told = "400 not_allowed: 2 of 5 can be transferred: the others are reserved";
    check(admin, &path, move_to(there, 3), told).await;
    check(admin, &path, move_to(here, 1), "400 invalid_data: The stock is at this location already").await;
    let unknown = "404 not_found: Stock locations with ids: sloc_x was not found";
    check(admin, &path, move_to("sloc_x", 1), unknown).await;
    admin.post(&path, move_to(there, 1)).await.ok();
    admin.post(&path, move_to(there, 1)).await.ok();
    let stocked = async |at: &str| {
        let shown = admin.get(&format!("{levels}?location_id={at}")).await.ok();
        shown["inventory_levels"][0]["stocked_quantity"].clone()
    };
    assert_eq!((stocked(here).await, stocked(there).await), (json!(3), json!(2)));
    let unknown = "/admin/inventory-items/iitem_x/location-levels/transfer";
    let told = "404 not_found: Inventory item with id: iitem_x was not found";
    check(admin, unknown, move_to(there, 1), told).await;
}

#[tokio::test]
async fn the_store_owns_its_default_channel() {
    let (shop, web) = shop().await;
    let admin = &shop.admin;
    let store =
        admin.get("/admin/stores?fields=id,name,*default_sales_channel,*supported_currencies").await.ok();
    let store = &store["stores"][0];
    assert_eq!(store["name"], "Medusa Store");
    assert_eq!(store["default_sales_channel"]["name"], "Default Sales Channel");
    assert_eq!(store["supported_currencies"][0]["currency_code"], "eur");
    let path = format!("/admin/stores/{}", store["id"].as_str().expect("an id"));
    let moved = admin.post(&path, json!({ "default_sales_channel_id": web })).await.ok();
    assert_eq!(moved["store"]["default_sales_channel_id"], json!(web));
    check(
        admin,
        &path,
        json!({ "default_sales_channel_id": "sc_x" }),
        "404 not_found: Sales channel with id: sc_x not found",
    )
    .await;
    let currencies = |list: Value| json!({ "supported_currencies": list });
    for (list, expect) in [
        (json!([{ "currency_code": "eur" }]), "There should be a default currency set for the store"),
        (
            json!([{ "currency_code": "eur", "is_default": true }, { "currency_code": "EUR" }]),
            "Duplicate currency codes: eur",
        ),
        (
            json!([{ "currency_code": "eur", "is_default": true }, { "currency_code": "usd", "is_default": true }]),
            "Only one default currency is allowed",
        ),
    ] {
        check(admin, &path, currencies(list), &format!("400 invalid_data: {expect}")).await;
    }
    // Disabled channels sell nothing, so none is a default; the default may be disabled later, and then sells
    // nothing.
    let till = shop.channel("Till").await;
    admin.post(&format!("/admin/sales-channels/{till}"), json!({ "is_disabled": true })).await.ok();
    check(
        admin,
        &path,
        json!({ "default_sales_channel_id": till }),
        "400 not_allowed: Sales channel Till is disabled",
    )
    .await;
}

#[tokio::test]
async fn second_start_seeds_nothing() {
    let app = TestApp::init().await;
    let token = atoll_testkit::token();
    let ctx = app.ctx.clone();
    let again = move |tx: &mut dyn atoll_kernel::Write, at: &atoll_kernel::Moment| {
        atoll_flows::first_run(tx, at, &ctx, &token, None)
    };
    let (made, _) = app.ctx.write(atoll_kernel::Actor::System, again).await.expect("a second start");
    assert_eq!(made, atoll_flows::FirstRun::default());
    let (_, admin) = app.with_admin().await;
    for (path, n) in [("sales-channels", 1), ("stores", 1), ("api-keys", 1), ("currencies", 126)] {
        assert_eq!(admin.get(&format!("/admin/{path}?limit=1")).await.ok()["count"], n, "{path}");
    }
    let key = &admin.get("/admin/api-keys").await.ok()["api_keys"][0];
    assert_eq!((&key["title"], &key["created_by"]), (&json!("Default Publishable API Key"), &json!("")));
    assert_eq!(key["sales_channels"][0]["name"], "Default Sales Channel");
}

#[tokio::test]
async fn regions_have_countries_of_their_own() {
    let (shop, _) = shop().await;
    let admin = &shop.admin;
    let path = "/admin/regions";
    let region = |more: Value| {
        let mut body = json!({ "name": "X", "currency_code": "eur" });
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        body
    };
    check(
        admin,
        path,
        region(json!({ "countries": ["de"] })),
        "400 invalid_data: Countries with codes: \"de\" are already assigned to a region",
    )
    .await;
    check(
        admin,
        path,
        region(json!({ "countries": ["zz"] })),
        "400 invalid_data: Countries with codes: \"zz\" do not exist",
    )
    .await;
    check(
        admin,
        path,
        region(json!({ "payment_providers": ["pp_nope"] })),
        "404 not_found: Payment providers with ids pp_nope not found or not enabled",
    )
    .await;
    admin.delete(&format!("{path}/{}", shop.region)).await.ok();
    let italy = admin.post(path, region(json!({ "countries": ["de", "it"] }))).await.ok();
    assert_eq!(italy["region"]["countries"][0]["display_name"], "Germany");
    assert_eq!(italy["region"]["countries"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        admin.get("/admin/currencies/xxx").await.error(),
        "404 not_found: Currency with code: xxx was not found"
    );
}

#[tokio::test]
async fn cors_preflight_is_answered() {
    let (shop, _) = shop().await;
    let browser = shop
        .app
        .client()
        .with_header("origin", "https://shop.example")
        .with_header("access-control-request-method", "POST")
        .with_header("access-control-request-headers", "x-publishable-api-key");
    for path in ["/store/carts", "/admin/products/prod_x"] {
        assert!(browser.send("OPTIONS", path, "".into()).await.status.is_success(), "{path}");
    }
    // One slash at the end is one too many for some clients' taste only.
    shop.admin.get("/admin/sales-channels/").await.ok();
}

#[tokio::test]
async fn deleting_a_product_deletes_its_own_inventory_items() {
    let (shop, web) = shop().await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let bolt = shop.product("Bolt", &[&web], 5).await;
    let parts = json!({ "inventory_items": [{ "inventory_item_id": bolt.item, "required_quantity": 2 }] });
    let kit = shop.product_with("Kit", &[&web], 0, parts).await;
    for product in [&tea.product, &kit.product] {
        shop.admin.delete(&format!("/admin/products/{product}")).await.ok();
    }
    let items = shop.admin.get("/admin/inventory-items?fields=sku").await.ok();
    assert_eq!((&items["count"], &items["inventory_items"][0]["sku"]), (&json!(1), &json!("Bolt")));
    // Its SKU and its handle are free again.
    shop.product("Tea", &[&web], 1).await;
    let deleted =
        shop.admin.get("/admin/products?with_deleted=true&status[]=published&fields=title").await.ok();
    assert_eq!(deleted["count"], 4);
    let live = shop.admin.get("/admin/products?status[]=published&fields=title").await.ok();
    assert_eq!(live["count"], 2);
}

#[tokio::test]
async fn duplicate_tags_of_a_product_count_once() {
    let (shop, _) = shop().await;
    let make = |tx: &mut dyn atoll_kernel::Write,
                at: &atoll_kernel::Moment|
     -> Result<String, atoll_kernel::Fault> {
        let mut ids = Vec::new();
        for value in ["a", "b"] {
            let tag = atoll_product::ProductTag { value: value.into(), ..Default::default() };
            ids.push(atoll_product::TAGS.create(tx, at, tag)?.id);
        }
        let tag_ids = vec![ids[0].clone(), ids[1].clone(), ids[0].clone()];
        let product = atoll_product::Product { title: "Tea".into(), tag_ids, ..Default::default() };
        let option = atoll_product::OptionInput { title: "Size".into(), ..Default::default() };
        atoll_product::create_product(tx, at, product, &[option])?;
        Ok(ids[0].to_string())
    };
    let (tag, _) = shop.app.ctx.write(atoll_kernel::Actor::System, make).await.expect("a product");
    let list = shop.admin.get(&format!("/admin/products?tag_id[]={tag}&fields=title")).await.ok();
    assert_eq!((&list["count"], list["products"].as_array().map(Vec::len)), (&json!(1), Some(1)));
}

#[tokio::test]
async fn dashboards_find_no_plugins_and_no_notifications() {
    let (shop, _) = shop().await;
    assert_eq!(shop.admin.get("/admin/plugins").await.ok(), json!({ "plugins": [] }));
    let none = json!({ "notifications": [], "count": 0, "offset": 0, "limit": 1 });
    assert_eq!(shop.admin.get("/admin/notifications?limit=1&fields=created_at").await.ok(), none);
}
