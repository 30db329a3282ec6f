//! An answer from outside to a step of a saga that is waited for.

use serde_json::Value;
use tokio::sync::oneshot;

use crate::{
    Fault,
    once::KeyedRequest,
    saga::{StepState, WorkflowExecution},
};

/// An answer from outside to a step that is waited for.
pub struct StepAnswer {
    pub(crate) step: String,
    /// What the step answers, or why it failed.
    pub(crate) answer: Result<Value, String>,
    /// The request with an `Idempotency-Key` that gave it.
    pub(crate) request: Option<KeyedRequest>,
    /// Tells the giver whether it was taken.
    pub(crate) told: oneshot::Sender<Result<(), Fault>>,
}

impl StepAnswer {
    /// Does the run wait for it?
    pub(crate) fn check(&self, journal: &WorkflowExecution) -> Result<(), Fault> {
        let Some(entry) = journal.steps.iter().find(|it| it.name == self.step) else {
            return Err(Fault::not_found(format!("Action not found: {}", self.step)));
        };
        if entry.state == StepState::Waiting && !journal.has_ended() {
            return Ok(());
        }
        let (what, status) = (if self.answer.is_ok() { "success" } else { "failure" }, entry.state.as_str());
        Err(Fault::not_allowed(format!("Cannot set step {what} when status is {status}")))
    }

    pub(crate) fn tell(self, taken: Result<(), Fault>) {
        // Who does not listen any more need not know.
        let _ = self.told.send(taken);
    }
}
