//! Payments through a provider that may decline, or not answer.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use atoll_background::{Pace, start};
use atoll_host::registry;
use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Write,
    data::Store,
    flow,
    flow::{Local, StepCall},
    hook,
    saga::{EXECUTIONS, ExecutionState, Outcome, Run, WorkflowExecution},
};
use atoll_storage::engines::Memory;
use atoll_testkit::{Client, Shop, TestApp, Variant, id, pay_with};
use serde_json::{Value, json};

use crate::bank::{self, Account, Mood, account, account_is};

hook! { "test.look" in "complete-cart.validate" => look }
hook! { "test.ask" in "complete-cart.authorizePayment" => external ask }
hook! { "test.hear" in "complete-cart.orderCreated" => hear }

/// Carts that the hooks of these tests received.
#[derive(Clone, Debug, Default)]
struct Seen {
    n_looks: usize,
    told: Value,
}

static SEEN: LazyLock<Mutex<BTreeMap<String, Seen>>> = LazyLock::new(Mutex::default);

fn seen<T>(cart: &str, look: impl FnOnce(&mut Seen) -> T) -> T {
    look(SEEN.lock().unwrap_or_else(PoisonError::into_inner).entry(cart.to_owned()).or_default())
}

fn look(_: &mut Local<'_>, input: &Value) -> Result<(), Fault> {
    seen(input["cart_id"].as_str().unwrap_or_default(), |it| it.n_looks += 1);
    Ok(())
}

async fn ask(_: Ctx, _: StepCall, input: Value) -> Result<Value, Fault> {
    Ok(json!({ "asked_for": input["cart_id"] }))
}

fn hear(_: &mut Local<'_>, input: &Value) -> Result<(), Fault> {
    let answers = &input["authorizations"];
    let cart = answers["test.ask"]["asked_for"].as_str().unwrap_or_default();
    seen(cart, |it| it.told = answers.clone());
    Ok(())
}

flow! {
    /// A saga that completes a cart as a part, and then fails.
    pub(crate) static CHECKOUT: Saga<Value, ()> = "checkout" (checkout);
}

async fn checkout(run: &mut Run, cart: Value) -> Result<(), Fault> {
    let input = serde_json::from_value(cart).map_err(Fault::unexpected)?;
    run.run(&atoll_flows::cart::COMPLETE_CART, input).await?;
    Err(Fault::not_allowed("enough"))
}

/// A shop that sells tea at 10 through the bank.
async fn shop() -> (Shop, Client, String) {
    shop_paying_through("pp_bank").await
}

/// A shop that may be paid through the bank and has 9 of tea, its storefront, the tea, and a cart with 2.
pub(crate) async fn shop_with_cart(app: TestApp) -> (Shop, Client, Variant, String) {
    let shop = Shop::open(app).await;
    bank::open_for(&shop).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 2).await;
    (shop, storefront, tea, cart)
}

async fn shop_paying_through(provider: &str) -> (Shop, Client, String) {
    let (shop, storefront, _, cart) = shop_with_cart(TestApp::init().await).await;
    pay_with(&storefront, &cart, provider).await;
    (shop, storefront, cart)
}

async fn payment(shop: &Shop) -> Value {
    shop.admin.get("/admin/payments?fields=*,*captures").await.ok()["payments"][0].clone()
}

