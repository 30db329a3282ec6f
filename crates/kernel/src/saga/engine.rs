//! Runs sagas from their beginning or from their journal, to their end.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Actor, Ctx, Fault, FaultKind, FaultRecord, Moment, Saga, Timestamp, View, Write,
    ctx::refuse_nobody,
    once::{KeyedRequest, Note},
    saga::{EXECUTIONS, ExecutionState, Run, StepAnswer, WorkflowExecution, run::release},
};

/// What starting a saga came to.
pub enum Outcome<O> {
    /// It is over.
    Done(O, View),
    /// It waits for a step that is finished from outside.
    Waiting(Box<WorkflowExecution>),
}

impl Ctx {
    /// Runs a saga until it ends or waits. Runs with the same transaction id take turns; a second run of one
    /// that has ended starts afresh, or answers what the first one came to where the saga is idempotent; a
    /// second run of one that waits answers that. One that a crash has cut is brought to its end first: it
    /// answers the same request when that comes again, and no other one, which runs after it. One that has
    /// failed must be put right first. The run goes on when the caller goes away.
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
            request,
            ..WorkflowExecution::default()
        };
        let ctx = self.beside();
        // A task of its own: it goes on when the caller goes away.
        let run = async move {
            let _lock = ctx.run_locks().lock(saga.name, &journal.transaction_id).await;
            if let Some(outcome) = earlier_run(saga, &ctx, &journal).await? {
                return Ok(outcome);
            }
            if let Some(known) = saga.known {
                let view = ctx.view();
                if let Some(output) = known(&view, &input)? {
                    return Ok(Outcome::Done(output, view));
                }
            }
            // The time that it may take begins with its turn.
            journal.deadline = saga.timeout.map(|timeout| ctx.now().plus(timeout));
            let mut run = Run::new(ctx.clone(), saga.name, journal);
            run.is_kept = saga.idempotent;
            drive(saga, run, input).await
        };
        let outcome = tokio::spawn(run).await.map_err(Fault::unexpected)?;
        if let (Some(once), Some(request)) = (&self.once, noted)
            && request.is_noted(&self.view())?
        {
            once.wrote();
        }
        outcome
    }

    /// What became of the run that this request started when it came before; or, where that was undone, the
    /// request that starts it anew.
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
            Note::Done(Some(json)) => {
                let output = serde_json::from_str(&json).map_err(Fault::unexpected)?;
                return Ok(Ok(Outcome::Done(output, self.view())));
            }
            Note::Done(None) => return Err(once.lost("what it came to was not noted")),
            Note::Run(id) => id,
        };
        let Some(run) = EXECUTIONS.get(&self.view(), &id)? else { return Ok(Err(once.undone())) };
        let _lock = self.run_locks().lock(saga.name, &run.transaction_id).await;
        let Some(run) = EXECUTIONS.get(&self.view(), &id)? else { return Ok(Err(once.undone())) };
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
                once.tell();
                Ok(Ok(Outcome::Waiting(Box::new(run))))
            }
            ExecutionState::Failed => {
                once.tell();
                Err(has_failed(saga.name, &run))
            }
            ExecutionState::Done => {
                let output = serde_json::from_value(run.result).map_err(Fault::unexpected)?;
                Ok(Ok(Outcome::Done(output, self.view())))
            }
        }
    }
}

/// What a failed run left behind would be done a second time.
fn has_failed(saga: &str, run: &WorkflowExecution) -> Fault {
    let transaction = &run.transaction_id;
    let text = format!("Workflow {saga} with transaction {transaction} has failed, and could not be undone");
    Fault::new(FaultKind::Conflict, text)
}

/// What the run before this one with the same transaction id answers for it, where it does. One that a crash
/// has cut is brought to its end before that.
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
        // What came to nothing answers nobody: the request that asks for it again is tried like any other.
        if (is_asked_again && outcome.is_ok()) || has_not_ended() {
            return outcome.map(Some);
        }
    }
    earlier.map_or(Ok(None), |it| answer_of(saga, ctx, it))
}

/// What a run that is over or waits answers to the next one with the same transaction id, where it does.
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

/// Goes on with a run from its journal, for itself or with an answer to the step that it waits for.
pub(crate) async fn resume<I, O>(
    saga: &'static Saga<I, O>,
    ctx: Ctx,
    journal: WorkflowExecution,
    given: Option<StepAnswer>,
) where
    I: Serialize + DeserializeOwned + Send + 'static,
    O: Serialize + DeserializeOwned + Send + 'static,
{
    let transaction = journal.transaction_id.clone();
    let _lock = ctx.run_locks().lock(saga.name, &transaction).await;
    // Whoever had the turn before may have gone on with it.
    let journal = match EXECUTIONS.get(&ctx.view(), &journal.id) {
        Ok(Some(now)) => now,
        Ok(None) => return,
        Err(error) => return tracing::error!(saga = saga.name, transaction, %error, "a run cannot be read"),
    };
    let given = match given {
        Some(given) => match given.check(&journal) {
            Ok(()) => Some(given),
            Err(error) => return given.tell(Err(error)),
        },
        None if journal.has_ended() || journal.state == ExecutionState::Waiting => return,
        None => None,
    };
    let mut run = Run::new(ctx, saga.name, journal);
    run.journal.deadline = in_time(run.journal.deadline, saga.timeout, run.ctx.now());
    run.given = given;
    match go_on(saga, run).await {
        Ok(_) => tracing::info!(saga = saga.name, transaction, "a run went on, and ended or waits"),
        Err(error) => tracing::warn!(saga = saga.name, transaction, %error, "a run went on, and failed"),
    }
}

/// When a run is given up. One that began while the clock was ahead has the whole of its time from now on.
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
        // The saga now takes something else: nobody can tell what is to be undone.
        Err(error) => {
            let error = Fault::unexpected(error);
            fail(run, &error).await?;
            Err(error)
        }
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
        Err(error) => fail(run, &error).await?,
    }
    Err(error)
}

/// Notes that the run cannot be undone: somebody must look at it.
async fn fail(mut run: Run, error: &Fault) -> Result<(), Fault> {
    let mut journal = run.journal.clone();
    let (saga, transaction) = (run.saga, &journal.transaction_id);
    tracing::error!(saga, transaction, %error, "a run could not be undone");
    journal.undo_error = Some(FaultRecord::from(error));
    journal.n_undo_tries += 1;
    journal.end(ExecutionState::Failed, run.ctx.now());
    run.commit(journal).await
}
