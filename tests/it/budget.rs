//! Limits of what one request reads and shows: conditions, relations, records, bytes and keys.

use std::{
    sync::{Arc, Condvar, Mutex},
    thread::{self, ThreadId},
    time::Duration,
};

use atoll_kernel::{
    Registry, StoreError, data::Store, http::ReadLimits, limits::READ_REFUSED_MS, query::AnswerLimits,
};
use atoll_storage::{Changes, Direction, Engine, Neighbours, Raw, Span, Visit, engines::Counting};
use atoll_testkit::{Answer, Client, Setup, Shop, TestApp, complete};
use serde_json::{Value, json};
use tokio::sync::watch;

/// A shop over an engine that counts the keys that are read, with a channel and its storefront.
async fn counted() -> (Shop, Counting, String, Client) {
    let engine = Counting::default();
    let spaces = Registry::linked().expect("a registry").spaces();
    let store = Store::open(engine.clone(), &spaces).expect("a store");
    let shop = Shop::open(Setup::default().answers_bytes_max(0).over(store).await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    (shop, engine, web, storefront)
}

/// Another application over the same store, with these limits.
async fn limited(store: &Store, limits: ReadLimits) -> TestApp {
    Setup::default().reads(limits).answers_bytes_max(0).over(store.clone()).await
}

/// A collection, and so many products in it.
async fn collection(shop: &Shop, channel: &str, n_products: usize) -> String {
    let made = shop.admin.post("/admin/collections", json!({ "title": "Summer" })).await.ok();
    let id = made["collection"]["id"].as_str().expect("an id").to_owned();
    for n in 0..n_products {
        let product = json!({
            "title": format!("Tea {n}"), "status": "published", "collection_id": id,
            "sales_channels": [{ "id": channel }], "options": [{ "title": "Size", "values": ["One"] }],
            "variants": [{
                "title": "One", "sku": format!("tea-{n}"), "options": { "Size": "One" }, "prices": [],
            }],
        });
        shop.admin.post("/admin/products", product).await.ok();
    }
    id
}

#[tokio::test]
async fn a_relation_is_read_once_for_all_branches_of_a_condition() {
    let (shop, engine, web, storefront) = counted().await;
    collection(&shop, &web, 30).await;
    // The cost is that of one branch, in any nesting, and a search costs nothing more.
    for (client, path) in [(&shop.admin, "/admin/products"), (&storefront, "/store/products")] {
        let mut costs = Vec::new();
        for n in [1, 40] {
            let branch = |at| format!("$or[{at}][variants][sku][$ne]=nobody&");
            let form = if path.starts_with("/store") {
                "variants[sku][$ne]=nobody&".into()
            } else {
                (0..n).map(branch).collect::<String>()
            };
            let before = engine.n_read();
            let found = client.get(&format!("{path}?{form}q=tea&fields=id")).await.ok();
            assert_eq!(found["count"], 30);
            costs.push(engine.n_read() - before);
        }
        assert_eq!(costs[0], costs[1], "{path}");
    }
    let before = engine.n_read();
    shop.admin.get("/admin/products?variants[sku][$ne]=nobody&fields=id").await.ok();
    let filtered = engine.n_read() - before;
    shop.admin.get("/admin/products?variants[sku][$ne]=nobody&q=tea&order=variants.sku&fields=id").await.ok();
    // Sorted records are read a second time for the page, and a word is looked up by two keys.
    assert_eq!(engine.n_read() - before - filtered, filtered + 30 + 2);
}

#[tokio::test]
async fn words_of_a_search_that_cannot_change_its_result_are_not_looked_up() {
    let (shop, engine, web, storefront) = counted().await;
    collection(&shop, &web, 100).await;
    for (client, path) in [(&shop.admin, "/admin/products"), (&storefront, "/store/products")] {
        let cost = async |q: &str, count: u64| {
            let before = engine.n_read();
            let found = client.get(&format!("{path}?q={q}&fields=id&limit=1")).await.ok();
            assert_eq!(found["count"], count, "{q}");
            engine.n_read() - before
        };
        // They are parts of another one, and this word is nowhere.
        let one = cost("tea", 100).await;
        assert_eq!(cost(&format!("{}TEA", "e+a+te+tea+".repeat(40)), 100).await, one, "{path}");
        assert_eq!(cost("1+2+3+4+5+o+n+zzz", 0).await, cost("zzz", 0).await, "{path}");
    }
}

#[tokio::test]
async fn filter_conditions_values_and_lengths_are_limited() {
    let shop = Shop::open(TestApp::init().await).await;
    let branches = |n: usize| (0..n).map(|at| format!("$or[{at}][title]=Tea&")).collect::<String>();
    let ids = |n: usize| (0..n).map(|at| format!("id[]=a{at}&")).collect::<String>();
    let q = |n: usize| format!("q={}", "a".repeat(n));
    for (query, refusal) in [
        (branches(100), None),
        (branches(101), Some("At most 100 conditions can be combined, got: '101'")),
        (ids(2_000), None),
        (ids(2_001), Some("At most 2000 values can be asked for, got: '2001'")),
        (q(500), None),
        (q(501), Some("At most 500 letters can be searched for, got: '501'")),
    ] {
        let answer = shop.admin.get(&format!("/admin/products?{query}")).await;
        match refusal {
            None => assert_eq!(answer.ok()["count"], 0),
            Some(text) => assert_eq!(answer.error(), format!("400 invalid_data: Invalid request: {text}")),
        }
    }
}

#[tokio::test]
async fn duplicate_filter_values_are_searched_once() {
    let (shop, engine, web, _) = counted().await;
    let summer = collection(&shop, &web, 30).await;
    let path = format!("/admin/sales-channels/{web}/products?dry_run=true");
    let mut costs = Vec::new();
    for n in [1, 1_000] {
        let before = engine.n_read();
        let body = json!({ "remove_where": { "collection_id": vec![&summer; n] } });
        let plan = shop.admin.post(&path, body).await.ok();
        assert_eq!(plan["products"]["removed"].as_array().map(Vec::len), Some(30));
        costs.push(engine.n_read() - before);
    }
    assert_eq!(costs[0], costs[1]);
    let ids: Vec<String> = (0..2_001).map(|n| format!("ptag_{n}")).collect();
    assert_eq!(
        shop.admin.post(&path, json!({ "add_where": { "tag_id": ids } })).await.error(),
        "400 invalid_data: Invalid request: a filter of products has 2000 values at most, got: '2001'"
    );
    let ids: Vec<String> = (0..200_001).map(|n| format!("prod_{n}")).collect();
    assert_eq!(
        shop.admin.post(&path, json!({ "add": ids })).await.error(),
        "400 invalid_data: Invalid request: at most 200000 products can be put in and taken out at once, got: '200001'"
    );
}

#[tokio::test]
async fn fields_cannot_repeat_a_to_many_relation() {
    let (shop, _, web, storefront) = counted().await;
    let summer = collection(&shop, &web, 2).await;
    let refusal = |path: &str| {
        format!(
            "400 invalid_data: Field '{path}' follows a cycle through a relation to many: ask for it in a request of its own"
        )
    };
    for (list, path) in [
        ("products", "collection.products.collection.products"),
        ("collections", "products.collection.products"),
        ("products", "variants.product.variants"),
        ("sales-channels", "stock_locations.sales_channels.stock_locations"),
    ] {
        for fields in [format!("{path}.id"), format!("*{path}"), format!("id,{path}.nobody")] {
            let answer = shop.admin.get(&format!("/admin/{list}?fields={fields}")).await;
            assert_eq!(answer.error(), refusal(path), "{list} {fields}");
        }
    }
    // A relation once is allowed, a to-one relation too, and a write is refused before it runs.
    let list = "/admin/products?fields=collection.products.collection.id,variants.product.variants.product";
    assert_eq!(shop.admin.get(list).await.error(), refusal("variants.product.variants"));
    let list = "/admin/products?fields=collection.products.collection.title,variants.product.type.value";
    let shown = shop.admin.get(list).await.ok();
    assert_eq!(shown["products"][0]["collection"]["products"][1]["collection"]["title"], "Summer");
    let path = format!("/admin/collections/{summer}?fields=products.collection.products");
    assert_eq!(
        shop.admin.post(&path, json!({ "title": "Winter" })).await.error(),
        refusal("products.collection.products")
    );
    assert_eq!(
        shop.admin.get(&format!("/admin/collections/{summer}")).await.ok()["collection"]["title"],
        "Summer"
    );
    let tea = shop.product("Tea", &[&web], 1).await;
    let levels = format!("/admin/inventory-items/{}/location-levels", tea.item);
    let gone =
        shop.admin.delete(&format!("{levels}/{}?fields=variants.inventory.variants", shop.location)).await;
    assert_eq!(gone.error(), refusal("variants.inventory.variants"));
    assert_eq!(shop.admin.get(&levels).await.ok()["count"], 1);
    let path =
        format!("/admin/products/{}/variants/batch?fields=product.variants.product.variants", tea.product);
    let answer = shop.admin.post(&path, json!({ "delete": [tea.id] })).await;
    assert_eq!(answer.error(), refusal("product.variants.product.variants"));
    assert_eq!(shop.admin.get("/admin/product-variants?sku=Tea").await.ok()["count"], 1);
    // Store routes leave it out, like all fields that are not among their `store_fields`.
    let list = "/store/collections?fields=title,products.title,products.collection.products.title";
    let shown = storefront.get(list).await.ok();
    assert!(shown["collections"][0]["products"][0]["title"].is_string(), "{shown}");
    assert_eq!(shown["collections"][0]["products"][0].get("collection"), None);
}

#[tokio::test]
async fn category_trees_are_shown_to_the_depth_limit() {
    let shop = Shop::open(TestApp::init().await).await;
    let mut above = Value::Null;
    for n in 0..10 {
        let body = json!({ "name": format!("Level {n}"), "parent_category_id": above, "is_active": true });
        above =
            shop.admin.post("/admin/product-categories", body).await.ok()["product_category"]["id"].clone();
    }
    for (relation, name) in [("category_children", "Level 0"), ("parent_category", "Level 9")] {
        let fields = format!("name,{}.name", [relation; 7].join("."));
        let list = format!("/admin/product-categories?name={}&fields={fields}", name.replace(' ', "%20"));
        let mut at = shop.admin.get(&list).await.ok()["product_categories"][0].clone();
        for _ in 0..7 {
            at = if at[relation].is_array() { at[relation][0].clone() } else { at[relation].clone() };
        }
        assert!(["Level 7", "Level 2"].contains(&at["name"].as_str().expect("a name")), "{at}");
    }
}

#[tokio::test]
async fn storefront_relations_are_limited_to_100() {
    let (shop, engine, web, storefront) = counted().await;
    let hidden = shop.channel("Hidden").await;
    let summer = collection(&shop, &web, 102).await;
    let products = shop.admin.get("/admin/products?limit=200&fields=title").await.ok();
    let first = products["products"][0]["id"].clone();
    shop.admin
        .post(
            &format!("/admin/products/{}", first.as_str().expect("an id")),
            json!({
                "sales_channels": [{ "id": hidden }],
            }),
        )
        .await
        .ok();
    let count = |json: &Value| json["collection"]["products"].as_array().expect("a list").len();
    let before = engine.n_read();
    let shown = storefront.get(&format!("/store/collections/{summer}?fields=products.title")).await.ok();
    let n_read = engine.n_read() - before;
    // Hidden records do not count towards the limit.
    assert_eq!(count(&shown), 100);
    assert_eq!(shown["collection"]["products"][0]["title"], "Tea 1");
    assert_eq!(shown["collection"]["products"][99]["title"], "Tea 100");
    let shown = shop.admin.get(&format!("/admin/collections/{summer}?fields=products.title")).await.ok();
    assert_eq!(count(&shown), 102);
    // The others are not read.
    let (larger, engine, web, storefront) = counted().await;
    let summer = collection(&larger, &web, 150).await;
    let before = engine.n_read();
    storefront.get(&format!("/store/collections/{summer}?fields=products.title")).await.ok();
    assert!(engine.n_read() - before < n_read, "{} {n_read}", engine.n_read() - before);
}

#[tokio::test]
async fn key_limit_is_deterministic() {
    let (shop, _, web, storefront) = counted().await;
    collection(&shop, &web, 30).await;
    let store = shop.app.ctx.store();
    for (client, path) in [
        (&storefront, "/store/products?q=tea"),
        (&storefront, "/store/products?order=-title&limit=1"),
        (&storefront, "/store/collections?fields=*products"),
        (&shop.admin, "/admin/products?$or[0][title]=Tea%201&$or[1][variants][sku]=tea-2"),
        (&shop.admin, "/admin/products?fields=*variants.prices,collection.products.variants.sku"),
        (&shop.admin, "/admin/sales-channels?fields=id&with_deleted=true"),
    ] {
        let ask = async |keys_max: u64| {
            // With any limit of inline reads.
            let mut answers = Vec::new();
            for keys_inline_max in [1, 7, 100_000] {
                let keys_inline_max = keys_max.min(keys_inline_max);
                let app =
                    limited(store, ReadLimits { keys_inline_max, keys_max, ..ReadLimits::default() }).await;
                answers.push(client.on(&app).get(path).await);
            }
            assert!(answers.iter().all(|it| it.json == answers[0].json), "{path} {keys_max}: {answers:?}");
            answers.swap_remove(0)
        };
        let whole = client.get(path).await.ok();
        let (mut too_few, mut enough) = (1, 100_000);
        while too_few + 1 < enough {
            let middle = u64::midpoint(too_few, enough);
            if ask(middle).await.status == 200 { enough = middle } else { too_few = middle }
        }
        assert_eq!(ask(enough).await.ok(), whole, "{path}");
        assert_eq!(
            ask(too_few).await.error(),
            format!(
                "400 too_expensive (too_expensive): The request is too expensive: it reads more than {too_few} keys. \
                 Narrow it with a filter such as `id`, sort by the id, search without `q`, combine fewer conditions, \
                 or ask for fewer relations in `fields`"
            )
        );
    }
}

#[tokio::test]
async fn answer_size_is_limited() {
    let (shop, _, web, storefront) = counted().await;
    collection(&shop, &web, 30).await;
    let store = shop.app.ctx.store();
    for (client, path) in [
        (&storefront, "/store/products?limit=30"),
        (&storefront, "/store/collections?fields=*products"),
        (&shop.admin, "/admin/products?limit=30"),
        (&shop.admin, "/admin/collections?fields=*products.variants"),
    ] {
        let whole = client.get(path).await.ok();
        let n_bytes = whole.to_string().len();
        let ask = async |n: usize| {
            // The limit of the other kind of route does not apply.
            let answer = match path.starts_with("/store") {
                true => AnswerLimits { store_bytes_max: n, bytes_max: 1, ..AnswerLimits::default() },
                false => AnswerLimits { bytes_max: n, store_bytes_max: 1, ..AnswerLimits::default() },
            };
            client.on(&limited(store, ReadLimits { answer, ..ReadLimits::default() }).await).get(path).await
        };
        assert_eq!(ask(n_bytes).await.ok(), whole, "{path}");
        let n_max = n_bytes - 100;
        assert_eq!(
            ask(n_max).await.error(),
            format!(
                "400 too_expensive (too_expensive): The request is too expensive: its answer has more than {n_max} \
                 bytes. Ask for a smaller `limit`, or for fewer `fields`"
            )
        );
    }
}

#[tokio::test]
async fn write_beyond_the_answer_limit_is_answered_with_its_id() {
    let (shop, _, web, _) = counted().await;
    let summer = collection(&shop, &web, 30).await;
    let few = ReadLimits { keys_inline_max: 10, keys_max: 50, ..ReadLimits::default() };
    let app = limited(shop.app.ctx.store(), few).await;
    let path = format!("/admin/collections/{summer}?fields=title,products.title");
    let changed = shop.admin.on(&app).post(&path, json!({ "title": "Winter" })).await.ok();
    assert_eq!(changed, json!({ "collection": { "id": summer } }));
    let shown = shop.admin.get(&path).await.ok();
    assert_eq!(shown["collection"]["title"], "Winter");
    let body = json!({ "create": [{ "title": "Gin", "collection_id": summer, "options": [
        { "title": "Size", "values": ["One"] },
    ] }] });
    let path = "/admin/products/batch?fields=title,collection.products.title";
    let made = shop.admin.on(&app).post(path, body).await.ok();
    let id = &made["created"][0]["id"];
    assert_eq!(made["created"], json!([{ "id": id }]));
    let shown = shop.admin.get(&format!("/admin/products/{}", id.as_str().expect("an id"))).await.ok();
    assert_eq!(shown["product"]["title"], "Gin");
}

/// An engine that blocks reads of the pool while its gate is closed.
#[derive(Clone)]
struct Gated {
    counting: Counting,
    test: ThreadId,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    is_closed: Mutex<bool>,
    opened: Condvar,
    n_held: watch::Sender<usize>,
}

impl Gate {
    fn pass(&self) {
        self.n_held.send_modify(|n| *n += 1);
        let mut is_closed = self.is_closed.lock().expect("nobody panics with it");
        while *is_closed {
            is_closed = self.opened.wait(is_closed).expect("nobody panics with it");
        }
        self.n_held.send_modify(|n| *n -= 1);
    }

    /// Closes the gate until the returned guard is dropped, also by a failing test.
    fn close(self: &Arc<Gate>) -> Closed {
        *self.is_closed.lock().expect("nobody panics with it") = true;
        Closed(self.clone())
    }

    /// Waits until a read is blocked.
    async fn holds_one(&self) {
        self.n_held.subscribe().wait_for(|n| *n > 0).await.map(drop).expect("the gate is there");
    }
}

struct Closed(Arc<Gate>);

impl Drop for Closed {
    fn drop(&mut self) {
        *self.0.is_closed.lock().expect("nobody panics with it") = false;
        self.0.opened.notify_all();
    }
}

impl Engine for Gated {
    fn snapshot(&self) -> Result<Arc<dyn Raw>, StoreError> {
        Ok(Arc::new(GatedSnapshot { raw: self.counting.snapshot()?, engine: self.clone() }))
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.counting.commit(changes)
    }
}

struct GatedSnapshot {
    raw: Arc<dyn Raw>,
    engine: Gated,
}

impl GatedSnapshot {
    fn pass(&self) {
        let thread = thread::current();
        if thread.id() != self.engine.test && thread.name() != Some("atoll-writer") {
            self.engine.gate.pass();
        }
    }
}

impl Raw for GatedSnapshot {
    fn get(&self, key: &[u8], neighbours: &mut Neighbours<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        self.pass();
        self.raw.get(key, neighbours)
    }

    fn scan(
        &self,
        span: &Span,
        order: Direction,
        visit: &mut Visit<'_>,
        neighbours: &mut Neighbours<'_>,
    ) -> Result<(), StoreError> {
        self.pass();
        self.raw.scan(span, order, visit, neighbours)
    }

    fn n_entries(&self) -> Result<u64, StoreError> {
        self.raw.n_entries()
    }
}

/// Requests of [`gated`] that wait to be refused.
const REFUSED_MAX: usize = 3;

/// A shop of 20 products, with a read pool of one thread and a queue of one, and its gate.
async fn gated(timeout: Duration) -> (Shop, Gated) {
    let engine = Gated { counting: Counting::default(), test: thread::current().id(), gate: Arc::default() };
    let spaces = Registry::linked().expect("a registry").spaces();
    let store = Store::open(engine.clone(), &spaces).expect("a store");
    let limits = ReadLimits {
        keys_inline_max: 20,
        threads: 1,
        waiting_max: 1,
        refused_max: REFUSED_MAX,
        timeout,
        ..ReadLimits::default()
    };
    let shop = Shop::open(Setup::default().reads(limits).answers_bytes_max(0).over(store).await).await;
    let web = shop.channel("Web").await;
    collection(&shop, &web, 20).await;
    (shop, engine)
}

/// Sends a request that is read in the pool; aborting the task disconnects the client.
fn ask_much(client: &Client) -> tokio::task::JoinHandle<Answer> {
    let client = client.clone();
    tokio::spawn(async move { client.get("/admin/products?q=tea&fields=title").await })
}

/// Lets the other tasks run until they block.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn expensive_reads_queue_without_blocking_others() {
    let (shop, engine) = gated(Duration::from_secs(600)).await;
    let closed = engine.gate.close();
    let first = ask_much(&shop.admin);
    engine.gate.holds_one().await;
    let second = ask_much(&shop.admin);
    settle().await;
    let third = ask_much(&shop.admin);
    settle().await;
    assert_eq!(shop.admin.get("/admin/products?limit=1&fields=title").await.ok()["count"], 20);
    shop.app.advance_ms(READ_REFUSED_MS);
    let third = third.await.expect("no panic");
    assert_eq!(third.headers["retry-after"], "2");
    assert_eq!(third.error(), "503 unknown_error: Too much is being read; try again soon");
    assert!(!first.is_finished() && !second.is_finished());
    drop(closed);
    for answer in [first, second] {
        assert_eq!(answer.await.expect("no panic").ok()["count"], 20);
    }
    assert_eq!(ask_much(&shop.admin).await.expect("no panic").ok()["count"], 20);
}

