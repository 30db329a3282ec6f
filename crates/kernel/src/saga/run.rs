//! A run of a saga: the steps that its function calls (local, external, hook, wait, sub-saga), and their
//! replay.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::sync::Notify;

use crate::{
    Ctx, Fault, Moment, Timestamp, Write,
    data::View,
    flow::{HookPoint, HookRun, Local, Point, PointInput, PointOutput, StepCall, When},
    http::FaultRecord,
    once::done,
    saga::{
        ExecutionState, External, Saga, StepAnswer, StepEntry, StepKind, StepState, WorkflowExecution,
        external::{Outside, Patience},
        undo::{Recorder, shared},
    },
    subtask::subtask,
};

/// A run. Each step is executed once, however often the function is replayed.
pub struct Run {
    pub(crate) ctx: Ctx,
    pub(crate) saga: &'static str,
    /// The journal, as it was last committed.
    pub(crate) journal: WorkflowExecution,
    /// Compensations of the steps that were passed, by their index.
    pub(crate) undos: Vec<Undo>,
    /// The commit that ended it, if its last step did.
    pub(crate) ended: Option<View>,
    /// Tells the engine that the run waits.
    pub(crate) waits: Arc<Notify>,
    /// Is the journal kept even if the run is a single transaction?
    pub(crate) is_kept: bool,
    /// Error of a local step; no step may follow it.
    pub(crate) failed: Option<FaultRecord>,
    /// An answer from outside, for the step that waits.
    pub(crate) step_answer: Option<StepAnswer>,
    path: Vec<&'static str>,
    /// Number of uses of each step name: a step in a loop is numbered from the second time on.
    seen: HashMap<String, usize>,
}

/// Compensation of a step.
pub(crate) enum Undo {
    /// None.
    Nothing,
    /// Restore the state from the undo data in the journal.
    Exactly,
    /// A function in a transaction.
    Locally(LocalUndo),
    /// An external call.
    Outside(Outside),
}

