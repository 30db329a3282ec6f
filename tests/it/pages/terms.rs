//! The pages of price lists.

use atoll_kernel::http::StatusCode;
use atoll_testkit::{Client, Shop};
use serde_json::{Value, json};

use super::{Browser, created, shop};

/// The price of the first line of a new cart of so many of a variant.
async fn line(shop: &Shop, storefront: &Client, variant: &str, n: u32) -> Value {
    let cart = shop.cart(storefront, variant, n).await;
    storefront.get(&format!("/store/carts/{cart}")).await.ok()["cart"]["items"][0]["unit_price"].clone()
}

/// Makes a price list by its form: the address of its page.
async fn price_list(browser: &Browser, fields: &[(&str, &str)]) -> String {
    let form = [("do", "create"), ("title", "Sale"), ("type", "sale"), ("status", "active")];
    let (_, to, page) = browser.send("/app/price-lists/new", &[&form[..], fields].concat()).await;
    assert!(!to.is_empty(), "{page}");
    format!("/app/price-lists/{}", created(&to, "/app/price-lists/"))
}

#[tokio::test]
async fn a_sale_is_made_by_forms_and_charged_in_carts() {
    let (shop, channel, browser) = shop().await;
    let storefront = shop.storefront(&[&channel]).await;
    let mug = shop.product("Mug", &[&channel], 100).await;
    shop.product("Tea", &[&channel], 100).await;
    let page = price_list(&browser, &[("channels[]", &channel)]).await;

    let search = format!("{page}?q=Mug&currency=eur");
    let (_, text) = browser.page(&search).await;
    assert!(text.contains("10.00 EUR") && !text.contains("Tea"), "{text}");
    let add = [("do", "add"), ("currency", "eur"), ("found[]", &*mug.id)];
    browser.send(&search, &[&add[..], &[("percent", "15.55")]].concat()).await;
    assert_eq!(line(&shop, &storefront, &mug.id, 1).await, json!(8.45), "rounded to cents");
    let amount = format!("amounts[{}]", mug.id);
    browser.send(&search, &[&add[..], &[(&amount, "7"), ("min", "5")]].concat()).await;
    assert_eq!(line(&shop, &storefront, &mug.id, 5).await, json!(7));
    assert_eq!(line(&shop, &storefront, &mug.id, 4).await, json!(8.45));

    let id = page.rsplit('/').next().expect("an id");
    let path = format!("/admin/price-lists/{id}/prices?fields=id,amount");
    let prices = shop.admin.get(&path).await.ok()["prices"].clone();
    let of = |amount: f64| {
        let all = prices.as_array().expect("a list");
        let found = all.iter().find(|it| it["amount"] == json!(amount)).expect("a price");
        format!("amounts[{}]", found["id"].as_str().expect("an id"))
    };
    let (plain, tier) = (of(8.45), prices.as_array().map(|it| it.len()));
    assert_eq!(tier, Some(2));
    browser.send(&page, &[("do", "amounts"), (&plain, "9")]).await;
    assert_eq!(line(&shop, &storefront, &mug.id, 1).await, json!(9));
    browser.send(&page, &[("do", "amounts"), (&plain, "")]).await;
    assert_eq!(line(&shop, &storefront, &mug.id, 1).await, json!(10));

    let (status, _, text) = browser.send(&search, &add).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("Say a price of one variant at least"), "{text}");
    let (_, to, _) = browser.send(&page, &[("do", "delete")]).await;
    assert_eq!(to, "/app/price-lists?done=deleted");
}

#[tokio::test]
async fn a_price_list_says_when_and_for_whom_it_applies() {
    let (shop, channel, browser) = shop().await;
    let until = "2020-01-01T00:00";
    let page = price_list(&browser, &[("ends_at", until), ("regions[]", &shop.region)]).await;
    let (_, text) = browser.page("/app/price-lists").await;
    assert!(text.contains("Over") && text.contains("Regions: 1"), "{text}");

    let save = [("do", "save"), ("title", "Sale"), ("type", "override"), ("status", "draft")];
    let other = [("channels[]", &*channel), ("was[regions][]", &shop.region)];
    browser.send(&page, &[&save[..], &other].concat()).await;
    let id = page.rsplit('/').next().expect("an id");
    let path = format!("/admin/price-lists/{id}?fields=type,status,ends_at,rules");
    let kept = shop.admin.get(&path).await.ok()["price_list"].clone();
    assert_eq!((&kept["type"], &kept["status"]), (&json!("override"), &json!("draft")));
    assert_eq!((&kept["ends_at"], &kept["rules"]["sales_channel_id"]), (&json!(null), &json!([channel])));
    assert_ne!(kept["rules"]["region_id"], json!([shop.region]));

    let wrong = [("starts_at", "2020-02-01T00:00"), ("ends_at", until)];
    let (status, _, text) = browser.send(&page, &[&save[..], &wrong].concat()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("role=\"alert\""), "{text}");
}
