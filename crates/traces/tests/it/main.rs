//! Traces against a collector: what a request causes is one story, and a collector that is down costs nothing
//! but spans.

mod collector;
mod lost;
mod story;

use atoll_background::{Background, position_of};
use atoll_kernel::{http::Tracer, jobs::events_after};
use atoll_testkit::{Setup, Shop, TestApp};
use atoll_traces::Traces;
use collector::Collector;

/// A shop whose spans a collector gets.
struct Scene {
    shop: Shop,
    collector: Collector,
    traces: Traces,
}

impl Scene {
    async fn open() -> Scene {
        let collector = Collector::start().await;
        let traces = Traces::start(collector.endpoint());
        let shop = Shop::open(setup(traces.tracer()).init().await).await;
        Scene { shop, collector, traces }
    }

    /// Stops everything, and returns the collector with all spans.
    async fn close(self, background: Background) -> Collector {
        background.stop().await;
        self.traces.stop().await;
        self.collector
    }
}

/// Waits until the subscriber to invites has had all events.
async fn settled(app: &TestApp) {
    let is_done = async || {
        let view = app.ctx.view();
        let last = events_after(&view, 0, usize::MAX).expect("events").last().map_or(0, |(place, _)| *place);
        position_of(&view, "notification.send-mail").expect("a cursor") >= Some(last)
    };
    app.until(is_done).await;
}

fn setup(tracer: Tracer) -> Setup {
    Setup::default().tracer(tracer)
}