/// The operator takes a provider out of the configuration: nobody pays through it any more, and what was paid
/// through it is captured.
#[tokio::test]
async fn provider_that_does_not_serve_takes_no_new_payments() {
    let disk = Memory::default();
    let store = || Store::open(disk.clone(), &registry().expect("a registry").spaces()).expect("a store");
    let shop = Shop::open(TestApp::over(store(), None).await).await;
    bank::open_for(&shop).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let storefront = shop.storefront(&[&web]).await;
    let (paid, open) = (shop.cart(&storefront, &tea.id, 1).await, shop.cart(&storefront, &tea.id, 1).await);
    pay_with(&storefront, &paid, "pp_bank").await;
    storefront.post(&format!("/store/carts/{paid}/complete"), json!({})).await.ok();
    let Shop { app, admin, .. } = shop;
    app.ctx.store().close();
    drop(app);

    let app = TestApp::served_by(store(), "payment", &["pp_system_default"]).await;
    let (admin, storefront) = (admin.on(&app), storefront.on(&app));
    let collection = storefront.post("/store/payment-collections", json!({ "cart_id": open })).await.ok();
    let sessions =
        format!("/store/payment-collections/{}/payment-sessions", id(&collection["payment_collection"]));
    let refused = storefront.post(&sessions, json!({ "provider_id": "pp_bank" })).await.error();
    assert!(refused.contains("Payment provider pp_bank is not enabled"), "{refused}");
    let providers = admin.get("/admin/payments/payment-providers").await.ok();
    let enabled: Vec<&Value> = providers["payment_providers"].as_array().into_iter().flatten().collect();
    let enabled = enabled.into_iter().filter(|it| it["is_enabled"] == true).map(|it| &it["id"]);
    assert_eq!(enabled.collect::<Vec<_>>(), ["pp_system_default"]);
    let payment = admin.get("/admin/payments").await.ok()["payments"][0].clone();
    admin.post(&format!("/admin/payments/{}/capture", id(&payment)), json!({})).await.ok();
    assert_eq!(account(&paid, |it| it.taken()), 10_i64.into());
}

#[tokio::test]
async fn declined_payment_keeps_the_cart() {
    let (shop, storefront, cart) = shop().await;
    let complete = format!("/store/carts/{cart}/complete");
    account(&cart, |it| it.mood = Mood::Declines);
    let refused = storefront.post(&complete, json!({})).await.ok();
    assert_eq!((&refused["type"], &refused["cart"]["id"]), (&json!("cart"), &json!(cart)));
    assert_eq!(
        refused["error"],
        json!({
            "message": "Payment authorization failed", "name": "payment_authorization_error",
            "type": "payment_authorization_error",
        })
    );
    assert_eq!(shop.admin.get("/admin/reservations").await.ok()["count"], 0);
    account(&cart, |it| it.mood = Mood::Pays);
    assert_eq!(storefront.post(&complete, json!({})).await.ok()["type"], "order");
    assert_eq!(account(&cart, |it| it.n_charged()), 1);
}

/// The buyer replaces the payment session while the old one is being authorised: the amount authorised is not
/// that of the order.
#[tokio::test]
async fn replaced_payment_session_is_not_charged() {
    let (_shop, storefront, cart) = shop().await;
    account(&cart, |it| it.mood = Mood::Hangs);
    let complete = {
        let (storefront, path) = (storefront.clone(), format!("/store/carts/{cart}/complete"));
        tokio::spawn(async move { storefront.post(&path, json!({})).await })
    };
    account_is(&cart, |it| it.n_charged() > 0).await;
    pay_with(&storefront, &cart, "pp_system_default").await;
    assert!(!complete.await.expect("an answer").status.is_success());
    assert_eq!(account(&cart, |it| it.n_charged()), 0);
    let order = storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
    assert_eq!(order["order"]["payment_collections"][0]["status"], "authorized");
    assert_eq!(account(&cart, |it| it.n_charged()), 0, "it was paid by hand");
}

#[tokio::test]
async fn capture_without_an_answer_is_retried_without_double_charge() {
    let (shop, storefront, cart) = shop().await;
    storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
    let path = format!("/admin/payments/{}", payment(&shop).await["id"].as_str().expect("an id"));
    let ask = async |what: &str| shop.admin.post(&format!("{path}/{what}"), json!({})).await;
    for (what, done, taken) in [("capture", "captured", 20_i64), ("refund", "refunded", 0)] {
        account(&cart, |it| it.mood = Mood::Hangs);
        assert_eq!(ask(what).await.status, 500);
        assert_eq!(account(&cart, |it| it.taken()), taken.into(), "the bank has done it");
        account(&cart, |it| it.mood = Mood::Pays);
        let less = shop.admin.post(&format!("{path}/{what}"), json!({ "amount": 5 })).await;
        assert_eq!(less.error(), unanswered(&path, done, 20), "what may have been done comes first");
        ask(what).await.ok();
        assert_eq!(account(&cart, |it| it.taken()), taken.into(), "and not twice");
    }
    account(&cart, |it| it.mood = Mood::Declines);
    assert!(ask("refund").await.error().starts_with("400"), "there is nothing left");
    let view = shop.app.ctx.view();
    assert!(EXECUTIONS.table.list_all(&view).expect("runs").iter().all(|it| it.has_ended()));
}

