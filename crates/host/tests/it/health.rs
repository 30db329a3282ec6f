//! Health checks and low disk, of the served binary: on a real disk, which a file fills.

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

use crate::server::Server;

/// The bytes that are free on the disk of this folder.
fn free_bytes(folder: &Path) -> u64 {
    let asked = Command::new("df").args(["-B1", "--output=avail"]).arg(folder).output().expect("df runs");
    let text = String::from_utf8(asked.stdout).expect("text");
    text.lines().nth(1).and_then(|it| it.trim().parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

/// A folder on a disk that others hardly write to meanwhile, if there is one.
fn quiet_folder() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).expect("a folder")
}

fn status(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
    server.send(method, path, headers, "{}").expect("an answer").0
}

/// Waits until it has recovered.
fn until_ready(server: &Server) {
    while status(server, "GET", "/health/ready", &[]) != 200 {
        std::thread::yield_now();
    }
}

#[test]
fn writes_are_refused_before_the_disk_is_full_and_taken_again_when_there_is_room() {
    const MIB: u64 = 1024 * 1024;
    let folder = quiet_folder();
    let min = free_bytes(folder.path()).saturating_sub(64 * MIB).to_string();
    let server = Server::start(folder.path(), &["--demo", "--disk-free-min-bytes", &min]);
    let key = server.key("Web Shop");
    let key = [("x-publishable-api-key", key.as_str())];
    let create_cart = || status(&server, "POST", "/store/carts", &key);
    until_ready(&server);
    assert_eq!(create_cart(), 200);
    let filling = folder.path().join("filling");
    fs::write(&filling, vec![1; (80 * MIB) as usize]).expect("it fits");
    server.until_logged("the disk is nearly full: writes are refused until there is room");
    let (ready, why) = server.send("GET", "/health/ready", &[], "").expect("an answer");
    assert_eq!((ready, create_cart()), (503, 507), "{why}");
    assert!(why["reasons"][0].as_str().is_some_and(|it| it.starts_with("the disk is nearly full")), "{why}");
    assert_eq!(status(&server, "GET", "/store/products", &key), 200);
    assert_eq!(status(&server, "GET", "/health/live", &[]), 200);
    fs::remove_file(filling).expect("it is removed");
    server.until_logged("the disk has room again: writes are taken");
    assert_eq!((status(&server, "GET", "/health/ready", &[]), create_cart()), (200, 200));
}

#[test]
fn server_that_starts_on_a_full_disk_answers_reads() {
    let folder = TempDir::new().expect("a folder");
    let server = Server::start(folder.path(), &["--disk-free-min-bytes", &i64::MAX.to_string()]);
    assert_eq!(status(&server, "GET", "/health/ready", &[]), 503);
    assert_eq!(status(&server, "GET", "/health", &[]), 200);
}

#[test]
fn process_that_shuts_down_is_not_ready_while_it_still_answers() {
    let folder = TempDir::new().expect("a folder");
    let server = Server::start(folder.path(), &["--drain-delay", "3"]);
    until_ready(&server);
    server.signal("-TERM");
    server.until_logged("shutting down");
    let (ready, why) = server.send("GET", "/health/ready", &[], "").expect("an answer");
    assert_eq!((ready, &why["reasons"][0]), (503, &"the process is shutting down".into()));
    assert_eq!(status(&server, "GET", "/health/live", &[]), 200);
    assert!(server.wait());
}
