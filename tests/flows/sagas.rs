//! Sagas: steps, retries, compensation, waiting, resuming after a crash.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use atoll_kernel::{
    Actor, Ctx, Fault, FaultKind, Moment, Write, flow,
    flow::{HookPoint, Local, StepCall},
    hook,
    jobs::events_after,
    saga::{EXECUTIONS, ExecutionState, External, Outcome, Run, StepState, WorkflowExecution},
    serde_json::Map,
};
use atoll_links::PRODUCT_SALES_CHANNEL;
use atoll_product::PRODUCTS;
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_testkit::{Dump, Shop, TestApp, Walk};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::world;

/// The input of the sagas of these tests.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Trip {
    pub(crate) test: String,
    pub(crate) product: String,
    pub(crate) channels: Vec<String>,
    pub(crate) waits: bool,
    pub(crate) panics: bool,
}

/// Time-out of external calls.
const TIMEOUT: Duration = Duration::from_millis(40);

/// An external step, with an external call as compensation.
pub(crate) fn calls(test: &str, name: &'static str) -> External<u64> {
    let (test, undoing) = (test.to_owned(), test.to_owned());
    let step = External::new(name, move |_, it| {
        let test = test.clone();
        async move { world::call(&test, name, &it).await }
    });
    step.timeout(TIMEOUT).undo(move |_, it, answer: Option<u64>| {
        let test = undoing.clone();
        async move {
            let answer = answer.map(|n| format!(" {n}")).unwrap_or_default();
            world::call(&test, &format!("undo {name}{answer}"), &it).await.map(drop)
        }
    })
}

flow! {
    /// Local steps on records and links, and external calls between them.
    pub(crate) static TRIP: Saga<Trip, String> = "trip" (trip), hooks: &[&MIDWAY], external_hooks: &[&OUTSIDE];
}

static MIDWAY: HookPoint<Value> = HookPoint::new("midway");
static OUTSIDE: HookPoint<Value, Value> = HookPoint::new("outside");

async fn trip(run: &mut Run, trip: Trip) -> Result<String, Fault> {
    let input = trip.clone();
    run.local("associate", move |local| associate(local, &input)).await?;
    run.external(calls(&trip.test, "book").retries(2, Duration::ZERO)).await?;
    run.hook(&MIDWAY, json!({ "test": trip.test })).await?;
    run.hook(&OUTSIDE, json!({ "test": trip.test })).await?;
    let (a, b) = run.both(calls(&trip.test, "pay-a"), calls(&trip.test, "pay-b")).await?;
    assert!(!trip.panics, "on purpose");
    if trip.waits {
        let name: String = run.wait("approval", Some(Duration::from_secs(60))).await?;
        run.run(&NAMED, (trip.test.clone(), name)).await?;
    }
    run.external(calls(&trip.test, "announce")).await?;
    let made = run.local("open-channel", move |local| {
        let channel = SalesChannel { name: format!("{a} and {b}"), ..SalesChannel::default() };
        let channel = SALES_CHANNELS.create(local.tx, local.at, channel)?;
        local.emit("trip.done", json!({ "id": channel.id }))?;
        Ok(channel.id.to_string())
    });
    made.await
}

fn associate(local: &mut Local<'_>, trip: &Trip) -> Result<(), Fault> {
    for channel in &trip.channels {
        PRODUCT_SALES_CHANNEL.attach(local.tx, local.at, &trip.product, channel, Map::new())?;
    }
    PRODUCTS.update(local.tx, local.at, &trip.product, |it: &mut atoll_product::Product| {
        it.title = "On a trip".into();
        it.handle = "on-a-trip".into();
    })?;
    local.emit("trip.begun", json!({ "test": trip.test }))?;
    Ok(())
}

flow! {
    /// A saga that is a part of a trip.
    static NAMED: Saga<(String, String), ()> = "named" (named);
}

