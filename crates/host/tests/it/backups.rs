//! `atoll backup` and `atoll restore`, as processes: of a shop that runs, is stopped, or was killed.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{command::atoll, server::Server};

/// The files of a folder whose names end like this.
fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|it| it.expect("an entry").path());
    entries.filter(|it| it.to_string_lossy().ends_with(suffix)).collect()
}

/// Runs `atoll backup`, and returns what it printed.
#[track_caller]
fn back_up(data: &Path, to: &Path) -> String {
    let (ok, said) = atoll(data, &["backup", to.to_str().expect("text")]);
    assert!(ok && said.contains("backed up to `"), "{said}");
    said
}

#[track_caller]
fn restore(data: &Path, backup: &Path, more: &[&str]) -> String {
    let (ok, said) = atoll(data, &[&["restore", backup.to_str().expect("text")], more].concat());
    assert!(ok && said.contains("restored `"), "{said}");
    said
}

/// What a shop answers to its storefront and its admin, who was logged in before.
fn answers(server: &Server, key: &str, token: &str) -> Vec<Option<(u16, Value)>> {
    let key = [("x-publishable-api-key", key)];
    vec![
        server.send("GET", "/store/products?limit=100&fields=*variants", &key, ""),
        server.send("GET", "/admin/orders", &[("authorization", token)], ""),
        server.send("GET", "/admin/sales-channels", &[("authorization", token)], ""),
    ]
}

#[test]
fn running_shop_is_backed_up_and_restored() {
    let folder = TempDir::new().expect("a folder");
    let (data, backups) = (folder.path().join("data"), folder.path().join("backups"));
    fs::create_dir(&backups).expect("a folder");
    let server = Server::start(&data, &["--demo"]);
    let (key, token) = (server.key("Web Shop"), server.log_in());
    let said = back_up(&data, &backups);
    let [backup] = &files(&backups, ".backup")[..] else { panic!("{said}") };
    assert!(said.contains(&format!("`{}`", backup.display())), "{said}");
    let expect = answers(&server, &key, &token);
    // What is written after the backup is not in it.
    let channel = r#"{"name":"Later"}"#;
    let (status, _) = server
        .send("POST", "/admin/sales-channels", &[("authorization", &token)], channel)
        .expect("an answer");
    assert_eq!(status, 200);
    assert_ne!(answers(&server, &key, &token), expect);
    drop(server);

    let restored = folder.path().join("restored");
    let said = restore(&restored, backup, &["--verify"]);
    assert!(said.contains("nothing is wrong"), "{said}");
    let mode = |it: &Path| fs::metadata(it).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&restored), 0o700);
    for name in ["atoll.redb", "jwt-secret", "cookie-secret"] {
        assert_eq!(mode(&restored.join(name)), 0o600, "{name}");
    }
    assert_eq!(fs::read_dir(&restored).expect("a folder").count(), 3);
    let server = Server::start(&restored, &[]);
    assert_eq!(answers(&server, &key, &token), expect);
}

/// The commands of a section of the documentation are run by bash, below another root.
#[test]
fn commands_of_the_documentation_back_up_and_restore() {
    let root = TempDir::new().expect("a folder");
    let (data, backups) = (root.path().join("lib/atoll"), root.path().join("backups/atoll"));
    [&data, &backups].iter().for_each(|it| fs::create_dir_all(it).expect("a folder"));
    let page = include_str!("../../../../docs/operations.md");
    let (_, section) = page.split_once("\n## Backing up\n").expect("the section");
    let section = section.split("\n## ").next().expect("its end");
    let blocks = section.split("```sh\n").skip(1).map(|it| it.split("```").next().expect("a block"));
    let script = blocks.collect::<String>().replace("/var/", &format!("{}/", root.path().display()));
    assert_eq!(script.lines().count(), 5, "{script}");
    let server = Server::start(&data, &["--demo"]);
    fs::create_dir(data.join("files")).expect("a folder");
    fs::write(data.join("files/file_1.png"), "a picture").expect("a file");
    let binary = Path::new(env!("CARGO_BIN_EXE_atoll")).parent().expect("a folder");
    let done = Command::new("bash")
        .args(["-euxo", "pipefail", "-c", &script])
        .env("PATH", format!("{}:{}", binary.display(), std::env::var("PATH").expect("a path")))
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert!(said.contains("uploaded files are not in it; copy"), "{said}");
    assert_eq!(files(&backups, ".backup").len(), 2, "{said}");
    let restored = root.path().join("lib/atoll-restored");
    assert_eq!(fs::read_to_string(restored.join("files/file_1.png")).expect("a file"), "a picture");
    let (key, token) = (server.key("Web Shop"), server.log_in());
    let expect = answers(&server, &key, &token);
    drop(server);
    assert_eq!(answers(&Server::start(&restored, &[]), &key, &token), expect);
}

