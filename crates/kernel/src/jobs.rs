//! What runs in the background: scheduled jobs, subscribers, workers, and the outbox of events that they
//! read; and what modules count.

pub use atoll_storage::{Event, emit, events_after, last_event};

pub use crate::batches::{in_batches, in_batches_before};
pub use crate::event::EventsEntry;
pub use crate::job::{Job, JobHandler, Tick};
pub use crate::metric::{Metric, Series};
pub use crate::schedule::{Plan, Schedule, Schedules};
pub use crate::subscriber::{Handler, Subscriber};
pub use crate::subtask::subtask;
pub use crate::worker::{Shift, Worker, WorkerHandler};
