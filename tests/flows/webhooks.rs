//! Webhooks: a provider says later what became of a payment, and it is done once; and raw routes of a module.

use atoll_background::{Pace, start};
use atoll_cart::day_of;
use atoll_flows::cart::{DELETE_EXPIRED_CARTS, DeleteExpired, expired_carts};
use atoll_kernel::{
    Actor, Fault, Timestamp,
    http::{self, Call, Encoding, Params, Part, Reply, Type, check_signature, header, sign, sign_timed},
    limits::FORMER_SESSIONS_MAX,
    routes,
    saga::{ExecutionState, WorkflowExecution},
};
use atoll_payment::{FORMER_SESSIONS, FormerSession};
use atoll_testkit::{Answer, Client, Shop, TestApp, Variant, id, pay_with};
use axum::body::Body;
use serde_json::{Value, json};

use crate::{
    bank::{Mood, WEBHOOK_SECRET, account, account_is},
    payments::shop_with_cart,
    sagas::tend,
};

/// A shop that sells tea at 10, and a cart with two of it whose buyer has chosen a bank.
struct Scene {
    shop: Shop,
    storefront: Client,
    tea: Variant,
    cart: String,
    session: String,
    provider: &'static str,
}

impl Scene {
    async fn new(provider: &'static str) -> Scene {
        let (shop, storefront, tea, cart) = shop_with_cart(TestApp::init().await).await;
        pay_with(&storefront, &cart, provider).await;
        let mut scene = Scene { shop, storefront, tea, cart, session: String::new(), provider };
        scene.session = scene.current_session().await;
        scene
    }

    async fn current_session(&self) -> String {
        let path = format!("/store/carts/{}?fields=*payment_collection.payment_sessions", self.cart);
        let shown = self.storefront.get(&path).await.ok();
        id(&shown["cart"]["payment_collection"]["payment_sessions"][0])
    }

    /// A shop whose bank has not decided yet over the payment of the cart.
    async fn pending() -> Scene {
        let scene = Scene::new("pp_bank").await;
        account(&scene.cart, |it| it.mood = Mood::Pends);
        let shown = scene.complete().await.ok();
        assert_eq!(shown["error"]["type"], "payment_requires_more_error", "{shown}");
        assert_eq!(scene.shop.reserved(&scene.tea.item).await, "2 of 9");
        scene
    }

    /// What is kept of the session of the cart, which was replaced or closed.
    fn former(&self) -> FormerSession {
        FORMER_SESSIONS.retrieve(&self.shop.app.ctx.view(), &self.session).expect("a former session")
    }

    /// Adds one more of the tea, so that another amount is due.
    async fn take_more(&self) {
        let line = json!({ "variant_id": self.tea.id, "quantity": 1 });
        self.storefront.post(&format!("/store/carts/{}/line-items", self.cart), line).await.ok();
    }

    async fn complete(&self) -> Answer {
        self.storefront.post(&format!("/store/carts/{}/complete", self.cart), json!({})).await
    }

    /// What the bank sends about the session of the cart.
    fn event(&self, what: &str, amount: u32) -> Value {
        json!({ "type": what, "session_id": self.session, "amount": amount })
    }

    async fn send(&self, event: &Value) -> Answer {
        let signature = sign_timed(WEBHOOK_SECRET, event.to_string().as_bytes(), self.shop.app.now());
        self.send_signed(self.provider, event, &signature).await
    }

    async fn send_signed(&self, provider: &str, event: &Value, signature: &str) -> Answer {
        let bank = self.shop.app.client().without_type().with_header("bank-signature", signature);
        bank.send("POST", &format!("/hooks/payment/{provider}"), Body::from(event.to_string())).await
    }

    /// Waits until the run that a webhook has answered has ended.
    async fn until(&self, n_orders: usize) {
        let mut commits = self.shop.app.ctx.store().commits();
        while self.orders().await.len() < n_orders {
            commits.changed().await.expect("a commit");
        }
    }

    /// The run that completes the cart.
    fn run(&self) -> WorkflowExecution {
        let found = WorkflowExecution::find(&self.shop.app.ctx.view(), "complete-cart", &self.cart);
        found.expect("a read").expect("a run")
    }

