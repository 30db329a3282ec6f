//! Maintenance of detached saga runs: deliver answers to waiting steps, resume after a crash, time out, retry
//! compensation, purge.

use std::{pin::Pin, time::Duration};

use serde_json::Value;
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    task::JoinSet,
};

use crate::{
    Actor, Ctx, Fault, FaultKind, Moment, Read, Timestamp, Write,
    batches::in_batches_before,
    flow::Local,
    once::KeyedRequest,
    saga::{
        AnySaga, EXECUTIONS, ExecutionState, StepAnswer, StepEntry, StepState, WorkflowExecution,
        execution::{BY_END, BY_STATE},
    },
};

/// Records that one transaction purges, so that it does not hold up other writes.
const N_PURGED_MAX: usize = 100;

/// Number of automatic retries of a failed compensation. The pause doubles each time (exponential backoff),
/// so that the last retry is after about three hours.
const N_UNDO_TRIES_MAX: u32 = 10;
const UNDO_PAUSE: Duration = Duration::from_secs(10);

/// A run that is resumed, until it ends or waits.
type Resumed = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Ctx {
    /// Finishes a waiting step, and resumes its run in the background. `answer` is the output of the step, or
    /// the reason of its failure. An answer that the saga cannot deserialise is refused, and the step goes on
    /// waiting.
    pub async fn finish_step(
        &self,
        workflow_id: &str,
        transaction_id: &str,
        step: &str,
        answer: Result<Value, String>,
    ) -> Result<(), Fault> {
        let request = match self.once.as_ref().map(|it| it.next()) {
            // An earlier attempt of this request has delivered the answer.
            Some(Ok(_)) => return Ok(()),
            Some(Err(request)) => Some(request),
            None => None,
        };
        let saga = self.saga(workflow_id)?;
        let journal = WorkflowExecution::find(&self.view(), workflow_id, transaction_id)?;
        let not_found = || Fault::not_found(format!("Transaction {transaction_id} could not be found."));
        let journal = journal.ok_or_else(not_found)?;
        self.give(saga, journal, step, answer, request, detach).await?;
        if let Some(once) = &self.once {
            once.wrote();
        }
        Ok(())
    }

    async fn give(
        &self,
        saga: &'static dyn AnySaga,
        journal: WorkflowExecution,
        step: &str,
        answer: Result<Value, String>,
        request: Option<KeyedRequest>,
        spawn: impl FnOnce(Resumed),
    ) -> Result<(), Fault> {
        let (accepted, taken) = oneshot::channel();
        let step_answer = StepAnswer { step: step.to_owned(), answer, request, accepted };
        step_answer.check(&journal)?;
        let (name, transaction) = (journal.workflow_id.clone(), journal.transaction_id.clone());
        spawn(saga.resume(self.unmetered(), journal, Some(step_answer)));
        taken.await.unwrap_or_else(|_| {
            let text = format!("Workflow {name} with transaction {transaction} did not reach `{step}` again");
            Err(Fault::new(FaultKind::Conflict, text))
        })
    }

    /// Retries the compensation of a run that could not be undone, in the background.
    pub async fn undo_again(&self, actor: Actor, id: &str) -> Result<(), Fault> {
        self.undo_once_more(actor, id, detach).await
    }

    async fn undo_once_more(&self, actor: Actor, id: &str, spawn: impl FnOnce(Resumed)) -> Result<(), Fault> {
        let id = id.to_owned();
        let ctx = self.clone();
        let mark = move |tx: &mut dyn Write, at: &Moment| {
            let mut journal = find(tx, &id)?;
            if journal.state != ExecutionState::Failed {
                return Err(not_failed(&journal));
            }
            ctx.saga(&journal.workflow_id).map_err(|it| Fault::not_allowed(it.to_string()))?;
            journal.state = ExecutionState::Compensating;
            journal.undo_error = None;
            journal.write(tx, at)?;
            Ok(journal)
        };
        let mark = move |local: &mut Local<'_>| mark(local.tx, local.at).map(Some);
        // A retry of the request finds the run marked, and already resumed.
        let (marked, _) = self.local_once(actor, mark, |_| (), |_, ()| Ok(None)).await?;
        marked.and_then(|it| self.going_on(it, None)).map(spawn);
        Ok(())
    }

    /// Runs a saga again: a new run with the input, the additional data and the transaction id of one that
    /// has ended, on behalf of `actor`. Its record takes the place of the earlier one, unless it does
    /// nothing. Returns whether it has ended. Errors: 400 for a run that is going on, for one that could not
    /// be undone, whose effects a new one would repeat, and if the saga answers with the earlier result; and
    /// those of the new run.
    pub async fn repeat_run(&self, actor: Actor, id: &str) -> Result<bool, Fault> {
        let run = match find(&self.view(), id) {
            Err(_) if self.is_repeat() => return Err(self.cannot_repeat("another run took its place")),
            run => run?,
        };
        if !matches!(run.state, ExecutionState::Done | ExecutionState::Reverted) {
            let state = run.state.as_str();
            let text = format!("Workflow execution {id} is {state}, and neither done nor reverted");
            return Err(Fault::not_allowed(text));
        }
        let saga = self.saga(&run.workflow_id).map_err(|it| Fault::not_allowed(it.to_string()))?;
        if saga.is_idempotent() {
            let name = &run.workflow_id;
            let text = format!("Workflow {name} runs once for a transaction, and answers with that result");
            return Err(Fault::not_allowed(text));
        }
        saga.start(self.handing(run.additional_data), actor, Some(run.transaction_id), run.input).await
    }

    /// Removes a run that could not be undone, after an operator has put things right by hand; or one whose
    /// saga is not linked in any more, so that it cannot be resumed.
    pub async fn forget_run(&self, actor: Actor, id: &str) -> Result<(), Fault> {
        let id = id.to_owned();
        let ctx = self.clone();
        let forget = move |tx: &mut dyn Write, at: &Moment| {
            let journal = find(tx, &id)?;
            let is_lost = !journal.has_ended() && ctx.saga(&journal.workflow_id).is_err();
            if journal.state != ExecutionState::Failed && !is_lost {
                return Err(not_failed(&journal));
            }
            EXECUTIONS.delete(tx, at, &journal.id)?;
            // Its effects were undone by hand: a retry of the request that started it runs.
            journal.request.as_ref().map_or(Ok(()), |it| it.remove_note(tx))
        };
        let forget = move |local: &mut Local<'_>| forget(local.tx, local.at);
        self.local_once(actor, forget, |()| (), |_, ()| Ok(())).await.map(drop)
    }

    /// Resumes all runs that a crash, a shutdown or a failover interrupted, a few at a time, and waits for
    /// them. Called once, at the start, or when this host begins to lead. Whoever drops it ends those that go
    /// on.
    pub async fn recover(&self) -> Result<usize, Fault> {
        let runs = open_runs(&self.view())?;
        let n_runs = runs.len();
        let mut tasks = JoinSet::new();
        for run in runs {
            let permit = self.run_locks().permit().await;
            if let Some(going_on) = self.going_on(run, permit) {
                tasks.spawn(going_on);
            }
        }
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(Fault::unexpected)?;
        }
        Ok(n_runs)
    }

    /// Times out waiting steps, resumes runs whose end could not be written, and retries compensations that
    /// failed unexpectedly. Neither an error of one run holds up the others, nor a request that is at work on
    /// one: its turn comes with the next call. What it resumes goes on in `tasks`, and ends with them.
    pub async fn tend_runs(&self, tasks: &mut JoinSet<()>) -> Result<(), Fault> {
        let now = self.now();
        let is_free = |it: &WorkflowExecution| self.run_locks().is_free(&it.workflow_id, &it.transaction_id);
        let waiting = in_state(&self.view(), ExecutionState::Waiting)?;
        for run in waiting.into_iter().filter(is_free) {
            if run.waiting().is_some_and(|it| it.started_at.is_ahead_of(now)) {
                let id = run.id.clone();
                if let Err(error) = self.wait_from_now(run).await {
                    tracing::error!(run = id.as_str(), %error, "the time-out of a step was not put right");
                }
                continue;
            }
            let Some(step) = run.waiting().filter(|it| it.wait_until.is_some_and(|until| until <= now))
            else {
                continue;
            };
            let step = step.name.clone();
            let Ok(saga) = self.saga(&run.workflow_id) else { continue };
            let id = run.id.clone();
            let late = Err(format!("`{step}` was not finished in time"));
            let spawn = |run| drop(tasks.spawn(run));
            if let Err(error) = self.give(saga, run, &step, late, None, spawn).await {
                tracing::error!(run = id.as_str(), %error, "a timed-out step was not failed");
            }
        }
        let open = open_runs(&self.view())?;
        for run in open.into_iter().filter(is_free) {
            // The remaining runs are resumed when these are done.
            let Some(permit) = self.run_locks().try_permit() else { break };
            self.going_on(run, Some(permit)).map(|run| tasks.spawn(run));
        }
        let failed = in_state(&self.view(), ExecutionState::Failed)?;
        let is_due = |it: &&WorkflowExecution| {
            it.undone_again_at().is_some_and(|at| at <= now || it.updated_at.is_ahead_of(now))
        };
        for run in failed.iter().filter(is_due) {
            let spawn = |run| drop(tasks.spawn(run));
            if let Err(error) = self.undo_once_more(Actor::System, &run.id, spawn).await {
                tracing::error!(run = run.id.as_str(), %error, "a run was not undone once more");
            }
        }
        Ok(())
    }

    /// The step began to wait while the clock was ahead, and the clock was set back since: its time-out
    /// starts again from now.
    async fn wait_from_now(&self, run: WorkflowExecution) -> Result<(), Fault> {
        let _lock = self.run_locks().lock(&run.workflow_id, &run.transaction_id).await;
        let put_right = move |tx: &mut dyn Write, at: &Moment| {
            let (mut journal, now) = (find(tx, &run.id)?, at.now());
            let waiting = journal.steps.iter_mut().find(|it| it.state == StepState::Waiting);
            if let Some(step) = waiting.filter(|it| it.started_at.is_ahead_of(now)) {
                let ahead_ms = step.started_at.millis() - now.millis();
                step.wait_until = step.wait_until.map(|it| it.plus_millis(-ahead_ms));
                step.started_at = now;
                journal.write(tx, at)?;
            }
            Ok(())
        };
        self.write(Actor::System, put_right).await.map(drop)
    }

    /// Removes the records of runs whose retention is over.
    pub async fn purge_runs(&self) -> Result<(), Fault> {
        let purge = |old: Vec<(String, String)>| async move {
            let remove = move |tx: &mut dyn Write, at: &Moment| {
                for (_, id) in &old {
                    EXECUTIONS.delete(tx, at, id)?;
                }
                Ok(())
            };
            self.write(Actor::System, remove).await.map(drop)
        };
        let end = self.now().plus_millis(1).to_string();
        in_batches_before("run", self, &BY_END, &end, N_PURGED_MAX, purge).await
    }

    fn saga(&self, name: &str) -> Result<&'static dyn AnySaga, Fault> {
        let flow = self.registry().flows.iter().find(|it| it.name() == name);
        let not_found = || Fault::not_found(format!("Workflow with id \"{name}\" not found."));
        flow.and_then(|it| it.as_saga()).ok_or_else(not_found)
    }

    /// Resumes a run; nothing if its saga is not linked in.
    fn going_on(&self, journal: WorkflowExecution, permit: Option<OwnedSemaphorePermit>) -> Option<Resumed> {
        let Ok(saga) = self.saga(&journal.workflow_id) else {
            tracing::error!(workflow = journal.workflow_id, "a run is open, and its saga is not linked in");
            return None;
        };
        let run = saga.resume(self.clone(), journal, None);
        Some(Box::pin(async move {
            let _permit = permit;
            run.await;
        }))
    }
}

