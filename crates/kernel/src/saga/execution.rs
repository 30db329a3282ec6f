//! The journal: one record per run of a saga, which holds its steps. It is written in the very transactions
//! that the steps are.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    Actor, Entity, Event, Fault, FaultKind, FaultRecord, FieldValue, Index, Moment, Read, RowError, Service,
    StoreError, Timestamp, Write, entity,
    once::{KeyedRequest, Note, done},
    saga::undo::Undone,
    verify::Verify,
    words,
};

words! {
    /// Where a run stands.
    pub enum ExecutionState {
        /// It goes on.
        #[default]
        Invoking = "invoking",
        /// It waits for a step that is finished from outside.
        Waiting = "waiting",
        /// It failed, and what it did is being undone.
        Compensating = "compensating",
        /// It came to its end.
        Done = "done",
        /// It failed, and everything is as it was before.
        Reverted = "reverted",
        /// It failed, and could not be undone: somebody must look at it.
        Failed = "failed",
    }
}

words! {
    /// What a step of a saga is.
    pub enum StepKind {
        /// Local steps in one transaction.
        #[default]
        Local = "local",
        /// A call to the outside.
        External = "external",
        /// Something that is finished from outside.
        Wait = "wait",
    }
}

words! {
    /// Where a step stands.
    pub enum StepState {
        /// It was begun; whether it had an effect is not known.
        #[default]
        Invoking = "invoking",
        /// It is to be finished from outside.
        Waiting = "waiting",
        /// It is done.
        Done = "done",
        /// It failed.
        Failed = "failed",
        /// It took too long. It may have had an effect all the same.
        Timeout = "timeout",
        /// What it did was undone.
        Reverted = "reverted",
    }
}

/// What is kept of a step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepEntry {
    /// Its name; steps of a saga within a saga have both names.
    pub name: String,
    /// What it is.
    pub kind: StepKind,
    /// Where it stands.
    pub state: StepState,
    /// How often it was called.
    pub n_attempts: u32,
    /// What it answered.
    pub output: Value,
    /// Why it failed.
    pub error: Option<FaultRecord>,
    /// When a step that is waited for is given up.
    pub wait_until: Option<Timestamp>,
    /// When it began.
    pub started_at: Timestamp,
    /// What it told of. That is held back until the saga can no longer fail.
    pub(crate) events: Vec<Event>,
    /// What it changed, so that it can be undone.
    pub(crate) undo: Vec<Undone>,
}

impl FieldValue for StepEntry {}

entity! {
    /// A run of a saga.
    pub struct WorkflowExecution = "workflow_execution" / "workflow_executions", "wf_exec" {
        /// The saga.
        pub workflow_id: String,
        /// What the caller knows the run by; of several runs with one transaction id, the last is kept.
        pub transaction_id: String,
        /// Where it stands.
        pub state: ExecutionState,
        /// How long it is kept after its end, in seconds.
        pub retention_time: u64,
        /// On whose behalf it runs.
        pub actor: Value,
        /// What it was given.
        pub input: Value,
        /// What it has done.
        pub steps: Vec<StepEntry>,
        /// What it came to.
        pub result: Value,
        /// Why it failed.
        pub error: Option<FaultRecord>,
        /// Why it could not be undone.
        pub undo_error: Option<FaultRecord>,
        /// How often undoing it was tried in vain.
        pub n_undo_tries: u32,
        /// When it is given up.
        pub deadline: Option<Timestamp>,
        /// When its record goes.
        pub keep_until: Option<Timestamp>,
        /// How often it was written: of two that run it, one is refused.
        pub n_writes: u64,
        /// The request with an `Idempotency-Key` that started it.
        pub request: Option<KeyedRequest>,
    }
    search [workflow_id, transaction_id]
    hidden [actor, input, steps, result, error, undo_error, n_undo_tries, deadline, keep_until, n_writes, request]
    computed [run_id, execution, context] by show
}

pub(crate) const BY_TRANSACTION: Index<WorkflowExecution> =
    Index::unique("workflow_execution.by_transaction", &["workflow_id", "transaction_id"], |it, keys| {
        keys.add(&[&it.workflow_id, &it.transaction_id]);
    });