/// Clients that ask again as soon as they are refused get that answer one after the other, whatever their
/// number.
#[tokio::test]
async fn reads_are_refused_late_and_one_after_the_other() {
    let (shop, engine) = gated(Duration::from_secs(600)).await;
    let closed = engine.gate.close();
    let held = [ask_much(&shop.admin), ask_much(&shop.admin)];
    engine.gate.holds_one().await;
    settle().await;
    let mut refused: Vec<_> = (0..REFUSED_MAX).map(|_| ask_much(&shop.admin)).collect();
    let n_refused = async |refused: &[tokio::task::JoinHandle<Answer>]| {
        settle().await;
        refused.iter().filter(|it| it.is_finished()).count()
    };
    assert_eq!(n_refused(&refused).await, 0);
    shop.app.advance_ms(READ_REFUSED_MS - 1);
    assert_eq!(n_refused(&refused).await, 0);
    shop.app.advance_ms(1);
    assert_eq!(n_refused(&refused).await, 1);
    // It asks again at once, and waits behind the others.
    refused.retain(|it| !it.is_finished());
    refused.push(ask_much(&shop.admin));
    for n in 0..REFUSED_MAX {
        assert_eq!(n_refused(&refused).await, n);
        shop.app.advance_ms(READ_REFUSED_MS);
    }
    for answer in refused {
        assert_eq!(answer.await.expect("no panic").status, 503);
    }
    // A client that leaves gives up its place, and one that comes now has not to wait for longer than that.
    let left = [ask_much(&shop.admin), ask_much(&shop.admin)];
    settle().await;
    left.iter().for_each(|it| it.abort());
    settle().await;
    let last = [ask_much(&shop.admin)];
    assert_eq!(n_refused(&last).await, 0);
    shop.app.advance_ms(READ_REFUSED_MS);
    assert_eq!(n_refused(&last).await, 1);
    drop(closed);
    for answer in held {
        assert_eq!(answer.await.expect("no panic").ok()["count"], 20);
    }
}

