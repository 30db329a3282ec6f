//! Exports when an admin asks: one at a time, into the folder of the setting, while the disk has room.

use std::fs;

use atoll_background::Exporting;
use atoll_testkit::{Client, Setup, TestApp};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The list of exports, when none is going on.
async fn ended(admin: &Client) -> Value {
    loop {
        let list = admin.get("/admin/exports").await.ok();
        if !list["export"]["ended_at"].is_null() {
            return list;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn admins_start_exports_and_see_them() {
    let folder = TempDir::new().expect("a folder");
    let (app, admin) = Setup::default().exports(folder.path()).init().await.with_admin().await;
    let none = admin.get("/admin/exports").await.ok();
    assert_eq!((&none["exports"], &none["export"]["id"]), (&json!([]), &Value::Null), "{none}");
    // While one is going on, another is refused, and the one that is going on can be seen.
    let going_on = Exporting::begin(&app.ctx, folder.path()).expect("no other one");
    let refused = admin.post("/admin/exports", json!({})).await;
    assert_eq!(refused.error(), "409 conflict (invalid_state_error): Another export is going on");
    let shown = admin.get("/admin/exports").await.ok();
    assert_eq!(shown["export"]["started_at"], app.now().to_string(), "{shown}");
    assert_eq!(shown["export"]["ended_at"], Value::Null, "{shown}");
    let path = format!("/admin/exports/{}", shown["export"]["id"].as_str().expect("an id"));
    assert_eq!(admin.get(&path).await.ok()["export"]["state"], "running");
    drop(going_on);
    let failed = admin.get(&path).await.ok()["export"].clone();
    assert_eq!(
        (&failed["state"], &failed["error"]),
        (&json!("failed"), &json!("it was cancelled")),
        "{failed}"
    );

    let started = admin.post("/admin/exports", json!({})).await.ok();
    assert_eq!(started["export"]["started_at"], app.now().to_string(), "{started}");
    let ended = ended(&admin).await;
    let made = &ended["export"]["export"];
    assert_eq!(ended["exports"], json!([made]), "{ended}");
    assert_eq!(made["position"], app.ctx.view().position().0);
    assert_eq!(ended["export"]["n_written"], ended["export"]["n_lines"]);
    let shown = admin.get(&path).await.ok()["export"].clone();
    assert_eq!((&shown["state"], &shown["n_lines"]), (&json!("done"), &made["n_lines"]), "{shown}");
    let files = shown["files"].as_array().expect("files");
    let users = files.iter().find(|it| it["name"] == "user.user").expect("the users");
    let file = folder.path().join(made["id"].as_str().expect("an id")).join("user.user.jsonl");
    assert_eq!(users["bytes"], fs::metadata(file).expect("the file").len());
    for unknown in ["/admin/exports/atoll-1.export", "/admin/exports/..%2Fatoll.export"] {
        assert!(admin.get(unknown).await.error().starts_with("404 not_found"), "{unknown}");
    }
}

#[tokio::test]
async fn what_a_killed_process_has_left_of_an_export_is_removed() {
    let folder = TempDir::new().expect("a folder");
    let left = folder.path().join("atoll-20261128T120000Z-000000000001.export.part");
    fs::create_dir(&left).expect("a folder");
    let (_app, admin) = Setup::default().exports(folder.path()).init().await.with_admin().await;
    assert_eq!(admin.get("/admin/exports").await.ok()["exports"], json!([]));
    assert!(!left.exists());
}

#[tokio::test]
async fn exports_need_a_folder_and_room() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let expect = "400 not_allowed: The setting `export_dir` names no folder for exports";
    assert_eq!(admin.get("/admin/exports").await.error(), expect);
    assert_eq!(admin.post("/admin/exports", json!({})).await.error(), expect);
    drop(app);

    let folder = TempDir::new().expect("a folder");
    let gone = folder.path().join("gone");
    let (_app, admin) = Setup::default().exports(&gone).init().await.with_admin().await;
    let expect = format!("400 not_allowed: there is no folder `{}`", gone.display());
    assert_eq!(admin.post("/admin/exports", json!({})).await.error(), expect);

    let (app, admin) = Setup::default().exports(folder.path()).init().await.with_admin().await;
    app.ctx.room().measured(0, 1);
    let refused = admin.post("/admin/exports", json!({})).await.error();
    assert!(refused.starts_with("507 insufficient_storage"), "{refused}");
    app.ctx.room().measured(1, 0);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}