#[test]
fn stopped_and_killed_shops_are_backed_up_by_the_command() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::start(&data, &[]);
    assert_eq!(server.send("GET", "/health", &[], "").expect("an answer").0, 200);
    server.signal("-TERM");
    assert!(server.wait());
    assert!(!data.join("atoll.sock").exists(), "a process that has stopped leaves no socket");
    let named = folder.path().join("before-the-update.backup");
    back_up(&data, &named);
    let (ok, refused) = atoll(&data, &["backup", named.to_str().expect("text")]);
    assert!(!ok && refused.contains("exists already, and is not replaced"), "{refused}");
    drop(Server::start(&data, &[]));
    assert!(data.join("atoll.sock").exists(), "it was killed");
    back_up(&data, folder.path());
    let by_moment: Vec<PathBuf> =
        files(folder.path(), ".backup").into_iter().filter(|it| *it != named).collect();
    for backup in [&named, &by_moment[0]] {
        let restored = folder.path().join("restored");
        restore(&restored, backup, &["--verify"]);
        fs::remove_dir_all(restored).expect("a folder");
    }
    let (ok, none) = atoll(&folder.path().join("nowhere"), &["backup", named.to_str().expect("text")]);
    assert!(!ok && none.contains("there is no database in"), "{none}");
}

#[test]
fn restoring_overwrites_nothing_and_takes_nothing_but_backups() {
    let folder = TempDir::new().expect("a folder");
    let (data, backup) = (folder.path().join("data"), folder.path().join("a.backup"));
    drop(Server::start(&data, &[]));
    back_up(&data, &backup);
    let refused = |to: &Path, file: &Path| {
        let (ok, said) = atoll(to, &["restore", file.to_str().expect("text")]);
        assert!(!ok, "{said}");
        said
    };
    let before = fs::read(data.join("atoll.redb")).expect("the database");
    let said = refused(&data, &backup);
    assert!(said.contains("a backup is restored into a new folder"), "{said}");
    assert!(fs::read(data.join("atoll.redb")).expect("the database") == before);

    let restored = folder.path().join("restored");
    let said = refused(&restored, &data.join("atoll.redb"));
    assert!(said.contains("is no backup: it has no manifest"), "{said}");
    let foreign = folder.path().join("foreign.backup");
    fs::write(&foreign, "what is this?").expect("a file");
    assert!(refused(&restored, &foreign).contains("is no backup"));
    assert!(refused(&restored, &folder.path().join("nowhere.backup")).contains("is no backup"));
    let mut bytes = fs::read(&backup).expect("a backup");
    // In the middle of the file, a page of the data.
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].iter_mut().for_each(|it| *it ^= 0x20);
    let damaged = folder.path().join("damaged.backup");
    fs::write(&damaged, bytes).expect("a file");
    let said = refused(&restored, &damaged);
    assert!(said.contains("is damaged") || said.contains("is no backup"), "{said}");
    assert!(!restored.exists(), "nothing is left of what was refused");
    // An empty folder, such as a new disk, is as good as none.
    fs::create_dir(&restored).expect("a folder");
    restore(&restored, &backup, &[]);
}

#[test]
fn control_socket_is_for_its_owner_and_refuses_what_it_does_not_understand() {
    let folder = TempDir::new().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let socket = folder.path().join("atoll.sock");
    assert_eq!(fs::metadata(&socket).expect("a socket").permissions().mode() & 0o777, 0o600);
    let ask = |request: &str| {
        let mut process = UnixStream::connect(&socket).expect("a connection");
        process.write_all(request.as_bytes()).expect("it is sent");
        let mut reply = String::new();
        process.read_to_string(&mut reply).expect("a reply");
        reply
    };
    assert!(ask("back up!\n").starts_with(r#"{"failed":{"why":"the request is not understood"#));
    let relative = ask("{\"backup\":{\"to\":\"a.backup\"}}\n");
    assert_eq!(relative, "{\"failed\":{\"why\":\"`a.backup` is no absolute path\"}}\n");
    let (ok, refused) = atoll(folder.path(), &["backup", "/nowhere/at-all/a.backup"]);
    let expect = "the running process made no backup: there is no folder `/nowhere/at-all`";
    assert!(!ok && refused.contains(expect), "{refused}");
    // It serves the next one all the same.
    let backup = folder.path().join("a.backup");
    back_up(folder.path(), &backup);
    fs::remove_file(backup).expect("a file");
    drop(server);
}
