//! What an operator does: switch the extension off and on, sell without channels, verify the data.

use atoll_host::registry;
use atoll_kernel::{Actor, Moment, Write, data::Store, registry::Flags};
use atoll_restock::{RECHECK_AFTER, RESTOCK_SUBSCRIPTIONS, RestockStatus, RestockSubscription};
use atoll_storage::engines::Memory;
use atoll_testkit::{Shop, TestApp, Walk};
use serde_json::{Value, json};

use crate::{Bench, deliver, told};

async fn app(disk: &Memory, flag: &str, is_on: bool) -> TestApp {
    let store = Store::open(disk.clone(), &registry().expect("a registry").spaces()).expect("a store");
    let mut flags = Flags::default();
    flags.set(flag, is_on);
    TestApp::with_flags(store, None, flags).await
}

#[tokio::test]
async fn switched_off_it_tells_nobody_and_loses_nothing() {
    let disk = Memory::default();
    let bench = Bench::over(app(&disk, "restock", true).await).await;
    bench.subscribe("ada@test.dev").await.ok();
    bench.shop.app.ctx.store().close();

    let off = app(&disk, "restock", false).await;
    let (admin, storefront) = (bench.shop.admin.on(&off), bench.storefront.on(&off));
    let list = "/store/restock-subscriptions";
    assert_eq!(storefront.get(list).await.error(), format!("404 not_found: Cannot GET {list}"));
    let path = format!("/admin/inventory-items/{}/location-levels/{}", bench.tea.item, bench.shop.location);
    admin.post(&path, json!({ "stocked_quantity": 5 })).await.ok();
    deliver(&off).await;
    off.advance_ms(RECHECK_AFTER.as_millis() as i64);
    off.run_job("restock.check-due").await;
    assert!(told(&off).is_empty());
    off.ctx.store().close();

    let on = app(&disk, "restock", true).await;
    on.advance_ms(RECHECK_AFTER.as_millis() as i64);
    on.run_job("restock.check-due").await;
    assert_eq!(told(&on), ["ada@test.dev"]);
}

#[tokio::test]
async fn its_pages_show_who_waits_while_it_is_switched_on() {
    let disk = Memory::default();
    let bench = Bench::over(app(&disk, "restock", true).await).await;
    let title = json!({ "title": "<script>alert(1)</script>" });
    bench.shop.admin.post(&format!("/admin/products/{}", bench.tea.product), title).await.ok();
    bench.subscribe("ada@test.dev").await.ok();
    let on = Walk::of(&bench.shop.app).await;
    for page in ["/app/restock".to_owned(), format!("/app/products/{}", bench.tea.product)] {
        assert!(on.pages[&page].contains("ada@test.dev"), "{page}");
        assert!(!on.pages[&page].contains("<script>alert"), "{page}");
    }
    bench.shop.app.ctx.store().close();

    let off = Walk::of(&app(&disk, "restock", false).await).await;
    assert!(!off.pages.contains_key("/app/restock"));
    assert!(off.pages.values().all(|it| !it.contains("ada@test.dev")));
}

#[tokio::test]
async fn without_sales_channels_the_shop_as_a_whole_tells() {
    let shop = Shop::open(app(&Memory::default(), "sales_channels", false).await).await;
    let key = json!({ "title": "Web", "type": "publishable" });
    let key = shop.admin.post("/admin/api-keys", key).await.ok();
    let storefront = shop.app.storefront(key["api_key"]["token"].as_str().expect("a token"));
    let tea = shop.product("Tea", &[], 0).await;
    let body = json!({ "variant_id": tea.id, "email": "ada@test.dev" });
    let made = storefront.post("/store/restock-subscriptions", body).await.ok();
    assert_eq!(made["restock_subscription"]["sales_channel_id"], Value::Null);
    shop.stock(&tea.item, &shop.location, 5).await;
    deliver(&shop.app).await;
    assert_eq!(told(&shop.app), ["ada@test.dev"]);
}

#[tokio::test]
async fn verify_finds_a_subscription_whose_state_does_not_fit() {
    let bench = Bench::new().await;
    let app = &bench.shop.app;
    let made = bench.subscribe("ada@test.dev").await.ok();
    let id = made["restock_subscription"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(app.verify().n_findings, 0);
    app.is_damaged();
    let plant = move |tx: &mut dyn Write, at: &Moment| {
        let say = |it: &mut RestockSubscription| it.status = RestockStatus::Told;
        Ok(RESTOCK_SUBSCRIPTIONS.update(tx, at, &id, say)?)
    };
    app.ctx.write(Actor::System, plant).await.expect("a subscription");
    let report = app.verify();
    assert_eq!(report.n_findings, 1, "{report:?}");
    assert!(format!("{report:?}").contains("restock.states"), "{report:?}");
}
