//! What lists cost that are not in the order of the ids, in a small catalogue and in a large one: CPU time of
//! one request through the whole router. `cargo xtask bench lists`; the figures are averages over many
//! requests in one process, one at a time, over redb on a disk.

mod catalogue;
mod cpu;

use std::io;

use atoll_testkit::{Client, Shop};

use self::{catalogue::catalogue, cpu::cpu_ns};

/// Products of the two catalogues, two variants each, all in the first channel, and every fifth in another.
const N_PRODUCTS: [usize; 2] = [1_000, 100_000];
/// Requests of each kind that are measured, after as many that are not.
const N_REQUESTS: usize = 50;

/// A catalogue, a key of its first channel, and one of all.
struct Catalogue {
    shop: Shop,
    one: Client,
    all: Client,
    category: String,
}

impl Catalogue {
    async fn of(n_products: usize) -> Catalogue {
        let (shop, channels, category) = catalogue(n_products).await;
        let one = shop.storefront(&[&channels[0]]).await;
        let all = shop.storefront(&channels.iter().map(String::as_str).collect::<Vec<_>>()).await;
        Catalogue { shop, one, all, category }
    }
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
    let [small, large] = N_PRODUCTS.map(Catalogue::of);
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