/// Lets a run go on whatever becomes of the request that resumes it.
fn detach(run: Resumed) {
    tokio::spawn(run);
}

fn in_state(tx: &dyn Read, state: ExecutionState) -> Result<Vec<WorkflowExecution>, Fault> {
    Ok(EXECUTIONS.table.list_undamaged_by(tx, &BY_STATE, &[state.as_str()])?)
}

/// Runs that are neither ended nor waiting.
fn open_runs(tx: &dyn Read) -> Result<Vec<WorkflowExecution>, Fault> {
    let mut runs = in_state(tx, ExecutionState::Invoking)?;
    runs.extend(in_state(tx, ExecutionState::Compensating)?);
    Ok(runs)
}

fn find(tx: &dyn Read, id: &str) -> Result<WorkflowExecution, Fault> {
    let not_found = || Fault::not_found(format!("Workflow execution with id: {id} was not found"));
    EXECUTIONS.get(tx, id)?.ok_or_else(not_found)
}

fn not_failed(journal: &WorkflowExecution) -> Fault {
    let (id, state) = (&journal.id, journal.state.as_str());
    Fault::not_allowed(format!("Workflow execution {id} is {state}, and not failed"))
}

impl WorkflowExecution {
    /// The step that waits to be finished from outside.
    fn waiting(&self) -> Option<&StepEntry> {
        self.steps.iter().find(|it| it.state == StepState::Waiting)
    }

    /// Time of the next retry of the compensation; none if an operator must act first.
    fn undone_again_at(&self) -> Option<Timestamp> {
        let error = self.undo_error.as_ref()?;
        let is_open = error.kind == FaultKind::Unexpected && self.n_undo_tries < N_UNDO_TRIES_MAX;
        let pause = UNDO_PAUSE.saturating_mul(1 << self.n_undo_tries.min(N_UNDO_TRIES_MAX));
        is_open.then(|| self.updated_at.plus(pause))
    }
}