    async fn orders(&self) -> Vec<Value> {
        let path = "/admin/orders?fields=payment_status,*payment_collections.payments.captures";
        let orders = self.shop.admin.get(path).await.ok();
        orders["orders"].as_array().cloned().unwrap_or_default()
    }

    /// The captured amounts of the only order.
    async fn captures(&self) -> Vec<Value> {
        let orders = self.orders().await;
        assert_eq!(orders.len(), 1);
        let payments = orders[0]["payment_collections"][0]["payments"].as_array().expect("payments");
        assert_eq!(payments.len(), 1);
        let captures = payments[0]["captures"].as_array().expect("captures").iter();
        captures.map(|it| it["amount"].clone()).collect()
    }
}

#[tokio::test]
async fn webhook_finishes_the_waiting_cart_once() {
    let scene = Scene::pending().await;
    assert_eq!(scene.complete().await.ok()["type"], "cart", "it is still waited for");
    let event = scene.event("authorized", 20);
    // The bank sends it twice at once, and once more.
    let (first, second) = tokio::join!(scene.send(&event), scene.send(&event));
    assert_eq!((first.ok(), second.ok()), (json!({ "received": true }), json!({ "received": true })));
    scene.until(1).await;
    scene.send(&event).await.ok();
    assert_eq!(scene.captures().await, [0; 0]);
    assert_eq!(scene.orders().await[0]["payment_status"], "authorized");
    assert_eq!(
        account(&scene.cart, |it| (it.n_charged(), it.n_calls)),
        (1, 2),
        "one authorization, after `Initiate`"
    );
    assert_eq!(scene.complete().await.ok()["type"], "order");
}

#[tokio::test]
async fn captured_amounts_are_recorded_once() {
    let scene = Scene::pending().await;
    scene.send(&scene.event("captured", 5)).await.ok();
    scene.until(1).await;
    assert_eq!(scene.captures().await, [5]);
    // It comes again, and later ones overtake it.
    for (amount, captures) in [(5, vec![5]), (20, vec![5, 15]), (5, vec![5, 15]), (20, vec![5, 15])] {
        scene.send(&scene.event("captured", amount)).await.ok();
        assert_eq!(scene.captures().await, captures, "{amount}");
    }
    assert_eq!(scene.orders().await[0]["payment_status"], "captured");
    assert_eq!(account(&scene.cart, |it| it.taken()), 0_i64.into(), "the bank was not asked to");
}

#[tokio::test]
async fn webhook_completes_a_cart_whose_buyer_has_gone() {
    for (what, captures) in [("authorized", vec![]), ("captured", vec![20])] {
        let scene = Scene::new("pp_bank").await;
        scene.send(&scene.event(what, 20)).await.ok();
        assert_eq!(scene.captures().await, captures, "{what}");
        assert_eq!(scene.complete().await.ok()["type"], "order");
        scene.send(&scene.event(what, 20)).await.ok();
        assert_eq!(scene.captures().await, captures, "{what}");
        assert_eq!(account(&scene.cart, |it| it.n_charged()), 1);
    }
}

/// The bank answers the request of the buyer, and sends a webhook about it at the same time.
#[tokio::test]
async fn webhook_and_answer_of_the_provider_have_one_effect() {
    let scene = Scene::new("pp_patient_bank").await;
    account(&scene.cart, |it| it.mood = Mood::Waits);
    let event = scene.event("captured", 20);
    let answer = async {
        account_is(&scene.cart, |it| it.n_charged() > 0).await;
        account(&scene.cart, |it| it.mood = Mood::Pays);
    };
    let (order, told, ()) = tokio::join!(scene.complete(), scene.send(&event), answer);
    assert_eq!(order.ok()["type"], "order");
    told.ok();
    assert_eq!(scene.captures().await, [20]);

    let scene = Scene::new("pp_patient_bank").await;
    scene.complete().await.ok();
    let payment = id(&scene.shop.admin.get("/admin/payments").await.ok()["payments"][0]);
    account(&scene.cart, |it| it.mood = Mood::Waits);
    let event = scene.event("captured", 20);
    let path = format!("/admin/payments/{payment}/capture");
    let answer = async {
        account_is(&scene.cart, |it| !it.taken().is_zero()).await;
        account(&scene.cart, |it| it.mood = Mood::Pays);
    };
    let asked = scene.shop.admin.post(&path, json!({}));
    let (captured, told, ()) = tokio::join!(asked, scene.send(&event), answer);
    assert!(captured.status.is_success() && told.status.is_success());
    assert_eq!(scene.captures().await, [20]);
}

