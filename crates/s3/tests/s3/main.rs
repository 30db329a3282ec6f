//! The file storage `s3` against an S3 server that checks signatures: uploads through the real router, what
//! the server then serves, presigned uploads, and errors. Skipped where there is no Python to install the
//! server with.

mod backups;
mod seaweed;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    pin::Pin,
    process::ExitCode,
    sync::Arc,
    task::{Context, Poll},
};

use atoll_host::{Known, Settings, Sources, registry};
use atoll_kernel::registry::linked_settings;
use atoll_s3 as _;
use atoll_testkit::{Answer, Client, Setup, Shop, TestApp, Walk, id};
use axum::body::Body;
use backups::{
    backup_that_is_not_copied_says_so_and_stays_in_the_folder, backups_are_copied_and_the_newest_are_kept,
    backups_are_not_copied_to_the_bucket_of_public_files, large_backups_are_there_when_they_are_whole,
    shops_that_share_a_bucket_keep_their_own_copies,
};
use bytes::Bytes;
use futures_core::Stream;
use libtest_mimic::{Arguments, Trial};
use reqwest::{Method, Response, StatusCode, header};
use seaweed::{ACCESS_KEY, SECRET_KEY, Seaweed};
use serde_json::{Value, json};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const BUCKET: &str = "files";

/// The bucket of backups.
const PRIVATE: &str = "backups";

/// A bucket for one test, which looks at all that is in it.
const EMPTY: &str = "stays-empty";

/// The server, and a client that knows no keys.
struct World {
    server: Seaweed,
    http: reqwest::Client,
}

type Test = for<'a> fn(&'a World) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

macro_rules! tests {
    ($($name:ident),+ $(,)?) => {
        const TESTS: &[(&str, Test)] = &[$((stringify!($name), |world| Box::pin($name(world)))),+];
    };
}

tests! {
    files_are_stored_served_and_deleted,
    large_files_are_uploaded_in_parts,
    failed_uploads_leave_nothing,
    presigned_uploads_are_bound_to_type_size_and_key,
    what_browsers_run_is_not_uploaded_directly,
    wrong_keys_are_refused,
    service_that_does_not_answer_is_503,
    keys_lead_out_of_no_prefix,
    backups_are_copied_and_the_newest_are_kept,
    backup_that_is_not_copied_says_so_and_stays_in_the_folder,
    backups_are_not_copied_to_the_bucket_of_public_files,
    large_backups_are_there_when_they_are_whole,
    shops_that_share_a_bucket_keep_their_own_copies,
}

/// The settings of the documentation.
fn settings_of_the_documentation_are_valid() {
    ["s3", "s3_backup"].into_iter().for_each(settings_are_valid);
}

fn settings_are_valid(provider: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/{provider}.toml"));
    let linked = linked_settings();
    let sources =
        Sources { file: Some(file), env: &|_| None, line: BTreeMap::new(), set: Vec::new(), linked };
    let known = |_: &BTreeSet<String>| Ok(Known::of(registry().expect("a registry")));
    let settings = Settings::load(sources, &BTreeSet::new(), known).unwrap_or_else(|wrong| panic!("{wrong}"));
    let all = settings.shown.join("\n") + &format!("{settings:?}");
    for name in ["access_key_id", "secret_access_key"] {
        assert!(all.contains(&format!("{provider}.{name} = (secret)")), "{all}");
    }
    assert!(!all.contains("EXAMPLE"), "{all}");
}

