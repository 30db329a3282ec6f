//! What admins do: make, change, test, and what is refused.

use std::collections::BTreeSet;

use atoll_kernel::{Actor, Moment, Write};
use atoll_webhooks::{
    DeliveryState, IN_FLIGHT_PER_WEBHOOK_MAX, PENDING_PER_WEBHOOK_MAX, TESTS_MAX, WEBHOOK_DELIVERIES,
    WEBHOOKS_MAX, WebhookDelivery,
};
use serde_json::json;

use crate::{
    Bench, groups,
    receiver::{Answer, header},
    url,
};

#[tokio::test]
async fn a_webhook_names_events_and_channels_that_there_are() {
    let bench = Bench::new().await;
    let admin = &bench.shop.admin;
    for (body, expected) in [
        (
            json!({ "url": url("erp"), "events": ["order.plced"] }),
            "There is no event `order.plced` (did you mean `order.placed`?)",
        ),
        (json!({ "url": url("erp"), "events": ["ordr.*"] }), "There is no event `ordr.*`"),
        (json!({ "url": url("erp"), "events": [] }), "A webhook needs at least one event"),
        (json!({ "url": "http://erp.test", "events": ["*"] }), "it must begin with `https://`"),
        (json!({ "url": url("erp"), "events": ["*"], "sales_channel_ids": ["sc_none"] }), "sc_none"),
        (json!({ "url": url(&"e".repeat(3000)), "events": ["*"] }), "more than 2048 bytes"),
        (json!({ "url": url("erp") }), "events"),
        (json!({ "url": url("erp"), "events": ["*"], "secrets": [] }), "secrets"),
    ] {
        let error = admin.post("/admin/webhooks", body).await.error();
        assert!(error.contains(expected), "{error}");
    }
    let names = admin.get("/admin/webhook-events").await.ok();
    let names = names["webhook_events"].as_array().expect("names");
    assert!(names.contains(&json!("order.placed")) && names.contains(&json!("webhook.switched_off")));
}

#[tokio::test]
async fn a_webhook_is_made_changed_and_deleted_and_shows_its_secret_once() {
    let bench = Bench::new().await;
    let admin = &bench.shop.admin;
    let (id, secret) = bench.webhook("erp", groups()).await;
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
    let path = format!("/admin/webhooks/{id}");
    let body = json!({ "description": "ERP", "events": ["order.*"], "metadata": { "a": 1 } });
    let changed = admin.post(&path, body).await.ok();
    assert_eq!(changed["webhook"]["description"], "ERP");
    assert_eq!(changed["webhook"]["events"], json!(["order.*"]));
    let list = admin.get("/admin/webhooks").await.ok();
    assert_eq!(list["count"], 1);
    for answer in [&changed, &list, &admin.get(&path).await.ok()] {
        assert!(!answer.to_string().contains("whsec_"), "{answer}");
    }
    // Nor is it in the data.
    let dump = format!("{:?}", atoll_webhooks::WEBHOOKS.table.list_all(&bench.app().ctx.view()));
    assert!(!dump.contains(&secret[6..]), "{dump}");
    admin.delete(&path).await.ok();
    assert!(admin.get(&path).await.error().starts_with("404"));
    assert_eq!(admin.get("/admin/webhooks").await.ok()["count"], 0);
}

#[tokio::test]
async fn the_test_button_sends_now_and_says_what_became_of_it() {
    let bench = Bench::new().await;
    let (id, _) = bench.webhook("erp", groups()).await;
    let path = format!("/admin/webhooks/{id}/test");
    let tested = bench.shop.admin.post(&path, json!({})).await.ok();
    assert_eq!((&tested["has_succeeded"], &tested["attempt"]["status"]), (&json!(true), &json!(204)));
    assert_eq!(tested["attempt"]["answer"], "noted");
    let got = bench.receiver().got("erp").swap_remove(0);
    assert_eq!(crate::receiver::body(&got)["type"], "webhook.test");
    bench.receiver().answers("erp", Answer::Unreachable);
    let tested = bench.shop.admin.post(&path, json!({})).await.ok();
    assert_eq!(tested["has_succeeded"], false);
    assert_eq!(tested["attempt"]["error"], "the connection was refused");
    assert_eq!(bench.deliveries(&id).await.len(), 0);
    assert_eq!(bench.shown(&id).await["failing_since"], json!(null));
}