async fn named(run: &mut Run, (test, name): (String, String)) -> Result<(), Fault> {
    let make = move |local: &mut Local<'_>| {
        let channel = SalesChannel { name: name.clone(), ..SalesChannel::default() };
        Ok(SALES_CHANNELS.create(local.tx, local.at, channel)?.id.to_string())
    };
    let remove = |local: &mut Local<'_>, id: String| {
        SALES_CHANNELS.delete(local.tx, local.at, &id)?;
        Ok(())
    };
    run.local_undone_by("open", make, remove).await?;
    run.external(calls(&test, "name")).await?;
    Ok(())
}

hook! { "test.rename" in "trip.midway" => rename }

fn rename(local: &mut Local<'_>, input: &Value) -> Result<(), Fault> {
    if input["test"].as_str().is_some_and(|it| world::calls(it).contains(&"book".to_owned())) {
        local.emit("trip.midway", input.clone())?;
    }
    Ok(())
}

hook! { "test.weigh" in "trip.outside" => external weigh, undo: unweigh, timeout: TIMEOUT,
retries: (1, Duration::ZERO) }

async fn weigh(_: Ctx, call: StepCall, input: Value) -> Result<Value, Fault> {
    let test = input["test"].as_str().unwrap_or_default().to_owned();
    world::call(&test, "weigh", &call).await.map(Value::from)
}

async fn unweigh(_: Ctx, call: StepCall, answer: Option<Value>) -> Result<(), Fault> {
    let test = call.input["test"].as_str().unwrap_or_default().to_owned();
    world::call(&test, &format!("undo weigh {}", answer.unwrap_or_default()), &call).await.map(drop)
}

/// Looks after the runs once; those that are resumed go on.
pub(crate) async fn tend(ctx: &Ctx) {
    let mut runs = JoinSet::new();
    ctx.tend_runs(&mut runs).await.expect("a look");
    runs.detach_all();
}

/// A shop with a product in one of two channels.
struct Bench {
    shop: Shop,
    trip: Trip,
    n_events: usize,
    before: Dump,
}

impl Bench {
    async fn new() -> Bench {
        let shop = Shop::open(TestApp::init().await).await;
        let (web, app) = (shop.channel("Web").await, shop.channel("App").await);
        let tea = shop.product("Tea", &[&web], 0).await;
        let trip = Trip {
            test: world::new_test(),
            product: tea.product,
            channels: vec![web, app],
            ..Trip::default()
        };
        let n_events = events_after(&shop.app.ctx.view(), 0, usize::MAX).expect("events").len();
        let before = Dump::after_undoing(&shop.app.ctx);
        Bench { shop, trip, n_events, before }
    }

    fn ctx(&self) -> &Ctx {
        &self.shop.app.ctx
    }

    async fn tend(&self) {
        tend(self.ctx()).await;
    }

    async fn go(&self) -> Result<Outcome<String>, Fault> {
        self.ctx().start(&TRIP, Actor::System, Some("one"), self.trip.clone()).await
    }

    fn execution(&self) -> WorkflowExecution {
        WorkflowExecution::find(&self.ctx().view(), "trip", "one").expect("a read").expect("an execution")
    }

    /// Waits until the run has this state.
    async fn comes_to(&self, state: ExecutionState) {
        let mut commits = self.ctx().store().commits();
        while self.execution().state != state {
            commits.changed().await.expect("a commit");
        }
    }

    fn events(&self) -> Vec<String> {
        let events = events_after(&self.ctx().view(), 0, usize::MAX).expect("events");
        events.into_iter().skip(self.n_events).map(|(_, it)| it.name).collect()
    }

    fn calls(&self) -> Vec<String> {
        world::calls(&self.trip.test)
    }

    #[track_caller]
    fn nothing_changed(&self) {
        assert_eq!(self.before.difference(&Dump::after_undoing(self.ctx())), [""; 0]);
    }

