//! Authentication: sessions, login rate limit, password reset.

use atoll_auth::{AUTH_SESSIONS, SESSION_S};
use atoll_kernel::{
    data::Store,
    http::{OriginList, Origins},
    limits::{HASHING_QUEUE_PER_NETWORK_MAX, SESSIONS_PER_IDENTITY_MAX},
};
use atoll_storage::engines::Memory;
use atoll_testkit::{Answer, Client, Shop, TestApp};
use axum::body::Body;
use serde_json::{Value, json};

const LOGIN: &str = "/auth/user/emailpass";

fn credentials(password: &str) -> Value {
    json!({ "email": "admin@test.dev", "password": password })
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |it| it.to_str().expect("text"))
}

/// Opens a session. Returns its `Set-Cookie` header.
async fn open(client: &Client) -> String {
    let answer = client.post("/auth/session", json!({})).await;
    assert_eq!(answer.json["user"]["actor_type"], "user", "{}", answer.json);
    header(&answer, "set-cookie").to_owned()
}

fn with_cookie(app: &TestApp, line: &str) -> Client {
    app.client().with_header("cookie", &format!("a=b; {}", line.split(';').next().expect("a cookie")))
}

#[tokio::test]
async fn session_authenticates_until_logout_or_expiry() {
    let (app, admin) = behind("10.0.0.0/8").await.with_admin().await;
    let line = open(&admin).await;
    assert!(line.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=36000"), "{line}");
    // Only a trusted proxy can say that a client used TLS.
    let over_tls = admin.clone().with_header("x-forwarded-proto", "https");
    let said_by_anybody = open(&over_tls.clone().from_peer("203.0.113.7")).await;
    assert!(said_by_anybody.ends_with("; Max-Age=36000"), "{said_by_anybody}");
    let secure = open(&over_tls.from_peer("10.0.0.1")).await;
    assert!(secure.ends_with("; Secure"), "{secure}");
    let session = with_cookie(&app, &line);
    session.get("/admin/users/me").await.ok();
    session.post("/admin/sales-channels", json!({ "name": "Web" })).await.ok();
    // An invalid token is refused despite a valid cookie.
    let both = session.clone().with_header("authorization", "Bearer garbage");
    assert_eq!(both.get("/admin/users/me").await.status, 401);
    assert_eq!(with_cookie(&app, "connect.sid=garbage").get("/admin/users/me").await.status, 401);
    // Closing a session leaves the other one open.
    let closed = session.delete("/auth/session").await;
    assert_eq!(closed.json, json!({ "success": true }));
    assert!(
        header(&closed, "set-cookie").contains("connect.sid=; ")
            && header(&closed, "set-cookie").contains("Max-Age=0")
    );
    assert_eq!(session.get("/admin/users/me").await.status, 401);
    let other = with_cookie(&app, &secure);
    app.advance_ms(SESSION_S * 1000 - 1);
    other.get("/admin/users/me").await.ok();
    app.advance_ms(1);
    assert_eq!(other.get("/admin/users/me").await.status, 401);
}

#[tokio::test]
async fn oldest_session_is_closed_beyond_the_limit() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let first = with_cookie(&app, &open(&admin).await);
    let second = with_cookie(&app, &open(&admin).await);
    for _ in 2..SESSIONS_PER_IDENTITY_MAX {
        open(&admin).await;
    }
    first.get("/admin/users/me").await.ok();
    open(&admin).await;
    assert_eq!(first.get("/admin/users/me").await.status, 401);
    second.get("/admin/users/me").await.ok();
    // All of them expire.
    app.advance_ms(SESSION_S * 1000);
    app.run_job("auth.forget-sessions").await;
    assert_eq!(AUTH_SESSIONS.table.count(&app.ctx.view()).expect("a store"), 0);
}

#[tokio::test]
async fn session_survives_a_restart_and_is_bound_to_its_actor_type() {
    let disk = Memory::default();
    let spaces = atoll_host::registry().expect("a registry").spaces();
    let store = || Store::open(disk.clone(), &spaces).expect("a store");
    let (app, admin) = TestApp::over(store(), None).await.with_admin().await;
    let line = open(&admin).await;
    drop(app);
    let app = TestApp::over(store(), None).await;
    with_cookie(&app, &line).get("/admin/users/me").await.ok();
    // A customer's session is not valid on admin routes.
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    let ann = shop.customer(&storefront, "ann@test.dev").await;
    let answer = ann.post("/auth/session", json!({})).await;
    let line = header(&answer, "set-cookie").to_owned();
    let cookie = line.split(';').next().expect("a cookie");
    storefront.clone().with_header("cookie", cookie).get("/store/customers/me").await.ok();
    let session = with_cookie(&shop.app, &line);
    assert_eq!(session.get("/admin/users/me").await.status, 401);
    assert_eq!(session.get("/admin/products").await.status, 401);
}

