//! The unit for systemd: systemd understands it, and it leaves little open.

use std::{env, fs, path::Path, process::Command};

use tempfile::TempDir;

/// The highest exposure, in tenths: `systemd-analyze security` calls up to 2.0 safe, and 10.0 is wide open.
const EXPOSURE_MAX: &str = "20";

#[track_caller]
fn analyze(arguments: &[&str], unit: &Path) {
    let done = Command::new("systemd-analyze").args(arguments).arg(unit).output().expect("it runs");
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    // It succeeds for settings that it does not know, and only says so.
    assert!(done.status.success() && done.stderr.is_empty(), "systemd-analyze {arguments:?}: {said}");
}

#[test]
fn unit_is_understood_and_leaves_little_open() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        assert!(env::var_os("CI").is_none(), "there is no `systemd-analyze`, which CI installs");
        eprintln!("skipped: there is no `systemd-analyze` (apt-get install systemd)");
        return;
    }
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("debian/atoll.service");
    let unit = fs::read_to_string(unit).expect("the unit");
    let installed = "/usr/bin/atoll";
    assert!(unit.contains(installed));
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("atoll.service");
    fs::write(&path, unit.replace(installed, env!("CARGO_BIN_EXE_atoll"))).expect("a file");
    analyze(&["verify", "--man=no"], &path);
    // What the page adds to it, as drop-ins.
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
    let page = fs::read_to_string(page).expect("the page");
    let changes = page.split("```ini\n").skip(1).map(|it| it.split("```").next().expect("a block"));
    for (n, change) in changes.enumerate() {
        let changed = folder.path().join(format!("atoll-{n}.service"));
        let unit = fs::read_to_string(&path).expect("a file");
        fs::write(&changed, format!("{unit}\n{change}")).expect("a file");
        analyze(&["verify", "--man=no"], &changed);
    }
    analyze(&["security", "--offline=yes", "--no-pager", "--threshold", EXPOSURE_MAX], &path);
}
