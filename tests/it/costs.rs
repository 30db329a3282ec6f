//! Costs in keys: what each list reads for a page of 20, in a small shop and in one four times as large, and
//! what the writes of a checkout read.

use std::{
    fmt::{Display, Write as _},
    path::PathBuf,
};

use atoll_inventory::{INVENTORY_ITEMS, InventoryItem};
use atoll_kernel::{
    Actor, Fault, Moment, Registry, Write,
    data::Store,
    http::{Method, Route},
    limits::{ADDRESSES_MAX, SHIPPING_OPTIONS_MAX},
};
use atoll_links::PRODUCT_SALES_CHANNEL;
use atoll_product::{PRODUCTS, Product, ProductStatus, ProductVariant, VARIANTS, restore_product};
use atoll_storage::engines::Counting;
use atoll_testkit::{Client, Setup, Shipping, Shop, complete, id, pay};
use expect_test::expect_file;
use serde_json::{Map, Value, json};

/// A shop whose reads are counted.
async fn counted() -> (Shop, Counting) {
    let engine = Counting::default();
    let spaces = Registry::linked().expect("a registry").spaces();
    let store = Store::open(engine.clone(), &spaces).expect("a store");
    (Shop::open(Setup::default().answers_bytes_max(0).over(store).await).await, engine)
}

/// A shop with this number of records of each kind.
async fn shop(n: usize) -> (Shop, Counting, Client) {
    let (shop, engine) = counted().await;
    let web = shop.channel("Web").await;
    let key = shop.key(&[&web]).await;
    let storefront = shop.app.storefront(&key);
    let customer = shop.customer(&storefront, "ann@test.dev").await;
    // One option serves the channels; all others ship from elsewhere.
    let by_post = shop.shipping(&["de", "fr"]).await.option;
    let depot = shop.admin.post("/admin/stock-locations", json!({ "name": "Depot" })).await.ok();
    let Shipping { set, .. } = shop.shipping_from(&id(&depot["stock_location"]), &["de", "fr"]).await;
    let profile = shop.default_profile().await;
    let mut zone = String::new();
    for n in 0..n {
        if n.is_multiple_of(SHIPPING_OPTIONS_MAX) {
            let new = json!({ "name": format!("Zone {n}") });
            let zones = format!("/admin/fulfillment-sets/{set}/service-zones?fields=service_zones.id");
            let zones = shop.admin.post(&zones, new).await.ok()["fulfillment_set"]["service_zones"].clone();
            zone = id(zones.as_array().and_then(|it| it.last()).expect("a zone"));
        }
        shop.option(&zone, &format!("Option {n}"), &profile, json!({})).await;
        let tea = shop.product(&format!("Tea {n}"), &[&web], 1).await;
        let cart = shop.cart(&storefront, &tea.id, 1).await;
        let methods = format!("/store/carts/{cart}/shipping-methods");
        storefront.post(&methods, json!({ "option_id": by_post })).await.ok();
        complete(&storefront, &cart).await.ok();
        for (path, body) in [
            ("/admin/sales-channels", json!({ "name": format!("Channel {n}") })),
            ("/admin/stock-locations", json!({ "name": format!("Location {n}") })),
            ("/admin/api-keys", json!({ "title": format!("Key {n}"), "type": "publishable" })),
            ("/admin/collections", json!({ "title": format!("Collection {n}") })),
            ("/admin/product-categories", json!({ "name": format!("Category {n}"), "is_active": true })),
            ("/admin/product-tags", json!({ "value": format!("tag {n}") })),
            ("/admin/product-types", json!({ "value": format!("type {n}") })),
            ("/admin/regions", json!({ "name": format!("Region {n}"), "currency_code": "eur" })),
            ("/admin/tax-regions", tax_region(n)),
            ("/admin/campaigns", json!({ "name": "Sale", "campaign_identifier": format!("sale-{n}") })),
            (
                "/admin/promotions",
                json!({
                    "code": format!("CODE{n}"), "type": "standard",
                    "application_method": { "type": "percentage", "value": 10, "target_type": "order" },
                }),
            ),
            ("/admin/shipping-profiles", json!({ "name": format!("Profile {n}"), "type": "test" })),
            ("/admin/customers", json!({ "email": format!("guest-{n}@test.dev") })),
            ("/admin/customer-groups", json!({ "name": format!("Group {n}") })),
        ] {
            shop.admin.post(path, body).await.ok();
        }
        // The limit of addresses per customer.
        if n < ADDRESSES_MAX {
            let address = json!({ "city": format!("City {n}") });
            customer.post("/store/customers/me/addresses", address).await.ok();
        }
    }
    (shop, engine, customer)
}

