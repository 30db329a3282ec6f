//! What a shopper does: subscribe, list, unsubscribe, be told once, buy.

use atoll_kernel::{Actor, Moment, Write};
use atoll_restock::{RESTOCK_SUBSCRIPTIONS, RestockSubscription, WAITING_PER_VARIANT_MAX};
use atoll_testkit::{Setup, complete, id};
use serde_json::json;

use crate::{Bench, deliver};

#[tokio::test]
async fn guests_and_customers_subscribe_to_what_is_sold_out() {
    let bench = Bench::new().await;
    let made = bench.subscribe("Ada@Test.dev").await.ok();
    let made = &made["restock_subscription"];
    assert_eq!(made["email"], "ada@test.dev");
    assert_eq!((&made["status"], &made["quantity"]), (&json!("waiting"), &json!(1)));
    assert_eq!(
        (&made["sales_channel_id"], &made["variant"]["id"]),
        (&json!(bench.web), &json!(bench.tea.id))
    );
    assert_eq!(
        bench.subscribe("ada@test.dev").await.error(),
        format!(
            "422 duplicate_error (invalid_request_error): ada@test.dev waits for {} already",
            bench.tea.id
        )
    );
    let bob = bench.shop.customer(&bench.storefront, "bob@test.dev").await;
    let made = bench.ask(&bob, json!({ "quantity": 3 })).await.ok();
    assert_eq!(made["restock_subscription"]["email"], "bob@test.dev");
    assert_eq!(bench.shop.app.events("restock.subscribed").len(), 2);
}

#[tokio::test]
async fn bad_subscriptions_are_refused() {
    let bench = Bench::new().await;
    let till = bench.shop.channel("Till").await;
    let other = bench.shop.product("Other", &[&till], 0).await;
    let both = bench.shop.storefront(&[&bench.web, &till]).await;
    let email = json!({ "email": "a@test.dev" });
    for (client, body, error) in [
        (&bench.storefront, json!({}), "400 invalid_data: Say an email, or log in as a customer"),
        (
            &both,
            email.clone(),
            "400 invalid_data: The publishable key has several sales channels: say sales_channel_id",
        ),
        (
            &bench.storefront,
            json!({ "email": "a@test.dev", "sales_channel_id": till }),
            "400 invalid_data: Requested sales channel is not part of the publishable key",
        ),
        (
            &bench.storefront,
            json!({ "email": "a@test.dev", "locale": "x".repeat(36) }),
            "400 invalid_data: A locale has at most 35 characters",
        ),
        (
            &bench.storefront,
            json!({ "email": "a@test.dev", "quantity": 0 }),
            "400 invalid_data: Invalid request: Value for field 'quantity' too small, expected at least: '0'",
        ),
    ] {
        assert_eq!(bench.ask(client, body).await.error(), error);
    }
    let hidden = json!({ "email": "a@test.dev", "variant_id": other.id });
    assert_eq!(
        bench.storefront.post("/store/restock-subscriptions", hidden).await.error(),
        format!("404 not_found: Product variant with id: {} was not found", other.id)
    );
    bench.ask(&both, json!({ "email": "a@test.dev", "sales_channel_id": bench.web })).await.ok();
    bench.stock(5).await;
    assert_eq!(
        bench.subscribe("b@test.dev").await.error(),
        format!("400 not_allowed: 1 of {} can be bought now", bench.tea.id)
    );
    bench.ask(&bench.storefront, json!({ "email": "b@test.dev", "quantity": 6 })).await.ok();
}

#[tokio::test]
async fn a_shopper_has_as_many_subscriptions_as_the_setting_says() {
    let app = Setup::default().setting("restock.per_shopper_max", 3).init().await;
    let bench = Bench::over(app).await;
    let bob = bench.shop.customer(&bench.storefront, "bob@test.dev").await;
    let bobs = id(&bob.get("/store/customers/me").await.ok()["customer"]);
    let fill = move |tx: &mut dyn Write, at: &Moment| {
        for n in 0..3 {
            let other = RestockSubscription {
                email: "a@test.dev".into(),
                customer_id: Some(bobs.clone()),
                variant_id: format!("variant_{n}"),
                ..RestockSubscription::default()
            };
            RESTOCK_SUBSCRIPTIONS.create(tx, at, other)?;
        }
        Ok(())
    };
    bench.shop.app.ctx.write(Actor::System, fill).await.expect("subscriptions");
    assert_eq!(
        bench.subscribe("a@test.dev").await.error(),
        "400 not_allowed: An address has at most 3 subscriptions"
    );
    // Another address does not help who is logged in.
    assert_eq!(
        bench.ask(&bob, json!({ "email": "b@test.dev" })).await.error(),
        "400 not_allowed: A customer has at most 3 subscriptions"
    );
    bench.subscribe("b@test.dev").await.ok();
}

