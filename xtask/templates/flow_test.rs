//! Tests of the flow `__name__`.

use atoll_kernel::Actor;
use atoll_testkit::TestApp;
use atoll___crate_snake__::__snake__::__NAME__;

#[tokio::test]
async fn __snake___emits_an_event_and_refuses_an_empty_text() {
    let app = TestApp::init().await;
    app.ctx.run(&__NAME__, Actor::System, "hello".to_owned()).await.expect("a commit");
    assert_eq!(app.events("__crate__.__name__")[0]["text"], "hello");
    let refused = app.ctx.run(&__NAME__, Actor::System, " ".to_owned()).await;
    assert!(refused.is_err());
    assert_eq!(app.events("__crate__.__name__").len(), 1);
}
