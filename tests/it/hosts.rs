//! Several hosts of one shop, as clients see them: each answers everything, and nobody reads less than they
//! have seen.

use atoll_kernel::{
    http::{HeaderMap, StatusCode},
    limits::ATTEMPTS_OF_ACCOUNT_AND_NETWORK_MAX,
};
use atoll_testkit::{Client, Cut, Shop, TestApp, TestHosts};
use serde_json::{Value, json};

/// A shop on so many hosts, of which the first leads.
async fn shop_on<const N: usize>() -> (TestHosts, Shop, Vec<TestApp>) {
    let (hosts, apps) = TestHosts::start::<N>().await;
    let mut apps = apps.into_iter();
    let shop = Shop::open(apps.next().expect("a host")).await;
    (hosts, shop, apps.collect())
}

fn after(headers: &HeaderMap) -> &str {
    headers.get("atoll-after").and_then(|it| it.to_str().ok()).unwrap_or_default()
}

async fn customer(client: &Client, email: &str) -> Value {
    client.post("/admin/customers", json!({ "email": email })).await.ok()["customer"].clone()
}

fn path_of(customer: &Value) -> String {
    format!("/admin/customers/{}", customer["id"].as_str().expect("an id"))
}

const NOTHING_HAPPENED: &str = "503 unknown_error (nothing_happened): Nothing happened: ";

#[tokio::test]
async fn who_writes_at_any_host_reads_it_there() {
    let (hosts, shop, others) = shop_on::<3>().await;
    for app in &others {
        let client = shop.admin.on(app);
        for n in 0..5 {
            let made = customer(&client, &format!("{n}-{}@test.dev", hosts.log.head())).await;
            assert_eq!(client.get(&path_of(&made)).await.ok()["customer"], made);
        }
    }
}

#[tokio::test]
async fn what_a_client_has_seen_is_waited_for_at_every_host() {
    let (hosts, shop, others) = shop_on::<3>().await;
    let (near, far) = (shop.admin.on(&others[0]), shop.admin.on(&others[1]));
    hosts.hold(2, true);
    let made = near.post("/admin/customers", json!({ "email": "ann@test.dev" })).await;
    let (path, seen) = (path_of(&made.json["customer"]), after(&made.headers).to_owned());
    assert_eq!(seen, hosts.log.head().to_string());
    assert_eq!(far.get(&path).await.status, StatusCode::NOT_FOUND, "it says nothing of what it has seen");
    let cookie = made.headers.get_all("set-cookie").iter().find_map(|it| it.to_str().ok()?.split(';').next());
    let carried = [("atoll-after", &*seen), ("cookie", cookie.expect("a cookie"))];
    for (name, value) in carried {
        let refused = far.clone().with_header(name, value).get(&path).await;
        assert_eq!(refused.headers["retry-after"], "1");
        let text = format!(
            "503 unknown_error (behind): This host has not seen the commit {seen} yet; another one may have"
        );
        assert_eq!(refused.error(), text);
    }
    let strict = far.clone().with_header("atoll-read", "strict");
    assert_eq!(strict.get(&path).await.status, StatusCode::SERVICE_UNAVAILABLE);
    let waiting = tokio::spawn(async move { strict.get(&path).await.status });
    hosts.hold(2, false);
    assert_eq!(waiting.await.expect("no panic"), StatusCode::OK);
    for (name, value) in carried {
        let path = path_of(&made.json["customer"]);
        assert_eq!(far.clone().with_header(name, value).get(&path).await.status, StatusCode::OK);
    }
    let wrong = far.clone().with_header("atoll-after", "soon").get("/admin/stores").await;
    assert!(wrong.error().starts_with("400 invalid_data"), "it is no position");
}