#[tokio::test]
async fn less_is_read_inline_while_nobody_more_can_wait_to_be_refused() {
    let (shop, engine) = gated(Duration::from_secs(600)).await;
    let limits = ReadLimits {
        keys_inline_max: 335,
        keys_inline_busy_max: 100,
        threads: 1,
        waiting_max: 1,
        refused_max: 1,
        ..ReadLimits::default()
    };
    let busy = limited(shop.app.ctx.store(), limits).await;
    let admin = shop.admin.on(&busy);
    let (one, page) = ("/admin/products?limit=1&fields=title", "/admin/products?limit=20");
    let much = "/admin/products?limit=20&q=tea&fields=*variants.prices";
    let cost = async |path: &str| {
        let before = engine.counting.n_read();
        admin.get(path).await.ok();
        engine.counting.n_read() - before
    };
    let costs = [cost(one).await, cost(page).await, cost(much).await];
    assert!(costs[0] < 100 && (110..335).contains(&costs[1]) && costs[2] > 335, "{costs:?}");
    let closed = engine.gate.close();
    let ask = || {
        let admin = admin.clone();
        tokio::spawn(async move { admin.get(much).await })
    };
    let held = [ask(), ask()];
    engine.gate.holds_one().await;
    settle().await;
    assert_eq!(admin.get(page).await.status, 200, "nobody waits to be refused");
    let refused = ask();
    settle().await;
    assert_eq!(admin.get(page).await.status, 503, "it is for the pool, which is full, and refused at once");
    assert_eq!(admin.get(one).await.status, 200);
    busy.advance_ms(READ_REFUSED_MS);
    assert_eq!(refused.await.expect("no panic").status, 503);
    assert_eq!(admin.get(page).await.status, 200);
    drop(closed);
    for answer in held {
        answer.await.expect("no panic").ok();
    }
}

