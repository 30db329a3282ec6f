//! The pages of price lists, promotions and campaigns.

use atoll_kernel::http::StatusCode;
use atoll_testkit::{Client, Shop};
use serde_json::{Value, json};

use super::{Browser, created, shop};

/// Makes a way of shipping, a price list with a price of the variant, a promotion in a campaign, and a reason
/// of refunds, all with this text.
pub(super) async fn everything_called(shop: &Shop, text: &str, variant: &str) {
    let made = async |route: &str, one: &str, body: Value| {
        let answer = shop.admin.post(&format!("/admin/{route}"), body).await.ok();
        answer[one]["id"].as_str().expect("an id").to_owned()
    };
    let shipping = shop.shipping(&["de"]).await;
    let zone = format!("/admin/fulfillment-sets/{}/service-zones/{}", shipping.set, shipping.zone);
    shop.admin.post(&zone, json!({ "name": text })).await.ok();
    made("shipping-profiles", "shipping_profile", json!({ "name": text, "type": text })).await;
    let kind = json!({ "label": text, "code": text, "description": text });
    let kind = made("shipping-option-types", "shipping_option_type", kind).await;
    let option = json!({ "name": text, "type_id": kind });
    shop.admin.post(&format!("/admin/shipping-options/{}", shipping.option), option).await.ok();
    made("refund-reasons", "refund_reason", json!({ "label": text, "code": text, "description": text }))
        .await;
    let price = json!({ "variant_id": variant, "currency_code": "eur", "amount": 1 });
    let list = json!({ "title": text, "description": text, "prices": [price] });
    made("price-lists", "price_list", list).await;
    let campaign = json!({ "name": text, "campaign_identifier": text, "description": text });
    let campaign = made("campaigns", "campaign", campaign).await;
    let of_variant = json!([{ "attribute": "items.variant_id", "operator": "in", "values": [variant] }]);
    let method = json!({
        "type": "percentage", "value": 10, "target_type": "items", "allocation": "across",
        "target_rules": of_variant,
    });
    let body = json!({
        "code": text, "type": "standard", "campaign_id": campaign, "application_method": method,
    });
    made("promotions", "promotion", body).await;
}

