//! The pages for people: logging in, forms and their protection, what is shown.

use atoll_host::invite_first_admin;
use atoll_kernel::{
    Registry,
    data::Store,
    http::{HeaderMap, StatusCode, header_names},
    registry::Flags,
};
use atoll_storage::engines::Memory;
use atoll_testkit::{Answer, Client, Shop, TestApp, Walk, complete, id};
use axum::body::Body;
use serde_json::json;

mod catalogue;
mod channels;
mod operation;
mod sales;
mod seen;
mod settings;
mod shipping;
mod store;
mod terms;

/// A browser with the session of the admin.
pub(crate) struct Browser {
    pub(crate) client: Client,
    cookie: String,
}

/// A form as browsers send it.
fn encoded(fields: &[(&str, &str)]) -> Body {
    let pair = |(name, value): &(&str, &str)| format!("{}={}", escaped(name), escaped(value));
    Body::from(fields.iter().map(pair).collect::<Vec<_>>().join("&"))
}

fn escaped(text: &str) -> String {
    text.bytes().map(|it| format!("%{it:02X}")).collect()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default()
}

impl Browser {
    /// Logs in by the form.
    pub(crate) async fn of(app: &TestApp) -> Browser {
        let client = app.client().without_type();
        let form =
            encoded(&[("email", "admin@test.dev"), ("password", "supersecret"), ("next", "/channels")]);
        let answer = client.send("POST", "/app/login", form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(header(&answer.headers, "location"), "/app/channels");
        let line = header(&answer.headers, header_names::SET_COOKIE.as_str());
        assert!(line.contains("HttpOnly") && line.contains("SameSite=Lax"), "{line}");
        let cookie = line.split(';').next().expect("a cookie").to_owned();
        Browser { client: client.with_header("cookie", &cookie), cookie }
    }

    /// The text of a page, with its status.
    pub(crate) async fn page(&self, path: &str) -> (StatusCode, String) {
        let answer = self.client.get_unchecked(path).await;
        (answer.status, String::from_utf8(answer.body.to_vec()).expect("text"))
    }

    /// The token that the forms of this session hold.
    async fn csrf(&self) -> String {
        let (_, page) = self.page("/app/channels").await;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a token");
        rest.split('"').next().expect("a token").to_owned()
    }

    /// Sends a form of this session.
    async fn answer(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.client.send("POST", path, self.form(fields).await).await
    }

    /// The body of a form of this session.
    pub(crate) async fn form(&self, fields: &[(&str, &str)]) -> Body {
        let csrf = self.csrf().await;
        let fields: Vec<_> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        encoded(&fields)
    }

    /// Does the change of an assortment that this page shows. Returns the page after it.
    async fn change(&self, path: &str) -> String {
        let (status, shown) = self.page(path).await;
        assert_eq!(status, StatusCode::OK, "{shown}");
        let (status, _, done) = self.send(path, &[("do", "apply"), ("changes", &changes_of(&shown))]).await;
        assert_eq!(status, StatusCode::OK, "{done}");
        done
    }

    /// Sends a form of this session: the status, where it leads, and the page if it leads nowhere.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String, String) {
        let answer = self.answer(path, fields).await;
        let to = header(&answer.headers, "location").to_owned();
        (answer.status, to, String::from_utf8(answer.body.to_vec()).expect("text"))
    }
}

/// The changes that a page offers to make, or to take back.
fn changes_of(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"changes\" value=\"").expect("changes");
    rest.split('"').next().expect("changes").replace("&quot;", "\"").replace("&amp;", "&")
}

/// The id in the address to which a form leads that made a record.
fn created(to: &str, page: &str) -> String {
    let id = to.strip_prefix(page).and_then(|it| it.strip_suffix("?done=created"));
    id.unwrap_or_else(|| panic!("{to} is not below {page}")).to_owned()
}

/// A shop, its channel, and a browser with the session of its admin.
async fn shop() -> (Shop, String, Browser) {
    let (shop, channel, _) = Shop::web().await;
    let browser = Browser::of(&shop.app).await;
    (shop, channel, browser)
}

