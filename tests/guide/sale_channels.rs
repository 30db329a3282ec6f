//! The example of the README, the extension `plugins/extensions/sale-channels`: a route, a subscriber and a
//! job run its flow.

use atoll_auth::PasswordHash;
use atoll_flows::user::{CREATE_USERS, NewUser};
use atoll_kernel::Actor;
use atoll_sale_channels as _;
use atoll_testkit::TestApp;
use serde_json::json;

#[tokio::test]
async fn example_module_opens_channels_by_route_subscriber_and_job() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let background = app.background().await;
    let opened = async |n: u64| {
        app.until(async || {
            let list = admin.get("/admin/sales-channels?name=Summer%20sale&limit=0").await.ok();
            assert!(list["count"].as_u64() <= Some(n), "{list}");
            list["count"] == n
        })
        .await;
    };
    admin.post("/admin/sale-channels", json!({})).await.ok();
    opened(1).await;
    let password = PasswordHash::new("supersecret").expect("a hash");
    let user = NewUser { email: "new@test.dev".into(), password };
    app.ctx.run(&CREATE_USERS, Actor::System, vec![user]).await.expect("a user");
    opened(2).await;
    // It is 8 o'clock.
    app.advance_ms(16 * 60 * 60 * 1000);
    opened(3).await;
    background.stop().await;
}
