//! The pages of the store, its users and their invites.

use atoll_kernel::http::StatusCode;
use atoll_testkit::{Answer, Shop};
use serde_json::{Value, json};

use super::{Browser, encoded, header, shop};

/// The value of the hidden field of this name, in the form of this id.
pub(super) fn hidden(page: &str, form: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("id=\"{form}\"")).expect(form);
    let (_, rest) = rest.split_once(&format!("name=\"{name}\" value=\"")).expect(name);
    rest.split('"').next().expect("a value").replace("&quot;", "\"")
}

#[tokio::test]
async fn the_settings_of_the_store_are_saved_by_a_form() {
    let (shop, channel, browser) = shop().await;
    let fields = [
        ("do", "save"),
        ("name", "Tea & Mugs"),
        ("default_sales_channel_id", &*channel),
        ("default_region_id", &*shop.region),
        ("default_location_id", ""),
        ("shipping", "never"),
    ];
    let (status, _, text) = browser.send("/app/store", &fields).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    let kept = async || {
        let fields = "name,default_sales_channel_id,default_region_id,default_location_id,require_shipping";
        shop.admin.get(&format!("/admin/stores?fields={fields}")).await.ok()["stores"][0].clone()
    };
    let store = kept().await;
    assert_eq!((&store["name"], &store["require_shipping"]), (&json!("Tea & Mugs"), &json!(false)));
    assert_eq!(store["default_sales_channel_id"], json!(channel));
    assert_eq!(store["default_region_id"], json!(shop.region));
    assert_eq!(store["default_location_id"], json!(null));
    let (_, text) = browser.page("/app/store").await;
    assert!(
        text.contains("value=\"Tea &amp; Mugs\"") && text.contains("<option value=\"never\" selected>"),
        "{text}"
    );

    // What a form does not ask for stays.
    browser.send("/app/store", &[("do", "save"), ("name", "Tea"), ("shipping", "")]).await;
    let store = kept().await;
    assert_eq!(
        (&store["require_shipping"], &store["default_region_id"]),
        (&json!(null), &json!(shop.region))
    );
}

#[tokio::test]
async fn the_store_has_the_currencies_of_the_form() {
    let (shop, _, browser) = shop().await;
    browser.send("/app/store", &[("do", "add"), ("currency_code", "chf")]).await;
    browser.send("/app/store", &[("do", "default chf")]).await;
    // Buyers of the region pay in it.
    let (status, _, text) = browser.send("/app/store", &[("do", "remove eur")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        text.contains("EUR cannot be removed: buyers of the region") && text.contains("pay in it"),
        "{text}"
    );

    let region = format!("/admin/regions/{}", shop.region);
    shop.admin.post(&region, json!({ "currency_code": "chf" })).await.ok();
    browser.send("/app/store", &[("do", "remove eur")]).await;
    let stores = shop.admin.get("/admin/stores?fields=*supported_currencies").await.ok();
    let currencies = stores["stores"][0]["supported_currencies"].as_array().expect("a list").clone();
    assert_eq!(currencies.len(), 1);
    assert_eq!(currencies[0]["currency_code"], "chf");
    assert_eq!(currencies[0]["is_default"], json!(true));
}

/// The link of the page that answers an invite.
fn link_of(page: &str) -> String {
    let (_, rest) = page.split_once("data-copy=\"http").expect("a link");
    let (_, path) = rest.split('"').next().and_then(|it| it.split_once("/app/")).expect("a page");
    format!("/app/{path}")
}

/// A browser in which nobody is logged in.
fn nobody(shop: &Shop) -> Browser {
    Browser { client: shop.app.client().without_type(), cookie: String::new() }
}

/// Accepts the invite of this link.
async fn accept(browser: &Browser, link: &str, password: &str) -> Answer {
    let (_, token) = link.split_once("token=").expect("a token");
    let form = [("token", token), ("email", "ada@test.dev"), ("first_name", "Ada"), ("password", password)];
    browser.client.send("POST", "/app/invite", encoded(&form)).await
}

#[tokio::test]
async fn who_is_invited_chooses_a_password_and_is_a_user() {
    let (shop, _, browser) = shop().await;
    let nobody = nobody(&shop);
    let invited = [("do", "invite"), ("email", "Ada@test.dev")];
    let (status, _, text) = browser.send("/app/users", &invited).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    let first = link_of(&text);
    let (_, list) = browser.page("/app/users").await;
    assert!(list.contains("ada@test.dev") && !list.contains(&first), "{list}");
    let (status, _, text) = browser.send("/app/users", &invited).await;
    assert!(status.is_client_error() && text.contains("role=\"alert\""), "{text}");

    // A new link, and the earlier one leads nowhere.
    let invites = shop.admin.get("/admin/invites?fields=id").await.ok();
    let again = format!("again {}", invites["invites"][0]["id"].as_str().expect("an id"));
    let (_, _, text) = browser.send("/app/users", &[("do", &again)]).await;
    let link = link_of(&text);
    assert_eq!(accept(&nobody, &first, "supersecret").await.status, StatusCode::GONE);

    let (status, text) = nobody.page(&link).await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("value=\"ada@test.dev\""), "{text}");
    assert_eq!(accept(&nobody, &link, "short").await.status, StatusCode::BAD_REQUEST);
    let accepted = accept(&nobody, &link, "supersecret").await;
    assert_eq!(accepted.status, StatusCode::SEE_OTHER);
    let cookie = header(&accepted.headers, "set-cookie").split(';').next().expect("a cookie").to_owned();
    let ada = nobody.client.clone().with_header("cookie", &cookie);
    let page = ada.get_unchecked("/app/users").await;
    let page = String::from_utf8(page.body.to_vec()).expect("text");
    assert!(page.contains(">Ada</a>") && page.contains("Nobody is invited."), "{page}");
    let again = accept(&nobody, &link, "supersecret").await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "who accepted it is a user already");
    assert_eq!(nobody.page("/app/invite?token=x").await.0, StatusCode::GONE);
}

