//! The example of the README: it is the extension in `plugins/extensions/sale-channels` to the letter, and it
//! works.

use std::{path::Path, time::Duration};

use atoll_auth::PasswordHash;
use atoll_background::{Pace, start};
use atoll_flows::user::{CREATE_USERS, NewUser};
use atoll_kernel::Actor;
use atoll_sale_channels as _;
use atoll_testkit::TestApp;
use serde_json::json;

const PACE: Pace = Pace {
    first: Duration::from_millis(1),
    longest: Duration::from_millis(4),
    n_failures_max: 3,
    prune_every: Duration::from_secs(3600),
    look_every: Duration::from_millis(1),
};

#[tokio::test]
async fn example_module_opens_channels_by_route_subscriber_and_job() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let background = start(&app.ctx, PACE).await.expect("a start");
    let opened = async |n: u64| {
        let mut commits = app.ctx.store().commits();
        loop {
            let list = admin.get("/admin/sales-channels?name=Summer%20sale&limit=0").await.ok();
            if list["count"] == n {
                return;
            }
            assert!(list["count"].as_u64() < Some(n), "{list}");
            commits.changed().await.expect("a commit");
        }
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

#[test]
fn readme_shows_the_example_module_unchanged() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("../README.md")).expect("the readme");
    let example = std::fs::read_to_string(root.join("../plugins/extensions/sale-channels/src/lib.rs"))
        .expect("the example");
    assert!(readme.contains(&format!("```rust\n{example}```")), "the README shows another example");
    let n_lines = example.lines().filter(|it| !it.trim().is_empty()).count();
    assert!(readme.contains(&format!("{n_lines} lines")), "the README does not say {n_lines} lines");
}
