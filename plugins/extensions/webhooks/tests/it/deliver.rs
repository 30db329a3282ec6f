//! What is sent: the form of Standard Webhooks, the events and channels that a webhook wants, at least once.

use atoll_host::registry;
use atoll_kernel::{data::Store, jobs::last_event};
use atoll_storage::engines::Memory;
use atoll_testkit::{TestApp, complete};
use atoll_webhooks::{
    DeliveryState, IN_FLIGHT_PER_WEBHOOK_MAX, PENDING_PER_WEBHOOK_MAX, WEBHOOK_DELIVERIES, WebhookSecret,
    position_of, sign,
};
use serde_json::{Value, json};

use crate::{
    Bench, DAY, HOUR, groups,
    receiver::{Answer, Receiver, body, header},
    url,
};

#[tokio::test]
async fn events_are_sent_in_the_form_of_the_standard() {
    let bench = Bench::new().await;
    let (id, secret) = bench.webhook("erp", groups()).await;
    let group = bench.shop.admin.post("/admin/customer-groups", json!({ "name": "Trade" })).await.ok();
    let got = bench.receiver().until("erp", 1).await.swap_remove(0);
    let now = bench.app().now();
    assert_eq!(
        body(&got),
        json!({
            "type": "customer-group.created", "timestamp": now, "data": { "id": group["customer_group"]["id"] },
        })
    );
    let secret = WebhookSecret::parse(&secret).expect("a secret");
    let (message, seconds) = (header(&got, "webhook-id"), now.millis() / 1000);
    assert_eq!(header(&got, "content-type"), "application/json");
    assert_eq!(header(&got, "webhook-timestamp"), seconds.to_string());
    assert_eq!(header(&got, "webhook-signature"), sign(&secret, message, seconds, &got.body));
    let delivery = bench.attempted(&id, 1).await;
    assert_eq!(delivery["id"], message);
    assert_eq!(delivery["state"], "delivered");
    let attempt = json!({ "at": now, "duration_ms": 0, "status": 204, "answer": "noted", "error": null });
    assert_eq!(delivery["attempts"], json!([attempt]));
}

#[tokio::test]
async fn a_webhook_gets_what_it_wants_from_its_creation_on() {
    let bench = Bench::new().await;
    bench.happens().await;
    let (all, _) = bench.webhook("all", json!({ "events": ["*"] })).await;
    let (some, _) =
        bench.webhook("some", json!({ "events": ["customer.created", "customer-group.*"] })).await;
    bench.shop.admin.post("/admin/product-tags", json!({ "value": "sale" })).await.ok();
    bench.happens().await;
    bench.receiver().until("all", 2).await;
    bench.attempted(&some, 1).await;
    let names = |it: Vec<Value>| it.iter().map(|it| it["event"].clone()).collect::<Vec<_>>();
    assert_eq!(names(bench.deliveries(&all).await), ["product-tag.created", "customer-group.created"]);
    assert_eq!(names(bench.deliveries(&some).await), ["customer-group.created"]);
}

#[tokio::test]
async fn tokens_of_mailed_events_stay_here() {
    let bench = Bench::new().await;
    let (id, _) = bench.webhook("all", json!({ "events": ["invite.*"] })).await;
    bench.shop.admin.post("/admin/invites", json!({ "email": "new@test.dev" })).await.ok();
    let got = bench.receiver().until("all", 1).await;
    assert!(bench.app().events("invite.created")[0]["unsigned_token"].is_string());
    assert!(body(&got[0])["data"]["id"].is_string());
    assert!(!String::from_utf8_lossy(&got[0].body).contains("token"));
    assert!(!bench.attempted(&id, 1).await.to_string().contains("token"));
}

#[tokio::test]
async fn a_webhook_of_channels_gets_what_happens_in_them() {
    let bench = Bench::new().await;
    let shop = &bench.shop;
    let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
    let of_till = json!({ "events": ["*"], "sales_channel_ids": [till] });
    let (id, _) = bench.webhook("till", of_till).await;
    let tea = shop.product("Tea", &[&web, &till], 0).await;
    shop.stock(&tea.item, &shop.location, 5).await;
    for channel in [&web, &till] {
        let storefront = shop.storefront(&[channel]).await;
        let cart = shop.cart(&storefront, &tea.id, 1).await;
        complete(&storefront, &cart).await.ok();
    }
    bench.happens().await;
    let placed = async || {
        let all = bench.deliveries(&id).await;
        all.iter().any(|it| it["event"] == "order.placed" && it["state"] == "delivered")
    };
    bench.app().until(placed).await;
    let orders = shop.admin.get(&format!("/admin/orders?sales_channel_id[]={till}&fields=id")).await.ok();
    let all = bench.deliveries(&id).await;
    let of = |name: &str| all.iter().filter(|it| it["event"] == name).collect::<Vec<_>>();
    assert_eq!(of("order.placed").len(), 1);
    assert_eq!(of("order.placed")[0]["data"]["id"], orders["orders"][0]["id"]);
    // Products and groups are of no one channel.
    assert!(all.iter().all(|it| it["event"] != "product.created" && it["event"] != "customer-group.created"));
}