#[tokio::test]
async fn an_admin_who_has_forgotten_the_password_sets_another_one_once() {
    let (shop, ..) = shop().await;
    let nobody = nobody(&shop);
    let ask = json!({ "identifier": "admin@test.dev" });
    assert_eq!(shop.app.client().post("/auth/user/emailpass/reset-password", ask).await.status, 201);
    let token = shop.app.mailed_tokens("auth.password_reset").swap_remove(0);
    let (status, text) = nobody.page(&format!("/app/reset-password?token={token}")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("value=\"admin@test.dev\""), "{text}");
    let set = async |password: &str| {
        let form = [("token", &*token), ("email", "mistyped@test.dev"), ("password", password)];
        nobody.client.send("POST", "/app/reset-password", encoded(&form)).await
    };
    assert_eq!(set("short").await.status, StatusCode::BAD_REQUEST);
    let done = set("another secret").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert!(header(&done.headers, "set-cookie").contains("HttpOnly"));
    assert_eq!(set("a third secret").await.status, StatusCode::GONE);
    assert_eq!(nobody.page("/app/reset-password?token=x").await.0, StatusCode::GONE);
}

/// Who has forgotten the password has tried some.
#[tokio::test]
async fn a_new_password_is_saved_while_attempts_are_limited() {
    let (shop, ..) = shop().await;
    let nobody = nobody(&shop);
    let ask = json!({ "identifier": "admin@test.dev" });
    assert_eq!(shop.app.client().post("/auth/user/emailpass/reset-password", ask).await.status, 201);
    let token = shop.app.mailed_tokens("auth.password_reset").swap_remove(0);
    let wrong = json!({ "email": "admin@test.dev", "password": "a wrong one" });
    while shop.app.client().post("/auth/user/emailpass", wrong.clone()).await.status == 401 {}
    let form = [("token", &*token), ("password", "another secret")];
    let done = nobody.client.send("POST", "/app/reset-password", encoded(&form)).await;
    let text = String::from_utf8(done.body.to_vec()).expect("text");
    assert_eq!(done.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(text.contains("The password is saved: log in with it."), "{text}");
}

/// It leads to the storefront.
#[tokio::test]
async fn the_token_of_a_buyer_opens_no_page_of_admins() {
    let (shop, ..) = shop().await;
    let storefront = shop.storefront(&[&shop.channel("Web").await]).await;
    shop.customer(&storefront, "eve@test.dev").await;
    let ask = json!({ "identifier": "eve@test.dev" });
    assert_eq!(storefront.post("/auth/customer/emailpass/reset-password", ask).await.status, 201);
    let token = shop.app.mailed_tokens("auth.password_reset").swap_remove(0);
    let page = nobody(&shop).page(&format!("/app/reset-password?token={token}")).await;
    assert_eq!(page.0, StatusCode::GONE);
}

#[tokio::test]
async fn an_invite_is_taken_back_and_a_user_deleted() {
    let (shop, _, browser) = shop().await;
    let nobody = nobody(&shop);
    let (_, _, text) = browser.send("/app/users", &[("do", "invite"), ("email", "ada@test.dev")]).await;
    let link = link_of(&text);
    let id = |list: &Value, at: usize| list[at]["id"].as_str().expect("an id").to_owned();
    let invites = shop.admin.get("/admin/invites?fields=id").await.ok()["invites"].clone();
    let (_, to, _) = browser.send("/app/users", &[("do", &format!("delete {}", id(&invites, 0)))]).await;
    assert_eq!(to, "/app/users?done=deleted");
    assert_eq!(accept(&nobody, &link, "supersecret").await.status, StatusCode::GONE);

    let (_, _, text) = browser.send("/app/users", &[("do", "invite"), ("email", "ada@test.dev")]).await;
    assert_eq!(accept(&nobody, &link_of(&text), "supersecret").await.status, StatusCode::SEE_OTHER);
    let users = shop.admin.get("/admin/users?order=email&fields=id,email").await.ok()["users"].clone();
    let (ada, own) = (format!("/app/users/{}", id(&users, 0)), format!("/app/users/{}", id(&users, 1)));
    assert_eq!(users[0]["email"], "ada@test.dev");
    browser.send(&ada, &[("do", "save"), ("first_name", "Ada"), ("last_name", "Byron")]).await;
    let (_, text) = browser.page(&ada).await;
    assert!(text.contains("<h1>Ada Byron</h1>"), "{text}");
    assert!(!browser.page(&own).await.1.contains("Delete the user"), "nobody deletes themselves");
    let (_, to, _) = browser.send(&ada, &[("do", "delete")]).await;
    assert_eq!(to, "/app/users?done=deleted");
}
