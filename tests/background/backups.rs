//! Backups by schedule and when an admin asks: one at a time, into the folder of the setting, and as many as
//! are kept.

use std::{fs, path::Path};

use atoll_background::{BackingUp, backups_in};
use atoll_testkit::{Client, Setup, TestApp};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::committed;

const HOUR: i64 = 60 * 60 * 1_000;

/// The moments of the backups of a folder, the newest first.
fn moments(folder: &Path) -> Vec<String> {
    let files = backups_in(folder).expect("a list").into_iter();
    files.map(|it| it.made_at.to_string()[11..19].to_owned()).collect()
}

/// The last run of the job has this state, and the job this number of runs.
async fn has_run(app: &TestApp, admin: &Client, n_runs: u64, state: &str) -> Value {
    let job = async || {
        let list = admin.get("/admin/jobs").await.ok();
        let mut jobs = list["jobs"].as_array().expect("jobs").iter();
        jobs.find(|it| it["name"] == "backup.create").expect("the job").clone()
    };
    let look = async || {
        let job = job().await;
        match job["n_runs"] == n_runs && job["last_run"]["state"] == state {
            true => Ok(()),
            false => Err(format!("{job}, and not {n_runs} runs with the last one {state}")),
        }
    };
    committed(app, look).await;
    job().await
}

#[tokio::test]
async fn scheduled_backups_are_made_and_the_newest_are_kept() {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("notes.txt"), "mine").expect("a file");
    let setup = Setup::default().backups(folder.path(), 2).schedule("backup_schedule", "0 * * * *");
    let (app, admin) = setup.init().await.with_admin().await;
    let background = app.background().await;
    for (n, expect) in
        [(1, &["09:00:00"][..]), (2, &["10:00:00", "09:00:00"]), (3, &["11:00:00", "10:00:00"])]
    {
        app.advance_ms(HOUR);
        let job = has_run(&app, &admin, n, "done").await;
        assert_eq!(job["schedule"], "by the setting backup_schedule");
        assert_eq!(moments(folder.path()), expect);
    }
    assert!(folder.path().join("notes.txt").exists());
    background.stop().await;
}

#[tokio::test]
async fn without_a_schedule_the_job_runs_when_it_is_asked_for() {
    let folder = TempDir::new().expect("a folder");
    let (app, admin) = Setup::default().backups(folder.path(), 2).init().await.with_admin().await;
    let background = app.background().await;
    app.advance_ms(2 * HOUR);
    admin.post("/admin/jobs/backup.create/run", json!({})).await.ok();
    // The scheduler looks again.
    app.advance_ms(1_000);
    let job = has_run(&app, &admin, 1, "done").await;
    assert_eq!(job["next_run_at"], Value::Null, "{job}");
    assert_eq!(moments(folder.path()).len(), 1);
    background.stop().await;
}

#[tokio::test]
async fn a_schedule_that_is_set_later_has_missed_nothing() {
    let folder = TempDir::new().expect("a folder");
    let app = Setup::default().backups(folder.path(), 2).init().await;
    app.background().await.stop().await;
    let setup = Setup::default().backups(folder.path(), 2).schedule("backup_schedule", "0 * * * *");
    let (app, admin) = setup.over(app.ctx.store().clone()).await.with_admin().await;
    app.advance_ms(2 * HOUR);
    let background = app.background().await;
    assert_eq!(admin.get("/admin/job-runs?job=backup.create").await.ok()["count"], 0);
    app.advance_ms(HOUR);
    has_run(&app, &admin, 1, "done").await;
    background.stop().await;
}

#[tokio::test]
async fn admins_start_backups_and_see_them() {
    let folder = TempDir::new().expect("a folder");
    let (app, admin) = Setup::default().backups(folder.path(), 2).init().await.with_admin().await;
    let none = admin.get("/admin/backups").await.ok();
    assert_eq!((&none["backups"], &none["backup"]["started_at"]), (&json!([]), &Value::Null), "{none}");
    // While one is going on, another is refused, and the one that is going on can be seen.
    let going_on = BackingUp::begin(&app.ctx).expect("no other one");
    let refused = admin.post("/admin/backups", json!({})).await;
    assert_eq!(refused.error(), "409 conflict (invalid_state_error): Another backup is going on");
    let shown = admin.get("/admin/backups").await.ok();
    assert_eq!(shown["backup"]["started_at"], app.now().to_string(), "{shown}");
    assert_eq!(shown["backup"]["ended_at"], Value::Null, "{shown}");
    drop(going_on);

    let started = admin.post("/admin/backups", json!({})).await.ok();
    assert_eq!(started["backup"]["started_at"], app.now().to_string(), "{started}");
    let ended = ended(&admin).await;
    let file = &ended["backup"]["file"];
    assert_eq!(ended["backups"], json!([file]), "{ended}");
    assert_eq!(file["position"], app.ctx.view().position().0);
    assert_eq!(ended["backup"]["n_copied"], ended["backup"]["n_keys"]);
    let known = fs::metadata(folder.path().join(file["name"].as_str().expect("a name"))).expect("the file");
    assert_eq!(file["bytes"], known.len());
}

/// The list of backups, when none is going on.
async fn ended(admin: &Client) -> Value {
    loop {
        let list = admin.get("/admin/backups").await.ok();
        if !list["backup"]["ended_at"].is_null() {
            return list;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn backups_need_a_folder_that_is_there() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let expect = "400 not_allowed: The setting `backup_dir` names no folder for backups";
    assert_eq!(admin.get("/admin/backups").await.error(), expect);
    assert_eq!(admin.post("/admin/backups", json!({})).await.error(), expect);
    drop(app);

    let folder = TempDir::new().expect("a folder");
    let gone = folder.path().join("gone");
    let (_app, admin) = Setup::default().backups(&gone, 2).init().await.with_admin().await;
    let expect = format!("400 not_allowed: there is no folder `{}`", gone.display());
    assert_eq!(admin.post("/admin/backups", json!({})).await.error(), expect);
    assert!(!gone.exists(), "it may be a disk that is not there");
}

#[tokio::test]
async fn a_disk_that_is_nearly_full_gets_no_backup() {
    let folder = TempDir::new().expect("a folder");
    let setup = Setup::default().backups(folder.path(), 2).disk_free_min(u64::MAX / 2);
    let (app, admin) = setup.init().await.with_admin().await;
    let made = BackingUp::begin(&app.ctx).expect("no other one").run(folder.path().to_owned(), None).await;
    let error = made.expect_err("the disk is nearly full").to_string();
    let expect = format!("the disk of `{}` is nearly full: ", folder.path().display());
    assert!(error.starts_with(&expect), "{error}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    assert_eq!(admin.get("/admin/backups").await.ok()["backup"]["error"], json!(error));
}
