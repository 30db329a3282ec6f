//! A small shop that is changed at random, and what must be announced of it.

use std::collections::BTreeMap;

use atoll_availability::{Question, announce_changes, explain};
use atoll_inventory::{
    INVENTORY_ITEMS, INVENTORY_LEVELS, InventoryItem, InventoryLevel, RESERVATIONS, ReservationItem,
    level_at, release_reservation, reserve,
};
use atoll_kernel::{Actor, Decimal, Fault, Moment, Timestamp, Write, data::Link};
use atoll_links::{
    AVAILABLE_FROM, AVAILABLE_UNTIL, PRODUCT_SALES_CHANNEL, PRODUCT_VARIANT_INVENTORY_ITEM, SAFETY_STOCK,
    SALES_CHANNEL_EXCLUDED_VARIANT, SALES_CHANNEL_INVENTORY_LEVEL, SALES_CHANNEL_STOCK_LOCATION,
};
use atoll_product::{
    PRODUCTS, Product, ProductStatus, ProductVariant, VARIANTS, delete_product, delete_variant,
    restore_product,
};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_stock_location::{STOCK_LOCATIONS, StockLocation};
use atoll_storage::{
    WriteKeys,
    engines::{Crash, Memory, Switch},
    group_key,
};
use atoll_testkit::TestApp;
use proptest::{prelude::*, sample::select, test_runner::TestCaseResult};
use serde_json::{Map, Value, json};

use super::{app_on, events, keys, work, wrong};

const N_CHANNELS: usize = 2;
const N_PLACES: usize = 2;
const N_ITEMS: usize = 2;
const N_PRODUCTS: usize = 2;
/// Two of each product.
const N_VARIANTS: usize = 2 * N_PRODUCTS;

/// Edges of windows, in milliseconds after the shop was made.
const EDGES: [i64; 3] = [1_000, 2_000, 3_000];

/// A change of the shop. Records are named by their place in the world.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Sets the stock of an item at a place, where there may have been none; or removes it, with what was
    /// reserved of it.
    Stock {
        item: usize,
        place: usize,
        stocked: Option<i64>,
    },
    Reserve {
        item: usize,
        place: usize,
    },
    /// Releases the reservation that was made first.
    Release,
    /// Lets a channel sell from a place, down to a safety stock, or not.
    Sell {
        channel: usize,
        place: usize,
        safety_stock: Option<i64>,
    },
    /// The safety stock of one item.
    HoldBack {
        channel: usize,
        item: usize,
        place: usize,
        quantity: Option<i64>,
    },
    /// Lists a product in a channel, from and until these moments, or not.
    List {
        product: usize,
        channel: usize,
        window: Option<[Option<i64>; 2]>,
    },
    Exclude {
        channel: usize,
        variant: usize,
        is_excluded: bool,
    },
    /// How many of an item one piece of a variant requires.
    Require {
        variant: usize,
        item: usize,
        quantity: Option<i64>,
    },
    Flags {
        variant: usize,
        manages: bool,
        backorders: bool,
    },
    Status {
        product: usize,
        status: ProductStatus,
    },
    Disable {
        channel: usize,
        is_disabled: bool,
    },
    DeleteVariant {
        variant: usize,
    },
    DeleteProduct {
        product: usize,
    },
    RestoreProduct {
        product: usize,
    },
    DeleteChannel {
        channel: usize,
    },
    RestoreChannel {
        channel: usize,
    },
    DeletePlace {
        place: usize,
    },
    RestorePlace {
        place: usize,
    },
    /// To so many milliseconds after the shop was made, unless it is later.
    Wait {
        until: i64,
    },
}

/// Changes, after which everything is announced; with a crash on the way.
#[derive(Clone, Debug)]
pub(super) struct Round {
    pub(super) ops: Vec<Op>,
    pub(super) crash: Option<bool>,
}

pub(super) fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let crash = prop::option::weighted(0.2, any::<bool>());
    let round = (prop::collection::vec(op(), 1..4), crash).prop_map(|(ops, crash)| Round { ops, crash });
    prop::collection::vec(round, 1..12)
}

