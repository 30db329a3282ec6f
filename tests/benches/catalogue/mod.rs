//! A catalogue for benchmarks: products of two variants with drawn titles, over redb on a disk.

use atoll_kernel::{Actor, Fault, Moment, Write};
use atoll_links::PRODUCT_SALES_CHANNEL;
use atoll_product::{PRODUCTS, Product, ProductStatus, ProductVariant, VARIANTS};
use atoll_testkit::{Engine, Setup, Shop, id};
use serde_json::{Map, json};

const N_CHANNELS: usize = 5;
/// Products per transaction.
const N_BATCH: usize = 2_000;
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

/// A shop of so many products, its channels and a category: all of them are in the first channel, and each in
/// one of the others; every second is in the category.
pub(crate) async fn catalogue(n_products: usize) -> (Shop, Vec<String>, String) {
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
    (shop, channels, category)
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
