//! The subcommands, the flags and the data folder.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read, Write},
    path::Path,
    process::Command,
    sync::mpsc,
    thread,
    time::Duration,
};

use atoll_host::registry;
use atoll_kernel::{StoreError, Write as WriteTx, data::Store};
use atoll_storage::{KeyBuf, WriteKeys, engines::Redb};
use tempfile::TempDir;

use crate::server::Server;

pub(crate) fn atoll(folder: &Path, args: &[&str]) -> (bool, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_atoll"))
        .args(args)
        .env("ATOLL_DATA", folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("the binary runs");
    let text = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.success(), text)
}

/// Writes to the data of a program that is not running, whether a start would refuse it or not.
fn write(data: &Path, body: impl FnOnce(&mut dyn WriteTx) -> Result<(), StoreError> + Send + 'static) {
    let engine = Redb::open(&data.join("atoll.redb")).expect("a database");
    let store = Store::open(engine, &registry().expect("a registry").spaces()).expect("a store");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(store.write(body)).expect("a write");
    store.close();
}

const CATALOGUE: &str = r#"{
    "sales_channels": [{"handle": "web", "name": "Web"}],
    "products": [{"handle": "tea", "title": "Tea",
        "variants": [{"title": "One", "prices": [{"currency_code": "eur", "amount": "4.20"}]}],
        "listings": [{"channel": "web", "published": true}]}]
}"#;

#[test]
fn import_is_idempotent() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("catalogue.json");
    fs::write(&file, CATALOGUE).expect("a file");
    let (data, file) = (folder.path().join("data"), file.to_str().expect("text"));
    let (ok, dry) = atoll(&data, &["import", "--dry-run", file]);
    assert!(ok && dry.contains("products                  1 created"), "{dry}");
    assert!(dry.ends_with("dry run: nothing was written\n"), "{dry}");
    let (ok, first) = atoll(&data, &["import", file]);
    assert!(ok && first.contains("products                  1 created"), "{first}");
    assert!(first.contains("! products[0] \"tea\" › variants[0]: no SKU"), "{first}");
    let (ok, second) = atoll(&data, &["import", file]);
    assert!(ok && second.ends_with("nothing changed\n"), "{second}");
    let (ok, wrong) = atoll(&data, &["import", "nowhere.json"]);
    assert!(!ok && wrong.contains("failed to open `nowhere.json`"), "{wrong}");
    fs::write(file, "{]").expect("a file");
    let (ok, wrong) = atoll(&data, &["import", file]);
    assert!(!ok && wrong.contains("is not a catalogue"), "{wrong}");
}

#[test]
fn dry_run_of_an_import_leaves_the_data_as_it_was() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("catalogue.json");
    fs::write(&file, CATALOGUE).expect("a file");
    let (data, file) = (folder.path().join("data"), file.to_str().expect("text"));
    let (ok, dry) = atoll(&data, &["import", "--dry-run", file]);
    assert!(ok && dry.contains("products                  1 created") && !data.exists(), "{dry}");
    let server = Server::start(&data, &[]);
    let (ok, refused) = atoll(&data, &["import", "--dry-run", file]);
    assert!(!ok && refused.contains("is in use by another process"), "{refused}");
    drop(server);
    let content = || {
        let names = fs::read_dir(&data).expect("a folder").map(|it| it.expect("an entry").file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        (names, fs::read(data.join("atoll.redb")).expect("the database"))
    };
    // The server was killed: the first dry run repairs the file.
    for _ in 0..2 {
        let (ok, dry) = atoll(&data, &["import", "--dry-run", "--atomic", file]);
        assert!(ok && dry.contains("products                  1 created"), "{dry}");
    }
    let before = content();
    let dry_run = || {
        let (ok, dry) = atoll(&data, &["import", "--dry-run", file]);
        assert!(ok && dry.contains("products                  1 created"), "{dry}");
    };
    dry_run();
    assert!(content() == before, "a dry run changed the data");
    // One that was killed has left its copy, which the next one removes, unless it may be in use.
    let left = data.join(".trial-killed");
    fs::create_dir(&left).expect("a folder");
    fs::write(left.join("atoll.redb"), "half of a copy").expect("a file");
    let in_use = fs::File::open(&data).expect("a folder");
    in_use.lock_shared().expect("a lock");
    dry_run();
    assert!(left.exists());
    drop(in_use);
    dry_run();
    assert!(content() == before, "what a killed dry run left is still there");
    let (ok, done) = atoll(&data, &["import", "--atomic", file]);
    assert!(ok && done.contains("products                  1 created"), "{done}");
    let (ok, again) = atoll(&data, &["import", file]);
    assert!(ok && again.ends_with("nothing changed\n"), "{again}");
}

