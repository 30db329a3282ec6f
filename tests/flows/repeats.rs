//! Requests after an interrupted saga run: a retry, with and without an `Idempotency-Key`, and another
//! request under the same transaction id.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use atoll_kernel::{
    Fault, Registry,
    data::Store,
    flow::{Point, Probe},
    saga::WorkflowExecution,
};
use atoll_storage::engines::{Crash, EngineFault, Faulty, Memory, Switch};
use atoll_testkit::{Client, Shop, TestApp, pay_with};
use serde_json::{Value, json};

use crate::{
    bank::{Mood, account, account_is},
    payments::shop_with_cart,
};

/// Crashes at the commit after the n-th probe point of the saga.
#[derive(Default)]
pub(crate) struct CrashAt {
    n_points: AtomicUsize,
    at: Mutex<Option<(usize, Crash, Switch)>>,
}

impl CrashAt {
    pub(crate) fn set(&self, n: usize, crash: Crash, switch: &Switch) {
        self.n_points.store(0, Ordering::SeqCst);
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = Some((n, crash, switch.clone()));
    }
}

impl Probe for CrashAt {
    fn probe(&self, _: &Point<'_>) -> Result<(), Fault> {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let n = self.n_points.fetch_add(1, Ordering::SeqCst);
        if let Some((place, crash, switch)) = &*at
            && *place == n
        {
            switch.arm(*crash);
        }
        Ok(())
    }
}

pub(crate) async fn app_on(disk: &Memory, probe: Option<Arc<dyn Probe>>) -> (TestApp, Switch) {
    let engine = Faulty::new(disk.clone(), EngineFault::None);
    let switch = engine.switch();
    let store = Store::open(engine, &Registry::linked().expect("a registry").spaces()).expect("a store");
    (TestApp::over(store, probe).await, switch)
}

/// A shop on disk, and a cart to be paid through the bank.
struct Scene {
    disk: Memory,
    probe: Arc<CrashAt>,
    switch: Switch,
    shop: Shop,
    storefront: Client,
    cart: String,
}

impl Scene {
    async fn begin() -> Scene {
        let disk = Memory::default();
        let probe = Arc::new(CrashAt::default());
        let (app, switch) = app_on(&disk, Some(probe.clone())).await;
        let (shop, storefront, _, cart) = shop_with_cart(app).await;
        Scene { disk, probe, switch, shop, storefront, cart }
    }
}

/// Returns whether the run was interrupted at all. `recovers`: does the next process resume it before the
/// client retries?
async fn cut_at(n: usize, crash: Crash, recovers: bool) -> bool {
    let Scene { disk, probe, switch, shop, storefront, cart } = Scene::begin().await;
    pay_with(&storefront, &cart, "pp_bank").await;
    let (path, client) =
        (format!("/store/carts/{cart}/complete"), storefront.with_header("idempotency-key", "a"));
    probe.set(n, crash, &switch);
    let is_cut = client.post(&path, json!({})).await.status == 500;
    let admin = shop.admin.clone();
    drop(shop);

    let (app, _) = app_on(&disk, None).await;
    if recovers {
        app.ctx.recover().await.expect("a recovery");
    }
    let (client, admin) = (client.on(&app), admin.on(&app));
    let about = format!("point {n}, {crash:?}, recovers: {recovers}");
    let order = client.post(&path, json!({})).await;
    assert_eq!(order.json["type"], "order", "{about}: {}", order.json);
    assert_eq!(client.post(&path, json!({})).await.json, order.json, "{about}");
    assert_eq!(admin.get("/admin/orders").await.ok()["count"], 1, "{about}");
    assert_eq!(account(&cart, |it| it.n_charged()), 1, "{about}");
    is_cut
}

#[tokio::test]
async fn cart_completion_is_idempotent_over_crashes() {
    for crash in [Crash::Before, Crash::After] {
        for recovers in [false, true] {
            let mut n = 0;
            while cut_at(n, crash, recovers).await {
                n += 1;
            }
            assert!(n >= 4, "it was cut at {n} points only");
        }
    }
}