/// The error for a payment whose provider has not answered.
fn unanswered(payment: &str, done: &str, amount: u32) -> String {
    let id = payment.rsplit('/').next().expect("a path");
    format!(
        "409 conflict (invalid_state_error): Payment {id}: it is not known whether {amount} was {done}; repeat \
         that first"
    )
}

/// A shop whose bank has authorised 20 for an order, with the paths of order and payment.
async fn ordered(provider: &str) -> (Shop, String, String, String) {
    let (shop, storefront, cart) = shop_paying_through(provider).await;
    let order = storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
    let order = format!("/admin/orders/{}", id(&order["order"]));
    let payment = format!("/admin/payments/{}", id(&payment(&shop).await));
    (shop, cart, order, payment)
}

/// The bank has moved the money and not said so: an order that is cancelled by what is recorded would leave
/// it there.
#[tokio::test]
async fn order_is_not_cancelled_while_an_answer_of_the_provider_is_open() {
    for (what, done) in [("capture", "captured"), ("refund", "refunded")] {
        let (shop, cart, order, payment) = ordered("pp_bank").await;
        let background = start(&shop.app.ctx, Pace::default()).await.expect("a start");
        let ask =
            async |what: &str| shop.admin.post(&format!("{payment}/{what}"), json!({ "amount": 5 })).await;
        let cancel = async || shop.admin.post(&format!("{order}/cancel"), json!({})).await;
        if what == "refund" {
            ask("capture").await.ok();
        }
        account(&cart, |it| it.mood = Mood::Hangs);
        assert_eq!(ask(what).await.status, 500);
        account(&cart, |it| it.mood = Mood::Pays);
        assert_eq!(cancel().await.error(), unanswered(&payment, done, 5));
        ask(what).await.ok();
        cancel().await.ok();
        account_is(&cart, |it| it.n_charged() == 0 && it.taken().is_zero()).await;
        background.stop().await;
    }
}

#[tokio::test]
async fn what_the_provider_has_refused_is_not_open() {
    let (shop, cart, order, payment) = ordered("pp_bank").await;
    let capture =
        async |amount: u32| shop.admin.post(&format!("{payment}/capture"), json!({ "amount": amount })).await;
    account(&cart, |it| it.mood = Mood::Hangs);
    assert_eq!(capture(5).await.status, 500);
    account(&cart, |it| {
        *it = Account::default();
        it.mood = Mood::Declines;
    });
    assert_eq!(capture(5).await.status, 422);
    account(&cart, |it| it.mood = Mood::Pays);
    capture(7).await.ok();
    shop.admin.post(&format!("{order}/cancel"), json!({})).await.ok();
}

#[tokio::test]
async fn order_is_not_cancelled_during_a_capture() {
    let (shop, cart, order, payment) = ordered("pp_patient_bank").await;
    account(&cart, |it| it.mood = Mood::Waits);
    let capture = {
        let (admin, path) = (shop.admin.clone(), format!("{payment}/capture"));
        tokio::spawn(async move { admin.post(&path, json!({})).await })
    };
    account_is(&cart, |it| !it.taken().is_zero()).await;
    let cancel = async || shop.admin.post(&format!("{order}/cancel"), json!({})).await;
    assert!(cancel().await.error().ends_with("is being changed"));
    let refund = shop.admin.post(&format!("{payment}/refund"), json!({})).await;
    assert!(refund.error().ends_with("is being changed"));
    account(&cart, |it| it.mood = Mood::Pays);
    capture.await.expect("an answer").ok();
    let cancelled = cancel().await.ok()["order"].clone();
    assert_eq!(cancelled["summary"]["refunded_total"], 20);
}

