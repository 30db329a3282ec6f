//! Health checks: when the process is ready, and the reasons why it is not.

use atoll_host::{Cluster, Health};
use atoll_testkit::TestApp;
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

async fn get(health: &Health, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let answer = health.router().oneshot(request).await.expect("an answer");
    let status = answer.status();
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    (status, String::from_utf8(body.to_vec()).expect("text"))
}

#[tokio::test]
async fn process_is_ready_once_it_has_recovered_and_while_it_can_write() {
    let app = TestApp::init().await;
    let health = Health::of(&app.ctx, &Cluster::alone(app.ctx.store().clone()));
    let check = async |reasons: &[&str]| {
        let (status, body) = get(&health, "/health/ready").await;
        let body: Value = serde_json::from_str(&body).expect("JSON");
        match reasons {
            [] => assert_eq!((status.as_u16(), body), (200, json!({ "status": "ready" }))),
            _ => {
                assert_eq!((status.as_u16(), body), (503, json!({ "status": "unready", "reasons": reasons })))
            }
        }
        assert_eq!(get(&health, "/health/live").await, (StatusCode::OK, "OK".to_owned()));
    };
    check(&["the saga runs that the last process left open are being resumed"]).await;
    health.recovered();
    check(&[]).await;
    app.ctx.room().measured(99, 100);
    check(&["the disk is nearly full: 99 bytes are free, and 100 must be"]).await;
    app.ctx.room().measured(200, 100);
    check(&[]).await;
    health.drain();
    check(&["the process is shutting down"]).await;
    app.ctx.store().close();
    check(&["the store takes no more writes", "the process is shutting down"]).await;
}
