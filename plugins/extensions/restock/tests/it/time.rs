//! What time alone changes: windows open, subscriptions expire, missed events are made up for.

use atoll_kernel::Actor;
use atoll_restock::{BATCH, RECHECK_AFTER, RESTOCK_SUBSCRIPTIONS, RestockSubscription};
use atoll_testkit::Setup;
use serde_json::json;

use crate::{Bench, deliver};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

#[tokio::test]
async fn shoppers_are_told_when_a_window_opens_and_not_before() {
    let bench = Bench::new().await;
    let app = &bench.shop.app;
    bench.subscribe("ada@test.dev").await.ok();
    bench.stock(5).await;
    let window = format!("/admin/sales-channels/{}/products/{}", bench.web, bench.tea.product);
    let opens = app.now().plus_millis(30 * MINUTE);
    bench.shop.admin.post(&window, json!({ "available_from": opens })).await.ok();
    deliver(app).await;
    for minutes in [0, 29] {
        app.advance_ms(minutes * MINUTE);
        app.run_job("restock.check-due").await;
        assert!(bench.told().is_empty());
    }
    app.advance_ms(MINUTE);
    app.run_job("restock.check-due").await;
    assert_eq!(bench.told(), ["ada@test.dev"]);
}

#[tokio::test]
async fn a_window_that_has_closed_tells_nobody() {
    let bench = Bench::new().await;
    let app = &bench.shop.app;
    bench.subscribe("ada@test.dev").await.ok();
    let window = format!("/admin/sales-channels/{}/products/{}", bench.web, bench.tea.product);
    let closes = app.now().plus_millis(30 * MINUTE);
    bench.shop.admin.post(&window, json!({ "available_until": closes })).await.ok();
    app.advance_ms(30 * MINUTE);
    bench.stock(5).await;
    deliver(app).await;
    app.advance_ms(RECHECK_AFTER.as_millis() as i64);
    app.run_job("restock.check-due").await;
    assert!(bench.told().is_empty());
}

#[tokio::test]
async fn shoppers_of_missed_events_are_told_after_a_while() {
    let bench = Bench::new().await;
    let app = &bench.shop.app;
    // More than a batch.
    for n in 0..=BATCH {
        bench.subscribe(&format!("{n}@test.dev")).await.ok();
    }
    bench.stock(5).await;
    app.run_job("restock.check-due").await;
    assert!(bench.told().is_empty());
    app.advance_ms(RECHECK_AFTER.as_millis() as i64);
    app.run_job("restock.check-due").await;
    assert_eq!(bench.told().len(), BATCH + 1);
}

#[tokio::test]
async fn subscriptions_expire_as_set_and_shoppers_who_still_wait_are_named() {
    let bench = Bench::over(Setup::default().setting("restock.days", 7).init().await).await;
    let app = &bench.shop.app;
    let all = || RESTOCK_SUBSCRIPTIONS.table.count(&app.ctx.view()).expect("a count");
    bench.subscribe("told@test.dev").await.ok();
    bench.stock(1).await;
    deliver(app).await;
    bench.stock(0).await;
    for n in 0..=BATCH {
        bench.subscribe(&format!("{n}@test.dev")).await.ok();
    }
    app.advance_ms(7 * DAY - 1);
    app.run_job("restock.expire").await;
    assert_eq!(all(), BATCH as u64 + 2);
    app.advance_ms(1);
    app.run_job("restock.expire").await;
    assert_eq!(all(), 0);
    assert_eq!(app.events("restock.expired").len(), BATCH + 1);
}

#[tokio::test]
async fn a_damaged_subscription_holds_no_other_up() {
    let bench = Bench::new().await;
    let app = &bench.shop.app;
    let made = bench.subscribe("damaged@test.dev").await.ok();
    bench.subscribe("ada@test.dev").await.ok();
    let id = made["restock_subscription"]["id"].as_str().expect("an id");
    app.damage("restock_subscription", id.as_bytes()).await;
    bench.stock(5).await;
    deliver(app).await;
    assert_eq!(bench.told(), ["ada@test.dev"]);
    // It is not in the way of an order, either.
    let cart = bench.shop.cart(&bench.storefront, &bench.tea.id, 1).await;
    let email = json!({ "email": "damaged@test.dev" });
    bench.storefront.post(&format!("/store/carts/{cart}"), email).await.ok();
    atoll_testkit::complete(&bench.storefront, &cart).await.ok();
    let keep = |tx: &mut dyn atoll_kernel::Write, at: &atoll_kernel::Moment| {
        Ok(RESTOCK_SUBSCRIPTIONS.create(tx, at, RestockSubscription::default())?)
    };
    app.ctx.write(Actor::System, keep).await.expect("a subscription that expired long ago");
    app.advance_ms(90 * DAY);
    app.run_job("restock.expire").await;
    // The damaged one is left, and `verify` names it.
    assert_eq!(RESTOCK_SUBSCRIPTIONS.table.count(&app.ctx.view()).expect("a count"), 1);
}
