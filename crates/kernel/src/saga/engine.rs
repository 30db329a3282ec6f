//! Runs sagas from their beginning or from their journal, to their end.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::Poll,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Actor, Ctx, Fault, FaultKind, FaultRecord, Moment, Read, Saga, View, Write,
    saga::{
        AnySaga, EXECUTIONS, ExecutionState, Run, StepState, WorkflowExecution,
        execution::{BY_STATE, ended_before},
        run::release,
    },
};

/// Records that one transaction purges: the writer is everybody's.
const N_PURGED_MAX: usize = 100;

/// What starting a saga came to.
pub enum Outcome<O> {
    /// It is over.
    Done(O, View),
    /// It waits for a step that is finished from outside.
    Waiting(Box<WorkflowExecution>),
}

impl Ctx {
    /// Runs a saga until it ends or waits. Runs with the same transaction id take turns; a second run of one that has
    /// ended starts afresh, or answers what the first one came to where the saga is idempotent; a second run of one
    /// that waits answers that. The run goes on when the caller goes away.
    pub async fn start<I, O>(
        &self,
        saga: &'static Saga<I, O>,
        actor: Actor,
        transaction_id: Option<&str>,
        input: I,
    ) -> Result<Outcome<O>, Fault>
    where
        I: Serialize + DeserializeOwned + Send + 'static,
        O: Serialize + DeserializeOwned + Send + 'static,
    {
        let id = Moment::new(self.now(), Actor::System).id::<WorkflowExecution>();
        let mut journal = WorkflowExecution {
            transaction_id: transaction_id.map_or_else(|| id.to_string(), str::to_owned),
            id,
            workflow_id: saga.name.to_owned(),
            retention_time: saga.kept.as_secs(),
            actor: serde_json::to_value(&actor).map_err(Fault::unexpected)?,
            input: serde_json::to_value(&input).map_err(Fault::unexpected)?,
            ..WorkflowExecution::default()
        };
        if let Some(timeout) = saga.timeout {
            let millis = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
            journal.deadline = Some(self.now().plus_millis(millis));
        }
        let ctx = self.clone();
        // A task of its own: it goes on when the caller goes away.
        let run = async move {
            let _turn = ctx.turns().take(saga.name, &journal.transaction_id).await;
            let earlier = WorkflowExecution::find(&ctx.view(), saga.name, &journal.transaction_id)?;
            if let Some(earlier) = earlier
                && let Some(outcome) = answer_of(saga, &ctx, earlier)?
            {
                return Ok(outcome);
            }
            let mut run = Run::new(ctx.clone(), saga.name, journal);
            run.is_kept = saga.idempotent;
            drive(saga, run, input).await
        };
        tokio::spawn(run).await.map_err(Fault::unexpected)?
    }

    /// Finishes a step that is waited for, and lets its run go on in the background. `answer` is what the step
    /// answers, or why it failed.
    pub async fn finish_step(
        &self,
        actor: Actor,
        workflow_id: &str,
        transaction_id: &str,
        step: &str,
        answer: Result<Value, String>,
    ) -> Result<(), Fault> {
        if !self.registry().flows.iter().any(|it| it.name() == workflow_id) {
            return Err(Fault::not_found(format!("Workflow with id \"{workflow_id}\" not found.")));
        }
        let (workflow, transaction) = (workflow_id.to_owned(), transaction_id.to_owned());
        let find = move |tx: &dyn Read| {
            let not_found = || Fault::not_found(format!("Transaction {transaction} could not be found."));
            WorkflowExecution::find(tx, &workflow, &transaction)?.ok_or_else(not_found)
        };
        self.answer_step(actor, find, step, answer).await
    }

