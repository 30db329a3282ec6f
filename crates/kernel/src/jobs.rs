//! What runs in the background: scheduled jobs, subscribers, and the outbox of events that they read.

pub use atoll_storage::{Event, emit, events_after};

pub use crate::batches::{in_batches, in_batches_before};
pub use crate::event::EventsEntry;
pub use crate::job::{Job, JobHandler, Tick};
pub use crate::schedule::{Plan, Schedule, Schedules};
pub use crate::subscriber::{Handler, Subscriber};
