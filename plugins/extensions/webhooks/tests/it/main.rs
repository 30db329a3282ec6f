//! Webhooks through the real router, with the background running and a receiver in memory: what is sent,
//! retried, switched off, and shown.

mod deliver;
mod fail;
mod manage;
mod receiver;
mod shown;
mod state;

use atoll_background::Background;
use atoll_kernel::Actor;
use atoll_testkit::{Setup, Shop, TestApp};
use serde_json::{Value, json};

use receiver::Receiver;

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// A shop whose background runs.
struct Bench {
    shop: Shop,
    background: Background,
}

impl Bench {
    async fn new() -> Bench {
        Bench::over(Setup::default().init().await).await
    }

    async fn over(app: TestApp) -> Bench {
        let background = app.background().await;
        Bench { shop: Shop::open(app).await, background }
    }

    fn app(&self) -> &TestApp {
        &self.shop.app
    }

    fn receiver(&self) -> std::sync::Arc<Receiver> {
        Receiver::of(&self.app().ctx)
    }

    /// Makes a webhook to `https://NAME.test/hook`; returns its id and its secret.
    async fn webhook(&self, name: &str, mut body: Value) -> (String, String) {
        body["url"] = json!(url(name));
        let made = self.shop.admin.post("/admin/webhooks", body).await.ok();
        let text = |it: &Value| it.as_str().expect("a text").to_owned();
        (text(&made["webhook"]["id"]), text(&made["webhook"]["secret"]))
    }

    /// Something happens, once: `customer-group.created`.
    async fn happens(&self) {
        self.happen(1).await;
    }

    async fn happen(&self, n: usize) {
        self.happen_as("customer-group.created", n).await;
    }

    /// So many events of this name, in one transaction.
    async fn happen_as(&self, name: &'static str, n: usize) {
        let emit = move |tx: &mut dyn atoll_kernel::Write, at: &atoll_kernel::Moment| {
            for n in 0..n {
                atoll_kernel::jobs::emit(tx, at, name, json!({ "id": n.to_string() }))?;
            }
            Ok(())
        };
        self.app().ctx.write(Actor::System, emit).await.expect("events");
    }

    async fn shown(&self, webhook: &str) -> Value {
        self.shop.admin.get(&format!("/admin/webhooks/{webhook}")).await.ok()["webhook"].clone()
    }

    /// The deliveries of a webhook, the oldest first.
    async fn deliveries(&self, webhook: &str) -> Vec<Value> {
        let path = format!("/admin/webhooks/{webhook}/deliveries?order=id&limit=100");
        let list = self.shop.admin.get(&path).await.ok();
        list["webhook_deliveries"].as_array().expect("a list").clone()
    }

    /// Waits until the first delivery of a webhook has had so many attempts, and returns it.
    async fn attempted(&self, webhook: &str, n: u64) -> Value {
        let is_there = async || {
            let deliveries = self.deliveries(webhook).await;
            deliveries.first().is_some_and(|it| it["n_attempts"] == n)
        };
        self.app().until(is_there).await;
        self.deliveries(webhook).await.swap_remove(0)
    }

    /// Moves the clock to the next attempt of a delivery.
    fn advance_to_next(&self, delivery: &Value) {
        let next = delivery["next_attempt_at"].as_str().expect("a time");
        let next: atoll_kernel::Timestamp = next.parse().expect("a time");
        // Another one may have moved it further.
        self.app().advance_ms((next.millis() - self.app().now().millis()).max(0));
    }
}

fn url(name: &str) -> String {
    format!("https://{name}.test/hook")
}

/// A webhook that is sent what [`Bench::happens`] does.
fn groups() -> Value {
    json!({ "events": ["customer-group.*"] })
}
