//! The saga journal: one record per run, with its steps, written in the same transactions as the steps
//! themselves.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    Actor, Fault, FaultKind, Moment, Read, StoreError, Timestamp, Write,
    data::{ComputedFields, Entity, Index, Service},
    entity,
    http::FaultRecord,
    jobs::Event,
    once::{KeyedRequest, Note, done},
    saga::undo::Undone,
    stored,
    verify::Verify,
    words,
};

words! {
    /// State of a run.
    pub enum ExecutionState {
        /// It is running.
        #[default]
        Invoking = "invoking",
        /// It waits for a step that is finished from outside.
        Waiting = "waiting",
        /// It failed, and is being compensated.
        Compensating = "compensating",
        /// It has ended.
        Done = "done",
        /// It failed, and was compensated completely.
        Reverted = "reverted",
        /// It failed, and could not be compensated: an operator must act.
        Failed = "failed",
    }
}

words! {
    /// Kind of a saga step.
    pub enum StepKind {
        /// Local steps in one transaction.
        #[default]
        Local = "local",
        /// An external call.
        External = "external",
        /// Waits until it is finished from outside.
        Wait = "wait",
    }
}

words! {
    /// State of a step.
    pub enum StepState {
        /// It was started; whether it had an effect is unknown.
        #[default]
        Invoking = "invoking",
        /// It waits to be finished from outside.
        Waiting = "waiting",
        /// It is done.
        Done = "done",
        /// It failed.
        Failed = "failed",
        /// It timed out, and may have had an effect.
        Timeout = "timeout",
        /// It was compensated.
        Reverted = "reverted",
    }
}

stored! {
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
        /// Number of calls.
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
}

impl StepEntry {
    /// Why it failed. What was called may have failed by the log that hosts share; but the log has taken this
    /// entry since, so the run fails by it like by any other error.
    pub(crate) fn failure(&self) -> Option<Fault> {
        let record = self.error.as_ref()?;
        let error = Fault::from(record);
        match error.is_of_log() {
            true => Some(Fault::from(&FaultRecord { kind: FaultKind::Busy, code: None, ..record.clone() })),
            false => Some(error),
        }
    }
}

entity! {
    /// A run of a saga.
    pub struct WorkflowExecution = "workflow_execution" / "workflow_executions", "wf_exec" {
        /// Name of the saga.
        pub workflow_id: String,
        /// Id of the run for its callers. Of several runs with the same id, the last one is kept.
        pub transaction_id: String,
        /// State of the run.
        pub state: ExecutionState,
        /// Retention after the end, in seconds.
        pub retention_time: u64,
        /// The actor on whose behalf it runs.
        pub actor: Value,
        /// Input of the run.
        pub input: Value,
        /// The `additional_data` of the request that started it, for hooks; null if there is none.
        pub additional_data: Value,
        /// The steps so far.
        pub steps: Vec<StepEntry>,
        /// Result of the run.
        pub result: Value,
        /// Why it failed.
        pub error: Option<FaultRecord>,
        /// Why it could not be compensated.
        pub undo_error: Option<FaultRecord>,
        /// Number of failed attempts at compensation.
        pub n_undo_tries: u32,
        /// Time at which it is given up.
        pub deadline: Option<Timestamp>,
        /// Time at which its record is purged.
        pub keep_until: Option<Timestamp>,
        /// Number of writes, for optimistic locking: of two processes that run it, one is refused.
        pub n_writes: u64,
        /// The keyed request (`Idempotency-Key`) that started it.
        pub request: Option<KeyedRequest>,
    }
    search [workflow_id, transaction_id]
    hidden [actor, input, additional_data, steps, result, error, undo_error, n_undo_tries, deadline, keep_until, n_writes, request]
    computed [
        /// The id of the run.
        run_id: String,
        /// The state of the run, and of each of its steps.
        execution: Map<String, Value>,
        /// The input, the results of the steps, and the errors.
        context: Map<String, Value>,
    ] by show
}

pub(crate) const BY_TRANSACTION: Index<WorkflowExecution> =
    Index::unique("workflow_execution.by_transaction", &["workflow_id", "transaction_id"], |it, keys| {
        keys.add(&[&it.workflow_id, &it.transaction_id]);
    });
/// Runs that have ended, by when their records go.
pub(crate) const BY_END: Index<WorkflowExecution> =
    Index::on("workflow_execution.by_end", &["state", "keep_until"], |it, keys| {
        if let (ExecutionState::Done | ExecutionState::Reverted, Some(until)) = (it.state, it.keep_until) {
            keys.add(&[&until.to_string()]);
        }
    });
pub(crate) const BY_STATE: Index<WorkflowExecution> =
    Index::counted("workflow_execution.by_state", &["state"], |it, keys| keys.add(&[it.state.as_str()]));

/// The runs of sagas. Only the engine writes them; the module `background` registers them.
pub static EXECUTIONS: Service<WorkflowExecution> = Service::new(&[BY_TRANSACTION, BY_STATE, BY_END]);

