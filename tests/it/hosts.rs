//! Several hosts of one shop, as clients see them: each answers everything, and nobody reads less than they
//! have seen.

use std::{
    convert::Infallible,
    fs,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use atoll_kernel::{
    Actor, Moment, Write,
    http::{HeaderMap, StatusCode},
    limits::ATTEMPTS_OF_ACCOUNT_AND_NETWORK_MAX,
    migration::FORMAT,
};
use atoll_storage::{Cut, KeyBuf, WriteKeys as _};
use atoll_testkit::{Answer, Client, Shop, TestApp, TestHosts, id};
use axum::body::{Body, Bytes, to_bytes};
use futures_core::Stream;
use serde_json::{Value, json};
use tokio::{sync::oneshot, time::timeout};

use crate::pages::Browser;

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
const OUTCOME_UNKNOWN: &str = "503 unknown_error (outcome_unknown): It is not known";

/// The part of the cookie that an answer sets, as browsers send it back.
fn cookie(answer: &Answer) -> Option<&str> {
    let mut lines = answer.headers.get_all("set-cookie").iter().filter_map(|it| it.to_str().ok());
    lines.find(|it| it.starts_with("atoll-after="))?.split(';').next()
}

/// Lets all other tasks go on until they wait.
async fn until_all_wait() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Whether a client that writes at one host reads it at another one that is behind, with what it carries.
async fn reads_own_writes(carries: impl Fn(&Answer) -> Option<(&'static str, String)>) -> bool {
    let (hosts, shop, others) = shop_on::<3>().await;
    let (near, far) = (shop.admin.on(&others[0]), shop.admin.on(&others[1]));
    hosts.hold(2, true);
    let made = near.post("/admin/customers", json!({ "email": "ann@test.dev" })).await;
    let path = path_of(&made.json["customer"]);
    let far = match carries(&made) {
        Some((name, value)) => far.with_header(name, &value),
        None => far,
    };
    let reading = tokio::spawn(async move { far.get_unchecked(&path).await.status });
    until_all_wait().await;
    hosts.hold(2, false);
    reading.await.expect("no panic") == StatusCode::OK
}

#[tokio::test]
async fn who_writes_reads_it_at_every_host() {
    let (hosts, shop, others) = shop_on::<3>().await;
    for app in &others {
        let client = shop.admin.on(app);
        for n in 0..5 {
            let made = customer(&client, &format!("{n}-{}@test.dev", hosts.log.head())).await;
            assert_eq!(client.get(&path_of(&made)).await.ok()["customer"], made);
        }
    }
    let carried = |made: &Answer| Some(("atoll-after", after(&made.headers).to_owned()));
    assert!(reads_own_writes(carried).await);
    assert!(reads_own_writes(|made| Some(("cookie", cookie(made)?.to_owned()))).await);
    assert!(reads_own_writes(|_| Some(("atoll-read", "strict".to_owned()))).await);
    assert!(!reads_own_writes(|_| None).await, "without a word it reads what that host has: the control");
}

#[tokio::test]
async fn what_a_client_has_seen_is_waited_for_and_then_refused() {
    let (hosts, shop, others) = shop_on::<3>().await;
    let (near, far) = (shop.admin.on(&others[0]), shop.admin.on(&others[1]));
    hosts.hold(2, true);
    let made = near.post("/admin/customers", json!({ "email": "ann@test.dev" })).await;
    let (path, seen) = (path_of(&made.json["customer"]), after(&made.headers).to_owned());
    assert_eq!(seen, hosts.log.head().to_string());
    for (name, value) in [("atoll-after", &*seen), ("cookie", cookie(&made).expect("a cookie"))] {
        let refused = far.clone().with_header(name, value).get(&path).await;
        assert_eq!(refused.headers["retry-after"], "1");
        let text = format!(
            "503 unknown_error (behind): This host has not seen the commit {seen} yet; another one may have"
        );
        assert_eq!(refused.error(), text);
    }
    let strict = far.clone().with_header("atoll-read", "strict").get(&path).await;
    assert_eq!(strict.status, StatusCode::SERVICE_UNAVAILABLE);
    for (name, wrong) in [("atoll-after", "soon"), ("atoll-read", "later")] {
        let refused = far.clone().with_header(name, wrong).get("/admin/stores").await;
        assert!(refused.error().starts_with("400 invalid_data"), "{name}");
    }
    // A host that is behind is asked for its health, whatever a client has seen.
    let health =
        far.with_header("atoll-after", &seen).with_header("atoll-read", "strict").get("/health").await;
    assert_eq!(health.status, StatusCode::OK);
}

/// After a restore, or by a cookie that another site has set.
#[tokio::test]
async fn what_no_host_has_is_not_waited_for() {
    let (hosts, shop, others) = shop_on::<2>().await;
    let head = hosts.log.head();
    for client in [&shop.admin, &shop.admin.on(&others[0])] {
        let beyond = client.clone().with_header("atoll-after", "18446744073709551615");
        let text = format!(
            "503 unknown_error (behind): This shop has no commit 18446744073709551615: its last one is {head}"
        );
        assert_eq!(beyond.get("/admin/stores").await.error(), text);
        let browser = client.clone().with_header("cookie", "atoll-after=18446744073709551615");
        let answer = browser.get("/admin/stores").await;
        assert_eq!(cookie(&answer), Some(&*format!("atoll-after={head}")), "it is told the right one");
        answer.ok();
    }
}

/// A page of another origin can tell whether to send it again.
#[tokio::test]
async fn refusals_are_read_by_pages_of_other_origins() {
    let (hosts, shop, others) = shop_on::<2>().await;
    let elsewhere = shop.admin.on(&others[0]).with_header("origin", "https://storefront.example");
    let behind =
        elsewhere.clone().with_header("atoll-after", "18446744073709551615").get("/admin/stores").await;
    hosts.nobody_leads().await;
    let nothing = elsewhere.post("/admin/customers", json!({ "email": "ann@test.dev" })).await;
    for refused in [behind, nothing] {
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers["access-control-allow-origin"], "https://storefront.example");
        assert_eq!(refused.headers["access-control-expose-headers"], "atoll-after,retry-after");
    }
}

/// The number is that of the commit which an answer is of, and no later one: so histories can be checked.
#[tokio::test]
async fn answers_carry_the_position_that_they_are_of() {
    let (hosts, shop, others) = shop_on::<2>().await;
    let clients = [shop.admin.clone(), shop.admin.on(&others[0])];
    let email = |n: usize| format!("{n:02}@positions.dev");
    let mut running = Vec::new();
    for n in 0..40 {
        let (client, email) = (clients[n % 2].clone(), email(n));
        running.push(tokio::spawn(async move {
            let made = client.post("/admin/customers", json!({ "email": email })).await;
            (Some(email), after(&made.headers).to_owned(), made.json["count"].as_u64())
        }));
        for client in &clients {
            let client = client.clone();
            running.push(tokio::spawn(async move {
                let listed = client.get_unchecked("/admin/customers?limit=1").await;
                (None, after(&listed.headers).to_owned(), listed.json["count"].as_u64())
            }));
        }
    }
    let mut answers = Vec::new();
    for request in running {
        answers.push(request.await.expect("no panic"));
    }
    let made: Vec<_> = (0..40).map(|n| hosts.log.commit_of(&email(n)).expect("it was made")).collect();
    for (email, position, count) in answers {
        match email {
            Some(email) => assert_eq!(hosts.log.commit_of(&email).map(|it| it.to_string()), Some(position)),
            None => {
                let at = position.parse().expect("a number");
                let then = made.iter().filter(|it| it.0 <= at).count() as u64;
                assert_eq!(count, Some(then), "at {at}");
            }
        }
    }
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

/// A login commits nothing, so the log refuses none.
#[tokio::test]
async fn deposed_leader_lets_nobody_in_by_an_old_password() {
    let (hosts, shop, others) = shop_on::<2>().await;
    let log_in = async |app: &TestApp, password: &str| {
        let login = json!({ "email": "admin@test.dev", "password": password });
        app.client().post("/auth/user/emailpass", login).await
    };
    assert_eq!(log_in(&others[0], "supersecret").await.status, StatusCode::OK);
    hosts.end_lease(0);
    hosts.take_over(1).await;
    let forgotten = json!({ "identifier": "admin@test.dev" });
    others[0].client().post("/auth/user/emailpass/reset-password", forgotten).await;
    let token = others[0].mailed_tokens("auth.password_reset").pop().expect("a token");
    let path = format!("/auth/user/emailpass/update?token={token}");
    others[0].client().post(&path, json!({ "password": "new secret" })).await.ok();
    assert_eq!(log_in(&others[0], "supersecret").await.status, StatusCode::UNAUTHORIZED);
    let refused = log_in(&shop.app, "supersecret").await.error();
    assert!(refused.starts_with(NOTHING_HAPPENED), "{refused}");
}

/// A body that arrives when this is done.
struct Late(Option<Pin<Box<dyn Future<Output = Bytes> + Send>>>);

impl Late {
    fn body(arrives: impl Future<Output = Bytes> + Send + 'static) -> Body {
        Body::from_stream(Late(Some(Box::pin(arrives))))
    }
}

impl Stream for Late {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(arrives) = &mut self.0 else { return Poll::Ready(None) };
        let bytes = ready!(arrives.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(Some(Ok(bytes)))
    }
}

/// The lease ends while a request is under way, which commits nothing.
#[tokio::test]
async fn what_a_leader_does_after_its_lease_is_not_said_to_be_nothing() {
    let form =
        "--XYZ\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a.txt\"\r\n\r\na\r\n--XYZ--\r\n";
    let login = r#"{"email":"admin@test.dev","password":"supersecret"}"#;
    for (path, kind, body, said) in [
        ("/auth/user/emailpass", "application/json", login, NOTHING_HAPPENED),
        ("/admin/uploads", "multipart/form-data; boundary=XYZ", form, OUTCOME_UNKNOWN),
    ] {
        let (hosts, shop, _) = shop_on::<1>().await;
        let late = Late::body(async move {
            hosts.end_lease(0);
            body.into()
        });
        let client = shop.admin.without_type().with_header("content-type", kind);
        let answer = client.send("POST", path, late).await.error();
        assert!(answer.starts_with(said), "{path}: {answer}");
    }
}

#[tokio::test]
async fn host_that_hands_over_finishes_what_it_has_begun_and_begins_nothing() {
    let (_hosts, shop, _) = shop_on::<1>().await;
    let (arrive, arrives) = oneshot::channel::<()>();
    let late = Late::body(async move {
        arrives.await.expect("it comes");
        json!({ "email": "ann@test.dev" }).to_string().into()
    });
    let client = shop.admin.clone();
    let writing = tokio::spawn(async move { client.send("POST", "/admin/customers", late).await });
    until_all_wait().await;
    let ctx = shop.app.ctx.clone();
    let mut handing_over =
        tokio::spawn(async move { ctx.config().hosts.as_ref().expect("several").hand_over().await });
    until_all_wait().await;
    let refused = shop.admin.post("/admin/customers", json!({ "email": "bob@test.dev" })).await.error();
    assert_eq!(refused, format!("{NOTHING_HAPPENED}the host that leads is being stopped. Please try again."));
    shop.admin.get("/admin/customers").await.ok();
    assert!(!handing_over.is_finished(), "the first one is under way");
    arrive.send(()).expect("it waits");
    writing.await.expect("no panic").ok();
    timeout(Duration::from_secs(30), &mut handing_over).await.expect("it ends in time").expect("no panic");
}

/// Another host leads by the time that a page asks for what its form is about.
#[tokio::test]
async fn form_is_done_where_its_part_is_done() {
    let (hosts, shop, others) = shop_on::<2>().await;
    let browser = Browser::of(&shop.app).await;
    let form = browser.form(&[("do", "create"), ("name", "Elsewhere"), ("description", "")]).await;
    let late = Late::body(async move {
        hosts.lead(1).await;
        to_bytes(form, usize::MAX).await.expect("a body")
    });
    let answer = browser.client.send("POST", "/app/channels/new", late).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
    let channels = shop.admin.on(&others[0]).get("/admin/sales-channels?q=Elsewhere").await.ok();
    assert_eq!(channels["count"], 1);
    assert!(cookie(&answer).is_some(), "it is read at every host");
}

#[tokio::test]
async fn people_whose_request_is_refused_read_a_page() {
    let (hosts, _shop, others) = shop_on::<2>().await;
    let browser = Browser::of(&others[0]).await;
    hosts.nobody_leads().await;
    let (status, _, shown) = browser.send("/app/channels/new", &[("do", "create"), ("name", "A")]).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(shown.starts_with("<!DOCTYPE html>") && shown.contains("no host leads"), "{shown}");
}

/// What a client has seen counts for a write, too: at a host that takes itself for the leader, say.
#[tokio::test]
async fn write_is_answered_from_what_its_client_has_seen() {
    let (hosts, shop, others) = shop_on::<2>().await;
    hosts.take_over(1).await;
    let made = shop.admin.on(&others[0]).post("/admin/customers", json!({ "email": "ann@test.dev" })).await;
    let stale = shop.admin.clone().with_header("atoll-after", after(&made.headers));
    let refused = stale.post(&path_of(&made.json["customer"]), json!({ "first_name": "Ann" })).await.error();
    assert!(refused.starts_with("503 unknown_error (behind)"), "it is not known there: {refused}");
}

#[tokio::test]
async fn write_whose_answer_is_lost_between_hosts_is_of_unknown_outcome() {
    let (hosts, shop, others) = shop_on::<2>().await;
    let far = shop.admin.on(&others[0]).with_header("idempotency-key", "once");
    hosts.lose_answer();
    let body = json!({ "email": "ann@test.dev" });
    let unknown = far.post("/admin/customers", body.clone()).await;
    assert_eq!(unknown.headers["retry-after"], "1");
    let unknown = unknown.error();
    assert!(unknown.starts_with(OUTCOME_UNKNOWN), "{unknown}");
    far.post("/admin/customers", body).await.ok();
    assert_eq!(shop.admin.get("/admin/customers?email=ann@test.dev").await.ok()["count"], 1);
    // What is only read can be asked again, whatever became of it.
    hosts.lose_answer();
    let read = shop.admin.on(&others[0]).get_unchecked("/admin/verify").await.error();
    assert!(read.starts_with(NOTHING_HAPPENED), "{read}");
}

#[tokio::test]
async fn bodies_of_all_kinds_go_to_the_host_that_leads() {
    let (_hosts, shop, others) = shop_on::<3>().await;
    let (near, far) = (shop.admin.on(&others[0]), shop.admin.on(&others[1]));
    // A form with a file, which lies in the folder of the host that leads.
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let head = "--XYZ\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a.png\"\r\n\
                content-type: image/png\r\n\r\n";
    let form = [head.as_bytes(), png, b"\r\n--XYZ--\r\n"].concat();
    let typed = near.without_type().with_header("content-type", "multipart/form-data; boundary=XYZ");
    let file = typed.send("POST", "/admin/uploads", Body::from(form)).await.ok()["files"][0].clone();
    let key = id(&file);
    for app in [&shop.app, &others[0], &others[1]] {
        assert_eq!(shop.admin.on(app).get(&format!("/admin/uploads/{key}")).await.ok()["file"]["id"], *key);
        let public = app.client();
        let served = public.get(&format!("/static/{key}")).await;
        assert_eq!((served.status, served.body.as_ref()), (StatusCode::OK, &png[..]));
        assert!(!served.headers.contains_key("atoll-after"), "caches keep it for a year");
        let head = public.send("HEAD", &format!("/static/{key}"), Body::empty()).await;
        assert_eq!(head.status, StatusCode::OK, "links are checked by it");
    }
    // A page's login, and a form of it.
    let browser = Browser::of(&others[0]).await;
    let (status, to, shown) = browser
        .send("/app/channels/new", &[("do", "create"), ("name", "Elsewhere"), ("description", "")])
        .await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{shown}");
    assert!(browser.page(to.strip_suffix("?done=created").unwrap_or(&to)).await.1.contains("Elsewhere"));
    // Pages that show what the host that leads has in memory, or in a folder.
    for (path, shows) in [("/app/verify", "Nothing was verified"), ("/app/backups", "no folder for backups")]
    {
        let (status, shown) = browser.page(path).await;
        assert!(status == StatusCode::OK && shown.contains(shows), "{path}: {status}: {shown}");
        assert!(!shown.contains("atoll-forwarded"), "{path}: {shown}");
    }
    assert_eq!(others[0].ctx.config().hosts.as_ref().map(|it| it.n_forwarded().not_answered), Some(0));
    // A delete, without a body.
    let made = customer(&far, "ann@test.dev").await;
    far.delete(&path_of(&made)).await.ok();
}

/// One folder may be mounted at all hosts, and one that has led has the files of then.
#[tokio::test]
async fn host_serves_the_files_that_it_has() {
    let (hosts, shop, others) = shop_on::<3>().await;
    let form =
        "--XYZ\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a.txt\"\r\n\r\na\r\n--XYZ--\r\n";
    let typed = shop.admin.without_type().with_header("content-type", "multipart/form-data; boundary=XYZ");
    let file = typed.send("POST", "/admin/uploads", Body::from(form)).await.ok()["files"][0].clone();
    let folders = [&shop.app, &others[0]].map(|it| it.ctx.config().files.folder.join(id(&file)));
    fs::create_dir_all(folders[1].parent().expect("a folder")).expect("it is made");
    fs::copy(&folders[0], &folders[1]).expect("it is copied");
    hosts.unplug(0);
    let path = format!("/static/{}", id(&file));
    assert_eq!(others[0].client().get_unchecked(&path).await.body.as_ref(), b"a");
    let refused = others[1].client().get_unchecked(&path).await.error();
    assert!(refused.starts_with(NOTHING_HAPPENED), "the one that leads may have it: {refused}");
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
        assert!(unknown.starts_with(OUTCOME_UNKNOWN), "{unknown}");
        hosts.lead(1).await;
        let made = keyed(&shop.admin).post("/admin/customers", body.clone()).await.ok();
        assert_eq!(keyed(&shop.admin).post("/admin/customers", body.clone()).await.ok(), made);
        let listed = shop.admin.get("/admin/customers?email=ann@test.dev").await.ok();
        assert_eq!(listed["count"], 1, "{cut:?}");
    }
}

#[tokio::test]
async fn times_go_on_behind_those_of_the_last_leader() {
    let (hosts, shop, others) = shop_on::<2>().await;
    shop.app.advance_ms(3_600_000);
    let earlier = customer(&shop.admin, "ann@test.dev").await;
    assert!(others[0].now() < shop.app.now(), "its clock is behind");
    hosts.lead(1).await;
    assert!(others[0].now() >= shop.app.now(), "it goes on where the last leader was");
    let second = shop.admin.on(&others[0]);
    let later = customer(&second, "bob@test.dev").await;
    assert!(earlier["created_at"].as_str() <= later["created_at"].as_str(), "{earlier}\n{later}");
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
async fn host_whose_data_another_one_migrates_answers_nothing() {
    let (hosts, shop, others) = shop_on::<2>().await;
    let other = shop.admin.on(&others[0]);
    other.get_unchecked("/admin/customers").await.ok();
    // What a migration removes first, of an index that it is about to build.
    let set = async |value: Option<Vec<u8>>| {
        let set = move |tx: &mut dyn Write, _: &Moment| {
            let key = KeyBuf::new(tx.prefix(FORMAT)).tail(b"index customer.by_email").into_bytes();
            let before = tx.get(&key)?;
            match value {
                Some(value) => tx.put(key, value),
                None => tx.delete(key),
            }
            Ok(before)
        };
        let (before, view) = shop.app.ctx.write(Actor::System, set).await.expect("it leads");
        others[0].ctx.store().reached(view.position()).await.expect("it follows");
        before
    };
    let before = set(None).await.expect("there is such an index");
    // What was remembered before is of whole data.
    let refused = other.get_unchecked("/admin/customers?limit=7").await.error();
    assert!(
        refused.starts_with("503 unknown_error (behind): The data of this host is of another"),
        "{refused}"
    );
    set(Some(before)).await;
    other.get_unchecked("/admin/customers?limit=7").await.ok();
    drop(hosts);
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