/// Shipments and payments name their order.
#[tokio::test]
async fn a_webhook_of_a_channel_hears_of_its_parcels_and_payments() {
    let bench = Bench::new().await;
    let shop = &bench.shop;
    let (web, till) = (shop.channel("Web").await, shop.channel("Till").await);
    let events = ["shipment.created", "delivery.created", "payment.captured", "payment.refunded"];
    let (id, _) = bench.webhook("till", json!({ "events": events, "sales_channel_ids": [till] })).await;
    let tea = shop.product("Tea", &[&web, &till], 0).await;
    shop.stock(&tea.item, &shop.location, 5).await;
    let mut of_till = String::new();
    for channel in [&web, &till] {
        let storefront = shop.storefront(&[channel]).await;
        let cart = shop.cart(&storefront, &tea.id, 1).await;
        let order = complete(&storefront, &cart).await.ok()["order"].clone();
        of_till = order["id"].as_str().expect("an id").to_owned();
        let post = async |path: &str, body: Value| shop.admin.post(path, body).await.ok();
        let path = format!("/admin/orders/{of_till}");
        let items = json!([{ "id": order["items"][0]["id"], "quantity": 1 }]);
        post(&format!("{path}/fulfillments"), json!({ "items": items })).await;
        let fields =
            shop.admin.get(&format!("{path}?fields=*fulfillments,*payment_collections.payments")).await.ok();
        let order = &fields["order"];
        let parcel = order["fulfillments"][0]["id"].as_str().expect("an id");
        post(&format!("{path}/fulfillments/{parcel}/shipments"), json!({ "items": items })).await;
        post(&format!("{path}/fulfillments/{parcel}/mark-as-delivered"), json!({})).await;
        let payment = order["payment_collections"][0]["payments"][0]["id"].as_str().expect("an id");
        post(&format!("/admin/payments/{payment}/capture"), json!({})).await;
        post(&format!("/admin/payments/{payment}/refund"), json!({})).await;
    }
    bench.receiver().until("till", events.len()).await;
    let got = bench.deliveries(&id).await;
    assert_eq!(got.iter().map(|it| &it["event"]).collect::<Vec<_>>(), events);
    assert!(got.iter().all(|it| it["data"]["order_id"] == of_till), "{got:?}");
}

#[tokio::test]
async fn a_webhook_that_catches_up_holds_up_no_other() {
    let bench = Bench::new().await;
    let (behind, _) = bench.webhook("behind", groups()).await;
    let (quick, _) = bench.webhook("quick", json!({ "events": ["customer.created"] })).await;
    bench.receiver().answers("behind", Answer::Held);
    let n_full = PENDING_PER_WEBHOOK_MAX as usize;
    bench.happen(n_full + 1).await;
    bench.happen_as("customer.updated", 3_200).await;
    let last = || last_event(&bench.app().ctx.view()).expect("a position");
    let position = |id: &str| position_of(&bench.app().ctx.view(), id).expect("a cursor").expect("a cursor");
    bench.app().until(async || position(&quick) == last()).await;
    assert!(position(&behind) + 3_200 < last());
    // From here on it has room, and much to come to before the last event.
    bench.receiver().answers("behind", Answer::Takes);
    bench.happen_as("customer.created", 1).await;
    bench.happens().await;
    bench.receiver().until("behind", n_full + 2).await;
    let order = bench.receiver().order();
    assert!(
        order.iter().rposition(|it| *it == url("quick")) < order.iter().rposition(|it| *it == url("behind"))
    );
}

#[tokio::test]
async fn a_slow_webhook_delays_no_other() {
    let bench = Bench::new().await;
    bench.receiver().answers("slow", Answer::Held);
    let (slow, _) = bench.webhook("slow", groups()).await;
    bench.webhook("quick", groups()).await;
    bench.happen(20).await;
    let quick = bench.receiver().until("quick", 20).await;
    assert_eq!(quick.len(), 20);
    assert_eq!(bench.receiver().got("slow").len(), IN_FLIGHT_PER_WEBHOOK_MAX);
    assert!(bench.deliveries(&slow).await.iter().all(|it| it["state"] == "pending"));
    bench.receiver().answers("slow", Answer::Takes);
    assert_eq!(bench.receiver().until("slow", 20).await.len(), 20);
}

