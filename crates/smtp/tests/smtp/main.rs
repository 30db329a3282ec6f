//! The notification provider `smtp` against a mail server of the tests: what is sent, TLS, and
//! refusals.

mod folder;
mod sink;
mod variables;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use atoll_background::Background;
use atoll_host::{Known, Settings, Sources, Wrong, registry};
use atoll_kernel::registry::linked_settings;
use atoll_restock as _;
use atoll_smtp as _;
use atoll_testkit::{PACE, Setup, Shop, TestApp, complete, id};
use serde_json::{Value, json};
use sink::Sink;

/// The certificate of the mail server, which nobody has signed.
const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/smtp/certificate.pem");

fn setup(port: u16, tls: &str) -> Setup {
    Setup::default()
        .email_provider("smtp")
        .setting("smtp.host", "127.0.0.1")
        .setting("smtp.port", port)
        .setting("smtp.tls", tls)
        .setting("smtp.from", "Shop <orders@shop.test>")
        .setting("smtp.timeout_s", 1)
}

async fn invite(app: &Shop, email: &str) -> String {
    let invited = app.admin.post("/admin/invites", json!({ "email": email })).await.ok();
    invited["invite"]["token"].as_str().expect("a token").to_owned()
}

/// Delivers all events, with retries, until there is this number of dead letters, and returns these.
async fn dead_letters(shop: &Shop, background: Background, n: usize) -> Vec<Value> {
    let all = async || shop.admin.get("/admin/dead-letters").await.ok()["dead_letters"].clone();
    shop.app
        .until(async || {
            shop.app.advance_ms(PACE.longest.as_millis() as i64);
            all().await.as_array().is_some_and(|it| it.len() >= n)
        })
        .await;
    background.stop().await;
    all().await.as_array().cloned().expect("a list")
}

#[tokio::test]
async fn mails_are_handed_to_the_server_over_verified_tls() {
    for tls in ["starttls", "tls"] {
        let (sink, port) = Sink::start(tls).await;
        let setup = setup(port, tls).setting("smtp.ca_file", CERTIFICATE);
        let setup = setup.setting("smtp.user", "shop").setting("smtp.password", "hunter2");
        let shop = Shop::open(setup.init().await).await;
        let token = invite(&shop, "ann@mail.test").await;
        shop.app.deliver("notification.send-mail").await;
        assert_eq!(sink.lines("MAIL"), ["MAIL FROM:<orders@shop.test>"]);
        assert_eq!(sink.lines("RCPT"), ["RCPT TO:<ann@mail.test>"]);
        assert_eq!(sink.lines("From:"), ["From: Shop <orders@shop.test>"]);
        assert_eq!(sink.lines("Subject:"), ["Subject: You are invited"]);
        assert_eq!(sink.lines("AUTH"), ["AUTH PLAIN AHNob3AAaHVudGVyMg=="]);
        let unfolded = sink.lines("").join("").replace("==", "=").replace("=3D", "=");
        assert!(unfolded.replace('=', "").contains(&token.replace('=', "")), "{unfolded}");
        // Sent again, it is the same e-mail.
        shop.app.deliver("notification.send-mail").await;
        let [first, second] = &sink.lines("Message-ID:")[..] else { panic!("two e-mails") };
        assert!(first == second && first.ends_with("@shop.test>"), "{first} {second}");
    }
}

#[tokio::test]
async fn servers_that_cannot_be_verified_get_nothing() {
    for (server, client) in [("starttls", "starttls"), ("tls", "tls"), ("never", "starttls")] {
        let (sink, port) = Sink::start(server).await;
        let setup = setup(port, client).setting("smtp.user", "shop").setting("smtp.password", "hunter2");
        let shop = Shop::open(setup.init().await).await;
        let background = shop.app.background().await;
        let token = invite(&shop, "ann@mail.test").await;
        let [letter] = &dead_letters(&shop, background, 1).await[..] else { panic!("one dead letter") };
        let error = letter["error"].as_str().expect("a text");
        assert!(error.starts_with("The mail server was not reached: "), "{error}");
        assert!(!error.contains(&token) && !error.contains("hunter2"), "{error}");
        for line in ["AUTH", "MAIL", "RCPT", "DATA"] {
            assert_eq!(sink.lines(line), [""; 0], "{server}");
        }
    }
}

#[tokio::test]
async fn refusals_are_retried_and_become_dead_letters() {
    let (sink, port) = Sink::start("never").await;
    let shop = Shop::open(setup(port, "none").init().await).await;
    let background = shop.app.background().await;
    for email in ["busy@mail.test", "gone@mail.test", "slow@mail.test"] {
        invite(&shop, email).await;
    }
    let letters = dead_letters(&shop, background, 2).await;
    let mut errors: Vec<&str> = letters.iter().filter_map(|it| it["error"].as_str()).collect();
    errors.sort_unstable_by_key(|it| it.starts_with("The mail server did not"));
    assert!(errors[0].starts_with("The mail server refuses the e-mail for good: "), "{errors:?}");
    assert!(errors[0].contains("no such mailbox"), "{errors:?}");
    assert_eq!(errors[1], "The mail server did not take the e-mail in 1 s");
    let attempts = |address: &str| sink.lines(&format!("RCPT TO:<{address}")).len() as u32;
    assert_eq!(["busy", "gone", "slow"].map(attempts), [2, 1, PACE.n_failures_max]);
    assert_eq!(sink.lines("Message-ID:").len(), 1);
}