/// The n-th tax region, with a rate.
fn tax_region(n: usize) -> Value {
    let letter = |n: usize| char::from(b"abcdefghijklmnopqrstuvwxyz"[n % 26]);
    let rate = json!({ "name": "VAT", "code": "vat", "rate": 20 });
    let country = format!("{}{}", letter(n / 26), letter(n));
    json!({ "country_code": country, "provider_id": "tp_system", "default_tax_rate": rate })
}

#[tokio::test]
async fn keys_read_per_list_match_costs_txt() {
    let (small, large) = (shop(30).await, shop(120).await);
    let mut table = String::from("# Keys read for a page of 20, with 30 and with 120 of everything.\n");
    for route in small.0.app.ctx.routes() {
        let is_list =
            route.method == Method::Get && route.params.limit.is_some() && !route.path.contains(':');
        if !is_list {
            continue;
        }
        let mut costs = Vec::new();
        for (shop, engine, customer) in [&small, &large] {
            let client = if route.auth.is_store() { customer } else { &shop.admin };
            let filter = filter(shop, route).await;
            let before = engine.n_read();
            client.get(&format!("{}?limit=20{filter}", route.path)).await.ok();
            costs.push(engine.n_read() - before);
        }
        writeln!(table, "{} {} {}", route.path, costs[0], costs[1]).expect("text");
        assert!(costs[1] <= costs[0] * 2, "{} costs {} keys in a large shop: {table}", route.path, costs[1]);
    }
    // Filters on relations start from the side with fewer records.
    for path in [
        "/admin/products?variants[sku]=Tea 3",
        "/admin/product-variants?product[handle]=tea-3",
        "/admin/inventory-items?variants[sku]=Tea 3",
        "/store/products?variants[sku]=Tea 3",
        "/admin/orders?items[id]=LINE",
    ] {
        let mut costs = Vec::new();
        for (shop, engine, key) in [&small, &large] {
            let client = if path.starts_with("/store") { key.clone() } else { shop.admin.clone() };
            let orders = shop.admin.get("/admin/orders?fields=items.id&limit=1").await.ok();
            let path = path.replace(' ', "%20").replace("LINE", &id(&orders["orders"][0]["items"][0]));
            let before = engine.n_read();
            let found = client.get(&path).await.ok();
            assert_eq!(found["count"], 1, "{path}");
            costs.push(engine.n_read() - before);
        }
        writeln!(table, "{path} {} {}", costs[0], costs[1]).expect("text");
        assert!(costs[1] <= costs[0] * 2, "{path} costs {} keys in a large shop", costs[1]);
    }
    let text = "for a page of 20 of everything that a channel sells, with 200 and with 800 products";
    compare(&mut table, text, questions(200).await, questions(800).await, 1.5);
    let text = "for a page of 20 that is far behind in its order, with 2,500 and with 8,500 products";
    compare(&mut table, text, far_behind(2_500).await, far_behind(8_500).await, 1.5);
    let text = "for a page of 20 variants with prices, with 40 and with 160 price lists";
    compare(&mut table, text, priced(40).await, priced(160).await, 1.0);
    // Their forms offer up to 200 names of a kind.
    let text = "by pages for people, with 30 and with 120 of everything";
    compare(&mut table, text, pages(&small.0, &small.1).await, pages(&large.0, &large.1).await, 4.0);
    let text = "by the writes of a checkout";
    compare(&mut table, text, checkout(&small.0, &small.1).await, checkout(&large.0, &large.1).await, 2.0);
    let text = "by a bulk call, by product, of 100 and of 400 products";
    compare(&mut table, text, bulk(100).await, bulk(400).await, 1.0);
    expect_file![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("costs.txt")].assert_eq(&table);
}

