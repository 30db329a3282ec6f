//! Everything that can make a variant sellable makes the extension ask the decision.

use atoll_testkit::id;
use serde_json::{Value, json};

use crate::{Bench, deliver};

/// What keeps the channel from selling although there is stock, and what ends that.
struct Cause {
    what: &'static str,
    blocked_by: (&'static str, Value),
    ended_by: (&'static str, Value),
}

fn causes() -> Vec<Cause> {
    let level = "/admin/inventory-items/{item}/location-levels/{location}";
    let variant = "/admin/products/{product}/variants/{variant}";
    let row = "/admin/sales-channels/{web}/products/{product}";
    let cause = |what, (path, block): (&'static str, Value), ended_by| Cause {
        what,
        blocked_by: (path, block),
        ended_by,
    };
    let same = |what, path: &'static str, block: Value, end: Value| cause(what, (path, block), (path, end));
    let none = || json!({ "stocked_quantity": 0 });
    vec![
        same("stock", level, none(), json!({ "stocked_quantity": 5 })),
        cause("backorders", (level, none()), (variant, json!({ "allow_backorder": true }))),
        cause("no stock management", (level, none()), (variant, json!({ "manage_inventory": false }))),
        same(
            "publication",
            "/admin/products/{product}",
            json!({ "status": "draft" }),
            json!({ "status": "published" }),
        ),
        same(
            "the channel of the product",
            "/admin/sales-channels/{web}/products",
            json!({ "remove": ["{product}"] }),
            json!({ "add": ["{product}"] }),
        ),
        same(
            "the window",
            row,
            json!({ "available_from": "2099-01-01T00:00:00.000Z" }),
            json!({ "available_from": null }),
        ),
        same(
            "the exclusion of the variant",
            "/admin/sales-channels/{web}/variants/{variant}",
            json!({ "is_enabled": false }),
            json!({ "is_enabled": true }),
        ),
        same(
            "the locations of the channel",
            "/admin/stock-locations/{location}/sales-channels",
            json!({ "remove": ["{web}"] }),
            json!({ "add": ["{web}"] }),
        ),
        same(
            "safety stock",
            "/admin/sales-channels/{web}/stock-locations/{location}",
            json!({ "safety_stock": 5 }),
            json!({ "safety_stock": 0 }),
        ),
        same(
            "safety stock of the item",
            "/admin/sales-channels/{web}/stock-locations/{location}/inventory-items/{item}",
            json!({ "safety_stock": 5 }),
            json!({ "safety_stock": null }),
        ),
        same(
            "the channel itself",
            "/admin/sales-channels/{web}",
            json!({ "is_disabled": true }),
            json!({ "is_disabled": false }),
        ),
        same(
            "the quantity of a part",
            "/admin/products/{product}/variants/{variant}/inventory-items/{item}",
            json!({ "required_quantity": 10 }),
            json!({ "required_quantity": 1 }),
        ),
        cause(
            "a missing part",
            (
                "/admin/products/{product}/variants/{variant}/inventory-items",
                json!({ "inventory_item_id": "{box}", "required_quantity": 1 }),
            ),
            ("DELETE /admin/products/{product}/variants/{variant}/inventory-items/{box}", Value::Null),
        ),
        cause(
            "a reservation",
            (
                "/admin/reservations",
                json!({ "inventory_item_id": "{item}", "location_id": "{location}", "quantity": 5 }),
            ),
            ("DELETE /admin/reservations/{reservation}", Value::Null),
        ),
    ]
}

/// A bench with what its causes name.
struct Stage {
    bench: Bench,
    case: String,
}

impl Stage {
    async fn new() -> Stage {
        let bench = Bench::new().await;
        let made = bench.shop.admin.post("/admin/inventory-items", json!({ "sku": "box" })).await.ok();
        Stage { case: id(&made["inventory_item"]), bench }
    }

    async fn send(&self, (path, body): &(&'static str, Value)) {
        let Bench { shop, web, tea, .. } = &self.bench;
        let reservations = shop.admin.get("/admin/reservations?fields=id").await.ok();
        let reservation = reservations["reservations"][0]["id"].as_str().unwrap_or_default();
        let fill = |text: &str| {
            [
                ("{web}", web.as_str()),
                ("{product}", &tea.product),
                ("{variant}", &tea.id),
                ("{item}", &tea.item),
                ("{location}", &shop.location),
                ("{box}", &self.case),
                ("{reservation}", reservation),
            ]
            .iter()
            .fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
        };
        match path.strip_prefix("DELETE ") {
            Some(path) => shop.admin.delete(&fill(path)).await.ok(),
            None => {
                let body = serde_json::from_str(&fill(&body.to_string())).expect("JSON");
                shop.admin.post(&fill(path), body).await.ok()
            }
        };
    }
}

#[tokio::test]
async fn shoppers_are_told_whatever_made_it_available() {
    for cause in causes() {
        let stage = Stage::new().await;
        stage.bench.subscribe("ada@test.dev").await.ok();
        stage.bench.stock(5).await;
        stage.send(&cause.blocked_by).await;
        deliver(&stage.bench.shop.app).await;
        assert!(stage.bench.told().is_empty(), "told in spite of {}", cause.what);
        stage.send(&cause.ended_by).await;
        deliver(&stage.bench.shop.app).await;
        assert_eq!(stage.bench.told(), ["ada@test.dev"], "by {}", cause.what);
    }
}

#[tokio::test]
async fn shoppers_are_told_of_their_own_channel_only() {
    let bench = Bench::new().await;
    let till = bench.shop.channel("Till").await;
    let path = format!("/admin/sales-channels/{till}/products");
    bench.shop.admin.post(&path, json!({ "add": [bench.tea.product] })).await.ok();
    let other = bench.shop.storefront(&[&till]).await;
    bench.subscribe("web@test.dev").await.ok();
    bench.ask(&other, json!({ "email": "till@test.dev" })).await.ok();
    let safety = format!("/admin/sales-channels/{}/stock-locations/{}", bench.web, bench.shop.location);
    bench.shop.admin.post(&safety, json!({ "safety_stock": 5 })).await.ok();
    bench.stock(5).await;
    deliver(&bench.shop.app).await;
    assert_eq!(bench.told(), ["till@test.dev"]);
    bench.stock(6).await;
    deliver(&bench.shop.app).await;
    assert_eq!(bench.told(), ["till@test.dev", "web@test.dev"]);
}
