//! Storefronts see the subscriptions of their channels and customers, and nothing else.

use atoll_testkit::{id, isolation};
use serde_json::json;

use crate::Bench;

#[tokio::test]
async fn store_routes_are_in_the_isolation_matrix() {
    isolation::reads().await;
    isolation::ends().await;
    isolation::writes().await;
}

#[tokio::test]
async fn keys_of_other_channels_neither_see_nor_delete_a_subscription() {
    let bench = Bench::new().await;
    let till = bench.shop.channel("Till").await;
    let till = bench.shop.storefront(&[&till]).await;
    let bob = bench.shop.customer(&bench.storefront, "bob@test.dev").await;
    let made = id(&bench.ask(&bob, json!({})).await.ok()["restock_subscription"]);
    let at_till = bench.shop.log_in(&till, "/auth/customer/emailpass", "bob@test.dev").await;
    assert_eq!(at_till.get("/store/restock-subscriptions").await.ok()["count"], 0);
    for client in [&till, &at_till] {
        assert_eq!(
            client.delete(&format!("/store/restock-subscriptions/{made}")).await.error(),
            format!("404 not_found: Restock subscription with id: {made} was not found")
        );
    }
    assert_eq!(bob.get("/store/restock-subscriptions").await.ok()["count"], 1);
}

#[tokio::test]
async fn storefronts_do_not_see_who_waits_nor_what_is_hidden() {
    let bench = Bench::new().await;
    let bob = bench.shop.customer(&bench.storefront, "bob@test.dev").await;
    bench.subscribe("ada@test.dev").await.ok();
    bench.ask(&bob, json!({})).await.ok();
    let own = "/store/restock-subscriptions?fields=id,check_at,*variant.restock_subscriptions,\
               *variant.product.sales_channels,*customer,variant.inventory.location_levels.stocked_quantity";
    let shown = bob.get(own).await.ok();
    assert_eq!(shown["count"], 1);
    let products = "/store/products?fields=id,*variants,variants.restock_subscriptions.email,\
                    variants.n_waiting_for_restock";
    let products = bob.get(products).await.ok();
    assert_eq!(products["count"], 1);
    for secret in ["ada@test.dev", "check_at", "n_waiting", "stocked_quantity", "sales_channels"] {
        for shown in [&shown, &products] {
            assert!(!shown.to_string().contains(secret), "{secret}: {shown}");
        }
    }
}