#[tokio::test]
async fn who_is_not_logged_in_is_led_to_the_login_and_back() {
    let app = TestApp::init().await;
    let answer = app.client().get("/app/channels?q=a%26b").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(header(&answer.headers, "location"), "/app/login?next=%2Fchannels%3Fq%3Da%2526b");
    let policy = header(&answer.headers, "content-security-policy").to_owned();
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");

    let answer = app.client().get("/app/login?next=//evil.example").await;
    let page = String::from_utf8(answer.body.to_vec()).expect("text");
    assert!(page.contains("name=\"next\" value=\"/\""), "{page}");
}

#[tokio::test]
async fn what_is_no_page_says_so_as_a_page() {
    let (shop, _, browser) = shop().await;
    let answer = browser.client.get_unchecked("/app/nothing/here").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(header(&answer.headers, "cache-control"), "no-store");
    let page = String::from_utf8(answer.body.to_vec()).expect("text");
    assert!(page.contains("There is no such page.") && page.contains("href=\"/app/products\""), "{page}");
    let answer = browser.client.get_unchecked("/app/products/?q=mug").await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(header(&answer.headers, "location"), "/app/products?q=mug");
    let answer = shop.app.client().get("/app/nothing").await;
    assert_eq!(header(&answer.headers, "location"), "/app/login?next=%2Fnothing");
}

#[tokio::test]
async fn wrong_credentials_open_no_session() {
    let (shop, ..) = Shop::web().await;
    let client = shop.app.client().without_type();
    let form = encoded(&[("email", "admin@test.dev"), ("password", "wrong")]);
    let answer = client.send("POST", "/app/login", form).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(!answer.headers.contains_key("set-cookie"));
    let page = String::from_utf8(answer.body.to_vec()).expect("text");
    assert!(page.contains("The e-mail address or the password is wrong."), "{page}");
}

/// The session ended, or another one began: the page is shown again, and nothing was done.
#[tokio::test]
async fn a_form_that_outlives_its_session_is_shown_again_with_what_was_typed() {
    let (shop, channel, browser) = shop().await;
    let page = format!("/app/channels/{channel}");
    let typed = [("do", "save"), ("name", "A & B"), ("description", "Of \"two\"")];
    let text = |answer: Answer| String::from_utf8(answer.body.to_vec()).expect("text");
    let keeps = |page: &str| page.contains("value=\"A &amp; B\"") && page.contains("Of &quot;two&quot;");
    let stale = browser.client.send("POST", &page, encoded(&typed)).await;
    assert_eq!(stale.status, StatusCode::FORBIDDEN);
    assert!(keeps(&text(stale)));

    let nobody = shop.app.client().without_type();
    let asked = nobody.send("POST", &page, encoded(&typed)).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    let asked = text(asked);
    let (_, kept) = asked.split_once("name=\"typed\" value=\"").expect("a hidden field");
    let kept = kept.split('"').next().expect("a value").replace("&amp;", "&");
    let login = |password: &str| {
        let form = encoded(&[("typed", &kept), ("email", "admin@test.dev"), ("password", password)]);
        let (nobody, page) = (nobody.clone(), page.clone());
        async move { nobody.send("POST", &page, form).await }
    };
    let wrong = login("wrong").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(text(wrong).contains("The e-mail address or the password is wrong."));
    let again = login("supersecret").await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(header(&again.headers, "set-cookie").contains("HttpOnly"));
    let again = text(again);
    assert!(keeps(&again) && again.contains("You are logged in again."), "{again}");
    let shown = shop.admin.get(&format!("/admin/sales-channels/{channel}")).await.ok();
    assert_eq!(shown["sales_channel"]["name"], "Web");
}