/// The webhook overtakes the answer that the payment is pending: it is sent again, and not lost.
#[tokio::test]
async fn failure_that_comes_too_early_is_sent_again() {
    let scene = Scene::new("pp_patient_bank").await;
    account(&scene.cart, |it| it.mood = Mood::Waits);
    let failed = scene.event("failed", 0);
    let send = async {
        account_is(&scene.cart, |it| it.n_charged() > 0).await;
        let early = scene.send(&failed).await;
        account(&scene.cart, |it| it.mood = Mood::Pays);
        early
    };
    let (order, early) = tokio::join!(scene.complete(), send);
    assert_eq!(
        early.error(),
        format!("409 conflict (invalid_state_error): Cart {} is being completed", scene.cart)
    );
    assert_eq!(order.ok()["type"], "order");
    scene.send(&failed).await.ok();
    assert_eq!(scene.orders().await.len(), 1, "what was authorized is not undone by a webhook");
}

#[tokio::test]
async fn failed_or_forgotten_payment_releases_the_stock() {
    for is_told in [true, false] {
        let scene = Scene::pending().await;
        if is_told {
            scene.send(&scene.event("failed", 0)).await.ok();
        } else {
            scene.shop.app.advance_ms(3_600_001);
            tend(&scene.shop.app.ctx).await;
        }
        let mut commits = scene.shop.app.ctx.store().commits();
        while scene.run().state != ExecutionState::Reverted {
            commits.changed().await.expect("a commit");
        }
        assert_eq!(scene.shop.reserved(&scene.tea.item).await, "0 of 9");
        assert_eq!(account(&scene.cart, |it| it.n_charged()), 0, "the authorization was cancelled");
        // What was cancelled is not paid by a webhook that comes late; the buyer may choose again.
        scene.send(&scene.event("authorized", 20)).await.ok();
        assert!(scene.orders().await.is_empty());
        account(&scene.cart, |it| it.mood = Mood::Pays);
        pay_with(&scene.storefront, &scene.cart, "pp_bank").await;
        assert_eq!(scene.complete().await.ok()["type"], "order");
    }
}

/// The buyer does not wait for the bank, and pays in another way.
#[tokio::test]
async fn pending_payment_whose_session_was_replaced_is_given_up() {
    let scene = Scene::pending().await;
    pay_with(&scene.storefront, &scene.cart, "pp_system_default").await;
    assert_eq!(scene.complete().await.ok()["type"], "order");
    assert_eq!(account(&scene.cart, |it| it.n_charged()), 0, "the authorization was cancelled");
    assert_eq!(scene.shop.reserved(&scene.tea.item).await, "2 of 9");
    scene.send(&scene.event("authorized", 20)).await.ok();
    assert_eq!(scene.orders().await.len(), 1);

    // Or with the bank, by another session: it says so while the earlier one is waited for.
    let mut scene = Scene::pending().await;
    pay_with(&scene.storefront, &scene.cart, "pp_bank").await;
    scene.session = scene.current_session().await;
    let event = scene.event("authorized", 20);
    let early = scene.send(&event).await.error();
    assert!(early.ends_with("is being completed with another payment session"), "{early}");
    account(&scene.cart, |it| it.mood = Mood::Pays);
    scene.send(&event).await.ok();
    assert_eq!(scene.orders().await.len(), 1);
    assert_eq!(account(&scene.cart, |it| it.n_charged()), 1);
}