    async fn answer_step(
        &self,
        actor: Actor,
        find: impl Fn(&dyn Read) -> Result<WorkflowExecution, Fault> + Send + 'static,
        step: &str,
        answer: Result<Value, String>,
    ) -> Result<(), Fault> {
        let step = step.to_owned();
        let note = move |tx: &mut dyn Write, at: &Moment| {
            let mut journal = find(tx)?;
            let Some(entry) = journal.steps.iter_mut().find(|it| it.name == step) else {
                return Err(Fault::not_found(format!("Action not found: {step}")));
            };
            if entry.state != StepState::Waiting {
                let (what, status) =
                    (if answer.is_ok() { "success" } else { "failure" }, entry.state.as_str());
                return Err(Fault::not_allowed(format!("Cannot set step {what} when status is {status}")));
            }
            match &answer {
                Ok(output) => (entry.state, entry.output) = (StepState::Done, output.clone()),
                Err(message) => {
                    entry.state = StepState::Failed;
                    entry.error = Some(FaultRecord::from(&Fault::not_allowed(message.clone())));
                }
            }
            journal.state = ExecutionState::Invoking;
            journal.write(tx, at)?;
            Ok(journal)
        };
        let (journal, _) = self.write(actor, note).await?;
        self.go_on(journal);
        Ok(())
    }

    /// Tries once more to undo a run that could not be undone, in the background.
    pub async fn undo_again(&self, actor: Actor, id: &str) -> Result<(), Fault> {
        let id = id.to_owned();
        let ctx = self.clone();
        let mark = move |tx: &mut dyn Write, at: &Moment| {
            let mut journal = failed(tx, &id)?;
            if ctx.saga(&journal.workflow_id).is_none() {
                let text = format!("Workflow with id \"{}\" not found.", journal.workflow_id);
                return Err(Fault::not_allowed(text));
            }
            journal.state = ExecutionState::Compensating;
            journal.undo_error = None;
            journal.write(tx, at)?;
            Ok(journal)
        };
        let (journal, _) = self.write(actor, mark).await?;
        self.go_on(journal);
        Ok(())
    }

    /// Forgets a run that could not be undone: somebody has put things right by hand.
    pub async fn forget_run(&self, actor: Actor, id: &str) -> Result<(), Fault> {
        let id = id.to_owned();
        let forget = move |tx: &mut dyn Write, at: &Moment| {
            let journal = failed(tx, &id)?;
            EXECUTIONS.delete(tx, at, &journal.id)?;
            Ok(())
        };
        self.write(actor, forget).await.map(drop)
    }

    /// Goes on with everything that a crash or a stop has cut, and waits for it. Called once, at the start.
    pub async fn recover(&self) -> Result<usize, Fault> {
        let runs = open_runs(&self.view())?;
        let n_runs = runs.len();
        let tasks: Vec<_> = runs.into_iter().filter_map(|it| self.go_on(it)).collect();
        for task in tasks {
            task.await.map_err(Fault::unexpected)?;
        }
        Ok(n_runs)
    }

    /// Gives up steps that were waited for too long, and goes on with runs that nobody goes on with: those whose end
    /// could not be written. One that cannot be looked after holds no other up.
    pub async fn tend_runs(&self) -> Result<(), Fault> {
        let now = self.now();
        for run in EXECUTIONS.table.list_by(&self.view(), &BY_STATE, &[ExecutionState::Waiting.as_str()])? {
            let waiting = run.steps.iter().find(|it| it.state == StepState::Waiting);
            let Some(step) = waiting.filter(|it| it.wait_until.is_some_and(|until| until <= now)) else {
                continue;
            };
            let why = format!("`{}` was not finished in time", step.name);
            let id = run.id.clone();
            let find = move |tx: &dyn Read| Ok(EXECUTIONS.retrieve(tx, &id)?);
            if let Err(error) = self.answer_step(Actor::System, find, &step.name, Err(why)).await {
                tracing::error!(run = run.id.as_str(), %error, "a step that came too late was not given up");
            }
        }
        for run in open_runs(&self.view())? {
            if self.turns().is_free(&run.workflow_id, &run.transaction_id) {
                self.go_on(run);
            }
        }
        Ok(())
    }

    /// Removes the records of runs that ended long enough ago.
    pub async fn purge_runs(&self) -> Result<(), Fault> {
        let old = ended_before(&self.view(), self.now())?;
        for ids in old.chunks(N_PURGED_MAX) {
            let ids = ids.to_vec();
            let remove = move |tx: &mut dyn Write, at: &Moment| {
                for id in &ids {
                    if EXECUTIONS.get(tx, id)?.is_some() {
                        EXECUTIONS.delete(tx, at, id)?;
                    }
                }
                Ok(())
            };
            self.write(Actor::System, remove).await?;
        }
        Ok(())
    }

