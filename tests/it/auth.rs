//! Authentication: every route of the table, with every kind of invalid credentials.

use atoll_auth::{add_actor, find_identity};
use atoll_flows::sales_channel::CREATE_SALES_CHANNELS;
use atoll_kernel::{
    Actor, Ctx, Moment, Write,
    http::{App, Auth, Caller, Head, Method},
};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_testkit::{Client, Shop, TestApp};
use axum::{body::Body, http::Request};
use serde_json::json;

/// Public routes.
const PUBLIC: [&str; 11] = [
    "GET /", "GET /admin/feature-flags", "GET /docs", "GET /docs/:file", "GET /openapi.json",
    "GET /static/:file", "POST /auth/:actor/:provider", "POST /auth/:actor/:provider/register",
    "POST /auth/:actor/:provider/reset-password", "POST /auth/:actor/:provider/update",
    "POST /hooks/payment/:provider_id",
];

/// The path with values for its parameters.
fn filled(path: &str) -> String {
    let segments = path.split('/').map(|it| if it.starts_with(':') { "x" } else { it });
    segments.collect::<Vec<_>>().join("/")
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Delete => "DELETE",
    }
}

#[tokio::test]
async fn every_route_refuses_bad_credentials() {
    let shop = Shop::open(TestApp::init().await).await;
    let revoke = async |kind: &str| {
        let key = json!({ "title": "Old", "type": kind });
        let key = shop.admin.post("/admin/api-keys", key).await.ok()["api_key"].clone();
        let path = format!("/admin/api-keys/{}/revoke", key["id"].as_str().expect("an id"));
        shop.admin.post(&path, json!({})).await.ok();
        key["token"].as_str().expect("a token").to_owned()
    };
    let (secret, publishable) = (revoke("secret").await, revoke("publishable").await);
    let nobody = shop.app.client();
    let with = |name: &str, value: &str| nobody.clone().with_header(name, value);
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    let customer = shop.customer(&storefront, "ann@test.dev").await;
    let newcomer = shop.newcomer(&storefront, "bob@test.dev").await;
    let live = json!({ "title": "Live", "type": "secret" });
    let live = shop.admin.post("/admin/api-keys", live).await.ok()["api_key"]["token"].clone();
    let live = with("authorization", &format!("Basic {}", live.as_str().expect("a token")));
    let admins: Vec<(&str, Client)> = vec![
        ("no token", nobody.clone()),
        ("a token that is none", with("authorization", "Bearer garbage")),
        // Signed with another key, with otherwise valid claims.
        (
            "a token of another shop",
            with("authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJhY3Rvcl9pZCI6InUifQ.eA"),
        ),
        ("a revoked key", with("authorization", &format!("Basic {secret}"))),
        ("a publishable key", with("authorization", &format!("Basic {publishable}"))),
        ("a customer's token", customer.clone()),
        ("the token of somebody who is nobody yet", newcomer.clone()),
    ];
    let users = [&admins[..], &[("a secret key", live)]].concat();
    let identities = admins[..5].to_vec();
    let shoppers: Vec<(&str, Client)> = vec![
        ("no key", nobody.clone()),
        ("a key that is none", with("x-publishable-api-key", "pk_garbage")),
        ("a revoked key", with("x-publishable-api-key", &publishable)),
        ("a secret key", with("x-publishable-api-key", &secret)),
    ];
    // With a valid key.
    let admin = shop.admin.clone().with_header("x-publishable-api-key", &shop.key(&[&web]).await);
    let customers = vec![
        ("no token", storefront.clone()),
        ("a token that is none", storefront.clone().with_header("authorization", "Bearer garbage")),
        ("an admin's token", admin),
        ("the token of somebody who is nobody yet", newcomer),
    ];
    let mut public = Vec::new();
    let mut wrong = Vec::new();
    for route in shop.app.ctx.routes() {
        let name = format!("{} {}", route.method, route.path);
        let refused: &[(&[(&str, Client)], u16)] = match route.auth {
            Auth::Public => {
                public.push(name);
                continue;
            }
            Auth::Identity => &[(&identities, 401)],
            Auth::Admin => &[(&admins, 401)],
            Auth::User => &[(&users, 401)],
            Auth::Store => &[(&shoppers, 400)],
            Auth::NewCustomer => &[(&shoppers, 400), (&customers[..3], 401)],
            Auth::Customer => &[(&shoppers, 400), (&customers, 401)],
        };
        let clients =
            refused.iter().flat_map(|(clients, status)| clients.iter().map(move |it| (it, *status)));
        for ((what, client), status) in clients {
            let answer = client.send(method(route.method), &filled(route.path), Body::empty()).await;
            if answer.status.as_u16() != status {
                wrong.push(format!("{name} with {what}: {} {}", answer.status, answer.json));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    public.sort();
    assert_eq!(public, PUBLIC);
}

#[tokio::test]
async fn valid_token_can_be_refreshed() {
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    let (app, _) = TestApp::init().await.with_admin().await;
    let login = json!({ "email": "admin@test.dev", "password": "supersecret" });
    let login = app.client().post("/auth/user/emailpass", login).await.ok();
    let token = format!("Bearer {}", login["token"].as_str().expect("a token"));
    let admin = app.client().with_header("authorization", &token);
    app.advance_ms(DAY_MS - 1000);
    let renewed = admin.post("/auth/token/refresh", json!({})).await.ok();
    let renewed = format!("Bearer {}", renewed["token"].as_str().expect("a token"));
    app.advance_ms(2000);
    assert_eq!(admin.get("/admin/users/me").await.status, 401);
    assert_eq!(admin.post("/auth/token/refresh", json!({})).await.status, 401);
    app.client().with_header("authorization", &renewed).get("/admin/users/me").await.ok();
}

/// The head of a request, perhaps with a token.
fn head(token: Option<&str>) -> Head {
    let request = Request::builder();
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    request.body(()).expect("a request").into_parts().0
}

#[tokio::test]
async fn unauthenticated_callers_are_nobody_and_not_the_system() {
    let app = TestApp::init().await;
    let credentials = json!({ "email": "ann@test.dev", "password": "supersecret" });
    let admit = |auth, token: Option<&str>| {
        app.ctx.admit(auth, Caller::of::<Ctx>(&head(token))).expect("let in").0.actor
    };
    assert_eq!(admit(Auth::Public, None), Actor::Nobody);
    for actor_type in ["user", "customer", "vendor"] {
        let path = format!("/auth/{actor_type}/emailpass");
        if actor_type == "user" {
            app.client().post(&format!("{path}/register"), credentials.clone()).await.ok();
        }
        let token = app.client().post(&path, credentials.clone()).await.ok()["token"].clone();
        assert_eq!(admit(Auth::Identity, token.as_str()), Actor::Nobody, "{actor_type}");
    }
    // An identity that has an account, but of a type that no module here knows.
    let vendor = |tx: &mut dyn Write, at: &Moment| {
        let identity = find_identity(tx, "ann@test.dev")?.expect("it registered");
        Ok(add_actor(tx, at, &identity.id, "vendor", "ven_1")?)
    };
    app.ctx.write(Actor::System, vendor).await.expect("an account");
    let token = app.client().post("/auth/vendor/emailpass", credentials).await.ok()["token"].clone();
    assert_eq!(admit(Auth::Identity, token.as_str()), Actor::Nobody);
}

#[tokio::test]
async fn unauthenticated_callers_cannot_write() {
    let app = TestApp::init().await;
    let channel = SalesChannel { name: "Web".into(), ..SalesChannel::default() };
    let n_channels = || SALES_CHANNELS.table.count(&app.ctx.view()).expect("a count");
    let before = n_channels();
    let written = app.ctx.write(Actor::Nobody, |_, _| Ok(())).await.map(drop);
    let ran = app.ctx.run(&CREATE_SALES_CHANNELS, Actor::Nobody, vec![channel.clone()]).await.map(drop);
    for refused in [written, ran] {
        assert_eq!(refused.expect_err("it is refused").status(), 401);
    }
    assert_eq!(n_channels(), before);
    app.ctx.run(&CREATE_SALES_CHANNELS, Actor::System, vec![channel]).await.expect("a channel");
    assert_eq!(n_channels(), before + 1);
}