    async fn finish(&self, end: &str, step: &str, response: Value) -> String {
        let body = json!({ "transaction_id": "one", "step_id": step, "response": response });
        let path = format!("/admin/workflows-executions/trip/steps/{end}");
        let answer = self.shop.admin.post(&path, body).await;
        if answer.status.is_success() { answer.ok().to_string() } else { answer.error() }
    }
}

#[tokio::test]
async fn unauthenticated_callers_start_no_saga() {
    let app = TestApp::init().await;
    let refused = app.ctx.start(&TRIP, Actor::Nobody, None, Trip::default()).await;
    assert_eq!(refused.map(drop).expect_err("it is refused").status(), 401);
    assert_eq!(EXECUTIONS.table.count(&app.ctx.view()).expect("a count"), 0);
}

#[tokio::test]
async fn saga_runs_steps_in_order_and_emits_events_at_the_end() {
    let bench = Bench::new().await;
    let Ok(Outcome::Done(id, view)) = bench.go().await else { panic!("it is done") };
    assert_eq!(SALES_CHANNELS.retrieve(&view, &id).expect("a channel").name, "1 and 1");
    assert_eq!(bench.calls(), ["book", "weigh", "pay-a", "pay-b", "announce"]);
    assert_eq!(bench.events(), ["trip.begun", "trip.midway", "trip.done"]);
    let shown = bench.shop.admin.get("/admin/workflows-executions/trip/one").await.ok();
    let shown = &shown["workflow_execution"];
    assert_eq!((&shown["state"], &shown["context"]["data"]["result"]), (&json!("done"), &json!(id)));
    let steps: Vec<&String> = shown["execution"]["steps"].as_object().expect("steps").keys().collect();
    assert_eq!(steps.len(), 8, "{steps:?}");
    let list = bench.shop.admin.get("/admin/workflows-executions?workflow_id=trip&state=done").await.ok();
    assert_eq!(list["count"], 1);
    // The run has ended, and the saga is not idempotent: a second start runs again.
    bench.go().await.map(drop).expect("a second run");
    assert_eq!(bench.calls().len(), 10);
}

#[tokio::test]
async fn text_of_runs_is_shown_as_text_on_pages() {
    let mut bench = Bench::new().await;
    bench.trip.waits = true;
    let Ok(Outcome::Waiting(_)) = bench.go().await else { panic!("it waits") };
    bench.finish("failure", "approval", json!("<script>alert(1)</script>")).await;
    bench.comes_to(ExecutionState::Reverted).await;
    let walk = Walk::of(&bench.shop.app).await;
    assert!(!walk.missed.contains("/runs/:id"));
    for (path, page) in &walk.pages {
        assert!(!page.contains("<script>alert"), "{path}: {page}");
    }
}

#[tokio::test]
async fn compensation_restores_the_store_byte_for_byte() {
    for (failing, calls) in [
        ("book", "book book book undo book"),
        ("weigh", "book weigh weigh undo weigh null undo book 1"),
        ("pay-b", "book weigh pay-a pay-b undo pay-b undo pay-a 1 undo weigh 1 undo book 1"),
        (
            "announce",
            "book weigh pay-a pay-b announce undo announce undo pay-b 1 undo pay-a 1 undo weigh 1 undo book 1",
        ),
    ] {
        let bench = Bench::new().await;
        world::let_fail(&bench.trip.test, failing, 3);
        let error = bench.go().await.map(drop).expect_err("it fails");
        assert_eq!(error.causes(), format!("{failing} is down"), "{error}");
        assert_eq!(bench.calls().join(" "), calls);
        bench.nothing_changed();
        assert_eq!(bench.execution().state, ExecutionState::Reverted);
        // Retried calls have the same idempotency keys.
        let n_tries = [("book", 3), ("weigh", 2)].iter().find(|it| it.0 == failing).map_or(1, |it| it.1);
        assert_eq!(world::keys(&bench.trip.test).1, n_tries);
    }
}

