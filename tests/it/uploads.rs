//! Uploaded files: multipart forms, limits, the local storage, and how its files are served.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use atoll_kernel::{
    Fault,
    http::Bytes,
    limits::{FILES_PER_UPLOAD_MAX, UPLOAD_BYTES_MAX, UPLOAD_HEAD_BYTES_MAX, UPLOADS_IN_FLIGHT_BYTES_MAX},
};
use atoll_providers::{Content, FileStorage};
use atoll_testkit::{Answer, Client, TestApp, id};
use axum::body::Body;
use futures_core::Stream;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\r\n--X\r\n--XY";

/// A form of parts, each with the rest of its `Content-Disposition`, and its content.
fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut form = Vec::new();
    for (head, content) in parts {
        form.extend(b"--XYZ\r\nContent-Disposition: form-data; ");
        form.extend(head.as_bytes());
        form.extend(b"\r\nContent-Type: text/html\r\n\r\n");
        form.extend(*content);
        form.extend(b"\r\n");
    }
    form.extend(b"--XYZ--\r\n");
    form
}

fn file(name: &str) -> String {
    format!("name=\"files\"; filename=\"{name}\"")
}

async fn upload(admin: &Client, body: Body) -> Answer {
    let client =
        admin.clone().without_type().with_header("content-type", "multipart/form-data; boundary=XYZ");
    client.send("POST", "/admin/uploads", body).await
}

/// Uploads one file, and returns its id.
async fn upload_one(admin: &Client, name: &str, content: &[u8]) -> String {
    let answer = upload(admin, form(&[(&file(name), content)]).into()).await.ok();
    id(&answer["files"][0])
}

/// The names of what is in the folder of files, and in that of arriving ones.
fn stored(app: &TestApp) -> Vec<String> {
    let folder = &app.ctx.config().files.folder;
    let names = |folder| std::fs::read_dir(folder).into_iter().flatten();
    let all = names(folder.clone()).chain(names(folder.join(".arriving")));
    let all = all.map(|it| it.expect("a file").file_name().into_string().expect("text"));
    all.filter(|it| it != ".arriving").collect()
}

/// A body of these chunks. `ends`: or else it stays open.
struct Chunks {
    chunks: std::vec::IntoIter<Bytes>,
    ends: bool,
}

impl Stream for Chunks {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.chunks.next() {
            None if !self.ends => Poll::Pending,
            it => Poll::Ready(it.map(Ok)),
        }
    }
}

fn in_chunks(body: &[u8], n_bytes: usize) -> Body {
    let chunks: Vec<_> = body.chunks(n_bytes).map(Bytes::copy_from_slice).collect();
    Body::from_stream(Chunks { chunks: chunks.into_iter(), ends: true })
}

#[tokio::test]
async fn uploaded_files_are_served_as_images_or_to_be_downloaded() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let large = vec![b'\r'; 3_000_000];
    for (name, content, media_type) in [
        ("shirt.PNG", PNG, Some("image/png")),
        ("shirt.jpg", PNG, None),
        ("page.html", b"<script>", None),
        ("shirt.svg", b"<svg onload='alert(1)'>", None),
        ("fake.png", b"<html>", None),
        ("../../shirt", b"", None),
        ("large.csv", &large, None),
    ] {
        let answer = upload(&admin, form(&[(&file(name), content)]).into()).await.ok();
        let (key, url) = (id(&answer["files"][0]), answer["files"][0]["url"].as_str().expect("a URL"));
        assert_eq!(url, format!("https://atoll.test/static/{key}"), "{name}");
        assert_eq!(admin.get(&format!("/admin/uploads/{key}")).await.ok()["file"], answer["files"][0]);
        let served = app.client().get(&format!("/static/{key}?v=2")).await;
        assert!(served.status == 200 && served.body == content, "{name}");
        let header = |name: &str| served.headers.get(name).map(|it| it.to_str().expect("text"));
        assert_eq!(header("content-type"), Some(media_type.unwrap_or("application/octet-stream")), "{name}");
        let download = media_type.is_none().then(|| format!("attachment; filename=\"{key}\""));
        assert_eq!(header("content-disposition"), download.as_deref(), "{name}");
        assert_eq!(header("x-content-type-options"), Some("nosniff"));
        assert_eq!(header("content-security-policy"), Some("default-src 'none'; sandbox"));
        assert_eq!(header("cache-control"), Some("public, max-age=31536000, immutable"));
    }
}

