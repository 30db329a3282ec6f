//! Events for admins who look on: the last ones, and server-sent events; what they and the data take.

use std::pin::pin;

use atoll_auth::{AUTH_SESSIONS, AuthSession};
use atoll_background::storage;
use atoll_host::{Assembly, Data, Settings};
use atoll_kernel::{
    Actor, Moment, Registry, Write,
    data::Store,
    jobs::emit,
    limits::{EVENT_BACKLOG_MAX, EVENT_LISTENERS_MAX},
};
use atoll_storage::engines::Counting;
use atoll_testkit::{Answer, Setup, Shop, TestApp};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::{JoinSet, yield_now};

/// Emits this number of events in one transaction.
async fn happen(shop: &Shop, n_events: usize) {
    let body = move |tx: &mut dyn Write, at: &Moment| {
        for n in 0..n_events {
            emit(tx, at, "test.happened", json!({ "n": n }))?;
        }
        Ok(())
    };
    shop.app.ctx.write(Actor::System, body).await.expect("a write");
}

/// The position of the last event.
async fn last(shop: &Shop) -> u64 {
    shop.admin.get("/admin/events").await.ok()["last"].as_u64().expect("a position")
}

fn text(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    String::from_utf8(answer.body.to_vec()).expect("text")
}

/// The data of the messages without a name.
fn told(text: &str) -> Vec<Value> {
    let messages = text.split("\n\n").filter(|it| !it.contains("event: "));
    let data = messages.filter_map(|it| it.split_once("data: "));
    data.map(|(_, data)| serde_json::from_str(data).expect("JSON")).collect()
}

/// The answer to a request that waits until there is nothing to wait for any more.
async fn answered_in_time(shop: &Shop, path: &str) -> Answer {
    let mut asked = pin!(shop.admin.get(path));
    loop {
        tokio::select! {
            biased;
            answer = &mut asked => return answer,
            () = yield_now() => shop.app.advance_ms(20_000),
        }
    }
}

/// A listener waits for up to 20 seconds: the database could not reuse space.
#[tokio::test]
async fn no_snapshot_is_held_while_an_event_is_waited_for() {
    let engine = Counting::default();
    let spaces = Registry::linked().expect("a registry").spaces();
    let store = Store::open(engine.clone(), &spaces).expect("a store");
    let shop = Shop::open(Setup::default().over(store).await).await;
    let mut asked = pin!(shop.admin.get("/admin/events/stream"));
    for _ in 0..100 {
        tokio::select! {
            biased;
            answer = &mut asked => panic!("nothing has happened: {}", answer.json),
            () = yield_now() => {}
        }
    }
    // No event.
    let body = |tx: &mut dyn Write, at: &Moment| Ok(AUTH_SESSIONS.create(tx, at, AuthSession::default())?);
    shop.app.ctx.write(Actor::System, body).await.expect("a write");
    assert_eq!(engine.n_snapshots(), 1);
}

#[tokio::test]
async fn the_last_events_are_listed_newest_first() {
    let shop = Shop::open(TestApp::init().await).await;
    happen(&shop, 3).await;
    let listed = shop.admin.get("/admin/events").await.ok();
    let events = listed["events"].as_array().expect("events");
    assert_eq!(events[0]["name"], "test.happened");
    assert_eq!(events[..3].iter().map(|it| &it["data"]["n"]).collect::<Vec<_>>(), [2, 1, 0]);
    assert_eq!(events[0]["position"], listed["last"]);
    happen(&shop, EVENT_BACKLOG_MAX).await;
    let listed = shop.admin.get("/admin/events").await.ok();
    assert_eq!(listed["events"].as_array().expect("events").len(), EVENT_BACKLOG_MAX);
}

/// It would be signed again by who knows the secret, and is of no use to who looks.
#[tokio::test]
async fn what_mailed_tokens_are_made_of_is_not_shown() {
    let shop = Shop::open(TestApp::init().await).await;
    shop.admin.post("/admin/invites", json!({ "email": "ada@test.dev" })).await.ok();
    let listed = shop.admin.get("/admin/events").await.ok();
    let events = listed["events"].as_array().expect("events");
    let invite = events.iter().find(|it| it["name"] == "invite.created").expect("an invite");
    assert_eq!(invite["data"]["email"], "ada@test.dev");
    assert_eq!(invite["data"].get("unsigned_token"), None);
}

