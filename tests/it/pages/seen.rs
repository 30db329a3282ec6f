//! What others change while a form is open is not overwritten, and what cannot be taken back asks first, also
//! without script.

use atoll_kernel::http::StatusCode;
use atoll_testkit::Walk;
use serde_json::json;

use super::{shop, sold_with_everything_called, store::hidden};

#[tokio::test]
async fn prices_that_others_have_changed_are_not_overwritten() {
    let (shop, channel, browser) = shop().await;
    let mug = shop.product("Mug", &[&channel], 3).await;
    let page = format!("/app/products/{}/variants/{}", mug.product, mug.id);
    let (_, shown) = browser.page(&page).await;
    let seen = hidden(&shown, "form-prices", "seen");
    let kept = async || {
        let path = format!("/admin/product-variants?id={}&fields=prices.amount", mug.id);
        shop.admin.get(&path).await.ok()["variants"][0]["prices"][0]["amount"].clone()
    };
    // What is no price may change meanwhile.
    let variant = format!("/admin/products/{}/variants/{}", mug.product, mug.id);
    shop.admin.post(&variant, json!({ "title": "Blue" })).await.ok();
    let save = |amount: &'static str, seen: String| {
        let (browser, page) = (&browser, &page);
        async move { browser.send(page, &[("do", "prices"), ("prices[eur]", amount), ("seen", &seen)]).await }
    };
    let (status, _, text) = save("11", seen.clone()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");

    let (status, _, text) = save("12", seen).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(text.contains("Somebody else has changed this meanwhile, so nothing was saved."), "{text}");
    assert!(text.contains("value=\"12\"") && text.contains("Saved now: 11"), "{text}");
    assert_eq!(kept().await, json!(11));
    // The page that was shown again is of what is saved now.
    let (status, _, text) = save("12", hidden(&text, "form-prices", "seen")).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    assert_eq!(kept().await, json!(12));
}

#[tokio::test]
async fn settings_that_others_have_changed_are_not_overwritten() {
    let (shop, _, browser) = shop().await;
    let region = format!("/app/regions/{}", shop.region);
    for (page, form) in [("/app/store", "form-save"), (&*region, "form-save")] {
        let (_, shown) = browser.page(page).await;
        let seen = hidden(&shown, form, "seen");
        let save = async |name: &str| {
            let named = [("do", "save"), ("name", name), ("seen", &*seen)];
            let rest = [("shipping", "never"), ("currency_code", "eur"), ("countries", "DE")];
            browser.send(page, &[&named[..], &rest].concat()).await
        };
        let (status, _, text) = save("A").await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}: {text}");
        let (status, _, text) = save("B").await;
        assert_eq!(status, StatusCode::CONFLICT, "{page}: {text}");
        assert!(text.contains("value=\"B\"") && text.contains("Saved now: A"), "{page}: {text}");
    }
}

/// What opens the question that a button on a page belongs to, if it has one.
fn is_asked(page: &str, button: usize) -> bool {
    let before = &page[..button];
    before.rfind("<details class=\"ask\">").is_some_and(|at| !before[at..].contains("</details>"))
}

#[tokio::test]
async fn what_is_dangerous_is_pressed_below_a_question() {
    let (shop, channel, _) = shop().await;
    sold_with_everything_called(&shop, &channel, "Tea").await;
    let walk = Walk::of(&shop.app).await;
    let mut n_dangerous = 0;
    for (address, page) in &walk.pages {
        let buttons = page.match_indices("<button name=\"do\"");
        for (at, _) in buttons {
            let tag = page[at..].split('>').next().expect("a tag");
            let action =
                tag.split("value=\"").nth(1).and_then(|it| it.split(['"', ' ']).next()).expect("an action");
            let is_final = matches!(action, "delete" | "cancel" | "revoke" | "remove-picture" | "capture");
            if is_final || tag.contains("class=\"danger\"") {
                assert!(is_asked(page, at), "{address}: {tag}");
                n_dangerous += 1;
            }
        }
    }
    assert!(n_dangerous > 20, "{n_dangerous}");
}
