//! Crash test: kill -9 while carts are being completed. Every acknowledged order is complete, and none is
//! partial.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::server::Server;

const N_BUYERS: usize = 8;
/// The server is killed after so many acknowledged orders, while others are in flight.
const N_ORDERS: usize = 60;

#[test]
fn acknowledged_orders_survive_a_crash_whole() {
    let folder = TempDir::new().expect("a folder");
    let server = Server::start(folder.path(), &["--demo"]);
    let key = server.key("Web Shop");
    let variants = variants_in_stock(&server, &key);
    let acknowledged = Mutex::new(BTreeSet::new());
    let n_acknowledged = AtomicUsize::new(0);
    thread::scope(|scope| {
        for buyer in 0..N_BUYERS {
            let (server, key, variants) = (&server, &key, &variants);
            let (acknowledged, n_acknowledged) = (&acknowledged, &n_acknowledged);
            scope.spawn(move || {
                let mut n = buyer;
                while let Some(order) = buy(server, key, &variants[n % variants.len()]) {
                    if let Some(order) = order {
                        acknowledged.lock().expect("a lock").insert(order);
                        n_acknowledged.fetch_add(1, Ordering::SeqCst);
                    }
                    n += N_BUYERS;
                }
            });
        }
        while n_acknowledged.load(Ordering::SeqCst) < N_ORDERS {
            thread::yield_now();
        }
        let killed =
            std::process::Command::new("kill").arg("-9").arg(server.process.id().to_string()).status();
        assert!(killed.expect("kill runs").success());
    });
    drop(server);

    let server = Server::start(folder.path(), &["--demo"]);
    let acknowledged = acknowledged.into_inner().expect("a lock");
    assert!(acknowledged.len() >= N_ORDERS);
    let orders = check_orders(&server);
    let lost: Vec<&String> = acknowledged.iter().filter(|id| !orders.contains(*id)).collect();
    assert!(lost.is_empty(), "acknowledged, and lost: {lost:?}");
    // The key is the same after the restart.
    assert_eq!(server.key("Web Shop"), key);
    let first = acknowledged.first().expect("an order");
    let headers = [("x-publishable-api-key", key.as_str())];
    let (status, _) = server.send("GET", &format!("/store/orders/{first}"), &headers, "").expect("an answer");
    assert_eq!(status, 200);
}

/// Variants of the demo with managed stock, and plenty of it.
fn variants_in_stock(server: &Server, key: &str) -> Vec<String> {
    let path = "/store/products?limit=100&fields=variants.id,variants.inventory_quantity";
    let (_, list) = server.send("GET", path, &[("x-publishable-api-key", key)], "").expect("an answer");
    let products = list["products"].as_array().expect("a list");
    let variants = products.iter().flat_map(|it| it["variants"].as_array().expect("a list"));
    let many: Vec<String> = variants
        .filter(|it| it["inventory_quantity"].as_u64().is_some_and(|n| n >= 20))
        .map(|it| it["id"].as_str().expect("an id").to_owned())
        .collect();
    assert!(many.len() >= 5, "the demo has too little in stock: {list}");
    many
}

/// Buys one; `None` if the server has stopped, `Some(None)` if it refused.
fn buy(server: &Server, key: &str, variant: &str) -> Option<Option<String>> {
    let headers = [("x-publishable-api-key", key)];
    let cart = format!(r#"{{"items":[{{"variant_id":"{variant}","quantity":1}}]}}"#);
    let (status, cart) = server.send("POST", "/store/carts", &headers, &cart)?;
    if status != 200 {
        return Some(None);
    }
    let cart = cart["cart"]["id"].as_str()?;
    let options = format!("/store/shipping-options?cart_id={cart}");
    let (_, options) = server.send("GET", &options, &headers, "")?;
    let option = options["shipping_options"][0]["id"].as_str()?;
    let path = format!("/store/carts/{cart}/shipping-methods");
    server.send("POST", &path, &headers, &format!(r#"{{"option_id":"{option}"}}"#))?;
    let collection = format!(r#"{{"cart_id":"{cart}"}}"#);
    let (_, collection) = server.send("POST", "/store/payment-collections", &headers, &collection)?;
    let collection = collection["payment_collection"]["id"].as_str()?;
    let path = format!("/store/payment-collections/{collection}/payment-sessions");
    server.send("POST", &path, &headers, r#"{"provider_id":"pp_system_default"}"#)?;
    let path = format!("/store/carts/{cart}/complete");
    let (status, answer) = server.send("POST", &path, &headers, "{}")?;
    let order = answer["order"]["id"].as_str().map(str::to_owned);
    Some(order.filter(|_| status == 200))
}

/// The ids of all orders. Each has its lines, its completed cart and its reservations; the levels add up.
fn check_orders(server: &Server) -> BTreeSet<String> {
    let token = server.log_in();
    let get = |path: &str| {
        let (status, answer) = server.send("GET", path, &[("authorization", &token)], "").expect("an answer");
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let list = |answer: &Value, name: &str| answer[name].as_array().expect("a list").clone();
    let reservations = list(&get("/admin/reservations?limit=100000"), "reservations");
    let mut by_line: BTreeMap<String, i64> = BTreeMap::new();
    let mut by_level: BTreeMap<(String, String), i64> = BTreeMap::new();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    for it in &reservations {
        let quantity = it["quantity"].as_i64().expect("a number");
        *by_line.entry(text(&it["line_item_id"])).or_default() += quantity;
        *by_level.entry((text(&it["inventory_item_id"]), text(&it["location_id"]))).or_default() += quantity;
    }
    let orders = get("/admin/orders?limit=100000&fields=id,*items,*cart,sales_channel_id");
    let mut ids = BTreeSet::new();
    let mut n_lines = 0;
    for order in list(&orders, "orders") {
        let items = list(&order, "items");
        assert!(!items.is_empty() && order["sales_channel_id"].is_string(), "{order}");
        assert!(order["cart"]["completed_at"].is_string(), "its cart is open: {order}");
        for line in &items {
            let reserved = by_line.get(&text(&line["id"])).copied();
            assert!(reserved >= line["quantity"].as_i64(), "a line without its reservation: {line}");
            n_lines += 1;
        }
        ids.insert(text(&order["id"]));
    }
    assert_eq!(by_line.len(), n_lines, "a reservation without its order");
    for item in
        list(&get("/admin/inventory-items?limit=100000&fields=id,*location_levels"), "inventory_items")
    {
        for level in list(&item, "location_levels") {
            let key = (text(&item["id"]), text(&level["location_id"]));
            let reserved = level["reserved_quantity"].as_i64().expect("a number");
            assert_eq!(by_level.get(&key).copied().unwrap_or(0), reserved, "{level}");
        }
    }
    ids
}