pub(crate) const BY_STATE: Index<WorkflowExecution> =
    Index::on("workflow_execution.by_state", &["state"], |it, keys| keys.add(&[it.state.as_str()]));

/// The runs of sagas. Only the engine writes them; the module `background` registers them.
pub static EXECUTIONS: Service<WorkflowExecution> = Service::new(&[BY_TRANSACTION, BY_STATE]);

impl WorkflowExecution {
    /// The run of this saga with this transaction id.
    pub fn find(tx: &dyn Read, workflow: &str, transaction: &str) -> Result<Option<Self>, StoreError> {
        EXECUTIONS.table.get_by(tx, &BY_TRANSACTION, &[workflow, transaction])
    }

    /// Has it come to its end, good or bad?
    pub fn has_ended(&self) -> bool {
        matches!(self.state, ExecutionState::Done | ExecutionState::Reverted | ExecutionState::Failed)
    }

    /// Does it neither wait, nor has it come to its end? If nothing holds its lock, a crash or a stop has cut
    /// it.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, ExecutionState::Invoking | ExecutionState::Compensating)
    }

    /// Did somebody ask for the very same again? Of requests with an `Idempotency-Key` only the key says so,
    /// and one that comes again is told apart by that before.
    pub(crate) fn is_same_request(&self, other: &WorkflowExecution) -> bool {
        let has_key = self.request.is_some() || other.request.is_some();
        !has_key && (&self.input, &self.actor) == (&other.input, &other.actor)
    }

    /// Who began it. A run that was begun is ended, also where a later version wrote an actor that this one
    /// cannot read.
    pub(crate) fn actor(&self) -> Actor {
        serde_json::from_value(self.actor.clone()).unwrap_or(Actor::System)
    }

    /// What a step is known by to those outside, so that they can tell the same call when it comes again.
    pub(crate) fn key(&self, step: &str, action: &str) -> String {
        format!("{}:{}:{step}:{action}", self.workflow_id, self.id)
    }

    /// Marks the end: it is kept for a while, and without what undoing it would take.
    pub(crate) fn end(&mut self, state: ExecutionState, now: Timestamp) {
        self.state = state;
        // What could not be undone waits for somebody to look at it, with what undoing it takes.
        let kept = state != ExecutionState::Failed;
        for step in self.steps.iter_mut().filter(|_| kept) {
            step.undo = Vec::new();
            step.events = Vec::new();
        }
        let millis = i64::try_from(self.retention_time).unwrap_or(i64::MAX).saturating_mul(1000);
        self.keep_until = kept.then(|| now.plus_millis(millis));
    }

    /// Writes it, as a step of the transaction that it tells of.
    pub(crate) fn write(&mut self, tx: &mut dyn Write, at: &Moment) -> Result<(), Fault> {
        self.note(tx)?;
        let Some(before) = EXECUTIONS.get(tx, &self.id)? else {
            if self.n_writes > 0 {
                return Err(Fault::new(FaultKind::Conflict, format!("run {} was removed", self.id)));
            }
            // The run before it with the same transaction id has ended, or this one would not have begun.
            if let Some(last) = WorkflowExecution::find(tx, &self.workflow_id, &self.transaction_id)? {
                EXECUTIONS.delete(tx, at, &last.id)?;
            }
            self.n_writes = 1;
            self.created_at = at.now();
            self.updated_at = at.now();
            EXECUTIONS.create(tx, at, self.clone())?;
            return Ok(());
        };
        if before.n_writes != self.n_writes {
            return Err(Fault::new(FaultKind::Conflict, format!("run {} goes on elsewhere", self.id)));
        }
        self.n_writes += 1;
        let after = self.clone();
        EXECUTIONS.update(tx, at, &self.id, move |it: &mut WorkflowExecution| it.become_like(after))?;
        Ok(())
    }
}

impl WorkflowExecution {
    /// Notes where it stands for the request that started it: that it has begun, what it came to, or that
    /// nothing is left of it.
    fn note(&self, tx: &mut dyn Write) -> Result<(), Fault> {
        let Some(request) = &self.request else { return Ok(()) };
        match self.state {
            ExecutionState::Done => request.note(tx, done(&self.result)),
            ExecutionState::Reverted => request.take_back(tx),
            _ if self.n_writes == 0 => request.note(tx, Note::Run(self.id.to_string())),
            _ => Ok(()),
        }
    }
}

