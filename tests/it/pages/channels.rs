//! The pages of sales channels: assortments, what opens and ends, the board, and the locations in order.

use atoll_kernel::http::StatusCode;
use serde_json::json;

use super::{changes_of, shop};

#[tokio::test]
async fn the_assortment_of_a_channel_is_set_on_its_pages() {
    let (shop, channel, browser) = shop().await;
    let mug = shop.product("Mug", &[&channel], 3).await;
    let tea = shop.product("Tea", &[], 3).await;
    let page = format!("/app/channels/{channel}/products");
    let (_, text) = browser.page(&page).await;
    assert!(text.contains("Mug") && !text.contains("Tea"), "{text}");

    let add = format!("{page}/change?what=add&product[]={}", tea.product);
    browser.change(&add).await;
    let terms = format!("/admin/sales-channels/{channel}/products/{}", tea.product);
    assert_eq!(shop.admin.get(&terms).await.ok()["product"]["is_within_window"], json!(true));

    let window =
        format!("{page}/change?what=window&product[]={}&available_until=2020-01-01T00:00", tea.product);
    browser.change(&window).await;
    let kept = shop.admin.get(&terms).await.ok();
    assert_eq!(kept["product"]["available_until"], "2020-01-01T00:00:00.000Z");

    // Of one product, on its own page: a variant that is not ticked is left out.
    let one = format!("{page}/{}", mug.product);
    browser.send(&one, &[("do", "variants"), ("shown[]", &mug.id)]).await;
    let variant = format!("/admin/sales-channels/{channel}/variants/{}", mug.id);
    assert_eq!(shop.admin.get(&variant).await.ok()["variant"]["is_enabled"], json!(false));

    let remove = format!("{page}/change?what=remove&product[]={}&product[]={}", mug.product, tea.product);
    browser.change(&remove).await;
    assert!(browser.page(&page).await.1.contains("The channel has no such product."));
    let (status, text) = browser.page(&format!("{page}/change?what=remove")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("No product is chosen"), "{text}");
}

#[tokio::test]
async fn a_bulk_change_is_shown_first_and_taken_back_unless_somebody_was_faster() {
    let (shop, channel, browser) = shop().await;
    let mug = shop.product("Mug", &[&channel], 3).await;
    let terms = format!("/admin/sales-channels/{channel}/products/{}", mug.product);
    shop.admin.post(&terms, json!({ "available_from": "2020-01-01" })).await.ok();
    let kept = async || shop.admin.get(&terms).await.json["product"]["available_from"].clone();
    let change = format!("/app/channels/{channel}/products/change?what=remove&product[]={}", mug.product);
    let (_, shown) = browser.page(&change).await;
    assert!(
        shown.contains("Go off sale now</dt><dd>1</dd>") && shown.contains("Not in the channel"),
        "{shown}"
    );
    assert_eq!(kept().await, "2020-01-01T00:00:00.000Z", "it is shown first");

    let done = browser.change(&change).await;
    assert_eq!(kept().await, json!(null));
    let undo = changes_of(&done);
    let (status, to, _) = browser.send(&change, &[("do", "undo"), ("changes", &undo)]).await;
    assert_eq!((status, to), (StatusCode::SEE_OTHER, format!("/app/channels/{channel}/products?done=saved")));
    assert_eq!(kept().await, "2020-01-01T00:00:00.000Z");

    let done = browser.change(&change).await;
    let add = json!({ "add": [mug.product] });
    shop.admin.post(&format!("/admin/sales-channels/{channel}/products"), add).await.ok();
    let (status, _, text) = browser.send(&change, &[("do", "undo"), ("changes", &changes_of(&done))]).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(text.contains("Mug was changed by somebody meanwhile, so nothing was written"), "{text}");
    assert_eq!(kept().await, json!(null), "it is in the channel, and always sold");
}

#[tokio::test]
async fn the_time_line_shows_what_opens_and_ends_next() {
    let (shop, channel, browser) = shop().await;
    let mug = shop.product("Mug", &[&channel], 3).await;
    let page = format!("/app/channels/{channel}/products");
    assert!(browser.page(&page).await.1.contains("Nothing does."));
    let until = shop.app.ctx.now().plus_millis(60_000);
    let terms = format!("/admin/sales-channels/{channel}/products/{}", mug.product);
    shop.admin.post(&terms, json!({ "available_until": until })).await.ok();
    let (_, text) = browser.page(&page).await;
    assert!(text.contains(">Ends</span>") && text.contains(&format!("datetime=\"{until}\"")), "{text}");
}

#[tokio::test]
async fn the_board_says_what_keeps_variants_from_sale() {
    let (shop, channel, browser) = shop().await;
    shop.product("Mug", &[&channel], 3).await;
    shop.product("Tea", &[&channel], 0).await;
    assert!(browser.page("/app/channels").await.1.contains("is counted within some minutes"));
    shop.app.run_job("availability.count-sales").await;
    let (_, text) = browser.page("/app/channels").await;
    let said =
        text.contains("1 of 2 variants can be bought.") && text.contains("<li>1: No stock location</li>");
    assert!(said, "{text}");
}

#[tokio::test]
async fn the_locations_of_a_channel_are_put_in_order() {
    let (shop, channel, browser) = shop().await;
    let second = shop.admin.post("/admin/stock-locations", json!({ "name": "Shop" })).await.ok();
    let second = second["stock_location"]["id"].as_str().expect("an id").to_owned();
    let page = format!("/app/channels/{channel}/locations");
    browser.send(&page, &[("do", "add"), ("location", &second)]).await;
    let save = format!("save {second}");
    let (status, _, text) = browser.send(&page, &[("do", &save), ("safety_stock", "two")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("`two` is not a number") && text.contains("value=\"two\""), "{text}");
    browser.send(&page, &[("do", &save), ("safety_stock", "2")]).await;
    browser.send(&page, &[("do", &format!("up {second}"))]).await;
    // Dragging sends the whole order, of which one may be gone and another new.
    let dragged = format!("{} sloc_gone", shop.location);
    browser.send(&page, &[("do", "order"), ("order", &dragged)]).await;
    let (_, text) = browser.page(&page).await;
    assert!(text.find(">Warehouse<") < text.find(">Shop<"), "{text}");
    browser.send(&page, &[("do", "order"), ("order", &format!("{second} {}", shop.location))]).await;
    let terms =
        shop.admin.get(&format!("/admin/sales-channels/{channel}/stock-locations/{second}")).await.ok();
    let (_, text) = browser.page(&page).await;
    let (shop_at, warehouse_at) = (text.find(">Shop<"), text.find(">Warehouse<"));
    assert!(shop_at.expect("one") < warehouse_at.expect("the other"), "{text}");
    assert_eq!(terms["stock_location"]["safety_stock"], json!(2));
    browser.send(&page, &[("do", &format!("remove {second}"))]).await;
    assert_eq!(
        browser.page(&page).await.1.matches("class=\"card\"").count(),
        2,
        "one location, and the form"
    );
}