/// Pages show them, and their policy lets browsers load them.
async fn pictures_of_the_bucket_are_shown_on_pages() {
    let setup = Setup::default()
        .providers("file", &["s3"])
        .setting("s3.bucket", BUCKET)
        .setting("s3.url", "https://cdn.example.com/shop")
        .setting("s3.access_key_id", ACCESS_KEY)
        .setting("s3.secret_access_key", SECRET_KEY);
    let shop = Shop::open(setup.init().await).await;
    let mug = shop.product("Mug", &[], 1).await.product;
    let picture = json!({ "thumbnail": "https://cdn.example.com/shop/mug.png" });
    shop.admin.post(&format!("/admin/products/{mug}"), picture).await.ok();
    let walk = Walk::of(&shop.app).await;
    let page = &walk.pages[&format!("/app/products/{mug}")];
    assert!(page.contains("src=\"https://cdn.example.com/shop/mug.png\""), "{page}");
    let login = shop.app.client().get("/app/login").await;
    let policy = login.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.contains("img-src 'self' https://cdn.example.com;"), "{policy}");
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let settings = || {
        settings_of_the_documentation_are_valid();
        Ok(())
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = Arc::new(tokio::runtime::Runtime::new().expect("a runtime"));
    let server = if arguments.list { None } else { Seaweed::start() };
    let world = server.map(|server| Arc::new(World { server, http: reqwest::Client::new() }));
    match &world {
        Some(it) => {
            for bucket in [BUCKET, EMPTY, PRIVATE] {
                runtime.block_on(it.server.make_bucket(&it.http, bucket));
            }
        }
        None => eprintln!("skipped: there is no Python with `venv` to install an S3 server with"),
    }
    let trial = |(name, test): &(&'static str, Test)| {
        let (test, world, runtime) = (*test, world.clone(), runtime.clone());
        let is_skipped = world.is_none();
        let run = move || {
            let world = world.expect("a server");
            runtime.block_on(test(&world));
            Ok(())
        };
        Trial::test(*name, run).with_ignored_flag(is_skipped)
    };
    let mut trials: Vec<Trial> = TESTS.iter().map(trial).collect();
    trials.push(Trial::test("settings_of_the_documentation_are_valid", settings));
    trials.push(Trial::test("pictures_of_the_bucket_are_shown_on_pages", move || {
        runtime.block_on(pictures_of_the_bucket_are_shown_on_pages());
        Ok(())
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

impl World {
    /// The settings of an application that stores below this prefix.
    fn setup(&self, prefix: &str) -> Setup {
        Setup::default()
            .providers("file", &["s3"])
            .setting("s3.bucket", BUCKET)
            .setting("s3.endpoint", &self.server.s3)
            .setting("s3.prefix", prefix)
            .setting("s3.access_key_id", ACCESS_KEY)
            .setting("s3.secret_access_key", SECRET_KEY)
    }

    async fn open(&self, prefix: &str) -> (TestApp, Client) {
        self.setup(prefix).init().await.with_admin().await
    }

    async fn get(&self, url: &str) -> Response {
        self.http.get(url).send().await.expect("an answer")
    }

    async fn put(&self, url: &str, media_type: &str, content: &[u8]) -> StatusCode {
        let request = self.http.put(url).header(header::CONTENT_TYPE, media_type).body(content.to_vec());
        request.send().await.expect("an answer").status()
    }

    /// The names in a folder of the bucket.
    async fn names(&self, folder: &str) -> Vec<String> {
        self.names_in(&format!("{BUCKET}/{folder}")).await
    }

    async fn names_in(&self, folder: &str) -> Vec<String> {
        let url = format!("{}/buckets/{folder}/", self.server.filer);
        let listed = self.http.request(Method::GET, url).header(header::ACCEPT, "application/json");
        let listed = listed.send().await.expect("an answer");
        if listed.status() == StatusCode::NOT_FOUND {
            return Vec::new();
        }
        let listed: Value = serde_json::from_slice(&listed.bytes().await.expect("a body")).expect("JSON");
        let entries = listed["Entries"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|it| it["FullPath"].as_str().expect("a path").to_owned()).collect()
    }
}

/// A form of files.
fn form(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut form = Vec::new();
    for (name, content) in files {
        let head = format!("Content-Disposition: form-data; name=\"files\"; filename=\"{name}\"");
        form.extend(format!("--XYZ\r\n{head}\r\nContent-Type: text/html\r\n\r\n").into_bytes());
        form.extend(*content);
        form.extend(b"\r\n");
    }
    form.extend(b"--XYZ--\r\n");
    form
}

async fn upload(admin: &Client, body: impl Into<Body>) -> Answer {
    let client = admin.clone().without_type();
    let client = client.with_header("content-type", "multipart/form-data; boundary=XYZ");
    client.send("POST", "/admin/uploads", body.into()).await
}

/// Uploads one file: its id and its URL.
async fn upload_one(admin: &Client, name: &str, content: &[u8]) -> (String, String) {
    let file = upload(admin, form(&[(name, content)])).await.ok()["files"][0].clone();
    (id(&file), file["url"].as_str().expect("a URL").to_owned())
}

fn header(answer: &Response, name: header::HeaderName) -> &str {
    answer.headers().get(name).map_or("", |it| it.to_str().expect("text"))
}

async fn files_are_stored_served_and_deleted(world: &World) {
    let (_app, admin) = world.open("shop/pictures").await;
    let script = b"<script>alert(1)</script>";
    for (name, content, media_type) in [
        ("shirt.png", PNG, "image/png"),
        ("page.html", &script[..], ""),
        ("drawing.svg", b"<svg onload='alert(1)'/>", ""),
        // Whatever the name says.
        ("page.png", &script[..], ""),
        ("note", b"", ""),
    ] {
        let (key, url) = upload_one(&admin, name, content).await;
        assert_eq!(url, format!("{}/{BUCKET}/shop/pictures/{key}", world.server.s3));
        let shown = admin.get(&format!("/admin/uploads/{key}")).await.ok();
        assert_eq!(shown, json!({ "file": { "id": key, "url": url } }));
        let served = world.get(&url).await;
        assert_eq!(served.status(), StatusCode::OK, "{name}");
        assert_eq!(header(&served, header::CACHE_CONTROL), "public, max-age=31536000, immutable");
        let attachment = format!("attachment; filename=\"{key}\"");
        let (media_type, disposition) = match media_type {
            "" => ("binary/octet-stream", attachment.as_str()),
            it => (it, ""),
        };
        assert_eq!(header(&served, header::CONTENT_TYPE), media_type, "{name}");
        assert_eq!(header(&served, header::CONTENT_DISPOSITION), disposition, "{name}");
        assert_eq!(served.bytes().await.expect("a body"), content, "{name}");
        // Once more: as on the wire, a file that does not exist is deleted, too.
        for _ in 0..2 {
            admin.delete(&format!("/admin/uploads/{key}")).await.ok();
        }
        assert_eq!(world.get(&url).await.status(), StatusCode::NOT_FOUND, "{name}");
        let unknown = format!("404 not_found: File with id: {key} was not found");
        assert_eq!(admin.get(&format!("/admin/uploads/{key}")).await.error(), unknown);
    }
    assert_eq!(world.names("shop/pictures").await, [""; 0]);
}

async fn large_files_are_uploaded_in_parts(world: &World) {
    let (_app, admin) = world.open("large").await;
    for n_bytes in [5 * 1024 * 1024 - 1, 5 * 1024 * 1024, 12_000_000] {
        let content: Vec<u8> = PNG.iter().copied().chain((0..n_bytes).map(|n| n as u8)).collect();
        let (_, url) = upload_one(&admin, "photo.png", &content).await;
        let served = world.get(&url).await;
        assert_eq!(header(&served, header::CONTENT_TYPE), "image/png");
        assert!(served.bytes().await.expect("a body") == content, "{n_bytes}");
    }
    assert_eq!(world.names("large").await.len(), 3);
}

/// A body that breaks off.
struct Broken(std::vec::IntoIter<Bytes>);

impl Stream for Broken {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(self.0.next().ok_or_else(|| std::io::Error::other("it broke off"))))
    }
}

async fn failed_uploads_leave_nothing(world: &World) {
    let (_app, admin) = world.setup("").setting("s3.bucket", EMPTY).init().await.with_admin().await;
    let photo = vec![7; 7_000_000];
    let whole = form(&[("a.png", PNG), ("b.bin", &photo)]);
    // The first file is stored by then, and a part of the second one.
    let cut = &whole[..whole.len() - 500_000];
    let chunks: Vec<_> = cut.chunks(100_000).map(Bytes::copy_from_slice).collect();
    let error = upload(&admin, Body::from_stream(Broken(chunks.into_iter()))).await.error();
    assert!(error.starts_with("400 invalid_data: The upload is not a complete form"), "{error}");
    let too_large = form(&[("a.png", PNG), ("b.bin", &vec![7; 17_000_000])]);
    let error = upload(&admin, too_large).await.error();
    assert_eq!(error, "413 unknown_error: A file of the upload is too large");
    // Where the server keeps the parts of uploads that have not ended.
    let uploads = format!("/buckets/{EMPTY}/.uploads");
    assert!(world.names_in(EMPTY).await.iter().all(|it| *it == uploads));
    assert_eq!(world.names_in(&format!("{EMPTY}/.uploads")).await, [""; 0]);
}

/// Asks where a file is to be sent.
async fn presign(admin: &Client, name: &str, media_type: &str, size: usize) -> Answer {
    let body = json!({ "originalname": name, "mime_type": media_type, "size": size });
    admin.post("/admin/uploads/presigned-urls", body).await
}

async fn presigned_uploads_are_bound_to_type_size_and_key(world: &World) {
    let (app, admin) = world.open("direct").await;
    let answer = presign(&admin, "Shirt.PNG", "image/png", PNG.len()).await.ok();
    let (key, url) = (answer["filename"].as_str().expect("a key"), answer["url"].as_str().expect("a URL"));
    let expected = json!({
        "url": url, "filename": key, "originalname": "Shirt.PNG", "mime_type": "image/png",
        "extension": "png", "size": PNG.len(),
    });
    assert_eq!(answer, expected);
    assert!(url.contains("X-Amz-Expires=900") && !url.contains("secret"), "{url}");
    assert_eq!(admin.get(&format!("/admin/uploads/{key}")).await.status, 404);
    let html = b"<script>alert(1)</scr>";
    assert_eq!(world.put(url, "text/html", &html[..PNG.len()]).await, StatusCode::FORBIDDEN);
    assert_eq!(world.put(url, "image/png", &[PNG, PNG].concat()).await, StatusCode::FORBIDDEN);
    assert_eq!(world.put(&url.replace(".png", ".html"), "image/png", PNG).await, StatusCode::FORBIDDEN);
    assert_eq!(world.put(&url.replace("direct/", ""), "image/png", PNG).await, StatusCode::FORBIDDEN);
    assert_eq!(world.get(url).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(world.names("direct").await, [""; 0]);
    assert_eq!(world.put(url, "image/png", PNG).await, StatusCode::OK);
    let file = admin.get(&format!("/admin/uploads/{key}")).await.ok()["file"].clone();
    let served = world.get(file["url"].as_str().expect("a URL")).await;
    assert_eq!(header(&served, header::CONTENT_TYPE), "image/png");
    assert_eq!(served.bytes().await.expect("a body"), PNG);
    assert_eq!(presign(&app.client(), "a.png", "image/png", 1).await.status, 401);
}

async fn what_browsers_run_is_not_uploaded_directly(world: &World) {
    let (_app, admin) = world.open("run").await;
    for (name, media_type) in [
        ("page.html", "text/html"),
        ("drawing.svg", "image/svg+xml"),
        ("page.html", "image/png"),
        ("shirt.png", "text/html"),
        ("shirt.png", "image/png\r\nx-amz-acl: public-read-write"),
        ("data", ""),
    ] {
        let answer = presign(&admin, name, media_type, 10).await.ok();
        assert_eq!(answer["url"], json!("/admin/uploads"), "{name} {media_type}");
    }
    let error = presign(&admin, "a.png", "image/png", 17_000_000).await.error();
    assert_eq!(error, "413 unknown_error: The file is too large");
    let error = presign(&admin, &"a".repeat(256), "image/png", 1).await.error();
    assert_eq!(error, "400 invalid_data: A name has at most 255 characters");
    let private =
        json!({ "originalname": "a.png", "mime_type": "image/png", "size": 1, "access": "private" });
    let error = admin.post("/admin/uploads/presigned-urls", private).await.error();
    assert_eq!(error, "400 not_allowed: Files are public: there is no storage for private ones");
}

async fn wrong_keys_are_refused(world: &World) {
    let direct = format!("{}/{BUCKET}/wrong/a.png", world.server.s3);
    assert_eq!(world.put(&direct, "image/png", PNG).await, StatusCode::FORBIDDEN);
    let app = world.setup("wrong").setting("s3.secret_access_key", "another secret").init().await;
    let (_app, admin) = app.with_admin().await;
    let error = upload(&admin, form(&[("a.png", PNG)])).await.error();
    assert_eq!(error, "500 unknown_error (unknown_error): An unknown error occurred.");
    assert_eq!(admin.get("/admin/uploads/file_1.png").await.status, 500);
    assert_eq!(admin.delete("/admin/uploads/file_1.png").await.status, 500);
    assert_eq!(world.names("wrong").await, [""; 0]);
}

async fn service_that_does_not_answer_is_503(world: &World) {
    // A port that nobody listens at, since this test has just given it back.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let setup = world.setup("").setting("s3.endpoint", format!("http://{free}"));
    let (_app, admin) = setup.init().await.with_admin().await;
    let answer = upload(&admin, form(&[("a.png", PNG)])).await;
    assert_eq!(answer.headers["retry-after"], "10");
    assert_eq!(answer.error(), "503 unknown_error: The file storage does not answer; try again soon");
    assert_eq!(admin.get("/admin/uploads/file_1.png").await.status, 503);
}

async fn keys_lead_out_of_no_prefix(world: &World) {
    let (_app, outside) = world.open("").await;
    let (key, url) = upload_one(&outside, "secret.png", PNG).await;
    let (_app, admin) = world.open("inside").await;
    let (inside, _) = upload_one(&admin, "a.png", PNG).await;
    for path in [
        format!("..%2f{key}"),
        format!("%2e%2e%2f{key}"),
        format!("..%5c{key}"),
        format!("{inside}%2f..%2f..%2f{key}"),
        format!("{key}%00"),
        format!("{key}%3fversionId=1"),
        "..".into(),
        "%2e%2e".into(),
    ] {
        let shown = admin.get(&format!("/admin/uploads/{path}")).await;
        assert!(matches!(shown.status.as_u16(), 400 | 404), "{path}: {}", shown.status);
        admin.delete(&format!("/admin/uploads/{path}")).await;
    }
    assert_eq!(world.get(&url).await.status(), StatusCode::OK);
    assert_eq!(world.names("inside").await.len(), 1);
}
