//! What it costs to put many products into a channel with one call: the time of the transaction, its keys,
//! and redb alone inserting the same rows in one transaction. `cargo xtask bench links`; read the ratios.

mod catalogue;

use std::{
    io,
    time::{Duration, Instant},
};

use atoll_kernel::data::{Direction, Scan};
use atoll_product::PRODUCTS;
use atoll_storage::{Changes, Engine as _, engines::Redb};
use serde_json::{Value, json};

use self::catalogue::catalogue;

/// Products of the catalogue, two variants each.
const N_PRODUCTS: usize = 100_000;
/// Links of a call.
const N_LINKS: [usize; 2] = [10_000, N_PRODUCTS];
const N_ROUNDS: usize = 3;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Commits as many rows of as many bytes by redb alone.
fn floor(n_keys: u64, n_bytes: u64) -> io::Result<Duration> {
    // Not the system's temporary folder: that is often memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut redb = Redb::open(&folder.path().join("floor.redb")).map_err(io::Error::other)?;
    let value = vec![b'x'; (n_bytes / n_keys).saturating_sub(40) as usize];
    let key = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes().into_iter().cycle().take(40);
    let rows = (0..n_keys).map(|n| (key(n).collect(), Some(value.clone())));
    let rows: Changes = rows.collect();
    let begun = Instant::now();
    redb.commit(&rows).map_err(io::Error::other)?;
    Ok(begun.elapsed())
}

async fn table(out: &mut impl io::Write) -> io::Result<()> {
    let (shop, ..) = catalogue(N_PRODUCTS).await;
    let ctx = &shop.app.ctx;
    let mut ids = Vec::new();
    PRODUCTS
        .table
        .scan(&ctx.view(), None, Direction::Ascending, &mut |product| {
            ids.push(product.id.to_string());
            Ok(Scan::Continue(()))
        })
        .map_err(io::Error::other)?;
    writeln!(out, "| links | call | body | commit | keys read | keys written | redb alone |")?;
    writeln!(out, "| --- | --- | --- | --- | --- | --- | --- |")?;
    for n in N_LINKS {
        let [mut calls, mut bodies, mut commits, mut floors] = [const { Vec::new() }; 4];
        let mut keys = (0, 0);
        for round in 0..N_ROUNDS {
            let channel = shop.channel(&format!("Linked {n} {round}")).await;
            let before = ctx.store().counters().summary();
            let begun = Instant::now();
            let body: Value = json!({ "add": &ids[..n] });
            let path = format!("/admin/sales-channels/{channel}/products");
            shop.admin.post(&path, body).await.ok();
            calls.push(begun.elapsed());
            let after = ctx.store().counters().summary();
            bodies.push(Duration::from_nanos(after.body_ns.sum - before.body_ns.sum));
            commits.push(Duration::from_nanos(after.commit_ns.sum - before.commit_ns.sum));
            let n_keys = after.keys_written.sum - before.keys_written.sum;
            keys = (after.keys_read.sum - before.keys_read.sum, n_keys);
            floors.push(floor(n_keys, after.bytes_written.sum - before.bytes_written.sum)?);
        }
        let [call, body, commit, floor] =
            [calls, bodies, commits, floors].map(|it| format!("{:.0} ms", median(it).as_secs_f64() * 1e3));
        let (read, written) = (keys.0 as f64 / n as f64, keys.1 as f64 / n as f64);
        writeln!(out, "| {n} | {call} | {body} | {commit} | {read:.1} | {written:.1} | {floor} |")?;
        out.flush()?;
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(table(&mut io::stdout()))
}
