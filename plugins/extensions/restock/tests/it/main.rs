//! The extension through the real router, in a program that links it in: what a shopper, a merchant and an
//! operator see of it.

mod causes;
mod graph;
mod migration;
mod operator;
mod race;
mod shopper;
mod state;
mod time;
mod wall;

use atoll_testkit::{Answer, Client, Shop, TestApp, Variant};
use serde_json::{Value, json};

/// A shop whose channel `Web` has sold its tea out.
struct Bench {
    shop: Shop,
    web: String,
    storefront: Client,
    tea: Variant,
}

impl Bench {
    async fn new() -> Bench {
        Bench::over(TestApp::init().await).await
    }

    async fn over(app: TestApp) -> Bench {
        let shop = Shop::open(app).await;
        let web = shop.channel("Web").await;
        let storefront = shop.storefront(&[&web]).await;
        let tea = shop.product("Tea", &[&web], 0).await;
        shop.stock(&tea.item, &shop.location, 0).await;
        Bench { shop, web, storefront, tea }
    }

    /// Subscribes a guest with this address to one tea.
    async fn subscribe(&self, email: &str) -> Answer {
        self.ask(&self.storefront, json!({ "email": email })).await
    }

    /// Subscribes to the tea, with these fields of the body.
    async fn ask(&self, client: &Client, mut body: Value) -> Answer {
        body["variant_id"] = json!(self.tea.id);
        client.post("/store/restock-subscriptions", body).await
    }

    /// Sets how many teas there are.
    async fn stock(&self, n: u32) {
        let path = format!("/admin/inventory-items/{}/location-levels/{}", self.tea.item, self.shop.location);
        self.shop.admin.post(&path, json!({ "stocked_quantity": n })).await.ok();
    }

    /// The addresses that were told, sorted.
    fn told(&self) -> Vec<String> {
        told(&self.shop.app)
    }
}

fn told(app: &TestApp) -> Vec<String> {
    let events = app.events("restock.available");
    let mut told: Vec<String> =
        events.iter().filter_map(|it| Some(it["email"].as_str()?.to_owned())).collect();
    told.sort();
    told
}

/// Delivers all events to the subscriber of the extension, those of earlier calls again: events are delivered
/// at least once.
async fn deliver(app: &TestApp) {
    app.deliver("restock.check-changes").await;
}