fn op() -> impl Strategy<Value = Op> {
    let (channel, place, item) = (0..N_CHANNELS, 0..N_PLACES, 0..N_ITEMS);
    let (product, variant) = (0..N_PRODUCTS, 0..N_VARIANTS);
    let at = (item.clone(), place.clone());
    let edge = || prop::option::of(select(EDGES.to_vec()));
    let moments: Vec<i64> = EDGES.into_iter().flat_map(|it| [it - 1, it, it + 1]).collect();
    let status = select(vec![ProductStatus::Draft, ProductStatus::Published, ProductStatus::Published]);
    let few = || prop::option::weighted(0.8, 0..4_i64);
    let window = prop::option::weighted(0.8, (edge(), edge()).prop_map(|(from, until)| [from, until]));
    prop_oneof![
        4 => (at.clone(), few()).prop_map(|((item, place), stocked)| Op::Stock { item, place, stocked }),
        2 => at.clone().prop_map(|(item, place)| Op::Reserve { item, place }),
        1 => Just(Op::Release),
        3 => (channel.clone(), place.clone(), few())
            .prop_map(|(channel, place, safety_stock)| Op::Sell { channel, place, safety_stock }),
        1 => (channel.clone(), at, few())
            .prop_map(|(channel, (item, place), quantity)| Op::HoldBack { channel, item, place, quantity }),
        4 => (product.clone(), channel.clone(), window)
            .prop_map(|(product, channel, window)| Op::List { product, channel, window }),
        1 => (channel.clone(), variant.clone(), any::<bool>())
            .prop_map(|(channel, variant, is_excluded)| Op::Exclude { channel, variant, is_excluded }),
        1 => (variant.clone(), item, prop::option::of(1..3_i64))
            .prop_map(|(variant, item, quantity)| Op::Require { variant, item, quantity }),
        1 => (variant.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(variant, manages, backorders)| Op::Flags { variant, manages, backorders }),
        1 => (product.clone(), status).prop_map(|(product, status)| Op::Status { product, status }),
        1 => (channel.clone(), any::<bool>())
            .prop_map(|(channel, is_disabled)| Op::Disable { channel, is_disabled }),
        1 => variant.prop_map(|variant| Op::DeleteVariant { variant }),
        1 => product.clone().prop_map(|product| Op::DeleteProduct { product }),
        2 => product.prop_map(|product| Op::RestoreProduct { product }),
        1 => channel.clone().prop_map(|channel| Op::DeleteChannel { channel }),
        2 => channel.prop_map(|channel| Op::RestoreChannel { channel }),
        1 => place.clone().prop_map(|place| Op::DeletePlace { place }),
        1 => place.prop_map(|place| Op::RestorePlace { place }),
        4 => select(moments).prop_map(|until| Op::Wait { until }),
    ]
}

/// The ids of the records.
#[derive(Clone, Debug, Default)]
struct Ids {
    channels: Vec<String>,
    places: Vec<String>,
    items: Vec<String>,
    products: Vec<String>,
    variants: Vec<String>,
}

/// By channel and variant: why it is not sold, if it is not.
type Decisions = BTreeMap<(String, String), Option<String>>;

pub(super) struct World {
    pub(super) app: TestApp,
    disk: Memory,
    switch: Switch,
    ids: Ids,
    /// When the shop was made, in milliseconds.
    begin: i64,
    decided: Decisions,
    n_events: usize,
}

impl World {
    /// A shop in which each channel sells each variant.
    pub(super) async fn new() -> World {
        let disk = Memory::default();
        let (app, switch) = app_on(&disk).await;
        let (ids, _) = app.ctx.write(Actor::System, make).await.expect("a shop");
        // Records are changed past the flows, which would refuse some of it.
        app.is_damaged();
        let begin = app.now().millis();
        let mut world = World { app, disk, switch, ids, begin, decided: Decisions::new(), n_events: 0 };
        world.decided = world.decisions();
        assert!(world.decided.values().all(Option::is_none), "{:?}", world.decided);
        world
    }

