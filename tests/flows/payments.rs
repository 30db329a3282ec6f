//! Paying through somebody who can refuse, and who may not answer.

use atoll_background::{Pace, start};
use atoll_kernel::EXECUTIONS;
use atoll_testkit::{Client, Shop, TestApp, pay_with};
use serde_json::{Value, json};

use crate::bank::{self, Mood, account};

/// A shop that sells tea at 10 through the bank.
async fn shop() -> (Shop, Client, String) {
    let shop = Shop::open(TestApp::init().await).await;
    bank::open_for(&shop).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 2).await;
    pay_with(&storefront, &cart, "pp_bank").await;
    (shop, storefront, cart)
}

async fn payment(shop: &Shop) -> Value {
    shop.admin.get("/admin/payments?fields=*,*captures").await.ok()["payments"][0].clone()
}

#[tokio::test]
async fn who_does_not_pay_keeps_the_cart() {
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

/// The buyer chooses again while the money is set aside: what is paid for is not what is asked for.
#[tokio::test]
async fn a_session_that_is_replaced_meanwhile_is_not_charged() {
    let (_shop, storefront, cart) = shop().await;
    account(&cart, |it| it.mood = Mood::Hangs);
    let complete = {
        let (storefront, path) = (storefront.clone(), format!("/store/carts/{cart}/complete"));
        tokio::spawn(async move { storefront.post(&path, json!({})).await })
    };
    while account(&cart, |it| it.n_charged()) == 0 {
        tokio::task::yield_now().await;
    }
    pay_with(&storefront, &cart, "pp_system_default").await;
    assert!(!complete.await.expect("an answer").status.is_success());
    assert_eq!(account(&cart, |it| it.n_charged()), 0);
    let order = storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
    assert_eq!(order["order"]["payment_collections"][0]["status"], "authorized");
    assert_eq!(account(&cart, |it| it.n_charged()), 0, "it was paid by hand");
}

#[tokio::test]
async fn money_whose_taking_was_not_answered_is_taken_once() {
    let (shop, storefront, cart) = shop().await;
    storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
    let path = format!("/admin/payments/{}", payment(&shop).await["id"].as_str().expect("an id"));
    let ask = async |what: &str| shop.admin.post(&format!("{path}/{what}"), json!({})).await;
    for (what, taken) in [("capture", 20_i64), ("refund", 0)] {
        account(&cart, |it| it.mood = Mood::Hangs);
        assert_eq!(ask(what).await.status, 500);
        assert_eq!(account(&cart, |it| it.taken()), taken.into(), "the bank has done it");
        account(&cart, |it| it.mood = Mood::Pays);
        let less = shop.admin.post(&format!("{path}/{what}"), json!({ "amount": 5 })).await;
        assert_eq!(less.status, 422, "what was asked for, and may have been done, comes first");
        ask(what).await.ok();
        assert_eq!(account(&cart, |it| it.taken()), taken.into(), "and not twice");
    }
    account(&cart, |it| it.mood = Mood::Declines);
    assert!(ask("refund").await.error().starts_with("400"), "there is nothing left");
    let view = shop.app.ctx.view();
    assert!(EXECUTIONS.table.list_all(&view).expect("runs").iter().all(|it| it.has_ended()));
}

#[tokio::test]
async fn the_bank_is_told_when_an_order_is_called_off() {
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
        // What was taken in full holds nothing that could be let go of.
        let is_owed = || account(&cart, |it| !it.taken().is_zero() || (taken < 20 && it.n_charged() > 0));
        let mut commits = shop.app.ctx.store().commits();
        while is_owed() {
            commits.changed().await.expect("a commit");
        }
        background.stop().await;
    }
}
