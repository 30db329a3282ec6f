//! Scenarios: how each flow is run, over the same prepared shop.

use std::pin::Pin;

use atoll_kernel::{Actor, Registry, data::Store, flow::Flow};
use atoll_storage::engines::Memory;
use atoll_testkit::{Client, Shop, TestApp, Variant};
use serde_json::{Value, json};

use crate::bank;

mod carts;
mod catalogue;
mod customers;
mod direct;
mod orders;
mod payments;
mod shipping;
mod shop;

type Done = Pin<Box<dyn Future<Output = bool> + Send>>;

/// Runs a flow. Returns whether it succeeded.
type Run = Box<dyn Fn(&TestApp) -> Done>;

/// A flow that can be run on any copy of a prepared store.
pub(crate) struct Scenario {
    pub(crate) flow: &'static str,
    pub(crate) disk: Memory,
    pub(crate) run: Run,
    /// The cart to be paid.
    pub(crate) cart: Option<String>,
    /// The external service.
    pub(crate) test: Option<String>,
}

/// Prepares a store for a flow: the same shop for all, and the records that the flow needs.
pub(crate) async fn scenario(flow: &'static str) -> Scenario {
    let disk = Memory::default();
    let scene = Scene::open(&disk).await;
    let (mut cart, mut test) = (None, None);
    let run = if let Some((called, run)) = scene.saga(flow) {
        test = Some(called);
        run
    } else if let Some(run) = scene.direct(flow).await {
        run
    } else {
        cart = ["complete-cart", "create-orders"].contains(&flow).then(|| scene.cart.clone());
        sent(scene.request(flow).await)
    };
    Scenario { flow, disk, run, cart, test }
}

/// Runs a flow with this input, without a request.
fn run<I, O>(flow: &'static Flow<I, O>, input: I) -> Run
where
    I: Clone + Send + 'static,
    O: Send + 'static,
{
    Box::new(move |app| {
        let (ctx, input) = (app.ctx.clone(), input.clone());
        Box::pin(async move { ctx.run(flow, Actor::System, input).await.is_ok() })
    })
}

/// Sends a request.
fn sent((client, method, path, body): Request) -> Run {
    Box::new(move |app| {
        let (client, path, body) = (client.on(app), path.clone(), body.clone());
        Box::pin(async move {
            let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
            client.send(method, &path, body.into()).await.status.is_success()
        })
    })
}

/// A request and its client.
type Request = (Client, &'static str, String, Value);

/// Ids of the records in the shop.
struct Scene {
    shop: Shop,
    web: String,
    app: String,
    tea: Variant,
    cup: Variant,
    storefront: Client,
    cart: String,
    line: String,
    /// A location without stock.
    empty: String,
    reservation: String,
    key: String,
}

/// The id of a record, in its envelope or without.
fn id(made: &Value) -> String {
    let record = match made.get("id") {
        Some(_) => made,
        None => made.as_object().and_then(|it| it.values().next()).unwrap_or(made),
    };
    record["id"].as_str().unwrap_or_else(|| panic!("no id in {made}")).to_owned()
}

impl Scene {
    async fn open(disk: &Memory) -> Scene {
        let spaces = Registry::linked().expect("a registry").spaces();
        let store = Store::open(disk.clone(), &spaces).expect("a store");
        let shop = Shop::open(TestApp::over(store, None).await).await;
        bank::open_for(&shop).await;
        let (web, app) = (shop.channel("Web").await, shop.channel("App").await);
        let (tea, cup) = (shop.product("Tea", &[&web], 9).await, shop.product("Cup", &[&web, &app], 9).await);
        let storefront = shop.storefront(&[&web]).await;
        let cart = shop.cart(&storefront, &tea.id, 2).await;
        let line = storefront.get(&format!("/store/carts/{cart}")).await.ok();
        let line = id(&line["cart"]["items"][0]);
        let empty = id(&shop.admin.post("/admin/stock-locations", json!({ "name": "Empty" })).await.ok());
        let promise = json!({ "inventory_item_id": cup.item, "location_id": shop.location, "quantity": 1 });
        let reservation = id(&shop.admin.post("/admin/reservations", promise).await.ok());
        let key = json!({ "title": "New", "type": "publishable" });
        let key = id(&shop.admin.post("/admin/api-keys", key).await.ok());
        Scene { shop, web, app, tea, cup, storefront, cart, line, empty, reservation, key }
    }

    fn post(&self, path: String, body: Value) -> Option<Request> {
        Some((self.shop.admin.clone(), "POST", path, body))
    }

    fn delete(&self, path: String) -> Option<Request> {
        Some((self.shop.admin.clone(), "DELETE", path, Value::Null))
    }

    /// The request that runs this flow, by the area that knows it.
    async fn request(&self, flow: &str) -> Request {
        if let Some(found) = self.channels(flow).or_else(|| self.stock(flow)) {
            return found;
        }
        let areas: [Pin<Box<dyn Future<Output = Option<Request>> + '_>>; 11] = [
            Box::pin(self.sorting(flow)),
            Box::pin(self.shipping(flow)),
            Box::pin(self.promotions(flow)),
            Box::pin(self.products(flow)),
            Box::pin(self.carts(flow)),
            Box::pin(self.prices(flow)),
            Box::pin(self.taxes(flow)),
            Box::pin(self.users(flow)),
            Box::pin(self.customers(flow)),
            Box::pin(self.payments_of_admins(flow)),
            Box::pin(self.payments(flow)),
        ];
        for area in areas {
            if let Some(found) = area.await {
                return found;
            }
        }
        panic!("no scenario for the flow `{flow}`")
    }
}