#[tokio::test]
async fn external_step_is_retried_up_to_its_limit() {
    let bench = Bench::new().await;
    world::let_fail(&bench.trip.test, "book", 2);
    bench.go().await.map(drop).expect("the third try works");
    assert_eq!(bench.calls()[..3], ["book", "book", "book"]);

    let bench = Bench::new().await;
    world::let_hang(&bench.trip.test, "book");
    let error = bench.go().await.map(drop).expect_err("it takes too long");
    assert_eq!(error.causes(), "`book` did not answer within 40 ms");
    assert_eq!(bench.calls().last().map(String::as_str), Some("undo book"));
    bench.nothing_changed();
}

#[tokio::test]
async fn compensation_conflicts_with_later_changes() {
    let mut bench = Bench::new().await;
    bench.trip.waits = true;
    let Ok(Outcome::Waiting(_)) = bench.go().await else { panic!("it waits") };
    let path = format!("/admin/products/{}", bench.trip.product);
    bench.shop.admin.post(&path, json!({ "title": "Changed since" })).await.ok();
    assert_eq!(bench.finish("failure", "approval", json!("no")).await, r#"{"success":true}"#);
    bench.comes_to(ExecutionState::Failed).await;
    let shown = bench.shop.admin.get("/admin/workflows-executions/trip/one").await.ok();
    let errors = shown["workflow_execution"]["context"]["errors"].to_string();
    let conflict = format!("cannot be undone: product {} was changed since", bench.trip.product);
    assert!(errors.contains(&conflict), "{errors}");
    assert_eq!(bench.shop.admin.get(&path).await.ok()["product"]["title"], "Changed since");
    // A run whose compensation failed is not started again.
    let failed = "Workflow trip with transaction one has failed, and could not be undone";
    assert_eq!(bench.go().await.map(drop).expect_err("it failed").to_string(), failed);
    // An admin retries the compensation: it succeeds once the title is as before.
    let run = format!("/admin/workflows-executions/{}", bench.execution().id);
    bench.shop.admin.post(&format!("{run}/undo"), json!({})).await.ok();
    bench.comes_to(ExecutionState::Failed).await;
    bench.shop.admin.post(&path, json!({ "title": "On a trip" })).await.ok();
    bench.shop.admin.post(&format!("{run}/undo"), json!({})).await.ok();
    bench.comes_to(ExecutionState::Reverted).await;
    assert_eq!(bench.shop.admin.get(&path).await.ok()["product"]["title"], "Tea");
    assert_eq!(bench.calls().last().map(String::as_str), Some("undo book 1"));
    assert_eq!(
        bench.shop.admin.delete(&run).await.error(),
        format!("400 not_allowed: Workflow execution {} is reverted, and not failed", bench.execution().id)
    );
}

#[tokio::test]
async fn run_that_was_undone_is_repeated_with_its_input() {
    let bench = Bench::new().await;
    world::let_fail(&bench.trip.test, "announce", 1);
    bench.go().await.map(drop).expect_err("it fails");
    let undone = bench.execution();
    assert_eq!(undone.state, ExecutionState::Reverted);
    let repeat = |id: &str| {
        let path = format!("/admin/workflows-executions/{id}/repeat");
        let admin = bench.shop.admin.clone();
        async move { admin.post(&path, json!({})).await }
    };
    let begun = repeat(&undone.id).await.ok();
    let expected = json!({
        "transactionId": "one", "workflowId": "trip", "hasFinished": true, "hasFailed": false,
    });
    assert_eq!(begun["acknowledgement"], expected);
    let done = bench.execution();
    assert_eq!((done.state, &done.input), (ExecutionState::Done, &undone.input));
    assert!(repeat(&undone.id).await.error().starts_with("404"), "the new run took its place");
}

#[tokio::test]
async fn run_that_could_not_be_undone_is_not_repeated() {
    let bench = Bench::new().await;
    world::let_fail(&bench.trip.test, "announce", 1);
    world::let_fail(&bench.trip.test, "undo book 1", 4);
    bench.go().await.map(drop).expect_err("it fails");
    let id = bench.execution().id;
    let n_calls = bench.calls().len();
    let path = format!("/admin/workflows-executions/{id}/repeat");
    let refused = bench.shop.admin.post(&path, json!({})).await.error();
    let expected =
        format!("400 not_allowed: Workflow execution {id} is failed, and neither done nor reverted");
    assert_eq!(refused, expected);
    assert_eq!(bench.calls().len(), n_calls);
}

#[tokio::test]
async fn failed_compensation_is_retried_later() {
    let undo = "undo book 1";
    let fail = |bench: &Bench, n_times| {
        world::let_fail(&bench.trip.test, "announce", 1);
        world::let_fail(&bench.trip.test, undo, n_times);
    };
    let bench = Bench::new().await;
    fail(&bench, 3);
    bench.go().await.map(drop).expect_err("it fails");
    assert_eq!(bench.execution().state, ExecutionState::Reverted);
    bench.nothing_changed();

    let bench = Bench::new().await;
    fail(&bench, 4);
    bench.go().await.map(drop).expect_err("it fails");
    let failed = bench.execution();
    assert_eq!((failed.state, failed.n_undo_tries), (ExecutionState::Failed, 1));
    bench.shop.app.advance_ms(19_999);
    bench.tend().await;
    assert_eq!(bench.execution().state, ExecutionState::Failed, "it is too early");
    bench.shop.app.advance_ms(1);
    bench.tend().await;
    bench.comes_to(ExecutionState::Reverted).await;
    bench.nothing_changed();
    assert_eq!(bench.calls().iter().filter(|it| *it == undo).count(), 5);
}

#[tokio::test]
async fn starting_an_interrupted_run_again_resumes_it() {
    let mut bench = Bench::new().await;
    bench.trip.waits = true;
    bench.go().await.map(drop).expect("it waits");
    // As after a crash right after the step.
    let mut cut = bench.execution();
    cut.state = ExecutionState::Invoking;
    let step = cut.steps.last_mut().expect("a step");
    (step.state, step.output) = (StepState::Done, json!("Named"));
    let cut = move |tx: &mut dyn Write, at: &Moment| Ok(EXECUTIONS.upsert(tx, at, cut.clone()).map(drop)?);
    bench.ctx().write(Actor::System, cut).await.expect("a write");
    let Ok(Outcome::Done(..)) = bench.go().await else { panic!("it is done") };
    assert_eq!(bench.calls(), ["book", "weigh", "pay-a", "pay-b", "name", "announce"]);
}

#[tokio::test]
async fn a_run_whose_saga_is_gone_can_be_forgotten() {
    let bench = Bench::new().await;
    for state in [ExecutionState::Invoking, ExecutionState::Waiting] {
        let lost = WorkflowExecution { workflow_id: "gone".into(), state, ..WorkflowExecution::default() };
        let write = move |tx: &mut dyn Write, at: &Moment| Ok(EXECUTIONS.create(tx, at, lost.clone())?.id);
        let (id, _) = bench.ctx().write(Actor::System, write).await.expect("a write");
        bench.tend().await;
        let run = format!("/admin/workflows-executions/{id}");
        bench.shop.admin.delete(&run).await.ok();
        assert!(bench.shop.admin.get(&run).await.error().starts_with("404"));
    }
}

static IS_CHANGED: AtomicBool = AtomicBool::new(false);

flow! {
    /// A saga whose code was changed, and which takes other steps.
    static FICKLE: Saga<String, ()> = "fickle" (fickle);
}

async fn fickle(run: &mut Run, test: String) -> Result<(), Fault> {
    if !IS_CHANGED.load(Ordering::Relaxed) {
        run.external(calls(&test, "before")).await?;
    }
    run.wait::<Value>("approval", None).await?;
    Ok(())
}

#[tokio::test]
async fn run_that_skips_its_journaled_steps_is_not_reverted() {
    let bench = Bench::new().await;
    let test = bench.trip.test.clone();
    let waits = bench.ctx().start(&FICKLE, Actor::System, Some("one"), test.clone()).await;
    let Ok(Outcome::Waiting(_)) = waits else { panic!("it waits") };
    IS_CHANGED.store(true, Ordering::Relaxed);
    let given = bench.ctx().finish_step("fickle", "one", "approval", Ok(Value::Null)).await;
    given.expect_err("it does not come to that step");
    let find =
        || WorkflowExecution::find(&bench.ctx().view(), "fickle", "one").expect("a read").expect("a run");
    let mut commits = bench.ctx().store().commits();
    while find().state != ExecutionState::Failed {
        commits.changed().await.expect("a commit");
    }
    let error = find().error.and_then(|it| it.cause).expect("an error");
    assert!(error.contains("its code was changed"), "{error}");
    assert_eq!(world::calls(&test), ["before"]);
    let run = format!("/admin/workflows-executions/{}", find().id);
    bench.shop.admin.delete(&run).await.ok();
    assert!(bench.shop.admin.get(&run).await.error().starts_with("404"));
}

#[tokio::test]
async fn waiting_step_is_finished_or_failed_from_outside() {
    let mut bench = Bench::new().await;
    bench.trip.waits = true;
    let Ok(Outcome::Waiting(_)) = bench.go().await else { panic!("it waits") };
    let Ok(Outcome::Waiting(_)) = bench.go().await else { panic!("it still waits") };
    assert_eq!(bench.events(), [""; 0], "nothing is told yet");
    for (workflow, step, error) in [
        ("nothing", "approval", "404 not_found: Workflow with id \"nothing\" not found."),
        ("trip", "book", "400 not_allowed: Cannot set step success when status is done"),
        ("trip", "nothing", "404 not_found: Action not found: nothing"),
    ] {
        let body = json!({ "transaction_id": "one", "step_id": step });
        let path = format!("/admin/workflows-executions/{workflow}/steps/success");
        assert_eq!(bench.shop.admin.post(&path, body).await.error(), error);
    }
    // An output that the saga cannot deserialise is refused, and does not start compensation.
    assert_eq!(
        bench.finish("success", "approval", json!(5)).await,
        "400 invalid_data: Invalid response for step approval: invalid type: integer `5`, expected a string"
    );
    assert_eq!(bench.execution().state, ExecutionState::Waiting);
    assert_eq!(bench.finish("success", "approval", json!("Named")).await, r#"{"success":true}"#);
    bench.comes_to(ExecutionState::Done).await;
    assert_eq!(bench.calls(), ["book", "weigh", "pay-a", "pay-b", "name", "announce"]);
    assert_eq!(bench.events(), ["trip.begun", "trip.midway", "trip.done"]);
    assert_eq!(bench.shop.admin.get("/admin/sales-channels?name=Named").await.ok()["count"], 1);

    // A step that is a saga itself is undone by its own compensation function.
    let mut bench = Bench::new().await;
    bench.trip.waits = true;
    world::let_fail(&bench.trip.test, "announce", 1);
    bench.go().await.map(drop).expect("it waits");
    bench.finish("success", "approval", json!("Named")).await;
    bench.comes_to(ExecutionState::Reverted).await;
    bench.nothing_changed();

    let mut bench = Bench::new().await;
    bench.trip.waits = true;
    bench.go().await.map(drop).expect("it waits");
    bench.shop.app.advance_ms(59_999);
    bench.tend().await;
    assert_eq!(bench.execution().state, ExecutionState::Waiting);
    bench.shop.app.advance_ms(1);
    bench.tend().await;
    bench.comes_to(ExecutionState::Reverted).await;
    bench.nothing_changed();
}

#[tokio::test]
async fn wait_timeout_survives_a_clock_that_is_set_back() {
    const YEAR_MS: i64 = 365 * 24 * 60 * 60 * 1000;
    let mut bench = Bench::new().await;
    bench.trip.waits = true;
    bench.shop.app.advance_ms(YEAR_MS);
    bench.go().await.map(drop).expect("it waits");
    bench.shop.app.advance_ms(-YEAR_MS);
    bench.tend().await;
    bench.shop.app.advance_ms(59_999);
    bench.tend().await;
    assert_eq!(bench.execution().state, ExecutionState::Waiting);
    bench.shop.app.advance_ms(1);
    bench.tend().await;
    bench.comes_to(ExecutionState::Reverted).await;
    bench.nothing_changed();
}

#[tokio::test]
async fn panic_is_compensated_and_old_runs_are_purged() {
    const KEPT_MS: i64 = 3 * 24 * 60 * 60 * 1000;
    let mut bench = Bench::new().await;
    bench.trip.panics = true;
    let error = bench.go().await.map(drop).expect_err("it panics");
    assert!(error.causes().contains("on purpose"), "{}", error.causes());
    assert_eq!(bench.calls().last().map(String::as_str), Some("undo book 1"));
    bench.nothing_changed();
    bench.shop.app.advance_ms(KEPT_MS - 1);
    bench.ctx().purge_runs().await.expect("a look");
    assert_eq!(EXECUTIONS.table.count(&bench.ctx().view()).expect("a count"), 1);
    bench.shop.app.advance_ms(1);
    bench.ctx().purge_runs().await.expect("a look");
    assert_eq!(EXECUTIONS.table.count(&bench.ctx().view()).expect("a count"), 0);
}

flow! {
    /// Returns the number of the call; a second run returns the result of the first one.
    static ONCE: Saga<(String, bool), u64> = "once" (once), idempotent: true;
}

async fn once(run: &mut Run, (test, is_short): (String, bool)) -> Result<u64, Fault> {
    if is_short {
        return run.finish("alone", |local| Ok(local.at.now().millis().unsigned_abs())).await;
    }
    run.external(calls(&test, "once")).await
}

#[tokio::test]
async fn idempotent_saga_runs_once() {
    let bench = Bench::new().await;
    let go = async |transaction: &str, is_short: bool| {
        let input = (bench.trip.test.clone(), is_short);
        match bench.ctx().start(&ONCE, Actor::System, Some(transaction), input).await {
            Ok(Outcome::Done(n, _)) => Ok(n),
            Ok(Outcome::Waiting(_)) => panic!("it does not wait"),
            Err(error) => Err(error.causes()),
        }
    };
    assert_eq!(go("a", false).await, Ok(1));
    assert_eq!(go("a", false).await, Ok(1));
    assert_eq!(go("b", false).await, Ok(2));
    let first = go("c", true).await;
    bench.shop.app.advance_ms(5);
    assert_eq!(go("c", true).await, first);
    world::let_fail(&bench.trip.test, "once", 1);
    assert_eq!(go("d", false).await, Err("once is down".into()));
    assert_eq!(go("d", false).await, Err("once is down".into()));
    // Concurrent starts are serialised, and one of them runs.
    let (a, b, c) = tokio::join!(go("e", false), go("e", false), go("e", false));
    assert!(a.is_ok() && a == b && b == c, "{a:?} {b:?} {c:?}");
}

flow! {
    /// A saga without compensation: the negative control of the fault injection.
    pub(crate) static CARELESS: Saga<String, ()> = "careless" (careless);
}

async fn careless(run: &mut Run, test: String) -> Result<(), Fault> {
    let open = |local: &mut Local<'_>| {
        let channel = SalesChannel { name: "Left behind".into(), ..SalesChannel::default() };
        Ok(SALES_CHANNELS.create(local.tx, local.at, channel)?.id.to_string())
    };
    run.local_undone_by("open", open, |_, _: String| Ok(())).await?;
    run.external(calls(&test, "call")).await?;
    Ok(())
}

flow! {
    /// A saga whose external step fails by the log that several hosts share, though the saga does not.
    static UNSURE: Saga<(), ()> = "unsure" (unsure);
}

async fn unsure(run: &mut Run, (): ()) -> Result<(), Fault> {
    let open = |local: &mut Local<'_>| {
        let channel = SalesChannel { name: "For a moment".into(), ..SalesChannel::default() };
        Ok(SALES_CHANNELS.create(local.tx, local.at, channel)?.id.to_string())
    };
    run.local("open", open).await?;
    run.external(External::new("ask", |_, _| async { Err(Fault::outcome_unknown("on purpose")) })).await
}

