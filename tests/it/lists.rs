//! Lists of products by their list index agree with a model of them (property test): every order, filters,
//! search, keys of several channels, windows, and combinations; pages and exact counts.
//!
//! Catalogues and questions are drawn. The expected answers are computed here, from what was drawn.

use std::collections::{BTreeMap, BTreeSet};

use atoll_availability::sweep;
use atoll_kernel::{Actor, Fault, Moment, Timestamp, Write, limits::ANSWERS_BYTES_MAX};
use atoll_links::{AVAILABLE_FROM, AVAILABLE_UNTIL, PRODUCT_SALES_CHANNEL, SALES_CHANNEL_EXCLUDED_VARIANT};
use atoll_product::{
    PRODUCTS, Product, ProductPatch, ProductStatus, ProductVariant, VARIANTS, delete_product, restore_product,
};
use atoll_testkit::{Client, Setup, Shop, check_drawn, id, pages, times};
use proptest::{prelude::*, sample::select, test_runner::TestCaseResult};
use serde_json::{Map, Value, json};

/// So many that lists use the index, and not the narrowest set of records.
const N_PRODUCTS: usize = 160;
const N_CHANNELS: usize = 3;
const N_QUESTIONS: usize = 40;
/// Edges of windows, in milliseconds after the catalogue was made.
const EDGES: [i64; 2] = [10, 20];

const WORDS: [&str; 8] = ["tea", "teapot", "green", "black", "7up", "a", "ox", "earl-grey"];
const SEARCHED: [&str; 16] = [
    "tea", "teapot", "TEA", "ea", "e", "pot", "l-g", "earl", "zzz", "green tea", "sku-1", "tin", "7", "-",
    "black", "sku-12 tin",
];
/// Letters whose lower case is longer, or depends on what follows; marks that are no letters; other scripts;
/// a word that is stored in pieces, and none at all.
const DESCRIBED: [&str; 8] =
    ["Straße 12", "İzmir", "ΟΔΟΣ-Σ ΣΟΦΟΣ", "cafe\u{301}s", "日本茶", "नमस्ते", LONG, "-- !"];
const LONG: &str = "z0b1c2d3e4f5g6h7i8j9k0l1m2n3o4p5q6r7s8t9u0v1w2x3y4z5a6b7c8d9e0f1g2h3i4j5k6l7";
/// What is searched for in these.
const SEARCHED_IN_THEM: [&str; 22] = [
    "straße",
    "STRASSE",
    "ße",
    "ẞ",
    "İ",
    "izmir",
    "i\u{307}z",
    "οδοσ",
    "οδος",
    "σ",
    "ς-σ",
    "é",
    "e\u{301}",
    "\u{301}",
    "本",
    "日本茶",
    "स्",
    "नम",
    "z0b1c2d3e4f5g6h7i8j9k0l1m2n3o4p5",
    "q6r7s8t9u0v1w2x3y4z5a6b7c8d9e0f1g2h3i4j5k6l7",
    "p5q6r7s8t9u0v1w2x3y4z5a6b7c8d9e0f1g2",
    "! 12 e",
];
const BOUNDS: [&str; 4] = ["$gt", "$gte", "$lt", "$lte"];
const ORDERS: [&str; 13] = [
    "", "id", "-id", "title", "-title", "handle", "-handle", "created_at", "-created_at", "updated_at",
    "-updated_at", "collection_id", "-type_id",
];

#[derive(Clone, Debug)]
struct Drawn {
    products: Vec<Item>,
    questions: Vec<Question>,
    swept: Option<i64>,
}

#[derive(Clone, Debug)]
struct Item {
    words: Vec<&'static str>,
    described: &'static str,
    /// Word of its variant's title.
    variant: &'static str,
    is_published: bool,
    /// Milliseconds before the catalogue is complete.
    age: usize,
    collection: Option<usize>,
    /// The third one is internal: storefronts do not see it.
    categories: BTreeSet<usize>,
    /// Its windows in the channels that sell it.
    channels: Vec<Option<(Option<i64>, Option<i64>)>>,
    excluded: Vec<bool>,
    retitled: Option<&'static str>,
    is_deleted: bool,
    is_restored: bool,
}