#[tokio::test]
async fn provider_is_called_when_an_order_is_cancelled() {
    for taken in [0, 15, 20] {
        let (shop, storefront, cart) = shop().await;
        let background = start(&shop.app.ctx, Pace::default()).await.expect("a start");
        let order = storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
        if taken > 0 {
            let payment = payment(&shop).await;
            let path = format!("/admin/payments/{}/capture", payment["id"].as_str().expect("an id"));
            shop.admin.post(&path, json!({ "amount": taken })).await.ok();
        }
        let path = format!("/admin/orders/{}/cancel", order["order"]["id"].as_str().expect("an id"));
        shop.admin.post(&path, json!({})).await.ok();
        // A fully captured payment has nothing to void.
        let is_owed = || account(&cart, |it| !it.taken().is_zero() || (taken < 20 && it.n_charged() > 0));
        let mut commits = shop.app.ctx.store().commits();
        while is_owed() {
            commits.changed().await.expect("a commit");
        }
        background.stop().await;
    }
}

#[tokio::test]
async fn completing_an_order_again_calls_no_hooks_and_keeps_its_run() {
    let (shop, storefront, cart) = shop().await;
    let complete = format!("/store/carts/{cart}/complete");
    let order = storefront.post(&complete, json!({})).await.ok();
    let told = json!({ "test.ask": { "asked_for": cart } });
    assert_eq!(seen(&cart, |it| (it.n_looks, it.told.clone())), (1, told));
    let run = || {
        let found = WorkflowExecution::find(&shop.app.ctx.view(), "complete-cart", &cart);
        found.expect("a read").expect("a run")
    };
    let first = run();
    assert_eq!(storefront.post(&complete, json!({})).await.ok()["order"]["id"], order["order"]["id"]);
    assert_eq!(seen(&cart, |it| it.n_looks), 1);
    assert_eq!(run(), first);
}

/// Concurrent changes during the authorisation: the order is not placed, and nothing is left of it.
#[tokio::test]
async fn order_has_the_lines_that_were_reserved_and_paid() {
    async fn check(others: impl AsyncFnOnce(&Shop, &str), error: &str) {
        let (shop, storefront, cart) = shop_paying_through("pp_patient_bank").await;
        account(&cart, |it| it.mood = Mood::Waits);
        let complete = {
            let (storefront, path) = (storefront.clone(), format!("/store/carts/{cart}/complete"));
            tokio::spawn(async move { storefront.post(&path, json!({})).await })
        };
        account_is(&cart, |it| it.n_charged() > 0).await;
        others(&shop, &cart).await;
        account(&cart, |it| it.mood = Mood::Pays);
        assert_eq!(complete.await.expect("an answer").error().replace(&cart, "CART"), error);
        assert_eq!(account(&cart, |it| it.n_charged()), 0);
        assert_eq!(shop.admin.get("/admin/orders").await.ok()["count"], 0);
        assert_eq!(shop.admin.get("/admin/reservations").await.ok()["count"], 0);
    }
    check(
        async |shop, cart| {
            // In the millisecond in which the cart was read.
            let cart = cart.to_owned();
            let change = move |tx: &mut dyn Write, at: &Moment| {
                let to = |it: &mut atoll_cart::Cart| it.email = Some("other@example.com".into());
                Ok(atoll_cart::CARTS.update(tx, at, &cart, to).map(drop)?)
            };
            shop.app.ctx.write(Actor::System, change).await.expect("a write");
        },
        "409 conflict (invalid_state_error): Cart CART was changed while it was being completed",
    )
    .await;
    check(
        async |shop, _| {
            let all = shop.admin.get("/admin/reservations").await.ok();
            let id = all["reservations"][0]["id"].as_str().expect("a reservation").to_owned();
            shop.admin.delete(&format!("/admin/reservations/{id}")).await.ok();
        },
        "409 conflict (invalid_state_error): The stock of cart CART is not reserved any more",
    )
    .await;
}