#[tokio::test]
async fn step_that_fails_by_the_log_is_compensated() {
    let bench = Bench::new().await;
    let failed = bench.ctx().start(&UNSURE, Actor::System, Some("one"), ()).await;
    assert_eq!(failed.map(drop).expect_err("it fails").kind(), FaultKind::Busy);
    let run = WorkflowExecution::find(&bench.ctx().view(), "unsure", "one").expect("a read").expect("a run");
    assert_eq!(run.state, ExecutionState::Reverted);
}

flow! {
    /// Waits, and makes an external call, with a time-out of ten seconds.
    static HASTY: Saga<String, u64> = "hasty" (hasty), timeout: Some(Duration::from_secs(10));
}

async fn hasty(run: &mut Run, test: String) -> Result<u64, Fault> {
    run.external(calls(&test, "begin")).await?;
    run.wait::<Value>("approval", None).await?;
    run.external(calls(&test, "call")).await
}

#[tokio::test]
async fn saga_timeout_compensates() {
    for is_approved in [true, false] {
        let bench = Bench::new().await;
        let test = bench.trip.test.clone();
        let hasty = bench.ctx().start(&HASTY, Actor::System, Some("one"), test.clone()).await;
        let Ok(Outcome::Waiting(_)) = hasty else { panic!("it waits") };
        bench.shop.app.advance_ms(10_001);
        if is_approved {
            let done = bench.ctx().finish_step("hasty", "one", "approval", Ok(Value::Null));
            done.await.expect("it is finished");
        } else {
            bench.tend().await;
        }
        let find = || WorkflowExecution::find(&bench.ctx().view(), "hasty", "one").expect("a read");
        let mut commits = bench.ctx().store().commits();
        while find().expect("a run").state != ExecutionState::Reverted {
            commits.changed().await.expect("a commit");
        }
        let error = find().and_then(|it| it.error).expect("an error");
        let why = error.cause.unwrap_or(error.message);
        let late = if is_approved { "`hasty` took too long" } else { "`approval` was not finished in time" };
        assert_eq!(why, late);
        assert_eq!(world::calls(&test), ["begin", "undo begin 1"]);
        bench.nothing_changed();
    }
}

#[tokio::test]
async fn saga_timeout_begins_when_the_run_gets_its_lock() {
    let bench = Bench::new().await;
    let test = bench.trip.test.clone();
    world::let_hang(&test, "begin");
    let go = || {
        let (ctx, test) = (bench.ctx().clone(), test.clone());
        tokio::spawn(async move { ctx.start(&HASTY, Actor::System, Some("one"), test).await.map(drop) })
    };
    let first = go();
    world::called(&test).await;
    let second = go();
    tokio::task::yield_now().await;
    bench.shop.app.advance_ms(10_001);
    for run in [first, second] {
        let error = run.await.expect("a run").expect_err("it fails");
        assert_eq!(error.causes(), "`begin` did not answer within 40 ms");
    }
}
