//! Buying while leaders are lost: the last unit is sold once, and each cart is one order with one payment.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::{Value, json};

use crate::{
    client::{Answer, Client, let_pass, until},
    shop::{Shop, seconds},
};

/// Buyers of the last unit.
const N_BUYERS: usize = 64;

/// Last units that are sold; set by `ATOLL_LAST_UNITS`.
const N_LAST_UNITS: usize = 3;

/// Clients that prepare or buy at a time, while nothing is contended.
const N_CLIENTS: usize = 8;

/// Seconds of buying; set by `ATOLL_BUYING_SECONDS`.
const SECONDS: (u64, u64) = (8, 15);

/// What is sold, and where.
struct Market<'a> {
    shop: &'a Shop,
    hosts: Vec<SocketAddr>,
    location: String,
    channel: String,
    storefront: Client,
}

fn id(of: &Value) -> String {
    of["id"].as_str().unwrap_or_else(|| panic!("no id in {of}")).to_owned()
}

impl<'a> Market<'a> {
    fn open(shop: &'a Shop) -> Market<'a> {
        let hosts = shop.addresses();
        let post = |path: &str, body: Value| shop.admin.done(&hosts, "POST", path, &body.to_string());
        let region = json!({
            "name": "Europe", "currency_code": "eur", "countries": ["de"],
            "payment_providers": ["pp_system_default"],
        });
        post("/admin/regions", region);
        let location = id(&post("/admin/stock-locations", json!({ "name": "Warehouse" }))["stock_location"]);
        let channel = id(&post("/admin/sales-channels", json!({ "name": "Web" }))["sales_channel"]);
        let add = json!({ "add": [channel] });
        post(&format!("/admin/stock-locations/{location}/sales-channels"), add.clone());
        let key = post("/admin/api-keys", json!({ "title": "web", "type": "publishable" }));
        post(&format!("/admin/api-keys/{}/sales-channels", id(&key["api_key"])), add);
        let token = key["api_key"]["token"].as_str().expect("a token");
        let storefront = Client::default().with("x-publishable-api-key", token);
        Market { shop, hosts, location, channel, storefront }
    }

    /// Of all that was written before, at whatever host.
    fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        let admin = self.shop.admin.with("atoll-read", "strict");
        admin.done(&self.hosts, method, path, &body.to_string())
    }

    /// A product with this stock: its variant, and its inventory item.
    fn product(&self, title: &str, stock: usize) -> (String, String) {
        let product = json!({
            "title": title, "status": "published", "options": [{ "title": "Size", "values": ["One"] }],
            "variants": [{
                "title": "One", "sku": title, "options": { "Size": "One" },
                "prices": [{ "currency_code": "eur", "amount": 10 }],
            }],
            "sales_channels": [{ "id": self.channel }],
        });
        let path = "/admin/products?fields=id,variants.id,*variants.inventory";
        let variant = &self.admin("POST", path, &product)["product"]["variants"][0];
        let item = id(&variant["inventory"][0]);
        let level = json!({ "location_id": self.location, "stocked_quantity": stock });
        self.admin("POST", &format!("/admin/inventory-items/{item}/location-levels"), &level);
        (id(variant), item)
    }

    fn count(&self, path: &str) -> u64 {
        self.admin("GET", path, &json!({}))["count"].as_u64().expect("a count")
    }

    /// Sends a request of a storefront until it is answered, under a key of its own, so that it is done once.
    fn post(&self, first: usize, key: &str, path: &str, body: &Value) -> Answer {
        let mut hosts = self.hosts.clone();
        let n = hosts.len();
        hosts.rotate_left(first % n);
        self.storefront.with("idempotency-key", key).insist(&hosts, "POST", path, &body.to_string())
    }

    /// A cart with one of a variant, and what pays for it.
    fn cart(&self, first: usize, key: &str, variant: &str) -> String {
        let post = |what: &str, path: &str, body: Value| {
            let answer = self.post(first, &format!("{key} {what}"), path, &body);
            assert!(answer.is_ok(), "{what}: {answer:?}");
            answer.json
        };
        let items = json!({ "items": [{ "variant_id": variant, "quantity": 1 }] });
        let cart = id(&post("cart", "/store/carts", items)["cart"]);
        let collection = post("collection", "/store/payment-collections", json!({ "cart_id": cart }));
        let sessions =
            format!("/store/payment-collections/{}/payment-sessions", id(&collection["payment_collection"]));
        post("session", &sessions, json!({ "provider_id": "pp_system_default" }));
        cart
    }

    fn complete(&self, first: usize, cart: &str) -> Answer {
        self.post(first, &format!("complete {cart}"), &format!("/store/carts/{cart}/complete"), &json!({}))
    }
}