#[derive(Clone, Debug)]
struct Question {
    order: &'static str,
    q: Option<&'static str>,
    collection: Option<usize>,
    /// Of one collection, in one category, or with one title. Admins may ask for it.
    any: Option<(usize, usize, &'static str)>,
    categories: BTreeSet<usize>,
    /// Admins may name a status.
    is_published: Option<bool>,
    sku: Option<usize>,
    /// Admins may name a channel, whatever it shows.
    linked: Option<usize>,
    /// Bounds of the time of creation: an operator, and milliseconds before the catalogue is complete.
    created: BTreeMap<&'static str, i64>,
    /// `None`: an admin asks.
    channels: Option<BTreeSet<usize>>,
    at: i64,
    offset: usize,
    limit: usize,
}

fn item() -> impl Strategy<Value = Item> {
    let edge = || prop::option::weighted(0.3, select(EDGES.to_vec()));
    let texts = (
        prop::collection::vec(select(WORDS.to_vec()), 1..4),
        select(vec!["tin", "bag"]),
        0..3_usize,
        select(DESCRIBED.to_vec()),
    );
    let sorted = (
        prop::option::of(0..2_usize),
        prop::collection::btree_set(0..3_usize, 0..3),
        prop::option::weighted(0.1, select(WORDS.to_vec())),
    );
    let channels = (
        prop::collection::vec(prop::option::weighted(0.7, (edge(), edge())), N_CHANNELS),
        prop::collection::vec(prop::bool::weighted(0.1), N_CHANNELS),
    );
    let states = (prop::bool::weighted(0.9), prop::bool::weighted(0.1), prop::bool::weighted(0.5));
    (texts, sorted, channels, states).prop_map(|(texts, sorted, channels, states)| Item {
        words: texts.0,
        variant: texts.1,
        age: texts.2,
        described: texts.3,
        collection: sorted.0,
        categories: sorted.1,
        retitled: sorted.2,
        channels: channels.0,
        excluded: channels.1,
        is_published: states.0,
        is_deleted: states.1,
        is_restored: states.2,
    })
}

fn question() -> impl Strategy<Value = Question> {
    let moments: Vec<i64> = EDGES.into_iter().flat_map(|it| [it - 1, it, it + 1]).collect();
    let what = (
        select(ORDERS.to_vec()),
        prop::option::of(select([&SEARCHED[..], &SEARCHED_IN_THEM[..]].concat())),
        prop::option::weighted(0.2, 0..2_usize),
        prop::collection::btree_set(0..3_usize, 0..2),
    );
    let who = prop::option::weighted(0.7, prop::collection::btree_set(0..N_CHANNELS, 1..=N_CHANNELS));
    let rest = (
        prop::option::weighted(0.2, any::<bool>()),
        prop::option::weighted(0.1, 0..N_PRODUCTS),
        prop::option::weighted(0.3, (0..2_usize, 0..3_usize, select(WORDS.to_vec()))),
        prop::option::weighted(0.3, prop::collection::btree_map(select(BOUNDS.to_vec()), 0..5_i64, 1..3)),
        prop::option::weighted(0.3, 0..N_CHANNELS),
    );
    (what, who, rest, select(moments), (0..40_usize, 1..30_usize)).prop_map(
        |(
            (order, q, collection, categories),
            channels,
            (is_published, sku, any, created, linked),
            at,
            (offset, limit),
        )| {
            // Storefronts show what is published.
            let is_published = is_published.filter(|_| channels.is_none());
            let any = any.filter(|_| channels.is_none());
            let created = created.unwrap_or_default();
            Question {
                order,
                q,
                collection,
                any,
                categories,
                is_published,
                sku,
                linked: linked.filter(|_| channels.is_none()),
                created,
                channels,
                at,
                offset,
                limit,
            }
        },
    )
}

fn drawn() -> impl Strategy<Value = Drawn> {
    (
        prop::collection::vec(item(), N_PRODUCTS),
        prop::collection::vec(question(), N_QUESTIONS),
        prop::option::of(select(EDGES.to_vec())),
    )
        .prop_map(|(products, questions, swept)| Drawn { products, questions, swept })
}

#[test]
fn lists_agree_with_a_model_in_every_order_filter_and_search() {
    // With remembered answers, and without.
    let memory = || select(vec![0, ANSWERS_BYTES_MAX]);
    check_drawn(
        times("ATOLL_LISTS", 6),
        || (drawn(), memory()),
        async |(drawn, bytes): (Drawn, usize)| {
            let shop = Shop::open(Setup::default().answers_bytes_max(bytes).init().await).await;
            Made::new(&shop, drawn).await.agrees().await
        },
    );
}

/// A catalogue in a shop.
struct Made<'a> {
    shop: &'a Shop,
    drawn: Drawn,
    ids: Vec<String>,
    channels: Vec<String>,
    collections: Vec<String>,
    categories: Vec<String>,
    begin: Timestamp,
}