#[test]
fn shells_complete_commands_and_the_manual_has_a_page_for_each() {
    let folder = TempDir::new().expect("a folder");
    for (shell, line) in [("bash", "complete -F"), ("zsh", "#compdef atoll"), ("fish", "complete -c atoll")] {
        let (ok, script) = atoll(folder.path(), &["completions", shell]);
        assert!(ok && script.contains(line) && script.contains("reset-password"), "{shell}: {script}");
    }
    let script = "source <(\"$0\" completions bash) && COMP_WORDS=(atoll ver) COMP_CWORD=1 && \
                  _atoll atoll ver atoll && echo \"${COMPREPLY[@]}\"";
    let bash = Command::new("bash").args(["-euc", script, env!("CARGO_BIN_EXE_atoll")]).output();
    let bash = bash.expect("bash runs");
    let said = String::from_utf8_lossy(&bash.stdout) + String::from_utf8_lossy(&bash.stderr);
    assert_eq!(said, "verify\n");

    let pages = folder.path().join("man1");
    let (ok, said) = atoll(folder.path(), &["man", pages.to_str().expect("text")]);
    assert!(ok, "{said}");
    let page = fs::read_to_string(pages.join("atoll-user-reset-password.1")).expect("a page");
    assert!(page.contains("Whoever is logged in as this user is logged out"), "{page}");
    for page in ["atoll.1", "atoll-serve.1"] {
        // Not everybody has `man`; where it is, it warns of what it does not understand.
        if let Ok(man) = Command::new("man").args(["--warnings", "-l"]).arg(pages.join(page)).output() {
            assert!(man.status.success() && man.stderr.is_empty(), "{man:?}");
        }
        let page = fs::read_to_string(pages.join(page)).expect("a page");
        assert!(page.contains(".SH NAME\natoll"), "{page}");
    }
}

#[test]
fn weak_secrets_are_refused() {
    let folder = TempDir::new().expect("a folder");
    let (ok, refused) = atoll(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--jwt-secret", "short"]);
    assert!(
        !ok && refused.contains("jwt_secret: (secret): it has 5 bytes, and needs 16 (--jwt-secret)"),
        "{refused}"
    );
    // An empty setting counts as not set: a secret is generated, and kept.
    drop(Server::start(folder.path(), &["--jwt-secret", ""]));
    assert_eq!(fs::read(folder.path().join("jwt-secret")).expect("a secret").len(), 32);
}

#[cfg(unix)]
#[test]
fn data_files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let parent = TempDir::new().expect("a folder");
    let folder = parent.path().join("data");
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    let files = ["atoll.redb", "jwt-secret", "cookie-secret"].map(|it| folder.join(it));
    drop(Server::start(&folder, &[]));
    assert_eq!(mode(&folder), 0o700);
    files.iter().for_each(|it| assert_eq!(mode(it), 0o600, "{}", it.display()));
    // An earlier version or a copy left the folder and its files readable for others.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("a mode");
    files.iter().for_each(|it| fs::set_permissions(it, fs::Permissions::from_mode(0o644)).expect("a mode"));
    drop(Server::start(&folder, &[]));
    assert_eq!(mode(&folder), 0o755, "whoever runs it decides");
    files.iter().for_each(|it| assert_eq!(mode(it), 0o600, "{}", it.display()));
}