/// Does something for each number, a few at a time.
fn for_each_of<T: Send>(n: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let work = || -> Vec<T> {
            let numbers =
                std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|it| *it < n));
            numbers.map(&act).collect()
        };
        let workers: Vec<_> = (0..N_CLIENTS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|it| it.join().expect("no panic")).collect()
    })
}

pub(crate) fn last_unit_is_sold_once_while_leaders_are_killed() {
    let Some(shop) = Shop::open(3) else { return };
    let market = Market::open(&shop);
    let n_units = std::env::var("ATOLL_LAST_UNITS").map_or(N_LAST_UNITS, |it| it.parse().expect("a number"));
    for round in 0..n_units {
        let (variant, item) = market.product(&format!("Last {round}"), 1);
        let carts = for_each_of(N_BUYERS, |n| market.cart(n, &format!("{round} {n}"), &variant));
        let (together, n_answered) = (Barrier::new(N_BUYERS + 1), AtomicUsize::new(0));
        let answers: Vec<Answer> = thread::scope(|scope| {
            let buy = |(n, cart): (usize, &String)| {
                let (market, together, n_answered, cart) = (&market, &together, &n_answered, cart.clone());
                scope.spawn(move || {
                    together.wait();
                    let answer = market.complete(n, &cart);
                    n_answered.fetch_add(1, Ordering::Relaxed);
                    answer
                })
            };
            let buyers: Vec<_> = carts.iter().enumerate().map(buy).collect();
            let leader = shop.leader();
            together.wait();
            // In each round a little later.
            let n_before = round * 4 % N_BUYERS;
            until("answers", || (n_answered.load(Ordering::Relaxed) >= n_before).then_some(()));
            shop.kill(leader);
            shop.start(leader);
            buyers.into_iter().map(|it| it.join().expect("a buyer")).collect()
        });
        let n_orders = answers.iter().filter(|it| it.is_ok() && it.json["type"] == "order").count();
        let is_refusal = |it: &&Answer| it.status == 400 && it.json["code"] == "insufficient_inventory";
        let n_refused = answers.iter().filter(is_refusal).count();
        assert_eq!((n_orders, n_refused), (1, N_BUYERS - 1), "round {round}: {answers:#?}");
        let item = market.admin("GET", &format!("/admin/inventory-items/{item}"), &json!({}));
        assert_eq!(item["inventory_item"]["reserved_quantity"], 1, "round {round}");
        assert_eq!(market.count("/admin/orders?limit=1"), round as u64 + 1);
    }
    assert_eq!(market.count("/admin/payments?limit=1"), n_units as u64);
    drop(market);
    shop.close();
}

pub(crate) fn each_cart_is_one_order_with_one_payment_while_leaders_are_lost() {
    let Some(shop) = Shop::open(3) else { return };
    let market = Market::open(&shop);
    let (variant, _) = market.product("Tea", 1_000_000);
    let (is_over, epoch) = (AtomicBool::new(false), shop.epoch());
    let orders: Vec<String> = thread::scope(|scope| {
        let buy = |n: usize| {
            let (market, is_over, variant) = (&market, &is_over, &variant);
            scope.spawn(move || {
                let mut orders = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    let turn = orders.len();
                    let cart = market.cart(n + turn, &format!("{n} {turn}"), variant);
                    let answer = market.complete(n + turn, &cart);
                    assert!(answer.is_ok(), "{answer:?}");
                    orders.push(id(&answer.json["order"]));
                }
                orders
            })
        };
        let buyers: Vec<_> = (0..N_CLIENTS).map(buy).collect();
        let disturbed = scope.spawn(|| shop.disturb(&is_over));
        let_pass(seconds("ATOLL_BUYING_SECONDS", SECONDS.0, SECONDS.1));
        is_over.store(true, Ordering::Relaxed);
        assert!(disturbed.join().expect("no panic") > 0);
        buyers.into_iter().flat_map(|it| it.join().expect("a buyer")).collect()
    });
    let n = orders.len() as u64;
    eprintln!("{n} orders over {} changes of the leadership", shop.epoch() - epoch);
    assert!(n > 0);
    assert_eq!(orders.iter().collect::<BTreeSet<_>>().len() as u64, n, "each is an order of its own");
    assert_eq!(market.count("/admin/orders?limit=1"), n, "no cart became two orders");
    assert_eq!(market.count("/admin/payments?limit=1"), n, "each was paid once");
    for order in orders {
        market.admin("GET", &format!("/admin/orders/{order}"), &json!({}));
    }
    drop(market);
    shop.close();
}
