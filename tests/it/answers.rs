//! Remembered answers: they are the same as ones that are worked out anew, whatever was written and whatever
//! time it is; `ETag`, `If-None-Match` and compression.
//!
//! The client of the tests compares each remembered answer with a fresh one, so all other tests check that,
//! too; here it is drawn, and shown that a stale answer would be found.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use atoll_kernel::{
    Actor, Fault, Moment, Write,
    http::{AnswerCacheCounts, App as _},
    limits::ANSWERS_BYTES_MAX,
};
use atoll_testkit::{Answer, Client, Setup, Shop, TestApp, Variant, check_drawn, complete, id, times};
use axum::{
    body::Bytes,
    http::{Request, Response},
};
use http_body_util::{BodyExt, Full};
use proptest::{prelude::*, test_runner::TestCaseResult};
use serde_json::{Value, json};
use tower::{ServiceExt, service_fn};
use tower_http::decompression::Decompression;

const ENCODINGS: [&str; 3] = ["gzip", "br", "zstd"];
const FIELDS: &str = "fields=id,title,variants.id,variants.inventory_quantity,variants.calculated_price";

fn counts(shop: &Shop) -> AnswerCacheCounts {
    shop.app.ctx.answer_cache_counts().expect("answers are remembered")
}

/// Was the answer remembered? The comparison of the client does not count.
async fn is_remembered(shop: &Shop, client: &Client, path: &str) -> bool {
    let before = counts(shop).remembered;
    client.get(path).await.ok();
    counts(shop).remembered > before
}

async fn page_of(shop: &Shop) -> String {
    format!("/store/products?{FIELDS}&region_id={}", shop.region)
}

/// An application that remembers answers, whatever the environment says for all tests.
async fn remembering() -> TestApp {
    Setup::default().answers_bytes_max(ANSWERS_BYTES_MAX).init().await
}

