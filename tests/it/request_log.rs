//! The log of requests: a line for each, with its route and not its path; 5xx and panics with their cause.

use atoll_kernel::http::beside;
use atoll_testkit::{Log, Setup, Shop, TestApp};
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    routing::get,
};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

/// The lines about requests, without their times and ids.
fn lines(log: &Log) -> Vec<String> {
    let text = log.take();
    let requests = text.lines().filter_map(|line| {
        let (head, line) = line.split_once("atoll::requests: ")?;
        let level = head.split_whitespace().nth(1)?;
        let is_fixed = |it: &&str| !["request_id=", "elapsed_us="].iter().any(|name| it.starts_with(name));
        Some(format!("{level} {}", line.split(' ').filter(is_fixed).collect::<Vec<_>>().join(" ")))
    });
    requests.collect()
}

#[tokio::test]
async fn each_request_is_a_line_with_its_route_and_the_kind_of_its_caller() {
    let (shop, _, storefront) = Shop::web().await;
    let customer = shop.customer(&storefront, "ann@test.dev").await;
    let (log, _guard) = Log::open_debug();
    let line = |method: &str, route: &str, status: u16, actor: &str| {
        [format!("DEBUG request method={method} route=\"{route}\" status={status} actor=\"{actor}\"")]
    };
    shop.admin.get("/admin/products/prod_1?fields=id").await;
    assert_eq!(lines(&log), line("GET", "/admin/products/:id", 404, "admin"));
    storefront.get("/store/products/").await.ok();
    assert_eq!(lines(&log), line("GET", "/store/products", 200, "storefront"));
    // Again, from what is remembered.
    storefront.get_unchecked("/store/products/").await.ok();
    assert_eq!(lines(&log), line("GET", "/store/products", 200, "storefront"));
    customer.get("/store/customers/me").await.ok();
    assert_eq!(lines(&log)[0], line("GET", "/store/customers/me", 200, "customer")[0]);
    let credentials = json!({ "email": "ann@test.dev", "password": "not hers" });
    shop.app.client().post("/auth/customer/emailpass", credentials).await;
    assert_eq!(lines(&log), line("POST", "/auth/:actor/:provider", 401, "none"));
    shop.app.client().post("/admin/no-such-thing/secret", json!({})).await;
    assert_eq!(lines(&log), line("POST", "unmatched", 401, "none"));
    shop.app.client().get("/health").await;
    assert_eq!(lines(&log), line("GET", "/health", 200, "none"));
    // A page is one request, whatever it asks the API.
    shop.app.client().get("/app/login?next=/orders").await;
    assert_eq!(lines(&log), line("GET", "/app/login", 200, "none"));
}

#[tokio::test]
async fn only_what_failed_or_was_slow_is_a_line_by_default() {
    let (shop, _, storefront) = Shop::web().await;
    let (log, _guard) = Log::open();
    storefront.get("/store/products").await.ok();
    shop.admin.get("/admin/products/prod_1").await;
    assert_eq!(lines(&log), [""; 0]);
    shop.app.ctx.room().measured(0, 1);
    storefront.post("/store/carts", json!({})).await;
    assert_eq!(
        lines(&log),
        [
            "WARN request method=POST route=\"/store/carts\" status=507 actor=\"storefront\" cause=\"The disk of the \
          server is nearly full: nothing new is written until there is room again\""
        ]
    );
}

#[tokio::test]
async fn request_id_and_trace_id_are_those_of_the_client() {
    let app = TestApp::init().await;
    let (log, _guard) = Log::open_debug();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let client = app.client().with_header("traceparent", trace).with_header("x-request-id", "mine-1");
    assert_eq!(client.get("/health").await.headers["x-request-id"], "mine-1");
    let text = log.take();
    assert!(text.contains("request_id=mine-1"), "{text}");
    assert!(text.contains("trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\""), "{text}");
    // One that would forge a field is none.
    let client = app.client().with_header("x-request-id", "mine status=200");
    let made = client.get("/health").await.headers["x-request-id"].clone();
    assert_eq!(made.len(), 36, "{made:?}");
    assert!(!log.take().contains("mine"));
}

async fn panics() -> StatusCode {
    panic!("on purpose")
}

#[tokio::test]
async fn panic_is_a_500_and_a_line_with_its_cause() {
    let app = TestApp::init().await;
    let router = beside(app.ctx.clone(), Router::new().route("/boom/{id}", get(panics)));
    let (log, _guard) = Log::open();
    let request = Request::get("/boom/7").header("host", "a").body(Body::empty()).expect("a request");
    let answer = router.oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), 500);
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    assert!(!String::from_utf8_lossy(&body).contains("on purpose"));
    assert_eq!(
        lines(&log),
        ["ERROR request method=GET route=\"/boom/:id\" status=500 actor=\"none\" cause=\"An unknown error \
          occurred. panicked: on purpose\""]
    );
}

#[tokio::test]
async fn refused_heads_have_a_request_id() {
    let app = Setup::default().init().await;
    let answer = app.client().with_header("x-request-id", "mine").get("/store/%00").await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["x-request-id"]),
        (400, &"mine".parse().expect("a header"))
    );
}
