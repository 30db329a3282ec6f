//! Commands that are killed at any moment: nothing is lost, and running them again finishes their work.

use std::{
    fs,
    process::{Command, Stdio},
    time::Instant,
};

use tempfile::TempDir;

use crate::{
    command::{atoll, leave_free_space},
    server::Server,
};

/// Killed at any moment, compacting loses nothing, and can be done again.
#[test]
fn compact_survives_kills() {
    const N_KILLS: u32 = 8;
    let folder = TempDir::new().expect("a folder");
    let whole = folder.path().join("whole");
    drop(Server::start(&whole, &["--demo"]));
    leave_free_space(&whole);
    let copy = |name: &str| {
        let to = folder.path().join(name);
        fs::create_dir(&to).expect("a folder");
        for file in ["atoll.redb", "jwt-secret", "cookie-secret"] {
            fs::copy(whole.join(file), to.join(file)).expect("a copy");
        }
        to
    };
    let (timed, begun) = (copy("timed"), Instant::now());
    assert!(atoll(&timed, &["compact"]).0);
    let (takes, (_, checked)) = (begun.elapsed(), atoll(&timed, &["verify"]));
    let compacted = fs::metadata(timed.join("atoll.redb")).expect("the database").len();
    for n in 0..N_KILLS {
        let data = copy(&n.to_string());
        let mut process = Command::new(env!("CARGO_BIN_EXE_atoll"))
            .arg("compact")
            .env("ATOLL_DATA", &data)
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary runs");
        std::thread::sleep(takes * (n + 1) / (N_KILLS + 1));
        process.kill().expect("a kill");
        process.wait().expect("an end");
        assert_eq!(atoll(&data, &["verify"]), (true, checked.clone()));
        assert!(atoll(&data, &["compact"]).0);
        let again = fs::metadata(data.join("atoll.redb")).expect("the database").len();
        assert!(again <= compacted * 2, "{again} bytes, and {compacted} without a kill");
    }
}
