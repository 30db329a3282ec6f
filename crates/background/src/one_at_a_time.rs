//! Work of which there is one at a time, beside requests: backups, exports. The last one is in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atoll_kernel::{Ctx, Timestamp};
use atoll_storage::Progress;

/// The work that makes a `T` and was begun last, since the start of this process.
#[derive(Clone)]
pub(crate) struct Last<T> {
    /// What it makes, where that has a name before it is made.
    pub(crate) name: Option<String>,
    /// When it began; none if none was begun.
    pub(crate) started_at: Option<Timestamp>,
    /// When it ended; none while it is going on.
    pub(crate) ended_at: Option<Timestamp>,
    /// What it has made; none before that is whole.
    pub(crate) made: Option<T>,
    /// Why there is none.
    pub(crate) error: Option<String>,
    pub(crate) progress: Arc<Progress>,
}

impl<T> Default for Last<T> {
    fn default() -> Self {
        let progress = Arc::default();
        Last { name: None, started_at: None, ended_at: None, made: None, error: None, progress }
    }
}

impl<T: Clone + Send + 'static> Last<T> {
    /// The last one.
    pub(crate) fn of(ctx: &Ctx) -> Last<T> {
        ctx.memory::<Kept<T>>().lock().clone()
    }
}

/// It is under one lock, so that whoever sees that it has ended may begin the next one.
struct Kept<T>(Mutex<Last<T>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Kept(Mutex::default())
    }
}

impl<T> Kept<T> {
    fn lock(&self) -> MutexGuard<'_, Last<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one that is going on. It has ended when this is dropped, however that comes.
pub(crate) struct GoingOn<T> {
    /// The application, without the limits of a request.
    pub(crate) ctx: Ctx,
    pub(crate) started_at: Timestamp,
    pub(crate) progress: Arc<Progress>,
    /// What it has made, or why it has made nothing.
    pub(crate) result: Result<T, String>,
    kept: Arc<Kept<T>>,
}

impl<T: Clone + Send + 'static> GoingOn<T> {
    /// Begins at this time. None while another one is going on.
    pub(crate) fn begin(ctx: &Ctx, started_at: Timestamp, name: Option<String>) -> Option<GoingOn<T>> {
        let (ctx, kept, progress) = (ctx.unmetered(), ctx.memory::<Kept<T>>(), Arc::<Progress>::default());
        {
            let mut last = kept.lock();
            if last.started_at.is_some() && last.ended_at.is_none() {
                return None;
            }
            let (progress, started_at) = (progress.clone(), Some(started_at));
            *last = Last { name, started_at, progress, ..Last::default() };
        }
        Some(GoingOn { ctx, started_at, progress, result: Err("it was cancelled".to_owned()), kept })
    }
}

impl<T> Drop for GoingOn<T> {
    fn drop(&mut self) {
        let mut last = self.kept.lock();
        last.ended_at = Some(self.ctx.now());
        match std::mem::replace(&mut self.result, Err(String::new())) {
            Ok(made) => last.made = Some(made),
            Err(error) => last.error = Some(error),
        }
    }
}

/// Stops work for which nobody waits any more.
pub(crate) struct StopOnDrop(pub(crate) Arc<Progress>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}