impl<'a> Made<'a> {
    async fn new(shop: &'a Shop, drawn: Drawn) -> Made<'a> {
        let make = async |path: &str, body: Value, one: &str| {
            id(&shop.admin.post(&format!("/admin/{path}"), body).await.ok()[one])
        };
        let (mut channels, mut collections, mut categories) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..N_CHANNELS {
            channels.push(shop.channel(&format!("Channel {n}")).await);
        }
        for n in 0..2 {
            collections.push(make("collections", json!({ "title": format!("C {n}") }), "collection").await);
        }
        for n in 0..3 {
            let category = json!({ "name": format!("C {n}"), "is_active": true, "is_internal": n == 2 });
            categories.push(make("product-categories", category, "product_category").await);
        }
        let mut made =
            Made { shop, drawn, ids: Vec::new(), channels, collections, categories, begin: shop.app.now() };
        made.fill().await;
        made
    }

    /// Writes the catalogue in several transactions, at several times.
    async fn fill(&mut self) {
        let items = self.drawn.products.clone();
        let (collections, categories) = (self.collections.clone(), self.categories.clone());
        let mut ids = vec![String::new(); items.len()];
        for age in (0..3).rev() {
            let (items, collections, categories) = (items.clone(), collections.clone(), categories.clone());
            let create = move |tx: &mut dyn Write, at: &Moment| {
                let mut made = Vec::new();
                for (n, item) in items.iter().enumerate().filter(|(_, it)| it.age == age) {
                    made.push((n, create(tx, at, n, item, &collections, &categories)?));
                }
                Ok::<_, Fault>(made)
            };
            let (made, _) = self.shop.app.ctx.write(Actor::System, create).await.expect("products");
            made.into_iter().for_each(|(n, id)| ids[n] = id);
            self.shop.app.advance_ms(1);
        }
        self.ids = ids;
        self.begin = self.shop.app.now();
        let (items, ids, channels, swept) =
            (items, self.ids.clone(), self.channels.clone(), self.drawn.swept);
        let sell = move |tx: &mut dyn Write, at: &Moment| {
            for (item, id) in items.iter().zip(&ids) {
                sell(tx, at, item, id, &channels)?;
            }
            for channel in &channels {
                if let Some(to) = swept {
                    sweep(tx, channel, at.now().plus_millis(to), usize::MAX)?;
                }
            }
            Ok::<_, Fault>(())
        };
        self.shop.app.ctx.write(Actor::System, sell).await.expect("listings");
    }

    async fn agrees(&self) -> TestCaseResult {
        let mut questions = self.drawn.questions.clone();
        questions.sort_by_key(|it| it.at);
        let mut storefronts = BTreeMap::new();
        for question in &questions {
            let now = self.shop.app.now().millis() - self.begin.millis();
            self.shop.app.advance_ms(question.at - now);
            let client = match &question.channels {
                None => self.shop.admin.clone(),
                Some(channels) => {
                    if !storefronts.contains_key(channels) {
                        let ids: Vec<&str> = channels.iter().map(|it| self.channels[*it].as_str()).collect();
                        storefronts.insert(channels.clone(), self.shop.storefront(&ids).await);
                    }
                    storefronts[channels].clone()
                }
            };
            for _ in 0..2 {
                let found = self.ask(&client, question).await;
                prop_assert_eq!(found, self.expected(question), "{:?}", question);
            }
            let whole = Question { offset: 0, limit: self.ids.len(), ..question.clone() };
            prop_assert_eq!(self.walk(&client, question).await, self.expected(&whole).0, "{:?}", question);
        }
        prop_assert_eq!(self.shop.app.verify().findings, Vec::new());
        Ok(())
    }

    async fn ask(&self, client: &Client, question: &Question) -> (Vec<String>, u64) {
        let path = format!("{}&offset={}&limit={}", self.path(question), question.offset, question.limit);
        let list = client.get(&path).await.ok();
        let ids = list["products"].as_array().expect("products").iter().map(id).collect();
        (ids, list["count"].as_u64().expect("a count"))
    }

    /// All pages, by cursors.
    async fn walk(&self, client: &Client, question: &Question) -> Vec<String> {
        let pages = pages(client, &format!("{}&limit={}", self.path(question), question.limit.max(25))).await;
        pages.iter().flat_map(|page| page["products"].as_array().expect("products")).map(id).collect()
    }

    fn path(&self, question: &Question) -> String {
        let Question { order, .. } = question;
        let face = if question.channels.is_some() { "store" } else { "admin" };
        let mut path = format!("/{face}/products?fields=id");
        if !order.is_empty() {
            path += &format!("&order={order}");
        }
        if let Some(q) = question.q {
            path += &format!("&q={}", q.bytes().map(|it| format!("%{it:02X}")).collect::<String>());
        }
        if let Some((collection, category, title)) = question.any {
            let (collection, category) = (&self.collections[collection], &self.categories[category]);
            path += &format!(
                "&$or[0][collection_id]={collection}&$or[1][category_id]={category}&$or[2][title]={title}"
            );
        }
        if let Some(collection) = question.collection {
            path += &format!("&collection_id={}", self.collections[collection]);
        }
        for category in &question.categories {
            path += &format!("&category_id[]={}", self.categories[*category]);
        }
        if let Some(is_published) = question.is_published {
            path += if is_published { "&status[]=published" } else { "&status[]=draft" };
        }
        if let Some(sku) = question.sku {
            path += &format!("&variants[sku]=sku-{sku}");
        }
        if let Some(channel) = question.linked {
            path += &format!("&sales_channel_id[]={}", self.channels[channel]);
        }
        for (operator, age) in &question.created {
            path += &format!("&created_at[{operator}]={}", self.begin.plus_millis(-age));
        }
        path
    }

    /// The page and the count that the model expects.
    fn expected(&self, question: &Question) -> (Vec<String>, u64) {
        let mut found: Vec<usize> =
            (0..self.ids.len()).filter(|n| self.is_found(*n, &self.drawn.products[*n], question)).collect();
        let (field, is_descending) = match question.order.strip_prefix('-') {
            Some(field) => (field, true),
            None => (question.order, false),
        };
        found.sort_by(|a, b| {
            let by_id = self.ids[*a].cmp(&self.ids[*b]);
            if field.is_empty() || field == "id" {
                return if is_descending { by_id.reverse() } else { by_id };
            }
            let by_field = self.value(*a, field).cmp(&self.value(*b, field));
            if is_descending { by_field.reverse() } else { by_field }.then(by_id)
        });
        let page = found.iter().skip(question.offset).take(question.limit);
        (page.map(|it| self.ids[*it].clone()).collect(), found.len() as u64)
    }

    /// The value to sort by; what has none comes last.
    fn value(&self, n: usize, field: &str) -> (bool, String) {
        let item = &self.drawn.products[n];
        let is_touched = item.retitled.is_some_and(|it| it != item.words.join(" "));
        match field {
            "title" => (false, item.title()),
            "handle" => (false, handle(n)),
            "created_at" => (false, format!("{}", 9 - item.age)),
            "updated_at" => (false, if is_touched { "A".into() } else { format!("{}", 9 - item.age) }),
            "collection_id" => match item.collection {
                Some(collection) => (false, self.collections[collection].clone()),
                None => (true, String::new()),
            },
            "type_id" => (true, String::new()),
            field => panic!("{field}"),
        }
    }

    fn is_found(&self, n: usize, item: &Item, question: &Question) -> bool {
        let is_store = question.channels.is_some();
        let mut is_variant_seen = true;
        if item.is_deleted && !item.is_restored {
            return false;
        }
        if let Some(channels) = &question.channels {
            let open: Vec<usize> =
                channels.iter().copied().filter(|it| item.is_open(*it, question.at)).collect();
            if !item.is_published || open.is_empty() {
                return false;
            }
            is_variant_seen = open.iter().any(|it| !item.excluded[*it]);
        }
        let mut text = format!("{}\n{}\n{}\n", item.title(), item.described, handle(n)).to_lowercase();
        if is_variant_seen {
            text += &format!("{} {n}\nsku-{n}\n", item.variant);
        }
        let is_in_category = |it: &usize| item.categories.contains(it) && !(is_store && *it == 2);
        question.q.is_none_or(|q| q.to_lowercase().split(' ').all(|word| text.contains(word)))
            && question.collection.is_none_or(|it| item.collection == Some(it))
            && question.any.is_none_or(|(collection, category, title)| {
                item.collection == Some(collection)
                    || item.categories.contains(&category)
                    || item.title() == title
            })
            && (question.categories.is_empty() || question.categories.iter().any(is_in_category))
            && question.is_published.is_none_or(|it| item.is_published == it)
            && question.sku.is_none_or(|it| it == n && is_variant_seen)
            && question.linked.is_none_or(|it| item.channels[it].is_some())
            && question.created.iter().all(|(operator, age)| {
                let (created, bound) = (-1 - item.age as i64, -age);
                match *operator {
                    "$gt" => created > bound,
                    "$gte" => created >= bound,
                    "$lt" => created < bound,
                    _ => created <= bound,
                }
            })
    }
}

impl Item {
    fn title(&self) -> String {
        self.retitled.map_or_else(|| self.words.join(" "), str::to_owned)
    }

