//! `atoll export-shop` and `atoll import-shop`, as processes: of a shop that runs, is stopped, or was killed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{command::atoll, server::Server};

#[track_caller]
fn export(data: &Path, to: &Path) -> String {
    let (ok, said) = atoll(data, &["export-shop", to.to_str().expect("text")]);
    assert!(ok && said.contains("exported to `"), "{said}");
    said
}

/// The contents of all files of an export but the manifest, by name.
fn contents(folder: &Path) -> Vec<(PathBuf, String)> {
    let files = fs::read_dir(folder).expect("a folder").map(|it| it.expect("a file").path());
    let lines = files.filter(|it| it.extension().is_some_and(|it| it == "jsonl"));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("text");
        (path.strip_prefix(folder).expect("it is in it").to_owned(), text)
    };
    let mut contents: Vec<_> = lines.map(read).collect();
    contents.sort();
    contents
}

/// What a shop answers to its storefront and its admin.
fn answers(server: &Server, key: &str) -> Vec<Option<(u16, Value)>> {
    let token = server.log_in();
    vec![
        server.send(
            "GET",
            "/store/products?limit=100&fields=*variants",
            &[("x-publishable-api-key", key)],
            "",
        ),
        server.send("GET", "/admin/sales-channels", &[("authorization", &token)], ""),
    ]
}

#[test]
fn running_and_stopped_shops_are_exported_and_imported() {
    let folder = TempDir::new().expect("a folder");
    let of = |name: &str| folder.path().join(name);
    let (data, imported) = (of("data"), of("imported"));
    let server = Server::start(&data, &["--demo"]);
    let key = server.key("Web Shop");
    let expect = answers(&server, &key);
    let said = export(&data, &of("running"));
    assert!(said.contains(&format!("`{}`", of("running").display())), "{said}");
    let (ok, said) = atoll(&data, &["export-shop", of("running").to_str().expect("text")]);
    // It is there: a folder, in which the next one is named by moment and position.
    assert!(ok && said.contains(".export`"), "{said}");
    server.signal("-TERM");
    assert!(server.wait());
    export(&data, &of("stopped"));

    let (ok, said) = atoll(&imported, &["import-shop", of("stopped").to_str().expect("text")]);
    assert!(ok && said.contains("imported `"), "{said}");
    export(&imported, &of("again"));
    assert_eq!(contents(&of("stopped")), contents(&of("again")));
    assert_eq!(fs::read_dir(&imported).expect("a folder").count(), 1, "the database alone");
    let (ok, said) = atoll(&imported, &["verify"]);
    assert!(ok && said.contains("nothing is wrong"), "{said}");
    let (ok, said) = atoll(&imported, &["import-shop", of("stopped").to_str().expect("text")]);
    assert!(!ok && said.contains("an export is imported into a new folder"), "{said}");
    assert_eq!(answers(&Server::start(&imported, &[]), &key), expect);
}

#[test]
fn a_damaged_export_leaves_no_data() {
    let folder = TempDir::new().expect("a folder");
    let (data, to, imported) =
        (folder.path().join("data"), folder.path().join("export"), folder.path().join("imported"));
    let server = Server::start(&data, &[]);
    export(&data, &to);
    drop(server);
    let file = to.join("region.currency.jsonl");
    let text = fs::read_to_string(&file).expect("a file");
    fs::write(&file, text.replacen("{", "[", 1)).expect("a file");
    let (ok, said) = atoll(&imported, &["import-shop", to.to_str().expect("text")]);
    assert!(!ok && said.contains("- region.currency.jsonl:1: "), "{said}");
    assert!(!imported.exists());
}

/// The disk is full for a process that may write files of some kilobytes only, and one that is killed when it
/// writes more leaves no folder under the final name.
#[test]
fn an_export_to_a_full_disk_or_of_a_killed_process_has_no_name() {
    let folder = TempDir::new().expect("a folder");
    let (data, to) = (folder.path().join("data"), folder.path().join("exports/shop"));
    fs::create_dir(folder.path().join("exports")).expect("a folder");
    drop(Server::start(&data, &["--demo"]));
    export(&data, &folder.path().join("first"));
    let export_with = |script: &str| {
        let done = Command::new("bash")
            .args([
                "-c",
                &format!("{script}; exec \"$@\""),
                "bash",
                env!("CARGO_BIN_EXE_atoll"),
                "export-shop",
            ])
            .arg(&to)
            .env("ATOLL_DATA", &data)
            .output()
            .expect("bash runs");
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let names = || {
        let entries = fs::read_dir(folder.path().join("exports")).expect("a folder");
        entries.map(|it| it.expect("an entry").file_name().into_string().expect("text")).collect::<Vec<_>>()
    };
    // Without the signal, a write beyond the limit is an error, as it is on a full disk.
    let (ok, said) = export_with("trap '' XFSZ; ulimit -f 8");
    assert!(!ok && said.contains("File too large"), "{said}");
    assert_eq!(names(), [""; 0]);
    let (ok, said) = export_with("ulimit -f 8");
    assert!(!ok, "{said}");
    assert!(names().iter().all(|it| it == "shop.part"), "{:?}", names());
    export(&data, &to);
    assert_eq!(names(), ["shop"]);
}
