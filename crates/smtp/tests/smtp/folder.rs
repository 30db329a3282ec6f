//! A folder instead of a mail server: what e-mails say, in whose name, and with which template.

use std::{fs, path::Path};

use atoll_testkit::{Setup, Shop, complete, id};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::invite;

pub(crate) const SENDS: [&str; 3] =
    ["notification.send-mail", "notification.mail-shipment", "restock.send-mail"];

/// A shop whose e-mails become files, and these.
struct Scene {
    shop: Shop,
    mails: TempDir,
}

impl Scene {
    async fn open(setup: impl FnOnce(Setup) -> Setup) -> Scene {
        let mails = tempfile::tempdir().expect("a folder");
        let from = Setup::default().email_provider("smtp").setting("smtp.from", "Shop <orders@shop.test>");
        let setup = setup(from.setting("smtp.folder", mails.path().join("new").display()));
        Scene { shop: Shop::open(setup.init().await).await, mails }
    }

    /// The e-mail of this template.
    async fn mail(&self, template: &str) -> String {
        for subscriber in SENDS {
            self.shop.app.deliver(subscriber).await;
        }
        let files = fs::read_dir(self.mails.path().join("new")).expect("a folder");
        let mut files: Vec<_> = files.map(|it| it.expect("a file").path()).collect();
        files.retain(|it| it.file_name().is_some_and(|it| it.to_string_lossy().starts_with(template)));
        let [file] = &files[..] else { panic!("{} e-mails of {template}", files.len()) };
        assert_eq!(file.extension().and_then(|it| it.to_str()), Some("eml"));
        // It may hold a token.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(file).expect("a file").permissions().mode() & 0o777, 0o600);
        }
        // Without the line breaks of the transfer encoding.
        fs::read_to_string(file).expect("a text").replace("=\r\n", "").replace("=3D", "=")
    }
}

/// Sells two teas in a channel, and hands one over to a carrier, with these fields of the shipment.
pub(crate) async fn ship(shop: &Shop, channel: &str, shipment: Value) -> Value {
    let storefront = shop.storefront(&[channel]).await;
    let tea = shop.product("Tea", &[channel], 9).await;
    let shipping = shop.shipping(&["de"]).await;
    let cart = shop.cart(&storefront, &tea.id, 2).await;
    let path = format!("/store/carts/{cart}");
    let address = json!({ "first_name": "Ada", "city": "Berlin", "country_code": "de" });
    storefront.post(&path, json!({ "email": "kim@mail.test", "shipping_address": address })).await.ok();
    let chosen = json!({ "option_id": shipping.option });
    storefront.post(&format!("{path}/shipping-methods"), chosen).await.ok();
    let order = complete(&storefront, &cart).await.ok()["order"].clone();
    let path = format!("/admin/orders/{}", id(&order));
    let item = json!([{ "id": order["items"][0]["id"], "quantity": 1 }]);
    shop.admin.post(&format!("{path}/fulfillments"), json!({ "items": item })).await.ok();
    let shown = shop.admin.get(&format!("{path}?fields=*fulfillments")).await.ok();
    let parcel = id(&shown["order"]["fulfillments"][0]);
    let mut body = json!({ "items": item });
    body.as_object_mut().expect("a body").extend(shipment.as_object().cloned().unwrap_or_default());
    shop.admin.post(&format!("{path}/fulfillments/{parcel}/shipments"), body).await.ok();
    order
}

pub(crate) fn label() -> Value {
    let label = json!({
        "tracking_number": "T1", "tracking_url": "https://t.dev/T1", "label_url": "https://t.dev/T1.pdf",
    });
    json!({ "labels": [label] })
}

/// Has somebody wait for a sold-out tea of a channel, and stocks it again.
pub(crate) async fn restock(shop: &Shop, channel: &str) {
    let storefront = shop.storefront(&[channel]).await;
    let tea = shop.product("Green tea", &[channel], 0).await;
    let body = json!({ "variant_id": tea.id, "email": "ada@mail.test" });
    storefront.post("/store/restock-subscriptions", body).await.ok();
    shop.stock(&tea.item, &shop.location, 5).await;
    shop.app.deliver("restock.check-changes").await;
}

#[tokio::test]
async fn buyers_are_told_of_parcels_with_their_tracking_numbers() {
    let scene = Scene::open(|it| it).await;
    let channel = scene.shop.channel("Web").await;
    let order = ship(&scene.shop, &channel, label()).await;
    let mail = scene.mail("shipment.created").await;
    for part in [
        &format!("Subject: Your order {} is on its way", order["display_id"]),
        "To: kim@mail.test",
        "1 x Tea",
        "Tracking number T1",
        "https://t.dev/T1",
    ] {
        assert!(mail.contains(part), "{part} in {mail}");
    }
    assert!(!mail.contains("T1.pdf"), "{mail}");
}

