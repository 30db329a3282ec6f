//! Availability events: one for each change of the decision, whatever caused it, and no other.
//!
//! The property test changes a small shop at random, over the edges of windows and over crashes, and compares
//! the events with the difference of all decisions. The others show one thing each.

mod reads;
mod world;

use std::collections::BTreeMap;

use atoll_availability::{VARIANT_AVAILABLE, VARIANT_UNAVAILABLE, announce_changes, announcement_status};
use atoll_kernel::{Actor, Moment, Registry, Write, data::Store, http::ReadLimits, registry::Flags};
use atoll_links::PRODUCT_SALES_CHANNEL;
use atoll_product::{PRODUCTS, Product, ProductStatus, ProductVariant, VARIANTS};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_storage::{
    Direction, Read, Scan, Span, WriteKeys,
    engines::{Crash, EngineFault, Faulty, Memory, Switch},
    group_key,
};
use atoll_testkit::{Client, Shop, TestApp, Variant, check_drawn, complete, times};
use serde_json::{Map, Value, json};

use self::world::{Op, Round, World, rounds};

/// Announces everything that is to be announced now.
async fn work(app: &TestApp) {
    announce_changes(&app.ctx).await.expect("nothing fails");
}

#[test]
fn events_are_the_changes_of_the_decision() {
    check_drawn(times("ATOLL_ANNOUNCED", 60), rounds, async |rounds: Vec<Round>| {
        let mut world = World::new().await;
        work(&world.app).await;
        for round in rounds {
            world.go(round).await?;
        }
        Ok(())
    });
}

/// What would happen if an input were left out: the same comparison fails.
#[tokio::test]
async fn a_change_that_is_not_noted_is_missed_by_the_comparison() {
    type MakeOp = fn() -> Op;
    let changes: [(&str, MakeOp); 4] = [
        ("item", || Op::Stock { item: 0, place: 0, stocked: Some(0) }),
        ("article", || Op::Flags { variant: 0, manages: true, backorders: true }),
        ("product", || Op::Status { product: 0, status: ProductStatus::Draft }),
        ("seller", || Op::Disable { channel: 0, is_disabled: true }),
    ];
    for (kind, change) in changes {
        for is_noted in [true, false] {
            let mut world = World::new().await;
            work(&world.app).await;
            // It is sold, or with backorders would be.
            let stocked = if kind == "article" { 0 } else { 5 };
            let stock = Op::Stock { item: 0, place: 0, stocked: Some(stocked) };
            world.go(Round { ops: vec![stock], crash: None }).await.expect("as noted");
            world.apply(change()).await;
            if !is_noted {
                world.forget(kind).await;
            }
            let compared = world.settled().await;
            assert_eq!(compared.is_ok(), is_noted, "{kind}: {compared:?}");
        }
    }
}

/// A shop with two channels, and the ids of its events.
struct Bench {
    shop: Shop,
    web: String,
    storefront: Client,
    tea: Variant,
    n_seen: usize,
}

impl Bench {
    /// A shop that sells one tea, of which that is known.
    async fn new() -> Bench {
        Bench::over(TestApp::init().await).await
    }

    async fn over(app: TestApp) -> Bench {
        let shop = Shop::open(app).await;
        let web = shop.channel("Web").await;
        let storefront = shop.storefront(&[&web]).await;
        let tea = shop.product("Tea", &[&web], 1).await;
        work(&shop.app).await;
        let mut bench = Bench { shop, web, storefront, tea, n_seen: 0 };
        assert_eq!(bench.news().await, [""; 0], "nothing is announced at first");
        bench
    }

    async fn stock(&self, n: u32) {
        let path = format!("/admin/inventory-items/{}/location-levels/{}", self.tea.item, self.shop.location);
        self.shop.admin.post(&path, json!({ "stocked_quantity": n })).await.ok();
    }

    /// What is announced now, with the reasons.
    async fn news(&mut self) -> Vec<String> {
        work(&self.shop.app).await;
        let events = events(&self.shop.app);
        let new = events.iter().skip(std::mem::replace(&mut self.n_seen, events.len()));
        new.map(|(is_available, it)| match is_available {
            true => "available".to_owned(),
            false => format!("unavailable: {}", it["reason"].as_str().expect("a reason")),
        })
        .collect()
    }
}