/// The bank has captured the money, and the order cannot be placed: its stock is not reserved any more.
#[tokio::test]
async fn what_was_captured_for_an_order_that_cannot_be_placed_is_given_back() {
    let scene = Scene::pending().await;
    let reservations = scene.shop.admin.get("/admin/reservations").await.ok();
    let reservation = format!("/admin/reservations/{}", id(&reservations["reservations"][0]));
    scene.shop.admin.delete(&reservation).await.ok();
    scene.send(&scene.event("captured", 20)).await.ok();
    let mut commits = scene.shop.app.ctx.store().commits();
    while scene.run().state != ExecutionState::Reverted {
        commits.changed().await.expect("a commit");
    }
    assert_eq!(scene.run().undo_error, None);
    // The bank has not counted what it captured by itself.
    assert_eq!(account(&scene.cart, |it| (it.n_charged(), it.taken())), (0, (-20_i64).into()));
    assert!(scene.orders().await.is_empty());
    // It comes again, and the run has given it back.
    scene.send(&scene.event("captured", 20)).await.ok();
    let FormerSession { returned, n_returns, .. } = scene.former();
    assert_eq!((returned, n_returns), (20_i64.into(), 1));
}

/// The buyer has paid on the pages of the bank, and the tea is sold out.
#[tokio::test]
async fn what_was_captured_for_a_cart_that_cannot_be_completed_is_given_back() {
    let scene = Scene::new("pp_bank").await;
    let background = start(&scene.shop.app.ctx, Pace::default()).await.expect("a start");
    let Shop { admin, location, .. } = &scene.shop;
    let level = format!("/admin/inventory-items/{}/location-levels/{location}", scene.tea.item);
    admin.post(&level, json!({ "stocked_quantity": 1 })).await.ok();
    scene.send(&scene.event("captured", 20)).await.ok();
    account_is(&scene.cart, |it| it.n_charged() == 0 && it.taken() == (-20_i64).into()).await;
    scene.send(&scene.event("captured", 20)).await.ok();
    assert_eq!(scene.former().n_returns, 1);
    assert!(scene.orders().await.is_empty());
    // The buyer takes less, and pays again.
    let line = only_line(&scene).await;
    scene.storefront.post(&line, json!({ "quantity": 1 })).await.ok();
    pay_with(&scene.storefront, &scene.cart, "pp_bank").await;
    assert_eq!(scene.complete().await.ok()["type"], "order");
    background.stop().await;
}

/// The buyer has authorised the payment on the pages of the bank, and the tea is not sold any more.
#[tokio::test]
async fn what_was_authorized_for_a_cart_that_cannot_be_completed_is_released() {
    let scene = Scene::new("pp_bank").await;
    let background = start(&scene.shop.app.ctx, Pace::default()).await.expect("a start");
    account(&scene.cart, |it| it.charge(""));
    let product = format!("/admin/products/{}", scene.tea.product);
    scene.shop.admin.post(&product, json!({ "status": "draft" })).await.ok();
    for _ in 0..2 {
        scene.send(&scene.event("authorized", 20)).await.ok();
    }
    account_is(&scene.cart, |it| it.n_charged() == 0).await;
    assert!(scene.orders().await.is_empty());
    assert_eq!(scene.former().n_returns, 0);
    background.stop().await;
}

/// The buyer pays on the pages of the bank, after they have changed the cart or the provider in another tab.
#[tokio::test]
async fn what_was_paid_by_a_replaced_session_is_given_back() {
    for other in [None, Some("pp_system_default"), Some("pp_bank")] {
        let scene = Scene::new("pp_bank").await;
        let background = start(&scene.shop.app.ctx, Pace::default()).await.expect("a start");
        account(&scene.cart, |it| it.charge(""));
        match other {
            Some(provider) => pay_with(&scene.storefront, &scene.cart, provider).await,
            None => scene.take_more().await,
        }
        scene.send(&scene.event("authorized", 20)).await.ok();
        account_is(&scene.cart, |it| it.n_charged() == 0).await;
        // In parts, and each of them comes again.
        for captured in [5, 20, 5, 20] {
            scene.send(&scene.event("captured", captured)).await.ok();
        }
        account_is(&scene.cart, |it| it.taken() == (-20_i64).into()).await;
        let FormerSession { returned, n_returns, .. } = scene.former();
        assert_eq!((returned, n_returns), (20_i64.into(), 2));
        assert!(scene.orders().await.is_empty());
        background.stop().await;
    }
}