#[tokio::test]
async fn shoppers_list_their_own_subscriptions_and_delete_them() {
    let bench = Bench::new().await;
    let list = "/store/restock-subscriptions";
    let bob = bench.shop.customer(&bench.storefront, "bob@test.dev").await;
    let eve = bench.shop.customer(&bench.storefront, "eve@test.dev").await;
    let guests = id(&bench.subscribe("ada@test.dev").await.ok()["restock_subscription"]);
    let bobs = id(&bench.ask(&bob, json!({})).await.ok()["restock_subscription"]);
    let shown = bob.get(list).await.ok();
    assert_eq!((&shown["count"], id(&shown["restock_subscriptions"][0])), (&json!(1), bobs.clone()));
    for client in [&eve, &bench.storefront] {
        assert_eq!(client.get(list).await.ok()["count"], 0);
    }
    for gone in [&guests, &bobs] {
        let deleted = bench.storefront.delete(&format!("{list}/{gone}")).await.ok();
        assert_eq!(deleted, json!({ "id": gone, "object": "restock_subscription", "deleted": true }));
        assert_eq!(
            bench.storefront.delete(&format!("{list}/{gone}")).await.error(),
            format!("404 not_found: Restock subscription with id: {gone} was not found")
        );
    }
    assert_eq!(bench.shop.app.events("restock.unsubscribed").len(), 2);
    bench.stock(5).await;
    deliver(&bench.shop.app).await;
    assert!(bench.told().is_empty());
}

#[tokio::test]
async fn a_shopper_is_told_once_and_with_everything_that_a_mail_needs() {
    let bench = Bench::new().await;
    let wish = json!({ "email": "ada@test.dev", "quantity": 2, "locale": "de-CH" });
    let made = bench.ask(&bench.storefront, wish).await.ok();
    for n in [1, 2, 0, 5] {
        bench.stock(n).await;
        deliver(&bench.shop.app).await;
        assert_eq!(bench.told().len(), usize::from(n != 1), "{n}");
    }
    let told = &bench.shop.app.events("restock.available")[0];
    let expected = json!({
        "id": made["restock_subscription"]["id"], "email": "ada@test.dev", "locale": "de-CH",
        "customer_id": null, "variant_id": bench.tea.id, "sales_channel_id": bench.web, "quantity": 2,
        "available_quantity": 2,
    });
    assert_eq!(*told, expected);
    // It can be subscribed to again when it is sold out again.
    bench.stock(0).await;
    bench.subscribe("ada@test.dev").await.ok();
    bench.stock(1).await;
    deliver(&bench.shop.app).await;
    assert_eq!(bench.told(), ["ada@test.dev", "ada@test.dev"]);
}

#[tokio::test]
async fn shoppers_are_told_by_a_running_host() {
    let bench = Bench::new().await;
    let background = bench.shop.app.background().await;
    bench.subscribe("ada@test.dev").await.ok();
    bench.stock(5).await;
    bench.shop.app.until(async || !bench.told().is_empty()).await;
    background.stop().await;
    assert_eq!(bench.told(), ["ada@test.dev"]);
}

#[tokio::test]
async fn who_has_bought_is_not_told_and_the_order_shows_it() {
    let bench = Bench::new().await;
    let (bob, eve) = (
        bench.shop.customer(&bench.storefront, "bob@test.dev").await,
        bench.shop.customer(&bench.storefront, "eve@test.dev").await,
    );
    for client in [&bob, &eve] {
        bench.ask(client, json!({})).await.ok();
    }
    bench.stock(2).await;
    let cart = bench.shop.cart(&bob, &bench.tea.id, 1).await;
    let order = id(&complete(&bob, &cart).await.ok()["order"]);
    deliver(&bench.shop.app).await;
    assert_eq!(bench.told(), ["eve@test.dev"]);
    // Who was told and has bought counts as well.
    let cart = bench.shop.cart(&eve, &bench.tea.id, 1).await;
    complete(&eve, &cart).await.ok();
    let bought =
        bench.shop.admin.get("/admin/restock-subscriptions?status=bought&fields=order.id,email").await.ok();
    assert_eq!(bought["count"], 2);
    let path =
        format!("/admin/orders/{order}?fields=metadata,restock_subscriptions.id,restock_subscriptions.email");
    let shown = bench.shop.admin.get(&path).await.ok();
    let subscription = id(&shown["order"]["restock_subscriptions"][0]);
    assert_eq!(shown["order"]["metadata"], json!({ "restock_subscriptions": [subscription] }));
    assert_eq!(shown["order"]["restock_subscriptions"][0]["email"], "bob@test.dev");
}

#[tokio::test]
async fn those_who_wait_for_a_variant_are_limited() {
    let bench = Bench::new().await;
    let (variant, channel) = (bench.tea.id.clone(), bench.web.clone());
    let fill = move |tx: &mut dyn Write, at: &Moment| {
        for n in 0..WAITING_PER_VARIANT_MAX {
            let waiting = RestockSubscription {
                email: format!("{n}@test.dev"),
                variant_id: variant.clone(),
                sales_channel_id: Some(channel.clone()),
                ..RestockSubscription::default()
            };
            RESTOCK_SUBSCRIPTIONS.create(tx, at, waiting)?;
        }
        Ok(())
    };
    bench.shop.app.ctx.write(Actor::System, fill).await.expect("subscriptions");
    assert_eq!(
        bench.subscribe("a@test.dev").await.error(),
        format!("400 not_allowed: Too many wait for {} already", bench.tea.id)
    );
}
