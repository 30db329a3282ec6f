//! The backup storage `s3_backup`: copies of backups in a private bucket.

use std::{future::Future, pin::Pin};

use atoll_background::{BackingUp, backups_in};
use atoll_kernel::{Fault, http::Bytes};
use atoll_providers::{BackupStorage, Content};
use atoll_testkit::{Client, Setup, TestApp};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    BUCKET, PRIVATE, World,
    seaweed::{ACCESS_KEY, SECRET_KEY},
};

/// A shop that backs up into this folder, and from there below this prefix.
fn setup(world: &World, folder: &TempDir, prefix: &str) -> Setup {
    Setup::default()
        .backups(folder.path(), 2)
        .providers("backup", &["s3_backup"])
        .setting("s3_backup.bucket", PRIVATE)
        .setting("s3_backup.endpoint", &world.server.s3)
        .setting("s3_backup.prefix", prefix)
        .setting("s3_backup.access_key_id", ACCESS_KEY)
        .setting("s3_backup.secret_access_key", SECRET_KEY)
}

/// Makes a backup, and returns what is said of it in the end.
async fn back_up(app: &TestApp, admin: &Client, folder: &TempDir) -> Value {
    let backing_up = BackingUp::begin(&app.ctx).expect("no other one");
    let made = backing_up.run(folder.path().to_owned(), Some(2)).await;
    let status = admin.get("/admin/backups").await.ok()["backup"].clone();
    assert_eq!(made.is_err(), status["error"].is_string(), "{status}");
    status
}

/// The same backups are kept in the folder and in the bucket, byte for byte.
pub(crate) async fn backups_are_copied_and_the_newest_are_kept(world: &World) {
    let folder = TempDir::new().expect("a folder");
    let (app, admin) = setup(world, &folder, "shop/backups").init().await.with_admin().await;
    for _ in 0..3 {
        let status = back_up(&app, &admin, &folder).await;
        assert_eq!(status["error"], Value::Null, "{status}");
        app.advance_ms(1_000);
    }
    let mut kept: Vec<String> =
        backups_in(folder.path()).expect("a list").into_iter().map(|it| it.name).collect();
    kept.sort();
    let copied = world.names_in(&format!("{PRIVATE}/shop/backups")).await;
    let copies: Vec<&str> = copied.iter().filter_map(|it| it.rsplit('/').next()).collect();
    let names: Vec<&str> = copies.iter().filter_map(|it| Some(it.split_once('.')?.1)).collect();
    assert_eq!((names.len(), names), (2, kept.iter().map(String::as_str).collect()));
    for (name, copy) in kept.iter().zip(copies) {
        let url = format!("{}/{PRIVATE}/shop/backups/{copy}", world.server.s3);
        let copy = world.get(&url).await.bytes().await.expect("a body");
        assert!(copy == std::fs::read(folder.path().join(name)).expect("a file"), "{name}");
    }
}

/// A trial with the configuration of the shop, as after a restore, removes none of the shop's copies.
pub(crate) async fn shops_that_share_a_bucket_keep_their_own_copies(world: &World) {
    for n_copies in [2, 4] {
        let folder = TempDir::new().expect("a folder");
        let (app, admin) = setup(world, &folder, "shared").init().await.with_admin().await;
        for _ in 0..3 {
            assert_eq!(back_up(&app, &admin, &folder).await["error"], Value::Null);
            app.advance_ms(1_000);
        }
        assert_eq!(world.names_in(&format!("{PRIVATE}/shared")).await.len(), n_copies);
    }
}

pub(crate) async fn backup_that_is_not_copied_says_so_and_stays_in_the_folder(world: &World) {
    let folder = TempDir::new().expect("a folder");
    let wrong = setup(world, &folder, "wrong").setting("s3_backup.secret_access_key", "another");
    let (app, admin) = wrong.init().await.with_admin().await;
    let error = back_up(&app, &admin, &folder).await["error"].as_str().expect("a text").to_owned();
    assert!(error.contains("is whole, and was not copied to `s3_backup`"), "{error}");
    assert!(!error.contains("another"), "{error}");
    assert_eq!(backups_in(folder.path()).expect("a list").len(), 1);
    assert_eq!(world.names_in(&format!("{PRIVATE}/wrong")).await, [""; 0]);
}

/// Readers get everything of that bucket.
pub(crate) async fn backups_are_not_copied_to_the_bucket_of_public_files(world: &World) {
    let folder = TempDir::new().expect("a folder");
    let setup = setup(world, &folder, "public")
        .setting("s3_backup.bucket", BUCKET)
        .setting("s3.bucket", BUCKET)
        .setting("s3.endpoint", &world.server.s3)
        .setting("s3.access_key_id", ACCESS_KEY)
        .setting("s3.secret_access_key", SECRET_KEY);
    let (app, admin) = setup.init().await.with_admin().await;
    let error = back_up(&app, &admin, &folder).await["error"].as_str().expect("a text").to_owned();
    assert!(error.contains("`s3_backup.bucket` is the bucket of public files"), "{error}");
    assert_eq!(world.names("public").await, [""; 0]);
}

/// So many chunks of a megabyte, and then the end or an error.
struct Chunks(usize, bool);

impl Content for Chunks {
    fn chunk(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, Fault>> + Send + '_>> {
        Box::pin(async {
            match (self.0, self.1) {
                (0, true) => Ok(None),
                (0, false) => Err(Fault::invalid("it broke off")),
                _ => {
                    self.0 -= 1;
                    Ok(Some(Bytes::from(vec![7; 1024 * 1024])))
                }
            }
        })
    }
}

pub(crate) async fn large_backups_are_there_when_they_are_whole(world: &World) {
    let folder = TempDir::new().expect("a folder");
    let app = setup(world, &folder, "large").init().await;
    let storage = app.ctx.provider::<dyn BackupStorage>("s3_backup").expect("s3_backup");
    let put = |is_whole| storage.put(app.ctx.clone(), "a.backup".into(), Box::new(Chunks(70, is_whole)));
    put(false).await.expect_err("it broke off");
    assert_eq!(storage.list(app.ctx.clone()).await.expect("a list"), [""; 0]);
    put(true).await.expect("it is whole");
    assert_eq!(storage.list(app.ctx.clone()).await.expect("a list"), ["a.backup"]);
    let url = format!("{}/{PRIVATE}/large/a.backup", world.server.s3);
    assert_eq!(world.get(&url).await.bytes().await.expect("a body").len(), 70 * 1024 * 1024);
}