/// What is done, and the keys that it reads.
type Costs = Vec<(&'static str, usize)>;

/// Adds costs in a small shop and in a large one to the table; the latter may be so many times the former.
#[track_caller]
fn compare<W: Display>(
    table: &mut String,
    text: &str,
    small: Vec<(W, usize)>,
    large: Vec<(W, usize)>,
    times_max: f64,
) {
    writeln!(table, "# Keys read {text}.").expect("text");
    let costs: Vec<_> =
        small.into_iter().zip(large).map(|((what, few), (_, many))| (what, few, many)).collect();
    for (what, few, many) in &costs {
        writeln!(table, "{what} {few} {many}").expect("text");
    }
    for (what, few, many) in costs {
        let is_flat = many as f64 <= few as f64 * times_max;
        assert!(is_flat, "{what} costs {many} keys, and {few} in a small shop: {table}");
    }
}

/// Bytes of a page for people: what a phone loads in a second.
const PAGE_BYTES_MAX: usize = 60_000;

/// Keys that a page for people reads: about two milliseconds.
const PAGE_KEYS_MAX: usize = 2_000;

/// The keys that pages for people read.
async fn pages(shop: &Shop, engine: &Counting) -> Costs {
    let session = shop.admin.post("/auth/session", json!({})).await;
    let cookie = session.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie");
    let person = shop.app.client().without_type().with_header("cookie", cookie);
    let web = shop.admin.get("/admin/sales-channels?name=Web&fields=id").await.ok();
    let web = id(&web["sales_channels"][0]);
    let teas = shop.admin.get("/admin/products?limit=1&fields=id,variants.id").await.ok();
    let tea = &teas["products"][0];
    let (product, variant) = (id(tea), id(&tea["variants"][0]));
    let mut costs = Vec::new();
    for (what, path) in [
        ("home", "/app/".to_owned()),
        ("channels", "/app/channels".to_owned()),
        ("a channel", format!("/app/channels/{web}")),
        ("its assortment", format!("/app/channels/{web}/products")),
        ("matrix", format!("/app/matrix?channel[]={web}")),
        ("why", format!("/app/why?channel={web}&variant={variant}")),
        ("preview", format!("/app/preview?channel={web}&at=2040-01-01T00:00")),
        ("products", "/app/products".to_owned()),
        ("a product", format!("/app/products/{product}")),
        ("orders", "/app/orders".to_owned()),
        ("stock", "/app/stock".to_owned()),
        ("customers", "/app/customers".to_owned()),
    ] {
        let before = engine.n_read();
        let answer = person.get_unchecked(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body.len() <= PAGE_BYTES_MAX, "{path} has {} bytes", answer.body.len());
        let n_keys = engine.n_read() - before;
        assert!(n_keys <= PAGE_KEYS_MAX, "{path} reads {n_keys} keys");
        costs.push((what, n_keys));
    }
    costs
}

/// What a list needs besides its page.
async fn filter(shop: &Shop, route: &Route) -> String {
    match route.path {
        path if route.auth.is_store() && path.contains("payment") => format!("&region_id={}", shop.region),
        // A cell for each channel: the one that sells everything.
        "/admin/availability" => {
            let web = shop.admin.get("/admin/sales-channels?name=Web").await.ok();
            format!("&sales_channel_id={}", id(&web["sales_channels"][0]))
        }
        _ => String::new(),
    }
}

/// The keys that putting products of a variant each into a channel, and out of it, reads for each of them.
async fn bulk(n_products: usize) -> Costs {
    let (shop, engine) = counted().await;
    let (sold, web) = ([shop.channel("Till").await], shop.channel("Web").await);
    let category = category(&shop, "Hot").await;
    let create = move |tx: &mut dyn Write, at: &Moment| {
        (0..n_products).try_for_each(|n| create_tea(tx, at, n, &sold, &category))
    };
    shop.app.ctx.write(Actor::System, create).await.expect("products");
    let view = shop.app.ctx.view();
    let ids: Vec<_> = PRODUCTS.table.list_all(&view).expect("products").into_iter().map(|it| it.id).collect();
    let path = format!("/admin/sales-channels/{web}");
    let mut costs = Vec::new();
    for (what, path, body) in [
        ("POST /admin/sales-channels/:id/products, add", format!("{path}/products"), json!({ "add": ids })),
        (
            "POST /admin/sales-channels/:id/products, remove",
            format!("{path}/products"),
            json!({ "remove": ids }),
        ),
        (
            "POST /admin/sales-channels/:id/products, add again",
            format!("{path}/products"),
            json!({ "add": ids }),
        ),
        ("DELETE /admin/sales-channels/:id", path, Value::Null),
    ] {
        let before = engine.n_read();
        match body {
            Value::Null => shop.admin.delete(&path).await.ok(),
            body => shop.admin.post(&path, body).await.ok(),
        };
        costs.push((what, (engine.n_read() - before) / n_products));
    }
    costs
}

/// The keys that lists read which are not in the order of the ids, of products whose titles are `Tea n` and
/// every fourth `Green tea n`, in five channels and one of two categories.
async fn questions(n_products: usize) -> Vec<(String, usize)> {
    let (shop, engine) = counted().await;
    let mut channels = Vec::new();
    for n in 0..5 {
        channels.push(shop.channel(&format!("Channel {n}")).await);
    }
    let categories = [category(&shop, "Hot").await, category(&shop, "Cold").await];
    let (sold, category) = (channels.clone(), categories[0].clone());
    let create = move |tx: &mut dyn Write, at: &Moment| {
        for n in 0..n_products {
            create_tea(tx, at, n, &sold, &categories[n % 2])?;
        }
        Ok::<_, Fault>(())
    };
    shop.app.ctx.write(Actor::System, create).await.expect("products");
    let one = shop.storefront(&[&channels[0]]).await;
    let all = shop.storefront(&channels.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let twenty = shop.admin.get("/admin/products?fields=id&limit=20").await.ok();
    let twenty: Vec<String> = twenty["products"].as_array().expect("a list").iter().map(id).collect();
    let twenty = twenty.join("&product_id=");
    let hundred: Vec<String> = (0..100).map(|n| format!("tea-{n}")).collect();
    let hundred = hundred.join("&variants[sku][]=");
    let mut costs = Vec::new();
    for (who, client, path, query) in [
        ("", &one, "store/products", "order=title"),
        ("", &one, "store/products", "order=-created_at"),
        ("", &one, "store/products", "q=tea"),
        ("", &one, "store/products", "q=gree"),
        ("", &one, "store/products", "q=gin"),
        ("", &one, "store/products", "q=tea green&order=title"),
        ("", &one, "store/products", "category_id=CATEGORY"),
        ("", &one, "store/products", "category_id=CATEGORY&q=tea&order=-updated_at"),
        (" (5 channels)", &all, "store/products", "order=id"),
        (" (5 channels)", &all, "store/products", "order=handle"),
        ("", &one, "store/product-variants", "order=title"),
        // A page in the middle.
        ("", &one, "store/products", "cursor=MIDDLE"),
        ("", &one, "store/products", "order=title&cursor=MIDDLE"),
        ("", &one, "store/products", "q=tea&order=-handle&cursor=MIDDLE"),
        (" (5 channels)", &all, "store/products", "order=-id&cursor=MIDDLE"),
        ("", &shop.admin, "admin/products", "order=-created_at"),
        ("", &shop.admin, "admin/products", "q=tea&status=published"),
        ("", &shop.admin, "admin/products", "variants[sku][]=HUNDRED&order=title"),
        ("", &one, "store/products", "variants[sku][]=HUNDRED&order=title"),
        ("", &shop.admin, "admin/products", "sales_channel_id=CHANNEL"),
        ("", &shop.admin, "admin/products", "sales_channel_id=CHANNEL&order=-title"),
        // Nothing is newer.
        ("", &shop.admin, "admin/products", "created_at[$gte]=2100-01-01"),
        ("", &one, "store/products", "created_at[$gte]=2000-01-01&created_at[$lt]=2000-01-02&order=title"),
        ("", &shop.admin, "admin/product-variants", "order=sku"),
        ("", &shop.admin, "admin/inventory-items", "q=tea-11&order=-sku"),
        (" (5 channels)", &shop.admin, "admin/availability", "order=title&sales_channel_id=CHANNELS"),
        (" (5 channels)", &shop.admin, "admin/availability", "product_id=TWENTY&sales_channel_id=CHANNELS"),
        ("", &shop.admin, "admin/sales-channels/CHANNEL/products", "order=title"),
        (
            "", &shop.admin, "admin/sales-channels/CHANNEL/products",
            "state=on_sale&category_id=CATEGORY&q=tea",
        ),
        ("", &shop.admin, "admin/sales-channels/CHANNEL/changes", "to=2100-01-01"),
    ] {
        let query = query.replace(' ', "%20");
        let mut question = format!("/{path}?fields=id&limit=20&{query}")
            .replace("CATEGORY", &category)
            .replace("CHANNELS", &channels.join("&sales_channel_id="))
            .replace("CHANNEL", &channels[0])
            .replace("HUNDRED", &hundred)
            .replace("TWENTY", &twenty);
        if query.contains("MIDDLE") {
            let half =
                question.replace("MIDDLE", "").replace("&limit=20", &format!("&limit={}", n_products / 2));
            let middle =
                client.get(&half).await.ok()["next_cursor"].as_str().expect("a next page").to_owned();
            question = question.replace("MIDDLE", &middle);
        }
        let before = engine.n_read();
        client.get(&question).await.ok();
        costs.push((format!("/{path}?{query}{who}"), engine.n_read() - before));
    }
    costs
}

/// The keys that pages read whose records are together, and far behind in the order of their list: the second
/// half of the products by title is in a category.
async fn far_behind(n_products: usize) -> Costs {
    let (shop, engine) = counted().await;
    let web = shop.channel("Web").await;
    let hot = category(&shop, "Hot").await;
    // As an import does, in several transactions.
    for first in (0..n_products).step_by(500) {
        let (channel, in_hot) = (web.clone(), hot.clone());
        let create = move |tx: &mut dyn Write, at: &Moment| {
            for n in first..n_products.min(first + 500) {
                let is_hot = n >= n_products / 2;
                let product = Product {
                    title: format!("{} tea {n:05}", if is_hot { "Original" } else { "New" }),
                    handle: format!("tea-{n}"),
                    status: ProductStatus::Published,
                    category_ids: if is_hot { vec![in_hot.clone().into()] } else { Vec::new() },
                    ..Product::default()
                };
                let product = PRODUCTS.create(tx, at, product)?.id;
                PRODUCT_SALES_CHANNEL.attach(tx, at, &product, &channel, Map::new())?;
            }
            Ok::<_, Fault>(())
        };
        shop.app.ctx.write(Actor::System, create).await.expect("products");
        shop.app.advance_ms(1);
    }
    let storefront = shop.storefront(&[&web]).await;
    let mut costs = Vec::new();
    for (client, what) in [
        (&storefront, "/store/products?category_id=CATEGORY&q=tea&order=title"),
        (&storefront, "/store/products?category_id=CATEGORY&order=created_at"),
        (&storefront, "/store/products?category_id=CATEGORY"),
        (&storefront, "/store/products?offset=OFFSET"),
        (&storefront, "/store/products?offset=OFFSET&q=tea&order=-title"),
        (&shop.admin, "/admin/products?offset=OFFSET"),
    ] {
        let offset = (n_products * 9 / 10).to_string();
        let path = format!("{what}&fields=id&limit=20").replace("CATEGORY", &hot).replace("OFFSET", &offset);
        let before = engine.n_read();
        let page = client.get(&path).await.ok();
        costs.push((what, engine.n_read() - before));
        assert_eq!(page["products"].as_array().map(Vec::len), Some(20), "{what}");
    }
    costs
}

/// The keys that a page of variants with prices reads, which a sale and an override apply to: beside so many
/// lists of other variants, and beside so many lists of the same variants that do not apply.
async fn priced(n_lists: usize) -> Costs {
    let mut costs = Vec::new();
    for (what, is_of_others) in
        [("beside lists of other variants", true), ("beside lists that do not apply", false)]
    {
        let (shop, engine) = counted().await;
        let web = shop.channel("Web").await;
        let (mut variants, others) = (Vec::new(), [shop.product("Other", &[], 1).await.id]);
        for n in 0..20 {
            variants.push(shop.product(&format!("Tea {n}"), &[&web], 1).await.id);
        }
        let list = async |fields: Value, of: &[String]| {
            let price = |it: &String| json!({ "variant_id": it, "currency_code": "eur", "amount": 7 });
            let mut list = json!({
                "title": "List", "description": "d", "status": "active",
                "prices": of.iter().map(price).collect::<Vec<_>>(),
            });
            list.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
            shop.admin.post("/admin/price-lists", list).await.ok();
        };
        list(json!({}), &variants).await;
        list(json!({ "type": "override", "rules": { "region_id": [shop.region] } }), &variants).await;
        for n in 0..n_lists {
            let elsewhere = json!({ "sales_channel_id": [shop.channel(&format!("Channel {n}")).await] });
            match (is_of_others, n % 3) {
                (true, _) => list(json!({}), &others).await,
                (false, 0) => list(json!({ "status": "draft" }), &variants).await,
                (false, 1) => list(json!({ "ends_at": "2020-01-01" }), &variants).await,
                (false, _) => list(json!({ "rules": elsewhere }), &variants).await,
            }
        }
        let storefront = shop.storefront(&[&web]).await;
        let path =
            format!("/store/product-variants?region_id={}&fields=calculated_price&limit=20", shop.region);
        let page = async |path: &str| {
            let before = engine.n_read();
            let page = storefront.get(path).await.ok();
            (page["variants"][19]["calculated_price"].clone(), engine.n_read() - before)
        };
        let (price, n_read) = page(&path).await;
        assert_eq!(price["calculated_price"]["price_list_type"], "override");
        costs.push((what, n_read));
        if is_of_others {
            shop.admin.post("/admin/tax-regions", tax_region(0)).await.ok();
            let country = tax_region(0)["country_code"].as_str().expect("a country").to_owned();
            let (price, n_read) = page(&format!("{path}&country_code={country}")).await;
            assert_eq!(price["calculated_amount_without_tax"], 7);
            costs.push(("the same with taxes", n_read));
        }
    }
    costs
}

async fn category(shop: &Shop, name: &str) -> String {
    let category = json!({ "name": name, "is_active": true });
    id(&shop.admin.post("/admin/product-categories", category).await.ok()["product_category"])
}

fn create_tea(
    tx: &mut dyn Write,
    at: &Moment,
    n: usize,
    channels: &[String],
    category: &str,
) -> Result<(), Fault> {
    let product = Product {
        title: format!("{} {n}", if n.is_multiple_of(4) { "Green tea" } else { "Tea" }),
        handle: format!("tea-{n}"),
        status: ProductStatus::Published,
        category_ids: vec![category.to_owned().into()],
        ..Product::default()
    };
    let product = PRODUCTS.create(tx, at, product)?.id;
    let (title, sku) = (format!("Bag {n}"), Some(format!("tea-{n}")));
    let variant =
        ProductVariant { product_id: product.clone(), title, sku: sku.clone(), ..ProductVariant::default() };
    VARIANTS.create(tx, at, variant)?;
    INVENTORY_ITEMS.create(tx, at, InventoryItem { sku, ..InventoryItem::default() })?;
    for channel in channels {
        PRODUCT_SALES_CHANNEL.attach(tx, at, &product, channel, Map::new())?;
    }
    Ok(())
}

/// The keys that each write of a checkout reads: a cart of two lines with manual payment.
async fn checkout(shop: &Shop, engine: &Counting) -> Costs {
    let web = shop.channel("Checkout").await;
    let (tea, cup) = (shop.product("Green tea", &[&web], 9).await, shop.product("Cup", &[&web], 9).await);
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    let (path, mut costs) = (format!("/store/carts/{cart}"), Vec::new());
    let mut send = async |what: &'static str, path: String, body| {
        let before = engine.n_read();
        let answer = match body {
            Value::Null => storefront.get(&path).await.ok(),
            body => storefront.post(&path, body).await.ok(),
        };
        costs.push((what, engine.n_read() - before));
        answer
    };
    let line = json!({ "variant_id": cup.id, "quantity": 1 });
    let shown = send("POST /store/carts/:id/line-items", format!("{path}/line-items"), line).await;
    let line = shown["cart"]["items"][1]["id"].as_str().expect("an id").to_owned();
    let line = format!("{path}/line-items/{line}");
    send("POST /store/carts/:id/line-items/:line_id", line, json!({ "quantity": 2 })).await;
    let options = format!("/store/shipping-options?cart_id={cart}");
    let options = send("GET /store/shipping-options", options, Value::Null).await;
    assert_eq!(options["shipping_options"].as_array().map(Vec::len), Some(1));
    let option = json!({ "option_id": options["shipping_options"][0]["id"] });
    send("POST /store/carts/:id/shipping-methods", format!("{path}/shipping-methods"), option).await;
    pay(&storefront, &cart).await;
    send("POST /store/carts/:id/complete", format!("{path}/complete"), json!({})).await;
    send("POST /store/carts/:id/complete, again", format!("{path}/complete"), json!({})).await;
    // The groups of a customer are read once for prices and promotions.
    let customer = shop.customer(&storefront, "buyer@test.dev").await;
    let cart = shop.cart(&customer, &tea.id, 1).await;
    let line = json!({ "variant_id": cup.id, "quantity": 1 });
    let before = engine.n_read();
    customer.post(&format!("/store/carts/{cart}/line-items"), line).await.ok();
    costs.push(("POST /store/carts/:id/line-items, of a customer", engine.n_read() - before));
    costs
}

/// Keys that restoring a product reads, after so many others were deleted.
async fn cost_of_a_restore(n_others: usize) -> usize {
    let (shop, engine) = counted().await;
    for n in 0..n_others {
        let other = shop.product(&format!("Other {n}"), &[], 1).await;
        shop.admin.delete(&format!("/admin/products/{}", other.product)).await.ok();
    }
    let tea = shop.product("Tea", &[], 1).await;
    let path = format!("/admin/products/{}", tea.product);
    shop.admin.delete(&path).await.ok();
    let before = engine.n_read();
    let restore = move |tx: &mut dyn Write, at: &Moment| -> Result<(), Fault> {
        Ok(restore_product(tx, at, &tea.product).map(drop)?)
    };
    shop.app.ctx.write(Actor::System, restore).await.expect("a restore");
    let n_read = engine.n_read() - before;
    assert!(n_read > 0, "the reads of the writer are counted");
    let shown = shop.admin.get(&format!("{path}?fields=*variants,*options.values")).await.ok();
    assert_eq!(shown["product"]["variants"].as_array().expect("variants").len(), 1);
    assert_eq!(shown["product"]["options"][0]["values"].as_array().expect("values").len(), 1);
    n_read
}

/// Rows that were deleted with a product are found by an index, without a scan of other deleted rows.
#[tokio::test]
async fn a_restore_costs_the_same_whatever_else_was_deleted() {
    assert_eq!(cost_of_a_restore(2).await, cost_of_a_restore(12).await);
}