/// A run waits for the session that the buyer has replaced.
#[tokio::test]
async fn what_was_captured_while_a_run_waits_for_it_is_given_back_when_that_has_ended() {
    let scene = Scene::pending().await;
    pay_with(&scene.storefront, &scene.cart, "pp_system_default").await;
    let early = scene.send(&scene.event("captured", 20)).await.error();
    assert!(early.ends_with("is being completed with another payment session"), "{early}");
    let mut commits = scene.shop.app.ctx.store().commits();
    while scene.run().state != ExecutionState::Reverted {
        commits.changed().await.expect("a commit");
    }
    scene.send(&scene.event("captured", 20)).await.ok();
    assert_eq!((account(&scene.cart, |it| it.n_charged()), scene.former().n_returns), (0, 1));
}

#[tokio::test]
async fn what_was_authorized_for_a_cart_that_expires_is_released() {
    let scene = Scene::new("pp_bank").await;
    let background = start(&scene.shop.app.ctx, Pace::default()).await.expect("a start");
    scene.take_more().await;
    pay_with(&scene.storefront, &scene.cart, "pp_bank").await;
    account(&scene.cart, |it| it.charge(""));
    let ctx = &scene.shop.app.ctx;
    let first_kept = day_of(ctx.now().plus_millis(24 * 60 * 60 * 1000));
    let carts = expired_carts(&ctx.view(), &first_kept, None).expect("a store");
    let input = DeleteExpired { first_kept, carts };
    ctx.run(&DELETE_EXPIRED_CARTS, Actor::System, input).await.expect("a deletion");
    account_is(&scene.cart, |it| it.n_charged() == 0).await;
    assert!(FORMER_SESSIONS.table.list_all(&ctx.view()).expect("a store").is_empty());
    background.stop().await;
}

#[tokio::test]
async fn payment_collection_loses_a_limited_number_of_sessions() {
    let scene = Scene::new("pp_bank").await;
    for _ in 0..FORMER_SESSIONS_MAX {
        pay_with(&scene.storefront, &scene.cart, "pp_bank").await;
    }
    let path = format!("/store/carts/{}?fields=payment_collection.id", scene.cart);
    let collection = id(&scene.storefront.get(&path).await.ok()["cart"]["payment_collection"]);
    let path = format!("/store/payment-collections/{collection}/payment-sessions");
    let refused = scene.storefront.post(&path, json!({ "provider_id": "pp_bank" })).await.error();
    assert!(refused.starts_with("400") && refused.ends_with("50 other payment sessions, which is the limit"));
    // The one that it has is good.
    assert_eq!(scene.complete().await.ok()["type"], "order");
}

/// The path of the only line of the cart.
async fn only_line(scene: &Scene) -> String {
    let path = format!("/store/carts/{}", scene.cart);
    let line = id(&scene.storefront.get(&path).await.ok()["cart"]["items"][0]);
    format!("{path}/line-items/{line}")
}

/// The bank captures the money at about the time at which the order is cancelled, and says so afterwards.
#[tokio::test]
async fn what_was_captured_of_a_cancelled_order_is_given_back() {
    for captured_before in [0, 5] {
        let scene = Scene::new("pp_bank").await;
        let background = start(&scene.shop.app.ctx, Pace::default()).await.expect("a start");
        let order = format!("/admin/orders/{}", id(&scene.complete().await.ok()["order"]));
        if captured_before > 0 {
            scene.send(&scene.event("captured", captured_before)).await.ok();
        }
        scene.shop.admin.post(&format!("{order}/cancel"), json!({})).await.ok();
        for amount in [20, 5, 20] {
            scene.send(&scene.event("captured", amount)).await.ok();
        }
        let shown = scene.shop.admin.get(&order).await.ok()["order"].clone();
        let summary = &shown["summary"];
        let sums = ["paid_total", "refunded_total", "pending_difference"].map(|it| summary[it].clone());
        assert_eq!(sums, [json!(20), json!(20), json!(0)]);
        assert_eq!((&shown["status"], &shown["payment_status"]), (&json!("canceled"), &json!("refunded")));
        account_is(&scene.cart, |it| it.n_charged() == 0 && it.taken() == (-20_i64).into()).await;
        background.stop().await;
    }
}