#[tokio::test]
async fn a_webhook_with_many_pending_deliveries_gets_the_rest_when_there_is_room() {
    let bench = Bench::new().await;
    bench.receiver().answers("slow", Answer::Held);
    let (id, _) = bench.webhook("slow", groups()).await;
    let n = PENDING_PER_WEBHOOK_MAX as usize + 200;
    bench.happen(n).await;
    let pending = async || {
        let path = format!("/admin/webhooks/{id}/deliveries?state=pending&limit=1");
        bench.shop.admin.get(&path).await.ok()["count"].as_u64().expect("a count")
    };
    bench.app().until(async || pending().await >= PENDING_PER_WEBHOOK_MAX).await;
    assert!(pending().await < n as u64);
    bench.receiver().answers("slow", Answer::Takes);
    let got = bench.receiver().until("slow", n).await;
    let mut ids: Vec<_> = got.iter().map(|it| body(it)["data"]["id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((got.len(), ids.len()), (n, n));
}

#[tokio::test]
async fn an_attempt_that_a_crash_cuts_off_is_made_again_under_its_id() {
    let disk = Memory::default();
    let open = async || {
        let spaces = registry().expect("a registry").spaces();
        TestApp::over(Store::open(disk.clone(), &spaces).expect("a store"), None).await
    };
    let bench = Bench::over(open().await).await;
    bench.receiver().answers("erp", Answer::Held);
    bench.webhook("erp", groups()).await;
    bench.happens().await;
    let before = bench.receiver().until("erp", 1).await;
    // From here on nothing of this process is written.
    bench.app().ctx.store().close();
    let again = open().await;
    let _background = again.background().await;
    let after = Receiver::of(&again.ctx).until("erp", 1).await;
    assert_eq!(header(&before[0], "webhook-id"), header(&after[0], "webhook-id"));
    let is_delivered = async || {
        let all = WEBHOOK_DELIVERIES.table.list_all(&again.ctx.view()).expect("deliveries");
        all.iter().all(|it| it.state == DeliveryState::Delivered && it.n_attempts == 1)
    };
    again.until(is_delivered).await;
}

#[tokio::test]
async fn stopping_waits_for_what_is_under_way() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Held);
    let (id, _) = bench.webhook("erp", groups()).await;
    bench.happens().await;
    bench.receiver().until("erp", 1).await;
    let Bench { shop, background } = bench;
    let receiver = Receiver::of(&shop.app.ctx);
    let release = async { receiver.answers("erp", Answer::Takes) };
    tokio::join!(background.stop(), release);
    let bench = Bench { background: shop.app.background().await, shop };
    assert_eq!(bench.attempted(&id, 1).await["state"], "delivered");
    assert_eq!(bench.receiver().got("erp").len(), 1);
}

#[tokio::test]
async fn a_replaced_secret_signs_for_a_time() {
    let bench = Bench::new().await;
    let (id, old) = bench.webhook("erp", groups()).await;
    let path = format!("/admin/webhooks/{id}/rotate-secret");
    let rotated = bench.shop.admin.post(&path, json!({})).await.ok();
    let new = rotated["webhook"]["secret"].as_str().expect("a secret").to_owned();
    assert_ne!(old, new);
    let signatures = async |n: usize| {
        bench.happens().await;
        let got = bench.receiver().until("erp", n).await.swap_remove(n - 1);
        let seconds = bench.app().now().millis() / 1000;
        let by = |text: &str| {
            let secret = WebhookSecret::parse(text).expect("a secret");
            sign(&secret, header(&got, "webhook-id"), seconds, &got.body)
        };
        (header(&got, "webhook-signature").to_owned(), by(&old), by(&new))
    };
    let (sent, by_old, by_new) = signatures(1).await;
    assert_eq!(sent, format!("{by_new} {by_old}"));
    bench.app().advance_ms(DAY);
    let (sent, _, by_new) = signatures(2).await;
    assert_eq!(sent, by_new);
    // At once.
    let newest = bench.shop.admin.post(&path, json!({ "keep_hours": 0 })).await.ok();
    assert_eq!(newest["webhook"]["secrets"].as_array().map(Vec::len), Some(1));
    // More than a receiver need try.
    for _ in 0..2 {
        bench.shop.admin.post(&path, json!({ "keep_hours": 1 })).await.ok();
    }
    let refused = bench.shop.admin.post(&path, json!({ "keep_hours": 1 })).await.error();
    assert!(refused.contains("3 secrets sign already"), "{refused}");
    bench.app().advance_ms(HOUR);
    bench.shop.admin.post(&path, json!({ "keep_hours": 1 })).await.ok();
}