    fn saga(&self, name: &str) -> Option<&'static dyn AnySaga> {
        self.registry().flows.iter().find(|it| it.name() == name)?.as_saga()
    }

    fn go_on(&self, journal: WorkflowExecution) -> Option<tokio::task::JoinHandle<()>> {
        let Some(saga) = self.saga(&journal.workflow_id) else {
            tracing::error!(workflow = journal.workflow_id, "a run is open, and its saga is not linked in");
            return None;
        };
        Some(tokio::spawn(saga.resume(self.clone(), journal)))
    }
}

/// Runs that are neither over nor wait.
fn open_runs(tx: &dyn Read) -> Result<Vec<WorkflowExecution>, Fault> {
    let mut runs = Vec::new();
    for state in [ExecutionState::Invoking, ExecutionState::Compensating] {
        runs.extend(EXECUTIONS.table.list_by(tx, &BY_STATE, &[state.as_str()])?);
    }
    Ok(runs)
}

/// A run that could not be undone.
fn failed(tx: &dyn Read, id: &str) -> Result<WorkflowExecution, Fault> {
    let not_found = || Fault::not_found(format!("Workflow execution with id: {id} was not found"));
    let journal = EXECUTIONS.get(tx, id)?.ok_or_else(not_found)?;
    match journal.state {
        ExecutionState::Failed => Ok(journal),
        state => {
            let state = state.as_str();
            Err(Fault::not_allowed(format!("Workflow execution {id} is {state}, and not failed")))
        }
    }
}

/// What an earlier run with the same transaction id answers, where it does.
fn answer_of<I, O: DeserializeOwned>(
    saga: &Saga<I, O>,
    ctx: &Ctx,
    earlier: WorkflowExecution,
) -> Result<Option<Outcome<O>>, Fault> {
    let conflict = |what: &str| {
        let (name, transaction) = (saga.name, &earlier.transaction_id);
        Fault::new(FaultKind::Conflict, format!("Workflow {name} with transaction {transaction} {what}"))
    };
    match earlier.state {
        ExecutionState::Invoking | ExecutionState::Compensating => Err(conflict("is being run")),
        // What it left behind would be done a second time.
        ExecutionState::Failed => Err(conflict("has failed, and could not be undone")),
        ExecutionState::Waiting => Ok(Some(Outcome::Waiting(Box::new(earlier)))),
        ExecutionState::Done if saga.idempotent => {
            let result = serde_json::from_value(earlier.result).map_err(Fault::unexpected)?;
            Ok(Some(Outcome::Done(result, ctx.view())))
        }
        ExecutionState::Reverted if saga.idempotent => Err(Fault::from(&earlier.error.unwrap_or_default())),
        ExecutionState::Done | ExecutionState::Reverted => Ok(None),
    }
}

