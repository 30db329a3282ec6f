//! The isolation matrix over the store routes of the core: `testkit/src/isolation.rs`.

use atoll_testkit::isolation;

#[tokio::test]
async fn no_store_route_shows_records_of_other_channels() {
    isolation::reads().await;
}

#[tokio::test]
async fn disabled_or_deleted_channels_and_revoked_keys_show_nothing() {
    isolation::ends().await;
}

#[tokio::test]
async fn no_store_route_writes_into_other_channels() {
    isolation::writes().await;
}
