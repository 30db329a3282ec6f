//! What the demo shop has beside its catalogue: shipping, taxes in two regions, a sale that ends, a promotion
//! of one channel, and prices of a group of customers.

use atoll_host::load_demo;
use atoll_testkit::{Client, id};
use serde_json::{Value, json};

use crate::{demo, storefront};

const TWO_WEEKS_MS: i64 = 14 * 24 * 60 * 60 * 1000;

/// The region of a country, and the first variant of a product.
async fn found(storefront: &Client, country: &str, handle: &str) -> (String, String) {
    let regions = storefront.get("/store/regions").await.ok();
    let mut regions = regions["regions"].as_array().expect("a list").iter();
    let region = regions.find(|it| it["countries"][0]["iso_2"] == country).expect("a region");
    let product = storefront.get(&format!("/store/products?handle={handle}")).await.ok();
    (id(region), id(&product["products"][0]["variants"][0]))
}

/// A cart with so many of a variant, in a country.
async fn cart(storefront: &Client, country: &str, handle: &str, quantity: u32) -> Value {
    let (region, variant) = found(storefront, country, handle).await;
    let body = json!({
        "region_id": region, "items": [{ "variant_id": variant, "quantity": quantity }],
        "shipping_address": { "country_code": country },
    });
    storefront.post("/store/carts", body).await.ok()["cart"].clone()
}

/// Names and amounts of the options that a cart is offered.
async fn options(storefront: &Client, cart: &Value) -> Vec<String> {
    let options = storefront.get(&format!("/store/shipping-options?cart_id={}", id(cart))).await.ok();
    let options = options["shipping_options"].as_array().expect("a list");
    options.iter().map(|it| format!("{} {}", it["name"].as_str().expect("a name"), it["amount"])).collect()
}

#[tokio::test]
async fn demo_ships_from_the_locations_of_each_channel() {
    let (app, _, demo) = demo().await;
    let web = storefront(&app, &demo, "Web Shop");
    let small = cart(&web, "de", "enamel-mug", 2).await;
    let in_europe = ["Standard 4.9", "Express 12.9", "Pick up at the Reef Store 0"];
    assert_eq!(options(&web, &small).await, in_europe);
    let large = cart(&web, "de", "lagoon-tent", 1).await;
    assert_eq!(options(&web, &large).await[0], "Standard 0");
    let portal = storefront(&app, &demo, "B2B Portal");
    let coffee = cart(&portal, "us", "green-coffee-sack", 1).await;
    assert_eq!(options(&portal, &coffee).await, ["Standard 0", "Express 16.9", "Freight 59"]);
}

#[tokio::test]
async fn demo_taxes_two_regions() {
    let (app, _, demo) = demo().await;
    let web = storefront(&app, &demo, "Web Shop");
    let rates = |cart: &Value| cart["items"][0]["tax_lines"][0]["rate"].clone();
    // In the price, and the reduced rate for coffee.
    let mug = cart(&web, "de", "enamel-mug", 1).await;
    assert_eq!((&mug["total"], rates(&mug)), (&json!(12.9), json!(19)));
    let coffee = cart(&web, "de", "decaf-huila", 1).await;
    assert_eq!((&coffee["total"], rates(&coffee)), (&json!(12.5), json!(7)));
    // Added to the price.
    let mug = cart(&web, "us", "enamel-mug", 4).await;
    assert_eq!((&mug["item_subtotal"], &mug["tax_total"]), (&json!(55.6), &json!(3.475)));
}

#[tokio::test]
async fn sale_of_the_demo_ends() {
    let (app, _, demo) = demo().await;
    let web = storefront(&app, &demo, "Web Shop");
    let (region, _) = found(&web, "de", "storm-lantern").await;
    let path =
        format!("/store/products?handle=storm-lantern&region_id={region}&fields=*variants.calculated_price");
    let amounts = async || {
        let page = web.get(&path).await.ok();
        let price = &page["products"][0]["variants"][0]["calculated_price"];
        [price["calculated_amount"].clone(), price["original_amount"].clone()]
    };
    assert_eq!(amounts().await, [json!(35.92), json!(44.9)]);
    app.advance_ms(TWO_WEEKS_MS);
    assert_eq!(amounts().await, [json!(44.9), json!(44.9)]);
}

#[tokio::test]
async fn code_of_the_demo_counts_in_one_channel() {
    let (app, _, demo) = demo().await;
    for (channel, discount) in [("Mobile App", json!(1.29)), ("Web Shop", json!(0))] {
        let storefront = storefront(&app, &demo, channel);
        let cart = id(&cart(&storefront, "de", "enamel-mug", 1).await);
        let path = format!("/store/carts/{cart}?fields=discount_total");
        let cart = storefront.post(&path, json!({ "promo_codes": ["APP10"] })).await.ok();
        assert_eq!(cart["cart"]["discount_total"], discount, "{channel}");
    }
}

#[tokio::test]
async fn wholesale_customers_of_the_demo_pay_less_in_the_portal() {
    let (app, _, demo) = demo().await;
    let (email, password) = demo.buyer.expect("a buyer");
    let login = json!({ "email": email, "password": password });
    for (channel, prices) in [("B2B Portal", [10.5, 9.45]), ("Web Shop", [10.5, 10.5])] {
        let guest = storefront(&app, &demo, channel);
        let token = guest.post("/auth/customer/emailpass", login.clone()).await.ok();
        let token = format!("Bearer {}", token["token"].as_str().expect("a token"));
        let member = guest.clone().with_header("authorization", &token);
        for (client, price) in [&guest, &member].into_iter().zip(prices) {
            let cart = cart(client, "us", "atoll-house-blend", 1).await;
            assert_eq!(cart["items"][0]["unit_price"], json!(price), "{channel}");
        }
        // Who types the address of a member is none.
        let path = format!("/store/carts/{}", id(&cart(&guest, "us", "atoll-house-blend", 1).await));
        let typed = guest.post(&path, json!({ "email": email })).await.ok();
        assert_eq!(typed["cart"]["items"][0]["unit_price"], json!(10.5), "{channel}");
    }
}

#[tokio::test]
async fn loading_the_demo_again_adds_nothing() {
    let (app, admin, _) = demo().await;
    let counts = async || {
        let mut counts = Vec::new();
        for list in ["shipping-options", "tax-regions", "price-lists", "promotions", "customer-groups"] {
            counts.push(admin.get(&format!("/admin/{list}")).await.ok()["count"].clone());
        }
        counts
    };
    let before = counts().await;
    load_demo(&app.ctx, &app.first_run).await.expect("the demo");
    assert_eq!(before, [6, 2, 2, 1, 1].map(|it| json!(it)));
    assert_eq!(counts().await, before);
}
