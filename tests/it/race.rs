//! Race for the last unit.

use std::sync::Arc;

use atoll_availability::{Allocation, ChannelScope, Shelf};
use atoll_inventory::{ReservationItem, reserve};
use atoll_kernel::{Actor, Ctx, Fault, Moment, Write, data::View};
use atoll_order::{Order, place_order};
use atoll_product::VARIANTS;
use atoll_testkit::{Engine, Shop, TestApp, TestHosts, Variant, pay};
use serde_json::json;
use tokio::sync::Barrier;

const N_BUYERS: usize = 64;

/// The invariant after the race: orders, refusals and reservations agree with the stock.
fn check(n_orders: usize, n_refused: usize, reserved: &str, n_reservations: u64) -> Result<(), String> {
    let got = (n_orders, n_refused, reserved, n_reservations);
    if got == (1, N_BUYERS - 1, "1 of 1", 1) { Ok(()) } else { Err(format!("oversold, or lost: {got:?}")) }
}

/// A variant of which the channel can sell one more, and holds back so many.
async fn one_left(app: TestApp, n_held_back: u32) -> (Shop, String, Variant) {
    let shop = Shop::open(app).await;
    let web = shop.channel("Web").await;
    let last = shop.product("Last", &[&web], 1 + n_held_back).await;
    if n_held_back > 0 {
        let location = format!("/admin/sales-channels/{web}/stock-locations/{}", shop.location);
        let item = format!("{location}/inventory-items/{}", last.item);
        shop.admin.post(&item, json!({ "safety_stock": n_held_back })).await.ok();
    }
    let key = shop.key(&[&web]).await;
    (shop, key, last)
}

async fn n_reservations(shop: &Shop) -> u64 {
    shop.admin.get("/admin/reservations?limit=0").await.ok()["count"].as_u64().expect("a count")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_buyers_of_the_last_unit_one_gets_it() {
    let races = Engine::ALL.into_iter().map(|engine| (engine, 0)).chain([(Engine::Memory, 2)]);
    for (engine, n_held_back) in races {
        let (shop, key, last) = one_left(TestApp::on(engine).await, n_held_back).await;
        let storefront = shop.app.storefront(&key);
        let together = Arc::new(Barrier::new(N_BUYERS));
        let mut buyers = Vec::new();
        for _ in 0..N_BUYERS {
            let cart = shop.cart(&storefront, &last.id, 1).await;
            let (storefront, together) = (storefront.clone(), together.clone());
            buyers.push(tokio::spawn(async move {
                pay(&storefront, &cart).await;
                together.wait().await;
                storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await
            }));
        }
        let (mut n_orders, mut n_refused) = (0, 0);
        for buyer in buyers {
            let answer = buyer.await.expect("a buyer");
            if answer.status.is_success() {
                assert_eq!(answer.json["type"], "order");
                n_orders += 1;
            } else {
                let refusal = "Some variant does not have the required inventory";
                assert_eq!(answer.error(), format!("400 not_allowed (insufficient_inventory): {refusal}"));
                n_refused += 1;
            }
        }
        let reserved = shop.reserved(&last.item).await;
        let reserved = reserved.replace(&format!("of {}", 1 + n_held_back), "of 1");
        let verdict = check(n_orders, n_refused, &reserved, n_reservations(&shop).await);
        assert_eq!(verdict, Ok(()), "{engine:?}, {n_held_back} held back");
        let orders = shop.admin.get("/admin/orders").await.ok();
        assert_eq!(orders["count"], 1);
    }
}

/// What a buyer would take of the last unit, by this view; nothing if there is none.
fn look(ctx: &Ctx, view: &View, key: &str, last: &Variant) -> Option<Vec<Allocation>> {
    let scope = ChannelScope::admit(ctx, view, Some(key)).expect("the store").expect("a scope");
    let variant = VARIANTS.retrieve(view, &last.id).expect("the variant");
    let mut shelf = Shelf::open(view, scope.channels()[0].id.as_ref(), ctx.now()).expect("the shelf");
    shelf.allocate(&variant, 1_i64.into()).expect("the store").ok()
}

/// Places an order, and trusts what was looked up before its transaction.
async fn trust(ctx: &Ctx, takes: Vec<Allocation>) -> bool {
    let buy = move |tx: &mut dyn Write, at: &Moment| -> Result<(), Fault> {
        place_order(tx, at, Order::default())?;
        for take in &takes {
            let promise = ReservationItem {
                inventory_item_id: take.item.as_str().into(),
                location_id: take.location.clone(),
                quantity: take.quantity,
                allow_backorder: true,
                ..ReservationItem::default()
            };
            reserve(tx, at, promise)?;
        }
        Ok(())
    };
    ctx.write(Actor::System, buy).await.is_ok()
}

async fn verdict(shop: &Shop, last: &Variant, n_orders: usize) -> Result<(), String> {
    let reserved = shop.reserved(&last.item).await;
    check(n_orders, N_BUYERS - n_orders, &reserved, n_reservations(shop).await)
}

const OVERSOLD: &str = "oversold, or lost: (64, 0, \"64 of 1\", 64)";

/// Negative control: with the check before the transaction, the checker detects an oversell.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_check_outside_the_transaction_oversells() {
    let (shop, key, last) = one_left(TestApp::init().await, 0).await;
    let together = Arc::new(Barrier::new(N_BUYERS));
    let mut buyers = Vec::new();
    for _ in 0..N_BUYERS {
        let (ctx, key, last, together) = (shop.app.ctx.clone(), key.clone(), last.clone(), together.clone());
        buyers.push(tokio::spawn(async move {
            let takes = look(&ctx, &ctx.view(), &key, &last);
            together.wait().await;
            match takes {
                Some(takes) => trust(&ctx, takes).await,
                None => false,
            }
        }));
    }
    let mut n_orders = 0;
    for buyer in buyers {
        n_orders += usize::from(buyer.await.expect("a buyer"));
    }
    assert_eq!(verdict(&shop, &last, n_orders).await, Err(OVERSOLD.into()));
}

/// Negative control of several hosts: one after the other, nobody oversells by what the leader has, and
/// everybody by what a follower has that is behind.
#[tokio::test]
async fn a_check_of_a_followers_view_oversells() {
    for (checker, expected) in [(0, Ok(())), (1, Err(OVERSOLD.to_owned()))] {
        let (hosts, [leader, follower]) = TestHosts::start().await;
        let views = [leader.ctx.clone(), follower.ctx.clone()];
        let (shop, key, last) = one_left(leader, 0).await;
        views[1].store().reached(hosts.log.head()).await.expect("it follows");
        hosts.hold(1, true);
        let mut n_orders = 0;
        for _ in 0..N_BUYERS {
            if let Some(takes) = look(&shop.app.ctx, &views[checker].view(), &key, &last) {
                n_orders += usize::from(trust(&shop.app.ctx, takes).await);
            }
        }
        assert_eq!(verdict(&shop, &last, n_orders).await, expected);
        hosts.hold(1, false);
        follower.ctx.store().reached(hosts.log.head()).await.expect("it follows");
    }
}