#[tokio::test]
async fn a_login_ends_the_session_that_the_browser_had() {
    let (_shop, _, browser) = shop().await;
    assert_eq!(browser.page("/app/channels").await.0, StatusCode::OK);
    let form = encoded(&[("email", "admin@test.dev"), ("password", "supersecret")]);
    let answer = browser.client.send("POST", "/app/login", form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.page("/app/channels").await.0, StatusCode::SEE_OTHER);
    let cookie = header(&answer.headers, "set-cookie").split(';').next().expect("a cookie").to_owned();
    assert_eq!(
        browser.client.with_header("cookie", &cookie).get("/app/channels").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_channel_is_made_changed_and_deleted_by_forms() {
    let (shop, _, browser) = shop().await;
    let (status, to, _) =
        browser.send("/app/channels/new", &[("do", "create"), ("name", "Till"), ("description", "")]).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let id = created(&to, "/app/channels/");
    let channel = format!("/admin/sales-channels/{id}");
    assert_eq!(shop.admin.get(&channel).await.ok()["sales_channel"]["name"], "Till");

    let page = format!("/app/channels/{id}");
    browser.send(&page, &[("do", "save"), ("name", "Till 2"), ("description", "At the door")]).await;
    browser.send(&page, &[("do", "disable")]).await;
    let kept = shop.admin.get(&channel).await.ok();
    assert_eq!(kept["sales_channel"]["description"], "At the door");
    assert_eq!(kept["sales_channel"]["is_disabled"], json!(true));

    let (status, to, _) = browser.send(&page, &[("do", "delete")]).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/app/channels?done=deleted"));
    assert_eq!(browser.page(&page).await.0, StatusCode::NOT_FOUND);
}

/// The default channel cannot be deleted: the page is shown again, and says so.
#[tokio::test]
async fn what_the_api_refuses_is_said_on_the_page() {
    let (shop, _, browser) = shop().await;
    let stores = shop.admin.get("/admin/stores").await.ok();
    let channel = stores["stores"][0]["default_sales_channel_id"].as_str().expect("a channel");
    let page = format!("/app/channels/{channel}");
    let (status, _, text) = browser.send(&page, &[("do", "delete")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("role=\"alert\"") && text.contains("value=\"Default Sales Channel\""), "{text}");
}

/// The frame says it, above everything else on the page.
#[tokio::test]
async fn a_refusal_is_said_once_on_each_page() {
    let (shop, channel, browser) = shop().await;
    let variant = shop.product("Mug", &[&channel], 3).await;
    let (save, set) = (format!("save {}", shop.location), format!("set {}", shop.location));
    for (path, action) in [
        (
            format!("/app/channels/{channel}/products/change?what=remove&product[]={}", variant.product),
            "apply",
        ),
        (format!("/app/channels/{channel}/locations"), &save),
        (format!("/app/stock/{}", variant.item), &set),
        (format!("/app/products/{}", variant.product), "add-picture"),
        ("/app/dead-letters".to_owned(), "delete"),
        ("/app/jobs".to_owned(), "run nothing"),
        ("/app/store".to_owned(), "nothing"),
        // The page itself is gone, for the same reason.
        ("/app/channels/sc_gone".to_owned(), "save"),
    ] {
        let (status, _, text) =
            browser.send(&path, &[("do", action), ("safety_stock", "x"), ("stocked", "x")]).await;
        assert!(status.is_client_error(), "{path}: {status}");
        assert_eq!(text.matches("role=\"alert\"").count(), 1, "{path}: {text}");
    }
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let (shop, channel, browser) = shop().await;
    let csrf = browser.csrf().await;
    let page = format!("/app/channels/{}", channel);
    let attack = |client: Client, csrf: &str| {
        let form = encoded(&[("do", "disable"), ("csrf", csrf)]);
        let page = page.clone();
        async move { client.send("POST", &page, form).await.status }
    };
    let foreign = |origin: &str| {
        browser.client.clone().with_header("origin", origin).with_header("host", "shop.example")
    };
    assert_eq!(attack(browser.client.clone(), "").await, StatusCode::FORBIDDEN);
    assert_eq!(attack(browser.client.clone(), &"0".repeat(64)).await, StatusCode::FORBIDDEN);
    for origin in ["https://evil.example", "null", "https://shop.example.evil.example"] {
        assert_eq!(attack(foreign(origin), &csrf).await, StatusCode::FORBIDDEN, "{origin}");
    }
    let cross = browser.client.clone().with_header("sec-fetch-site", "cross-site");
    assert_eq!(attack(cross, &csrf).await, StatusCode::FORBIDDEN);
    // A token of another session.
    let other = Browser::of(&shop.app).await;
    assert_ne!(other.cookie, browser.cookie);
    assert_eq!(attack(other.client.clone(), &csrf).await, StatusCode::FORBIDDEN);
    // Control: our own page may.
    assert_eq!(attack(foreign("https://shop.example"), &csrf).await, StatusCode::SEE_OTHER);
    // Behind a proxy that does not hand on `Host`, browsers say whose page it is; where they do not, the
    // refusal says which names differ.
    let behind = foreign("https://shop.example").with_header("host", "10.0.0.5:9000");
    let own = behind.clone().with_header("sec-fetch-site", "same-origin");
    assert_eq!(attack(own, &csrf).await, StatusCode::SEE_OTHER);
    let form = encoded(&[("do", "disable"), ("csrf", &csrf)]);
    let refused = behind.send("POST", &page, form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let text = String::from_utf8(refused.body.to_vec()).expect("text");
    assert!(text.contains("of https://shop.example") && text.contains("asked as 10.0.0.5:9000"), "{text}");
    // A foreign login form would log its victim in as somebody else.
    let login = encoded(&[("email", "admin@test.dev"), ("password", "supersecret")]);
    let answer = foreign("https://evil.example").send("POST", "/app/login", login).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

/// The page of what would change, to which a form leads.
const CHANGE: &str = "/channels/:id/products/change";

#[tokio::test]
async fn text_of_others_is_shown_as_text() {
    let (shop, channel, browser) = shop().await;
    let script = "\"><script>alert(1)</script>";
    sold_with_everything_called(&shop, &channel, script).await;
    let walk = Walk::of(&shop.app).await;
    for (path, page) in &walk.pages {
        assert!(!page.contains("<script>alert"), "{path}: {page}");
    }
    // Those of the operator are walked in `tests/background` and `tests/flows`.
    assert_eq!(walk.missed.into_iter().collect::<Vec<_>>(), [CHANGE, "/dead-letters/:id", "/runs/:id"]);
    let product = id(&shop.admin.get("/admin/products?fields=id").await.ok()["products"][0]);
    let change = format!("/app{CHANGE}?what=remove&product[]={product}").replace(":id", &channel);
    let (status, page) = browser.page(&change).await;
    assert!(status == StatusCode::OK && !page.contains("<script>alert"), "{page}");
    for path in ["/app/why?q=", "/app/login?next=", "/app/orders?q=", "/app/nothing/"] {
        let (_, page) = browser.page(&format!("{path}{}", escaped(script))).await;
        assert!(!page.contains("<script>alert"), "{path}: {page}");
    }
}

/// A shop in which each kind of record has this text where it can, and an order.
async fn sold_with_everything_called(shop: &Shop, channel: &str, text: &str) {
    let variant = catalogue::everything_called(shop, text).await;
    let product = json!({ "sales_channels": [{ "id": channel }] });
    shop.admin.post(&format!("/admin/products/{}", variant.product), product).await.ok();
    for (path, body) in [
        (format!("/admin/sales-channels/{channel}"), json!({ "name": text, "description": text })),
        (format!("/admin/regions/{}", shop.region), json!({ "name": text })),
        ("/admin/api-keys".into(), json!({ "title": text, "type": "publishable" })),
        ("/admin/customer-groups".into(), json!({ "name": text })),
        (
            "/admin/tax-regions".into(),
            json!({ "country_code": "de", "provider_id": "tp_system",
            "default_tax_rate": { "name": text, "code": text, "rate": 19 } }),
        ),
        ("/admin/invites".into(), json!({ "email": "ada@test.dev" })),
        (
            format!("/admin/stores/{}", id(&shop.admin.get("/admin/stores").await.ok()["stores"][0])),
            json!({ "name": text }),
        ),
    ] {
        shop.admin.post(&path, body).await.ok();
    }
    let customer = json!({ "email": "ada@example.com", "first_name": text, "company_name": text });
    let customer = id(&shop.admin.post("/admin/customers", customer).await.ok()["customer"]);
    let address = json!({ "city": text, "address_name": text });
    shop.admin.post(&format!("/admin/customers/{customer}/addresses"), address.clone()).await.ok();
    let storefront = shop.storefront(&[channel]).await;
    let level = format!("/admin/inventory-items/{}/location-levels/{}", variant.item, shop.location);
    shop.admin.post(&level, json!({ "stocked_quantity": 5 })).await.ok();
    let cart = shop.cart(&storefront, &variant.id, 1).await;
    let buyer =
        json!({ "email": "ada@example.com", "shipping_address": { "city": text, "first_name": text } });
    storefront.post(&format!("/store/carts/{cart}"), buyer).await.ok();
    complete(&storefront, &cart).await.ok();
    terms::everything_called(shop, text, &variant.id).await;
}

/// What a page links to is there, whatever is switched off: `tests/without` does the same per module.
#[tokio::test]
async fn every_link_leads_to_a_page_without_each_feature() {
    let registry = Registry::linked().expect("a registry");
    for flag in &registry.flags {
        let disk = Memory::default();
        let open = || Store::open(disk.clone(), &registry.spaces()).expect("a store");
        let shop = Shop::open(TestApp::over(open(), None).await).await;
        let channel = shop.channel("Web").await;
        sold_with_everything_called(&shop, &channel, "Tea").await;
        shop.app.ctx.store().close();

        let mut flags = Flags::default();
        flags.set(flag.name, false);
        let walk = Walk::of(&TestApp::with_flags(open(), None, flags).await).await;
        for page in ["/products/:id", "/products/new", "/stock/:item", "/orders/:id", "/locations/:id"] {
            assert!(!walk.missed.contains(page), "{page} is not reached without {}", flag.name);
        }
    }
}

#[tokio::test]
async fn the_link_of_the_first_start_makes_one_admin() {
    let app = TestApp::init().await;
    let token = invite_first_admin(&app.ctx).await.expect("a store").expect("nobody can log in");
    let client = app.client().without_type();
    let make = |token: &str, password: &str| {
        let form = encoded(&[("token", token), ("email", "first@test.dev"), ("password", password)]);
        let client = client.clone();
        async move { client.send("POST", "/app/first-admin", form).await }
    };
    assert_eq!(make(&"0".repeat(64), "supersecret").await.status, StatusCode::GONE);
    let short = make(&token, "short").await;
    assert_eq!(short.status, StatusCode::BAD_REQUEST);
    let made = make(&token, " super secret ").await;
    assert_eq!(made.status, StatusCode::SEE_OTHER);
    assert!(made.headers.contains_key("set-cookie"));
    assert_eq!(make(&token, "supersecret").await.status, StatusCode::GONE);
    // Space around a password is a part of it.
    let login = json!({ "email": "first@test.dev", "password": " super secret " });
    app.client().post("/auth/user/emailpass", login).await.ok();
    assert_eq!(invite_first_admin(&app.ctx).await.expect("a store"), None);
}

#[tokio::test]
async fn the_link_of_the_first_start_holds_for_half_an_hour() {
    let app = TestApp::init().await;
    let token = invite_first_admin(&app.ctx).await.expect("a store").expect("nobody can log in");
    let page = format!("/app/first-admin?token={token}");
    assert_eq!(app.client().get(&page).await.status, StatusCode::OK);
    let other = TestApp::over(app.ctx.store().clone(), None).await;
    assert_eq!(other.client().get(&page).await.status, StatusCode::OK, "each host of the shop opens it");
    app.advance_ms(30 * 60 * 1000);
    assert_eq!(app.client().get(&page).await.status, StatusCode::GONE);
}

/// The answer is about the same variant, channel and moment for whoever has its address.
#[tokio::test]
async fn the_page_says_why_a_variant_is_not_sold() {
    let (shop, channel, browser) = shop().await;
    let variant = shop.product("Mug", &[&channel], 3).await;
    let ask = format!("/app/why?channel={}&variant={}", channel, variant.id);
    let (_, page) = browser.page(&ask).await;
    assert!(page.contains("On sale"), "{page}");
    shop.product_with("Green tea", &[&channel], 3, json!({ "sku": "TEA-1" })).await;
    let (_, page) = browser.page(&format!("/app/why?channel={channel}&q=green")).await;
    assert!(page.contains("Green tea · One") && page.contains("On sale"), "{page}");
    let (_, page) = browser.page(&format!("{ask}&quantity=4")).await;
    assert!(page.contains("Not on sale") && page.contains("Only 3 are available"), "{page}");
    assert!(page.contains(">Warehouse</a>") && !page.contains(&format!(">{}<", variant.item)), "{page}");
    let until = json!({ "available_until": "2020-01-01" });
    let terms = format!("/admin/sales-channels/{channel}/products/{}", variant.product);
    shop.admin.post(&terms, until).await.ok();
    let (_, page) = browser.page(&ask).await;
    let said = "The sales channel sold the product until <time datetime=\"2020-01-01T00:00:00.000Z\">";
    assert!(page.contains(said), "{page}");
}
