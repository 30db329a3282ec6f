//! A `GET` whose author writes: no host that follows could answer it.

use atoll_kernel::{
    Actor, Fault,
    http::{Answer, Call, Params, Reply, StatusCode},
    routes,
    serde_json::json,
};
use atoll_testkit::TestApp;

routes! {
    /// Writes, directly or by work beside the request.
    Get "/admin/writes/:how" (Admin, Params::NONE) => write: Answer::Object(&[]);
}

async fn write(call: Call) -> Result<Reply, Fault> {
    let app = match call.path("how") {
        "beside" => call.app.beside(),
        "unmetered" => call.app.unmetered().finishing(),
        _ => call.app.clone(),
    };
    drop(call.view);
    app.write(Actor::System, |_, _| Ok(())).await?;
    Ok(Reply::json(&json!({})))
}

#[tokio::test]
async fn get_writes_nothing() {
    let (_app, admin) = TestApp::init().await.with_admin().await;
    for how in ["directly", "beside", "unmetered"] {
        let answer = admin.get(&format!("/admin/writes/{how}")).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{how}");
    }
}
