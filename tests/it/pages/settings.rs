//! The pages of keys, regions and taxes.

use atoll_kernel::http::StatusCode;
use atoll_testkit::id;
use serde_json::json;

use super::{created, header, shop};

#[tokio::test]
async fn a_publishable_key_opens_the_channels_that_are_ticked() {
    let (shop, channel, browser) = shop().await;
    let other = shop.channel("Till").await;
    let fields = [("do", "create"), ("title", "Storefront"), ("channels[]", &channel)];
    let (_, to, _) = browser.send("/app/keys/new", &fields).await;
    let key = created(&to, "/app/keys/");
    let opens = || async {
        let path = format!("/admin/api-keys/{key}?fields=title,token,sales_channels.id");
        shop.admin.get(&path).await.ok()["api_key"].clone()
    };
    assert_eq!(opens().await["sales_channels"][0]["id"], json!(channel));

    let page = format!("/app/keys/{key}");
    let (_, text) = browser.page(&page).await;
    let token = opens().await["token"].as_str().expect("a token").to_owned();
    assert!(text.contains(&format!("x-publishable-api-key: {token}")), "{text}");

    browser.send(&page, &[("do", "connect"), ("was[channels][]", &channel), ("channels[]", &other)]).await;
    let kept = opens().await;
    assert_eq!(kept["sales_channels"].as_array().map(Vec::len), Some(1));
    assert_eq!(kept["sales_channels"][0]["id"], json!(other));
    // What the form did not show stays: others have added it since.
    let (_, text) = browser.page(&page).await;
    assert!(text.contains(&format!("name=\"was[channels][]\" value=\"{other}\"")), "{text}");
    browser.send(&page, &[("do", "connect"), ("channels[]", &channel)]).await;
    assert_eq!(opens().await["sales_channels"].as_array().map(Vec::len), Some(2));
    browser.send(&page, &[("do", "connect"), ("was[channels][]", &channel)]).await;
    assert_eq!(opens().await["sales_channels"].as_array().map(Vec::len), Some(1));
    browser.send(&page, &[("do", "save"), ("title", "Till")]).await;
    assert_eq!(opens().await["title"], "Till");

    // A key that opens nothing yet is a key: the next sending would make another one.
    let unknown = [("do", "create"), ("title", "Kiosk"), ("channels[]", "sc_gone")];
    let (_, to, _) = browser.send("/app/keys/new", &unknown).await;
    assert!(to.ends_with("?done=partly"), "{to}");

    let (status, _, text) = browser.send(&page, &[("do", "delete")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("role=\"alert\"") || text.contains("Revoke"), "{text}");
    browser.send(&page, &[("do", "revoke")]).await;
    let (_, to, _) = browser.send(&page, &[("do", "delete")]).await;
    assert_eq!(to, "/app/keys?done=deleted");
}

/// The answer of the form is the only one that has it, and nothing keeps that answer.
#[tokio::test]
async fn the_token_of_a_secret_key_is_shown_once() {
    let (shop, _, browser) = shop().await;
    let answer = browser.answer("/app/keys/new-secret", &[("do", "create"), ("title", "Till")]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(header(&answer.headers, "cache-control"), "no-store");
    assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("location"));
    let text = String::from_utf8(answer.body.to_vec()).expect("text");
    let (_, rest) = text.split_once("<code>sk_").expect("a token");
    let token = format!("sk_{}", rest.split('<').next().expect("a token"));

    let program = shop.app.client().with_header("authorization", &format!("Basic {token}"));
    program.get("/admin/orders").await.ok();
    let keys = shop.admin.get("/admin/api-keys?type=secret&fields=id").await.ok();
    let key = keys["api_keys"][0]["id"].as_str().expect("a key").to_owned();
    for path in ["/app/keys", "/app/keys/new-secret", &format!("/app/keys/{key}")] {
        let (status, text) = browser.page(path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(!text.contains(&token), "{path}");
    }
}

#[tokio::test]
async fn a_region_is_made_and_changed_by_forms() {
    let (shop, _, browser) = shop().await;
    let alps = [("do", "create"), ("name", "Alps"), ("currency_code", "eur"), ("countries", "AT, ch")];
    let pays = [("payment_providers[]", "pp_system_default"), ("automatic_taxes", "on")];
    let (_, to, _) = browser.send("/app/regions/new", &[&alps[..], &pays].concat()).await;
    let id = created(&to, "/app/regions/");
    let path =
        format!("/admin/regions/{id}?fields=name,automatic_taxes,countries.iso_2,payment_providers.id");
    let region = shop.admin.get(&path).await.ok()["region"].clone();
    assert_eq!(region["countries"].as_array().map(Vec::len), Some(2));
    assert_eq!(region["payment_providers"][0]["id"], "pp_system_default");

    let page = format!("/app/regions/{id}");
    let fewer = [("do", "save"), ("name", "Austria"), ("currency_code", "eur"), ("countries", "AT")];
    let none_pays = [("was[payment_providers][]", "pp_system_default")];
    browser.send(&page, &[&fewer[..], &none_pays].concat()).await;
    let region = shop.admin.get(&path).await.ok()["region"].clone();
    assert_eq!(region["countries"][0]["iso_2"], "at");
    assert_eq!((&region["payment_providers"], &region["automatic_taxes"]), (&json!([]), &json!(false)));

    // Germany is in another region: what was typed is still there.
    let taken = [("do", "save"), ("name", "Nowhere"), ("currency_code", "eur"), ("countries", "DE")];
    let (status, _, text) = browser.send(&page, &taken).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("role=\"alert\"") && text.contains("value=\"Nowhere\""), "{text}");
}

/// Otherwise the browser would take the first currency, and renaming the region would change its prices.
#[tokio::test]
async fn a_region_keeps_a_currency_that_the_store_has_not() {
    let (shop, _, browser) = shop().await;
    let region = json!({ "name": "Switzerland", "currency_code": "chf" });
    let region = id(&shop.admin.post("/admin/regions", region).await.ok()["region"]);
    let (_, text) = browser.page(&format!("/app/regions/{region}")).await;
    assert!(text.contains("<option value=\"chf\" selected>"), "{text}");
}

#[tokio::test]
async fn a_country_and_its_province_are_taxed_by_forms() {
    let (shop, _, browser) = shop().await;
    let rate = [("do", "create"), ("name", "Sales tax"), ("code", "us"), ("rate", "6.25")];
    let (_, to, text) = browser.send("/app/tax", &[&rate[..], &[("place", "US")]].concat()).await;
    assert!(!to.is_empty(), "{text}");
    let country = created(&to, "/app/tax/");
    let page = format!("/app/tax/{country}");
    let (_, to, text) = browser.send(&page, &[&rate[..], &[("place", "US-CA")]].concat()).await;
    assert!(!to.is_empty(), "{text}");
    let province = created(&to, "/app/tax/");
    let read = |id: String| {
        let path =
            format!("/admin/tax-regions/{id}?fields=province_code,parent_id,tax_rates.id,tax_rates.rate");
        let admin = &shop.admin;
        async move { admin.get(&path).await.ok()["tax_region"].clone() }
    };
    let kept = read(province).await;
    assert_eq!((&kept["province_code"], &kept["parent_id"]), (&json!("us-ca"), &json!(country)));

    let rates = read(country.clone()).await["tax_rates"].clone();
    let id = rates[0]["id"].as_str().expect("a rate");
    let save = format!("save {id}");
    let higher = [("do", &*save), ("name", "Sales tax"), ("code", "us"), ("rate", "7")];
    browser.send(&page, &higher).await;
    assert_eq!(read(country.clone()).await["tax_rates"][0]["rate"], json!(7));
    browser.send(&page, &[("do", &format!("remove {id}"))]).await;
    let (_, text) = browser.page(&page).await;
    assert!(text.contains("No rate: nothing is taxed here."), "{text}");
    let (_, to, _) = browser.send(&page, &[("do", "delete")]).await;
    assert_eq!(to, "/app/tax?done=deleted");
}

#[tokio::test]
async fn a_rate_is_for_products_types_and_shipping() {
    let (shop, channel, browser) = shop().await;
    let mug = shop.product("Mug", &[&channel], 3).await;
    shop.product("Tea", &[&channel], 3).await;
    let books =
        id(&shop.admin.post("/admin/product-types", json!({ "value": "Books" })).await.ok()["product_type"]);
    let rate = [("do", "create"), ("name", "VAT"), ("code", "de"), ("rate", "19")];
    let (_, to, _) = browser.send("/app/tax", &[&rate[..], &[("place", "DE")]].concat()).await;
    let page = format!("/app/tax/{}", created(&to, "/app/tax/"));
    let lower = [("do", "add-for"), ("name", "Lower"), ("code", "low"), ("rate", "7")];
    let (status, _, text) = browser.send(&page, &lower).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("Say what the rate is for") && text.contains("value=\"Lower\""), "{text}");
    let (status, _, text) =
        browser.send(&page, &[&lower[..], &[("product", "Mug"), ("product_type", &*books)]].concat()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    let (_, text) = browser.page(&page).await;
    assert!(text.contains("Product: Mug") && text.contains("Type: Books"), "{text}");

    let rules = async || {
        let rates = shop.admin.get("/admin/tax-rates?is_default=false&fields=id,rules.*").await.ok();
        rates["tax_rates"][0].clone()
    };
    let kept = rules().await;
    let of_type =
        kept["rules"].as_array().expect("rules").iter().find(|it| it["reference"] == "product_type");
    let narrow = format!("narrow {} {}", id(&kept), id(of_type.expect("a rule")));
    browser.send(&page, &[("do", &narrow)]).await;
    let kept = rules().await;
    assert_eq!(kept["rules"].as_array().map(Vec::len), Some(1));
    assert_eq!(kept["rules"][0]["reference_id"], json!(mug.product));
    let widen = format!("widen {}", id(&kept));
    browser.send(&page, &[("do", &widen), ("product", "Tea")]).await;
    assert_eq!(rules().await["rules"].as_array().map(Vec::len), Some(2));
    let (status, _, text) = browser.send(&page, &[("do", &widen), ("product", "Soup")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("No product has the SKU or title `Soup`"), "{text}");
}
