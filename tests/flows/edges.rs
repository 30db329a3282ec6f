//! Misuse of the saga API, and runs whose saga has changed since: steps are compensated, or the run is shown
//! as failed.

use atoll_kernel::{
    Actor, Fault, flow,
    flow::Local,
    saga::{EXECUTIONS, ExecutionState, Outcome, Run, WorkflowExecution},
};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_testkit::{Dump, Shop, TestApp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{sagas::calls, world};

/// The misuse.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Odd {
    /// One step name many times: steps are numbered.
    Loops,
    /// Continues after a failed local step.
    Swallows,
    /// Fails after its last step.
    FailsAfterItsEnd,
    /// Waits for a result from outside.
    Waits,
}

flow! {
    /// Creates a channel, and misuses the API.
    pub(crate) static ODD: Saga<(String, Odd), String> = "odd" (odd);
}

fn open(local: &mut Local<'_>) -> Result<String, Fault> {
    let channel = SalesChannel { name: "Odd".into(), ..SalesChannel::default() };
    Ok(SALES_CHANNELS.create(local.tx, local.at, channel)?.id.to_string())
}

async fn odd(run: &mut Run, (test, odd): (String, Odd)) -> Result<String, Fault> {
    match odd {
        Odd::Loops => {
            run.all(vec![calls(&test, "call"), calls(&test, "call")]).await?;
            for _ in 0..2 {
                run.local("open", open).await?;
                run.external(calls(&test, "call")).await?;
            }
            Err(Fault::not_allowed("enough"))
        }
        Odd::Swallows => {
            run.local("open", open).await?;
            let refused = run.local("refuse", |_| Err::<(), _>(Fault::not_allowed("no"))).await;
            assert!(refused.is_err());
            Ok("went on".into())
        }
        Odd::FailsAfterItsEnd => {
            run.external(calls(&test, "call")).await?;
            run.finish("open", open).await?;
            Err(Fault::not_allowed("too late"))
        }
        Odd::Waits => {
            run.local("open", open).await?;
            run.wait("approval", None).await
        }
    }
}

async fn go(shop: &Shop, test: &str, odd: Odd) -> Result<bool, String> {
    let outcome = shop.app.ctx.start(&ODD, Actor::System, Some("one"), (test.to_owned(), odd)).await;
    outcome.map(|it| matches!(it, Outcome::Done(..))).map_err(|it| it.to_string())
}

fn execution(shop: &Shop) -> WorkflowExecution {
    WorkflowExecution::find(&shop.app.ctx.view(), "odd", "one").expect("a read").expect("an execution")
}

#[tokio::test]
async fn misused_saga_api_fails_cleanly() {
    async fn check(odd: Odd, answer: &str, state: ExecutionState, calls: &[&str], n_channels: u64) {
        let shop = Shop::open(TestApp::init().await).await;
        let test = world::new_test();
        let before = SALES_CHANNELS.table.count(&shop.app.ctx.view()).expect("a count");
        assert_eq!(go(&shop, &test, odd).await, Err(answer.to_owned()), "{odd:?}");
        assert_eq!(execution(&shop).state, state, "{odd:?}");
        assert_eq!(world::calls(&test), calls, "{odd:?}");
        let (n_keys, n_most) = world::keys(&test);
        assert_eq!(n_keys, calls.len(), "{odd:?}: each call has a key of its own");
        assert!(n_most <= 1, "{odd:?}: {n_most}");
        let after = SALES_CHANNELS.table.count(&shop.app.ctx.view()).expect("a count");
        assert_eq!(after - before, n_channels, "{odd:?}");
    }
    let loops = ["call", "call", "call", "call", "undo call 4", "undo call 3", "undo call 2", "undo call 1"];
    check(Odd::Loops, "enough", ExecutionState::Reverted, &loops, 0).await;
    check(Odd::Swallows, "no", ExecutionState::Reverted, &[], 0).await;
    // The run has ended, and others may have used its result: it cannot be compensated any more.
    check(Odd::FailsAfterItsEnd, "too late", ExecutionState::Done, &["call"], 1).await;
}

#[tokio::test]
async fn run_whose_saga_changed_is_shown_as_failed() {
    let shop = Shop::open(TestApp::init().await).await;
    let test = world::new_test();
    assert_eq!(go(&shop, &test, Odd::Waits).await, Ok(false));
    // As an earlier version of the saga would have written the run.
    let id = execution(&shop).id;
    let older = move |tx: &mut dyn atoll_kernel::Write, at: &atoll_kernel::Moment| {
        EXECUTIONS.update(tx, at, &id, |it: &mut WorkflowExecution| it.input = json!({ "older": true }))?;
        Ok(())
    };
    shop.app.ctx.write(Actor::System, older).await.expect("a write");
    let before = Dump::after_undoing(&shop.app.ctx);
    let done = shop.app.ctx.finish_step("odd", "one", "approval", Ok(Value::from("yes")));
    let lost = "Workflow odd with transaction one did not reach `approval` again";
    assert_eq!(done.await.expect_err("it is not taken").to_string(), lost);
    let mut commits = shop.app.ctx.store().commits();
    while execution(&shop).state != ExecutionState::Failed {
        commits.changed().await.expect("a commit");
    }
    assert!(execution(&shop).undo_error.is_some());
    assert_eq!(before.difference(&Dump::after_undoing(&shop.app.ctx)), [""; 0]);
}
