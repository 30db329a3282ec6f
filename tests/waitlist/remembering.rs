//! What handlers of a module look at, and whether their answers are remembered.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use atoll_kernel::{
    Fault, Timestamp,
    http::{Answer, Call, Params, Reply},
    routes,
    serde_json::json,
};
use atoll_testkit::TestApp;

use crate::careless::KEY;

routes! {
    /// Answers in several ways.
    Get "/admin/looks/:at" (Admin, Params::NONE) => look: Answer::One(&KEY);
}

/// How often the handler ran.
static N_RUNS: AtomicU64 = AtomicU64::new(0);

/// The time that the handler compares with.
const EDGE: Timestamp = Timestamp::from_millis(1_800_000_000_500);

async fn look(call: Call) -> Result<Reply, Fault> {
    N_RUNS.fetch_add(1, Ordering::SeqCst);
    let app = &call.app;
    let seen = match call.path("at") {
        "nothing" => json!(null),
        "time" => json!(app.time().has_reached(EDGE)),
        "context" => json!(call.context().at.has_reached(EDGE)),
        "now" => json!(app.now() >= EDGE),
        "exactly" => json!(app.time().exactly() >= EDGE),
        "head" => json!(call.head().headers.len() > 1),
        "memory" => json!(app.memory::<Mutex<u64>>().lock().is_ok()),
        "store" => json!(app.store().has_stopped()),
        "beside" => json!(app.beside().is_repeat()),
        "providers" => json!(app.provider::<dyn atoll_providers::FileStorage>("local").is_ok()),
        "outside" => {
            // As a call to another service: the handler waits.
            tokio::task::yield_now().await;
            json!(null)
        }
        "said" => {
            app.lose();
            json!(null)
        }
        _ => return Err(Fault::not_found("nothing")),
    };
    Ok(Reply::json(&json!({ "key": { "id": "", "token": seen.to_string() } })))
}

#[tokio::test]
async fn answers_that_depend_on_more_than_data_and_time_are_not_remembered() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let n_runs = async |at: &str, n_ms: i64| {
        let before = N_RUNS.load(Ordering::SeqCst);
        for _ in 0..3 {
            admin.get_unchecked(&format!("/admin/looks/{at}")).await.ok();
            app.advance_ms(n_ms);
        }
        N_RUNS.load(Ordering::SeqCst) - before
    };
    for at in ["nothing", "time", "context"] {
        assert_eq!(n_runs(at, 0).await, 1, "{at}");
    }
    for at in ["now", "exactly", "head", "memory", "store", "beside", "providers", "outside", "said"] {
        assert_eq!(n_runs(at, 0).await, 3, "{at}");
    }
    // At 0, 400 and 800 ms, of which the last is beyond the edge.
    app.advance_ms(EDGE.millis() - 500 - app.now().millis());
    assert_eq!(n_runs("time", 400).await, 1);
}
