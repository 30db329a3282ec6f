//! The example of three hosts, as its reader runs it.

use std::{path::Path, process::Command};

use tempfile::TempDir;

pub(crate) fn example_of_three_hosts_loses_nothing() {
    if Command::new("haproxy").arg("-v").output().is_err() {
        return eprintln!("skipped: there is no haproxy");
    }
    let folder = TempDir::new().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/three-hosts/run");
    let mut example = Command::new(script);
    example.arg(folder.path()).envs([("ATOLL", env!("CARGO_BIN_EXE_atoll")), ("PORT", "19000")]);
    let done = example.output().expect("bash runs");
    let (said, why) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}{why}");
    assert!(said.contains("20 orders were answered, and 20 are there"), "{said}{why}");
}
