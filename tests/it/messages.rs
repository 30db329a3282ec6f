//! What the compiler and clippy say to the author of a plugin about each mistake. `UPDATE_EXPECT=1` updates
//! the texts; read them as the author would.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use expect_test::expect_file;

/// The folder of this binary, which holds the libraries that it was built from.
fn libraries() -> PathBuf {
    std::env::current_exe().expect("this binary").parent().expect("a folder").to_owned()
}

/// The library of a crate: of several builds, the last one. `getrandom@0.4` is that of this version, where
/// there are several.
fn library(crate_: &str) -> PathBuf {
    let (name, version) = crate_.split_once('@').unwrap_or((crate_, ""));
    let prefix = format!("lib{name}-");
    // What a library was built from is in the file beside it.
    let is_version = |library: &Path| {
        let stem = library.file_stem().and_then(OsStr::to_str).and_then(|it| it.strip_prefix("lib"));
        let sources = std::fs::read_to_string(libraries().join(format!("{}.d", stem.unwrap_or_default())));
        version.is_empty() || sources.is_ok_and(|it| it.contains(&format!("/{name}-{version}.")))
    };
    let is_it = |path: &PathBuf| {
        path.extension() == Some(OsStr::new("rlib"))
            && path.file_name().is_some_and(|it| it.to_string_lossy().starts_with(&prefix))
            && is_version(path)
    };
    let entries = std::fs::read_dir(libraries()).expect("the libraries");
    let mut found: Vec<PathBuf> = entries.map(|it| it.expect("an entry").path()).filter(is_it).collect();
    found.sort_by_key(|path| path.metadata().and_then(|it| it.modified()).expect("a time"));
    found.pop().unwrap_or_else(|| panic!("`{crate_}` is not built"))
}

/// What `compiler` says about a file of the folder `messages`, one message after the other.
fn messages(compiler: &str, file: &str, crates: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/messages");
    let out = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(compiler);
    command
        .current_dir(&folder)
        .env("CARGO_PKG_NAME", "example")
        .env("CLIPPY_DISABLE_DOCS_LINKS", "1")
        .env("CLIPPY_CONF_DIR", folder.join("../../../plugins"));
    command.args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "--color=never"]);
    command.arg("--out-dir").arg(out.path()).arg("-L").arg(libraries()).arg(format!("{file}.rs"));
    for name in crates {
        let library = library(name);
        let (name, _) = name.split_once('@').unwrap_or((name, ""));
        command.arg("--extern").arg(format!("{name}={}", library.display()));
    }
    let output = command.output().unwrap_or_else(|error| panic!("{compiler}: {error}"));
    String::from_utf8(output.stderr).expect("text")
}

#[track_caller]
fn check(compiler: &str, file: &str, crates: &[&str]) {
    let texts = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/messages").join(format!("{file}.txt"));
    expect_file![texts].assert_eq(&messages(compiler, file, crates));
}

#[test]
fn macros_say_how_they_are_written() {
    check("rustc", "macros", &["atoll_kernel"]);
}

#[test]
fn unknown_names_in_macros_are_pointed_at() {
    check("rustc", "names", &["atoll_kernel"]);
}

#[test]
fn clippy_denies_plugins_clock_chance_environment_and_threads() {
    check("clippy-driver", "sources_of_chance", &["atoll_kernel", "getrandom@0.4", "tokio", "uuid"]);
}
