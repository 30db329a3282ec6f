//! Tests of __title__, through the real router.

use atoll___snake__ as _;
use atoll_kernel::serde_json::json;
use atoll_testkit::TestApp;

#[tokio::test]
async fn __snake___opens_a_sales_channel() {
    let (_app, admin) = TestApp::init().await.with_admin().await;
    let opened = admin.post("/admin/__name__", json!({})).await.ok();
    let id = opened["id"].as_str().expect("an id");
    let shown = admin.get(&format!("/admin/sales-channels/{id}")).await.ok();
    assert_eq!(shown["sales_channel"]["name"], "__Title__");
}
