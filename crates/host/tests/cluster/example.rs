//! The example of three hosts, as its reader runs it.

use std::{
    net::TcpListener,
    path::Path,
    process::{self, Command},
};

use tempfile::TempDir;

/// Ports that the example takes, from the first one on.
const N_PORTS: u16 = 10;

/// Behind them are those that connections take.
const LAST: u16 = 32_000;

/// The first of the ports: no other program listens on any of them. Where to look first differs by process.
fn free_ports() -> u16 {
    let from = 10_000 + (process::id() % 2_000) as u16 * N_PORTS;
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let all_free = |first: &u16| (*first..first + N_PORTS).all(is_free);
    (from..LAST).step_by(N_PORTS.into()).find(all_free).expect("ten ports that are free")
}

pub(crate) fn example_of_three_hosts_loses_nothing() {
    if Command::new("haproxy").arg("-v").output().is_err() {
        return eprintln!("skipped: there is no haproxy");
    }
    let folder = TempDir::new().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/three-hosts/run");
    let port = free_ports().to_string();
    let mut example = Command::new(script);
    example.arg(folder.path()).envs([("ATOLL", env!("CARGO_BIN_EXE_atoll")), ("PORT", &port)]);
    let done = example.output().expect("bash runs");
    let (said, why) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}{why}");
    assert!(said.contains("20 orders were answered, and 20 are there"), "{said}{why}");
}
