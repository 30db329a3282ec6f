//! The saga engine: starts a run, or resumes it from its journal, until it ends or waits.

use std::{sync::Arc, time::Duration};

use atoll_http::caught;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Actor, Ctx, Fault, FaultKind, Moment, Timestamp, Write,
    ctx::refuse_nobody,
    data::View,
    http::FaultRecord,
    once::{KeyedRequest, Note, Once},
    saga::{EXECUTIONS, ExecutionState, Run, Saga, StepAnswer, WorkflowExecution, run::release},
};

/// The result of starting a saga.
pub enum Outcome<O> {
    /// The run has ended.
    Done(O, View),
    /// The run waits for a step that is finished from outside.
    Waiting(Box<WorkflowExecution>),
}

impl Ctx {
    /// Runs a saga until it ends or waits. Runs with the same transaction id exclude each other. If there is
    /// an earlier run with that id:
    ///
    /// - It has ended: a new run starts; if the saga is idempotent, the earlier result is returned.
    /// - It waits: `Waiting` is returned, with the earlier run.
    /// - A crash interrupted it: it is resumed to its end first. Its result is returned if input,
    ///   additional data and actor are the same; another request starts a run of its own after it.
    /// - It could not be undone: 409, until that is resolved.
    ///
    /// Only an `Idempotency-Key` makes sure that a retry is not done again. Without one, a retry after a
    /// crash runs again if the run was resumed already, by [`Ctx::recover`] or on behalf of another request.
    ///
    /// The run goes on if the caller goes away.
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
        refuse_nobody(&actor)?;
        let request = match self.once.as_ref().map(|it| it.next()) {
            None => None,
            Some(Err(request)) => Some(request),
            Some(Ok(note)) => match self.repeated(saga, note).await? {
                Ok(outcome) => return Ok(outcome),
                Err(undone) => Some(undone),
            },
        };
        let noted = request.clone();
        let id = Moment::new(self.now(), Actor::System).id::<WorkflowExecution>();
        let mut journal = WorkflowExecution {
            transaction_id: transaction_id.map_or_else(|| id.to_string(), str::to_owned),
            id,
            workflow_id: saga.name.to_owned(),
            retention_time: saga.kept.as_secs(),
            actor: serde_json::to_value(&actor).map_err(Fault::unexpected)?,
            input: serde_json::to_value(&input).map_err(Fault::unexpected)?,
            additional_data: self.additional_data().cloned().unwrap_or_default(),
            request,
            ..WorkflowExecution::default()
        };
        let ctx = self.beside();
        // Runs in a task of its own, which survives the cancellation of the caller.
        let run = async move {
            let _lock = ctx.run_locks().lock(saga.name, &journal.transaction_id).await;
            if let Some(outcome) = earlier_run(saga, &ctx, &journal).await? {
                return Ok(outcome);
            }
            if let Some(shortcut) = saga.shortcut {
                let view = ctx.view();
                if let Some(output) = shortcut(&view, &input)? {
                    return Ok(Outcome::Done(output, view));
                }
            }
            // The time-out starts when the run has its lock.
            journal.deadline = saga.timeout.map(|timeout| ctx.now().plus(timeout));
            let mut run = Run::new(ctx.clone(), saga.name, journal);
            run.is_kept = saga.idempotent;
            drive(saga, run, input).await
        };
        let outcome = tokio::spawn(run).await.map_err(Fault::unexpected)?;
        if let (Some(once), Some(request)) = (&self.once, noted)
            && request.noted(&self.view())?.is_some()
        {
            once.wrote();
        }
        outcome
    }

    /// A retry of a request that was noted: the result of the run that it started; or, if that was undone,
    /// the request that starts a new one.
    async fn repeated<I, O>(
        &self,
        saga: &'static Saga<I, O>,
        note: Note,
    ) -> Result<Result<Outcome<O>, KeyedRequest>, Fault>
    where
        I: DeserializeOwned,
        O: Serialize + DeserializeOwned,
    {
        let Some(once) = &self.once else { return Err(Fault::unexpected("a repeat of no request")) };
        let id = match note {
            Note::Run(id) => id,
            done @ Note::Done(_) => return self.noted_result(once, done).map(Ok),
        };
        let Some(run) = EXECUTIONS.get(&self.view(), &id)? else { return self.repeated_without_run(once) };
        let _lock = self.run_locks().lock(saga.name, &run.transaction_id).await;
        let Some(run) = EXECUTIONS.get(&self.view(), &id)? else { return self.repeated_without_run(once) };
        match run.state {
            ExecutionState::Invoking | ExecutionState::Compensating => {
                let outcome = go_on(saga, Run::new(self.beside(), saga.name, run)).await;
                if outcome.is_err()
                    && EXECUTIONS
                        .get(&self.view(), &id)?
                        .is_none_or(|it| it.state == ExecutionState::Reverted)
                {
                    once.undone();
                }
                outcome.map(Ok)
            }
            ExecutionState::Reverted => Ok(Err(once.undone())),
            ExecutionState::Waiting => {
                once.explain();
                Ok(Ok(Outcome::Waiting(Box::new(run))))
            }
            ExecutionState::Failed => {
                once.explain();
                Err(has_failed(saga.name, &run))
            }
            ExecutionState::Done => {
                let output = serde_json::from_value(run.result).map_err(Fault::unexpected)?;
                Ok(Ok(Outcome::Done(output, self.view())))
            }
        }
    }

    /// As `repeated`, if the record of the run is gone: of several runs with one transaction id only the last
    /// is kept. Its note was read before it ended, and has been rewritten, or removed, since.
    fn repeated_without_run<O: DeserializeOwned>(
        &self,
        once: &Once,
    ) -> Result<Result<Outcome<O>, KeyedRequest>, Fault> {
        match once.last().noted(&self.view())? {
            Some(note) => self.noted_result(once, note).map(Ok),
            None => Ok(Err(once.undone())),
        }
    }

    /// The result that a run noted when it ended.
    fn noted_result<O: DeserializeOwned>(&self, once: &Once, note: Note) -> Result<Outcome<O>, Fault> {
        match note {
            Note::Done(Some(json)) => {
                let output = serde_json::from_str(&json).map_err(Fault::unexpected)?;
                Ok(Outcome::Done(output, self.view()))
            }
            Note::Done(None) => Err(once.lost("its result was not stored")),
            Note::Run(id) => Err(once.lost(&format!("the record of its run {id} was removed"))),
        }
    }
}