/// The events so far in their order: whether the variant is available, and the data.
fn events(app: &TestApp) -> Vec<(bool, Value)> {
    let all = atoll_kernel::jobs::events_after(&app.ctx.view(), 0, usize::MAX).expect("events");
    let of_us =
        all.into_iter().filter(|(_, it)| [VARIANT_AVAILABLE, VARIANT_UNAVAILABLE].contains(&&*it.name));
    of_us.map(|(_, it)| (it.name == VARIANT_AVAILABLE, it.data)).collect()
}

#[tokio::test]
async fn last_unit_that_is_bought_makes_it_unavailable_until_the_order_is_canceled() {
    let mut bench = Bench::new().await;
    let cart = bench.shop.cart(&bench.storefront, &bench.tea.id, 1).await;
    assert_eq!(bench.news().await, [""; 0], "a cart reserves nothing");
    let order = complete(&bench.storefront, &cart).await.ok();
    assert_eq!(bench.news().await, ["unavailable: insufficient_inventory"]);
    let (_, data) = events(&bench.shop.app).pop().expect("an event");
    let expected = json!({
        "id": bench.tea.id, "product_id": bench.tea.product, "sales_channel_id": bench.web,
        "reason": "insufficient_inventory", "at": bench.shop.app.now(),
    });
    assert_eq!(data, expected);
    let path = format!("/admin/orders/{}/cancel", order["order"]["id"].as_str().expect("an id"));
    bench.shop.admin.post(&path, json!({})).await.ok();
    assert_eq!(bench.news().await, ["available"]);
}

/// What changes back before the worker looks is no change.
#[tokio::test]
async fn changes_between_two_looks_are_one() {
    let mut bench = Bench::new().await;
    bench.stock(0).await;
    bench.stock(5).await;
    assert_eq!(bench.news().await, [""; 0]);
    bench.stock(0).await;
    bench.stock(5).await;
    bench.stock(0).await;
    assert_eq!(bench.news().await, ["unavailable: insufficient_inventory"]);
}

#[tokio::test]
async fn window_is_announced_when_it_opens_and_when_it_closes() {
    let mut bench = Bench::new().await;
    let now = bench.shop.app.now();
    let path = format!("/admin/sales-channels/{}/products/{}", bench.web, bench.tea.product);
    let window =
        json!({ "available_from": now.plus_millis(1_000), "available_until": now.plus_millis(2_000) });
    bench.shop.admin.post(&path, window).await.ok();
    assert_eq!(bench.news().await, ["unavailable: product_not_available_yet"]);
    let status = announcement_status(&bench.shop.app.ctx.view()).expect("a status");
    assert_eq!((status.n_waiting, status.next_at), (0, Some(now.plus_millis(1_000))));
    for (millis, expected) in [
        (999, None),
        (1, Some("available")),
        (999, None),
        (1, Some("unavailable: product_no_longer_available")),
    ] {
        bench.shop.app.advance_ms(millis);
        assert_eq!(bench.news().await, Vec::from_iter(expected.map(str::to_owned)));
    }
}

/// With the background running, nobody has to ask: a commit and the clock wake the worker.
#[tokio::test]
async fn events_come_by_themselves() {
    let bench = Bench::new().await;
    let app = &bench.shop.app;
    let background = app.background().await;
    let has_come = async |n: usize| app.until(async || events(app).len() == n).await;
    bench.stock(0).await;
    has_come(1).await;
    let path = format!("/admin/sales-channels/{}/products/{}", bench.web, bench.tea.product);
    let opens = app.now().plus_millis(1_000);
    bench.shop.admin.post(&path, json!({ "available_from": opens })).await.ok();
    bench.stock(1).await;
    app.until(async || announcement_status(&app.ctx.view()).expect("a status").n_waiting == 0).await;
    assert_eq!(events(app).len(), 1);
    app.advance_ms(1_000);
    has_come(2).await;
    background.stop().await;
    let (is_available, data) = events(app).pop().expect("an event");
    assert_eq!((is_available, &data["at"]), (true, &json!(opens)));
}

