//! What tests use to look at flows, and to make them fail, between any two steps.

use crate::Fault;

/// On which side of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// Before its body.
    Before,
    /// After its body, before anything else.
    After,
    /// Before it is undone.
    Undoing,
    /// After it was undone, before that is committed.
    Undone,
}

/// A place in a running flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point<'a> {
    /// The flow.
    pub flow: &'a str,
    /// The step, or the hook.
    pub step: &'a str,
    /// Before or after it.
    pub when: When,
}

/// Is shown every point that a flow passes. An error there is the step's.
pub trait Probe: Send + Sync {
    /// Lets the flow go on, or does not.
    fn probe(&self, point: &Point<'_>) -> Result<(), Fault>;

    /// Is every flow to be run twice first, over changes that are thrown away, to see that both runs write
    /// the same?
    fn rehearses(&self) -> bool {
        false
    }
}
