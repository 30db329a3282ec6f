//! Random orders, fulfilments, cancellations and changes of stock, one after the other and at once, against
//! books that know nothing of the code: what is on hand and what is out make up what there is, what is
//! reserved is what open orders are still owed, nothing is sold twice, and nothing is stuck.

use std::collections::BTreeMap;

use atoll_inventory::release;
use atoll_kernel::{Actor, Fault, Moment, Write};
use atoll_order::{Order, complete_order};
use atoll_testkit::{Client, Shop, TestApp, check_drawn, complete, id, times};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    test_runner::{TestCaseError, TestCaseResult},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Few at a desk; `cargo xtask thorough` draws thousands.
fn n_histories() -> u32 {
    times("ATOLL_HISTORIES", 40)
}

/// What is for sale: tea, cups, kits of two tea and a cup, and cards that nobody counts.
const N_GOODS: usize = 4;
const KITS: usize = 2;
const CARDS: usize = 3;
const N_ITEMS: usize = 2;
const TAKES: [&[(usize, i64)]; N_GOODS] = [&[(0, 1)], &[(1, 1)], &[(0, 2), (1, 1)], &[]];

/// How many of an item one piece takes; of an item that it does not take, one may be promised.
fn each(takes: &[(usize, i64)], item: usize) -> i64 {
    takes.iter().find(|(it, _)| *it == item).map_or(1, |(_, one)| *one)
}

#[derive(Clone, Debug)]
enum Act {
    /// An order of one or two of the goods.
    Buy(Vec<(usize, i64)>),
    Send {
        order: usize,
        line: usize,
        quantity: i64,
        from: Option<usize>,
    },
    CallBack {
        order: usize,
        parcel: usize,
    },
    Cancel {
        order: usize,
    },
    Complete {
        order: usize,
    },
    Archive {
        order: usize,
    },
    /// Some of an item is promised to a line by hand.
    Reserve {
        order: usize,
        line: usize,
        item: usize,
        place: usize,
        quantity: i64,
    },
    /// So much more is promised by a reservation of an order, and maybe elsewhere.
    Move {
        order: usize,
        promise: usize,
        place: usize,
        more: i64,
    },
    /// So many lie at a place.
    Stock {
        item: usize,
        place: usize,
        quantity: i64,
    },
    /// Nothing lies there any more.
    Unstock {
        item: usize,
        place: usize,
    },
    /// What the goods are made of is taken from them, or given back.
    Detach {
        goods: usize,
    },
    /// The goods are counted no longer, or again.
    Uncount {
        goods: usize,
    },
}

#[derive(Clone, Debug)]
enum Step {
    One(Act),
    Together(Vec<Act>),
    /// Goods that are not counted are bought, something is promised to them by hand at both places, and they
    /// are sent.
    Promised {
        goods: usize,
        quantity: i64,
        item: usize,
        promised: [i64; 2],
    },
}

