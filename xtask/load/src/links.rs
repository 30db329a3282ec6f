//! Many products linked to a channel in one call, while others read and write.

use std::{
    collections::BTreeSet,
    path::Path,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use anyhow::Context as _;
use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use tokio::runtime;

use crate::{
    floor,
    measure::{Figures, Turn},
    report::Row,
    scenarios::paths,
    turns::{Client, Reader, Shopper, Step},
    world::{World, text},
};

/// Records of a page of ids.
const PAGE: usize = 1_000;
/// Links of the call that must be fast, and its target in milliseconds.
const FEW: (usize, f64) = (10_000, 250.0);

/// The ids of so many products.
async fn ids(world: &World, n: usize) -> anyhow::Result<Vec<String>> {
    let (mut admin, mut ids) = (world.admin(), Vec::new());
    while ids.len() < n {
        let path = format!("/admin/products?fields=id&order=id&limit={PAGE}&offset={}", ids.len());
        let page = admin.get(&path).await?.json()?;
        let page = page["products"].as_array().context("a list")?;
        for product in page {
            ids.push(text(&product["id"])?);
        }
        if page.is_empty() {
            break;
        }
    }
    ids.truncate(n);
    Ok(ids)
}

/// A client that takes turns in a thread of its own until the call has been answered.
fn beside(
    make: impl FnOnce() -> Client + Send + 'static,
    done: &Arc<AtomicBool>,
) -> thread::JoinHandle<anyhow::Result<Figures>> {
    let done = done.clone();
    thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let (mut client, mut latencies, begun) = (make(), Vec::new(), Instant::now());
            while !done.load(Ordering::Relaxed) {
                let started = Instant::now();
                if let Turn::Counted = client.turn().await? {
                    latencies.push(started.elapsed());
                }
            }
            Ok(Figures::of(latencies, begun.elapsed()))
        })
    })
}

/// The call with few and with all links: how long it takes, how long others wait meanwhile.
pub(crate) async fn rows(world: &Rc<World>, n: usize, page: &str, folder: &Path) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let ids = ids(world, n.min(world.n_products)).await?;
    let page = paths(page, world).await?.context("the page has no cursor")?;
    let mut admin = world.admin();
    let sizes = BTreeSet::from([FEW.0.min(ids.len()), ids.len()]);
    for n in sizes {
        let channel = admin.post("/admin/sales-channels", &json!({ "name": "Linked by load" })).await?;
        let path = format!("/admin/sales-channels/{}", text(&channel["sales_channel"]["id"])?);
        let body = Bytes::from(json!({ "add": &ids[..n] }).to_string());
        let done = Arc::default();
        let (reading, writing) = ((**world).clone(), (**world).clone());
        let paths = (*page).clone();
        let reads =
            beside(move || Client::Read(Reader::new(reading.storefront(), &Rc::new(paths), 0)), &done);
        let writes = beside(move || Client::Write(Shopper::new(&Rc::new(writing), Step::Create, 0)), &done);
        let before = admin.get("/admin/counters").await?;
        let begun = Instant::now();
        admin.send(Method::POST, &format!("{path}/products"), body).await?.json()?;
        let took = begun.elapsed();
        done.store(true, Ordering::Relaxed);
        let after = admin.get("/admin/counters").await?;
        let (reads, writes) = (reads.join(), writes.join());
        admin.send(Method::DELETE, &path, Bytes::new()).await?.json()?;

        let mut row = Row::new(format!("links in one call: {n}"), "large", Figures::of(vec![took], took));
        if let (Ok(before), Ok(after)) = (before.json(), after.json()) {
            let more = |name: &str, of: &str| {
                let sum = |it: &Value| it["writer"][name][of].as_u64().unwrap_or(0);
                sum(&after).saturating_sub(sum(&before))
            };
            // With those of the few carts that were created meanwhile.
            let (n_keys, n_bytes) = (more("keys_written", "sum"), more("bytes_written", "sum"));
            let floor = floor::insert_at_once(folder, n_keys.max(1), n_bytes)?;
            row.floor = Some(Figures::of(vec![floor], floor));
            row.note = Some(format!("{n_keys} keys of {n_bytes} bytes"));
            row.target.of_floor_min = Some(0.5);
        }
        row.target.p99_ms_max = (n == FEW.0).then_some(FEW.1);
        rows.push(row);
        for (what, figures) in [("reads", reads), ("carts created", writes)] {
            let figures = figures.ok().context("a client panicked")??;
            rows.push(Row::new(format!("links in one call: {what} meanwhile, {n}"), "large", figures));
        }
    }
    Ok(rows)
}
