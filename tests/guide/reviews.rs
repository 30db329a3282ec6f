//! The module of docs/adding-a-module.md, `plugins/review`, through the real router.

use atoll_review as _;
use atoll_testkit::{Shop, id};
use serde_json::json;

#[tokio::test]
async fn reviews_are_listed_by_themselves_and_with_their_product() {
    let (shop, channel, _) = Shop::web().await;
    let tea = shop.product("Tea", &[&channel], 1).await;
    let review = json!({ "product_id": tea.product, "author": "Ada", "rating": 5 });
    let made = shop.admin.post("/admin/reviews", review).await.ok();
    let of_tea = format!("/admin/reviews?product[id]={}", tea.product);
    assert_eq!(shop.admin.get(&of_tea).await.ok()["count"], 1);
    assert_eq!(shop.admin.get("/admin/reviews?author=Bob").await.ok()["count"], 0);
    let product = format!("/admin/products/{}", tea.product);
    let shown = shop.admin.get(&format!("{product}?fields=reviews.author,reviews.rating")).await.ok();
    assert_eq!(shown["product"]["reviews"][0]["author"], "Ada");
    shop.admin.delete(&product).await.ok();
    assert_eq!(shop.admin.get("/admin/reviews").await.ok()["count"], 0, "it goes with its product");
    assert_eq!(made["review"]["product"]["title"], "Tea");
}

#[tokio::test]
async fn invalid_reviews_are_refused() {
    let (shop, channel, _) = Shop::web().await;
    let tea = shop.product("Tea", &[&channel], 1).await;
    for (review, error) in [
        (
            json!({ "product_id": tea.product, "author": "Ada", "rating": 6 }),
            "400 invalid_data: a rating of 6",
        ),
        (json!({ "product_id": "prod_none", "author": "Ada", "rating": 5 }), "404 not_found"),
        (json!({ "product_id": tea.product, "rating": 5 }), "400 invalid_data"),
    ] {
        let answer = shop.admin.post("/admin/reviews", review.clone()).await.error();
        assert!(answer.starts_with(error), "{review}: {answer}");
    }
    assert_eq!(shop.admin.get("/admin/reviews").await.ok()["count"], 0);
    assert_eq!(shop.app.client().get("/admin/reviews").await.status, 401);
}

#[tokio::test]
async fn reviews_that_advertise_are_deleted_and_the_others_counted() {
    let (shop, channel, _) = Shop::web().await;
    let tea = shop.product("Tea", &[&channel], 1).await;
    let background = shop.app.background().await;
    let mut ids = Vec::new();
    for text in ["See https://shop.example", "Good"] {
        let review = json!({ "product_id": tea.product, "author": "Ada", "rating": 5, "text": text });
        ids.push(id(&shop.admin.post("/admin/reviews", review).await.ok()["review"]));
    }
    let reviews = async || shop.admin.get("/admin/reviews").await.ok();
    shop.app.until(async || reviews().await["count"] == 1).await;
    assert_eq!(shop.admin.get("/admin/reviews").await.ok()["reviews"][0]["id"], ids[1].as_str());
    background.stop().await;
    shop.app.run_job("review.count").await;
    assert_eq!(shop.app.events("review.counted"), [json!({ "count": 1 })]);
}
