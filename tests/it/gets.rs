//! No `GET` writes: every host answers what is read from its replica, and only the one that leads can write.
//! The kernel refuses such a commit as an error of ours, so that none is answered by one either.

use atoll_host::registry;
use atoll_kernel::http::{Auth, Method, StatusCode};
use atoll_storage::MemoryLog;
use atoll_testkit::{Client, TestApp, TestHosts, Walk};
use axum::{Router, body::Body, http::Request, routing::get};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{formats::shop, pages::Browser};

/// What does not end by itself, and is read as the rest of the events is.
const ENDLESS: &str = "/admin/events/stream";

/// An answer, and whether something was committed until it came.
async fn noticed<T>(log: &MemoryLog, asked: impl Future<Output = T>) -> (T, bool) {
    let before = log.head();
    (asked.await, log.head() != before)
}

/// The path of a route with ids of records that are there: the first ones that its lists show.
async fn filled(client: &Client, route: &str, known: &Value) -> String {
    let mut path = String::new();
    for part in route.split('/').skip(1) {
        let id = match part.starts_with(':') {
            true if path == "/store/carts" => known["cart"].as_str().map(str::to_owned),
            true => first(&client.get(&path).await.json),
            false => Some(part.to_owned()),
        };
        path += &format!("/{}", id.unwrap_or_else(|| "none".into()));
    }
    path
}

fn first(list: &Value) -> Option<String> {
    let record = list.as_object()?.values().find_map(|it| it.as_array()?.first())?;
    ["id", "code"].iter().find_map(|name| record[*name].as_str()).map(str::to_owned)
}

/// The hosts of a shop with every kind of record, the one that leads first, and what requests need.
async fn shop_on_two() -> (TestHosts, [TestApp; 2], Value) {
    let (hosts, [leader, follower]) = TestHosts::start().await;
    let (leader, known) = shop::make(leader).await;
    (hosts, [leader, follower], known)
}

/// Waits until a host has all that was committed.
async fn until_it_has_all(app: &TestApp, log: &MemoryLog) {
    app.ctx.store().reached(log.head()).await.expect("a view");
}

#[tokio::test]
async fn no_route_that_is_read_writes() {
    let (hosts, [leader, follower], known) = shop_on_two().await;
    let login = json!({ "email": "ann@example.com", "password": "supersecret" });
    let login = leader.client().post("/auth/customer/emailpass", login).await.ok();
    let bearer = format!("Bearer {}", login["token"].as_str().expect("a token"));
    let (leader, admin) = leader.with_admin().await;
    let storefront = leader.storefront(known["web_key"].as_str().expect("a key"));
    let storefront = storefront.with_header("authorization", &bearer);
    for (path, body) in [
        ("/admin/invites", json!({ "email": "bob@test.dev" })),
        ("/admin/customer-groups", json!({ "name": "Friends" })),
        ("/admin/price-lists", json!({ "title": "Summer", "description": "Less" })),
    ] {
        admin.post(path, body).await.ok();
    }
    until_it_has_all(&follower, &hosts.log).await;
    let (mut writers, mut n_answered, mut others) = (Vec::new(), 0, Vec::new());
    for route in &registry().expect("a registry").routes {
        if route.method != Method::Get || route.path == ENDLESS {
            continue;
        }
        let client = if matches!(route.auth, Auth::Store | Auth::Customer) { &storefront } else { &admin };
        let path = filled(client, route.path, &known).await;
        for app in [&leader, &follower] {
            let (answer, writes) = noticed(&hosts.log, client.on(app).get(&path)).await;
            let is_refused = answer.status.is_server_error();
            writers.extend((writes || is_refused).then(|| path.clone()));
            match answer.status {
                StatusCode::OK => n_answered += 1,
                other => others.push((other, path.clone())),
            }
        }
    }
    assert_eq!(writers, [""; 0]);
    // What the shop has no record of, or is asked for by a query.
    assert!(n_answered > 3 * others.len(), "{n_answered} were answered, and too few: {others:#?}");
}

#[tokio::test]
async fn no_page_that_is_read_writes() {
    let (hosts, [leader, follower], _) = shop_on_two().await;
    let addresses: Vec<String> = Walk::of(&leader).await.pages.into_keys().collect();
    for app in [&leader, &follower] {
        let browser = Browser::of(app).await.client;
        until_it_has_all(app, &hosts.log).await;
        for address in &addresses {
            let (answer, writes) = noticed(&hosts.log, browser.get_unchecked(address)).await;
            assert_eq!((answer.status, writes), (StatusCode::OK, false), "{address}");
        }
    }
}

/// The control.
#[tokio::test]
async fn route_that_is_read_and_writes_is_noticed() {
    let (hosts, [leader]) = TestHosts::start().await;
    let (_leader, admin) = leader.with_admin().await;
    let write = move || async move {
        admin.post("/admin/sales-channels", json!({ "name": "Seen" })).await.ok();
    };
    let routes = Router::new().route("/read", get(async || ())).route("/seen", get(write));
    let ask = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        routes.clone().oneshot(request).await.expect("an answer").status()
    };
    assert_eq!(noticed(&hosts.log, ask("/read")).await, (StatusCode::OK, false));
    assert_eq!(noticed(&hosts.log, ask("/seen")).await, (StatusCode::OK, true));
}