#[tokio::test]
async fn local_files_are_uploaded_through_this_server_only() {
    let (app, admin) = TestApp::with_files_of(1000).await.with_admin().await;
    let path = "/admin/uploads/presigned-urls";
    let of = |name: &str, size: f64| serde_json::json!({ "originalname": name, "mime_type": "text/csv", "size": size });
    let answer = admin.post(path, of("Products.CSV", 1000.0)).await.ok();
    assert_eq!((&answer["url"], &answer["extension"]), (&"/admin/uploads".into(), &"csv".into()));
    for (body, expected) in [
        (of("a.csv", 1001.0), "413 unknown_error: The file is too large"),
        (of("a.csv", -1.0), "400 invalid_data: Invalid request: Value for field 'size' too small"),
        (of("a.csv", 1.5), "400 invalid_data: A size is a whole number of bytes"),
        (serde_json::json!({}), "400 invalid_data: Invalid request: Field 'originalname' is required"),
    ] {
        let error = admin.post(path, body).await.error();
        assert!(error.starts_with(expected), "{error}, not {expected}");
    }
    assert_eq!(app.client().post(path, of("a.csv", 1.0)).await.status, 401);
    // Another method than that of the route is a file of this name.
    assert_eq!(admin.get(path).await.status, 404);
    assert_eq!(stored(&app), [""; 0]);
}

#[tokio::test]
async fn deleted_files_are_not_served() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let (kept, deleted) = (upload_one(&admin, "a.png", PNG).await, upload_one(&admin, "b.png", PNG).await);
    let path = format!("/admin/uploads/{deleted}");
    // As on the wire, a file that does not exist is deleted, too.
    for _ in 0..2 {
        let answer = admin.delete(&path).await.ok();
        assert_eq!(answer, serde_json::json!({ "id": deleted, "object": "file", "deleted": true }));
    }
    let unknown = format!("404 not_found: File with id: {deleted} was not found");
    assert_eq!(admin.get(&path).await.error(), unknown);
    assert_eq!(app.client().get(&format!("/static/{deleted}")).await.error(), unknown);
    assert_eq!(stored(&app), [kept]);
}

#[tokio::test]
async fn forms_may_arrive_in_chunks_of_any_size() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let text = b"--XYZ\r\n--XY, and no boundary";
    let form = form(&[("name=\"note\"", b"text"), (&file("a.png"), PNG), (&file("b.txt"), &text[..])]);
    for n_bytes in [1, 2, 7, 64, 10_000] {
        let answer = upload(&admin, in_chunks(&form, n_bytes)).await.ok();
        for (n, content) in [PNG, text].into_iter().enumerate() {
            let served = app.client().get(&format!("/static/{}", id(&answer["files"][n]))).await;
            assert_eq!(served.body, content, "{n_bytes}");
        }
    }
}

#[tokio::test]
async fn refused_uploads_leave_nothing() {
    let app = TestApp::with_files_of(1000).await;
    let (app, admin) = app.with_admin().await;
    let (a, head) = (file("a.png"), file(&"a".repeat(2 * UPLOAD_HEAD_BYTES_MAX)));
    let many = vec![(&*a, PNG); FILES_PER_UPLOAD_MAX + 1];
    let whole = form(&[(&a, PNG), (&a, &[0; 1000])]);
    assert_eq!(upload(&admin, whole.clone().into()).await.status, 200);
    for key in stored(&app) {
        admin.delete(&format!("/admin/uploads/{key}")).await.ok();
    }
    let of_form = "400 invalid_data: The upload is not a complete form: ";
    for (body, expected) in [
        (form(&[]), "400 invalid_data: No files were uploaded"),
        (form(&[("name=\"files\"", b"text")]), "400 invalid_data: No files were uploaded"),
        (
            form(&[(&a, PNG), ("name=\"image\"; filename=\"b.png\"", PNG)]),
            "400 invalid_data: Unexpected field `image`: files are sent as `files`",
        ),
        (form(&[(&a, PNG), (&a, &[0; 1001])]), "413 unknown_error: A file of the upload is too large"),
        (form(&many), "400 invalid_data: An upload has at most 20 files"),
        (whole[..whole.len() - 20].to_vec(), of_form),
        (whole[..10].to_vec(), of_form),
        (Vec::new(), of_form),
        (vec![b'-'; 100_000], of_form),
        (form(&[(&a, PNG), (&head, PNG)]), of_form),
    ] {
        for n_bytes in [7, 1000] {
            let error = upload(&admin, in_chunks(&body, n_bytes)).await.error();
            assert!(error.starts_with(expected), "{error}, not {expected}");
            assert_eq!(stored(&app), [""; 0], "{error}");
        }
    }
    let json = admin.post("/admin/uploads", serde_json::json!({ "files": [] })).await.error();
    assert!(json.starts_with("400 invalid_data: The body must be `multipart/form-data`"), "{json}");
    assert_eq!(upload(&app.client(), whole.into()).await.status, 401);
    assert_eq!(stored(&app), [""; 0]);
}

