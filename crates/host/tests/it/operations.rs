//! The commands of docs/operations.md, run in their order: blocks of `sh` by bash, with the folders of the
//! system in a folder of the test. Those of `console` do not run here, and say why in a list.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// Programs of `console` blocks, and why they are not run.
const NOT_RUN: [(&str, &str); 7] = [
    ("apt", "it would install the package into the machine"),
    ("cargo", "a release build takes minutes, and each newcomer makes one"),
    ("install", "it writes into the system, and needs that build"),
    ("journalctl", "a test has no systemd that runs"),
    ("podman", "a test has no containers; `cargo xtask package image` runs what is in the image"),
    ("systemctl", "a test has no systemd that runs"),
    ("systemd-run", "a test has no systemd that runs"),
];

/// Folders of the system that the commands name.
const FOLDERS: [&str; 2] = ["/var/lib/", "/var/backups/"];

/// The blocks of the page in this language.
fn blocks(language: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
    let page = fs::read_to_string(page).expect("the page");
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|it| it.split("```").next().expect("a block").to_owned()).collect()
}

/// A shell with the binary on its path.
fn bash(root: &Path, script: &str) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_atoll")).parent().expect("a folder");
    let path = env::join_paths(
        [program.to_owned()].into_iter().chain(env::split_paths(&env::var_os("PATH").expect("a path"))),
    );
    let mut script = script.to_owned();
    for folder in FOLDERS {
        script = script.replace(folder, &format!("{}{folder}", root.display()));
    }
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &script]).current_dir(root).env("PATH", path.expect("a path"));
    bash.env("ATOLL_LISTEN", "127.0.0.1:0").env("ATOLL_USER_PASSWORD", "a password").env("NO_COLOR", "1");
    bash
}

/// Runs commands that serve until they do, and stops them as a terminal would.
fn serve(root: &Path, script: &str) {
    // A group of its own, to which the signal goes, as the shell may wait for the program.
    let mut shell = bash(root, script).process_group(0).stderr(Stdio::piped()).spawn().expect("bash runs");
    let mut logged = String::new();
    for line in BufReader::new(shell.stderr.take().expect("a pipe")).lines().map_while(Result::ok) {
        if line.contains("atoll_host::command::serve: serving") {
            let kill = Command::new("kill").args(["-INT", "--"]).arg(format!("-{}", shell.id())).status();
            assert!(kill.expect("kill runs").success());
        }
        logged += &format!("{line}\n");
    }
    let _ = shell.wait().expect("it ends");
    assert!(logged.contains("stopped; the last commit is on disk"), "{script}: {logged}");
}

#[test]
fn commands_of_operations_run_in_their_order() {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path();
    for made in FOLDERS {
        fs::create_dir_all(root.join(&made[1..])).expect("a folder");
    }
    // What the page supposes: a folder for backups, a picture that was uploaded, a catalogue.
    for made in ["var/backups/atoll", "var/lib/atoll/files"] {
        fs::create_dir_all(root.join(made)).expect("a folder");
    }
    fs::write(root.join("catalogue.json"), "{}").expect("a file");
    let blocks = blocks("sh");
    assert!(blocks.len() > 5, "{blocks:#?}");
    for block in blocks {
        if block.contains("atoll serve") {
            serve(root, &block);
            continue;
        }
        let done = bash(root, &block).output().expect("bash runs");
        let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{block}: {said}");
    }
}

#[test]
fn commands_that_are_not_run_have_a_reason() {
    let blocks = blocks("console");
    let programs: Vec<&str> =
        blocks.iter().flat_map(|it| it.lines()).map(|line| line.split(' ').next().unwrap_or(line)).collect();
    let unknown: Vec<_> =
        programs.iter().filter(|it| !NOT_RUN.iter().any(|(program, _)| program == *it)).collect();
    assert!(unknown.is_empty(), "write `sh`, so that they are run, or say here why not: {unknown:?}");
    let unused: Vec<_> = NOT_RUN.iter().filter(|(program, _)| !programs.contains(program)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}
