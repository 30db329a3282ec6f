//! Low disk: subscribers and jobs wait while the disk has no room, and lose nothing.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Write, events, job,
    jobs::{Event, Tick, emit},
    subscriber,
};
use atoll_testkit::TestApp;
use serde_json::{Value, json};

use crate::settled;

/// How often the subscriber and the job of a test were called, and how often they are to find the disk full.
#[derive(Default)]
struct Calls {
    n_calls: AtomicUsize,
    n_full: AtomicUsize,
}

impl Calls {
    fn count(&self) -> usize {
        self.n_calls.load(Ordering::Relaxed)
    }
}

events! { "test.filled" }

subscriber! { "test.write-down" on ["test.filled"] => write_down }

async fn write_down(ctx: Ctx, _: Event) -> Result<(), Fault> {
    write(ctx).await
}

job! { "test.write-down" at "30 * * * *" => write_by_job }

async fn write_by_job(ctx: Ctx, _: Tick) -> Result<(), Fault> {
    write(ctx).await
}

/// Writes; the disk becomes full just before.
async fn write(ctx: Ctx) -> Result<(), Fault> {
    let calls: Arc<Calls> = ctx.memory();
    let n_before = calls.n_calls.fetch_add(1, Ordering::Relaxed);
    if n_before < calls.n_full.load(Ordering::Relaxed) {
        ctx.room().measured(0, 1);
    }
    ctx.write(Actor::System, |_, _| Ok(())).await.map(drop)
}

/// An application whose subscriber and job find the disk full when they are called for the first time.
async fn bench() -> (TestApp, Arc<Calls>) {
    let app = TestApp::init().await;
    let calls: Arc<Calls> = app.ctx.memory();
    calls.n_full.store(1, Ordering::Relaxed);
    (app, calls)
}

/// Waits until the disk is full, and somebody else's time has passed.
async fn filled(app: &TestApp) {
    while app.ctx.room().is_there() {
        tokio::task::yield_now().await;
    }
    app.advance_ms(60_000);
    // What is small and finishes something is written; whoever waits for a commit has seen this one.
    app.ctx.finishing().write(Actor::System, |_, _| Ok(())).await.expect("a write");
}

#[tokio::test]
async fn subscriber_waits_for_room_and_the_failure_does_not_count() {
    let (app, calls) = bench().await;
    let background = app.background().await;
    let emit = |tx: &mut dyn Write, at: &Moment| Ok(emit(tx, at, "test.filled", json!({}))?);
    app.ctx.write(Actor::System, emit).await.expect("an event");
    filled(&app).await;
    assert_eq!(calls.count(), 1);
    app.ctx.room().measured(2, 1);
    settled(&app, &["test.write-down"]).await;
    assert_eq!(calls.count(), 2);
    let (app, admin) = app.with_admin().await;
    let subscribers = admin.get("/admin/subscribers").await.ok();
    let mut subscribers = subscribers["subscribers"].as_array().expect("a list").iter();
    let this = subscribers.find(|it| it["name"] == "test.write-down").expect("the subscriber");
    assert_eq!((&this["n_failed"], &this["n_dead_letters"]), (&json!(0), &json!(0)));
    background.stop().await;
    drop(app);
}

#[tokio::test]
async fn job_that_finds_the_disk_full_runs_again_when_there_is_room() {
    let (app, calls) = bench().await;
    let (app, admin) = app.with_admin().await;
    let background = app.background().await;
    app.advance_ms(30 * 60_000);
    filled(&app).await;
    assert_eq!(calls.count(), 1);
    app.ctx.room().measured(2, 1);
    let runs = async || {
        let runs = admin.get("/admin/job-runs?job=test.write-down").await.ok();
        runs["job_runs"]
            .as_array()
            .expect("runs")
            .iter()
            .map(|it| it["state"].clone())
            .collect::<Vec<Value>>()
    };
    app.until(async || runs().await == [json!("done")]).await;
    assert_eq!(calls.count(), 2);
    background.stop().await;
}

#[tokio::test]
async fn background_that_starts_on_a_full_disk_waits_for_room() {
    let (app, calls) = bench().await;
    calls.n_full.store(0, Ordering::Relaxed);
    app.ctx.room().measured(0, 1);
    let background = app.background().await;
    app.advance_ms(30 * 60_000);
    app.ctx.finishing().write(Actor::System, |_, _| Ok(())).await.expect("a write");
    assert_eq!(calls.count(), 0);
    app.ctx.room().measured(2, 1);
    app.until(async || calls.count() == 1).await;
    // One that is stopped while it waits ends.
    app.ctx.room().measured(0, 1);
    background.stop().await;
}