#[tokio::test]
async fn write_is_answered_with_its_id_when_the_read_pool_is_full() {
    let (shop, engine) = gated(Duration::from_secs(600)).await;
    let summer = shop.admin.get("/admin/collections?fields=id").await.ok()["collections"][0]["id"].clone();
    let change = async |title: &str| {
        let path =
            format!("/admin/collections/{}?fields=title,products.title", summer.as_str().expect("an id"));
        shop.admin.post(&path, json!({ "title": title })).await.ok()["collection"].clone()
    };
    assert_eq!(change("Autumn").await["products"].as_array().map(Vec::len), Some(20));
    let closed = engine.gate.close();
    let held = [ask_much(&shop.admin), ask_much(&shop.admin)];
    settle().await;
    assert_eq!(change("Winter").await, json!({ "id": summer }));
    drop(closed);
    for answer in held {
        assert_eq!(answer.await.expect("no panic").ok()["count"], 20);
    }
    assert_eq!(change("Spring").await["title"], "Spring");
}

#[tokio::test]
async fn disconnected_client_cancels_its_reads() {
    let (shop, engine) = gated(Duration::from_secs(600)).await;
    let n_read = async |asked: &mut dyn FnMut() -> tokio::task::JoinHandle<Answer>| {
        let before = engine.counting.n_read();
        assert_eq!(asked().await.expect("no panic").ok()["count"], 20);
        engine.counting.n_read() - before
    };
    let one = n_read(&mut || ask_much(&shop.admin)).await;
    let closed = engine.gate.close();
    let (first, second) = (ask_much(&shop.admin), ask_much(&shop.admin));
    engine.gate.holds_one().await;
    settle().await;
    first.abort();
    second.abort();
    settle().await;
    drop(closed);
    // It runs after them. They read only until the first one was blocked: a scan, and the entry that it
    // found.
    let third = n_read(&mut || ask_much(&shop.admin)).await;
    assert!(third <= one + 2, "{} keys were read for nobody", third - one);
}

