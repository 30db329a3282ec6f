//! Tests of the job `__crate__.__name__`.

use atoll___crate_snake__ as _;
use atoll_testkit::TestApp;

#[tokio::test]
async fn __snake___emits_an_event() {
    let app = TestApp::init().await;
    app.run_job("__crate__.__name__").await;
    assert_eq!(app.events("__crate__.__snake___ran").len(), 1);
}
