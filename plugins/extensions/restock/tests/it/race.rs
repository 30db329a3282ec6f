//! Concurrent changes and crashes: each shopper is told once, and only of what can be bought.

#![expect(clippy::disallowed_methods, reason = "the tests deliver at once, which a plugin itself must not")]

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use atoll_availability::Seller;
use atoll_host::registry;
use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Write,
    data::Store,
    flow::{Local, Point, Probe, When},
    hook,
    jobs::emit,
    serde_json::Value,
};
use atoll_restock::{
    RESTOCK_SUBSCRIPTIONS, RestockSubscription, decide,
    points::{AVAILABLE, SubscriptionsNow},
};
use atoll_storage::engines::Memory;
use atoll_testkit::TestApp;
use serde_json::json;
use tokio::sync::Barrier;

use crate::{Bench, deliver, told};

const N_SHOPPERS: usize = 12;
const N_AT_ONCE: usize = 4;

/// The event by which the tests note whom was told what.
const TOLD: &str = "test.told";

hook! { "test.note-told" in AVAILABLE => note_told }

/// Notes in the same transaction whether what is told is true.
fn note_told(flow: &mut Local<'_>, input: &SubscriptionsNow) -> Result<(), Fault> {
    let ctx = flow.ctx();
    for it in &input.restock_subscriptions {
        note(flow.tx, flow.at, ctx, &it.id)?;
    }
    Ok(())
}

fn note(tx: &mut dyn Write, at: &Moment, ctx: &Ctx, id: &str) -> Result<(), Fault> {
    let it = RESTOCK_SUBSCRIPTIONS.retrieve(tx, id)?;
    let seller = Seller::of(ctx, it.sales_channel_id.as_deref(), at.now());
    let is_true = seller.shelf(tx)?.decide(&it.variant_id, it.quantity, None)?.sellable;
    Ok(emit(tx, at, TOLD, json!({ "id": id, "is_true": is_true }))?)
}

/// The invariant: all were told, each once, and what they were told was true.
fn check(told: &[Value], n: usize) -> Result<(), String> {
    let mut ids: Vec<&str> = told.iter().filter_map(|it| it["id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let n_true = told.iter().filter(|it| it["is_true"] == true).count();
    let got = (told.len(), ids.len(), n_true);
    if got == (n, n, n) { Ok(()) } else { Err(format!("{got:?} told, of them different, of them true")) }
}

/// So many shoppers wait: the first wants one, the second two, and so on.
async fn waiting(n: usize) -> Bench {
    let bench = Bench::new().await;
    for n in 1..=n {
        let body = json!({ "email": format!("{n}@test.dev"), "quantity": n });
        bench.ask(&bench.storefront, body).await.ok();
    }
    bench
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_shopper_is_told_once_while_the_stock_changes() {
    let bench = Arc::new(waiting(N_SHOPPERS).await);
    let (rounds, done) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let mut tasks = Vec::new();
    for _ in 0..N_AT_ONCE {
        let (bench, rounds, done) = (bench.clone(), rounds.clone(), done.clone());
        tasks.push(tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                deliver(&bench.shop.app).await;
                rounds.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        }));
    }
    for n in 1..=N_SHOPPERS as u32 {
        // Enough for one shopper more, for a moment.
        bench.stock(n).await;
        let seen = rounds.load(Ordering::Relaxed);
        while rounds.load(Ordering::Relaxed) == seen {
            tokio::task::yield_now().await;
        }
        bench.stock(0).await;
    }
    bench.stock(N_SHOPPERS as u32).await;
    done.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.expect("a delivery");
    }
    deliver(&bench.shop.app).await;
    assert_eq!(check(&bench.shop.app.events(TOLD), N_SHOPPERS), Ok(()));
    assert_eq!(bench.told().len(), N_SHOPPERS);
}

/// Negative control: with the decision before the transaction, the checker finds what is told twice, and what
/// is not true.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_decision_outside_of_the_transaction_tells_twice_and_wrongly() {
    let bench = Arc::new(waiting(1).await);
    bench.stock(1).await;
    let together = Arc::new(Barrier::new(N_AT_ONCE + 1));
    let mut tasks = Vec::new();
    for _ in 0..N_AT_ONCE {
        let (bench, together) = (bench.clone(), together.clone());
        tasks.push(tokio::spawn(async move {
            let ctx = bench.shop.app.ctx.clone();
            let view = ctx.view();
            let all = RESTOCK_SUBSCRIPTIONS.table.list_all(&view).expect("the store");
            let decisions = decide(&ctx, &view, ctx.now(), &all).expect("the store");
            together.wait().await;
            together.wait().await;
            for (it, _) in all.into_iter().zip(decisions).filter(|(_, decision)| decision.sellable) {
                let app = ctx.clone();
                let tell = move |tx: &mut dyn Write, at: &Moment| note(tx, at, &app, &it.id);
                ctx.write(Actor::System, tell).await.expect("a note");
            }
        }));
    }
    together.wait().await;
    bench.stock(0).await;
    together.wait().await;
    for task in tasks {
        task.await.expect("a task");
    }
    assert_eq!(
        check(&bench.shop.app.events(TOLD), 1),
        Err("(4, 1, 0) told, of them different, of them true".into())
    );
}

/// Fails the first run of a step, after its body; runs every flow twice.
struct FailOnce(AtomicBool);

impl Probe for FailOnce {
    fn probe(&self, point: &Point<'_>) -> Result<(), Fault> {
        let is_here = point.step == "tell-restock-subscriptions" && point.when == When::After;
        if is_here && self.0.swap(false, Ordering::Relaxed) {
            return Err(Fault::unexpected("on purpose"));
        }
        Ok(())
    }

    fn runs_twice(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn a_failure_between_decision_and_event_leaves_the_shopper_waiting() {
    let disk = Memory::default();
    let open = || Store::open(disk.clone(), &registry().expect("a registry").spaces()).expect("a store");
    let probe = Arc::new(FailOnce(AtomicBool::new(true)));
    let bench = Bench::over(TestApp::over(open(), Some(probe)).await).await;
    bench.subscribe("ada@test.dev").await.ok();
    bench.stock(5).await;
    let all = &bench.shop.app.ctx.registry().subscribers;
    let subscriber = all.iter().find(|it| it.name == "restock.check-changes").expect("it is linked in");
    let events = atoll_kernel::jobs::events_after(&bench.shop.app.ctx.view(), 0, usize::MAX).expect("events");
    let (_, last) = events.into_iter().rfind(|(_, it)| subscriber.follows(&it.name)).expect("an event");
    let failed = (subscriber.run)(bench.shop.app.ctx.clone(), last).await;
    assert!(failed.is_err(), "nothing failed");
    let is_waiting = |app: &TestApp| {
        let all = RESTOCK_SUBSCRIPTIONS.table.list_all(&app.ctx.view()).expect("the store");
        all.iter().all(RestockSubscription::is_waiting)
    };
    assert!(is_waiting(&bench.shop.app) && bench.told().is_empty());
    // The host crashes; the event is delivered again by the next one, and once more after that.
    bench.shop.app.ctx.store().close();
    let probe = Arc::new(FailOnce(AtomicBool::new(false)));
    let again = TestApp::over(open(), Some(probe)).await;
    deliver(&again).await;
    deliver(&again).await;
    assert_eq!(told(&again), ["ada@test.dev"]);
    assert!(!is_waiting(&again));
}
