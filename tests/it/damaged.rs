//! A damaged record over HTTP is a 500, and the log names it; wrong data is never served, and other records
//! still are. Jobs log it and skip it.

use std::{fs, path::Path};

use atoll_auth::{AUTH_SESSIONS, AuthSession};
use atoll_availability::sale_counts;
use atoll_cart::{CARTS, Cart};
use atoll_host::{Data, registry};
use atoll_kernel::{
    Actor, Fault, Moment, Read, Write,
    data::{Direction, Scan, group_count},
    http::ONCE,
    saga::{EXECUTIONS, ExecutionState, WorkflowExecution},
};
use atoll_links::CART_PAYMENT_COLLECTION;
use atoll_payment::{PAYMENT_COLLECTIONS, PaymentCollection};
use atoll_storage::Span;
use atoll_testkit::{Log, Shop, TestApp};
use serde_json::{Map, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

async fn open(folder: &Path) -> TestApp {
    let store = Data::Folder(folder.to_owned()).open(registry().expect("a registry")).expect("a store");
    TestApp::over(store, None).await
}

/// Flips a bit in every copy of this text, and nowhere else.
fn damage(file: &Path, text: &str) {
    let mut bytes = fs::read(file).expect("the file");
    let text = text.as_bytes();
    let places: Vec<usize> =
        bytes.windows(text.len()).enumerate().filter(|(_, it)| *it == text).map(|(place, _)| place).collect();
    assert!(!places.is_empty(), "it is not there");
    places.into_iter().for_each(|place| bytes[place] ^= 1);
    fs::write(file, bytes).expect("a file");
}

#[tokio::test]
async fn a_damaged_record_is_a_500_that_the_log_explains_and_others_stay_served() {
    let folder = TempDir::new().expect("a folder");
    let shop = Shop::open(open(folder.path()).await).await;
    let web = shop.channel("Web").await;
    let (tea, cup) = (shop.product("tea", &[&web], 5).await, shop.product("cup", &[&web], 5).await);
    let key = shop.key(&[&web]).await;
    let told = json!({ "description": "Leaves from the hills of Sylhet" });
    shop.admin.post(&format!("/admin/products/{}", tea.product), told).await.ok();
    shop.app.ctx.store().close();
    drop(shop);
    damage(&folder.path().join("atoll.redb"), "Leaves from the hills of Sylhet");

    let app = open(folder.path()).await;
    app.is_damaged();
    let (log, _guard) = Log::open();
    let login = json!({ "email": "admin@test.dev", "password": "supersecret" });
    let token = app.client().post("/auth/user/emailpass", login).await.ok();
    let bearer = format!("Bearer {}", token["token"].as_str().expect("a token"));
    let admin = app.client().with_header("authorization", &bearer);
    let storefront = app.storefront(&key);
    let named = format!("corrupt record `{}` in `product`: its checksum is wrong", tea.product);
    log.take();
    for (client, path) in [
        (&admin, format!("/admin/products/{}", tea.product)),
        (&admin, "/admin/products".to_owned()),
        (&admin, format!("/admin/products/{}/variants/{}?fields=*product", tea.product, tea.id)),
        (&storefront, format!("/store/products/{}", tea.product)),
        (&storefront, "/store/products".to_owned()),
    ] {
        let answer = client.get(&path).await;
        assert_eq!(answer.status, 500, "{path}: {}", answer.json);
        assert_eq!(answer.json["code"], "unknown_error", "{path}");
        assert!(!answer.json.to_string().contains("eaves"), "{path}: {}", answer.json);
        let logged = log.take();
        assert!(logged.contains("ERROR") && logged.contains(&named), "{path}: {logged}");
    }
    // A write that reads it is aborted.
    let title = json!({ "title": "Tea" });
    assert_eq!(admin.post(&format!("/admin/products/{}", tea.product), title).await.status, 500);
    assert!(log.take().contains(&named));
    for (client, path) in [
        (&admin, format!("/admin/products/{}", cup.product)),
        (&storefront, format!("/store/products/{}", cup.product)),
        (&storefront, "/store/products?handle=cup".to_owned()),
    ] {
        let body = client.get(&path).await.ok();
        assert!(body.to_string().contains("cup"), "{path}: {body}");
    }
    let title = json!({ "title": "Mug" });
    admin.post(&format!("/admin/products/{}", cup.product), title).await.ok();
    assert_eq!(log.take(), "");
    let report = app.verify();
    let found: Vec<_> = report.findings.iter().map(|it| (it.kind, it.space, it.key.as_str())).collect();
    assert_eq!(found, [("value.corrupt", "product", tea.product.as_str())]);
}

/// The job skips what is damaged and does the rest, this time and the next; the log says what it skipped.
async fn skips(app: &TestApp, log: &Log, named: &[&str], job: impl AsyncFn()) {
    app.is_damaged();
    for _ in 0..2 {
        log.take();
        job().await;
        let logged = log.take();
        for named in named {
            assert!(logged.contains("ERROR") && logged.contains(named), "{named}: {logged}");
        }
    }
}

#[tokio::test]
async fn damaged_cart_does_not_stop_the_expiry_of_others() {
    let (app, (log, _guard)) = (TestApp::init().await, Log::open());
    let open = |tx: &mut dyn Write, at: &Moment| {
        let cart = |tx: &mut dyn Write| Ok::<_, Fault>(CARTS.create(tx, at, Cart::default())?.id.to_string());
        let carts = [cart(tx)?, cart(tx)?, cart(tx)?, cart(tx)?];
        let collection = PAYMENT_COLLECTIONS.create(tx, at, PaymentCollection::default())?.id.to_string();
        CART_PAYMENT_COLLECTION.attach(tx, at, &carts[2], &collection, Map::new())?;
        Ok((carts, collection))
    };
    let ((carts, collection), _) = app.ctx.write(Actor::System, open).await.expect("carts");
    app.damage("cart", carts[1].as_bytes()).await;
    app.damage("payment_collection", collection.as_bytes()).await;
    app.advance_ms(31 * DAY_MS);
    let damaged = [
        format!("corrupt record `{}` in `cart`", carts[1]),
        format!("corrupt record `{collection}` in `payment_collection`"),
    ];
    skips(&app, &log, &[&damaged[0], &damaged[1], &carts[2]], async || {
        app.run_job("cart.delete-expired").await;
    })
    .await;
    let view = app.ctx.view();
    let left = carts.each_ref().map(|it| CARTS.table.exists(&view, it).expect("a store"));
    assert_eq!(left, [false, true, true, false]);
    assert_eq!(app.events("cart.deleted").len(), 2);
}

#[tokio::test]
async fn damaged_session_does_not_stop_the_removal_of_others() {
    let (app, (log, _guard)) = (TestApp::init().await, Log::open());
    let open = |tx: &mut dyn Write, at: &Moment| {
        let mut ids = Vec::new();
        for digest in ["a", "b", "c"] {
            let session =
                AuthSession { token_digest: digest.into(), expires_at: at.now(), ..AuthSession::default() };
            ids.push(AUTH_SESSIONS.create(tx, at, session)?.id.to_string());
        }
        Ok(ids)
    };
    let (sessions, _) = app.ctx.write(Actor::System, open).await.expect("sessions");
    app.damage("auth_session", sessions[0].as_bytes()).await;
    let damaged = format!("corrupt record `{}` in `auth_session`", sessions[0]);
    skips(&app, &log, &[&damaged], async || app.run_job("auth.forget-sessions").await).await;
    assert_eq!(AUTH_SESSIONS.table.count(&app.ctx.view()).expect("a store"), 1);
}

#[tokio::test]
async fn damaged_run_does_not_stop_recovery_and_removal_of_others() {
    let (app, (log, _guard)) = (TestApp::init().await, Log::open());
    let open = |tx: &mut dyn Write, at: &Moment| {
        let mut ids = Vec::new();
        for (n, state) in [ExecutionState::Done, ExecutionState::Invoking].into_iter().enumerate() {
            for transaction in ["a", "b"] {
                let run = WorkflowExecution {
                    workflow_id: "gone".into(),
                    transaction_id: format!("{transaction}{n}"),
                    keep_until: state.eq(&ExecutionState::Done).then_some(at.now()),
                    state,
                    ..WorkflowExecution::default()
                };
                ids.push(EXECUTIONS.create(tx, at, run)?.id.to_string());
            }
        }
        Ok(ids)
    };
    let (runs, _) = app.ctx.write(Actor::System, open).await.expect("runs");
    app.damage("workflow_execution", runs[0].as_bytes()).await;
    app.damage("workflow_execution", runs[2].as_bytes()).await;
    let damaged = |n: usize| format!("corrupt record `{}` in `workflow_execution`", runs[n]);
    skips(&app, &log, &[&damaged(0)], async || app.ctx.purge_runs().await.expect("a store")).await;
    let is_there = |id: &String| EXECUTIONS.table.get(&app.ctx.view(), id).map(|it| it.is_some());
    assert!(is_there(&runs[0]).is_err() && !is_there(&runs[1]).expect("a store"));
    skips(&app, &log, &[&damaged(2), "its saga is not linked in"], async || {
        assert_eq!(app.ctx.recover().await.expect("a store"), 1);
    })
    .await;
    skips(&app, &log, &[&damaged(2), "its saga is not linked in"], async || {
        app.ctx.tend_runs(&mut JoinSet::new()).await.expect("a store");
    })
    .await;
}

#[tokio::test]
async fn damaged_answer_does_not_stop_the_removal_of_others() {
    let (app, (log, _guard)) = (TestApp::init().await, Log::open());
    let shop = Shop::open(app).await;
    let app = &shop.app;
    for key in ["first", "second", "third"] {
        let keyed = shop.admin.clone().with_header("idempotency-key", key);
        keyed.post("/admin/stock-locations", json!({ "name": key })).await.ok();
    }
    let rows = || {
        let view = app.ctx.view();
        let mut rows = Vec::new();
        let each = &mut |key: &[u8], _: &[u8]| {
            rows.push(key[2..].to_vec());
            Ok(Scan::Continue(()))
        };
        view.scan(&Span::prefix(&view.prefix(ONCE)), Direction::Ascending, each).expect("a store");
        rows
    };
    let before = rows();
    assert_eq!(before.len(), 3);
    app.damage(ONCE, &before[0]).await;
    app.advance_ms(2 * DAY_MS);
    // One at a time: the damaged one is no batch of its own. The writer logs it, on a thread of its own.
    skips(app, &log, &[], async || {
        app.ctx.forget_answers(1).await.expect("a store");
    })
    .await;
    assert_eq!(rows(), before[..1]);
}

#[tokio::test]
async fn damaged_channel_does_not_stop_the_sweep_of_others() {
    let (app, (log, _guard)) = (TestApp::init().await, Log::open());
    let shop = Shop::open(app).await;
    let app = &shop.app;
    let mut channels = [shop.channel("One").await, shop.channel("Other").await];
    channels.sort();
    let tea = shop.product("Tea", &[&channels[1]], 1).await;
    let window = json!({ "available_until": "2026-01-15T09:00:00Z" });
    let path = format!("/admin/sales-channels/{}/products/{}", channels[1], tea.product);
    shop.admin.post(&path, window).await.ok();
    app.damage("sales_channel", channels[0].as_bytes()).await;
    app.advance_ms(2 * DAY_MS);
    let n_listed = || group_count(&app.ctx.view(), "availability.listing", &[&channels[1]]).expect("a store");
    assert_eq!(n_listed(), 1);
    let damaged = format!("corrupt record `{}` in `sales_channel`", channels[0]);
    skips(app, &log, &[&damaged], async || app.run_job("availability.sweep-listings").await).await;
    assert_eq!(n_listed(), 0);
}

#[tokio::test]
async fn damaged_variant_does_not_stop_the_count_of_others() {
    let (app, (log, _guard)) = (TestApp::init().await, Log::open());
    let shop = Shop::open(app).await;
    let app = &shop.app;
    let web = shop.channel("Web").await;
    let damaged = shop.product("One", &[&web], 1).await.id;
    shop.product("Other", &[&web], 1).await;
    app.damage("product_variant", damaged.as_bytes()).await;
    let said = format!("corrupt record `{damaged}` in `product_variant`");
    skips(app, &log, &[&said], async || app.run_job("availability.count-sales").await).await;
    let counted = sale_counts(&app.ctx.view(), &web).expect("a store").expect("counts");
    assert_eq!((counted.n_variants, counted.n_sold), (1, 1));
}

#[tokio::test]
async fn damaged_variant_does_not_stop_the_change_of_its_product() {
    let (app, (log, _guard)) = (TestApp::init().await, Log::open());
    let shop = Shop::open(app).await;
    let (tea, cup) = (shop.product("Green tea", &[], 1).await, shop.product("Cup", &[], 1).await);
    shop.app.damage("product_variant", tea.id.as_bytes()).await;
    log.take();
    let path = format!("/admin/products/{}", tea.product);
    // Its variants cannot be shown: what was written is known by its id.
    let shown = shop.admin.post(&path, json!({ "title": "Black tea" })).await.ok();
    assert_eq!(shown, json!({ "product": { "id": tea.product } }));
    let named = format!("corrupt record `{}` in `product_variant`", tea.id);
    assert!(log.take().contains(&named));
    let found = async |q: &str| {
        let path = format!("/admin/products?fields=id&q={q}");
        shop.admin.get(&path).await.ok()["products"].clone()
    };
    assert_eq!(found("black").await, json!([{ "id": tea.product }]));
    assert_eq!(found("cup").await, json!([{ "id": cup.product }]));
    let shown = shop.admin.post(&format!("{path}?fields=title"), json!({ "title": "Tea" })).await.ok();
    assert_eq!(shown["product"]["title"], "Tea");
    // What needs it is refused: nothing of it is written.
    assert_eq!(shop.admin.delete(&path).await.status, 500);
    assert_eq!(found("tea").await, json!([{ "id": tea.product }]));
    let report = shop.app.verify();
    let found: Vec<_> = report.findings.iter().map(|it| (it.kind, it.space, it.key.as_str())).collect();
    assert_eq!(found, [("value.corrupt", "product_variant", tea.id.as_str())]);
}
