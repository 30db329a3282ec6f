//! The shell commands of the documentation, run by bash and curl against a served demo.

use std::{future::pending, path::Path, sync::Arc};

use atoll_background::start;
use atoll_host::{Assembly, Data, Secret, Settings, http, load_demo};
use atoll_testkit::PACE;
use tokio::{net::TcpListener, process::Command};

/// Where the documentation says that the demo is served.
const ADDRESS: &str = "127.0.0.1:9000";

/// What the commands of pages that run here have in common.
const REQUEST: &str = "curl -s";

/// A mark between the outputs of blocks.
const MARK: &str = "-- next block --";

/// The shell blocks of a page of the repository.
fn blocks(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page);
    let text = std::fs::read_to_string(&path).expect("the page");
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|it| it.split("```").next().expect("a block").to_owned()).collect()
}

/// Serves the demo, and runs the blocks of a page with requests in them in one shell, one after the other.
/// Returns their outputs. The other blocks build programs or start servers.
async fn run(page: &str) -> Vec<String> {
    let admin = Some(("admin@atoll.test".to_owned(), Secret("atoll-demo".to_owned())));
    let settings = Settings { admin, ..Settings::default() };
    let app = Assembly::open(&Data::Memory, settings).await.expect("a store").start().await.expect("a start");
    load_demo(&app.ctx, &app.first_run).await.expect("the demo");
    let background = start(&app.ctx, PACE).await.expect("a start");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let limits = http::Limits::default();
    let serving = tokio::spawn(http::serve(listener, app.router, limits, Arc::default(), pending()));
    let requests = blocks(page).into_iter().filter(|it| it.contains(REQUEST));
    let script = requests.collect::<Vec<_>>().join(&format!("\necho '{MARK}'\n"));
    assert!(script.contains(ADDRESS), "{page} does not name the address of the demo");
    let shell = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script.replace(ADDRESS, &address)])
        .output()
        .await
        .expect("the shell blocks of the documentation need bash and curl");
    serving.abort();
    background.stop().await;
    let text = String::from_utf8(shell.stdout).expect("text");
    assert!(shell.status.success(), "{page}: {}{text}", String::from_utf8_lossy(&shell.stderr));
    text.split(&format!("{MARK}\n")).map(str::to_owned).collect()
}

/// Each output holds the text at its place; the first of these texts that does not is an error.
#[track_caller]
fn check(outputs: &[String], expected: &[&str]) {
    assert_eq!(outputs.len(), expected.len(), "{outputs:#?}");
    for (output, text) in outputs.iter().zip(expected) {
        assert!(output.contains(text), "`{text}` is not in: {output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tour_of_the_readme_works_against_the_demo() {
    let outputs = run("README.md").await;
    check(
        &outputs,
        &[
            "",
            r#""is_disabled":true"#,
            "",
            r#""count":38"#,
            r#""title":"Enamel Mug""#,
            "do not exist or belong to a product that is not published",
            r#""type":"not_found""#,
            r#""total":30.7"#,
            r#""provider_id":"pp_system_default""#,
            r#""type":"order""#,
            r#""display_id":1"#,
            r#""captured_at""#,
            r#""reasons""#,
            r#""products""#,
        ],
    );
    assert!(outputs[3].contains(r#""count":14"#), "{}", outputs[3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_the_first_module_work_against_the_demo() {
    let outputs = run("docs/adding-a-module.md").await;
    check(&outputs, &[r#""reviews":[{"author":"Ada","rating":5"#]);
}
