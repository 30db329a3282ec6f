//! Answers from outside to a waiting saga step (`finish_step`).

use serde_json::Value;
use tokio::sync::oneshot;

use crate::{
    Fault,
    once::KeyedRequest,
    saga::{StepState, WorkflowExecution},
};

/// An answer from outside to a waiting step.
pub struct StepAnswer {
    pub(crate) step: String,
    /// Output of the step, or the reason of its failure.
    pub(crate) answer: Result<Value, String>,
    /// The keyed request (`Idempotency-Key`) that gave the answer.
    pub(crate) request: Option<KeyedRequest>,
    /// Reports to the request whether the answer was accepted.
    pub(crate) accepted: oneshot::Sender<Result<(), Fault>>,
}

impl StepAnswer {
    /// Checks that the run waits for this answer.
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

    pub(crate) fn report(self, taken: Result<(), Fault>) {
        // The receiver may have gone away: that is no error.
        let _ = self.accepted.send(taken);
    }
}
