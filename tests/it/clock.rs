//! The clock was ahead for a while, and was set back: nothing waits for the times that were stored meanwhile.

use atoll_testkit::{Client, Shop, TestApp};
use serde_json::{Value, json};

const YEAR_MS: i64 = 365 * 24 * 60 * 60 * 1000;
const LOGIN: &str = "/auth/user/emailpass";

async fn log_in(app: &TestApp, password: &str) -> Client {
    let credentials = json!({ "email": "admin@test.dev", "password": password });
    let token = app.client().post(LOGIN, credentials).await.ok();
    let token = format!("Bearer {}", token["token"].as_str().expect("a token"));
    app.client().with_header("authorization", &token)
}

async fn reset(app: &TestApp, password: &str) {
    let path = "/auth/user/emailpass/reset-password";
    assert_eq!(app.client().post(path, json!({ "identifier": "admin@test.dev" })).await.status, 201);
    let token = app.mailed_tokens("auth.password_reset").pop().expect("a token");
    let path = format!("/auth/user/emailpass/update?token={token}");
    app.client().post(&path, json!({ "password": password })).await.ok();
}

async fn status(client: &Client) -> u16 {
    client.get("/admin/users/me").await.status.as_u16()
}

async fn session(client: &Client, app: &TestApp) -> Client {
    let answer = client.post("/auth/session", json!({})).await;
    let line = answer.headers["set-cookie"].to_str().expect("text").to_owned();
    app.client().with_header("cookie", line.split(';').next().expect("a cookie"))
}

#[tokio::test]
async fn login_works_after_the_clock_is_set_back() {
    let (app, before) = TestApp::init().await.with_admin().await;
    let session_before = session(&before, &app).await;
    app.advance_ms(YEAR_MS);
    reset(&app, "new secret").await;
    let ahead = log_in(&app, "new secret").await;
    let session_ahead = session(&ahead, &app).await;
    assert_eq!((status(&ahead).await, status(&session_ahead).await), (200, 200));
    app.advance_ms(-YEAR_MS);
    // Sessions of the old password stay invalid, and sessions that began ahead expire no later than others.
    for client in [&before, &session_before, &ahead, &session_ahead] {
        assert_eq!(status(client).await, 401);
    }
    let now = log_in(&app, "new secret").await;
    assert_eq!((status(&now).await, status(&session(&now, &app).await).await), (200, 200));
    reset(&app, "newer secret").await;
    assert_eq!(status(&now).await, 401);
    assert_eq!(status(&log_in(&app, "newer secret").await).await, 200);
    // Setting the clock back a little invalidates no session.
    let (login, session) =
        (log_in(&app, "newer secret").await, session(&log_in(&app, "newer secret").await, &app).await);
    app.advance_ms(-60_000);
    assert_eq!((status(&login).await, status(&session).await), (200, 200));
}

#[tokio::test]
async fn invite_from_the_future_can_be_resent() {
    let shop = Shop::open(TestApp::init().await).await;
    let nobody = shop.app.client();
    shop.app.advance_ms(YEAR_MS);
    let admin = log_in(&shop.app, "supersecret").await;
    let invite =
        admin.post("/admin/invites", json!({ "email": "ann@test.dev" })).await.ok()["invite"].clone();
    shop.app.advance_ms(-YEAR_MS);
    let ann = shop.newcomer(&nobody, "ann@test.dev").await;
    let accept = async |invite: &Value| {
        let token = invite["token"].as_str().expect("a token");
        ann.post(&format!("/admin/invites/accept?token={token}"), json!({})).await
    };
    assert_eq!(accept(&invite).await.error(), "401 -: Unauthorized");
    let again = format!("/admin/invites/{}/resend", invite["id"].as_str().expect("an id"));
    let again = shop.admin.post(&again, json!({})).await.ok()["invite"].clone();
    accept(&again).await.ok();
}
