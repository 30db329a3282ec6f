//! What the served binary tells a supervisor (`sd_notify`), and the signals by which one stops it.

use std::{os::unix::net::UnixDatagram, process::Command, time::Duration};

use tempfile::TempDir;

use crate::server::Server;

/// As `WatchdogSec=` of a unit, in microseconds.
const WATCHDOG_USEC: &str = "300000";

/// Longer than a start takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn supervisor_is_told_that_it_is_ready_lives_and_stops() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("notify");
    let told = UnixDatagram::bind(&path).expect("a socket");
    told.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let next = || {
        let mut message = [0; 1024];
        let n_bytes = told.recv(&mut message).expect("a message");
        String::from_utf8_lossy(&message[..n_bytes]).into_owned()
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_atoll"));
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", WATCHDOG_USEC);
    let server = Server::start_by(command, &folder.path().join("data"), &[]);
    assert_eq!(next(), "STATUS=opening the data\n");
    let ready = next();
    assert!(ready.starts_with("READY=1\nSTATUS=serving http://127.0.0.1:"), "{ready}");
    for _ in 0..4 {
        assert_eq!(next(), "WATCHDOG=1\n");
    }
    server.signal("-TERM");
    let stopping = std::iter::from_fn(|| Some(next())).find(|it| !it.starts_with("WATCHDOG"));
    assert!(stopping.is_some_and(|it| it.starts_with("STOPPING=1\nSTATUS=shutting down")));
    assert!(server.wait(), "what ran has ended");
}

/// The signals are caught before the line that says that it serves.
#[test]
fn signal_in_the_first_moment_is_a_graceful_shutdown() {
    let folder = TempDir::new().expect("a folder");
    for signal in ["-TERM", "-INT", "-HUP"] {
        let server = Server::start(folder.path(), &[]);
        server.signal(signal);
        server.until_logged("stopped; the last commit is on disk");
        assert!(server.wait(), "{signal}");
    }
}