    fn is_open(&self, channel: usize, at: i64) -> bool {
        self.channels[channel]
            .is_some_and(|(from, until)| from.is_none_or(|it| it <= at) && until.is_none_or(|it| at < it))
    }
}

fn handle(n: usize) -> String {
    // In another order than the ids.
    format!("h{:03}-{}", n * 7 % 1000, WORDS[n % WORDS.len()])
}

fn create(
    tx: &mut dyn Write,
    at: &Moment,
    n: usize,
    item: &Item,
    collections: &[String],
    categories: &[String],
) -> Result<String, Fault> {
    let product = Product {
        title: item.words.join(" "),
        description: Some(item.described.to_owned()),
        handle: handle(n),
        status: if item.is_published { ProductStatus::Published } else { ProductStatus::Draft },
        collection_id: item.collection.map(|it| collections[it].clone().into()),
        category_ids: item.categories.iter().map(|it| categories[*it].clone().into()).collect(),
        ..Product::default()
    };
    let product = PRODUCTS.create(tx, at, product)?.id;
    let variant = ProductVariant {
        product_id: product.clone(),
        title: format!("{} {n}", item.variant),
        sku: Some(format!("sku-{n}")),
        ..ProductVariant::default()
    };
    VARIANTS.create(tx, at, variant)?;
    Ok(product.to_string())
}

fn sell(
    tx: &mut dyn Write,
    at: &Moment,
    item: &Item,
    product: &str,
    channels: &[String],
) -> Result<(), Fault> {
    let edge = |it: Option<i64>| json!(it.map(|it| at.now().plus_millis(it)));
    for (channel, window) in channels.iter().zip(&item.channels) {
        let Some((from, until)) = window else { continue };
        let row = [(AVAILABLE_FROM, edge(*from)), (AVAILABLE_UNTIL, edge(*until))];
        let row: Map<String, Value> = row.into_iter().map(|(name, it)| (name.to_owned(), it)).collect();
        PRODUCT_SALES_CHANNEL.attach(tx, at, product, channel, row)?;
    }
    let variants = atoll_product::variants_of(tx, product)?;
    for (channel, _) in channels.iter().zip(&item.excluded).filter(|(_, it)| **it) {
        SALES_CHANNEL_EXCLUDED_VARIANT.attach(tx, at, channel, &variants[0].id, Map::new())?;
    }
    if let Some(title) = item.retitled {
        let patch = ProductPatch { title: Some(title.into()), ..ProductPatch::default() };
        PRODUCTS.update(tx, at, product, patch)?;
    }
    if item.is_deleted {
        delete_product(tx, at, product)?;
        if item.is_restored {
            restore_product(tx, at, product)?;
        }
    }
    Ok(())
}
