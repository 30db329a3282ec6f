//! Fault injection: every flow × every step × every failure mode. Afterwards the whole store, outbox
//! included, equals either the state before or that after an undisturbed run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Registry, Write,
    data::Store,
    flow,
    flow::{Local, Point, Probe, When},
    saga::EXECUTIONS,
};
use atoll_payment::{PAYMENTS, forget_asked};
use atoll_storage::engines::{Crash, EngineFault, Faulty, Memory, Switch};
use atoll_testkit::{Dump, TestApp};
use serde_json::json;

use crate::{
    bank::{Mood, account},
    scenarios::{Scenario, scenario},
    world,
};

/// A row of the table: flow and step.
type Step = (String, String);

/// Injects a fault at a probe point.
#[derive(Default)]
struct Trap {
    /// Where and what to inject, once.
    set: Mutex<Option<(Step, When, Spring)>>,
    /// Fails this step always, so that the steps before it are compensated.
    wall: Mutex<Option<Step>>,
    seen: Mutex<Vec<Step>>,
    /// Runs every flow twice first, and compares their writes.
    runs_twice: AtomicBool,
}

#[derive(Clone)]
enum Spring {
    Fail,
    Crash(Crash, Switch),
}

impl Probe for Trap {
    fn probe(&self, point: &Point<'_>) -> Result<(), Fault> {
        let step = (point.flow.to_owned(), point.step.to_owned());
        let refuse = || Err(Fault::unexpected("on purpose"));
        if self.wall.lock().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(&step)
            && point.when == When::After
        {
            return refuse();
        }
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, spring)) = set.take_if(|(at, when, _)| *at == step && *when == point.when) {
            match spring {
                Spring::Fail => return refuse(),
                Spring::Crash(crash, switch) => switch.arm(crash),
            }
        }
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(step);
        Ok(())
    }

    fn runs_twice(&self) -> bool {
        self.runs_twice.load(Ordering::Relaxed)
    }
}

impl Scenario {
    /// An application on a copy of the store.
    async fn app(&self, fault: EngineFault) -> (TestApp, Arc<Trap>, Memory, Switch) {
        let disk = self.disk.fork();
        let (app, trap, switch) = Self::app_on(&disk, fault).await;
        (app, trap, disk, switch)
    }

    async fn app_on(disk: &Memory, fault: EngineFault) -> (TestApp, Arc<Trap>, Switch) {
        let engine = Faulty::new(disk.clone(), fault);
        let (trap, switch) = (Arc::new(Trap::default()), engine.switch());
        let spaces = Registry::linked().expect("a registry").spaces();
        let store = Store::open(engine, &spaces).expect("a store");
        (TestApp::over(store, Some(trap.clone())).await, trap, switch)
    }

    /// Number of charges of the cart without a refund; then resets the bank and the outside.
    fn take_charges(&self) -> usize {
        self.test.iter().for_each(|test| world::forget(test));
        self.cart.as_ref().map_or(0, |cart| account(cart, |it| std::mem::take(it).n_charged()))
    }

    /// The content of the disk after a new process has resumed the open runs.
    async fn recovered(&self, disk: &Memory) -> Dump {
        let (app, _, _) = Self::app_on(disk, EngineFault::None).await;
        app.ctx.recover().await.expect("a recovery");
        for run in EXECUTIONS.table.list_all(&app.ctx.view()).expect("runs") {
            assert!(run.has_ended(), "{}: a run is stuck: {:?}", self.flow, run.state);
            assert_eq!(run.undo_error, None, "{}", self.flow);
        }
        answer_payments(&app.ctx).await;
        Dump::after_undoing(&app.ctx)
    }
}

/// A payment notes what its provider was asked for until it has answered: that is left of a capture or refund
/// that has failed.
async fn answer_payments(ctx: &Ctx) {
    let answer = |tx: &mut dyn Write, at: &Moment| {
        for payment in PAYMENTS.table.list_all(tx)? {
            if payment.unanswered.is_some() {
                forget_asked(tx, at, &payment.id)?;
            }
        }
        Ok(())
    };
    ctx.write(Actor::System, answer).await.expect("a write");
}

/// Failure modes.
const WAYS: [&str; 4] = ["fail before", "fail after", "crash before commit", "crash after commit"];