#[tokio::test]
async fn a_listener_is_told_what_happens() {
    let shop = Shop::open(TestApp::init().await).await;
    let address = format!("/admin/events/stream?after={}", last(&shop).await);
    let (answer, ()) = tokio::join!(shop.admin.get(&address), happen(&shop, 2));
    let text = text(&answer);
    let events = told(&text);
    assert_eq!(events.iter().map(|it| &it["data"]["n"]).collect::<Vec<_>>(), [0, 1]);
    assert!(text.starts_with("retry: 250\n") && !text.contains("dropped"), "{text}");
    assert!(text.ends_with(&format!("id: {}\n\n", last(&shop).await)), "{text}");
}

/// As a browser does that lost its connection.
#[tokio::test]
async fn a_listener_goes_on_where_it_was_and_is_told_how_much_it_missed() {
    let shop = Shop::open(TestApp::init().await).await;
    happen(&shop, 1).await;
    let before = last(&shop).await;
    let again = shop.admin.clone().with_header("last-event-id", &before.to_string());
    happen(&shop, 2).await;
    // The header is newer than the address, which stays the same.
    let all = text(&again.get("/admin/events/stream?after=0").await);
    assert_eq!(told(&all).len(), 2, "{all}");
    happen(&shop, EVENT_BACKLOG_MAX + 3).await;
    let late = text(&again.get("/admin/events/stream").await);
    assert_eq!(told(&late).len(), EVENT_BACKLOG_MAX);
    assert!(late.contains("event: dropped\ndata: {\"n_dropped\":5}\n\n"), "{late}");
    // Positions beyond the last one are of data that was replaced by an older copy.
    let ahead = format!("/admin/events/stream?after={}", before + 10_000);
    let none = text(&answered_in_time(&shop, &ahead).await);
    assert!(none.ends_with(&format!("id: {}\n\n", last(&shop).await)), "{none}");
    let wrong = shop.admin.get("/admin/events/stream?after=soon").await.error();
    assert!(wrong.starts_with("400 invalid_data: `after` is the position of an event"), "{wrong}");
}

#[tokio::test]
async fn listeners_have_a_limit_and_are_answered_after_a_while() {
    let shop = Shop::open(TestApp::init().await).await;
    let mut listeners = JoinSet::new();
    for _ in 0..=EVENT_LISTENERS_MAX {
        let admin = shop.admin.clone();
        listeners.spawn(async move { admin.get("/admin/events/stream").await });
    }
    let refused = listeners.join_next().await.expect("one of them").expect("an answer");
    assert_eq!(refused.error(), "503 unknown_error: Too many listen to events; try again later");
    loop {
        tokio::select! {
            biased;
            ended = listeners.join_next() => match ended {
                Some(answer) => assert_eq!(told(&text(&answer.expect("an answer"))), Vec::<Value>::new()),
                None => break,
            },
            () = yield_now() => shop.app.advance_ms(20_000),
        }
    }
}

#[tokio::test]
async fn listeners_that_go_away_make_room_for_others() {
    let shop = Shop::open(TestApp::init().await).await;
    for _ in 0..EVENT_LISTENERS_MAX * 2 {
        tokio::select! {
            biased;
            answer = shop.admin.get("/admin/events/stream") => panic!("nothing has happened: {}", answer.json),
            // Long enough for the request to wait.
            () = async { for _ in 0..10 { yield_now().await } } => {}
        }
        yield_now().await;
    }
    text(&answered_in_time(&shop, "/admin/events/stream").await);
}

#[tokio::test]
async fn what_the_data_takes_is_shown() {
    let shop = Shop::open(TestApp::init().await).await;
    let n_events = || async { shop.admin.get("/admin/storage").await.ok()["storage"]["n_events"].clone() };
    let before = n_events().await.as_u64().expect("a number");
    happen(&shop, 3).await;
    assert_eq!(n_events().await, json!(before + 3));
    let storage = shop.admin.get("/admin/storage").await.ok()["storage"].clone();
    assert_eq!((&storage["file_bytes"], &storage["free_bytes"]), (&Value::Null, &Value::Null), "in memory");
}

#[tokio::test]
async fn the_size_of_the_database_file_is_shown() {
    let folder = TempDir::new().expect("a folder");
    let data = Data::Folder(folder.path().to_owned());
    let app =
        Assembly::open(&data, Settings::default()).await.expect("a store").start().await.expect("a start");
    let taken = storage(&app.ctx).expect("a read");
    assert!(taken.file_bytes > Some(10_000) && taken.free_bytes > Some(0), "{taken:?}");
}
