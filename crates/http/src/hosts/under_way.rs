//! Requests that a host answers because it leads, which end before it gives the leadership back.

use tokio::sync::watch;

use crate::Fault;

/// Requests that are under way.
#[derive(Default)]
pub(super) struct UnderWay(watch::Sender<State>);

#[derive(Default)]
struct State {
    n_requests: usize,
    /// Does none begin any more?
    is_over: bool,
}

/// A request that is under way, until it is dropped.
pub(super) struct Begun<'a>(&'a UnderWay);

impl UnderWay {
    /// A request begins. Errors: 503, none does any more.
    pub(super) fn begin(&self) -> Result<Begun<'_>, Fault> {
        let begins = self.0.send_if_modified(|it| {
            it.n_requests += usize::from(!it.is_over);
            !it.is_over
        });
        let stops = || Fault::not_written("the host that leads is being stopped");
        begins.then(|| Begun(self)).ok_or_else(stops)
    }

    /// Lets none begin any more, and waits for those that have.
    pub(super) async fn end(&self) {
        self.0.send_modify(|it| it.is_over = true);
        // Its sender is here.
        drop(self.0.subscribe().wait_for(|it| it.n_requests == 0).await);
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|it| it.n_requests -= 1);
    }
}