#[tokio::test]
async fn reads_time_out() {
    let (shop, engine) = gated(Duration::from_millis(1)).await;
    let closed = engine.gate.close();
    let (first, second) = (ask_much(&shop.admin), ask_much(&shop.admin));
    for late in [first, second] {
        let late = late.await.expect("no panic");
        assert_eq!(late.headers["retry-after"], "5");
        assert_eq!(late.error(), "503 unknown_error: The request was not answered: it timed out");
    }
    drop(closed);
}

/// A shop of 100 products of 50 variants each, with pictures, tags, prices and stock, all in one collection
/// and category.
async fn large_shop() -> (Shop, Client, Value) {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let made = async |path: &str, one: &str, body: Value| {
        shop.admin.post(&format!("/admin/{path}"), body).await.ok()[one]["id"].clone()
    };
    let collection = made("collections", "collection", json!({ "title": "Summer" })).await;
    let category = json!({ "name": "Food", "is_active": true });
    let category = made("product-categories", "product_category", category).await;
    let tag = made("product-tags", "product_tag", json!({ "value": "new" })).await;
    let kind = made("product-types", "product_type", json!({ "value": "drink" })).await;
    let (colours, sizes): (Vec<String>, Vec<String>) =
        ((0..10).map(|n| format!("Colour {n}")).collect(), (0..5).map(|n| format!("Size {n}")).collect());
    let description = "What a page says of a product. ".repeat(30);
    for n in 0..100 {
        let variant = |at: usize| {
            let (colour, size) = (&colours[at / 5], &sizes[at % 5]);
            json!({
                "title": format!("{colour} / {size}"), "sku": format!("SKU-{n}-{at}"),
                "options": { "Colour": colour, "Size": size },
                "prices": [
                    { "currency_code": "eur", "amount": 10 + at }, { "currency_code": "usd", "amount": 11 + at },
                ],
                "metadata": { "supplier": "Somebody" },
            })
        };
        let images: Vec<Value> =
            (0..4).map(|at| json!({ "url": format!("https://cdn.example.com/{n}/{at}.webp") })).collect();
        let product = json!({
            "title": format!("Product {n}"), "status": "published", "description": description,
            "collection_id": collection, "type_id": kind, "categories": [{ "id": category }],
            "tags": [{ "id": tag }], "images": images, "sales_channels": [{ "id": web }],
            "options": [{ "title": "Colour", "values": colours }, { "title": "Size", "values": sizes }],
            "variants": (0..50).map(variant).collect::<Vec<_>>(),
        });
        shop.admin.post("/admin/products?fields=id", product).await.ok();
    }
    let ids = json!({ "collection": collection, "category": category, "tag": tag });
    let storefront = shop.storefront(&[&web]).await;
    (shop, storefront, ids)
}

