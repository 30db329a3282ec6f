//! What a flow costs over the bare transaction. Read the ratios, not the figures: each is the median of
//! rounds that take turns in one process.

use std::{
    io::{self, Write as _},
    time::{Duration, Instant},
};

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Write, flow,
    flow::{HookPoint, Local},
    saga::{Outcome, Run},
};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_testkit::{Engine, TestApp};

const N_ROUNDS: usize = 15;
const N_CALLERS: usize = 64;
/// Calls of one caller in a round.
const N_CALLS: usize = 40;

static CHANGED: HookPoint<Vec<String>> = HookPoint::new("changed");

flow! {
    /// Changes records, a step each.
    static CHANGE: Flow<Vec<String>, ()> = "change" (change), hooks: &[&CHANGED];
}

fn change(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    for id in &ids {
        flow.step("change", |tx, at| touch(tx, at, id))?;
    }
    flow.hook(&CHANGED, || unreachable!("nobody joined")).map(drop)
}

flow! {
    /// Changes records in its only step.
    static CHANGE_AND_FINISH: Saga<Vec<String>, ()> = "change-and-finish" (change_and_finish);
}

async fn change_and_finish(run: &mut Run, ids: Vec<String>) -> Result<(), Fault> {
    run.finish("change", move |flow| ids.iter().try_for_each(|id| touch(flow.tx, flow.at, id))).await
}

flow! {
    /// Changes records in two transactions, journaled.
    static CHANGE_TWICE: Saga<Vec<String>, ()> = "change-twice" (change_twice);
}

async fn change_twice(run: &mut Run, ids: Vec<String>) -> Result<(), Fault> {
    let first = ids.clone();
    run.local("change", move |flow| first.iter().try_for_each(|id| touch(flow.tx, flow.at, id))).await?;
    run.finish("again", move |flow| ids.iter().try_for_each(|id| touch(flow.tx, flow.at, id))).await
}

fn touch(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), Fault> {
    SALES_CHANNELS.update(tx, at, id, |it: &mut SalesChannel| it.is_disabled = !it.is_disabled)?;
    Ok(())
}

/// The ways to change the same records.
#[derive(Clone, Copy, Debug)]
enum Way {
    Bare,
    Flow,
    Saga,
    Journal,
}

async fn once(ctx: &Ctx, way: Way, ids: Vec<String>) -> Result<(), Fault> {
    match way {
        Way::Bare => {
            let body = move |tx: &mut dyn Write, at: &Moment| ids.iter().try_for_each(|id| touch(tx, at, id));
            ctx.write(Actor::System, body).await.map(drop)
        }
        Way::Flow => ctx.run(&CHANGE, Actor::System, ids).await.map(drop),
        Way::Saga => done(ctx.start(&CHANGE_AND_FINISH, Actor::System, None, ids).await?),
        Way::Journal => done(ctx.start(&CHANGE_TWICE, Actor::System, None, ids).await?),
    }
}

fn done(outcome: Outcome<()>) -> Result<(), Fault> {
    match outcome {
        Outcome::Done((), _) => Ok(()),
        Outcome::Waiting(_) => Err(Fault::unexpected("it waits")),
    }
}

async fn round(ctx: &Ctx, way: Way, ids: &[Vec<String>]) -> Duration {
    let started = Instant::now();
    let callers: Vec<_> = ids
        .iter()
        .map(|ids| {
            let (ctx, ids) = (ctx.clone(), ids.clone());
            tokio::spawn(async move {
                for _ in 0..N_CALLS {
                    once(&ctx, way, ids.clone()).await.expect("a change");
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("a caller");
    }
    started.elapsed()
}

/// A row of the table: the median over the rounds of each way, divided by that of the bare transaction.
async fn measure(engine: Engine, n_steps: usize) -> String {
    let app = TestApp::on(engine).await;
    let make = move |tx: &mut dyn Write, at: &Moment| {
        let mut ids = vec![Vec::new(); N_CALLERS];
        for own in &mut ids {
            for _ in 0..n_steps {
                let channel = SalesChannel { name: "Bench".into(), ..SalesChannel::default() };
                own.push(SALES_CHANNELS.create(tx, at, channel)?.id.to_string());
            }
        }
        Ok(ids)
    };
    let (ids, _) = app.ctx.write(Actor::System, make).await.expect("channels");
    let ways = [Way::Bare, Way::Flow, Way::Saga, Way::Journal];
    let mut times = ways.map(|_| Vec::new());
    for _ in 0..N_ROUNDS {
        for (way, times) in ways.iter().zip(&mut times) {
            times.push(round(&app.ctx, *way, &ids).await);
        }
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    };
    let [bare, flow, saga, journal] = times.each_mut().map(median);
    let rate = (N_CALLERS * N_CALLS) as f64 / bare;
    format!(
        "| {engine:?} | {n_steps} | {rate:.0}/s | {:.2} | {:.2} | {:.2} |",
        flow / bare,
        saga / bare,
        journal / bare
    )
}

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut out = io::stdout();
    writeln!(
        out,
        "| engine | changes | bare transaction | flow | saga of one step | saga of two, journaled |"
    )?;
    writeln!(out, "| --- | --- | --- | --- | --- | --- |")?;
    for engine in Engine::ALL {
        for n_steps in [1, 5] {
            writeln!(out, "{}", runtime.block_on(measure(engine, n_steps)))?;
        }
    }
    writeln!(out, "Times over that of the bare transaction, {N_CALLERS} callers; 1.00 is no overhead.")
}
