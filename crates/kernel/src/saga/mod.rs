//! Sagas: flows that also call the outside. What each step did is journaled in the commit that does it, so
//! that after a crash a run goes on, or is undone to the state before.
//!
//! A run that goes on calls its function again from the start: steps that are in the journal answer from
//! there, and only the rest is done. So the code between steps must come to the same result each time: it
//! takes what it needs from its input and from its steps.

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

use crate::{Actor, Ctx, Fault, Read};

pub use answer::StepAnswer;
pub use engine::Outcome;
pub use execution::{
    EXECUTIONS, ExecutionState, StepEntry, StepKind, StepState, WorkflowExecution, verify_journals,
};
pub use external::External;
pub use run::Run;
pub(crate) use run_locks::RunLocks;

/// A process that calls the outside between its transactions.
pub struct Saga<I: 'static, O: 'static> {
    /// Its id: `complete-cart`.
    pub name: &'static str,
    /// The points at which others may join it within its transactions.
    pub hooks: &'static [&'static str],
    /// The points at which others may join it with calls to the outside.
    pub external_hooks: &'static [&'static str],
    /// How long a run may take, over all restarts.
    pub timeout: Option<Duration>,
    /// How long a run is kept after its end, for whoever looks into what happened.
    pub kept: Duration,
    /// Does a second run with the same transaction id answer what the first one came to, instead of running?
    pub idempotent: bool,
    /// What a run would come to without doing anything, or why it cannot do anything. Asked when it has its
    /// turn; such a run leaves no record, and the one that did it keeps its own.
    pub known: Option<Known<I, O>>,
    /// What it does.
    pub run: SagaFn<I, O>,
}

/// What is known to come of an input.
pub type Known<I, O> = fn(&dyn Read, &I) -> Result<Option<O>, Fault>;

/// An async function of a run and its input.
pub type SagaFn<I, O> =
    for<'a> fn(&'a mut Run, I) -> Pin<Box<dyn Future<Output = Result<O, Fault>> + Send + 'a>>;

impl<I, O> Saga<I, O> {
    /// A saga without limits, whose runs are kept for three days.
    pub const fn new(name: &'static str, run: SagaFn<I, O>) -> Self {
        let kept = Duration::from_secs(3 * 24 * 60 * 60);
        Saga {
            name,
            hooks: &[],
            external_hooks: &[],
            timeout: None,
            kept,
            idempotent: false,
            known: None,
            run,
        }
    }
}

/// A run that was started by name: has it ended, or does it wait?
pub type Starting = Pin<Box<dyn Future<Output = Result<bool, Fault>> + Send>>;

/// A saga, whatever it takes and answers: what goes on without its caller.
pub trait AnySaga: Sync {
    /// Starts a run. See [`Ctx::start`].
    fn start(&'static self, ctx: Ctx, actor: Actor, transaction_id: Option<String>, input: Value)
    -> Starting;

    /// Goes on with a run that is not over, until it ends or waits; maybe with an answer to the step that it
    /// waits for.
    fn resume(
        &'static self,
        ctx: Ctx,
        execution: WorkflowExecution,
        given: Option<StepAnswer>,
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

    fn resume(
        &'static self,
        ctx: Ctx,
        execution: WorkflowExecution,
        given: Option<StepAnswer>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(engine::resume(self, ctx, execution, given))
    }
}