/// As [`Shop::web`], with an application that remembers answers.
async fn web() -> (Shop, String, Client) {
    let shop = Shop::open(remembering().await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    (shop, web, storefront)
}

#[tokio::test]
async fn answer_is_remembered_until_what_it_shows_changes() {
    let (shop, web, storefront) = web().await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let page = page_of(&shop).await;
    let one = format!("/store/products/{}", tea.product);
    let admin = format!("/admin/products/{}", tea.product);
    for (client, path) in [(&storefront, &page), (&storefront, &one), (&shop.admin, &admin)] {
        client.get(path).await.ok();
        assert!(is_remembered(&shop, client, path).await, "{path}");
    }
    shop.admin.post(&admin, json!({ "title": "Green tea" })).await.ok();
    for (client, path) in [(&storefront, &page), (&storefront, &one), (&shop.admin, &admin)] {
        assert!(!is_remembered(&shop, client, path).await, "{path}");
        assert!(client.get(path).await.ok().to_string().contains("Green tea"), "{path}");
        assert!(is_remembered(&shop, client, path).await, "{path}");
    }
}

#[tokio::test]
async fn carts_and_orders_outdate_only_what_shows_their_products() {
    let (shop, web, storefront) = web().await;
    let (tea, cup) = (shop.product("Tea", &[&web], 50).await, shop.product("Cup", &[&web], 50).await);
    let page = |it: &Variant| format!("/store/products/{}?{FIELDS}&region_id={}", it.product, shop.region);
    let pages = [page(&tea), page(&cup), "/store/products".to_owned(), "/store/regions".to_owned()];
    let remembered = async || {
        let mut all = Vec::new();
        for path in &pages {
            all.push(is_remembered(&shop, &storefront, path).await);
        }
        all
    };
    remembered().await;
    assert_eq!(remembered().await, [true; 4]);
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    let lines = format!("/store/carts/{cart}/line-items");
    storefront.post(&lines, json!({ "variant_id": cup.id, "quantity": 2 })).await.ok();
    shop.app.advance_ms(60_000);
    assert_eq!(remembered().await, [true; 4]);
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    complete(&storefront, &cart).await.ok();
    // The order takes the stock that the page of the tea shows, and changes none of the others.
    assert_eq!(remembered().await, [false, true, true, true]);
}

#[tokio::test]
async fn keys_tokens_and_customers_share_no_answer() {
    let shop = Shop::open(remembering().await).await;
    let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
    shop.product("Tea", &[&web], 5).await;
    let (web_key, till_key) = (shop.storefront(&[&web]).await, shop.storefront(&[&till]).await);
    let ann = shop.customer(&web_key, "ann@test.dev").await;
    let bob = shop.customer(&web_key, "bob@test.dev").await;
    let count = async |client: &Client| client.get("/store/products").await.json["count"].clone();
    let email =
        async |client: &Client| client.get("/store/customers/me").await.json["customer"]["email"].clone();
    for _ in 0..4 {
        assert_eq!((count(&web_key).await, count(&till_key).await), (json!(1), json!(0)));
        assert_eq!(shop.app.client().get("/store/products").await.status, 400);
        assert_eq!((email(&ann).await, email(&bob).await), (json!("ann@test.dev"), json!("bob@test.dev")));
        assert_eq!(email(&web_key).await, Value::Null);
        assert_eq!(shop.admin.get("/admin/products").await.ok()["count"], 1);
        for nobody in
            [shop.app.client(), ann.clone(), shop.admin.clone().with_header("authorization", "Bearer x")]
        {
            assert_eq!(nobody.get("/admin/products").await.status, 401);
        }
    }
    assert!(counts(&shop).remembered > 0);
}

#[tokio::test]
async fn answer_ends_with_what_admits_its_caller() {
    let (shop, _, storefront) = web().await;
    let secret = json!({ "title": "server", "type": "secret" });
    let secret = shop.admin.post("/admin/api-keys", secret).await.ok()["api_key"].clone();
    let token = secret["token"].as_str().expect("a token");
    let server = shop.app.client().with_header("authorization", &format!("Basic {token}"));
    let keys = shop.admin.get("/admin/api-keys?type=publishable&fields=id,title").await.ok();
    let keys = keys["api_keys"].as_array().expect("keys").iter();
    let publishable = keys.filter(|it| it["title"] == "test").map(id).next().expect("a key");
    for _ in 0..3 {
        storefront.get("/store/products").await.ok();
        server.get("/admin/products").await.ok();
    }
    // At once, and at a time that comes without a write.
    shop.admin.post(&format!("/admin/api-keys/{publishable}/revoke"), json!({})).await.ok();
    shop.admin
        .post(&format!("/admin/api-keys/{}/revoke", id(&secret)), json!({ "revoke_in": 60 }))
        .await
        .ok();
    let status = async |client: &Client, path| client.get(path).await.status.as_u16();
    for _ in 0..3 {
        assert_eq!(status(&storefront, "/store/products").await, 400);
        assert_eq!(status(&server, "/admin/products").await, 200);
    }
    shop.app.advance_ms(59_999);
    assert!(is_remembered(&shop, &server, "/admin/products").await);
    shop.app.advance_ms(1);
    assert_eq!(status(&server, "/admin/products").await, 401);
}

#[tokio::test]
async fn sessions_and_tokens_end_for_remembered_answers_too() {
    let (app, admin) = remembering().await.with_admin().await;
    let credentials = json!({ "email": "admin@test.dev", "password": "supersecret" });
    let token = app.client().post("/auth/user/emailpass", credentials).await.ok();
    let token = format!("Bearer {}", token["token"].as_str().expect("a token"));
    let bearer = app.client().with_header("authorization", &token);
    let opened = bearer.post("/auth/session", json!({})).await;
    let cookie = opened.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie");
    let browser = app.client().with_header("cookie", cookie);
    let foreign = browser.clone().with_header("origin", "https://evil.example");
    let status = async |client: &Client| client.get("/admin/products").await.status.as_u16();
    for _ in 0..3 {
        assert_eq!([status(&bearer).await, status(&browser).await, status(&foreign).await], [200, 200, 401]);
    }
    app.advance_ms(9 * 60 * 60 * 1000);
    assert_eq!([status(&bearer).await, status(&browser).await], [200, 200]);
    browser.delete("/auth/session").await.ok();
    assert_eq!([status(&bearer).await, status(&browser).await], [200, 401]);
    app.advance_ms(15 * 60 * 60 * 1000);
    assert_eq!([status(&bearer).await, status(&admin).await], [401, 200]);
}

/// Sells a product in a channel, within this window.
async fn list_in(shop: &Shop, channel: &str, tea: &Variant, window: Value) {
    let path = format!("/admin/sales-channels/{channel}/products");
    shop.admin.post(&path, json!({ "add": [tea.product] })).await.ok();
    shop.admin.post(&format!("{path}/{}", tea.product), window).await.ok();
}

#[tokio::test]
async fn answer_that_depends_on_the_time_is_not_served_beyond_its_edge() {
    let (shop, web, storefront) = web().await;
    shop.product("Always", &[&web], 5).await;
    let tea = shop.product("Tea", &[], 5).await;
    let (from, until) = (shop.app.now().plus_millis(1_000), shop.app.now().plus_millis(2_000));
    let window = json!({ "available_from": from.to_string(), "available_until": until.to_string() });
    list_in(&shop, &web, &tea, window).await;
    let paths = [
        "/store/products".to_owned(),
        "/store/products?order=-created_at".to_owned(),
        "/store/products?q=tea".to_owned(),
        format!("/store/products?id={}", tea.product),
    ];
    let one = format!("/store/products/{}", tea.product);
    let shows = async || {
        let mut shown = Vec::new();
        for path in &paths {
            let ids = storefront.get(path).await.ok()["products"].clone();
            shown.push(ids.as_array().expect("products").iter().any(|it| id(it) == tea.product));
        }
        shown.push(storefront.get(&one).await.status == 200);
        shown
    };
    // Each time is asked repeatedly, and so is the time before the clock was set back.
    for (at, is_open) in [
        (0, false),
        (999, false),
        (1_000, true),
        (1_001, true),
        (1_999, true),
        (2_000, false),
        (2_001, false),
        (1_500, true),
        (500, false),
        (1_998, true),
    ] {
        shop.app.advance_ms(from.millis() - 1_000 + at - shop.app.now().millis());
        for _ in 0..3 {
            assert_eq!(shows().await, [is_open; 5], "{at}");
        }
    }
    shop.app.advance_ms(1);
    assert!(is_remembered(&shop, &storefront, &paths[0]).await, "it holds until the edge");
}

#[tokio::test]
async fn previews_are_remembered_for_their_own_time() {
    let (shop, web, storefront) = web().await;
    let tea = shop.product("Tea", &[], 5).await;
    let from = shop.app.now().plus_millis(60_000);
    list_in(&shop, &web, &tea, json!({ "available_from": from.to_string() })).await;
    let key = shop.key(&[&web]).await;
    let at = |millis: i64| {
        let admin = shop.admin.clone().with_header("x-publishable-api-key", &key);
        admin.with_header("x-atoll-preview-at", &from.plus_millis(millis).to_string())
    };
    let count = async |client: &Client| client.get("/store/products").await.ok()["count"].clone();
    for _ in 0..3 {
        assert_eq!([count(&at(-1)).await, count(&at(0)).await, count(&storefront).await], [0, 1, 0]);
    }
    assert!(is_remembered(&shop, &at(0), "/store/products").await);
}

async fn decoded(answer: &Answer) -> Bytes {
    let mut response = Response::new(Full::new(answer.body.clone()));
    if let Some(encoding) = answer.headers.get("content-encoding") {
        response.headers_mut().insert("content-encoding", encoding.clone());
    }
    let service = service_fn(move |_: Request<()>| std::future::ready(Ok::<_, Infallible>(response.clone())));
    let decoded = Decompression::new(service).oneshot(Request::new(())).await.expect("an answer");
    decoded.into_body().collect().await.expect("a body that can be decoded").to_bytes()
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("-", |it| it.to_str().expect("text"))
}

#[tokio::test]
async fn answers_are_compressed_and_revalidated_per_encoding() {
    let (shop, web, storefront) = web().await;
    for n in 0..10 {
        shop.product(&format!("Tea {n}"), &[&web], 5).await;
    }
    let plain = storefront.get("/store/products").await;
    let mut etags = vec![header(&plain, "etag").to_owned()];
    assert_eq!(header(&plain, "content-encoding"), "-");
    for encoding in ENCODINGS {
        let client = storefront.clone().with_header("accept-encoding", encoding);
        for _ in 0..3 {
            let packed = client.get("/store/products").await;
            assert_eq!(header(&packed, "content-encoding"), encoding);
            assert!(packed.body.len() < plain.body.len() / 3, "{encoding}");
            assert_eq!(decoded(&packed).await, plain.body, "{encoding}");
            assert_eq!(header(&packed, "cache-control"), "private, no-cache");
            assert_eq!(header(&packed, "etag"), format!("{}-{encoding}\"", etags[0].trim_end_matches('"')));
        }
        etags.push(header(&client.get("/store/products").await, "etag").to_owned());
    }
    for (asked, encoding) in ["identity"].iter().chain(&ENCODINGS).enumerate() {
        for (sent, etag) in etags.iter().enumerate() {
            let client = storefront.clone().with_header("accept-encoding", encoding);
            let client = client.with_header("if-none-match", &format!("\"x\", W/{etag}"));
            for method in ["GET", "HEAD"] {
                let answer = client.send(method, "/store/products", axum::body::Body::empty()).await;
                let expected = if asked == sent { 304 } else { 200 };
                assert_eq!(answer.status.as_u16(), expected, "{method} {encoding} {etag}");
                assert_eq!(header(&answer, "etag"), etags[asked]);
                assert_eq!(answer.body.is_empty(), expected == 304 || method == "HEAD");
                let vary: Vec<_> =
                    answer.headers.get_all("vary").iter().filter_map(|it| it.to_str().ok()).collect();
                let vary = vary.join(", ");
                for name in [
                    "x-publishable-api-key", "authorization", "cookie", "x-atoll-preview-at",
                    "accept-encoding",
                ] {
                    assert!(vary.contains(name), "{vary}");
                }
                assert!(answer.headers.contains_key("x-request-id"));
            }
        }
    }
    // A title that is changed and changed back has the same `ETag`, and another content another one.
    let tea = storefront.get("/store/products?fields=title").await.ok()["products"][0].clone();
    let path = format!(
        "/admin/product-tags/{}",
        id(&shop.admin.post("/admin/product-tags", json!({ "value": "a" })).await.ok()["product_tag"])
    );
    assert!(tea.is_object());
    let tags = "/admin/product-tags?fields=id,value";
    let before = header(&shop.admin.get(tags).await, "etag").to_owned();
    shop.admin.post(&path, json!({ "value": "b" })).await.ok();
    assert_ne!(header(&shop.admin.get(tags).await, "etag"), before);
    shop.admin.post(&path, json!({ "value": "a" })).await.ok();
    let client = shop.admin.clone().with_header("if-none-match", &before);
    assert_eq!(client.get(tags).await.status, 304);
    assert!(counts(&shop).not_modified > 0);
}

#[tokio::test]
async fn head_is_answered_as_get_without_a_body() {
    let (shop, web, storefront) = web().await;
    for n in 0..10 {
        shop.product(&format!("Tea {n}"), &[&web], 5).await;
    }
    for encoding in ["identity", "gzip", "br", "zstd"] {
        let client = storefront.clone().with_header("accept-encoding", encoding);
        for _ in 0..3 {
            let head = client.send("HEAD", "/store/products", axum::body::Body::empty()).await;
            let get = client.get("/store/products").await;
            assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
            for name in ["etag", "content-encoding", "content-type", "cache-control"] {
                assert_eq!(header(&head, name), header(&get, name), "{name}");
            }
            assert_eq!(header(&head, "content-length"), get.body.len().to_string());
        }
    }
}

#[tokio::test]
async fn secrets_errors_writes_and_small_answers_are_neither_compressed_nor_remembered() {
    let (shop, web, storefront) = web().await;
    let packed = |client: &Client| client.clone().with_header("accept-encoding", "gzip, br, zstd");
    let (admin, storefront) = (packed(&shop.admin), packed(&storefront));
    let long = "x".repeat(4_000);
    let key = json!({ "title": long, "type": "secret" });
    let customers = json!({ "email": "ann@test.dev", "metadata": { "note": long } });
    for answer in [
        admin.post("/admin/api-keys", key).await,
        admin.post("/admin/customers", customers).await,
        storefront.get(&format!("/store/products?fields={long}")).await,
        storefront.get(&format!("/store/products/{long}")).await,
        storefront.post("/store/carts", json!({ "metadata": { "note": long } })).await,
        storefront.get("/store/regions?fields=id").await,
    ] {
        assert_eq!(header(&answer, "content-encoding"), "-", "{}", answer.json);
    }
    let before = counts(&shop).answers;
    for path in
        ["/store/products/none", "/store/products?limit=x", "/admin/counters", "/admin/users/me?fields=none"]
    {
        for client in [&storefront, &admin, &shop.app.client()] {
            let answer = client.get(path).await;
            assert!(
                path.starts_with("/admin/counters") || !answer.status.is_success() || path.contains("me")
            );
            if !answer.status.is_success() {
                assert_eq!(
                    (header(&answer, "etag"), header(&answer, "cache-control")),
                    ("-", "private, no-store")
                );
            }
        }
    }
    assert_eq!(counts(&shop).answers, before + 1, "who is logged in is remembered");
    // What is for one customer alone is not stored by the browser.
    let ann = shop.customer(&storefront, "bea@test.dev").await;
    for path in ["/store/customers/me", "/store/products"] {
        assert_eq!(header(&ann.get(path).await, "cache-control"), "private, no-store", "{path}");
    }
    drop(web);
}

#[tokio::test]
async fn memory_for_answers_is_bounded() {
    const BYTES_MAX: usize = 256 * 1024;
    let shop = Shop::open(Setup::default().answers_bytes_max(BYTES_MAX).init().await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    shop.product("Tea", &[&web], 5).await;
    for n in 0..2_000 {
        storefront.get(&format!("/store/products?offset={n}")).await.ok();
        assert!(counts(&shop).bytes <= BYTES_MAX as u64);
    }
    let after = counts(&shop);
    assert!(after.answers > 10 && after.evicted > 1_000, "{after:?}");
    // One that is larger than its share is left out.
    let long = shop.product("Long", &[&web], 1).await.product;
    let path = format!("/admin/products/{long}");
    shop.admin.post(&path, json!({ "description": "x".repeat(BYTES_MAX / 8) })).await.ok();
    for _ in 0..3 {
        assert!(!is_remembered(&shop, &shop.admin, &path).await);
    }
    assert!(counts(&shop).left_out > after.left_out);
}

#[tokio::test]
async fn nothing_is_remembered_where_that_is_switched_off() {
    let shop = Shop::open(Setup::default().answers_bytes_max(0).init().await).await;
    let path = "/admin/products";
    for _ in 0..3 {
        let answer = shop.admin.get(path).await;
        assert_eq!((header(&answer, "etag"), header(&answer, "cache-control")), ("-", "private, no-store"));
    }
    assert_eq!(shop.app.ctx.answer_cache_counts(), None);
    assert_eq!(shop.admin.get("/admin/counters").await.ok()["answers"], Value::Null);
}

/// Writes that change what some answer shows.
#[derive(Clone, Copy, Debug)]
enum Act {
    Retitle(usize),
    Unpublish(usize),
    Publish(usize),
    Price(usize, u32),
    Stock(usize, u32),
    Link(usize, usize),
    Unlink(usize, usize),
    Window(usize, usize, i64),
    Exclude(usize, usize),
    Order(usize),
    Cart(usize),
    Disable(usize),
    Enable(usize),
    Scope(usize, usize),
    Delete(usize),
    Restore,
    Create,
    Role,
    /// Time passes, or the clock is set back.
    /// The customer joins the group, or leaves it.
    Member,
    /// Sets the rate of the taxes that are shown, in percent.
    Tax(u32),
    Pass(i64),
}

const N_PRODUCTS: usize = 3;
const N_CHANNELS: usize = 2;

fn act() -> impl Strategy<Value = Act> {
    let (p, c) = (0..N_PRODUCTS, 0..N_CHANNELS);
    prop_oneof![
        2 => p.clone().prop_map(Act::Retitle),
        1 => p.clone().prop_map(Act::Unpublish),
        1 => p.clone().prop_map(Act::Publish),
        2 => (p.clone(), 1..9_u32).prop_map(|(p, amount)| Act::Price(p, amount)),
        2 => (p.clone(), 1..9_u32).prop_map(|(p, amount)| Act::Stock(p, amount)),
        1 => (c.clone(), p.clone()).prop_map(|(c, p)| Act::Link(c, p)),
        1 => (c.clone(), p.clone()).prop_map(|(c, p)| Act::Unlink(c, p)),
        3 => (c.clone(), p.clone(), 0..40_i64).prop_map(|(c, p, at)| Act::Window(c, p, at)),
        1 => (c.clone(), p.clone()).prop_map(|(c, p)| Act::Exclude(c, p)),
        2 => p.clone().prop_map(Act::Order),
        2 => p.clone().prop_map(Act::Cart),
        1 => c.clone().prop_map(Act::Disable),
        2 => c.clone().prop_map(Act::Enable),
        1 => (0..2_usize, c).prop_map(|(key, c)| Act::Scope(key, c)),
        1 => p.prop_map(Act::Delete),
        1 => Just(Act::Restore),
        1 => Just(Act::Create),
        1 => Just(Act::Role),
        1 => Just(Act::Member),
        1 => (1..30_u32).prop_map(Act::Tax),
        4 => prop_oneof![Just(1_i64), Just(10), Just(-7)].prop_map(Act::Pass),
    ]
}

/// A shop, what is asked of it, and who asks.
struct Scene {
    shop: Shop,
    channels: Vec<String>,
    teas: Vec<Variant>,
    /// Keys with their ids: of the first channel, and of both.
    keys: Vec<(String, Client)>,
    /// A customer at the first key, and the path of the members of a group with prices of its own.
    ann: Client,
    members: String,
    /// The path of the default rate of Germany.
    rate: String,
    begin: i64,
    n: usize,
}

impl Scene {
    async fn open() -> Scene {
        let shop = Shop::open(remembering().await).await;
        let mut channels = Vec::new();
        for n in 0..N_CHANNELS {
            channels.push(shop.channel(&format!("Channel {n}")).await);
        }
        let mut teas = Vec::new();
        for n in 0..N_PRODUCTS {
            teas.push(shop.product(&format!("Tea {n}"), &[&channels[n % N_CHANNELS]], 20).await);
        }
        let mut keys = Vec::new();
        for channels in [vec![&channels[0]], channels.iter().collect()] {
            let key = json!({ "title": "test", "type": "publishable" });
            let key = shop.admin.post("/admin/api-keys", key).await.ok()["api_key"].clone();
            let path = format!("/admin/api-keys/{}/sales-channels", id(&key));
            shop.admin.post(&path, json!({ "add": channels })).await.ok();
            keys.push((id(&key), shop.app.storefront(key["token"].as_str().expect("a token"))));
        }
        let ann = shop.customer(&keys[0].1, "ann@test.dev").await;
        let group = json!({ "name": "Friends" });
        let group = id(&shop.admin.post("/admin/customer-groups", group).await.ok()["customer_group"]);
        let list = json!({
            "title": "Friends", "description": "d", "status": "active",
            "rules": { "customer.groups.id": [group] },
            "prices": [{ "variant_id": teas[0].id, "currency_code": "eur", "amount": 1 }],
        });
        shop.admin.post("/admin/price-lists", list).await.ok();
        let rate = json!({ "name": "VAT", "code": "vat", "rate": 19 });
        let de = json!({ "country_code": "de", "provider_id": "tp_system", "default_tax_rate": rate });
        let de = shop.admin.post("/admin/tax-regions", de).await.ok()["tax_region"].clone();
        let rate = format!("/admin/tax-rates/{}", id(&de["tax_rates"][0]));
        let members = format!("/admin/customer-groups/{group}/customers");
        let begin = shop.app.now().millis();
        Scene { shop, channels, teas, keys, ann, members, rate, begin, n: 0 }
    }

    /// Some of these may be refused: an order of what is sold out, a channel that has the product already.
    async fn act(&mut self, act: Act) {
        let Scene { shop, channels, teas, keys, ann, members, rate, begin, n } = self;
        *n += 1;
        let admin = &shop.admin;
        let product = |p: usize| format!("/admin/products/{}", teas[p].product);
        let of_channel = |c: usize| format!("/admin/sales-channels/{}", channels[c]);
        match act {
            Act::Retitle(p) => drop(admin.post(&product(p), json!({ "title": format!("Tea {n}") })).await),
            Act::Unpublish(p) => drop(admin.post(&product(p), json!({ "status": "draft" })).await),
            Act::Publish(p) => drop(admin.post(&product(p), json!({ "status": "published" })).await),
            Act::Price(p, amount) => {
                let path = format!("{}/variants/{}", product(p), teas[p].id);
                let prices = json!({ "prices": [{ "currency_code": "eur", "amount": amount }] });
                drop(admin.post(&path, prices).await);
            }
            Act::Stock(p, amount) => {
                let path =
                    format!("/admin/inventory-items/{}/location-levels/{}", teas[p].item, shop.location);
                drop(admin.post(&path, json!({ "stocked_quantity": amount })).await);
            }
            Act::Link(c, p) => {
                let path = format!("{}/products", of_channel(c));
                drop(admin.post(&path, json!({ "add": [teas[p].product] })).await);
            }
            Act::Unlink(c, p) => {
                let path = format!("{}/products", of_channel(c));
                drop(admin.post(&path, json!({ "remove": [teas[p].product] })).await);
            }
            Act::Window(c, p, from) => {
                let at = |millis: i64| atoll_kernel::Timestamp::from_millis(*begin + millis).to_string();
                let window = json!({ "available_from": at(from), "available_until": at(from + 15) });
                let path = format!("{}/products", of_channel(c));
                drop(admin.post(&path, json!({ "add": [teas[p].product] })).await);
                drop(admin.post(&format!("{path}/{}", teas[p].product), window).await);
            }
            Act::Exclude(c, p) => {
                let path = format!("{}/variants/{}", of_channel(c), teas[p].id);
                drop(admin.post(&path, json!({ "is_enabled": *n % 2 == 0 })).await);
            }
            Act::Order(p) | Act::Cart(p) => {
                let storefront = &keys[0].1;
                let items = json!({ "items": [{ "variant_id": teas[p].id, "quantity": 1 }] });
                let cart = storefront.post("/store/carts", items).await;
                if matches!(act, Act::Order(_)) && cart.status == 200 {
                    let cart = id(&cart.json["cart"]);
                    let collection =
                        storefront.post("/store/payment-collections", json!({ "cart_id": cart })).await;
                    let path = format!(
                        "/store/payment-collections/{}/payment-sessions",
                        id(&collection.ok()["payment_collection"])
                    );
                    drop(storefront.post(&path, json!({ "provider_id": "pp_system_default" })).await);
                    drop(storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await);
                }
            }
            Act::Disable(c) => drop(admin.post(&of_channel(c), json!({ "is_disabled": true })).await),
            Act::Enable(c) => drop(admin.post(&of_channel(c), json!({ "is_disabled": false })).await),
            Act::Scope(key, c) => {
                let path = format!("/admin/api-keys/{}/sales-channels", keys[key].0);
                let change = if *n % 2 == 0 { "add" } else { "remove" };
                drop(admin.post(&path, json!({ change: [channels[c]] })).await);
            }
            Act::Delete(p) => drop(admin.delete(&product(p)).await),
            Act::Restore => {
                let ids: Vec<String> = teas.iter().map(|it| it.product.clone()).collect();
                let restore = move |tx: &mut dyn Write, at: &Moment| {
                    for id in &ids {
                        atoll_product::PRODUCTS.restore(tx, at, id)?;
                    }
                    Ok::<_, Fault>(())
                };
                // Refused where nothing is deleted.
                drop(shop.app.ctx.write(Actor::System, restore).await);
            }
            Act::Create => {
                let first = &channels[0];
                shop.product(&format!("More {n}"), &[first], 3).await;
            }
            Act::Role => {
                let user = admin.get("/admin/users/me").await.ok()["user"].clone();
                drop(
                    admin
                        .post(&format!("/admin/users/{}", id(&user)), json!({ "first_name": format!("{n}") }))
                        .await,
                );
            }
            Act::Member => {
                let me = id(&ann.get("/store/customers/me").await.ok()["customer"]);
                let change = if *n % 2 == 0 { "remove" } else { "add" };
                drop(admin.post(members, json!({ change: [me] })).await);
            }
            Act::Tax(percent) => drop(admin.post(rate, json!({ "rate": percent })).await),
            Act::Pass(millis) => shop.app.advance_ms(millis),
        }
    }

    /// Every question by everyone; the client compares what is remembered.
    async fn ask(&self) -> Result<(), String> {
        let region = &self.shop.region;
        let tea = &self.teas[0].product;
        let store = [
            "/store/products".to_owned(),
            format!("/store/products?{FIELDS}&region_id={region}&country_code=de"),
            format!("/store/products/{tea}?fields=title,*sales_channels,variants.inventory_quantity"),
            "/store/products?order=-created_at&limit=2&fields=id,title".to_owned(),
            "/store/products?q=tea&order=title&fields=id".to_owned(),
            "/store/product-variants?fields=id,product.title".to_owned(),
        ];
        let admin = [
            "/admin/products?fields=id,title,status,sales_channels.name".to_owned(),
            format!(
                "/admin/products/{tea}?fields=*variants,variants.prices.amount,variants.inventory_quantity"
            ),
            "/admin/sales-channels?fields=id,is_disabled,*products".to_owned(),
            "/admin/inventory-items?fields=id,stocked_quantity,reserved_quantity".to_owned(),
            "/admin/orders?fields=id,total".to_owned(),
            "/admin/users/me".to_owned(),
        ];
        let storefronts = self.keys.iter().map(|(_, key)| key).chain([&self.ann]);
        let of_keys = storefronts.flat_map(|client| store.iter().map(move |it| (client, it)));
        let of_admin = admin.iter().map(|it| (&self.shop.admin, it));
        for (client, path) in of_keys.chain(of_admin) {
            for _ in 0..2 {
                let (answer, fresh) = (client.get_unchecked(path).await, client.get_uncached(path).await);
                if (answer.status, &answer.body) != (fresh.status, &fresh.body) {
                    return Err(format!("{path}: {} instead of {}", answer.json, fresh.json));
                }
            }
        }
        Ok(())
    }
}

async fn agrees(acts: &[Act], is_unchecked: bool) -> Result<u64, String> {
    let mut scene = Scene::open().await;
    if is_unchecked {
        scene.shop.app.ctx.answers().expect("answers are remembered").leave_unchecked();
    }
    scene.ask().await?;
    for act in acts {
        scene.act(*act).await;
        scene.ask().await?;
    }
    Ok(counts(&scene.shop).remembered)
}

#[test]
fn remembered_answers_are_those_that_would_be_worked_out() {
    let acts = || prop::collection::vec(act(), 1..12);
    check_drawn(times("ATOLL_ANSWERS", 12), acts, async |acts: Vec<Act>| -> TestCaseResult {
        let agreed = agrees(&acts, false).await;
        prop_assert!(agreed.is_ok(), "{}", agreed.unwrap_err());
        prop_assert!(agreed.unwrap_or_default() > 0, "nothing is remembered, so it proves nothing");
        Ok(())
    });
}

#[tokio::test]
async fn stale_answers_would_be_found() {
    for act in [
        Act::Retitle(0),
        Act::Unpublish(0),
        Act::Price(0, 3),
        Act::Stock(0, 3),
        Act::Link(0, 1),
        Act::Unlink(0, 0),
        Act::Exclude(0, 0),
        Act::Order(0),
        Act::Disable(0),
        Act::Delete(0),
        Act::Create,
        Act::Role,
        Act::Member,
        Act::Tax(7),
    ] {
        assert!(agrees(&[act], false).await.is_ok(), "{act:?}");
        assert!(agrees(&[act], true).await.is_err(), "{act:?} is not found");
    }
    let opens = [Act::Window(0, 1, 5), Act::Pass(10)];
    assert!(agrees(&opens, false).await.is_ok());
    assert!(agrees(&opens, true).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn acknowledged_write_is_in_every_later_answer() {
    const N_WRITES: u64 = 100;
    let (shop, web, storefront) = web().await;
    let tea = shop.product("0", &[&web], 5).await;
    let (admin, path) = (shop.admin.clone(), format!("/admin/products/{}", tea.product));
    let acknowledged = Arc::new(AtomicU64::new(0));
    let readers = [
        (storefront.clone(), "/store/products?fields=title"),
        (admin.clone(), "/admin/products?fields=title"),
    ];
    let readers = readers.into_iter().cycle().take(2).map(|(client, page)| {
        let acknowledged = acknowledged.clone();
        tokio::spawn(async move {
            let mut n_read = 0_u64;
            loop {
                let least = acknowledged.load(Ordering::SeqCst);
                let shown = client.get_unchecked(page).await.ok();
                let title: u64 =
                    shown["products"][0]["title"].as_str().expect("a title").parse().expect("a number");
                assert!(title >= least, "{title} is shown after {least} was acknowledged");
                if least == N_WRITES {
                    return n_read;
                }
                n_read += 1;
                // Else nothing but readers would run.
                tokio::task::yield_now().await;
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    for n in 1..=N_WRITES {
        admin.post(&path, json!({ "title": n.to_string() })).await.ok();
        acknowledged.store(n, Ordering::SeqCst);
    }
    for reader in readers {
        reader.await.expect("every answer is up to date");
    }
    assert!(counts(&shop).remembered > 0);
}

#[tokio::test]
async fn mixed_load_is_answered_from_memory() {
    let (shop, web, storefront) = web().await;
    let mut teas = Vec::new();
    for n in 0..20 {
        teas.push(shop.product(&format!("Tea {n}"), &[&web], 1_000).await);
    }
    let page = |it: &Variant| format!("/store/products/{}?{FIELDS}&region_id={}", it.product, shop.region);
    let before = counts(&shop);
    // Nine reads, and one write: an addition to a cart, or an order of one of the products.
    for n in 0..30_usize {
        for read in 0..9 {
            storefront.get_unchecked(&page(&teas[(n * 7 + read * 3) % teas.len()])).await.ok();
        }
        let cart = shop.cart(&storefront, &teas[n % teas.len()].id, 1).await;
        if n % 2 == 0 {
            complete(&storefront, &cart).await.ok();
        }
    }
    let after = counts(&shop);
    let (remembered, missed) = (after.remembered - before.remembered, after.missed - before.missed);
    eprintln!("{remembered} of {} answers were remembered", remembered + missed);
    assert!(remembered > 2 * missed, "{after:?}");
}
