//! Mailed tokens: a subscriber gets a valid token, over failures and restarts, and the database never holds
//! one.

use std::sync::{Mutex, PoisonError};

use atoll_background::Background;
use atoll_kernel::{
    Actor, Ctx, Fault, Read,
    data::{Direction, Scan, Store},
    flow,
    jobs::Event,
    saga::{External, Run},
    subscriber,
};
use atoll_storage::{SEQUENCES, Span, engines::Memory};
use atoll_testkit::{Client, Shop, TestApp};
use serde_json::json;

use crate::settled;

/// Mailed tokens by address. Each test has addresses of its own.
static MAILBOX: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

fn mailed(to: &str) -> Vec<String> {
    let mailbox = MAILBOX.lock().unwrap_or_else(PoisonError::into_inner);
    mailbox.iter().filter(|(it, _)| it == to).map(|(_, token)| token.clone()).collect()
}

fn address(event: &Event) -> String {
    let field = if event.name == "auth.password_reset" { "entity_id" } else { "email" };
    event.data[field].as_str().unwrap_or_default().to_owned()
}

const MAIL: &str = "test.mail";

subscriber! { "test.mail" on ["auth.password_reset", "invite.created", "invite.resent"] => mail }

/// Mails in a saga step, whose input is the event. For some addresses it fails, with the token in its error.
async fn mail(ctx: Ctx, event: Event) -> Result<(), Fault> {
    if address(&event).starts_with("lost") {
        let token = ctx.token_of(&event).unwrap_or_default();
        return Err(Fault::invalid(format!("no such mailbox: https://shop.example/?token={token}")));
    }
    ctx.start(&SEND, Actor::System, None, event).await.map(drop)
}

flow! {
    /// Mails the token of an event.
    static SEND: Saga<Event, ()> = "test-send" (send);
}

async fn send(run: &mut Run, event: Event) -> Result<(), Fault> {
    let step = External::new("hand-over", move |ctx, _| {
        let event = event.clone();
        async move {
            let token = ctx.token_of(&event).ok_or_else(|| Fault::invalid("it is good no more"))?;
            MAILBOX.lock().unwrap_or_else(PoisonError::into_inner).push((address(&event), token));
            Ok(())
        }
    });
    run.external(step).await
}

async fn go(app: &TestApp) -> Background {
    app.background().await
}

/// Names of the spaces that hold this text.
fn holding(app: &TestApp, text: &str) -> Vec<&'static str> {
    let (view, mut found) = (app.ctx.view(), Vec::new());
    let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|it| it == text.as_bytes());
    for space in app.ctx.registry().spaces().into_iter().chain([SEQUENCES]) {
        let span = Span::prefix(&view.prefix(space));
        let look = &mut |key: &[u8], value: &[u8]| {
            if holds(key) || holds(value) {
                found.push(space);
            }
            Ok(Scan::Continue(()))
        };
        view.scan(&span, Direction::Ascending, look).expect("a scan");
    }
    found
}

async fn ask(client: &Client, email: &str) {
    let path = "/auth/user/emailpass/reset-password";
    assert_eq!(client.post(path, json!({ "identifier": email })).await.status, 201);
}

#[tokio::test]
async fn database_never_holds_a_valid_token() {
    let shop = Shop::open(TestApp::init().await).await;
    let app = &shop.app;
    let background = go(app).await;
    ask(&app.client(), "admin@test.dev").await;
    // Nor does the stored answer of an `Idempotency-Key`.
    let once = |key: &str| shop.admin.clone().with_header("idempotency-key", key);
    let secret = json!({ "title": "ERP", "type": "secret" });
    let secret = once("two").post("/admin/api-keys", secret).await.ok()["api_key"]["token"].clone();
    assert_eq!(holding(app, secret.as_str().expect("a token")), [""; 0]);
    let invited = once("one").post("/admin/invites", json!({ "email": "ann@test.dev" })).await.ok();
    let lost = shop.admin.post("/admin/invites", json!({ "email": "lost@test.dev" })).await.ok();
    settled(app, &[MAIL]).await;
    background.stop().await;
    let (reset, invite) = (mailed("admin@test.dev").pop().expect("a token"), mailed("ann@test.dev"));
    assert_eq!(json!(invite), json!([invited["invite"]["token"]]));
    let lost = lost["invite"]["token"].as_str().expect("a token").to_owned();
    for token in [&reset, &invite[0], &lost] {
        // The mailed token is signed; the stored event has it without the signature.
        let (unsigned, signature) = token.rsplit_once('.').expect("a signature");
        assert_eq!(holding(app, signature), [""; 0]);
        assert!(holding(app, unsigned).contains(&"outbox"));
        let (client, path) = (app.client(), format!("/auth/user/emailpass/update?token={unsigned}"));
        let refused = client.post(&path, json!({ "password": "new secret" }));
        assert_eq!(refused.await.error(), "401 unauthorized: Invalid token");
    }
    // The dead letter holds the error, without the token.
    let letters = shop.admin.get("/admin/dead-letters").await.ok();
    assert_eq!(letters["dead_letters"][0]["error"], "no such mailbox: https://shop.example/?token=(token)");
    // Tokens of another purpose or another key are refused.
    let path = format!("/auth/user/emailpass/update?token={}", invite[0]);
    assert_eq!(app.client().post(&path, json!({ "password": "new secret" })).await.status, 401);
    let as_login = app.client().with_header("authorization", &format!("Bearer {reset}"));
    assert_eq!(as_login.get("/admin/users/me").await.status, 401);
    let path = format!("/auth/user/emailpass/update?token={reset}");
    app.client().post(&path, json!({ "password": "new secret" })).await.ok();
}

#[tokio::test]
async fn token_is_mailed_after_a_restart_unless_it_expired() {
    let disk = Memory::default();
    let spaces = atoll_host::registry().expect("a registry").spaces();
    let store = || Store::open(disk.clone(), &spaces).expect("a store");
    let (app, admin) = TestApp::over(store(), None).await.with_admin().await;
    let background = go(&app).await;
    background.stop().await;
    admin.post("/admin/invites", json!({ "email": "kim@test.dev" })).await.ok();
    drop(app);
    let app = TestApp::over(store(), None).await;
    let background = go(&app).await;
    settled(&app, &[MAIL]).await;
    background.stop().await;
    assert_eq!(mailed("kim@test.dev"), app.mailed_tokens("invite.created"));
    assert_eq!(mailed("kim@test.dev").len(), 1);
    // An expired token is not mailed any more.
    admin.on(&app).post("/admin/invites", json!({ "email": "late@test.dev" })).await.ok();
    app.advance_ms(24 * 60 * 60 * 1000);
    let background = go(&app).await;
    settled(&app, &[MAIL]).await;
    background.stop().await;
    assert_eq!(mailed("late@test.dev"), [""; 0]);
}
