//! Tests of the route `GET /admin/__name__`.

use atoll___crate_snake__ as _;
use atoll_testkit::TestApp;

#[tokio::test]
async fn __snake___answers_admins_only() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let answer = admin.get("/admin/__name__?name=Ada").await.ok();
    assert_eq!(answer["greeting"], "Hello, Ada");
    assert_eq!(app.client().get("/admin/__name__").await.status, 401);
}
