//! Notes on orders, through the real router.

use atoll_testkit::{Setup, Shop, complete, id};
// Links the module in.
use order_notes as _;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[tokio::test]
async fn notes_are_written_listed_with_their_order_and_deleted_when_they_are_old() {
    let setup = Setup::default()
        .without("fulfillment")
        .setting("order-notes.first_note", "Say thank you")
        .setting("order-notes.days", 7);
    let shop = Shop::open(setup.init().await).await;
    let background = shop.app.background().await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    let order = id(&complete(&storefront, &cart).await.ok()["order"]);
    let path = format!("/admin/order-notes?order_id={order}");
    // The subscriber writes the first note.
    shop.app.until(async || shop.admin.get(&path).await.ok()["count"] == 1).await;
    let notes = shop.admin.get(&path).await.ok();
    assert_eq!(notes["order_notes"][0]["text"], "Say thank you");
    assert_eq!(notes["order_notes"][0]["order"]["id"], *order);
    assert_eq!(shop.app.events("order_note.written").len(), 1);
    background.stop().await;
    // A month later the admin is still logged in, and the note is gone.
    shop.app.advance_ms(31 * DAY_MS);
    shop.app.run_job("order-notes.delete-old").await;
    assert_eq!(shop.admin.get(&path).await.ok()["count"], 0);
}