/// Goes on with a run from its journal.
pub(crate) async fn resume<I, O>(saga: &'static Saga<I, O>, ctx: Ctx, journal: WorkflowExecution)
where
    I: Serialize + DeserializeOwned + Send + 'static,
    O: Serialize + DeserializeOwned + Send + 'static,
{
    let transaction = journal.transaction_id.clone();
    let _turn = ctx.turns().take(saga.name, &transaction).await;
    // Whoever had the turn before may have gone on with it.
    let journal = match EXECUTIONS.get(&ctx.view(), &journal.id) {
        Ok(Some(now)) if !now.has_ended() && now.state != ExecutionState::Waiting => now,
        Ok(_) => return,
        Err(error) => return tracing::error!(saga = saga.name, transaction, %error, "a run cannot be read"),
    };
    let input = serde_json::from_value(journal.input.clone());
    let run = Run::new(ctx, saga.name, journal);
    let ended = match input {
        Ok(input) => drive(saga, run, input).await.map(drop),
        // The saga now takes something else: nobody can tell what is to be undone.
        Err(error) => fail(run, Fault::unexpected(error)).await,
    };
    match ended {
        Ok(()) => tracing::info!(saga = saga.name, transaction, "a run went on, and ended or waits"),
        Err(error) => tracing::warn!(saga = saga.name, transaction, %error, "a run went on, and failed"),
    }
}

/// Calls the function of the saga, and ends the run as it says.
async fn drive<I, O>(saga: &'static Saga<I, O>, mut run: Run, input: I) -> Result<Outcome<O>, Fault>
where
    O: Serialize,
{
    let waits = Arc::clone(&run.waits);
    let called = {
        let body = caught((saga.run)(&mut run, input));
        tokio::select! {
            biased;
            called = body => Some(called),
            () = waits.notified() => None,
        }
    };
    let Some(called) = called else { return Ok(Outcome::Waiting(Box::new(run.journal))) };
    if run.ended.is_some()
        && let Err(error) = called
    {
        // It is over, and told of: what comes after the last step cannot take it back.
        tracing::error!(saga = saga.name, %error, "a saga failed after its last step");
        return Err(error);
    }
    // A function that goes on from such an error would go another way when it is called again.
    let failed = match run.journal.state {
        ExecutionState::Compensating => Some(run.journal.error.clone().unwrap_or_default()),
        _ => run.failed.clone(),
    };
    let error = match (called, failed) {
        (Err(error), _) => error,
        (Ok(_), Some(error)) => Fault::from(&error),
        (Ok(output), None) => {
            if let Some(view) = run.ended.take() {
                return Ok(Outcome::Done(output, view));
            }
            let result = serde_json::to_value(&output).map_err(Fault::unexpected);
            match end(&mut run, result).await {
                Ok(view) => return Ok(Outcome::Done(output, view)),
                Err(error) => error,
            }
        }
    };
    revert(run, error).await
}

/// A panic is an error like others: what was done is undone.
async fn caught<O>(
    mut body: Pin<Box<dyn Future<Output = Result<O, Fault>> + Send + '_>>,
) -> Result<O, Fault> {
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(context)));
        polled.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            Poll::Ready(Err(Fault::unexpected(format!("panicked: {}", text.unwrap_or("no message")))))
        })
    })
    .await
}

/// Notes that the run is done, and tells of what it did.
async fn end(run: &mut Run, result: Result<Value, Fault>) -> Result<View, Fault> {
    if run.journal.n_writes == 0 && !run.is_kept {
        return Ok(run.ctx.view());
    }
    let mut journal = run.journal.clone();
    journal.result = result?;
    let write = move |tx: &mut dyn Write, at: &Moment| {
        let mut journal = journal.clone();
        release(tx, &journal)?;
        journal.end(ExecutionState::Done, at.now());
        journal.write(tx, at)
    };
    let ((), view) = run.ctx.write(run.journal.actor(), write).await?;
    Ok(view)
}

/// Undoes the run, and answers why.
async fn revert<O>(mut run: Run, error: Fault) -> Result<O, Fault> {
    if run.journal.n_writes == 0 && !run.is_kept {
        return Err(error);
    }
    if run.journal.state != ExecutionState::Compensating {
        let mut journal = run.journal.clone();
        journal.state = ExecutionState::Compensating;
        journal.error = Some(FaultRecord::from(&error));
        run.commit(journal).await?;
    }
    match run.compensate().await {
        Ok(()) => {
            let mut journal = run.journal.clone();
            journal.end(ExecutionState::Reverted, run.ctx.now());
            run.commit(journal).await?;
        }
        // The process ends, and the next one goes on from here.
        Err(error) if run.ctx.store().has_stopped() => return Err(error),
        Err(error) => fail(run, error).await?,
    }
    Err(error)
}

/// Notes that the run cannot be undone: somebody must look at it.
async fn fail(mut run: Run, error: Fault) -> Result<(), Fault> {
    let mut journal = run.journal.clone();
    let (saga, transaction) = (run.saga, &journal.transaction_id);
    tracing::error!(saga, transaction, %error, "a run could not be undone");
    journal.undo_error = Some(FaultRecord::from(&error));
    journal.end(ExecutionState::Failed, run.ctx.now());
    run.commit(journal).await
}
