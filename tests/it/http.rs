//! All requests and answers: concurrency limit, heads, headers.

use atoll_kernel::{http::App as _, limits::ANSWERS_BYTES_MAX};
use atoll_testkit::{Answer, Setup, Shop, TestApp};
use serde_json::json;

#[tokio::test]
async fn request_limit_answers_503_with_retry_after() {
    let shop = Shop::open(TestApp::init().await).await;
    let permits = shop.app.ctx.permits().clone();
    let all = permits.available_permits();
    let taken = permits.acquire_many(u32::try_from(all).expect("a few")).await.expect("all of them");
    let refused = shop.admin.get("/admin/products").await;
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(refused.error(), "503 unknown_error: Too many requests are being answered; try again soon");
    // The health check is answered all the same.
    assert_eq!(shop.app.client().get("/health").await.status, 200);
    drop(taken);
    shop.admin.get("/admin/products").await.ok();
}

#[tokio::test]
async fn cache_headers_forbid_shared_caching_of_personal_answers() {
    let shop = Shop::open(Setup::default().answers_bytes_max(ANSWERS_BYTES_MAX).init().await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    let says = |answer: &Answer| {
        let vary = answer.headers.get_all("vary").iter().map(|it| it.to_str().expect("text"));
        // Cross-origin requests have further headers.
        let vary: Vec<&str> = vary.filter(|it| !it.contains("origin")).collect();
        let kept = answer.headers.get("cache-control").map_or("-", |it| it.to_str().expect("text"));
        format!("{} {kept} [{}]", answer.status.as_u16(), vary.join("; "))
    };
    let (store, admin) =
        ("x-publishable-api-key, authorization, x-atoll-preview-at, cookie", "authorization, cookie");
    // What has an `ETag` may be stored by the browser, which asks each time whether it is still the same.
    for (path, expected) in [
        ("/store/products", "200 private, no-cache"),
        ("/store/products/prod_none", "404 private, no-store"),
        ("/store/nothing", "404 private, no-store"),
    ] {
        let expected = format!("{expected} [{store}; accept-encoding]");
        assert_eq!(says(&storefront.get(path).await), expected, "{path}");
    }
    let made = storefront.post("/store/carts", json!({})).await;
    assert_eq!(says(&made), format!("200 private, no-store [{store}]"));
    let refused = shop.app.client().get("/store/products").await;
    assert_eq!(says(&refused), format!("400 private, no-store [{store}; accept-encoding]"));
    for (path, expected) in [
        ("/admin/products", "200 private, no-cache"),
        ("/admin/users/me", "200 private, no-cache"),
        ("/admin/counters", "200 private, no-store"),
        ("/admin/nothing", "404 private, no-store"),
    ] {
        let expected = format!("{expected} [{admin}; accept-encoding]");
        assert_eq!(says(&shop.admin.get(path).await), expected, "{path}");
        let expected = format!("401 private, no-store [{admin}; accept-encoding]");
        assert_eq!(says(&shop.app.client().get(path).await), expected, "{path}");
    }
    let login = json!({ "email": "admin@test.dev", "password": "wrong horse" });
    let login = shop.app.client().post("/auth/user/emailpass", login).await;
    assert_eq!(says(&login), "401 private, no-store []");
    assert_eq!(says(&shop.app.client().get("/openapi.json").await), "200 - [accept-encoding]");
    for path in ["/docs", "/health"] {
        assert_eq!(says(&shop.app.client().get(path).await), "200 - []", "{path}");
    }
    assert_eq!(says(&shop.app.client().get("/").await), "200 - [accept]");
    // Answers to other origins also vary on `Origin`.
    let vary = storefront.with_header("origin", "https://shop.example").get("/store/products").await;
    let lines: Vec<_> = vary.headers.get_all("vary").iter().collect();
    assert!(lines.len() > 1 && lines.iter().any(|it| it.to_str().is_ok_and(|it| it.contains("origin"))));
}

#[tokio::test]
async fn the_reference_of_the_api_can_be_switched_off() {
    let app = Setup::default().without_docs().init().await;
    for path in ["/docs", "/docs/start.js", "/docs/scalar.js"] {
        assert_eq!(app.client().get(path).await.status, 404, "{path}");
    }
    assert_eq!(app.client().get("/").await.ok()["docs"], json!(null));
    assert_eq!(app.client().get("/openapi.json").await.status, 200);
}

#[tokio::test]
async fn root_shows_browsers_a_page_and_programs_json() {
    let app = TestApp::init().await;
    let root = app.client().get("/").await;
    assert_eq!(root.headers["content-type"], "application/json; charset=utf-8");
    let root = root.ok();
    let version = root["version"].as_str().expect("a version");
    let expected = json!({
        "name": "Atoll", "version": version, "app": "/app", "docs": "/docs", "openapi": "/openapi.json",
        "health": "/health",
    });
    assert_eq!(root, expected);
    let browser = app.client().with_header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let (page, docs) = (browser.get("/").await, browser.get("/docs").await);
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], docs.headers["content-type"]);
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    let text = String::from_utf8(page.body.to_vec()).expect("text");
    assert!(text.contains(&format!("Version {version}.")), "{text}");
    for place in ["docs", "openapi", "health"] {
        let path = root[place].as_str().expect("a path");
        assert!(text.contains(&format!("<a href=\"{path}\">{path}</a>")), "{path}: {text}");
        assert_eq!(app.client().get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn reference_loads_its_scripts_from_here_and_nothing_else() {
    let app = TestApp::init().await;
    let page = app.client().get("/docs").await;
    let policy = page.headers["content-security-policy"].to_str().expect("text").to_owned();
    for directive in ["default-src 'none'", "connect-src 'self'", "script-src 'self'"] {
        assert!(policy.split("; ").any(|it| it == directive), "{directive}: {policy}");
    }
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    let text = String::from_utf8(page.body.to_vec()).expect("text");
    assert!(!text.contains("//"), "{text}");
    let scripts: Vec<&str> = text.split("src=\"").skip(1).filter_map(|it| it.split('"').next()).collect();
    assert_eq!(scripts, ["/docs/scalar.js", "/docs/start.js"]);
    for script in scripts {
        let script = app.client().get(script).await;
        assert_eq!((script.status.as_u16(), script.headers["content-type"].as_bytes()), (200, JAVASCRIPT));
    }
    assert_eq!(app.client().get("/docs/../Cargo.toml").await.status, 404);
    assert_eq!(app.client().get("/docs/page.html").await.status, 404);
}

const JAVASCRIPT: &[u8] = b"text/javascript; charset=utf-8";

#[tokio::test]
async fn every_method_is_answered_on_every_path() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let key = shop.key(&[&web]).await;
    let client = shop.admin.clone().with_header("x-publishable-api-key", &key);
    for path in ["/admin/products", "/store/carts", "/auth/session", "/health", "/nothing", "/"] {
        let answer = client.send("OPTIONS", path, axum::body::Body::empty()).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0), "OPTIONS {path}");
        for method in ["PUT", "PATCH", "TRACE", "PURGE"] {
            let answer = client.send(method, path, axum::body::Body::empty()).await;
            if path != "/health" {
                assert_eq!(answer.error(), format!("404 not_found: Cannot {method} {path}"));
            }
        }
    }
    let (head, get) = (
        client.send("HEAD", "/admin/products", axum::body::Body::empty()).await,
        client.get("/admin/products").await,
    );
    assert_eq!((head.status, head.body.len()), (get.status, 0));
    assert_eq!(head.headers["content-length"], get.body.len().to_string());
}
