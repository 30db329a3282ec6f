//! Tests of __titles__, through the real router.

use atoll___snake__ as _;
use atoll_kernel::serde_json::json;
use atoll_testkit::{TestApp, id};

#[tokio::test]
async fn __snakes___are_created_updated_listed_and_deleted() {
    let (_app, admin) = TestApp::init().await.with_admin().await;
    let made = admin.post("/admin/__names__", json!({ "title": "First" })).await.ok();
    let path = format!("/admin/__names__/{}", id(&made["__snake__"]));
    admin.post(&path, json!({ "title": "Second" })).await.ok();
    assert_eq!(admin.get(&path).await.ok()["__snake__"]["title"], "Second");
    let list = admin.get("/admin/__names__?title=Second").await.ok();
    assert_eq!((&list["count"], &list["__snakes__"][0]["id"]), (&json!(1), &made["__snake__"]["id"]));
    admin.delete(&path).await.ok();
    assert_eq!(admin.get("/admin/__names__").await.ok()["count"], 0);
    assert_eq!(admin.get(&path).await.status, 404);
}

#[tokio::test]
async fn a___snake___needs_a_title() {
    let (_app, admin) = TestApp::init().await.with_admin().await;
    let error = admin.post("/admin/__names__", json!({})).await;
    assert_eq!(error.status, 400);
}
