//! `If-Match`: a write is refused if its record is not as the caller has seen it any more (lost updates).

use atoll_testkit::{Client, Shop, TestApp};
use serde_json::json;
use tokio::task::JoinSet;

const CHANGED: &str =
    "409 conflict (invalid_state_error): The record is not as `If-Match` says any more: nothing was written";

async fn seen(client: &Client, path: &str) -> String {
    let answer = client.get(path).await;
    answer.headers["etag"].to_str().expect("text").to_owned()
}

fn expecting(client: &Client, etag: &str) -> Client {
    client.clone().with_header("if-match", etag)
}

/// A shop with a mug, and the address of that with what is seen of it.
async fn with_mug() -> (Shop, String) {
    let shop = Shop::open(TestApp::init().await).await;
    let mug = shop.product("Mug", &[], 1).await;
    (shop, format!("/admin/products/{}?fields=id,title,images.url", mug.product))
}

#[tokio::test]
async fn a_record_is_changed_only_as_it_was_seen() {
    let (shop, mug) = with_mug().await;
    let etag = seen(&shop.admin, &mug).await;
    let packed = format!("{}-gzip\"", etag.trim_end_matches('"'));
    expecting(&shop.admin, &packed).post(&mug, json!({ "title": "A" })).await.ok();
    let title = async || shop.admin.get(&mug).await.ok()["product"]["title"].clone();
    let late = expecting(&shop.admin, &etag).post(&mug, json!({ "title": "B" })).await;
    assert_eq!((late.error(), title().await), (CHANGED.to_owned(), json!("A")));
    // What was asked for in other words was not seen.
    let other = mug.replace(",images.url", "");
    let etag = seen(&shop.admin, &mug).await;
    assert_eq!(expecting(&shop.admin, &etag).post(&other, json!({ "title": "B" })).await.error(), CHANGED);
    for etag in [&format!("\"x\", {etag}"), "*"] {
        expecting(&shop.admin, etag).post(&mug, json!({ "subtitle": "C" })).await.ok();
    }
    let gone = "/admin/products/prod_gone?fields=id";
    assert_eq!(expecting(&shop.admin, "*").post(gone, json!({ "title": "B" })).await.error(), CHANGED);
}

/// A variant is answered by its product.
#[tokio::test]
async fn a_part_is_compared_where_the_whole_is_answered() {
    let shop = Shop::open(TestApp::init().await).await;
    let mug = shop.product("Mug", &[], 1).await;
    let prices = format!("/admin/products/{}/variants/{}?fields=id,prices.amount", mug.product, mug.id);
    let etag = seen(&shop.admin, &prices).await;
    let body = |amount: u32| json!({ "prices": [{ "currency_code": "eur", "amount": amount }] });
    let answer = expecting(&shop.admin, &etag).post(&prices, body(11)).await.ok();
    assert_eq!(answer["product"]["id"], json!(mug.product));
    assert_eq!(expecting(&shop.admin, &etag).post(&prices, body(12)).await.error(), CHANGED);
}

#[tokio::test]
async fn of_many_that_saw_the_same_one_writes() {
    let (shop, mug) = with_mug().await;
    let client = expecting(&shop.admin, &seen(&shop.admin, &mug).await);
    let mut all = JoinSet::new();
    for n in 0..16 {
        let (client, mug) = (client.clone(), mug.clone());
        all.spawn(async move { client.post(&mug, json!({ "title": format!("Mug {n}") })).await.status });
    }
    let statuses = all.join_all().await;
    assert_eq!(statuses.iter().filter(|it| it.is_success()).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|it| it.as_u16() == 409).count(), 15, "{statuses:?}");
}

#[tokio::test]
async fn a_retry_is_answered_although_its_record_has_changed() {
    let (shop, mug) = with_mug().await;
    let client =
        expecting(&shop.admin, &seen(&shop.admin, &mug).await).with_header("idempotency-key", "once");
    let first = client.post(&mug, json!({ "title": "A" })).await;
    let again = client.post(&mug, json!({ "title": "A" })).await;
    assert_eq!(first.ok(), again.ok());
}

#[tokio::test]
async fn what_is_compared_has_a_limit() {
    let (shop, mug) = with_mug().await;
    let all = mug.replace("images.url", "metadata");
    shop.admin.post(&mug, json!({ "metadata": { "a": "a".repeat(1024 * 1024) } })).await.ok();
    let answer = expecting(&shop.admin, "*").post(&all, json!({ "title": "A" })).await;
    assert!(answer.error().starts_with("400 invalid_data: `If-Match` compares at most 1048576 bytes"));
    expecting(&shop.admin, "*").post(&mug, json!({ "title": "A" })).await.ok();
}
