//! The graph reaches subscriptions from other modules' records, and these from subscriptions.

use serde_json::json;

use crate::Bench;

#[tokio::test]
async fn admins_see_subscriptions_with_their_products_and_products_with_their_subscriptions() {
    let bench = Bench::new().await;
    let bob = bench.shop.customer(&bench.storefront, "bob@test.dev").await;
    bench.subscribe("ada@test.dev").await.ok();
    bench.ask(&bob, json!({ "quantity": 2 })).await.ok();
    let admin = &bench.shop.admin;
    let fields = "email,variant.product.title,sales_channel.name,customer.email";
    let list =
        admin.get(&format!("/admin/restock-subscriptions?fields={fields}&order=created_at")).await.ok();
    assert_eq!(list["count"], 2);
    let bobs = &list["restock_subscriptions"][1];
    assert_eq!(
        (&bobs["variant"]["product"]["title"], &bobs["sales_channel"]["name"], &bobs["customer"]["email"]),
        (&json!("Tea"), &json!("Web"), &json!("bob@test.dev"))
    );
    let fields = "variants.restock_subscriptions.email,variants.n_waiting_for_restock";
    let products = admin.get(&format!("/admin/products?fields={fields}")).await.ok();
    let variant = &products["products"][0]["variants"][0];
    assert_eq!(variant["n_waiting_for_restock"], 2);
    assert_eq!(variant["restock_subscriptions"][0]["email"], "ada@test.dev");
    for (filter, n) in [
        ("email=ada@test.dev".to_owned(), 1),
        ("status=told".to_owned(), 0),
        (format!("variant[product_id]={}", bench.tea.product), 2),
        (format!("sales_channel_id={}", bench.web), 2),
        ("customer_id=null".to_owned(), 1),
        ("q=bob".to_owned(), 1),
    ] {
        let list = admin.get(&format!("/admin/restock-subscriptions?{filter}")).await.ok();
        assert_eq!(list["count"], n, "{filter}");
    }
    let id = list["restock_subscriptions"][0]["id"].as_str().expect("an id");
    let path = format!("/admin/restock-subscriptions/{id}");
    assert_eq!(admin.get(&path).await.ok()["restock_subscription"]["email"], "ada@test.dev");
    admin.delete(&path).await.ok();
    assert_eq!(
        admin.get(&path).await.error(),
        format!("404 not_found: Restock subscription with id: {id} was not found")
    );
}