#[tokio::test]
async fn declined_payment_can_be_retried_with_the_same_idempotency_key() {
    let (_shop, storefront, _, cart) = shop_with_cart(TestApp::init().await).await;
    pay_with(&storefront, &cart, "pp_bank").await;
    let client = storefront.with_header("idempotency-key", "a");
    let path = format!("/store/carts/{cart}/complete");
    account(&cart, |it| it.mood = Mood::Declines);
    // On the wire a declined payment is a 200, and nothing was done.
    assert_eq!(client.post(&path, json!({})).await.ok()["type"], "cart");
    account(&cart, |it| it.mood = Mood::Pays);
    let order = client.post(&path, json!({})).await.ok();
    assert_eq!(order["type"], "order");
    assert_eq!(client.post(&path, json!({})).await.ok(), order);
    assert_eq!(account(&cart, |it| it.n_charged()), 1);
}

/// A capture or refund of 5 that is interrupted, and then one of another amount. Returns whether it was
/// interrupted at all.
async fn moved_after_cut(what: &str, then: i64, n: usize, crash: Crash, mood: Mood) -> bool {
    let Scene { disk, probe, switch, shop, storefront, cart } = Scene::begin().await;
    pay_with(&storefront, &cart, "pp_bank").await;
    storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
    let id = shop.admin.get("/admin/payments").await.ok()["payments"][0]["id"].clone();
    let path = format!("/admin/payments/{}", id.as_str().expect("an id"));
    if what == "refund" {
        shop.admin.post(&format!("{path}/capture"), json!({})).await.ok();
    }
    account(&cart, |it| it.mood = mood);
    probe.set(n, crash, &switch);
    let first = shop.admin.post(&format!("{path}/{what}"), json!({ "amount": 5 })).await;
    let is_cut = first.status == 500;
    account(&cart, |it| it.mood = Mood::Pays);
    let admin = shop.admin.clone();
    drop(shop);

    // Before the background resumes anything.
    let (app, _) = app_on(&disk, None).await;
    let admin = admin.on(&app);
    let saga = format!("{what}-payment-workflow");
    let amounts = |payment: &Value| -> Vec<i64> {
        let moves = payment["payment"][format!("{what}s")].as_array().expect("captures or refunds");
        moves.iter().map(|it| it["amount"].as_i64().expect("an amount")).collect()
    };
    let mut expected = amounts(&admin.get(&path).await.ok());
    let run = WorkflowExecution::find(&app.ctx.view(), &saga, id.as_str().expect("an id")).expect("a read");
    // The interrupted run is finished first, unless it was declined; a retry of the same request means the
    // same money.
    let is_refused = |it: &WorkflowExecution| it.steps.iter().any(|step| step.error.is_some());
    let is_done_first = run.is_some_and(|it| !it.has_ended() && !is_refused(&it));
    expected.extend(is_done_first.then_some(5));
    expected.extend((!is_done_first || then != 5).then_some(then));
    let second = admin.post(&format!("{path}/{what}"), json!({ "amount": then })).await;
    let about = format!("{what} 5, then {then}, point {n}, {crash:?}, {mood:?}");
    assert_eq!(amounts(&second.ok()), expected, "{about}");
    let (sum, all) = (expected.iter().sum::<i64>(), if what == "refund" { 20 } else { 0 });
    assert_eq!(account(&cart, |it| it.taken()), (all - sum).abs().into(), "{about}: books and bank");
    is_cut
}

/// The transaction id of captures and refunds is the payment, which is not all of the request.
#[tokio::test]
async fn interrupted_run_answers_no_other_request() {
    for what in ["capture", "refund"] {
        for (then, mood) in [(3, Mood::Pays), (5, Mood::Pays), (3, Mood::Declines), (5, Mood::Declines)] {
            for crash in [Crash::Before, Crash::After] {
                let mut n = 0;
                while moved_after_cut(what, then, n, crash, mood).await {
                    n += 1;
                }
                assert!(n >= 3, "{what}, then {then}, {mood:?}: it was cut at {n} points only");
            }
        }
    }
}

