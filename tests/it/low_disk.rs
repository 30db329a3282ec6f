//! Low disk: writes of every kind of route are refused with 507, reads go on, and all is as before when there
//! is room again.

use atoll_testkit::{Answer, Dump, Shop, pay};
use axum::body::Body;
use serde_json::json;

const REFUSED: &str = "507 insufficient_storage: The disk of the server is nearly full: nothing new is \
                       written until there is room again";

#[track_caller]
fn refused(answer: Answer) {
    assert_eq!(answer.headers.get("retry-after").map(|it| it.as_bytes()), Some(b"30".as_slice()));
    assert_eq!(answer.error(), REFUSED);
}

#[tokio::test]
async fn writes_are_refused_while_the_disk_is_nearly_full_and_reads_go_on() {
    let (shop, _, storefront) = Shop::web().await;
    let web = shop.channel("Corner").await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let corner = shop.storefront(&[&web]).await;
    let cart = shop.cart(&corner, &tea.id, 1).await;
    pay(&corner, &cart).await;
    let before = Dump::of(&shop.app.ctx, &[]);
    shop.app.ctx.room().measured(0, 1);
    // A flow, a saga, a keyed request, a login with a session, a deletion, a file.
    refused(corner.post(&format!("/store/carts/{cart}"), json!({ "email": "a@b.co" })).await);
    let complete = format!("/store/carts/{cart}/complete");
    refused(corner.post(&complete, json!({})).await);
    let keyed = corner.clone().with_header("idempotency-key", "again");
    refused(keyed.post("/store/carts", json!({})).await);
    refused(shop.admin.post("/auth/session", json!({})).await);
    refused(shop.admin.delete(&format!("/admin/products/{}", tea.product)).await);
    let form =
        "--X\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.txt\"\r\n\r\na\r\n--X--\r\n";
    let uploader =
        shop.admin.clone().without_type().with_header("content-type", "multipart/form-data; boundary=X");
    refused(uploader.send("POST", "/admin/uploads", Body::from(form)).await);
    // Reads, for each kind of caller; and what is refused for another reason says so.
    assert_eq!(corner.get("/store/products").await.ok()["count"], 1);
    corner.get(&format!("/store/carts/{cart}")).await.ok();
    shop.admin.get("/admin/products").await.ok();
    assert_eq!(storefront.get("/store/products").await.ok()["count"], 0);
    assert_eq!(shop.admin.post("/admin/products", json!({})).await.status.as_u16(), 400);
    assert_eq!(before.difference(&Dump::of(&shop.app.ctx, &[])), [""; 0]);
    shop.app.ctx.room().measured(2, 1);
    keyed.post("/store/carts", json!({})).await.ok();
    assert_eq!(corner.post(&complete, json!({})).await.ok()["type"], "order");
}