/// A slip of the hand changes nothing: `--data` names a folder of other things.
#[cfg(unix)]
#[test]
fn files_of_others_keep_their_modes() {
    use std::os::unix::fs::PermissionsExt;

    let folder = TempDir::new().expect("a folder");
    let script = folder.path().join("run.sh");
    fs::write(&script, "#!/bin/sh").expect("a file");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("a mode");
    let mode = || fs::metadata(&script).expect("a file").permissions().mode() & 0o777;
    for command in ["verify", "compact"] {
        let (ok, refused) = atoll(folder.path(), &[command]);
        assert!(!ok && refused.contains("there is no database in"), "{refused}");
        assert_eq!(mode(), 0o755, "{command}");
    }
    drop(Server::start(folder.path(), &[]));
    assert_eq!(mode(), 0o755, "serve");
}

#[test]
fn missing_or_empty_database_file_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("atoll.redb");
    drop(Server::start(folder.path(), &[]));
    let copy = fs::read(&file).expect("the database");
    let commands =
        [&["serve", "--listen", "127.0.0.1:0"][..], &["user", "create", "-e", "a@b.c", "-p", "long enough"]];
    fs::write(&file, "").expect("a file");
    for args in commands {
        let (ok, refused) = atoll(folder.path(), args);
        assert!(!ok && refused.contains("atoll.redb` is empty: what was in it is gone"), "{refused}");
    }
    fs::remove_file(&file).expect("no file");
    for args in commands {
        let (ok, refused) = atoll(folder.path(), args);
        assert!(
            !ok && refused.contains("atoll.redb` is missing, but `jwt-secret` beside it exists"),
            "{refused}"
        );
        assert!(!file.exists(), "it was replaced");
    }
    // A restored copy serves, and so does a folder that was emptied on purpose.
    fs::write(&file, copy).expect("a file");
    drop(Server::start(folder.path(), &[]));
    for name in ["atoll.redb", "jwt-secret", "cookie-secret"] {
        fs::remove_file(folder.path().join(name)).expect("no file");
    }
    drop(Server::start(folder.path(), &[]));
}

#[test]
fn second_process_on_a_data_folder_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let _server = Server::start(folder.path(), &[]);
    let (ok, refused) = atoll(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(!ok && refused.contains("is in use by another process"), "{refused}");
}

#[test]
fn first_printed_demo_key_lists_products() {
    let folder = TempDir::new().expect("a folder");
    let keys = |server: &Server| {
        let lines = server.printed.lines().skip_while(|it| !it.starts_with("publishable keys"));
        lines.filter(|it| !it.is_empty() && !it.starts_with(' ')).skip(1).collect::<Vec<_>>().join(", ")
    };
    let channels = "Web Shop, Mobile App, B2B Portal, Marketplace (disabled: it sells nothing)";
    for _ in 0..2 {
        // The second start finds the records of the first.
        let server = Server::start(folder.path(), &["--demo"]);
        assert_eq!(keys(&server), channels);
        let key = server.key("Web Shop");
        let headers = [("x-publishable-api-key", key.as_str())];
        let (_, list) =
            server.send("GET", "/store/products?limit=3&fields=id,title", &headers, "").expect("an answer");
        assert_eq!(list["count"], 38, "{list}");
        let token = server.log_in();
        let path = "/admin/stores?fields=default_sales_channel.name";
        let (_, stores) = server.send("GET", path, &[("authorization", &token)], "").expect("an answer");
        assert_eq!(stores["stores"][0]["default_sales_channel"]["name"], "Web Shop", "{stores}");
    }
}

