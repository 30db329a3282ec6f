//! A program whose operator has switched the module off.

use atoll_testkit::{Setup, Shop, Walk};
use atoll_webhooks as _;
use serde_json::json;

#[tokio::test]
async fn switched_off_it_has_no_routes_no_pages_and_no_worker() {
    let shop = Shop::open(Setup::default().without("webhooks").init().await).await;
    let registry = shop.app.ctx.registry();
    assert!(registry.workers.iter().all(|it| !it.name.starts_with("webhooks")));
    assert!(registry.metrics.iter().all(|it| !it.name.starts_with("atoll_webhook")));
    let body = json!({ "url": "https://erp.test", "events": ["*"] });
    let refused = shop.admin.post("/admin/webhooks", body).await.error();
    assert!(refused.starts_with("404"), "{refused}");
    let walk = Walk::of(&shop.app).await;
    assert!(walk.pages.keys().all(|it| !it.contains("webhooks")));
    shop.app.background().await.stop().await;
}