    pub(super) fn channels(&self) -> impl Iterator<Item = &str> {
        self.ids.channels.iter().map(String::as_str)
    }

    /// Makes these changes, and compares what is announced with what they do.
    pub(super) async fn go(&mut self, round: Round) -> TestCaseResult {
        for op in round.ops {
            self.apply(op).await;
        }
        if let Some(is_after) = round.crash {
            self.switch.arm(if is_after { Crash::After } else { Crash::Before });
            // Where there is nothing to announce, nothing is committed, and nothing crashes.
            drop(announce_changes(&self.app.ctx).await);
            self.reopen().await;
        }
        self.settled().await
    }

    /// The next process goes on with what reached the disk.
    async fn reopen(&mut self) {
        let now = self.app.now().millis();
        let (app, switch) = app_on(&self.disk).await;
        app.is_damaged();
        app.advance_ms(now - app.now().millis());
        (self.app, self.switch) = (app, switch);
    }

    pub(super) async fn apply(&self, op: Op) {
        if let Op::Wait { until } = op {
            let left = self.begin + until - self.app.now().millis();
            self.app.advance_ms(left.max(0));
            return;
        }
        let (ids, begin) = (self.ids.clone(), self.begin);
        let change = move |tx: &mut dyn Write, at: &Moment| ids.apply(tx, at, &op, begin);
        // What refers to deleted records is refused, and changes nothing.
        drop(self.app.ctx.write(Actor::System, change).await);
    }

    /// Takes back the notes of a kind, as if what they are about were no input.
    pub(super) async fn forget(&self, kind: &str) {
        let kind = group_key(&[kind]);
        let forget = move |tx: &mut dyn Write, _: &Moment| {
            let noted = keys(tx, "availability.touched").into_iter().filter(|it| it[2..].starts_with(&kind));
            noted.for_each(|key| tx.delete(key));
            Ok(())
        };
        self.app.ctx.write(Actor::System, forget).await.expect("a write");
    }

    /// Announces everything, and compares it with how the decisions have changed.
    pub(super) async fn settled(&mut self) -> TestCaseResult {
        work(&self.app).await;
        let decided = self.decisions();
        let mut expected = Vec::new();
        for (pair, reason) in &decided {
            if self.decided[pair].is_none() != reason.is_none() {
                expected.push((pair.clone(), reason.clone()));
            }
        }
        let all = events(&self.app);
        let text = |it: &Value| it.as_str().map(str::to_owned);
        let mut announced = Vec::new();
        for (is_available, data) in &all[self.n_events..] {
            let pair =
                (text(&data["sales_channel_id"]).expect("a channel"), text(&data["id"]).expect("an id"));
            prop_assert_eq!(*is_available, data["reason"].is_null(), "{}", data);
            let product = self.product_of(&pair.1);
            prop_assert_eq!(&data["product_id"], product, "{}", data);
            announced.push((pair, text(&data["reason"])));
        }
        announced.sort();
        prop_assert_eq!(announced, expected);
        (self.decided, self.n_events) = (decided, all.len());
        prop_assert_eq!(wrong(&self.app), [""; 0]);
        Ok(())
    }

    fn product_of(&self, variant: &str) -> &str {
        let place = self.ids.variants.iter().position(|it| it == variant).expect("a variant of the world");
        &self.ids.products[place / 2]
    }

    /// What the explanation for admins says of each pair.
    fn decisions(&self) -> Decisions {
        let (view, at) = (self.app.ctx.view(), self.app.now());
        let mut decisions = Decisions::new();
        for channel in &self.ids.channels {
            for variant in &self.ids.variants {
                let question = Question { channel, variant, quantity: Decimal::ONE, at, price: None };
                let answer = explain(&view, &question).expect("an explanation");
                let reason = answer["reasons"][0]["code"].as_str().map(str::to_owned);
                assert_eq!(answer["sellable"], reason.is_none());
                decisions.insert((channel.clone(), variant.clone()), reason);
            }
        }
        decisions
    }
}

