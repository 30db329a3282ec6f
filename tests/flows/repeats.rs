//! `Idempotency-Key` and sagas: a completion through the bank that is cut anywhere, and sent again.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use atoll_kernel::{
    Fault, Point, Probe, Registry, Store,
    engines::{Crash, EngineFault, Faulty, Memory, Switch},
};
use atoll_testkit::{Shop, TestApp, pay_with};
use serde_json::json;

use crate::bank::{self, Mood, account};

/// Crashes at the commit after the n-th point that the saga passes.
#[derive(Default)]
struct CrashAt {
    n_points: AtomicUsize,
    at: Mutex<Option<(usize, Crash, Switch)>>,
}

impl CrashAt {
    fn set(&self, n: usize, crash: Crash, switch: &Switch) {
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

async fn app_on(disk: &Memory, probe: Option<Arc<dyn Probe>>) -> (TestApp, Switch) {
    let engine = Faulty::new(disk.clone(), EngineFault::None);
    let switch = engine.switch();
    let store = Store::open(engine, &Registry::linked().expect("a registry").spaces()).expect("a store");
    (TestApp::over(store, probe).await, switch)
}

/// Was it cut at all? `recovers`: does the next process go on by itself before the client comes again?
async fn cut_at(n: usize, crash: Crash, recovers: bool) -> bool {
    let disk = Memory::default();
    let probe = Arc::new(CrashAt::default());
    let (app, switch) = app_on(&disk, Some(probe.clone())).await;
    let shop = Shop::open(app).await;
    bank::open_for(&shop).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 2).await;
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
async fn a_completion_that_is_cut_anywhere_is_done_once_and_answered() {
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
async fn a_payment_that_was_refused_is_tried_again_with_the_same_key() {
    let shop = Shop::open(TestApp::init().await).await;
    bank::open_for(&shop).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 2).await;
    pay_with(&storefront, &cart, "pp_bank").await;
    let client = storefront.with_header("idempotency-key", "a");
    let path = format!("/store/carts/{cart}/complete");
    account(&cart, |it| it.mood = Mood::Declines);
    // The wire says 200 to this, and nothing was done.
    assert_eq!(client.post(&path, json!({})).await.ok()["type"], "cart");
    account(&cart, |it| it.mood = Mood::Pays);
    let order = client.post(&path, json!({})).await.ok();
    assert_eq!(order["type"], "order");
    assert_eq!(client.post(&path, json!({})).await.ok(), order);
    assert_eq!(account(&cart, |it| it.n_charged()), 1);
}