async fn app_on(disk: &Memory) -> (TestApp, Switch) {
    let engine = Faulty::new(disk.clone(), EngineFault::None);
    let switch = engine.switch();
    let store = Store::open(engine, &Registry::linked().expect("a registry").spaces()).expect("a store");
    (TestApp::over(store, None).await, switch)
}

/// More than twice what one commit writes.
const N_MANY: usize = 1_100;

/// Makes products with a variant each, which these channels sell.
async fn fill(app: &TestApp, n: usize, channels: Vec<String>) {
    let fill = move |tx: &mut dyn Write, at: &Moment| {
        for n in 0..n {
            let product =
                Product { handle: n.to_string(), status: ProductStatus::Published, ..Product::default() };
            let product = PRODUCTS.create(tx, at, product)?;
            let variant = ProductVariant {
                product_id: product.id.clone(),
                manage_inventory: false,
                ..ProductVariant::default()
            };
            VARIANTS.create(tx, at, variant)?;
            for channel in &channels {
                PRODUCT_SALES_CHANNEL.attach(tx, at, &product.id, channel, Map::new())?;
            }
        }
        Ok(())
    };
    app.ctx.write(Actor::System, fill).await.expect("products");
    work(app).await;
}

/// Makes so many channels.
async fn channels(app: &TestApp, n: usize) -> Vec<String> {
    let make = move |tx: &mut dyn Write, at: &Moment| {
        let name = |n: usize| SalesChannel { name: n.to_string(), ..SalesChannel::default() };
        (0..n).map(|n| Ok(SALES_CHANNELS.create(tx, at, name(n))?.id.to_string())).collect()
    };
    app.ctx.write(Actor::System, make).await.expect("channels").0
}

/// Announces everything, with a crash at each commit. Returns how many events each of them has written.
async fn announced_in_parts(disk: &Memory) -> Vec<usize> {
    let (app, _) = app_on(disk).await;
    let mut n_before = events(&app).len();
    let mut parts = Vec::new();
    for n in 0.. {
        let (app, switch) = app_on(disk).await;
        switch.arm(if n % 2 == 0 { Crash::After } else { Crash::Before });
        if announce_changes(&app.ctx).await.is_ok() {
            break;
        }
        let (app, _) = app_on(disk).await;
        // The last one is verified.
        app.is_damaged();
        let n_events = events(&app).len();
        parts.extend(Some(n_events - n_before).filter(|it| *it > 0));
        n_before = n_events;
    }
    parts
}

/// A channel that is switched off makes many events: in several commits, each once, over crashes.
#[tokio::test]
async fn large_change_is_announced_in_parts_and_each_part_once() {
    let disk = Memory::default();
    let bench = Bench::over(app_on(&disk).await.0).await;
    let app = &bench.shop.app;
    fill(app, N_MANY, vec![bench.web.clone()]).await;
    assert_eq!(events(app).len(), N_MANY);
    let path = format!("/admin/sales-channels/{}", bench.web);
    bench.shop.admin.post(&path, json!({ "is_disabled": true })).await.ok();
    let parts = announced_in_parts(&disk).await;
    assert_eq!(parts.iter().sum::<usize>(), N_MANY + 1, "the tea was sold, too");
    assert!(parts.len() >= 3 && parts.iter().all(|it| *it <= 500), "{parts:?}");
    let (app, _) = app_on(&disk).await;
    let mut last: BTreeMap<String, bool> = BTreeMap::new();
    for (is_available, data) in events(&app) {
        let before = last.insert(data["id"].to_string(), is_available);
        assert_ne!(before, Some(is_available), "announced twice: {data}");
    }
}

/// One variant makes as many events as channels sell it: in several commits, too.
#[tokio::test]
async fn change_in_very_many_channels_is_announced_in_parts() {
    let disk = Memory::default();
    let bench = Bench::over(app_on(&disk).await.0).await;
    let app = &bench.shop.app;
    let channels = channels(app, N_MANY).await;
    let tea = bench.tea.product.clone();
    let sell = move |tx: &mut dyn Write, at: &Moment| {
        channels
            .iter()
            .try_for_each(|it| Ok(PRODUCT_SALES_CHANNEL.attach(tx, at, &tea, it, Map::new()).map(drop)?))
    };
    app.ctx.write(Actor::System, sell).await.expect("links");
    work(app).await;
    let unmanaged = |is_unmanaged: bool| {
        let id = bench.tea.id.clone();
        let change = move |tx: &mut dyn Write, at: &Moment| {
            let manages = |it: &mut ProductVariant| it.manage_inventory = !is_unmanaged;
            Ok(VARIANTS.update(tx, at, &id, manages)?)
        };
        app.ctx.write(Actor::System, change)
    };
    unmanaged(true).await.expect("a variant");
    let parts = announced_in_parts(&disk).await;
    assert_eq!(parts.iter().sum::<usize>(), N_MANY, "web has sold it before");
    assert!(parts.len() >= 3 && parts.iter().all(|it| *it <= 500), "{parts:?}");
}