#[tokio::test]
async fn sessions_are_the_shops() {
    let (_hosts, _shop, others) = shop_on::<3>().await;
    let (here, there) = (others[0].client(), others[1].client());
    let login = json!({ "email": "admin@test.dev", "password": "supersecret" });
    let token = here.post("/auth/user/emailpass", login).await.ok()["token"].clone();
    let bearer = format!("Bearer {}", token.as_str().expect("a token"));
    let opened = here.with_header("authorization", &bearer).post("/auth/session", json!({})).await;
    let lines = opened.headers.get_all("set-cookie").iter().filter_map(|it| it.to_str().ok());
    let cookie: Vec<&str> = lines.filter_map(|it| it.split(';').next()).collect();
    let there = there.with_header("cookie", &cookie.join("; "));
    there.get("/admin/users/me").await.ok();
    there.delete("/auth/session").await.ok();
    assert_eq!(there.get("/admin/users/me").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn login_attempts_are_counted_by_the_address_of_the_client_at_whatever_host() {
    let (_hosts, shop, others) = shop_on::<3>().await;
    let apps = [&shop.app, &others[0], &others[1]];
    let wrong = async |app: &TestApp, peer: &str| {
        let login = json!({ "email": "ann@test.dev", "password": "wrong" });
        app.client().from_peer(peer).post("/auth/user/emailpass", login).await.status
    };
    for n in 0..ATTEMPTS_OF_ACCOUNT_AND_NETWORK_MAX {
        let status = wrong(apps[n as usize % 3], "203.0.113.7").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "attempt {n}");
    }
    for app in apps {
        assert_eq!(wrong(app, "203.0.113.7").await, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(wrong(app, "198.51.100.1").await, StatusCode::UNAUTHORIZED, "of another network");
    }
}

#[tokio::test]
async fn marks_of_hosts_are_refused_from_clients() {
    let (_hosts, shop, others) = shop_on::<2>().await;
    let refused = "400 invalid_data: The header atoll-forwarded is for the hosts of this shop alone";
    let forged = format!("198.51.100.1:1;https;{}", "0".repeat(64));
    for client in [&shop.admin, &shop.admin.on(&others[0])] {
        for mark in ["", "-;http;", &*forged] {
            let client = client.clone().with_header("atoll-forwarded", mark);
            assert_eq!(client.get("/admin/stores").await.error(), refused);
            assert_eq!(client.post("/admin/customers", json!({})).await.error(), refused);
        }
    }
}

#[tokio::test]
async fn request_is_forwarded_once() {
    let (hosts, shop, others) = shop_on::<2>().await;
    // The first one has not heard that the second one led, and the second one that it leads no more.
    hosts.take_over(1).await;
    hosts.lead(0).await;
    hosts.believe(0, 1);
    let answer = shop.admin.on(&others[0]).post("/admin/customers", json!({ "email": "a@test.dev" })).await;
    assert_eq!(answer.headers["retry-after"], "1");
    let text = format!("{NOTHING_HAPPENED}another host leads since a moment ago. Please try again.");
    assert_eq!(answer.error(), text);
}

#[tokio::test]
async fn without_a_leader_nothing_is_written_and_everything_is_read() {
    let (hosts, shop, others) = shop_on::<2>().await;
    let made = customer(&shop.admin, "ann@test.dev").await;
    let client = shop.admin.on(&others[0]);
    let write = async || client.post("/admin/customers", json!({ "email": "bob@test.dev" })).await.error();
    hosts.unplug(0);
    let unplugged = "the host that leads is not to be reached. Please try again.";
    assert_eq!(write().await, format!("{NOTHING_HAPPENED}{unplugged}"));
    hosts.nobody_leads().await;
    assert_eq!(write().await, format!("{NOTHING_HAPPENED}no host leads at the moment. Please try again."));
    client.clone().with_header("atoll-read", "strict").get(&path_of(&made)).await.ok();
    hosts.lead(1).await;
    customer(&client, "bob@test.dev").await;
}

#[tokio::test]
async fn deposed_leader_answers_that_nothing_happened() {
    let (hosts, shop, others) = shop_on::<2>().await;
    hosts.take_over(1).await;
    let refused = shop.admin.post("/admin/customers", json!({ "email": "ann@test.dev" })).await.error();
    assert!(refused.starts_with(NOTHING_HAPPENED), "{refused}");
    customer(&shop.admin.on(&others[0]), "ann@test.dev").await;
}

/// The answer to a commit is lost, before or after it is in the log; the request is sent again elsewhere.
#[tokio::test]
async fn write_of_unknown_outcome_is_done_once_by_its_key() {
    for cut in [Cut::Before, Cut::After] {
        let (hosts, shop, others) = shop_on::<2>().await;
        let keyed = |client: &Client| client.clone().with_header("idempotency-key", "once");
        let body = json!({ "email": "ann@test.dev" });
        hosts.log.cut(cut);
        let unknown = keyed(&shop.admin.on(&others[0])).post("/admin/customers", body.clone()).await;
        assert_eq!(unknown.headers["retry-after"], "1");
        let unknown = unknown.error();
        assert!(unknown.starts_with("503 unknown_error (outcome_unknown): It is not known"), "{unknown}");
        hosts.lead(1).await;
        let made = keyed(&shop.admin).post("/admin/customers", body.clone()).await.ok();
        assert_eq!(keyed(&shop.admin).post("/admin/customers", body.clone()).await.ok(), made);
        let listed = shop.admin.get("/admin/customers?email=ann@test.dev").await.ok();
        assert_eq!(listed["count"], 1, "{cut:?}");
    }
}

#[tokio::test]
async fn times_and_ids_go_on_behind_those_of_the_last_leader() {
    let (hosts, shop, others) = shop_on::<2>().await;
    shop.app.advance_ms(3_600_000);
    let earlier = customer(&shop.admin, "ann@test.dev").await;
    hosts.lead(1).await;
    assert!(others[0].now() < shop.app.now(), "its clock is behind");
    let second = shop.admin.on(&others[0]);
    let later = customer(&second, "bob@test.dev").await;
    for field in ["created_at", "id"] {
        assert!(earlier[field].as_str() <= later[field].as_str(), "{earlier}\n{later}");
    }
    others[0].advance_ms(7_200_000);
    let last = customer(&second, "cid@test.dev").await;
    assert!(later["created_at"].as_str() < last["created_at"].as_str(), "its clock counts once it is ahead");
}

#[tokio::test]
async fn what_one_host_has_in_memory_is_asked_from_the_one_that_leads() {
    let (_hosts, shop, others) = shop_on::<3>().await;
    let (one, other) = (shop.admin.on(&others[0]), shop.admin.on(&others[1]));
    one.post("/admin/verify/start", json!({})).await;
    assert_ne!(other.get("/admin/verify").await.ok()["verification"]["started_at"], Value::Null);
    assert_eq!(others[1].ctx.verification().started_at, None, "it runs where its answer comes from");
}

#[tokio::test]
async fn host_alone_says_nothing_of_positions() {
    let shop = Shop::open(TestApp::init().await).await;
    let made = shop.admin.post("/admin/customers", json!({ "email": "ann@test.dev" })).await;
    let listed = shop.admin.get("/admin/customers").await;
    for headers in [made.headers, listed.headers] {
        assert!(!headers.contains_key("atoll-after") && !headers.contains_key("set-cookie"), "{headers:?}");
    }
}
