//! Admin users and invites.

use atoll_flows::user::DELETE_USERS;
use atoll_kernel::Actor;
use atoll_testkit::{Client, Shop, TestApp};
use serde_json::{Value, json};

async fn check(client: &Client, path: &str, body: Value, expected: &str) {
    assert_eq!(client.post(path, body.clone()).await.error(), expected, "{path} {body}");
}

#[tokio::test]
async fn users_update_but_cannot_delete_themselves() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let me = admin.get("/admin/users/me").await.ok()["user"]["id"].clone();
    let me = format!("/admin/users/{}", me.as_str().expect("an id"));
    let changed = admin.post(&me, json!({ "first_name": "Ann", "metadata": { "a": 1 } })).await.ok();
    assert_eq!(
        (&changed["user"]["first_name"], &changed["user"]["metadata"]),
        (&json!("Ann"), &json!({ "a": 1 }))
    );
    check(&admin, "/admin/users/user_x", json!({}), "404 not_found: User with id: user_x was not found")
        .await;
    check(
        &admin,
        &me,
        json!({ "email": "b@test.dev" }),
        "400 invalid_data: Invalid request: Unrecognized fields: 'email'",
    )
    .await;
    assert_eq!(admin.delete(&me).await.error(), "400 not_allowed: A user cannot delete itself");
    admin.get("/admin/users/me").await.ok();
    drop(app);
}

/// Creates a user by invite. Returns its client and path.
async fn colleague(shop: &Shop, email: &str) -> (Client, String) {
    let nobody = shop.app.client();
    let invite = shop.admin.post("/admin/invites", json!({ "email": email })).await.ok()["invite"].clone();
    let accept = format!("/admin/invites/accept?token={}", invite["token"].as_str().expect("a token"));
    let user = shop.newcomer(&nobody, email).await.post(&accept, json!({})).await.ok()["user"].clone();
    let client = shop.log_in(&nobody, "/auth/user/emailpass", email).await;
    (client, format!("/admin/users/{}", user["id"].as_str().expect("an id")))
}