pub(crate) type LocalUndo = Arc<dyn Fn(&mut Local<'_>, Value) -> Result<(), Fault> + Send + Sync>;

impl Run {
    pub(crate) fn new(ctx: Ctx, saga: &'static str, journal: WorkflowExecution) -> Run {
        Run {
            // Commits of a run are noted by its journal, which knows the request and its additional data also
            // after a restart.
            ctx: ctx.beside().handing(journal.additional_data.clone()),
            saga,
            journal,
            undos: Vec::new(),
            ended: None,
            waits: Arc::default(),
            is_kept: false,
            failed: None,
            step_answer: None,
            path: Vec::new(),
            seen: HashMap::new(),
        }
    }

    /// The application.
    pub fn ctx(&self) -> &Ctx {
        &self.ctx
    }

    /// Id of the run for its callers.
    pub fn transaction_id(&self) -> &str {
        &self.journal.transaction_id
    }

    /// Local steps: one transaction, with its journal entry in the same commit. If a later step fails, the
    /// changes are restored exactly; if others have changed the same records since, that is a conflict, and
    /// the run ends as failed. Steps that change records shared by all (stock) bring their own compensation:
    /// see [`Run::local_undone_by`].
    pub async fn local<T, F>(&mut self, name: &'static str, body: F) -> Result<T, Fault>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: FnOnce(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
    {
        self.transact(name, body, Undo::Exactly).await
    }

    /// As [`Run::local`], with `undo` as compensation: in one transaction, with the output of the step.
    pub async fn local_undone_by<T, F, U>(&mut self, name: &'static str, body: F, undo: U) -> Result<T, Fault>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: FnOnce(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
        U: Fn(&mut Local<'_>, T) -> Result<(), Fault> + Send + Sync + 'static,
    {
        let undo: LocalUndo = Arc::new(move |local, output| undo(local, decode(output)?));
        self.transact(name, body, Undo::Locally(undo)).await
    }

    async fn transact<T, F>(&mut self, name: &'static str, body: F, undo: Undo) -> Result<T, Fault>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: FnOnce(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let name = self.claim(name);
        if let Some(entry) = self.enter(self.undos.len(), &name, StepKind::Local)? {
            self.undos.push(undo);
            return decode(entry.output);
        }
        let exactly = matches!(undo, Undo::Exactly);
        let (ctx, flow, mut journal) = (self.ctx.clone(), self.saga, self.journal.clone());
        let body = move |tx: &mut dyn Write, at: &Moment| {
            let mut recorder = Recorder::new(tx);
            let output = Local { tx: &mut recorder, at, ctx: &ctx, flow }.run_step(&name, body)?;
            let (changed, events) = recorder.finish()?;
            let undo = if exactly { changed } else { shared(changed, &journal.steps) };
            journal.steps.push(StepEntry {
                name,
                kind: StepKind::Local,
                state: StepState::Done,
                n_attempts: 1,
                output: serde_json::to_value(&output).map_err(Fault::unexpected)?,
                started_at: at.now(),
                events,
                undo,
                ..StepEntry::default()
            });
            journal.write(tx, at)?;
            Ok(journal)
        };
        self.journal = self.write(body).await?.0;
        self.undos.push(undo);
        // Decoded from the journal, as on replay.
        decode(self.journal.steps.last().map(|it| it.output.clone()).unwrap_or_default())
    }

    /// The last step, in the commit that ends the run and releases its events; its output must be the result
    /// of the saga. A saga with this step alone costs one transaction and keeps no journal. In a sub-saga
    /// ([`Run::is_part`]) it is an ordinary local step ([`Run::local`]).
    pub async fn finish<T, F>(&mut self, name: &'static str, body: F) -> Result<T, Fault>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: FnOnce(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
    {
        if self.is_part() {
            return self.local(name, body).await;
        }
        let name = self.claim(name);
        if let Some(entry) = self.enter(self.undos.len(), &name, StepKind::Local)? {
            return decode(entry.output);
        }
        let is_kept = self.is_kept || self.journal.n_writes > 0;
        let (ctx, flow, mut journal) = (self.ctx.clone(), self.saga, self.journal.clone());
        let body = move |tx: &mut dyn Write, at: &Moment| {
            release(tx, &journal)?;
            let output = Local { tx: &mut *tx, at, ctx: &ctx, flow }.run_step(&name, body)?;
            if !is_kept && let Some(request) = &journal.request {
                request.note(tx, done(&output))?;
            }
            if is_kept {
                let value = serde_json::to_value(&output).map_err(Fault::unexpected)?;
                journal.steps.push(StepEntry {
                    name,
                    state: StepState::Done,
                    n_attempts: 1,
                    output: value.clone(),
                    started_at: at.now(),
                    ..StepEntry::default()
                });
                journal.result = value;
                journal.end(ExecutionState::Done, at.now());
                journal.write(tx, at)?;
            }
            Ok((output, journal))
        };
        let ((output, journal), view) = self.write(body).await?;
        self.journal = journal;
        self.ended = Some(view);
        Ok(output)
    }

    /// An external call. The intent is committed before it, the output after it. A failed call is compensated
    /// at once, since it may have had an effect; the function may go on after its error.
    pub async fn external<T: DeserializeOwned>(&mut self, step: External<T>) -> Result<T, Fault> {
        let begin = self.undos.len();
        let answer = self.invoke(vec![step.step]).await.and_then(first_of);
        self.whole(begin, answer).await
    }

    /// Two concurrent calls. Both are awaited, and both are compensated if one of them fails.
    pub async fn both<A, B>(&mut self, a: External<A>, b: External<B>) -> Result<(A, B), Fault>
    where
        A: DeserializeOwned,
        B: DeserializeOwned,
    {
        let begin = self.undos.len();
        let answers = self.invoke(vec![a.step, b.step]).await.and_then(|answers| {
            let mut answers = answers.into_iter();
            let (a, b) = (first_of(answers.by_ref().take(1)), first_of(answers));
            Ok((a?, b?))
        });
        self.whole(begin, answers).await
    }

    /// Concurrent calls. All are awaited, and all are compensated if one of them fails.
    pub async fn all<T: DeserializeOwned>(&mut self, steps: Vec<External<T>>) -> Result<Vec<T>, Fault> {
        let begin = self.undos.len();
        let answers = self.invoke(steps.into_iter().map(|it| it.step).collect()).await;
        let answers = answers.and_then(|all| all.into_iter().map(|answer| decode(answer?)).collect());
        self.whole(begin, answers).await
    }

    /// Calls the hooks of this point: those in a transaction first, then, if the point allows them, those
    /// with external calls, one after the other. Returns what they contribute, by the name of the hook. If
    /// one fails, all are undone.
    pub async fn hook<I: PointInput, O: PointOutput>(
        &mut self,
        point: &'static HookPoint<I, O>,
        input: I,
    ) -> Result<Vec<(String, O)>, Fault> {
        let begin = self.undos.len();
        let answers = self.call_hooks(point, input).await;
        self.whole(begin, answers).await
    }

    async fn call_hooks<I: PointInput, O: PointOutput>(
        &mut self,
        point: &'static HookPoint<I, O>,
        input: I,
    ) -> Result<Vec<(String, O)>, Fault> {
        let hooks: Vec<_> = self.ctx.registry().hooks_at(self.saga, point).collect();
        let mut answers = Vec::new();
        if hooks.iter().any(|it| matches!(it.run, HookRun::Local(_))) {
            let input = input.clone();
            let body = move |local: &mut Local<'_>| {
                let outputs = local.hook_by_name(point, || input)?.into_iter();
                Ok(Some(outputs.map(|(hook, output)| (hook.to_owned(), output)).collect::<Vec<_>>()))
            };
            // Journals of Atoll up to November 2026 hold null: hooks contributed nothing.
            answers.extend(self.local(point.name, body).await?.unwrap_or_default());
        }
        let input = serde_json::to_value(input).map_err(Fault::unexpected)?;
        for hook in hooks {
            if let HookRun::External { call, undo, timeout, retries } = hook.run {
                let undo = undo.map(|undo| Arc::new(undo) as _);
                let mut step = Outside::new(hook.name.to_owned(), Arc::new(call)).with_undo(undo);
                step.input = input.clone();
                step.timeout = timeout.unwrap_or(step.timeout);
                step.patience = retries.map_or(step.patience, |(n, pause)| Patience::of(n, pause));
                let answer = self.invoke(vec![step]).await?.into_iter().next();
                let answer = answer.unwrap_or(Ok(Value::Null))?;
                if !answer.is_null() {
                    let misfit = |it| Fault::unexpected(format!("`{}` cannot be read: {it}", hook.name));
                    answers.push((hook.name.to_owned(), serde_json::from_value(answer).map_err(misfit)?));
                }
            }
        }
        Ok(answers)
    }

    /// Waits until a caller finishes the step (`POST
    /// /admin/workflows-executions/:workflow_id/steps/success`), or fails it. Meanwhile nothing is kept in
    /// memory, and a restart changes nothing.
    pub async fn wait<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        timeout: Option<Duration>,
    ) -> Result<T, Fault> {
        let name = self.claim(name);
        let entry = match self.enter(self.undos.len(), &name, StepKind::Wait)? {
            Some(entry) => entry,
            None => {
                let now = self.ctx.now();
                let mut journal = self.journal.clone();
                journal.state = ExecutionState::Waiting;
                journal.steps.push(StepEntry {
                    name,
                    kind: StepKind::Wait,
                    state: StepState::Waiting,
                    wait_until: self.wait_until(now, timeout),
                    started_at: now,
                    ..StepEntry::default()
                });
                self.commit(journal).await?;
                self.journal.steps.last().cloned().unwrap_or_default()
            }
        };
        self.undos.push(Undo::Nothing);
        match (entry.state, entry.failure()) {
            (StepState::Waiting, _) if self.journal.state != ExecutionState::Compensating => {
                if let Some(answer) = self.receive(&entry.name).await? {
                    return answer;
                }
                self.waits.notify_one();
                std::future::pending().await
            }
            (StepState::Waiting, _) => Err(self.why_compensating()),
            (_, Some(error)) => Err(error),
            (_, None) => decode(entry.output),
        }
    }

    /// Takes the answer from outside, if there is one that can be deserialised. Its giver is informed once it
    /// is on disk.
    async fn receive<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<Result<T, Fault>>, Fault> {
        let Some(step_answer) = self.step_answer.take() else { return Ok(None) };
        let mut journal = self.journal.clone();
        journal.state = ExecutionState::Invoking;
        let Some(entry) = journal.steps.iter_mut().find(|it| it.name == name) else { return Ok(None) };
        let answer = match &step_answer.answer {
            Ok(value) => match serde_json::from_value(value.clone()) {
                Ok(answer) => {
                    (entry.state, entry.output) = (StepState::Done, value.clone());
                    Ok(answer)
                }
                Err(error) => {
                    step_answer
                        .report(Err(Fault::invalid(format!("Invalid response for step {name}: {error}"))));
                    return Ok(None);
                }
            },
            Err(message) => {
                let error = Fault::not_allowed(message.clone());
                (entry.state, entry.error) = (StepState::Failed, Some(FaultRecord::from(&error)));
                Err(error)
            }
        };
        let request = step_answer.request.clone();
        let write = move |tx: &mut dyn Write, at: &Moment| {
            journal.write(tx, at)?;
            if let Some(request) = &request {
                request.note(tx, done(&()))?;
            }
            Ok(journal)
        };
        let written = self.write(write).await.map(|(journal, _)| self.journal = journal);
        step_answer.report(written.as_ref().copied().map_err(|error| Fault::from(&FaultRecord::from(error))));
        written.map(|()| Some(answer))
    }

    /// A sub-saga: its steps are steps of this run, and its events are released when this run can no longer
    /// fail. If it fails it is compensated at once. Its own time-out and `idempotent` do not apply.
    pub async fn run<I, O>(&mut self, saga: &'static Saga<I, O>, input: I) -> Result<O, Fault> {
        let begin = self.undos.len();
        let outer = std::mem::replace(&mut self.saga, saga.name);
        self.path.push(saga.name);
        let output = (saga.run)(self, input).await;
        self.path.pop();
        self.saga = outer;
        self.whole(begin, output).await
    }

    /// True if the current code is a sub-saga.
    pub fn is_part(&self) -> bool {
        !self.path.is_empty()
    }

    async fn invoke(&mut self, steps: Vec<Outside>) -> Result<Vec<Result<Value, Fault>>, Fault> {
        let begin = self.undos.len();
        let names: Vec<String> = steps.iter().map(|step| self.claim(&step.name)).collect();
        let mut entries = Vec::with_capacity(steps.len());
        for (index, name) in (begin..).zip(&names) {
            entries.push(self.enter(index, name, StepKind::External)?);
        }
        if entries.iter().any(Option::is_none) {
            let mut journal = self.journal.clone();
            let now = self.ctx.now();
            journal.steps.extend(names.into_iter().map(|name| StepEntry {
                name,
                kind: StepKind::External,
                started_at: now,
                ..StepEntry::default()
            }));
            self.commit(journal).await?;
        }
        for step in &steps {
            self.undos.push(if step.has_undo() { Undo::Outside(step.clone()) } else { Undo::Nothing });
        }
        let indexes = begin..begin + steps.len();
        let is_open = |run: &Run, index: usize| run.journal.steps[index].state == StepState::Invoking;
        if indexes.clone().any(|index| is_open(self, index)) {
            if self.journal.state == ExecutionState::Compensating {
                return Err(self.why_compensating());
            }
            self.call(begin, steps).await?;
        }
        let answer = |index: usize| {
            let entry = &self.journal.steps[index];
            entry.failure().map_or_else(|| Ok(entry.output.clone()), Err)
        };
        Ok(indexes.map(answer).collect())
    }

    /// Makes the calls that have no output yet, and commits their outputs.
    async fn call(&mut self, begin: usize, steps: Vec<Outside>) -> Result<(), Fault> {
        let deadline = self.journal.deadline;
        let steps: Vec<_> = (begin..).zip(steps).collect();
        let is_open = |(index, _): &(usize, Outside)| self.journal.steps[*index].state == StepState::Invoking;
        let open: Vec<_> = steps.into_iter().filter(is_open).collect();
        for (_, step) in &open {
            self.probe(&step.name, When::Before)?;
        }
        let mut calls = Vec::new();
        for (index, step) in open {
            let key = self.journal.key(&self.journal.steps[index].name, "invoke");
            let (input, output) = (step.input.clone(), Value::Null);
            let call = StepCall { invoke_key: key.clone(), key, attempt: 1, input, answered: false, output };
            let (ctx, name) = (self.ctx.clone(), step.name.clone());
            let call = subtask(async move { step.invoke(&ctx, call, deadline).await });
            calls.push((index, name, call));
        }
        let mut answers = Vec::new();
        for (index, name, call) in calls {
            answers.push((index, name, call.await.map_err(Fault::unexpected)?));
        }
        let mut journal = self.journal.clone();
        for (index, name, tried) in answers {
            self.probe(&name, When::After)?;
            let entry = &mut journal.steps[index];
            entry.n_attempts += tried.n_attempts;
            match tried.answer {
                Ok(output) => (entry.state, entry.output) = (StepState::Done, output),
                Err(error) => {
                    entry.state = if tried.timed_out { StepState::Timeout } else { StepState::Failed };
                    entry.error = Some(error);
                }
            }
        }
        self.commit(journal).await
    }

    /// The application, as this run writes by it: what has begun is finished, also while the disk has no room
    /// for other runs.
    pub(crate) fn ctx_to_write(&self) -> Ctx {
        if self.journal.n_writes > 0 { self.ctx.finishing() } else { self.ctx.clone() }
    }

    /// Runs a transaction. If it fails, the run fails: the error is not in the journal, so a function that
    /// went on after it would take another path on replay.
    pub(crate) async fn write<T, F>(&mut self, body: F) -> Result<(T, View), Fault>
    where
        F: FnOnce(&mut dyn Write, &Moment) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let written = self.ctx_to_write().write(self.journal.actor(), body).await;
        written.map_err(|error| self.fail(error))
    }

    /// Fails the run: no step may follow.
    pub(crate) fn fail(&mut self, error: Fault) -> Fault {
        self.failed = Some(FaultRecord::from(&error));
        error
    }

    /// Commits the journal alone.
    pub(crate) async fn commit(&mut self, mut journal: WorkflowExecution) -> Result<(), Fault> {
        let write = move |tx: &mut dyn Write, at: &Moment| {
            journal.write(tx, at)?;
            Ok(journal)
        };
        self.journal = self.write(write).await?.0;
        Ok(())
    }

    /// The name of the next step, unique within this run.
    fn claim(&mut self, name: &str) -> String {
        let mut full = self.path.join("/");
        if !full.is_empty() {
            full.push('/');
        }
        full.push_str(name);
        let n_seen = self.seen.entry(full.clone()).or_default();
        *n_seen += 1;
        if *n_seen == 1 { full } else { format!("{full}#{n_seen}") }
    }

    /// Enters a step; returns its journal entry, if it was started before.
    fn enter(&mut self, index: usize, name: &str, kind: StepKind) -> Result<Option<StepEntry>, Fault> {
        if self.ended.is_some() {
            return Err(Fault::unexpected(format!("`{name}` comes after the last step of `{}`", self.saga)));
        }
        if let Some(error) = &self.failed {
            return Err(Fault::from(error));
        }
        match self.journal.steps.get(index) {
            Some(entry) if entry.name == name && entry.kind == kind => Ok(Some(entry.clone())),
            Some(entry) => {
                let was = &entry.name;
                Err(self.fail(Fault::unexpected(format!(
                    "`{}` was begun with the step `{was}` where there now is `{name}`: its code was changed",
                    self.saga
                ))))
            }
            None if self.journal.state == ExecutionState::Compensating => Err(self.why_compensating()),
            None if self.journal.deadline.is_some_and(|it| it < self.ctx.now()) => {
                Err(self.fail(Fault::unexpected(format!("`{}` took too long", self.saga))))
            }
            None => Ok(None),
        }
    }

    fn wait_until(&self, now: Timestamp, timeout: Option<Duration>) -> Option<Timestamp> {
        let own = timeout.map(|it| now.plus(it));
        own.into_iter().chain(self.journal.deadline).min()
    }

    fn why_compensating(&self) -> Fault {
        let error = self.journal.error.clone().unwrap_or_default();
        Fault::from(&error)
    }

    pub(crate) fn probe(&self, step: &str, when: When) -> Result<(), Fault> {
        self.ctx.probe(&Point { flow: self.saga, step, when })
    }
}

/// Emits the events of all steps: the saga can no longer fail.
pub(crate) fn release(tx: &mut dyn Write, journal: &WorkflowExecution) -> Result<(), Fault> {
    let steps = journal.steps.iter().filter(|it| it.state != StepState::Reverted);
    for event in steps.flat_map(|it| &it.events) {
        tx.emit(event.clone())?;
    }
    Ok(())
}

fn decode<T: DeserializeOwned>(value: Value) -> Result<T, Fault> {
    serde_json::from_value(value).map_err(Fault::unexpected)
}

fn first_of<T: DeserializeOwned>(
    answers: impl IntoIterator<Item = Result<Value, Fault>>,
) -> Result<T, Fault> {
    match answers.into_iter().next() {
        Some(answer) => decode(answer?),
        None => Err(Fault::unexpected("a step did not answer")),
    }
}
