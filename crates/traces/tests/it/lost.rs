//! Collectors that are down or slow: nobody waits for them, and what they do not get is counted.

use std::time::Duration;

use atoll_kernel::http::SpanKind;
use atoll_testkit::Shop;
use atoll_traces::{Endpoint, Traces};
use tokio::{
    net::TcpListener,
    time::{advance, pause, resume},
};

use crate::setup;

/// Spans of a batch.
const N_BATCH: u64 = 1_024;

/// A listener that answers nobody, as long as it is held.
async fn deaf() -> (TcpListener, Endpoint) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, endpoint.parse().expect("an address"))
}

#[tokio::test]
async fn a_collector_that_is_down_costs_spans_alone() {
    let (listener, endpoint) = deaf().await;
    drop(listener);
    let traces = Traces::start(endpoint);
    let shop = Shop::open(setup(traces.tracer()).init().await).await;
    while traces.n_dropped() == 0 {
        tokio::task::yield_now().await;
    }
    shop.admin.get("/admin/sales-channels").await.ok();
    traces.stop().await;
}

#[tokio::test]
async fn a_collector_that_does_not_answer_holds_up_nobody() {
    let (listener, endpoint) = deaf().await;
    let traces = Traces::start(endpoint);
    let tracer = traces.tracer();
    let spans = |n: u64| (0..n).for_each(|_| drop(tracer.root("test", SpanKind::Internal)));
    // A batch is sent, and not answered.
    spans(N_BATCH);
    let (first, _) = listener.accept().await.expect("a connection");
    first.readable().await.expect("a batch");
    // More than wait; none of them waits for the collector.
    spans(40_000);
    let n_dropped = traces.n_dropped();
    assert!(n_dropped >= 20_000, "{n_dropped}");
    // It is given up when its time is over, and the next one is sent.
    pause();
    advance(Duration::from_secs(11)).await;
    resume();
    let (second, _) = listener.accept().await.expect("a connection");
    second.readable().await.expect("the next batch");
    let counts = tracer.counts();
    assert_eq!((counts.n_sent, counts.n_dropped), (0, n_dropped + N_BATCH));
}