/// How many runs are in each state that is not the end of one that needs nobody any more.
pub fn runs_by_state(tx: &dyn Read) -> Result<Vec<(ExecutionState, u64)>, StoreError> {
    use ExecutionState::{Compensating, Failed, Invoking, Waiting};
    let count = |state: ExecutionState| Ok((state, BY_STATE.count(tx, &[state.as_str()])?));
    [Invoking, Waiting, Compensating, Failed].into_iter().map(count).collect()
}

impl WorkflowExecution {
    /// The run of this saga with this transaction id.
    pub fn find(tx: &dyn Read, workflow: &str, transaction: &str) -> Result<Option<Self>, StoreError> {
        EXECUTIONS.table.get_by(tx, &BY_TRANSACTION, &[workflow, transaction])
    }

    /// True if it has ended, successfully or not.
    pub fn has_ended(&self) -> bool {
        matches!(self.state, ExecutionState::Done | ExecutionState::Reverted | ExecutionState::Failed)
    }

    /// True if it is neither waiting nor ended. If no task holds its lock, a crash or a shutdown interrupted
    /// it.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, ExecutionState::Invoking | ExecutionState::Compensating)
    }

    /// Is the other run a repetition of this one? Keyed requests (`Idempotency-Key`) are compared by key
    /// only, and retries of those are recognised earlier.
    pub(crate) fn is_same_request(&self, other: &WorkflowExecution) -> bool {
        let has_key = self.request.is_some() || other.request.is_some();
        !has_key
            && (&self.input, &self.additional_data, &self.actor)
                == (&other.input, &other.additional_data, &other.actor)
    }

    /// The actor that started it. A run is brought to its end even if a later version wrote an actor that
    /// this one cannot read.
    pub(crate) fn actor(&self) -> Actor {
        serde_json::from_value(self.actor.clone()).unwrap_or(Actor::System)
    }

    /// Idempotency key of a step, by which the other side recognises a retry.
    pub(crate) fn key(&self, step: &str, action: &str) -> String {
        format!("{}:{}:{step}:{action}", self.workflow_id, self.id)
    }

    /// Marks the end: sets the retention, and drops the undo data.
    pub(crate) fn end(&mut self, state: ExecutionState, now: Timestamp) {
        self.state = state;
        // A run that could not be undone keeps its undo data, for another attempt.
        let kept = state != ExecutionState::Failed;
        for step in self.steps.iter_mut().filter(|_| kept) {
            step.undo = Vec::new();
            step.events = Vec::new();
        }
        let millis = i64::try_from(self.retention_time).unwrap_or(i64::MAX).saturating_mul(1000);
        self.keep_until = kept.then(|| now.plus_millis(millis));
    }

    /// Writes the journal, in the transaction that it describes.
    pub(crate) fn write(&mut self, tx: &mut dyn Write, at: &Moment) -> Result<(), Fault> {
        self.note(tx)?;
        let Some(before) = EXECUTIONS.get(tx, &self.id)? else {
            if self.n_writes > 0 {
                return Err(Fault::new(FaultKind::Conflict, format!("run {} was removed", self.id)));
            }
            // The previous run with the same transaction id has ended, or this one would not have started.
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
            return Err(Fault::new(FaultKind::Conflict, format!("run {} was changed concurrently", self.id)));
        }
        self.n_writes += 1;
        let after = self.clone();
        EXECUTIONS.update(tx, at, &self.id, move |it: &mut WorkflowExecution| it.assign(after))?;
        Ok(())
    }
}

impl WorkflowExecution {
    /// Notes the state for the request that started it: started, ended with a result, or completely undone.
    fn note(&self, tx: &mut dyn Write) -> Result<(), Fault> {
        let Some(request) = &self.request else { return Ok(()) };
        match self.state {
            ExecutionState::Done => request.note(tx, done(&self.result)),
            ExecutionState::Reverted => request.remove_note(tx),
            _ if self.n_writes == 0 => request.note(tx, Note::Run(self.id.to_string())),
            _ => Ok(()),
        }
    }
}

/// A run that has ended waits for nothing, and has no undo data unless it failed; a run that has not ended
/// has no retention.
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

/// A run on the wire: its steps below a root, and their outputs.
fn show(run: &WorkflowExecution, shown: &mut ComputedFields<'_>) {
    shown.field("run_id", &run.id);
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
            errors.push(json!({ "action": step.name, "handlerType": "invoke", "error": error_json(error) }));
        }
    }
    if let (Some(error), true) = (&run.error, errors.is_empty()) {
        errors.push(json!({ "action": null, "handlerType": "invoke", "error": error_json(error) }));
    }
    if let Some(error) = &run.undo_error {
        errors.push(json!({ "action": null, "handlerType": "compensate", "error": error_json(error) }));
    }
    shown.field("execution", json!({ "state": run.state, "runId": run.id, "steps": steps }));
    let data = json!({ "input": run.input, "invoke": invoke, "result": run.result });
    shown.field("context", json!({ "data": data, "errors": errors }));
}

fn error_json(error: &FaultRecord) -> Value {
    json!({ "type": error.kind, "message": error.message, "code": error.code, "cause": error.cause })
}
