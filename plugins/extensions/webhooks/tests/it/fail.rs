//! What happens when a receiver fails: retries, what it asks for, giving up, switching off, and the clock.

use std::time::Duration;

use atoll_webhooks::{FAILING_MAX, RETRY_PAUSES};
use serde_json::json;

use crate::{
    Bench, DAY, HOUR, SECOND, groups,
    receiver::{Answer, header},
    url,
};

#[tokio::test]
async fn a_failed_delivery_is_tried_again_by_the_schedule_and_then_given_up() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Status(500));
    let (id, _) = bench.webhook("erp", groups()).await;
    bench.happens().await;
    let mut delivery = bench.attempted(&id, 1).await;
    for (n, pause) in RETRY_PAUSES.iter().enumerate() {
        assert_eq!(delivery["state"], "pending");
        let before = bench.app().now();
        bench.advance_to_next(&delivery);
        let waited = (bench.app().now().millis() - before.millis()) as u128;
        assert!((pause.as_millis()..=pause.as_millis() * 11 / 10).contains(&waited), "{n}: {waited}");
        delivery = bench.attempted(&id, n as u64 + 2).await;
    }
    assert_eq!((&delivery["state"], &delivery["next_attempt_at"]), (&json!("failed"), &json!(null)));
    let got = bench.receiver().got("erp");
    assert_eq!(got.len(), RETRY_PAUSES.len() + 1);
    assert!(got.iter().all(|it| header(it, "webhook-id") == delivery["id"]));
    // Sent again by hand, it has all attempts again.
    bench.receiver().answers("erp", Answer::Takes);
    let again = format!("/admin/webhooks/{id}/deliveries/{}/repeat", delivery["id"].as_str().expect("an id"));
    bench.shop.admin.post(&again, json!({})).await.ok();
    assert_eq!(bench.attempted(&id, 1).await["state"], "delivered");
    assert_eq!(header(&bench.receiver().until("erp", 11).await[10], "webhook-id"), delivery["id"]);
}

#[tokio::test]
async fn a_failed_delivery_holds_up_no_later_one() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Unreachable);
    let (id, _) = bench.webhook("erp", groups()).await;
    bench.happens().await;
    let failed = bench.attempted(&id, 1).await;
    assert_eq!(failed["attempts"][0]["error"], "the connection was refused");
    assert_eq!(bench.shown(&id).await["failing_since"], json!(bench.app().now()));
    bench.receiver().answers("erp", Answer::Takes);
    bench.happens().await;
    bench.receiver().until("erp", 2).await;
    let is_well = async || bench.shown(&id).await["failing_since"].is_null();
    bench.app().until(is_well).await;
    assert_eq!(bench.deliveries(&id).await[0]["state"], "pending");
}

#[tokio::test]
async fn a_receiver_may_ask_to_wait() {
    let bench = Bench::new().await;
    bench.receiver().answers("busy", Answer::After(429, Duration::from_secs(600)));
    bench.receiver().answers("wrong", Answer::After(500, Duration::from_secs(600)));
    let (busy, _) = bench.webhook("busy", groups()).await;
    let (wrong, _) = bench.webhook("wrong", groups()).await;
    bench.happens().await;
    let at = bench.app().now();
    let busy = bench.attempted(&busy, 1).await;
    assert_eq!(busy["next_attempt_at"], json!(at.plus_millis(600 * SECOND)));
    // Only the answers that say so are meant.
    let wrong = bench.attempted(&wrong, 1).await;
    assert!(wrong["next_attempt_at"].as_str() < Some(&*at.plus_millis(6 * SECOND).to_string()));
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_switched_off_at_once() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Status(410));
    let (id, _) = bench.webhook("erp", groups()).await;
    bench.happens().await;
    bench.attempted(&id, 1).await;
    let shown = bench.shown(&id).await;
    assert_eq!((&shown["is_enabled"], &shown["switched_off"]), (&json!(false), &json!("gone")));
    assert_eq!(bench.app().events("webhook.switched_off"), [json!({ "id": id, "because": "gone" })]);
    bench.receiver().answers("erp", Answer::Takes);
    bench.app().advance_ms(HOUR);
    bench.happens().await;
    let again = format!("/admin/webhooks/{id}/deliveries/repeat-failed");
    let refused = bench.shop.admin.post(&again, json!({})).await.error();
    assert!(refused.contains("switched off"), "{refused}");
    // Switched on again, it gets what was pending, and what happens from then on.
    let on = json!({ "is_enabled": true });
    let shown = bench.shop.admin.post(&format!("/admin/webhooks/{id}"), on).await.ok();
    assert_eq!(shown["webhook"]["switched_off"], json!(null));
    assert_eq!(bench.attempted(&id, 2).await["state"], "delivered");
    bench.happens().await;
    bench.receiver().until("erp", 3).await;
    assert_eq!(bench.deliveries(&id).await.len(), 2);
}

