//! Low disk: no saga begins while the disk has no room, and one that has begun is finished or undone.

use atoll_kernel::{
    Actor, Fault, flow,
    flow::Local,
    saga::{EXECUTIONS, ExecutionState, External, Outcome, Run, WorkflowExecution},
};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_testkit::{Dump, TestApp};

flow! {
    /// Opens a channel, fills the disk, and opens another; or fails at that.
    static ERRAND: Saga<bool, String> = "errand" (errand);
}

async fn errand(run: &mut Run, fails: bool) -> Result<String, Fault> {
    run.local("open-one", |local| open(local, "One")).await?;
    let fill = External::new("fill", |ctx, _| async move {
        ctx.room().measured(0, 1);
        Ok(7_u64)
    });
    run.external(fill).await?;
    run.local("open-two", |local| open(local, "Two")).await?;
    if fails { Err(Fault::invalid("on purpose")) } else { Ok("done".into()) }
}

fn open(local: &mut Local<'_>, name: &str) -> Result<(), Fault> {
    let channel = SalesChannel { name: name.into(), ..SalesChannel::default() };
    SALES_CHANNELS.create(local.tx, local.at, channel)?;
    Ok(())
}

async fn run(app: &TestApp, name: &str, fails: bool) -> Result<String, Fault> {
    match app.ctx.start(&ERRAND, Actor::System, Some(name), fails).await? {
        Outcome::Done(output, _) => Ok(output),
        Outcome::Waiting(_) => panic!("it waits for nothing"),
    }
}

fn state(app: &TestApp, name: &str) -> ExecutionState {
    let run = WorkflowExecution::find(&app.ctx.view(), "errand", name).expect("a read");
    run.expect("an execution").state
}

#[tokio::test]
async fn saga_that_has_begun_is_finished_on_a_full_disk() {
    let app = TestApp::init().await;
    assert_eq!(run(&app, "first", false).await.expect("it is finished"), "done");
    assert!(!app.ctx.room().is_there());
    assert_eq!(state(&app, "first"), ExecutionState::Done);
}

#[tokio::test]
async fn saga_that_has_begun_is_undone_on_a_full_disk() {
    let app = TestApp::init().await;
    let before = Dump::after_undoing(&app.ctx);
    assert_eq!(run(&app, "first", true).await.expect_err("it fails").to_string(), "on purpose");
    assert_eq!(state(&app, "first"), ExecutionState::Reverted);
    assert_eq!(before.difference(&Dump::after_undoing(&app.ctx)), [""; 0]);
}

#[tokio::test]
async fn saga_does_not_begin_on_a_full_disk() {
    let app = TestApp::init().await;
    app.ctx.room().measured(0, 1);
    assert_eq!(run(&app, "first", false).await.expect_err("it is refused").status(), 507);
    assert_eq!(EXECUTIONS.table.count(&app.ctx.view()).expect("a count"), 0);
}
