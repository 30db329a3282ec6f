//! Events and the subscribers that follow them.

use std::{
    collections::HashMap,
    sync::{
        LazyLock, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use atoll_background::{Background, DEAD_LETTERS, DeadLetter, prune};
use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Write, events,
    jobs::{Event, emit, events_after},
    subscriber,
};
use atoll_storage::{OUTBOX, event_positions, remove_event};
use atoll_testkit::{Log, Shop, TestApp, Walk, id};
use serde_json::{Value, json};

use crate::settled;

/// Events that the subscribers received, by test. The tests share the subscribers.
static SEEN: LazyLock<Mutex<HashMap<String, Vec<String>>>> = LazyLock::new(Mutex::default);

fn note(event: &Event, by: &str) -> usize {
    let test = event.data["test"].as_str().unwrap_or_default().to_owned();
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let line = format!("{by} {} {}", event.name, event.data["n"]);
    let seen = seen.entry(test).or_default();
    seen.push(line.clone());
    seen.iter().filter(|it| **it == line).count()
}

fn seen(test: &str, by: &str) -> Vec<String> {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    seen.get(test).into_iter().flatten().filter(|it| it.starts_with(by)).cloned().collect()
}

subscriber! { "test.watch-all" on ["*"] => watch_all }

async fn watch_all(_: Ctx, event: Event) -> Result<(), Fault> {
    note(&event, "all");
    Ok(())
}

events! { "thing.made", "thing.broken" }

subscriber! { "test.follow-one" on ["thing.made", "thing.broken"] => follow_one }

/// Fails or panics as often as the event says.
async fn follow_one(_: Ctx, event: Event) -> Result<(), Fault> {
    let n_seen = note(&event, "one");
    let n_failures = event.data["fails"].as_u64().unwrap_or(0) as usize;
    assert!(event.data["panics"] != true || n_seen > n_failures, "on purpose");
    if n_seen <= n_failures { Err(Fault::invalid(format!("failure {n_seen}"))) } else { Ok(()) }
}

static N_TESTS: AtomicUsize = AtomicUsize::new(0);

struct Bench {
    app: TestApp,
    test: String,
}

impl Bench {
    async fn new() -> Bench {
        let test = format!("test {}", N_TESTS.fetch_add(1, Ordering::Relaxed));
        Bench { app: TestApp::init().await, test }
    }

    async fn start(&self) -> Background {
        self.app.background().await
    }

    /// Commits an event.
    async fn emit(&self, name: &'static str, mut data: Value) {
        data["test"] = json!(self.test);
        let body = move |tx: &mut dyn Write, at: &Moment| Ok(emit(tx, at, name, data.clone())?);
        self.app.ctx.write(Actor::System, body).await.expect("an event");
    }

    /// Waits until both subscribers have processed all events.
    async fn settled(&self) {
        settled(&self.app, &["test.watch-all", "test.follow-one"]).await;
    }

    fn one(&self) -> Vec<String> {
        seen(&self.test, "one")
    }

    fn all(&self) -> Vec<String> {
        seen(&self.test, "all")
    }
}

#[tokio::test]
async fn committed_events_are_delivered_in_order() {
    let bench = Bench::new().await;
    bench.emit("thing.made", json!({ "n": 0 })).await;
    let background = bench.start().await;
    for n in 1..=100 {
        bench.emit(if n % 2 == 0 { "thing.made" } else { "other.made" }, json!({ "n": n })).await;
    }
    // Events of aborted transactions are not delivered.
    let test = bench.test.clone();
    let aborted = move |tx: &mut dyn Write, at: &Moment| -> Result<(), Fault> {
        emit(tx, at, "thing.made", json!({ "n": 1000, "test": test }))?;
        Err(Fault::invalid("it thought better of it"))
    };
    assert!(bench.app.ctx.write(Actor::System, aborted).await.is_err());
    bench.settled().await;
    // A new subscriber starts after the events that exist already.
    let made: Vec<String> = (1..=50).map(|n| format!("one thing.made {}", n * 2)).collect();
    assert_eq!(bench.one(), made);
    assert_eq!(bench.all().len(), 100);
    background.stop().await;
}

#[tokio::test]
async fn failing_subscriber_is_retried_and_blocks_no_other() {
    let bench = Bench::new().await;
    let background = bench.start().await;
    bench.emit("thing.made", json!({ "n": 1, "fails": 2 })).await;
    bench.emit("thing.made", json!({ "n": 2, "fails": 1, "panics": true })).await;
    bench.emit("thing.made", json!({ "n": 3 })).await;
    bench.settled().await;
    assert_eq!(
        bench.one(),
        [1, 1, 1, 2, 2, 3].map(|n| format!("one thing.made {n}")),
        "in order, as often as it takes"
    );
    assert_eq!(bench.all(), [1, 2, 3].map(|n| format!("all thing.made {n}")));
    background.stop().await;
}

#[tokio::test]
async fn undeliverable_events_become_dead_letters_that_can_be_retried() {
    let bench = Bench::new().await;
    let background = bench.start().await;
    bench.emit("thing.broken", json!({ "n": 1, "fails": 4 })).await;
    bench.emit("thing.made", json!({ "n": 2 })).await;
    bench.settled().await;
    assert_eq!(bench.one().last().map(String::as_str), Some("one thing.made 2"));
    background.stop().await;

    let Bench { app, test } = bench;
    let (app, admin) = app.with_admin().await;
    let list = admin.get("/admin/dead-letters").await.ok();
    let letter = &list["dead_letters"][0];
    assert_eq!((&list["count"], &letter["n_failed"]), (&json!(1), &json!(3)));
    assert_eq!((&letter["subscriber"], &letter["error"]), (&json!("test.follow-one"), &json!("failure 3")));
    let retry = format!("/admin/dead-letters/{}/retry", letter["id"].as_str().expect("an id"));
    let again = admin.post(&retry, json!({})).await.ok();
    assert_eq!(
        (&again["dead_letter"]["error"], &again["dead_letter"]["n_failed"]),
        (&json!("failure 4"), &json!(4))
    );
    assert_eq!(admin.post(&retry, json!({})).await.ok()["deleted"], true);
    assert_eq!(admin.get("/admin/dead-letters").await.ok()["count"], 0);
    assert!(admin.post(&retry, json!({})).await.error().starts_with("404 not_found"));
    assert_eq!(seen(&test, "one").len(), 3 + 1 + 2);

    // A dead letter can be deleted.
    let bench = Bench { app, test };
    let background = bench.start().await;
    bench.emit("thing.broken", json!({ "n": 3, "fails": 100 })).await;
    bench.settled().await;
    background.stop().await;
    let list = admin.get("/admin/dead-letters").await.ok();
    let path = format!("/admin/dead-letters/{}", list["dead_letters"][0]["id"].as_str().expect("an id"));
    assert_eq!(admin.delete(&path).await.ok()["object"], "dead_letter");
    assert!(admin.delete(&path).await.error().starts_with("404 not_found"));
}

#[tokio::test]
async fn text_of_dead_letters_is_shown_as_text_on_pages() {
    let bench = Bench::new().await;
    let background = bench.start().await;
    let data = json!({ "n": 1, "fails": 100, "name": "<script>alert(1)</script>" });
    bench.emit("thing.broken", data).await;
    bench.settled().await;
    background.stop().await;
    let (app, _) = bench.app.with_admin().await;
    let walk = Walk::of(&app).await;
    assert!(!walk.missed.contains("/dead-letters/:id"));
    for (path, page) in &walk.pages {
        assert!(!page.contains("<script>alert"), "{path}: {page}");
    }
}

#[tokio::test]
async fn dead_letters_are_retried_and_deleted_in_bulk() {
    let bench = Bench::new().await;
    let background = bench.start().await;
    // The second fails once more.
    for (n, fails) in [(1, 3), (2, 4), (3, 100), (4, 100)] {
        bench.emit("thing.broken", json!({ "n": n, "fails": fails })).await;
    }
    bench.settled().await;
    background.stop().await;
    let (app, admin) = bench.app.with_admin().await;
    let letters = async || {
        let list = admin.get("/admin/dead-letters?order=id").await.ok();
        list["dead_letters"].as_array().expect("letters").iter().map(id).collect::<Vec<_>>()
    };
    let of_one = json!({ "subscriber": "test.follow-one" });
    let retried = admin.post("/admin/dead-letters/retry", of_one.clone()).await.ok();
    assert_eq!(retried, json!({ "n_taken": 1, "n_failed": 3, "n_left": 3 }));
    let left = letters().await;
    let named = json!({ "ids": [left[0]] });
    let retried = admin.post("/admin/dead-letters/retry", named.clone()).await.ok();
    assert_eq!(retried, json!({ "n_taken": 1, "n_failed": 0, "n_left": 2 }));
    assert!(admin.post("/admin/dead-letters/retry", named).await.error().starts_with("404 not_found"));
    let deleted = admin.post("/admin/dead-letters/delete", json!({ "ids": [left[1]] })).await.ok();
    assert_eq!(deleted, json!({ "n_deleted": 1, "n_left": 1 }));
    let deleted = admin.post("/admin/dead-letters/delete", of_one).await.ok();
    assert_eq!(deleted, json!({ "n_deleted": 1, "n_left": 0 }));
    for wrong in [json!({}), json!({ "subscriber": "a", "ids": [] }), json!({ "ids": vec!["a"; 51] })] {
        let error = admin.post("/admin/dead-letters/retry", wrong).await.error();
        assert!(error.starts_with("400 invalid_data"), "{error}");
    }
    drop(app);
}

/// A module was taken out: what it has left behind does not keep others from being settled.
#[tokio::test]
async fn dead_letters_of_one_subscriber_are_settled_whatever_becomes_of_another() {
    let bench = Bench::new().await;
    let test = bench.test.clone();
    let write = move |tx: &mut dyn Write, at: &Moment| {
        for (n, subscriber) in ["test.follow-one", "gone.away", "test.follow-one"].into_iter().enumerate() {
            let data = json!({ "n": n, "test": test });
            let (subscriber, event) = (subscriber.to_owned(), "thing.broken".to_owned());
            DEAD_LETTERS.create(tx, at, DeadLetter { subscriber, event, data, ..DeadLetter::default() })?;
        }
        Ok(())
    };
    bench.app.ctx.write(Actor::System, write).await.expect("dead letters");
    let (app, admin) = bench.app.with_admin().await;
    let list = admin.get("/admin/dead-letters?order=id").await.ok();
    let ids: Vec<_> = list["dead_letters"].as_array().expect("letters").iter().map(id).collect();
    let retried = admin.post("/admin/dead-letters/retry", json!({ "ids": ids })).await.ok();
    assert_eq!(retried, json!({ "n_taken": 2, "n_failed": 1, "n_left": 1 }));
    let left = admin.get("/admin/dead-letters").await.ok();
    assert_eq!(left["dead_letters"][0]["error"], "Subscriber gone.away is not linked into this program");
    assert_eq!(seen(&bench.test, "one"), ["one thing.broken 0", "one thing.broken 2"]);
    drop(app);
}

#[tokio::test]
async fn subscribers_say_how_far_behind_they_are() {
    let bench = Bench::new().await;
    let (app, admin) = bench.app.with_admin().await;
    let bench = Bench { app, test: bench.test };
    let one = async || {
        let list = admin.get("/admin/subscribers").await.ok();
        let all = list["subscribers"].as_array().expect("subscribers");
        assert_eq!(list["count"], all.len());
        all.iter().find(|it| it["name"] == "test.follow-one").expect("the subscriber").clone()
    };
    let never = one().await;
    assert_eq!(
        (&never["n_waiting"], &never["events"]),
        (&Value::Null, &json!(["thing.made", "thing.broken"]))
    );
    bench.start().await.stop().await;
    assert_eq!((&one().await["n_waiting"], &one().await["oldest_waiting_at"]), (&json!(0), &Value::Null));
    let at = bench.app.ctx.now();
    bench.emit("thing.broken", json!({ "n": 1, "fails": 100 })).await;
    bench.app.advance_ms(1_000);
    bench.emit("other.made", json!({ "n": 2 })).await;
    assert_eq!((&one().await["n_waiting"], &one().await["oldest_waiting_at"]), (&json!(2), &json!(at)));
    let background = bench.start().await;
    bench.settled().await;
    background.stop().await;
    let done = one().await;
    assert_eq!((&done["n_waiting"], &done["n_dead_letters"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn delivery_resumes_after_a_restart() {
    let bench = Bench::new().await;
    let background = bench.start().await;
    bench.emit("thing.made", json!({ "n": 1 })).await;
    bench.settled().await;
    background.stop().await;
    bench.emit("thing.made", json!({ "n": 2 })).await;
    bench.emit("other.made", json!({ "n": 3 })).await;
    assert_eq!(bench.one().len(), 1);
    let background = bench.start().await;
    bench.settled().await;
    assert_eq!(bench.one(), [1, 2].map(|n| format!("one thing.made {n}")));
    assert_eq!(bench.all().len(), 3);
    background.stop().await;
}

#[tokio::test]
async fn old_delivered_events_are_pruned() {
    const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;
    let bench = Bench::new().await;
    let n_before = events_after(&bench.app.ctx.view(), 0, usize::MAX).expect("events").len();
    let background = bench.start().await;
    for n in 1..=3 {
        bench.emit("thing.made", json!({ "n": n })).await;
    }
    bench.settled().await;
    background.stop().await;
    let ctx = &bench.app.ctx;
    assert_eq!(prune(ctx).await.expect("a pruning"), 0, "they are young");
    bench.app.advance_ms(WEEK_MS);
    bench.emit("thing.made", json!({ "n": 4 })).await;
    assert_eq!(prune(ctx).await.expect("a pruning"), n_before + 3);
    bench.app.advance_ms(WEEK_MS);
    assert_eq!(prune(ctx).await.expect("a pruning"), 0, "nobody has seen the fourth");
    let background = bench.start().await;
    bench.settled().await;
    background.stop().await;
    assert_eq!(bench.one().len(), 4);
    assert_eq!(prune(ctx).await.expect("a pruning"), 1);
}

/// A module was off for longer than events are kept.
#[tokio::test]
async fn events_that_a_subscriber_has_lost_are_logged() {
    let bench = Bench::new().await;
    bench.start().await.stop().await;
    for n in 0..3 {
        bench.emit("thing.made", json!({ "n": n })).await;
    }
    let remove = |tx: &mut dyn Write, _: &Moment| {
        let all = event_positions(tx, u64::MAX, usize::MAX)?;
        all.into_iter().for_each(|position| remove_event(tx, position));
        Ok(())
    };
    bench.app.ctx.write(Actor::System, remove).await.expect("no events");
    let (log, _guard) = Log::open();
    bench.start().await.stop().await;
    let text = log.take();
    let line = text.lines().find(|it| it.contains("test.follow-one")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("ERROR") && line.contains("n_lost=3"), "{line}");
}

/// A damaged event is lost, and what follows it is not.
#[tokio::test]
async fn damaged_event_does_not_stop_delivery_and_pruning() {
    const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;
    let bench = Bench::new().await;
    bench.start().await.stop().await;
    for n in 1..=3 {
        bench.emit("thing.made", json!({ "n": n })).await;
    }
    let ctx = &bench.app.ctx;
    let events = events_after(&ctx.view(), 0, usize::MAX).expect("events");
    let place = events[events.len() - 2].0;
    bench.app.damage(OUTBOX, &place.to_be_bytes()).await;
    let background = bench.start().await;
    bench.settled().await;
    background.stop().await;
    assert_eq!(bench.one(), [1, 3].map(|n| format!("one thing.made {n}")));
    bench.app.advance_ms(WEEK_MS);
    assert_eq!(prune(ctx).await.expect("a pruning"), events.len(), "the damaged one goes, too");
}

#[tokio::test]
async fn events_from_the_future_do_not_block_pruning() {
    const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;
    let bench = Bench::new().await;
    // The subscribers start after this event.
    bench.start().await.stop().await;
    bench.app.advance_ms(52 * WEEK_MS);
    // More than a batch.
    for n in 1..=600 {
        bench.emit("thing.made", json!({ "n": n })).await;
    }
    bench.app.advance_ms(-52 * WEEK_MS);
    bench.emit("thing.made", json!({ "n": 601 })).await;
    let ctx = &bench.app.ctx;
    let see = async || {
        let background = bench.start().await;
        bench.settled().await;
        background.stop().await;
    };
    see().await;
    assert_eq!(prune(ctx).await.expect("a pruning"), 0, "they are no older than the last, which is young");
    bench.app.advance_ms(WEEK_MS);
    bench.emit("thing.made", json!({ "n": 602 })).await;
    see().await;
    while prune(ctx).await.expect("a pruning") > 0 {}
    let left = events_after(&ctx.view(), 0, usize::MAX).expect("events");
    assert_eq!(left.into_iter().map(|(_, it)| it.data["n"].clone()).collect::<Vec<_>>(), [602]);
}

/// What was written to the outbox while `body` ran, without times and ids.
async fn written(shop: &Shop, body: impl AsyncFnOnce()) -> Vec<String> {
    let all = || events_after(&shop.app.ctx.view(), 0, usize::MAX).expect("events");
    let before = all().len();
    body().await;
    all().into_iter().skip(before).map(|(_, event)| event.name).collect()
}

#[tokio::test]
async fn record_and_link_changes_emit_events_that_are_followed() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[], 0).await;
    let path = format!("/admin/sales-channels/{web}/products");
    let events = written(&shop, async || {
        shop.admin.post(&path, json!({ "add": [tea.product] })).await.ok();
        // A second update with the same values is no change.
        shop.admin.post(&path, json!({ "add": [tea.product] })).await.ok();
        let window = json!({ "available_from": "2099-01-01T00:00:00.000Z" });
        shop.admin.post(&format!("{path}/{}", tea.product), window).await.ok();
        shop.admin.post(&path, json!({ "remove": [tea.product] })).await.ok();
    });
    assert_eq!(
        events.await,
        [
            "LinkProductSalesChannel.attached", "LinkProductSalesChannel.updated", "sales-channel.updated",
            "LinkProductSalesChannel.detached",
        ]
    );
    let events = written(&shop, async || {
        let body = json!({ "title": "Green tea" });
        shop.admin.post(&format!("/admin/products/{}", tea.product), body).await.ok();
    });
    assert_eq!(events.await, ["product.product.updated", "product.updated"]);
    let events = written(&shop, async || {
        shop.admin.delete(&format!("/admin/sales-channels/{web}")).await.ok();
    });
    assert_eq!(
        events.await,
        [
            "LinkSalesChannelStockLocation.detached", "sales-channel.sales-channel.deleted",
            "sales-channel.deleted"
        ]
    );
}