#[test]
fn verify_checks_the_folder_of_a_stopped_server() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    let (ok, nothing) = atoll(&data, &["verify"]);
    assert!(!ok && nothing.contains("there is no database in"), "{nothing}");
    assert!(!data.exists(), "verifying makes nothing");
    let server = Server::start(&data, &["--demo"]);
    let (ok, refused) = atoll(&data, &["verify"]);
    assert!(!ok && refused.contains("is in use by another process"), "{refused}");
    drop(server);
    let (ok, whole) = atoll(&data, &["verify"]);
    assert!(ok && whole.ends_with("nothing is wrong\n"), "{whole}");

    write(&data, |tx| {
        for handle in ["enamel-mug", "green-coffee-sack"] {
            let key = KeyBuf::new(tx.prefix("product.by_handle")).part(handle).into_bytes();
            assert!(tx.get(&key).expect("a read").is_some(), "{handle}");
            tx.delete(key);
        }
        Ok(())
    });
    let (ok, damaged) = atoll(&data, &["verify"]);
    let mug = "index.missing in product.by_handle at `enamel-mug`: nothing; expected prod_";
    assert!(!ok && damaged.contains(mug) && damaged.contains("2 findings: 2 index.missing"), "{damaged}");
    let (ok, damaged) = atoll(&data, &["verify", "--limit", "1"]);
    assert!(!ok && damaged.contains("… and 1 more\n"), "{damaged}");
}

#[test]
fn compact_gives_free_space_back() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    let (ok, nothing) = atoll(&data, &["compact"]);
    assert!(!ok && nothing.contains("there is no database in") && !data.exists(), "{nothing}");
    let server = Server::start(&data, &["--demo"]);
    let (ok, refused) = atoll(&data, &["compact"]);
    assert!(!ok && refused.contains("is in use by another process"), "{refused}");
    drop(server);
    leave_free_space(&data);
    let size = || fs::metadata(data.join("atoll.redb")).expect("the database").len();
    let before = size();
    let (ok, done) = atoll(&data, &["compact"]);
    assert!(ok && done == format!("the database had {before} bytes, and has {}\n", size()), "{done}");
    assert!(size() * 4 < before, "{done}");
    assert!(atoll(&data, &["verify"]).0);
    drop(Server::start(&data, &["--demo"]));
}

/// Writes and deletes 16 MB.
pub(crate) fn leave_free_space(data: &Path) {
    let key = |tx: &dyn WriteTx, n: u32| {
        KeyBuf::new(tx.prefix("product")).tail(b"prod_").tail(&n.to_be_bytes()).into_bytes()
    };
    write(data, move |tx| {
        for n in 0..1024 {
            let key = key(tx, n);
            tx.put(key, vec![7; 16 * 1024]);
        }
        Ok(())
    });
    write(data, move |tx| {
        for n in 0..1024 {
            let key = key(tx, n);
            tx.delete(key);
        }
        Ok(())
    });
}

#[test]
fn dry_run_of_a_migration_names_a_row_that_does_not_decode() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path();
    let earlier = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/2");
    for name in ["atoll.redb", "jwt-secret", "cookie-secret"] {
        fs::copy(earlier.join(name), data.join(name)).expect("a copy");
    }
    let (ok, due) = atoll(data, &["migrate", "--dry-run"]);
    assert!(ok && due.ends_with("dry run: nothing was written\n"), "{due}");

    write(data, |tx| {
        let key = KeyBuf::new(tx.prefix("product")).tail(b"prod_spoilt").into_bytes();
        tx.put(key, b"no record".to_vec());
        Ok(())
    });
    for args in [&["migrate", "--dry-run"][..], &["migrate"]] {
        let (ok, refused) = atoll(data, args);
        let row = "corrupt record `prod_spoilt` in `product`: ";
        assert!(!ok && refused.contains(row), "{refused}");
        assert!(refused.contains("repair it with the previous program"), "{refused}");
    }
    write(data, |tx| {
        let key = KeyBuf::new(tx.prefix("product")).tail(b"prod_spoilt").into_bytes();
        tx.delete(key);
        Ok(())
    });
    // What was due is due still: a refused migration changes nothing.
    assert_eq!(atoll(data, &["migrate", "--dry-run"]), (true, due));
    let (ok, done) = atoll(data, &["migrate"]);
    assert!(ok && done.contains("\ndone\n"), "{done}");
}