fn make(tx: &mut dyn Write, at: &Moment) -> Result<Ids, Fault> {
    let mut ids = Ids::default();
    for _ in 0..N_PLACES {
        ids.places.push(STOCK_LOCATIONS.create(tx, at, StockLocation::default())?.id.to_string());
    }
    for n in 0..N_CHANNELS {
        let channel = SalesChannel { name: n.to_string(), ..SalesChannel::default() };
        ids.channels.push(SALES_CHANNELS.create(tx, at, channel)?.id.to_string());
    }
    for _ in 0..N_ITEMS {
        ids.items.push(INVENTORY_ITEMS.create(tx, at, InventoryItem::default())?.id.to_string());
    }
    for n in 0..N_PRODUCTS {
        let product =
            Product { handle: n.to_string(), status: ProductStatus::Published, ..Product::default() };
        let product = PRODUCTS.create(tx, at, product)?.id;
        for _ in 0..2 {
            let variant = ProductVariant { product_id: product.clone(), ..ProductVariant::default() };
            ids.variants.push(VARIANTS.create(tx, at, variant)?.id.to_string());
        }
        ids.products.push(product.to_string());
    }
    let mut ops = Vec::new();
    for channel in 0..N_CHANNELS {
        ops.extend((0..N_PLACES).map(|place| Op::Sell { channel, place, safety_stock: Some(0) }));
        ops.extend((0..N_PRODUCTS).map(|product| Op::List { product, channel, window: Some([None; 2]) }));
    }
    // The first item is in all variants, and the last variant is a kit.
    ops.extend((0..N_VARIANTS).map(|variant| Op::Require { variant, item: 0, quantity: Some(1) }));
    ops.push(Op::Require { variant: N_VARIANTS - 1, item: 1, quantity: Some(2) });
    ops.extend((0..N_ITEMS).map(|item| Op::Stock { item, place: 0, stocked: Some(5) }));
    // Their own safety stock is read where a channel has one at all.
    ops.push(Op::HoldBack { channel: 0, item: 0, place: 0, quantity: Some(1) });
    ops.iter().try_for_each(|op| ids.apply(tx, at, op, at.now().millis()))?;
    Ok(ids)
}

impl Ids {
    fn apply(&self, tx: &mut dyn Write, at: &Moment, op: &Op, begin: i64) -> Result<(), Fault> {
        match *op {
            Op::Stock { item, place, stocked: Some(stocked) } => self.stock(tx, at, item, place, stocked)?,
            Op::Stock { item, place, stocked: None } => self.unstock(tx, at, item, place)?,
            Op::Reserve { item, place } => {
                let promise = ReservationItem {
                    inventory_item_id: self.items[item].clone().into(),
                    location_id: self.places[place].clone(),
                    quantity: Decimal::ONE,
                    allow_backorder: true,
                    ..ReservationItem::default()
                };
                reserve(tx, at, promise)?;
            }
            Op::Release => {
                if let Some(it) = RESERVATIONS.table.list_all(tx)?.first() {
                    release_reservation(tx, at, &it.id)?;
                }
            }
            Op::Flags { variant, manages, backorders } => {
                let set = |it: &mut ProductVariant| {
                    (it.manage_inventory, it.allow_backorder) = (manages, backorders);
                };
                VARIANTS.update(tx, at, &self.variants[variant], set)?;
            }
            Op::Status { product, status } => {
                PRODUCTS.update(tx, at, &self.products[product], |it: &mut Product| it.status = status)?;
            }
            Op::Disable { channel, is_disabled } => {
                let set = |it: &mut SalesChannel| it.is_disabled = is_disabled;
                SALES_CHANNELS.update(tx, at, &self.channels[channel], set)?;
            }
            Op::DeleteVariant { variant } => drop(delete_variant(tx, at, &self.variants[variant])?),
            Op::DeleteProduct { product } => drop(delete_product(tx, at, &self.products[product])?),
            Op::RestoreProduct { product } => drop(restore_product(tx, at, &self.products[product])?),
            Op::DeleteChannel { channel } => {
                drop(SALES_CHANNELS.soft_delete(tx, at, &self.channels[channel])?);
            }
            Op::RestoreChannel { channel } => drop(SALES_CHANNELS.restore(tx, at, &self.channels[channel])?),
            Op::DeletePlace { place } => drop(STOCK_LOCATIONS.soft_delete(tx, at, &self.places[place])?),
            Op::RestorePlace { place } => drop(STOCK_LOCATIONS.restore(tx, at, &self.places[place])?),
            _ => self.link(tx, at, op, begin)?,
        }
        Ok(())
    }

