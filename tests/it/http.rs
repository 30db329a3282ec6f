//! What every request and every answer has in common: places, heads, headers.

use atoll_kernel::App as _;
use atoll_testkit::{Shop, TestApp};

#[tokio::test]
async fn without_a_place_a_request_is_told_to_come_again() {
    let shop = Shop::open(TestApp::init().await).await;
    let places = shop.app.ctx.places().clone();
    let all = places.available_permits();
    let taken = places.acquire_many(u32::try_from(all).expect("a few")).await.expect("all of them");
    let refused = shop.admin.get("/admin/products").await;
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(refused.error(), "503 unknown_error: Too many requests are being answered; try again soon");
    // Whoever asks whether it lives is answered all the same.
    assert_eq!(shop.app.client().get("/health").await.status, 200);
    drop(taken);
    shop.admin.get("/admin/products").await.ok();
}
