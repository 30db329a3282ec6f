//! Notifications: which events become e-mails, through the provider that the settings name.

use std::sync::{Mutex, PoisonError};

use atoll_background::Background;
use atoll_kernel::{Ctx, Fault, provider};
use atoll_providers::{EMAIL, Notification, NotificationProvider, Working};
use atoll_testkit::{Log, RECORDED, Setup, Shop, TestApp, complete, id};
use serde_json::json;

use crate::settled;

const SENDS: &str = "notification.send-mail";

/// What was sent, by any test. Each has addresses of its own.
static SENT: Mutex<Vec<Notification>> = Mutex::new(Vec::new());

/// Keeps what it sends. The first time it fails for addresses that begin with `busy`, and ever for those with
/// `lost`.
struct Outgoing;

provider! { dyn NotificationProvider: "test_mail" => Outgoing }

impl NotificationProvider for Outgoing {
    fn send(&self, _: Ctx, notification: Notification) -> Working<()> {
        let mut sent = SENT.lock().unwrap_or_else(PoisonError::into_inner);
        let (to, token) = (notification.to.clone(), notification.data["token"].to_string());
        let is_first = !sent.iter().any(|it| it.to == to);
        sent.push(notification);
        Box::pin(async move {
            match to.get(..4) {
                Some("gone") => Err(Fault::invalid(format!("no mailbox {to}, with {token}"))),
                Some("busy") if is_first => Err(Fault::invalid("try again")),
                _ => Ok(()),
            }
        })
    }
}

/// What was sent to an address, in the order in which it was.
fn sent(to: &str) -> Vec<Notification> {
    let sent = SENT.lock().unwrap_or_else(PoisonError::into_inner);
    sent.iter().filter(|it| it.to == to).cloned().collect()
}

/// A shop with this provider for e-mails, and its background tasks.
async fn open(provider: Option<&str>) -> (Shop, Background) {
    let shop = Shop::open(TestApp::with_email_provider(provider).await).await;
    let background = shop.app.background().await;
    (shop, background)
}

async fn invite(shop: &Shop, email: &str) -> String {
    let invited = shop.admin.post("/admin/invites", json!({ "email": email })).await.ok();
    invited["invite"]["token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn resets_invites_and_orders_are_sent_by_mail() {
    let (shop, background) = open(Some("test_mail")).await;
    let channel = shop.channel("Web").await;
    let storefront = shop.storefront(&[&channel]).await;
    let token = invite(&shop, "ann@mail.test").await;
    let reset = json!({ "identifier": "admin@test.dev" });
    let path = "/auth/user/emailpass/reset-password";
    assert_eq!(shop.app.client().post(path, reset).await.status, 201);
    let variant = shop.product("Shirt", &[&channel], 5).await;
    let cart = json!({ "email": "kim@mail.test", "items": [{ "variant_id": variant.id, "quantity": 2 }] });
    let cart = id(&storefront.post("/store/carts", cart).await.ok()["cart"]);
    let order = complete(&storefront, &cart).await.ok()["order"].clone();
    settled(&shop.app, &[SENDS]).await;
    background.stop().await;
    let [invited] = &sent("ann@mail.test")[..] else { panic!("one e-mail") };
    assert_eq!((invited.channel, &*invited.template), (EMAIL, "invite.created"));
    assert_eq!(invited.data["token"], json!(token));
    assert_eq!(invited.data.get("unsigned_token"), None);
    let [reset] = &sent("admin@test.dev")[..] else { panic!("one e-mail") };
    assert_eq!(reset.template, "auth.password_reset");
    let path =
        format!("/auth/user/emailpass/update?token={}", reset.data["token"].as_str().expect("a token"));
    shop.app.client().post(&path, json!({ "password": "new secret" })).await.ok();
    let [placed] = &sent("kim@mail.test")[..] else { panic!("one e-mail") };
    assert_eq!((&*placed.template, &placed.data["id"]), ("order.placed", &order["id"]));
    assert_eq!(placed.data["total"], order["total"]);
    assert_eq!(placed.data["order"]["items"][0]["quantity"], json!(2));
    assert!(placed.key != reset.key && placed.key != invited.key && reset.key != invited.key);
}

#[tokio::test]
async fn failed_mail_is_sent_again_with_the_same_key() {
    let (shop, background) = open(Some("test_mail")).await;
    invite(&shop, "busy@mail.test").await;
    let token = invite(&shop, "gone@mail.test").await;
    settled(&shop.app, &[SENDS]).await;
    background.stop().await;
    let [first, second] = &sent("busy@mail.test")[..] else { panic!("two tries") };
    assert_eq!((&first.key, &first.data), (&second.key, &second.data));
    let letters = shop.admin.get("/admin/dead-letters").await.ok();
    let [letter] = &letters["dead_letters"].as_array().expect("a list")[..] else { panic!("{letters}") };
    assert_eq!(letter["error"], json!("no mailbox gone@mail.test, with \"(token)\""));
    assert!(!letters.to_string().contains(token.rsplit_once('.').expect("a signature").1));
}

#[tokio::test]
async fn mails_are_recorded_per_application() {
    let shop = Shop::open(Setup::default().email_provider(RECORDED).init().await).await;
    let other = Setup::default().email_provider(RECORDED).init().await;
    let token = invite(&shop, "ann@mail.test").await;
    assert!(shop.app.mails().is_empty());
    shop.app.deliver(SENDS).await;
    let [mail] = &shop.app.mails()[..] else { panic!("one e-mail") };
    assert_eq!((&*mail.to, &*mail.template), ("ann@mail.test", "invite.created"));
    assert_eq!(mail.data["token"], json!(token));
    assert!(other.mails().is_empty());
}

#[tokio::test]
async fn without_a_provider_nothing_is_sent_and_nothing_fails() {
    let (shop, background) = open(None).await;
    invite(&shop, "nobody@mail.test").await;
    settled(&shop.app, &[SENDS]).await;
    background.stop().await;
    assert!(sent("nobody@mail.test").is_empty());
    assert_eq!(shop.admin.get("/admin/dead-letters").await.ok()["count"], json!(0));
}

#[tokio::test]
async fn mail_whose_token_has_expired_is_logged() {
    let (log, _guard) = Log::open();
    let shop = Shop::open(Setup::default().email_provider(RECORDED).init().await).await;
    invite(&shop, "ann@mail.test").await;
    shop.app.advance_ms(24 * 60 * 60 * 1000);
    shop.app.deliver(SENDS).await;
    assert!(shop.app.mails().is_empty());
    let text = log.take();
    assert!(text.contains("an e-mail is not sent: its token has expired event=\"invite.created\""), "{text}");
    assert!(!text.contains("mail.test"), "{text}");
}

#[tokio::test]
async fn log_names_neither_the_address_nor_the_token() {
    let (log, _guard) = Log::open();
    let app = TestApp::init().await;
    let provider = app.ctx.provider::<dyn NotificationProvider>("log").expect("it is linked in");
    let notification = Notification {
        to: "ann@mail.test".into(),
        channel: EMAIL,
        template: "invite.created".into(),
        data: json!({ "token": "supersecret" }),
        key: "4711".into(),
    };
    provider.send(app.ctx.clone(), notification).await.expect("it is logged");
    let text = log.take();
    assert!(text.contains("template=\"invite.created\" key=\"4711\""), "{text}");
    assert!(!text.contains("supersecret") && !text.contains("mail.test"), "{text}");
}