/// A price change during the authorisation has no effect: the shopper pays the price that was shown and
/// checked when the stock was reserved.
#[tokio::test]
async fn price_change_during_payment_aborts_the_order() {
    let (shop, storefront, cart) = shop_paying_through("pp_patient_bank").await;
    account(&cart, |it| it.mood = Mood::Waits);
    let path = format!("/store/carts/{cart}/complete");
    let complete = {
        let (storefront, path) = (storefront.clone(), path.clone());
        tokio::spawn(async move { storefront.post(&path, json!({})).await })
    };
    account_is(&cart, |it| it.n_charged() > 0).await;
    let product = &shop.admin.get("/admin/products?fields=id,variants.id").await.ok()["products"][0];
    let text = |it: &Value| it["id"].as_str().expect("an id").to_owned();
    let variant = format!("/admin/products/{}/variants/{}", text(product), text(&product["variants"][0]));
    let dearer = json!({ "prices": [{ "currency_code": "eur", "amount": 1000 }] });
    shop.admin.post(&variant, dearer).await.ok();
    account(&cart, |it| it.mood = Mood::Pays);
    let order = complete.await.expect("an answer").ok()["order"].clone();
    assert_eq!((&order["total"], &payment(&shop).await["amount"]), (&json!(20), &json!(20)));
    assert_eq!(storefront.post(&path, json!({})).await.ok()["order"], order, "it is an order already");
}

/// A cart that is due to expire is completed: the job runs during the authorisation.
#[tokio::test]
async fn cart_being_completed_does_not_expire() {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let (shop, storefront, cart) = shop_paying_through("pp_patient_bank").await;
    shop.app.advance_ms(40 * DAY);
    account(&cart, |it| it.mood = Mood::Waits);
    let path = format!("/store/carts/{cart}/complete");
    let complete = tokio::spawn(async move { storefront.post(&path, json!({})).await });
    account_is(&cart, |it| it.n_charged() > 0).await;
    shop.app.run_job("cart.delete-expired").await;
    account(&cart, |it| it.mood = Mood::Pays);
    assert_eq!(complete.await.expect("an answer").ok()["order"]["total"], 20);
    assert!(shop.app.events("cart.deleted").is_empty());
}

/// If the price has changed before, no payment is requested, and nothing is reserved.
#[tokio::test]
async fn unseen_price_is_not_charged() {
    let (shop, storefront, cart) = shop().await;
    let line = storefront.get(&format!("/store/carts/{cart}")).await.ok()["cart"]["items"][0].clone();
    let text = |name: &str| line[name].as_str().expect("an id").to_owned();
    let variant = format!("/admin/products/{}/variants/{}", text("product_id"), text("variant_id"));
    let dearer = json!({ "prices": [{ "currency_code": "eur", "amount": 1000 }] });
    shop.admin.post(&variant, dearer).await.ok();
    let path = format!("/store/carts/{cart}/complete");
    assert_eq!(storefront.post(&path, json!({})).await.status, 409);
    assert_eq!(account(&cart, |it| it.n_charged()), 0);
    assert_eq!(shop.admin.get("/admin/reservations").await.ok()["count"], 0);
    pay_with(&storefront, &cart, "pp_bank").await;
    assert_eq!(storefront.post(&path, json!({})).await.ok()["order"]["total"], 2000);
    assert_eq!(payment(&shop).await["amount"], 2000);
}

/// A saga that is a part of another one runs step by step, also if it would be one transaction by itself:
/// stock is changed by all, so it is released by a compensation function.
#[tokio::test]
async fn order_placed_within_a_saga_is_undone_with_it() {
    let (shop, _, cart) = shop().await;
    let input = json!({ "cart_id": cart, "calls_out": false });
    let outcome = shop.app.ctx.start(&CHECKOUT, Actor::System, Some("one"), input).await;
    let Err(error) = outcome else { panic!("{}", matches!(outcome, Ok(Outcome::Done(..)))) };
    assert_eq!(error.to_string(), "enough");
    let run =
        WorkflowExecution::find(&shop.app.ctx.view(), "checkout", "one").expect("a read").expect("a run");
    assert_eq!((run.state, run.undo_error), (ExecutionState::Reverted, None));
    assert_eq!(account(&cart, |it| it.n_charged()), 0);
    assert_eq!(shop.admin.get("/admin/reservations").await.ok()["count"], 0);
}
