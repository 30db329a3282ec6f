//! A damaged record over HTTP is a 500, and the log names it; wrong data is never served, and other records
//! still are.

use std::{
    fs,
    io::Write,
    path::Path,
    sync::{Arc, Mutex},
};

use atoll_host::{Data, registry};
use atoll_testkit::{Shop, TestApp};
use serde_json::json;
use tempfile::TempDir;

async fn open(folder: &Path) -> TestApp {
    let store = Data::Folder(folder.to_owned()).open(registry().expect("a registry")).expect("a store");
    TestApp::over(store, None).await
}

/// The log, in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().expect("a log"))).expect("text")
    }
}

/// Flips a bit in every copy of this text, and nowhere else.
fn damage(file: &Path, text: &str) {
    let mut bytes = fs::read(file).expect("the file");
    let text = text.as_bytes();
    let places: Vec<usize> =
        bytes.windows(text.len()).enumerate().filter(|(_, it)| *it == text).map(|(place, _)| place).collect();
    assert!(!places.is_empty(), "it is not there");
    places.into_iter().for_each(|place| bytes[place] ^= 1);
    fs::write(file, bytes).expect("a file");
}

#[tokio::test]
async fn a_damaged_record_is_a_500_that_the_log_explains_and_others_stay_served() {
    let folder = TempDir::new().expect("a folder");
    let shop = Shop::open(open(folder.path()).await).await;
    let web = shop.channel("Web").await;
    let (tea, cup) = (shop.product("tea", &[&web], 5).await, shop.product("cup", &[&web], 5).await);
    let key = shop.key(&[&web]).await;
    let told = json!({ "description": "Leaves from the hills of Sylhet" });
    shop.admin.post(&format!("/admin/products/{}", tea.product), told).await.ok();
    shop.app.ctx.store().close();
    drop(shop);
    damage(&folder.path().join("atoll.redb"), "Leaves from the hills of Sylhet");

    let app = open(folder.path()).await;
    app.is_damaged();
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing_subscriber::util::SubscriberInitExt::set_default(subscriber);
    let login = json!({ "email": "admin@test.dev", "password": "supersecret" });
    let token = app.client().post("/auth/user/emailpass", login).await.ok();
    let bearer = format!("Bearer {}", token["token"].as_str().expect("a token"));
    let admin = app.client().with_header("authorization", &bearer);
    let storefront = app.storefront(&key);
    let named = format!("corrupt record `{}` in `product`: its checksum is wrong", tea.product);
    log.take();
    for (client, path) in [
        (&admin, format!("/admin/products/{}", tea.product)),
        (&admin, "/admin/products".to_owned()),
        (&admin, format!("/admin/products/{}/variants/{}?fields=*product", tea.product, tea.id)),
        (&storefront, format!("/store/products/{}", tea.product)),
        (&storefront, "/store/products".to_owned()),
    ] {
        let answer = client.get(&path).await;
        assert_eq!(answer.status, 500, "{path}: {}", answer.json);
        assert_eq!(answer.json["code"], "unknown_error", "{path}");
        assert!(!answer.json.to_string().contains("eaves"), "{path}: {}", answer.json);
        let logged = log.take();
        assert!(logged.contains("ERROR") && logged.contains(&named), "{path}: {logged}");
    }
    // A write that reads it is aborted.
    let title = json!({ "title": "Tea" });
    assert_eq!(admin.post(&format!("/admin/products/{}", tea.product), title).await.status, 500);
    assert!(log.take().contains(&named));
    for (client, path) in [
        (&admin, format!("/admin/products/{}", cup.product)),
        (&storefront, format!("/store/products/{}", cup.product)),
        (&storefront, "/store/products?handle=cup".to_owned()),
    ] {
        let body = client.get(&path).await.ok();
        assert!(body.to_string().contains("cup"), "{path}: {body}");
    }
    let title = json!({ "title": "Mug" });
    admin.post(&format!("/admin/products/{}", cup.product), title).await.ok();
    assert_eq!(log.take(), "");
    let report = app.verify();
    let found: Vec<_> = report.findings.iter().map(|it| (it.kind, it.space, it.key.as_str())).collect();
    assert_eq!(found, [("value.corrupt", "product", tea.product.as_str())]);
}
