//! Oversell test: rounds of 64 concurrent buyers, for everything that lines can share.

use std::{collections::BTreeMap, sync::Arc};

use atoll_inventory::{INVENTORY_LEVELS, RESERVATIONS};
use atoll_kernel::{
    Decimal, Read,
    data::{Direction, Scan},
};
use atoll_order::ORDERS;
use atoll_testkit::{Client, Shop, Variant, pay, times};
use serde_json::{Value, json};
use tokio::sync::Barrier;

const N_BUYERS: usize = 64;

/// Number of rounds: few by default, 5,000 in `cargo xtask thorough`.
fn n_rounds() -> u32 {
    times("ATOLL_ROUNDS", 10)
}

/// What a buyer orders, in which storefront, and how much of the shared item that needs.
struct Wish {
    storefront: Client,
    lines: Value,
    takes: i64,
}

/// A shop and the wishes of its buyers: the n-th buyer has the wish n modulo their number.
struct Scene {
    shop: Shop,
    item: String,
    n_units: i64,
    wishes: Vec<Wish>,
}

fn line(variant: &Variant) -> Value {
    json!({ "variant_id": variant.id, "quantity": 1 })
}

/// A variant that needs this quantity of another variant's item.
async fn sharing(shop: &Shop, channel: &str, item: &str, title: &str, required: i64) -> Variant {
    let items = json!([{ "inventory_item_id": item, "required_quantity": required }]);
    shop.product_with(title, &[channel], 0, json!({ "inventory_items": items })).await
}

async fn one_line(n_units: i64) -> Scene {
    let (shop, web, storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&web], u32::try_from(n_units).expect("few")).await;
    let wishes = vec![Wish { storefront, lines: json!([line(&tea)]), takes: 1 }];
    Scene { shop, item: tea.item, n_units, wishes }
}

async fn two_lines_of_one_item(n_units: i64) -> Scene {
    let Scene { shop, item, wishes, .. } = one_line(n_units).await;
    let channel = shop.admin.get("/admin/sales-channels?name=Web").await.ok();
    let channel = channel["sales_channels"][0]["id"].as_str().expect("an id");
    let other = sharing(&shop, channel, &item, "Same tea", 1).await;
    let Some(Wish { storefront, lines, .. }) = wishes.into_iter().next() else {
        unreachable!("one was made")
    };
    let lines = json!([lines[0], line(&other)]);
    Scene { shop, item, n_units, wishes: vec![Wish { storefront, lines, takes: 2 }] }
}

async fn a_kit_and_a_single(n_units: i64) -> Scene {
    let Scene { shop, item, mut wishes, .. } = one_line(n_units).await;
    let channel = shop.admin.get("/admin/sales-channels?name=Web").await.ok();
    let channel = channel["sales_channels"][0]["id"].as_str().expect("an id");
    let kit = sharing(&shop, channel, &item, "Three teas", 3).await;
    let storefront = wishes[0].storefront.clone();
    wishes.push(Wish { storefront, lines: json!([line(&kit)]), takes: 3 });
    Scene { shop, item, n_units, wishes }
}

async fn two_channels_of_one_location(n_units: i64) -> Scene {
    let Scene { shop, item, mut wishes, .. } = one_line(n_units).await;
    let till = shop.channel("Till").await;
    let tea = sharing(&shop, &till, &item, "Tea to go", 1).await;
    let storefront = shop.storefront(&[&till]).await;
    wishes.push(Wish { storefront, lines: json!([line(&tea)]), takes: 1 });
    Scene { shop, item, n_units, wishes }
}

/// The reserved quantity of an item, by its level and by its reservations.
fn reserved(view: &dyn Read, item: &str) -> (Decimal, Decimal, BTreeMap<String, usize>) {
    let (mut by_level, mut by_promise, mut lines) = (Decimal::ZERO, Decimal::ZERO, BTreeMap::new());
    let on_level = &mut |level: atoll_inventory::InventoryLevel| {
        if *level.inventory_item_id == *item {
            assert!(level.reserved_quantity <= level.stocked_quantity, "{level:?}");
            by_level += level.reserved_quantity;
        }
        Ok(Scan::Continue(()))
    };
    INVENTORY_LEVELS.table.scan(view, None, Direction::Ascending, on_level).expect("levels");
    let on_promise = &mut |promise: atoll_inventory::ReservationItem| {
        if *promise.inventory_item_id == *item {
            by_promise += promise.quantity;
            *lines.entry(promise.line_item_id.unwrap_or_default()).or_default() += 1;
        }
        Ok(Scan::Continue(()))
    };
    RESERVATIONS.table.scan(view, None, Direction::Ascending, on_promise).expect("reservations");
    (by_level, by_promise, lines)
}

async fn round(scene: &Scene) {
    let Scene { shop, item, n_units, wishes } = scene;
    let n_orders_before = ORDERS.table.count(&shop.app.ctx.view()).expect("a count");
    let together = Arc::new(Barrier::new(N_BUYERS));
    let mut buyers = Vec::with_capacity(N_BUYERS);
    for n in 0..N_BUYERS {
        let Wish { storefront, lines, takes } = &wishes[n % wishes.len()];
        let (storefront, together) = (storefront.clone(), together.clone());
        let cart = shop.cart_of(&storefront, lines.clone()).await;
        let takes = *takes;
        buyers.push(tokio::spawn(async move {
            pay(&storefront, &cart).await;
            together.wait().await;
            let answer = storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await;
            if answer.status.is_success() {
                return Some((answer.json["order"]["id"].as_str().expect("an id").to_owned(), takes));
            }
            let refusal = "Some variant does not have the required inventory";
            assert_eq!(answer.error(), format!("400 not_allowed (insufficient_inventory): {refusal}"));
            None
        }));
    }
    let mut won = Vec::new();
    for buyer in buyers {
        won.extend(buyer.await.expect("a buyer"));
    }
    let taken: i64 = won.iter().map(|(_, takes)| takes).sum();
    // The rest is less than the smallest wish.
    let least = wishes.iter().map(|it| it.takes).min().unwrap_or(1);
    assert!(taken <= *n_units && n_units - taken < least, "{taken} of {n_units}");
    let view = shop.app.ctx.view();
    let n_orders = ORDERS.table.count(&view).expect("a count") - n_orders_before;
    assert_eq!(n_orders, won.len() as u64, "losers have no order");
    let (by_level, by_promise, lines) = reserved(&view, item);
    assert_eq!((by_level, by_promise), (taken.into(), taken.into()));
    let n_lines: usize = won.iter().map(|_| wishes[0].lines.as_array().map_or(1, Vec::len)).sum();
    assert_eq!(lines.len(), n_lines, "losers have no reservation");
    drop(view);
    for (order, _) in &won {
        shop.admin.post(&format!("/admin/orders/{order}/cancel"), json!({})).await.ok();
    }
    let (by_level, by_promise, _) = reserved(&shop.app.ctx.view(), item);
    assert!(by_level.is_zero() && by_promise.is_zero(), "what was called off is there again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_buyers_never_oversell_shared_stock() {
    let scenes = [
        one_line(3).await,
        two_lines_of_one_item(5).await,
        a_kit_and_a_single(7).await,
        two_channels_of_one_location(3).await,
    ];
    for scene in &scenes {
        for _ in 0..n_rounds() {
            round(scene).await;
        }
    }
}
