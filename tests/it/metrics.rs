//! Metrics of an application: what they count that the served binary does not show by itself.

use atoll_kernel::Actor;
use atoll_metrics::Metrics;
use atoll_testkit::{Shop, TestApp};
use serde_json::json;

/// The lines of these metrics.
fn lines(metrics: &Metrics, name: &str) -> Vec<String> {
    let text = metrics.text().expect("the metrics");
    text.lines().filter(|it| it.starts_with(name)).map(str::to_owned).collect()
}

#[tokio::test]
async fn views_of_earlier_commits_are_counted_while_they_are_held() {
    let app = TestApp::init().await;
    let metrics = Metrics::of(&app.ctx);
    let write = async || {
        let put = |tx: &mut dyn atoll_kernel::Write, at: &atoll_kernel::Moment| {
            Ok(atoll_kernel::jobs::emit(tx, at, "test.written", json!({}))?)
        };
        app.ctx.write(Actor::System, put).await.map(drop).expect("a write");
    };
    write().await;
    assert_eq!(lines(&metrics, "atoll_views_held"), ["atoll_views_held 0.0"]);
    let view = app.ctx.view();
    write().await;
    write().await;
    assert_eq!(lines(&metrics, "atoll_views_held"), ["atoll_views_held 1.0"]);
    assert_ne!(lines(&metrics, "atoll_views_oldest_seconds"), ["atoll_views_oldest_seconds 0.0"]);
    drop(view);
    assert_eq!(lines(&metrics, "atoll_views_held"), ["atoll_views_held 0.0"]);
}

#[tokio::test]
async fn transactions_are_timed_by_the_outermost_flow() {
    let (shop, web, _) = Shop::web().await;
    let metrics = Metrics::of(&shop.app.ctx);
    shop.product("Tea", &[&web], 1).await;
    let counts = lines(&metrics, "atoll_transaction_duration_seconds_count");
    let of = |flow: &str| counts.iter().find(|it| it.contains(&format!("\"{flow}\""))).cloned();
    let expected = "atoll_transaction_duration_seconds_count{flow=\"create-products\"} 1";
    assert_eq!(of("create-products").as_deref(), Some(expected), "{counts:?}");
}

#[tokio::test]
async fn refusals_are_counted_by_the_name_of_their_limit() {
    let (shop, _, storefront) = Shop::web().await;
    let metrics = Metrics::of(&shop.app.ctx);
    shop.app.ctx.room().measured(0, 1);
    storefront.post("/store/carts", json!({})).await;
    storefront.post("/store/carts", json!({})).await;
    assert_eq!(
        lines(&metrics, "atoll_limit_hits_total"),
        ["atoll_limit_hits_total{limit=\"disk_free_min_bytes\"} 2.0"]
    );
    assert_eq!(lines(&metrics, "atoll_disk_low"), ["atoll_disk_low 1.0"]);
    let refused = "http_server_request_duration_seconds_count{http_request_method=\"POST\",\
                   http_route=\"/store/carts\",http_response_status_code=\"507\"} 2";
    assert_eq!(lines(&metrics, "http_server_request_duration_seconds_count"), [refused]);
}