async fn app_with(origins: Origins) -> TestApp {
    let spaces = atoll_host::registry().expect("a registry").spaces();
    let store = Store::open(Memory::default(), &spaces).expect("a store");
    TestApp::with_origins(store, origins).await
}

#[tokio::test]
async fn cross_site_requests_cannot_write_by_cookie() {
    let named: OriginList = "https://admin.example".parse().expect("a list");
    let origins = Origins { admin: named.clone(), auth: named, ..Origins::default() };
    let (app, admin) = app_with(origins).await.with_admin().await;
    let session = with_cookie(&app, &open(&admin).await).with_header("host", "api.example");
    let check = async |client: &Client, origin: &str, status: u16| {
        let client = client.clone().with_header("origin", origin);
        let written = client.post("/admin/sales-channels", json!({ "name": origin })).await;
        assert_eq!(written.status, status, "{origin}");
        assert_eq!(client.get("/admin/sales-channels").await.status, status, "{origin}");
    };
    check(&session, "https://api.example", 200).await;
    check(&session, "https://admin.example", 200).await;
    check(&session, "https://evil.example", 401).await;
    check(&session, "null", 401).await;
    // A request with a token is not a cross-site request by cookie.
    check(&admin, "https://evil.example", 200).await;
}

#[tokio::test]
async fn cors_headers_name_the_allowed_origins() {
    let origins = Origins { admin: "https://admin.example".parse().expect("a list"), ..Origins::default() };
    let app = app_with(origins).await;
    let check = async |origin: &str, path: &str, expected: &str| {
        let client =
            app.client().with_header("origin", origin).with_header("access-control-request-method", "POST");
        let answer = client.send("OPTIONS", path, Body::empty()).await;
        assert_eq!(answer.status, 204);
        assert_eq!(header(&answer, "access-control-allow-origin"), expected, "{origin} {path}");
        assert_eq!(header(&answer, "access-control-allow-credentials"), "true");
    };
    check("https://admin.example", "/admin/products", "https://admin.example").await;
    check("https://evil.example", "/admin/products", "").await;
    check("https://shop.example", "/store/products", "https://shop.example").await;
}

#[tokio::test]
async fn login_is_limited_to_ten_attempts() {
    let (app, _) = TestApp::init().await.with_admin().await;
    let client = app.client();
    for _ in 0..9 {
        assert_eq!(client.post(LOGIN, credentials("wrong")).await.status, 401);
    }
    // A successful login resets the count.
    client.post(LOGIN, credentials("supersecret")).await.ok();
    for _ in 0..10 {
        assert_eq!(client.post(LOGIN, credentials("wrong")).await.status, 401);
    }
    let refused = client.post(LOGIN, credentials("supersecret")).await;
    assert_eq!(refused.status, 429);
    assert_eq!(header(&refused, "retry-after"), "900");
    // Unknown accounts are limited alike, and other accounts are not affected.
    let unknown = json!({ "email": "Nobody@test.dev", "password": "x" });
    for _ in 0..10 {
        assert_eq!(client.post(LOGIN, unknown.clone()).await.status, 401);
    }
    assert_eq!(client.post(LOGIN, unknown).await.status, 429);
    app.advance_ms(900_000);
    client.post(LOGIN, credentials("supersecret")).await.ok();
}

/// A 429 because of a full queue of password hashing does not count towards the rate limit of logins.
#[tokio::test]
async fn login_refused_by_a_full_hashing_queue_is_no_attempt() {
    let (app, _) = behind("10.0.0.0/8").await.with_admin().await;
    let client = app.client().from_peer("10.0.0.1").with_header("x-forwarded-for", "198.51.100.9");
    let sign_up = "/auth/user/emailpass/register";
    for (path, email) in [(LOGIN, "admin@test.dev"), (sign_up, "new@test.dev")] {
        let send = |email: String, password: &'static str| {
            let (client, body) = (client.clone(), json!({ "email": email, "password": password }));
            tokio::spawn(async move { client.post(path, body).await })
        };
        // They fill the queue of this network, and hashing takes longer than refusing.
        let hashed: Vec<_> = (0..HASHING_QUEUE_PER_NETWORK_MAX)
            .map(|n| send(format!("{n}{}", path.len()), "long enough"))
            .collect();
        let refused: Vec<_> = (0..12).map(|_| send(email.to_owned(), "long enough")).collect();
        for answer in refused {
            let answer = answer.await.expect("an answer");
            assert_eq!((answer.status.as_u16(), header(&answer, "retry-after")), (429, "1"), "{path}");
        }
        for answer in hashed {
            assert_ne!(answer.await.expect("an answer").status, 429, "{path}");
        }
        send(email.to_owned(), "supersecret").await.expect("an answer").ok();
    }
}