    fn stock(
        &self,
        tx: &mut dyn Write,
        at: &Moment,
        item: usize,
        place: usize,
        stocked: i64,
    ) -> Result<(), Fault> {
        if let Some(level) = level_at(tx, &self.items[item], &self.places[place])? {
            let set = |it: &mut InventoryLevel| it.stocked_quantity = stocked.into();
            INVENTORY_LEVELS.update(tx, at, &level.id, set)?;
            return Ok(());
        }
        let level = InventoryLevel {
            inventory_item_id: self.items[item].clone().into(),
            location_id: self.places[place].clone(),
            stocked_quantity: stocked.into(),
            ..InventoryLevel::default()
        };
        INVENTORY_LEVELS.create(tx, at, level)?;
        Ok(())
    }

    fn unstock(&self, tx: &mut dyn Write, at: &Moment, item: usize, place: usize) -> Result<(), Fault> {
        let (item, place) = (&self.items[item], &self.places[place]);
        let Some(level) = level_at(tx, item, place)? else { return Ok(()) };
        for it in RESERVATIONS.table.list_all(tx)? {
            if *it.inventory_item_id == **item && it.location_id == *place {
                release_reservation(tx, at, &it.id)?;
            }
        }
        INVENTORY_LEVELS.delete(tx, at, &level.id)?;
        Ok(())
    }

    /// Links two records with these columns, or takes the link back.
    fn link(&self, tx: &mut dyn Write, at: &Moment, op: &Op, begin: i64) -> Result<(), Fault> {
        let column = |name: &str, quantity: Option<i64>| quantity.map(|it| object([(name, json!(it))]));
        let moment = |it: Option<i64>| json!(it.map(|it| Timestamp::from_millis(begin + it)));
        let mut of_level = String::new();
        let (link, left, right, columns): (&'static Link, &str, &str, _) = match *op {
            Op::Sell { channel, place, safety_stock } => {
                let columns = column(SAFETY_STOCK, safety_stock);
                (&SALES_CHANNEL_STOCK_LOCATION, &self.channels[channel], &self.places[place], columns)
            }
            Op::HoldBack { channel, item, place, quantity } => {
                let Some(level) = level_at(tx, &self.items[item], &self.places[place])? else {
                    return Ok(());
                };
                of_level.push_str(&level.id);
                let columns = column(SAFETY_STOCK, quantity);
                (&SALES_CHANNEL_INVENTORY_LEVEL, &self.channels[channel], &of_level, columns)
            }
            Op::List { product, channel, window } => {
                let columns = window.map(|[from, until]| {
                    object([(AVAILABLE_FROM, moment(from)), (AVAILABLE_UNTIL, moment(until))])
                });
                (&PRODUCT_SALES_CHANNEL, &self.products[product], &self.channels[channel], columns)
            }
            Op::Exclude { channel, variant, is_excluded } => {
                let columns = is_excluded.then(Map::new);
                (&SALES_CHANNEL_EXCLUDED_VARIANT, &self.channels[channel], &self.variants[variant], columns)
            }
            Op::Require { variant, item, quantity } => {
                let columns = column("required_quantity", quantity);
                (&PRODUCT_VARIANT_INVENTORY_ITEM, &self.variants[variant], &self.items[item], columns)
            }
            _ => unreachable!("it changes a record"),
        };
        match columns {
            Some(columns) => link.attach(tx, at, left, right, columns)?,
            None => link.detach(tx, at, left, right)?,
        };
        Ok(())
    }
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