#[tokio::test]
async fn users_delete_others_but_not_the_last_one() {
    let shop = Shop::open(TestApp::init().await).await;
    let me = shop.admin.get("/admin/users/me").await.ok()["user"]["id"].clone();
    let me = format!("/admin/users/{}", me.as_str().expect("an id"));
    let (ann, path) = colleague(&shop, "ann@test.dev").await;
    let key = json!({ "title": "ERP", "type": "secret" });
    let key = ann.post("/admin/api-keys", key).await.ok()["api_key"].clone();
    let session = ann.post("/auth/session", json!({})).await;
    let cookie = session.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie");
    let session = shop.app.client().with_header("cookie", cookie);
    session.get("/admin/users/me").await.ok();
    assert_eq!(shop.admin.delete(&path).await.ok()["deleted"], true);
    // The deleted user is refused by token, by cookie and at the login.
    for client in
        [&ann, &session, &shop.log_in(&shop.app.client(), "/auth/user/emailpass", "ann@test.dev").await]
    {
        assert_eq!(client.get("/admin/products").await.status, 401);
    }
    // Records that they created stay, with their id as creator.
    let id = path.rsplit('/').next().expect("an id");
    let made = shop.admin.get(&format!("/admin/api-keys?created_by={id}")).await.ok();
    assert_eq!((&made["count"], &made["api_keys"][0]["id"]), (&json!(1), &key["id"]));
    let server = format!("Basic {}", key["token"].as_str().expect("a token"));
    shop.app.client().with_header("authorization", &server).get("/admin/products").await.ok();
    // If two users delete each other concurrently, one stays.
    let (bob, path) = colleague(&shop, "bob@test.dev").await;
    let (one, other) = tokio::join!(shop.admin.delete(&path), bob.delete(&me));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

/// API keys and modules can delete any users but the last one. Over HTTP no key deletes users.
#[tokio::test]
async fn last_user_cannot_be_deleted_by_anyone() {
    let shop = Shop::open(TestApp::init().await).await;
    let ctx = &shop.app.ctx;
    let me = shop.admin.get("/admin/users/me").await.ok()["user"]["id"].as_str().expect("an id").to_owned();
    let key = shop.admin.post("/admin/api-keys", json!({ "title": "ERP", "type": "secret" })).await.ok();
    let token = format!("Basic {}", key["api_key"]["token"].as_str().expect("a token"));
    let server = shop.app.client().with_header("authorization", &token);
    assert_eq!(server.delete(&format!("/admin/users/{me}")).await.error(), "401 -: Unauthorized");
    let (ann, path) = colleague(&shop, "ann@test.dev").await;
    let her = path.rsplit('/').next().expect("an id").to_owned();
    let key = || Actor::ApiKey(key["api_key"]["id"].as_str().expect("an id").to_owned());
    for (actor, ids) in
        [(key(), vec![me.clone(), her.clone()]), (Actor::System, vec![her.clone(), me.clone()])]
    {
        let Err(refused) = ctx.run(&DELETE_USERS, actor, ids).await else { panic!("nobody is left") };
        let text = refused.to_string();
        assert!(text.contains("The last user cannot be deleted: nobody could log in any more"), "{text}");
        shop.admin.get("/admin/users/me").await.ok();
        ann.get("/admin/users/me").await.ok();
    }
    ctx.run(&DELETE_USERS, key(), vec![me]).await.expect("one is left");
    assert!(ctx.run(&DELETE_USERS, key(), vec![her]).await.is_err());
    ann.get("/admin/users/me").await.ok();
}

#[tokio::test]
async fn invite_is_accepted_once() {
    let shop = Shop::open(TestApp::init().await).await;
    let (admin, nobody) = (&shop.admin, shop.app.client());
    let path = "/admin/invites";
    let invite = async |email: &str| admin.post(path, json!({ "email": email })).await.ok()["invite"].clone();
    let accept = |token: &Value| format!("{path}/accept?token={}", token.as_str().expect("a token"));
    let ann = invite("Ann@Test.dev").await;
    assert_eq!(ann["email"], "ann@test.dev");
    assert_eq!(json!(shop.app.mailed_tokens("invite.created")[0]), ann["token"]);
    let list = admin.get(path).await.ok();
    assert_eq!((&list["count"], &list["invites"][0]["token"]), (&json!(1), &Value::Null));
    let twice = "400 invalid_data: Invite with email: ann@test.dev, already exists.";
    check(admin, path, json!({ "email": "ann@test.dev" }), twice).await;
    let is_user = "400 invalid_data: User account for following email(s) already exist: admin@test.dev";
    check(admin, path, json!({ "email": "admin@test.dev" }), is_user).await;

    // After a resend, the old token is invalid.
    let one = format!("{path}/{}", ann["id"].as_str().expect("an id"));
    let again = admin.post(&format!("{one}/resend"), json!({})).await.ok()["invite"].clone();
    assert_ne!(again["token"], ann["token"]);
    let newcomer = shop.newcomer(&nobody, "ann@test.dev").await;
    let refused = "401 -: Unauthorized";
    check(&newcomer, &accept(&ann["token"]), json!({}), refused).await;
    check(&newcomer, &format!("{path}/accept"), json!({}), refused).await;
    check(&nobody, &accept(&again["token"]), json!({}), refused).await;
    let known = "400 invalid_data: The user is already authenticated and cannot accept an invite.";
    check(admin, &accept(&again["token"]), json!({}), known).await;
    // It is valid for the invited address only, in any case.
    let another = "400 not_allowed: The invite is for another e-mail address";
    let eve = shop.newcomer(&nobody, "eve@test.dev").await;
    check(&eve, &accept(&again["token"]), json!({}), another).await;
    check(&eve, &accept(&again["token"]), json!({ "email": "ann@test.dev" }), another).await;
    check(&newcomer, &accept(&again["token"]), json!({ "email": "admin2@test.dev" }), another).await;
    let body = json!({ "first_name": "Ann", "email": "ANN@test.dev" });
    let user = newcomer.post(&accept(&again["token"]), body.clone()).await.ok()["user"].clone();
    assert_eq!((&user["email"], &user["first_name"]), (&json!("ann@test.dev"), &json!("Ann")));
    let login = json!({ "email": "ann@test.dev", "password": "supersecret" });
    let token = nobody.post("/auth/user/emailpass", login).await.ok()["token"].clone();
    let ann =
        nobody.clone().with_header("authorization", &format!("Bearer {}", token.as_str().expect("a token")));
    assert_eq!(ann.get("/admin/users/me").await.ok()["user"]["id"], user["id"]);
    let bob = shop.newcomer(&nobody, "bob@test.dev").await;
    check(&bob, &accept(&again["token"]), body, refused).await;

    // An expired invite, and a deleted one.
    let late = invite("bob@test.dev").await;
    shop.app.advance_ms(24 * 60 * 60 * 1000 - 1);
    let taken_back = invite("eve@test.dev").await;
    let one = format!("{path}/{}", taken_back["id"].as_str().expect("an id"));
    assert_eq!(admin.delete(&one).await.ok()["object"], "invite");
    assert_eq!(admin.get(&one).await.status, 404);
    let (bob, eve) =
        (shop.newcomer(&nobody, "bob@test.dev").await, shop.newcomer(&nobody, "eve@test.dev").await);
    check(&eve, &accept(&taken_back["token"]), json!({}), refused).await;
    shop.app.advance_ms(1);
    check(&bob, &accept(&late["token"]), json!({}), refused).await;
}