#[tokio::test]
async fn every_store_page_of_a_large_shop_is_answered() {
    let (shop, storefront, ids) = large_shop().await;
    let id = |name: &str| ids[name].as_str().expect("an id").to_owned();
    let (collection, category, tag, region) = (id("collection"), id("category"), id("tag"), &shop.region);
    let customer = shop.customer(&storefront, "ann@test.dev").await;
    let get = async |path: &str| {
        let answer = customer.get(&format!("/store/{path}")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.json);
        answer.json
    };
    let detail = "fields=*variants.calculated_price,%2Bvariants.inventory_quantity,*variants.images,\
                  *variants.options,%2Bmetadata,%2Btags,";
    // Layout and home.
    get("regions").await;
    get("customers/me?fields=*orders").await;
    let shown = get("collections?fields=id,handle,title,*products&limit=100").await;
    assert_eq!(shown["collections"][0]["products"].as_array().map(Vec::len), Some(100));
    let fields = "*category_children,*products,*parent_category,*parent_category.parent_category";
    let shown = get(&format!("product-categories?fields={fields}&limit=100")).await;
    assert_eq!(shown["product_categories"][0]["products"].as_array().map(Vec::len), Some(100));
    let price = "fields=*variants.calculated_price";
    get(&format!("products?collection_id={collection}&region_id={region}&limit=12&{price}")).await;
    // The store page, as it is and as the newest come first.
    for order in ["", "&order=created_at"] {
        let shown = get(&format!("products?limit=100&region_id={region}&{detail}{order}")).await;
        let products = shown["products"].as_array().expect("a list");
        let is_whole = |it: &Value| it["variants"].as_array().is_some_and(|it| it.len() == 50);
        assert!(products.len() == 100 && products.iter().all(is_whole));
        assert_eq!(products[99]["variants"][49]["calculated_price"]["calculated_amount"], 59);
    }
    // Categories, collections, and a product with what goes with it.
    get("product-categories?handle=food").await;
    get(&format!("products?category_id[]={category}&region_id={region}&{price}&limit=100")).await;
    get("collections?handle=summer&fields=*products").await;
    let shown = get(&format!("products?handle=product-7&region_id={region}&{detail}")).await;
    let product = shown["products"][0]["id"].as_str().expect("an id").to_owned();
    get(&format!("products?id[]={product}&region_id={region}&{detail}")).await;
    let related = format!("collection_id[]={collection}&tag_id[]={tag}&is_giftcard=false");
    get(&format!("products?{related}&region_id={region}&{price}")).await;
    let variant = shown["products"][0]["variants"][0]["id"].as_str().expect("an id").to_owned();
    get(&format!("product-variants/{variant}?fields=*images")).await;
    get("products?fields=handle&limit=100").await;
    // Cart, checkout, order and account.
    let item = shop.admin.get("/admin/inventory-items?sku=SKU-7-0&fields=id").await.ok();
    shop.stock(item["inventory_items"][0]["id"].as_str().expect("an id"), &shop.location, 5).await;
    let cart = shop.cart(&customer, &variant, 1).await;
    let fields = "*items,*region,*items.product,*items.variant,*items.thumbnail,*items.metadata,%2Bitems.total,\
                  *promotions,%2Bshipping_methods.name";
    get(&format!("carts/{cart}?fields={fields}")).await;
    get(&format!("payment-providers?region_id={region}")).await;
    customer.post(&format!("/store/carts/{cart}/customer"), json!({})).await.ok();
    let order = complete(&customer, &cart).await.ok()["order"]["id"].as_str().expect("an id").to_owned();
    let fields = "*items,%2Bitems.metadata,*items.variant,*items.product";
    get(&format!("orders/{order}?fields=*payment_collections.payments,{fields}")).await;
    let orders = get(&format!("orders?limit=10&offset=0&order=-created_at&fields={fields}")).await;
    assert_eq!(orders["count"], 1);
    // Lists of the dashboard, of a thousand records each.
    for list in [
        "products", "product-variants", "inventory-items", "sales-channels", "orders", "collections",
        "regions", "product-categories", "product-tags", "product-types", "stock-locations", "reservations",
        "users", "api-keys", "product-options", "stores",
    ] {
        let answer = shop.admin.get(&format!("/admin/{list}?limit=1000")).await;
        assert_eq!(answer.status, 200, "{list}: {}", answer.json);
    }
    let fields = "id,title,handle,status,*collection,*sales_channels,variants.id,thumbnail,-variants";
    let products = shop.admin.get(&format!("/admin/products?limit=1000&fields={fields}")).await.ok();
    assert_eq!(products["products"].as_array().map(Vec::len), Some(100));
}