#[tokio::test]
async fn webhooks_without_a_valid_signature_do_nothing() {
    let scene = Scene::pending().await;
    let event = scene.event("authorized", 20);
    let signed = |at: Timestamp| sign_timed(WEBHOOK_SECRET, event.to_string().as_bytes(), at);
    let now = scene.shop.app.now();
    let forged = sign_timed(b"guessed", event.to_string().as_bytes(), now);
    let of_another = sign_timed(WEBHOOK_SECRET, b"{}", now);
    for signature in
        [&*forged, &of_another, "", &signed(now.plus_millis(-301_000)), &signed(now.plus_millis(301_000))]
    {
        let refused = scene.send_signed("pp_bank", &event, signature).await;
        assert_eq!(refused.status, 401, "{signature}");
    }
    let unsigned = scene.shop.app.client().post("/hooks/payment/pp_bank", event.clone()).await;
    assert_eq!(unsigned.status, 401);

    let good = signed(now);
    for (provider, expected) in [
        ("pp_nope", "404 not_found: Payment provider with id: pp_nope was not found"),
        ("pp_system_default", "404 not_found: The payment provider takes no webhooks"),
        // Signed well, and about the session of another provider.
        (
            "pp_patient_bank",
            &format!("404 not_found: Payment session with id: {} was not found", scene.session),
        ),
    ] {
        assert_eq!(scene.send_signed(provider, &event, &good).await.error(), expected);
    }
    for (event, expected) in [
        (
            json!({ "type": "authorized", "session_id": "payses_x" }),
            "404 not_found: Payment session with id: payses_x was not found",
        ),
        (scene.event("authorized", 19), "400 invalid_data: 19 was authorized, and 20 is due"),
        (scene.event("captured", 21), "400 invalid_data: 21 was captured, of 20"),
        (scene.event("captured", 0), "400 invalid_data: 0 was captured, of 20"),
        (
            json!({ "type": "captured", "session_id": scene.session, "amount": 5.001 }),
            "400 invalid_data: An amount in eur has at most 2 digits behind the point",
        ),
        (
            json!({ "type": "authorized", "padding": "x".repeat(256 * 1024) }),
            "413 unknown_error: request entity too large",
        ),
    ] {
        assert_eq!(scene.send(&event).await.error(), expected);
    }
    scene.send(&json!({ "type": "ping" })).await.ok();
    assert!(scene.orders().await.is_empty());
    // The id of the provider may be given without its prefix.
    scene.send_signed("bank", &event, &good).await.ok();
    scene.until(1).await;
}

routes! {
    raw;
    /// Receives the webhook of a parcel service.
    Post "/hooks/parcels" (Public, ANY, up_to 64) => parcel: RECEIVED;
}

const RECEIVED: http::Answer =
    http::Answer::Object(&[Part::value("n_bytes", Type::Number, "Size of the body, in bytes.")]);

const ANY: Params = Params { own: &[], limit: None, strict: false };

async fn parcel(call: Call) -> Result<Reply, Fault> {
    let head = call.head();
    let signature = header(&head, "x-parcel").unwrap_or_default();
    check_signature(b"parcels", call.raw(), signature, Encoding::Base64)?;
    Ok(Reply::json(&json!({ "n_bytes": call.raw().len() })))
}

#[tokio::test]
async fn module_receives_webhooks_on_a_raw_route_of_its_own() {
    let app = TestApp::init().await;
    for body in [&b"not JSON \xff\x00"[..], b"", b"{\"unknown\": [1"] {
        let signed = app.client().with_header("x-parcel", &sign(b"parcels", body, Encoding::Base64));
        for client in [signed.clone(), signed.without_type()] {
            let answer = client.send("POST", "/hooks/parcels?theirs=1", Body::from(body)).await;
            assert_eq!(answer.ok(), json!({ "n_bytes": body.len() }));
        }
        assert_eq!(app.client().send("POST", "/hooks/parcels", Body::from(body)).await.status, 401);
    }
    assert_eq!(app.client().send("POST", "/hooks/parcels", Body::from(vec![0; 65])).await.status, 413);
    let openapi = app.client().get("/openapi.json").await.ok();
    let body = &openapi["paths"]["/hooks/parcels"]["post"]["requestBody"]["content"]["*/*"]["schema"];
    assert_eq!(body["format"], "binary");
}