#[test]
fn registry_command_prints_what_is_linked_in() {
    let folder = TempDir::new().expect("a folder");
    let (ok, printed) = atoll(folder.path(), &["check"]);
    for line in ["module sales-channel: Places where the catalogue is sold", "page /keys/new"] {
        assert!(ok && printed.contains(line), "{line}: {printed}");
    }
}

#[test]
fn shutdown_does_not_wait_for_incomplete_requests() {
    for signal in ["-TERM", "-INT", "-HUP"] {
        let folder = TempDir::new().expect("a folder");
        let server = Server::start(folder.path(), &["--demo", "--drain-timeout", "600"]);
        let key = server.key("Web Shop");
        let mut half_a_head = server.connect().expect("a connection");
        half_a_head.write_all(b"POST /store/carts HTTP/1.1\r\nhost: at").expect("half a head");
        let mut half_a_body = server.connect().expect("a connection");
        let head = format!(
            "POST /store/carts HTTP/1.1\r\nhost: atoll\r\ncontent-type: application/json\r\n\
             x-publishable-api-key: {key}\r\ncontent-length: 2\r\n\r\n{{"
        );
        half_a_body.write_all(head.as_bytes()).expect("half a body");
        // What was acknowledged is on disk.
        let headers = [("x-publishable-api-key", key.as_str())];
        let (_, cart) = server.send("POST", "/store/carts", &headers, "{}").expect("an answer");
        let cart = format!("/store/carts/{}", cart["cart"]["id"].as_str().expect("an id"));
        server.signal(signal);
        assert!(server.wait(), "{signal}");
        for mut stream in [half_a_head, half_a_body] {
            let mut rest = Vec::new();
            // Whether the connection is closed or reset depends on the operating system.
            assert!(stream.read_to_end(&mut rest).is_err() || rest.is_empty(), "{rest:?}");
        }
        let server = Server::start(folder.path(), &["--demo"]);
        assert_eq!(server.send("GET", &cart, &headers, "").expect("an answer").0, 200);
    }
}

#[test]
fn malformed_http_requests_get_clear_errors() {
    let folder = TempDir::new().expect("a folder");
    let server = Server::start(folder.path(), &["--idle-timeout", "1", "--header-timeout", "1"]);
    let check = |request: &str, expected: &str| {
        let request = request.replace('\n', "\r\n");
        let answer = server.raw(&request);
        let line = answer.lines().next().unwrap_or_default();
        let shown: String = request.chars().take(80).collect();
        assert!(line.starts_with(&format!("HTTP/1.1 {expected}")), "{shown}: {answer}");
        answer
    };
    let close = "host: a\nconnection: close\n";
    check(&format!("GET /health HTTP/1.1\n{close}\n"), "200");
    check("GET /health HTTP/1.1\n\n", "400");
    check(&format!("GET /health HTTP/1.1\nhost: b\n{close}\n"), "400");
    let twice = "x-publishable-api-key: pk_a\nx-publishable-api-key: pk_a\n";
    check(&format!("GET /store/products HTTP/1.1\n{twice}{close}\n"), "400");
    check(&format!("GET http://a/health HTTP/1.1\n{close}\n"), "200");
    check(&format!("GET http://b/health HTTP/1.1\n{close}\n"), "400");
    check(&format!("CONNECT a:80 HTTP/1.1\n{close}\n"), "400");
    check(&format!("OPTIONS * HTTP/1.1\n{close}\n"), "204");
    check(&format!("BREW /health HTTP/1.1\n{close}\n"), "405");
    check(&format!("BREW /docs HTTP/1.1\n{close}\n"), "404");
    check(&format!("GET /store/products/%00 HTTP/1.1\n{close}\n"), "400");
    check(&format!("GET /store/products/%ff HTTP/1.1\n{close}\n"), "400");
    check(&format!("GET /openapi.json?q=%00 HTTP/1.1\n{close}\n"), "400");
    check(&format!("GET /{} HTTP/1.1\n{close}\n", "x".repeat(70_000)), "431");
    check(&format!("GET / HTTP/1.1\nx: {}\n{close}\n", "x".repeat(70_000)), "431");
    check(&format!("GET / HTTP/1.1\n{}{close}\n", "x: y\n".repeat(101)), "431");

    // The length of a body must be unambiguous.
    check(
        &format!("POST /auth/session HTTP/1.1\n{close}content-length: 1\ncontent-length: 2\n\n{{}}"),
        "400",
    );
    check(&format!("POST /auth/session HTTP/1.1\n{close}transfer-encoding: gzip\n\n"), "400");
    let both = "content-length: 4\ntransfer-encoding: chunked\n";
    let smuggled = "0\n\nGET /health HTTP/1.1\nhost: a\n\n";
    let answer = check(&format!("POST /auth/session HTTP/1.1\nhost: a\n{both}\n{smuggled}"), "401");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");

    let expecting = "content-type: application/json\nexpect: 100-continue\ncontent-length: 2\n";
    check(&format!("POST /auth/user/emailpass HTTP/1.1\n{close}{expecting}\n{{}}"), "100");
    // A request without authorisation is refused before its body is sent.
    check(&format!("POST /admin/products HTTP/1.1\n{close}{expecting}\n"), "401");
}