/// Another run would repeat effects that the failed one has left behind.
fn has_failed(saga: &str, run: &WorkflowExecution) -> Fault {
    let transaction = &run.transaction_id;
    let text = format!("Workflow {saga} with transaction {transaction} has failed, and could not be undone");
    Fault::new(FaultKind::Conflict, text)
}

/// The result of the earlier run with the same transaction id, if it answers this one. A run that a crash
/// interrupted is resumed to its end first.
async fn earlier_run<I, O>(
    saga: &'static Saga<I, O>,
    ctx: &Ctx,
    this: &WorkflowExecution,
) -> Result<Option<Outcome<O>>, Fault>
where
    I: DeserializeOwned,
    O: Serialize + DeserializeOwned,
{
    let find = || WorkflowExecution::find(&ctx.view(), saga.name, &this.transaction_id);
    let mut earlier = find()?;
    if let Some(cut) = earlier.take_if(|it| it.is_open()) {
        let is_asked_again = cut.is_same_request(this);
        let outcome = go_on(saga, Run::new(ctx.clone(), saga.name, cut)).await;
        earlier = find()?;
        let has_not_ended = || earlier.as_ref().is_some_and(WorkflowExecution::is_open);
        // A failed attempt answers no other request: a retry runs like any other.
        if (is_asked_again && outcome.is_ok()) || has_not_ended() {
            return outcome.map(Some);
        }
    }
    earlier.map_or(Ok(None), |it| answer_of(saga, ctx, it))
}

/// The result of a run that has ended or waits, if it answers the next one with the same transaction id.
fn answer_of<I, O: DeserializeOwned>(
    saga: &Saga<I, O>,
    ctx: &Ctx,
    earlier: WorkflowExecution,
) -> Result<Option<Outcome<O>>, Fault> {
    match earlier.state {
        ExecutionState::Failed => Err(has_failed(saga.name, &earlier)),
        ExecutionState::Waiting => Ok(Some(Outcome::Waiting(Box::new(earlier)))),
        ExecutionState::Done if saga.idempotent => {
            let result = serde_json::from_value(earlier.result).map_err(Fault::unexpected)?;
            Ok(Some(Outcome::Done(result, ctx.view())))
        }
        ExecutionState::Reverted if saga.idempotent => Err(Fault::from(&earlier.error.unwrap_or_default())),
        _ => Ok(None),
    }
}

