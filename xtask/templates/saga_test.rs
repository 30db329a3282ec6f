//! Tests of the saga `__name__`.

use atoll_kernel::{Actor, saga::Outcome};
use atoll_testkit::TestApp;
use atoll___crate_snake__::__NAME__;

#[tokio::test]
async fn __snake___notes_the_answer_of_the_service() {
    let app = TestApp::init().await;
    let run = app.ctx.start(&__NAME__, Actor::System, Some("run-1"), "hello".to_owned()).await;
    let Outcome::Done(answer, ..) = run.expect("a run") else { panic!("it waits") };
    assert_eq!(answer, "hello (1)");
    assert_eq!(app.events("__crate__.__name__")[0]["answer"], "hello (1)");
}
