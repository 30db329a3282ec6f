//! Collectors that are down or slow: nobody waits for them, and what they do not get is counted.

use atoll_kernel::http::SpanKind;
use atoll_testkit::Shop;
use atoll_traces::{Endpoint, Traces};
use tokio::net::TcpListener;

use crate::setup;

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
    let (_listener, endpoint) = deaf().await;
    let traces = Traces::start(endpoint);
    let tracer = traces.tracer();
    // More than wait; none of them waits for the collector.
    for _ in 0..40_000 {
        drop(tracer.root("test", SpanKind::Internal));
    }
    assert!(traces.n_dropped() >= 20_000, "{}", traces.n_dropped());
}
