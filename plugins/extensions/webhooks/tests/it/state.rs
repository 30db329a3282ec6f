//! What is kept, what `verify` finds, and damage that holds nothing up.

use atoll_kernel::{Actor, Moment, Write, jobs::emit};
use atoll_webhooks::{
    DELIVERIES_PER_WEBHOOK_MAX, DELIVERY_DAYS, DeliveryState, SecretMark, WEBHOOK_DELIVERIES, WEBHOOKS,
    Webhook, WebhookDelivery, position_of,
};
use serde_json::json;

use crate::{Bench, DAY, HOUR, groups, receiver::Answer, url};

#[tokio::test]
async fn deliveries_are_deleted_after_a_month() {
    let bench = Bench::new().await;
    let (id, _) = bench.webhook("erp", groups()).await;
    bench.happens().await;
    bench.attempted(&id, 1).await;
    bench.app().advance_ms(DELIVERY_DAYS * DAY - 1);
    bench.app().run_job("webhooks.delete-old").await;
    assert_eq!(bench.deliveries(&id).await.len(), 1);
    bench.app().advance_ms(1);
    bench.app().run_job("webhooks.delete-old").await;
    assert_eq!(bench.deliveries(&id).await.len(), 0);
}

#[tokio::test]
async fn a_webhook_of_an_imported_shop_is_sent_what_happens_from_then_on() {
    let bench = Bench::new().await;
    bench.happens().await;
    // An import has the records, and not how far the program had come in its events.
    let mark = SecretMark { number: 1, expires_at: None };
    let webhook =
        Webhook { url: url("erp"), events: vec!["*".to_owned()], secrets: vec![mark], ..Webhook::default() };
    let import = move |tx: &mut dyn Write, at: &Moment| Ok(WEBHOOKS.create(tx, at, webhook)?);
    let (made, _) = bench.app().ctx.write(Actor::System, import).await.expect("a webhook");
    let has_begun = async || position_of(&bench.app().ctx.view(), &made.id).expect("a cursor").is_some();
    bench.app().until(has_begun).await;
    bench.happens().await;
    bench.attempted(&made.id, 1).await;
    assert_eq!(bench.deliveries(&made.id).await.len(), 1);
}

#[tokio::test]
async fn verify_finds_cursors_and_states_that_do_not_fit() {
    let bench = Bench::new().await;
    let (id, _) = bench.webhook("erp", groups()).await;
    bench.happens().await;
    bench.attempted(&id, 1).await;
    let app = bench.app();
    assert_eq!(app.verify().n_findings, 0);
    app.is_damaged();
    let plant = move |tx: &mut dyn Write, at: &Moment| {
        let delivery = WEBHOOK_DELIVERIES.table.list_all(tx)?.remove(0);
        let pending = |it: &mut WebhookDelivery| it.state = DeliveryState::Pending;
        WEBHOOK_DELIVERIES.update(tx, at, &delivery.id, pending)?;
        Ok(WEBHOOKS.update(tx, at, &id, |it: &mut Webhook| it.is_enabled = false)?)
    };
    app.ctx.write(Actor::System, plant).await.expect("records");
    let report = app.verify();
    assert_eq!(report.n_findings, 2, "{report:?}");
    let text = format!("{report:?}");
    assert!(text.contains("webhooks.cursors") && text.contains("webhooks.states"), "{text}");
}

#[tokio::test]
async fn an_event_about_a_damaged_record_holds_up_no_other() {
    let bench = Bench::new().await;
    let web = bench.shop.channel("Web").await;
    let customer = bench.shop.admin.post("/admin/customers", json!({ "email": "a@test.dev" })).await.ok();
    let customer = customer["customer"]["id"].as_str().expect("an id").to_owned();
    bench.app().damage("customer", customer.as_bytes()).await;
    let body = json!({ "events": ["customer.*", "order.*"], "sales_channel_ids": [web] });
    let (id, _) = bench.webhook("erp", body).await;
    let happen = move |tx: &mut dyn Write, at: &Moment| {
        emit(tx, at, "customer.updated", json!({ "id": customer }))?;
        Ok(emit(tx, at, "order.updated", json!({ "id": "order_1", "sales_channel_id": web }))?)
    };
    bench.app().ctx.write(Actor::System, happen).await.expect("events");
    assert_eq!(bench.attempted(&id, 1).await["event"], "order.updated");
}

