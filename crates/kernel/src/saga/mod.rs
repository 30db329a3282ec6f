//! Sagas: processes with external calls. Each step is journaled in the commit that does it, so that a run
//! interrupted by a crash is resumed, or compensated.
//!
//! A resumed run replays its function from the start: steps in the journal return their journaled output, and
//! only the rest is executed. So the code between steps must be deterministic: it depends on the input and on
//! outputs of steps only.

mod answer;
mod compensate;
mod engine;
mod execution;
mod external;
mod maintain;
mod run;
mod run_locks;
mod undo;

use std::{future::Future, pin::Pin, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Actor, Ctx, Fault, Read, flow::AnyHookPoint};

pub use answer::StepAnswer;
pub use engine::Outcome;
pub use execution::{
    EXECUTIONS, ExecutionState, StepEntry, StepKind, StepState, WorkflowExecution, runs_by_state,
    verify_journals,
};
pub use external::External;
pub use run::Run;
pub(crate) use run_locks::RunLocks;

/// A process with external calls between its transactions.
pub struct Saga<I: 'static, O: 'static> {
    /// Unique id: `complete-cart`.
    pub name: &'static str,
    /// Points at which hooks may join within a transaction.
    pub hooks: &'static [&'static dyn AnyHookPoint],
    /// Points at which hooks may join with external calls.
    pub external_hooks: &'static [&'static dyn AnyHookPoint],
    /// Time-out of a run, over all restarts; none by default.
    pub timeout: Option<Duration>,
    /// Retention of the journal after the end of a run, for inspection.
    pub kept: Duration,
    /// Does a second run with the same transaction id return the result of the first one, instead of running?
    pub idempotent: bool,
    /// The result of an input that needs no run, or why it cannot be run. Called once the run has
    /// its lock. A run that is answered like this leaves no record; an earlier run keeps its own.
    pub shortcut: Option<Shortcut<I, O>>,
    /// The function of the saga.
    pub run: SagaFn<I, O>,
}

/// The result of an input that needs no run; `None` starts a run.
pub type Shortcut<I, O> = fn(&dyn Read, &I) -> Result<Option<O>, Fault>;

/// An async function of a run and its input.
pub type SagaFn<I, O> =
    for<'a> fn(&'a mut Run, I) -> Pin<Box<dyn Future<Output = Result<O, Fault>> + Send + 'a>>;

impl<I, O> Saga<I, O> {
    /// A saga without a time-out, whose runs are kept for three days.
    pub const fn new(name: &'static str, run: SagaFn<I, O>) -> Self {
        let kept = Duration::from_secs(3 * 24 * 60 * 60);
        Saga {
            name,
            hooks: &[],
            external_hooks: &[],
            timeout: None,
            kept,
            idempotent: false,
            shortcut: None,
            run,
        }
    }
}

/// The future of a run started by name: true if it has ended, false if it waits.
pub type Starting = Pin<Box<dyn Future<Output = Result<bool, Fault>> + Send>>;

/// A saga with its types erased, for runs that are resumed without their caller.
pub trait AnySaga: Sync {
    /// Starts a run. See [`Ctx::start`].
    fn start(&'static self, ctx: Ctx, actor: Actor, transaction_id: Option<String>, input: Value)
    -> Starting;

    /// Is the result of a run the answer to every later one with its transaction id?
    fn is_idempotent(&self) -> bool;

    /// Resumes a run until it ends or waits, with or without an answer to the step that it waits for.
    fn resume(
        &'static self,
        ctx: Ctx,
        execution: WorkflowExecution,
        step_answer: Option<StepAnswer>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

impl<I, O> AnySaga for Saga<I, O>
where
    I: Serialize + DeserializeOwned + Send + 'static,
    O: Serialize + DeserializeOwned + Send + 'static,
{
    fn start(
        &'static self,
        ctx: Ctx,
        actor: Actor,
        transaction_id: Option<String>,
        input: Value,
    ) -> Starting {
        Box::pin(async move {
            let input = serde_json::from_value(input)
                .map_err(|error| Fault::invalid(format!("Invalid request: {error}")))?;
            let outcome = ctx.start(self, actor, transaction_id.as_deref(), input).await?;
            Ok(matches!(outcome, Outcome::Done(..)))
        })
    }

    fn is_idempotent(&self) -> bool {
        self.idempotent
    }

    fn resume(
        &'static self,
        ctx: Ctx,
        execution: WorkflowExecution,
        step_answer: Option<StepAnswer>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(engine::resume(self, ctx, execution, step_answer))
    }
}