/// One mistyped address would delay the password resets of everybody until they have expired.
#[tokio::test]
async fn mail_that_cannot_be_sent_holds_up_no_other() {
    let (sink, port) = Sink::start("never").await;
    let shop = Shop::open(setup(port, "none").init().await).await;
    let background = shop.app.background().await;
    for email in ["a,b@mail.test", "gone@mail.test", "ann@mail.test"] {
        invite(&shop, email).await;
    }
    // The clock stands still, so that nothing is tried a second time.
    shop.app.until(async || !sink.lines("Message-ID:").is_empty()).await;
    background.stop().await;
    assert_eq!(sink.lines("RCPT"), ["RCPT TO:<gone@mail.test>", "RCPT TO:<ann@mail.test>"]);
    assert_eq!(shop.admin.get("/admin/dead-letters").await.ok()["count"], 2);
}

#[tokio::test]
async fn confirmations_of_orders_are_filled_from_templates() {
    let (sink, port) = Sink::start("never").await;
    let folder = tempfile::tempdir().expect("a folder");
    let html = "<b>{{ order.email }}</b> {% for it in order['items'] %}{{ it.title }}{% endfor %}";
    std::fs::write(folder.path().join("order.placed.html"), html).expect("a file");
    let setup = setup(port, "none").setting("smtp.templates", folder.path().display());
    let shop = Shop::open(setup.init().await).await;
    let channel = shop.channel("Web").await;
    let storefront = shop.storefront(&[&channel]).await;
    let variant = shop.product("Shirt <b>", &[&channel], 5).await;
    let cart = json!({ "email": "kim@mail.test", "items": [{ "variant_id": variant.id, "quantity": 2 }] });
    let cart = id(&storefront.post("/store/carts", cart).await.ok()["cart"]);
    let order = complete(&storefront, &cart).await.ok()["order"].clone();
    shop.app.deliver("notification.send-mail").await;
    assert_eq!(sink.lines("Subject:"), [format!("Subject: Your order {}", order["display_id"])]);
    let sent = sink.lines("").join("\n");
    assert!(sent.contains("2 x Shirt <b>"), "{sent}");
    assert!(sent.contains("<b>kim@mail.test</b> Shirt &lt;b&gt;"), "{sent}");
}

#[tokio::test]
async fn what_cannot_be_sent_reaches_no_server() {
    let (sink, port) = Sink::start("never").await;
    let app: TestApp = setup(port, "none").init().await;
    let provider = app.ctx.provider::<dyn atoll_providers::NotificationProvider>("smtp").expect("smtp");
    for (to, template, expected) in [
        ("ann@mail.test>\r\nRCPT TO:<eve@mail.test", "invite.created", "is no e-mail address"),
        ("nobody", "invite.created", "is no e-mail address"),
        ("ann@mail.test", "stamp.licked", "there is no template `stamp.licked.txt`"),
    ] {
        let notification = atoll_providers::Notification {
            to: to.into(),
            channel: atoll_providers::EMAIL,
            template: template.into(),
            data: json!({}),
            key: "1".into(),
        };
        let error = provider.send(app.ctx.clone(), notification).await.expect_err("it cannot be sent");
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert_eq!(sink.lines(""), [""; 0]);
}

/// The settings of a file, with a password in the environment.
fn load(file: &Path, env: &[(&str, &str)]) -> Result<Settings, Wrong> {
    let read = |name: &str| env.iter().find(|it| it.0 == name).map(|it| it.1.into());
    let linked = linked_settings();
    let file = Some(file.to_owned());
    let sources = Sources { file, env: &read, line: BTreeMap::new(), set: Vec::new(), linked };
    Settings::load(sources, &BTreeSet::new(), |_| Ok(Known::of(registry().expect("a registry"))))
}

#[test]
fn settings_of_the_documentation_are_valid_and_wrong_ones_are_named() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/smtp.toml");
    let password = ("ATOLL_SMTP_PASSWORD", "hunter2");
    let settings = load(&file, &[password]).unwrap_or_else(|wrong| panic!("{wrong}"));
    let shown = settings.shown.join("\n") + &format!("{settings:?}");
    assert!(shown.contains("smtp.password = (secret) (ATOLL_SMTP_PASSWORD)") && !shown.contains("hunter2"));
    let Err(Wrong(wrong)) = load(&file, &[]) else { panic!("it is wrong") };
    assert_eq!(wrong, ["smtp.user needs smtp.password"]);
    let Err(Wrong(wrong)) = load(&file, &[password, ("ATOLL_SMTP_TLS", "none")]) else {
        panic!("it is wrong")
    };
    assert_eq!(wrong, ["smtp.password is sent over TLS only: set smtp.tls to `starttls` or `tls`"]);
    let env = [
        password,
        ("ATOLL_SMTP_TLS", "ssl"),
        ("ATOLL_SMTP_FROM", "shop"),
        ("ATOLL_SMTP_HOST", "mail example"),
        ("ATOLL_SMTP_CA_FILE", "Cargo.toml"),
        ("ATOLL_SMTP_TEMPLATES", "nowhere"),
        ("ATOLL_SMTP_TIMEOUT_S", "0"),
        ("ATOLL_SMTP_STOREFRONT_URL", "shop.test"),
        ("ATOLL_SMTP_CHANNELS", r#"{"Web shop":{"sender":"a@shop.test"}}"#),
    ];
    let Err(Wrong(wrong)) = load(&file, &env) else { panic!("it is wrong") };
    assert_eq!(wrong.len(), 8, "{wrong:?}");
    assert!(
        wrong[7].contains("sender of `Web shop`: a channel has `from` and `storefront_url`"),
        "{wrong:?}"
    );
    let both = [password, ("ATOLL_SMTP_FOLDER", "mails")];
    let Err(Wrong(wrong)) = load(&file, &both) else { panic!("it is wrong") };
    assert_eq!(wrong, ["smtp.host and smtp.folder are both set: e-mails are sent, or written"]);
}