#[tokio::test]
async fn failed_deliveries_are_sent_again_together() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Status(500));
    let (id, _) = bench.webhook("erp", groups()).await;
    bench.happen(3).await;
    let give_up = async || {
        let all = bench.deliveries(&id).await;
        all.iter().filter(|it| it["state"] == "pending").for_each(|it| {
            if it["n_attempts"] != 0 {
                bench.advance_to_next(it);
            }
        });
        all.len() == 3 && all.iter().all(|it| it["state"] == "failed")
    };
    bench.app().until(give_up).await;
    bench.receiver().answers("erp", Answer::Takes);
    let again = format!("/admin/webhooks/{id}/deliveries/repeat-failed");
    let later = json!({ "since": bench.app().now() });
    assert_eq!(bench.shop.admin.post(&again, later).await.ok()["n_repeated"], 0);
    assert_eq!(bench.shop.admin.post(&again, json!({})).await.ok()["n_repeated"], 3);
    let all_done = async || bench.deliveries(&id).await.iter().all(|it| it["state"] == "delivered");
    bench.app().until(all_done).await;
}

#[tokio::test]
async fn no_more_are_sent_again_than_may_be_pending() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Held);
    let (id, _) = bench.webhook("erp", groups()).await;
    let n_free = 5;
    bench.happen(PENDING_PER_WEBHOOK_MAX as usize - n_free).await;
    bench.receiver().until("erp", IN_FLIGHT_PER_WEBHOOK_MAX).await;
    let webhook_id = id.clone();
    let plant = move |tx: &mut dyn Write, at: &Moment| {
        for _ in 0..2 * n_free {
            let state = DeliveryState::Failed;
            let failed =
                WebhookDelivery { webhook_id: webhook_id.clone(), state, ..WebhookDelivery::default() };
            WEBHOOK_DELIVERIES.create(tx, at, failed)?;
        }
        Ok(())
    };
    let is_there = async || {
        let path = format!("/admin/webhooks/{id}/deliveries?limit=1");
        bench.shop.admin.get(&path).await.ok()["count"] == PENDING_PER_WEBHOOK_MAX - n_free as u64
    };
    bench.app().until(is_there).await;
    bench.app().ctx.write(Actor::System, plant).await.expect("deliveries");
    let again = format!("/admin/webhooks/{id}/deliveries/repeat-failed");
    assert_eq!(bench.shop.admin.post(&again, json!({})).await.ok()["n_repeated"], n_free);
    assert_eq!(bench.shop.admin.post(&again, json!({})).await.ok()["n_repeated"], 0);
    let path = format!("/admin/webhooks/{id}/deliveries?state=failed&limit=1");
    let failed = bench.shop.admin.get(&path).await.ok()["webhook_deliveries"][0]["id"].clone();
    let one = format!("/admin/webhooks/{id}/deliveries/{}/repeat", failed.as_str().expect("an id"));
    let refused = bench.shop.admin.post(&one, json!({})).await.error();
    assert!(refused.contains("1000 pending deliveries"), "{refused}");
    bench.app().is_damaged();
}

#[tokio::test]
async fn so_many_tests_are_under_way_at_a_time() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Held);
    let (id, _) = bench.webhook("erp", groups()).await;
    let path = format!("/admin/webhooks/{id}/test");
    let test = || bench.shop.admin.post(&path, json!({}));
    let one_more = async {
        let got = bench.receiver().until("erp", TESTS_MAX).await;
        let ids: BTreeSet<_> = got.iter().map(|it| header(it, "webhook-id")).collect();
        assert_eq!(ids.len(), TESTS_MAX);
        let refused = test().await.error();
        assert!(refused.starts_with("429"), "{refused}");
        bench.receiver().answers("erp", Answer::Takes);
    };
    let (a, b, c, d, ()) = tokio::join!(test(), test(), test(), test(), one_more);
    for it in [a, b, c, d] {
        assert_eq!(it.ok()["has_succeeded"], true);
    }
    assert_eq!(test().await.ok()["has_succeeded"], true);
}

#[tokio::test]
async fn there_are_at_most_so_many_webhooks() {
    let bench = Bench::new().await;
    for n in 0..WEBHOOKS_MAX {
        bench.webhook(&n.to_string(), groups()).await;
    }
    let body = json!({ "url": url("more"), "events": ["*"] });
    let refused = bench.shop.admin.post("/admin/webhooks", body).await.error();
    assert!(refused.contains("50 webhooks already"), "{refused}");
}