/// The other channels of its variants are asked nothing again while the writer is held.
#[tokio::test]
async fn commit_of_a_disabled_channel_decides_on_that_channel_alone() {
    let disk = Memory::default();
    let bench = Bench::over(app_on(&disk).await.0).await;
    let app = &bench.shop.app;
    let mut all = channels(app, 20).await;
    all.push(bench.web.clone());
    fill(app, 300, all).await;
    let path = format!("/admin/sales-channels/{}", bench.web);
    bench.shop.admin.post(&path, json!({ "is_disabled": true })).await.ok();
    // Its writer has counted nothing yet.
    let (app, _) = app_on(&disk).await;
    work(&app).await;
    let n_keys = app.ctx.store().counters().summary().keys_read.max;
    assert!(n_keys < 300 * 20, "{n_keys} keys for 301 decisions");
}

/// However busy readers are, and whatever a request may read.
#[tokio::test]
async fn announcing_takes_no_place_and_no_budget_of_a_request() {
    let disk = Memory::default();
    let bench = Bench::over(app_on(&disk).await.0).await;
    bench.stock(0).await;
    let reads =
        ReadLimits { keys_inline_max: 1, keys_max: 1, threads: 0, waiting_max: 0, ..ReadLimits::default() };
    let spaces = Registry::linked().expect("a registry").spaces();
    let app = TestApp::with_limits(Store::open(disk, &spaces).expect("a store"), reads).await;
    work(&app).await;
    assert_eq!(events(&app).len(), 1);
}

/// Two callers have a turn each, one after the other.
#[tokio::test]
async fn announcing_twice_at_once_announces_once() {
    let bench = Bench::new().await;
    let app = &bench.shop.app;
    for n in [0, 5, 0, 5] {
        bench.stock(n).await;
        tokio::join!(work(app), work(app), work(app));
    }
    let told: Vec<bool> = events(app).into_iter().map(|(is_available, _)| is_available).collect();
    assert_eq!(told, [false, true, false, true]);
}

/// An existing shop: what it sells is found out, in parts, and only changes since are announced.
#[tokio::test]
async fn first_start_announces_nothing_and_what_follows_is() {
    let disk = Memory::default();
    let mut bench = Bench::over(app_on(&disk).await.0).await;
    // As if the events were new: nothing of them is stored.
    let forget = |tx: &mut dyn Write, _: &Moment| {
        for space in
            ["availability.announced", "availability.announcing", "availability.due", "availability.touched"]
        {
            keys(tx, space).into_iter().for_each(|key| tx.delete(key));
        }
        Ok(())
    };
    bench.shop.app.ctx.write(Actor::System, forget).await.expect("a write");
    let status = || announcement_status(&bench.shop.app.ctx.view()).expect("a status");
    assert!(!status().is_complete);
    work(&bench.shop.app).await;
    assert!(status().is_complete);
    assert_eq!(bench.news().await, [""; 0]);
    bench.stock(0).await;
    assert_eq!(bench.news().await, ["unavailable: insufficient_inventory"]);
}

