//! What lists cost that are not in the order of the ids, in a small catalogue and in a large one: CPU time of
//! one request through the whole router. `cargo xtask bench lists`; the figures are averages over many
//! requests in one process, one at a time, over redb on a disk.

mod cpu;

use std::io;

use atoll_kernel::{Actor, Fault, Moment, Write};
use atoll_links::PRODUCT_SALES_CHANNEL;
use atoll_product::{PRODUCTS, Product, ProductStatus, ProductVariant, VARIANTS};
use atoll_testkit::{Client, Engine, Setup, Shop, id};
use serde_json::{Map, json};

use self::cpu::cpu_ns;

/// Products of the two catalogues, two variants each, all in the first channel, and every fifth in another.
const N_PRODUCTS: [usize; 2] = [1_000, 100_000];
const N_CHANNELS: usize = 5;
/// Products per transaction.
const N_BATCH: usize = 2_000;
/// Requests of each kind that are measured, after as many that are not.
const N_REQUESTS: usize = 50;
/// Different words of the titles; the n-th is drawn once while the first is drawn n times (Zipf).
const N_WORDS: usize = 5_000;

/// A small generator: the same catalogue in each run.
struct Drawn(u64);

impl Drawn {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn word(&mut self) -> String {
        let rank = (N_WORDS as f64).powf(self.next()) as usize;
        word(rank)
    }
}

/// A word of two to four syllables.
fn word(mut rank: usize) -> String {
    const SYLLABLES: [&str; 20] = [
        "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "we",
        "xi", "yo", "zu",
    ];
    let mut text = String::new();
    loop {
        text.push_str(SYLLABLES[rank % SYLLABLES.len()]);
        rank /= SYLLABLES.len();
        if rank == 0 && text.len() > 2 {
            return text;
        }
    }
}

/// A catalogue, a key of its first channel, and one of all.
struct Catalogue {
    shop: Shop,
    one: Client,
    all: Client,
    category: String,
}

async fn catalogue(n_products: usize) -> Catalogue {
    let shop = Shop::open(Setup::default().answers_bytes_max(0).on(Engine::Redb).await).await;
    let mut channels = Vec::new();
    for n in 0..N_CHANNELS {
        channels.push(shop.channel(&format!("Channel {n}")).await);
    }
    let category = json!({ "name": "Half", "is_active": true });
    let category = id(&shop.admin.post("/admin/product-categories", category).await.ok()["product_category"]);
    for first in (0..n_products).step_by(N_BATCH) {
        let (channels, category) = (channels.clone(), category.clone());
        let last = n_products.min(first + N_BATCH);
        let create = move |tx: &mut dyn Write, at: &Moment| {
            let mut drawn = Drawn(first as u64);
            (first..last).try_for_each(|n| create(tx, at, n, &mut drawn, &channels, &category))
        };
        shop.app.ctx.write(Actor::System, create).await.expect("products");
        shop.app.advance_ms(1);
    }
    let one = shop.storefront(&[&channels[0]]).await;
    let all = shop.storefront(&channels.iter().map(String::as_str).collect::<Vec<_>>()).await;
    Catalogue { shop, one, all, category }
}

fn create(
    tx: &mut dyn Write,
    at: &Moment,
    n: usize,
    drawn: &mut Drawn,
    channels: &[String],
    category: &str,
) -> Result<(), Fault> {
    let half = if n.is_multiple_of(2) { "every " } else { "" };
    let product = Product {
        title: format!("{half}{} {} {}", drawn.word(), drawn.word(), drawn.word()),
        handle: format!("p-{n}"),
        status: ProductStatus::Published,
        category_ids: if n.is_multiple_of(2) { vec![category.to_owned().into()] } else { Vec::new() },
        ..Product::default()
    };
    let product = PRODUCTS.create(tx, at, product)?.id;
    for size in ["S", "L"] {
        let (title, sku) = (size.to_owned(), Some(format!("{n}-{size}")));
        let variant = ProductVariant { product_id: product.clone(), title, sku, ..ProductVariant::default() };
        VARIANTS.create(tx, at, variant)?;
    }
    let others = channels.iter().skip(1).skip(n % (N_CHANNELS - 1)).take(1);
    for channel in channels.iter().take(1).chain(others) {
        PRODUCT_SALES_CHANNEL.attach(tx, at, &product, channel, Map::new())?;
    }
    Ok(())
}

/// Microseconds of CPU time per request.
async fn measure(client: &Client, path: &str) -> Option<u64> {
    for _ in 0..N_REQUESTS {
        client.get(path).await.ok();
    }
    let before = cpu_ns()?;
    for _ in 0..N_REQUESTS {
        client.get(path).await.ok();
    }
    Some((cpu_ns()? - before) / 1000 / N_REQUESTS as u64)
}

async fn table(out: &mut impl io::Write) -> io::Result<()> {
    let [small, large] = N_PRODUCTS.map(catalogue);
    let (small, large) = (small.await, large.await);
    writeln!(out, "| question | {} products | {} products |", N_PRODUCTS[0], N_PRODUCTS[1])?;
    writeln!(out, "| --- | --- | --- |")?;
    let questions: [(&str, &str); 16] = [
        ("one", "/store/products?order=id"),
        ("one", "/store/products?order=title"),
        ("one", "/store/products?order=-created_at"),
        ("one", "/store/products?q=every"),
        ("one", "/store/products?q=bac"),
        ("one", "/store/products?q=absent"),
        ("one", "/store/products?q=every bace"),
        ("one", "/store/products?category_id=CATEGORY"),
        ("one", "/store/products?category_id=CATEGORY&q=every&order=title"),
        ("all", "/store/products?order=id"),
        ("all", "/store/products?order=title"),
        ("one", "/store/products?offset=900"),
        ("admin", "/admin/products?order=-created_at"),
        ("admin", "/admin/products?q=bac"),
        ("admin", "/admin/product-variants?order=title"),
        ("admin", "/admin/product-variants?q=99"),
    ];
    for (who, question) in questions {
        let mut row = format!("| {question} ({who}) |");
        for it in [&small, &large] {
            let client = match who {
                "one" => &it.one,
                "all" => &it.all,
                _ => &it.shop.admin,
            };
            let path = question.replace("CATEGORY", &it.category).replace(' ', "%20");
            let us = measure(client, &format!("{path}&limit=20&fields=id,title")).await;
            row += &us.map_or_else(|| " - |".to_owned(), |us| format!(" {us} us |"));
        }
        writeln!(out, "{row}")?;
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(table(&mut io::stdout()))
}
