//! What requests cost the processor and the allocator: allocations, bytes and CPU time of one request of each
//! kind, through the whole router, writer included; and how long a test waits for its application.
//! `cargo xtask bench requests`; the figures are averages over many requests in one process, one at a time.

mod cpu;

use std::{alloc::System, io, time::Instant};

use atoll_kernel::limits::ANSWERS_BYTES_MAX;
use atoll_testkit::{Client, Engine, Setup, Shop, TestApp};
use serde_json::{Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

use self::cpu::cpu_ns;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Requests of each kind that are measured, after as many that are not.
const N_REQUESTS: usize = 200;

/// Applications that are started one after the other.
const N_STARTS: usize = 50;

/// Products of the shop, all in one channel.
const N_PRODUCTS: usize = 60;

/// A row of the table.
async fn measure(what: &str, mut once: impl AsyncFnMut(usize)) -> String {
    for n in 0..N_REQUESTS {
        once(n).await;
    }
    let (region, before) = (Region::new(ALLOCATOR), cpu_ns());
    for n in N_REQUESTS..2 * N_REQUESTS {
        once(n).await;
    }
    let (change, after) = (region.change(), cpu_ns());
    let each = |n: usize| n / N_REQUESTS;
    let cpu = match (before, after) {
        (Some(before), Some(after)) => format!("{} us", (after - before) / 1000 / N_REQUESTS as u64),
        _ => "-".into(),
    };
    format!(
        "| {what} | {} | {} | {cpu} |",
        each(change.allocations + change.reallocations),
        each(change.bytes_allocated),
    )
}

/// How long a test waits for its application: the first of the process, which builds the registry, and later
/// ones, each with its admin.
async fn starts(out: &mut impl io::Write) -> io::Result<()> {
    let start = async || {
        let begun = Instant::now();
        let (app, _) = TestApp::init().await.with_admin().await;
        let ms = begun.elapsed().as_secs_f64() * 1000.0;
        drop(app);
        ms
    };
    let first = start().await;
    let mut later = Vec::new();
    for _ in 0..N_STARTS {
        later.push(start().await);
    }
    later.sort_by(f64::total_cmp);
    let (median, worst) = (later[N_STARTS / 2], later[N_STARTS - 1]);
    writeln!(
        out,
        "start of a test app: first {first:.1} ms, then median {median:.1} ms, worst {worst:.1} ms\n"
    )
}

async fn get(client: &Client, path: &str) {
    client.get(path).await.ok();
}

fn head(out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "| request | allocations | bytes | CPU |")?;
    writeln!(out, "| --- | --- | --- | --- |")
}

async fn table(out: &mut impl io::Write) -> io::Result<()> {
    let shop = Shop::open(Setup::default().answers_bytes_max(0).on(Engine::Memory).await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    let mut teas = Vec::new();
    for n in 0..N_PRODUCTS {
        teas.push(shop.product(&format!("Tea {n}"), &[&web], 1_000_000).await.id);
    }
    let lines: Vec<_> = teas[..5].iter().map(|it| json!({ "variant_id": it, "quantity": 1 })).collect();
    let cart = shop.cart_of(&storefront, json!(lines)).await;
    let region = &shop.region;
    let cart_path = format!("/store/carts/{cart}");
    head(out)?;
    let prices = format!("/store/products?limit=20&region_id={region}");
    for (what, path) in [
        ("store page of 20 products", "/store/products?limit=20"),
        ("store page of 20 with prices", prices.as_str()),
        ("store page of 1 product", "/store/products?limit=1"),
        ("store page of 20, few fields", "/store/products?limit=20&fields=id,title"),
        ("read a cart of 5 lines", &cart_path),
    ] {
        writeln!(out, "{}", measure(what, async |_| get(&storefront, path).await).await)?;
    }
    // A memory that has room for no answer: what remembering costs where it does not help.
    for (what, bytes) in [("recorded", 1), ("remembered", ANSWERS_BYTES_MAX)] {
        let app = Setup::default().answers_bytes_max(bytes).over(shop.app.ctx.store().clone()).await;
        let (storefront, admin) = (storefront.on(&app), shop.admin.on(&app));
        let etag = storefront.get("/store/products?limit=20").await.headers.get("etag").cloned();
        for (row, client, path) in [
            ("store page of 20 products", storefront.clone(), "/store/products?limit=20"),
            ("store page of 20 with prices", storefront.clone(), prices.as_str()),
            ("… by Brotli", storefront.clone().with_header("accept-encoding", "br"), prices.as_str()),
            ("admin page of 20 products", admin, "/admin/products?limit=20"),
        ] {
            let ask = async |_| drop(client.get_unchecked(path).await);
            writeln!(out, "{}", measure(&format!("{row}, {what}"), ask).await)?;
        }
        if let Some(etag) = etag {
            let client = storefront.with_header("if-none-match", etag.to_str().unwrap_or_default());
            let ask = async |_| drop(client.get_unchecked("/store/products?limit=20").await);
            writeln!(out, "{}", measure(&format!("304, {what}"), ask).await)?;
        }
    }
    let add = format!("{cart_path}/line-items");
    let row = measure("add to that cart", async |_| {
        storefront.post(&add, json!({ "variant_id": teas[0], "quantity": 1 })).await.ok();
    });
    writeln!(out, "{}", row.await)?;
    for (what, path) in [
        ("admin page of 20 products", "/admin/products?limit=20"),
        ("admin page of 20 orders", "/admin/orders?limit=20"),
    ] {
        writeln!(out, "{}", measure(what, async |_| get(&shop.admin, path).await).await)?;
    }
    Ok(())
}

/// The requests of a checkout of one line, each of many carts, before the next.
async fn checkout(out: &mut impl io::Write) -> io::Result<()> {
    let shop = Shop::open(Setup::default().answers_bytes_max(0).on(Engine::Memory).await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    let tea = shop.product("Tea", &[&web], 1_000_000).await.id;
    let send = async |path: &str, body: Value| storefront.post(path, body).await.ok();
    let id = |made: &Value| made["id"].as_str().unwrap_or_default().to_owned();
    let (mut carts, mut collections) = (Vec::new(), Vec::new());
    head(out)?;
    let new = json!({ "region_id": shop.region, "email": "bench@test.dev" });
    let row = measure("create a cart", async |_| {
        carts.push(id(&send("/store/carts", new.clone()).await["cart"]));
    });
    writeln!(out, "{}", row.await)?;
    let line = json!({ "variant_id": tea, "quantity": 1 });
    let row = measure("add its line", async |n| {
        send(&format!("/store/carts/{}/line-items", carts[n]), line.clone()).await;
    });
    writeln!(out, "{}", row.await)?;
    let all = "/store/payment-collections";
    let row = measure("create its payment collection", async |n| {
        collections.push(id(&send(all, json!({ "cart_id": carts[n] })).await["payment_collection"]));
    });
    writeln!(out, "{}", row.await)?;
    let manual = json!({ "provider_id": "pp_system_default" });
    let row = measure("create its payment session", async |n| {
        send(&format!("{all}/{}/payment-sessions", collections[n]), manual.clone()).await;
    });
    writeln!(out, "{}", row.await)?;
    let row = measure("complete it", async |n| {
        send(&format!("/store/carts/{}/complete", carts[n]), json!({})).await;
    });
    writeln!(out, "{}", row.await)
}

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        starts(&mut io::stdout()).await?;
        table(&mut io::stdout()).await?;
        checkout(&mut io::stdout()).await
    })
}