#[derive(Default)]
struct Table {
    n_run: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

#[tokio::test]
async fn every_flow_is_atomic_under_failures_and_crashes() {
    let mut table = Table::default();
    let (mut n_flows, mut n_steps) = (0, 0);
    for flow in Registry::linked().expect("a registry").flows.iter().map(|it| it.name()) {
        // Parts of sagas that have tests of their own, and the negative control.
        if [
            "named", "once", "careless", "hasty", "fickle", "odd", "script", "checkout", "restless", "ask",
            "errand", "ask-outside", "tell", "unsure",
        ]
        .contains(&flow)
        {
            continue;
        }
        let scenario = scenario(flow).await;
        let before = scenario.recovered(&scenario.disk.fork()).await;
        let (app, trap, disk, _) = scenario.app(EngineFault::None).await;
        assert!((scenario.run)(&app).await, "{flow} does not run");
        let after = scenario.recovered(&disk).await;
        scenario.take_charges();
        assert!(!before.same_as(&after), "{flow} does nothing");
        let seen = trap.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let steps: BTreeSet<Step> = seen.into_iter().collect();
        assert!(!steps.is_empty(), "{flow} has no steps");
        n_steps += steps.len();
        for step in &steps {
            disturb(&scenario, step, &before, &after, &mut table).await;
        }
        n_flows += 1;
        run_twice(&scenario, &after, &mut table).await;
        undo_each(&scenario, &before, &mut table).await;
        time_out(&scenario, &before, &mut table).await;
    }
    assert_eq!(table.wrong, [""; 0]);
    let n_run = |way: &str| table.n_run.get(way).copied().unwrap_or(0);
    // Not every step has every failure mode: a local flow is one transaction, which is aborted and never
    // compensated, and only external calls time out.
    for way in WAYS {
        assert_eq!(n_run(way), n_steps, "{way}");
    }
    assert_eq!(n_run("run twice"), n_flows);
    assert_eq!((n_run("undo twice"), n_run("time-out")), (11, 6), "{:?}", table.n_run);
    eprintln!("{n_steps} steps: {:?}", table.n_run);
}

/// Fails each step in turn, and crashes in its commit.
async fn disturb(scenario: &Scenario, step: &Step, before: &Dump, after: &Dump, table: &mut Table) {
    for way in WAYS {
        let (app, trap, disk, switch) = scenario.app(EngineFault::None).await;
        let set = match way {
            "fail before" => (When::Before, Spring::Fail),
            "fail after" => (When::After, Spring::Fail),
            "crash before commit" => (When::Before, Spring::Crash(Crash::Before, switch)),
            _ => (When::Before, Spring::Crash(Crash::After, switch)),
        };
        *trap.set.lock().unwrap_or_else(PoisonError::into_inner) = Some((step.clone(), set.0, set.1));
        let done = (scenario.run)(&app).await;
        drop(app);
        let left = scenario.recovered(&disk).await;
        let expected = match way {
            "fail before" | "fail after" => !done && left.same_as(before),
            _ => left.same_as(before) || left.same_as(after),
        };
        *table.n_run.entry(way).or_default() += 1;
        if !expected {
            let difference = before.difference(&left).join("\n");
            table.wrong.push(format!("{} {step:?} {way}: done {done}\n{difference}", scenario.flow));
        }
        let n_charged = scenario.take_charges();
        if scenario.cart.is_some() && n_charged != usize::from(left.same_as(after)) {
            table.wrong.push(format!("{step:?} {way}: {n_charged} charges"));
        }
    }
}

/// Runs every flow of the scenario twice over the same data before it is run: with the same ids, both write
/// the same.
async fn run_twice(scenario: &Scenario, after: &Dump, table: &mut Table) {
    let (app, trap, disk, _) = scenario.app(EngineFault::None).await;
    trap.runs_twice.store(true, Ordering::Relaxed);
    let done = (scenario.run)(&app).await;
    drop(app);
    let left = scenario.recovered(&disk).await;
    *table.n_run.entry("run twice").or_default() += 1;
    if !done || !left.same_as(after) {
        table.wrong.push(format!("{} run twice: done {done} {:?}", scenario.flow, after.difference(&left)));
    }
    scenario.take_charges();
}

flow! {
    /// A nondeterministic flow: each run writes something else.
    static RESTLESS: Flow<(), ()> = "restless" (restless);
}

fn restless(flow: &mut Local<'_>, (): ()) -> Result<(), Fault> {
    static N_RUNS: AtomicU64 = AtomicU64::new(0);
    let n_runs = N_RUNS.fetch_add(1, Ordering::Relaxed);
    Ok(flow.emit("thing.made", json!({ "n": n_runs }))?)
}

/// Negative control: the double run detects a flow that is no function of its input, the moment and the data.
#[tokio::test]
async fn nondeterministic_flow_is_detected() {
    let scenario = scenario("careless").await;
    let (app, trap, _, _) = scenario.app(EngineFault::None).await;
    let run =
        async || app.ctx.run(&RESTLESS, Actor::System, ()).await.map(drop).map_err(|it| format!("{it:?}"));
    assert_eq!(run().await, Ok(()));
    trap.runs_twice.store(true, Ordering::Relaxed);
    let found = run().await.expect_err("an objection");
    assert!(found.contains("`restless` wrote something else when it ran again"), "{found}");
}

/// Fails the last step, and crashes during the compensation of each step before it: the next process
/// compensates it again.
async fn undo_each(scenario: &Scenario, before: &Dump, table: &mut Table) {
    let last = match scenario.flow {
        "trip" => "open-channel",
        "complete-cart" => "place-order",
        _ => return,
    };
    let wall: Step = (scenario.flow.to_owned(), last.to_owned());
    let (app, trap, _, _) = scenario.app(EngineFault::None).await;
    *trap.wall.lock().unwrap_or_else(PoisonError::into_inner) = Some(wall.clone());
    assert!(!(scenario.run)(&app).await, "{} has failed", scenario.flow);
    scenario.take_charges();
    let runs = EXECUTIONS.table.list_all(&app.ctx.view()).expect("runs");
    let own = runs.iter().filter(|run| run.workflow_id == scenario.flow);
    let steps: Vec<String> = own.flat_map(|run| &run.steps).map(|it| it.name.clone()).collect();
    for name in steps {
        let (app, trap, disk, switch) = scenario.app(EngineFault::None).await;
        *trap.wall.lock().unwrap_or_else(PoisonError::into_inner) = Some(wall.clone());
        let spring = Spring::Crash(Crash::Before, switch);
        *trap.set.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(((scenario.flow.to_owned(), name.clone()), When::Undone, spring));
        let done = (scenario.run)(&app).await;
        drop(app);
        let left = scenario.recovered(&disk).await;
        *table.n_run.entry("undo twice").or_default() += 1;
        if done || !left.same_as(before) {
            table.wrong.push(format!("{} {name} undo twice: {:?}", scenario.flow, before.difference(&left)));
        }
        if scenario.take_charges() != 0 {
            table.wrong.push(format!("{name} undo twice: money was kept"));
        }
    }
}

/// Times out each external call after it had its effect.
async fn time_out(scenario: &Scenario, before: &Dump, table: &mut Table) {
    let calls: &[&str] = match scenario.flow {
        "trip" => &["book", "weigh", "pay-a", "pay-b", "announce"],
        "complete-cart" => &["authorize-payment"],
        _ => &[],
    };
    for call in calls {
        let (app, _, disk, _) = scenario.app(EngineFault::None).await;
        scenario.test.iter().for_each(|test| world::let_hang(test, call));
        scenario.cart.iter().for_each(|cart| account(cart, |it| it.mood = Mood::Hangs));
        let done = (scenario.run)(&app).await;
        drop(app);
        let left = scenario.recovered(&disk).await;
        *table.n_run.entry("time-out").or_default() += 1;
        if done || !left.same_as(before) || scenario.take_charges() != 0 {
            table.wrong.push(format!("{} {call} time-out: {:?}", scenario.flow, before.difference(&left)));
        }
    }
}

/// Negative control: the table detects a saga without compensation.
#[tokio::test]
async fn missing_compensation_is_detected() {
    let scenario = scenario("careless").await;
    let before = scenario.recovered(&scenario.disk.fork()).await;
    let (app, _, disk, _) = scenario.app(EngineFault::None).await;
    assert!((scenario.run)(&app).await);
    let after = scenario.recovered(&disk).await;
    let mut table = Table::default();
    disturb(&scenario, &("careless".into(), "call".into()), &before, &after, &mut table).await;
    assert_eq!(table.wrong.len(), 2, "failing before and after the call: {:?}", table.wrong);
}

/// A saga that continues after a failed part has the same result, wherever a crash interrupts it.
#[tokio::test]
async fn compensated_part_stays_undone_after_a_crash() {
    let scenario = scenario("script").await;
    let before = scenario.recovered(&scenario.disk.fork()).await;
    let (app, trap, disk, _) = scenario.app(EngineFault::None).await;
    assert!((scenario.run)(&app).await);
    let after = scenario.recovered(&disk).await;
    let steps: BTreeSet<Step> =
        trap.seen.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
    let mut n_sprung = 0;
    for step in steps {
        for when in [When::Before, When::After, When::Undoing, When::Undone] {
            for crash in [Crash::Before, Crash::After] {
                let (app, trap, disk, switch) = scenario.app(EngineFault::None).await;
                let set = (step.clone(), when, Spring::Crash(crash, switch));
                *trap.set.lock().unwrap_or_else(PoisonError::into_inner) = Some(set);
                (scenario.run)(&app).await;
                drop(app);
                let left = scenario.recovered(&disk).await;
                assert!(
                    left.same_as(&before) || left.same_as(&after),
                    "{step:?} {when:?} {crash:?}: {:?}",
                    after.difference(&left)
                );
                scenario.take_charges();
                n_sprung += usize::from(trap.set.lock().unwrap_or_else(PoisonError::into_inner).is_none());
            }
        }
    }
    // Six probe points are reached, and four steps are compensated.
    assert_eq!(n_sprung, (6 + 6 + 4 + 4) * 2);
}
