//! What people see: the pages, and the receiver of the documentation.

use std::{io::ErrorKind, process::Command};

use atoll_metrics::Metrics;
use atoll_testkit::Walk;
use serde_json::json;

use crate::{Bench, groups, receiver::Answer, url};

#[tokio::test]
async fn pages_show_webhooks_and_what_became_of_their_deliveries() {
    let bench = Bench::new().await;
    bench.receiver().answers("erp", Answer::Status(500));
    let script = "<script>alert(1)</script>";
    let body = json!({ "events": ["customer-group.*"], "description": script });
    let (id, _) = bench.webhook("erp", body).await;
    bench.webhook("other", groups()).await;
    bench.happens().await;
    bench.attempted(&id, 1).await;
    let walk = Walk::of(bench.app()).await;
    assert!(walk.pages.contains_key("/app/webhooks/new"));
    let (list, one) = (&walk.pages["/app/webhooks"], &walk.pages[&format!("/app/webhooks/{id}")]);
    for text in [&*url("erp"), &*url("other"), "Failing"] {
        assert!(list.contains(text), "{text}: {list}");
    }
    for text in ["customer-group.created", "500 Internal Server Error noted", "Send a test", "New secret"] {
        assert!(one.contains(text), "{text}: {one}");
    }
    assert!(walk.pages.values().all(|it| !it.contains(script) && !it.contains("whsec_")));
}

#[tokio::test]
async fn metrics_count_attempts_deliveries_and_webhooks() {
    let bench = Bench::new().await;
    let metrics = Metrics::of(&bench.app().ctx);
    let lines = |name: &str| {
        let text = metrics.text().expect("the metrics");
        let of_name = text.lines().filter(|it| it.starts_with(name) && !it.ends_with(" 0.0"));
        of_name.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines("atoll_webhook"), [""; 0]);
    bench.receiver().answers("down", Answer::Unreachable);
    bench.receiver().answers("gone", Answer::Status(410));
    for name in ["erp", "down", "gone"] {
        let (id, _) = bench.webhook(name, groups()).await;
        bench.happens().await;
        bench.attempted(&id, 1).await;
        bench.shop.admin.post(&format!("/admin/webhooks/{id}"), json!({ "events": ["order.*"] })).await.ok();
    }
    assert_eq!(
        lines("atoll_webhook"),
        [
            "atoll_webhook_attempts_total{outcome=\"taken\"} 1.0",
            "atoll_webhook_attempts_total{outcome=\"refused\"} 1.0",
            "atoll_webhook_attempts_total{outcome=\"unanswered\"} 1.0",
            "atoll_webhook_deliveries{state=\"pending\"} 2.0",
            "atoll_webhook_deliveries{state=\"delivered\"} 1.0",
            "atoll_webhooks{state=\"on\"} 1.0",
            "atoll_webhooks{state=\"failing\"} 1.0",
            "atoll_webhooks{state=\"switched_off\"} 1.0",
        ]
    );
}

/// The vector of the standard, and what differs from it.
const CHECKS: &str = r#"
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", body = '{"test": 2432232314}', now = 1614265330;
const sent = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const check = (expected, signature, text = body, at = now) => {
  const headers = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": `${now}`, "webhook-signature": signature,
  };
  const is = isFromShop(secret, headers, text, at);
  if (is !== expected) throw new Error(`${is}: ${signature} ${text} ${at}`);
};
check(true, sent);
check(true, `v1,AAAA ${sent}`);
check(false, "v1,AAAA");
check(false, sent.replace("v1", "v2"));
check(false, sent, '{"test": 1}');
check(false, sent, body, now + 301);
"#;

#[test]
fn the_receiver_of_the_documentation_knows_what_is_from_the_shop() {
    let page = include_str!("../../../../../docs/webhooks.md");
    let (_, code) = page.split_once("```js\n").expect("the receiver");
    let (code, _) = code.split_once("```").expect("its end");
    let script = format!("{code}\n{CHECKS}");
    let ran = Command::new("node").args(["--input-type=module", "--eval", &script]).output();
    match ran {
        Ok(it) => assert!(it.status.success(), "{}", String::from_utf8_lossy(&it.stderr)),
        // CI has it, for the tests of the SDK.
        Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
    }
}