fn order_act() -> impl Strategy<Value = Act> {
    let line = (0..N_GOODS, 1..4_i64);
    prop_oneof![
        4 => vec(line, 1..3).prop_map(Act::Buy),
        4 => (0..8_usize, 0..2_usize, 1..4_i64, option::of(0..2_usize))
            .prop_map(|(order, line, quantity, from)| Act::Send { order, line, quantity, from }),
        3 => (0..8_usize, 0..4_usize).prop_map(|(order, parcel)| Act::CallBack { order, parcel }),
        1 => (0..8_usize).prop_map(|order| Act::Cancel { order }),
        1 => (0..8_usize).prop_map(|order| Act::Complete { order }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let other = prop_oneof![
        1 => (0..8_usize).prop_map(|order| Act::Archive { order }),
        3 => (0..8_usize, 0..2_usize, 0..N_ITEMS, 0..2_usize, 1..3_i64)
            .prop_map(|(order, line, item, place, quantity)| Act::Reserve { order, line, item, place, quantity }),
        2 => (0..8_usize, 0..4_usize, 0..2_usize, -1..3_i64)
            .prop_map(|(order, promise, place, more)| Act::Move { order, promise, place, more }),
        2 => (0..N_ITEMS, 0..2_usize, 0..7_i64)
            .prop_map(|(item, place, quantity)| Act::Stock { item, place, quantity }),
        1 => (0..N_ITEMS, 0..2_usize).prop_map(|(item, place)| Act::Unstock { item, place }),
        1 => (0..N_GOODS).prop_map(|goods| Act::Detach { goods }),
        1 => (0..N_GOODS).prop_map(|goods| Act::Uncount { goods }),
    ];
    prop_oneof![
        6 => order_act().prop_map(Step::One),
        3 => other.prop_map(Step::One),
        2 => vec(order_act(), 2..6).prop_map(Step::Together),
        1 => (KITS..=CARDS, 1..4_i64, 0..N_ITEMS, [1..4_i64, 1..3_i64])
            .prop_map(|(goods, quantity, item, promised)| Step::Promised { goods, quantity, item, promised }),
    ]
}

#[test]
fn random_order_histories_keep_the_stock_books_balanced() {
    check_drawn(
        n_histories(),
        || vec(step(), 4..24),
        async |steps: Vec<Step>| history(&World::open().await, steps).await,
    );
}

async fn history(world: &World, steps: Vec<Step>) -> TestCaseResult {
    let fail = |text: String| TestCaseError::fail(text);
    let mut books = Books::open(world).await;
    for step in &steps {
        match step {
            Step::One(act) => books.act(act).await.map_err(fail)?,
            Step::Together(acts) => books.act_together(acts).await?,
            Step::Promised { goods, quantity, item, promised } => {
                books.sell_promised(*goods, *quantity, *item, *promised).await.map_err(fail)?;
            }
        }
        books.audit().await.map_err(|error| TestCaseError::fail(format!("after {step:?}: {error}")))?;
    }
    books.settle().await.map_err(fail)
}

/// The old way: what a variant takes today is sent, whatever was promised. The books must object.
#[tokio::test]
async fn stock_books_detect_wrong_fulfilment_and_reservation() {
    let world = World::open().await;
    let mut books = Books::open(&world).await;
    books.act(&Act::Buy(vec![(0, 2)])).await.expect("two tea");
    books.audit().await.expect("nothing is wrong yet");
    let order = books.orders[0].path[14..].to_owned();
    let send = move |tx: &mut dyn Write, at: &Moment| -> Result<Order, Fault> {
        let order = complete_order(tx, at, &order)?;
        release(tx, at, &order.items[0].id)?;
        Ok(order)
    };
    world.shop.app.ctx.write(Actor::System, send).await.expect("the order is done");
    let verdict = books.audit().await;
    assert_eq!(verdict, Err("order 0 is done, and 0 of 2 of item 0 are out".to_owned()));
    // And a promise that nobody is owed.
    let mut books = Books::open(&world).await;
    books.act(&Act::Buy(vec![(1, 1)])).await.expect("a cup");
    let promise =
        json!({ "inventory_item_id": books.items[1], "location_id": world.places[0], "quantity": 1 });
    world.shop.admin.post("/admin/reservations", promise).await.ok();
    assert_eq!(books.audit().await, Err("2 of item 1 are reserved, and 1 are owed".to_owned()));
}

/// A shop that sells from two places.
struct World {
    shop: Shop,
    storefront: Client,
    channel: String,
    places: [String; 2],
}

impl World {
    async fn open() -> World {
        let shop = Shop::open(TestApp::init().await).await;
        let channel = shop.channel("Web").await;
        let shed = shop.admin.post("/admin/stock-locations", json!({ "name": "Shed" })).await.ok();
        let shed = id(&shed["stock_location"]);
        let path = format!("/admin/stock-locations/{shed}/sales-channels");
        shop.admin.post(&path, json!({ "add": [channel] })).await.ok();
        let storefront = shop.storefront(&[&channel]).await;
        let places = [shop.location.clone(), shed];
        World { shop, storefront, channel, places }
    }
}

/// What somebody would write down who sees the requests and their answers.
struct Books<'a> {
    world: &'a World,
    items: Vec<String>,
    goods: Vec<Goods>,
    /// How many there are of each item, on hand or out.
    there: [i64; N_ITEMS],
    orders: Vec<Placed>,
}

struct Goods {
    variant: String,
    product: String,
    takes: Vec<(usize, i64)>,
    is_counted: bool,
}

struct Placed {
    path: String,
    lines: Vec<Line>,
}

/// Some of the goods, with what they took when they were bought.
#[derive(Clone, Debug)]
struct Line {
    goods: usize,
    quantity: i64,
    needs: Vec<(usize, i64)>,
    /// What was reserved for it by hand, where it needed nothing.
    by_hand: [i64; N_ITEMS],
}

impl Line {
    /// What leaves the shelf for all of it, by item.
    fn takes(&self) -> impl Iterator<Item = (usize, i64)> {
        let by_hand = self.by_hand.iter().copied().enumerate().filter(|(_, quantity)| *quantity > 0);
        self.needs.iter().copied().chain(by_hand)
    }
}

/// What the shop says of itself.
struct Seen {
    /// What lies there, and what of it is reserved, by item and place; with the id of the level.
    levels: BTreeMap<(usize, usize), (i64, i64, String)>,
    orders: Vec<SeenOrder>,
}

struct SeenOrder {
    is_called_off: bool,
    is_done: bool,
    is_archived: bool,
    /// By the lines of the books: the id, and how many are said to be sent.
    lines: Vec<(String, i64)>,
    /// By line and item.
    out: BTreeMap<(usize, usize), i64>,
    /// The fulfilments, and whether they were called off.
    parcels: Vec<(String, bool)>,
    promises: Vec<Promise>,
}

/// A reservation for a line of an order.
struct Promise {
    id: String,
    line: usize,
    item: usize,
    place: usize,
    quantity: i64,
}

impl SeenOrder {
    /// How much of an item may be promised to a line beside what is. Where it was not counted, each piece may
    /// take `each`.
    fn promisable(&self, placed: &Line, line: usize, item: usize, each: i64) -> i64 {
        let (sent, out) = (self.lines[line].1, self.out(line, item));
        let promises = self.promises.iter().filter(|it| (it.line, it.item) == (line, item));
        let takes = if placed.needs.is_empty() {
            (each * placed.quantity).min(each * (placed.quantity - sent) + out)
        } else {
            placed.needs.iter().filter(|(it, _)| *it == item).map(|(_, needs)| needs).sum()
        };
        takes - out - promises.map(|it| it.quantity).sum::<i64>()
    }

    fn out(&self, line: usize, item: usize) -> i64 {
        self.out.get(&(line, item)).copied().unwrap_or_default()
    }
}

/// What is asked of the shop.
enum Plan {
    Buy(Vec<Line>, Value),
    Post(String, Value),
    Delete(String),
    Nothing,
}

enum Outcome {
    Bought(Placed),
    Done,
    Refused(String),
}

impl<'a> Books<'a> {
    async fn open(world: &'a World) -> Books<'a> {
        let shop = &world.shop;
        let n = shop.admin.get("/admin/products?limit=0").await.ok()["count"].clone();
        let name = |what: &str| format!("{what} {n}");
        let tea = shop.product(&name("Tea"), &[&world.channel], 5).await;
        let cup = shop.product(&name("Cup"), &[&world.channel], 4).await;
        shop.stock(&tea.item, &world.places[1], 4).await;
        shop.stock(&cup.item, &world.places[1], 2).await;
        let parts = json!([
            { "inventory_item_id": tea.item, "required_quantity": 2 },
            { "inventory_item_id": cup.item, "required_quantity": 1 },
        ]);
        let parts = json!({ "inventory_items": parts });
        let kit = shop.product_with(&name("Kit"), &[&world.channel], 0, parts).await;
        let free = json!({ "manage_inventory": false });
        let card = shop.product_with(&name("Card"), &[&world.channel], 0, free).await;
        let items = vec![tea.item.clone(), cup.item.clone()];
        let goods = [tea, cup, kit, card].into_iter().zip(TAKES).map(|(it, takes)| Goods {
            variant: it.id,
            product: it.product,
            takes: takes.to_vec(),
            is_counted: !takes.is_empty(),
        });
        Books { world, items, goods: goods.collect(), there: [9, 6], orders: Vec::new() }
    }

    async fn see(&self) -> Result<Seen, String> {
        let admin = &self.world.shop.admin;
        let whole = |it: &Value| it.as_i64().ok_or_else(|| format!("{it} is no whole number"));
        let place = |it: &Value| self.world.places.iter().position(|place| it["location_id"] == **place);
        let mut levels = BTreeMap::new();
        for (n, item) in self.items.iter().enumerate() {
            let path = format!("/admin/inventory-items/{item}/location-levels");
            let found = admin.get(&path).await.ok()["inventory_levels"].clone();
            for level in found.as_array().into_iter().flatten() {
                let quantities = (whole(&level["stocked_quantity"])?, whole(&level["reserved_quantity"])?);
                let at = place(level).ok_or("a level is nowhere")?;
                levels.insert((n, at), (quantities.0, quantities.1, id(level)));
            }
        }
        let of_items: String = self.items.iter().map(|it| format!("&inventory_item_id[]={it}")).collect();
        let promises = admin.get(&format!("/admin/reservations?limit=1000{of_items}")).await.ok();
        let mut orders = Vec::new();
        for order in &self.orders {
            let fields = "status,canceled_at,*items,*items.detail,*fulfillments,*fulfillments.items";
            let shown = admin.get(&format!("{}?fields={fields}", order.path)).await.ok()["order"].clone();
            let is_called_off = !shown["canceled_at"].is_null();
            let mut lines = Vec::new();
            for line in &order.lines {
                let variant = &self.goods[line.goods].variant;
                let found = shown["items"].as_array().into_iter().flatten();
                let found = found.clone().find(|it| it["variant_id"] == **variant).ok_or("a line is gone")?;
                lines.push((id(found), whole(&found["detail"]["fulfilled_quantity"])?));
            }
            let (mut out, mut parcels) = (BTreeMap::new(), Vec::new());
            for parcel in shown["fulfillments"].as_array().into_iter().flatten() {
                let is_back = !parcel["canceled_at"].is_null();
                parcels.push((id(parcel), is_back));
                for it in parcel["items"].as_array().into_iter().flatten().filter(|_| !is_back) {
                    let line = lines.iter().position(|(id, _)| it["line_item_id"] == **id);
                    let item = self.items.iter().position(|id| it["inventory_item_id"] == **id);
                    let place = (line.ok_or("whose is it?")?, item.ok_or("what is it?")?);
                    *out.entry(place).or_insert(0) += whole(&it["quantity"])?;
                }
            }
            let mut of_lines = Vec::new();
            for it in promises["reservations"].as_array().into_iter().flatten() {
                if let Some(line) = lines.iter().position(|(id, _)| it["line_item_id"] == **id) {
                    let item = self.items.iter().position(|id| it["inventory_item_id"] == **id);
                    let (item, place) = (item.ok_or("of what?")?, place(it).ok_or("where?")?);
                    of_lines.push(Promise {
                        id: id(it),
                        line,
                        item,
                        place,
                        quantity: whole(&it["quantity"])?,
                    });
                }
            }
            orders.push(SeenOrder {
                promises: of_lines,
                is_called_off,
                is_done: ["completed", "archived"].iter().any(|it| shown["status"] == **it) && !is_called_off,
                is_archived: shown["status"] == "archived",
                lines,
                out,
                parcels,
            });
        }
        Ok(Seen { levels, orders })
    }

    /// What open orders are still owed of an item.
    fn owed(&self, seen: &Seen, item: usize) -> i64 {
        let mut owed = 0;
        for (order, shown) in self.orders.iter().zip(&seen.orders) {
            for (n, line) in order.lines.iter().enumerate().filter(|_| !shown.is_called_off) {
                let needs = line.takes().filter(|(it, _)| *it == item).map(|(_, needs)| needs);
                owed += needs.sum::<i64>() - shown.out(n, item);
            }
        }
        owed
    }

    /// Do the books and the shop agree?
    async fn audit(&self) -> Result<(), String> {
        let seen = self.see().await?;
        for (n, (order, shown)) in self.orders.iter().zip(&seen.orders).enumerate() {
            for (at, line) in order.lines.iter().enumerate() {
                for (item, needs) in line.takes() {
                    let out = shown.out(at, item);
                    match (shown.is_called_off, shown.is_done) {
                        (true, _) if out != 0 => {
                            return Err(format!("order {n} is called off, and {out} are out"));
                        }
                        (_, true) if out != needs => {
                            return Err(format!(
                                "order {n} is done, and {out} of {needs} of item {item} are out"
                            ));
                        }
                        _ if !(0..=needs).contains(&out) => {
                            return Err(format!("order {n}: {out} of {needs} of item {item} are out"));
                        }
                        _ => {}
                    }
                    let sent = shown.lines[at].1;
                    let is_uncounted = line.needs.is_empty() && !shown.is_called_off;
                    let each = each(TAKES[line.goods], item);
                    // A piece with two parts is not sent while one of them is promised.
                    let least = if line.takes().count() == 1 && each == 1 { out } else { 0 };
                    let most = line.quantity - (needs - out + each - 1) / each;
                    if is_uncounted && !(least..=most).contains(&sent) {
                        return Err(format!("order {n} line {at}: {sent} are sent, with {out} of {needs}"));
                    }
                }
                let whole =
                    line.needs.iter().map(|(item, needs)| shown.out(at, *item) * line.quantity / needs);
                if let Some(whole) = whole.min()
                    && whole != shown.lines[at].1
                {
                    return Err(format!("order {n} line {at}: {whole} are sent, not {}", shown.lines[at].1));
                }
            }
        }
        for (item, there) in self.there.iter().enumerate() {
            let levels =
                || seen.levels.iter().filter(move |((it, _), _)| *it == item).map(|(_, level)| level);
            if let Some(level) = levels().find(|(stocked, reserved, _)| !(0..=*stocked).contains(reserved)) {
                return Err(format!("item {item}: {level:?}"));
            }
            let on_hand: i64 = levels().map(|it| it.0).sum();
            let reserved: i64 = levels().map(|it| it.1).sum();
            let out = seen.orders.iter().flat_map(|it| &it.out).filter(|((_, it), _)| *it == item);
            let out: i64 = out.map(|(_, out)| out).sum();
            if on_hand + out != *there {
                return Err(format!(
                    "of item {item}, {on_hand} are on hand and {out} out, and {there} exist"
                ));
            }
            let owed = self.owed(&seen, item);
            if reserved != owed {
                return Err(format!("{reserved} of item {item} are reserved, and {owed} are owed"));
            }
        }
        Ok(())
    }

    /// The order that is meant, if there is any.
    fn order(&self, n: usize) -> Option<usize> {
        n.checked_rem(self.orders.len())
    }

    fn plan(&self, act: &Act, seen: &Seen) -> Plan {
        let order = |n: usize| self.order(n).map(|n| (&self.orders[n], &seen.orders[n]));
        let post = |n: usize, what: &str| match order(n) {
            Some((order, _)) => Plan::Post(format!("{}/{what}", order.path), json!({})),
            None => Plan::Nothing,
        };
        match act {
            Act::Buy(wanted) => {
                let mut lines: Vec<Line> = Vec::new();
                for (goods, quantity) in wanted {
                    if lines.iter().all(|it| it.goods != *goods) {
                        let (goods, quantity, it) = (*goods, *quantity, &self.goods[*goods]);
                        let takes = it.takes.iter().filter(|_| it.is_counted);
                        let needs = takes.map(|(item, one)| (*item, one * quantity)).collect();
                        lines.push(Line { goods, quantity, needs, by_hand: [0; N_ITEMS] });
                    }
                }
                let item = |it: &Line| json!({ "variant_id": self.goods[it.goods].variant, "quantity": it.quantity });
                let items = lines.iter().map(item).collect();
                Plan::Buy(lines, items)
            }
            Act::Send { order: n, line, quantity, from } => match order(*n) {
                None => Plan::Nothing,
                Some((order, shown)) => {
                    let (line, _) = &shown.lines[line % shown.lines.len()];
                    let from = from.map(|it| &self.world.places[it]);
                    let body =
                        json!({ "items": [{ "id": line, "quantity": quantity }], "location_id": from });
                    Plan::Post(format!("{}/fulfillments", order.path), body)
                }
            },
            Act::CallBack { order: n, parcel } => match order(*n) {
                Some((_, shown)) if !shown.parcels.is_empty() => {
                    let (parcel, _) = &shown.parcels[parcel % shown.parcels.len()];
                    post(*n, &format!("fulfillments/{parcel}/cancel"))
                }
                _ => Plan::Nothing,
            },
            Act::Cancel { order } => post(*order, "cancel"),
            Act::Complete { order } => post(*order, "complete"),
            Act::Archive { order } => post(*order, "archive"),
            Act::Reserve { order: n, line, item, place, quantity } => match order(*n) {
                None => Plan::Nothing,
                Some((_, shown)) => {
                    let (line, _) = &shown.lines[line % shown.lines.len()];
                    let body = json!({
                        "line_item_id": line, "inventory_item_id": self.items[*item],
                        "location_id": self.world.places[*place], "quantity": quantity,
                    });
                    Plan::Post("/admin/reservations".to_owned(), body)
                }
            },
            Act::Move { order: n, promise, place, more } => match self.moved(*n, *promise, *more, seen) {
                None => Plan::Nothing,
                Some((promise, more)) => {
                    let place = &self.world.places[*place];
                    let body = json!({ "location_id": place, "quantity": promise.quantity + more });
                    Plan::Post(format!("/admin/reservations/{}", promise.id), body)
                }
            },
            Act::Stock { item, place, quantity } => {
                let path = format!("/admin/inventory-items/{}/location-levels", self.items[*item]);
                let place_id = &self.world.places[*place];
                if seen.levels.contains_key(&(*item, *place)) {
                    return Plan::Post(format!("{path}/{place_id}"), json!({ "stocked_quantity": quantity }));
                }
                Plan::Post(path, json!({ "location_id": place_id, "stocked_quantity": quantity }))
            }
            Act::Unstock { item, place } => match seen.levels.get(&(*item, *place)) {
                None => Plan::Nothing,
                Some((_, _, level)) => Plan::Post(
                    "/admin/inventory-items/location-levels/batch".to_owned(),
                    json!({ "delete": [level], "force": true }),
                ),
            },
            Act::Detach { goods } => {
                let Some((item, one)) = TAKES[*goods].last() else { return Plan::Nothing };
                let it = &self.goods[*goods];
                let path = format!("/admin/products/{}/variants/{}/inventory-items", it.product, it.variant);
                let item_id = &self.items[*item];
                if it.takes.len() == TAKES[*goods].len() {
                    return Plan::Delete(format!("{path}/{item_id}"));
                }
                Plan::Post(path, json!({ "inventory_item_id": item_id, "required_quantity": one }))
            }
            Act::Uncount { goods } => {
                let it = &self.goods[*goods];
                let path = format!("/admin/products/{}/variants/{}", it.product, it.variant);
                Plan::Post(path, json!({ "manage_inventory": !it.is_counted }))
            }
        }
    }

    /// The reservation that is meant, and how much more it is to promise. What was counted stays promised in
    /// full, so that nothing is stuck; what was not may be promised less.
    fn moved<'s>(
        &self,
        order: usize,
        promise: usize,
        more: i64,
        seen: &'s Seen,
    ) -> Option<(&'s Promise, i64)> {
        let order = self.order(order)?;
        let promises = &seen.orders[order].promises;
        let promise = &promises[promise.checked_rem(promises.len())?];
        let is_counted = !self.orders[order].lines[promise.line].needs.is_empty();
        let least = if is_counted { 0 } else { 1 - promise.quantity };
        Some((promise, more.max(least)))
    }

    /// Must it be done? Nothing, where the books cannot know.
    fn must(&self, act: &Act, seen: &Seen) -> Option<bool> {
        let shown = |n: usize| self.order(n).map(|n| &seen.orders[n]);
        let level = |item: usize, place: usize| seen.levels.get(&(item, place));
        Some(match act {
            Act::Buy(_) => {
                let Plan::Buy(lines, _) = self.plan(act, seen) else { return None };
                let needs = |item: usize| {
                    let needs = lines.iter().flat_map(|it| &it.needs).filter(move |(it, _)| *it == item);
                    needs.map(|(_, needs)| needs).sum::<i64>()
                };
                let out = |item: usize| {
                    let out =
                        seen.orders.iter().flat_map(|it| &it.out).filter(move |((_, it), _)| *it == item);
                    out.map(|(_, out)| out).sum::<i64>()
                };
                let free = |item: usize| self.there[item] - out(item) - self.owed(seen, item);
                let is_made = |it: &Line| !self.goods[it.goods].is_counted || !it.needs.is_empty();
                lines.iter().all(is_made) && (0..N_ITEMS).all(|item| needs(item) <= free(item))
            }
            Act::Send { order, line, quantity, from } => {
                let (order, placed) = (shown(*order)?, &self.orders[self.order(*order)?]);
                let line = line % placed.lines.len();
                let is_open = placed.lines[line].quantity - order.lines[line].1 >= *quantity;
                if is_open && !order.is_called_off && from.is_some() {
                    return None;
                }
                is_open && !order.is_called_off
            }
            Act::CallBack { order, parcel } => {
                let order = shown(*order)?;
                !order.parcels[parcel.checked_rem(order.parcels.len())?].1
            }
            Act::Cancel { order } => {
                let order = shown(*order)?;
                !order.is_done && !order.is_called_off && order.parcels.iter().all(|(_, is_back)| *is_back)
            }
            Act::Complete { order } => !shown(*order)?.is_called_off,
            Act::Archive { order } => {
                let order = shown(*order)?;
                (order.is_done || order.is_called_off) && !order.is_archived
            }
            Act::Reserve { order, line, item, place, quantity } => {
                let (order, placed) = (shown(*order)?, &self.orders[self.order(*order)?]);
                let line = line % placed.lines.len();
                let is_there = |it: &(i64, i64, String)| it.0 - it.1 >= *quantity;
                let line_each = each(&self.goods[placed.lines[line].goods].takes, *item);
                let left = order.promisable(&placed.lines[line], line, *item, line_each);
                !order.is_called_off && *quantity <= left && level(*item, *place).is_some_and(is_there)
            }
            Act::Move { order, promise, place, more } => {
                let (promise, more) = self.moved(*order, *promise, *more, seen)?;
                let (order, placed) = (shown(*order)?, &self.orders[self.order(*order)?]);
                let given_back = if promise.place == *place { promise.quantity } else { 0 };
                let is_there = |it: &(i64, i64, String)| it.0 - it.1 + given_back >= promise.quantity + more;
                let line = &placed.lines[promise.line];
                let line_each = each(&self.goods[line.goods].takes, promise.item);
                let left = order.promisable(line, promise.line, promise.item, line_each);
                more <= left.max(0) && level(promise.item, *place).is_some_and(is_there)
            }
            Act::Stock { item, place, quantity } => match level(*item, *place) {
                Some((stocked, reserved, _)) => quantity >= stocked || quantity >= reserved,
                None => true,
            },
            Act::Unstock { item, place } => level(*item, *place)?.1 == 0,
            Act::Detach { goods } => !TAKES[*goods].is_empty(),
            Act::Uncount { .. } => true,
        })
    }

    /// Does one thing, and writes down what came of it.
    async fn act(&mut self, act: &Act) -> Result<(), String> {
        let seen = self.see().await?;
        let plan = self.plan(act, &seen);
        if matches!(plan, Plan::Nothing) {
            return Ok(());
        }
        let must = self.must(act, &seen);
        let outcome = run(self.world.storefront.clone(), self.world.shop.admin.clone(), plan).await;
        let is_done = match &outcome {
            Outcome::Refused(why) if must == Some(true) => return Err(format!("{act:?} is refused: {why}")),
            Outcome::Bought(_) | Outcome::Done if must == Some(false) => {
                return Err(format!("{act:?} is done, and must not be"));
            }
            Outcome::Refused(_) => false,
            _ => true,
        };
        match act {
            Act::Stock { item, place, quantity } if is_done => {
                self.there[*item] += quantity - seen.levels.get(&(*item, *place)).map_or(0, |it| it.0);
            }
            Act::Unstock { item, place } if is_done => self.there[*item] -= seen.levels[&(*item, *place)].0,
            Act::Detach { goods } => {
                let (it, takes) = (&mut self.goods[*goods], TAKES[*goods]);
                let n = if it.takes.len() == takes.len() { takes.len() - 1 } else { takes.len() };
                it.takes = takes[..n].to_vec();
            }
            Act::Uncount { goods } => self.goods[*goods].is_counted ^= true,
            Act::Reserve { order, line, item, quantity, .. } if is_done => {
                let order = self.order(*order).ok_or("no order")?;
                let line = line % self.orders[order].lines.len();
                self.orders[order].lines[line].by_hand[*item] += quantity;
            }
            Act::Move { order, promise, more, .. } if is_done => {
                let (promise, more) = self.moved(*order, *promise, *more, &seen).ok_or("no promise")?;
                let order = self.order(*order).ok_or("no order")?;
                let line = &mut self.orders[order].lines[promise.line];
                if line.needs.is_empty() {
                    line.by_hand[promise.item] += more;
                }
            }
            _ => {}
        }
        if let Outcome::Bought(order) = outcome {
            self.orders.push(order);
        }
        Ok(())
    }

    /// Sells goods that are not counted, promises them what lies at each place, and sends them.
    async fn sell_promised(
        &mut self,
        goods: usize,
        quantity: i64,
        item: usize,
        promised: [i64; 2],
    ) -> Result<(), String> {
        let order = self.orders.len();
        if self.goods[goods].is_counted {
            self.act(&Act::Uncount { goods }).await?;
        }
        self.act(&Act::Buy(vec![(goods, quantity)])).await?;
        if self.orders.len() == order {
            return Ok(());
        }
        for (place, quantity) in promised.into_iter().enumerate() {
            self.act(&Act::Reserve { order, line: 0, item, place, quantity }).await?;
        }
        self.act(&Act::Send { order, line: 0, quantity, from: None }).await
    }

    /// Does several things of orders at once.
    async fn act_together(&mut self, acts: &[Act]) -> TestCaseResult {
        let seen = self.see().await.map_err(TestCaseError::fail)?;
        let mut tasks = JoinSet::new();
        for act in acts {
            let plan = self.plan(act, &seen);
            tasks.spawn(run(self.world.storefront.clone(), self.world.shop.admin.clone(), plan));
        }
        for outcome in tasks.join_all().await {
            if let Outcome::Bought(order) = outcome {
                self.orders.push(order);
            }
        }
        Ok(())
    }

    /// In the end every order can be brought to one: called off with all that was sent of it, or sent and
    /// done. Then nothing is reserved.
    async fn settle(&mut self) -> Result<(), String> {
        for n in 0..self.orders.len() {
            let seen = self.see().await?;
            let shown = &seen.orders[n];
            if shown.is_called_off {
                continue;
            }
            if n % 2 == 0 {
                for parcel in 0..shown.parcels.len() {
                    if !shown.parcels[parcel].1 {
                        self.act(&Act::CallBack { order: n, parcel }).await?;
                    }
                }
                self.act(&Act::Cancel { order: n }).await?;
            } else {
                for line in 0..shown.lines.len() {
                    let quantity = self.orders[n].lines[line].quantity - shown.lines[line].1;
                    if quantity > 0 {
                        self.act(&Act::Send { order: n, line, quantity, from: None }).await?;
                    }
                }
                self.act(&Act::Complete { order: n }).await?;
            }
            self.audit().await.map_err(|error| format!("when order {n} is settled: {error}"))?;
        }
        let seen = self.see().await?;
        match seen.levels.iter().find(|(_, level)| level.1 != 0) {
            Some((place, level)) => Err(format!("all orders are settled, and {place:?} is {level:?}")),
            None => Ok(()),
        }
    }
}

async fn run(storefront: Client, admin: Client, plan: Plan) -> Outcome {
    let answer = match plan {
        Plan::Nothing => return Outcome::Refused("nothing to do".to_owned()),
        Plan::Post(path, body) => admin.post(&path, body).await,
        Plan::Delete(path) => admin.delete(&path).await,
        Plan::Buy(lines, items) => {
            let cart = storefront.post("/store/carts", json!({ "items": items })).await;
            if !cart.status.is_success() {
                return Outcome::Refused(cart.error());
            }
            let answer = complete(&storefront, &id(&cart.json["cart"])).await;
            if answer.status.is_success() {
                let path = format!("/admin/orders/{}", id(&answer.json["order"]));
                return Outcome::Bought(Placed { path, lines });
            }
            answer
        }
    };
    if answer.status.is_success() { Outcome::Done } else { Outcome::Refused(answer.error()) }
}