#[tokio::test]
async fn parcels_with_no_notification_are_not_told() {
    let scene = Scene::open(|it| it).await;
    let channel = scene.shop.channel("Web").await;
    ship(&scene.shop, &channel, json!({ "no_notification": true })).await;
    scene.mail("order.placed").await;
    let files = fs::read_dir(scene.mails.path().join("new")).expect("a folder");
    assert_eq!(files.count(), 1);
}

#[tokio::test]
async fn shoppers_are_told_what_is_available_again_once() {
    let scene = Scene::open(|it| it.setting("smtp.storefront_url", "https://shop.test/")).await;
    let channel = scene.shop.channel("Web").await;
    restock(&scene.shop, &channel).await;
    let mail = scene.mail("restock.available").await;
    for part in ["Subject: Green tea is available again", "To: ada@mail.test", "at Shop."] {
        assert!(mail.contains(part), "{part} in {mail}");
    }
    assert!(mail.contains("https://shop.test/products/green-tea"), "{mail}");
    // The same file again.
    assert_eq!(scene.mail("restock.available").await.lines().count(), mail.lines().count());
}

#[tokio::test]
async fn invites_lead_to_the_page_that_accepts_them() {
    let scene = Scene::open(|it| it.public_url("https://admin.test")).await;
    let token = invite(&scene.shop, "ann@mail.test").await;
    let mail = scene.mail("invite.created").await;
    let path = format!("/app/invite?token={token}");
    assert!(mail.contains(&format!("https://admin.test{path}")), "{mail}");
    let page = scene.shop.app.client().get(&path).await;
    assert_eq!(page.status, 200);
}

#[tokio::test]
async fn password_resets_of_admins_lead_to_the_page_that_sets_one() {
    let scene = Scene::open(|it| it.public_url("https://admin.test")).await;
    let asked = json!({ "identifier": "admin@test.dev" });
    let answer = scene.shop.app.client().post("/auth/user/emailpass/reset-password", asked).await;
    assert_eq!(answer.status, 201);
    let mail = scene.mail("auth.password_reset").await;
    let token = scene.shop.app.mailed_tokens("auth.password_reset").swap_remove(0);
    let path = format!("/app/reset-password?token={token}");
    assert!(mail.contains(&format!("https://admin.test{path}")), "{mail}");
    assert_eq!(scene.shop.app.client().get(&path).await.status, 200);
}

#[tokio::test]
async fn channels_have_their_own_sender_storefront_and_templates() {
    let templates = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let file = templates.path().join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    };
    let text = "{{ shop.name }} of {{ sales_channel.name }}\n\n{{ shop.url }}";
    write("notification.test.txt", &format!("all: {text}"));
    write("Web shop/notification.test.txt", &format!("web: {text}"));
    let channels = json!({
        "Web shop": { "from": "Web <web@shop.test>", "storefront_url": "https://web.test" },
        "Outlet": { "from": "Outlet <outlet@shop.test>" },
    });
    let folder = |it: &Path| it.display().to_string();
    let scene = Scene::open(|it| {
        it.setting("smtp.templates", folder(templates.path()))
            .setting("smtp.channels", channels)
            .setting("smtp.storefront_url", "https://shop.test")
    })
    .await;
    let sent = async |channel: Option<&str>| {
        let body = match channel {
            Some(name) => {
                json!({ "email": "me@mail.test", "sales_channel_id": scene.shop.channel(name).await })
            }
            None => json!({ "email": "me@mail.test" }),
        };
        let answer = scene.shop.admin.post("/admin/notifications/test", body).await.ok();
        assert_eq!(answer, json!({ "email": "me@mail.test", "provider_id": "smtp" }));
        let mail = scene.mail("notification.test").await;
        fs::remove_dir_all(scene.mails.path().join("new")).expect("a folder");
        let line = |it: &str| mail.lines().find(|line| line.starts_with(it)).map(str::to_owned);
        let last = mail.trim().lines().last().map(str::to_owned);
        [line("From"), line("Subject"), last].map(Option::unwrap_or_default).join(", ")
    };
    let none = "From: Shop <orders@shop.test>, Subject: all: Shop of, https://shop.test";
    assert_eq!(sent(None).await.replace("Shop of ,", "Shop of,"), none);
    let web = "From: Web <web@shop.test>, Subject: web: Web of Web shop, https://web.test";
    assert_eq!(sent(Some("Web shop")).await, web);
    let outlet = "From: Outlet <outlet@shop.test>, Subject: all: Outlet of Outlet, https://shop.test";
    assert_eq!(sent(Some("Outlet")).await, outlet);
}

#[tokio::test]
async fn tests_say_what_the_provider_says() {
    let scene = Scene::open(|it| it).await;
    let test = async |shop: &Shop, email: &str| {
        shop.admin.post("/admin/notifications/test", json!({ "email": email })).await.error()
    };
    assert_eq!(test(&scene.shop, "nobody").await, "400 invalid_data: `nobody` is no e-mail address");
    let shop = Shop::open(Setup::default().init().await).await;
    let error = test(&shop, "me@mail.test").await;
    assert_eq!(error, "400 not_allowed: The setting `email_provider` names no provider");
}