#[test]
fn server_survives_running_out_of_file_descriptors() {
    let folder = TempDir::new().expect("a folder");
    let server = Server::start_with_descriptors(48, folder.path());
    let idle: Vec<_> = (0..96).filter_map(|_| server.connect()).collect();
    let line = server.until_logged("connections cannot be accepted");
    assert!(line.contains("connections_max"), "{line}");
    assert_eq!(server.send("GET", "/health", &[], "").expect("an answer").0, 200);
    drop(idle);
    server.signal("-TERM");
    assert!(server.wait());
}

/// The role `worker` serves no pages.
#[test]
fn link_of_the_first_admin_is_printed_with_the_public_address_where_pages_are_served() {
    let folder = TempDir::new().expect("a folder");
    let start = |role: &str| {
        let arguments = ["--role", role, "--public-url", "https://shop.example"];
        let mut server = Server::start(folder.path(), &arguments);
        let out = server.process.stdout.take().expect("a pipe");
        (server, out)
    };
    let (server, mut out) = start("worker");
    server.signal("-TERM");
    let mut text = String::new();
    out.read_to_string(&mut text).expect("text");
    assert_eq!(text, "");
    drop(server);

    // It is printed beside the first requests.
    let (_server, out) = start("server");
    let (print, printed) = mpsc::channel();
    thread::spawn(move || {
        BufReader::new(out).lines().map_while(Result::ok).try_for_each(|it| print.send(it))
    });
    let is_link = |it: &str| it.starts_with("  https://shop.example/app/first-admin?token=");
    while !is_link(&printed.recv_timeout(Duration::from_secs(30)).expect("the link of the first admin")) {}
}

#[test]
fn check_command_validates_the_configuration() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("shop.toml");
    fs::write(&file, "listen = \"0.0.0.0:80\"\njwt_secret = \"nobody must see this\"\n").expect("a file");
    let path = file.to_str().expect("text");
    let (ok, shown) = atoll(folder.path(), &["check", "--config", path]);
    assert!(ok && shown.contains(&format!("listen = 0.0.0.0:80 ({path})\n")), "{shown}");
    assert!(shown.contains(&format!("jwt_secret = (secret) ({path})\n")), "{shown}");
    fs::write(&file, "listen = \"here\"\nrole = \"king\"\n").expect("a file");
    for args in [&["check", "--config", path][..], &["serve", "--config", path]] {
        let (ok, wrong) = atoll(folder.path(), args);
        assert!(!ok && wrong.contains("- listen: here: it is not an address and port"), "{wrong}");
        assert!(wrong.contains("- role: king: it must be `shared`, `server` or `worker`"), "{wrong}");
    }
    let (ok, wrong) = atoll(folder.path(), &["check", "--config", "nowhere.toml"]);
    assert!(!ok && wrong.contains("nowhere.toml cannot be read"), "{wrong}");
}
