//! The attack: many clients send the most expensive requests there are, while others ask for what must be
//! answered all the same.

use std::{collections::BTreeMap, rc::Rc, thread, time::Duration};

use anyhow::Context as _;
use tokio::runtime;

use crate::{
    measure::{Figures, run},
    report::Row,
    scenarios::{Who, expensive_paths, paths},
    server::Server,
    turns::{Client, Reader, Shopper, Step},
    world::World,
};

/// The victims, with the 99th percentile that they are promised, in milliseconds.
const VICTIMS: [(&str, f64); 3] = [("/health", 10.0), ("product by id", 50.0), ("adding a line", 100.0)];

/// A client of each victim. Each takes turns in a thread of its own, so that it waits for nobody but the
/// server.
fn victim(world: &World, nth: usize) -> Client {
    let world = Rc::new(world.clone());
    let product = format!("/store/products/{}", world.products[0].0);
    let reader = |path: String| Client::Read(Reader::new(world.storefront(), &Rc::new(vec![path]), 0));
    match nth {
        0 => reader("/health".to_owned()),
        1 => reader(product),
        _ => Client::Write(Shopper::new(&world, Step::Add, 0)),
    }
}

fn victims(world: &World, window: Duration) -> Vec<thread::JoinHandle<anyhow::Result<Figures>>> {
    let start = |nth| {
        let world = world.clone();
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            Ok(runtime.block_on(run(vec![victim(&world, nth)], window)).figures())
        })
    };
    (0..VICTIMS.len()).map(start).collect()
}

/// What the victims see at rest and under attack, and what becomes of the attackers' requests.
pub(crate) async fn rows(
    server: &Server,
    world: &Rc<World>,
    n_attackers: usize,
    window: Duration,
) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut requests = Vec::new();
    for path in expensive_paths() {
        requests.extend(paths(path, world).await?.iter().flat_map(|it| it.iter().cloned()));
    }
    let requests = Rc::new(requests);
    for (at, attackers) in [("at rest", 0), ("under attack", n_attackers)] {
        let victims = victims(world, window);
        let reader = |nth| Client::Read(Reader::tolerant(Who::Store.client(world), &requests, nth));
        let cpu = server.cpu()?;
        let attack = run((0..attackers).map(reader).collect(), window).await;
        let mut seen = Vec::new();
        for victim in victims {
            seen.push(victim.join().ok().context("a victim panicked")??);
        }
        for ((name, p99_ms), figures) in VICTIMS.iter().zip(seen) {
            let target = (attackers > 0).then_some(*p99_ms);
            let mut row = Row::new(format!("attack: {name}, {at}"), "large", figures);
            row.target.p99_ms_max = target;
            rows.push(row);
        }
        if attackers > 0 {
            let mut figures = attack.figures();
            figures.rss_mb = Some(server.rss_mb()?);
            let cpu = server.cpu()?.saturating_sub(cpu);
            figures.cpu_us = Some(cpu.as_secs_f64() * 1e6 / figures.n.max(1) as f64);
            let mut statuses = BTreeMap::<u16, usize>::new();
            for client in &attack.clients {
                if let Client::Read(reader) = client {
                    reader.statuses.iter().for_each(|(status, n)| *statuses.entry(*status).or_default() += n);
                }
            }
            let mut row = Row::new(format!("attack: {attackers} attackers"), "large", figures);
            row.note = Some(format!("answers by status: {statuses:?}"));
            rows.push(row);
        }
    }
    Ok(rows)
}