#[tokio::test]
async fn a_receiver_that_fails_for_days_is_switched_off() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Status(503));
    let (id, _) = bench.webhook("erp", groups()).await;
    let n_days = FAILING_MAX.as_secs() as i64 * SECOND / DAY;
    for day in 0..n_days {
        assert_eq!(bench.shown(&id).await["is_enabled"], true, "{day}");
        bench.happens().await;
        let path = format!("/admin/webhooks/{id}/deliveries?order=-id&limit=1");
        let tried = async || {
            let list = bench.shop.admin.get(&path).await.ok();
            list["count"] == day + 1 && list["webhook_deliveries"][0]["n_attempts"] != 0
        };
        bench.app().until(tried).await;
        bench.app().advance_ms(DAY);
    }
    let is_off = async || bench.shown(&id).await["is_enabled"] == false;
    bench.app().until(is_off).await;
    assert_eq!(bench.app().events("webhook.switched_off"), [json!({ "id": id, "because": "failing" })]);
}

#[tokio::test]
async fn silence_is_no_failing() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Status(502));
    let (id, _) = bench.webhook("erp", groups()).await;
    bench.happens().await;
    let mut delivery = bench.attempted(&id, 1).await;
    for n in 2..=RETRY_PAUSES.len() as u64 + 1 {
        bench.advance_to_next(&delivery);
        delivery = bench.attempted(&id, n).await;
    }
    assert_eq!(delivery["state"], "failed");
    bench.app().advance_ms(2 * DAY);
    bench.happens().await;
    let is_tried = async || bench.deliveries(&id).await.last().is_some_and(|it| it["n_attempts"] == 1);
    bench.app().until(is_tried).await;
    let shown = bench.shown(&id).await;
    assert_eq!((&shown["is_enabled"], &shown["failing_since"]), (&json!(true), &json!(bench.app().now())));
}

#[tokio::test]
async fn at_a_new_address_a_webhook_has_not_failed_yet() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Unreachable);
    let (id, _) = bench.webhook("erp", groups()).await;
    bench.happens().await;
    bench.attempted(&id, 1).await;
    let change = async |url: String| {
        bench.shop.admin.post(&format!("/admin/webhooks/{id}"), json!({ "url": url })).await.ok();
        bench.shown(&id).await["failing_since"].clone()
    };
    assert_ne!(change(url("erp")).await, json!(null));
    assert_eq!(change(url("new")).await, json!(null));
}

#[tokio::test]
async fn a_sender_that_panics_has_failed() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Panics);
    let (id, _) = bench.webhook("erp", groups()).await;
    bench.happens().await;
    let delivery = bench.attempted(&id, 1).await;
    assert_eq!((&delivery["state"], &delivery["attempts"][0]["status"]), (&json!("pending"), &json!(null)));
    bench.receiver().answers("erp", Answer::Takes);
    bench.advance_to_next(&delivery);
    assert_eq!(bench.attempted(&id, 2).await["state"], "delivered");
    assert_eq!(bench.receiver().got("erp").len(), 2);
}

#[tokio::test]
async fn what_is_asked_for_again_while_it_is_under_way_is_sent_again() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Held);
    let (id, _) = bench.webhook("erp", groups()).await;
    bench.happens().await;
    let delivery = bench.receiver().until("erp", 1).await.swap_remove(0);
    bench.app().advance_ms(SECOND);
    let again = format!("/admin/webhooks/{id}/deliveries/{}/repeat", header(&delivery, "webhook-id"));
    bench.shop.admin.post(&again, json!({})).await.ok();
    bench.receiver().answers("erp", Answer::Takes);
    bench.receiver().until("erp", 2).await;
    let delivery = bench.attempted(&id, 1).await;
    assert_eq!(
        (&delivery["state"], delivery["attempts"].as_array().map(Vec::len)),
        (&json!("delivered"), Some(2))
    );
}

#[tokio::test]
async fn what_was_put_off_while_the_clock_was_ahead_is_sent_when_it_is_right() {
    let bench = Bench::new().await;
    bench.app().advance_ms(3650 * DAY);
    bench.receiver().answers("erp", Answer::Status(500));
    let (id, _) = bench.webhook("erp", groups()).await;
    bench.happens().await;
    bench.attempted(&id, 1).await;
    bench.receiver().answers("erp", Answer::Takes);
    bench.app().advance_ms(-3650 * DAY);
    assert_eq!(bench.attempted(&id, 2).await["state"], "delivered");
}

#[tokio::test]
async fn a_webhook_may_be_deleted_while_it_is_sent_something() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Held);
    let (id, _) = bench.webhook("erp", groups()).await;
    bench.webhook("other", groups()).await;
    bench.happens().await;
    bench.receiver().until("erp", 1).await;
    bench.shop.admin.delete(&format!("/admin/webhooks/{id}")).await.ok();
    bench.receiver().answers("erp", Answer::Status(500));
    bench.happens().await;
    bench.receiver().until("other", 2).await;
    let path = format!("/admin/webhooks/{id}");
    assert!(bench.shop.admin.get(&path).await.error().starts_with("404"));
    // Nothing is left of it, and nothing is sent to it.
    let view = bench.app().ctx.view();
    let left = atoll_webhooks::WEBHOOK_DELIVERIES.table.list_all(&view).expect("deliveries");
    assert!(left.iter().all(|it| it.webhook_id != id));
    assert_eq!(bench.receiver().got("erp").len(), 1);
}
