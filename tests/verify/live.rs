//! `/admin/verify`: on a running shop, for admins, one at a time, also in the background.

use std::sync::RwLock;

use atoll_kernel::{Actor, Moment, StoreError, Write, check, verify::Verify};
use atoll_storage::{KeyBuf, WriteKeys};
use atoll_testkit::{Shop, TestApp};
use serde_json::{Value, json};

/// A verification does not end while a test holds this for writing.
static GATE: RwLock<()> = RwLock::new(());

check! { "test.gate": "No test holds up this verification" => wait_at_gate }

fn wait_at_gate(_: &mut Verify<'_>) -> Result<(), StoreError> {
    drop(GATE.read());
    Ok(())
}

/// Removes an entry of an index: that of the handle of the product `Tea`.
async fn spoil(shop: &Shop) {
    let spoil = |tx: &mut dyn Write, _: &Moment| {
        let handle = KeyBuf::new(tx.prefix("product.by_handle")).part("tea").into_bytes();
        tx.delete(handle);
        Ok(())
    };
    shop.app.ctx.write(Actor::System, spoil).await.expect("a write");
    shop.app.is_damaged();
}

#[tokio::test]
async fn admins_verify_a_running_shop() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    shop.product("Tea", &[&web], 3).await;
    let whole = shop.admin.post("/admin/verify", json!({})).await.ok();
    let report = &whole["verification"];
    assert_eq!(
        (&report["n_findings"], &report["findings"], &report["kinds"]),
        (&json!(0), &json!([]), &json!({}))
    );
    assert!(report["checked"]["rows"].as_u64().is_some_and(|n| n > 100), "{report}");

    spoil(&shop).await;
    let damaged = shop.admin.post("/admin/verify", json!({})).await.ok();
    let report = &damaged["verification"];
    assert_eq!((&report["n_findings"], &report["kinds"]), (&json!(1), &json!({ "index.missing": 1 })));
    let finding = &report["findings"][0];
    assert_eq!((&finding["kind"], &finding["space"]), (&json!("index.missing"), &json!("product.by_handle")));
    assert_eq!((&finding["key"], &finding["found"]), (&json!("tea"), &json!("nothing")));
    let storefront = shop.storefront(&[&web]).await;
    assert!(storefront.post("/admin/verify", json!({})).await.error().starts_with("401"));
}

#[tokio::test]
async fn admins_verify_a_running_shop_in_the_background() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    shop.product("Tea", &[&web], 3).await;
    let shown = || async { shop.admin.get("/admin/verify").await.ok()["verification"].clone() };
    assert_eq!(shown().await["started_at"], Value::Null);
    spoil(&shop).await;
    let begun = shop.admin.post("/admin/verify/start", json!({})).await.ok()["verification"].clone();
    assert!(begun["started_at"].is_string(), "{begun}");
    let ended = loop {
        let verification = shown().await;
        if !verification["ended_at"].is_null() {
            break verification;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(ended["report"]["kinds"], json!({ "index.missing": 1 }));
    assert!(ended["n_checked"].as_u64() > Some(100), "{ended}");
    assert_eq!(ended["error"], Value::Null);

    let held = GATE.write();
    shop.app.ctx.start_verification(10).expect("the first one has ended");
    let going_on = shop.app.ctx.verification();
    let refused = shop.app.ctx.start_verification(10).expect_err("another one goes on");
    assert_eq!(refused.to_string(), "Another verification is going on");
    assert_eq!(shop.app.ctx.verification().started_at, going_on.started_at);
    drop(held);
}

#[tokio::test]
async fn second_concurrent_verification_is_409() {
    let shop = Shop::open(TestApp::init().await).await;
    let held = GATE.write();
    let refused = async {
        let refused = shop.app.ctx.verify(10).await;
        drop(held);
        refused
    };
    let (first, second) = tokio::join!(shop.app.ctx.verify(10), refused);
    let refused = second.expect_err("the first one goes on").to_string();
    assert_eq!(refused, "Another verification is going on");
    assert_eq!(first.expect("a report").n_findings, 0);
    // The next one can start when it has ended or was cancelled.
    drop(tokio::time::timeout(std::time::Duration::ZERO, shop.app.ctx.verify(10)).await);
    let third = loop {
        match shop.app.ctx.verify(10).await {
            Ok(report) => break report,
            Err(busy) => assert_eq!(busy.to_string(), "Another verification is going on"),
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(third.n_findings, 0);
}

#[tokio::test]
async fn shutdown_cancels_a_running_verification() {
    let shop = Shop::open(TestApp::init().await).await;
    shop.app.ctx.stop();
    let answer = shop.admin.post("/admin/verify", json!({})).await;
    assert_eq!(answer.status.as_u16(), 503, "{}", answer.json);
    // Its permit is free; a verification without a request is not cancelled.
    shop.app.ctx.until_answered().await;
}