/// The first line of a new cart of so many of a variant: its price, and what is off it.
async fn line(shop: &Shop, storefront: &Client, variant: &str, n: u32, code: &str) -> (Value, Value) {
    let cart = shop.cart(storefront, variant, n).await;
    if !code.is_empty() {
        let codes = json!({ "promo_codes": [code] });
        storefront.post(&format!("/store/carts/{cart}/promotions"), codes).await.ok();
    }
    let cart = storefront.get(&format!("/store/carts/{cart}")).await.ok()["cart"].clone();
    (cart["items"][0]["unit_price"].clone(), cart["discount_total"].clone())
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
    assert_eq!(line(&shop, &storefront, &mug.id, 1, "").await.0, json!(8.45), "rounded to cents");
    let amount = format!("amounts[{}]", mug.id);
    browser.send(&search, &[&add[..], &[(&amount, "7"), ("min", "5")]].concat()).await;
    assert_eq!(line(&shop, &storefront, &mug.id, 5, "").await.0, json!(7));
    assert_eq!(line(&shop, &storefront, &mug.id, 4, "").await.0, json!(8.45));

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
    assert_eq!(line(&shop, &storefront, &mug.id, 1, "").await.0, json!(9));
    // Others have changed it since the form was shown as 8.45. What was not typed over stays as they left it.
    let was = format!("was[{}]", plain.replacen('[', "][", 1).trim_end_matches(']'));
    let stale = [("do", "amounts"), (&*was, "8.45")];
    browser.send(&page, &[&stale[..], &[(&*plain, "8.45")]].concat()).await;
    assert_eq!(line(&shop, &storefront, &mug.id, 1, "").await.0, json!(9));
    let (status, _, text) = browser.send(&page, &[&stale[..], &[(&*plain, "7")]].concat()).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(text.contains("Saved now: 9.00"), "{text}");
    assert_eq!(line(&shop, &storefront, &mug.id, 1, "").await.0, json!(9));
    browser.send(&page, &[("do", "amounts"), (&plain, "")]).await;
    assert_eq!(line(&shop, &storefront, &mug.id, 1, "").await.0, json!(10));

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

/// Makes a promotion by its form: the address of its page.
async fn promotion(browser: &Browser, form: &str, fields: &[(&str, &str)]) -> String {
    let common = [("do", "create"), ("who", "code"), ("status", "active")];
    let (_, to, page) = browser.send(form, &[&common[..], fields].concat()).await;
    assert!(!to.is_empty(), "{page}");
    format!("/app/promotions/{}", created(&to, "/app/promotions/"))
}

const NEW: &str = "/app/promotions/new";

#[tokio::test]
async fn a_discount_of_one_form_holds_in_its_channel_and_from_its_total() {
    let (shop, channel, browser) = shop().await;
    let till = shop.channel("Till").await;
    let (web, at_till) = (shop.storefront(&[&channel]).await, shop.storefront(&[&till]).await);
    let mug = shop.product("Mug", &[&channel, &till], 100).await;
    let ten =
        [("code", "TEN"), ("value", "10"), ("type", "percentage"), ("target", "order"), ("currency", "eur")];
    let more = [("channels[]", &*channel), ("total", "20")];
    let page = promotion(&browser, NEW, &[&ten[..], &more].concat()).await;
    assert_eq!(line(&shop, &web, &mug.id, 2, "TEN").await.1, json!(2));
    assert_eq!(line(&shop, &web, &mug.id, 1, "TEN").await.1, json!(0));
    assert_eq!(line(&shop, &at_till, &mug.id, 2, "TEN").await.1, json!(0));
    let (_, text) = browser.page(&page).await;
    for words in
        ["10 % off all goods", "Sold by <strong>Web", "Goods for <strong>at least 20", "Paid in <strong>EUR"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }

    browser.send(&page, &[("do", "conditions"), ("total", ""), ("was[channels][]", &channel)]).await;
    assert_eq!(line(&shop, &at_till, &mug.id, 1, "TEN").await.1, json!(1));
    browser.send(&page, &[("do", "conditions"), ("channels[]", &channel), ("total", "10")]).await;
    let id = page.rsplit('/').next().expect("an id");
    let rules = shop.admin.get(&format!("/admin/promotions/{id}/rules")).await.ok()["rules"].clone();
    let of_channel = rules.as_array().expect("rules").iter().find(|it| it["attribute"] == "sales_channel_id");
    let remove = format!("remove rules {}", of_channel.expect("the rule")["id"].as_str().expect("an id"));
    browser.send(&page, &[("do", &remove)]).await;
    assert_eq!(line(&shop, &at_till, &mug.id, 1, "TEN").await.1, json!(1));

    let save = [("do", "save"), ("code", "TEN"), ("status", "inactive"), ("value", "20"), ("limit", "3")];
    let (status, _, text) = browser.send(&page, &save).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    assert_eq!(line(&shop, &web, &mug.id, 2, "TEN").await.1, json!(0));
    let (_, text) = browser.page("/app/promotions").await;
    assert!(text.contains("Switched off") && text.contains("0 of 3"), "{text}");
    let (_, to, _) = browser.send(&page, &[("do", "delete")]).await;
    assert_eq!(to, "/app/promotions?done=deleted");
}

#[tokio::test]
async fn a_discount_is_off_some_goods_and_within_a_period() {
    let (shop, channel, browser) = shop().await;
    let storefront = shop.storefront(&[&channel]).await;
    let mug = shop.product("Mug", &[&channel], 100).await;
    let tea = shop.product("Tea", &[&channel], 100).await;
    let form = [("code", "TWO"), ("value", "2"), ("type", "fixed"), ("currency", "eur"), ("target", "items")];
    let goods = [("skus", "Mug"), ("max", "3"), ("starts_at", "2020-01-01T00:00")];
    let page = promotion(&browser, NEW, &[&form[..], &goods].concat()).await;
    assert_eq!(line(&shop, &storefront, &mug.id, 4, "TWO").await.1, json!(6), "of three of four");
    assert_eq!(line(&shop, &storefront, &tea.id, 4, "TWO").await.1, json!(0));
    let (_, text) = browser.page(&page).await;
    assert!(text.contains("Variant <strong>Mug · One") && text.contains("up to 3 of each line"), "{text}");

    let over = [("code", "LATE"), ("skus", ""), ("ends_at", "2020-01-01T00:00")];
    let fields = [&form[1..], &over].concat();
    promotion(&browser, NEW, &fields).await;
    let (_, text) = browser.page("/app/promotions").await;
    assert!(text.contains("Over"), "{text}");
    let unknown = [("do", "create"), ("code", "NONE"), ("status", "active"), ("skus", "Nothing")];
    let (status, _, text) = browser.send(NEW, &[&unknown[..], &form[1..]].concat()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("No variant has the SKU Nothing") && text.contains("value=\"NONE\""), "{text}");
}

#[tokio::test]
async fn two_are_bought_and_one_is_free() {
    let (shop, channel, browser) = shop().await;
    let storefront = shop.storefront(&[&channel]).await;
    let mug = shop.product("Mug", &[&channel], 100).await;
    let form = format!("{NEW}?kind=buyget");
    let fields = [("code", "B2G1"), ("buy", "2"), ("get", "1"), ("value", "100"), ("skus", "Mug")];
    let (status, _, text) = browser.send(&form, &[&[("do", "create")], &fields[..]].concat()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("Say which goods must be bought"), "{text}");
    let page = promotion(&browser, &form, &[&fields[..], &[("buy_skus", "Mug")]].concat()).await;
    assert_eq!(line(&shop, &storefront, &mug.id, 3, "B2G1").await.1, json!(10));
    let (_, text) = browser.page(&page).await;
    assert!(text.contains("Buy 2, get 1 free") && text.contains("What must be bought"), "{text}");
}

/// What it wants can be said anew, without making it again.
#[tokio::test]
async fn the_goods_of_a_promotion_are_changed_after_it_was_made() {
    let (shop, channel, browser) = shop().await;
    let storefront = shop.storefront(&[&channel]).await;
    shop.product("Mug", &[&channel], 100).await;
    let tea = shop.product("Tea", &[&channel], 100).await;
    let fields = [
        ("code", "B2G1"),
        ("buy", "2"),
        ("get", "1"),
        ("value", "100"),
        ("skus", "Mug"),
        ("buy_skus", "Mug"),
    ];
    let page = promotion(&browser, &format!("{NEW}?kind=buyget"), &fields).await;
    assert_eq!(line(&shop, &storefront, &tea.id, 3, "B2G1").await.1, json!(0));
    let id = page.rsplit('/').next().expect("an id");
    for kind in ["buy-rules", "target-rules"] {
        let goods = format!("goods {kind}");
        let (status, _, text) = browser.send(&page, &[("do", &goods), ("skus", "")]).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(text.contains("Say which goods"), "{text}");
        let (status, _, text) = browser.send(&page, &[("do", &goods), ("skus", "Tea")]).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
        let rules = shop.admin.get(&format!("/admin/promotions/{id}/{kind}")).await.ok()["rules"].clone();
        let first = rules.as_array().expect("rules").iter().find(|it| it["id"].is_string()).expect("a rule");
        let remove = format!("remove {kind} {}", first["id"].as_str().expect("an id"));
        browser.send(&page, &[("do", &remove)]).await;
    }
    assert_eq!(line(&shop, &storefront, &tea.id, 3, "B2G1").await.1, json!(10));
}

#[tokio::test]
async fn a_campaign_has_a_budget_and_takes_promotions_in_and_out() {
    let (shop, _, browser) = shop().await;
    let page = promotion(
        &browser,
        NEW,
        &[("code", "TEN"), ("value", "10"), ("type", "percentage"), ("target", "order")],
    )
    .await;
    let form = [
        ("do", "create"),
        ("name", "Spring"),
        ("budget", "spend"),
        ("budget_limit", "500"),
        ("currency", "eur"),
    ];
    let (_, to, text) = browser.send("/app/campaigns", &form).await;
    assert!(!to.is_empty(), "{text}");
    let campaign = format!("/app/campaigns/{}", created(&to, "/app/campaigns/"));
    browser.send(&campaign, &[("do", "add"), ("code", "TEN")]).await;
    let (_, text) = browser.page(&campaign).await;
    assert!(text.contains(&page) && text.contains("0.00 EUR</data> of "), "{text}");
    browser.send(&campaign, &[("do", "save"), ("name", "Spring"), ("budget_limit", "50")]).await;
    let (_, text) = browser.page("/app/campaigns").await;
    assert!(text.contains(">50.00 EUR</data>"), "{text}");

    let promotion = page.rsplit('/').next().expect("an id");
    browser.send(&campaign, &[("do", &format!("remove {promotion}"))]).await;
    let kept = shop.admin.get(&format!("/admin/promotions/{promotion}?fields=campaign_id")).await.ok();
    assert_eq!(kept["promotion"]["campaign_id"], json!(null));
    let (status, _, text) = browser.send(&campaign, &[("do", "add"), ("code", "NOPE")]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(text.contains("role=\"alert\""), "{text}");
    let (_, to, _) = browser.send(&campaign, &[("do", "delete")]).await;
    assert_eq!(to, "/app/campaigns?done=deleted");
}