/// Without channels, the shop as a whole is what sells.
#[tokio::test]
async fn switching_channels_off_and_on_is_a_change_like_others() {
    let disk = Memory::default();
    drop(Bench::over(app_on(&disk).await.0).await);
    let store =
        || Store::open(disk.clone(), &Registry::linked().expect("a registry").spaces()).expect("a store");
    let mut n_before = 0;
    for (is_on, expected) in
        [(false, ["all available", "web unavailable"]), (true, ["all unavailable", "web available"])]
    {
        let mut flags = Flags::default();
        flags.set("sales_channels", is_on);
        let app = TestApp::with_flags(store(), None, flags).await;
        work(&app).await;
        let mut told: Vec<String> = events(&app)
            .iter()
            .skip(n_before)
            .map(|(is_available, it)| {
                let seller = if it["sales_channel_id"].is_null() { "all" } else { "web" };
                format!("{seller} {}", if *is_available { "available" } else { "unavailable" })
            })
            .collect();
        told.sort();
        assert_eq!(told, expected, "channels are on: {is_on}");
        n_before += 2;
    }
}

/// A clock that was far ahead had windows opened and closed that are not.
#[tokio::test]
async fn clock_that_is_set_back_by_far_is_followed() {
    let disk = Memory::default();
    let mut bench = Bench::over(app_on(&disk).await.0).await;
    let path = format!("/admin/sales-channels/{}/products/{}", bench.web, bench.tea.product);
    let closes = bench.shop.app.now().plus_millis(100_000_000);
    bench.shop.admin.post(&path, json!({ "available_until": closes })).await.ok();
    bench.shop.app.advance_ms(200_000_000);
    assert_eq!(bench.news().await, ["unavailable: product_no_longer_available"]);
    // The clock of the next process stands where that of the first one began.
    let (app, _) = app_on(&disk).await;
    work(&app).await;
    let told: Vec<bool> = events(&app).into_iter().map(|(is_available, _)| is_available).collect();
    assert_eq!(told, [false, true]);
}

#[tokio::test]
async fn damaged_record_holds_up_no_other_variant() {
    let mut bench = Bench::new().await;
    let gin = bench.shop.product("Gin", &[&bench.web], 1).await;
    assert_eq!(bench.news().await, ["available"]);
    bench.shop.app.damage("product", gin.product.as_bytes()).await;
    bench.shop.app.is_damaged();
    bench.stock(0).await;
    let path = format!("/admin/inventory-items/{}/location-levels/{}", gin.item, bench.shop.location);
    bench.shop.admin.post(&path, json!({ "stocked_quantity": 0 })).await.ok();
    assert_eq!(bench.news().await, ["unavailable: insufficient_inventory"]);
}

#[tokio::test]
async fn verify_compares_what_was_announced_with_the_decision() {
    type Damage = fn(&mut dyn Write, &[u8]);
    let damages: [(Damage, &[&str]); 4] = [
        (|_, _| (), &[]),
        (|tx, key| tx.delete(key.to_vec()), &["availability.announced", "availability.moment"]),
        (
            |tx, _| keys(tx, "availability.due").into_iter().for_each(|it| tx.delete(it)),
            &["availability.moment"],
        ),
        // What is noted is still to be announced.
        (
            |tx, key| {
                tx.delete(key.to_vec());
                let note =
                    [&tx.prefix("availability.touched")[..], &group_key(&["article", "x", ""])].concat();
                tx.put(note, Vec::new());
            },
            &[],
        ),
    ];
    for (damage, expected) in damages {
        let bench = Bench::new().await;
        let app = &bench.shop.app;
        let path = format!("/admin/sales-channels/{}/products/{}", bench.web, bench.tea.product);
        let closes = app.now().plus_millis(1_000);
        bench.shop.admin.post(&path, json!({ "available_until": closes })).await.ok();
        work(app).await;
        let plant = move |tx: &mut dyn Write, _: &Moment| {
            let entry = keys(tx, "availability.announced").remove(0);
            damage(tx, &entry);
            Ok(())
        };
        app.ctx.write(Actor::System, plant).await.expect("a write");
        assert_eq!(wrong(app), expected);
        app.is_damaged();
    }
}

/// The kinds of findings about what was announced, sorted.
fn wrong(app: &TestApp) -> Vec<&'static str> {
    app.verify().kinds.into_keys().filter(|it| it.starts_with("availability.")).collect()
}

/// The keys of a space.
fn keys(tx: &dyn Read, space: &'static str) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let all = tx.scan(&Span::prefix(&tx.prefix(space)), Direction::Ascending, &mut |key, _| {
        keys.push(key.to_vec());
        Ok(Scan::Continue(()))
    });
    all.expect("a scan");
    keys
}
