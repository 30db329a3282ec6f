//! Commands that are killed at any moment: nothing is lost, and running them again finishes their work.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    command::{atoll, leave_free_space},
    server::Server,
};

/// Runs a command over a data folder, and kills it after this time.
fn kill_after(time: Duration, data: &Path, args: &[&str]) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_atoll"))
        .args(args)
        .env("ATOLL_DATA", data)
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary runs");
    std::thread::sleep(time);
    process.kill().expect("a kill");
    process.wait().expect("an end");
}

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
        kill_after(takes * (n + 1) / (N_KILLS + 1), &data, &["compact"]);
        assert_eq!(atoll(&data, &["verify"]), (true, checked.clone()));
        assert!(atoll(&data, &["compact"]).0);
        let again = fs::metadata(data.join("atoll.redb")).expect("the database").len();
        assert!(again <= compacted * 2, "{again} bytes, and {compacted} without a kill");
    }
}

/// Killed at any moment, an import leaves a consistent shop, and the next one completes it.
#[test]
fn import_survives_kills() {
    const N_KILLS: u32 = 4;
    const N_PRODUCTS: usize = 1600;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("catalogue.json");
    let product = |n: usize| {
        format!(
            r#"{{"handle":"tea-{n}","title":"Tea {n}","variants":[{{"sku":"SKU-{n}","title":"One",
                "prices":[{{"currency_code":"eur","amount":"4.20"}}]}}],
                "listings":[{{"channel":"web","published":true}}]}}"#
        )
    };
    let products: Vec<String> = (0..N_PRODUCTS).map(product).collect();
    let channels = r#""sales_channels":[{"handle":"web","name":"Web"}]"#;
    fs::write(&file, format!(r#"{{{channels},"products":[{}]}}"#, products.join(","))).expect("a file");
    let file = file.to_str().expect("text");
    let (whole, begun) = (folder.path().join("whole"), Instant::now());
    let (ok, done) = atoll(&whole, &["import", file]);
    assert!(ok && done.contains(&format!("products               {N_PRODUCTS} created")), "{done}");
    let (takes, (_, checked)) = (begun.elapsed(), atoll(&whole, &["verify"]));
    let mut n_interrupted = 0;
    for n in 0..N_KILLS {
        let data = folder.path().join(n.to_string());
        kill_after(takes * (n + 1) / (N_KILLS + 1), &data, &["import", file]);
        if data.join("atoll.redb").exists() {
            let (ok, verified) = atoll(&data, &["verify"]);
            assert!(ok, "{verified}");
            n_interrupted += u32::from(verified != checked);
        }
        assert!(atoll(&data, &["import", file]).0);
        let (ok, again) = atoll(&data, &["import", file]);
        assert!(ok && again.ends_with("nothing changed\n"), "{again}");
        assert_eq!(atoll(&data, &["verify"]), (true, checked.clone()));
    }
    assert!(n_interrupted > 0, "no import was interrupted");
}