/// A capture or refund of 5 with an idempotency key is interrupted. Then another one of 3 resumes it and has
/// to wait for the bank; meanwhile the first one is retried. Returns whether it was interrupted at all.
async fn repeated_behind_another(what: &str, n: usize, crash: Crash) -> bool {
    let Scene { disk, probe, switch, shop, storefront, cart } = Scene::begin().await;
    pay_with(&storefront, &cart, "pp_patient_bank").await;
    storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
    let payments = shop.admin.get("/admin/payments").await.ok();
    let payment = format!("/admin/payments/{}", payments["payments"][0]["id"].as_str().expect("an id"));
    if what == "refund" {
        shop.admin.post(&format!("{payment}/capture"), json!({})).await.ok();
    }
    let path = format!("{payment}/{what}");
    let (first, other) = (
        shop.admin.clone().with_header("idempotency-key", "first"),
        shop.admin.clone().with_header("idempotency-key", "other"),
    );
    probe.set(n, crash, &switch);
    let is_cut = first.post(&path, json!({ "amount": 5 })).await.status == 500;
    drop(shop);

    let (app, _) = app_on(&disk, None).await;
    let (first, other) = (first.on(&app), other.on(&app));
    let n_calls = account(&cart, |it| {
        it.mood = Mood::Waits;
        it.n_calls
    });
    let other = {
        let path = path.clone();
        tokio::spawn(async move { other.post(&path, json!({ "amount": 3 })).await })
    };
    account_is(&cart, |it| it.n_calls > n_calls).await;
    let mut again = pin!(first.post(&path, json!({ "amount": 5 })));
    // It waits for the lock of the other run.
    let answer = poll_fn(|context| Poll::Ready(again.as_mut().poll(context))).await;
    account(&cart, |it| it.mood = Mood::Pays);
    let about = format!("{what}, point {n}, {crash:?}");
    other.await.expect("an answer").ok();
    match answer {
        Poll::Ready(answer) => answer.ok(),
        Poll::Pending => again.await.ok(),
    };
    let payment = first.get(&payment).await.ok();
    let moves = payment["payment"][format!("{what}s")].as_array().expect("captures or refunds");
    let mut amounts: Vec<_> = moves.iter().map(|it| it["amount"].as_i64().expect("an amount")).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [3, 5], "{about}");
    let taken: i64 = if what == "refund" { 12 } else { 8 };
    assert_eq!(account(&cart, |it| it.taken()), taken.into(), "{about}: the bank");
    is_cut
}

#[tokio::test]
async fn retry_that_waits_for_another_run_gets_the_result_of_its_own() {
    for what in ["capture", "refund"] {
        for crash in [Crash::Before, Crash::After] {
            let mut n = 0;
            while repeated_behind_another(what, n, crash).await {
                n += 1;
            }
            assert!(n >= 3, "{what}: it was cut at {n} points only");
        }
    }
}

/// Choosing the bank is interrupted, and then the buyer chooses to pay by hand.
#[tokio::test]
async fn interrupted_session_does_not_replace_a_later_choice() {
    for crash in [Crash::Before, Crash::After] {
        let mut n = 0;
        loop {
            let Scene { disk, probe, switch, shop, storefront, cart } = Scene::begin().await;
            let collections =
                storefront.post("/store/payment-collections", json!({ "cart_id": cart })).await.ok();
            let id = collections["payment_collection"]["id"].as_str().expect("an id").to_owned();
            let path = format!("/store/payment-collections/{id}/payment-sessions");
            probe.set(n, crash, &switch);
            let choice = json!({ "provider_id": "pp_bank", "data": { "cart_id": cart } });
            let is_cut = storefront.post(&path, choice).await.status == 500;
            drop(shop);
            if !is_cut {
                break;
            }
            let (app, _) = app_on(&disk, None).await;
            let choice = json!({ "provider_id": "pp_system_default" });
            let answer = storefront.on(&app).post(&path, choice).await.ok();
            let sessions = &answer["payment_collection"]["payment_sessions"];
            assert_eq!(sessions[0]["provider_id"], "pp_system_default", "point {n}, {crash:?}: {sessions}");
            n += 1;
        }
        assert!(n >= 3, "it was cut at {n} points only");
    }
}
