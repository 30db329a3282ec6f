//! Probe points of flows: tests observe the steps of a flow with them, and inject faults between any two
//! steps.

use crate::Fault;

/// Position of a probe point relative to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// Before its body.
    Before,
    /// After its body, before anything else.
    After,
    /// Before it is compensated.
    Undoing,
    /// After it was compensated, before that is committed.
    Undone,
}

/// A probe point of a running flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point<'a> {
    /// The flow.
    pub flow: &'a str,
    /// The step, or the hook.
    pub step: &'a str,
    /// Before or after the step.
    pub when: When,
}

/// Called at every probe point. An error fails the step.
pub trait Probe: Send + Sync {
    /// Lets the flow go on, or injects an error.
    fn probe(&self, point: &Point<'_>) -> Result<(), Fault>;

    /// True if every flow is to be run twice first, over changes that are discarded, to check that both runs
    /// write the same.
    fn runs_twice(&self) -> bool {
        false
    }
}