/// The runs whose records may go.
pub(crate) fn ended_before(tx: &dyn Read, now: Timestamp) -> Result<Vec<String>, RowError> {
    let mut old = Vec::new();
    for state in [ExecutionState::Done, ExecutionState::Reverted] {
        for id in EXECUTIONS.table.ids_by(tx, &BY_STATE, &[state.as_str()])? {
            let run = EXECUTIONS.get(tx, &id)?;
            if run.is_some_and(|it| it.keep_until.is_some_and(|until| until <= now)) {
                old.push(id.to_string());
            }
        }
    }
    Ok(old)
}

/// A run that has ended waits for nothing, and holds nothing to undo with unless undoing it failed; one that
/// has not is kept until it does.
pub fn verify_journals(it: &mut Verify<'_>) -> Result<(), StoreError> {
    it.rows(&EXECUTIONS.table, |it, run| {
        let mut wrong = |found: &str, expected: &str| {
            let found = format!("{} run {found}", run.state.as_str());
            it.wrong("saga.journal", WorkflowExecution::DEF.name, &run.id, found, expected);
        };
        let any = |state: StepState| run.steps.iter().any(|step| step.state == state);
        match run.state {
            ExecutionState::Done | ExecutionState::Reverted => {
                if run.keep_until.is_none() {
                    wrong("that is kept for ever", "when its record goes");
                }
                if run.steps.iter().any(|step| !step.undo.is_empty() || !step.events.is_empty()) {
                    wrong("with what undoing it takes, or events that were held back", "neither");
                }
                if any(StepState::Waiting) {
                    wrong("that waits for a step", "no step that is waited for");
                }
            }
            ExecutionState::Failed if run.undo_error.is_none() => wrong("without a reason", "why it failed"),
            ExecutionState::Waiting if !any(StepState::Waiting) => {
                wrong("without a step that is waited for", "a step that is waited for");
            }
            ExecutionState::Invoking | ExecutionState::Waiting | ExecutionState::Compensating
                if run.keep_until.is_some() =>
            {
                wrong("with an end", "none before it ends");
            }
            _ => {}
        }
        Ok(())
    })
}

/// A run as the wire shows it: its steps below a root, and what they answered.
fn show(run: &WorkflowExecution, visit: &mut dyn FnMut(&'static str, Value)) {
    visit("run_id", json!(run.id));
    let mut steps = Map::new();
    let mut invoke = Map::new();
    let mut errors = Vec::new();
    for step in &run.steps {
        let id = format!("_root.{}", step.name);
        let (status, compensated) = match step.state {
            StepState::Invoking => ("idle", "dormant"),
            StepState::Waiting => ("waiting", "dormant"),
            StepState::Done => ("ok", "dormant"),
            StepState::Failed | StepState::Timeout => ("permanent_failure", "dormant"),
            StepState::Reverted if step.error.is_some() => ("permanent_failure", "reverted"),
            StepState::Reverted => ("ok", "reverted"),
        };
        let entry = json!({
            "id": id, "kind": step.kind, "attempts": step.n_attempts, "startedAt": step.started_at,
            "invoke": { "state": step.state, "status": status },
            "compensate": { "state": compensated, "status": "idle" },
        });
        steps.insert(id, entry);
        if step.state == StepState::Done {
            invoke.insert(step.name.clone(), json!({ "output": { "output": step.output } }));
        }
        if let Some(error) = &step.error {
            errors.push(json!({ "action": step.name, "handlerType": "invoke", "error": told(error) }));
        }
    }
    if let (Some(error), true) = (&run.error, errors.is_empty()) {
        errors.push(json!({ "action": null, "handlerType": "invoke", "error": told(error) }));
    }
    if let Some(error) = &run.undo_error {
        errors.push(json!({ "action": null, "handlerType": "compensate", "error": told(error) }));
    }
    visit("execution", json!({ "state": run.state, "runId": run.id, "steps": steps }));
    let data = json!({ "input": run.input, "invoke": invoke, "result": run.result });
    visit("context", json!({ "data": data, "errors": errors }));
}

fn told(error: &FaultRecord) -> Value {
    json!({ "type": error.kind, "message": error.message, "code": error.code, "cause": error.cause })
}
