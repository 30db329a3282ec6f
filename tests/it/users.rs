//! Who runs the shop: users, and those who are invited to become one.

use atoll_testkit::{Client, Shop, TestApp};
use serde_json::{Value, json};

async fn check(client: &Client, path: &str, body: Value, expected: &str) {
    assert_eq!(client.post(path, body.clone()).await.error(), expected, "{path} {body}");
}

#[tokio::test]
async fn users_change_and_remove_themselves() {
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
    assert_eq!(
        admin.delete("/admin/users/user_x").await.error(),
        "400 not_allowed: You are not allowed to delete other users"
    );
    assert_eq!(admin.delete(&me).await.ok()["deleted"], true);
    assert_eq!(admin.get("/admin/users/me").await.status, 401);
    // Whoever logs in as somebody who is gone is nobody.
    let login = json!({ "email": "admin@test.dev", "password": "supersecret" });
    let token = app.client().post("/auth/user/emailpass", login).await.ok()["token"].clone();
    let token = format!("Bearer {}", token.as_str().expect("a token"));
    assert_eq!(app.client().with_header("authorization", &token).get("/admin/products").await.status, 401);
}

#[tokio::test]
async fn whoever_is_invited_becomes_a_user_once() {
    let shop = Shop::open(TestApp::init().await).await;
    let (admin, nobody) = (&shop.admin, shop.app.client());
    let path = "/admin/invites";
    let invite = async |email: &str| admin.post(path, json!({ "email": email })).await.ok()["invite"].clone();
    let accept = |token: &Value| format!("{path}/accept?token={}", token.as_str().expect("a token"));
    let ann = invite("Ann@Test.dev").await;
    assert_eq!(ann["email"], "ann@test.dev");
    assert_eq!(shop.app.told("invite.created")[0]["token"], ann["token"]);
    let list = admin.get(path).await.ok();
    assert_eq!((&list["count"], &list["invites"][0]["token"]), (&json!(1), &Value::Null));
    let twice = "400 invalid_data: Invite with email: ann@test.dev, already exists.";
    check(admin, path, json!({ "email": "ann@test.dev" }), twice).await;
    let is_user = "400 invalid_data: User account for following email(s) already exist: admin@test.dev";
    check(admin, path, json!({ "email": "admin@test.dev" }), is_user).await;

    // Sent again, the old token opens nothing.
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
    let body = json!({ "first_name": "Ann" });
    let user = newcomer.post(&accept(&again["token"]), body.clone()).await.ok()["user"].clone();
    assert_eq!((&user["email"], &user["first_name"]), (&json!("ann@test.dev"), &json!("Ann")));
    let login = json!({ "email": "ann@test.dev", "password": "supersecret" });
    let token = nobody.post("/auth/user/emailpass", login).await.ok()["token"].clone();
    let ann =
        nobody.clone().with_header("authorization", &format!("Bearer {}", token.as_str().expect("a token")));
    assert_eq!(ann.get("/admin/users/me").await.ok()["user"]["id"], user["id"]);
    let bob = shop.newcomer(&nobody, "bob@test.dev").await;
    check(&bob, &accept(&again["token"]), body, refused).await;

    // One that is late, and one that was taken back.
    let late = invite("bob@test.dev").await;
    shop.app.advance_ms(24 * 60 * 60 * 1000 - 1);
    let taken_back = invite("eve@test.dev").await;
    let one = format!("{path}/{}", taken_back["id"].as_str().expect("an id"));
    assert_eq!(admin.delete(&one).await.ok()["object"], "invite");
    assert_eq!(admin.get(&one).await.status, 404);
    let bob = shop.newcomer(&nobody, "bob@test.dev").await;
    check(&bob, &accept(&taken_back["token"]), json!({}), refused).await;
    shop.app.advance_ms(1);
    check(&bob, &accept(&late["token"]), json!({}), refused).await;
}
