//! The pages of the operator, the matrix and the preview.

use atoll_kernel::{Actor, Moment, Write, http::StatusCode, jobs::emit};
use atoll_testkit::{Setup, Shop};
use serde_json::json;

use super::{Browser, shop};

#[tokio::test]
async fn pages_of_the_operator_show_what_runs() {
    let (_shop, _, browser) = shop().await;
    for (path, text) in [
        ("/app/runs", "Runs of sagas"),
        ("/app/runs?state=failed", "There is no such run."),
        ("/app/dead-letters", "No subscriber has given up on an event."),
        ("/app/subscribers", "Waiting"),
        ("/app/jobs", "auth.forget-sessions"),
        ("/app/events", "the last hundred events"),
        ("/app/system", "The writer, since the start"),
        ("/app/system", "in memory"),
        ("/app/verify", "Nothing was verified since this server was started."),
        ("/app/backups", "There is no folder for backups."),
        ("/app/system/linked", "sales-channel"),
    ] {
        let (status, page) = browser.page(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {page}");
        assert!(page.contains(text), "{path}: {page}");
    }
}

#[tokio::test]
async fn events_are_shown_as_text_with_the_address_of_the_next() {
    let (shop, _, browser) = shop().await;
    let script = "<script>alert(1)</script>";
    let body = move |tx: &mut dyn Write, at: &Moment| Ok(emit(tx, at, "test.happened", json!(script))?);
    shop.app.ctx.write(Actor::System, body).await.expect("a write");
    let last = shop.admin.get("/admin/events").await.ok()["last"].clone();
    let (_, page) = browser.page("/app/events").await;
    assert!(page.contains("test.happened") && !page.contains(script), "{page}");
    assert!(page.contains(&format!("data-events=\"/admin/events/stream?after={last}\"")), "{page}");
}

#[tokio::test]
async fn a_shop_is_verified_by_a_button() {
    let (_shop, _, browser) = shop().await;
    let (status, to, _) = browser.send("/app/verify", &[("do", "verify")]).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/app/verify?done=done"));
    let page = loop {
        let (_, page) = browser.page("/app/verify").await;
        if !page.contains("Running") {
            break page;
        }
        tokio::task::yield_now().await;
    };
    assert!(page.contains("Nothing is wrong") && page.contains("Verify now"), "{page}");
}

#[tokio::test]
async fn a_shop_is_backed_up_by_a_button() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = Setup::default().backups(folder.path(), 2).init().await;
    let shop = Shop::open(app).await;
    let browser = Browser::of(&shop.app).await;
    let (_, page) = browser.page("/app/backups").await;
    assert!(page.contains("There is no backup in the folder."), "{page}");
    let (status, to, _) = browser.send("/app/backups", &[("do", "start")]).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/app/backups?done=done"));
    let page = loop {
        let (_, page) = browser.page("/app/backups").await;
        if !page.contains("Running") {
            break page;
        }
        tokio::task::yield_now().await;
    };
    assert!(page.contains("Made") && page.contains(".backup</code>"), "{page}");
}

#[tokio::test]
async fn a_job_is_paused_and_resumed_on_its_page() {
    let (shop, _, browser) = shop().await;
    let is_paused = || async {
        let jobs = shop.admin.get("/admin/jobs").await.ok();
        let jobs = jobs["jobs"].as_array().expect("jobs").clone();
        jobs.into_iter().find(|it| it["name"] == "auth.forget-sessions").expect("the job")["is_paused"]
            .clone()
    };
    browser.send("/app/jobs", &[("do", "pause auth.forget-sessions")]).await;
    assert_eq!(is_paused().await, json!(true));
    browser.send("/app/jobs", &[("do", "resume auth.forget-sessions")]).await;
    assert_eq!(is_paused().await, json!(false));
    let (status, ..) = browser.send("/app/jobs", &[("do", "run no.such-job")]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_matrix_shows_the_first_reason_of_each_channel() {
    let (shop, channel, browser) = shop().await;
    shop.product("Mug", &[&channel], 3).await;
    shop.product("Tea", &[], 3).await;
    let (_, page) = browser.page(&format!("/app/matrix?channel[]={channel}")).await;
    assert!(page.contains("On sale (3)"), "{page}");
    assert!(page.contains("The product is not in the sales channel"), "{page}");
}

#[tokio::test]
async fn the_preview_shows_what_appears_until_a_moment() {
    let (shop, channel, browser) = shop().await;
    let mug = shop.product("Mug", &[&channel], 3).await;
    let terms = format!("/admin/sales-channels/{channel}/products/{}", mug.product);
    shop.admin.post(&terms, json!({ "available_from": "2040-01-01T00:00:00.000Z" })).await.ok();
    let at = |moment: &str| format!("/app/preview?channel={channel}&at={moment}");
    let (_, page) = browser.page(&at("2039-12-31T23:59")).await;
    assert!(page.contains("Nothing appears, and nothing disappears."), "{page}");
    let (_, page) = browser.page(&at("2040-01-01T00:00")).await;
    assert!(page.contains("Appears") && page.contains("3 to sell"), "{page}");
}