/// Resumes a run from its journal, with or without an answer to the step that it waits for.
pub(crate) async fn resume<I, O>(
    saga: &'static Saga<I, O>,
    ctx: Ctx,
    journal: WorkflowExecution,
    step_answer: Option<StepAnswer>,
) where
    I: Serialize + DeserializeOwned + Send + 'static,
    O: Serialize + DeserializeOwned + Send + 'static,
{
    let transaction = journal.transaction_id.clone();
    let _lock = ctx.run_locks().lock(saga.name, &transaction).await;
    // The previous holder of the lock may have advanced the run.
    let journal = match EXECUTIONS.get(&ctx.view(), &journal.id) {
        Ok(Some(now)) => now,
        Ok(None) => return,
        Err(error) => return tracing::error!(saga = saga.name, transaction, %error, "a run cannot be read"),
    };
    let step_answer = match step_answer {
        Some(step_answer) => match step_answer.check(&journal) {
            Ok(()) => Some(step_answer),
            Err(error) => return step_answer.report(Err(error)),
        },
        None if journal.has_ended() || journal.state == ExecutionState::Waiting => return,
        None => None,
    };
    let mut run = Run::new(ctx, saga.name, journal);
    run.journal.deadline = in_time(run.journal.deadline, saga.timeout, run.ctx.now());
    run.step_answer = step_answer;
    match go_on(saga, run).await {
        Ok(_) => tracing::info!(saga = saga.name, transaction, "a run went on, and ended or waits"),
        Err(error) => tracing::warn!(saga = saga.name, transaction, %error, "a run went on, and failed"),
    }
}

/// Deadline of a run. One that began while the clock was ahead gets its whole time-out from now on.
fn in_time(deadline: Option<Timestamp>, timeout: Option<Duration>, now: Timestamp) -> Option<Timestamp> {
    let latest = timeout.map(|it| now.plus(it));
    match (deadline, latest) {
        (Some(deadline), Some(latest)) if deadline.is_ahead_of(latest) => Some(latest),
        _ => deadline,
    }
}

async fn go_on<I, O>(saga: &'static Saga<I, O>, run: Run) -> Result<Outcome<O>, Fault>
where
    I: DeserializeOwned,
    O: Serialize,
{
    match serde_json::from_value(run.journal.input.clone()) {
        Ok(input) => drive(saga, run, input).await,
        // The saga has another input type now: its steps cannot be undone.
        Err(error) => {
            let error = Fault::unexpected(error);
            fail(run, &error).await?;
            Err(error)
        }
    }
}

/// Calls the function of the saga, and ends the run by its result.
async fn drive<I, O>(saga: &'static Saga<I, O>, mut run: Run, input: I) -> Result<Outcome<O>, Fault>
where
    O: Serialize,
{
    let waits = Arc::clone(&run.waits);
    let called = {
        // A panic is an error, so that the run is compensated.
        let body = async { caught((saga.run)(&mut run, input)).await.flatten() };
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
        // The run has ended, and its events are released: an error after the last step cannot undo it.
        tracing::error!(saga = saga.name, %error, "a saga failed after its last step");
        return Err(error);
    }
    // A function that goes on after such an error would take another path on replay.
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

/// Marks the run as done, and releases its events.
async fn end(run: &mut Run, result: Result<Value, Fault>) -> Result<View, Fault> {
    if run.journal.n_writes == 0 && !run.is_kept {
        return Ok(run.ctx.view());
    }
    let mut journal = run.journal.clone();
    journal.result = result?;
    let write = move |tx: &mut dyn Write, at: &Moment| {
        release(tx, &journal)?;
        journal.end(ExecutionState::Done, at.now());
        journal.write(tx, at)
    };
    let ((), view) = run.ctx_to_write().write(run.journal.actor(), write).await?;
    Ok(view)
}

/// Compensates the run; returns the error that caused it.
async fn revert<O>(mut run: Run, error: Fault) -> Result<O, Fault> {
    // The host that leads goes on with it: what is in the journal is not known here.
    if error.is_of_log() || (run.journal.n_writes == 0 && !run.is_kept) {
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
        // The process shuts down, or leads no more; the next one resumes the run.
        Err(error) if error.is_of_log() || run.ctx.store().has_stopped() => return Err(error),
        Err(error) => fail(run, &error).await?,
    }
    Err(error)
}

/// Marks the run as failed: it could not be undone, and needs an operator.
async fn fail(mut run: Run, error: &Fault) -> Result<(), Fault> {
    let mut journal = run.journal.clone();
    let (saga, transaction) = (run.saga, &journal.transaction_id);
    tracing::error!(saga, transaction, %error, "a run could not be undone");
    journal.undo_error = Some(FaultRecord::from(error));
    journal.n_undo_tries += 1;
    journal.end(ExecutionState::Failed, run.ctx.now());
    run.commit(journal).await
}
