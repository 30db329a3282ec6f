//! The pages of shipping: from nothing to what buyers are offered, and what is changed later.

use atoll_kernel::http::StatusCode;
use atoll_testkit::{Client, Shop};
use serde_json::{Value, json};

use super::{Browser, shop};

/// Fills in the form of a new way of shipping by hand from the location of the shop, free from 50 euros on.
async fn ship(browser: &Browser, location: &str, name: &str, price: &str, places: &str) -> String {
    let form = [
        ("do", "create"),
        ("location", location),
        ("kind", "shipping"),
        ("places", places),
        ("name", name),
        ("service", "manual_manual manual-fulfillment"),
        ("prices[eur]", price),
        ("free[eur]", "50"),
        ("buyers", "on"),
    ];
    let (status, to, page) = browser.send("/app/shipping/new", &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    to
}

/// What a buyer in this country is offered for so many mugs, 10 euros each: names and amounts.
async fn offered(
    shop: &Shop,
    storefront: &Client,
    variant: &str,
    (n, country): (u32, &str),
) -> Vec<(Value, Value)> {
    let cart = shop.cart(storefront, variant, n).await;
    let address = json!({ "shipping_address": { "country_code": country } });
    storefront.post(&format!("/store/carts/{cart}"), address).await.ok();
    let options = storefront.get(&format!("/store/shipping-options?cart_id={cart}")).await.ok();
    let options = options["shipping_options"].as_array().expect("a list").clone();
    options.iter().map(|it| (it["name"].clone(), it["amount"].clone())).collect()
}

/// The fulfilment sets of the location.
async fn sets(shop: &Shop) -> Value {
    let fields = "fulfillment_sets.id,fulfillment_sets.service_zones.id,\
                  fulfillment_sets.service_zones.name,fulfillment_sets.service_zones.geo_zones.id,\
                  fulfillment_sets.service_zones.geo_zones.country_code,\
                  fulfillment_sets.service_zones.shipping_options.id";
    let path = format!("/admin/stock-locations/{}?fields={fields}", shop.location);
    shop.admin.get(&path).await.ok()["stock_location"]["fulfillment_sets"].clone()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn one_form_ships_to_two_countries_and_free_from_a_total() {
    let (shop, channel, browser) = shop().await;
    let storefront = shop.storefront(&[&channel]).await;
    let mug = shop.product("Mug", &[&channel], 100).await;
    let (_, page) = browser.page("/app/shipping").await;
    assert!(page.contains("nothing ships to: France, Germany"), "{page}");

    let to = ship(&browser, &shop.location, "Standard", "4.90", "DE, FR").await;
    assert_eq!(to, format!("/app/shipping?location={}&done=created", shop.location));
    assert_eq!(offered(&shop, &storefront, &mug.id, (1, "de")).await, [(json!("Standard"), json!(4.9))]);
    assert_eq!(offered(&shop, &storefront, &mug.id, (5, "fr")).await, [(json!("Standard"), json!(0))]);
    let (_, page) = browser.page("/app/shipping").await;
    assert!(
        page.contains("DE, FR") && page.contains("free from") && !page.contains("nothing ships"),
        "{page}"
    );

    // The same places are the same zone.
    ship(&browser, &shop.location, "Express", "9.90", "fr de").await;
    let sets = sets(&shop).await;
    assert_eq!(sets.as_array().map(Vec::len), Some(1));
    let zones = sets[0]["service_zones"].as_array().expect("zones").clone();
    assert_eq!(zones.len(), 1);
    assert_eq!(zones[0]["shipping_options"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn what_is_wrong_in_a_way_of_shipping_is_said_before_anything_is_written() {
    let (shop, _, browser) = shop().await;
    for (places, price, message) in [
        ("Germany", "5", "`germany` is no code of a country"),
        ("DE", "", "Say what it costs in EUR below the total"),
        ("DE", "cheap", "`cheap` is not a number"),
    ] {
        let form = [
            ("do", "create"),
            ("location", &*shop.location),
            ("kind", "shipping"),
            ("places", places),
            ("name", "Slow boat"),
            ("service", "manual_manual manual-fulfillment"),
            ("prices[eur]", price),
            ("free[eur]", "50"),
        ];
        let (status, _, page) = browser.send("/app/shipping/new", &form).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(page.contains(message) && page.contains("value=\"Slow boat\""), "{message}: {page}");
        assert_eq!(sets(&shop).await, json!([]), "{message}");
    }
}

#[tokio::test]
async fn a_zone_gets_other_places_and_another_option_and_is_deleted() {
    let (shop, _, browser) = shop().await;
    ship(&browser, &shop.location, "Standard", "5", "DE FR").await;
    let before = sets(&shop).await;
    let zone = &before[0]["service_zones"][0];
    let (set, id) = (text(&before[0]["id"]), text(&zone["id"]));
    let page = format!("/app/shipping/sets/{set}/zones/{id}");
    browser.send(&page, &[("do", "save"), ("name", "Neighbours"), ("places", "AT DE")]).await;
    let after = sets(&shop).await[0]["service_zones"][0].clone();
    assert_eq!(after["name"], "Neighbours");
    let places = after["geo_zones"].as_array().expect("places").clone();
    let codes: Vec<_> = places.iter().map(|it| text(&it["country_code"])).collect();
    assert_eq!(codes, ["at", "de"]);
    // What stays is the same record.
    assert_eq!(places[1]["id"], zone["geo_zones"][0]["id"]);

    let new = format!("/app/shipping/new?set={set}&zone={id}");
    let (_, text) = browser.page(&new).await;
    assert!(text.contains("Neighbours") && !text.contains("name=\"places\""), "{text}");
    let pickup = [
        ("do", "create"),
        ("name", "By hand"),
        ("service", "manual_manual manual-fulfillment"),
        ("prices[eur]", "0"),
    ];
    let (status, _, text) = browser.send(&new, &pickup).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    let (_, text) = browser.page(&page).await;
    assert!(text.contains("By hand") && text.contains("for ourselves alone"), "{text}");

    let (_, to, _) = browser.send(&page, &[("do", "delete")]).await;
    assert_eq!(to, "/app/shipping?done=deleted");
    assert_eq!(sets(&shop).await[0]["service_zones"], json!([]));
}

#[tokio::test]
async fn the_prices_and_settings_of_an_option_are_changed_by_forms() {
    let (shop, channel, browser) = shop().await;
    let storefront = shop.storefront(&[&channel]).await;
    let mug = shop.product("Mug", &[&channel], 100).await;
    let option = shop.shipping(&["de"]).await.option;
    let page = format!("/app/shipping/options/{option}");
    let path = format!("/admin/shipping-options/{option}?fields=name,type_id,rules.*,prices");
    let kept = || async { shop.admin.get(&path).await.ok()["shipping_option"].clone() };
    let price = text(&kept().await["prices"][0]["id"]);

    let of_region = [("do", "add-price"), ("for", &*shop.region), ("amount", "3"), ("below", "20")];
    let (status, _, shown) = browser.send(&page, &of_region).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{shown}");
    assert_eq!(offered(&shop, &storefront, &mug.id, (1, "de")).await[0].1, json!(3));
    assert_eq!(offered(&shop, &storefront, &mug.id, (2, "de")).await[0].1, json!(5));
    let (_, shown) = browser.page(&page).await;
    assert!(shown.contains("Europe, in EUR, below 20 EUR"), "{shown}");

    // The price that the form does not ask for stays.
    let amount = format!("amounts[{price}]");
    browser.send(&page, &[("do", "prices"), (&amount, "6")]).await;
    assert_eq!(offered(&shop, &storefront, &mug.id, (2, "de")).await[0].1, json!(6));
    assert_eq!(kept().await["prices"].as_array().map(Vec::len), Some(2));
    browser.send(&page, &[("do", "prices"), (&amount, "")]).await;
    assert_eq!(kept().await["prices"].as_array().map(Vec::len), Some(1));

    let types = shop.admin.get("/admin/shipping-option-types?fields=id").await.ok();
    let kind = text(&types["shipping_option_types"][0]["id"]);
    let profile = shop.default_profile().await;
    let save = [("do", "save"), ("name", "Ours"), ("type", &*kind), ("profile", &profile)];
    let (status, _, shown) = browser.send(&page, &save).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{shown}");
    assert!(offered(&shop, &storefront, &mug.id, (1, "de")).await.is_empty(), "only admins choose it");
    browser.send(&page, &[&save[..], &[("buyers", "on")]].concat()).await;
    assert_eq!(offered(&shop, &storefront, &mug.id, (1, "de")).await[0].0, json!("Ours"));
    let (_, to, _) = browser.send(&page, &[("do", "delete")]).await;
    assert_eq!(to, "/app/shipping?done=deleted");
}

#[tokio::test]
async fn profiles_types_and_reasons_are_made_changed_and_deleted_by_forms() {
    let (shop, _, browser) = shop().await;
    for (page, route, many, texts) in [
        (
            "/app/shipping/profiles",
            "shipping-profiles",
            "shipping_profiles",
            [("name", "Bulky"), ("type", "big")],
        ),
        (
            "/app/shipping/types",
            "shipping-option-types",
            "shipping_option_types",
            [("label", "Express"), ("code", "express")],
        ),
        (
            "/app/refund-reasons",
            "refund-reasons",
            "refund_reasons",
            [("label", "Damaged"), ("code", "damaged")],
        ),
    ] {
        let (name, value) = texts[0];
        let list = format!("/admin/{route}?fields=id,{name}&{name}={value}");
        let found = || async { shop.admin.get(&list).await.ok()[many].clone() };
        let (_, to, text) = browser.send(page, &[&[("do", "create")], &texts[..]].concat()).await;
        assert_eq!(to, format!("{page}?done=created"), "{text}");
        let id = found().await[0]["id"].as_str().expect("an id").to_owned();
        let save = format!("save {id}");
        let changed = [("do", &*save), (name, "Other"), texts[1]];
        browser.send(page, &changed).await;
        assert_eq!(found().await, json!([]));
        let (_, text) = browser.page(page).await;
        assert!(text.contains("Other"), "{text}");
        let (_, to, _) = browser.send(page, &[("do", &format!("delete {id}"))]).await;
        assert_eq!(to, format!("{page}?done=deleted"));
    }

    // A profile in use stays, and the page says why.
    let profile = shop.default_profile().await;
    shop.shipping(&["de"]).await;
    let (status, _, text) =
        browser.send("/app/shipping/profiles", &[("do", &format!("delete {profile}"))]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("role=\"alert\""), "{text}");
}

#[tokio::test]
async fn a_product_gets_its_shipping_profile_on_its_page() {
    let (shop, _, browser) = shop().await;
    let mug = shop.product("Mug", &[], 1).await;
    let profile = shop.default_profile().await;
    let page = format!("/app/products/{}", mug.product);
    browser.send(&page, &[("do", "organise"), ("profile", &profile)]).await;
    let path = format!("/admin/products/{}?fields=shipping_profile.id", mug.product);
    assert_eq!(shop.admin.get(&path).await.ok()["product"]["shipping_profile"]["id"], json!(profile));
    let (_, text) = browser.page(&page).await;
    assert!(text.contains(&format!("value=\"{profile}\" selected")), "{text}");
    browser.send(&page, &[("do", "organise"), ("profile", "")]).await;
    assert_eq!(shop.admin.get(&path).await.ok()["product"]["shipping_profile"], json!(null));
}

#[tokio::test]
async fn a_location_lets_buyers_collect() {
    let (shop, _, browser) = shop().await;
    let page = format!("/app/locations/{}", shop.location);
    browser.send(&page, &[("do", "set pickup")]).await;
    let (_, text) = browser.page("/app/shipping").await;
    assert!(text.contains("Collected here") && text.contains("Nowhere yet."), "{text}");
}

#[tokio::test]
async fn a_zone_holds_a_city_and_some_of_its_postal_codes() {
    let (shop, channel, browser) = shop().await;
    let storefront = shop.storefront(&[&channel]).await;
    let mug = shop.product("Mug", &[&channel], 100).await;
    ship(&browser, &shop.location, "Courier", "9", "FR").await;
    let set = sets(&shop).await[0].clone();
    let zone = &set["service_zones"][0];
    let page = format!("/app/shipping/sets/{}/zones/{}", text(&set["id"]), text(&zone["id"]));
    let berlin = [("do", "add-place"), ("country", "de"), ("province", "BE"), ("city", "Berlin")];
    let wrong = [("codes", "10\\d{3}")];
    let (status, _, shown) = browser.send(&page, &[&berlin[..], &wrong].concat()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(shown.contains("is no postal code"), "{shown}");
    let (status, _, shown) = browser.send(&page, &[&berlin[..], &[("codes", "101*, 10243")]].concat()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{shown}");
    let (_, shown) = browser.page(&page).await;
    assert!(shown.contains("Berlin, 101*, 10243 (DE)") && shown.contains("value=\"FR\""), "{shown}");

    let cart = shop.cart(&storefront, &mug.id, 1).await;
    let n_offered = async |code: &str| {
        let to = json!({ "country_code": "de", "province": "BE", "city": "Berlin", "postal_code": code });
        storefront.post(&format!("/store/carts/{cart}"), json!({ "shipping_address": to })).await.ok();
        let options = storefront.get(&format!("/store/shipping-options?cart_id={cart}")).await.ok();
        options["shipping_options"].as_array().map(Vec::len)
    };
    assert_eq!(
        (n_offered("10115").await, n_offered("10243").await, n_offered("10999").await),
        (Some(1), Some(1), Some(0))
    );

    let (_, shown) = browser.page(&page).await;
    let (_, rest) = shown.split_once("value=\"remove-place ").expect("a button");
    let remove = format!("remove-place {}", rest.split('"').next().expect("an id"));
    browser.send(&page, &[("do", &remove)]).await;
    assert_eq!(n_offered("10115").await, Some(0));
    assert!(browser.page(&page).await.1.contains("value=\"FR\""));
}

#[tokio::test]
async fn an_option_has_further_rules() {
    let (shop, _, browser) = shop().await;
    ship(&browser, &shop.location, "Courier", "9", "DE").await;
    let option = text(&sets(&shop).await[0]["service_zones"][0]["shipping_options"][0]["id"]);
    let page = format!("/app/shipping/options/{option}");
    let rule = [("do", "add-rule"), ("attribute", "weight"), ("operator", "in"), ("value", "1, 2")];
    let (status, _, shown) = browser.send(&page, &rule).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{shown}");
    // What buyers may choose is asked for elsewhere, and leaves it as it is.
    let (_, shown) = browser.page(&page).await;
    assert!(shown.contains("weight is one of 1, 2"), "{shown}");
    let (_, rest) = shown.split_once("value=\"remove-rule ").expect("a button");
    let remove = format!("remove-rule {}", rest.split('"').next().expect("an id"));
    browser.send(&page, &[("do", &remove)]).await;
    assert!(!browser.page(&page).await.1.contains("weight is"));
}