#[tokio::test]
async fn uploads_in_flight_have_a_budget() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let begun: Vec<_> = (0..UPLOADS_IN_FLIGHT_BYTES_MAX / UPLOAD_BYTES_MAX)
        .map(|_| {
            let admin = admin.clone();
            let open = Body::from_stream(Chunks { chunks: Vec::new().into_iter(), ends: false });
            tokio::spawn(async move { upload(&admin, open).await })
        })
        .collect();
    // They run on this thread, and wait for the rest of their bodies by then.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let one = || Body::from(form(&[(&file("a.png"), PNG)]));
    let small = admin.clone().with_header("content-length", "1");
    let refused = upload(&small, one()).await;
    assert_eq!(refused.headers["retry-after"], "10");
    assert_eq!(refused.error(), "503 unknown_error: Too many files are being uploaded; try again soon");
    assert_eq!(stored(&app), [""; 0]);
    for it in begun {
        it.abort();
    }
}

/// Content that calls a function before each chunk, of which the last one may be an error.
struct Watched<F>(Vec<Result<Bytes, Fault>>, F);

impl<F: FnMut() + Send> Content for Watched<F> {
    fn chunk(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, Fault>> + Send + '_>> {
        (self.1)();
        let next = if self.0.is_empty() { Ok(None) } else { self.0.remove(0).map(Some) };
        Box::pin(async move { next })
    }
}

#[tokio::test]
async fn file_is_there_when_it_is_whole() {
    let app = TestApp::init().await;
    let local = app.ctx.provider::<dyn FileStorage>("local").expect("it is linked in");
    // What a process that was killed has left.
    let folder = app.ctx.config().files.folder.clone();
    std::fs::create_dir_all(folder.join(".arriving")).expect("a folder");
    std::fs::write(folder.join(".arriving").join("left"), b"half").expect("a file");
    let path = folder.join("whole.txt");
    let chunks = || vec![Ok(Bytes::from_static(b"half, ")), Ok(Bytes::from_static(b"whole"))];
    let put = |key: &str, chunks, watch: Box<dyn FnMut() + Send>| {
        local.put(app.ctx.clone(), key.to_owned(), Box::new(Watched(chunks, watch)))
    };
    let absent = path.clone();
    put("whole.txt", chunks(), Box::new(move || assert!(!absent.exists()))).await.expect("it is stored");
    assert_eq!(std::fs::read(&path).expect("a file"), b"half, whole");
    assert_eq!(stored(&app), ["whole.txt"]);
    let broken = vec![Ok(Bytes::from_static(b"half")), Err(Fault::invalid("it broke off"))];
    let error = put("broken.txt", broken, Box::new(|| ())).await.expect_err("it is not whole");
    assert_eq!(error.to_string(), "it broke off");
    // A key is used once.
    put("whole.txt", vec![Ok(Bytes::from_static(b"other"))], Box::new(|| ())).await.expect_err("it is taken");
    put("../out.txt", chunks(), Box::new(|| ())).await.expect_err("it is no key");
    assert_eq!(stored(&app), ["whole.txt"]);
    assert_eq!(std::fs::read(&path).expect("a file"), b"half, whole");
}

#[tokio::test]
async fn paths_lead_to_no_other_files() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    upload_one(&admin, "a.png", PNG).await;
    let folder = &app.ctx.config().files.folder;
    let outside = folder.parent().expect("a folder");
    std::fs::write(outside.join("secret"), b"secret").expect("a file");
    std::fs::write(folder.join(".hidden"), b"secret").expect("a file");
    std::fs::create_dir(folder.join("folder")).expect("a folder");
    std::fs::write(folder.join("folder/secret"), b"secret").expect("a file");
    for path in [
        "../secret", "..%2fsecret", "%2e%2e%2fsecret", "..%5csecret", ".hidden", "%2ehidden", ".arriving",
        "folder", "folder/secret", "folder%2fsecret", ".", "..", "%00", "a.png%00", "file_%C3%A4",
    ] {
        let answer = app.client().get(&format!("/static/{path}")).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{path}: {}", answer.status);
        if !path.contains('/') {
            admin.delete(&format!("/admin/uploads/{path}")).await;
        }
    }
    assert!(outside.join("secret").exists() && folder.join(".hidden").exists());
    assert!(folder.join("folder/secret").exists());
}