#[tokio::test]
async fn a_damaged_delivery_holds_up_no_other() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Status(500));
    let (id, _) = bench.webhook("erp", groups()).await;
    bench.happens().await;
    let first = bench.attempted(&id, 1).await;
    bench.app().damage("webhook_delivery", first["id"].as_str().expect("an id").as_bytes()).await;
    bench.receiver().answers("erp", Answer::Takes);
    bench.app().advance_ms(HOUR);
    bench.happen(10).await;
    assert_eq!(bench.receiver().until("erp", 11).await.len(), 11);
}

/// The oldest is damaged: the next ones make room instead.
#[tokio::test]
async fn a_damaged_delivery_holds_up_no_room() {
    let bench = Bench::new().await;
    let (id, _) = bench.webhook("erp", groups()).await;
    let webhook_id = id.clone();
    let plant = move |tx: &mut dyn Write, at: &Moment| {
        for _ in 0..DELIVERIES_PER_WEBHOOK_MAX {
            let state = DeliveryState::Delivered;
            let sent =
                WebhookDelivery { webhook_id: webhook_id.clone(), state, ..WebhookDelivery::default() };
            WEBHOOK_DELIVERIES.create(tx, at, sent)?;
        }
        Ok(())
    };
    bench.app().ctx.write(Actor::System, plant).await.expect("deliveries");
    let ids = bench.deliveries(&id).await;
    let ids = [0, 1, 2, 3].map(|n| ids[n]["id"].as_str().expect("an id").to_owned());
    bench.app().damage("webhook_delivery", ids[0].as_bytes()).await;
    bench.happen(2).await;
    bench.receiver().until("erp", 2).await;
    let view = bench.app().ctx.view();
    let is_there = |id: &String| WEBHOOK_DELIVERIES.table.exists(&view, id).expect("a table");
    assert_eq!([&ids[0], &ids[1], &ids[2], &ids[3]].map(is_there), [true, false, false, true]);
}

#[tokio::test]
async fn a_damaged_webhook_or_cursor_holds_up_no_other_webhook() {
    for space in ["webhook", "webhook.cursor"] {
        let bench = Bench::new().await;
        let (id, _) = bench.webhook("erp", groups()).await;
        bench.webhook("other", groups()).await;
        bench.happens().await;
        bench.receiver().until("erp", 1).await;
        bench.receiver().until("other", 1).await;
        bench.app().damage(space, id.as_bytes()).await;
        bench.happens().await;
        bench.receiver().until("other", 2).await;
    }
}

#[tokio::test]
async fn with_a_damaged_delivery_a_webhook_is_repeated_and_deleted() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Unreachable);
    let (id, _) = bench.webhook("erp", groups()).await;
    bench.happen(2).await;
    bench.receiver().until("erp", 2).await;
    let ids: Vec<_> = bench.deliveries(&id).await.iter().map(|it| it["id"].clone()).collect();
    let give_up = |tx: &mut dyn Write, at: &Moment| {
        for it in WEBHOOK_DELIVERIES.table.list_all(tx)? {
            let failed = |it: &mut WebhookDelivery| {
                (it.state, it.next_attempt_at) = (DeliveryState::Failed, None);
            };
            WEBHOOK_DELIVERIES.update(tx, at, &it.id, failed)?;
        }
        Ok(())
    };
    bench.app().ctx.write(Actor::System, give_up).await.expect("deliveries");
    bench.app().damage("webhook_delivery", ids[0].as_str().expect("an id").as_bytes()).await;
    let path = format!("/admin/webhooks/{id}");
    let repeated = bench.shop.admin.post(&format!("{path}/deliveries/repeat-failed"), json!({})).await.ok();
    assert_eq!(repeated["n_repeated"], 1);
    bench.shop.admin.delete(&path).await.ok();
    assert!(bench.shop.admin.get(&path).await.error().starts_with("404"));
}