async fn behind(proxies: &str) -> TestApp {
    let spaces = atoll_host::registry().expect("a registry").spaces();
    TestApp::behind(Store::open(Memory::default(), &spaces).expect("a store"), proxies).await
}

#[tokio::test]
async fn attempts_from_another_network_do_not_lock_the_account() {
    let (app, _) = behind("10.0.0.0/8").await.with_admin().await;
    let at = |address: &str| app.client().from_peer("10.0.0.1").with_header("x-forwarded-for", address);
    let guess = async |client: &Client, email: &str, password: &str| {
        client.post(LOGIN, json!({ "email": email, "password": password })).await.status.as_u16()
    };
    let (eve, owner) = (at("198.51.100.9"), at("203.0.113.7"));
    for _ in 0..10 {
        assert_eq!(guess(&eve, "admin@test.dev", "wrong").await, 401);
    }
    // Attempts from elsewhere lock out neither the owner, nor her neighbour, nor a client behind the proxy
    // with a forged header.
    for address in ["198.51.100.9", "198.51.100.200", "1.2.3.4, 198.51.100.9"] {
        assert_eq!(guess(&at(address), "ADMIN@test.dev ", "supersecret").await, 429, "{address}");
    }
    assert_eq!(guess(&owner, "admin@test.dev", "supersecret").await, 200);
    // An unknown account counts for its network, and for no other.
    for n in 0..87 {
        assert_eq!(guess(&eve, &format!("{n}@test.dev"), "wrong").await, 401, "{n}");
    }
    assert_eq!(guess(&eve, "one-more@test.dev", "wrong").await, 429);
    assert_eq!(guess(&owner, "one-more@test.dev", "wrong").await, 401);
}

#[tokio::test]
async fn password_reset_token_works_once() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let client = app.client();
    let session = with_cookie(&app, &open(&admin).await);
    let ask = async |actor: &str, email: &str| {
        let path = format!("/auth/{actor}/emailpass/reset-password");
        assert_eq!(client.post(&path, json!({ "identifier": email })).await.status, 201);
        app.mailed_tokens("auth.password_reset").pop()
    };
    // The answer does not reveal whether the account exists.
    assert_eq!(ask("user", "nobody@test.dev").await, None);
    assert_eq!(ask("customer", "admin@test.dev").await, None);
    let token = ask("user", "Admin@test.dev").await.expect("a token");
    let other = ask("user", "admin@test.dev").await.expect("a token");
    let short = json!({ "password": "seven77" });
    let path = format!("/auth/user/emailpass/update?token={token}");
    let refused = "400 invalid_data: Password must have 8 to 1024 characters";
    assert_eq!(client.post(&path, short).await.error(), refused);
    let set = async |path: &str, password: &str| {
        let answer =
            client.post(&format!("/auth/user/emailpass/{path}"), json!({ "password": password })).await;
        if answer.status.is_success() { "done".to_owned() } else { answer.error() }
    };
    let refused = "401 unauthorized: Invalid token";
    assert_eq!(set("update", "new secret").await, refused);
    assert_eq!(set("update?token=garbage", "new secret").await, refused);
    app.advance_ms(1000);
    assert_eq!(set(&format!("update?token={token}"), "new secret").await, "done");
    // Neither the same token again, nor an earlier one.
    assert_eq!(set(&format!("update?token={token}"), "newer secret").await, refused);
    assert_eq!(set(&format!("update?token={other}"), "newer secret").await, refused);
    // Sessions of the old password are invalid.
    assert_eq!(admin.get("/admin/users/me").await.status, 401);
    assert_eq!(session.get("/admin/users/me").await.status, 401);
    assert_eq!(client.post(LOGIN, credentials("supersecret")).await.status, 401);
    let login = client.post(LOGIN, credentials("new secret")).await.ok();
    let login = format!("Bearer {}", login["token"].as_str().expect("a token"));
    client.clone().with_header("authorization", &login).get("/admin/users/me").await.ok();
    // An expired token, and one of another actor type.
    let token = ask("user", "admin@test.dev").await.expect("a token");
    let as_customer = format!("/auth/customer/emailpass/update?token={token}");
    assert_eq!(client.post(&as_customer, json!({ "password": "x" })).await.error(), refused);
    app.advance_ms(15 * 60 * 1000);
    assert_eq!(set(&format!("update?token={token}"), "newer secret").await, refused);
}
