//! What is kept, and what `verify` finds.

use atoll_kernel::{Actor, Moment, Write};
use atoll_webhooks::{DELIVERY_DAYS, DeliveryState, WEBHOOK_DELIVERIES, WEBHOOKS, Webhook, WebhookDelivery};

use crate::{Bench, DAY, groups};

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
